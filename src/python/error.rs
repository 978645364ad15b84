//! Errors of the crate as Python exceptions, and back.

use pyo3::exceptions::{
    PyAttributeError, PyIndexError, PyMemoryError, PyNotImplementedError, PyRuntimeError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;

use crate::error::{Error, Kind};

pyo3::create_exception!(
    _rgrad,
    _LinAlgError,
    PyRuntimeError,
    "A matrix is singular, or a decomposition does not exist or was not found."
);

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        let (kind, message) = error.into_parts();
        match kind {
            Kind::Runtime => PyRuntimeError::new_err(message),
            Kind::Type => PyTypeError::new_err(message),
            Kind::Value => PyValueError::new_err(message),
            Kind::Index => PyIndexError::new_err(message),
            Kind::Memory => PyMemoryError::new_err(message),
            Kind::Attribute => PyAttributeError::new_err(message),
            Kind::NotImplemented => PyNotImplementedError::new_err(message),
            Kind::LinAlg => _LinAlgError::new_err(message),
            Kind::Foreign(payload) => match payload.downcast::<PyErr>() {
                Ok(error) => *error,
                Err(_) => PyRuntimeError::new_err(message),
            },
        }
    }
}

/// A Python exception on its way through the core.
impl From<PyErr> for Error {
    fn from(error: PyErr) -> Error {
        Error::foreign(error)
    }
}
