//! `__torch_function__`: objects, and modes, that take over the functions they meet.
//!
//! # Note: What plain tensors pay
//! A program in which nobody overrides anything pays one look at a flag for each call ([`may_concern`]). The flag goes up
//! for good when the first object is made of a subclass of `Tensor` that does not turn overriding off, or when a mode is
//! entered; from then on a call looks at the types of its arguments too. (The class alone does not raise it: the package
//! has such a class, for parameters without a shape, which most programs never use.) Objects that are no tensors are
//! met where arguments do not fit otherwise, which is an error unless they override.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};
use smallvec::SmallVec;

use crate::python::tensor::PyTensor;

static POSSIBLE: AtomicBool = AtomicBool::new(false);

/// What is not looked at in this thread, as in torch: nothing, subclasses, or modes as well.
#[derive(Clone, Copy, PartialEq)]
enum Disabled {
    Nothing,
    Subclasses,
    All,
}

/// Which of a call's arguments are asked whether they override it.
#[derive(Clone, Copy, PartialEq)]
pub enum Asked {
    /// Those that are no plain tensors.
    Special,
    /// As soon as there is one of these, plain tensors too: so torch does with functions that are written in Python.
    Everybody,
    /// None, only modes: for functions that take data rather than tensors.
    Nobody,
}

thread_local! {
    static DISABLED: Cell<Disabled> = const { Cell::new(Disabled::Nothing) };
    /// The modes entered, the innermost last. A thread that ends inside a mode leaks it, as it has no GIL to free it.
    static MODES: RefCell<Vec<ManuallyDrop<Py<PyAny>>>> = const { RefCell::new(Vec::new()) };
}

static TURNED_OFF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Whether one of the arguments, all of them tensors or fit for an operation on some, may override a call, or a mode.
#[inline(always)]
pub fn may_concern(py: Python<'_>, arguments: &[*mut ffi::PyObject]) -> bool {
    POSSIBLE.load(Relaxed) && concerns(py, arguments)
}

fn concerns(py: Python<'_>, arguments: &[*mut ffi::PyObject]) -> bool {
    // SAFETY: arguments of a running call are alive.
    in_mode() || arguments.iter().any(|&argument| unsafe { !is_usual(py, argument) })
}

/// Takes note of a class of which an object is made, or which one becomes a member of.
pub fn watch_class(class: &Bound<'_, PyType>) -> PyResult<()> {
    let plain = ptr::eq(class.as_type_ptr(), PyTensor::type_object_raw(class.py()));
    if !plain && !POSSIBLE.load(Relaxed) {
        let method = class.getattr(pyo3::intern!(class.py(), "__torch_function__"))?;
        POSSIBLE.store(!is_turned_off(&method), Relaxed);
    }
    Ok(())
}

fn is_turned_off(method: &Bound<'_, PyAny>) -> bool {
    TURNED_OFF.get(method.py()).is_some_and(|known| method.is(known))
}

/// Keeps the setting of [`DISABLED`] for a while, and restores what it was.
struct Restored(Disabled);

impl Restored {
    fn set(disabled: Disabled) -> Restored {
        Restored(DISABLED.replace(disabled))
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        DISABLED.set(self.0);
    }
}

/// Takes the innermost mode off the stack while it handles a function, and puts it back.
struct Popped(Option<ManuallyDrop<Py<PyAny>>>);

impl Popped {
    fn pop() -> Popped {
        Popped(MODES.with_borrow_mut(Vec::pop))
    }
}

impl Drop for Popped {
    fn drop(&mut self) {
        if let Some(mode) = self.0.take() {
            MODES.with_borrow_mut(|modes| modes.push(mode));
        }
    }
}

fn in_mode() -> bool {
    DISABLED.get() != Disabled::All && MODES.with_borrow(|modes| !modes.is_empty())
}

/// The objects whose `__torch_function__` is asked, in the order of asking.
type Overriding<'py> = SmallVec<[Bound<'py, PyAny>; 2]>;

/// Whether an object of this type, one of the usual arguments, cannot override anything.
#[inline]
unsafe fn is_usual(py: Python<'_>, object: *mut ffi::PyObject) -> bool {
    // SAFETY: the caller's object is alive; types are compared by address.
    unsafe {
        let kind = ffi::Py_TYPE(object);
        kind == PyTensor::type_object_raw(py)
            || kind == &raw mut ffi::PyLong_Type
            || kind == &raw mut ffi::PyFloat_Type
            || kind == &raw mut ffi::PyBool_Type
            || kind == &raw mut ffi::PyUnicode_Type
            || kind == &raw mut ffi::PySlice_Type
            || object == ffi::Py_None()
            || object == ffi::Py_Ellipsis()
    }
}

