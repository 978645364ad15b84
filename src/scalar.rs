//! Numbers without a tensor: what a Python `bool`, `int`, `float` or `complex` becomes.

use std::fmt;

use num_complex::Complex;

use crate::bail;
use crate::dtype::{Category, Complex128, DType, Element};
use crate::error::Result;

/// A Python number. In promotion it is weak: it decides the category, never the width.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Complex(Complex128),
}

impl Scalar {
    /// The number; of a complex one the real part.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(b) => f64::from(u8::from(b)),
            Scalar::Int(i) => i as f64,
            Scalar::Float(f) => f,
            Scalar::Complex(z) => z.re,
        }
    }

    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Bool(b) => i64::from(b),
            Scalar::Int(i) => i,
            Scalar::Float(f) => f as i64,
            Scalar::Complex(z) => z.re as i64,
        }
    }

    pub fn to_complex(self) -> Complex128 {
        match self {
            Scalar::Complex(z) => z,
            real => Complex::new(real.to_f64(), 0.0),
        }
    }

    pub fn is_complex(self) -> bool {
        matches!(self, Scalar::Complex(_))
    }

    pub fn is_zero(self) -> bool {
        self.to_complex() == Complex::ZERO
    }

    pub fn is_one(self) -> bool {
        self.to_complex() == Complex::ONE
    }

    /// The complex conjugate.
    pub fn conj(self) -> Scalar {
        match self {
            Scalar::Complex(z) => Scalar::Complex(z.conj()),
            real => real,
        }
    }

    pub fn cast<T: Element>(self) -> T {
        match self {
            Scalar::Complex(z) => T::from_complex(z),
            Scalar::Float(f) => T::from_f64(f),
            other => T::from_i64(other.to_i64()),
        }
    }

    /// Fails unless a tensor of type `dtype` can hold the number: `name` asks. A fraction may be lost, and a negative
    /// integer may become an unsigned one by wrapping.
    pub fn require_fit(self, name: &str, dtype: DType) -> Result<()> {
        let within = |f: f64, low: f64, high: f64| (low..=high).contains(&f);
        let finite = |f: f64, largest: f64| !f.is_finite() || f.abs() <= largest;
        let fits = match (self, dtype) {
            (Scalar::Complex(z), _) if !dtype.is_complex() && dtype != DType::Bool => {
                z.im == 0.0 && Scalar::Float(z.re).require_fit(name, dtype).is_ok()
            }
            (Scalar::Int(i), DType::UInt8) => i.unsigned_abs() <= u64::from(u8::MAX),
            (Scalar::Int(i), DType::UInt16) => i.unsigned_abs() <= u64::from(u16::MAX),
            (Scalar::Int(i), DType::UInt32) => i.unsigned_abs() <= u64::from(u32::MAX),
            (Scalar::Int(i), DType::Int8) => i8::try_from(i).is_ok(),
            (Scalar::Int(i), DType::Int16) => i16::try_from(i).is_ok(),
            (Scalar::Int(i), DType::Int32) => i32::try_from(i).is_ok(),
            (Scalar::Float(f), DType::UInt8) => within(f, 0.0, f64::from(u8::MAX)),
            (Scalar::Float(f), DType::UInt16) => within(f, 0.0, f64::from(u16::MAX)),
            (Scalar::Float(f), DType::UInt32) => within(f, 0.0, f64::from(u32::MAX)),
            (Scalar::Float(f), DType::UInt64) => within(f, 0.0, u64::MAX as f64),
            (Scalar::Float(f), DType::Int8) => within(f, f64::from(i8::MIN), f64::from(i8::MAX)),
            (Scalar::Float(f), DType::Int16) => within(f, f64::from(i16::MIN), f64::from(i16::MAX)),
            (Scalar::Float(f), DType::Int32) => within(f, f64::from(i32::MIN), f64::from(i32::MAX)),
            (Scalar::Float(f), DType::Int64) => within(f, i64::MIN as f64, i64::MAX as f64),
            (Scalar::Float(_) | Scalar::Int(_), DType::Float16) => finite(self.to_f64(), half::f16::MAX.to_f64()),
            (Scalar::Float(f), DType::BFloat16) => finite(f, half::bf16::MAX.to_f64()),
            (Scalar::Float(f), DType::Float32 | DType::Complex64) => finite(f, f64::from(f32::MAX)),
            (Scalar::Complex(z), DType::Complex64) => {
                finite(z.re, f64::from(f32::MAX)) && finite(z.im, f64::from(f32::MAX))
            }
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
            Scalar::Complex(_) => Category::Complex,
        }
    }

    /// The type of a tensor made from this number alone, given the default float type.
    pub fn dtype(self, default_float: DType) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::Int64,
            Scalar::Float(_) => default_float,
            Scalar::Complex(_) => default_float.complex(),
        }
    }

    /// The number that an element is.
    pub fn of<T: Element>(value: T) -> Scalar {
        match T::DTYPE.category() {
            Category::Bool => Scalar::Bool(value.to_i64() != 0),
            Category::Integer => Scalar::Int(value.to_i64()),
            Category::Float => Scalar::Float(value.to_f64()),
            Category::Complex => Scalar::Complex(value.to_complex()),
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
            Scalar::Complex(z) => write!(f, "({:?}{:+?}j)", z.re, z.im),
        }
    }
}

macro_rules! from_number {
    ($($t:ty => $variant:ident;)+) => {$(
        impl From<$t> for Scalar {
            fn from(value: $t) -> Self {
                Scalar::$variant(value)
            }
        }
    )+};
}

from_number! {
    bool => Bool;
    i64 => Int;
    f64 => Float;
    Complex128 => Complex;
}
