//! `rgrad.Tensor`: the Python class, and how handles and objects find each other.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyUserWarning, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyBool, PyComplex, PyDict, PyFloat, PyInt, PyList, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use crate::autograd::batch;
use crate::autograd::cuts::{self, Reason};
use crate::autograd::primitives;
use crate::dtype::DType;
use crate::memory_format::MemoryFormat;
use crate::python::collector;
use crate::python::dtype::{PyDevice, check_device, is_meta, object};
use crate::python::gil::Gil;
use crate::python::node::wrap_node;
use crate::python::overrides::{self, overridable};
use crate::python::size::{has_sizes, size_object, size_type};
use crate::python::{arguments, creation, data, keeping, printing};
use crate::scalar::Scalar;
use crate::shape::Ints;
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
    fn shape(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (py, sizes, kept) = (slf.py(), this(slf).sizes(), slf.get().shape.get(slf.py()));
        let size = match kept.take() {
            Some(size) if has_sizes(size.bind(py), &sizes) => size,
            _ => size_object(py, &sizes)?,
        };
        kept.set(Some(size.clone_ref(py)));
        Ok(size.into_any())
    }

    /// All sizes, or the size along one dimension.
    #[pyo3(signature = (dim = None))]
    fn size(slf: &Bound<'_, Self>, dim: Option<i64>) -> PyResult<Py<PyAny>> {
        match dim {
            None => Self::shape(slf),
            Some(dim) => Ok(this(slf).size(dim)?.into_pyobject(slf.py())?.into_any().unbind()),
        }
    }

    /// All strides in elements, or the stride along one dimension.
    #[pyo3(signature = (dim = None))]
    fn stride(slf: &Bound<'_, Self>, dim: Option<i64>) -> PyResult<Py<PyAny>> {
        let strides = this(slf).strides();
        match dim {
            None => Ok(PyTuple::new(slf.py(), strides)?.into_any().unbind()),
            Some(dim) => {
                let d = shape::wrap_dim(dim, strides.len())?;
                Ok(strides.get(d).copied().unwrap_or(1).into_pyobject(slf.py())?.into_any().unbind())
            }
        }
    }

    fn dim(slf: &Bound<'_, Self>) -> usize {
        this(slf).ndim()
    }

    fn ndimension(slf: &Bound<'_, Self>) -> usize {
        this(slf).ndim()
    }

    #[getter]
    fn ndim(slf: &Bound<'_, Self>) -> usize {
        this(slf).ndim()
    }

    fn numel(slf: &Bound<'_, Self>) -> usize {
        this(slf).numel()
    }

    fn nelement(slf: &Bound<'_, Self>) -> usize {
        this(slf).numel()
    }

    fn element_size(slf: &Bound<'_, Self>) -> usize {
        this(slf).dtype().size()
    }

    #[getter]
    fn itemsize(slf: &Bound<'_, Self>) -> usize {
        this(slf).dtype().size()
    }

    #[getter]
    fn nbytes(slf: &Bound<'_, Self>) -> usize {
        this(slf).numel() * this(slf).dtype().size()
    }

    fn storage_offset(slf: &Bound<'_, Self>) -> usize {
        this(slf).data().offset
    }

    fn data_ptr(slf: &Bound<'_, Self>) -> usize {
        this(slf).data().pointer() as usize
    }

    #[pyo3(signature = (memory_format = None))]
    fn is_contiguous(slf: &Bound<'_, Self>, memory_format: Option<MemoryFormat>) -> bool {
        memory_format.unwrap_or(MemoryFormat::Contiguous).holds(this(slf))
    }

    #[getter]
    fn dtype(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        Ok(object(slf.py(), this(slf).dtype())?.clone_ref(slf.py()).into_any())
    }

    #[getter]
    fn device(slf: &Bound<'_, Self>) -> PyDevice {
        PyDevice::of(this(slf))
    }

    #[getter]
    fn is_cpu(_slf: &Bound<'_, Self>) -> bool {
        true
    }

    fn is_floating_point(slf: &Bound<'_, Self>) -> bool {
        this(slf).dtype().is_float()
    }

    fn is_complex(slf: &Bound<'_, Self>) -> bool {
        this(slf).dtype().is_complex()
    }

    fn is_signed(slf: &Bound<'_, Self>) -> bool {
        this(slf).dtype().is_signed()
    }

    /// Whether the tensor only remembers to be conjugated: never, conjugates are computed.
    fn is_conj(_slf: &Bound<'_, Self>) -> bool {
        false
    }

    /// Whether the tensor only remembers to be negated: never, opposites are computed.
    fn is_neg(_slf: &Bound<'_, Self>) -> bool {
        false
    }

    /// The real parts, as a view; a real tensor itself.
    #[getter]
    fn real(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::complex::real(this(slf))?)
    }

    #[setter(real)]
    fn set_real(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        store_part(&ops::complex::real(this(slf))?, "real", value)
    }

    /// The imaginary parts, as a view.
    ///
    /// Raises `RuntimeError` for a real tensor.
    #[getter]
    fn imag(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::complex::imag(this(slf))?)
    }

    #[setter(imag)]
    fn set_imag(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        store_part(&ops::complex::imag(this(slf))?, "imag", value)
    }

    #[getter]
    fn requires_grad(slf: &Bound<'_, Self>) -> bool {
        this(slf).requires_grad()
    }

    #[setter]
    fn set_requires_grad(slf: &Bound<'_, Self>, requires_grad: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(requires) = requires_grad.extract() else {
            let given = arguments::describe(requires_grad);
            return Err(PyRuntimeError::new_err(format!("requires_grad has to be a bool, got {given}")));
        };
        Ok(this(slf).set_requires_grad(requires)?)
    }

    /// Asks for the gradient of this leaf; gives the tensor back.
    #[pyo3(signature = (requires_grad = true))]
    fn requires_grad_<'py>(slf: &Bound<'py, Self>, requires_grad: bool) -> PyResult<Bound<'py, Self>> {
        this(slf).set_requires_grad(requires_grad)?;
        Ok(slf.clone())
    }

    #[getter]
    fn is_leaf(slf: &Bound<'_, Self>) -> PyResult<bool> {
        // Fails for a view whose history cannot be followed.
        Ok(this(slf).grad_fn()?.is_none())
    }

    /// The accumulated gradient, or `None`.
    #[getter]
    fn grad(slf: &Bound<'_, Self>) -> PyResult<Option<Tensor>> {
        let tensor = this(slf);
        let grad = tensor.grad();
        if grad.is_none() && tensor.has_flag(flag::HAS_GRAD_FN) && !tensor.retains_grad() {
            let message = c"the grad of a tensor that is a result is not kept, so it is None here; call retain_grad() \
                on the tensor before backward(), or look at the leaf that was meant";
            PyErr::warn(slf.py(), &slf.py().get_type::<PyUserWarning>(), message, 1)?;
        }
        Ok(grad)
    }

    #[setter]
    fn set_grad(slf: &Bound<'_, Self>, grad: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let tensor = this(slf);
        let Some(grad) = grad.filter(|grad| !grad.is_none()) else {
            tensor.set_grad(None);
            return Ok(());
        };
        let Some(gradient) = tensor_of(grad) else {
            return Err(PyTypeError::new_err(format!(
                "grad has to be a Tensor or None, got {}",
                arguments::describe(grad)
            )));
        };
        if gradient.is_same(tensor) {
            return Err(PyRuntimeError::new_err("a tensor cannot be its own gradient"));
        }
        let (sizes, own) = (gradient.sizes(), tensor.sizes());
        if sizes != own || gradient.dtype() != tensor.dtype() {
            return Err(PyRuntimeError::new_err(format!(
                "grad has to have the tensor's size {} and dtype {}, got size {} and dtype {}",
                shape::show(&own),
                tensor.dtype(),
                shape::show(&sizes),
                gradient.dtype()
            )));
        }
        tensor.set_grad(Some(gradient.clone()));
        Ok(())
    }

    #[deleter]
    fn delete_grad(slf: &Bound<'_, Self>) {
        this(slf).set_grad(None);
    }

    /// The node that made this tensor, or `None` for a leaf.
    #[getter]
    fn grad_fn(slf: &Bound<'_, Self>) -> PyResult<Option<Py<PyAny>>> {
        this(slf).grad_fn()?.map(|node| wrap_node(slf.py(), node)).transpose()
    }

    #[getter]
    fn output_nr(slf: &Bound<'_, Self>) -> u32 {
        this(slf).0.output_nr.get()
    }

    fn retain_grad(slf: &Bound<'_, Self>) -> PyResult<()> {
        Ok(this(slf).retain_grad()?)
    }

    #[getter]
    fn retains_grad(slf: &Bound<'_, Self>) -> bool {
        this(slf).retains_grad()
    }

    /// The same memory without history.
    fn detach(slf: &Bound<'_, Self>) -> Tensor {
        cuts::note(Reason::Asked("detach()"), this(slf));
        this(slf).detach()
    }

    /// Forgets the history of this tensor itself.
    fn detach_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let tensor = this(slf);
        if tensor.has_flag(flag::VIEW) {
            return Err(PyRuntimeError::new_err("detach_(): a view cannot be detached in place; use detach()"));
        }
        cuts::note(Reason::Asked("detach_()"), tensor);
        tensor.clear_history();
        Ok(slf.clone())
    }

    #[getter]
    fn _version(slf: &Bound<'_, Self>) -> PyResult<u32> {
        let tensor = this(slf);
        if tensor.has_flag(flag::INFERENCE) {
            return Err(PyRuntimeError::new_err("_version: changes of an inference tensor are not counted"));
        }
        Ok(tensor.version())
    }

    /// Whether this tensor was made in inference mode, and can take no part in a graph.
    fn is_inference(slf: &Bound<'_, Self>) -> bool {
        this(slf).has_flag(flag::INFERENCE)
    }

    #[getter]
    fn _base(slf: &Bound<'_, Self>) -> Option<Tensor> {
        this(slf).base()
    }

    fn _is_view(slf: &Bound<'_, Self>) -> bool {
        this(slf).has_flag(flag::VIEW)
    }

    /// The value of a tensor with one element as a Python number.
    fn item(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        cuts::note(Reason::Read("item()"), this(slf));
        number_of(slf.py(), this(slf).item()?, this(slf).dtype())
    }

    /// The values as nested lists of Python numbers.
    fn tolist(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        cuts::note(Reason::Read("tolist()"), this(slf));
        let tensor = this(slf).to_contiguous()?;
        let py = slf.py();
        let data = tensor.data();
        let element = |i: usize| -> PyResult<Py<PyAny>> {
            let value = crate::with_element!(data.dtype, T => {
                // SAFETY: i is below the number of elements of a row-major tensor.
                Scalar::of(unsafe { data.pointer().cast::<T>().add(i).read() })
            });
            number_of(py, value, data.dtype)
        };
        nested(py, &data.sizes, 0, &element)
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

    fn __bool__(slf: &Bound<'_, Self>) -> PyResult<bool> {
        overridable!("__bool__", slf);
        let tensor = this(slf);
        match tensor.numel() {
            1 => Ok(!tensor.item()?.is_zero()),
            0 => Err(PyRuntimeError::new_err("the truth value of a tensor without elements is not defined")),
            n => Err(PyRuntimeError::new_err(format!(
                "the truth value of a tensor with {n} elements is not defined; use any() or all()"
            ))),
        }
    }

    fn __float__(slf: &Bound<'_, Self>) -> PyResult<f64> {
        overridable!("__float__", slf);
        Ok(real_number("float", single(slf)?)?.to_f64())
    }

    fn __complex__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyComplex>> {
        overridable!("__complex__", slf);
        let value = single(slf)?.to_complex();
        Ok(PyComplex::from_doubles(slf.py(), value.re, value.im))
    }

    fn __int__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        overridable!("__int__", slf);
        let py = slf.py();
        let value = number_of(py, real_number("int", single(slf)?)?, this(slf).dtype())?;
        Ok(py.get_type::<PyInt>().call1((value,))?.unbind())
    }

    fn __index__(slf: &Bound<'_, Self>) -> PyResult<i64> {
        overridable!("__index__", slf);
        let tensor = this(slf);
        if tensor.numel() != 1 || !tensor.dtype().is_integral() {
            return Err(PyTypeError::new_err(format!(
                "only an integer tensor with one element can be an index, this one is {} of size {}",
                tensor.dtype(),
                shape::show(&tensor.sizes())
            )));
        }
        Ok(tensor.item()?.to_i64())
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

    /// Computes the gradients of this tensor and adds them to the `grad` of the leaves.
    #[pyo3(signature = (gradient = None, retain_graph = None, create_graph = false, inputs = None))]
    fn backward(
        slf: &Bound<'_, Self>,
        gradient: Option<&Bound<'_, PyAny>>,
        retain_graph: Option<bool>,
        create_graph: bool,
        inputs: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        crate::python::autograd::backward(slf.as_any(), gradient, retain_graph, create_graph, inputs)
    }

    /// A copy of the values; of a leaf, a leaf.
    fn __deepcopy__<'py>(slf: &Bound<'py, Self>, memo: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let key = slf.as_ptr() as usize;
        if let Some(known) = memo.get_item(key)? {
            return Ok(known);
        }
        let tensor = this(slf);
        tensor.check_readable("deepcopy()")?;
        let copied = {
            let data = tensor.data();
            let copied = if shape::dense_order(&data.sizes, &data.strides).is_some() {
                Tensor::empty_strided(data.sizes.clone(), data.strides.clone(), data.dtype)?
            } else {
                Tensor::empty(&data.sizes, data.dtype)?
            };
            crate::kernels::copy::copy(&copied.data(), &data);
            copied
        };
        // A result has no history in the copy: that would be another graph. It is a constant there.
        if tensor.is_leaf() {
            copied.set_requires_grad(tensor.requires_grad())?;
            if let Some(grad) = tensor.grad() {
                copied.set_grad(Some(grad.copied(grad.dtype())?));
            }
        }
        let kind = slf.get_type();
        let object = if kind.is(slf.py().get_type::<PyTensor>()) {
            wrap(slf.py(), &copied)?.into_bound(slf.py()).into_any()
        } else {
            adopt(slf.py(), &copied, &kind)?
        };
        memo.set_item(key, &object)?;
        copy_attributes(slf.as_any(), &object, Some(memo))?;
        Ok(object)
    }

    /// A leaf on the same memory.
    fn __copy__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let tensor = this(slf);
        let copied = tensor.detach();
        copied.set_requires_grad(tensor.requires_grad())?;
        let object = adopt(slf.py(), &copied, &slf.get_type())?;
        copy_attributes(slf.as_any(), &object, None)?;
        Ok(object)
    }

    /// The values, the type, the class and the attributes; of the history, whether there was one.
    fn __reduce_ex__<'py>(slf: &Bound<'py, Self>, _protocol: i64) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let tensor = this(slf);
        let rebuild = py.import("rgrad._rgrad")?.getattr("_rebuild")?;
        let source = tensor.to_contiguous()?;
        let data = source.data();
        // SAFETY: a row-major tensor is one run of bytes.
        let bytes = unsafe { crate::tensor::slice_at(data.pointer().cast_const(), data.numel() * data.dtype.size()) };
        let bytes = pyo3::types::PyBytes::new(py, bytes);
        let sizes = PyTuple::new(py, &data.sizes)?;
        let arguments =
            (slf.get_type(), bytes, object(py, data.dtype)?, sizes, tensor.requires_grad()).into_pyobject(py)?;
        let attributes = slf.getattr("__dict__")?;
        let state = if attributes.is_truthy()? { attributes } else { py.None().into_bound(py) };
        Ok((rebuild, arguments, state).into_pyobject(py)?.into_any())
    }

    /// This tensor with another element type; the tensor itself if it has it and no copy is asked for.
    #[pyo3(signature = (*targets, dtype = None, device = None, non_blocking = false, copy = false, memory_format = None))]
    fn to<'py>(
        slf: &Bound<'py, Self>,
        targets: &Bound<'py, PyTuple>,
        dtype: Option<DType>,
        device: Option<&Bound<'py, PyAny>>,
        non_blocking: bool,
        copy: bool,
        memory_format: Option<MemoryFormat>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = non_blocking;
        let mut target = dtype;
        let mut copies = copy;
        let mut to_meta = None;
        let mut go = |device: &Bound<'py, PyAny>| -> PyResult<()> {
            to_meta = Some(is_meta(device)?);
            if to_meta == Some(true) { Ok(()) } else { check_device(Some(device)) }
        };
        device.map(&mut go).transpose()?;
        for (i, argument) in targets.iter().enumerate() {
            if let Some(found) = crate::python::dtype::from_python(&argument) {
                target = Some(found);
            } else if let Some(other) = tensor_of(&argument) {
                target = Some(other.dtype());
            } else if let Ok(flag) = argument.cast::<PyBool>() {
                copies |= i >= 2 && flag.is_true();
            } else {
                go(&argument)?;
            }
        }
        let tensor = this(slf);
        let target = target.unwrap_or(tensor.dtype());
        match to_meta {
            Some(true) => {
                return Ok(Tensor::meta_device(&tensor.sizes(), target)?.into_pyobject(slf.py())?.into_any());
            }
            Some(false) if tensor.is_meta() => return Err(Tensor::refuse_meta("to").into()),
            _ => {}
        }
        if copies {
            let copied = ops::conversion::to_copy(tensor, target)?;
            return in_format(copied.into_pyobject(slf.py())?.into_any(), memory_format);
        }
        in_format(convert(slf, target)?, memory_format)
    }

    /// The element type's name in the old style, or this tensor with another element type.
    #[pyo3(signature = (dtype = None))]
    fn r#type<'py>(slf: &Bound<'py, Self>, dtype: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        match dtype {
            Some(dtype) => convert(slf, printing::named_type(dtype)?),
            None => {
                let name = format!("torch.{}Tensor", printing::old_name(this(slf).dtype()));
                Ok(name.into_pyobject(slf.py())?.into_any())
            }
        }
    }

    #[pyo3(signature = (memory_format = None))]
    fn float<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Float32)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn double<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Float64)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn half<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Float16)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn bfloat16<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::BFloat16)?, memory_format)
    }

    fn cfloat<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        convert(slf, DType::Complex64)
    }

    fn cdouble<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        convert(slf, DType::Complex128)
    }

    #[pyo3(signature = (memory_format = None))]
    fn short<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Int16)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn char<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Int8)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn long<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Int64)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn int<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Int32)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn byte<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::UInt8)?, memory_format)
    }

    #[pyo3(signature = (memory_format = None))]
    fn bool<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(convert(slf, DType::Bool)?, memory_format)
    }

    fn type_as<'py>(slf: &Bound<'py, Self>, other: Tensor) -> PyResult<Bound<'py, PyAny>> {
        convert(slf, other.dtype())
    }

    #[pyo3(signature = (memory_format = None))]
    fn cpu<'py>(slf: &Bound<'py, Self>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'py, PyAny>> {
        in_format(slf.clone().into_any(), memory_format)
    }

    #[getter(T)]
    fn transposed(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        let tensor = this(slf);
        let dims: Ints = (0..tensor.ndim() as i64).rev().collect();
        Ok(ops::views::permute(tensor, &dims)?)
    }

    #[getter(mT)]
    fn matrix_transposed(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::views::transpose(this(slf), -2, -1)?)
    }

    /// The transposed and conjugated matrices of the last two dimensions.
    #[getter(mH)]
    fn adjoint(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        Ok(ops::views::adjoint(this(slf))?)
    }

    /// A matrix transposed and conjugated; a tensor without dimensions as it is.
    ///
    /// Raises `RuntimeError` for a tensor of another number of dimensions.
    #[getter(H)]
    fn matrix_adjoint(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        match this(slf).ndim() {
            0 => Ok(ops::complex::conj(this(slf))?),
            2 => Ok(ops::views::adjoint(this(slf))?),
            n => Err(PyRuntimeError::new_err(format!("H: a matrix is needed, the tensor has {n} dimensions"))),
        }
    }

    /// Sets every element to 0.
    fn zero_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        fill_in_place(slf, Value::Scalar(Scalar::Int(0)), "zero")
    }

    /// Sets every element to `value`.
    fn fill_<'py>(slf: &Bound<'py, Self>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        match arguments::convert(value, crate::value::Kind::Operand, false)? {
            Some(value) => fill_in_place(slf, value, "fill"),
            None => Err(PyTypeError::new_err(format!(
                "fill_(): argument 'value' has to be a number, got {}",
                arguments::describe(value)
            ))),
        }
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

