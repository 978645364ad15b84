//! `backward`, `grad`, the modes and forward mode, as Python calls them.

use std::rc::Rc;

use pyo3::exceptions::{PyFutureWarning, PyIndexError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::autocast::{self, State};
use crate::autograd::engine::{self, Endpoint, Options};
use crate::autograd::node::Edge;
use crate::autograd::saved;
use crate::autograd::{batch, forward, modes, nesting};
use crate::dtype::DType;
use crate::python::arguments::describe;
use crate::python::dtype::object;
use crate::python::hooks::SavingPair;
use crate::python::node::{node_of, wrap_node};
use crate::python::tensor::tensor_of;
use crate::tensor::Tensor;

/// A tensor or a `GradientEdge`.
fn endpoint(object: &Bound<'_, PyAny>) -> Option<Endpoint> {
    if let Some(tensor) = tensor_of(object) {
        return Some(Endpoint::Tensor(tensor.clone()));
    }
    let edge = object.cast::<PyTuple>().ok()?;
    if !edge.hasattr(pyo3::intern!(object.py(), "output_nr")).ok()? {
        return None;
    }
    let node = node_of(&edge.get_item(0).ok()?)?;
    Some(Endpoint::Edge(Edge { node, input_nr: edge.get_item(1).ok()?.extract().ok()? }))
}

/// One tensor or edge, or a list or tuple of them.
fn endpoints(function: &str, parameter: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<Endpoint>> {
    if let Some(one) = endpoint(object) {
        return Ok(vec![one]);
    }
    let Ok(items) = object.try_iter() else {
        return Err(PyTypeError::new_err(format!(
            "{function}(): argument '{parameter}' has to be a Tensor or a sequence of Tensors, got {}",
            describe(object)
        )));
    };
    items
        .map(|item| {
            let item = item?;
            endpoint(&item).ok_or_else(|| {
                PyTypeError::new_err(format!(
                    "{function}(): argument '{parameter}' has to hold Tensors or GradientEdges, got {}",
                    describe(&item)
                ))
            })
        })
        .collect()
}

/// The outputs with their gradients, which may be missing, one, or a sequence with gaps.
fn roots(
    function: &str,
    outputs: &Bound<'_, PyAny>,
    gradients: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<(Endpoint, Option<Tensor>)>> {
    let outputs = endpoints(function, "outputs", outputs)?;
    let given: Vec<Option<Tensor>> = match gradients.filter(|object| !object.is_none()) {
        None => vec![None; outputs.len()],
        Some(object) => match tensor_of(object) {
            Some(tensor) => vec![Some(tensor.clone())],
            None => {
                let Ok(items) = object.try_iter() else {
                    return Err(PyTypeError::new_err(format!(
                        "{function}(): a gradient has to be a Tensor or None, got {}",
                        describe(object)
                    )));
                };
                items
                    .map(|item| {
                        let item = item?;
                        if item.is_none() {
                            return Ok(None);
                        }
                        tensor_of(&item).cloned().map(Some).ok_or_else(|| {
                            PyTypeError::new_err(format!(
                                "{function}(): a gradient has to be a Tensor or None, got {}",
                                describe(&item)
                            ))
                        })
                    })
                    .collect::<PyResult<_>>()?
            }
        },
    };
    if given.len() != outputs.len() {
        return Err(PyRuntimeError::new_err(format!(
            "{function}(): {} outputs, but {} gradients",
            outputs.len(),
            given.len()
        )));
    }
    Ok(outputs.into_iter().zip(given).collect())
}

/// Adds the gradients of `tensors` to the `grad` of the leaves. `grad_variables` is the old name of `grad_tensors`.
#[pyfunction]
#[pyo3(signature = (tensors, grad_tensors = None, retain_graph = None, create_graph = false, grad_variables = None, inputs = None))]
pub fn backward(
    tensors: &Bound<'_, PyAny>,
    grad_tensors: Option<&Bound<'_, PyAny>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    grad_variables: Option<&Bound<'_, PyAny>>,
    inputs: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    batch::check_not_transforming("backward()")?;
    if let Some(old) = grad_variables {
        let message = c"backward(): grad_variables is deprecated: write grad_tensors";
        PyErr::warn(old.py(), &old.py().get_type::<PyFutureWarning>(), message, 1)?;
        if grad_tensors.is_some() {
            return Err(PyRuntimeError::new_err("backward(): grad_tensors and grad_variables are both given"));
        }
    }
    let roots = roots("backward", tensors, grad_tensors.or(grad_variables))?;
    let inputs =
        inputs.filter(|object| !object.is_none()).map(|object| endpoints("backward", "inputs", object)).transpose()?;
    let options = Options { create_graph, retain_graph: retain_graph.unwrap_or(create_graph), allow_unused: true };
    Ok(engine::backward(&roots, inputs.as_deref(), options)?)
}

/// The gradients of `outputs` with respect to `inputs`.
#[pyfunction]
#[pyo3(signature = (outputs, inputs, grad_outputs = None, retain_graph = None, create_graph = false, only_inputs = true, allow_unused = None, is_grads_batched = false, materialize_grads = false))]
#[allow(clippy::too_many_arguments)]
pub fn grad<'py>(
    py: Python<'py>,
    outputs: &Bound<'py, PyAny>,
    inputs: &Bound<'py, PyAny>,
    grad_outputs: Option<&Bound<'py, PyAny>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    only_inputs: bool,
    allow_unused: Option<bool>,
    is_grads_batched: bool,
    materialize_grads: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    if !only_inputs {
        let message = c"grad(): only_inputs=False has no effect; backward() accumulates the gradients of all leaves";
        PyErr::warn(py, &py.get_type::<PyFutureWarning>(), message, 1)?;
    }
    if materialize_grads && allow_unused == Some(false) {
        return Err(pyo3::exceptions::PyValueError::new_err(
            "grad(): materialize_grads=True gives zeros for unused inputs, so allow_unused cannot be False",
        ));
    }
    let mut roots = roots("grad", outputs, grad_outputs)?;
    let inputs = endpoints("grad", "inputs", inputs)?;
    if inputs.is_empty() {
        return Err(pyo3::exceptions::PyRuntimeError::new_err(
            "grad(): inputs is empty; name the tensors to differentiate by",
        ));
    }
    let options = Options {
        create_graph,
        retain_graph: retain_graph.unwrap_or(create_graph),
        allow_unused: allow_unused.unwrap_or(materialize_grads),
    };
    let level = if is_grads_batched { Some(batched_gradients(&mut roots)?) } else { None };
    let mut gradients = engine::grad(&roots, &inputs, options)?;
    if let Some(level) = level {
        for gradient in gradients.iter_mut().flatten() {
            *gradient = batch::lower(gradient, &[level])?;
        }
    }
    if materialize_grads {
        for (gradient, input) in gradients.iter_mut().zip(&inputs) {
            if gradient.is_none() {
                let meta = input.meta()?;
                *gradient = Some(Tensor::zeros(&meta.sizes, meta.dtype)?);
            }
        }
    }
    PyTuple::new(py, gradients)
}

/// Makes the first dimension of the gradients of a pass one over which the pass is vectorised.
fn batched_gradients(roots: &mut [(Endpoint, Option<Tensor>)]) -> PyResult<batch::Level> {
    let mut counts = Vec::new();
    for (root, gradient) in roots.iter() {
        match gradient.as_ref().and_then(|gradient| gradient.sizes().first().copied()) {
            Some(count) => counts.push(count),
            None if gradient.is_none() && crate::shape::numel(&root.meta()?.sizes)? != 1 => {
                return Err(PyRuntimeError::new_err(
                    "grad can be implicitly created only for scalar outputs: pass the gradient of each output",
                ));
            }
            None => {
                return Err(PyValueError::new_err(
                    "grad(): with is_grads_batched=True, each output needs a gradient whose first dimension counts the \
                     batch",
                ));
            }
        }
    }
    let count = counts.first().copied().unwrap_or(0);
    if counts.iter().any(|&other| other != count) {
        return Err(PyValueError::new_err(format!(
            "grad(): batches of gradients have to be equally long, got {counts:?}"
        )));
    }
    if count == 0 {
        return Err(PyIndexError::new_err("grad(): a batch of gradients is empty"));
    }
    let level = batch::fresh_level(count);
    for (root, gradient) in roots {
        let Some(given) = gradient else { continue };
        let (found, expected) = (given.sizes(), root.meta()?.sizes);
        if found[1..] != expected[..] {
            return Err(PyRuntimeError::new_err(format!(
                "grad(): with is_grads_batched=True, the gradient of an output of size {} has to have that size after its \
                 first dimension, got {}",
                crate::shape::show(&expected),
                crate::shape::show(&found)
            )));
        }
        *gradient = Some(batch::lift(given, &[level])?);
    }
    Ok(level)
}

/// The node to which a gradient of `tensor` goes, and which of its results the tensor is; for a leaf the node that
/// accumulates.
#[pyfunction]
pub fn _gradient_edge(py: Python<'_>, tensor: Tensor) -> PyResult<(Py<PyAny>, u32)> {
    match tensor.gradient_edge()? {
        Some(edge) => Ok((wrap_node(py, edge.node)?, edge.input_nr)),
        None => Err(PyRuntimeError::new_err("get_gradient_edge(): the tensor does not require grad")),
    }
}

/// The number of the backward pass that runs now in this thread; -1 if none does.
#[pyfunction]
pub fn _current_graph_task_id() -> i64 {
    engine::current_task().map_or(-1, i64::from)
}

/// Whether the backward pass that runs now runs `node` too.
#[pyfunction]
pub fn _will_engine_execute_node(node: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Some(node) = node_of(node) else {
        return Err(PyTypeError::new_err(format!("a node of the graph is expected, got {}", describe(node))));
    };
    engine::current_task_runs(&node)
        .ok_or_else(|| PyRuntimeError::new_err("this can be asked during a backward pass only"))
}

/// Whether a node may start a pass of its own in the one that runs now: that one was not asked for some gradients only.
#[pyfunction]
pub fn _is_checkpoint_valid() -> bool {
    engine::current_task_runs_all()
}

/// Lets tensors saved from now on pass a pair of functions.
#[pyfunction]
pub fn _push_saved_tensors_hooks(pack: Py<PyAny>, unpack: Py<PyAny>) {
    saved::push_hooks(Rc::new(SavingPair { pack, unpack }));
}

/// Has `callback` called when the outermost backward pass of this thread ends.
#[pyfunction]
pub fn _queue_callback(callback: Py<PyAny>) -> PyResult<()> {
    let call = move || Ok(Python::attach(|py| callback.call0(py).map(drop))?);
    Ok(nesting::queue_callback(Box::new(call))?)
}

/// Runs the continuation of a deeply nested pass in a thread of its own; the GIL is handed over to it and back.
fn run_elsewhere(pass: &mut dyn FnMut()) {
    struct Handover<'a>(&'a mut dyn FnMut());
    // SAFETY: the thread that made it waits without the GIL until the other, which holds the GIL, has ended; see Note:
    // The GIL is the lock.
    unsafe impl Send for Handover<'_> {}
    const STACK: usize = 32 << 20;
    let handover = Handover(pass);
    Python::attach(|py| {
        py.detach(move || {
            std::thread::scope(|scope| {
                let body = move || {
                    let handover = handover;
                    Python::attach(|_| (handover.0)());
                };
                let started = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, body);
                started.map(|thread| thread.join().is_ok()).unwrap_or(false)
            })
        })
    });
}

