//! Tensors on the memory of other libraries' objects, and theirs on ours: DLPack, buffers, arrays.
//!
//! # Note: DLPack
//! A capsule named `dltensor` holds a struct that describes memory and has a function that frees it. Who takes the
//! struct renames the capsule to `used_dltensor`, so that it is taken once.

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use pyo3::exceptions::{PyBufferError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;

use crate::data::Data;
use crate::dtype::DType;
use crate::python::arguments::describe;
use crate::python::creation::leaf;
use crate::python::data::from_data;
use crate::python::dtype::check_device;
use crate::python::numpy;
use crate::python::tensor::{PyTensor, tensor_of, this};
use crate::shape::{self, Dims};
use crate::storage::Storage;
use crate::tensor::Tensor;

const FRESH: &CStr = c"dltensor";
const USED: &CStr = c"used_dltensor";
const CPU: i32 = 1;

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct ElementType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct Described {
    data: *mut c_void,
    device: [i32; 2],
    ndim: i32,
    dtype: ElementType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Managed {
    tensor: Described,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
}

/// What our structs point to: the tensor that owns the memory, and its geometry.
struct Owner {
    _tensor: Data,
    geometry: Vec<i64>,
}

fn element_type(dtype: DType) -> ElementType {
    let code = match dtype {
        DType::Bool => 6,
        DType::UInt8 => 1,
        dtype if dtype.is_float() => 2,
        _ => 0,
    };
    ElementType { code, bits: (dtype.size() * 8) as u8, lanes: 1 }
}

unsafe extern "C" fn free(managed: *mut Managed) {
    // SAFETY: both were leaked by `export`; the caller gives the struct up. Reference counts inside belong to the
    // interpreter, whose lock its libraries hold when they free what came from it.
    unsafe {
        drop(Box::from_raw((*managed).context.cast::<Owner>()));
        drop(Box::from_raw(managed));
    }
}

/// Frees a struct that nobody took.
unsafe extern "C" fn free_capsule(capsule: *mut ffi::PyObject) {
    // SAFETY: called by CPython with the capsule that dies.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, FRESH.as_ptr()) != 0 {
            let managed: *mut Managed = ffi::PyCapsule_GetPointer(capsule, FRESH.as_ptr()).cast();
            if let Some(deleter) = (*managed).deleter {
                deleter(managed);
            }
        }
    }
}

/// Keeps a struct of another library until its memory is no longer used.
struct Foreign(*mut Managed);

// SAFETY: the struct is freed by the thread that drops the last tensor on it, which is the one that runs Python.
unsafe impl Send for Foreign {}
// SAFETY: nobody reads through it.
unsafe impl Sync for Foreign {}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: the struct was taken from its capsule, so that it is ours to free.
        Python::attach(|_| unsafe {
            if let Some(deleter) = (*self.0).deleter {
                deleter(self.0);
            }
        });
    }
}

#[pymethods]
impl PyTensor {
    /// A DLPack capsule on the memory of this tensor.
    ///
    /// Raises `BufferError` for a tensor that requires grad.
    #[pyo3(signature = (*, stream = None, max_version = None, dl_device = None, copy = None))]
    fn __dlpack__<'py>(
        slf: &Bound<'py, Self>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<&Bound<'py, PyAny>>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = (stream, max_version);
        let tensor = this(slf);
        tensor.check_readable("__dlpack__()")?;
        if tensor.requires_grad() {
            return Err(PyBufferError::new_err(
                "__dlpack__(): a tensor that requires grad would change without autograd noticing; use detach()",
            ));
        }
        if dl_device.is_some_and(|device| device.0 != CPU) {
            return Err(PyBufferError::new_err("__dlpack__(): tensors are on the CPU alone"));
        }
        let data = if copy == Some(true) {
            tensor.copied_alike(tensor.dtype())?.data().clone()
        } else {
            tensor.data().clone()
        };
        let geometry: Vec<i64> = data.sizes.iter().chain(data.strides.iter()).map(|&n| n as i64).collect();
        let (pointer, dtype, ndim) = (data.pointer(), data.dtype, data.sizes.len());
        let mut owner = Box::new(Owner { _tensor: data, geometry });
        let shape = owner.geometry.as_mut_ptr();
        let managed = Box::into_raw(Box::new(Managed {
            tensor: Described {
                data: pointer.cast(),
                device: [CPU, 0],
                ndim: ndim as i32,
                dtype: element_type(dtype),
                shape,
                strides: shape.wrapping_add(ndim),
                byte_offset: 0,
            },
            context: Box::into_raw(owner).cast(),
            deleter: Some(free),
        }));
        // SAFETY: the capsule owns the struct until somebody takes it.
        unsafe {
            Bound::from_owned_ptr_or_err(
                slf.py(),
                ffi::PyCapsule_New(managed.cast(), FRESH.as_ptr(), Some(free_capsule)),
            )
        }
    }

    /// Where the memory is: `(1, 0)` for the CPU.
    fn __dlpack_device__(&self) -> (i32, i32) {
        (CPU, 0)
    }
}

