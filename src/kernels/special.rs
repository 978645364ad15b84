//! The special functions of one f64, computed where a loop over elements calls them; f32 goes by way of f64.
//!
//! `erf`, `erfc`, the logarithm of the gamma function and the Bessel functions of the first and second kind are those
//! of the crate `libm`; what it does not have is in the modules here, each of which names its method. Coefficients
//! without another source are Chebyshev interpolants of 40 digits, cut off where they no longer count.

mod airy;
mod bessel;
mod gamma;
mod incomplete;
mod normal;
mod polynomials;
#[cfg(test)]
mod tests;

pub use airy::airy_ai;
pub use bessel::{bessel_j0, bessel_j1, bessel_y0, bessel_y1, i0, i0e, i1, i1e, k0, k0e, k1, k1e, spherical_j0};
pub use gamma::{digamma, polygamma, zeta};
pub use incomplete::{gammainc, gammaincc};
pub use libm::{erf, erfc, lgamma};
pub use normal::{erfcx, erfinv, log_ndtr, ndtri};
pub use polynomials::{
    chebyshev_t, chebyshev_u, chebyshev_v, chebyshev_w, hermite_h, hermite_he, laguerre_l, legendre_p,
    shifted_chebyshev_t, shifted_chebyshev_u, shifted_chebyshev_v, shifted_chebyshev_w,
};

/// `c[0] + c[1] T1(t) + c[2] T2(t) + …` for t from -1 to 1: C. W. Clenshaw, "A note on the summation of Chebyshev
/// series", 1955.
fn chebyshev_sum(coefficients: &[f64], t: f64) -> f64 {
    let (mut now, mut before) = (0.0, 0.0);
    for &c in coefficients[1..].iter().rev() {
        (now, before) = (2.0 * t * now - before + c, now);
    }
    t * now - before + coefficients[0]
}

/// `c[0] + c[1] x + c[2] x² + …` by Horner's rule.
fn power_sum(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, &c| sum * x + c)
}
