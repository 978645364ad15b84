//! `rgrad.Tensor`: the Python class, and how handles and objects find each other.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::autograd::batch;
use crate::dtype::DType;
use crate::python::collector;
use crate::python::conversions::number_object;
use crate::python::dtype::check_device;
use crate::python::gil::Gil;
use crate::python::overrides::{self, overridable};
use crate::python::size::{has_sizes, size_object, size_type};
use crate::python::{arguments, creation, data, keeping, printing};
use crate::tensor::{Tensor, flag};
use crate::value::Value;
use crate::{ops, shape};

/// An n-dimensional array that remembers how it was computed.
///
/// Made by `rgrad.tensor(data)` and the other creation functions. The names and rules are those of
/// `torch.Tensor`.
#[pyclass(name = "Tensor", module = "rgrad", subclass, weakref, dict, frozen)]
pub struct PyTensor {
    handle: Gil<UnsafeCell<Tensor>>,
    /// What `shape` gave last, good as long as the sizes are the same.
    shape: Gil<Cell<Option<Py<PyTuple>>>>,
}

impl PyTensor {
    fn new(py: Python<'_>, tensor: Tensor) -> PyTensor {
        PyTensor { handle: Gil::new(py, UnsafeCell::new(tensor)), shape: Gil::new(py, Cell::new(None)) }
    }

    #[inline(always)]
    fn get(&self, py: Python<'_>) -> &Tensor {
        // SAFETY: only `replace_uncounted` writes here, when nobody can have a reference.
        unsafe { &*self.handle.get(py).get() }
    }

    /// The tensor; `None` in an object that was allocated and not written to yet.
    pub fn tensor(&self, py: Python<'_>) -> Option<&Tensor> {
        self.handle.is_filled().then(|| self.get(py))
    }

    /// Puts another tensor in the place of one whose handle was not counted.
    ///
    /// # Safety
    /// Nobody has a reference to the tensor that was here, and the GIL is held.
    pub unsafe fn replace_uncounted(&self, tensor: Tensor) {
        // SAFETY: by the caller's promise.
        unsafe { std::ptr::write(self.handle.get(Python::assume_attached()).get(), tensor) };
    }
}

impl Drop for PyTensor {
    fn drop(&mut self) {
        // SAFETY: an object is dropped by the thread that holds the GIL.
        self.get(unsafe { Python::assume_attached() }).set_object(std::ptr::null_mut());
    }
}

/// The Python object of a tensor: the one that it has, or a new one.
#[inline]
pub fn wrap(py: Python<'_>, tensor: &Tensor) -> PyResult<Py<PyTensor>> {
    let existing = tensor.object();
    if !existing.is_null() {
        if tensor.has_flag(flag::OBJECT_KEPT) {
            return Ok(keeping::give_back(py, tensor));
        }
        // SAFETY: the address is cleared when the object is dropped, and the GIL is held.
        return Ok(unsafe { Bound::from_borrowed_ptr(py, existing.cast()).cast_into_unchecked().unbind() });
    }
    let made = allocate(py, PyTensor::new(py, tensor.clone()))?;
    tensor.set_object(made.as_ptr().cast::<c_void>());
    Ok(made)
}

/// A new object of the class `Tensor` itself.
///
/// # Note: Objects without a dictionary
/// PyO3 makes an object by way of `object.__new__`, which gives it a dictionary before anybody stores an attribute.
/// Here the memory comes from the type's allocator, as zeros, and the value is written to its place in it: with
/// nothing there yet, zeros are what PyO3 has in the rest of an object of a frozen class.
#[inline]
fn allocate(py: Python<'_>, value: PyTensor) -> PyResult<Py<PyTensor>> {
    static PLACE: PyOnceLock<Option<usize>> = PyOnceLock::new();
    let Some(place) = *PLACE.get_or_try_init(py, || place_of_value(py))? else { return Py::new(py, value) };
    // SAFETY: the type is that of `PyTensor`, whose objects have their value at `place`, and zeros elsewhere.
    unsafe {
        let object = ffi::PyType_GenericAlloc(PyTensor::type_object_raw(py), 0);
        let object = Bound::from_owned_ptr_or_err(py, object);
        match object {
            Ok(object) => {
                object.as_ptr().cast::<u8>().add(place).cast::<PyTensor>().write(value);
                Ok(object.cast_into_unchecked().unbind())
            }
            Err(error) => Err(error),
        }
    }
}

