//! The numbers that elementwise formulas compute with in a kernel.
//!
//! A formula is written once. In a kernel its variables are [`Num`]s; in a differentiable backward the same text
//! is compiled with [terms](crate::ops::term::Term), which have the same functions.

use std::ops::{Add, Div, Mul, Neg, Sub};

use num_complex::Complex;

use crate::dtype::Element;
use crate::kernels::elementary::complex;
use crate::kernels::elementary::{Exponential, Hyperbolic, Logarithm, Power, Trigonometric};
use crate::kernels::functions::Analytic;

/// A number in a formula; constants are written as they are: `1.0 - x`.
///
/// `NEAR` promises that all [are near](Trigonometric::near), which makes vector code of formulas with angles.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Num<T, const NEAR: bool = false>(pub T);

/// What has sums, differences and products: integers, floats and complex numbers.
pub trait Ring: Element + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Default {
    /// What an absolute value is: of complex numbers the type of their parts, else the type itself.
    type Real: Ring;
    fn negative(self) -> Self;
    fn power(self, exponent: Self) -> Self;
    /// Whether the number, or a part of it, is NaN.
    fn is_nan(self) -> bool;
    fn is_finite(self) -> bool;
    fn is_infinite(self) -> bool;
    /// The complex conjugate.
    fn conj(self) -> Self;
    /// The absolute value.
    fn modulus(self) -> Self::Real;
    /// The number divided by its absolute value; 0 for 0.
    fn direction(self) -> Self;
    fn real(self) -> Self::Real;
    /// Whether the real part is at least 0.
    fn has_nonnegative_real(self) -> bool;
}

/// Numbers in an order: integers and floats.
pub trait Number: Ring + PartialOrd {
    /// The smaller one; NaN if either is.
    fn minimum(self, other: Self) -> Self;
    /// The larger one; NaN if either is.
    fn maximum(self, other: Self) -> Self;
    fn absolute(self) -> Self;
    /// -1, 0 or 1; for NaN 0.
    fn sign(self) -> Self;
    fn lowest() -> Self;
    fn highest() -> Self;
    /// An integer that is in the same order as the number, which is not NaN; and the number of that rank.
    type Rank: Ord + Copy;
    fn rank(self) -> Self::Rank;
    fn of_rank(rank: Self::Rank) -> Self;
    /// The quotient rounded down; for integers, 0 where the divisor is 0.
    fn floor_quotient(self, other: Self) -> Self;
    /// What rounding the quotient down leaves over; it has the sign of the divisor.
    fn floor_remainder(self, other: Self) -> Self;
    /// The quotient without its fraction; for integers, 0 where the divisor is 0.
    fn trunc_quotient(self, other: Self) -> Self;
    fn rounded_down(self) -> Self;
    fn rounded_up(self) -> Self;
    /// To the nearest integer, halves to the even one.
    fn rounded(self) -> Self;
    fn without_fraction(self) -> Self;
}

/// Numbers with division and the functions of analysis: floats and complex numbers.
pub trait Field: Ring + Analytic + Div<Output = Self> + Neg<Output = Self> {
    /// `/`, which for complex numbers overflows on the way.
    fn quotient(self, divisor: Self) -> Self;
    fn exp(self) -> Self;
    fn log(self) -> Self;
    fn log1p(self) -> Self;
    fn expm1(self) -> Self;
    fn sqrt(self) -> Self;
    fn tanh(self) -> Self;
    /// The sine, cosine and tangent; `NEAR` as for [`Num`].
    fn sine<const NEAR: bool>(self) -> Self;
    fn cosine<const NEAR: bool>(self) -> Self;
    fn tangent<const NEAR: bool>(self) -> Self;
    /// The angle between the number and the positive real axis.
    fn argument(self) -> Self::Real;
}

/// Floats.
pub trait Float: Number + Field + Trigonometric {
    fn atan2(self, other: Self) -> Self;
}

