//! The profiler: when each operation and each node of a backward pass began and ended.
//!
//! While it is off, an operation pays one look at a number.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use crate::error::Result;
use crate::shape::Dims;
use crate::tensor::Tensor;
use crate::trace::Trace;
use crate::value::Value;

/// Bits: it is on; sizes of arguments are noted; lines of the program are.
static MODE: AtomicU8 = AtomicU8::new(0);
const ON: u8 = 1;
const SHAPES: u8 = 2;
const PLACES: u8 = 4;

static EVENTS: Mutex<Vec<Event>> = Mutex::new(Vec::new());
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static THREAD: u64 = THREADS.fetch_add(1, Relaxed);
}

/// Something that took time.
pub struct Event {
    pub name: Cow<'static, str>,
    /// Nanoseconds since some moment of the past.
    pub begin: u64,
    pub end: u64,
    /// Counts the threads that were seen.
    pub thread: u64,
    /// Of the node that the operation recorded, or that ran.
    pub sequence: Option<u64>,
    pub is_backward: bool,
    /// The sizes of the tensors among the arguments.
    pub sizes: Option<Vec<Dims>>,
    pub place: Option<(String, u32)>,
    /// Memory that the results have beyond that of the arguments.
    pub bytes: usize,
}

#[inline]
pub fn is_on() -> bool {
    MODE.load(Relaxed) != 0
}

/// Begins with an empty list of events.
pub fn start(shapes: bool, places: bool) {
    let _ = now();
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner).clear();
    MODE.store(ON | if shapes { SHAPES } else { 0 } | if places { PLACES } else { 0 }, Relaxed);
}

/// Ends, and gives what was noted in all threads, in the order in which it ended.
pub fn stop() -> Vec<Event> {
    MODE.store(0, Relaxed);
    std::mem::take(&mut *EVENTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Nanoseconds since some moment of the past.
pub fn now() -> u64 {
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn note(mut event: Event) {
    let mode = MODE.load(Relaxed);
    if mode == 0 {
        return;
    }
    event.end = now();
    if mode & PLACES != 0 && event.place.is_none() {
        event.place = Trace::here().and_then(|trace| trace.resolve());
    }
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner).push(event);
}

fn begin(name: Cow<'static, str>, begin: u64) -> Event {
    let thread = THREAD.try_with(|number| *number).unwrap_or(u64::MAX);
    Event { name, begin, end: 0, thread, sequence: None, is_backward: false, sizes: None, place: None, bytes: 0 }
}

/// Notes a stretch of the program that began at `start`.
pub fn note_range(name: String, start: u64) {
    note(begin(name.into(), start));
}

/// Runs an operation and notes it, under the name that it has in PyTorch's tables.
#[cold]
pub(crate) fn operation<R: AsRef<[Tensor]>>(
    name: impl std::fmt::Display,
    arguments: &[Value],
    run: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let mut event = begin(format!("aten::{name}").into(), now());
    if MODE.load(Relaxed) & SHAPES != 0 {
        event.sizes = Some(arguments.iter().flat_map(Value::tensors).map(Tensor::sizes).collect());
    }
    let results = run()?;
    let inputs = || arguments.iter().flat_map(Value::tensors);
    for result in results.as_ref() {
        let storage = result.data().storage.clone();
        if !inputs().any(|input| input.data().storage.is_same(&storage)) {
            event.bytes += storage.bytes();
        }
        event.sequence = event.sequence.or_else(|| result.grad_fn_now().map(|node| node.sequence()));
    }
    note(event);
    Ok(results)
}

/// Runs a node of a backward pass and notes it.
#[cold]
pub(crate) fn node<R>(node: &crate::autograd::node::Node, run: impl FnOnce() -> Result<R>) -> Result<R> {
    let mut event = begin(node.name().into(), now());
    event.is_backward = true;
    event.sequence = (node.sequence() != crate::autograd::node::FIRST).then(|| node.sequence());
    let result = run();
    event.place = if MODE.load(Relaxed) & PLACES != 0 { node.place() } else { None };
    note(event);
    result
}
