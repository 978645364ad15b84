//! Python arguments as the values that an operation takes.

use num_complex::Complex;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::op::{Op, Traits};
use crate::python::dtype;
use crate::python::overrides;
use crate::python::tensor::{PyTensor, tensor_of};
use crate::scalar::Scalar;
use crate::shape::Ints;
use crate::value::{Kind, Value};

/// Why arguments do not fit a signature; turned into a message only if no other overload fits.
pub enum Mismatch {
    TooMany {
        given: usize,
        most: usize,
    },
    Missing(&'static str),
    Unknown(String),
    Twice(&'static str),
    Wrong {
        parameter: &'static str,
        expected: Kind,
        given: String,
    },
    /// A Python error raised while an argument was converted.
    Raised(PyErr),
}

impl From<PyErr> for Mismatch {
    fn from(error: PyErr) -> Self {
        Mismatch::Raised(error)
    }
}

/// The most arguments that an operation takes.
pub const MOST: usize = 24;

/// The values of one call.
pub type Values = smallvec::SmallVec<[Value; 4]>;

/// Fits positional and keyword arguments to the parameters of an operation, and puts their values into `values`: there
/// rather than into a result, because they are long and would be copied on the way. With `loose`, as for methods, a last
/// list of integers may be written without brackets.
pub fn parse(
    py: Python<'_>,
    op: &'static Op,
    positional: &[*mut ffi::PyObject],
    keywords: &[*mut ffi::PyObject],
    names: Option<&Bound<'_, PyTuple>>,
    loose: bool,
    values: &mut Values,
) -> Result<(), Mismatch> {
    let parameters = op.parameters;
    let places = places(op);
    let mut given: [*mut ffi::PyObject; MOST] = [std::ptr::null_mut(); MOST];
    let mut gathered: Option<(usize, Ints)> = None;
    if positional.len() > places && !op.traits.has(Traits::VARIADIC) || loose && gathers(op, places, positional, py) {
        // view(2, 3): the only list of integers may be written without brackets.
        if !loose || places == 0 || !is_ints(parameters[places - 1].kind) || places > 2 || positional.len() < places {
            return Err(Mismatch::TooMany { given: positional.len(), most: places });
        }
        let mut list = Ints::new();
        for &argument in &positional[places - 1..] {
            // SAFETY: arguments of a running call are alive.
            let argument = unsafe { Borrowed::from_ptr(py, argument) };
            match integer(&argument)? {
                Some(value) => list.push(value),
                None => return Err(Mismatch::TooMany { given: positional.len(), most: places }),
            }
        }
        gathered = Some((places - 1, list));
    }
    let mut loose_tensors = if op.traits.has(Traits::VARIADIC) { loose_tensors(op, positional, py)? } else { None };
    let direct = match (&gathered, &loose_tensors) {
        (Some((place, _)), _) | (_, Some((place, _))) => *place,
        _ => positional.len(),
    };
    given[..direct].copy_from_slice(&positional[..direct]);
    if let Some(names) = names {
        for (i, &argument) in keywords.iter().enumerate() {
            let name = names.get_borrowed_item(i)?;
            let name = name.cast::<PyString>().map_err(PyErr::from)?;
            let name = name.to_str()?;
            let Some(place) = parameters.iter().position(|parameter| is_called(parameter.name, name)) else {
                return Err(Mismatch::Unknown(name.to_owned()));
            };
            if !given[place].is_null() || gathered.as_ref().is_some_and(|row| row.0 == place) {
                return Err(Mismatch::Twice(parameters[place].name));
            }
            given[place] = argument;
        }
    }
    values.clear();
    for (i, parameter) in parameters.iter().enumerate() {
        if let Some((place, list)) = &mut gathered
            && *place == i
        {
            values.push(Value::Ints(std::mem::take(list)));
            continue;
        }
        if let Some((place, list)) = &mut loose_tensors
            && *place == i
        {
            values.push(Value::Tensors(std::mem::take(list)));
            continue;
        }
        if given[i].is_null() {
            values.push(match parameter.default {
                Some((_, default)) => default(),
                None => return Err(Mismatch::Missing(parameter.name)),
            });
            continue;
        }
        // SAFETY: as above.
        let argument = unsafe { Borrowed::from_ptr(py, given[i]) };
        // What a method takes without brackets, a function takes only with them: reshape(x, (6,)).
        let bare = !loose
            && parameter.kind == Kind::Ints
            && i + 1 == places
            && takes_loose_integers(op)
            && !parameter.optional
            && parameter.default.is_none()
            && !is_sequence(&argument);
        // As in PyTorch, None stands for an empty list that is the default.
        if parameter.kind == Kind::Ints
            && argument.is_none()
            && let Some((_, default)) = parameter.default
            && let Value::Ints(list) = default()
            && list.is_empty()
        {
            values.push(Value::Ints(list));
            continue;
        }
        match if bare { None } else { convert(&argument, parameter.kind, parameter.optional)? } {
            Some(value) => values.push(value),
            None => {
                return Err(Mismatch::Wrong {
                    parameter: parameter.name,
                    expected: parameter.kind,
                    given: describe(&argument),
                });
            }
        }
    }
    Ok(())
}

/// Tensors written one after another where a list of them is expected, and the place of the list: `meshgrid(x, y)`.
#[allow(clippy::type_complexity)]
fn loose_tensors(
    op: &Op,
    positional: &[*mut ffi::PyObject],
    py: Python<'_>,
) -> Result<Option<(usize, Vec<Option<crate::Tensor>>)>, Mismatch> {
    let place = op.parameters.iter().position(|parameter| parameter.kind == Kind::Tensors).unwrap_or(0);
    // SAFETY: arguments of a running call are alive.
    let argument = |i: usize| unsafe { Borrowed::from_ptr(py, positional[i]) };
    let list: Option<Vec<_>> =
        (place..positional.len()).map(|i| tensor_of(&argument(i)).map(|tensor| Some(tensor.clone()))).collect();
    match list {
        Some(list) if !list.is_empty() => Ok(Some((place, list))),
        _ if positional.len() > places(op) => Err(Mismatch::TooMany { given: positional.len(), most: places(op) }),
        _ => Ok(None),
    }
}

fn is_sequence(argument: &Bound<'_, PyAny>) -> bool {
    argument.is_instance_of::<PyTuple>() || argument.is_instance_of::<PyList>()
}

/// Whether a single integer stands where the only list of integers is expected: `view(6)`.
fn gathers(op: &Op, places: usize, positional: &[*mut ffi::PyObject], py: Python<'_>) -> bool {
    positional.len() == places
        && positional
            .last()
            // SAFETY: arguments of a running call are alive.
            .is_some_and(|&last| unsafe { Borrowed::from_ptr(py, last) }.cast::<PyInt>().is_ok())
        && takes_loose_integers(op)
}

fn is_ints(kind: Kind) -> bool {
    matches!(kind, Kind::Ints | Kind::IntList)
}

/// How many arguments may be given without a name.
#[inline]
fn places(op: &Op) -> usize {
    op.parameters.iter().take_while(|parameter| !parameter.keyword_only).count()
}

/// Whether the last positional parameter is a list of integers that may be written without brackets.
pub fn takes_loose_integers(op: &Op) -> bool {
    let places = places(op);
    match op.parameters[..places].split_last() {
        Some((last, rest)) => {
            let method = op.traits.has(crate::op::Traits::METHOD);
            method && places <= 2 && is_ints(last.kind) && rest.iter().all(|parameter| parameter.kind == Kind::Tensor)
        }
        None => false,
    }
}

/// PyTorch's names, and numpy's for the same things.
fn is_called(parameter: &str, name: &str) -> bool {
    parameter == name
        || matches!((parameter, name), ("dim", "axis") | ("keepdim", "keepdims") | ("other", "x2") | ("input", "self"))
}

/// A value of the wanted kind; `None` if the argument is of another.
#[inline]
pub fn convert(argument: &Bound<'_, PyAny>, kind: Kind, optional: bool) -> Result<Option<Value>, PyErr> {
    if optional && argument.is_none() {
        return Ok(Some(Value::None));
    }
    Ok(match kind {
        Kind::Tensor => tensor_of(argument).map(|tensor| Value::Tensor(tensor.clone())),
        Kind::Operand => match tensor_of(argument) {
            Some(tensor) => Some(Value::Tensor(tensor.clone())),
            None => number(argument)?.map(Value::Scalar),
        },
        Kind::Scalar => scalar(argument)?.map(Value::Scalar),
        Kind::Float => match scalar(argument)? {
            Some(Scalar::Bool(_) | Scalar::Complex(_)) | None => None,
            Some(value) => Some(Value::Scalar(Scalar::Float(value.to_f64()))),
        },
        Kind::Bool => boolean(argument).map(|value| Value::Scalar(Scalar::Bool(value))),
        Kind::Int => match argument.is_exact_instance_of::<PyBool>() {
            true => None,
            false => integer(argument)?.map(|value| Value::Scalar(Scalar::Int(value))),
        },
        Kind::IntList if !is_sequence(argument) => None,
        Kind::Ints | Kind::IntList => integers(argument)?.map(Value::Ints),
        Kind::Floats => floats(argument)?.map(Value::Floats),
        Kind::DType => dtype::from_python(argument).map(Value::DType),
        Kind::MemoryFormat => argument.extract().ok().map(Value::MemoryFormat),
        Kind::Text => argument
            .cast::<PyString>()
            .ok()
            .map(|text| Ok::<_, PyErr>(Value::Text(text.to_str()?.into())))
            .transpose()?,
        Kind::Tensors => tensors(argument, false)?.map(Value::Tensors),
        Kind::OptionalTensors => tensors(argument, true)?.map(Value::Tensors),
    })
}

/// A Python or numpy number.
#[inline]
pub fn number(argument: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if let Ok(float) = argument.cast::<PyFloat>() {
        return Ok(Some(Scalar::Float(float.value())));
    }
    if let Ok(truth) = argument.cast::<PyBool>() {
        return Ok(Some(Scalar::Bool(truth.is_true())));
    }
    if argument.cast::<PyInt>().is_ok() {
        return Ok(Some(Scalar::Int(exact(argument)?)));
    }
    if let Ok(complex) = argument.cast::<PyComplex>() {
        return Ok(Some(Scalar::Complex(Complex::new(complex.real(), complex.imag()))));
    }
    foreign_number(argument)
}

/// A Python integer of at most 64 bits.
#[inline]
pub fn exact(argument: &Bound<'_, PyAny>) -> PyResult<i64> {
    argument.extract().map_err(|_| PyValueError::new_err(format!("the integer {argument} does not fit 64 bits")))
}

/// A number that is neither of Python's types: numpy's scalars above all.
#[cold]
fn foreign_number(argument: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if argument.cast::<PyString>().is_ok() || argument.cast::<PyTensor>().is_ok() {
        return Ok(None);
    }
    if overrides::override_of(argument)?.is_some() {
        return Ok(None);
    }
    // numpy arrays have __float__ too, but a shape other than ().
    if let Ok(shape) = argument.getattr("shape")
        && !shape.cast::<PyTuple>().is_ok_and(|shape| shape.is_empty())
    {
        return Ok(None);
    }
    if argument.hasattr("dtype")? && argument.getattr("dtype")?.getattr("kind")?.eq("b")? {
        return Ok(Some(Scalar::Bool(argument.is_truthy()?)));
    }
    if argument.hasattr("__index__")? {
        return Ok(argument.extract::<i64>().ok().map(Scalar::Int));
    }
    if argument.hasattr("dtype")? && argument.getattr("dtype")?.getattr("kind")?.eq("c")? {
        let part = |name: &str| argument.getattr(name)?.extract::<f64>();
        return Ok(Some(Scalar::Complex(Complex::new(part("real")?, part("imag")?))));
    }
    if argument.hasattr("__float__")? {
        return Ok(argument.extract::<f64>().ok().map(Scalar::Float));
    }
    Ok(None)
}

/// A number, or the element of a tensor without dimensions.
fn scalar(argument: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    match tensor_of(argument) {
        Some(tensor) if tensor.ndim() == 0 => Ok(Some(tensor.item()?)),
        Some(_) => Ok(None),
        None => number(argument),
    }
}

/// An integer: Python's, numpy's, or the element of an integer tensor without dimensions.
pub fn integer(argument: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    if argument.is_exact_instance_of::<PyBool>() {
        return Ok(None);
    }
    if argument.cast::<PyInt>().is_ok() {
        return Ok(Some(exact(argument)?));
    }
    if let Some(tensor) = tensor_of(argument) {
        let single = tensor.numel() == 1 && tensor.dtype().is_integral();
        return Ok(if single { Some(tensor.item()?.to_i64()) } else { None });
    }
    if argument.cast::<PyFloat>().is_ok() || !argument.hasattr("__index__")? {
        return Ok(None);
    }
    Ok(argument.extract::<i64>().ok())
}

fn boolean(argument: &Bound<'_, PyAny>) -> Option<bool> {
    if let Ok(truth) = argument.cast::<PyBool>() {
        return Some(truth.is_true());
    }
    match foreign_number(argument) {
        Ok(Some(Scalar::Bool(truth))) if argument.cast::<PyInt>().is_err() => Some(truth),
        _ => None,
    }
}

/// A list or tuple of integers, or one integer.
pub fn integers(argument: &Bound<'_, PyAny>) -> PyResult<Option<Ints>> {
    let mut list = Ints::new();
    let mut push = |item: &Bound<'_, PyAny>| -> PyResult<bool> {
        let value = integer(item)?;
        list.extend(value);
        Ok(value.is_some())
    };
    if let Ok(tuple) = argument.cast::<PyTuple>() {
        for item in tuple.iter_borrowed() {
            if !push(&item)? {
                return Ok(None);
            }
        }
    } else if let Ok(items) = argument.cast::<PyList>() {
        for item in items {
            if !push(&item)? {
                return Ok(None);
            }
        }
    } else if !push(argument)? {
        return Ok(None);
    }
    Ok(Some(list))
}

fn floats(argument: &Bound<'_, PyAny>) -> PyResult<Option<Vec<f64>>> {
    let Ok(items) = argument.try_iter() else {
        return Ok(number(argument)?.map(|value| vec![value.to_f64()]));
    };
    let mut list = Vec::new();
    for item in items {
        match number(&item?)? {
            Some(value) => list.push(value.to_f64()),
            None => return Ok(None),
        }
    }
    Ok(Some(list))
}

fn tensors(argument: &Bound<'_, PyAny>, gaps: bool) -> PyResult<Option<Vec<Option<crate::Tensor>>>> {
    if argument.cast::<PyTuple>().is_err() && argument.cast::<PyList>().is_err() {
        return Ok(None);
    }
    let mut list = Vec::new();
    for item in argument.try_iter()? {
        let item = item?;
        match tensor_of(&item) {
            Some(tensor) => list.push(Some(tensor.clone())),
            None if gaps && item.is_none() => list.push(None),
            None => return Ok(None),
        }
    }
    Ok(Some(list))
}

/// What an argument is, for a message.
pub fn describe(argument: &Bound<'_, PyAny>) -> String {
    match tensor_of(argument) {
        Some(tensor) => format!("a {} tensor of size {}", tensor.dtype(), crate::shape::show(&tensor.sizes())),
        None => argument.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string()),
    }
}

/// What a parameter takes, for a message.
pub fn expectation(kind: Kind) -> &'static str {
    match kind {
        Kind::Tensor => "a Tensor",
        Kind::Operand => "a Tensor or a number",
        Kind::Tensors => "a list or tuple of Tensors",
        Kind::OptionalTensors => "a list or tuple of Tensors and None",
        Kind::Bool => "a bool",
        Kind::Int => "an int",
        Kind::Float => "a float",
        Kind::Scalar => "a number",
        Kind::Ints => "ints",
        Kind::IntList => "a list or tuple of ints",
        Kind::Floats => "floats",
        Kind::DType => "a dtype",
        Kind::MemoryFormat => "a memory format",
        Kind::Text => "a str",
    }
}
