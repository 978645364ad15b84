//! Anomaly mode: where a node was made is kept in full, and gradients that are not numbers are errors.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::autograd::node::{Gradients, Node};
use crate::bail;
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

/// Bits: the mode is on; gradients are checked when it is.
static MODE: AtomicU8 = AtomicU8::new(2);
static REPORTER: OnceLock<Reporter> = OnceLock::new();

/// What the embedding language does for this mode.
pub struct Reporter {
    /// Keeps, with a new node, how the program came to it.
    pub note: fn(&Node),
    /// Shows that, when the node has failed.
    pub warn: fn(&Node) -> Result<()>,
}

/// Registers the embedding language; later calls are ignored.
pub fn set_reporter(reporter: Reporter) {
    let _ = REPORTER.set(reporter);
}

pub fn set_enabled(enabled: bool, check_nan: bool) {
    MODE.store(u8::from(enabled) | u8::from(check_nan) << 1, Relaxed);
}

#[inline]
pub fn is_enabled() -> bool {
    MODE.load(Relaxed) & 1 != 0
}

pub fn checks_nan() -> bool {
    MODE.load(Relaxed) & 2 != 0
}

/// Keeps, with a new node, how the program came to it.
#[cold]
pub(crate) fn note(node: &Node) {
    if let Some(reporter) = REPORTER.get() {
        (reporter.note)(node);
    }
}

/// Looks at what a node gave, or failed to give.
#[cold]
pub(crate) fn inspect(node: &Node, given: Result<Gradients>) -> Result<Gradients> {
    let checked = given.and_then(|given| {
        if checks_nan() {
            for (i, gradient) in given.iter().enumerate() {
                check(node, i, gradient.as_ref())?;
            }
        }
        Ok(given)
    });
    if checked.is_err()
        && let Some(reporter) = REPORTER.get()
    {
        (reporter.warn)(node)?;
    }
    checked
}

fn check(node: &Node, i: usize, gradient: Option<&Tensor>) -> Result<()> {
    let Some(gradient) = gradient.filter(|gradient| gradient.dtype().is_differentiable()) else { return Ok(()) };
    let values: Vec<f64> = gradient.cast(DType::Float64)?.to_vec()?;
    let Some(first) = values.iter().position(|value| value.is_nan()) else { return Ok(()) };
    let count = values.iter().filter(|value| value.is_nan()).count();
    let mut rest = first;
    let mut index: Vec<usize> = Vec::new();
    for size in gradient.sizes().iter().rev() {
        index.push(rest % size);
        rest /= size;
    }
    index.reverse();
    bail!(
        Runtime,
        "{} gave nan values as gradient {i}: {count} of {} elements, the first at {index:?}",
        node.describe(),
        values.len()
    );
}
