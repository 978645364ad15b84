//! Looking at what nodes give: anomaly mode, in which where a node was made is kept in full and gradients that are not
//! numbers are errors; and the search for the nodes at which finite gradients become infinite or nan.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::autograd::node::{Gradients, Node};
use crate::bail;
use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

/// Bits: the mode is on; gradients are checked when it is; from [`SEARCH`] up, how many searches are under way.
static MODE: AtomicU32 = AtomicU32::new(2);
const SEARCH: u32 = 4;
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
    MODE.fetch_and(!(SEARCH - 1), Relaxed);
    MODE.fetch_or(u32::from(enabled) | u32::from(check_nan) << 1, Relaxed);
}

#[inline]
pub fn is_enabled() -> bool {
    MODE.load(Relaxed) & 1 != 0
}

/// Whether what nodes give is to be [inspected](inspect).
#[inline]
pub(crate) fn looks_on() -> bool {
    MODE.load(Relaxed) & !2 != 0
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
pub(crate) fn inspect(node: &Node, arrived: &Gradients, given: Result<Gradients>) -> Result<Gradients> {
    if let Ok(given) = &given {
        search(node, arrived, given)?;
    }
    if !is_enabled() {
        return given;
    }
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
    let Some(offenders) = offenders(gradient, f64::is_nan)? else { return Ok(()) };
    bail!(
        Runtime,
        "{} gave nan values as gradient {i}: {} of {} elements, the first at {:?}",
        node.describe(),
        offenders.count,
        offenders.of,
        offenders.first
    );
}

/// The elements of a gradient that are not as they should be.
pub struct Offenders {
    /// The index of the first.
    pub first: Vec<usize>,
    pub count: usize,
    /// How many elements the gradient has.
    pub of: usize,
}

fn offenders(gradient: Option<&Tensor>, is_bad: fn(f64) -> bool) -> Result<Option<Offenders>> {
    let Some(gradient) = gradient.filter(|gradient| gradient.dtype().is_differentiable()) else { return Ok(None) };
    let values: Vec<f64> = gradient.detach().cast(DType::Float64)?.to_vec()?;
    let Some(first) = values.iter().position(|&value| is_bad(value)) else { return Ok(None) };
    let count = values.iter().filter(|&&value| is_bad(value)).count();
    let mut rest = first;
    let mut index: Vec<usize> = Vec::new();
    for size in gradient.sizes().iter().rev() {
        index.push(rest % size);
        rest /= size;
    }
    index.reverse();
    Ok(Some(Offenders { first: index, count, of: values.len() }))
}

/// A node at which gradients stopped to be finite.
pub struct Finding {
    pub node: Node,
    /// The edge whose gradient is not finite; `None` if one that arrived is not, though every node so far gave finite
    /// ones: the sum of several, or what the pass was started with.
    pub edge: Option<usize>,
    pub gradient: Tensor,
    pub arrived: Gradients,
    pub offenders: Offenders,
}

/// A search notes at most so many nodes.
const FINDINGS: usize = 16;

thread_local! {
    /// What the searches of this thread have found, the innermost last.
    static SEARCHES: RefCell<Vec<Vec<Finding>>> = const { RefCell::new(Vec::new()) };
}

/// Looks from now on, in this thread, for nodes at which gradients stop to be finite.
pub fn begin_search() {
    SEARCHES.with_borrow_mut(|all| all.push(Vec::new()));
    MODE.fetch_add(SEARCH, Relaxed);
}

/// Ends the latest search; gives what it found, the first first.
pub fn end_search() -> Vec<Finding> {
    let found = SEARCHES.with_borrow_mut(Vec::pop);
    if found.is_some() {
        MODE.fetch_sub(SEARCH, Relaxed);
    }
    found.unwrap_or_default()
}

fn search(node: &Node, arrived: &Gradients, given: &Gradients) -> Result<()> {
    let Some(found) = SEARCHES.with_borrow(|all| all.last().map(Vec::len)) else { return Ok(()) };
    if found == FINDINGS {
        return Ok(());
    }
    let is_bad = |value: f64| !value.is_finite();
    let incoming = arrived.iter().map(|gradient| (None, gradient));
    let outgoing = given.iter().enumerate().map(|(i, gradient)| (Some(i), gradient));
    let mut finding = None;
    for (edge, gradient) in incoming.chain(outgoing) {
        if let (Some(offenders), Some(gradient)) = (offenders(gradient.as_ref(), is_bad)?, gradient) {
            let (gradient, arrived) = (gradient.clone(), arrived.clone());
            finding = Some(Finding { node: node.clone(), edge, gradient, arrived, offenders });
            break;
        }
    }
    // What arrived broken was found where it broke, unless it broke on the way.
    if let Some(finding) = finding.filter(|finding| finding.edge.is_some() || found == 0) {
        SEARCHES.with_borrow_mut(|all| all.last_mut().map(|found| found.push(finding)));
    }
    Ok(())
}
