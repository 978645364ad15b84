//! Operations as Python callables: one small object for each name, called without an argument tuple.
//!
//! The object implements CPython's vectorcall protocol directly: positional arguments arrive as a C array, and a
//! method is called without making a bound object first.

use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Mutex;

use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};

use crate::autograd::record;
use crate::op::{Op, Returns, Traits, registry};
use crate::ops::aliases;
use crate::python::arguments::{Mismatch, Values, describe, expectation, parse, takes_loose_integers};
use crate::python::memory;
use crate::python::overrides::{self, Asked};
use crate::python::tensor::{tensor_of, wrap};
use crate::value::Outputs;

/// All overloads of one name.
struct Group {
    name: String,
    overloads: Vec<&'static Op>,
    in_place: bool,
    method: bool,
    /// What is called in place of overloads: a function that became overridable afterwards.
    original: Option<Py<PyAny>>,
    asked: Asked,
}

#[repr(C)]
struct OperationObject {
    base: ffi::PyObject,
    vectorcall: ffi::vectorcallfunc,
    group: &'static Group,
}

static FUNCTION_TYPE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static METHOD_TYPE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

unsafe extern "C" fn vectorcall(
    callable: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls with the GIL held.
    let py = unsafe { Python::assume_attached() };
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the slot belongs to an operation object; arguments are as the protocol says.
        unsafe {
            let group = (*callable.cast::<OperationObject>()).group;
            let positional = ffi::PyVectorcall_NARGS(count) as usize;
            let names = if names.is_null() { None } else { Some(Bound::from_borrowed_ptr(py, names)) };
            let names = names.as_ref().and_then(|names| names.cast::<PyTuple>().ok());
            let all = match positional + names.map_or(0, PyTupleMethods::len) {
                0 => &[],
                total => std::slice::from_raw_parts(arguments, total),
            };
            let (positional, keywords) = all.split_at(positional);
            if overrides::may_concern(py, all)
                && let Some(answer) = overrides::call(
                    &Bound::from_borrowed_ptr(py, callable),
                    positional,
                    keywords,
                    names,
                    Asked::Special,
                )?
            {
                return Ok(answer);
            }
            call(py, callable, group, positional, keywords, names)
        }
    }));
    returned(py, result)
}

/// The result of a call for CPython.
#[inline]
pub fn returned(py: Python<'_>, result: std::thread::Result<PyResult<Py<PyAny>>>) -> *mut ffi::PyObject {
    let error = match result {
        Ok(Ok(object)) => return object.into_ptr(),
        Ok(Err(error)) => error,
        Err(_) => PyRuntimeError::new_err("an internal error: an operation panicked; please report it"),
    };
    error.restore(py);
    ptr::null_mut()
}

/// Calls the original function unless somebody overrides it.
unsafe extern "C" fn vectorcall_wrapped(
    callable: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls with the GIL held, with an object of ours, and as the protocol says.
    unsafe {
        let py = Python::assume_attached();
        let group = (*callable.cast::<OperationObject>()).group;
        let positional = ffi::PyVectorcall_NARGS(count) as usize;
        let keywords = if names.is_null() { 0 } else { ffi::PyTuple_GET_SIZE(names) as usize };
        let all = match positional + keywords {
            0 => &[],
            total => std::slice::from_raw_parts(arguments, total),
        };
        if overrides::may_override(py, all) {
            let result = catch_unwind(AssertUnwindSafe(|| {
                let (positional, keywords) = all.split_at(positional);
                let names = if names.is_null() { None } else { Some(Bound::from_borrowed_ptr(py, names)) };
                let names = names.as_ref().and_then(|names| names.cast::<PyTuple>().ok());
                let callable = Bound::from_borrowed_ptr(py, callable);
                overrides::call(&callable, positional, keywords, names, group.asked)
            }));
            match result {
                Ok(Ok(None)) => {}
                Ok(Ok(Some(answer))) => return answer.into_ptr(),
                Ok(Err(error)) => return returned(py, Ok(Err(error))),
                Err(panic) => return returned(py, Err(panic)),
            }
        }
        match &group.original {
            Some(original) => ffi::PyObject_Vectorcall(original.as_ptr(), arguments, count, names),
            None => ptr::null_mut(),
        }
    }
}

