//! Running sums, products and extremes along a dimension; differences and integrals.

use std::ops::{Add, Mul, Sub};

use num_complex::Complex;

use crate::autograd::record;
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::elementary::complex;
use crate::kernels::parallel::Shared;
use crate::kernels::scan::{End, scan};
use crate::ops::arithmetic::{add_tensors, div, mul, mul_tensors, sub};
use crate::ops::comparison::{eq, gt, isnan, lt};
use crate::ops::complex::{check_no_gradient, conj, real};
use crate::ops::gathering::scatter_add;
use crate::ops::joining::cat_tensors;
use crate::ops::rearrangement::flip;
use crate::ops::reduction::{accumulating_dtype, amax, check_differentiable, sum};
use crate::ops::selection::choose;
use crate::ops::unary::{exp, log, neg};
use crate::ops::views;
use crate::scalar::Scalar;
use crate::shape::{Extents, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, chosen, op, with_element};

/// How elements are joined to a running result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    Sum,
    Product,
}

/// Running sums or products: floats are joined in double precision, integers with 64 bits.
fn running(input: &Tensor, dim: i64, dtype: Option<DType>, joined: Joined, from: End) -> Result<Tensor> {
    let d = wrap_dim(dim, input.ndim())?;
    let result = accumulating_dtype(input, dtype);
    let input = input.cast(result)?.to_contiguous()?;
    let out = Tensor::empty(&input.sizes(), result)?;
    let extents = Extents::new(&input.sizes(), d);
    let (source, sink) = (input.data().pointer(), out.data().pointer());
    match result {
        DType::Complex64 => running_complex::<f32>(extents, source.cast(), Shared::new(sink.cast()), joined, from),
        DType::Complex128 => running_complex::<f64>(extents, source.cast(), Shared::new(sink.cast()), joined, from),
        _ => {}
    }
    if result.is_complex() {
        return Ok(out);
    }
    with_element!(result, T => {
        let sink = Shared::new(sink.cast::<T>());
        let source = source.cast::<T>().cast_const();
        // SAFETY: each result has its place in the fresh tensor.
        if T::DTYPE.is_float() {
            let emit = |i: usize, state: f64| unsafe { sink.get().add(i).write(T::from_f64(state)) };
            match joined {
                Joined::Sum => scan(extents, from, source, 0.0, |state, x, _| state + x.to_f64(), emit),
                Joined::Product => scan(extents, from, source, 1.0, |state, x, _| state * x.to_f64(), emit),
            }
        } else {
            let emit = |i: usize, state: i64| unsafe { sink.get().add(i).write(T::from_i64(state)) };
            match joined {
                Joined::Sum => scan(extents, from, source, 0, |state: i64, x, _| state.wrapping_add(x.to_i64()), emit),
                Joined::Product => scan(extents, from, source, 1, |state: i64, x, _| state.wrapping_mul(x.to_i64()), emit),
            }
        }
    });
    Ok(out)
}

/// Running sums or products of complex numbers, from `source` to a fresh tensor of the same extents.
fn running_complex<R>(extents: Extents, source: *const Complex<R>, sink: Shared<Complex<R>>, joined: Joined, from: End)
where
    R: Copy + Send + Sync + Default + From<u8> + Add<Output = R> + Sub<Output = R> + Mul<Output = R>,
{
    let of = |n: u8| Complex::new(R::from(n), R::default());
    let sum = |a: Complex<R>, b: Complex<R>| Complex::new(a.re + b.re, a.im + b.im);
    let product = |a: Complex<R>, b: Complex<R>| Complex::new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
    // SAFETY: each result has its place in the fresh tensor.
    let emit = |i: usize, state: Complex<R>| unsafe { sink.get().add(i).write(state) };
    match joined {
        Joined::Sum => scan(extents, from, source, of(0), |state, x, _| sum(state, x), emit),
        Joined::Product => scan(extents, from, source, of(1), |state, x, _| product(state, x), emit),
    }
}

op! {
    /// The sums of each element and all that follow it along `dim`.
    fn sums_from_the_end as "_sums_from_the_end" (input: Tensor, dim: i64) -> Tensor;
    value { running(input, dim, Some(input.dtype()), Joined::Sum, End::Last) }
    batch dims(dim);
    derivative "SumsFromTheEndBackward0" Linear {
        input(g, dim) => cumsum(g, dim, None);
    }
}

