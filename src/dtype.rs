//! Element types: their names, sizes, promotion, and the conversions between them.
//!
//! A new element type is added here (and in the lists of [`with_element!`](crate::with_element)); operations
//! and kernels are written against [`Element`] and the algebra of `kernels/algebra.rs`.

use std::fmt;

/// The element type of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum DType {
    Bool,
    UInt8,
    Int32,
    Int64,
    Float32,
    Float64,
}

/// How many element types there are: the length of a table indexed by [`DType`].
pub const COUNT: usize = DType::ALL.len();

/// The kinds that promotion ranks; a later kind wins over an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Category {
    Bool,
    Integer,
    Float,
}

impl DType {
    pub const ALL: [DType; 6] = [DType::Bool, DType::UInt8, DType::Int32, DType::Int64, DType::Float32, DType::Float64];

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::UInt8 => 1,
            DType::Int32 | DType::Float32 => 4,
            DType::Int64 | DType::Float64 => 8,
        }
    }

    /// The name in Python: `float32`, as in `rgrad.float32`.
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::UInt8 => "uint8",
            DType::Int32 => "int32",
            DType::Int64 => "int64",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
        }
    }

    pub const fn category(self) -> Category {
        match self {
            DType::Bool => Category::Bool,
            DType::UInt8 | DType::Int32 | DType::Int64 => Category::Integer,
            DType::Float32 | DType::Float64 => Category::Float,
        }
    }

    /// Whether gradients can flow through elements of this type.
    pub const fn is_differentiable(self) -> bool {
        matches!(self.category(), Category::Float)
    }

    pub const fn is_float(self) -> bool {
        matches!(self.category(), Category::Float)
    }

    /// Whether the type counts: bool and the integers.
    pub const fn is_integral(self) -> bool {
        !self.is_float()
    }

    /// The smallest type that both convert to without changing category: PyTorch's promotion table.
    pub fn promote(self, other: DType) -> DType {
        // Within a category the declaration order is the order of width; uint8 and a signed integer meet in
        // the signed one.
        self.max(other)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A type whose values a tensor can hold.
pub trait Element: Copy + Send + Sync + PartialEq + PartialOrd + fmt::Debug + 'static {
    const DTYPE: DType;
    fn to_f64(self) -> f64;
    fn to_i64(self) -> i64;
    fn from_f64(value: f64) -> Self;
    fn from_i64(value: i64) -> Self;

    /// Converts as a C cast would on this machine: floats truncate, integers wrap, bool is "not zero".
    #[inline(always)]
    fn cast<U: Element>(self) -> U {
        match Self::DTYPE.category() {
            Category::Float => U::from_f64(self.to_f64()),
            _ => U::from_i64(self.to_i64()),
        }
    }
}

macro_rules! number_element {
    ($($t:ty => $dtype:ident, |$v:ident| $from_float:expr;)+) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn to_i64(self) -> i64 { self as i64 }
            #[inline(always)]
            fn from_f64($v: f64) -> Self { $from_float }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { value as $t }
        }
    )+};
}

number_element! {
    // A negative float becomes a byte by way of a wide integer, so that it wraps instead of clamping to 0.
    u8 => UInt8, |v| v as i64 as u8;
    i32 => Int32, |v| v as i64 as i32;
    i64 => Int64, |v| v as i64;
    f32 => Float32, |v| v as f32;
    f64 => Float64, |v| v;
}

impl Element for bool {
    const DTYPE: DType = DType::Bool;
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    #[inline(always)]
    fn to_i64(self) -> i64 {
        i64::from(self)
    }
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value != 0.0
    }
    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        value != 0
    }
}

/// Runs a block with `T` standing for the element type that a [`DType`] names.
///
/// `with_element!(dtype, T => body)` covers every type; `with_element!(dtype, float T => body, else other)`
/// and `real` (all but bool) cover a part and need the `else`.
#[macro_export]
macro_rules! with_element {
    (@match $dtype:expr, $T:ident, $body:expr; $($variant:ident $element:ty),+ $(; else $other:expr)?) => {
        match $dtype {
            $($crate::dtype::DType::$variant => {
                type $T = $element;
                $body
            })+
            $(_ => $other,)?
        }
    };
    ($dtype:expr, $T:ident => $body:expr) => {
        $crate::with_element!(@match $dtype, $T, $body; Bool bool, UInt8 u8, Int32 i32, Int64 i64, Float32 f32, Float64 f64)
    };
    ($dtype:expr, real $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(
            @match $dtype, $T, $body; UInt8 u8, Int32 i32, Int64 i64, Float32 f32, Float64 f64; else $other
        )
    };
    ($dtype:expr, float $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(@match $dtype, $T, $body; Float32 f32, Float64 f64; else $other)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_a_lattice() {
        for a in DType::ALL {
            assert_eq!(a.promote(a), a);
            for b in DType::ALL {
                let both = a.promote(b);
                assert_eq!(both, b.promote(a));
                assert!(both.category() == a.category().max(b.category()) && both >= a && both >= b);
            }
        }
    }

    #[test]
    fn sizes_are_those_of_the_elements() {
        for dtype in DType::ALL {
            assert_eq!(dtype.size(), with_element!(dtype, T => size_of::<T>()));
            assert_eq!(dtype, with_element!(dtype, T => T::DTYPE));
        }
    }
}
