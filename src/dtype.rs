//! Element types: their names, sizes, promotion, and the conversions between them.
//!
//! A new element type is added here (and in the lists of [`with_element!`](crate::with_element)); operations
//! and kernels are written against [`Element`] and the algebra of `kernels/algebra.rs`.
//!
//! # Note: Narrow types
//! The 16-bit floats and the integers beside uint8, int32 and int64 are stored, converted and moved, but nothing is
//! computed in them: each has a [wide](DType::wide) type that holds all its values, for which there are kernels. An
//! operation brings its operands there and rounds its result once on the way back, elementwise ones block by block
//! (`kernels/map.rs`), others whole (`autograd/widened.rs`). So a new operation has these types without a word.

use std::fmt;

pub use half::{bf16, f16};
use num_complex::Complex;

/// Two float32: the real and the imaginary part.
pub type Complex64 = Complex<f32>;
/// Two float64: the real and the imaginary part.
pub type Complex128 = Complex<f64>;

/// The element type of a tensor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum DType {
    Bool,
    UInt8,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt16,
    UInt32,
    UInt64,
    Float16,
    BFloat16,
    Float32,
    Float64,
    Complex64,
    Complex128,
}

/// How many element types there are: the length of a table indexed by [`DType`].
pub const COUNT: usize = DType::ALL.len();

/// The kinds that promotion ranks; a later kind wins over an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Category {
    Bool,
    Integer,
    Float,
    Complex,
}

