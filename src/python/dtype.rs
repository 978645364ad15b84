//! `rgrad.dtype` and `rgrad.device`.

use std::cell::RefCell;

use pyo3::exceptions::{PyAssertionError, PyNotImplementedError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyString, PyTuple, PyType};

use crate::dtype::{COUNT, DType};
use crate::tensor::Tensor;

/// The element type of a tensor.
#[pyclass(name = "dtype", module = "rgrad", frozen, eq, hash)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PyDType(pub DType);

#[pymethods]
impl PyDType {
    fn __repr__(&self) -> String {
        format!("torch.{}", self.0.name())
    }

    fn __reduce__(&self) -> String {
        self.0.name().into()
    }

    /// Bytes of one element.
    #[getter]
    fn itemsize(&self) -> usize {
        self.0.size()
    }

    #[getter]
    fn is_floating_point(&self) -> bool {
        self.0.is_float()
    }

    #[getter]
    fn is_complex(&self) -> bool {
        self.0.is_complex()
    }

    #[getter]
    fn is_signed(&self) -> bool {
        self.0.is_signed()
    }

    /// The type of the real part.
    #[allow(clippy::wrong_self_convention, reason = "PyO3 calls methods by reference")]
    fn to_real(&self, py: Python<'_>) -> PyResult<Py<PyDType>> {
        Ok(object(py, self.0.real())?.clone_ref(py))
    }

    /// The complex type whose parts are of this float type.
    ///
    /// Raises `RuntimeError` for integers and for float16, which rgrad has no complex type of.
    #[allow(clippy::wrong_self_convention, reason = "PyO3 calls methods by reference")]
    fn to_complex(&self, py: Python<'_>) -> PyResult<Py<PyDType>> {
        if self.0.is_integral() || self.0 == DType::Float16 {
            return Err(PyRuntimeError::new_err(format!("to_complex(): there is no complex type of {}", self.0)));
        }
        Ok(object(py, self.0.complex())?.clone_ref(py))
    }
}

static OBJECTS: PyOnceLock<[Py<PyDType>; COUNT]> = PyOnceLock::new();

/// The one Python object of an element type.
pub fn object(py: Python<'_>, dtype: DType) -> PyResult<&Py<PyDType>> {
    let objects = OBJECTS.get_or_try_init(py, || -> PyResult<_> {
        let all = DType::ALL.map(|dtype| Py::new(py, PyDType(dtype)));
        let mut made = Vec::with_capacity(COUNT);
        for object in all {
            made.push(object?);
        }
        made.try_into().map_err(|_| PyRuntimeError::new_err("the dtype objects could not be made"))
    })?;
    Ok(&objects[dtype as usize])
}