#[inline]
fn call(
    py: Python<'_>,
    callable: *mut ffi::PyObject,
    group: &'static Group,
    positional: &[*mut ffi::PyObject],
    keywords: &[*mut ffi::PyObject],
    names: Option<&Bound<'_, PyTuple>>,
) -> PyResult<Py<PyAny>> {
    if group.method
        // SAFETY: arguments of a running call are alive.
        && positional.first().is_none_or(|&slf| tensor_of(&unsafe { Bound::from_borrowed_ptr(py, slf) }).is_none())
    {
        return Err(PyTypeError::new_err(format!("{}(): a method of Tensor is called on something else", group.name)));
    }
    let mut first = None;
    let mut values = Values::new();
    for &op in &group.overloads {
        match parse(py, op, positional, keywords, names, group.method, &mut values) {
            Ok(()) if group.in_place => {
                record::call_in_place(op, &values).map_err(|error| error.naming(&group.name))?;
                // SAFETY: the first argument of a running call is alive.
                return Ok(unsafe { Bound::from_borrowed_ptr(py, positional[0]) }.unbind());
            }
            Ok(()) if op.returns == Returns::Tensor => {
                return Ok(
                    wrap(py, &record::call_one(op, &values).map_err(|error| error.naming(&group.name))?)?.into_any()
                );
            }
            Ok(()) => return finish(py, op, record::call(op, &values).map_err(|error| error.naming(&group.name))?),
            Err(Mismatch::Raised(error)) => return Err(error),
            Err(mismatch) => first = first.or(Some((op, mismatch))),
        }
    }
    if let Some(names) = names
        && let Some(result) = call_with_out(py, callable, group, positional, keywords, names)?
    {
        return Ok(result);
    }
    if let Some(result) = call_with_factors_first(py, callable, group, positional, keywords, names)? {
        return Ok(result);
    }
    // SAFETY: the callable of a running call is alive.
    let callable = unsafe { Bound::from_borrowed_ptr(py, callable) };
    overrides::call(&callable, positional, keywords, names, Asked::Special)?.ok_or_else(|| complaint(group, first))
}

/// A call in the older order, with numbers before the tensors that they multiply: `x.add_(0.5, y)`.
#[cold]
fn call_with_factors_first(
    py: Python<'_>,
    callable: *mut ffi::PyObject,
    group: &'static Group,
    positional: &[*mut ffi::PyObject],
    keywords: &[*mut ffi::PyObject],
    names: Option<&Bound<'_, PyTuple>>,
) -> PyResult<Option<Py<PyAny>>> {
    let factors: &[&str] = match group.name.trim_end_matches('_') {
        "add" | "sub" => &["alpha"],
        "addcdiv" | "addcmul" => &["value"],
        "addbmm" | "addmm" | "addmv" | "addr" | "baddbmm" => &["beta", "alpha"],
        _ => return Ok(None),
    };
    // SAFETY: the arguments of a running call are alive.
    let is_tensor =
        |object: &*mut ffi::PyObject| tensor_of(&unsafe { Bound::from_borrowed_ptr(py, *object) }).is_some();
    let (tensors, numbers): (Vec<_>, Vec<_>) = positional.iter().copied().partition(is_tensor);
    if numbers.is_empty()
        || numbers.len() > factors.len()
        || tensors.len() < 2
        || !positional.last().is_some_and(is_tensor)
    {
        return Ok(None);
    }
    let keywords = [keywords, &numbers].concat();
    let mut all: Vec<Bound<'_, PyAny>> = names.map_or_else(Vec::new, |names| names.iter().collect());
    all.extend(factors[..numbers.len()].iter().map(|factor| PyString::intern(py, factor).into_any()));
    call(py, callable, group, &tensors, &keywords, Some(&PyTuple::new(py, all)?)).map(Some)
}

