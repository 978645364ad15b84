//! The native module: what `rgrad/__init__.py` takes its names from.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::dtype::DType;
use crate::op::{Traits, registry};
use crate::ops::aliases::ALIASES;
use crate::python::overrides::Asked;
use crate::python::tensor::PyTensor;
use crate::python::{
    anomaly, arguments, autograd, batch, collector, comparison, copies, creation, dtype, error, exchange, function,
    keeping, layout, memory, node, number, numpy, operation, optim, overrides, printing, properties, random, reports,
    safetensors, sampling, sequences, size, trace,
};

/// The native part of rgrad.
#[pymodule(gil_used = true, name = "_rgrad")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    trace::install();
    anomaly::install();
    reports::install();
    autograd::install();
    collector::install(module)?;
    module.add_class::<PyTensor>()?;
    keeping::install(py);
    number::install(py);
    module.add_class::<dtype::PyDType>()?;
    module.add_class::<dtype::PyDevice>()?;
    module.add_class::<random::PyGenerator>()?;
    module.add_class::<node::PyNode>()?;
    module.add_class::<node::PySavedTensor>()?;
    layout::install(module)?;
    for dtype in DType::ALL {
        module.add(dtype.name(), dtype::object(py, dtype)?)?;
    }
    macro_rules! functions {
        ($($file:ident: $($name:ident)+;)+) => {
            $($(module.add_function(wrap_pyfunction!($file::$name, module)?)?;)+)+
        };
    }
    module.add("default_generator", random::default_generator(py)?)?;
    functions! {
        creation: tensor as_tensor zeros ones empty full zeros_like ones_like empty_like full_like rand_like
            randn_like randint_like eye arange linspace get_default_dtype set_default_dtype result_type promote_types
            can_cast;
        sequences: logspace range tril_indices triu_indices bartlett_window blackman_window hamming_window hann_window
            kaiser_window scalar_tensor empty_strided empty_permuted numel is_nonzero is_same_size broadcast_shapes;
        exchange: from_dlpack frombuffer asarray;
        random: rand randn randint randperm;
        safetensors: _write_safetensors _read_safetensors;
        sampling: bernoulli binomial multinomial normal poisson _standard_gamma _sample_dirichlet;
        comparison: equal allclose;
        numpy: from_numpy;
        autograd: backward grad is_grad_enabled _set_grad_enabled _make_dual _unpack_dual _end_dual_level _gradient_edge
            _current_graph_task_id _will_engine_execute_node _push_saved_tensors_hooks _pop_saved_tensors_hooks
            _set_autocast _autocast clear_autocast_cache _increment_version _set_version _watch_changes _queue_callback
            _set_inference_mode is_inference_mode_enabled _is_checkpoint_valid;
        batch: _enter_vmap _exit_vmap _enter_transform _exit_transform _innermost_level _suspend_vmap _resume_vmap _add_batch_dim _remove_batch_dim
            _is_batched _debug_unwrap _fresh_input _without_history _end_inputs _depends_on_others;
        function: _apply_function;
        anomaly: _set_anomaly _anomaly;
        reports: _begin_nonfinite_search _end_nonfinite_search _start_profiling _stop_profiling _profiling_clock
            _note_range;
        printing: set_printoptions _printoptions;
        copies: _rebuild;
        memory: _store;
        size: _index_sizes;
        operation: _overridable;
        overrides: _disabled_torch_function_impl _disable_torch_function _push_torch_function_mode
            _pop_torch_function_mode _torch_function_modes _has_torch_function _overloaded_arguments
            _handle_torch_function;
    }
    overrides::install(module)?;
    let kind = py.get_type::<PyTensor>();
    properties::install(py, kind.as_any())?;
    for name in OVERRIDABLE {
        let asked = if MADE_FROM_DATA.contains(&name) { Asked::Nobody } else { Asked::Special };
        module.setattr(name, operation::wrapped(py, name, module.getattr(name)?.unbind(), false, asked)?)?;
    }
    module.add("_LinAlgError", py.get_type::<error::_LinAlgError>())?;
    let functional = PyModule::new(py, "_nn")?;
    let special = PyModule::new(py, "_special")?;
    let families = [("linalg_", PyModule::new(py, "_linalg")?), ("fft_", PyModule::new(py, "_fft")?)];
    operation::install(py, module, &functional, &special, &families, kind.as_any())?;
    for submodule in [&functional, &special].into_iter().chain(families.iter().map(|(_, family)| family)) {
        module.add_submodule(submodule)?;
    }
    let steps = PyModule::new(py, "_optim")?;
    steps.add_function(wrap_pyfunction!(optim::sgd_step, &steps)?)?;
    steps.add_function(wrap_pyfunction!(optim::adam_step, &steps)?)?;
    module.add_submodule(&steps)?;
    module.add_function(wrap_pyfunction!(_operations, module)?)?;
    module.add_function(wrap_pyfunction!(get_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(set_num_threads, module)?)?;
    export_public_names(module)
}