op! {
    /// The sums of the elements up to each one along `dim`. Integers and bools are summed as int64 unless `dtype` says
    /// otherwise.
    fn cumsum(input: Tensor, dim: i64; dtype: Option<DType> = None) -> Tensor, FUNCTION METHOD;
    value {
        check_differentiable("cumsum", input, dtype)?;
        running(input, dim, dtype, Joined::Sum, End::First)
    }
    batch dims(dim);
    derivative "CumsumBackward0" Linear {
        input(g, dim) => sums_from_the_end(g, dim);
    }
}

op! {
    /// `cumsum` in place, which keeps the dtype.
    fn cumsum_in_place as "cumsum" / "in_place" (input: Tensor, dim: i64; dtype: Option<DType> = None) -> Tensor, IN_PLACE;
    choose {
        let dtype = dtype.unwrap_or(input.dtype());
        if dtype == DType::Bool && input.ndim() > 0 && input.numel() > 0 {
            bail!(NotImplemented, "cumsum_: not implemented for bool");
        }
        Ok(chosen!(cumsum(input, Scalar::Int(dim), Value::DType(dtype))))
    }
}

op! {
    /// `cumprod` in place, which keeps the dtype.
    fn cumprod_in_place as "cumprod" / "in_place" (input: Tensor, dim: i64; dtype: Option<DType> = None) -> Tensor, IN_PLACE;
    choose {
        let dtype = dtype.unwrap_or(input.dtype());
        if dtype == DType::Bool && input.ndim() > 0 && input.numel() > 0 {
            bail!(NotImplemented, "cumprod_: not implemented for bool");
        }
        Ok(chosen!(cumprod(input, Scalar::Int(dim), Value::DType(dtype))))
    }
}

op! {
    /// The products of the elements up to each one along `dim`. Integers and bools are multiplied as int64 unless
    /// `dtype` says otherwise.
    fn cumprod(input: Tensor, dim: i64; dtype: Option<DType> = None) -> Tensor, FUNCTION METHOD;
    value {
        check_differentiable("cumprod", input, dtype)?;
        running(input, dim, dtype, Joined::Product, End::First)
    }
    batch dims(dim);
    derivative "CumprodBackward0" ByVjp {
        input(g, input, dim, out) => {
            if input.ndim() == 0 || input.numel() == 0 {
                return Ok(crate::op::Gradients::from_elem(Some(g.clone()), 1));
            }
            if !eq(&input.detach(), 0i64.into())?.to_vec::<bool>()?.contains(&true) {
                let total = sums_from_the_end(&mul_tensors(g, &conj(out)?)?, dim)?;
                return Ok(crate::op::Gradients::from_elem(Some(div((&total).into(), (&conj(input)?).into())?), 1));
            }
            products_around_zeros(g, input, dim)
        };
    }
}

/// The gradient of `cumprod` without a division: the product of what is before an element, times the sum over the
/// results behind it of their gradient and the product of what is between.
fn products_around_zeros(g: &Tensor, input: &Tensor, dim: i64) -> Result<Tensor> {
    let length = input.size(dim)? as i64;
    let part = |tensor: &Tensor, i: i64| views::narrow(tensor, dim, i, 1);
    let mut behind = vec![part(g, length - 1)?];
    for i in (0..length - 1).rev() {
        let further = mul_tensors(&part(input, i + 1)?, &behind[behind.len() - 1])?;
        behind.push(add_tensors(&part(g, i)?, &further)?);
    }
    behind.reverse();
    let behind = cat_tensors(&behind, dim)?;
    let one = Tensor::full(&part(&input.detach(), 0)?.sizes(), Scalar::Int(1), input.dtype())?;
    let before = cat_tensors(&[one, cumprod(&views::narrow(input, dim, 0, length - 1)?, dim, None)?], dim)?;
    mul_tensors(&before, &behind)
}

/// Running extremes and where they are: of several equal ones the last; NaN beats everything.
fn running_extreme<const LARGEST: bool>(name: &str, input: &Tensor, dim: i64) -> Result<[Tensor; 2]> {
    let d = wrap_dim(dim, input.ndim())?;
    if input.ndim() == 0 {
        check_no_gradient(name, &[input])?;
    }
    if input.dtype() == DType::Bool {
        let [values, indices] = running_extreme::<LARGEST>(name, &input.cast(DType::UInt8)?, dim)?;
        return Ok([values.cast(DType::Bool)?, indices]);
    }
    let input = input.to_contiguous()?;
    let sizes = input.sizes();
    let (values, indices) = (Tensor::empty(&sizes, input.dtype())?, Tensor::empty(&sizes, DType::Int64)?);
    let extents = Extents::new(&sizes, d);
    let places = Shared::new(indices.data().pointer().cast::<i64>());
    let (source, sink) = (input.data().pointer(), values.data().pointer());
    with_element!(input.dtype(), real T => {
        let sink = Shared::new(sink.cast::<T>());
        let is_nan = |x: T| x.partial_cmp(&x).is_none();
        let wins = |x: T, best: T| is_nan(x) || (!is_nan(best) && if LARGEST { x >= best } else { x <= best });
        let first = T::from_i64(0);
        // SAFETY: each result has its place in the fresh tensors.
        scan(
            extents,
            End::First,
            source.cast::<T>().cast_const(),
            (first, 0),
            |(best, at), x, place| if place == 0 || wins(x, best) { (x, place) } else { (best, at) },
            |i, (best, at)| unsafe {
                sink.get().add(i).write(best);
                places.get().add(i).write(at as i64);
            },
        );
    }, else bail!(NotImplemented, "{name}: not implemented for {}", input.dtype()));
    Ok([values, indices])
}

