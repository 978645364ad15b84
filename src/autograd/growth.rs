//! A graph that keeps growing, because results are summed up with their history.
//!
//! A node that is built on one which a backward pass has freed already is rarely meant: `total += loss` after
//! `loss.backward()`. One such node means nothing; that a thousand of them are alive means that a sum holds them all.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use crate::autograd::engine;
use crate::autograd::node::Node;

/// So many living nodes on freed ones are reported.
pub const LIMIT: u32 = 1000;

static LIVING: AtomicU32 = AtomicU32::new(0);
static REPORTED: AtomicBool = AtomicBool::new(false);
static REPORTER: OnceLock<fn(&Node)> = OnceLock::new();

/// Registers how the embedding language warns, given the latest node; later calls are ignored.
pub fn set_reporter(reporter: fn(&Node)) {
    let _ = REPORTER.set(reporter);
}

/// Whether an edge of a new node leads to a freed one.
#[inline]
pub(crate) fn is_on_spent(node: &Node) -> bool {
    node.0.state.borrow().edges.iter().flatten().any(|edge| edge.node.0.state.borrow().saved.is_spent())
}

/// Counts a new node on a freed one, and reports once that there are too many.
#[cold]
pub(crate) fn count(node: &Node) {
    // A backward pass that is recorded builds on the nodes that it frees.
    if engine::current_task().is_some() {
        return;
    }
    node.0.state.borrow_mut().saved.set_counted();
    if LIVING.fetch_add(1, Relaxed) + 1 >= LIMIT
        && let Some(reporter) = REPORTER.get()
        && !REPORTED.swap(true, Relaxed)
    {
        reporter(node);
    }
}

/// A counted node has died.
#[cold]
pub(crate) fn uncount() {
    LIVING.fetch_sub(1, Relaxed);
}