/// Where an object has its value, in bytes from its start; `None` if the rest of an object that PyO3 made, but for
/// the header and the dictionary, is not zeros.
#[cold]
fn place_of_value(py: Python<'_>) -> PyResult<Option<usize>> {
    let sample = Bound::new(py, PyTensor::new(py, Tensor::empty(&[0], DType::Bool)?))?;
    let start = sample.as_ptr().cast::<u8>();
    let place = std::ptr::from_ref(sample.get()) as usize - start as usize;
    // SAFETY: the object is alive and as long as its type says.
    let (object, dictionary) = unsafe {
        let kind = &*ffi::Py_TYPE(sample.as_ptr());
        (std::slice::from_raw_parts(start, kind.tp_basicsize as usize), kind.tp_dictoffset as usize)
    };
    let known = |at: usize| {
        at < size_of::<ffi::PyObject>()
            || (place..place + size_of::<PyTensor>()).contains(&at)
            || (dictionary..dictionary + size_of::<*mut ffi::PyObject>()).contains(&at)
    };
    let zeros = object.iter().enumerate().all(|(at, &byte)| known(at) || byte == 0);
    Ok(zeros.then_some(place))
}

/// The tensor of a Python object, if it is one.
#[inline]
pub fn tensor_of<'a>(object: &'a Bound<'_, PyAny>) -> Option<&'a Tensor> {
    let tensor = object.cast::<PyTensor>().ok()?.get().get(object.py());
    if tensor.object().is_null() {
        // Made by a subclass' __new__: from now on the object is found again.
        tensor.set_object(object.as_ptr().cast());
    }
    Some(tensor)
}

/// The tensor of `self` in a method.
#[inline]
pub fn this<'a>(slf: &'a Bound<'_, PyTensor>) -> &'a Tensor {
    let tensor = slf.get().get(slf.py());
    if tensor.object().is_null() {
        tensor.set_object(slf.as_ptr().cast());
    }
    tensor
}

/// The tensor of an argument, or a `TypeError` that names it.
pub fn expect_tensor(function: &str, parameter: &str, object: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    tensor_of(object).cloned().ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{function}(): argument '{parameter}' has to be a Tensor, got {}",
            arguments::describe(object)
        ))
    })
}