macro_rules! integers {
    ($($t:ty, $sign:expr;)+) => {$(
        impl Ring for $t {
            type Real = $t;
            #[inline(always)]
            fn negative(self) -> Self { (0 as $t).wrapping_sub(self) }
            #[inline(always)]
            fn is_nan(self) -> bool { false }
            #[inline(always)]
            fn is_finite(self) -> bool { true }
            #[inline(always)]
            fn is_infinite(self) -> bool { false }
            #[inline(always)]
            fn conj(self) -> Self { self }
            #[inline(always)]
            fn modulus(self) -> Self { self.absolute() }
            #[inline(always)]
            fn direction(self) -> Self { self.sign() }
            #[inline(always)]
            fn real(self) -> Self { self }
            #[inline(always)]
            fn has_nonnegative_real(self) -> bool { self >= 0 as $t }
            /// Square and multiply, wrapping; a negative exponent gives 0 unless the base is 1 or -1.
            #[inline(always)]
            fn power(self, exponent: Self) -> Self {
                if exponent < 0 as $t {
                    return match self.to_i64() {
                        1 => 1,
                        -1 if exponent.to_i64() % 2 == 0 => 1,
                        -1 => self,
                        _ => 0,
                    };
                }
                let (mut base, mut left, mut result) = (self, exponent as u64, 1 as $t);
                while left > 0 {
                    if left & 1 == 1 {
                        result = result.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    left >>= 1;
                }
                result
            }
        }
        impl Number for $t {
            type Rank = $t;
            #[inline(always)]
            fn rank(self) -> $t { self }
            #[inline(always)]
            fn of_rank(rank: $t) -> $t { rank }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self { self.min(other) }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self { self.max(other) }
            #[inline(always)]
            fn absolute(self) -> Self { if self < 0 as $t { self.negative() } else { self } }
            #[inline(always)]
            fn sign(self) -> Self { $sign(self) }
            #[inline(always)]
            fn floor_quotient(self, other: Self) -> Self {
                let quotient = self.trunc_quotient(other);
                let inexact = quotient.wrapping_mul(other) != self;
                quotient.wrapping_sub((inexact && (self < 0 as $t) != (other < 0 as $t)) as $t)
            }
            #[inline(always)]
            fn floor_remainder(self, other: Self) -> Self {
                self.wrapping_sub(self.floor_quotient(other).wrapping_mul(other))
            }
            #[inline(always)]
            fn trunc_quotient(self, other: Self) -> Self {
                if other == 0 as $t { 0 as $t } else { self.wrapping_div(other) }
            }
            #[inline(always)]
            fn rounded_down(self) -> Self { self }
            #[inline(always)]
            fn rounded_up(self) -> Self { self }
            #[inline(always)]
            fn rounded(self) -> Self { self }
            #[inline(always)]
            fn without_fraction(self) -> Self { self }
            #[inline(always)]
            fn lowest() -> Self { <$t>::MIN }
            #[inline(always)]
            fn highest() -> Self { <$t>::MAX }
        }
    )+};
}

integers! {
    u8, |x: u8| u8::from(x > 0);
    i32, i32::signum;
    i64, i64::signum;
}

macro_rules! floats {
    ($($t:ident $rank:ident),+) => {$(
        impl Ring for $t {
            type Real = $t;
            #[inline(always)]
            fn negative(self) -> Self { -self }
            #[inline(always)]
            fn power(self, exponent: Self) -> Self { Power::power(self, exponent) }
            #[inline(always)]
            fn is_nan(self) -> bool { $t::is_nan(self) }
            #[inline(always)]
            fn is_finite(self) -> bool { $t::is_finite(self) }
            #[inline(always)]
            fn is_infinite(self) -> bool { $t::is_infinite(self) }
            #[inline(always)]
            fn conj(self) -> Self { self }
            #[inline(always)]
            fn modulus(self) -> Self { $t::abs(self) }
            #[inline(always)]
            fn direction(self) -> Self { Number::sign(self) }
            #[inline(always)]
            fn real(self) -> Self { self }
            #[inline(always)]
            fn has_nonnegative_real(self) -> bool { self >= 0 as $t }
        }
        impl Number for $t {
            type Rank = $rank;
            /// Negative floats are in the opposite order of their bits.
            #[inline(always)]
            fn rank(self) -> $rank {
                let bits = self.to_bits() as $rank;
                if bits < 0 { bits ^ $rank::MAX } else { bits }
            }
            #[inline(always)]
            fn of_rank(rank: $rank) -> $t {
                $t::from_bits((if rank < 0 { rank ^ $rank::MAX } else { rank }) as _)
            }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self {
                // In two steps, each of which is an instruction.
                let smaller = if self < other { self } else { other };
                if self.is_nan() { self } else { smaller }
            }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self {
                let larger = if self > other { self } else { other };
                if self.is_nan() { self } else { larger }
            }
            #[inline(always)]
            fn absolute(self) -> Self { $t::abs(self) }
            #[inline(always)]
            fn sign(self) -> Self {
                if self > 0.0 { 1.0 } else if self < 0.0 { -1.0 } else { 0.0 }
            }
            /// From the exact remainder, so that the quotient is right where the division rounds up.
            #[inline(always)]
            fn floor_quotient(self, other: Self) -> Self {
                if other == 0.0 {
                    return self / other;
                }
                let remainder = self % other;
                let mut quotient = (self - remainder) / other;
                if remainder != 0.0 && (other < 0.0) != (remainder < 0.0) {
                    quotient -= 1.0;
                }
                if quotient == 0.0 {
                    return (0.0 as $t).copysign(self / other);
                }
                let floor = $t::floor(quotient);
                if quotient - floor > 0.5 { floor + 1.0 } else { floor }
            }
            #[inline(always)]
            fn floor_remainder(self, other: Self) -> Self {
                let remainder = self % other;
                if remainder != 0.0 && (other < 0.0) != (remainder < 0.0) { remainder + other } else { remainder }
            }
            #[inline(always)]
            fn trunc_quotient(self, other: Self) -> Self { $t::trunc(self / other) }
            #[inline(always)]
            fn rounded_down(self) -> Self { $t::floor(self) }
            #[inline(always)]
            fn rounded_up(self) -> Self { $t::ceil(self) }
            #[inline(always)]
            fn rounded(self) -> Self { $t::round_ties_even(self) }
            #[inline(always)]
            fn without_fraction(self) -> Self { $t::trunc(self) }
            #[inline(always)]
            fn lowest() -> Self { $t::NEG_INFINITY }
            #[inline(always)]
            fn highest() -> Self { $t::INFINITY }
        }
        impl Field for $t {
            #[inline(always)]
            fn quotient(self, divisor: Self) -> Self { self / divisor }
            #[inline(always)]
            fn exp(self) -> Self { Exponential::exp(self) }
            #[inline(always)]
            fn log(self) -> Self { Logarithm::log(self) }
            #[inline(always)]
            fn log1p(self) -> Self { Logarithm::log1p(self) }
            #[inline(always)]
            fn expm1(self) -> Self { Exponential::expm1(self) }
            #[inline(always)]
            fn sqrt(self) -> Self { $t::sqrt(self) }
            #[inline(always)]
            fn tanh(self) -> Self { Hyperbolic::tanh(self) }
            #[inline(always)]
            fn sine<const NEAR: bool>(self) -> Self {
                if NEAR { self.near_sin() } else { Trigonometric::sin(self) }
            }
            #[inline(always)]
            fn cosine<const NEAR: bool>(self) -> Self {
                if NEAR { self.near_cos() } else { Trigonometric::cos(self) }
            }
            #[inline(always)]
            fn tangent<const NEAR: bool>(self) -> Self {
                if NEAR { self.near_tan() } else { Trigonometric::tan(self) }
            }
            #[inline(always)]
            fn argument(self) -> Self {
                if self < 0.0 { std::f64::consts::PI as $t } else if self.is_nan() { self } else { 0.0 }
            }
        }
        impl Float for $t {
            #[inline(always)]
            fn atan2(self, other: Self) -> Self { $t::atan2(self, other) }
        }
    )+};
}

floats! { f32 i32, f64 i64 }

macro_rules! complex_numbers {
    ($($t:ident),+) => {$(
        impl Ring for Complex<$t> {
            type Real = $t;
            #[inline(always)]
            fn negative(self) -> Self { -self }
            #[inline(always)]
            fn power(self, exponent: Self) -> Self {
                complex::power(self.to_complex(), exponent.to_complex()).cast()
            }
            #[inline(always)]
            fn is_nan(self) -> bool { self.re.is_nan() || self.im.is_nan() }
            #[inline(always)]
            fn is_finite(self) -> bool { self.re.is_finite() && self.im.is_finite() }
            #[inline(always)]
            fn is_infinite(self) -> bool { self.re.is_infinite() || self.im.is_infinite() }
            #[inline(always)]
            fn conj(self) -> Self { Complex::new(self.re, -self.im) }
            #[inline(always)]
            fn modulus(self) -> $t { self.re.hypot(self.im) }
            #[inline(always)]
            fn direction(self) -> Self {
                let modulus = self.modulus();
                if modulus == 0.0 { Complex::ZERO } else { Complex::new(self.re / modulus, self.im / modulus) }
            }
            #[inline(always)]
            fn real(self) -> $t { self.re }
            #[inline(always)]
            fn has_nonnegative_real(self) -> bool { self.re >= 0.0 }
        }
        // The functions of single precision by way of double, as in `elementary`.
        impl Field for Complex<$t> {
            /// Smith's method: the larger part of the divisor is divided by first.
            #[inline(always)]
            fn quotient(self, divisor: Self) -> Self {
                let (a, b, c, d) = (self.re, self.im, divisor.re, divisor.im);
                if c.abs() >= d.abs() {
                    if c == 0.0 && d == 0.0 {
                        return Complex::new(a / c.abs(), b / d.abs());
                    }
                    let ratio = d / c;
                    let scale = 1.0 / (c + d * ratio);
                    Complex::new((a + b * ratio) * scale, (b - a * ratio) * scale)
                } else {
                    let ratio = c / d;
                    let scale = 1.0 / (c * ratio + d);
                    Complex::new((a * ratio + b) * scale, (b * ratio - a) * scale)
                }
            }
            #[inline(always)]
            fn exp(self) -> Self { complex::exp(self.to_complex()).cast() }
            #[inline(always)]
            fn log(self) -> Self { complex::log(self.to_complex()).cast() }
            #[inline(always)]
            fn log1p(self) -> Self { complex::log1p(self.to_complex()).cast() }
            #[inline(always)]
            fn expm1(self) -> Self { complex::expm1(self.to_complex()).cast() }
            #[inline(always)]
            fn sqrt(self) -> Self { complex::sqrt(self.to_complex()).cast() }
            #[inline(always)]
            fn tanh(self) -> Self { complex::tanh(self.to_complex()).cast() }
            #[inline(always)]
            fn sine<const NEAR: bool>(self) -> Self { complex::sin(self.to_complex()).cast() }
            #[inline(always)]
            fn cosine<const NEAR: bool>(self) -> Self { complex::cos(self.to_complex()).cast() }
            #[inline(always)]
            fn tangent<const NEAR: bool>(self) -> Self { complex::tan(self.to_complex()).cast() }
            #[inline(always)]
            fn argument(self) -> $t { self.im.atan2(self.re) }
        }
    )+};
}

complex_numbers!(f32, f64);

impl<T: Ring, const NEAR: bool> From<f64> for Num<T, NEAR> {
    #[inline(always)]
    fn from(value: f64) -> Self {
        Num(T::from_f64(value))
    }
}

macro_rules! operators {
    ($($bound:ident $trait:ident $method:ident $op:tt;)+) => {$(
        impl<T: $bound, const NEAR: bool> $trait for Num<T, NEAR> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self { Num(self.0 $op other.0) }
        }
        impl<T: $bound, const NEAR: bool> $trait<f64> for Num<T, NEAR> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self { Num(self.0 $op T::from_f64(other)) }
        }
        impl<T: $bound, const NEAR: bool> $trait<Num<T, NEAR>> for f64 {
            type Output = Num<T, NEAR>;
            #[inline(always)]
            fn $method(self, other: Num<T, NEAR>) -> Num<T, NEAR> { Num(T::from_f64(self) $op other.0) }
        }
    )+};
}

