//! Tensors as Python numbers and lists, and as tensors of other types.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyList, PyTuple};

use crate::autograd::cuts::{self, Reason};
use crate::dtype::DType;
use crate::memory_format::MemoryFormat;
use crate::python::dtype::{check_device, is_meta};
use crate::python::overrides::overridable;
use crate::python::printing;
use crate::python::tensor::{PyTensor, tensor_of, this};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::{ops, shape};

#[pymethods]
impl PyTensor {
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
