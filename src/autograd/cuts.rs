//! Where the way of gradients was cut lately, for the error that says that a tensor cannot be reached.
//!
//! The log is short and is emptied by each backward pass. Once it is full nothing more is noted, so that a program
//! which never asks for gradients pays for its first few operations only.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::rc::{Rc, Weak};

use crate::autograd::node::{Node, NodeCell};
use crate::tensor::{Tensor, TensorCell};
use crate::trace::Trace;
use crate::value::Value;

const ROOM: usize = 32;
/// A message names at most so many places.
const NAMED: usize = 3;

/// What cut the way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A function whose purpose it is: `detach()`.
    Asked(&'static str),
    /// A value was read out as numbers.
    Read(&'static str),
    /// An operation under `no_grad()`.
    NotRecorded(&'static str),
    /// An operation without a derivative.
    NoDerivative(&'static str),
    /// An operation whose results are integers or truth values.
    NotFloating(&'static str),
}

impl Reason {
    fn describe(self) -> String {
        match self {
            Reason::Asked(name) | Reason::Read(name) => name.to_owned(),
            Reason::NotRecorded(name) => format!("{name} while gradients are switched off (no_grad)"),
            Reason::NoDerivative(name) => format!("{name}, which has no derivative"),
            Reason::NotFloating("_to_copy") => "a conversion to integers or truth values".to_owned(),
            Reason::NotFloating(name) => format!("{name}, whose result is not floating point"),
        }
    }
}

struct Cut {
    reason: Reason,
    trace: Option<Trace>,
    tensor: Weak<TensorCell>,
    /// The node that made the tensor: it may outlive it.
    node: Option<Weak<NodeCell>>,
}

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(ROOM) };
    static PASSES: Cell<u32> = const { Cell::new(0) };
    /// Never dropped: a thread may end when it may no longer touch the counts that the entries hold.
    static LOG: ManuallyDrop<RefCell<Vec<Cut>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Notes that something was made of `source` through which no gradient flows.
#[inline]
pub fn note(reason: Reason, source: &Tensor) {
    if LEFT.get() > 0 && source.requires_grad() {
        remember(reason, source);
    }
}

/// The same for the arguments of an operation.
#[inline]
pub(crate) fn note_arguments(reason: Reason, arguments: &[Value]) {
    if LEFT.get() > 0 {
        arguments.iter().flat_map(Value::tensors).filter(|tensor| tensor.requires_grad()).take(NAMED).for_each(
            |tensor| {
                if LEFT.get() > 0 {
                    remember(reason, tensor);
                }
            },
        );
    }
}

#[cold]
fn remember(reason: Reason, source: &Tensor) {
    let node = source.grad_fn_now().map(|node| Rc::downgrade(&node.0));
    let cut = Cut { reason, trace: Trace::here(), tensor: Rc::downgrade(&source.0), node };
    LEFT.set(LEFT.get() - 1);
    LOG.with(|log| log.borrow_mut().push(cut));
}

/// Nothing is noted until it is dropped: what runs now is no operation of the user's formula.
pub struct Silence(usize);

impl Silence {
    pub fn enter() -> Silence {
        Silence(LEFT.replace(0))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        LEFT.set(self.0);
    }
}

/// A backward pass: nothing is noted until it is dropped, and then the log begins anew.
pub(crate) struct Pass;

impl Pass {
    pub(crate) fn enter() -> Pass {
        PASSES.set(PASSES.get() + 1);
        LEFT.set(0);
        Pass
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        PASSES.set(PASSES.get() - 1);
        if PASSES.get() == 0 {
            let finished = LOG.with(|log| log.take());
            drop(finished);
            LEFT.set(ROOM);
        }
    }
}

impl Cut {
    /// Where gradients that arrived at the source would have gone; `None` if the source is gone.
    fn start(&self) -> Option<Node> {
        let made = || self.node.as_ref().and_then(Weak::upgrade).map(Node);
        match self.tensor.upgrade() {
            Some(cell) if self.node.is_none() => Tensor(cell).gradient_edge().ok().flatten().map(|edge| edge.node),
            _ => made(),
        }
    }

    fn describe(&self) -> String {
        self.reason.describe() + &Trace::describe(self.trace.as_ref(), "called")
    }
}

/// `. The path may end at detach() (called at file.py:3)`: the latest cuts behind which `wanted` lies, or may lie.
pub(crate) fn describe(wanted: Option<&Node>) -> String {
    let mut certain = Vec::new();
    let mut possible = Vec::new();
    LOG.with(|log| {
        for cut in log.borrow().iter().rev() {
            match (cut.start(), wanted) {
                (Some(start), Some(wanted)) if leads_to(&start, wanted) => certain.push((cut.reason, cut.describe())),
                (Some(_), Some(_)) => {}
                _ => possible.push((cut.reason, cut.describe())),
            }
        }
    });
    let mut named = if certain.is_empty() { possible } else { certain };
    // Values are read out for reports all the time: they are named if there is nothing else.
    if named.iter().any(|row| !matches!(row.0, Reason::Read(_))) {
        named.retain(|row| !matches!(row.0, Reason::Read(_)));
    }
    let mut texts: Vec<String> = Vec::new();
    for (_, text) in named {
        if !texts.contains(&text) && texts.len() < NAMED {
            texts.push(text);
        }
    }
    if texts.is_empty() { String::new() } else { format!(". The path may end at {}", texts.join(", or at ")) }
}

fn leads_to(start: &Node, wanted: &Node) -> bool {
    let mut seen = HashSet::new();
    let mut stack = vec![start.clone()];
    while let Some(node) = stack.pop() {
        if node.is_same(wanted) {
            return true;
        }
        if seen.insert(node.id()) {
            stack.extend(node.edges().into_iter().flatten().map(|edge| edge.node));
        }
    }
    false
}
