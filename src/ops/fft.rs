//! Discrete Fourier transforms; their numbers are [`rgrad_fourier`]'s.
//!
//! Three operations are recorded: of complex numbers, of real ones, and back to real ones. All others pad or trim their
//! input and call one of them. The derivative of a transform is one in the other direction.
#![allow(non_snake_case)]

use num_complex::Complex;
use rgrad_fourier::Transform;

use crate::bail;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::parallel::{Shared, for_each_chunk};
use crate::op;
use crate::ops::arithmetic::mul;
use crate::ops::complex::{conj, real};
use crate::ops::conversion::to_dtype;
use crate::ops::joining::cat_tensors;
use crate::ops::rearrangement::roll;
use crate::ops::views;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;

/// The factor of a transform over so many elements: normalization 0 is none, 1 the square root's reciprocal, 2 the
/// reciprocal.
fn factor(normalization: i64, count: usize) -> f64 {
    match normalization {
        1 => 1.0 / (count as f64).sqrt(),
        2 => 1.0 / count as f64,
        _ => 1.0,
    }
}

/// The normalization that `norm` asks for in a direction.
fn normalization(name: &str, norm: Option<&str>, forward: bool) -> Result<i64> {
    Ok(match norm {
        None | Some("backward") => {
            if forward {
                0
            } else {
                2
            }
        }
        Some("forward") => {
            if forward {
                2
            } else {
                0
            }
        }
        Some("ortho") => 1,
        Some(other) => bail!(Runtime, "{name}: norm is 'forward', 'backward' or 'ortho', not '{other}'"),
    })
}

/// The transform of complex numbers along dimensions, in place of a copy.
fn transformed(input: &Tensor, dims: &[i64], scale: f64, forward: bool) -> Result<Tensor> {
    let mut current = input.detach();
    for (i, &dim) in dims.iter().enumerate() {
        let scale = if i + 1 == dims.len() { scale } else { 1.0 };
        // The dimension comes last in memory for the transform.
        let across = views::transpose(&current, dim, -1)?.copied(input.dtype())?;
        let n = across.sizes().last().copied().unwrap_or(1);
        if across.numel() > 0 {
            if input.dtype() == DType::Complex64 {
                run::<f32>(&across, n, forward, scale);
            } else {
                run::<f64>(&across, n, forward, scale);
            }
        }
        current = views::transpose(&across, dim, -1)?;
    }
    if dims.is_empty() { current.copied(input.dtype()) } else { laid_out(&current, dims) }
}

/// The same values in memory in which the transformed dimensions, in their order, are the innermost.
fn laid_out(result: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let ndim = result.ndim();
    let inner: Vec<usize> = dims.iter().map(|&d| wrap_dim(d, ndim)).collect::<Result<_>>()?;
    let mut order: Ints = (0..ndim).filter(|d| !inner.contains(d)).map(|d| d as i64).collect();
    order.extend(inner.iter().map(|&d| d as i64));
    let mut back: Ints = order.clone();
    order.iter().enumerate().for_each(|(place, &d)| back[d as usize] = place as i64);
    // A result is no view: it may be changed in place, whatever it was laid out from.
    Ok(views::permute(&views::permute(result, &order)?.to_contiguous()?, &back)?.detach())
}

/// Calls `body` on ranges that cover the rows of `n` numbers, on several threads if that is worth it.
fn for_rows(rows: usize, n: usize, body: impl Fn(std::ops::Range<usize>) + Sync) {
    const ELEMENTS: usize = 1 << 14;
    for_each_chunk(rows, ELEMENTS / n.max(1) + 1, body);
}

/// Transforms the rows of `n` numbers that a fresh row-major tensor has.
fn run<T: Transform>(rows: &Tensor, n: usize, forward: bool, scale: f64) {
    let values = Shared::<Complex<T>>::new(rows.data().pointer().cast());
    for_rows(rows.numel() / n, n, |range| {
        // SAFETY: the tensor is fresh and row-major, with so many complex numbers of `T`; each row is in one range.
        let part = unsafe { std::slice::from_raw_parts_mut(values.get().add(range.start * n), range.len() * n) };
        T::complex(part, n, forward, scale);
    });
}

