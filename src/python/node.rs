//! Nodes of the graph as Python objects.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};

use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::autograd::hooks::Attachment;
use crate::autograd::node::{Body, Node, NodeCell, OutputMeta};
use crate::op::{OUTPUT, Op, Returns};
use crate::python::collector::Held;
use crate::python::dtype;
use crate::python::gil::Gil;
use crate::python::hooks::{self, SavingPair};
use crate::python::size::size_object;
use crate::python::tensor::wrap;
use crate::value::Value;

/// A recorded operation: what `tensor.grad_fn` gives.
#[pyclass(name = "Node", module = "rgrad.autograd.graph", frozen, subclass, weakref, dict)]
pub struct PyNode(Gil<Handle>);

enum Handle {
    Node(Node),
    /// The object is kept alive by its node: the context of a function of the user. Empty while its forward runs.
    Context(RefCell<Weak<NodeCell>>),
}

impl Drop for PyNode {
    fn drop(&mut self) {
        // SAFETY: an object is dropped by the thread that holds the GIL; only a plain cell is written.
        if let Handle::Node(node) = unsafe { self.0.get_unattached() } {
            node.set_object(std::ptr::null_mut());
        }
    }
}

thread_local! {
    /// A class for each name, so that printing a node shows it.
    static CLASSES: RefCell<Vec<(String, Py<PyType>)>> = const { RefCell::new(Vec::new()) };
    /// The node that the `__new__` which runs now is for.
    static ARRIVING: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// The Python object of a node: the one that it has, or a new one.
pub fn wrap_node(py: Python<'_>, node: Node) -> PyResult<Py<PyAny>> {
    let existing = node.object();
    if !existing.is_null() {
        // SAFETY: the address is cleared when the object is dropped, and the GIL is held.
        return Ok(unsafe { Bound::from_borrowed_ptr(py, existing.cast()) }.unbind());
    }
    let class = class_of(py, &node)?;
    // `__new__` takes the node from here; it is gone again before this function returns.
    let before = ARRIVING.replace(Some(node.clone()));
    let made = class.bind(py).call0();
    drop(ARRIVING.replace(None));
    drop(before);
    let made = made?;
    node.set_object(made.as_ptr().cast());
    Ok(made.unbind())
}

/// The class that is named as the node is.
fn class_of(py: Python<'_>, node: &Node) -> PyResult<Py<PyType>> {
    let name = node.name();
    let known = CLASSES.with_borrow(|all| all.iter().find(|row| row.0 == name).map(|row| row.1.clone_ref(py)));
    if let Some(class) = known {
        return Ok(class);
    }
    let namespace = PyDict::new(py);
    namespace.set_item("__module__", "rgrad.autograd.graph")?;
    namespace.set_item("__slots__", PyTuple::empty(py))?;
    let bases = PyTuple::new(py, [py.get_type::<PyNode>()])?;
    let made = py.get_type::<PyType>().call1((&name, bases, namespace))?.cast_into::<PyType>()?.unbind();
    CLASSES.with_borrow_mut(|all| all.push((name, made.clone_ref(py))));
    Ok(made)
}

/// The node of a Python object, if it is one.
pub fn node_of(object: &Bound<'_, PyAny>) -> Option<Node> {
    object.cast::<PyNode>().ok()?.get().find(object.py())
}

/// Tells the context of a user's function which node it belongs to.
pub fn bind_context(context: &Bound<'_, PyAny>, node: &Node) -> PyResult<()> {
    match context.cast::<PyNode>()?.get().0.get(context.py()) {
        Handle::Context(weak) => {
            weak.replace(Rc::downgrade(&node.0));
            Ok(())
        }
        Handle::Node(_) => Err(PyTypeError::new_err("a node of an operation is no context of a function")),
    }
}

struct Metadata(Py<PyDict>, #[allow(dead_code)] Held);

impl Attachment for Metadata {
    fn object(&self) -> NonNull<c_void> {
        // SAFETY: a Python object is never at address 0.
        unsafe { NonNull::new_unchecked(self.0.as_ptr().cast()) }
    }
}

/// What a node saved, before any hook has unpacked it.
#[pyclass(name = "SavedTensor", module = "rgrad.autograd.graph", frozen)]
pub struct PySavedTensor(Gil<(Node, u8, usize)>);

#[pymethods]
impl PySavedTensor {
    /// Keep this tensor as `pack_hook(tensor)` gives it; `unpack_hook` of that has to give the tensor back.
    ///
    /// Raises RuntimeError if the tensor was freed already or has hooks.
    fn register_hooks(slf: &Bound<'_, Self>, pack_hook: Py<PyAny>, unpack_hook: Py<PyAny>) -> PyResult<()> {
        let (node, variable, i) = slf.get().0.get(slf.py());
        Ok(node.register_saved_hooks(*variable, *i, &SavingPair { pack: pack_hook, unpack: unpack_hook })?)
    }
}

impl PyNode {
    fn find(&self, py: Python<'_>) -> Option<Node> {
        match self.0.get(py) {
            Handle::Node(node) => Some(node.clone()),
            Handle::Context(weak) => weak.borrow().upgrade().map(Node),
        }
    }

    fn node(slf: &Bound<'_, Self>) -> PyResult<Node> {
        slf.get().find(slf.py()).ok_or_else(|| {
            PyRuntimeError::new_err(
                "this context of a function has no node in a graph: its forward still runs, or its results are gone",
            )
        })
    }
}

#[pymethods]
impl PyNode {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(
        cls: &Bound<'_, PyType>,
        _arguments: &Bound<'_, PyTuple>,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyNode> {
        let handle = match ARRIVING.take() {
            Some(node) => Handle::Node(node),
            None if cls.hasattr(pyo3::intern!(cls.py(), "_is_function_context"))? => {
                Handle::Context(RefCell::new(Weak::new()))
            }
            None => return Err(PyTypeError::new_err("nodes are made by operations, not by calling Node()")),
        };
        Ok(PyNode(Gil::new(cls.py(), handle)))
    }

    /// The operation's name, such as `AddBackward0`; what no operation made has a qualified one, such as
    /// `torch::autograd::AccumulateGrad`.
    fn name(slf: &Bound<'_, Self>) -> PyResult<String> {
        let Some(node) = slf.get().find(slf.py()) else { return Ok(slf.get_type().name()?.to_string()) };
        let name = node.name();
        let qualified = matches!(&node.0.body, Body::Function(function) if function.object().is_none());
        Ok(if qualified { format!("torch::autograd::{name}") } else { name })
    }

    /// The gradients of the arguments from those of the results: one alone or a tuple. What was saved stays, and no
    /// hooks run.
    #[pyo3(signature = (*gradients))]
    fn __call__(slf: &Bound<'_, Self>, gradients: Vec<Option<crate::Tensor>>) -> PyResult<Py<PyAny>> {
        let (py, node) = (slf.py(), Self::node(slf)?);
        let expected = node.outputs().len();
        if gradients.len() != expected {
            return Err(PyTypeError::new_err(format!(
                "{}: gradients of {expected} results are expected, got {}",
                node.name(),
                gradients.len()
            )));
        }
        let mut given = node.apply(&gradients.into_iter().collect())?;
        if let [gradient] = &mut given[..] {
            return Ok(gradient.take().into_pyobject(py)?.into_any().unbind());
        }
        Ok(PyTuple::new(py, given)?.into_any().unbind())
    }

    /// For each tensor argument the node that its gradient goes to, and which of that node's results it was.
    #[getter]
    fn next_functions<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let edges = Self::node(slf)?.edges();
        let rows = edges
            .into_iter()
            .map(|edge| match edge {
                Some(edge) => {
                    let nr = edge.input_nr;
                    Ok((Some(wrap_node(py, edge.node)?), nr))
                }
                None => Ok((None, 0)),
            })
            .collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, rows)
    }

    /// A dictionary for the user's own notes; it lives as long as the node.
    #[getter]
    fn metadata(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        metadata_of(slf.py(), &Self::node(slf)?)
    }

    /// Call `hook(grad_inputs, grad_outputs)` after this node has run; a tuple that it returns replaces
    /// `grad_inputs`. Returns a handle whose `remove()` takes the hook away.
    fn register_hook<'py>(slf: &Bound<'py, Self>, hook: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        hooks::register_after(slf.py(), &Self::node(slf)?, hook)
    }

    /// Call `hook(grad_outputs)` before this node runs; a tuple that it returns replaces `grad_outputs`. Returns a
    /// handle whose `remove()` takes the hook away.
    fn register_prehook<'py>(slf: &Bound<'py, Self>, hook: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        hooks::register_before(slf.py(), &Self::node(slf)?, hook)
    }

    fn _register_hook_dict(slf: &Bound<'_, Self>, table: Bound<'_, PyDict>) -> PyResult<()> {
        hooks::register_table(&Self::node(slf)?, table);
        Ok(())
    }

    /// The leaf that an `AccumulateGrad` node adds to.
    #[getter]
    fn variable(slf: &Bound<'_, Self>) -> PyResult<crate::Tensor> {
        let node = Self::node(slf)?;
        node.variable()
            .ok_or_else(|| PyAttributeError::new_err(format!("'{}' object has no attribute 'variable'", node.name())))
    }

    #[getter]
    fn requires_grad(_slf: &Bound<'_, Self>) -> bool {
        true
    }

    /// File and line of the program that made this node, or `None`.
    #[getter]
    fn place(slf: &Bound<'_, Self>) -> PyResult<Option<(String, u32)>> {
        Ok(Self::node(slf)?.place())
    }

    /// Bytes of the tensors saved for the backward pass.
    #[getter]
    fn saved_bytes(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(Self::node(slf)?.saved_bytes())
    }

    /// Address and bytes of each piece of memory that is kept for the backward pass, and whether a leaf that requires
    /// grad keeps it anyway. A leaf's own memory counts for the node that accumulates into it.
    #[getter]
    fn _holdings(slf: &Bound<'_, Self>) -> PyResult<Vec<(usize, usize, bool)>> {
        let holdings = Self::node(slf)?.holdings();
        Ok(holdings.into_iter().map(|held| (held.address, held.bytes, held.leaf)).collect())
    }

    /// Sizes and dtype name of each result.
    #[getter]
    fn outputs(slf: &Bound<'_, Self>) -> PyResult<Vec<(Vec<usize>, &'static str)>> {
        let outputs = Self::node(slf)?.outputs();
        Ok(outputs.into_iter().map(|meta| (meta.sizes.to_vec(), meta.dtype.name())).collect())
    }

    /// Shape and dtype of each result.
    #[getter]
    fn _input_metadata<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let kind = py.import(pyo3::intern!(py, "rgrad.autograd.graph"))?.getattr("_InputMetadata")?;
        let metas = Self::node(slf)?.outputs();
        let rows = metas
            .iter()
            .map(|meta| kind.call1((size_object(py, &meta.sizes)?, dtype::object(py, meta.dtype)?)))
            .collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, rows)
    }

    /// The tensors that a function of the user saved with `ctx.save_for_backward`, or, while `jvp` runs, with
    /// `ctx.save_for_forward`.
    #[getter]
    fn saved_tensors(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        if let Ok(saved) = slf.getattr(pyo3::intern!(py, "saved_for_forward"))
            && !saved.is_none()
        {
            return Ok(saved.unbind());
        }
        let Some(node) = slf.get().find(py) else { return Ok(PyTuple::empty(py).into_any().unbind()) };
        match node.saved_value(0)? {
            Value::Tensors(list) => Ok(PyTuple::new(py, list)?.into_any().unbind()),
            _ => Err(PyAttributeError::new_err(format!("'{}' object has no attribute 'saved_tensors'", node.name()))),
        }
    }

    fn _sequence_nr(slf: &Bound<'_, Self>) -> PyResult<u64> {
        Ok(Self::node(slf)?.sequence())
    }

    fn _set_sequence_nr(slf: &Bound<'_, Self>, number: u64) -> PyResult<()> {
        Self::node(slf)?.set_sequence(number);
        Ok(())
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        match slf.get().find(slf.py()) {
            Some(node) => node.id() >> 4,
            None => slf.as_ptr() as usize >> 4,
        }
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> bool {
        slf.is(other) || matches!((node_of(slf), node_of(other)), (Some(a), Some(b)) if a.is_same(&b))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<{} object at 0x{:x}>", slf.get_type().name()?, slf.as_ptr() as usize))
    }

    /// The attributes, those of saved arguments and results among them.
    fn __dir__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let names = py.get_type::<PyAny>().call_method1(pyo3::intern!(py, "__dir__"), (slf,))?;
        if let Some(node) = slf.get().find(py)
            && let Body::Op(op) = &node.0.body
        {
            for (name, is_tensor) in op.saved_names() {
                let name = if name == "input" { "self" } else { name };
                names.call_method1("append", (format!("_saved_{name}"),))?;
                if is_tensor {
                    names.call_method1("append", (format!("_raw_saved_{name}"),))?;
                }
            }
        }
        Ok(names)
    }

    /// Saved arguments and results: `_saved_self`, `_saved_result`, …, and with `_raw_saved_` before hooks unpack
    /// them. Also the sizes of arguments that gradients go to: `_saved_self_sym_sizes`.
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let missing = || {
            let class = slf.get_type().name().map(|name| name.to_string()).unwrap_or_default();
            PyAttributeError::new_err(format!("'{class}' object has no attribute '{name}'"))
        };
        let Some(node) = slf.get().find(py) else { return Err(missing()) };
        if let Some(wanted) = name.strip_prefix("_raw_saved_") {
            if wanted == "tensors" && matches!(node.0.body, Body::Function(_)) {
                let Value::Tensors(list) = node.saved_value(0)? else { return Err(missing()) };
                let all = (0..list.len()).map(|i| raw(py, &node, 0, i)).collect::<PyResult<Vec<_>>>()?;
                return Ok(PyTuple::new(py, all)?.into_any().unbind());
            }
            let variable = saved_variable(&node, wanted).ok_or_else(missing)?;
            return Ok(raw(py, &node, variable, 0)?.into_any());
        }
        let wanted = name.strip_prefix("_saved_").ok_or_else(missing)?;
        if let Some(meta) = wanted.strip_suffix("_sym_sizes").and_then(|argument| argument_meta(&node, argument)) {
            return Ok(PyTuple::new(py, &meta.sizes)?.into_any().unbind());
        }
        if let Some(meta) = wanted.strip_suffix("_sym_numel").and_then(|argument| argument_meta(&node, argument)) {
            return Ok(meta.sizes.iter().product::<usize>().into_pyobject(py)?.into_any().unbind());
        }
        let variable = saved_variable(&node, wanted).ok_or_else(missing)?;
        if !node.is_released() && !node.has_saved(variable) {
            return Ok(py.None());
        }
        match node.saved_value(variable)? {
            Value::Tensor(tensor) => Ok(wrap(py, &tensor)?.into_any()),
            Value::Tensors(list) => Ok(PyTuple::new(py, list)?.into_any().unbind()),
            Value::Scalar(number) => crate::python::conversions::number_object(py, number),
            Value::Ints(list) => Ok(PyTuple::new(py, list)?.into_any().unbind()),
            Value::Text(text) => Ok(pyo3::types::PyString::new(py, &text).into_any().unbind()),
            _ => Ok(py.None()),
        }
    }
}

