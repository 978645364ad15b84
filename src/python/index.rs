//! Index expressions: what stands between the brackets of `x[...]`.

use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyEllipsis, PyInt, PyList, PySequence, PySlice, PyString, PyTuple};

use crate::ops::indexing::{self, Item};
use crate::python::arguments::{describe, exact, integer, number};
use crate::python::data::from_data;
use crate::python::tensor::tensor_of;
use crate::tensor::Tensor;

/// `tensor[key]`.
pub fn get(tensor: &Tensor, key: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    // The short way for one integer.
    if key.is_exact_instance_of::<PyInt>() {
        return Ok(crate::ops::views::select(tensor, 0, exact(key)?)
            .map_err(|error| if tensor.ndim() == 0 { scalar_index() } else { error })?);
    }
    // And for one slice.
    if key.is_exact_instance_of::<PySlice>() {
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
            Some(number) => {
                number.require_fit("[]=", tensor.dtype())?;
                Tensor::scalar(number, tensor.dtype())?
            }
            None => from_data(value, Some(tensor.dtype())).map_err(|_| {
                PyTypeError::new_err(format!("a {} cannot be assigned to a part of a tensor", describe(value)))
            })?,
        },
    };
    if key.cast::<PyBool>().is_ok_and(|truth| !truth.is_true()) {
        // No place is chosen, and the change is not counted.
        return Ok(());
    }
    Ok(indexing::set(tensor, &items(key)?, &value)?)
}

fn items(key: &Bound<'_, PyAny>) -> PyResult<Vec<Item>> {
    if let Ok(tuple) = key.cast::<PyTuple>() {
        return tuple.iter_borrowed().map(|item| one(&item)).collect();
    }
    if let Ok(list) = key.cast::<PyList>()
        && stands_for_tuple(list)
    {
        return list.iter().map(|item| one(&item)).collect();
    }
    Ok(vec![one(key)?])
}

/// Whether a list is read as a tuple, as in old numpy: a short one that holds more than numbers.
fn stands_for_tuple(list: &Bound<'_, PyList>) -> bool {
    list.len() < 32
        && list.iter().any(|item| {
            item.is_none()
                || item.cast::<PyEllipsis>().is_ok()
                || item.cast::<PySlice>().is_ok()
                || item.cast::<PySequence>().is_ok()
                || tensor_of(&item).is_some()
        })
}

fn one(key: &Bound<'_, PyAny>) -> PyResult<Item> {
    if let Ok(truth) = key.cast::<PyBool>() {
        return Ok(Item::Bool(truth.is_true()));
    }
    if key.cast::<PyInt>().is_ok() {
        return Ok(Item::Int(exact(key)?));
    }
    if let Ok(slice) = key.cast::<PySlice>() {
        return bounds(slice);
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
    if key.cast::<PyString>().is_ok() {
        return Err(PyTypeError::new_err("a tensor has no names to be indexed with"));
    }
    let listed = key.cast::<PySequence>().is_ok();
    if listed || key.hasattr("__array__")? {
        if let Some(index) = integer(key).ok().flatten() {
            return Ok(Item::Int(index));
        }
        let tensor = from_data(key, None)?;
        // A list counts as integers whatever it has: an empty one is an index of no places.
        let tensor = if listed && tensor.dtype().is_float() { tensor.cast(crate::DType::Int64)? } else { tensor };
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

/// A slice; bounds beyond 64 bits mean the end.
fn bounds(slice: &Bound<'_, PySlice>) -> PyResult<Item> {
    let (mut start, mut end, mut step) = (0, 0, 0);
    // SAFETY: the object is a slice; the numbers are only written.
    if unsafe { ffi::PySlice_Unpack(slice.as_ptr(), &mut start, &mut end, &mut step) } < 0 {
        return Err(PyErr::fetch(slice.py()));
    }
    if step < 0 {
        return Err(PyValueError::new_err(format!("a slice step has to be positive, got {step}; use flip()")));
    }
    Ok(Item::Slice { start: Some(start as i64), end: Some(end as i64), step: step as i64 })
}
