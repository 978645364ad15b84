//! What formulas know beyond the [algebra](crate::kernels::algebra): the inverse and special functions, remainders,
//! bits of a float.
//!
//! # Note: Functions by way of f64
//! A function of the maths library is computed in f64 whatever the element type. A function made of exponentials and
//! logarithms uses the [elementary](crate::kernels::elementary) ones, so that a loop over it is vector code.

use std::f64::consts::{LN_2, LOG2_E, LOG10_E, PI};

use num_complex::Complex;

use crate::dtype::Element;
use crate::kernels::algebra::{Field, Float, Num, Number};
use crate::kernels::elementary::{Exponential, Logarithm, complex, erf_wide};
use crate::kernels::special;

/// Functions that are called for each element in f64.
macro_rules! called {
    ($($name:ident($($x:ident),*) $function:path;)+) => {
        impl<T: Float, const NEAR: bool> Num<T, NEAR> {$(
            #[inline(always)]
            pub fn $name(self $(, $x: impl Into<Self>)*) -> Self {
                Num(T::from_f64($function(self.0.to_f64() $(, $x.into().0.to_f64())*)))
            }
        )+}
    };
}

called! {
    hypot(other) f64::hypot;
    copysign(other) f64::copysign;
    lgamma() special::lgamma;
    digamma() special::digamma;
    erfc() special::erfc;
    erfcx() special::erfcx;
    erfinv() special::erfinv;
    ndtri() special::ndtri;
    log_ndtr() special::log_ndtr;
    i0() special::i0;
    i0e() special::i0e;
    i1() special::i1;
    i1e() special::i1e;
    modified_bessel_k0() special::k0;
    modified_bessel_k1() special::k1;
    scaled_modified_bessel_k0() special::k0e;
    scaled_modified_bessel_k1() special::k1e;
    bessel_j0() special::bessel_j0;
    bessel_j1() special::bessel_j1;
    bessel_y0() special::bessel_y0;
    bessel_y1() special::bessel_y1;
    spherical_bessel_j0() special::spherical_j0;
    airy_ai() special::airy_ai;
    gammainc(x) special::gammainc;
    gammaincc(x) special::gammaincc;
    zeta(q) special::zeta;
    chebyshev_polynomial_t(n) special::chebyshev_t;
    chebyshev_polynomial_u(n) special::chebyshev_u;
    chebyshev_polynomial_v(n) special::chebyshev_v;
    chebyshev_polynomial_w(n) special::chebyshev_w;
    shifted_chebyshev_polynomial_t(n) special::shifted_chebyshev_t;
    shifted_chebyshev_polynomial_u(n) special::shifted_chebyshev_u;
    shifted_chebyshev_polynomial_v(n) special::shifted_chebyshev_v;
    shifted_chebyshev_polynomial_w(n) special::shifted_chebyshev_w;
    hermite_polynomial_h(n) special::hermite_h;
    hermite_polynomial_he(n) special::hermite_he;
    laguerre_polynomial_l(n) special::laguerre_l;
    legendre_polynomial_p(n) special::legendre_p;
}

/// Whether elements have so few digits that a formula in f64, though it loses some, is exact to the last of them.
#[inline(always)]
fn is_narrow<T: Element>() -> bool {
    size_of::<T>() < 8
}

/// `sinh(x)` where the exponentials cancel.
#[inline(always)]
fn sinh_near_zero(x: f64) -> f64 {
    let z = x * x;
    x + x * z * (1.0 / 6.0 + z * (1.0 / 120.0 + z * (1.0 / 5040.0)))
}

/// Functions that floats and complex numbers have beside those of [`Field`].
pub trait Analytic: Copy {
    fn acos(self) -> Self;
    fn acosh(self) -> Self;
    /// What the derivative of `acosh` is 1 divided by: √(x² - 1), on the branch that `acosh` has.
    fn acosh_divisor(self) -> Self;
    fn asin(self) -> Self;
    fn asinh(self) -> Self;
    fn atan(self) -> Self;
    fn atanh(self) -> Self;
    fn cosh(self) -> Self;
    fn sinh(self) -> Self;
    fn exp2(self) -> Self;
    fn log2(self) -> Self;
    fn log10(self) -> Self;
    /// `sin(πx) / (πx)`.
    fn sinc(self) -> Self;
    /// `log(exp(x) + exp(y))` without overflow.
    fn logaddexp(self, other: Self) -> Self;
}