/// The dictionary that lives as long as the node.
pub fn metadata_of(py: Python<'_>, node: &Node) -> PyResult<Py<PyAny>> {
    if node.attachment().is_none() {
        node.attach(Box::new(Metadata(PyDict::new(py).unbind(), Held::new())));
    }
    match node.attachment() {
        // SAFETY: the node keeps its attachment, an object of this file, alive; the GIL is held.
        Some(address) => Ok(unsafe { Bound::from_borrowed_ptr(py, address.as_ptr().cast()) }.unbind()),
        None => Err(PyRuntimeError::new_err("a node keeps no metadata")),
    }
}

fn raw(py: Python<'_>, node: &Node, variable: u8, i: usize) -> PyResult<Py<PySavedTensor>> {
    Py::new(py, PySavedTensor(Gil::new(py, (node.clone(), variable, i))))
}

/// Which parameter it is that PyTorch calls `wanted`.
fn parameter_place(op: &Op, wanted: &str) -> Option<usize> {
    let name = if wanted == "self" { "input" } else { wanted };
    op.parameters.iter().position(|found| found.name == name)
}

/// Sizes and element type of a tensor argument that gradients go to.
fn argument_meta(node: &Node, wanted: &str) -> Option<OutputMeta> {
    let Body::Op(op) = &node.0.body else { return None };
    node.input_meta(node.edge_of(op, parameter_place(op, wanted)?))
}

/// The bit number of the argument or result that PyTorch calls `wanted`.
fn saved_variable(node: &Node, wanted: &str) -> Option<u8> {
    let Body::Op(op) = &node.0.body else { return None };
    let result = || match op.returns {
        Returns::Named(fields) => fields.iter().position(|field| *field == wanted),
        _ => (wanted == "result").then_some(0),
    };
    let variable = parameter_place(op, wanted).or_else(|| result().map(|place| OUTPUT + place))?;
    op.reads(variable).then_some(variable as u8)
}
