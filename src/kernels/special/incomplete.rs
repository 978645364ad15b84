//! The regularized incomplete gamma functions.
//!
//! The power series below `x = a + 1` (and where x is small), the continued fraction above (M. Abramowitz and I. A.
//! Stegun, "Handbook of Mathematical Functions", 6.5.29 and 6.5.31), both times `x^a exp(-x) / Γ(a + 1)`, which is
//! computed without cancellation as C. Loader does in "Fast and accurate computation of binomial probabilities", 2000.

use std::f64::consts::PI;

/// Enough for a of 10¹².
const MOST_STEPS: usize = 20_000_000;

/// `P(a, x)`, the lower one.
pub fn gammainc(a: f64, x: f64) -> f64 {
    match limit(a, x) {
        Some(lower) => lower,
        None if x < a + 1.0 => lower_series(a, x),
        None => 1.0 - upper_fraction(a, x),
    }
}

/// `Q(a, x) = 1 - P(a, x)`, the upper one.
pub fn gammaincc(a: f64, x: f64) -> f64 {
    match limit(a, x) {
        Some(lower) => 1.0 - lower,
        None if x < a + 1.0 && x < 1.1 => upper_series(a, x),
        None if x < a + 1.0 => 1.0 - lower_series(a, x),
        None => upper_fraction(a, x),
    }
}

/// `P` where it is a limit.
fn limit(a: f64, x: f64) -> Option<f64> {
    if a.is_nan() || x.is_nan() || a < 0.0 || x < 0.0 {
        return Some(f64::NAN);
    }
    match () {
        () if a == 0.0 => Some(if x > 0.0 { 1.0 } else { f64::NAN }),
        () if x == 0.0 => Some(0.0),
        () if a.is_infinite() => Some(if x.is_infinite() { f64::NAN } else { 0.0 }),
        () if x.is_infinite() => Some(1.0),
        () => None,
    }
}

/// `x^a exp(-x) / Γ(a + 1)`.
fn density(a: f64, x: f64) -> f64 {
    if a < 1.0 {
        return (a * x.ln() - x - libm::lgamma(a + 1.0)).exp();
    }
    (-stirling_error(a) - deviance(a, x)).exp() / (2.0 * PI * a).sqrt()
}

/// `log(Γ(a + 1)) - log(√(2πa) (a/e)^a)`.
fn stirling_error(a: f64) -> f64 {
    if a < 15.0 {
        return libm::lgamma(a + 1.0) - (a + 0.5) * a.ln() + a - 0.5 * (2.0 * PI).ln();
    }
    const SERIES: [f64; 7] =
        [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
    super::power_sum(&SERIES, 1.0 / (a * a)) / a
}

/// `a log(a / x) + x - a`.
fn deviance(a: f64, x: f64) -> f64 {
    let v = (a - x) / (a + x);
    if v.abs() >= 0.1 {
        return a * (a / x).ln() + x - a;
    }
    // log(a / x) = 2 (v + v³/3 + …), and v (a + x) = a - x.
    let (mut sum, mut power) = ((a - x) * v, 2.0 * a * v);
    for i in 1..200 {
        power *= v * v;
        let next = sum + power / f64::from(2 * i + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

fn lower_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut n) = (1.0, 1.0, a);
    for _ in 0..MOST_STEPS {
        n += 1.0;
        term *= x / n;
        sum += term;
        if term <= 1e-17 * sum {
            break;
        }
    }
    density(a, x) * sum
}

/// `1 - x^a / Γ(a + 1) (1 + a Σ (-x)^k / (k! (a + k)))` for small x, so that nothing near 1 is taken from 1.
fn upper_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term) = (0.0, 1.0);
    for k in 1..200 {
        let k = f64::from(k);
        term *= -x / k;
        let part = term / (a + k);
        sum += part;
        if part.abs() <= 1e-17 * f64::abs(sum) {
            break;
        }
    }
    let log = a * x.ln() - libm::lgamma(a + 1.0);
    -log.exp_m1() - log.exp() * a * sum
}

/// By the method of W. J. Lentz, "Generating Bessel functions in Mie scattering calculations", 1976.
fn upper_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / TINY, 1.0 / away(b));
    let mut fraction = d;
    for i in 1..MOST_STEPS {
        let i = i as f64;
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / away(numerator * d + b);
        c = away(b + numerator / c);
        let change = c * d;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    density(a, x) * a * fraction
}