/// The first halves of the transforms of rows of `n` real numbers, which a fresh row-major tensor has and loses.
fn run_from_real<T: Transform>(rows: &Tensor, n: usize, halves: &Tensor, scale: f64) {
    let (values, results) =
        (Shared::<T>::new(rows.data().pointer().cast()), Shared::<Complex<T>>::new(halves.data().pointer().cast()));
    let half = n / 2 + 1;
    for_rows(rows.numel() / n, n, |range| {
        // SAFETY: as in `run`, for both tensors.
        let (part, result) = unsafe {
            (
                std::slice::from_raw_parts_mut(values.get().add(range.start * n), range.len() * n),
                std::slice::from_raw_parts_mut(results.get().add(range.start * half), range.len() * half),
            )
        };
        T::from_real(part, n, result, scale);
    });
}

/// Rows of `n` real numbers from the first halves of their transforms, which a fresh row-major tensor has and loses.
fn run_to_real<T: Transform>(halves: &Tensor, n: usize, rows: &Tensor, scale: f64) {
    let (values, results) =
        (Shared::<Complex<T>>::new(halves.data().pointer().cast()), Shared::<T>::new(rows.data().pointer().cast()));
    let half = n / 2 + 1;
    for_rows(rows.numel() / n, n, |range| {
        // SAFETY: as in `run`, for both tensors.
        let (part, result) = unsafe {
            (
                std::slice::from_raw_parts_mut(values.get().add(range.start * half), range.len() * half),
                std::slice::from_raw_parts_mut(results.get().add(range.start * n), range.len() * n),
            )
        };
        T::to_real(part, n, result, scale);
    });
}

fn count(input: &Tensor, dims: &[i64]) -> Result<usize> {
    let sizes = input.sizes();
    dims.iter().try_fold(1, |product, &dim| Ok(product * sizes[wrap_dim(dim, sizes.len())?]))
}

op! {
    /// The transform of complex numbers along some dimensions.
    fn fft_c2c as "_fft_c2c" (input: Tensor, dim: Ints, normalization: i64, forward: bool) -> Tensor, ANY_TYPE;
    value {
        if !input.dtype().is_complex() {
            bail!(Runtime, "_fft_c2c: complex elements are expected, got {}", input.dtype());
        }
        transformed(input, dim, factor(normalization, count(input, dim)?), forward)
    }
    batch dims(dim);
    derivative "FftC2CBackward0" Linear {
        input(g, dim, normalization, forward) => fft_c2c(g, dim, normalization, !forward);
    }
}

op! {
    /// The transform of real numbers along some dimensions; with `onesided` without the half of the last one that is the
    /// conjugate of the other.
    fn fft_r2c as "_fft_r2c" (input: Tensor, dim: Ints, normalization: i64, onesided: bool) -> Tensor, ANY_TYPE;
    value {
        if !matches!(input.dtype(), DType::Float32 | DType::Float64) {
            bail!(Runtime, "_fft_r2c: float32 or float64 elements are expected, got {}", input.dtype());
        }
        let scale = factor(normalization, count(input, dim)?);
        let Some((&last, others)) = dim.split_last().filter(|_| onesided) else {
            return transformed(&input.detach().copied(input.dtype().complex())?, dim, scale, true);
        };
        // The dimension comes last in memory for the transform, which computes in the place of a copy.
        let across = views::transpose(&input.detach(), last, -1)?.copied(input.dtype())?;
        let n = across.size(-1)?;
        let mut sizes = across.sizes();
        if let Some(size) = sizes.last_mut() {
            *size = n / 2 + 1;
        }
        let halves = Tensor::empty(&sizes, input.dtype().complex())?;
        if across.numel() > 0 {
            match input.dtype() {
                DType::Float32 => run_from_real::<f32>(&across, n, &halves, scale),
                _ => run_from_real::<f64>(&across, n, &halves, scale),
            }
        }
        let halves = views::transpose(&halves, last, -1)?;
        let whole = if others.is_empty() { halves } else { transformed(&halves, others, 1.0, true)? };
        laid_out(&whole, dim)
    }
    batch dims(dim);
    derivative "FftR2CBackward0" Linear {
        input(g, dim, normalization, onesided, ctx) => {
            let Some(&last) = dim.last().filter(|_| onesided) else {
                return real(&fft_c2c(g, dim, normalization, false)?).map(|g| std::iter::once(Some(g)).collect());
            };
            // What was left out has no gradient.
            let sizes = ctx.sizes_of(0)?;
            let n = sizes[wrap_dim(last, sizes.len())?];
            real(&fft_c2c(&resized(g, last, n)?, dim, normalization, false)?)
        };
    }
}