operators! {
    Ring Add add +;
    Ring Sub sub -;
    Ring Mul mul *;
}

macro_rules! quotients {
    ($($left:ty, $right:ty, |$a:ident, $b:ident| $dividend:expr, $divisor:expr;)+) => {$(
        impl<T: Field, const NEAR: bool> Div<$right> for $left {
            type Output = Num<T, NEAR>;
            #[inline(always)]
            fn div(self, other: $right) -> Num<T, NEAR> {
                let ($a, $b) = (self, other);
                Num($dividend.quotient($divisor))
            }
        }
    )+};
}

quotients! {
    Num<T, NEAR>, Num<T, NEAR>, |a, b| a.0, b.0;
    Num<T, NEAR>, f64, |a, b| a.0, T::from_f64(b);
    f64, Num<T, NEAR>, |a, b| T::from_f64(a), b.0;
}

impl<T: Field, const NEAR: bool> Neg for Num<T, NEAR> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Num(-self.0)
    }
}

macro_rules! functions {
    ($bound:ident: $($name:ident($($x:ident),*);)+) => {
        impl<T: $bound, const NEAR: bool> Num<T, NEAR> {$(
            #[inline(always)]
            pub fn $name(self $(, $x: impl Into<Self>)*) -> Self {
                Num(self.0.$name($($x.into().0),*))
            }
        )+}
    };
}

