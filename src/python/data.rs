//! Python data as tensors: numbers, nested sequences, arrays.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::dtype::DType;
use crate::promotion::default_float;
use crate::python::arguments::{describe, number};
use crate::python::numpy;
use crate::python::tensor::tensor_of;
use crate::scalar::Scalar;
use crate::shape;
use crate::tensor::Tensor;
use crate::with_element;

/// Sizes and flat values of nested sequences.
struct Nested {
    sizes: Vec<usize>,
    values: Vec<Scalar>,
    /// The common type of all items.
    dtype: Option<DType>,
    /// The type that was asked for.
    wanted: Option<DType>,
}

impl Nested {
    fn promote(&mut self, dtype: DType) {
        self.dtype = Some(self.dtype.map_or(dtype, |held| held.promote(dtype)));
    }
}

/// A row-major copy, or one in the order of the memory of `source` where that leaves no gap.
fn copied(source: &Tensor, dtype: Option<DType>) -> PyResult<Tensor> {
    let copy = source.empty_alike(dtype.unwrap_or(source.dtype()))?;
    crate::kernels::copy::copy(&copy.data(), &source.data());
    Ok(copy)
}

/// A Python number for a tensor of the type `wanted`: an integer beyond 64 bits can only become a float.
fn number_for(data: &Bound<'_, PyAny>, wanted: Option<DType>) -> PyResult<Option<Scalar>> {
    match number(data) {
        Err(_) if wanted == Some(DType::UInt64) => Ok(Some(Scalar::Int(data.extract::<u64>()? as i64))),
        Err(_) if wanted.is_some_and(|dtype| dtype.is_differentiable() || dtype == DType::Bool) => {
            Ok(Some(Scalar::Float(data.extract()?)))
        }
        other => other,
    }
}

/// The number as an element of a new tensor. Among floats, one that is too large is infinite.
fn require_fit(value: Scalar, dtype: DType) -> PyResult<()> {
    if value.is_complex() && !dtype.is_complex() && dtype != DType::Bool {
        return Err(PyTypeError::new_err(format!("tensor: {value} is no real number for a {dtype} tensor")));
    }
    if dtype == DType::UInt64 && matches!(value, Scalar::Float(_)) {
        return Err(PyTypeError::new_err(format!("tensor: {value} is no integer for a {dtype} tensor")));
    }
    if !dtype.is_float() {
        value.require_fit("tensor", dtype)?;
    }
    Ok(())
}

/// Whether the object is a list or tuple and nothing else: asking such a one for what numbers and arrays have costs an
/// exception each time.
fn is_list(data: &Bound<'_, PyAny>) -> bool {
    data.is_exact_instance_of::<PyList>() || data.is_exact_instance_of::<PyTuple>()
}

/// A tensor from numbers, nested lists, arrays or tensors; the values are copied.
pub fn from_data(data: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    if let Some(tensor) = tensor_of(data) {
        return copied(tensor, dtype);
    }
    if !is_list(data) {
        if let Some(value) = number_for(data, dtype)? {
            let own = numpy::scalar_dtype(data)?;
            let dtype = dtype.or(own).unwrap_or(value.dtype(default_float()));
            require_fit(value, dtype)?;
            return Ok(Tensor::scalar(value, dtype)?);
        }
        if let Some(array) = numpy::borrow(data)? {
            return copied(&array, dtype);
        }
    }
    let mut nested = Nested { sizes: Vec::new(), values: Vec::new(), dtype: None, wanted: dtype };
    collect(data, 0, &mut nested)?;
    let dtype = dtype.or(nested.dtype).unwrap_or_else(default_float);
    for &value in &nested.values {
        require_fit(value, dtype)?;
    }
    let tensor = Tensor::empty(&nested.sizes, dtype)?;
    with_element!(dtype, T => {
        let pointer = tensor.data().pointer().cast::<T>();
        for (i, value) in nested.values.iter().enumerate() {
            // SAFETY: `collect` gave as many values as the sizes say.
            unsafe { pointer.add(i).write(value.cast::<T>()) };
        }
    });
    Ok(tensor)
}

fn collect(data: &Bound<'_, PyAny>, depth: usize, nested: &mut Nested) -> PyResult<()> {
    if let Some(tensor) = tensor_of(data) {
        return match tensor.numel() {
            1 => push(tensor.item()?, tensor.dtype(), depth, nested),
            n => Err(PyValueError::new_err(format!("among nested lists a tensor has one element, not {n}"))),
        };
    }
    if data.cast::<PyString>().is_ok() {
        return Err(match depth {
            0 => PyTypeError::new_err("a tensor cannot be made of a string"),
            _ => PyValueError::new_err("a tensor cannot be made of strings"),
        });
    }
    if data.cast::<PyBytes>().is_ok() {
        return Err(PyTypeError::new_err("a tensor cannot be made of bytes"));
    }
    if data.cast::<PyList>().is_err() && data.cast::<PyTuple>().is_err() {
        if let Some(value) = number_for(data, nested.wanted)? {
            let dtype = numpy::scalar_dtype(data)?.unwrap_or(value.dtype(default_float()));
            return push(value, dtype, depth, nested);
        }
        if let Some(array) = numpy::borrow(data)? {
            return append(&array, depth, nested);
        }
    }
    let has_items = || Ok::<_, PyErr>(data.hasattr("__getitem__")? && data.cast::<PyDict>().is_err());
    let (Ok(length), true) = (data.len(), is_list(data) || has_items()?) else {
        return Err(PyRuntimeError::new_err(format!("a tensor cannot be made of {}", describe(data))));
    };
    if depth == nested.sizes.len() {
        if !nested.values.is_empty() {
            return Err(ragged(depth));
        }
        nested.sizes.push(length);
    } else if nested.sizes[depth] != length {
        return Err(PyValueError::new_err(format!(
            "a sequence of length {} is expected at dimension {depth}, got one of length {length}",
            nested.sizes[depth]
        )));
    }
    for item in data.try_iter()? {
        collect(&item?, depth + 1, nested)?;
    }
    Ok(())
}

/// Adds a number among nested lists.
fn push(value: Scalar, dtype: DType, depth: usize, nested: &mut Nested) -> PyResult<()> {
    if depth < nested.sizes.len() {
        return Err(ragged(depth));
    }
    nested.promote(dtype);
    nested.values.push(value);
    Ok(())
}

fn ragged(depth: usize) -> PyErr {
    PyTypeError::new_err(format!("nested sequences differ in depth: numbers and sequences meet at dimension {depth}"))
}

/// Adds an array, as a tensor on its memory, among nested lists.
fn append(tensor: &Tensor, depth: usize, nested: &mut Nested) -> PyResult<()> {
    let sizes = tensor.sizes();
    if nested.values.is_empty() && nested.sizes.len() == depth {
        nested.sizes.extend(sizes.iter());
    } else if nested.sizes[depth..] != sizes[..] {
        return Err(PyValueError::new_err(format!(
            "arrays of size {} and {} cannot stand in one list",
            shape::show(&nested.sizes[depth..]),
            shape::show(&sizes)
        )));
    }
    nested.promote(tensor.dtype());
    let source = tensor.to_contiguous()?;
    let data = source.data();
    with_element!(data.dtype, T => {
        // SAFETY: a row-major tensor is one slice.
        let slice = unsafe { crate::tensor::slice_at(data.pointer().cast::<T>(), data.numel()) };
        nested.values.extend(slice.iter().map(|&value| Scalar::of(value)));
    });
    Ok(())
}