pub fn convert<'py>(slf: &Bound<'py, PyTensor>, dtype: DType) -> PyResult<Bound<'py, PyAny>> {
    let tensor = this(slf);
    if tensor.dtype() == dtype {
        return Ok(slf.clone().into_any());
    }
    Ok(ops::conversion::to_copy(tensor, dtype)?.into_pyobject(slf.py())?.into_any())
}

/// A tensor in another order in memory, if one is asked for.
fn in_format(tensor: Bound<'_, PyAny>, memory_format: Option<MemoryFormat>) -> PyResult<Bound<'_, PyAny>> {
    let (Some(format), Some(found)) = (memory_format.filter(|&f| f != MemoryFormat::Preserve), tensor_of(&tensor))
    else {
        return Ok(tensor);
    };
    if format.holds(found) {
        return Ok(tensor);
    }
    Ok(ops::conversion::contiguous_in(found, format)?.into_pyobject(tensor.py())?.into_any())
}

fn fill_in_place<'py>(slf: &Bound<'py, PyTensor>, value: Value, name: &str) -> PyResult<Bound<'py, PyTensor>> {
    let Some(op) = crate::op::find(name, "") else {
        return Err(PyRuntimeError::new_err(format!("{name} is not registered")));
    };
    let mut arguments = vec![Value::Tensor(this(slf).clone())];
    if name == "fill" {
        arguments.push(value);
    }
    crate::autograd::record::call_in_place(op, &arguments)?;
    Ok(slf.clone())
}