fn put_at_places(g: &Tensor, indices: &Tensor, dim: i64) -> Result<Tensor> {
    scatter_add(&Tensor::zeros(&indices.sizes(), g.dtype())?, dim, indices, g)
}

op! {
    /// The largest of the elements up to each one along `dim`, and its last place.
    fn cummax(input: Tensor, dim: i64) -> (values, indices), FUNCTION METHOD;
    value { running_extreme::<true>("cummax", input, dim) }
    batch dims(dim);
    derivative "CummaxBackward0" ByVjp {
        input(g, indices, dim) => put_at_places(g, indices, dim);
    }
}

op! {
    /// The smallest of the elements up to each one along `dim`, and its last place.
    fn cummin(input: Tensor, dim: i64) -> (values, indices), FUNCTION METHOD;
    value { running_extreme::<false>("cummin", input, dim) }
    batch dims(dim);
    derivative "CumminBackward0" ByVjp {
        input(g, indices, dim) => put_at_places(g, indices, dim);
    }
}

op! {
    /// `log(cumsum(exp(x)))` along `dim`, without overflow.
    fn logcumsumexp(input: Tensor, dim: i64) -> Tensor, FUNCTION METHOD;
    value {
        let d = wrap_dim(dim, input.ndim())?;
        let input = input.to_contiguous()?;
        let out = Tensor::empty(&input.sizes(), input.dtype())?;
        let extents = Extents::new(&input.sizes(), d);
        let (source, sink) = (input.data().pointer(), out.data().pointer());
        if input.dtype().is_complex() {
            with_element!(input.dtype(), T => {
                let sink = Shared::new(sink.cast::<T>());
                scan(
                    extents,
                    End::First,
                    source.cast::<T>().cast_const(),
                    Complex::new(f64::NEG_INFINITY, 0.0),
                    |state, x: T, _| complex::logaddexp(state, x.to_complex()),
                    // SAFETY: each result has its place in the fresh tensor.
                    |i, state| unsafe { sink.get().add(i).write(T::from_complex(state)) },
                );
            });
            return Ok(out);
        }
        with_element!(input.dtype(), float T => {
            let sink = Shared::new(sink.cast::<T>());
            scan(
                extents,
                End::First,
                source.cast::<T>().cast_const(),
                f64::NEG_INFINITY,
                |state: f64, x: T, _| {
                    let x = x.to_f64();
                    if x.is_nan() || state.is_nan() {
                        return f64::NAN;
                    }
                    let (low, high) = (state.min(x), state.max(x));
                    // Equal infinities are not subtracted from each other.
                    if low == high && low.is_infinite() { high } else { high + (low - high).exp().ln_1p() }
                },
                // SAFETY: each result has its place in the fresh tensor.
                |i, state| unsafe { sink.get().add(i).write(T::from_f64(state)) },
            );
        }, else bail!(NotImplemented, "logcumsumexp: not implemented for {}", input.dtype()));
        Ok(out)
    }
    batch dims(dim);
    derivative "LogcumsumexpBackward0" ByVjp {
        input(g, input, dim, out) => {
            if input.ndim() == 0 {
                return Ok(crate::op::Gradients::from_elem(Some(g.clone()), 1));
            }
            if input.dtype().is_complex() {
                // Weights of no more than 1 in size: the sums up to an element, and with it, are divided by those behind.
                let most = amax(&real(&input.detach())?, &[dim], true)?;
                let shares = mul_tensors(g, &exp(&sub((&most).into(), (&conj(out)?).into())?)?)?;
                let sums = sums_from_the_end(&shares, dim)?;
                let gradient = mul_tensors(&sums, &exp(&sub((&conj(input)?).into(), (&most).into())?)?)?;
                return Ok(crate::op::Gradients::from_elem(Some(gradient), 1));
            }
            // Where the gradient is differentiated itself, by a formula that is linear in it.
            if record::is_watched(|| std::iter::once(g)) {
                let most = amax(&input.detach(), &[dim], true)?;
                let of = |exponent: &Tensor| exp(&choose(&isnan(exponent)?, f64::NEG_INFINITY.into(), exponent.into())?);
                let shares = mul_tensors(g, &of(&sub((&most).into(), out.into())?)?)?;
                let sums = sums_from_the_end(&shares, dim)?;
                let gradient = mul_tensors(&sums, &of(&sub(input.into(), (&most).into())?)?)?;
                return Ok(crate::op::Gradients::from_elem(Some(gradient), 1));
            }
            // Sums of gradients of either sign, by their logarithms.
            let half = |g: &Tensor| -> Result<Tensor> {
                let positive = gt(g, 0i64.into())?;
                let size = log(&choose(&positive, g.into(), 1.0.into())?)?;
                let size = choose(&positive, (&size).into(), f64::NEG_INFINITY.into())?;
                let shares = sub((&size).into(), out.into())?;
                let total = flip(&logcumsumexp(&flip(&shares, &[dim])?, dim)?, &[dim])?;
                let result = exp(&add_tensors(&total, input)?)?;
                // Where there is none, the logarithm has no derivative.
                let none = eq(&total, f64::NEG_INFINITY.into())?;
                choose(&none, 0.0.into(), (&result).into())
            };
            let negative = lt(g, 0i64.into())?;
            if !negative.to_vec::<bool>()?.contains(&true) {
                return Ok(crate::op::Gradients::from_elem(Some(half(g)?), 1));
            }
            sub((&half(g)?).into(), (&half(&neg(g)?)?).into())
        };
    }
}

