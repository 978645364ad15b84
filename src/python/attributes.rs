//! What a tensor says of itself: its sizes, its place in memory, its type, and views of its parts.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::autograd::primitives;
use crate::memory_format::MemoryFormat;
use crate::python::arguments;
use crate::python::dtype::{PyDevice, object};
use crate::python::tensor::{PyTensor, this};
use crate::shape::Ints;
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{ops, shape};

#[pymethods]
impl PyTensor {
    /// All sizes, or the size along one dimension.
    #[pyo3(signature = (dim = None))]
    fn size(slf: &Bound<'_, Self>, dim: Option<i64>) -> PyResult<Py<PyAny>> {
        match dim {
            None => Self::shape(slf),
            Some(dim) => Ok(this(slf).size(dim)?.into_pyobject(slf.py())?.into_any().unbind()),
        }
    }

    /// All strides in elements, or the stride along one dimension.
    #[pyo3(signature = (dim = None))]
    fn stride(slf: &Bound<'_, Self>, dim: Option<i64>) -> PyResult<Py<PyAny>> {
        let strides = this(slf).strides();
        match dim {
            None => Ok(PyTuple::new(slf.py(), strides)?.into_any().unbind()),
            Some(dim) => {
                let d = shape::wrap_dim(dim, strides.len())?;
                Ok(strides.get(d).copied().unwrap_or(1).into_pyobject(slf.py())?.into_any().unbind())
            }
        }
    }

    fn dim(slf: &Bound<'_, Self>) -> usize {
        this(slf).ndim()
    }

    fn ndimension(slf: &Bound<'_, Self>) -> usize {
        this(slf).ndim()
    }

    #[getter]
    fn ndim(slf: &Bound<'_, Self>) -> usize {
        this(slf).ndim()
    }

    fn numel(slf: &Bound<'_, Self>) -> usize {
        this(slf).numel()
    }

    fn nelement(slf: &Bound<'_, Self>) -> usize {
        this(slf).numel()
    }

    fn element_size(slf: &Bound<'_, Self>) -> usize {
        this(slf).dtype().size()
    }

    #[getter]
    fn itemsize(slf: &Bound<'_, Self>) -> usize {
        this(slf).dtype().size()
    }

    #[getter]
    fn nbytes(slf: &Bound<'_, Self>) -> usize {
        this(slf).numel() * this(slf).dtype().size()
    }

    fn storage_offset(slf: &Bound<'_, Self>) -> usize {
        this(slf).data().offset
    }

    fn data_ptr(slf: &Bound<'_, Self>) -> usize {
        this(slf).data().pointer() as usize
    }

    #[pyo3(signature = (memory_format = None))]
    fn is_contiguous(slf: &Bound<'_, Self>, memory_format: Option<MemoryFormat>) -> bool {
        memory_format.unwrap_or(MemoryFormat::Contiguous).holds(this(slf))
    }

    #[getter]
    fn dtype(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Ok(object(slf.py(), this(slf).dtype())?.clone_ref(slf.py()).into_any())
    }

    #[getter]
    fn device(slf: &Bound<'_, Self>) -> PyDevice {
        PyDevice::of(this(slf))
    }

    #[getter]
    fn is_cpu(_slf: &Bound<'_, Self>) -> bool {
        true
    }

    fn is_floating_point(slf: &Bound<'_, Self>) -> bool {
        this(slf).dtype().is_float()
    }

    fn is_complex(slf: &Bound<'_, Self>) -> bool {
        this(slf).dtype().is_complex()
    }

    fn is_signed(slf: &Bound<'_, Self>) -> bool {
        this(slf).dtype().is_signed()
    }

    /// Whether the tensor only remembers to be conjugated: never, conjugates are computed.
    fn is_conj(_slf: &Bound<'_, Self>) -> bool {
        false
    }

    /// Whether the tensor only remembers to be negated: never, opposites are computed.
    fn is_neg(_slf: &Bound<'_, Self>) -> bool {
        false
    }

    /// The real parts, as a view; a real tensor itself.
    #[getter]
    fn real(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::complex::real(this(slf))?)
    }

    #[setter(real)]
    fn set_real(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        store_part(&ops::complex::real(this(slf))?, "real", value)
    }

    /// The imaginary parts, as a view.
    ///
    /// Raises `RuntimeError` for a real tensor.
    #[getter]
    fn imag(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::complex::imag(this(slf))?)
    }

    #[setter(imag)]
    fn set_imag(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        store_part(&ops::complex::imag(this(slf))?, "imag", value)
    }

    #[getter(T)]
    fn transposed(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        let tensor = this(slf);
        let dims: Ints = (0..tensor.ndim() as i64).rev().collect();
        Ok(ops::views::permute(tensor, &dims)?)
    }

    #[getter(mT)]
    fn matrix_transposed(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::views::transpose(this(slf), -2, -1)?)
    }

    /// The transposed and conjugated matrices of the last two dimensions.
    #[getter(mH)]
    fn adjoint(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::views::adjoint(this(slf))?)
    }

    /// A matrix transposed and conjugated; a tensor without dimensions as it is.
    ///
    /// Raises `RuntimeError` for a tensor of another number of dimensions.
    #[getter(H)]
    fn matrix_adjoint(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        match this(slf).ndim() {
            0 => Ok(ops::complex::conj(this(slf))?),
            2 => Ok(ops::views::adjoint(this(slf))?),
            n => Err(PyRuntimeError::new_err(format!("H: a matrix is needed, the tensor has {n} dimensions"))),
        }
    }
}

/// Stores a tensor or a number in a part of complex numbers.
fn store_part(part: &Tensor, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match arguments::convert(value, crate::value::Kind::Operand, false)? {
        Some(Value::Tensor(source)) => {
            primitives::call_in_place("copy", &[Value::Tensor(part.clone()), Value::Tensor(source)])?
        }
        Some(number) => primitives::call_in_place("fill", &[Value::Tensor(part.clone()), number])?,
        None => {
            return Err(PyTypeError::new_err(format!(
                "{name}: a Tensor or a number is expected, got {}",
                arguments::describe(value)
            )));
        }
    };
    Ok(())
}
