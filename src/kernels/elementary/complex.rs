//! The functions of complex numbers, in double precision: from those of their parts, without overflow on the way
//! where the result has none.

use std::f64::consts::{FRAC_PI_2, LN_2, LN_10, PI};

use num_complex::Complex;

use crate::dtype::Complex128;

/// Beyond this, `tanh` is 1 to the last bit.
const FLAT: f64 = 20.0;

#[inline]
fn turned(z: Complex128) -> Complex128 {
    Complex::new(-z.im, z.re)
}

#[inline]
fn turned_back(z: Complex128) -> Complex128 {
    Complex::new(z.im, -z.re)
}

pub fn exp(z: Complex128) -> Complex128 {
    let size = z.re.exp();
    // Of a real number the imaginary part stays 0, however large the real one is.
    if z.im == 0.0 {
        return Complex::new(size, z.im);
    }
    if size == 0.0 {
        return Complex::new(0.0, 0.0);
    }
    if z.re == f64::INFINITY && !z.im.is_finite() {
        return Complex::new(f64::INFINITY, f64::NAN);
    }
    Complex::new(size * z.im.cos(), size * z.im.sin())
}

pub fn log(z: Complex128) -> Complex128 {
    Complex::new(z.re.hypot(z.im).ln(), z.im.atan2(z.re))
}

/// `log(1 + z)`, accurate near 0.
pub fn log1p(z: Complex128) -> Complex128 {
    let angle = z.im.atan2(1.0 + z.re);
    if z.re.abs() > 0.5 || z.im.abs() > 0.5 {
        return Complex::new((1.0 + z.re).hypot(z.im).ln(), angle);
    }
    // |1 + z|² - 1
    let excess = z.re.mul_add(2.0 + z.re, z.im * z.im);
    Complex::new(0.5 * excess.ln_1p(), angle)
}

/// `exp(z) - 1`, accurate near 0.
pub fn expm1(z: Complex128) -> Complex128 {
    let (size, half) = (z.re.exp_m1(), (0.5 * z.im).sin());
    let imaginary = if z.im == 0.0 { z.im } else { z.re.exp() * z.im.sin() };
    Complex::new(size * z.im.cos() - 2.0 * half * half, imaginary)
}

pub fn sqrt(z: Complex128) -> Complex128 {
    z.sqrt()
}

pub fn sinh(z: Complex128) -> Complex128 {
    if z.im == 0.0 {
        return Complex::new(z.re.sinh(), z.im);
    }
    Complex::new(z.re.sinh() * z.im.cos(), z.re.cosh() * z.im.sin())
}

pub fn cosh(z: Complex128) -> Complex128 {
    if z.im == 0.0 {
        return Complex::new(z.re.cosh(), z.re.signum() * z.im);
    }
    Complex::new(z.re.cosh() * z.im.cos(), z.re.sinh() * z.im.sin())
}

pub fn tanh(z: Complex128) -> Complex128 {
    let (a, b) = (z.re, z.im);
    if a.abs() > FLAT {
        // What is left of the imaginary part: 4 sin(b) cos(b) exp(-2|a|).
        let rest = if b.is_finite() { 4.0 * b.sin() * b.cos() * (-2.0 * a.abs()).exp() } else { 0.0 };
        return Complex::new(1f64.copysign(a), rest);
    }
    // Kahan's formula, of which no term overflows here.
    let (t, s) = (b.tan(), a.sinh());
    let beta = 1.0 + t * t;
    if t.is_infinite() {
        return Complex::new((1.0 + s * s).sqrt() / s, 1.0 / t);
    }
    let rho = (1.0 + s * s).sqrt();
    let below = 1.0 + beta * s * s;
    Complex::new(beta * rho * s / below, t / below)
}

pub fn sin(z: Complex128) -> Complex128 {
    turned_back(sinh(turned(z)))
}

pub fn cos(z: Complex128) -> Complex128 {
    cosh(turned(z))
}

pub fn tan(z: Complex128) -> Complex128 {
    turned_back(tanh(turned(z)))
}

/// `sqrt(1 - z)` and `sqrt(1 + z)`, on the side of the branch cut that the sign of a zero imaginary part says.
fn roots_around(z: Complex128) -> (Complex128, Complex128) {
    (sqrt(Complex::new(1.0 - z.re, -z.im)), sqrt(Complex::new(1.0 + z.re, z.im)))
}

fn is_infinite(z: Complex128) -> bool {
    z.re.is_infinite() || z.im.is_infinite()
}

// Note: Inverse functions
// W. Kahan, "Branch cuts for complex elementary functions", 1987: products of roots instead of roots of products, and
// real inverse functions of their parts, so that nothing cancels near ±1 and cuts are met from the right side.

pub fn asin(z: Complex128) -> Complex128 {
    if is_infinite(z) {
        return Complex::new(z.re.atan2(z.im.abs()), f64::INFINITY.copysign(z.im));
    }
    let (below, above) = roots_around(z);
    Complex::new(z.re.atan2((below * above).re), (below.conj() * above).im.asinh())
}

