//! The number protocol: `a + b`, `a += b`, `a < b`, `a @ b`, `a[b]` and their kin.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::sync::PyOnceLock;
use pyo3::type_object::PyTypeInfo;

use crate::autograd::record;
use crate::op::Op;
use crate::ops::macros::Declared;
use crate::ops::rearrangement::flip;
use crate::ops::{arithmetic, comparison, integer, matrix, power, unary};
use crate::python::arguments::number;
use crate::python::index;
use crate::python::numpy;
use crate::python::operation::returned;
use crate::python::overrides::{self, overridable};
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

/// The method of `Tensor` by whose name an override is told of `slf op other`.
fn forward_name(op: &'static Op) -> &'static str {
    match op.name {
        "floor_divide" => "__floordiv__",
        "bitwise_and" => "__and__",
        "bitwise_or" => "__or__",
        "bitwise_xor" => "__xor__",
        "bitwise_left_shift" => "__lshift__",
        "bitwise_right_shift" => "__rshift__",
        "eq" => "__eq__",
        "rsub" => "__rsub__",
        name => name,
    }
}

/// As [`forward_name`], of `other op slf`.
fn reflected_name(op: &'static Op) -> &'static str {
    match op.name {
        "div" => "__rtruediv__",
        "floor_divide" => "__rfloordiv__",
        "remainder" => "__rmod__",
        "pow" => "__rpow__",
        "bitwise_left_shift" => "__rlshift__",
        "bitwise_right_shift" => "__rrshift__",
        name => name,
    }
}

/// As [`forward_name`], of `slf op= other`.
fn in_place_name(op: &'static Op) -> String {
    match op.name {
        "bitwise_and" => "__iand__".into(),
        "bitwise_or" => "__ior__".into(),
        "bitwise_xor" => "__ixor__".into(),
        "bitwise_left_shift" => "__ilshift__".into(),
        "bitwise_right_shift" => "__irshift__".into(),
        name => format!("{name}_"),
    }
}

/// What an override gives for an operator, if there is one.
#[cold]
fn overridden(name: &str, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    overrides::operator(slf.py(), name, &[slf.as_ptr(), other.as_ptr()])
}

/// `slf op other`, or `NotImplemented`.
#[inline]
fn binary(op: &'static Op, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    if overrides::may_concern(py, &[slf.as_ptr(), other.as_ptr()])
        && let Some(answer) = overridden(forward_name(op), slf, other)?
    {
        return Ok(answer);
    }
    match operand(other)? {
        Some(other) => {
            let result = record::call_one(op, &[Value::Tensor(this(slf).clone()), other])?;
            Ok(wrap(py, &result)?.into_any())
        }
        None => Ok(overridden(forward_name(op), slf, other)?.unwrap_or_else(|| py.NotImplemented())),
    }
}

/// `other op slf`, or `NotImplemented`.
#[inline]
fn reflected(op: &'static Op, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    if overrides::may_concern(py, &[slf.as_ptr(), other.as_ptr()])
        && let Some(answer) = overridden(reflected_name(op), slf, other)?
    {
        return Ok(answer);
    }
    match operand(other)? {
        Some(other) => {
            let result = record::call_one(op, &[other, Value::Tensor(this(slf).clone())])?;
            Ok(wrap(py, &result)?.into_any())
        }
        None => Ok(overridden(reflected_name(op), slf, other)?.unwrap_or_else(|| py.NotImplemented())),
    }
}

/// `slf op= other`.
#[inline]
fn in_place(op: &'static Op, slf: &Bound<'_, PyTensor>, other: &Bound<'_, PyAny>) -> PyResult<()> {
    let operands = [slf.as_ptr(), other.as_ptr()];
    if overrides::may_concern(slf.py(), &operands)
        && overrides::method(slf.py(), &in_place_name(op), &operands)?.is_some()
    {
        return Ok(());
    }
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
        if overrides::may_concern(slf.py(), &[slf.as_ptr(), other.as_ptr()])
            && let Some(answer) = overridden("__rtruediv__", slf, other)?
        {
            return Ok(answer);
        }
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
            let answer = overridden("matmul", slf, other)?;
            return Ok(answer.unwrap_or_else(|| slf.py().NotImplemented()));
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

    fn __lshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(integer::bitwise_left_shift), slf, other)
    }

    fn __rlshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(op!(integer::bitwise_left_shift), slf, other)
    }

    fn __ilshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(integer::bitwise_left_shift), slf, other)
    }

    fn __rshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        binary(op!(integer::bitwise_right_shift), slf, other)
    }

    fn __rrshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        reflected(op!(integer::bitwise_right_shift), slf, other)
    }

    fn __irshift__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<()> {
        in_place(op!(integer::bitwise_right_shift), slf, other)
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

    fn __neg__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        overridable!("neg", slf);
        Ok(wrap(slf.py(), &unary::neg(this(slf))?)?.into_any())
    }

    fn __pos__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        overridable!("__pos__", slf);
        Ok(slf.clone().into_any().unbind())
    }

    fn __abs__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        overridable!("abs", slf);
        Ok(wrap(slf.py(), &unary::abs(this(slf))?)?.into_any())
    }

    fn __invert__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        overridable!("__invert__", slf);
        let dtype = this(slf).dtype();
        if !dtype.is_integral() {
            return Err(PyTypeError::new_err(format!(
                "~ inverts the bits of integers and bools, this tensor is {dtype}"
            )));
        }
        Ok(wrap(slf.py(), &comparison::bitwise_not(this(slf))?)?.into_any())
    }

    /// The elements along the first dimension from the last to the first.
    fn __reversed__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        overridable!("__reversed__", slf);
        let tensor = this(slf);
        let turned = if tensor.ndim() == 0 { tensor.clone() } else { flip(tensor, &[0])? };
        Ok(wrap(slf.py(), &turned)?.into_any())
    }

    fn __getitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        overridable!("__getitem__", slf, key);
        Ok(wrap(slf.py(), &index::get(this(slf), key)?)?.into_any())
    }

    fn __setitem__(slf: &Bound<'_, Self>, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let arguments = [slf.as_ptr(), key.as_ptr(), value.as_ptr()];
        if overrides::may_concern(slf.py(), &arguments)
            && overrides::method(slf.py(), "__setitem__", &arguments)?.is_some()
        {
            return Ok(());
        }
        index::set(this(slf), key, value)
    }
}

