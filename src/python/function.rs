//! `autograd.Function`: functions of the user with a backward of their own, as nodes of the graph.
//!
//! The Python object that the user knows as `ctx` stands for the node and is kept alive by it. What the forward tells
//! it (`save_for_backward`, `mark_dirty`, …) waits in attributes until the forward has returned; then it goes into
//! the node.

use std::ffi::c_void;
use std::ptr::NonNull;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};
use smallvec::SmallVec;

use crate::autograd::batch::{self, Levels};
use crate::autograd::cuts::Silence;
use crate::autograd::meta::Creation;
use crate::autograd::modes::{self, GradMode, WithoutTangents};
use crate::autograd::node::{Body, Edge, Function, Gradients, Node, OutputMeta};
use crate::autograd::saved::SavedTensor;
use crate::autograd::view;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops;
use crate::python::arguments::describe;
use crate::python::collector::Held;
use crate::python::node::bind_context;
use crate::python::tensor::tensor_of;
use crate::shape::Dims;
use crate::tensor::{Tensor, flag};

/// A node whose backward is Python's.
struct PyFunction {
    context: Py<PyAny>,
    name: String,
    /// Which of the forward's arguments are tensors: each has an edge.
    arguments: Vec<bool>,
    /// Which of the forward's results are tensors.
    results: Vec<bool>,
    /// At which levels each tensor argument, and each result, was batched.
    argument_levels: Vec<Levels>,
    result_levels: Vec<Levels>,
    /// Whether a gradient that did not arrive is given as zeros.
    materialize: bool,
    _held: Held,
}

impl Function for PyFunction {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn backward(&self, node: &Node, gradients: &Gradients) -> Result<Gradients> {
        if node.is_released() {
            return Err(crate::autograd::saved::released(node));
        }
        Ok(Python::attach(|py| self.run(py, node, gradients))?)
    }

    fn object(&self) -> Option<NonNull<c_void>> {
        NonNull::new(self.context.as_ptr().cast())
    }
}

impl PyFunction {
    fn run(&self, py: Python<'_>, node: &Node, gradients: &Gradients) -> PyResult<Gradients> {
        let metas = node.outputs();
        let mut arguments = Vec::with_capacity(metas.len());
        for (i, meta) in metas.iter().enumerate() {
            let gradient = match gradients.get(i).cloned().flatten() {
                None if self.materialize && self.results[i] => Some(Tensor::zeros(&meta.sizes, meta.dtype)?),
                gradient => gradient,
            };
            arguments.push(gradient.map(|gradient| batch::lift(&gradient, &self.result_levels[i])).transpose()?);
        }
        let returned = self.context.bind(py).call_method1(intern!(py, "apply"), PyTuple::new(py, arguments)?)?;
        let returned = parts(returned);
        let expected = self.arguments.len();
        let surplus = returned.iter().skip(expected).any(|gradient| !gradient.is_none());
        if returned.len() < expected || surplus {
            return Err(PyRuntimeError::new_err(format!(
                "{}: its backward returned {} gradients, but its forward has {expected} arguments",
                node.describe(),
                returned.len(),
            )));
        }
        let mut given = Gradients::new();
        for (i, (gradient, is_tensor)) in returned.iter().zip(&self.arguments).enumerate() {
            match (tensor_of(gradient), is_tensor) {
                (Some(tensor), true) => given.push(Some(batch::lower(tensor, &self.argument_levels[given.len()])?)),
                (None, true) if gradient.is_none() => given.push(None),
                (None, false) if gradient.is_none() => {}
                (_, true) => {
                    return Err(PyRuntimeError::new_err(format!(
                        "{}: gradient {i} that its backward returned has to be a Tensor or None, got {}",
                        node.describe(),
                        describe(gradient)
                    )));
                }
                (_, false) => {
                    return Err(PyRuntimeError::new_err(format!(
                        "{}: its backward returned a gradient for argument {i}, which was no Tensor; None is expected",
                        node.describe()
                    )));
                }
            }
        }
        Ok(given)
    }
}

/// What a method of the user returned: the items of a tuple, or the one thing.
fn parts(returned: Bound<'_, PyAny>) -> Vec<Bound<'_, PyAny>> {
    match returned.cast::<PyTuple>() {
        Ok(all) => all.iter().collect(),
        Err(_) => vec![returned],
    }
}

/// Takes an attribute of the context away; `None` if it is not set.
fn take_attribute<'py>(context: &Bound<'py, PyAny>, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
    let value = context.getattr(name)?;
    if value.is_none() {
        return Ok(None);
    }
    context.setattr(name, context.py().None())?;
    Ok(Some(value))
}

