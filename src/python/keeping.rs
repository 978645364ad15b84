//! Tensor objects that outlive their last name in Python, because their tensor does.
//!
//! # Note: Who owns whom
//! As a rule the Python object owns a handle on its tensor, and the tensor knows the object without owning it. When the
//! last reference to the object goes while a graph, a view or a `grad` still holds the tensor, the object is freed, and
//! a new one is made if the tensor is seen again. That would lose what a user can tell the old one by: attributes, a
//! class, weak references. An object that has any of these is kept instead, with the ownership turned round: the
//! tensor owns the object, and the object's handle is not counted. When the tensor comes back to Python, ownership
//! turns again ([`give_back`]); when the tensor dies first, the object gets a tensor of its own with the same contents
//! ([`outlive`]), so that whatever Python still does with it finds a whole tensor, and is then let go.

use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;

use crate::python::collector::Held;
use crate::python::tensor::PyTensor;
use crate::tensor::{self, Tensor, flag};

/// What PyO3 frees tensor objects with.
static FREE: OnceLock<ffi::destructor> = OnceLock::new();

/// Puts this file's say into the way in which tensor objects are freed.
pub fn install(py: Python<'_>) {
    tensor::set_keeper(outlive);
    let kind = PyTensor::type_object_raw(py);
    // SAFETY: the type is alive, nobody else uses it yet, and the GIL is held.
    unsafe {
        if let Some(free) = (*kind).tp_dealloc {
            let _ = FREE.set(free);
            (*kind).tp_dealloc = Some(free_or_keep);
        }
    }
}

/// Has the objects of a subclass kept too: CPython asks this slot before it takes such an object apart.
pub fn watch_subclass(kind: *mut ffi::PyTypeObject) {
    // SAFETY: a type that is being made, with the GIL held.
    unsafe { (*kind).tp_del = Some(keep_subclassed) };
}

unsafe extern "C" fn free_or_keep(object: *mut ffi::PyObject) {
    // SAFETY: called by CPython on an object of `PyTensor` or a subclass without references, with the GIL held.
    unsafe {
        // The objects of a subclass have been asked already, and are half taken apart by now.
        let plain = PyTensor::type_object_raw(Python::assume_attached());
        if ptr::eq(ffi::Py_TYPE(object), plain) && keep(object) {
            return;
        }
        if let Some(free) = FREE.get() {
            free(object);
        }
    }
}

unsafe extern "C" fn keep_subclassed(object: *mut ffi::PyObject) {
    // SAFETY: as above.
    unsafe { keep(object) };
}

/// Whether something would be lost with the object.
///
/// # Safety
/// `object` is a tensor object.
unsafe fn is_distinct(py: Python<'_>, object: *mut ffi::PyObject) -> bool {
    // SAFETY: both offsets are those of pointers in the object.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        let plain = PyTensor::type_object_raw(py);
        let field = |offset: isize| *object.cast::<u8>().offset(offset).cast::<*mut ffi::PyObject>();
        if !ptr::eq(kind, plain) || !field((*plain).tp_weaklistoffset).is_null() {
            return true;
        }
        let attributes = field((*plain).tp_dictoffset);
        !attributes.is_null() && ffi::PyDict_Size(attributes) > 0
    }
}

/// The tensor object at an address, without counting a reference.
///
/// # Safety
/// `object` is a tensor object and lives as long as the result; the GIL is held.
unsafe fn look_at<'py>(py: Python<'py>, object: *mut ffi::PyObject) -> ManuallyDrop<Bound<'py, PyTensor>> {
    // SAFETY: by the caller's promise; what owns nothing is not dropped.
    ManuallyDrop::new(unsafe { Bound::from_owned_ptr(py, object).cast_into_unchecked() })
}

/// Turns the ownership round if the tensor lives on and the object is worth it; true if the object lives on.
///
/// # Safety
/// `object` is a tensor object whose last reference has gone; the GIL is held.
unsafe fn keep(object: *mut ffi::PyObject) -> bool {
    // SAFETY: by the caller's promise. A handle that is not counted any more is not dropped either: `give_back` or
    // `outlive` come before the object can be freed.
    unsafe {
        let py = Python::assume_attached();
        let known = look_at(py, object);
        let Some(tensor) = known.get().tensor(py) else { return false };
        if tensor.handles() == 1 || !ptr::eq(tensor.object(), object.cast()) || !is_distinct(py, object) {
            return false;
        }
        ffi::Py_INCREF(object);
        tensor.set_flag(flag::OBJECT_KEPT, true);
        std::mem::forget(Held::new());
        Rc::decrement_strong_count(Rc::as_ptr(&tensor.0));
        true
    }
}

/// A reference to the object that `tensor` has kept: the one that it owned.
pub fn give_back(py: Python<'_>, tensor: &Tensor) -> Py<PyTensor> {
    tensor.set_flag(flag::OBJECT_KEPT, false);
    drop(Held::again());
    // SAFETY: the object's handle is counted again; the tensor's reference becomes the caller's.
    unsafe {
        Rc::increment_strong_count(Rc::as_ptr(&tensor.0));
        Bound::from_owned_ptr(py, tensor.object().cast()).cast_into_unchecked().unbind()
    }
}

/// Gives an object whose tensor dies, and with it the reference that the tensor owned, a tensor of its own.
fn outlive(object: *mut c_void, contents: Tensor) {
    drop(Held::again());
    // SAFETY: tensors die under the GIL; the tensor owned a reference to this object.
    unsafe {
        if ffi::Py_IsInitialized() == 0 {
            return;
        }
        let py = Python::assume_attached();
        let known = look_at(py, object.cast());
        contents.set_object(object);
        known.get().replace_uncounted(contents);
        ffi::Py_DECREF(object.cast());
    }
}