/// One formula for elements narrower than f64, computed in f64, and the library's function for f64.
macro_rules! wide {
    ($t:ident: $($name:ident $library:path, |$x:ident| $formula:expr;)+) => {$(
        #[inline(always)]
        fn $name(self) -> Self {
            let $x = f64::from(self);
            (if is_narrow::<$t>() { $formula } else { $library($x) }) as $t
        }
    )+};
}

macro_rules! floats {
    ($($t:ident)+) => {$(
        impl Analytic for $t {
            wide! { $t:
                acos f64::acos, |x| x.acos();
                asin f64::asin, |x| x.asin();
                atan f64::atan, |x| x.atan();
                acosh libm::acosh, |x| libm::acosh(x);
                cosh libm::cosh, |x| {
                    let e = Exponential::exp(x);
                    0.5 * e + 0.5 / e
                };
                sinh libm::sinh, |x| {
                    let e = Exponential::exp(x);
                    let y = 0.5 * e - 0.5 / e;
                    if x.abs() < 0.1 { sinh_near_zero(x) } else { y }
                };
                asinh libm::asinh, |x| {
                    let z = x.abs();
                    let y = Logarithm::log(z + (z * z + 1.0).sqrt());
                    // The logarithm of nearly 1 has lost as many digits as z is small.
                    let near = z - z * z * z * (1.0 / 6.0 - z * z * (3.0 / 40.0 - z * z * (15.0 / 336.0)));
                    (if z < 0.02 { near } else { y }).copysign(x)
                };
                atanh libm::atanh, |x| {
                    let y = 0.5 * Logarithm::log((1.0 + x) / (1.0 - x));
                    let z = x * x;
                    let near = x + x * z * (1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0)));
                    if x.abs() < 0.02 { near } else { y }
                };
                exp2 f64::exp2, |x| Exponential::exp(x * LN_2);
                log2 f64::log2, |x| Logarithm::log(x) * LOG2_E;
                log10 f64::log10, |x| Logarithm::log(x) * LOG10_E;
            }

            #[inline(always)]
            fn acosh_divisor(self) -> Self {
                (self * self - 1.0).sqrt()
            }

            #[inline(always)]
            fn sinc(self) -> Self {
                let x = PI * f64::from(self);
                (if x == 0.0 { 1.0 } else { x.sin() / x }) as $t
            }

            #[inline(always)]
            fn logaddexp(self, other: Self) -> Self {
                log_of_sum(self, other, |x| Field::log1p(Field::exp(x)))
            }
        }
    )+};
}

floats!(f32 f64);

/// Of complex numbers, in double precision.
macro_rules! complex_numbers {
    ($t:ident: $($name:ident)+) => {
        impl Analytic for Complex<$t> {
            $(#[inline(always)]
            fn $name(self) -> Self {
                complex::$name(self.to_complex()).cast()
            })+

            #[inline(always)]
            fn acosh_divisor(self) -> Self {
                Field::sqrt(self - 1.0) * Field::sqrt(self + 1.0)
            }

            #[inline(always)]
            fn logaddexp(self, other: Self) -> Self {
                complex::logaddexp(self.to_complex(), other.to_complex()).cast()
            }
        }
    };
}

complex_numbers!(f32: acos acosh asin asinh atan atanh cosh sinh exp2 log2 log10 sinc);
complex_numbers!(f64: acos acosh asin asinh atan atanh cosh sinh exp2 log2 log10 sinc);

/// `log(b^x + b^y)` to the base b without overflow, where `tail` of z is `log(1 + b^z)`.
#[inline(always)]
fn log_of_sum<T: Float>(x: T, y: T, tail: impl Fn(T) -> T) -> T {
    let larger = x.maximum(y);
    // Two equal infinities have no difference.
    let sum = larger + tail((x - y).absolute().negative());
    if x == y && !x.is_finite() { larger } else { sum }
}

