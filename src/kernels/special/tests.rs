//! Each function against what defines it: an integral, a differential equation, a recurrence, an inverse.

use super::*;

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected || (found - expected).abs() <= tolerance * expected.abs().max(1e-300)
}

fn sweep(from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..=2000).map(move |i| from + (to - from) * f64::from(i) / 2000.0)
}

/// `I0 K1 + I1 K0 = 1/x`: the Wronskian ties all four together, and both series where they meet.
#[test]
fn modified_bessel_functions_have_their_wronskian() {
    for x in sweep(0.01, 40.0) {
        let found = i0e(x) * k1e(x) + i1e(x) * k0e(x);
        assert!(near(found, 1.0 / x, 1e-14), "{x}: {found}");
    }
}

/// `ψ(x + 1) = ψ(x) + 1/x`, and the same for its derivatives.
#[test]
fn polygamma_functions_have_their_recurrences() {
    for x in sweep(0.1, 30.0) {
        assert!((digamma(x + 1.0) - digamma(x) - 1.0 / x).abs() < 1e-14 * (1.0 + 1.0 / x), "{x}");
        for n in [1.0, 2.0, 5.0] {
            let step = if n % 2.0 == 0.0 { 1.0 } else { -1.0 } * libm::tgamma(n + 1.0) * x.powf(-n - 1.0);
            let (found, expected) = (polygamma(n, x + 1.0), polygamma(n, x) + step);
            assert!((found - expected).abs() < 1e-13 * (polygamma(n, x).abs()), "{n}, {x}: {found}, {expected}");
        }
    }
}

/// `P(a + 1, x) = P(a, x) - x^a exp(-x) / Γ(a + 1)` and `P + Q = 1`.
#[test]
fn incomplete_gamma_functions_have_their_recurrence() {
    for a in [0.1, 0.9, 1.0, 3.5, 20.0, 100.0] {
        for x in sweep(0.01, 150.0) {
            let density = (a * x.ln() - x - lgamma(a + 1.0)).exp();
            assert!((gammainc(a, x) - gammainc(a + 1.0, x) - density).abs() < 1e-13, "{a}, {x}");
            assert!((gammainc(a, x) + gammaincc(a, x) - 1.0).abs() < 1e-15, "{a}, {x}");
        }
    }
}

#[test]
fn inverses_of_the_normal_distribution_are_inverses() {
    for x in sweep(-0.999, 0.999) {
        assert!(near(erf(erfinv(x)), x, 1e-15), "{x}");
        let p = 0.5 * (x + 1.0);
        assert!(near(0.5 * erfc(-ndtri(p) * std::f64::consts::FRAC_1_SQRT_2), p, 1e-14), "{p}");
    }
    for x in sweep(-5.0, 5.0) {
        assert!(near(erfcx(x) * (-x * x).exp(), erfc(x), 1e-13), "{x}");
        // By the smaller of both tails, as the logarithm of nearly 1 has few digits.
        let tail = 0.5 * erfc(x.abs() * std::f64::consts::FRAC_1_SQRT_2);
        let expected = if x < 0.0 { tail.ln() } else { (-tail).ln_1p() };
        assert!(near(log_ndtr(x), expected, 1e-12), "{x}");
    }
}

/// `Ai'' = x Ai`, by differences of fourth order.
#[test]
fn the_airy_function_solves_its_equation() {
    let h = 1e-2;
    for x in sweep(-8.0, 6.0) {
        let at = |k: f64| airy_ai(x + k * h);
        let second = (-at(2.0) + 16.0 * at(1.0) - 30.0 * at(0.0) + 16.0 * at(-1.0) - at(-2.0)) / (12.0 * h * h);
        assert!((second - x * airy_ai(x)).abs() < 1e-5 * (1.0 + x.abs()), "{x}");
    }
    assert!(near(airy_ai(FAR_PAIR.0), FAR_PAIR.1, 1e-14) && near(airy_ai(-FAR_PAIR.0), FAR_PAIR.2, 1e-14));
}

/// Ai at 2 and -2: M. Abramowitz and I. A. Stegun, table 10.11, with more digits.
const FAR_PAIR: (f64, f64, f64) = (2.0, 0.034_924_130_423_274_38, 0.227_407_428_201_685_57);

/// `cos(n t)` and its kin, where the recurrence is used and where the angle is.
#[test]
fn chebyshev_polynomials_are_cosines() {
    for x in sweep(-0.99, 0.99) {
        for n in 0..12 {
            let (n, t) = (f64::from(n), x.acos());
            assert!((chebyshev_t(x, n) - (n * t).cos()).abs() < 1e-12);
            assert!((chebyshev_u(x, n) - ((n + 1.0) * t).sin() / t.sin()).abs() < 1e-10);
            assert!((chebyshev_v(x, n) - ((n + 0.5) * t).cos() / (t / 2.0).cos()).abs() < 1e-10);
            assert!((chebyshev_w(x, n) - ((n + 0.5) * t).sin() / (t / 2.0).sin()).abs() < 1e-10);
        }
    }
}