/// A call with the keyword `out`, which operations do not know of: the result is stored in that tensor, or in those.
#[cold]
fn call_with_out(
    py: Python<'_>,
    callable: *mut ffi::PyObject,
    group: &'static Group,
    positional: &[*mut ffi::PyObject],
    keywords: &[*mut ffi::PyObject],
    names: &Bound<'_, PyTuple>,
) -> PyResult<Option<Py<PyAny>>> {
    let all: Vec<Bound<'_, PyAny>> = names.iter().collect();
    let place = all.iter().position(|name| name.cast::<PyString>().is_ok_and(|name| name == "out"));
    let taken = group.overloads.iter().all(|op| takes_out(op)) && !group.method && !group.in_place;
    let Some(place) = place.filter(|_| taken) else { return Ok(None) };
    let (mut keywords, mut all) = (keywords.to_vec(), all);
    all.remove(place);
    // SAFETY: the arguments of a running call are alive.
    let out = unsafe { Bound::from_borrowed_ptr(py, keywords.remove(place)) };
    let names = if all.is_empty() { None } else { Some(PyTuple::new(py, all)?) };
    let result = call(py, callable, group, positional, &keywords, names.as_ref())?;
    if out.is_none() {
        return Ok(Some(result));
    }
    let wrong = |what: &str| {
        let given = describe(&out);
        PyTypeError::new_err(format!("{}(): argument 'out' has to be {what}, got {given}", group.name))
    };
    let bound = result.bind(py);
    if let Some(result) = tensor_of(bound) {
        memory::store(py, &group.name, result, tensor_of(&out).ok_or_else(|| wrong("a Tensor"))?)?;
        return Ok(Some(out.unbind()));
    }
    let results: Vec<Bound<'_, PyAny>> = bound.try_iter()?.collect::<PyResult<_>>()?;
    if tensor_of(&out).is_some() {
        return Err(wrong("a tuple of Tensors"));
    }
    let outs: Vec<Bound<'_, PyAny>> =
        out.try_iter().and_then(Iterator::collect).map_err(|_| wrong("a tuple of Tensors"))?;
    if outs.len() != results.len() || outs.iter().any(|out| tensor_of(out).is_none()) {
        return Err(wrong(&format!("a tuple of {} Tensors", results.len())));
    }
    for (result, out) in results.iter().zip(&outs) {
        if let (Some(result), Some(out)) = (tensor_of(result), tensor_of(out)) {
            memory::store(py, &group.name, result, out)?;
        }
    }
    Ok(Some(bound.get_type().call1((PyTuple::new(py, outs)?,))?.unbind()))
}

/// The results as Python objects.
pub fn finish(py: Python<'_>, op: &'static Op, outputs: Outputs) -> PyResult<Py<PyAny>> {
    match op.returns {
        Returns::Tensor => match outputs.into_iter().next() {
            Some(tensor) => Ok(wrap(py, &tensor)?.into_any()),
            None => Ok(py.None()),
        },
        Returns::List => {
            let parts = outputs.iter().map(|tensor| wrap(py, tensor)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyTuple::new(py, parts)?.into_any().unbind())
        }
        Returns::Named(fields) => {
            let parts = outputs.iter().map(|tensor| wrap(py, tensor)).collect::<PyResult<Vec<_>>>()?;
            let kind = named_tuple(py, op.name, fields)?;
            Ok(kind.call1(py, (PyTuple::new(py, parts)?,))?)
        }
    }
}