/// The `__torch_function__` of an object, unless there is none or it is turned off.
pub fn override_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    // SAFETY: the object is alive.
    if unsafe { is_usual(object.py(), object.as_ptr()) } || object.is_instance_of::<PyType>() {
        return Ok(None);
    }
    let method = object.getattr_opt(pyo3::intern!(object.py(), "__torch_function__"))?;
    Ok(method.filter(|method| !is_turned_off(method)))
}

/// Adds an object to those that are asked: each class once, subclasses before their bases, else from left to right.
fn append<'py>(overriding: &mut Overriding<'py>, object: &Bound<'py, PyAny>) -> PyResult<()> {
    if override_of(object)?.is_none() || overriding.iter().any(|known| known.get_type().is(object.get_type())) {
        return Ok(());
    }
    let mut place = overriding.len();
    for (i, known) in overriding.iter().enumerate() {
        if object.is_instance(&known.get_type())? {
            place = i;
            break;
        }
    }
    overriding.insert(place, object.clone());
    Ok(())
}

/// Adds the first plain tensor, where subclasses have been found.
fn append_plain<'py>(
    py: Python<'py>,
    overriding: &mut Overriding<'py>,
    arguments: impl Iterator<Item = *mut ffi::PyObject>,
) {
    for argument in arguments {
        // SAFETY: arguments of a running call are alive.
        let argument = unsafe { Bound::from_borrowed_ptr(py, argument) };
        if argument.is_exact_instance_of::<PyTensor>() {
            // The base of all that come before.
            overriding.push(argument);
            break;
        }
    }
}

/// The overriding objects among arguments, and in lists of arguments where `nested`.
fn collect<'py>(
    py: Python<'py>,
    arguments: impl Iterator<Item = *mut ffi::PyObject>,
    nested: bool,
) -> PyResult<Overriding<'py>> {
    let mut overriding = Overriding::new();
    if DISABLED.get() != Disabled::Nothing {
        return Ok(overriding);
    }
    for argument in arguments {
        // SAFETY: arguments of a running call are alive.
        let argument = unsafe {
            if is_usual(py, argument) {
                continue;
            }
            Bound::from_borrowed_ptr(py, argument)
        };
        append(&mut overriding, &argument)?;
        if !nested {
            continue;
        }
        if let Ok(tuple) = argument.cast::<PyTuple>() {
            for item in tuple.iter_borrowed() {
                append(&mut overriding, &item)?;
            }
        } else if let Ok(list) = argument.cast::<PyList>() {
            for item in list {
                append(&mut overriding, &item)?;
            }
        }
    }
    Ok(overriding)
}

/// Whether any of the arguments, whatever they are, may override a call, or a mode.
#[inline]
pub fn may_override(py: Python<'_>, arguments: &[*mut ffi::PyObject]) -> bool {
    // SAFETY: arguments of a running call are alive.
    arguments.iter().any(|&argument| unsafe { !is_usual(py, argument) }) || (POSSIBLE.load(Relaxed) && in_mode())
}

/// What an argument or a mode makes of a call of `function`; `None` if nobody overrides it.
#[cold]
pub fn call(
    function: &Bound<'_, PyAny>,
    positional: &[*mut ffi::PyObject],
    keywords: &[*mut ffi::PyObject],
    names: Option<&Bound<'_, PyTuple>>,
    asked: Asked,
) -> PyResult<Option<Py<PyAny>>> {
    let py = function.py();
    let all = || positional.iter().chain(keywords).copied();
    let mut overriding = match asked {
        Asked::Nobody => Overriding::new(),
        _ => collect(py, all(), true)?,
    };
    if overriding.is_empty() && !in_mode() {
        return Ok(None);
    }
    if asked == Asked::Everybody {
        append_plain(py, &mut overriding, all());
    }
    // SAFETY: as above.
    let arguments = positional.iter().map(|&argument| unsafe { Bound::from_borrowed_ptr(py, argument) });
    let arguments = PyTuple::new(py, arguments.collect::<Vec<_>>())?;
    let named = match names.filter(|names| !names.is_empty()) {
        None => None,
        Some(names) => {
            let named = PyDict::new(py);
            for (name, &argument) in names.iter().zip(keywords) {
                // SAFETY: as above.
                named.set_item(name, unsafe { Bound::from_borrowed_ptr(py, argument) })?;
            }
            Some(named)
        }
    };
    ask(function, &overriding, &arguments, named.as_ref()).map(Some)
}

