//! Methods and properties of `Tensor` that PyO3 made, so that `__torch_function__` sees them.
//!
//! # Note: Replaced descriptors
//! A property is replaced by one of CPython's own kind whose functions look for an override and then call those of the
//! one it replaces; a method by an object like those of the operations. Both are as quick as before but for a flag.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::python::operation;
use crate::python::overrides::{self, Asked};

/// The head of CPython's `PyGetSetDescrObject`.
#[repr(C)]
struct PropertyObject {
    base: ffi::PyObject,
    owner: *mut ffi::PyTypeObject,
    name: *mut ffi::PyObject,
    qualified_name: *mut ffi::PyObject,
    definition: *mut ffi::PyGetSetDef,
}

/// What a property was, and the descriptor that stands for it now.
struct Property {
    definition: ffi::PyGetSetDef,
    descriptor: AtomicPtr<ffi::PyObject>,
}

/// What an override gives for an access to a property; `None` if there is none, a null pointer in an error.
unsafe fn overridden(
    property: &Property,
    access: &str,
    arguments: &[*mut ffi::PyObject],
) -> Option<*mut ffi::PyObject> {
    // SAFETY: CPython calls with the GIL held, the descriptor alive.
    let py = unsafe { Python::assume_attached() };
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: as above.
        let descriptor = unsafe { Bound::from_borrowed_ptr(py, property.descriptor.load(Relaxed)) };
        overrides::call(&descriptor.getattr(access)?, arguments, &[], None, Asked::Special)
    }));
    let error = match result {
        Ok(Ok(answer)) => return answer.map(Py::into_ptr),
        Ok(Err(error)) => error,
        Err(_) => PyRuntimeError::new_err("an internal error: a property panicked; please report it"),
    };
    error.restore(py);
    Some(ptr::null_mut())
}

unsafe extern "C" fn get(object: *mut ffi::PyObject, closure: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: the closure is the property's; the original functions are called as CPython would.
    unsafe {
        let property = &*closure.cast::<Property>();
        if overrides::may_concern(Python::assume_attached(), &[object])
            && let Some(answer) = overridden(property, "__get__", &[object])
        {
            return answer;
        }
        property.definition.get.map_or(ptr::null_mut(), |get| get(object, property.definition.closure))
    }
}

unsafe extern "C" fn set(object: *mut ffi::PyObject, value: *mut ffi::PyObject, closure: *mut c_void) -> i32 {
    // SAFETY: as above.
    unsafe {
        let property = &*closure.cast::<Property>();
        // What is deleted has no value.
        let arguments = [object, if value.is_null() { object } else { value }];
        if overrides::may_concern(Python::assume_attached(), &arguments) {
            let answer = match value.is_null() {
                true => overridden(property, "__delete__", &[object]),
                false => overridden(property, "__set__", &[object, value]),
            };
            if let Some(answer) = answer {
                ffi::Py_XDECREF(answer);
                return if answer.is_null() { -1 } else { 0 };
            }
        }
        property.definition.set.map_or(-1, |set| set(object, value, property.definition.closure))
    }
}

/// What `as_subclass` and its kin do is not changed by the class that an object has.
const LEFT_ALONE: [&str; 2] = ["as_subclass", "__array_priority__"];

/// Replaces the methods and properties of the class `Tensor`; comes before that of the operations.
pub fn install(py: Python<'_>, tensor: &Bound<'_, PyAny>) -> PyResult<()> {
    let members = PyDict::new(py);
    members.call_method1("update", (tensor.getattr("__dict__")?,))?;
    for (name, member) in members {
        let name = name.cast::<PyString>()?.to_str()?.to_owned();
        if LEFT_ALONE.contains(&name.as_str()) {
            continue;
        }
        // SAFETY: the types are CPython's own, and so is the layout of their objects.
        unsafe {
            let kind = ffi::Py_TYPE(member.as_ptr());
            if kind == &raw mut ffi::PyMethodDescr_Type {
                tensor.setattr(name.as_str(), operation::wrapped(py, &name, member.unbind(), true, Asked::Special)?)?;
            } else if kind == &raw mut ffi::PyGetSetDescr_Type && !name.starts_with("__") {
                tensor.setattr(name.as_str(), replaced(py, &member)?)?;
            }
        }
    }
    // The old name of `a / b` with the tensor on the right, by which torch hands it to overrides.
    tensor.setattr("__rdiv__", tensor.getattr("__rtruediv__")?)
}

/// A descriptor in the place of another.
///
/// # Safety
/// `member` is a `getset_descriptor`.
unsafe fn replaced<'py>(py: Python<'py>, member: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: by the caller's promise; the definitions are leaked, as classes' are.
    unsafe {
        let original = &*member.as_ptr().cast::<PropertyObject>();
        let was = &*original.definition;
        let definition =
            ffi::PyGetSetDef { name: was.name, get: was.get, set: was.set, doc: was.doc, closure: was.closure };
        let property = Box::leak(Box::new(Property { definition, descriptor: AtomicPtr::new(ptr::null_mut()) }));
        let definition = Box::leak(Box::new(ffi::PyGetSetDef {
            name: was.name,
            get: was.get.map(|_| get as ffi::getter),
            set: was.set.map(|_| set as ffi::setter),
            doc: was.doc,
            closure: ptr::from_mut(property).cast(),
        }));
        let made = Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewGetSet(original.owner, definition))?;
        property.descriptor.store(made.clone().into_ptr(), Relaxed);
        Ok(made)
    }
}
