//! `rgrad.Size`: how the core makes one, and how one is indexed.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

/// `rgrad.Size`.
pub fn size_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static SIZE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    SIZE.import(py, "rgrad._size", "Size")
}

/// Sizes as a `rgrad.Size`, filled in as CPython fills a fresh tuple instead of by a call of the class.
pub fn size_object(py: Python<'_>, sizes: &[usize]) -> PyResult<Py<PyTuple>> {
    let kind = size_type(py)?;
    // SAFETY: `Size` is a subclass of tuple without fields of its own, so that its objects are laid out as tuples;
    // the items of a fresh one are null until they are set.
    unsafe {
        let made = ffi::PyType_GenericAlloc(kind.as_type_ptr(), sizes.len() as ffi::Py_ssize_t);
        let made = Bound::from_owned_ptr_or_err(py, made)?;
        for (i, &size) in sizes.iter().enumerate() {
            let item = Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromSize_t(size))?;
            ffi::PyTuple_SET_ITEM(made.as_ptr(), i as ffi::Py_ssize_t, item.into_ptr());
        }
        Ok(made.cast_into_unchecked().unbind())
    }
}

/// Whether `size` holds these sizes.
pub fn has_sizes(size: &Bound<'_, PyTuple>, sizes: &[usize]) -> bool {
    size.len() == sizes.len()
        // SAFETY: the items of a Size are integers.
        && size.iter_borrowed().zip(sizes).all(|(item, &n)| unsafe { ffi::PyLong_AsSize_t(item.as_ptr()) } == n)
}

/// Has a class of sizes indexed by the core: in Python, `x.shape[0]` would take four times as long.
#[pyfunction]
pub fn _index_sizes(kind: &Bound<'_, PyType>) {
    // SAFETY: a class made by Python has the table; it has no objects yet, and the GIL is held.
    unsafe { (*(*kind.as_type_ptr()).tp_as_mapping).mp_subscript = Some(part) };
}

/// `size[key]`: as of a tuple, but what a slice gives is a `Size` again.
unsafe extern "C" fn part(size: *mut ffi::PyObject, key: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by CPython with a tuple and the GIL held.
    unsafe {
        let Some(of_tuple) = (*ffi::PyTuple_Type.tp_as_mapping).mp_subscript else { return ptr::null_mut() };
        let part = of_tuple(size, key);
        if part.is_null() || ffi::PySlice_Check(key) == 0 {
            return part;
        }
        let made = size_type(Python::assume_attached()).map(|kind| ffi::PyObject_CallOneArg(kind.as_ptr(), part));
        ffi::Py_DECREF(part);
        made.unwrap_or_else(|error| {
            error.restore(Python::assume_attached());
            ptr::null_mut()
        })
    }
}