/// The element that Python's `float`, `int` and `complex` convert.
fn single(slf: &Bound<'_, PyTensor>) -> PyResult<Scalar> {
    let tensor = this(slf);
    if tensor.numel() != 1 {
        return Err(PyValueError::new_err(format!(
            "only a tensor with one element can become a Python number, this one has size {}",
            shape::show(&tensor.sizes())
        )));
    }
    Ok(tensor.item()?)
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

/// Copies the attributes that a user gave an object.
fn copy_attributes(from: &Bound<'_, PyAny>, to: &Bound<'_, PyAny>, memo: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    let attributes = from.getattr("__dict__")?;
    if attributes.is_truthy()? {
        let copied = match memo {
            Some(memo) => from.py().import("copy")?.getattr("deepcopy")?.call1((&attributes, memo))?,
            None => attributes,
        };
        to.getattr("__dict__")?.call_method1("update", (copied,))?;
    }
    Ok(())
}

/// A tensor from its pickled parts.
#[pyfunction]
pub fn _rebuild<'py>(
    cls: &Bound<'py, PyType>,
    bytes: &[u8],
    dtype: DType,
    sizes: Vec<usize>,
    requires_grad: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let tensor = Tensor::empty(&sizes, dtype)?;
    let expected = tensor.numel() * dtype.size();
    if bytes.len() != expected {
        return Err(PyValueError::new_err(format!(
            "a {dtype} tensor of size {} has {expected} bytes, the pickle holds {}",
            shape::show(&sizes),
            bytes.len()
        )));
    }
    if dtype == DType::Bool && bytes.iter().any(|&byte| byte > 1) {
        return Err(PyValueError::new_err("the pickle holds a bool that is neither 0 nor 1"));
    }
    // SAFETY: the fresh tensor has room for exactly these bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), tensor.data().pointer(), bytes.len()) };
    tensor.set_requires_grad(requires_grad)?;
    let py = cls.py();
    if cls.is(py.get_type::<PyTensor>()) {
        return Ok(wrap(py, &tensor)?.into_bound(py).into_any());
    }
    adopt(py, &tensor, cls)
}

