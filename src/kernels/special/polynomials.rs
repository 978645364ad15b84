//! Orthogonal polynomials by their recurrences (M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions",
//! table 22.7). The degree is a float whose fraction is cut off; a negative degree gives 0, and one that would take
//! forever gives NaN.

/// More steps than anybody waits for.
const TOO_MANY: i64 = 1 << 24;

/// `p0`, `p1`, and then `p(k+1) = next(k, p(k), p(k-1))`.
#[inline]
fn recurrence(n: f64, p0: f64, p1: f64, next: impl Fn(f64, f64, f64) -> f64) -> f64 {
    let degree = n as i64;
    match degree {
        ..0 => 0.0,
        0 => p0,
        TOO_MANY.. => f64::NAN,
        _ => {
            let (mut before, mut now) = (p0, p1);
            for k in 1..degree {
                (before, now) = (now, next(k as f64, now, before));
                if now.is_nan() {
                    break;
                }
            }
            now
        }
    }
}

fn is_odd(n: f64) -> bool {
    n as i64 % 2 != 0
}

/// Of the first kind, `cos(n acos x)`.
pub fn chebyshev_t(x: f64, n: f64) -> f64 {
    if n as i64 > 6 && x.abs() < 1.0 {
        return ((n as i64) as f64 * x.acos()).cos();
    }
    if x.abs() == 1.0 && n as i64 >= 0 {
        return if x < 0.0 && is_odd(n) { -1.0 } else { 1.0 };
    }
    recurrence(n, 1.0, x, |_, p, q| 2.0 * x * p - q)
}

/// Of the second kind, `sin((n + 1) acos x) / sin(acos x)`.
pub fn chebyshev_u(x: f64, n: f64) -> f64 {
    let degree = (n as i64) as f64;
    if degree >= 0.0 && x.abs() == 1.0 {
        return if x < 0.0 && is_odd(n) { -(degree + 1.0) } else { degree + 1.0 };
    }
    if degree > 8.0 && x.abs() < 1.0 {
        let angle = x.acos();
        if angle.sin() != 0.0 {
            return ((degree + 1.0) * angle).sin() / angle.sin();
        }
    }
    recurrence(n, 1.0, 2.0 * x, |_, p, q| 2.0 * x * p - q)
}

/// Of the third kind, `cos((n + ½) acos x) / cos(½ acos x)`.
pub fn chebyshev_v(x: f64, n: f64) -> f64 {
    let degree = (n as i64) as f64;
    if degree >= 0.0 && x.abs() == 1.0 {
        return match (x > 0.0, is_odd(n)) {
            (true, _) => 1.0,
            (false, true) => -(2.0 * degree + 1.0),
            (false, false) => 2.0 * degree + 1.0,
        };
    }
    if degree > 8.0 && x.abs() < 1.0 {
        let angle = x.acos();
        if (angle / 2.0).cos() != 1.0 {
            return ((degree + 0.5) * angle).cos() / (angle / 2.0).cos();
        }
    }
    recurrence(n, 1.0, 2.0 * x - 1.0, |_, p, q| 2.0 * x * p - q)
}

/// Of the fourth kind, `sin((n + ½) acos x) / sin(½ acos x)`.
pub fn chebyshev_w(x: f64, n: f64) -> f64 {
    let degree = (n as i64) as f64;
    if degree >= 0.0 && x.abs() == 1.0 {
        return match (x > 0.0, is_odd(n)) {
            (true, _) => 2.0 * degree + 1.0,
            (false, true) => -1.0,
            (false, false) => 1.0,
        };
    }
    if degree > 8.0 && x.abs() < 1.0 {
        let angle = x.acos();
        if (angle / 2.0).sin() != 0.0 {
            return ((degree + 0.5) * angle).sin() / (angle / 2.0).sin();
        }
    }
    recurrence(n, 1.0, 2.0 * x + 1.0, |_, p, q| 2.0 * x * p - q)
}

/// The polynomials for the interval from 0 to 1 are those for -1 to 1 at `2x - 1`.
pub fn shifted_chebyshev_t(x: f64, n: f64) -> f64 {
    chebyshev_t(2.0 * x - 1.0, n)
}

pub fn shifted_chebyshev_u(x: f64, n: f64) -> f64 {
    chebyshev_u(2.0 * x - 1.0, n)
}

pub fn shifted_chebyshev_v(x: f64, n: f64) -> f64 {
    chebyshev_v(2.0 * x - 1.0, n)
}

pub fn shifted_chebyshev_w(x: f64, n: f64) -> f64 {
    chebyshev_w(2.0 * x - 1.0, n)
}

/// The physicists' polynomials, for the weight `exp(-x²)`.
pub fn hermite_h(x: f64, n: f64) -> f64 {
    recurrence(n, 1.0, 2.0 * x, |k, p, q| 2.0 * x * p - 2.0 * k * q)
}

/// The probabilists' polynomials, for the weight `exp(-x²/2)`.
pub fn hermite_he(x: f64, n: f64) -> f64 {
    recurrence(n, 1.0, x, |k, p, q| x * p - k * q)
}

pub fn laguerre_l(x: f64, n: f64) -> f64 {
    if x == 0.0 && n as i64 >= 0 {
        return 1.0;
    }
    recurrence(n, 1.0, 1.0 - x, |k, p, q| ((2.0 * k + 1.0 - x) * p - k * q) / (k + 1.0))
}

pub fn legendre_p(x: f64, n: f64) -> f64 {
    if x.abs() == 1.0 && n as i64 >= 0 {
        return if x < 0.0 && is_odd(n) { -1.0 } else { 1.0 };
    }
    recurrence(n, 1.0, x, |k, p, q| ((2.0 * k + 1.0) * x * p - k * q) / (k + 1.0))
}
