//! Linear maps along the last dimensions of a tensor, each given by a word and a few numbers for each dimension.
//!
//! Resizing, average pooling, padding and unfolding are made of them; see Note: Tables in `kernels/resample.rs`.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::resample::{Table, resample as run};
use crate::ops::complex::by_parts;
use crate::ops::views::ints;
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

/// The table of `map` from `size` to `results` elements.
///
/// | map | numbers |
/// | --- | --- |
/// | `nearest`, `nearest-exact` | scale |
/// | `linear`, `cubic`, both and `lanczos` with `-antialias` | scale, whether corners are aligned |
/// | `average` | kernel, stride, padding, whether padding counts, divisor (0 for the number of elements) |
/// | `adaptive` | none |
/// | `reflect`, `replicate`, `circular` | padding before |
/// | `windows` | kernel, stride, padding, dilation |
fn table(map: &str, size: usize, results: usize, numbers: &[f64]) -> Result<Table> {
    let number = |i: usize| numbers.get(i).copied().unwrap_or(0.0);
    let (n, last) = (size as i64, size as i64 - 1);
    let single =
        |place: &dyn Fn(i64) -> i64| Table::new(size, results, |i, taps| taps.push((place(i as i64) as usize, 1.0)));
    let first = number(0) as i64;
    Ok(match map {
        "nearest" => {
            let scale = number(0) as f32;
            single(&|i| ((i as f32 * scale).floor() as i64).min(last))
        }
        "nearest-exact" => {
            let scale = number(0) as f32;
            single(&|i| (((i as f32 + 0.5) * scale).floor() as i64).min(last))
        }
        "reflect" => single(&|i| {
            let at = (i - first).abs();
            if at > last { 2 * last - at } else { at }
        }),
        "replicate" => single(&|i| (i - first).clamp(0, last)),
        "circular" => single(&|i| (i - first).rem_euclid(n)),
        "adaptive" => Table::new(size, results, |i, taps| {
            let (start, end) = (i * size / results, ((i + 1) * size).div_ceil(results));
            taps.extend((start..end).map(|at| (at, 1.0 / (end - start) as f64)));
        }),
        "average" => {
            let (kernel, stride, padding) = (first, number(1) as i64, number(2) as i64);
            Table::new(size, results, |i, taps| {
                let start = i as i64 * stride - padding;
                let end = (start + kernel).min(n + padding);
                let (low, high) = (start.max(0), end.min(n));
                let count = match (number(4), number(3)) {
                    (0.0, 0.0) => (high - low) as f64,
                    (0.0, _) => (end - start) as f64,
                    (divisor, _) => divisor,
                };
                taps.extend((low..high).map(|at| (at as usize, 1.0 / count)));
            })
        }
        "windows" => {
            let (kernel, stride, padding, dilation) = (first, number(1) as i64, number(2) as i64, number(3) as i64);
            let windows = results as i64 / kernel.max(1);
            Table::new(size, results, |i, taps| {
                let at = i as i64 / windows * dilation + i as i64 % windows * stride - padding;
                if (0..n).contains(&at) {
                    taps.push((at as usize, 1.0));
                }
            })
        }
        "linear" => Table::new(size, results, |i, taps| {
            let at =
                if number(1) == 0.0 { ((i as f64 + 0.5) * number(0) - 0.5).max(0.0) } else { i as f64 * number(0) };
            let low = (at as usize).min(size - 1);
            let share = (at - low as f64).clamp(0.0, 1.0);
            taps.push((low, 1.0 - share));
            taps.push(((low + 1).min(size - 1), share));
        }),
        "cubic" => Table::new(size, results, |i, taps| {
            let at = if number(1) == 0.0 { (i as f64 + 0.5) * number(0) - 0.5 } else { i as f64 * number(0) };
            let low = at.floor();
            for step in -1..=2 {
                let place = (low as i64 + step).clamp(0, last) as usize;
                taps.push((place, cubic(at - low - step as f64, -0.75)));
            }
        }),
        "linear-antialias" | "cubic-antialias" | "lanczos-antialias" => {
            let (reach, filter): (f64, fn(f64) -> f64) = match map {
                "linear-antialias" => (1.0, |x| (1.0 - x.abs()).max(0.0)),
                "cubic-antialias" => (2.0, |x| cubic(x, -0.5)),
                _ => (3.0, |x| if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }),
            };
            let scale = number(0);
            let support = reach * scale.max(1.0);
            Table::new(size, results, |i, taps| {
                let center = scale * (i as f64 + 0.5);
                let low = ((center - support + 0.5) as i64).max(0);
                let high = ((center + support + 0.5) as i64).min(n);
                let weight = |at: i64| filter((at as f64 - center + 0.5) / scale.max(1.0));
                let total: f64 = (low..high).map(weight).sum();
                taps.extend((low..high).map(|at| (at as usize, weight(at) / total)));
            })
        }
        other => bail!(Value, "there is no linear map called {other}"),
    })
}