macro_rules! analytic {
    ($($name:ident)+) => {
        impl<T: Field, const NEAR: bool> Num<T, NEAR> {$(
            #[inline(always)]
            pub fn $name(self) -> Self {
                Num(Analytic::$name(self.0))
            }
        )+}
    };
}

analytic!(acos acosh acosh_divisor asin asinh atan atanh cosh sinh exp2 log2 log10 sinc);

impl<T: Field, const NEAR: bool> Num<T, NEAR> {
    /// `log(exp(x) + exp(y))` without overflow.
    #[inline(always)]
    pub fn logaddexp(self, other: Self) -> Self {
        Num(self.0.logaddexp(other.0))
    }

    /// `x · 2^other`.
    #[inline(always)]
    pub fn ldexp(self, other: Self) -> Self {
        self * other.exp2()
    }
}

impl<T: Float, const NEAR: bool> Num<T, NEAR> {
    #[inline(always)]
    pub fn erf(self) -> Self {
        let x = self.0.to_f64();
        Num(T::from_f64(if is_narrow::<T>() { erf_wide(x) } else { special::erf(x) }))
    }

    /// The n-th derivative of `digamma`.
    #[inline(always)]
    pub fn polygamma(self, n: impl Into<Self>) -> Self {
        Num(T::from_f64(special::polygamma(n.into().0.to_f64(), self.0.to_f64())))
    }

    /// `-x log(x)`: 0 at 0, negative infinity below.
    #[inline(always)]
    pub fn entropy(self) -> Self {
        let x = self.0.to_f64();
        let y = -x * Logarithm::log(x);
        let y = if x == 0.0 { 0.0 } else { y };
        Num(T::from_f64(if x < 0.0 { f64::NEG_INFINITY } else { y }))
    }

    /// `x log(y)`, 0 where x is 0 and y is a number.
    #[inline(always)]
    pub fn times_log(self, y: Self) -> Self {
        let product = self * y.log();
        product.or_else_if(!self.equals(0.0) | y.is_nan(), 0.0)
    }

    /// `x log(1 + y)`, 0 where x is 0 and y is a number.
    #[inline(always)]
    pub fn times_log1p(self, y: Self) -> Self {
        let product = self * y.log1p();
        product.or_else_if(!self.equals(0.0) | y.is_nan(), 0.0)
    }

    /// `log2(2^x + 2^y)` without overflow.
    #[inline(always)]
    pub fn logaddexp2(self, other: Self) -> Self {
        Num(log_of_sum(self.0, other.0, |x| Analytic::exp2(x).log1p() * T::from_f64(LOG2_E)))
    }

    /// `value`, which is a gradient at `input`: as a term, one laid out like this number, and with a derivative of 0 where
    /// it has none.
    #[inline(always)]
    pub fn as_gradient(self, value: Self, _input: Self) -> Self {
        value
    }

    /// As `only_if`; as a term, laid out like this number.
    #[inline(always)]
    pub fn cleared_unless(self, condition: bool) -> Self {
        self.only_if(condition)
    }

    /// The logarithm of the logistic function.
    #[inline(always)]
    pub fn logsigmoid(self) -> Self {
        self.minimum(0.0) - (-self.absolute()).exp().log1p()
    }

    /// The next number of the element type towards `other`.
    #[inline(always)]
    pub fn nextafter(self, other: Self) -> Self {
        let (x, y) = (self.0.to_f64(), other.0.to_f64());
        let up = y > x;
        let next = match (is_narrow::<T>(), up) {
            (true, true) => f64::from((x as f32).next_up()),
            (true, false) => f64::from((x as f32).next_down()),
            (false, true) => x.next_up(),
            (false, false) => x.next_down(),
        };
        let next = if x == y { y } else { next };
        Num(T::from_f64(if x.is_nan() || y.is_nan() { f64::NAN } else { next }))
    }

