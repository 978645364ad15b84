//! What a tensor answers about devices and layouts that rgrad has not: programs ask before they do something about it.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::dtype::DType;
use crate::python::conversions::convert;
use crate::python::dtype::refuse_device;
use crate::python::layout::{self, PyLayout};
use crate::python::tensor::{PyTensor, this};

/// Properties that are false for every tensor.
macro_rules! never {
    ($($name:ident)+) => {
        #[pymethods]
        impl PyTensor {
            $(
                #[getter]
                fn $name(_slf: &Bound<'_, Self>) -> bool {
                    false
                }
            )+
        }
    };
}

never! {
    is_cuda is_ipu is_maia is_mkldnn is_mps is_mtia is_nested is_quantized is_sparse is_sparse_csr
    is_vulkan is_xla is_xpu
}

#[pymethods]
impl PyTensor {
    /// Whether the tensor has sizes and no values.
    #[getter]
    fn is_meta(slf: &Bound<'_, Self>) -> bool {
        this(slf).is_meta()
    }

    #[getter]
    fn layout(slf: &Bound<'_, Self>) -> PyResult<Py<PyLayout>> {
        layout::strided(slf.py())
    }

    /// Raises AssertionError: there is no such device.
    #[pyo3(signature = (device = None, non_blocking = false, memory_format = None))]
    fn cuda(
        _slf: &Bound<'_, Self>,
        device: Option<&Bound<'_, PyAny>>,
        non_blocking: bool,
        memory_format: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (device, non_blocking, memory_format);
        Err(refuse_device("cuda"))
    }

    /// Raises AssertionError: there is no such device.
    #[pyo3(signature = (device = None, non_blocking = false, memory_format = None))]
    fn xpu(
        _slf: &Bound<'_, Self>,
        device: Option<&Bound<'_, PyAny>>,
        non_blocking: bool,
        memory_format: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (device, non_blocking, memory_format);
        Err(refuse_device("xpu"))
    }

    /// Raises RuntimeError: pages are pinned for a device beside the CPU, and there is none.
    #[pyo3(signature = (device = None))]
    fn pin_memory(_slf: &Bound<'_, Self>, device: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let _ = device;
        Err(PyRuntimeError::new_err("pin_memory(): there is no device beside the CPU to pin memory for"))
    }

    #[pyo3(signature = (device = None))]
    fn is_pinned(_slf: &Bound<'_, Self>, device: Option<&Bound<'_, PyAny>>) -> bool {
        let _ = device;
        false
    }

    /// The tensor as it is: all its elements are stored already.
    #[pyo3(signature = (dtype = None, *, masked_grad = None))]
    fn to_dense<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<DType>,
        masked_grad: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = masked_grad;
        convert(slf, dtype.unwrap_or(this(slf).dtype()))
    }

    /// The names that dimensions or tensors had once.
    #[getter]
    fn name(slf: &Bound<'_, Self>) -> Py<PyAny> {
        slf.py().None()
    }
}
