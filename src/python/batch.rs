//! What `rgrad.func` is made of: levels of vmap, and inputs for functions that are differentiated.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::autograd::batch::{self, Randomness};
use crate::autograd::node::Node;
use crate::ops;
use crate::tensor::Tensor;

/// Opens a level of `vmap` for `size` examples and gives its number.
#[pyfunction]
pub fn _enter_vmap(size: usize, randomness: &str) -> PyResult<u32> {
    let randomness = match randomness {
        "error" => Randomness::Error,
        "different" => Randomness::Different,
        "same" => Randomness::Same,
        other => {
            return Err(PyRuntimeError::new_err(format!(
                "vmap: randomness has to be 'error', 'different' or 'same', got '{other}'"
            )));
        }
    };
    Ok(batch::enter(size, randomness).id)
}

/// Closes the innermost level of `vmap`.
#[pyfunction]
pub fn _exit_vmap() {
    batch::exit();
}

/// The tensor that stands for the examples of `tensor` along `dim`.
#[pyfunction]
pub fn _add_batch_dim(tensor: Tensor, dim: i64, level: u32) -> PyResult<Tensor> {
    let level = batch::find(level)?;
    let first = if dim == 0 { tensor } else { ops::views::movedim_one(&tensor, dim, 0)? };
    Ok(batch::lift(&first, &[level])?)
}

/// All examples of a tensor at a level, in dimension `dim`; of one that is not batched there, copies without memory.
#[pyfunction]
pub fn _remove_batch_dim(tensor: Tensor, level: u32, dim: i64) -> PyResult<Tensor> {
    let level = batch::find(level)?;
    let first = batch::lower(&tensor, &[level])?;
    Ok(if dim == 0 { first } else { ops::views::movedim_one(&first, 0, dim)? })
}

/// Whether a tensor is batched at a level; at any, if none is given.
#[pyfunction]
#[pyo3(signature = (tensor, level = None))]
pub fn _is_batched(tensor: Tensor, level: Option<u32>) -> bool {
    let levels = tensor.levels();
    level.map_or(!levels.is_empty(), |id| levels.iter().any(|level| level.id == id))
}

/// The tensor behind a batched one: without its innermost level, or without any.
#[pyfunction]
pub fn _debug_unwrap(tensor: Tensor, recurse: bool) -> PyResult<Tensor> {
    let levels = tensor.levels();
    Ok(match levels.last() {
        None => tensor,
        Some(_) if recurse => tensor.physical(),
        Some(level) => batch::lower(&tensor, &[*level])?,
    })
}

/// An input for a function that is about to be differentiated; its own history is kept if `recorded`.
#[pyfunction]
pub fn _fresh_input(tensor: Tensor, recorded: bool) -> PyResult<Tensor> {
    Ok(batch::fresh(&tensor, recorded)?)
}

/// Whether `outputs` depend on anything that requires grad besides `inputs`, or those on anything before them.
#[pyfunction]
pub fn _depends_on_others(outputs: Vec<Tensor>, inputs: Vec<Tensor>) -> PyResult<bool> {
    let mut ends = Vec::new();
    for input in &inputs {
        match input.gradient_edge()? {
            Some(edge) if input.is_leaf() => ends.push(edge.node.id()),
            Some(_) => return Ok(true),
            None => {}
        }
    }
    let mut seen = std::collections::HashSet::new();
    let mut stack: Vec<Node> = Vec::new();
    for output in &outputs {
        stack.extend(output.gradient_edge()?.map(|edge| edge.node));
    }
    while let Some(node) = stack.pop() {
        if ends.contains(&node.id()) || !seen.insert(node.id()) {
            continue;
        }
        if node.variable().is_some() {
            return Ok(true);
        }
        stack.extend(node.edges().into_iter().flatten().map(|edge| edge.node));
    }
    Ok(false)
}
