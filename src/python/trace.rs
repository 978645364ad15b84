//! Where in the user's Python program an operation was called.
//!
//! # Note: The user's line
//! A line inside this package says nothing to its user, so frames of files in the package's own folder are passed
//! over on the way out to the caller. Whether a code object is one of them is remembered by its address, in a small
//! table whose entries keep their code objects alive, so that an address always means the same code.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::NonNull;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::trace::{Interpreter, set_interpreter};

/// Tells the core how to find lines.
pub fn install() {
    set_interpreter(Interpreter { capture, retain, release, resolve });
}

/// The code objects that were asked about last, by address: 0, or the address with its lowest bit set if the code is
/// the package's.
const REMEMBERED: usize = 256;

thread_local! {
    static CODES: [Cell<usize>; REMEMBERED] = const { [const { Cell::new(0) }; REMEMBERED] };
}

#[inline]
fn capture() -> Option<(NonNull<c_void>, i32)> {
    // SAFETY: the GIL is held: the core runs only while it is. Frames and codes are counted references.
    unsafe {
        let mut frame = ffi::PyEval_GetFrame();
        if frame.is_null() {
            return None;
        }
        let mut owned = false;
        loop {
            let code = ffi::PyFrame_GetCode(frame);
            if !is_ours(code) {
                let offset = ffi::PyFrame_GetLasti(frame);
                if owned {
                    ffi::Py_DECREF(frame.cast());
                }
                return NonNull::new(code.cast()).map(|code| (code, offset));
            }
            ffi::Py_DECREF(code.cast());
            let outer = ffi::PyFrame_GetBack(frame);
            if owned {
                ffi::Py_DECREF(frame.cast());
            }
            if outer.is_null() {
                return None;
            }
            frame = outer;
            owned = true;
        }
    }
}

/// # Safety
/// `code` is a code object and the GIL is held.
#[inline]
unsafe fn is_ours(code: *mut ffi::PyCodeObject) -> bool {
    let address = code as usize;
    CODES
        .try_with(|codes| {
            let entry = &codes[(address >> 5) % REMEMBERED];
            if entry.get() & !1 == address {
                return entry.get() & 1 == 1;
            }
            // SAFETY: by the caller's promise.
            unsafe { remember(entry, code) }
        })
        .unwrap_or(false)
}

/// # Safety
/// As for [`is_ours`].
#[cold]
unsafe fn remember(entry: &Cell<usize>, code: *mut ffi::PyCodeObject) -> bool {
    // SAFETY: by the caller's promise; the count keeps the code's address from being used again.
    let ours = unsafe {
        let ours = belongs_to_package(code);
        ffi::Py_INCREF(code.cast());
        ours
    };
    let forgotten = entry.replace(code as usize | usize::from(ours)) & !1;
    if forgotten != 0 {
        // SAFETY: the table held a count of it.
        unsafe { ffi::Py_DECREF(forgotten as *mut ffi::PyObject) };
    }
    ours
}

/// # Safety
/// As for [`is_ours`].
unsafe fn belongs_to_package(code: *mut ffi::PyCodeObject) -> bool {
    // SAFETY: by the caller's promise.
    let Some(text) = (unsafe { file_of(Python::assume_attached(), code) }) else { return false };
    let text = text.replace('\\', "/");
    // The tour and the tests of the package are programs of a user.
    text.contains("/rgrad/") && PACKAGE_FOLDERS.iter().any(|folder| text.contains(folder))
}

/// The parts of the package whose lines are not the user's.
const PACKAGE_FOLDERS: &[&str] = &[
    "/rgrad/__init__.py",
    "/rgrad/nn/",
    "/rgrad/optim/",
    "/rgrad/autograd/",
    "/rgrad/graph/",
    "/rgrad/profiler/",
    "/rgrad/func/",
    "/rgrad/utils/",
];

fn retain(code: NonNull<c_void>) {
    // SAFETY: the GIL is held, the code object is alive.
    unsafe { ffi::Py_INCREF(code.as_ptr().cast()) }
}

fn release(code: NonNull<c_void>) {
    // SAFETY: as above; at the end of the interpreter the object is left alone.
    unsafe {
        if ffi::Py_IsInitialized() != 0 {
            ffi::Py_DECREF(code.as_ptr().cast());
        }
    }
}

fn resolve(code: NonNull<c_void>, offset: i32) -> Option<(String, u32)> {
    Python::try_attach(|py| {
        // SAFETY: the code object is alive and the GIL is held.
        let (line, file) = unsafe {
            let code: *mut ffi::PyCodeObject = code.as_ptr().cast();
            (PyCode_Addr2Line(code, offset), file_of(py, code))
        };
        Some((file?, u32::try_from(line).ok()?))
    })
    .flatten()
}

/// # Safety
/// `code` is a live code object.
unsafe fn file_of(py: Python<'_>, code: *mut ffi::PyCodeObject) -> Option<String> {
    // SAFETY: by the caller's promise.
    let code = unsafe { Bound::from_borrowed_ptr(py, code.cast::<ffi::PyObject>()) };
    code.getattr(pyo3::intern!(py, "co_filename")).ok()?.extract().ok()
}

unsafe extern "C" {
    fn PyCode_Addr2Line(code: *mut ffi::PyCodeObject, offset: std::ffi::c_int) -> std::ffi::c_int;
}
