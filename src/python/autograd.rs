//! `backward`, `grad`, the modes and forward mode, as Python calls them.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::autograd::engine::{self, Options};
use crate::autograd::{forward, modes};
use crate::python::arguments::describe;
use crate::python::tensor::{expect_tensor, tensor_of};
use crate::tensor::Tensor;

/// One tensor, or a list or tuple of them.
fn tensors(function: &str, parameter: &str, object: &Bound<'_, PyAny>) -> PyResult<Vec<Tensor>> {
    if let Some(tensor) = tensor_of(object) {
        return Ok(vec![tensor.clone()]);
    }
    let Ok(items) = object.try_iter() else {
        return Err(PyTypeError::new_err(format!(
            "{function}(): argument '{parameter}' has to be a Tensor or a sequence of Tensors, got {}",
            describe(object)
        )));
    };
    items.map(|item| expect_tensor(function, parameter, &item?)).collect()
}

/// The outputs with their gradients, which may be missing, one, or a sequence with gaps.
fn roots(
    function: &str,
    outputs: &Bound<'_, PyAny>,
    gradients: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<(Tensor, Option<Tensor>)>> {
    let outputs = tensors(function, "outputs", outputs)?;
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

/// Adds the gradients of `tensors` to the `grad` of the leaves.
#[pyfunction]
#[pyo3(signature = (tensors, grad_tensors = None, retain_graph = None, create_graph = false, inputs = None))]
pub fn backward(
    tensors: &Bound<'_, PyAny>,
    grad_tensors: Option<&Bound<'_, PyAny>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    inputs: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let roots = roots("backward", tensors, grad_tensors)?;
    let inputs = inputs
        .filter(|object| !object.is_none())
        .map(|object| self::tensors("backward", "inputs", object))
        .transpose()?;
    let options = Options { create_graph, retain_graph: retain_graph.unwrap_or(create_graph), allow_unused: true };
    Ok(engine::backward(&roots, inputs.as_deref(), options)?)
}

/// The gradients of `outputs` with respect to `inputs`.
#[pyfunction]
#[pyo3(signature = (outputs, inputs, grad_outputs = None, retain_graph = None, create_graph = false, allow_unused = None, materialize_grads = false))]
#[allow(clippy::too_many_arguments)]
pub fn grad<'py>(
    py: Python<'py>,
    outputs: &Bound<'py, PyAny>,
    inputs: &Bound<'py, PyAny>,
    grad_outputs: Option<&Bound<'py, PyAny>>,
    retain_graph: Option<bool>,
    create_graph: bool,
    allow_unused: Option<bool>,
    materialize_grads: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    if materialize_grads && allow_unused == Some(false) {
        return Err(pyo3::exceptions::PyValueError::new_err(
            "grad(): materialize_grads=True gives zeros for unused inputs, so allow_unused cannot be False",
        ));
    }
    let roots = roots("grad", outputs, grad_outputs)?;
    let inputs = tensors("grad", "inputs", inputs)?;
    let options = Options {
        create_graph,
        retain_graph: retain_graph.unwrap_or(create_graph),
        allow_unused: allow_unused.unwrap_or(materialize_grads),
    };
    let mut gradients = engine::grad(&roots, &inputs, options)?;
    if materialize_grads {
        for (gradient, input) in gradients.iter_mut().zip(&inputs) {
            if gradient.is_none() {
                *gradient = Some(Tensor::zeros(&input.sizes(), input.dtype())?);
            }
        }
    }
    PyTuple::new(py, gradients)
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

/// A tensor on the memory of `tensor` that carries a tangent.
#[pyfunction]
pub fn _make_dual(tensor: Tensor, tangent: Tensor) -> PyResult<Tensor> {
    let (sizes, own) = (tangent.sizes(), tensor.sizes());
    if sizes != own || tangent.dtype() != tensor.dtype() {
        return Err(PyRuntimeError::new_err(format!(
            "make_dual: the tangent has to have the tensor's size {} and dtype {}, got size {} and dtype {}",
            crate::shape::show(&own),
            tensor.dtype(),
            crate::shape::show(&sizes),
            tangent.dtype()
        )));
    }
    let dual = crate::ops::views::alias(&tensor)?;
    forward::set_tangent(&dual, Some(tangent));
    Ok(dual)
}

/// The values without the tangent, and the tangent or `None`.
#[pyfunction]
pub fn _unpack_dual(tensor: Tensor) -> PyResult<(Tensor, Option<Tensor>)> {
    let tangent = forward::tangent(&tensor);
    if tangent.is_none() {
        return Ok((tensor, None));
    }
    let _quiet = modes::WithoutTangents::enter();
    Ok((crate::ops::views::alias(&tensor)?, tangent))
}
