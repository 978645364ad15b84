//! Numbers without a tensor: what a Python `bool`, `int` or `float` becomes.

use std::fmt;

use crate::bail;
use crate::dtype::{Category, DType, Element};
use crate::error::Result;

/// A Python number. In promotion it is weak: it decides the category, never the width.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
}

impl Scalar {
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(b) => f64::from(u8::from(b)),
            Scalar::Int(i) => i as f64,
            Scalar::Float(f) => f,
        }
    }

    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Bool(b) => i64::from(b),
            Scalar::Int(i) => i,
            Scalar::Float(f) => f as i64,
        }
    }

    pub fn cast<T: Element>(self) -> T {
        match self {
            Scalar::Float(f) => T::from_f64(f),
            other => T::from_i64(other.to_i64()),
        }
    }

    /// Fails unless a tensor of type `dtype` can hold the number: `name` asks. A fraction may be lost, and a negative
    /// integer may become a byte by wrapping.
    pub fn require_fit(self, name: &str, dtype: DType) -> Result<()> {
        let fits = match (self, dtype) {
            (Scalar::Int(i), DType::UInt8) => i.unsigned_abs() <= u64::from(u8::MAX),
            (Scalar::Int(i), DType::Int32) => i32::try_from(i).is_ok(),
            (Scalar::Float(f), DType::UInt8) => (0.0..=f64::from(u8::MAX)).contains(&f),
            (Scalar::Float(f), DType::Int32) => (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&f),
            (Scalar::Float(f), DType::Int64) => (i64::MIN as f64..=i64::MAX as f64).contains(&f),
            (Scalar::Float(f), DType::Float32) => !f.is_finite() || f.abs() <= f64::from(f32::MAX),
            _ => true,
        };
        if !fits {
            bail!(Runtime, "{name}: {self} does not fit {dtype}");
        }
        Ok(())
    }

    pub fn category(self) -> Category {
        match self {
            Scalar::Bool(_) => Category::Bool,
            Scalar::Int(_) => Category::Integer,
            Scalar::Float(_) => Category::Float,
        }
    }

    /// The type of a tensor made from this number alone, given the default float type.
    pub fn dtype(self, default_float: DType) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::Int64,
            Scalar::Float(_) => default_float,
        }
    }

    /// The number that an element is.
    pub fn of<T: Element>(value: T) -> Scalar {
        match T::DTYPE.category() {
            Category::Bool => Scalar::Bool(value.to_i64() != 0),
            Category::Integer => Scalar::Int(value.to_i64()),
            Category::Float => Scalar::Float(value.to_f64()),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Bool(true) => f.write_str("True"),
            Scalar::Bool(false) => f.write_str("False"),
            Scalar::Int(i) => write!(f, "{i}"),
            Scalar::Float(x) => write!(f, "{x:?}"),
        }
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Scalar::Bool(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Scalar::Int(value)
    }
}

impl From<f64> for Scalar {
    fn from(value: f64) -> Self {
        Scalar::Float(value)
    }
}
