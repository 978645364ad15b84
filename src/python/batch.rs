//! What `rgrad.func` is made of: levels of vmap, and inputs for functions that are differentiated.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::autograd::batch::{self, Level, Open, Randomness};
use crate::autograd::node::Node;
use crate::ops;
use crate::python::tensor::tensor_of;
use crate::tensor::Tensor;

/// Opens a level of `vmap` for `size` examples and gives its number.
#[pyfunction]
pub fn _enter_vmap(size: usize, randomness: &str) -> PyResult<u32> {
    Ok(batch::enter(size, parsed(randomness)?).id)
}

fn parsed(randomness: &str) -> PyResult<Randomness> {
    Ok(match randomness {
        "error" => Randomness::Error,
        "different" => Randomness::Different,
        "same" => Randomness::Same,
        other => {
            return Err(PyRuntimeError::new_err(format!(
                "vmap: randomness has to be 'error', 'different' or 'same', got '{other}'"
            )));
        }
    })
}

/// Closes the innermost level of `vmap`.
#[pyfunction]
pub fn _exit_vmap() {
    batch::exit();
}

/// Says that a function runs which is going to be differentiated.
#[pyfunction]
pub fn _enter_transform() {
    batch::enter_transform();
}

/// Says that it has run.
#[pyfunction]
pub fn _exit_transform() {
    batch::exit_transform();
}

/// The innermost open level at which one of `objects` is batched: number, size and randomness.
#[pyfunction]
pub fn _innermost_level(objects: Vec<Bound<'_, PyAny>>) -> PyResult<(u32, usize, &'static str)> {
    let levels: Vec<_> = objects.iter().filter_map(tensor_of).flat_map(Tensor::levels).collect();
    let open = batch::open().into_iter().rfind(|open| levels.contains(&open.level));
    let Some(open) = open else {
        return Err(PyRuntimeError::new_err("a tensor of a vmap that has ended is used"));
    };
    let randomness = match open.randomness {
        Randomness::Error => "error",
        Randomness::Different => "different",
        Randomness::Same => "same",
    };
    Ok((open.level.id, open.level.size, randomness))
}

/// Closes a level for a while.
#[pyfunction]
pub fn _suspend_vmap(level: u32) {
    let mut open = batch::open();
    open.retain(|open| open.level.id != level);
    batch::replace_open(open);
}

/// Opens a level again.
#[pyfunction]
pub fn _resume_vmap(level: u32, size: usize, randomness: &str) -> PyResult<()> {
    let mut open = batch::open();
    open.push(Open { level: Level { id: level, size }, randomness: parsed(randomness)? });
    open.sort_by_key(|open| open.level.id);
    batch::replace_open(open);
    Ok(())
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

/// The values without their history; a tangent stays.
#[pyfunction]
pub fn _without_history(tensor: Tensor) -> PyResult<Tensor> {
    let detached = tensor.detach();
    if let Some(tangent) = batch::tangent(&tensor)? {
        batch::set_tangent(&detached, &tangent)?;
    }
    Ok(detached)
}

/// Says that the function that inputs were made for has ended.
#[pyfunction]
pub fn _end_inputs(inputs: Vec<Tensor>) {
    inputs.iter().for_each(batch::end);
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
        if node.variable().is_some_and(|leaf| !batch::has_ended(&leaf)) {
            return Ok(true);
        }
        stack.extend(node.edges().into_iter().flatten().map(|edge| edge.node));
    }
    Ok(false)
}