/// The tensors that the forward gave to a method of its context.
fn take_tensors(context: &Bound<'_, PyAny>, attribute: &str, method: &str) -> PyResult<Vec<Tensor>> {
    let Some(given) = take_attribute(context, attribute)? else { return Ok(Vec::new()) };
    given
        .try_iter()?
        .map(|item| {
            let item = item?;
            tensor_of(&item).cloned().ok_or_else(|| {
                PyRuntimeError::new_err(format!("{method}(): Tensors are expected, got {}", describe(&item)))
            })
        })
        .collect()
}

/// The call of a user's function: everything that `Function.apply` does.
#[pyfunction]
#[pyo3(signature = (function, *arguments))]
pub fn _apply_function<'py>(
    function: &Bound<'py, PyType>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let mut inputs: Vec<Option<Tensor>> = arguments.iter().map(|object| tensor_of(&object).cloned()).collect();
    let mut arguments = arguments.clone();
    let transforming = batch::is_transforming();
    if transforming && !function.getattr(intern!(py, "_has_setup_context"))?.is_truthy()? {
        return Err(PyRuntimeError::new_err(format!(
            "{}.apply(): inside a function that is being transformed (by vmap, grad, jvp or their kin) a Function has \
             to define the static method setup_context",
            function.name()?
        )));
    }
    if inputs.iter().flatten().any(Tensor::is_batched) {
        // A batch of gradients is no transformation of the function: its operations take it as it is.
        let mapped = transforming && inputs.iter().flatten().any(batch::is_batched_in_vmap);
        if mapped && !function.getattr(intern!(py, "generate_vmap_rule"))?.is_truthy()? {
            return py.import("rgrad.autograd.function")?.call_method1("_apply_batched", (function, arguments));
        }
        arguments = batch_all(&mut inputs, &arguments)?;
    }
    let arguments = &arguments;
    let context = function.getattr(intern!(py, "_backward_cls"))?.call0()?;
    let needs = inputs.iter().map(|input| input.as_ref().is_some_and(Tensor::requires_grad));
    context.setattr(intern!(py, "needs_input_grad"), PyTuple::new(py, needs)?)?;
    let records = modes::grad_enabled() && inputs.iter().flatten().any(Tensor::requires_grad);
    // Edges to the inputs as they are before the forward, which may change them in place.
    let mut edges: SmallVec<[Option<Edge>; 2]> = SmallVec::new();
    for input in inputs.iter().flatten() {
        edges.push(if records { input.gradient_edge()? } else { None });
    }
    let tangents: Vec<Option<Tensor>> = match modes::forward_enabled() {
        true => inputs.iter().map(|input| input.as_ref().map_or(Ok(None), batch::tangent)).collect::<Result<_>>()?,
        false => vec![None; inputs.len()],
    };
    let output = {
        let _quiet = (GradMode::set(false), WithoutTangents::enter(), Silence::enter());
        run_forward(function, &context, arguments)?
    };
    let objects = parts(output.clone());
    let mut wrapping = Wrapping {
        name: function.name()?.to_string(),
        dirty: take_tensors(&context, "dirty_tensors", "mark_dirty")?,
        constant: take_tensors(&context, "non_differentiable", "mark_non_differentiable")?,
        inputs: inputs.iter().flatten().cloned().collect(),
        node: None,
    };
    let results: Vec<Option<Tensor>> = objects.iter().map(|object| tensor_of(object).cloned()).collect();
    wrapping.check(&results)?;
    if records {
        let node = PyFunction {
            name: context.get_type().name()?.to_string(),
            arguments: inputs.iter().map(Option::is_some).collect(),
            results: results.iter().map(Option::is_some).collect(),
            argument_levels: inputs.iter().flatten().map(Tensor::levels).collect(),
            result_levels: results
                .iter()
                .map(|result| result.as_ref().map(Tensor::levels).unwrap_or_default())
                .collect(),
            materialize: context.getattr(intern!(py, "_materialize_grads"))?.is_truthy()?,
            context: context.clone().unbind(),
            _held: Held::new(),
        };
        let metas = results.iter().map(|result| match result {
            Some(tensor) => OutputMeta::of(&tensor.physical()),
            None => OutputMeta { sizes: Dims::new(), dtype: DType::Bool, column_major: false },
        });
        let node = Node::new(Body::Function(Box::new(node)), edges, metas.collect());
        bind_context(&context, &node)?;
        wrapping.node = Some(node);
    }
    let wrapped = wrapping.wrap(&results)?;
    let saved = take_attribute(&context, "to_save")?;
    if let Some(node) = &wrapping.node {
        save(node, saved.as_ref())?;
    }
    if tangents.iter().any(Option::is_some) {
        push_tangents(function, &context, &inputs, tangents, &wrapped)?;
    }
    context.setattr(intern!(py, "saved_for_forward"), py.None())?;
    let mut finished = Vec::with_capacity(objects.len());
    for (object, tensor) in objects.into_iter().zip(wrapped) {
        finished.push(match tensor {
            Some(tensor) => tensor.into_pyobject(py)?.into_any(),
            None => object,
        });
    }
    match output.cast::<PyTuple>() {
        Ok(_) => Ok(PyTuple::new(py, finished)?.into_any()),
        Err(_) => Ok(finished.swap_remove(0)),
    }
}

