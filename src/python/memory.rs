//! The memory of a tensor: sharing another's, changing its size, and filling it.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyUserWarning};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::autograd::cuts::{self, Reason};
use crate::autograd::primitives::call_in_place;
use crate::autograd::{modes, view};
use crate::data::Data;
use crate::dtype::DType;
use crate::python::arguments;
use crate::python::creation::given_sizes;
use crate::python::tensor::{PyTensor, expect_tensor, this};
use crate::shape::{self, Dims};
use crate::tensor::{Tensor, flag};
use crate::value::{Kind, Value};

#[pymethods]
impl PyTensor {
    /// Sets every element to 0.
    fn zero_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        call_in_place("zero", &[Value::Tensor(this(slf).clone())])?;
        Ok(slf.clone())
    }

    /// Sets every element to `value`.
    fn fill_<'py>(slf: &Bound<'py, Self>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        match arguments::convert(value, Kind::Operand, false)? {
            Some(value) => {
                call_in_place("fill", &[Value::Tensor(this(slf).clone()), value])?;
                Ok(slf.clone())
            }
            None => Err(PyTypeError::new_err(format!(
                "fill_(): argument 'value' has to be a number, got {}",
                arguments::describe(value)
            ))),
        }
    }

    /// The same memory without history; changes of it are not noticed by autograd.
    #[getter]
    fn data(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        this(slf).check_readable("data")?;
        cuts::note(Reason::Asked("data"), this(slf));
        Ok(this(slf).shallow())
    }

    #[setter]
    fn set_data(slf: &Bound<'_, Self>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let source = expect_tensor("data", "data", data)?;
        let tensor = this(slf);
        if tensor.requires_grad() && !source.dtype().is_differentiable() {
            return Err(PyRuntimeError::new_err(format!(
                "data: a tensor that requires grad cannot get {} data",
                source.dtype()
            )));
        }
        let mut data = source.data().clone();
        let version = tensor.data().version.clone();
        data.version = version.or_else(|| Some(Default::default()));
        tensor.set_data(data);
        tensor.set_flag(flag::META, source.is_meta());
        Ok(())
    }

    /// All bytes of the memory that this tensor shares with its views.
    fn _storage_bytes(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        this(slf).check_readable("untyped_storage()")?;
        let storage = this(slf).data().storage.clone();
        let (sizes, strides) = (Dims::from_slice(&[storage.bytes()]), Dims::from_slice(&[1]));
        Ok(Tensor::from_data(Data::new(storage, sizes, strides, 0, DType::UInt8)))
    }

    /// Lets this tensor stand for the memory of another; without one, for none.
    ///
    /// Raises RuntimeError for another dtype, and where a change in place would be refused.
    #[pyo3(signature = (source = None))]
    fn set_<'py>(slf: &Bound<'py, Self>, source: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, Self>> {
        let tensor = this(slf);
        let source = match source {
            Some(source) => expect_tensor("set_", "source", source)?.clone(),
            None => Tensor::empty(&[0], tensor.dtype())?,
        };
        if source.dtype() != tensor.dtype() {
            return Err(PyRuntimeError::new_err(format!(
                "set_: source has to be of the tensor's dtype {}, got {}",
                tensor.dtype(),
                source.dtype()
            )));
        }
        if modes::grad_enabled() && tensor.requires_grad() {
            view::check_in_place("set", tensor)?;
        }
        tensor.set_data(source.data().clone());
        tensor.data().version().bump();
        Ok(slf.clone())
    }

    /// Gives this tensor other sizes, row-major; the first elements stay, what is added is uninitialised.
    ///
    /// Raises RuntimeError for a tensor that requires grad.
    #[pyo3(signature = (*sizes, memory_format = None))]
    fn resize_<'py>(
        slf: &Bound<'py, Self>,
        sizes: &Bound<'py, PyTuple>,
        memory_format: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let _ = memory_format;
        let tensor = this(slf);
        if tensor.requires_grad() {
            return Err(PyRuntimeError::new_err("resize_: a tensor that requires grad cannot change its size"));
        }
        resize(tensor, &given_sizes("resize_", sizes, None)?)?;
        Ok(slf.clone())
    }

    /// Gives this tensor the sizes of another.
    #[pyo3(signature = (other, memory_format = None))]
    fn resize_as_<'py>(
        slf: &Bound<'py, Self>,
        other: Tensor,
        memory_format: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        Self::resize_(slf, &PyTuple::new(slf.py(), other.sizes().iter())?, memory_format)
    }
}

/// Gives a tensor other sizes, row-major, in its own memory if that is large enough.
fn resize(tensor: &Tensor, sizes: &[usize]) -> PyResult<()> {
    let mut data = tensor.data().clone();
    let count = shape::numel(sizes)?;
    if (data.offset + count) * data.dtype.size() > data.storage.bytes() {
        let fresh = Tensor::empty(sizes, data.dtype)?;
        let kept = tensor.data().storage.bytes() / data.dtype.size() - data.offset;
        let first =
            |whole: &Tensor| whole.alias(Dims::from_slice(&[kept]), Dims::from_slice(&[1]), whole.data().offset);
        crate::kernels::copy::copy(&first(&fresh).data(), &first(tensor).data());
        data = fresh.data().clone();
    }
    data.sizes = Dims::from_slice(sizes);
    data.strides = shape::contiguous_strides(sizes);
    tensor.set_data(data);
    Ok(())
}

/// A tensor that a function of Python has made, or the caller's tensor with it.
#[pyfunction]
#[pyo3(signature = (name, result, out = None))]
pub fn _store(py: Python<'_>, name: &str, result: Tensor, out: Option<Tensor>) -> PyResult<Tensor> {
    let Some(out) = out else { return Ok(result) };
    store(py, name, &result, &out)?;
    Ok(out)
}

/// Stores a result in a tensor of the caller, which gets the result's sizes.
pub fn store(py: Python<'_>, name: &str, result: &Tensor, out: &Tensor) -> PyResult<()> {
    if modes::grad_enabled() && (result.requires_grad() || out.requires_grad()) {
        return Err(PyRuntimeError::new_err(format!(
            "{name}(): a result that requires grad cannot be stored in out=, nor any in an out= that does; leave out= \
             away, or call under no_grad()"
        )));
    }
    crate::pointwise::check_castable(name, result.dtype(), out.dtype())?;
    let sizes = result.sizes();
    if out.sizes() != sizes {
        if out.numel() != 0 {
            let message = std::ffi::CString::new(format!(
                "{name}(): out has size {} and gets that of the result, {}; give one without elements if this is meant",
                shape::show(&out.sizes()),
                shape::show(&sizes)
            ))
            .unwrap_or_default();
            PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 1)?;
        }
        resize(out, &sizes)?;
    }
    call_in_place("copy", &[Value::Tensor(out.clone()), Value::Tensor(result.clone())])?;
    Ok(())
}