/// As [`call`], for the method of `Tensor` with this name.
#[cold]
pub fn method(py: Python<'_>, name: &str, arguments: &[*mut ffi::PyObject]) -> PyResult<Option<Py<PyAny>>> {
    let function = py.get_type::<PyTensor>().getattr(name)?;
    call(&function, arguments, &[], None, Asked::Special)
}

/// As [`method`], for an operator: what does not fit is left to the other operand.
#[cold]
pub fn operator(py: Python<'_>, name: &str, arguments: &[*mut ffi::PyObject]) -> PyResult<Option<Py<PyAny>>> {
    match method(py, name, arguments) {
        Err(error) if error.is_instance_of::<PyTypeError>(py) => Ok(Some(py.NotImplemented())),
        result => result,
    }
}

/// Leaves a method with what an override of `Tensor.name` gives, if there is one.
macro_rules! overridable {
    ($name:literal, $slf:ident $(, $argument:ident)*) => {
        let arguments = [$slf.as_ptr() $(, $argument.as_ptr())*];
        if $crate::python::overrides::may_concern($slf.py(), &arguments)
            && let Some(answer) = $crate::python::overrides::method($slf.py(), $name, &arguments)?
        {
            let answer = answer.extract($slf.py())?;
            return Ok(answer);
        }
    };
}
pub(crate) use overridable;

/// Asks the innermost mode and then the objects until one answers.
fn ask(
    function: &Bound<'_, PyAny>,
    overriding: &Overriding<'_>,
    arguments: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let py = function.py();
    let types = PyTuple::new(py, overriding.iter().map(|object| object.get_type()))?;
    let put = |handler: &Bound<'_, PyAny>| -> PyResult<Option<Py<PyAny>>> {
        let answer = match named {
            Some(named) => handler.call1((function, &types, arguments, named))?,
            None => handler.call1((function, &types, arguments))?,
        };
        Ok((!answer.is(py.NotImplemented())).then(|| answer.unbind()))
    };
    let name = pyo3::intern!(py, "__torch_function__");
    if in_mode() {
        let popped = Popped::pop();
        if let Some(mode) = &popped.0
            && let Some(answer) = put(&mode.bind(py).getattr(name)?)?
        {
            return Ok(answer);
        }
    }
    for object in overriding {
        if let Some(answer) = put(&object.getattr(name)?)? {
            return Ok(answer);
        }
    }
    let function = function.getattr("__name__").unwrap_or_else(|_| function.clone());
    let names = types.iter().map(|kind| Ok(kind.repr()?.to_string())).collect::<PyResult<Vec<_>>>()?;
    Err(PyTypeError::new_err(format!(
        "{function}(): every __torch_function__ of the arguments, of types {}, returned NotImplemented",
        names.join(", ")
    )))
}

#[pymethods]
impl PyTensor {
    /// Runs `func` on the arguments as if they were plain tensors, and makes the tensors that it gives `cls`.
    ///
    /// `NotImplemented` if `cls` is no subclass of all `types`.
    #[classmethod]
    #[pyo3(signature = (func, types, args = None, kwargs = None))]
    fn __torch_function__<'py>(
        cls: &Bound<'py, PyType>,
        func: &Bound<'py, PyAny>,
        types: &Bound<'py, PyAny>,
        args: Option<Bound<'py, PyTuple>>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = cls.py();
        for kind in types.try_iter()? {
            if !cls.is_subclass(&kind?)? {
                return Ok(py.NotImplemented().into_bound(py));
            }
        }
        let result = {
            let _restored = Restored::set(DISABLED.get().max_with(Disabled::Subclasses));
            let result = func.call(args.unwrap_or_else(|| PyTuple::empty(py)), kwargs)?;
            if keeps_class(func)? { result } else { converted(&result, cls)? }
        };
        Ok(result)
    }
}

impl Disabled {
    fn max_with(self, other: Disabled) -> Disabled {
        if self == Disabled::All { self } else { other }
    }
}

/// Whether results of a function stay what they are: those that are tensors of their own, not made by the call.
fn keeps_class(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    if function.getattr_opt("__name__")?.is_none_or(|name| !name.eq("__get__").unwrap_or(false)) {
        return Ok(false);
    }
    let Some(property) = function.getattr_opt("__self__")? else { return Ok(false) };
    let tensor = function.py().get_type::<PyTensor>();
    Ok(property.is(&tensor.getattr("grad")?) || property.is(&tensor.getattr("_base")?))
}

