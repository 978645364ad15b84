//! `rgrad.memory_format` and `rgrad.layout`: how the elements of a tensor lie in memory.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::memory_format::MemoryFormat;

/// The order of the elements of a tensor in memory.
#[pyclass(name = "memory_format", module = "rgrad", frozen)]
pub struct PyMemoryFormat(MemoryFormat);

#[pymethods]
impl PyMemoryFormat {
    fn __repr__(&self) -> String {
        format!("torch.{}", self.0.name())
    }

    fn __reduce__(&self) -> &'static str {
        self.0.name()
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for MemoryFormat {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<MemoryFormat> {
        match object.cast::<PyMemoryFormat>() {
            Ok(format) => Ok(format.get().0),
            Err(_) => Err(PyTypeError::new_err(format!(
                "a memory format such as rgrad.channels_last is expected, got {}",
                object.get_type().name()?
            ))),
        }
    }
}

/// Whether all elements of a tensor are stored. Those of rgrad's tensors are.
#[pyclass(name = "layout", module = "rgrad", frozen)]
pub struct PyLayout(&'static str);

#[pymethods]
impl PyLayout {
    fn __repr__(&self) -> String {
        format!("torch.{}", self.0)
    }

    fn __reduce__(&self) -> &'static str {
        self.0
    }
}

const STRIDED: &str = "strided";
/// Layouts that programs compare with; there are no such tensors.
const OTHERS: [&str; 5] = ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc"];

static THIS_LAYOUT: PyOnceLock<Py<PyLayout>> = PyOnceLock::new();

/// The layout of every tensor.
pub fn strided(py: Python<'_>) -> PyResult<Py<PyLayout>> {
    Ok(THIS_LAYOUT.get_or_try_init(py, || Py::new(py, PyLayout(STRIDED)))?.clone_ref(py))
}

/// Accepts the layout that tensors have.
pub fn check_layout(layout: &Bound<'_, PyAny>) -> PyResult<()> {
    match layout.cast::<PyLayout>() {
        Ok(layout) if layout.get().0 == STRIDED => Ok(()),
        Ok(layout) => Err(PyRuntimeError::new_err(format!("rgrad has no tensors of layout {}", layout.get().0))),
        Err(_) => Err(PyTypeError::new_err(format!("a layout is expected, got {}", layout.get_type().name()?))),
    }
}

/// Adds the classes and their instances.
pub fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyMemoryFormat>()?;
    module.add_class::<PyLayout>()?;
    for format in MemoryFormat::ALL {
        module.add(format.name(), PyMemoryFormat(format))?;
    }
    module.add(STRIDED, strided(module.py())?)?;
    for name in OTHERS {
        module.add(name, PyLayout(name))?;
    }
    Ok(())
}
