//! Hooks as Python registers them: tables of functions on tensors and nodes, and pairs for saved tensors.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use smallvec::SmallVec;

use crate::autograd::hooks::{Hook, LeafHook};
use crate::autograd::node::{Gradients, Node};
use crate::autograd::saved::{Packed, SavingHooks};
use crate::error::Result;
use crate::python::arguments::describe;
use crate::python::collector::Held;
use crate::python::tensor::{PyTensor, tensor_of, this, wrap};
use crate::shape::show;
use crate::tensor::Tensor;

/// An ordered table of Python functions, shared with the handles that remove them.
struct Table {
    functions: Py<PyDict>,
    role: Role,
    _held: Held,
}

#[derive(Clone, Copy)]
enum Role {
    /// On a tensor: `hook(grad)`.
    Tensor,
    /// Before a node: `hook(grad_outputs)`.
    Before,
    /// After a node: `hook(grad_inputs, grad_outputs)`.
    After,
}

/// The address of an object that somebody else keeps alive.
fn address<T>(object: &Py<T>) -> Option<NonNull<c_void>> {
    NonNull::new(object.as_ptr().cast())
}

/// The functions in a table, in its order, which hooks may change while they run.
fn snapshot<'py>(py: Python<'py>, functions: &Py<PyDict>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    functions.bind(py).call_method0(pyo3::intern!(py, "values"))?.try_iter()?.collect()
}

impl Table {
    fn shared(functions: Py<PyDict>, role: Role) -> Rc<Table> {
        Rc::new(Table { functions, role, _held: Held::new() })
    }

    fn run(&self, py: Python<'_>, mut gradients: Gradients, arrived: &Gradients) -> PyResult<Gradients> {
        for function in snapshot(py, &self.functions)? {
            let returned = match self.role {
                Role::Tensor => function.call1((gradients.first().cloned().flatten(),))?,
                Role::Before => function.call1((PyTuple::new(py, gradients.iter().cloned())?,))?,
                Role::After => {
                    let given = PyTuple::new(py, gradients.iter().cloned())?;
                    function.call1((given, PyTuple::new(py, arrived.iter().cloned())?))?
                }
            };
            if returned.is_none() {
                continue;
            }
            if let Role::Tensor = self.role {
                gradients[0] = Some(replacement(&function, &returned, gradients[0].as_ref())?);
                continue;
            }
            let Ok(returned) = returned.cast::<PyTuple>() else {
                return Err(PyTypeError::new_err(format!(
                    "expected a tuple or None from the hook {}, which returned {}",
                    name(&function),
                    describe(&returned)
                )));
            };
            if returned.len() != gradients.len() {
                return Err(PyRuntimeError::new_err(format!(
                    "hook {} has returned {} gradients in place of {}",
                    name(&function),
                    returned.len(),
                    gradients.len()
                )));
            }
            for (gradient, value) in gradients.iter_mut().zip(returned.iter()) {
                *gradient = match value.is_none() {
                    true => None,
                    false => Some(replacement(&function, &value, gradient.as_ref())?),
                };
            }
        }
        Ok(gradients)
    }
}

/// How a message calls a hook.
fn name(function: &Bound<'_, PyAny>) -> String {
    let name = function.getattr("__name__").and_then(|name| name.extract::<String>());
    name.map_or_else(|_| describe(function), |name| format!("'{name}'"))
}

/// What a hook returned, if it can stand for `gradient`.
fn replacement(function: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>, gradient: Option<&Tensor>) -> PyResult<Tensor> {
    let Some(tensor) = tensor_of(value) else {
        return Err(PyTypeError::new_err(format!(
            "expected a Tensor or None from the hook {}, which returned {}",
            name(function),
            describe(value)
        )));
    };
    let Some(gradient) = gradient else {
        return Err(PyRuntimeError::new_err(format!(
            "hook {} has replaced a gradient of None by a Tensor",
            name(function)
        )));
    };
    let (sizes, expected) = (tensor.sizes(), gradient.sizes());
    if sizes != expected || tensor.dtype() != gradient.dtype() {
        return Err(PyRuntimeError::new_err(format!(
            "hook {} has replaced a {} gradient of size {} by a {} tensor of size {}",
            name(function),
            gradient.dtype(),
            show(&expected),
            tensor.dtype(),
            show(&sizes)
        )));
    }
    Ok(tensor.clone())
}