impl DType {
    pub const ALL: [DType; 15] = [
        DType::Bool,
        DType::UInt8,
        DType::Int8,
        DType::Int16,
        DType::Int32,
        DType::Int64,
        DType::UInt16,
        DType::UInt32,
        DType::UInt64,
        DType::Float16,
        DType::BFloat16,
        DType::Float32,
        DType::Float64,
        DType::Complex64,
        DType::Complex128,
    ];

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::UInt8 | DType::Int8 => 1,
            DType::Int16 | DType::UInt16 | DType::Float16 | DType::BFloat16 => 2,
            DType::Int32 | DType::UInt32 | DType::Float32 => 4,
            DType::Int64 | DType::UInt64 | DType::Float64 | DType::Complex64 => 8,
            DType::Complex128 => 16,
        }
    }

    /// The name in Python: `float32`, as in `rgrad.float32`.
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::UInt8 => "uint8",
            DType::Int8 => "int8",
            DType::Int16 => "int16",
            DType::Int32 => "int32",
            DType::Int64 => "int64",
            DType::UInt16 => "uint16",
            DType::UInt32 => "uint32",
            DType::UInt64 => "uint64",
            DType::Float16 => "float16",
            DType::BFloat16 => "bfloat16",
            DType::Float32 => "float32",
            DType::Float64 => "float64",
            DType::Complex64 => "complex64",
            DType::Complex128 => "complex128",
        }
    }

    pub const fn category(self) -> Category {
        match self {
            DType::Bool => Category::Bool,
            DType::UInt8 | DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => Category::Integer,
            DType::UInt16 | DType::UInt32 | DType::UInt64 => Category::Integer,
            DType::Float16 | DType::BFloat16 | DType::Float32 | DType::Float64 => Category::Float,
            DType::Complex64 | DType::Complex128 => Category::Complex,
        }
    }

    /// Whether gradients can flow through elements of this type.
    pub const fn is_differentiable(self) -> bool {
        matches!(self.category(), Category::Float | Category::Complex)
    }

    pub const fn is_float(self) -> bool {
        matches!(self.category(), Category::Float)
    }

    pub const fn is_complex(self) -> bool {
        matches!(self.category(), Category::Complex)
    }

    /// Whether the type counts: bool and the integers.
    pub const fn is_integral(self) -> bool {
        matches!(self.category(), Category::Bool | Category::Integer)
    }

    /// Whether the type has negative numbers.
    pub const fn is_signed(self) -> bool {
        !matches!(self, DType::Bool | DType::UInt8) && !self.is_lone_unsigned()
    }

    /// Whether the type is one of the unsigned integers that meet no other integer in a common type.
    pub const fn is_lone_unsigned(self) -> bool {
        matches!(self, DType::UInt16 | DType::UInt32 | DType::UInt64)
    }

    /// The type that kernels compute in for this one; see the module's note on narrow types.
    #[inline]
    pub const fn wide(self) -> DType {
        match self {
            DType::Float16 | DType::BFloat16 => DType::Float32,
            DType::Int8 | DType::Int16 | DType::UInt16 => DType::Int32,
            DType::UInt32 | DType::UInt64 => DType::Int64,
            other => other,
        }
    }

    #[inline]
    pub const fn is_narrow(self) -> bool {
        matches!(
            self,
            DType::Float16
                | DType::BFloat16
                | DType::Int8
                | DType::Int16
                | DType::UInt16
                | DType::UInt32
                | DType::UInt64
        )
    }

    /// The type of the real part; of a real type itself.
    pub const fn real(self) -> DType {
        match self {
            DType::Complex64 => DType::Float32,
            DType::Complex128 => DType::Float64,
            other => other,
        }
    }

    /// The complex type for numbers of this type. There is none of 16-bit floats.
    pub const fn complex(self) -> DType {
        match self {
            DType::Float64 | DType::Complex128 => DType::Complex128,
            _ => DType::Complex64,
        }
    }

    /// The smallest type that both convert to without changing category: PyTorch's promotion table.
    ///
    /// Where that has no answer ([`has_common`](DType::has_common)), the type of the higher category.
    pub fn promote(self, other: DType) -> DType {
        use DType::*;
        let (low, high) = if self as u8 <= other as u8 { (self, other) } else { (other, self) };
        match (low, high) {
            (UInt8, Int8) => Int16,
            (Float16, BFloat16) => Float32,
            (Float64, Complex64) => Complex128,
            // Within a category the declaration order is the order of width.
            _ => high,
        }
    }

    /// Whether the two types have a common one.
    pub fn has_common(self, other: DType) -> bool {
        let lone = |a: DType, b: DType| a.is_lone_unsigned() && a != b && !b.is_float();
        !lone(self, other) && !lone(other, self)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A type whose values a tensor can hold.
pub trait Element: Copy + Send + Sync + PartialEq + fmt::Debug + 'static {
    const DTYPE: DType;
    /// The number; of a complex one the real part.
    fn to_f64(self) -> f64;
    fn to_i64(self) -> i64;
    fn from_f64(value: f64) -> Self;
    fn from_i64(value: i64) -> Self;

    #[inline(always)]
    fn to_complex(self) -> Complex128 {
        Complex::new(self.to_f64(), 0.0)
    }

    /// The number without its imaginary part, unless this type is complex.
    #[inline(always)]
    fn from_complex(value: Complex128) -> Self {
        Self::from_f64(value.re)
    }

    /// Converts as a C cast would on this machine: floats truncate, integers wrap, bool is "not zero".
    #[inline(always)]
    fn cast<U: Element>(self) -> U {
        match Self::DTYPE.category() {
            Category::Complex => U::from_complex(self.to_complex()),
            Category::Float => U::from_f64(self.to_f64()),
            // Half of its values are beyond int64.
            _ if Self::DTYPE as u8 == DType::UInt64 as u8 && !U::DTYPE.is_integral() => U::from_f64(self.to_f64()),
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
    i8 => Int8, |v| v as i64 as i8;
    i16 => Int16, |v| v as i64 as i16;
    i32 => Int32, |v| v as i64 as i32;
    i64 => Int64, |v| v as i64;
    u16 => UInt16, |v| v as i64 as u16;
    u32 => UInt32, |v| v as i64 as u32;
    u64 => UInt64, |v| if v < 0.0 { v as i64 as u64 } else { v as u64 };
    f32 => Float32, |v| v as f32;
    f64 => Float64, |v| v;
}

macro_rules! half_element {
    ($($t:ident => $dtype:ident;)+) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn to_f64(self) -> f64 { f64::from(self.to_f32()) }
            #[inline(always)]
            fn to_i64(self) -> i64 { self.to_f32() as i64 }
            // By way of f32, as PyTorch rounds.
            #[inline(always)]
            fn from_f64(value: f64) -> Self { $t::from_f32(value as f32) }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { $t::from_f32(value as f32) }
        }
    )+};
}

half_element! {
    f16 => Float16;
    bf16 => BFloat16;
}

macro_rules! complex_element {
    ($($t:ident => $dtype:ident;)+) => {$(
        impl Element for Complex<$t> {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn to_f64(self) -> f64 { f64::from(self.re) }
            #[inline(always)]
            fn to_i64(self) -> i64 { self.re as i64 }
            #[inline(always)]
            fn from_f64(value: f64) -> Self { Complex::new(value as $t, 0.0) }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { Complex::new(value as $t, 0.0) }
            #[inline(always)]
            fn to_complex(self) -> Complex128 { Complex::new(f64::from(self.re), f64::from(self.im)) }
            #[inline(always)]
            fn from_complex(value: Complex128) -> Self { Complex::new(value.re as $t, value.im as $t) }
        }
    )+};
}

complex_element! {
    f32 => Complex64;
    f64 => Complex128;
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
    #[inline(always)]
    fn from_complex(value: Complex128) -> Self {
        value != Complex::ZERO
    }
}

