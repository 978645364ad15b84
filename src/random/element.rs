//! The element types that random numbers are drawn for.

use std::ops::{Add, Div, Mul};

use super::generator::Generator;
use super::{box_muller, uniform};
use crate::bail;
use crate::error::Result;

mod sealed {
    /// Keeps [`super::Real`] and [`super::Whole`] to the types below.
    pub trait Sealed {}
}
use sealed::Sealed;

/// A type that continuous distributions fill: `f32` or `f64`.
pub trait Real: Whole + PartialOrd + Add<Output = Self> + Mul<Output = Self> + Div<Output = Self> {
    /// The largest finite value.
    const MAX: f64;
    /// The distance from one to the next value.
    const EPSILON: f64;
    /// The smallest positive normal value.
    const MIN_POSITIVE: Self;
    /// The largest value below one.
    const BELOW_ONE: Self;

    /// The nearest value of the type.
    fn of(value: f64) -> Self;
    /// The value as `f64`, without loss.
    fn wide(self) -> f64;
    /// log(1 + x) in the type's own precision.
    fn ln_1p(self) -> Self;
    /// Uniform numbers from [0, 1): the low bits of a word, or of two, as many as the mantissa has.
    #[doc(hidden)]
    fn fill_unit(generator: &mut Generator, out: &mut [Self]);
    /// Scales uniform numbers from [0, 1) to [from, to), in place.
    #[doc(hidden)]
    fn scale(numbers: &mut [Self], from: Self, to: Self);
    /// The Box-Muller transform, in place, of blocks of 16 uniform numbers from [0, 1).
    #[doc(hidden)]
    fn box_muller(blocks: &mut [[Self; 16]], mean: Self, std: Self);
}

/// A type that whole numbers are drawn for: `bool`, an integer, `f32` or `f64`.
pub trait Whole: Copy + Sealed {
    /// The integers [lowest, highest] that a bounded range must lie in, or `None` where any `i64` will do.
    #[doc(hidden)]
    const BOUNDS: Option<(i64, i64)>;
    /// The highest integer of a range without upper end: the type's maximum; for floats 2 to the digits of the
    /// mantissa.
    #[doc(hidden)]
    const TOP: i64;
    /// Bits of the mantissa of a float.
    #[doc(hidden)]
    const DIGITS: Option<u32>;

    /// The value as an integer cast gives it.
    fn of_i64(value: i64) -> Self;
    /// A whole number given as `f64`, as a cast by way of `i64` gives it; for floats the number itself.
    #[doc(hidden)]
    fn of_whole(value: f64) -> Self;
    /// The integer part, cut to the range of `i64`.
    #[doc(hidden)]
    fn to_i64(self) -> i64;
    /// Numbers from the type's full range, as [`Generator::random_full`] says.
    #[doc(hidden)]
    fn fill_full(generator: &mut Generator, out: &mut [Self]);
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Sealed for $type {}
        impl Whole for $type {
            const BOUNDS: Option<(i64, i64)> = Some((<$type>::MIN as i64, <$type>::MAX as i64));
            const TOP: i64 = <$type>::MAX as i64;
            const DIGITS: Option<u32> = None;
            #[inline]
            fn of_i64(value: i64) -> Self {
                value as Self
            }
            #[inline]
            fn of_whole(value: f64) -> Self {
                value as i64 as Self
            }
            #[inline]
            fn to_i64(self) -> i64 {
                self as i64
            }
            fn fill_full(generator: &mut Generator, out: &mut [Self]) {
                generator.fill32(out, |bits| (bits & Self::MAX as u32) as Self);
            }
        }
    )*};
}
integers!(u8 i32);

impl Sealed for i64 {}
impl Whole for i64 {
    const BOUNDS: Option<(i64, i64)> = None;
    const TOP: i64 = i64::MAX;
    const DIGITS: Option<u32> = None;
    #[inline]
    fn of_i64(value: i64) -> Self {
        value
    }
    #[inline]
    fn of_whole(value: f64) -> Self {
        value as i64
    }
    #[inline]
    fn to_i64(self) -> i64 {
        self
    }
    fn fill_full(generator: &mut Generator, out: &mut [Self]) {
        generator.fill64(out, |bits| (bits & i64::MAX as u64) as Self);
    }
}

impl Sealed for bool {}
impl Whole for bool {
    const BOUNDS: Option<(i64, i64)> = Some((0, 1));
    const TOP: i64 = 1;
    const DIGITS: Option<u32> = None;
    #[inline]
    fn of_i64(value: i64) -> Self {
        value != 0
    }
    #[inline]
    fn of_whole(value: f64) -> Self {
        value != 0.0
    }
    #[inline]
    fn to_i64(self) -> i64 {
        i64::from(self)
    }
    fn fill_full(generator: &mut Generator, out: &mut [Self]) {
        generator.fill32(out, |bits| bits & 1 == 1);
    }
}

macro_rules! floats {
    ($($type:ident $fill:ident $scale:ident $muller:ident;)*) => {$(
        impl Sealed for $type {}
        impl Whole for $type {
            const BOUNDS: Option<(i64, i64)> = None;
            const TOP: i64 = 1 << $type::MANTISSA_DIGITS;
            const DIGITS: Option<u32> = Some($type::MANTISSA_DIGITS);
            #[inline]
            fn of_i64(value: i64) -> Self {
                value as Self
            }
            #[inline]
            fn of_whole(value: f64) -> Self {
                value as Self
            }
            #[inline]
            fn to_i64(self) -> i64 {
                self as i64
            }
            fn fill_full(generator: &mut Generator, out: &mut [Self]) {
                const RANGE: u64 = (1 << $type::MANTISSA_DIGITS) + 1;
                generator.$fill(out, |bits| (u64::from(bits) % RANGE) as Self);
            }
        }
        impl Real for $type {
            const MAX: f64 = $type::MAX as f64;
            const EPSILON: f64 = $type::EPSILON as f64;
            const MIN_POSITIVE: Self = $type::MIN_POSITIVE;
            const BELOW_ONE: Self = 1.0 - $type::EPSILON / 2.0;
            #[inline]
            fn of(value: f64) -> Self {
                value as Self
            }
            #[inline]
            fn wide(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn ln_1p(self) -> Self {
                $type::ln_1p(self)
            }
            fn fill_unit(generator: &mut Generator, out: &mut [Self]) {
                const MASK: i64 = (1 << $type::MANTISSA_DIGITS) - 1;
                const STEP: $type = 1.0 / (1_i64 << $type::MANTISSA_DIGITS) as $type;
                // Exact: the masked bits fit the mantissa. They are signed because that converts faster.
                generator.$fill(out, |bits| (bits as i64 & MASK) as Self * STEP);
            }
            fn scale(numbers: &mut [Self], from: Self, to: Self) {
                uniform::$scale(numbers, from, to);
            }
            fn box_muller(blocks: &mut [[Self; 16]], mean: Self, std: Self) {
                box_muller::$muller(blocks, mean, std);
            }
        }
    )*};
}
floats! {
    f32 fill32 scale_single single;
    f64 fill64 scale_double double;
}

/// Checks that every integer of [low, high] can be drawn for `T`.
pub(super) fn check_bounds<T: Whole>(low: i64, high: i64) -> Result<()> {
    match T::BOUNDS {
        Some((lowest, highest)) if low < lowest || high > highest => {
            bail!(Runtime, "random integers from {low} to {high} do not fit the element type: [{lowest}, {highest}]")
        }
        _ => Ok(()),
    }
}