/// The result with its tensors, in tuples and lists too, as objects of `cls`.
fn converted<'py>(result: &Bound<'py, PyAny>, cls: &Bound<'py, PyType>) -> PyResult<Bound<'py, PyAny>> {
    let py = cls.py();
    if cls.is(py.get_type::<PyTensor>()) {
        return Ok(result.clone());
    }
    if result.is_instance_of::<PyTensor>() {
        return match result.is_instance(cls)? {
            true => Ok(result.clone()),
            false => result.call_method1("as_subclass", (cls,)),
        };
    }
    if result.is_instance_of::<PyTuple>() || result.is_instance_of::<PyList>() {
        // Not a Size: it holds no tensors, and is made of integers.
        let items = result.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        if !items.iter().any(|item| item.is_instance_of::<PyTensor>() || item.is_instance_of::<PyTuple>()) {
            return Ok(result.clone());
        }
        let items = items.iter().map(|item| converted(item, cls)).collect::<PyResult<Vec<_>>>()?;
        return result.get_type().call1((PyList::new(py, items)?,));
    }
    Ok(result.clone())
}

/// The `__torch_function__` of classes that override nothing: runs `func` as if all arguments were plain tensors.
#[pyfunction]
#[pyo3(signature = (func, types, args = None, kwargs = None))]
pub fn _disabled_torch_function_impl<'py>(
    func: &Bound<'py, PyAny>,
    types: &Bound<'py, PyAny>,
    args: Option<Bound<'py, PyTuple>>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let _ = types;
    let _restored = Restored::set(DISABLED.get().max_with(Disabled::Subclasses));
    func.call(args.unwrap_or_else(|| PyTuple::empty(func.py())), kwargs)
}

/// Stops looking for overrides in this thread, 0: not at all, 1: of subclasses, 2: of modes as well; what it was.
#[pyfunction]
pub fn _disable_torch_function(level: u8) -> u8 {
    DISABLED.replace([Disabled::Nothing, Disabled::Subclasses, Disabled::All][usize::from(level.min(2))]) as u8
}

/// Enters a mode.
#[pyfunction]
pub fn _push_torch_function_mode(mode: Py<PyAny>) {
    POSSIBLE.store(true, Relaxed);
    MODES.with_borrow_mut(|modes| modes.push(ManuallyDrop::new(mode)));
}

/// Leaves the innermost mode and gives it.
#[pyfunction]
pub fn _pop_torch_function_mode() -> PyResult<Py<PyAny>> {
    match MODES.with_borrow_mut(Vec::pop) {
        Some(mode) => Ok(ManuallyDrop::into_inner(mode)),
        None => Err(PyRuntimeError::new_err("no TorchFunctionMode is active")),
    }
}

/// The modes of this thread, the innermost last.
#[pyfunction]
pub fn _torch_function_modes(py: Python<'_>) -> Vec<Py<PyAny>> {
    MODES.with_borrow(|modes| modes.iter().map(|mode| mode.clone_ref(py)).collect())
}

/// Whether one of the objects, or a mode, overrides functions.
#[pyfunction]
#[pyo3(signature = (*objects))]
pub fn _has_torch_function(objects: &Bound<'_, PyTuple>) -> PyResult<bool> {
    Ok(in_mode() || !overriding_objects(objects)?.is_empty())
}

/// One object of each class that overrides functions, in the order in which they are asked.
#[pyfunction]
#[pyo3(signature = (*objects))]
pub fn _overloaded_arguments<'py>(objects: &Bound<'py, PyTuple>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    Ok(overriding_objects(objects)?.into_vec())
}

fn overriding_objects<'py>(objects: &Bound<'py, PyTuple>) -> PyResult<Overriding<'py>> {
    collect(objects.py(), objects.iter_borrowed().map(|object| object.as_ptr()), false)
}

/// What the objects, or a mode, make of a call of `function` with the arguments.
#[pyfunction]
#[pyo3(signature = (function, objects, *args, **kwargs))]
pub fn _handle_torch_function<'py>(
    function: &Bound<'py, PyAny>,
    objects: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<Bound<'py, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let objects = objects.try_iter()?.collect::<PyResult<Vec<_>>>()?;
    let objects = PyTuple::new(function.py(), objects)?;
    let mut overriding = overriding_objects(&objects)?;
    append_plain(function.py(), &mut overriding, objects.iter_borrowed().map(|object| object.as_ptr()));
    ask(function, &overriding, args, Some(&kwargs.unwrap_or_else(|| PyDict::new(function.py()))))
}

/// Remembers what turns overriding off.
pub fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let turned_off = module.getattr("_disabled_torch_function_impl")?.unbind();
    TURNED_OFF.get_or_init(module.py(), || turned_off);
    Ok(())
}
