//! The switches of a thread: whether operations are recorded, and whether tangents are pushed.

use std::cell::Cell;

thread_local! {
    // One variable: every operation asks for several, and to find where a thread has one costs as much as the rest.
    static MODES: Cell<Modes> = const { Cell::new(Modes { grad: true, forward: true, inference: false }) };
}

/// Whether operations of this thread are recorded.
#[inline]
pub fn grad_enabled() -> bool {
    MODES.get().grad
}

pub fn set_grad_enabled(enabled: bool) {
    MODES.set(Modes { grad: enabled, ..MODES.get() });
}

/// Whether operations of this thread push tangents.
#[inline]
pub fn forward_enabled() -> bool {
    MODES.get().forward
}

pub fn set_forward_enabled(enabled: bool) {
    MODES.set(Modes { forward: enabled, ..MODES.get() });
}

/// Whether tensors made in this thread are for inference only: they can take no part in a graph later.
#[inline]
pub fn inference() -> bool {
    MODES.get().inference
}

pub fn set_inference(enabled: bool) {
    MODES.set(Modes { inference: enabled, ..MODES.get() });
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
        MODES.get()
    }

    /// Sets the switches of this thread.
    pub fn set(self) {
        MODES.set(self);
    }
}

/// Sets the grad mode until it is dropped.
pub struct GradMode(bool);

impl GradMode {
    pub fn set(enabled: bool) -> GradMode {
        let before = grad_enabled();
        set_grad_enabled(enabled);
        GradMode(before)
    }
}

impl Drop for GradMode {
    fn drop(&mut self) {
        set_grad_enabled(self.0);
    }
}

/// Keeps operations from pushing tangents until it is dropped.
pub struct WithoutTangents(bool);

impl WithoutTangents {
    pub fn enter() -> WithoutTangents {
        let before = forward_enabled();
        set_forward_enabled(false);
        WithoutTangents(before)
    }
}

impl Drop for WithoutTangents {
    fn drop(&mut self) {
        set_forward_enabled(self.0);
    }
}

/// Runs `body` without recording.
pub fn without_grad<R>(body: impl FnOnce() -> R) -> R {
    let _mode = GradMode::set(false);
    body()
}