/// A tensor on the memory of an object that has `__dlpack__`, or of a DLPack capsule.
///
/// Raises `TypeError` for anything else, `BufferError` for memory that no tensor can be on.
#[pyfunction]
#[pyo3(signature = (ext_tensor, *, device = None, copy = None))]
pub fn from_dlpack(
    ext_tensor: &Bound<'_, PyAny>,
    device: Option<&Bound<'_, PyAny>>,
    copy: Option<bool>,
) -> PyResult<Tensor> {
    check_device(device)?;
    let capsule =
        if ext_tensor.hasattr("__dlpack__")? { ext_tensor.call_method0("__dlpack__")? } else { ext_tensor.clone() };
    let object = capsule.as_ptr();
    // SAFETY: a valid capsule of this name holds such a struct, by the protocol.
    unsafe {
        if ffi::PyCapsule_IsValid(object, FRESH.as_ptr()) == 0 {
            return Err(PyTypeError::new_err(format!(
                "from_dlpack(): an object with __dlpack__ or a capsule not used before is expected, got {}",
                describe(ext_tensor)
            )));
        }
        let managed: *mut Managed = ffi::PyCapsule_GetPointer(object, FRESH.as_ptr()).cast();
        let seen = imported(managed)?;
        if ffi::PyCapsule_SetName(object, USED.as_ptr()) != 0 {
            return Err(PyErr::fetch(capsule.py()));
        }
        ffi::PyCapsule_SetDestructor(object, None);
        let (sizes, strides, dtype, pointer) = seen;
        let bytes = shape::extent(&sizes, &strides) * dtype.size();
        let Some(pointer) = NonNull::new(pointer).filter(|_| bytes > 0) else {
            drop(Foreign(managed));
            return Ok(Tensor::empty(&sizes, dtype)?);
        };
        let storage = Storage::foreign(pointer, bytes, Box::new(Foreign(managed)));
        let tensor = Tensor::from_data(Data::new(storage, sizes, strides, 0, dtype));
        Ok(if copy == Some(true) { tensor.copied_alike(dtype)? } else { tensor })
    }
}

/// The geometry, element type and address that a struct describes.
///
/// # Safety
/// The struct is as the protocol says.
unsafe fn imported(managed: *const Managed) -> PyResult<(Dims, Dims, DType, *mut u8)> {
    // SAFETY: by the caller's promise.
    let described = unsafe { &(*managed).tensor };
    let Some(dtype) = DType::ALL.into_iter().find(|&dtype| element_type(dtype) == described.dtype) else {
        let ElementType { code, bits, lanes } = described.dtype;
        return Err(PyBufferError::new_err(format!(
            "from_dlpack(): no tensor has elements of code {code} with {bits} bits and {lanes} lanes"
        )));
    };
    if described.device[0] != CPU {
        return Err(PyBufferError::new_err("from_dlpack(): memory of another device than the CPU"));
    }
    let ndim = described.ndim as usize;
    // SAFETY: as above; a struct without strides is row-major.
    let list = |pointer: *const i64| unsafe { crate::tensor::slice_at(pointer, ndim) };
    let sizes: Dims = list(described.shape).iter().map(|&n| n as usize).collect();
    let strides = match described.strides.is_null() {
        true => shape::contiguous_strides(&sizes),
        false => {
            let strides = list(described.strides);
            if strides.iter().any(|&stride| stride < 0) {
                return Err(PyBufferError::new_err("from_dlpack(): strides must not be negative"));
            }
            strides.iter().map(|&n| n as usize).collect()
        }
    };
    Ok((sizes, strides, dtype, described.data.cast::<u8>().wrapping_add(described.byte_offset as usize)))
}

/// Keeps a buffer of another object.
struct Lent(Box<ffi::Py_buffer>);

// SAFETY: the buffer is released with the interpreter's lock held, whichever thread does it.
unsafe impl Send for Lent {}
// SAFETY: nobody reads through it.
unsafe impl Sync for Lent {}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: the buffer was given out by its object, and is released once.
        Python::attach(|_| unsafe { ffi::PyBuffer_Release(&mut *self.0) });
    }
}

