//! The switches of a thread: whether operations are recorded, and whether tangents are pushed.

use std::cell::Cell;

thread_local! {
    static GRAD: Cell<bool> = const { Cell::new(true) };
    static FORWARD: Cell<bool> = const { Cell::new(true) };
    static INFERENCE: Cell<bool> = const { Cell::new(false) };
}

/// Whether operations of this thread are recorded.
#[inline]
pub fn grad_enabled() -> bool {
    GRAD.get()
}

pub fn set_grad_enabled(enabled: bool) {
    GRAD.set(enabled);
}

/// Whether operations of this thread push tangents.
#[inline]
pub fn forward_enabled() -> bool {
    FORWARD.get()
}

pub fn set_forward_enabled(enabled: bool) {
    FORWARD.set(enabled);
}

/// Whether tensors made in this thread are for inference only: they can take no part in a graph later.
#[inline]
pub fn inference() -> bool {
    INFERENCE.get()
}

pub fn set_inference(enabled: bool) {
    INFERENCE.set(enabled);
}

/// All switches of a thread.
#[derive(Clone, Copy)]
pub struct Modes {
    grad: bool,
    forward: bool,
    inference: bool,
}

impl Modes {
    pub fn now() -> Modes {
        Modes { grad: GRAD.get(), forward: FORWARD.get(), inference: INFERENCE.get() }
    }

    /// Sets the switches of this thread.
    pub fn set(self) {
        GRAD.set(self.grad);
        FORWARD.set(self.forward);
        INFERENCE.set(self.inference);
    }
}

/// Sets the grad mode until it is dropped.
pub struct GradMode(bool);

impl GradMode {
    pub fn set(enabled: bool) -> GradMode {
        GradMode(GRAD.replace(enabled))
    }
}

impl Drop for GradMode {
    fn drop(&mut self) {
        GRAD.set(self.0);
    }
}

/// Keeps operations from pushing tangents until it is dropped.
pub struct WithoutTangents(bool);

impl WithoutTangents {
    pub fn enter() -> WithoutTangents {
        WithoutTangents(FORWARD.replace(false))
    }
}

impl Drop for WithoutTangents {
    fn drop(&mut self) {
        FORWARD.set(self.0);
    }
}

/// Runs `body` without recording.
pub fn without_grad<R>(body: impl FnOnce() -> R) -> R {
    let _mode = GradMode::set(false);
    body()
}