impl<'py> IntoPyObject<'py> for Tensor {
    type Target = PyTensor;
    type Output = Bound<'py, PyTensor>;
    type Error = PyErr;
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        Ok(wrap(py, &self)?.into_bound(py))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Tensor {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Tensor> {
        tensor_of(&object)
            .cloned()
            .ok_or_else(|| PyTypeError::new_err(format!("a Tensor is expected, got {}", arguments::describe(&object))))
    }
}

#[pymethods]
impl PyTensor {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*data, dtype = None, device = None))]
    fn construct(
        cls: &Bound<'_, PyType>,
        data: &Bound<'_, PyTuple>,
        dtype: Option<DType>,
        device: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyTensor> {
        let py = cls.py();
        overrides::watch_class(cls)?;
        check_device(device)?;
        let float = crate::promotion::default_float();
        let tensor = match data.len() {
            1 => {
                let only = data.get_item(0)?;
                match tensor_of(&only) {
                    Some(tensor) => tensor.detach(),
                    None if only.is_exact_instance_of::<PyInt>() => {
                        Tensor::empty(&shape::checked_sizes(&[only.extract()?])?, float)?
                    }
                    None if only.get_type().is(size_type(py)?) => Tensor::empty(&only.extract::<Vec<usize>>()?, float)?,
                    None if only.is_none() || only.cast::<PyFloat>().is_ok() || only.cast::<PyBool>().is_ok() => {
                        return Err(PyTypeError::new_err(format!(
                            "Tensor(): sizes or a sequence are expected, got {}",
                            arguments::describe(&only)
                        )));
                    }
                    None => data::from_data(&only, Some(dtype.unwrap_or(float)))?,
                }
            }
            0 => Tensor::empty(&[0], float)?,
            _ => Tensor::empty(&shape::checked_sizes(&data.extract::<Vec<i64>>()?)?, float)?,
        };
        Ok(PyTensor::new(py, tensor))
    }

    /// Ties the object to its tensor, so that the graph gives the same object back.
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn __init__(slf: &Bound<'_, Self>, _arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) {
        this(slf);
    }

    /// An object of the class `cls`, a subclass of Tensor, on the same memory and with the same history.
    fn as_subclass<'py>(slf: &Bound<'py, Self>, cls: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
        let source = this(slf);
        let view = if source.requires_grad() { ops::views::alias(source)? } else { source.detach() };
        adopt(slf.py(), &view, cls)
    }

    /// A leaf of the class `cls` on the memory of `data`.
    #[staticmethod]
    #[pyo3(signature = (cls, data, require_grad = false))]
    fn _make_subclass<'py>(
        cls: &Bound<'py, PyType>,
        data: &Bound<'py, PyTensor>,
        require_grad: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let leaf = this(data).detach();
        leaf.set_requires_grad(require_grad)?;
        adopt(cls.py(), &leaf, cls)
    }

    #[getter(__class__)]
    fn class<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyType> {
        slf.get_type()
    }

    /// Makes the object one of another class of tensors, whose objects are laid out alike.
    #[setter(__class__)]
    fn set_class(slf: &Bound<'_, Self>, class: &Bound<'_, PyType>) -> PyResult<()> {
        let (old, new) = (slf.get_type(), class.clone());
        // SAFETY: CPython does the same for two classes that Python made; there, it also asks for one function that
        // frees both, which that of a Python class does by calling ours. The object owns a reference to its class.
        unsafe {
            let layout = |kind: &Bound<'_, PyType>| {
                let kind = &*kind.as_type_ptr();
                (kind.tp_basicsize, kind.tp_dictoffset, kind.tp_weaklistoffset)
            };
            if !class.is_subclass_of::<PyTensor>()? || layout(&old) != layout(class) {
                return Err(PyTypeError::new_err(format!(
                    "__class__: a {} cannot become a {}: their objects are laid out differently",
                    old.name()?,
                    class.name()?
                )));
            }
            overrides::watch_class(class)?;
            this(slf);
            (*slf.as_ptr()).ob_type = new.into_ptr().cast();
            ffi::Py_DECREF(old.as_ptr());
        }
        Ok(())
    }

    /// Has the objects of a subclass kept as long as their tensors live.
    #[classmethod]
    #[pyo3(signature = (**_options))]
    fn __init_subclass__(cls: &Bound<'_, PyType>, _options: Option<&Bound<'_, PyDict>>) {
        keeping::watch_subclass(cls.as_type_ptr());
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs with the GIL held; counts that change on the way are as before at the end.
        let Some(tensor) = self.tensor(unsafe { Python::assume_attached() }) else { return Ok(()) };
        let mut result = Ok(());
        collector::visit_objects(tensor, &mut |address| {
            if result.is_ok() {
                // SAFETY: the address is that of a living object; the handle is forgotten, as it owns nothing.
                let object = std::mem::ManuallyDrop::new(unsafe { collector::object_at(address) });
                result = visit.call(&*object);
            }
        });
        result
    }

    fn __clear__(&self) {
        // SAFETY: as above.
        if let Some(tensor) = self.tensor(unsafe { Python::assume_attached() }) {
            collector::clear(tensor);
        }
    }

    #[getter]
    pub(super) fn shape(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (py, sizes, kept) = (slf.py(), this(slf).sizes(), slf.get().shape.get(slf.py()));
        let size = match kept.take() {
            Some(size) if has_sizes(size.bind(py), &sizes) => size,
            _ => size_object(py, &sizes)?,
        };
        kept.set(Some(size.clone_ref(py)));
        Ok(size.into_any())
    }

    fn __len__(slf: &Bound<'_, Self>) -> PyResult<usize> {
        overridable!("__len__", slf);
        this(slf)
            .data()
            .sizes
            .first()
            .copied()
            .ok_or_else(|| PyTypeError::new_err("len() of a tensor without dimensions"))
    }

    fn __iter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = this(slf);
        if tensor.ndim() == 0 {
            return Err(PyTypeError::new_err("iteration over a tensor without dimensions"));
        }
        if overrides::may_concern(slf.py(), &[slf.as_ptr()]) {
            // Parts of a subclass are what its own `unbind` gives.
            let parts = slf.call_method0("unbind")?;
            return Ok(parts.try_iter()?.into_any());
        }
        let parts = PyList::new(slf.py(), ops::views::unbind(tensor, 0)?)?;
        Ok(parts.try_iter()?.into_any())
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        slf.as_ptr() as isize
    }

    fn __contains__(slf: &Bound<'_, Self>, element: &Bound<'_, PyAny>) -> PyResult<bool> {
        overridable!("__contains__", slf, element);
        let tensor = this(slf);
        let equal = match arguments::convert(element, crate::value::Kind::Operand, false)? {
            Some(Value::Tensor(other)) => ops::comparison::eq(tensor, (&other).into())?,
            Some(Value::Scalar(other)) => ops::comparison::eq(tensor, other.into())?,
            _ => {
                return Err(PyRuntimeError::new_err(format!(
                    "in: a Tensor or a number is expected, got {}",
                    arguments::describe(element)
                )));
            }
        };
        Ok(equal.to_vec::<bool>()?.contains(&true))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        overridable!("__repr__", slf);
        printing::represent(slf)
    }

    fn __format__(slf: &Bound<'_, Self>, specification: &str) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let tensor = this(slf);
        if tensor.ndim() == 0 && slf.get_type().is(py.get_type::<PyTensor>()) {
            return number_object(py, tensor.item()?)?.call_method1(py, "__format__", (specification,));
        }
        let object = py.get_type::<PyAny>();
        Ok(object.call_method1("__format__", (slf, specification))?.unbind())
    }

    #[pyo3(signature = (size, fill_value, dtype = None, device = None, requires_grad = false))]
    fn new_full(
        slf: &Bound<'_, Self>,
        size: &Bound<'_, PyAny>,
        fill_value: &Bound<'_, PyAny>,
        dtype: Option<DType>,
        device: Option<&Bound<'_, PyAny>>,
        requires_grad: bool,
    ) -> PyResult<Tensor> {
        check_device(device)?;
        let Some(sizes) = arguments::integers(size)? else {
            return Err(PyTypeError::new_err("new_full(): argument 'size' has to be ints"));
        };
        let value = creation::expect_number("new_full", "fill_value", fill_value)?;
        let tensor = this(slf);
        let dtype = dtype.unwrap_or(tensor.dtype());
        value.require_fit("new_full", dtype)?;
        let made = batch::made_like(tensor, &shape::checked_sizes(&sizes)?, |sizes| Tensor::full(sizes, value, dtype))?;
        creation::leaf(made, requires_grad)
    }

    #[pyo3(signature = (data, dtype = None, device = None, requires_grad = false))]
    fn new_tensor(
        slf: &Bound<'_, Self>,
        data: &Bound<'_, PyAny>,
        dtype: Option<DType>,
        device: Option<&Bound<'_, PyAny>>,
        requires_grad: bool,
    ) -> PyResult<Tensor> {
        check_device(device)?;
        creation::leaf(data::from_data(data, Some(dtype.unwrap_or(this(slf).dtype())))?, requires_grad)
    }
}

/// A new object of a subclass for a tensor that has none.
pub fn adopt<'py>(py: Python<'py>, tensor: &Tensor, cls: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    let base = py.get_type::<PyTensor>();
    if !cls.is_subclass(&base)? {
        return Err(PyTypeError::new_err(format!("{} is no subclass of Tensor", cls.name()?)));
    }
    let holder = wrap(py, tensor)?;
    // `Tensor.__new__(cls, tensor)` makes an alias of the holder's tensor; the history comes along below.
    let object = base.call_method1("__new__", (cls, holder))?;
    let Some(made) = tensor_of(&object) else {
        return Err(PyTypeError::new_err("Tensor.__new__ gave no tensor"));
    };
    if let Some(node) = tensor.grad_fn()? {
        made.set_history(node, tensor.0.output_nr.get());
    } else {
        made.set_flag(flag::LEAF_REQUIRES_GRAD, tensor.has_flag(flag::LEAF_REQUIRES_GRAD));
    }
    if let Some(grad) = tensor.grad() {
        made.set_grad(Some(grad));
    }
    Ok(object)
}