/// The functions of this module, besides the operations, that `__torch_function__` can override.
const OVERRIDABLE: [&str; 30] = [
    "tensor",
    "as_tensor",
    "zeros",
    "ones",
    "empty",
    "full",
    "zeros_like",
    "ones_like",
    "empty_like",
    "full_like",
    "rand_like",
    "randn_like",
    "randint_like",
    "eye",
    "arange",
    "linspace",
    "result_type",
    "rand",
    "randn",
    "randint",
    "randperm",
    "bernoulli",
    "binomial",
    "multinomial",
    "normal",
    "poisson",
    "equal",
    "allclose",
    "from_numpy",
    "grad",
];

/// Those among them that only modes can.
const MADE_FROM_DATA: [&str; 3] = ["tensor", "as_tensor", "from_numpy"];

/// PyO3 lists every name in `__all__`; `from rgrad._rgrad import *` is to give the public ones.
fn export_public_names(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let mut names: Vec<String> = module.index()?.extract()?;
    names.retain(|name| !name.starts_with('_'));
    names.sort();
    names.dedup();
    module.setattr("__all__", names)
}

/// The number of threads that large operations use.
#[pyfunction]
fn get_num_threads() -> usize {
    crate::kernels::parallel::threads()
}

/// Sets the number of threads that large operations use; results do not depend on it.
#[pyfunction]
fn set_num_threads(count: i64) -> PyResult<()> {
    match usize::try_from(count) {
        Ok(count) if count > 0 => crate::kernels::parallel::set_threads(count),
        _ => return Err(pyo3::exceptions::PyRuntimeError::new_err("set_num_threads(): at least one thread is needed")),
    }
    Ok(())
}

/// The registry as a list of dictionaries, from which stubs and tests are made; behind the operations, their aliases.
#[pyfunction]
fn _operations(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = PyList::empty(py);
    let aliases = ALIASES.iter().flat_map(|&(alias, name)| {
        registry().iter().filter(move |op| op.name == name).map(move |&op| (alias, Some(name), op))
    });
    for (name, alias_of, op) in registry().iter().map(|&op| (op.name, None, op)).chain(aliases) {
        let row = PyDict::new(py);
        row.set_item("name", name)?;
        row.set_item("alias_of", alias_of)?;
        row.set_item("overload", op.overload)?;
        row.set_item("documentation", operation::unindent(op.documentation))?;
        row.set_item("node", op.node)?;
        row.set_item("differentiable", op.is_differentiable())?;
        row.set_item("composite", matches!(op.derivative, crate::op::Derivative::Composite))?;
        row.set_item("function", op.traits.has(Traits::FUNCTION))?;
        row.set_item("method", op.traits.has(Traits::METHOD))?;
        row.set_item("in_place", op.traits.has(Traits::IN_PLACE))?;
        row.set_item("functional", op.traits.has(Traits::FUNCTIONAL))?;
        row.set_item("special", op.traits.has(Traits::SPECIAL))?;
        row.set_item("view", op.traits.has(Traits::VIEW))?;
        row.set_item("takes_out", operation::takes_out(op))?;
        row.set_item("variadic", op.traits.has(Traits::VARIADIC))?;
        row.set_item("loose_integers", arguments::takes_loose_integers(op))?;
        row.set_item(
            "returns",
            match op.returns {
                crate::op::Returns::Tensor => vec!["Tensor"],
                crate::op::Returns::List => vec!["List"],
                crate::op::Returns::Named(fields) => fields.to_vec(),
            },
        )?;
        let parameters = PyList::empty(py);
        for parameter in op.parameters {
            let entry = PyDict::new(py);
            entry.set_item("name", parameter.name)?;
            entry.set_item("kind", format!("{:?}", parameter.kind))?;
            entry.set_item("optional", parameter.optional)?;
            entry.set_item("keyword_only", parameter.keyword_only)?;
            entry.set_item("default", parameter.default.map(|row| operation::python_default(row.0)))?;
            parameters.append(entry)?;
        }
        row.set_item("parameters", parameters)?;
        rows.append(row)?;
    }
    Ok(rows)
}