/// The named tuple type for an operation's results, such as `rgrad.return_types.max`.
fn named_tuple(py: Python<'_>, name: &'static str, fields: &'static [&'static str]) -> PyResult<Py<PyAny>> {
    static TYPES: Mutex<Vec<(&'static str, usize)>> = Mutex::new(Vec::new());
    let known = TYPES.lock().ok().and_then(|types| types.iter().find(|row| row.0 == name).map(|row| row.1));
    if let Some(address) = known {
        // SAFETY: the types are never freed.
        return Ok(unsafe { Bound::from_borrowed_ptr(py, address as *mut ffi::PyObject) }.unbind());
    }
    let leak =
        |text: String| -> *const c_char { std::ffi::CString::new(text).unwrap_or_default().into_raw().cast_const() };
    let mut members: Vec<ffi::PyStructSequence_Field> = fields
        .iter()
        .map(|field| ffi::PyStructSequence_Field { name: leak((*field).into()).cast_mut(), doc: ptr::null_mut() })
        .collect();
    members.push(ffi::PyStructSequence_Field { name: ptr::null_mut(), doc: ptr::null_mut() });
    let mut description = ffi::PyStructSequence_Desc {
        name: leak(format!("torch.return_types.{name}")).cast_mut(),
        doc: ptr::null_mut(),
        fields: members.leak().as_mut_ptr(),
        n_in_sequence: fields.len() as i32,
    };
    // SAFETY: the description and what it points to outlive the type.
    let kind: Bound<'_, PyAny> =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyStructSequence_NewType(&mut description).cast())? };
    if let Ok(mut types) = TYPES.lock() {
        types.push((name, kind.clone().into_ptr() as usize));
    }
    Ok(kind.unbind())
}

/// A `TypeError` that says what did not fit.
#[cold]
fn complaint(group: &Group, first: Option<(&'static Op, Mismatch)>) -> PyErr {
    let name = &group.name;
    let Some((op, mismatch)) = first else {
        return PyTypeError::new_err(format!("{name}(): no such operation"));
    };
    if let Mismatch::Raised(error) = mismatch {
        return error;
    }
    let reason = match mismatch {
        Mismatch::TooMany { given, most } => format!("takes {most} positional arguments, {given} were given"),
        Mismatch::Missing(parameter) => format!("argument '{parameter}' is missing"),
        Mismatch::Unknown(parameter) => format!("got an unexpected keyword argument '{parameter}'"),
        Mismatch::Twice(parameter) => format!("argument '{parameter}' is given twice"),
        Mismatch::Wrong { parameter, expected, given } => {
            format!("argument '{parameter}' has to be {}, got {given}", expectation(expected))
        }
        Mismatch::Raised(_) => String::new(),
    };
    let forms: Vec<String> = group.overloads.iter().map(|op| format!("    {name}{}", group.signature(op))).collect();
    let _ = op;
    PyTypeError::new_err(format!("{name}(): {reason}. It is called as\n{}", forms.join("\n")))
}

impl Group {
    /// A signature as Python writes it, without types.
    fn signature(&self, op: &Op) -> String {
        signature(op, takes_out(op) && !self.method && !self.in_place)
    }
}

/// Whether an operation, called as a function, takes the keyword `out`; see [`call_with_out`].
pub fn takes_out(op: &Op) -> bool {
    (op.traits.has(Traits::FUNCTION) || op.traits.has(Traits::SPECIAL))
        && !op.traits.has(Traits::VIEW)
        && op.returns != Returns::List
}

fn signature(op: &Op, takes_out: bool) -> String {
    let mut parts = Vec::new();
    let mut starred = false;
    for parameter in op.parameters {
        if parameter.keyword_only && !std::mem::replace(&mut starred, true) {
            parts.push("*".to_owned());
        }
        parts.push(match parameter.default {
            Some((text, _)) => format!("{}={}", parameter.name, python_default(text)),
            None => parameter.name.to_owned(),
        });
    }
    if takes_out {
        parts.extend((!starred).then(|| "*".into()));
        parts.push("out=None".into());
    }
    format!("({})", parts.join(", "))
}

/// A default as Python writes it.
pub fn python_default(rust: &str) -> String {
    match rust {
        "true" => "True".into(),
        "false" => "False".into(),
        "&[]" => "()".into(),
        "f64::NAN" => "nan".into(),
        other => other
            .trim_start_matches("Some(")
            .trim_start_matches("crate::scalar::")
            .trim_start_matches("Scalar::Float(")
            .trim_start_matches("Scalar::Int(")
            .trim_end_matches(')')
            .trim_start_matches('&')
            .trim_start()
            .replace('"', "'"),
    }
}

/// Puts all operations into the module, those of the functional and the special functions, and the tensor type;
/// functions whose name begins as one of the families does, into its module.
pub fn install(
    py: Python<'_>,
    module: &Bound<'_, PyModule>,
    functional: &Bound<'_, PyModule>,
    special: &Bound<'_, PyModule>,
    families: &[(&str, Bound<'_, PyModule>)],
    tensor: &Bound<'_, PyAny>,
) -> PyResult<()> {
    for overloads in registry().chunk_by(|a, b| a.name == b.name) {
        let own = overloads[0].name;
        let family = families.iter().find(|(prefix, _)| own.starts_with(prefix));
        let module = family.map_or(module, |(_, family)| family);
        for name in std::iter::once(own).chain(aliases::of(own)) {
            install_name(py, name, overloads, [module, functional, special], tensor)?;
        }
    }
    Ok(())
}

/// Puts the overloads of one operation where their traits say, under one of its names.
fn install_name(
    py: Python<'_>,
    name: &str,
    overloads: &[&'static Op],
    [module, functional, special]: [&Bound<'_, PyModule>; 3],
    tensor: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let with =
        |bit: Traits| -> Vec<&'static Op> { overloads.iter().copied().filter(|op| op.traits.has(bit)).collect() };
    let mut is_function = false;
    for (place, bit) in [(module, Traits::FUNCTION), (functional, Traits::FUNCTIONAL), (special, Traits::SPECIAL)] {
        let (functions, in_place) = (with(bit), with(Traits::IN_PLACE));
        if functions.is_empty() {
            continue;
        }
        is_function = true;
        place.add(name, object(py, name, functions, false, false)?)?;
        if !in_place.is_empty() {
            let name = format!("{name}_");
            place.add(name.as_str(), object(py, &name, in_place, true, false)?)?;
        }
    }
    let (methods, in_place) = (with(Traits::METHOD), with(Traits::IN_PLACE));
    if !in_place.is_empty() && (!is_function || !methods.is_empty()) {
        let name = format!("{name}_");
        tensor.setattr(name.as_str(), object(py, &name, in_place, true, true)?)?;
    }
    if !methods.is_empty() {
        tensor.setattr(name, object(py, name, methods, false, true)?)?;
    }
    Ok(())
}

/// A new operation object.
fn object(
    py: Python<'_>,
    name: &str,
    overloads: Vec<&'static Op>,
    in_place: bool,
    method: bool,
) -> PyResult<Py<PyAny>> {
    let group = Group { name: name.to_owned(), overloads, in_place, method, original: None, asked: Asked::Special };
    allocate(py, group, vectorcall)
}

/// An object that calls `original` unless an argument or a mode overrides it.
pub fn wrapped(py: Python<'_>, name: &str, original: Py<PyAny>, method: bool, asked: Asked) -> PyResult<Py<PyAny>> {
    let (name, overloads, original) = (name.to_owned(), Vec::new(), Some(original));
    allocate(py, Group { name, overloads, in_place: false, method, original, asked }, vectorcall_wrapped)
}

/// The function as one that `__torch_function__` of its arguments, and modes, can override.
#[pyfunction]
pub fn _overridable(py: Python<'_>, function: Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let name: String = function.getattr("__name__")?.extract()?;
    wrapped(py, &name, function.unbind(), false, Asked::Everybody)
}

fn allocate(py: Python<'_>, group: Group, vectorcall: ffi::vectorcallfunc) -> PyResult<Py<PyAny>> {
    let method = group.method;
    let kind = if method { &METHOD_TYPE } else { &FUNCTION_TYPE };
    let kind = kind.get_or_try_init(py, || make_type(py, method))?;
    let group: &'static Group = Box::leak(Box::new(group));
    // SAFETY: the type was made below for this struct; the fields are set before anybody sees the object.
    unsafe {
        let kind: *mut ffi::PyTypeObject = kind.as_ptr().cast();
        let made: *mut OperationObject = ffi::PyType_GenericAlloc(kind, 0).cast();
        if made.is_null() {
            return Err(PyErr::fetch(py));
        }
        (*made).vectorcall = vectorcall;
        (*made).group = group;
        Ok(Bound::from_owned_ptr(py, made.cast()).unbind())
    }
}

unsafe extern "C" fn get_method(
    descriptor: *mut ffi::PyObject,
    instance: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by CPython with live objects and the GIL held.
    unsafe {
        if instance.is_null() || instance == ffi::Py_None() {
            ffi::Py_INCREF(descriptor);
            return descriptor;
        }
        PyMethod_New(descriptor, instance)
    }
}

/// A function stays itself as a class attribute. `inspect` knows callables of C by this slot: with it, `help`, editors
/// and stubtest see a function.
unsafe extern "C" fn get_function(
    descriptor: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
    _: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by CPython with a live object and the GIL held.
    unsafe { ffi::Py_INCREF(descriptor) };
    descriptor
}

unsafe extern "C" {
    fn PyMethod_New(function: *mut ffi::PyObject, instance: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// Runs a getter of an operation object.
unsafe fn read(
    slf: *mut ffi::PyObject,
    get: impl FnOnce(Python<'_>, &'static Group) -> PyResult<Py<PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: called by CPython with the GIL held and an object of the type below.
    let (py, group) = unsafe { (Python::assume_attached(), (*slf.cast::<OperationObject>()).group) };
    match get(py, group) {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

fn text(py: Python<'_>, text: &str) -> PyResult<Py<PyAny>> {
    Ok(PyString::new(py, text).into_any().unbind())
}

/// What the original says of itself; `None` where it says nothing.
fn attribute(py: Python<'_>, original: &Py<PyAny>, name: &str) -> PyResult<Py<PyAny>> {
    Ok(original.bind(py).getattr_opt(name)?.map_or_else(|| py.None(), Bound::unbind))
}

/// The function that became overridable; by it `inspect` finds the signature.
unsafe extern "C" fn get_wrapped(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| match &group.original {
            Some(original) => Ok(original.clone_ref(py)),
            None => Err(PyAttributeError::new_err("__wrapped__")),
        })
    }
}

unsafe extern "C" fn get_name(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe { read(slf, |py, group| text(py, &group.name)) }
}

unsafe extern "C" fn get_qualified_name(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| match &group.original {
            Some(original) => attribute(py, original, "__qualname__"),
            None => match group.method {
                true => text(py, &format!("Tensor.{}", group.name)),
                false => text(py, &group.name),
            },
        })
    }
}

unsafe extern "C" fn get_module(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| match &group.original {
            Some(original) => attribute(py, original, "__module__"),
            None => {
                let functional = group.overloads.iter().all(|op| !op.traits.has(Traits::FUNCTION)) && !group.method;
                text(py, if functional { "rgrad.nn.functional" } else { "rgrad" })
            }
        })
    }
}

/// The signature in the form that `inspect.signature` reads; overloads have none in common.
unsafe extern "C" fn get_text_signature(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| match &group.original {
            Some(original) => attribute(py, original, "__text_signature__"),
            None => match group.overloads[..] {
                [op] => text(py, &text_signature(group, op)),
                _ => Ok(py.None()),
            },
        })
    }
}

fn text_signature(group: &Group, op: &Op) -> String {
    let mut signature = group.signature(op);
    if takes_loose_integers(op)
        && let Some(last) = op.parameters.iter().take_while(|parameter| !parameter.keyword_only).last()
    {
        // A parameter that gathers has no default of its own.
        let written = match last.default {
            Some((default, _)) => format!("{}={}", last.name, python_default(default)),
            None => last.name.to_owned(),
        };
        signature = signature.replacen(&written, &format!("*{}", last.name), 1);
        signature = signature.replacen(", *, ", ", ", 1);
    }
    match group.method {
        true => signature.replacen("(input", "($self", 1),
        false => signature,
    }
}

unsafe extern "C" fn get_documentation(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| match &group.original {
            Some(original) => attribute(py, original, "__doc__"),
            None => {
                let forms: Vec<String> = group
                    .overloads
                    .iter()
                    .map(|op| format!("{}{}\n\n{}", group.name, group.signature(op), unindent(op.documentation)))
                    .collect();
                text(py, &forms.join("\n\n"))
            }
        })
    }
}

