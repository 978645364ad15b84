//! The derivatives of the logarithm of the gamma function, and the zeta function that they are made of.

use std::f64::consts::PI;

/// Bernoulli numbers `B₂`, `B₄`, …
const BERNOULLI: [f64; 12] = [
    1.0 / 6.0,
    -1.0 / 30.0,
    1.0 / 42.0,
    -1.0 / 30.0,
    5.0 / 66.0,
    -691.0 / 2730.0,
    7.0 / 6.0,
    -3617.0 / 510.0,
    43867.0 / 798.0,
    -174611.0 / 330.0,
    854513.0 / 138.0,
    -236364091.0 / 2730.0,
];

/// The root of `digamma` in two parts.
const ROOT: (f64, f64) = (1.461_632_144_968_362_2, 9.549_995_429_965_697e-17);

/// The derivative of `lgamma`: reflection, recurrence up to 10, and the asymptotic series (M. Abramowitz and I. A.
/// Stegun, "Handbook of Mathematical Functions", 6.3); near its root, its Taylor series.
///
/// Infinite at 0, with the opposite of its sign; NaN at the negative integers.
pub fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x < 0.0 {
        // The fraction first: the tangent of a large multiple of π has lost its digits.
        let fraction = x - x.trunc();
        return if fraction == 0.0 { f64::NAN } else { digamma(1.0 - x) - PI / (PI * fraction).tan() };
    }
    if (x - ROOT.0).abs() < 0.02 {
        return near_root(x);
    }
    let (mut x, mut below) = (x, 0.0);
    while x < 10.0 {
        below += 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let mut series = 0.0;
    if x < 1e17 {
        for (k, b) in BERNOULLI[..8].iter().enumerate().rev() {
            series = series * square + b / (2.0 * (k + 1) as f64);
        }
    }
    x.ln() - 0.5 / x - series * square - below
}

/// The terms of `(-1)^(n+1) zeta(n + 1, root) (x - root)^n`: the sum loses digits everywhere else.
fn near_root(x: f64) -> f64 {
    let h = (x - ROOT.0) - ROOT.1;
    let (mut sum, mut power) = (0.0, h);
    for n in 1..12 {
        sum += power * zeta(f64::from(n + 1), ROOT.0);
        power *= -h;
    }
    sum
}

/// The n-th derivative of `digamma`.
pub fn polygamma(n: f64, x: f64) -> f64 {
    if n == 0.0 {
        return digamma(x);
    }
    if n == 1.0 && x < 0.5 {
        // Reflection: the zeta function is not defined where -x is an integer, the trigamma function infinite.
        let sine = (PI * (x - x.trunc())).sin();
        return PI * PI / (sine * sine) - polygamma(1.0, 1.0 - x);
    }
    let sign = if n % 2.0 == 0.0 { -1.0 } else { 1.0 };
    sign * libm::tgamma(n + 1.0) * zeta(n + 1.0, x)
}

/// The zeta function of A. Hurwitz, the sum of `(q + k)^-s` over k from 0 on: the first terms, and the
/// Euler-Maclaurin formula for the rest (F. Johansson, "Rigorous high-precision computation of the Hurwitz zeta
/// function", 2015).
pub fn zeta(s: f64, q: f64) -> f64 {
    if s == 1.0 {
        return f64::INFINITY;
    }
    if s.is_nan() || q.is_nan() || s < 1.0 {
        return f64::NAN;
    }
    if q <= 0.0 {
        if q == q.floor() {
            return f64::INFINITY;
        }
        // A power of a negative number.
        if s != s.floor() {
            return f64::NAN;
        }
    }
    let (mut a, mut sum) = (q, 0.0);
    for terms in 0.. {
        if terms >= 10 && a > 10.0 {
            break;
        }
        let term = a.powf(-s);
        sum += term;
        // What follows is smaller, and the series converges.
        if a > 1.0 && term.abs() < 1e-17 * sum.abs() {
            return sum;
        }
        a += 1.0;
    }
    let power = a.powf(-s);
    if power == 0.0 {
        return sum;
    }
    sum += power * a / (s - 1.0) + 0.5 * power;
    // s (s + 1) … (s + 2k - 2) / (2k)! B_2k a^(-s - 2k + 1)
    let (mut factor, mut k) = (power * s / (2.0 * a), 1.0);
    for b in BERNOULLI {
        let term = factor * b;
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
        let i = 2.0 * k;
        factor *= (s + i - 1.0) * (s + i) / ((i + 1.0) * (i + 2.0) * a * a);
        k += 1.0;
    }
    sum
}