/// A number as Python has it.
pub fn number_object(py: Python<'_>, value: Scalar) -> PyResult<Py<PyAny>> {
    Ok(match value {
        Scalar::Bool(value) => PyBool::new(py, value).to_owned().into_any().unbind(),
        Scalar::Int(value) => value.into_pyobject(py)?.into_any().unbind(),
        Scalar::Float(value) => PyFloat::new(py, value).into_any().unbind(),
        Scalar::Complex(value) => PyComplex::from_doubles(py, value.re, value.im).into_any().unbind(),
    })
}

/// An element as Python has it: uint64 has integers beyond those of a [`Scalar`].
fn number_of(py: Python<'_>, value: Scalar, dtype: DType) -> PyResult<Py<PyAny>> {
    match value {
        Scalar::Int(value) if dtype == DType::UInt64 => Ok((value as u64).into_pyobject(py)?.into_any().unbind()),
        value => number_object(py, value),
    }
}

/// A number without imaginary part.
fn real_number(name: &str, value: Scalar) -> PyResult<Scalar> {
    match value {
        Scalar::Complex(z) if z.im != 0.0 => {
            Err(PyRuntimeError::new_err(format!("{name}(): the complex number {value} has an imaginary part")))
        }
        Scalar::Complex(z) => Ok(Scalar::Float(z.re)),
        value => Ok(value),
    }
}

/// Stores a tensor or a number in a part of complex numbers.
fn store_part(part: &Tensor, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match arguments::convert(value, crate::value::Kind::Operand, false)? {
        Some(Value::Tensor(source)) => {
            primitives::call_in_place("copy", &[Value::Tensor(part.clone()), Value::Tensor(source)])?
        }
        Some(number) => primitives::call_in_place("fill", &[Value::Tensor(part.clone()), number])?,
        None => {
            return Err(PyTypeError::new_err(format!(
                "{name}: a Tensor or a number is expected, got {}",
                arguments::describe(value)
            )));
        }
    };
    Ok(())
}

/// Nested lists of the elements from row-major number `start` on.
fn nested(
    py: Python<'_>,
    sizes: &[usize],
    start: usize,
    element: &dyn Fn(usize) -> PyResult<Py<PyAny>>,
) -> PyResult<Py<PyAny>> {
    let Some((&size, rest)) = sizes.split_first() else { return element(start) };
    let step: usize = rest.iter().product();
    let items = (0..size).map(|i| nested(py, rest, start + i * step, element)).collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any().unbind())
}