/// Whether an object is a tensor of no subclass.
#[inline(always)]
unsafe fn is_plain(py: Python<'_>, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's object is alive; types are compared by address.
    unsafe { ptr::eq(ffi::Py_TYPE(object), PyTensor::type_object_raw(py)) }
}

/// `a op b` for a plain tensor and another, or a number; `None` for other operands, and where overrides are to be asked.
#[inline(always)]
unsafe fn of_plain(op: &'static Op, a: *mut ffi::PyObject, b: *mut ffi::PyObject) -> Option<*mut ffi::PyObject> {
    // SAFETY: CPython calls with the GIL held and living operands, and the types are looked at.
    unsafe {
        let py = Python::assume_attached();
        let fits = is_plain(py, b) || ffi::PyFloat_CheckExact(b) != 0 || ffi::PyLong_CheckExact(b) != 0;
        if !is_plain(py, a) || !fits || overrides::may_concern(py, &[a, b]) {
            return None;
        }
        let (a, b) = (Borrowed::from_ptr(py, a).cast_unchecked(), Borrowed::from_ptr(py, b));
        Some(returned(py, catch_unwind(AssertUnwindSafe(|| binary(op, &a, &b)))))
    }
}

/// The short way for the operators that programs mostly consist of: what PyO3 does around a call, above all to count
/// that the GIL is held, is a tenth of it. All else is left to the slots of PyO3.
macro_rules! arithmetic_slots {
    ($($slot:ident: $module:ident::$name:ident;)+) => {
        struct Arithmetic {
            $($slot: Option<ffi::binaryfunc>,)+
            mp_subscript: Option<ffi::binaryfunc>,
        }

        static ARITHMETIC: PyOnceLock<Arithmetic> = PyOnceLock::new();

        $(unsafe extern "C" fn $slot(a: *mut ffi::PyObject, b: *mut ffi::PyObject) -> *mut ffi::PyObject {
            // SAFETY: CPython calls with the GIL held and living operands.
            unsafe { of_plain(op!($module::$name), a, b).unwrap_or_else(|| left_to(|slots| slots.$slot, a, b)) }
        })+

        unsafe fn install_arithmetic(py: Python<'_>, kind: *mut ffi::PyTypeObject) {
            // SAFETY: as for `install`.
            unsafe {
                let (slots, mapping) = (&mut *(*kind).tp_as_number, &mut *(*kind).tp_as_mapping);
                ARITHMETIC.get_or_init(py, || Arithmetic {
                    $($slot: slots.$slot,)+
                    mp_subscript: mapping.mp_subscript,
                });
                $(slots.$slot = Some($slot);)+
                mapping.mp_subscript = Some(mp_subscript);
            }
        }
    };
}

arithmetic_slots! {
    nb_add: arithmetic::add;
    nb_subtract: arithmetic::sub;
    nb_multiply: arithmetic::mul;
    nb_true_divide: arithmetic::div;
}

