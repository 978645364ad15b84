//! Copies and pickles of tensors, with what users attached to them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::dtype::DType;
use crate::python::dtype::object;
use crate::python::tensor::{PyTensor, adopt, this, wrap};
use crate::shape;
use crate::tensor::Tensor;

#[pymethods]
impl PyTensor {
    /// A copy of the values; of a leaf, a leaf.
    fn __deepcopy__<'py>(slf: &Bound<'py, Self>, memo: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let key = slf.as_ptr() as usize;
        if let Some(known) = memo.get_item(key)? {
            return Ok(known);
        }
        let tensor = this(slf);
        tensor.check_readable("deepcopy()")?;
        let copied = {
            let data = tensor.data();
            let copied = if shape::dense_order(&data.sizes, &data.strides).is_some() {
                Tensor::empty_strided(data.sizes.clone(), data.strides.clone(), data.dtype)?
            } else {
                Tensor::empty(&data.sizes, data.dtype)?
            };
            crate::kernels::copy::copy(&copied.data(), &data);
            copied
        };
        // A result has no history in the copy: that would be another graph. It is a constant there.
        if tensor.is_leaf() {
            copied.set_requires_grad(tensor.requires_grad())?;
            if let Some(grad) = tensor.grad() {
                copied.set_grad(Some(grad.copied(grad.dtype())?));
            }
        }
        let kind = slf.get_type();
        let object = if kind.is(slf.py().get_type::<PyTensor>()) {
            wrap(slf.py(), &copied)?.into_bound(slf.py()).into_any()
        } else {
            adopt(slf.py(), &copied, &kind)?
        };
        memo.set_item(key, &object)?;
        copy_attributes(slf.as_any(), &object, Some(memo))?;
        Ok(object)
    }

    /// A leaf on the same memory.
    fn __copy__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = this(slf);
        let copied = tensor.detach();
        copied.set_requires_grad(tensor.requires_grad())?;
        let object = adopt(slf.py(), &copied, &slf.get_type())?;
        copy_attributes(slf.as_any(), &object, None)?;
        Ok(object)
    }

    /// The values, the type, the class and the attributes; of the history, whether there was one.
    fn __reduce_ex__<'py>(slf: &Bound<'py, Self>, _protocol: i64) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tensor = this(slf);
        let rebuild = py.import("rgrad._rgrad")?.getattr("_rebuild")?;
        let source = tensor.to_contiguous()?;
        let data = source.data();
        // SAFETY: a row-major tensor is one run of bytes.
        let bytes = unsafe { crate::tensor::slice_at(data.pointer().cast_const(), data.numel() * data.dtype.size()) };
        let bytes = pyo3::types::PyBytes::new(py, bytes);
        let sizes = PyTuple::new(py, &data.sizes)?;
        let arguments =
            (slf.get_type(), bytes, object(py, data.dtype)?, sizes, tensor.requires_grad()).into_pyobject(py)?;
        let attributes = slf.getattr("__dict__")?;
        let state = if attributes.is_truthy()? { attributes } else { py.None().into_bound(py) };
        Ok((rebuild, arguments, state).into_pyobject(py)?.into_any())
    }
}

/// Copies the attributes that a user gave an object.
fn copy_attributes(from: &Bound<'_, PyAny>, to: &Bound<'_, PyAny>, memo: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    let attributes = from.getattr("__dict__")?;
    if attributes.is_truthy()? {
        let copied = match memo {
            Some(memo) => from.py().import("copy")?.getattr("deepcopy")?.call1((&attributes, memo))?,
            None => attributes,
        };
        to.getattr("__dict__")?.call_method1("update", (copied,))?;
    }
    Ok(())
}

/// A tensor from its pickled parts.
#[pyfunction]
pub fn _rebuild<'py>(
    cls: &Bound<'py, PyType>,
    bytes: &[u8],
    dtype: DType,
    sizes: Vec<usize>,
    requires_grad: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let tensor = Tensor::empty(&sizes, dtype)?;
    let expected = tensor.numel() * dtype.size();
    if bytes.len() != expected {
        return Err(PyValueError::new_err(format!(
            "a {dtype} tensor of size {} has {expected} bytes, the pickle holds {}",
            shape::show(&sizes),
            bytes.len()
        )));
    }
    if dtype == DType::Bool && bytes.iter().any(|&byte| byte > 1) {
        return Err(PyValueError::new_err("the pickle holds a bool that is neither 0 nor 1"));
    }
    // SAFETY: the fresh tensor has room for exactly these bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), tensor.data().pointer(), bytes.len()) };
    tensor.set_requires_grad(requires_grad)?;
    let py = cls.py();
    if cls.is(py.get_type::<PyTensor>()) {
        return Ok(wrap(py, &tensor)?.into_bound(py).into_any());
    }
    adopt(py, &tensor, cls)
}