/// The kernel of cubic convolution (R. Keys, 1981) at distance `x`.
fn cubic(x: f64, a: f64) -> f64 {
    match x.abs() {
        x if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * a,
        _ => 0.0,
    }
}

/// `sin(πx) / (πx)`.
fn sinc(x: f64) -> f64 {
    let angle = std::f64::consts::PI * x;
    if x == 0.0 { 1.0 } else { angle.sin() / angle }
}

/// Tables for the last dimensions, from those of the sizes `from` to those of the sizes `to`.
fn tables(map: &str, from: &[usize], to: &[usize], numbers: &[f64]) -> Result<Vec<Table>> {
    let each = if to.is_empty() { 0 } else { numbers.len() / to.len() };
    let lead = from.len() - to.len();
    (0..to.len()).map(|d| table(map, from[lead + d], to[d], &numbers[d * each..(d + 1) * each])).collect()
}

/// Applies tables to the last dimensions.
fn mapped(input: &Tensor, tables: &[Table]) -> Result<Tensor> {
    if input.dtype().is_complex() {
        return by_parts(input, |part| mapped(part, tables));
    }
    if input.dtype() == DType::Bool {
        return mapped(&input.cast(DType::Int32)?, tables)?.cast(DType::Bool);
    }
    let input = input.to_contiguous()?;
    let sizes = input.sizes();
    let lead = sizes.len() - tables.len();
    let to: Dims = sizes[..lead].iter().copied().chain(tables.iter().map(Table::results)).collect();
    let out = Tensor::empty(&to, input.dtype())?;
    if out.numel() == 0 || input.numel() == 0 {
        crate::kernels::fill::fill(&out.data(), 0i64.into());
        return Ok(out);
    }
    with_element!(input.dtype(), real T => {
        let (x, sink) = (input.data().pointer(), out.data().pointer());
        // SAFETY: two row-major tensors of the sizes of the tables, of which the last is new.
        unsafe { run::<T>(&sizes, tables, x.cast(), sink.cast()) }
    }, else bail!(NotImplemented, "not implemented for {}", input.dtype()));
    Ok(out)
}

/// The value of a map whose results have the sizes `size`.
pub fn resampled(input: &Tensor, map: &str, size: &[i64], numbers: &[f64]) -> Result<Tensor> {
    mapped(input, &tables(map, &input.sizes(), &shape::checked_sizes(size)?, numbers)?)
}

op! {
    /// The linear map of a given name, along as many of the last dimensions as there are sizes of the result.
    fn resample as "_resample" (input: Tensor, map: String, size: Ints, numbers: Vec<f64>) -> Tensor;
    value { resampled(input, map, size, numbers) }
    derivative "ResampleBackward0" Linear {
        input(g, map, size, numbers, ctx) => {
            resample_backward(g, map, &last(&ctx.sizes_of(0)?, size.len()), numbers)
        };
    }
}

op! {
    /// The gradient of a linear map whose input has the given sizes.
    fn resample_backward as "_resample_backward" (gradient: Tensor, map: String, size: Ints, numbers: Vec<f64>) -> Tensor;
    value {
        let (sizes, size) = (gradient.sizes(), shape::checked_sizes(size)?);
        let forward = tables(map, &size, &sizes[sizes.len() - size.len()..], numbers)?;
        mapped(gradient, &forward.iter().map(Table::transposed).collect::<Vec<_>>())
    }
    derivative "ResampleBackwardBackward0" Linear {
        gradient(g, map, size, numbers, ctx) => {
            resample(g, map, &last(&ctx.sizes_of(0)?, size.len()), numbers)
        };
    }
}

/// The last `count` sizes.
pub fn last(sizes: &[usize], count: usize) -> Ints {
    ints(&sizes[sizes.len() - count..])
}