/// `tensor[key]`, as the operators.
unsafe extern "C" fn mp_subscript(tensor: *mut ffi::PyObject, key: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for the operators.
    unsafe {
        let py = Python::assume_attached();
        if !is_plain(py, tensor) || overrides::may_concern(py, &[tensor, key]) {
            return left_to(|slots| slots.mp_subscript, tensor, key);
        }
        let (slf, key) = (Borrowed::from_ptr(py, tensor).cast_unchecked::<PyTensor>(), Borrowed::from_ptr(py, key));
        let get = || Ok(wrap(py, &index::get(this(&slf), &key)?)?.into_any());
        returned(py, catch_unwind(AssertUnwindSafe(get)))
    }
}

/// What a slot of PyO3 gives.
unsafe fn left_to(
    slot: impl FnOnce(&Arithmetic) -> Option<ffi::binaryfunc>,
    a: *mut ffi::PyObject,
    b: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for the operators.
    unsafe {
        let given = ARITHMETIC.get(Python::assume_attached()).and_then(slot).map(|slot| slot(a, b));
        given.unwrap_or_else(|| ffi::Py_NewRef(ffi::Py_NotImplemented()))
    }
}

/// Makes `a op= b` give what an override gives. PyO3 has the slots give the tensor that they changed.
macro_rules! in_place_slots {
    ($($slot:ident: $name:literal;)+) => {
        struct Slots {
            $($slot: Option<ffi::binaryfunc>,)+
            nb_inplace_power: Option<ffi::ternaryfunc>,
        }

        $(unsafe extern "C" fn $slot(slf: *mut ffi::PyObject, other: *mut ffi::PyObject) -> *mut ffi::PyObject {
            // SAFETY: CPython calls with the GIL held and living operands.
            unsafe {
                answer_in_place(slf, other, $name, |slots| slots.$slot.map(|slot| slot(slf, other)))
            }
        })+

        static SLOTS: PyOnceLock<Slots> = PyOnceLock::new();

        /// Puts the slots into the class, before it has subclasses.
        pub fn install(py: Python<'_>) {
            // SAFETY: the class is complete, and PyO3 allocated room for the operators with it.
            unsafe {
                let kind = PyTensor::type_object_raw(py);
                install_arithmetic(py, kind);
                let slots = &mut *(*kind).tp_as_number;
                SLOTS.get_or_init(py, || Slots {
                    $($slot: slots.$slot,)+
                    nb_inplace_power: slots.nb_inplace_power,
                });
                $(slots.$slot = Some($slot);)+
                slots.nb_inplace_power = Some(nb_inplace_power);
            }
        }
    };
}

in_place_slots! {
    nb_inplace_add: "add_";
    nb_inplace_subtract: "sub_";
    nb_inplace_multiply: "mul_";
    nb_inplace_true_divide: "div_";
    nb_inplace_floor_divide: "floor_divide_";
    nb_inplace_remainder: "remainder_";
    nb_inplace_and: "__iand__";
    nb_inplace_or: "__ior__";
    nb_inplace_xor: "__ixor__";
    nb_inplace_lshift: "__ilshift__";
    nb_inplace_rshift: "__irshift__";
}

/// As the other slots, with the operand that only `pow(a, b, modulo)` has.
unsafe extern "C" fn nb_inplace_power(
    slf: *mut ffi::PyObject,
    other: *mut ffi::PyObject,
    modulo: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for the slots.
    unsafe { answer_in_place(slf, other, "pow_", |slots| slots.nb_inplace_power.map(|slot| slot(slf, other, modulo))) }
}

/// What an override gives, or else the slot that PyO3 made.
unsafe fn answer_in_place(
    slf: *mut ffi::PyObject,
    other: *mut ffi::PyObject,
    name: &str,
    original: impl FnOnce(&Slots) -> Option<*mut ffi::PyObject>,
) -> *mut ffi::PyObject {
    // SAFETY: as for the slots.
    unsafe {
        let py = Python::assume_attached();
        if overrides::may_concern(py, &[slf, other]) {
            match catch_unwind(AssertUnwindSafe(|| overrides::method(py, name, &[slf, other]))) {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(answer))) => return answer.into_ptr(),
                Ok(Err(error)) => {
                    error.restore(py);
                    return ptr::null_mut();
                }
                Err(_) => {
                    PyRuntimeError::new_err("an internal error: an operator panicked; please report it").restore(py);
                    return ptr::null_mut();
                }
            }
        }
        let given = SLOTS.get(py).and_then(original);
        given.unwrap_or_else(|| ffi::Py_NewRef(ffi::Py_NotImplemented()))
    }
}
