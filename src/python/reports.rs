//! What rgrad tells of a program that runs: the warning of a growing graph, where gradients break, what takes the time.

use std::ffi::CString;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;

use crate::autograd::node::Node;
use crate::autograd::{anomaly, growth};
use crate::profile;
use crate::python::node::wrap_node;
use crate::tensor::Tensor;

/// Tells the core how to warn.
pub fn install() {
    growth::set_reporter(warn_of_growth);
}

fn warn_of_growth(node: &Node) {
    let message = format!(
        "{} living operations were made from results whose graph a backward pass has already freed, the latest {}. A sum \
         such as `total += loss` keeps the graph of each loss alive: add loss.detach() or loss.item() instead",
        growth::LIMIT,
        node.describe()
    );
    Python::attach(|py| {
        let message = CString::new(message).unwrap_or_default();
        // A node is no place to raise from: where warnings are errors, this one is shown and forgotten.
        if let Err(error) = PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 1) {
            error.write_unraisable(py, None);
        }
    });
}

/// Looks, until `_end_nonfinite_search`, for nodes that make infinite or nan gradients of finite ones.
#[pyfunction]
pub fn _begin_nonfinite_search() {
    anomaly::begin_search();
}

/// Node, edge, gradient, gradients that arrived, index of the first element, number of elements.
type FoundRow = (Py<PyAny>, Option<usize>, Tensor, Vec<Option<Tensor>>, Vec<usize>, usize);

/// Ends the search; for each node that it found, the first first: the node, the edge whose gradient is not finite
/// (None for one that arrived so), that gradient, the gradients that arrived, the index of the first element that is
/// not finite and how many there are.
#[pyfunction]
pub fn _end_nonfinite_search(py: Python<'_>) -> PyResult<Vec<FoundRow>> {
    anomaly::end_search()
        .into_iter()
        .map(|found| {
            let arrived = found.arrived.into_iter().map(|gradient| gradient.map(|tensor| tensor.detach())).collect();
            let (node, gradient) = (wrap_node(py, found.node)?, found.gradient.detach());
            Ok((node, found.edge, gradient, arrived, found.offenders.first, found.offenders.count))
        })
        .collect()
}

/// Begins to note operations, with the sizes of their arguments and the lines of the program if asked for.
#[pyfunction]
pub fn _start_profiling(shapes: bool, places: bool) {
    profile::start(shapes, places);
}

/// Name, begin, end, thread, sequence number, whether it is of a backward pass, sizes, place, bytes.
type EventRow = (String, u64, u64, u64, Option<u64>, bool, Option<Vec<Vec<usize>>>, Option<(String, u32)>, usize);

/// Ends that; gives what was noted.
#[pyfunction]
pub fn _stop_profiling() -> Vec<EventRow> {
    profile::stop()
        .into_iter()
        .map(|event| {
            let sizes = event.sizes.map(|all| all.into_iter().map(|sizes| sizes.to_vec()).collect());
            let name = event.name.into_owned();
            let times = (event.begin, event.end);
            (name, times.0, times.1, event.thread, event.sequence, event.is_backward, sizes, event.place, event.bytes)
        })
        .collect()
}

/// The profiler's clock, in nanoseconds.
#[pyfunction]
pub fn _profiling_clock() -> u64 {
    profile::now()
}

/// Notes a stretch of the program that began at `begin` and ends now, if the profiler is on.
#[pyfunction]
pub fn _note_range(name: String, begin: u64) {
    profile::note_range(name, begin);
}
