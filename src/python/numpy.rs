//! Tensors and numpy arrays on the same memory.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};

use ::numpy::npyffi::NPY_TYPES;
use ::numpy::{PyArrayDescr, PyArrayDescrMethods, PyArrayDyn, PyUntypedArray, PyUntypedArrayMethods};
use ndarray::{ArrayViewD, IxDyn, ShapeBuilder};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt};

use crate::data::Data;
use crate::dtype::{Complex64, Complex128, DType, f16};
use crate::python::arguments::describe;
use crate::python::tensor::{PyTensor, this};
use crate::shape::Dims;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The element type of a numpy dtype.
fn dtype_of(descriptor: &Bound<'_, PyArrayDescr>) -> PyResult<DType> {
    // numpy makes up the name of a type in Python, each time: its own types are told by kind and size.
    let own = match (descriptor.kind(), descriptor.itemsize()) {
        _ if descriptor.num() >= NPY_TYPES::NPY_USERDEF as i32 => None,
        (b'b', 1) => Some(DType::Bool),
        (b'u', 1) => Some(DType::UInt8),
        (b'u', 2) => Some(DType::UInt16),
        (b'u', 4) => Some(DType::UInt32),
        (b'u', 8) => Some(DType::UInt64),
        (b'i', 1) => Some(DType::Int8),
        (b'i', 2) => Some(DType::Int16),
        (b'i', 4) => Some(DType::Int32),
        (b'i', 8) => Some(DType::Int64),
        (b'f', 2) => Some(DType::Float16),
        (b'f', 4) => Some(DType::Float32),
        (b'f', 8) => Some(DType::Float64),
        (b'c', 8) => Some(DType::Complex64),
        (b'c', 16) => Some(DType::Complex128),
        _ => None,
    };
    if let Some(dtype) = own {
        return Ok(dtype);
    }
    let name: String = descriptor.getattr("name")?.extract()?;
    DType::ALL
        .into_iter()
        .find(|dtype| dtype.name() == name)
        .ok_or_else(|| PyTypeError::new_err(format!("a numpy array of dtype {name} has no tensor of that type")))
}

/// The element type of a numpy scalar; `None` for Python's own numbers.
pub fn scalar_dtype(object: &Bound<'_, PyAny>) -> PyResult<Option<DType>> {
    // A look for what is not there costs an exception.
    if object.is_exact_instance_of::<PyFloat>() || object.is_exact_instance_of::<PyInt>() || !object.hasattr("dtype")? {
        return Ok(None);
    }
    let descriptor = object.getattr("dtype")?;
    descriptor.cast::<PyArrayDescr>().ok().map(dtype_of).transpose()
}

/// The object as an array if it is one. Where nobody has imported numpy nothing is, and asking would import it.
fn array_of<'a, 'py>(object: &'a Bound<'py, PyAny>) -> PyResult<Option<&'a Bound<'py, PyUntypedArray>>> {
    static IS_LOADED: AtomicBool = AtomicBool::new(false);
    if !IS_LOADED.load(Ordering::Relaxed) {
        let modules = object.py().import("sys")?.getattr("modules")?;
        if !modules.contains("numpy")? {
            return Ok(None);
        }
        IS_LOADED.store(true, Ordering::Relaxed);
    }
    Ok(object.cast::<PyUntypedArray>().ok())
}

/// A tensor on the memory of an array; `None` for anything else.
pub fn array(object: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    array_of(object)?.map(share).transpose()
}

/// A tensor on the memory of an array or of an object that can be seen as one; `None` for anything else.
pub fn borrow(object: &Bound<'_, PyAny>) -> PyResult<Option<Tensor>> {
    if let Some(tensor) = array(object)? {
        return Ok(Some(tensor));
    }
    let known = object.hasattr("__array_interface__")? || object.hasattr("__array__")?;
    if !known || object.is_instance_of::<pyo3::types::PyType>() {
        return Ok(None);
    }
    let array = object.py().import("numpy")?.call_method1("asarray", (object,))?;
    share(array.cast::<PyUntypedArray>().map_err(PyErr::from)?).map(Some)
}