/// A vector on the memory of an object with a buffer, such as `bytes` or `bytearray`: `count` elements (all if it is
/// -1) from `offset` bytes on.
///
/// Raises `ValueError` if they do not fit the buffer.
#[pyfunction]
#[pyo3(signature = (buffer, *, dtype, count = -1, offset = 0, requires_grad = false))]
pub fn frombuffer(
    buffer: &Bound<'_, PyAny>,
    dtype: DType,
    count: i64,
    offset: i64,
    requires_grad: bool,
) -> PyResult<Tensor> {
    // SAFETY: the struct is filled by the object; an object that refuses to be written to lends its memory to be read.
    let lent = unsafe {
        let mut view: Box<ffi::Py_buffer> = Box::new(std::mem::zeroed());
        if ffi::PyObject_GetBuffer(buffer.as_ptr(), &mut *view, ffi::PyBUF_WRITABLE) != 0 {
            ffi::PyErr_Clear();
            if ffi::PyObject_GetBuffer(buffer.as_ptr(), &mut *view, ffi::PyBUF_SIMPLE) != 0 {
                ffi::PyErr_Clear();
                return Err(PyValueError::new_err(format!("frombuffer(): {} has no buffer", describe(buffer))));
            }
        }
        Lent(view)
    };
    let (length, size) = (lent.0.len as i64, dtype.size() as i64);
    if length == 0 || count == 0 {
        return Err(PyValueError::new_err("frombuffer(): the buffer and count must not be empty"));
    }
    if offset < 0 || offset >= length {
        return Err(PyValueError::new_err(format!(
            "frombuffer(): offset {offset} is outside a buffer of {length} bytes"
        )));
    }
    let rest = length - offset;
    if count < 0 && rest % size != 0 {
        return Err(PyValueError::new_err(format!(
            "frombuffer(): {rest} bytes are no whole number of {dtype} elements"
        )));
    }
    let count = if count < 0 { rest / size } else { count };
    if count.saturating_mul(size) > rest {
        return Err(PyValueError::new_err(format!("frombuffer(): {count} {dtype} elements do not fit {rest} bytes")));
    }
    let pointer = lent.0.buf.cast::<u8>().wrapping_add(offset as usize);
    let Some(pointer) =
        NonNull::new(pointer).filter(|pointer| (pointer.as_ptr() as usize).is_multiple_of(size as usize))
    else {
        return Err(PyValueError::new_err(format!("frombuffer(): the memory is not aligned for {dtype} elements")));
    };
    // SAFETY: the object keeps the memory at its place as long as the buffer is lent.
    let storage = unsafe { Storage::foreign(pointer, (count * size) as usize, Box::new(lent)) };
    let (sizes, strides) = (Dims::from_elem(count as usize, 1), Dims::from_elem(1, 1));
    leaf(Tensor::from_data(Data::new(storage, sizes, strides, 0, dtype)), requires_grad)
}

/// A tensor of whatever `obj` is: a tensor, an array, an object with `__dlpack__` or a buffer (whose memory is shared
/// unless `copy` is true or the dtype differs), numbers or nested lists of them.
///
/// Raises `ValueError` if `copy` is false and the memory cannot be shared.
#[pyfunction]
#[pyo3(signature = (obj, *, dtype = None, device = None, copy = None, requires_grad = false))]
pub fn asarray(
    obj: &Bound<'_, PyAny>,
    dtype: Option<DType>,
    device: Option<&Bound<'_, PyAny>>,
    copy: Option<bool>,
    requires_grad: bool,
) -> PyResult<Tensor> {
    check_device(device)?;
    let shared = if let Some(tensor) = tensor_of(obj) {
        Some(tensor.clone())
    } else if let Some(tensor) = numpy::array(obj)? {
        Some(tensor)
    } else if obj.hasattr("__dlpack__")? {
        Some(from_dlpack(obj, None, None)?)
    // SAFETY: the object is alive.
    } else if unsafe { ffi::PyObject_CheckBuffer(obj.as_ptr()) } != 0 {
        Some(frombuffer(obj, dtype.unwrap_or_else(crate::promotion::default_float), -1, 0, false)?)
    } else {
        None
    };
    let Some(tensor) = shared else {
        if copy == Some(false) {
            return Err(PyValueError::new_err(format!("asarray(): {} cannot be shared, only copied", describe(obj))));
        }
        return leaf(from_data(obj, dtype)?, requires_grad);
    };
    let wanted = dtype.unwrap_or(tensor.dtype());
    if copy == Some(false) && wanted != tensor.dtype() {
        return Err(PyValueError::new_err(format!(
            "asarray(): a {} tensor becomes {wanted} only by a copy",
            tensor.dtype()
        )));
    }
    let made = if wanted != tensor.dtype() {
        crate::ops::conversion::to_copy(&tensor, wanted)?
    } else if copy == Some(true) {
        crate::ops::conversion::clone(&tensor)?
    } else {
        tensor.clone()
    };
    if requires_grad && !made.requires_grad() {
        return leaf(made.detach(), true);
    }
    if !requires_grad && made.requires_grad() {
        return Ok(made.detach());
    }
    Ok(made)
}