impl Hook for Table {
    fn run(&self, gradients: Gradients, arrived: &Gradients) -> Result<Gradients> {
        Ok(Python::attach(|py| self.run(py, gradients, arrived))?)
    }

    fn object(&self) -> Option<NonNull<c_void>> {
        address(&self.functions)
    }
}

/// Functions that are called with a leaf after a gradient was added to its `grad`.
struct LeafTable(Py<PyDict>, Held);

impl LeafHook for LeafTable {
    fn run(&self, leaf: &Tensor) -> Result<()> {
        Python::attach(|py| {
            for function in snapshot(py, &self.0)? {
                let returned = function.call1((wrap(py, leaf)?,))?;
                if !returned.is_none() {
                    return Err(PyRuntimeError::new_err(format!(
                        "the hook {} after accumulation has to return None, it returned {}",
                        name(&function),
                        describe(&returned)
                    )));
                }
            }
            Ok(())
        })
        .map_err(|error: PyErr| error.into())
    }

    fn object(&self) -> Option<NonNull<c_void>> {
        address(&self.0)
    }
}

/// The Python table at an address that a hook gave.
fn table_at(py: Python<'_>, address: NonNull<c_void>) -> Py<PyAny> {
    // SAFETY: hooks of this file give the address of an object that they keep alive, and the GIL is held.
    unsafe { Bound::from_borrowed_ptr(py, address.as_ptr().cast()) }.unbind()
}

/// An empty table; ordered, so that `prepend` can move a hook to the front.
fn new_table(py: Python<'_>) -> PyResult<Py<PyDict>> {
    static KIND: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let kind =
        KIND.get_or_try_init(py, || Ok::<_, PyErr>(py.import("collections")?.getattr("OrderedDict")?.unbind()))?;
    Ok(kind.call0(py)?.bind(py).cast::<PyDict>()?.clone().unbind())
}

/// Puts `hook` into a table; gives the handle that takes it out again.
fn register<'py>(table: &Bound<'py, PyAny>, hook: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static REGISTER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = table.py();
    let find = || Ok::<_, PyErr>(py.import("rgrad.utils.hooks")?.getattr("register")?.unbind());
    REGISTER.get_or_try_init(py, find)?.bind(py).call1((table, hook))
}

fn tensor_table(slf: &Bound<'_, PyTensor>) -> Option<Py<PyAny>> {
    this(slf).own_hook().and_then(|hook| hook.object()).map(|address| table_at(slf.py(), address))
}

fn leaf_table(slf: &Bound<'_, PyTensor>) -> Option<Py<PyAny>> {
    this(slf).leaf_hook().and_then(|hook| hook.object()).map(|address| table_at(slf.py(), address))
}

fn check_requires_grad(slf: &Bound<'_, PyTensor>, function: &str) -> PyResult<()> {
    match this(slf).requires_grad() {
        true => Ok(()),
        false => Err(PyRuntimeError::new_err(format!(
            "{function}(): cannot register a hook on a tensor that doesn't require gradient"
        ))),
    }
}