op! {
    /// The transform of numbers that are conjugates of each other, of which the last dimension has the first half, back to
    /// real ones.
    fn fft_c2r as "_fft_c2r" (input: Tensor, dim: Ints, normalization: i64, last_dim_size: i64) -> Tensor, ANY_TYPE;
    value {
        if !input.dtype().is_complex() {
            bail!(Runtime, "_fft_c2r: complex elements are expected, got {}", input.dtype());
        }
        let Some((&last, others)) = dim.split_last() else {
            bail!(Runtime, "_fft_c2r: at least one dimension has to be transformed");
        };
        let n = last_dim_size as usize;
        let scale = factor(normalization, count(input, others)? * n);
        let first = transformed(input, others, 1.0, false)?;
        let half = resized(&first, last, n / 2 + 1)?;
        let across = views::transpose(&half, last, -1)?.copied(half.dtype())?;
        let mut sizes = across.sizes();
        if let Some(size) = sizes.last_mut() {
            *size = n;
        }
        let whole = Tensor::empty(&sizes, input.dtype().real())?;
        if whole.numel() > 0 {
            match half.dtype() {
                DType::Complex64 => run_to_real::<f32>(&across, n, &whole, scale),
                _ => run_to_real::<f64>(&across, n, &whole, scale),
            }
        }
        laid_out(&views::transpose(&whole, last, -1)?, dim)
    }
    batch dims(dim);
    derivative "FftC2RBackward0" Linear {
        input(g, dim, normalization, last_dim_size) => {
            // Each element but the first, and that of the middle, stands for two.
            let half = fft_r2c(g, dim, normalization, true)?;
            let Some(&last) = dim.last() else { return Ok(std::iter::once(Some(half)).collect()) };
            let (n, count) = (last_dim_size as usize, half.size(last)?);
            let weights: Vec<f64> =
                (0..count).map(|k| if k == 0 || 2 * k == n { 1.0 } else { 2.0 }).collect();
            let weights = Tensor::from_slice(&weights, &[count])?.cast(half.dtype().real())?;
            let behind = half.ndim() - 1 - wrap_dim(last, half.ndim())?;
            let mut shape: Ints = Ints::from_slice(&[count as i64]);
            shape.extend(std::iter::repeat_n(1, behind));
            mul((&half).into(), (&views::view(&weights, &shape)?).into())
        };
    }
}

/// Trimmed, or filled with zeros, to `n` elements along a dimension.
fn resized(input: &Tensor, dim: i64, n: usize) -> Result<Tensor> {
    let size = input.size(dim)?;
    if size == n {
        return Ok(input.clone());
    }
    if size > n {
        return views::narrow(input, dim, 0, n as i64);
    }
    let mut sizes = input.sizes();
    let place = wrap_dim(dim, sizes.len())?;
    sizes[place] = n - size;
    cat_tensors(&[input.clone(), Tensor::zeros(&sizes, input.dtype())?], dim)
}

