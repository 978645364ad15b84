//! Backward passes inside backward passes: how deep they are, and what is to be done when the outermost ends.
//!
//! # Note: Deep nesting
//! A hook or a function of the user may start a backward pass of its own, whose functions may start another. Each
//! level needs stack, here and in the embedding language. So every [`LEVELS`] levels a pass goes on in a fresh thread,
//! as PyTorch's does, while the thread that started it waits: no two of them ever run at once, which is what makes it
//! sound to share counted references among them.

use std::cell::{Cell, RefCell};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::autograd::modes::Modes;
use crate::autograd::saved;
use crate::bail;
use crate::error::Result;

/// Levels that one thread's stack is good for.
const LEVELS: u32 = 48;
/// Deeper nesting is an error.
const MAX_DEPTH: u32 = 20_000;

/// Runs a function in a fresh thread and waits for its end.
pub type Elsewhere = fn(&mut dyn FnMut());

static ELSEWHERE: OnceLock<Elsewhere> = OnceLock::new();
/// How many passes are under way, in all threads: a hook may let another thread run in the middle of one.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);

/// A function to be called when the outermost pass ends.
pub type Callback = Box<dyn FnOnce() -> Result<()>>;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static CALLBACKS: RefCell<Vec<Callback>> = const { RefCell::new(Vec::new()) };
}

/// Registers how the embedding language starts a thread; later calls are ignored.
pub fn set_elsewhere(elsewhere: Elsewhere) {
    let _ = ELSEWHERE.set(elsewhere);
}

/// Has `callback` called when the outermost pass of this thread ends.
///
/// # Errors
/// `RuntimeError` outside of a backward pass.
pub fn queue_callback(callback: Callback) -> Result<()> {
    if DEPTH.get() == 0 {
        bail!(Runtime, "queue_callback: a final callback can only be queued during a backward pass");
    }
    CALLBACKS.with_borrow_mut(|all| all.push(callback));
    Ok(())
}

/// A pass that is under way.
pub(crate) struct Level;

impl Level {
    fn enter() -> Level {
        DEPTH.set(DEPTH.get() + 1);
        UNDER_WAY.fetch_add(1, Relaxed);
        Level
    }

    /// Whether another pass is under way besides.
    pub(crate) fn is_nested(&self) -> bool {
        UNDER_WAY.load(Relaxed) > 1
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        UNDER_WAY.fetch_sub(1, Relaxed);
    }
}

/// Runs a pass one level deeper.
pub(crate) fn run<R>(pass: impl FnOnce(&Level) -> Result<R>) -> Result<R> {
    let level = Level::enter();
    let depth = DEPTH.get();
    if depth > MAX_DEPTH {
        bail!(Runtime, "backward passes are nested more than {MAX_DEPTH} deep");
    }
    let result = match ELSEWHERE.get() {
        Some(elsewhere) if depth.is_multiple_of(LEVELS) => run_in_thread(*elsewhere, || pass(&level)),
        _ => pass(&level),
    };
    drop(level);
    if depth == 1 {
        run_callbacks(result.is_ok())?;
    }
    result
}

fn run_callbacks(succeeded: bool) -> Result<()> {
    // A callback may queue another.
    loop {
        let callbacks = CALLBACKS.take();
        if callbacks.is_empty() || !succeeded {
            return Ok(());
        }
        for callback in callbacks {
            callback()?;
        }
    }
}

fn run_in_thread<R>(elsewhere: Elsewhere, pass: impl FnOnce() -> Result<R>) -> Result<R> {
    let (modes, depth) = (Modes::now(), DEPTH.get());
    let mut hooks = saved::replace_hooks(Vec::new());
    let mut callbacks = Vec::new();
    let mut pass = Some(pass);
    let mut result = None;
    elsewhere(&mut || {
        modes.set();
        DEPTH.set(depth);
        saved::replace_hooks(std::mem::take(&mut hooks));
        result = pass.take().map(|pass| pass());
        hooks = saved::replace_hooks(Vec::new());
        callbacks = CALLBACKS.take();
    });
    saved::replace_hooks(hooks);
    CALLBACKS.with_borrow_mut(|all| all.append(&mut callbacks));
    match result {
        Some(result) => result,
        None => bail!(Runtime, "no thread could be started for a deeply nested backward pass"),
    }
}