/// Makes those arguments that require grad batched wherever another one is, so that the gradients are too.
fn batch_all<'py>(inputs: &mut [Option<Tensor>], arguments: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
    let py = arguments.py();
    let levels = inputs.iter().flatten().fold(Levels::new(), |all, input| batch::union(&all, &input.levels()));
    let mut objects: Vec<Bound<'py, PyAny>> = arguments.iter().collect();
    for (input, object) in inputs.iter_mut().zip(&mut objects) {
        if let Some(tensor) = input
            && tensor.requires_grad()
            && tensor.levels() != levels
        {
            *tensor = batch::wrap(batch::lower(tensor, &levels)?, levels.clone());
            *object = tensor.clone().into_pyobject(py)?.into_any();
        }
    }
    PyTuple::new(py, objects)
}

/// Runs `forward(ctx, ...)`, or `forward(...)` and then `setup_context(ctx, inputs, output)`.
fn run_forward<'py>(
    function: &Bound<'py, PyType>,
    context: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let forward = function.getattr(intern!(py, "forward"))?;
    if !function.getattr(intern!(py, "_has_setup_context"))?.is_truthy()? {
        let mut all = vec![context.clone()];
        all.extend(arguments.iter());
        return forward.call1(PyTuple::new(py, all)?);
    }
    let output = forward.call1(arguments)?;
    function.call_method1(intern!(py, "setup_context"), (context, arguments, &output))?;
    Ok(output)
}

/// Puts what `ctx.save_for_backward` was given into the node.
fn save(node: &Node, given: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let mut list = Vec::new();
    if let Some(given) = given {
        for (i, item) in given.try_iter()?.enumerate() {
            let item = item?;
            if item.is_none() {
                list.push(None);
                continue;
            }
            let Some(tensor) = tensor_of(&item) else {
                return Err(PyTypeError::new_err(format!(
                    "save_for_backward(): Tensors or None are expected, argument {i} is {}",
                    describe(&item)
                )));
            };
            let own = tensor.grad_fn()?.is_some_and(|maker| maker.is_same(node));
            list.push(Some(match own {
                true => SavedTensor::result(tensor, tensor.0.output_nr.get(), None)?,
                false => SavedTensor::argument(tensor)?,
            }));
        }
    }
    node.0.state.borrow_mut().saved.keep_list(0, list);
    Ok(())
}

/// What decides how the results of a forward become tensors of the graph.
struct Wrapping {
    name: String,
    dirty: Vec<Tensor>,
    constant: Vec<Tensor>,
    inputs: Vec<Tensor>,
    node: Option<Node>,
}

fn among(tensors: &[Tensor], tensor: &Tensor) -> bool {
    tensors.iter().any(|other| other.is_same(tensor))
}

impl Wrapping {
    /// Everything that can be wrong, before anything is changed.
    fn check(&self, results: &[Option<Tensor>]) -> PyResult<()> {
        for tensor in &self.dirty {
            if !results.iter().flatten().any(|result| result.is_same(tensor)) {
                return Err(PyRuntimeError::new_err(format!(
                    "{}: a tensor that its forward marked as dirty is not among its results; what is changed in place \
                     has to be returned",
                    self.name
                )));
            }
            if modes::grad_enabled() && tensor.has_flag(flag::LEAF_REQUIRES_GRAD) {
                return Err(PyRuntimeError::new_err(format!(
                    "{}: a leaf tensor that requires grad has been changed in place",
                    self.name
                )));
            }
        }
        let tensors = results.iter().flatten().count();
        if tensors > 1 && self.dirty.iter().any(|tensor| tensor.has_flag(flag::VIEW)) {
            return Err(PyRuntimeError::new_err(format!(
                "{}: a function that changes a view in place can have one result, this one has {tensors}",
                self.name
            )));
        }
        Ok(())
    }