/// Tells the core how to start threads.
pub fn install() {
    nesting::set_elsewhere(run_elsewhere);
}

/// Counts a change in place that nothing here has made.
#[pyfunction]
pub fn _increment_version(tensor: Tensor) {
    tensor.data().version().bump();
}

/// Makes the count of changes in place what it was, so that backward does not see those in between.
#[pyfunction]
pub fn _set_version(tensor: Tensor, version: u32) {
    tensor.data().version().set(version);
}

/// Lets `watcher(tensor)` run before each change in place that this thread makes; `None` ends that.
#[pyfunction]
pub fn _watch_changes(watcher: Option<Py<PyAny>>) {
    saved::watch_changes(watcher.map(|watcher| {
        let call = move |tensor: &Tensor| Ok(Python::attach(|py| watcher.call1(py, (tensor.clone(),)).map(drop))?);
        Rc::new(call) as saved::Watcher
    }));
}

#[pyfunction]
pub fn _pop_saved_tensors_hooks() {
    saved::pop_hooks();
}

#[pyfunction]
pub fn is_grad_enabled() -> bool {
    modes::grad_enabled()
}

/// Switches recording on or off in this thread; gives back what it was.
#[pyfunction]
pub fn _set_grad_enabled(enabled: bool) -> bool {
    let before = modes::grad_enabled();
    modes::set_grad_enabled(enabled);
    before
}

