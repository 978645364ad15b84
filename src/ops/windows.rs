//! Windows for signals: numbers that rise from an end and fall to the other.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::promotion::default_float;
use crate::tensor::Tensor;
use crate::{bail, with_element};

/// A window of `length` numbers, `shape` of the place from 0 to 1. A `periodic` one is one period of a sequence, whose
/// last number, equal to the first, is left out.
pub fn window(
    name: &str,
    length: i64,
    periodic: bool,
    dtype: Option<DType>,
    shape: impl Fn(f64) -> f64,
) -> Result<Tensor> {
    let dtype = dtype.unwrap_or_else(default_float);
    if !dtype.is_float() {
        bail!(Runtime, "{name}: a floating point dtype is needed, got {dtype}");
    }
    let Ok(count) = usize::try_from(length) else {
        bail!(Runtime, "{name}: the length must not be negative, got {length}");
    };
    if count == 1 {
        return Tensor::full(&[1], 1i64.into(), dtype);
    }
    let last = if periodic { count } else { count.saturating_sub(1) } as f64;
    with_element!(dtype, T => {
        let values: Vec<T> = (0..count).map(|i| T::from_f64(shape(i as f64 / last))).collect();
        Tensor::from_slice(&values, &[count])
    })
}

/// A sum of cosines of whole periods with the given weights, whose signs alternate.
pub fn cosines<const N: usize>(weights: [f64; N]) -> impl Fn(f64) -> f64 {
    move |at| {
        let term = |(k, weight): (usize, &f64)| {
            let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
            sign * weight * (std::f64::consts::TAU * k as f64 * at).cos()
        };
        weights.iter().enumerate().map(term).sum()
    }
}

/// A triangle.
pub fn triangle(at: f64) -> f64 {
    1.0 - (2.0 * at - 1.0).abs()
}

/// Kaiser's window, which has the most of its energy in the main lobe that `beta` allows.
pub fn kaiser(beta: f64) -> impl Fn(f64) -> f64 {
    move |at| {
        let off = 2.0 * at - 1.0;
        bessel(beta * (1.0 - off * off).max(0.0).sqrt()) / bessel(beta)
    }
}

/// The modified Bessel function of the first kind of order 0, by its power series.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut total, mut k) = (1.0, 1.0, 1.0);
    while term > total * f64::EPSILON / 4.0 {
        term *= quarter / (k * k);
        total += term;
        k += 1.0;
    }
    total
}