    fn wrap(&self, results: &[Option<Tensor>]) -> PyResult<Vec<Option<Tensor>>> {
        let mut wrapped = Vec::with_capacity(results.len());
        let mut differentiable = 0;
        for (i, result) in results.iter().enumerate() {
            let Some(result) = result else {
                wrapped.push(None);
                continue;
            };
            let (tensor, counts) = self.wrap_one(result, i as u32)?;
            differentiable += usize::from(counts);
            wrapped.push(Some(tensor));
        }
        let creation = if differentiable > 1 { Creation::MultiOutput } else { Creation::Function };
        for tensor in wrapped.iter().flatten().filter(|tensor| !among(&self.dirty, tensor)) {
            tensor.meta(|meta| meta.view.as_ref().map(|view| view.creation.set(creation)));
        }
        Ok(wrapped)
    }

    /// The result as a tensor of the graph, and whether gradients flow to it.
    fn wrap_one(&self, result: &Tensor, i: u32) -> PyResult<(Tensor, bool)> {
        let (is_input, is_dirty) = (among(&self.inputs, result), among(&self.dirty, result));
        if is_dirty {
            result.data().version().bump();
        }
        let node = self.node.as_ref().filter(|_| result.dtype().is_differentiable() && !among(&self.constant, result));
        let Some(node) = node else {
            return Ok((self.without_history(result, is_input, is_dirty)?, false));
        };
        if is_dirty {
            view::rebase_history_as(&result.physical(), node.clone(), i)?;
            return Ok((result.clone(), true));
        }
        // An input that is handed through gets a history of its own by way of a view.
        let tensor = if is_input { alias_without_grad(result)? } else { result.clone() };
        tensor.physical().set_history(node.clone(), i);
        Ok((tensor, true))
    }

    fn without_history(&self, result: &Tensor, is_input: bool, is_dirty: bool) -> Result<Tensor> {
        if !result.requires_grad() {
            return if is_input && !is_dirty { alias_without_grad(result) } else { Ok(result.clone()) };
        }
        if is_input {
            return Ok(result.detach());
        }
        if !result.has_flag(flag::VIEW) {
            result.clear_history();
        }
        Ok(result.clone())
    }
}

fn alias_without_grad(tensor: &Tensor) -> Result<Tensor> {
    let _quiet = (GradMode::set(false), WithoutTangents::enter());
    ops::views::alias(tensor)
}

/// Forward mode by the user's `jvp`.
fn push_tangents(
    function: &Bound<'_, PyType>,
    context: &Bound<'_, PyAny>,
    inputs: &[Option<Tensor>],
    tangents: Vec<Option<Tensor>>,
    results: &[Option<Tensor>],
) -> PyResult<()> {
    let py = function.py();
    let materialize = context.getattr(intern!(py, "_materialize_grads"))?.is_truthy()?;
    let mut arguments = vec![context.clone()];
    for (input, tangent) in inputs.iter().zip(tangents) {
        arguments.push(match (input, tangent) {
            (_, Some(tangent)) => tangent.into_pyobject(py)?.into_any(),
            (Some(input), None) if materialize && input.dtype().is_differentiable() => {
                Tensor::zeros(&input.sizes(), input.dtype())?.into_pyobject(py)?.into_any()
            }
            _ => py.None().into_bound(py),
        });
    }
    let returned = {
        let _quiet = WithoutTangents::enter();
        function.call_method1(intern!(py, "jvp"), PyTuple::new(py, arguments)?)?
    };
    let returned = parts(returned);
    let name = function.name()?;
    if returned.len() != results.len() {
        return Err(PyRuntimeError::new_err(format!(
            "{name}: its jvp returned {} tangents, but its forward has {} results",
            returned.len(),
            results.len()
        )));
    }
    for (i, (tangent, result)) in returned.iter().zip(results).enumerate() {
        if tangent.is_none() {
            continue;
        }
        let (Some(tangent), Some(result)) = (tensor_of(tangent), result) else {
            return Err(PyRuntimeError::new_err(format!(
                "{name}: tangent {i} that its jvp returned has to be a Tensor or None, got {}",
                describe(tangent)
            )));
        };
        let (sizes, expected) = (tangent.sizes(), result.sizes());
        if sizes != expected || tangent.dtype() != result.dtype() {
            return Err(PyRuntimeError::new_err(format!(
                "{name}: tangent {i} that its jvp returned is {} of size {}, the result is {} of size {}",
                tangent.dtype(),
                crate::shape::show(&sizes),
                result.dtype(),
                crate::shape::show(&expected)
            )));
        }
        batch::set_tangent(result, tangent)?;
    }
    Ok(())
}
