//! New tensors: ranges, the identity, random numbers. Nothing here has a derivative.

use std::sync::Mutex;

use crate::bail;
use crate::dtype::{DType, Element};
use crate::error;
use crate::error::Result;
use crate::promotion::{default_complex, default_float};
use crate::random::Generator;
use crate::scalar::Scalar;
use crate::shape::Dims;
use crate::tensor::Tensor;
use crate::with_element;

/// `start`, `start + step`, … below `end`. All integers give int64 unless a type is asked for.
pub fn arange(start: Scalar, end: Scalar, step: Scalar, dtype: Option<DType>) -> Result<Tensor> {
    let float = [start, end, step].iter().any(|number| matches!(number, Scalar::Float(_)));
    if [start, end, step].iter().any(|number| number.is_complex()) {
        bail!(Runtime, "arange: complex numbers have no order, the bounds have to be real");
    }
    let dtype = dtype.unwrap_or(if float { default_float() } else { DType::Int64 });
    if dtype == DType::Bool || dtype.is_complex() || dtype.is_lone_unsigned() {
        return Err(unsupported("arange", dtype));
    }
    let (from, to, by) = (start.to_f64(), end.to_f64(), step.to_f64());
    if by == 0.0 || by.is_nan() {
        bail!(Runtime, "arange: the step must not be 0");
    }
    if !from.is_finite() || !to.is_finite() {
        bail!(Runtime, "arange: the bounds have to be finite, got {from} and {to}");
    }
    if (by > 0.0 && from > to) || (by < 0.0 && from < to) {
        bail!(Runtime, "arange: a step of {by} does not lead from {from} to {to}");
    }
    let count = if float || dtype.is_float() {
        ((to - from) / by).ceil()
    } else {
        let (from, to, by) = (i128::from(start.to_i64()), i128::from(end.to_i64()), i128::from(step.to_i64()));
        let distance = if by > 0 { to - from } else { from - to };
        ((distance + by.abs() - 1) / by.abs()) as f64
    };
    if count > isize::MAX as f64 {
        bail!(Runtime, "arange: {count} numbers are more than can be counted");
    }
    let tensor = Tensor::empty(&[count as usize], dtype)?;
    with_element!(dtype, T => {
        let pointer = tensor.data().pointer().cast::<T>();
        for i in 0..count as usize {
            let value = if dtype.is_float() {
                T::from_f64(from + i as f64 * by)
            } else if float {
                T::from_i64((from as i64).wrapping_add(i as i64 * by as i64))
            } else {
                T::from_i64(start.to_i64().wrapping_add((i as i64).wrapping_mul(step.to_i64())))
            };
            // SAFETY: the fresh tensor has `count` elements.
            unsafe { pointer.add(i).write(value) };
        }
    });
    Ok(tensor)
}

/// `steps` numbers evenly from `start` to `end`, both included.
///
/// The second half is counted back from the end, so that both ends are exact.
pub fn linspace(start: Scalar, end: Scalar, steps: usize, dtype: Option<DType>) -> Result<Tensor> {
    let complex = start.is_complex() || end.is_complex();
    let dtype = dtype.unwrap_or_else(|| if complex { default_complex() } else { default_float() });
    if dtype == DType::Bool || dtype.is_lone_unsigned() {
        return Err(unsupported("linspace", dtype));
    }
    if complex && !dtype.is_complex() {
        bail!(Runtime, "linspace: numbers from {start} to {end} do not fit {dtype}");
    }
    let tensor = Tensor::empty(&[steps], dtype)?;
    if dtype.is_complex() {
        let (start, end) = (start.to_complex(), end.to_complex());
        for (nth, (start, end)) in [(start.re, end.re), (start.im, end.im)].into_iter().enumerate() {
            let line = linspace(start.into(), end.into(), steps, Some(dtype.real()))?;
            let part = crate::ops::complex::part(&tensor.data(), nth);
            crate::kernels::copy::copy(&part, &line.data());
        }
        return Ok(tensor);
    }
    let (start, end) = (start.to_f64(), end.to_f64());
    let pieces = steps.saturating_sub(1).max(1);
    with_element!(dtype, T => {
        let pointer = tensor.data().pointer().cast::<T>();
        for i in 0..steps {
            let value = if dtype == DType::Float32 {
                // In single precision throughout, as PyTorch computes it.
                let (start, end) = (start as f32, end as f32);
                let step = (end - start) / pieces as f32;
                let value = if i < steps.div_ceil(2) && i < steps / 2 || steps == 1 {
                    step.mul_add(i as f32, start)
                } else {
                    (-step).mul_add((steps - i - 1) as f32, end)
                };
                T::from_f64(f64::from(value))
            } else {
                // Of 16-bit floats the ends and the step are rounded before they are used.
                let narrow = dtype.is_float() && dtype.is_narrow();
                let own = |x: f64| if narrow { T::from_f64(x).to_f64() } else { x };
                let (start, end) = (own(start), own(end));
                let step = own(own(end - start) / pieces as f64);
                let value = if i < steps / 2 || steps == 1 {
                    step.mul_add(i as f64, start)
                } else {
                    (-step).mul_add((steps - i - 1) as f64, end)
                };
                T::from_f64(value)
            };
            // SAFETY: the fresh tensor has `steps` elements.
            unsafe { pointer.add(i).write(value) };
        }
    });
    Ok(tensor)
}