/// The input in a type that transforms are computed in: integers become the default float type.
fn floating(name: &str, input: &Tensor, complex: bool) -> Result<Tensor> {
    let dtype = input.dtype();
    let dtype = if dtype.is_integral() { crate::promotion::default_float() } else { dtype };
    if matches!(dtype, DType::Float16 | DType::BFloat16) {
        bail!(Runtime, "{name}: not implemented for {dtype}");
    }
    to_dtype(input, if complex { dtype.complex() } else { dtype })
}

fn refuse_complex(name: &str, input: &Tensor) -> Result<()> {
    if input.dtype().is_complex() {
        bail!(Runtime, "{name}: real elements are expected, got {}", input.dtype());
    }
    Ok(())
}

/// The length of a transform along one dimension.
fn length(name: &str, input: &Tensor, n: Option<i64>, dim: i64, standard: impl Fn(i64) -> i64) -> Result<usize> {
    let size = match input.ndim() {
        0 => bail!(Index, "{name}: dimension {dim} is out of range for a tensor without dimensions"),
        _ => input.size(dim)? as i64,
    };
    let n = n.unwrap_or_else(|| standard(size));
    if n < 1 {
        bail!(Runtime, "{name}: a transform of {n} elements does not exist");
    }
    Ok(n as usize)
}

fn along(name: &str, input: &Tensor, n: Option<i64>, dim: i64, norm: Option<&str>, forward: bool) -> Result<Tensor> {
    let n = length(name, input, n, dim, |size| size)?;
    let kind = normalization(name, norm, forward)?;
    let typed = floating(name, input, false)?;
    if typed.dtype().is_complex() {
        return fft_c2c(&resized(&typed, dim, n)?, &[dim], kind, forward);
    }
    let whole = fft_r2c(&resized(&typed, dim, n)?, &[dim], kind, false)?;
    if forward { Ok(whole) } else { conj(&whole) }
}

/// From real numbers to half of their transform; of its conjugate if `forward` is not set.
fn halved(name: &str, input: &Tensor, n: Option<i64>, dim: i64, norm: Option<&str>, forward: bool) -> Result<Tensor> {
    refuse_complex(name, input)?;
    let n = length(name, input, n, dim, |size| size)?;
    let kind = normalization(name, norm, forward)?;
    let half = fft_r2c(&resized(&floating(name, input, false)?, dim, n)?, &[dim], kind, true)?;
    if forward { Ok(half) } else { conj(&half) }
}

/// From half of a transform to the real numbers.
fn doubled(name: &str, input: &Tensor, n: Option<i64>, dim: i64, norm: Option<&str>, forward: bool) -> Result<Tensor> {
    let n = length(name, input, n, dim, |size| 2 * (size - 1))?;
    let kind = normalization(name, norm, forward)?;
    let typed = resized(&floating(name, input, true)?, dim, n / 2 + 1)?;
    fft_c2r(&if forward { conj(&typed)? } else { typed }, &[dim], kind, n as i64)
}