op! {
    /// The differences of neighbours along `dim`, taken `n` times; `prepend` and `append` are joined to the tensor first.
    fn diff(
        input: Tensor, n: i64 = 1, dim: i64 = -1, prepend: Option<Tensor> = None, append: Option<Tensor> = None
    ) -> Tensor, FUNCTION METHOD;
    value {
        if input.ndim() == 0 {
            bail!(Runtime, "diff: a tensor of at least one dimension is expected");
        }
        if n < 0 {
            bail!(Runtime, "diff: the order must not be negative, got {n}");
        }
        let d = wrap_dim(dim, input.ndim())?;
        let mut parts = Vec::new();
        for part in [prepend, Some(input), append].into_iter().flatten() {
            if part.ndim() != input.ndim() {
                bail!(Runtime, "diff: what is prepended or appended has {} dimensions, the tensor {}", part.ndim(), input.ndim());
            }
            parts.push(part.clone());
        }
        let mut result = if parts.len() == 1 { input.clone() } else { cat_tensors(&parts, d as i64)? };
        if n == 0 {
            let zeros = result.detach().zeros_alike()?;
            return crate::autograd::primitives::call_in_place("copy", &[Value::Tensor(zeros), Value::Tensor(result)]);
        }
        for _ in 0..n.min(result.size(dim)? as i64) {
            let length = (result.size(dim)? as i64 - 1).max(0);
            let start = i64::from(result.size(dim)? > 0);
            let (next, before) = (views::narrow(&result, dim, start, length)?, views::narrow(&result, dim, 0, length)?);
            result = match result.dtype() {
                DType::Bool => crate::ops::comparison::logical_xor(&next, &before)?,
                _ => sub((&next).into(), (&before).into())?,
            };
        }
        Ok(result)
    }
    derivative composite;
}

/// `y` without its last and without its first element along a dimension, added.
fn neighbours(y: &Tensor, dim: i64) -> Result<Tensor> {
    let length = y.size(dim)? as i64 - 1;
    add_tensors(&views::narrow(y, dim, 0, length)?, &views::narrow(y, dim, 1, length)?)
}

/// The steps between places: `x` is a vector of them along `dim`, or a tensor that broadcasts against `y`.
fn steps(y: &Tensor, x: &Tensor, dim: i64) -> Result<Tensor> {
    let d = wrap_dim(dim, y.ndim())?;
    if x.ndim() == 0 {
        bail!(Runtime, "trapezoid: x has to have at least one dimension");
    }
    let x = if x.ndim() == 1 {
        if x.numel() != y.size(dim)? {
            bail!(Runtime, "trapezoid: {} places x for dimension {dim} of size {} of y", x.numel(), y.size(dim)?);
        }
        let mut sizes = Ints::from_elem(1, y.ndim());
        sizes[d] = x.numel() as i64;
        views::view(&views::reshape(x, &[-1])?, &sizes)?
    } else if x.ndim() < y.ndim() {
        let mut sizes = Ints::from_elem(1, y.ndim() - x.ndim());
        sizes.extend(views::ints(&x.sizes()));
        views::reshape(x, &sizes)?
    } else {
        x.clone()
    };
    let length = x.size(dim)? as i64 - 1;
    let (before, next) = (views::narrow(&x, dim, 0, length)?, views::narrow(&x, dim, 1, length)?);
    sub((&next).into(), (&before).into())
}