/// Runs a block with `T` standing for the element type that a [`DType`] names.
///
/// `with_element!(dtype, T => body)` covers every type, to create, read and convert. A word before `T` names a part of
/// them, and what is not covered needs `else other`:
///
/// - `real`: the integers and floats that are computed in (all types are, once they are [wide](DType::wide), but bool
///   and the complex ones);
/// - `float`: the floats among them;
/// - `ring`: those of `real` and the complex ones;
/// - `field`: those of `float` and the complex ones;
/// - `kernel`: those of `ring` and bool: all types but the narrow ones.
///
/// With `bits` the block runs for a type of the same size and alignment that is merely moved; needs no `else`.
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
        $crate::with_element!(
            @match $dtype, $T, $body; Bool bool, UInt8 u8, Int8 i8, Int16 i16, Int32 i32, Int64 i64, UInt16 u16,
            UInt32 u32, UInt64 u64, Float16 $crate::dtype::f16, BFloat16 $crate::dtype::bf16, Float32 f32, Float64 f64,
            Complex64 $crate::dtype::Complex64, Complex128 $crate::dtype::Complex128
        )
    };
    ($dtype:expr, kernel $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(
            @match $dtype, $T, $body; Bool bool, UInt8 u8, Int32 i32, Int64 i64, Float32 f32, Float64 f64,
            Complex64 $crate::dtype::Complex64, Complex128 $crate::dtype::Complex128; else $other
        )
    };
    ($dtype:expr, ring $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(
            @match $dtype, $T, $body; UInt8 u8, Int32 i32, Int64 i64, Float32 f32, Float64 f64,
            Complex64 $crate::dtype::Complex64, Complex128 $crate::dtype::Complex128; else $other
        )
    };
    ($dtype:expr, real $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(
            @match $dtype, $T, $body; UInt8 u8, Int32 i32, Int64 i64, Float32 f32, Float64 f64; else $other
        )
    };
    ($dtype:expr, field $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(
            @match $dtype, $T, $body; Float32 f32, Float64 f64, Complex64 $crate::dtype::Complex64,
            Complex128 $crate::dtype::Complex128; else $other
        )
    };
    ($dtype:expr, float $T:ident => $body:expr, else $other:expr) => {
        $crate::with_element!(@match $dtype, $T, $body; Float32 f32, Float64 f64; else $other)
    };
    ($dtype:expr, bits $T:ident => $body:expr) => {
        match $dtype {
            $crate::dtype::DType::Complex64 => {
                type $T = [u32; 2];
                $body
            }
            dtype => match dtype.size() {
                1 => {
                    type $T = u8;
                    $body
                }
                2 => {
                    type $T = u16;
                    $body
                }
                4 => {
                    type $T = u32;
                    $body
                }
                8 => {
                    type $T = u64;
                    $body
                }
                _ => {
                    type $T = [u64; 2];
                    $body
                }
            },
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_symmetric_and_keeps_the_category() {
        for a in DType::ALL {
            assert_eq!(a.promote(a), a);
            assert!(a.has_common(a));
            for b in DType::ALL {
                let both = a.promote(b);
                assert_eq!(both, b.promote(a));
                assert_eq!(a.has_common(b), b.has_common(a));
                assert_eq!(both.category(), a.category().max(b.category()), "{a} and {b}");
                if a.has_common(b) {
                    assert!(both.promote(a) == both && both.promote(b) == both, "{a} and {b}");
                }
            }
        }
    }

    #[test]
    fn sizes_are_those_of_the_elements() {
        for dtype in DType::ALL {
            assert_eq!(dtype.size(), with_element!(dtype, T => size_of::<T>()));
            assert_eq!(dtype, with_element!(dtype, T => T::DTYPE));
            let alignment = with_element!(dtype, T => align_of::<T>());
            assert_eq!((dtype.size(), alignment), with_element!(dtype, bits T => (size_of::<T>(), align_of::<T>())));
        }
    }

    #[test]
    fn a_wide_type_holds_every_value() {
        for dtype in DType::ALL {
            assert_eq!(dtype.is_narrow(), dtype.wide() != dtype);
            assert!(!dtype.wide().is_narrow() && dtype.wide().category() == dtype.category());
        }
        for bits in 0..=u16::MAX {
            assert_eq!((bits as i16).cast::<i32>().cast::<i16>(), bits as i16);
            let (half, brain) = (f16::from_bits(bits), bf16::from_bits(bits));
            assert!(half.is_nan() || half.cast::<f32>().cast::<f16>() == half);
            assert!(brain.is_nan() || brain.cast::<f32>().cast::<bf16>() == brain);
        }
        assert_eq!(u64::MAX.cast::<i64>().cast::<u64>(), u64::MAX);
        assert_eq!([u64::MAX.cast::<f64>(), 1e19f64.cast::<u64>().cast()], [18446744073709551616.0, 1e19]);
    }
}