/// Dimensions and lengths of a transform over several; the last length is `None` where it is not given.
fn several(
    name: &str,
    input: &Tensor,
    s: Option<&[i64]>,
    dim: Option<&[i64]>,
) -> Result<(Ints, smallvec::SmallVec<[Option<usize>; 4]>)> {
    let ndim = input.ndim();
    if let (Some(s), Some(dim)) = (s, dim)
        && s.len() != dim.len()
    {
        bail!(Runtime, "{name}: as many lengths as dimensions are expected, got {} and {}", s.len(), dim.len());
    }
    if s.is_some_and(|s| s.len() > ndim) {
        bail!(Runtime, "{name}: {} lengths for a tensor of {ndim} dimensions", s.map_or(0, <[i64]>::len));
    }
    let dims: Ints = match (dim, s) {
        (Some(dim), _) => dim.iter().map(|&d| wrap_dim(d, ndim).map(|d| d as i64)).collect::<Result<_>>()?,
        (None, Some(s)) => ((ndim - s.len()) as i64..ndim as i64).collect(),
        (None, None) => (0..ndim as i64).collect(),
    };
    if (1..dims.len()).any(|i| dims[..i].contains(&dims[i])) {
        bail!(Runtime, "{name}: the dimensions have to differ, they are {}", shape::show(&dims));
    }
    let mut lengths = smallvec::SmallVec::new();
    for i in 0..dims.len() {
        lengths.push(match s.map(|s| s[i]) {
            None | Some(-1) => None,
            Some(n) if n < 1 => bail!(Runtime, "{name}: a transform of {n} elements does not exist"),
            Some(n) => Some(n as usize),
        });
    }
    Ok((dims, lengths))
}

fn fitted(name: &str, input: &Tensor, dims: &[i64], lengths: &[Option<usize>]) -> Result<Tensor> {
    let mut fitted = input.clone();
    for (&dim, length) in dims.iter().zip(lengths) {
        if let Some(n) = length {
            fitted = resized(&fitted, dim, *n)?;
        }
        if fitted.size(dim)? == 0 {
            bail!(Runtime, "{name}: a transform of 0 elements does not exist");
        }
    }
    Ok(fitted)
}

fn over_several(
    name: &str,
    input: &Tensor,
    s: Option<&[i64]>,
    dim: Option<&[i64]>,
    norm: Option<&str>,
    forward: bool,
) -> Result<Tensor> {
    let (dims, lengths) = several(name, input, s, dim)?;
    let kind = normalization(name, norm, forward)?;
    let typed = floating(name, input, true)?;
    let fitted = fitted(name, &typed, &dims, &lengths)?;
    if dims.is_empty() { Ok(fitted) } else { fft_c2c(&fitted, &dims, kind, forward) }
}

fn halved_over_several(
    name: &str,
    input: &Tensor,
    s: Option<&[i64]>,
    dim: Option<&[i64]>,
    norm: Option<&str>,
    forward: bool,
) -> Result<Tensor> {
    refuse_complex(name, input)?;
    let (dims, lengths) = several(name, input, s, dim)?;
    if dims.is_empty() {
        bail!(Runtime, "{name}: at least one dimension has to be transformed");
    }
    let kind = normalization(name, norm, forward)?;
    let half = fft_r2c(&fitted(name, &floating(name, input, false)?, &dims, &lengths)?, &dims, kind, true)?;
    if forward { Ok(half) } else { conj(&half) }
}

fn doubled_over_several(
    name: &str,
    input: &Tensor,
    s: Option<&[i64]>,
    dim: Option<&[i64]>,
    norm: Option<&str>,
    forward: bool,
) -> Result<Tensor> {
    let (dims, mut lengths) = several(name, input, s, dim)?;
    let (Some(&last), Some(length)) = (dims.last(), lengths.last_mut()) else {
        bail!(Runtime, "{name}: at least one dimension has to be transformed");
    };
    let n = length.map_or(2 * (input.size(last)? as i64 - 1), |n| n as i64);
    if n < 1 {
        bail!(Runtime, "{name}: a transform of {n} elements does not exist");
    }
    *length = Some(n as usize / 2 + 1);
    let kind = normalization(name, norm, forward)?;
    let typed = fitted(name, &floating(name, input, true)?, &dims, &lengths)?;
    fft_c2r(&if forward { conj(&typed)? } else { typed }, &dims, kind, n)
}