    /// The mantissa, from ½ to 1 in size, such that `x = mantissa · 2^exponent`; 0 and what is not finite as it is.
    #[inline(always)]
    pub fn mantissa(self) -> Self {
        Num(T::from_f64(libm::frexp(self.0.to_f64()).0))
    }

    #[inline(always)]
    pub fn exponent(self) -> Self {
        Num(T::from_f64(f64::from(libm::frexp(self.0.to_f64()).1)))
    }

    /// Rounded to so many decimal places, halves to the even digit.
    #[inline(always)]
    pub fn rounded_to(self, decimals: Self) -> Self {
        // The power is computed in f64, the rest in the element type, as in PyTorch.
        let places = decimals.0.to_f64();
        let scale = T::from_f64(10f64.powf(places.abs()));
        Num(if places < 0.0 { (self.0 / scale).rounded() * scale } else { (self.0 * scale).rounded() / scale })
    }
}

impl<T: Number, const NEAR: bool> Num<T, NEAR> {
    /// What the division towards 0 leaves over; it has the sign of the dividend.
    #[inline(always)]
    pub fn trunc_remainder(self, other: Self) -> Self {
        if T::DTYPE.is_float() {
            return Num(T::from_f64(self.0.to_f64() % other.0.to_f64()));
        }
        Num(self.0 - self.0.trunc_quotient(other.0) * other.0)
    }

    /// Whether the sign is a minus, that of -0.0 too.
    #[inline(always)]
    pub fn has_sign(self) -> bool {
        if T::DTYPE.is_float() { self.0.to_f64().is_sign_negative() } else { self.0 < T::default() }
    }

    /// The larger one; a number rather than NaN.
    #[inline(always)]
    pub fn maximum_number(self, other: Self) -> Self {
        let larger = self.maximum(other);
        let larger = self.or_else_if(other.is_nan(), larger);
        other.or_else_if(self.is_nan(), larger)
    }

    /// The smaller one; a number rather than NaN.
    #[inline(always)]
    pub fn minimum_number(self, other: Self) -> Self {
        let smaller = self.minimum(other);
        let smaller = self.or_else_if(other.is_nan(), smaller);
        other.or_else_if(self.is_nan(), smaller)
    }

    /// 0 below 0, 1 above, `at_zero` at 0; NaN for NaN.
    #[inline(always)]
    pub fn heaviside(self, at_zero: Self) -> Self {
        let step = self.one().or_else_if(self.greater(0.0), 0.0);
        at_zero.or_else_if(self.equals(0.0), step)
    }

    /// The greatest common divisor of integers, by Euclid.
    #[inline(always)]
    pub fn gcd(self, other: Self) -> Self {
        let (mut a, mut b) = (self.0.to_i64(), other.0.to_i64());
        while a != 0 {
            (a, b) = (b.wrapping_rem(a), a);
        }
        Num(T::from_i64(b.wrapping_abs()))
    }

    /// The least common multiple of integers.
    #[inline(always)]
    pub fn lcm(self, other: Self) -> Self {
        let divisor = self.gcd(other).0.to_i64();
        if divisor == 0 {
            return self.zero();
        }
        let multiple = (self.0.to_i64().wrapping_div(divisor)).wrapping_mul(other.0.to_i64());
        Num(T::from_i64(multiple.wrapping_abs()))
    }

    /// Bits moved up; 0 if by more than there are, or a negative number.
    #[inline(always)]
    pub fn shifted_left(self, by: Self) -> Self {
        let (x, by) = (self.0.to_i64(), by.0.to_i64());
        let width = 8 * size_of::<T>() as i64;
        Num(T::from_i64(if (0..width).contains(&by) { x.wrapping_shl(by as u32) } else { 0 }))
    }

    /// Bits moved down, the sign moving in; only that if by more than there are, or a negative number.
    #[inline(always)]
    pub fn shifted_right(self, by: Self) -> Self {
        let (x, by) = (self.0.to_i64(), by.0.to_i64());
        let most = 8 * size_of::<T>() as i64 - 1;
        let by = if (0..=most).contains(&by) { by } else { 63 };
        Num(T::from_i64(x.wrapping_shr(by as u32)))
    }
}