/// Doc comments begin each line with a space.
pub fn unindent(documentation: &str) -> String {
    documentation
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .into()
}

unsafe extern "C" fn represent(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| {
            text(
                py,
                &match group.method {
                    true => format!("<method '{}' of 'rgrad.Tensor' objects>", group.name),
                    false => format!("<built-in function {}>", group.name),
                },
            )
        })
    }
}

/// Functions pickle by name, as Python's own do.
unsafe extern "C" fn reduce(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `read`.
    unsafe {
        read(slf, |py, group| match group.method {
            false => text(py, &group.name),
            true => {
                let getattr = py.import("builtins")?.getattr("getattr")?;
                let tensor = py.get_type::<crate::python::tensor::PyTensor>();
                Ok((getattr, (tensor, group.name.as_str())).into_pyobject(py)?.into_any().unbind())
            }
        })
    }
}

fn make_type(py: Python<'_>, method: bool) -> PyResult<Py<PyAny>> {
    const fn getter(name: &'static CStr, get: ffi::getter) -> ffi::PyGetSetDef {
        ffi::PyGetSetDef { name: name.as_ptr(), get: Some(get), set: None, doc: ptr::null(), closure: ptr::null_mut() }
    }
    let getters = vec![
        getter(c"__name__", get_name),
        getter(c"__qualname__", get_qualified_name),
        getter(c"__module__", get_module),
        getter(c"__doc__", get_documentation),
        getter(c"__text_signature__", get_text_signature),
        getter(c"__wrapped__", get_wrapped),
        // SAFETY: all zeros is the end mark of the list.
        unsafe { std::mem::zeroed() },
    ];
    let methods = vec![
        ffi::PyMethodDef {
            ml_name: c"__reduce__".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunction: reduce },
            ml_flags: ffi::METH_NOARGS,
            ml_doc: ptr::null(),
        },
        ffi::PyMethodDef::zeroed(),
    ];
    let members = vec![
        ffi::PyMemberDef {
            name: c"__vectorcalloffset__".as_ptr(),
            type_code: ffi::Py_T_PYSSIZET,
            offset: std::mem::offset_of!(OperationObject, vectorcall) as ffi::Py_ssize_t,
            flags: ffi::Py_READONLY,
            doc: ptr::null(),
        },
        // SAFETY: as above.
        unsafe { std::mem::zeroed() },
    ];
    let slot = |slot: i32, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = vec![
        slot(ffi::Py_tp_call, ffi::PyVectorcall_Call as *mut c_void),
        slot(ffi::Py_tp_repr, represent as *mut c_void),
        slot(ffi::Py_tp_getset, getters.leak().as_mut_ptr().cast()),
        slot(ffi::Py_tp_methods, methods.leak().as_mut_ptr().cast()),
        slot(ffi::Py_tp_members, members.leak().as_mut_ptr().cast()),
    ];
    let mut flags = ffi::Py_TPFLAGS_DEFAULT | ffi::Py_TPFLAGS_HAVE_VECTORCALL;
    if method {
        slots.push(slot(ffi::Py_tp_descr_get, get_method as *mut c_void));
        flags |= ffi::Py_TPFLAGS_METHOD_DESCRIPTOR;
    } else {
        slots.push(slot(ffi::Py_tp_descr_get, get_function as *mut c_void));
    }
    slots.push(slot(0, ptr::null_mut()));
    let mut spec = ffi::PyType_Spec {
        name: if method { c"rgrad.method_of_tensor".as_ptr() } else { c"rgrad.builtin_function".as_ptr() },
        basicsize: size_of::<OperationObject>() as i32,
        itemsize: 0,
        flags: flags as u32,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the spec and the lists that it points to are complete; the lists are leaked.
    unsafe { Ok(Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&mut spec))?.unbind()) }
}