macro_rules! one_dimensional {
    ($($(#[doc = $doc:literal])+ $name:ident $title:literal = $function:ident $forward:literal;)+) => {$(
        op! {
            $(#[doc = $doc])+
            fn $name(input: Tensor, n: Option<i64> = None, dim: i64 = -1, norm: Option<String> = None) -> Tensor, FUNCTION;
            value { $function($title, input, n, dim, norm, $forward) }
            derivative composite;
        }
    )+};
}

one_dimensional! {
    /// The discrete Fourier transform along `dim`, of the input trimmed or filled with zeros to `n` elements.
    ///
    /// `norm` says where to divide by `n`: 'backward' (the default) in the inverse, 'forward' here, 'ortho' by the square
    /// root in both.
    fft_fft "fft" = along true;
    /// The inverse of `fft`.
    fft_ifft "ifft" = along false;
    /// The transform of real numbers: its first `n // 2 + 1` elements, of which the others are conjugates.
    fft_rfft "rfft" = halved true;
    /// The inverse of `rfft`: `n` real numbers, by default `2 * (size - 1)`.
    fft_irfft "irfft" = doubled false;
    /// The transform, which is real, of numbers of which the second half are conjugates of the first half, the input.
    fft_hfft "hfft" = doubled true;
    /// The inverse of `hfft`.
    fft_ihfft "ihfft" = halved false;
}

macro_rules! multidimensional {
    ($($(#[doc = $doc:literal])+ $two:ident $several:ident $titles:literal = $function:ident $forward:literal;)+) => {$(
        op! {
            $(#[doc = $doc])+
            fn $two(input: Tensor, s: Option<Ints> = None, dim: Ints = &[-2, -1], norm: Option<String> = None) -> Tensor, FUNCTION;
            value { $function(concat!($titles, "2"), input, s, Some(dim), norm, $forward) }
            derivative composite;
        }

        op! {
            $(#[doc = $doc])+
            fn $several(input: Tensor, s: Option<Ints> = None, dim: Option<Ints> = None, norm: Option<String> = None) -> Tensor, FUNCTION;
            value { $function(concat!($titles, "n"), input, s, dim, norm, $forward) }
            derivative composite;
        }
    )+};
}

multidimensional! {
    /// `fft` along several dimensions.
    fft_fft2 fft_fftn "fft" = over_several true;
    /// `ifft` along several dimensions.
    fft_ifft2 fft_ifftn "ifft" = over_several false;
    /// `rfft` along the last of several dimensions, and `fft` along the others.
    fft_rfft2 fft_rfftn "rfft" = halved_over_several true;
    /// The inverse of `rfft` over several dimensions.
    fft_irfft2 fft_irfftn "irfft" = doubled_over_several false;
    /// `hfft` along the last of several dimensions, and `fft` along the others.
    fft_hfft2 fft_hfftn "hfft" = doubled_over_several true;
    /// The inverse of `hfft` over several dimensions.
    fft_ihfft2 fft_ihfftn "ihfft" = halved_over_several false;
}

/// Each dimension's elements moved on by as many places as `by` says of its size, around the end.
fn rotated(input: &Tensor, dim: Option<&[i64]>, by: fn(usize) -> usize) -> Result<Tensor> {
    let every: Ints = (0..input.ndim() as i64).collect();
    let dims = dim.unwrap_or(&every);
    let places: Ints = dims.iter().map(|&d| Ok(by(input.size(d)?) as i64)).collect::<Result<_>>()?;
    if dims.is_empty() { crate::ops::conversion::clone(input) } else { roll(input, &places, dims) }
}

op! {
    /// The elements of a transform in another order: that of frequency 0 in the middle. `dim` is by default all dimensions.
    fn fft_fftshift(input: Tensor, dim: Option<Ints> = None) -> Tensor, FUNCTION NO_OUT;
    value { rotated(input, dim, |n| n / 2) }
    derivative composite;
}

op! {
    /// The inverse of `fftshift`.
    fn fft_ifftshift(input: Tensor, dim: Option<Ints> = None) -> Tensor, FUNCTION NO_OUT;
    value { rotated(input, dim, |n| n.div_ceil(2)) }
    derivative composite;
}
