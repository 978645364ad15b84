//! Questions about two tensors with one Python bool as the answer.

use pyo3::prelude::*;

use crate::ops;
use crate::python::tensor::{PyTensor, this};
use crate::tensor::Tensor;

/// Whether two tensors have the same size and the same elements.
#[pyfunction]
pub fn equal(input: Tensor, other: Tensor) -> PyResult<bool> {
    Ok(ops::comparison::equal(&input.detach(), &other.detach())?)
}

/// Whether all elements of `isclose(input, other)` are true.
#[pyfunction]
#[pyo3(signature = (input, other, rtol = 1e-5, atol = 1e-8, equal_nan = false))]
pub fn allclose(input: Tensor, other: Tensor, rtol: f64, atol: f64, equal_nan: bool) -> PyResult<bool> {
    let close = ops::comparison::isclose(&input.detach(), &other.detach(), rtol, atol, equal_nan)?;
    Ok(ops::comparison::all_true(&close)?)
}

#[pymethods]
impl PyTensor {
    /// Whether the other tensor has the same size and the same elements.
    fn equal(slf: &Bound<'_, Self>, other: Tensor) -> PyResult<bool> {
        equal(this(slf).clone(), other)
    }

    /// Whether all elements of `isclose(input, other)` are true.
    #[pyo3(signature = (other, rtol = 1e-5, atol = 1e-8, equal_nan = false))]
    fn allclose(slf: &Bound<'_, Self>, other: Tensor, rtol: f64, atol: f64, equal_nan: bool) -> PyResult<bool> {
        allclose(this(slf).clone(), other, rtol, atol, equal_nan)
    }
}