/// Ones on the diagonal, zeros elsewhere.
pub fn eye(rows: usize, columns: usize, dtype: DType) -> Result<Tensor> {
    let tensor = Tensor::zeros(&[rows, columns], dtype)?;
    let diagonal = tensor.alias([rows.min(columns)].into_iter().collect(), [columns + 1].into_iter().collect(), 0);
    crate::kernels::fill::fill(&diagonal.data(), Scalar::Int(1));
    Ok(tensor)
}

static GENERATOR: Mutex<Option<Generator>> = Mutex::new(None);

/// Runs `draw` with the generator that is used where none is named. It starts from a seed of the system's.
pub fn with_default_generator<R>(draw: impl FnOnce(&mut Generator) -> R) -> Result<R> {
    let mut held = GENERATOR.lock().map_err(|_| error!(Runtime, "the default random generator is broken"))?;
    let generator = held.get_or_insert_with(|| {
        let mut fresh = Generator::default();
        fresh.seed();
        fresh
    });
    Ok(draw(generator))
}

/// Fills a tensor with random numbers in the order of its memory.
///
/// `draw` gets a slice of elements and whether the tensor was row-major.
macro_rules! fill_random {
    ($target:expr, $kind:ident $T:ident, |$slice:ident, $dense:ident| $draw:expr, else $other:expr) => {{
        let target: &Tensor = $target;
        let dtype = target.dtype();
        let $dense = target.is_contiguous();
        let target = &$crate::ops::creation::in_order_of_memory(target);
        let memory = if $dense { target.clone() } else { Tensor::empty(&target.sizes(), dtype)? };
        $crate::with_element!(dtype, $kind $T => {
            let data = memory.data();
            // SAFETY: a row-major tensor is one slice. Fresh memory is written before it is read.
            let $slice = unsafe {
                std::slice::from_raw_parts_mut(
                    if data.numel() == 0 { std::ptr::NonNull::<$T>::dangling().as_ptr() } else { data.pointer().cast::<$T>() },
                    data.numel(),
                )
            };
            $draw?;
        }, else $other);
        if !$dense {
            crate::kernels::copy::copy(&target.data(), &memory.data());
        }
        Ok(())
    }};
}
pub(crate) use fill_random;

/// The same elements with the dimensions from the slowest to the fastest.
pub fn in_order_of_memory(tensor: &Tensor) -> Tensor {
    let data = tensor.data();
    let mut order: Dims = (0..data.sizes.len()).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(data.strides[d]));
    let reordered = |row: &[usize]| order.iter().map(|&d| row[d]).collect();
    tensor.alias(reordered(&data.sizes), reordered(&data.strides), data.offset)
}

/// Zeros and ones drawn as bytes, for a bool tensor, which `draw` cannot fill itself.
pub fn draw_truths(target: &Tensor, draw: impl FnOnce(&Tensor) -> Result<()>) -> Result<()> {
    let bytes = Tensor::empty(&target.sizes(), DType::UInt8)?;
    draw(&bytes)?;
    crate::kernels::copy::copy(&target.data(), &bytes.data());
    Ok(())
}

pub fn unsupported(name: &str, dtype: DType) -> crate::Error {
    error!(NotImplemented, "{name}: not implemented for {dtype}")
}

/// The same for a type that nothing is computed in: numbers of its wide type, converted.
pub fn draw_wide(target: &Tensor, draw: impl FnOnce(&Tensor) -> Result<()>) -> Result<()> {
    let wide = target.empty_alike(target.dtype().wide())?;
    draw(&wide)?;
    crate::kernels::copy::copy(&target.data(), &wide.data());
    Ok(())
}

