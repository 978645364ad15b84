//! Nodes of the graph as Python objects.

use std::cell::RefCell;

use pyo3::exceptions::PyAttributeError;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::autograd::node::{Body, Node};
use crate::python::gil::Gil;
use crate::python::tensor::wrap;
use crate::value::Value;

/// A recorded operation: what `tensor.grad_fn` gives.
#[pyclass(name = "Node", module = "rgrad.autograd.graph", frozen, subclass, weakref, dict)]
pub struct PyNode(Gil<Node>);

thread_local! {
    /// A class for each name, so that printing a node shows it.
    static CLASSES: RefCell<Vec<(String, Py<PyType>)>> = const { RefCell::new(Vec::new()) };
}

/// The Python object of a node.
pub fn wrap_node(py: Python<'_>, node: Node) -> PyResult<Py<PyAny>> {
    let name = node.name();
    let known = CLASSES.with_borrow(|all| all.iter().find(|row| row.0 == name).map(|row| row.1.clone_ref(py)));
    let class = match known {
        Some(class) => class,
        None => {
            let base = py.get_type::<PyNode>();
            let namespace = pyo3::types::PyDict::new(py);
            namespace.set_item("__module__", "rgrad.autograd.graph")?;
            namespace.set_item("__slots__", PyTuple::empty(py))?;
            let made = py.get_type::<PyType>().call1((&name, PyTuple::new(py, [base])?, namespace))?;
            let made = made.cast_into::<PyType>()?.unbind();
            CLASSES.with_borrow_mut(|all| all.push((name, made.clone_ref(py))));
            made
        }
    };
    let holder = PyNodeHolder(node);
    holder.into_object(class.bind(py))
}

/// A node on its way into an object of its class.
struct PyNodeHolder(Node);

thread_local! {
    static ARRIVING: RefCell<Option<Node>> = const { RefCell::new(None) };
}

impl PyNodeHolder {
    fn into_object(self, class: &Bound<'_, PyType>) -> PyResult<Py<PyAny>> {
        // `__new__` takes the node from here; it is gone again before this function returns.
        let before = ARRIVING.replace(Some(self.0));
        let made = class.call0();
        drop(ARRIVING.replace(None));
        drop(before);
        Ok(made?.unbind())
    }
}

impl PyNode {
    fn node<'a>(slf: &'a Bound<'_, Self>) -> &'a Node {
        slf.get().0.get(slf.py())
    }
}

#[pymethods]
impl PyNode {
    #[new]
    #[classmethod]
    fn new(cls: &Bound<'_, PyType>) -> PyResult<PyNode> {
        match ARRIVING.take() {
            Some(node) => Ok(PyNode(Gil::new(cls.py(), node))),
            None => Err(pyo3::exceptions::PyTypeError::new_err("nodes are made by operations, not by calling Node()")),
        }
    }

    /// The operation's name, such as `AddBackward0`.
    fn name(slf: &Bound<'_, Self>) -> String {
        Self::node(slf).name()
    }

    /// For each tensor argument the node that its gradient goes to, and which of that node's results it was.
    #[getter]
    fn next_functions<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let py = slf.py();
        let edges = Self::node(slf).edges();
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

    /// The leaf that an `AccumulateGrad` node adds to.
    #[getter]
    fn variable(slf: &Bound<'_, Self>) -> PyResult<crate::Tensor> {
        Self::node(slf)
            .variable()
            .ok_or_else(|| PyAttributeError::new_err(format!("{} has no attribute 'variable'", Self::node(slf).name())))
    }

    /// File and line of the program that made this node, or `None`.
    #[getter]
    fn place(slf: &Bound<'_, Self>) -> Option<(String, u32)> {
        Self::node(slf).place()
    }

    /// Bytes of the tensors saved for the backward pass.
    #[getter]
    fn saved_bytes(slf: &Bound<'_, Self>) -> usize {
        Self::node(slf).saved_bytes()
    }

    /// Sizes and dtype name of each result.
    #[getter]
    fn outputs(slf: &Bound<'_, Self>) -> Vec<(Vec<usize>, &'static str)> {
        Self::node(slf).outputs().into_iter().map(|meta| (meta.sizes.into_vec(), meta.dtype.name())).collect()
    }

    fn _sequence_nr(slf: &Bound<'_, Self>) -> u64 {
        Self::node(slf).sequence()
    }

    fn __hash__(slf: &Bound<'_, Self>) -> usize {
        Self::node(slf).id() >> 4
    }

    fn __eq__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PyNode>().is_ok_and(|other| Self::node(slf).is_same(Self::node(other)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        format!("<{} object at 0x{:x}>", Self::node(slf).name(), slf.as_ptr() as usize)
    }

    /// Saved arguments and results: `_saved_self`, `_saved_result`, ….
    fn __getattr__(slf: &Bound<'_, Self>, name: &str) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let node = Self::node(slf);
        let missing = || PyAttributeError::new_err(format!("'{}' object has no attribute '{name}'", node.name()));
        let Body::Op(op) = &node.0.body else { return Err(missing()) };
        let wanted = name.strip_prefix("_saved_").ok_or_else(missing)?;
        let parameter = if wanted == "self" { "input" } else { wanted };
        let place = op.parameters.iter().position(|found| found.name == parameter);
        let variable = match place {
            Some(place) => place as u8,
            None if wanted == "result" => crate::op::OUTPUT as u8,
            None => match op.returns {
                crate::op::Returns::Named(fields) => match fields.iter().position(|field| *field == wanted) {
                    Some(place) => (crate::op::OUTPUT + place) as u8,
                    None => return Err(missing()),
                },
                _ => return Err(missing()),
            },
        };
        match node.saved_value(variable)? {
            Value::Tensor(tensor) => Ok(wrap(py, &tensor)?.into_any()),
            Value::Scalar(number) => crate::python::tensor::number_object(py, number),
            Value::Ints(list) => Ok(PyTuple::new(py, list)?.into_any().unbind()),
            Value::Text(text) => Ok(pyo3::types::PyString::new(py, &text).into_any().unbind()),
            _ => Ok(py.None()),
        }
    }
}
