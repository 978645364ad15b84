//! `rgrad.dtype` and `rgrad.device`.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyString, PyTuple, PyType};

use crate::dtype::{COUNT, DType};

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

/// Where a tensor lives: here, always the CPU.
#[pyclass(name = "device", module = "rgrad", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PyDevice;

#[pymethods]
impl PyDevice {
    #[new]
    #[pyo3(signature = (r#type, index = None))]
    fn new(r#type: &Bound<'_, PyAny>, index: Option<i64>) -> PyResult<PyDevice> {
        check_device(Some(r#type))?;
        if index.is_some_and(|index| index > 0) {
            return Err(PyRuntimeError::new_err(format!("device: there is one CPU device, got index {index:?}")));
        }
        Ok(PyDevice)
    }

    #[getter]
    fn r#type(&self) -> &'static str {
        "cpu"
    }

    #[getter]
    fn index(&self) -> Option<i64> {
        None
    }

    fn __repr__(&self) -> &'static str {
        "device(type='cpu')"
    }

    fn __str__(&self) -> &'static str {
        "cpu"
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<(Py<PyAny>, (&'static str,))> {
        Ok((slf.get_type().into_any().unbind(), ("cpu",)))
    }

    /// Where tensors are made within a `with` block: on the CPU, as everywhere.
    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) {}

    /// A function as it is: it makes its tensors on the CPU already.
    fn __call__<'py>(&self, function: Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        function
    }
}

/// Accepts the CPU in every spelling, and nothing else.
pub fn check_device(device: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let Some(device) = device else { return Ok(()) };
    if device.is_none() || device.cast::<PyDevice>().is_ok() {
        return Ok(());
    }
    if let Ok(name) = device.cast::<PyString>() {
        if matches!(name.to_str()?, "cpu" | "cpu:0") {
            return Ok(());
        }
        return Err(PyRuntimeError::new_err(format!("device '{name}' is not available: rgrad computes on the CPU")));
    }
    Err(PyTypeError::new_err(format!(
        "device has to be a string or an rgrad.device, got {}",
        device.get_type().name()?
    )))
}
