//! The number protocol: `a + b`, `a += b`, `a < b`, `a @ b`, `a[b]` and their kin.

use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;

use crate::autograd::record;
use crate::op::Op;
use crate::ops::macros::Declared;
use crate::ops::{arithmetic, comparison, matrix, power, unary};
use crate::python::arguments::number;
use crate::python::index;
use crate::python::numpy;
use crate::python::tensor::{PyTensor, tensor_of, this, wrap};
use crate::value::Value;

/// The other operand, or `None` if it is neither a tensor nor a number.
#[inline]
fn operand(other: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
    match tensor_of(other) {
        Some(tensor) => Ok(Some(Value::Tensor(tensor.clone()))),
        None => Ok(number(other)?.map(Value::Scalar)),
    }
}

/// `slf op other`, or `NotImplemented`.
#[inline]
fn binary(op: &'static Op, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    match operand(other)? {
        Some(other) => {
            let result = record::call_one(op, &[Value::Tensor(this(slf).clone()), other])?;
            Ok(wrap(py, &result)?.into_any())
        }
        None => Ok(py.NotImplemented()),
    }
}

/// `other op slf`, or `NotImplemented`.
#[inline]
fn reflected(op: &'static Op, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    match operand(other)? {
        Some(other) => {
            let result = record::call_one(op, &[other, Value::Tensor(this(slf).clone())])?;
            Ok(wrap(py, &result)?.into_any())
        }
        None => Ok(py.NotImplemented()),
    }
}

/// `slf op= other`.
#[inline]
fn in_place(op: &'static Op, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<()> {
    match operand(other)? {
        Some(other) => {
            record::call_in_place(op, &[Value::Tensor(this(slf).clone()), other])?;
            Ok(())
        }
        None => Err(pyo3::exceptions::PyTypeError::new_err(format!(
            "{}_(): the other operand has to be a Tensor or a number, got {}",
            op.name,
            crate::python::arguments::describe(other)
        ))),
    }
}

macro_rules! op {
    ($module:ident::$name:ident) => {
        <$module::$name::Declaration as Declared>::OP
    };
}

#[pymethods]
impl PyTensor {
    fn __add__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::add), slf, other)
    }

    fn __radd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        // The order of the operands in the graph is PyTorch's: the tensor first.
        binary(op!(arithmetic::add), slf, other)
    }

    fn __iadd__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(arithmetic::add), slf, other)
    }

    fn __sub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::sub), slf, other)
    }

    fn __rsub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::rsub), slf, other)
    }

    fn __isub__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(arithmetic::sub), slf, other)
    }

    fn __mul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::mul), slf, other)
    }

    fn __rmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::mul), slf, other)
    }

    fn __imul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(arithmetic::mul), slf, other)
    }

    fn __truediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::div), slf, other)
    }

    fn __rtruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let Some(Value::Scalar(other)) = operand(other)? else {
            return reflected(op!(arithmetic::div), slf, other);
        };
        let inverse = unary::reciprocal(this(slf))?;
        let result = arithmetic::mul((&inverse).into(), other.into())?;
        Ok(wrap(slf.py(), &result)?.into_any())
    }

    fn __itruediv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(arithmetic::div), slf, other)
    }

    fn __floordiv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::floor_divide), slf, other)
    }

    fn __rfloordiv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(op!(arithmetic::floor_divide), slf, other)
    }

    fn __ifloordiv__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(arithmetic::floor_divide), slf, other)
    }

    fn __mod__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(arithmetic::remainder), slf, other)
    }

    fn __rmod__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(op!(arithmetic::remainder), slf, other)
    }

    fn __imod__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(arithmetic::remainder), slf, other)
    }

    fn __pow__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        if !modulo.is_none() {
            return Ok(slf.py().NotImplemented());
        }
        binary(op!(power::pow), slf, other)
    }

    fn __rpow__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        if !modulo.is_none() {
            return Ok(slf.py().NotImplemented());
        }
        reflected(op!(power::pow), slf, other)
    }

    fn __ipow__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(power::pow), slf, other)
    }

    fn __matmul__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        if tensor_of(other).is_none() {
            return Ok(slf.py().NotImplemented());
        }
        binary(op!(matrix::matmul), slf, other)
    }

    fn __and__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(comparison::bitwise_and), slf, other)
    }

    fn __rand__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(comparison::bitwise_and), slf, other)
    }

    fn __iand__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(comparison::bitwise_and), slf, other)
    }

    fn __or__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(comparison::bitwise_or), slf, other)
    }

    fn __ror__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(comparison::bitwise_or), slf, other)
    }

    fn __ior__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(comparison::bitwise_or), slf, other)
    }

    fn __xor__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(comparison::bitwise_xor), slf, other)
    }

    fn __rxor__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(comparison::bitwise_xor), slf, other)
    }

    fn __ixor__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(comparison::bitwise_xor), slf, other)
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, comparison: CompareOp) -> PyResult<Py<PyAny>> {
        let op = match comparison {
            CompareOp::Lt => op!(comparison::lt),
            CompareOp::Le => op!(comparison::le),
            CompareOp::Eq => op!(comparison::eq),
            CompareOp::Ne => op!(comparison::ne),
            CompareOp::Gt => op!(comparison::gt),
            CompareOp::Ge => op!(comparison::ge),
        };
        // Without this, Python would compare a tensor and an array as objects, and find them different.
        if matches!(comparison, CompareOp::Eq | CompareOp::Ne)
            && let Some(array) = numpy::array(other)?
        {
            return binary(op, slf, array.into_pyobject(slf.py())?.as_any());
        }
        binary(op, slf, other)
    }

    fn __neg__(slf: &Bound<'_, Self>) -> PyResult<crate::Tensor> {
        Ok(unary::neg(this(slf))?)
    }

    fn __pos__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __abs__(slf: &Bound<'_, Self>) -> PyResult<crate::Tensor> {
        Ok(unary::abs(this(slf))?)
    }

    fn __invert__(slf: &Bound<'_, Self>) -> PyResult<crate::Tensor> {
        Ok(comparison::bitwise_not(this(slf))?)
    }

    fn __getitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<crate::Tensor> {
        index::get(this(slf), key)
    }

    fn __setitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        index::set(this(slf), key, value)
    }
}