functions! { Ring:
    negative();
    power(exponent);
    conj();
    direction();
}

functions! { Number:
    minimum(other);
    maximum(other);
    absolute();
    sign();
    floor_quotient(other);
    floor_remainder(other);
    trunc_quotient(other);
    rounded_down();
    rounded_up();
    rounded();
    without_fraction();
}

functions! { Field:
    exp();
    log();
    log1p();
    expm1();
    sqrt();
    tanh();
}

functions! { Float:
    atan2(other);
}

impl<T: Ring, const NEAR: bool> Num<T, NEAR> {
    #[inline(always)]
    pub fn equals(self, other: impl Into<Self>) -> bool {
        self.0 == other.into().0
    }

    #[inline(always)]
    pub fn is_nan(self) -> bool {
        self.0.is_nan()
    }

    #[inline(always)]
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    #[inline(always)]
    pub fn is_infinite(self) -> bool {
        self.0.is_infinite()
    }

    /// The absolute value: a real number.
    #[inline(always)]
    pub fn modulus(self) -> Num<T::Real, NEAR> {
        Num(self.0.modulus())
    }

    #[inline(always)]
    pub fn real(self) -> Num<T::Real, NEAR> {
        Num(self.0.real())
    }

    #[inline(always)]
    pub fn has_nonnegative_real(self) -> bool {
        self.0.has_nonnegative_real()
    }