pub fn acos(z: Complex128) -> Complex128 {
    if is_infinite(z) {
        return Complex::new(z.im.abs().atan2(z.re), -f64::INFINITY.copysign(z.im));
    }
    let (below, above) = roots_around(z);
    Complex::new(2.0 * below.re.atan2(above.re), (above.conj() * below).im.asinh())
}

pub fn acosh(z: Complex128) -> Complex128 {
    if is_infinite(z) {
        return Complex::new(f64::INFINITY, z.im.atan2(z.re));
    }
    let (below, above) = (sqrt(Complex::new(z.re - 1.0, z.im)), sqrt(Complex::new(z.re + 1.0, z.im)));
    Complex::new((below.conj() * above).re.asinh(), 2.0 * below.im.atan2(above.re))
}

pub fn asinh(z: Complex128) -> Complex128 {
    turned_back(asin(turned(z)))
}

pub fn atanh(z: Complex128) -> Complex128 {
    if is_infinite(z) {
        return Complex::new(0f64.copysign(z.re), FRAC_PI_2.copysign(z.im));
    }
    let (a, b) = (z.re, z.im);
    let distance = (1.0 - a) * (1.0 - a) + b * b;
    Complex::new(0.25 * (4.0 * a / distance).ln_1p(), 0.5 * (2.0 * b).atan2((1.0 - a) * (1.0 + a) - b * b))
}

pub fn atan(z: Complex128) -> Complex128 {
    turned_back(atanh(turned(z)))
}

pub fn exp2(z: Complex128) -> Complex128 {
    exp(z * LN_2)
}

pub fn log2(z: Complex128) -> Complex128 {
    log(z) / LN_2
}

pub fn log10(z: Complex128) -> Complex128 {
    log(z) / LN_10
}

/// `sin(πz) / (πz)`, and 1 at 0.
pub fn sinc(z: Complex128) -> Complex128 {
    let angle = z * PI;
    if angle == Complex::ZERO { Complex::new(1.0, 0.0) } else { sin(angle) / angle }
}

/// `log(exp(z) + exp(w))` without overflow: that of the larger real part is taken out.
pub fn logaddexp(z: Complex128, w: Complex128) -> Complex128 {
    if z.is_nan() || w.is_nan() {
        return Complex::new(f64::NAN, f64::NAN);
    }
    let (low, high) = if z.re < w.re { (z, w) } else { (w, z) };
    if !low.re.is_finite() && low.re == high.re {
        // Two equal infinities have no difference.
        return if low.re < 0.0 { low } else { log(exp(low) + exp(high)) };
    }
    log1p(exp(low - high)) + high
}

/// The principal value `exp(exponent log z)`; 0 to a power with a positive real part is 0, any number to 0 is 1.
pub fn power(z: Complex128, exponent: Complex128) -> Complex128 {
    if exponent == Complex::ZERO {
        return Complex::new(1.0, 0.0);
    }
    if z == Complex::ZERO {
        return match exponent {
            e if e.re > 0.0 => Complex::ZERO,
            e if e.re < 0.0 && e.im == 0.0 => Complex::new(f64::INFINITY, f64::NAN),
            _ => Complex::new(f64::NAN, f64::NAN),
        };
    }
    exp(exponent * log(z))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: Complex128, expected: Complex128) {
        assert!((found - expected).norm() <= 1e-13 * expected.norm().max(1.0), "{found} is not {expected}");
    }

    #[test]
    fn functions_agree_with_their_inverses_and_with_each_other() {
        for re in [-3.0, -0.7, 0.0, 1e-9, 0.4, 2.5] {
            for im in [-1.4, -1e-8, 0.3, 1.5] {
                let z = Complex::new(re, im);
                assert_near(log(exp(z)), z);
                assert_near(sqrt(z) * sqrt(z), z);
                assert_near(log1p(expm1(z)), z);
                assert_near(tanh(z), sinh(z) / cosh(z));
                assert_near(tan(z), sin(z) / cos(z));
                assert_near(sin(asin(z)), z);
                assert_near(cos(acos(z)), z);
                assert_near(tan(atan(z)), z);
                assert_near(sinh(asinh(z)), z);
                assert_near(cosh(acosh(z)), z);
                assert_near(tanh(atanh(z)), z);
                assert_near(exp2(log2(z)), z);
                assert_near(exp(logaddexp(z, -z)), exp(z) + exp(-z));
                assert_near(sin(z) * sin(z) + cos(z) * cos(z), Complex::new(1.0, 0.0));
                assert_near(power(z, Complex::new(3.0, 0.0)), z * z * z);
            }
        }
    }

    #[test]
    fn large_arguments_do_not_overflow() {
        assert_eq!(tanh(Complex::new(1000.0, 1.0)).re, 1.0);
        assert_eq!(tan(Complex::new(1.0, -800.0)).im, -1.0);
        assert_eq!(exp(Complex::new(f64::NEG_INFINITY, 3.0)), Complex::ZERO);
        assert_eq!(exp(Complex::new(1000.0, 0.0)), Complex::new(f64::INFINITY, 0.0));
    }
}
