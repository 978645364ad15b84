//! The one error type of the crate: the kind that decides the Python exception class, and a message.

use std::any::Any;
use std::fmt;

/// The result of every fallible function of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Which exception class an [`Error`] becomes in Python.
#[derive(Debug)]
pub enum Kind {
    Runtime,
    Type,
    Value,
    Index,
    Memory,
    Attribute,
    NotImplemented,
    /// A matrix that a decomposition or an equation cannot do with.
    LinAlg,
    /// An error of the embedding language (a Python exception), carried through the core untouched.
    Foreign(Box<dyn Any + Send>),
}

/// A failed operation. One word wide, so that `Result<Tensor>` stays in registers.
pub struct Error(Box<Detail>);

struct Detail {
    kind: Kind,
    message: String,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Detail { kind, message: message.into() }))
    }

    /// Wraps an error of the embedding language.
    pub fn foreign(payload: impl Any + Send) -> Self {
        Error::new(Kind::Foreign(Box::new(payload)), "error raised by the embedding language")
    }

    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Takes the error apart, to hand a foreign payload back to where it came from.
    pub fn into_parts(self) -> (Kind, String) {
        (self.0.kind, self.0.message)
    }

    /// Puts the name of the operation before a message that does not have it, unless the error is a foreign one.
    pub fn naming(self, name: &str) -> Self {
        if self.0.message.contains(name.trim_end_matches('_')) { self } else { self.context(format_args!("{name}()")) }
    }

    /// Puts `prefix` before the message, unless the error is a foreign one.
    pub fn context(mut self, prefix: impl fmt::Display) -> Self {
        if !matches!(self.0.kind, Kind::Foreign(_)) {
            self.0.message = format!("{prefix}: {}", self.0.message);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)
    }
}

impl std::error::Error for Error {}

/// Builds an [`Error`]: `error!(Index, "index {i} is out of range")`.
#[macro_export]
macro_rules! error {
    ($kind:ident, $($format:tt)+) => {
        $crate::error::Error::new($crate::error::Kind::$kind, format!($($format)+))
    };
}

/// Returns an [`Error`] from the current function.
#[macro_export]
macro_rules! bail {
    ($kind:ident, $($format:tt)+) => { return Err($crate::error!($kind, $($format)+)) };
}
