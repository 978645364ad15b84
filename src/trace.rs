//! Where in the user's program something happened: kept as a code pointer and an instruction offset, and turned
//! into a file and a line only when a message or a report asks.
//!
//! The core knows nothing of the language it is embedded in. The embedding registers an [`Interpreter`] once;
//! without one there is no trace.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// What the embedding language provides.
pub struct Interpreter {
    /// The code that runs now, as an owned reference, and how far it has come.
    pub capture: fn() -> Option<(NonNull<c_void>, i32)>,
    pub retain: fn(NonNull<c_void>),
    pub release: fn(NonNull<c_void>),
    /// File and line of a place.
    pub resolve: fn(NonNull<c_void>, i32) -> Option<(String, u32)>,
}

static INTERPRETER: OnceLock<Interpreter> = OnceLock::new();

/// Registers the embedding language; later calls are ignored.
pub fn set_interpreter(interpreter: Interpreter) {
    let _ = INTERPRETER.set(interpreter);
}

/// One place in the user's program.
pub struct Trace {
    code: NonNull<c_void>,
    offset: i32,
}

impl Trace {
    /// The place that runs now.
    #[inline]
    pub fn here() -> Option<Trace> {
        let (code, offset) = (INTERPRETER.get()?.capture)()?;
        Some(Trace { code, offset })
    }

    /// File and line.
    pub fn resolve(&self) -> Option<(String, u32)> {
        INTERPRETER.get().and_then(|interpreter| (interpreter.resolve)(self.code, self.offset))
    }

    /// ` (made at file.py:12)` with the given verb, or nothing where the place is not known.
    pub fn describe(trace: Option<&Trace>, verb: &str) -> String {
        trace.and_then(Trace::resolve).map_or_else(String::new, |(file, line)| format!(" ({verb} at {file}:{line})"))
    }
}

impl Clone for Trace {
    fn clone(&self) -> Self {
        if let Some(interpreter) = INTERPRETER.get() {
            (interpreter.retain)(self.code);
        }
        Trace { code: self.code, offset: self.offset }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if let Some(interpreter) = INTERPRETER.get() {
            (interpreter.release)(self.code);
        }
    }
}