/// Uniform numbers from `from` up to `to`, stored in `target`.
pub fn uniform(target: &Tensor, from: f64, to: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype().is_complex() {
        return uniform(&crate::ops::complex::pairs(target), from, to, generator);
    }
    if target.dtype().is_float() && target.dtype().is_narrow() {
        return draw_wide(target, |wide| uniform(wide, from, to, generator));
    }
    fill_random!(target, float T, |slice, _dense| generator.uniform::<T>(slice, from, to),
        else return Err(unsupported("uniform_", target.dtype())))
}

/// Normal numbers, stored in `target`.
///
/// Of complex numbers both parts are normal, and their variances add up to that asked for.
pub fn normal(target: &Tensor, mean: f64, std: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype().is_complex() {
        if mean != 0.0 {
            return Err(unsupported("normal_ with a mean other than 0", target.dtype()));
        }
        return normal(&crate::ops::complex::pairs(target), 0.0, std / std::f64::consts::SQRT_2, generator);
    }
    if target.dtype().is_float() && target.dtype().is_narrow() {
        return draw_wide(target, |wide| normal_wide(wide, mean, std, generator));
    }
    fill_random!(target, float T, |slice, dense| if dense {
        generator.normal::<T>(slice, mean, std)
    } else {
        generator.normal_serial::<T>(slice, mean, std)
    }, else return Err(unsupported("normal_", target.dtype())))
}

/// Exponential numbers, stored in `target`.
pub fn exponential(target: &Tensor, rate: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype().is_float() && target.dtype().is_narrow() {
        return draw_wide(target, |wide| exponential(wide, rate, generator));
    }
    fill_random!(target, float T, |slice, _dense| generator.exponential::<T>(slice, rate),
        else bail!(Runtime, "exponential_: numbers are floating-point, got {}", target.dtype()))
}

/// Normal numbers for a 16-bit type: PyTorch draws none for the elements that the last block of 16 replaces.
fn normal_wide(wide: &Tensor, mean: f64, std: f64, generator: &mut Generator) -> Result<()> {
    const BLOCK: usize = 16;
    fill_random!(wide, float T, |slice, dense| if dense && slice.len() > BLOCK {
        let (whole, length) = (slice.len() / BLOCK * BLOCK, slice.len());
        generator.normal::<T>(&mut slice[..whole], mean, std)?;
        let last = if whole < length { &mut slice[length - BLOCK..] } else { &mut [] };
        generator.normal::<T>(last, mean, std)
    } else if dense {
        generator.normal::<T>(slice, mean, std)
    } else {
        generator.normal_serial::<T>(slice, mean, std)
    }, else return Err(unsupported("normal_", wide.dtype())))
}

/// 1 with probability `p`, else 0, stored in `target`.
pub fn bernoulli(target: &Tensor, p: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype() == DType::Bool {
        return draw_truths(target, |bytes| bernoulli(bytes, p, generator));
    }
    if target.dtype().is_narrow() {
        return draw_wide(target, |wide| bernoulli(wide, p, generator));
    }
    fill_random!(target, real T, |slice, _dense| generator.bernoulli::<T>(slice, p),
        else return Err(unsupported("bernoulli_", target.dtype())))
}

/// Integers from `low` up to `high`, without it, stored in `target`.
pub fn randint(target: &Tensor, low: i64, high: i64, generator: &mut Generator) -> Result<()> {
    if target.dtype() == DType::Bool {
        if low < 0 || high > 2 {
            bail!(Runtime, "randint: integers from {low} up to {high} do not fit bool");
        }
        return draw_truths(target, |bytes| randint(bytes, low, high, generator));
    }
    if target.dtype().is_complex() {
        bail!(Runtime, "randint: complex numbers are no integers");
    }
    if target.dtype().is_narrow() {
        for bound in [low, high - 1] {
            Scalar::Int(bound).require_fit("randint", target.dtype())?;
        }
        return draw_wide(target, |wide| randint(wide, low, high, generator));
    }
    fill_random!(target, real T, |slice, _dense| generator.randint::<T>(slice, low, high),
        else return Err(unsupported("randint", target.dtype())))
}

/// The integers below `n` in random order.
pub fn randperm(n: usize, dtype: DType, generator: &mut Generator) -> Result<Tensor> {
    if dtype.is_narrow() {
        return randperm(n, dtype.wide(), generator)?.cast(dtype);
    }
    let target = Tensor::empty(&[n], dtype)?;
    let result: Result<()> = fill_random!(&target, real T, |slice, _dense| {
        generator.permutation::<T>(slice);
        Ok::<(), crate::Error>(())
    }, else return Err(unsupported("randperm", dtype)));
    result.map(|()| target)
}