    /// This number where the condition holds, else 0.
    #[inline(always)]
    pub fn only_if(self, condition: bool) -> Self {
        self.or_else_if(condition, 0.0)
    }

    /// This number where the condition holds, else another.
    #[inline(always)]
    pub fn or_else_if(self, condition: bool, otherwise: impl Into<Self>) -> Self {
        if condition { self } else { otherwise.into() }
    }

    /// 0, whatever this number is.
    #[inline(always)]
    pub fn zero(self) -> Self {
        Num(T::default())
    }

    /// The number itself; see `Term::first_power`.
    #[inline(always)]
    pub fn first_power(self) -> Self {
        self
    }

    #[inline(always)]
    pub fn square(self) -> Self {
        self * self
    }

    #[inline(always)]
    pub fn one(self) -> Self {
        Num(T::from_i64(1))
    }
}

impl<T: Number, const NEAR: bool> Num<T, NEAR> {
    #[inline(always)]
    pub fn greater(self, other: impl Into<Self>) -> bool {
        self.0 > other.into().0
    }

    #[inline(always)]
    pub fn greater_equal(self, other: impl Into<Self>) -> bool {
        self.0 >= other.into().0
    }

    #[inline(always)]
    pub fn less(self, other: impl Into<Self>) -> bool {
        self.0 < other.into().0
    }

    #[inline(always)]
    pub fn less_equal(self, other: impl Into<Self>) -> bool {
        self.0 <= other.into().0
    }

    /// This number where the other one, the result of `relu`, is positive (or NaN), else 0.
    #[inline(always)]
    pub fn where_positive(self, result: Self) -> Self {
        self.only_if(!result.less_equal(0.0))
    }

    #[inline(always)]
    pub fn bits_and(self, other: Self) -> Self {
        Num(T::from_i64(self.0.to_i64() & other.0.to_i64()))
    }

    #[inline(always)]
    pub fn bits_or(self, other: Self) -> Self {
        Num(T::from_i64(self.0.to_i64() | other.0.to_i64()))
    }

    #[inline(always)]
    pub fn bits_xor(self, other: Self) -> Self {
        Num(T::from_i64(self.0.to_i64() ^ other.0.to_i64()))
    }
}

impl<T: Field, const NEAR: bool> Num<T, NEAR> {
    #[inline(always)]
    pub fn sin(self) -> Self {
        Num(self.0.sine::<NEAR>())
    }

    #[inline(always)]
    pub fn cos(self) -> Self {
        Num(self.0.cosine::<NEAR>())
    }

    #[inline(always)]
    pub fn tan(self) -> Self {
        Num(self.0.tangent::<NEAR>())
    }

    /// The logistic function `1 / (1 + exp(-x))`.
    #[inline(always)]
    pub fn sigmoid(self) -> Self {
        1.0 / (1.0 + (-self).exp())
    }

    /// The angle between the number and the positive real axis.
    #[inline(always)]
    pub fn argument(self) -> Num<T::Real, NEAR> {
        Num(self.0.argument())
    }
}

impl<T: Float, const NEAR: bool> Num<T, NEAR> {
    /// `log(1 + exp(x))` without overflow.
    #[inline(always)]
    pub fn softplus(self) -> Self {
        self.maximum(0.0) + (-self.absolute()).exp().log1p()
    }

    /// This number, or the limit where it is smaller: keeps a divisor away from 0.
    #[inline(always)]
    pub fn clamped_below(self, limit: f64) -> Self {
        self.maximum(limit)
    }
}