fn share(array: &Bound<'_, PyUntypedArray>) -> PyResult<Tensor> {
    let descriptor = array.dtype();
    let dtype = dtype_of(&descriptor)?;
    let native = descriptor.is_native_byteorder().unwrap_or(true);
    let size = dtype.size() as isize;
    let steps = array.strides();
    let odd = steps.iter().zip(array.shape()).any(|(&step, &n)| n > 1 && (step < 0 || step % size != 0));
    // SAFETY: the array is alive; the struct is numpy's.
    let pointer = unsafe { (*array.as_array_ptr()).fields.data.cast::<u8>() };
    if !native {
        return Err(PyValueError::new_err("an array of another byte order has no tensor; pass array.astype('=')"));
    }
    if odd || !(pointer as usize).is_multiple_of(dtype.real().size()) {
        return Err(PyValueError::new_err(format!(
            "an array with negative strides or fractions of elements between them cannot be shared, this one has the \
             strides {steps:?}; pass array.copy()"
        )));
    }
    let sizes = Dims::from_slice(array.shape());
    let strides: Dims =
        steps.iter().zip(array.shape()).map(|(&step, &n)| if n > 1 { (step / size) as usize } else { 1 }).collect();
    let bytes = crate::shape::extent(&sizes, &strides) * dtype.size();
    let Some(pointer) = NonNull::new(pointer) else {
        return Ok(Tensor::empty(&sizes, dtype)?);
    };
    let owner: Py<PyAny> = array.clone().into_any().unbind();
    // SAFETY: the array keeps its memory alive and at its place as long as the owner is held.
    let storage = unsafe { Storage::foreign(pointer, bytes, Box::new(owner)) };
    Ok(Tensor::from_data(Data::new(storage, sizes, strides, 0, dtype)))
}

/// A tensor on the memory of a numpy array: a change of one is seen by the other.
///
/// Raises `TypeError` for an object that is no array or has a dtype without a tensor, `ValueError` for negative
/// strides.
#[pyfunction]
pub fn from_numpy(ndarray: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    match array_of(ndarray)? {
        Some(array) => share(array),
        None => {
            Err(PyTypeError::new_err(format!("from_numpy(): a numpy array is expected, got {}", describe(ndarray))))
        }
    }
}

/// An array on the memory of a tensor.
fn view<'py>(slf: &Bound<'py, PyTensor>, tensor: &Tensor) -> PyResult<Bound<'py, PyAny>> {
    let data = tensor.data();
    macro_rules! exchanged {
        ($($dtype:ident $element:ty),+) => {
            match data.dtype {
                $(DType::$dtype => seen::<$element>(slf, &data),)+
                DType::BFloat16 => {
                    return Err(PyTypeError::new_err("numpy(): numpy has no type like bfloat16; use float().numpy()"));
                }
            }
        };
    }
    Ok(exchanged!(
        Bool bool, UInt8 u8, Int8 i8, Int16 i16, Int32 i32, Int64 i64, UInt16 u16, UInt32 u32, UInt64 u64,
        Float16 f16, Float32 f32, Float64 f64, Complex64 Complex64, Complex128 Complex128
    ))
}

fn seen<'py, T: ::numpy::Element>(slf: &Bound<'py, PyTensor>, data: &Data) -> Bound<'py, PyAny> {
    {
        let shape = IxDyn(&data.sizes).strides(IxDyn(&data.strides));
        // SAFETY: sizes and strides stay inside the storage. The array holds `slf`, which holds the storage, whose
        // memory keeps its place.
        let array = unsafe {
            let seen = ArrayViewD::<T>::from_shape_ptr(shape, data.pointer().cast::<T>());
            PyArrayDyn::<T>::borrow_from_array(&seen, slf.clone().into_any())
        };
        array.into_any()
    }
}

#[pymethods]
impl PyTensor {
    /// A numpy array on the same memory: a change of one is seen by the other.
    ///
    /// Raises `RuntimeError` for a tensor that requires grad while gradients are recorded, unless `force` is true.
    #[pyo3(signature = (*, force = false))]
    fn numpy<'py>(slf: &Bound<'py, Self>, force: bool) -> PyResult<Bound<'py, PyAny>> {
        let tensor = this(slf);
        tensor.check_readable("numpy()")?;
        if tensor.requires_grad() && !force && crate::autograd::modes::grad_enabled() {
            return Err(PyRuntimeError::new_err(
                "numpy(): a tensor that requires grad would change without autograd noticing; use detach().numpy()",
            ));
        }
        view(slf, tensor)
    }

    /// Higher than that of arrays: in `array * tensor` the tensor has its say.
    #[classattr]
    #[pyo3(name = "__array_priority__")]
    const PRIORITY: i32 = 1000;

    /// The result of a numpy function on a tensor, as a tensor.
    #[pyo3(signature = (array, _context = None, _return_scalar = false))]
    fn __array_wrap__(
        &self,
        array: &Bound<'_, PyUntypedArray>,
        _context: Option<&Bound<'_, PyAny>>,
        _return_scalar: bool,
    ) -> PyResult<Tensor> {
        share(array)
    }

    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = Self::numpy(slf, false)?;
        let array = match dtype.filter(|dtype| !dtype.is_none()) {
            Some(dtype) => array.call_method1("astype", (dtype, "K", "unsafe", true, copy == Some(true)))?,
            None => array,
        };
        if copy == Some(true) && dtype.is_none_or(|dtype| dtype.is_none()) {
            return array.call_method0("copy");
        }
        Ok(array)
    }
}