#[pymethods]
impl PyTensor {
    /// Call `hook(grad)` whenever the gradient of this tensor is computed; a Tensor that it returns replaces the
    /// gradient.
    ///
    /// Returns a handle whose `remove()` takes the hook away. Raises RuntimeError if the tensor does not require
    /// grad.
    fn register_hook<'py>(slf: &Bound<'py, Self>, hook: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        check_requires_grad(slf, "register_hook")?;
        let py = slf.py();
        if tensor_table(slf).is_none() {
            this(slf).set_own_hook(Some(Table::shared(new_table(py)?, Role::Tensor)))?;
        }
        match tensor_table(slf) {
            Some(table) => register(table.bind(py), hook),
            None => Err(PyRuntimeError::new_err("register_hook(): the tensor keeps no hooks")),
        }
    }

    /// Call `hook(tensor)` whenever a gradient was added to the `grad` of this leaf.
    ///
    /// Returns a handle whose `remove()` takes the hook away. Raises RuntimeError if the tensor is no leaf that
    /// requires grad.
    fn register_post_accumulate_grad_hook<'py>(
        slf: &Bound<'py, Self>,
        hook: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        check_requires_grad(slf, "register_post_accumulate_grad_hook")?;
        if !this(slf).is_leaf() {
            return Err(PyRuntimeError::new_err(
                "register_post_accumulate_grad_hook(): post accumulate grad hooks are for leaves, this tensor is the \
                 result of an operation",
            ));
        }
        let py = slf.py();
        if leaf_table(slf).is_none() {
            this(slf).set_leaf_hook(Some(Rc::new(LeafTable(new_table(py)?, Held::new()))));
        }
        match leaf_table(slf) {
            Some(table) => register(table.bind(py), hook),
            None => Err(PyRuntimeError::new_err("register_post_accumulate_grad_hook(): the tensor keeps no hooks")),
        }
    }

    #[getter]
    fn _backward_hooks(slf: &Bound<'_, Self>) -> Option<Py<PyAny>> {
        tensor_table(slf)
    }

    #[setter(_backward_hooks)]
    fn set_backward_hooks(slf: &Bound<'_, Self>, hooks: Option<Bound<'_, PyDict>>) -> PyResult<()> {
        let table = hooks.map(|functions| -> Rc<dyn Hook> { Table::shared(functions.unbind(), Role::Tensor) });
        Ok(this(slf).set_own_hook(table)?)
    }

    #[getter]
    fn _post_accumulate_grad_hooks(slf: &Bound<'_, Self>) -> Option<Py<PyAny>> {
        leaf_table(slf)
    }

    #[setter(_post_accumulate_grad_hooks)]
    fn set_post_accumulate_grad_hooks(slf: &Bound<'_, Self>, hooks: Option<Bound<'_, PyDict>>) {
        let table = hooks.map(|functions| -> Rc<dyn LeafHook> { Rc::new(LeafTable(functions.unbind(), Held::new())) });
        this(slf).set_leaf_hook(table);
    }
}

/// Registers a hook that runs before a node.
pub fn register_before<'py>(py: Python<'py>, node: &Node, hook: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if node.hooks_before().is_empty() {
        node.add_hook_before(Table::shared(new_table(py)?, Role::Before));
    }
    register_in(py, node.hooks_before(), hook)
}

/// Registers a hook that runs after a node.
pub fn register_after<'py>(py: Python<'py>, node: &Node, hook: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    if node.hooks_after().is_empty() {
        node.add_hook_after(Table::shared(new_table(py)?, Role::After));
    }
    register_in(py, node.hooks_after(), hook)
}

/// Adds a table, which somebody else fills, to the hooks that run after a node.
pub fn register_table(node: &Node, table: Bound<'_, PyDict>) {
    node.add_hook_after(Table::shared(table.unbind(), Role::After));
}

fn register_in<'py>(
    py: Python<'py>,
    hooks: Vec<Rc<dyn Hook>>,
    hook: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match hooks.iter().find_map(|hook| hook.object()) {
        Some(address) => register(table_at(py, address).bind(py), hook),
        None => Err(PyRuntimeError::new_err("the node keeps no hooks")),
    }
}

/// A pair of Python functions through which saved tensors pass.
pub struct SavingPair {
    pub pack: Py<PyAny>,
    pub unpack: Py<PyAny>,
}

/// What the first function of a pair returned, and the second.
struct PackedObject {
    form: Py<PyAny>,
    unpack: Py<PyAny>,
    _held: Held,
}

impl SavingHooks for SavingPair {
    fn pack(&self, tensor: &Tensor) -> Result<Box<dyn Packed>> {
        Python::attach(|py| {
            let form = self.pack.call1(py, (wrap(py, tensor)?,))?;
            Ok(Box::new(PackedObject { form, unpack: self.unpack.clone_ref(py), _held: Held::new() })
                as Box<dyn Packed>)
        })
        .map_err(|error: PyErr| error.into())
    }
}

impl Packed for PackedObject {
    fn unpack(&self) -> Result<Tensor> {
        Python::attach(|py| {
            let returned = self.unpack.bind(py).call1((&self.form,))?;
            tensor_of(&returned).cloned().ok_or_else(|| {
                PyTypeError::new_err(format!(
                    "the unpack hook of saved tensors has to return a Tensor, it returned {}",
                    describe(&returned)
                ))
            })
        })
        .map_err(|error: PyErr| error.into())
    }

    fn objects(&self) -> SmallVec<[NonNull<c_void>; 2]> {
        address(&self.form).into_iter().chain(address(&self.unpack)).collect()
    }
}
