//! Anomaly mode in Python: the stack of the forward call is kept with each node, and shown when the node fails.

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::autograd::anomaly::{self, Reporter};
use crate::autograd::node::Node;
use crate::error::Result;
use crate::python::node::metadata_of;

/// The key under which PyTorch keeps the stack in a node's metadata.
const KEY: &str = "traceback_";

/// Tells the core how stacks are kept and shown.
pub fn install() {
    anomaly::set_reporter(Reporter { note, warn });
}

fn note(node: &Node) {
    Python::attach(|py| {
        let keep = || -> PyResult<()> {
            let stack = py.import("traceback")?.call_method0("format_stack")?;
            metadata_of(py, node)?.bind(py).set_item(KEY, stack)
        };
        // A stack that cannot be kept must not make the operation fail.
        if let Err(error) = keep() {
            error.write_unraisable(py, None);
        }
    });
}

fn warn(node: &Node) -> Result<()> {
    Ok(Python::attach(|py| {
        let metadata = metadata_of(py, node)?;
        let Some(stack) = metadata.bind(py).cast::<PyDict>()?.get_item(KEY)? else { return Ok(()) };
        let stack: Vec<String> = stack.extract()?;
        let message = format!(
            "{} has failed in the backward pass. The forward call that made it:\n{}",
            node.name(),
            stack.concat()
        );
        let message = std::ffi::CString::new(message).unwrap_or_default();
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 1)
    })?)
}

/// Switches anomaly mode on or off, and whether gradients that are nan are errors in it.
#[pyfunction]
pub fn _set_anomaly(enabled: bool, check_nan: bool) {
    anomaly::set_enabled(enabled, check_nan);
}

/// Whether anomaly mode is on, and whether it checks for nan.
#[pyfunction]
pub fn _anomaly() -> (bool, bool) {
    (anomaly::is_enabled(), anomaly::checks_nan())
}
