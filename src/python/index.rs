//! Index expressions: what stands between the brackets of `x[...]`.

use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyInt, PyList, PySlice, PyTuple};

use crate::ops::indexing::{self, Item};
use crate::python::arguments::{describe, integer, number};
use crate::python::creation::from_data;
use crate::python::tensor::tensor_of;
use crate::tensor::Tensor;

/// `tensor[key]`.
pub fn get(tensor: &Tensor, key: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    // The short way for one integer.
    if key.is_exact_instance_of::<PyInt>() {
        return Ok(crate::ops::views::select(tensor, 0, key.extract()?)
            .map_err(|error| if tensor.ndim() == 0 { scalar_index() } else { error })?);
    }
    if key.cast::<PyTuple>().is_err() {
        return Ok(indexing::get(tensor, &[one(key)?])?);
    }
    Ok(indexing::get(tensor, &items(key)?)?)
}

fn scalar_index() -> crate::Error {
    crate::error!(Index, "a tensor without dimensions cannot be indexed with an integer; item() gives its value")
}

/// `tensor[key] = value`.
pub fn set(tensor: &Tensor, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let value = match tensor_of(value) {
        Some(value) => value.clone(),
        None => match number(value)? {
            Some(number) => Tensor::scalar(number, tensor.dtype())?,
            None => from_data(value, Some(tensor.dtype())).map_err(|_| {
                PyTypeError::new_err(format!("a {} cannot be assigned to a part of a tensor", describe(value)))
            })?,
        },
    };
    Ok(indexing::set(tensor, &items(key)?, &value)?)
}

fn items(key: &Bound<'_, PyAny>) -> PyResult<Vec<Item>> {
    if let Ok(tuple) = key.cast::<PyTuple>() {
        return tuple.iter_borrowed().map(|item| one(&item)).collect();
    }
    Ok(vec![one(key)?])
}

fn one(key: &Bound<'_, PyAny>) -> PyResult<Item> {
    if let Ok(truth) = key.cast::<PyBool>() {
        return Ok(Item::Bool(truth.is_true()));
    }
    if let Ok(index) = key.cast::<PyInt>() {
        return Ok(Item::Int(index.extract()?));
    }
    if let Ok(slice) = key.cast::<PySlice>() {
        // SAFETY: an instance of `slice` has these three parts, which live as long as it does.
        let parts = unsafe { &*slice.as_ptr().cast::<ffi::PySliceObject>() };
        let part = |value: *mut ffi::PyObject| -> PyResult<Option<i64>> {
            // SAFETY: as above.
            let value = unsafe { Borrowed::from_ptr(slice.py(), value) };
            if value.is_none() {
                return Ok(None);
            }
            integer(&value)?
                .map(Some)
                .ok_or_else(|| PyTypeError::new_err(format!("a slice is made of ints, got {}", describe(&value))))
        };
        let step = part(parts.step)?.unwrap_or(1);
        if step <= 0 {
            return Err(PyValueError::new_err(format!("a slice step has to be positive, got {step}; use flip()")));
        }
        return Ok(Item::Slice { start: part(parts.start)?, end: part(parts.stop)?, step });
    }
    if key.is_none() {
        return Ok(Item::NewAxis);
    }
    if key.cast::<PyEllipsis>().is_ok() {
        return Ok(Item::Ellipsis);
    }
    if let Some(tensor) = tensor_of(key) {
        if tensor.ndim() == 0
            && tensor.dtype().is_integral()
            && !matches!(tensor.dtype(), crate::DType::Bool | crate::DType::UInt8)
        {
            return Ok(Item::Int(tensor.item()?.to_i64()));
        }
        return Ok(Item::Tensor(tensor.clone()));
    }
    if key.cast::<PyList>().is_ok() || key.hasattr("__array__")? || key.cast::<PyTuple>().is_ok() {
        if let Some(index) = integer(key).ok().flatten() {
            return Ok(Item::Int(index));
        }
        let tensor = from_data(key, None)?;
        // An empty list is an index of no places, not of floats.
        let tensor =
            if tensor.numel() == 0 && tensor.dtype().is_float() { tensor.cast(crate::DType::Int64)? } else { tensor };
        return Ok(Item::Tensor(tensor));
    }
    if let Some(index) = integer(key)? {
        return Ok(Item::Int(index));
    }
    Err(PyIndexError::new_err(format!(
        "an index is made of ints, slices, None, Ellipsis, bools and integer or bool tensors, got {}",
        describe(key)
    )))
}