/// A dtype, or one of Python's `bool`, `int`, `float`, `complex`; `None` for anything else.
pub fn from_python(object: &Bound<'_, PyAny>) -> Option<DType> {
    if let Ok(dtype) = object.cast_exact::<PyDType>() {
        return Some(dtype.get().0);
    }
    let kind = object.cast::<PyType>().ok()?;
    let py = object.py();
    if kind.is(py.get_type::<PyFloat>()) {
        Some(DType::Float64)
    } else if kind.is(py.get_type::<PyComplex>()) {
        Some(DType::Complex128)
    } else if kind.is(py.get_type::<PyInt>()) {
        Some(DType::Int64)
    } else if kind.is(py.get_type::<PyBool>()) {
        Some(DType::Bool)
    } else {
        None
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for DType {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<DType> {
        from_python(&object).ok_or_else(|| {
            let kind = object.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
            PyTypeError::new_err(format!("a dtype such as rgrad.float32 is expected, got {kind}"))
        })
    }
}

/// A place for tensors. Any can be named, as programs do before they ask whether it is there; tensors are on the CPU.
#[pyclass(name = "device", module = "rgrad", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PyDevice {
    kind: &'static str,
    index: Option<u8>,
}

const CPU: PyDevice = PyDevice { kind: "cpu", index: None };
const META: PyDevice = PyDevice { kind: "meta", index: None };
const KINDS: [&str; 10] = ["cpu", "cuda", "hpu", "ipu", "meta", "mps", "mtia", "vulkan", "xla", "xpu"];

impl PyDevice {
    /// Where tensors are.
    pub fn cpu() -> PyDevice {
        CPU
    }

    /// Where a tensor is.
    pub fn of(tensor: &Tensor) -> PyDevice {
        if tensor.is_meta() { META } else { CPU }
    }

    /// The device that is written as `"cpu"` or `"cuda:1"`.
    fn named(name: &str) -> PyResult<PyDevice> {
        let (kind, index) = name.split_once(':').map_or((name, None), |(kind, index)| (kind, Some(index)));
        let known = KINDS.into_iter().find(|&known| known == kind);
        match (known, index.map(str::parse).transpose()) {
            (Some(kind), Ok(index)) => Ok(PyDevice { kind, index }),
            _ => Err(PyRuntimeError::new_err(format!(
                "device '{name}' is not known: one of {KINDS:?}, perhaps with an index as in 'cuda:1', is expected"
            ))),
        }
    }

    fn from_python(object: &Bound<'_, PyAny>) -> PyResult<PyDevice> {
        if let Ok(device) = object.cast::<PyDevice>() {
            return Ok(device.get().clone());
        }
        if let Ok(name) = object.cast::<PyString>() {
            return PyDevice::named(name.to_str()?);
        }
        if object.is_exact_instance_of::<PyInt>() {
            return Err(PyRuntimeError::new_err(format!(
                "device {object} is not available: rgrad computes on the CPU"
            )));
        }
        Err(PyTypeError::new_err(format!(
            "device has to be a string or an rgrad.device, got {}",
            object.get_type().name()?
        )))
    }
}

#[pymethods]
impl PyDevice {
    #[new]
    #[pyo3(signature = (r#type, index = None))]
    fn new(r#type: &Bound<'_, PyAny>, index: Option<u8>) -> PyResult<PyDevice> {
        let device = PyDevice::from_python(r#type)?;
        match (device.index, index) {
            (Some(_), Some(_)) => {
                Err(PyRuntimeError::new_err(format!("device: the index is given twice, in {} and apart", r#type)))
            }
            (None, index) => Ok(PyDevice { index, ..device }),
            _ => Ok(device),
        }
    }

    #[getter]
    fn r#type(&self) -> &'static str {
        self.kind
    }

    #[getter]
    fn index(&self) -> Option<u8> {
        self.index
    }

    fn __repr__(&self) -> String {
        let index = self.index.map_or_else(String::new, |index| format!(", index={index}"));
        format!("device(type='{}'{index})", self.kind)
    }

    fn __str__(&self) -> String {
        self.index.map_or_else(|| self.kind.to_owned(), |index| format!("{}:{index}", self.kind))
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<(Py<PyAny>, (String,))> {
        Ok((slf.get_type().into_any().unbind(), (slf.get().__str__(),)))
    }

    /// Has tensors made on this device within a `with` block.
    ///
    /// Raises the error of a device that is not there.
    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let meta = slf.get().kind == META.kind;
        if !meta {
            check_device(Some(slf.as_any()))?;
        }
        ENTERED.with_borrow_mut(|entered| entered.push(meta));
        Ok(slf)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) {
        ENTERED.with_borrow_mut(Vec::pop);
    }

    /// A function that makes its tensors on this device: on the CPU, the function as it is.
    fn __call__<'py>(slf: &Bound<'py, Self>, function: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        check_device(Some(slf.as_any()))?;
        Ok(function)
    }
}

thread_local! {
    /// The devices of the `with` blocks that are open: whether each is that of tensors without values.
    static ENTERED: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

/// Whether tensors for which no device is named have no values.
pub fn makes_meta() -> bool {
    ENTERED.with_borrow(|entered| entered.last().copied().unwrap_or(false))
}

/// Accepts the CPU in every spelling, and nothing else.
pub fn check_device(device: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(object) = device.filter(|device| !device.is_none()) else { return Ok(()) };
    let device = PyDevice::from_python(object)?;
    if device.kind == CPU.kind { Ok(()) } else { Err(refuse_device(device.kind)) }
}

/// Whether a device is that of tensors without values.
pub fn is_meta(device: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!device.is_none() && PyDevice::from_python(device)?.kind == META.kind)
}

/// The error for work on a device that is not there; of the class that PyTorch raises without it.
pub fn refuse_device(kind: &str) -> PyErr {
    let message = format!("device '{kind}' is not available: rgrad computes on the CPU");
    match kind {
        "cuda" | "mtia" | "xpu" => PyAssertionError::new_err(message),
        "mps" | "meta" => PyNotImplementedError::new_err(message),
        _ => PyRuntimeError::new_err(message),
    }
}