op! {
    /// A tensor times a number, which has a node of its own in what integrals are made of.
    fn times as "_times" (input: Tensor, factor: Scalar) -> Tensor;
    value { mul(input.into(), factor.into()) }
    batch aligned;
    derivative "MulBackward1" Linear {
        input(g, factor) => times(g, factor);
    }
}

op! {
    /// A tensor divided by two.
    fn halved as "_halved" (input: Tensor) -> Tensor;
    value { div(input.into(), 2.0.into()) }
    batch aligned;
    derivative "DivBackward1" Linear {
        input(g) => halved(g);
    }
}

/// Zeros for an integral over nothing.
fn no_area(y: &Tensor, dim: i64) -> Result<Tensor> {
    let mut sizes = y.sizes();
    sizes.remove(wrap_dim(dim, sizes.len())?);
    Tensor::zeros(&sizes, y.dtype())
}

op! {
    /// The integral of `y` at the places `x` along `dim` by the trapezoidal rule.
    fn trapezoid_at as "trapezoid" / "x" (y: Tensor, x: Tensor; dim: i64 = -1) -> Tensor, FUNCTION NO_OUT;
    value {
        if y.size(dim)? == 0 {
            return no_area(y, dim);
        }
        let area = sum(&mul_tensors(&steps(y, x, dim)?, &neighbours(y, dim)?)?, Some(&[dim]), false, None)?;
        halved(&area)
    }
    derivative composite;
}

op! {
    /// The integral of `y` at places that lie `dx` apart.
    fn trapezoid as "trapezoid" / "dx" (y: Tensor; dx: Scalar = crate::scalar::Scalar::Int(1), dim: i64 = -1) -> Tensor, FUNCTION NO_OUT;
    value {
        if y.size(dim)? == 0 {
            return no_area(y, dim);
        }
        if y.dtype() == DType::Bool {
            bail!(Runtime, "trapezoid: y must not be a bool tensor");
        }
        let ends = add_tensors(&views::select(y, dim, 0)?, &views::select(y, dim, -1)?)?;
        let total = sub((&sum(y, Some(&[dim]), false, None)?).into(), (&mul((&ends).into(), 0.5.into())?).into())?;
        times(&total, dx)
    }
    derivative composite;
}

op! {
    /// `trapezoid` under numpy's older name.
    fn trapz_at as "trapz" / "x" (y: Tensor, x: Tensor; dim: i64 = -1) -> Tensor, FUNCTION NO_OUT;
    value { trapezoid_at(y, x, dim) }
    derivative composite;
}

op! {
    /// `trapezoid` under numpy's older name.
    fn trapz as "trapz" / "dx" (y: Tensor; dx: f64 = 1.0, dim: i64 = -1) -> Tensor, FUNCTION NO_OUT;
    value { trapezoid(y, dx.into(), dim) }
    derivative composite;
}

op! {
    /// The integrals of `y` from the first place to each further one, at the places `x` along `dim`.
    fn cumulative_trapezoid_at as "cumulative_trapezoid" / "x" (y: Tensor, x: Tensor; dim: i64 = -1) -> Tensor, FUNCTION NO_OUT;
    value {
        if [x, y].iter().any(|tensor| tensor.dtype() == DType::Bool) {
            bail!(Runtime, "cumulative_trapezoid: y and x must not be bool tensors");
        }
        if x.ndim() > 0 {
            x.size(dim)?;
        }
        y.size(dim)?;
        halved(&cumsum(&mul_tensors(&steps(y, x, dim)?, &neighbours(y, dim)?)?, dim, None)?)
    }
    derivative composite;
}

op! {
    /// The same at places that lie `dx` apart.
    fn cumulative_trapezoid as "cumulative_trapezoid" / "dx" (
        y: Tensor; dx: Scalar = crate::scalar::Scalar::Int(1), dim: i64 = -1
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        if y.dtype() == DType::Bool {
            bail!(Runtime, "cumulative_trapezoid: y must not be a bool tensor");
        }
        let area = mul((&neighbours(y, dim)?).into(), (dx.to_f64() / 2.0).into())?;
        cumsum(&area, dim, None)
    }
    derivative composite;
}