/// Sets autocast: its lower precision, or `None` for off, and whether converted parameters are kept. Gives what it was.
#[pyfunction]
#[pyo3(signature = (dtype, cached))]
pub fn _set_autocast(py: Python<'_>, dtype: Option<DType>, cached: bool) -> PyResult<(Option<Py<PyAny>>, bool)> {
    described(py, autocast::set(State { dtype, cached }))
}

/// The lower precision of autocast, or `None`, and whether converted parameters are kept.
#[pyfunction]
pub fn _autocast(py: Python<'_>) -> PyResult<(Option<Py<PyAny>>, bool)> {
    described(py, autocast::state())
}

fn described(py: Python<'_>, state: State) -> PyResult<(Option<Py<PyAny>>, bool)> {
    let dtype = state.dtype.map(|dtype| PyResult::Ok(object(py, dtype)?.clone_ref(py).into_any())).transpose()?;
    Ok((dtype, state.cached))
}

/// Forgets the parameters that autocast has converted.
#[pyfunction]
pub fn clear_autocast_cache() {
    autocast::clear_cache();
}

/// Whether tensors made in this thread are for inference only.
#[pyfunction]
pub fn is_inference_mode_enabled() -> bool {
    modes::inference()
}

/// Switches inference mode on or off in this thread; gives back what it was.
#[pyfunction]
pub fn _set_inference_mode(enabled: bool) -> bool {
    let before = modes::inference();
    modes::set_inference(enabled);
    before
}

/// A tensor on the memory of `tensor` that carries a tangent.
#[pyfunction]
pub fn _make_dual(tensor: Tensor, tangent: Tensor) -> PyResult<Tensor> {
    let (sizes, own) = (tangent.sizes(), tensor.sizes());
    if sizes != own {
        return Err(PyRuntimeError::new_err(format!(
            "make_dual: the tangent has to have the tensor's size {}, got size {}",
            crate::shape::show(&own),
            crate::shape::show(&sizes)
        )));
    }
    let dual = crate::ops::views::alias(&tensor)?;
    batch::set_tangent(&dual, &tangent)?;
    Ok(dual)
}

/// Takes back all tangents, as the end of a level does.
#[pyfunction]
pub fn _end_dual_level() {
    forward::end_level();
}

/// The values without the tangent, and the tangent or `None`.
#[pyfunction]
pub fn _unpack_dual(tensor: Tensor) -> PyResult<(Tensor, Option<Tensor>)> {
    let tangent = batch::tangent(&tensor)?;
    if tangent.is_none() {
        return Ok((tensor, None));
    }
    let _quiet = modes::WithoutTangents::enter();
    Ok((crate::ops::views::alias(&tensor)?, tangent))
}
