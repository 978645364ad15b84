//! Sums, products, extremes, and where they are.

use smallvec::SmallVec;

use crate::autograd::modes;
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::parallel::Shared;
use crate::kernels::reduce::{Extreme, ExtremeValue, Product, Sum, reduce};
use crate::op::{Backward, Gradients};
use crate::ops::arithmetic::{div, div_number, mul, mul_tensors, sub};
use crate::ops::comparison::{eq, isnan};
use crate::ops::complex::{conj, real};
use crate::ops::conversion::to_dtype;
use crate::ops::selection::choose;
use crate::shape::{self, Dims, Ints, wrap_dims};
use crate::tensor::Tensor;
use crate::value::Argument;
use crate::{bail, op, with_element};

/// A fresh tensor for the results of a reduction, and a writer into it.
fn results<T: Element>(input: &Tensor, chosen: &[bool], keepdim: bool) -> Result<(Tensor, Shared<T>)> {
    let out = Tensor::empty(&shape::reduced(&input.sizes(), chosen, keepdim), T::DTYPE)?;
    let pointer = Shared::new(out.data().pointer().cast::<T>());
    Ok((out, pointer))
}

/// A gradient with the reduced dimensions put back as 1, so that it broadcasts over the input.
pub(crate) fn unreduce(g: &Tensor, sizes: &[usize], dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    if keepdim {
        return Ok(g.clone());
    }
    let chosen = wrap_dims(dim, sizes.len())?;
    let sizes: Ints = shape::reduced(sizes, &chosen, true).iter().map(|&n| n as i64).collect();
    crate::ops::views::view(g, &sizes)
}

fn expand_to(g: &Tensor, sizes: &[usize]) -> Result<Tensor> {
    let sizes: Ints = sizes.iter().map(|&n| n as i64).collect();
    crate::ops::views::expand(g, &sizes)
}

/// Sums and products of integers are int64, unless a type is asked for.
fn accumulating_dtype(input: &Tensor, dtype: Option<DType>) -> DType {
    dtype.unwrap_or(if input.dtype().is_integral() { DType::Int64 } else { input.dtype() })
}

op! {
    /// The sum of all elements. Integers and bools are summed as int64 unless `dtype` says otherwise.
    fn sum_all as "sum" (input: Tensor; dtype: Option<DType> = None) -> Tensor, FUNCTION METHOD;
    value { sum_over(input, None, false, dtype) }
    batch by(|batch| sum(&batch.rows(0)?, Some(&[1]), false, Option::<DType>::face(batch.value(1))));
    derivative "SumBackward0" Linear {
        input(g, ctx) => expand_to(g, &ctx.sizes_of(0)?);
    }
}

op! {
    /// The sum over some dimensions.
    fn sum as "sum" / "dim" (
        input: Tensor, dim: Option<Ints>, keepdim: bool = false; dtype: Option<DType> = None
    ) -> Tensor, FUNCTION METHOD;
    value { sum_over(input, dim, keepdim, dtype) }
    batch over(dim);
    derivative "SumBackward1" Linear {
        input(g, dim, keepdim, ctx) => {
            let sizes = ctx.sizes_of(0)?;
            expand_to(&unreduce(g, &sizes, dim, keepdim)?, &sizes)
        };
    }
}

/// Refuses to accumulate what needs a gradient in a type that has none.
fn check_differentiable(name: &str, input: &Tensor, dtype: Option<DType>) -> Result<()> {
    match dtype {
        Some(dtype) if !dtype.is_differentiable() && input.requires_grad() && modes::grad_enabled() => {
            bail!(Runtime, "{name}: the input requires grad, but dtype={dtype} has no gradient")
        }
        _ => Ok(()),
    }
}

/// What is left when numbers are dealt with has to be bools.
fn check_truths(name: &str, input: &Tensor) -> Result<()> {
    if input.dtype() != DType::Bool {
        bail!(NotImplemented, "{name}: not implemented for {}", input.dtype());
    }
    Ok(())
}

fn sum_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    check_differentiable("sum", input, dtype)?;
    let chosen = wrap_dims(dim, input.ndim())?;
    let input = input.cast(accumulating_dtype(input, dtype))?;
    with_element!(input.dtype(), ring T => {
        let (out, sink) = results::<T>(&input, &chosen, keepdim)?;
        // SAFETY: each result is written once, into its own place.
        reduce(Sum::<T>::default(), &input.data(), &chosen, |i, sum| unsafe { sink.get().add(i).write(sum) });
        Ok(out)
    }, else {
        check_truths("sum", &input)?;
        // A sum with dtype=bool: whether any element is true.
        sum_over(&input, dim, keepdim, Some(DType::Int64))?.cast(DType::Bool)
    })
}

op! {
    /// The product of all elements.
    fn prod_all as "prod" (input: Tensor; dtype: Option<DType> = None) -> Tensor, FUNCTION METHOD;
    value { prod_over(input, None, false, dtype) }
    batch by(|batch| prod(&batch.rows(0)?, 1, false, Option::<DType>::face(batch.value(1))));
    derivative "ProdBackward0" ByVjp {
        input(g, input, out) => {
            if input.ndim() == 0 {
                return Ok(Gradients::from_elem(Some(g.clone()), 1));
            }
            if !has_zeros(input)? {
                return Ok(Gradients::from_elem(Some(mul_tensors(g, &conj(&div(out.into(), input.into())?)?)?), 1));
            }
            let flat = crate::ops::views::reshape(input, &[-1])?;
            let gradient = mul_tensors(g, &conj(&products_of_others(&flat)?)?)?;
            crate::ops::views::reshape(&gradient, &input.sizes().iter().map(|&n| n as i64).collect::<Ints>())
        };
    }
}

op! {
    /// The product along one dimension.
    fn prod as "prod" / "dim" (
        input: Tensor, dim: i64, keepdim: bool = false; dtype: Option<DType> = None
    ) -> Tensor, FUNCTION METHOD;
    value { prod_over(input, Some(&[dim]), keepdim, dtype) }
    batch dims(dim);
    derivative "ProdBackward1" ByVjp {
        input(g, input, dim, keepdim, out) => {
            let sizes = input.sizes();
            let g = unreduce(g, &sizes, Some(&[dim]), keepdim)?;
            let out = unreduce(out, &sizes, Some(&[dim]), keepdim)?;
            if sizes.is_empty() {
                return Ok(Gradients::from_elem(Some(g), 1));
            }
            if !has_zeros(input)? {
                return Ok(Gradients::from_elem(Some(mul_tensors(&g, &conj(&div((&out).into(), input.into())?)?)?), 1));
            }
            let last = crate::ops::views::movedim(input, &[dim], &[-1])?;
            mul_tensors(&g, &crate::ops::views::movedim(&conj(&products_of_others(&last)?)?, &[-1], &[dim])?)
        };
    }
}

fn prod_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    check_differentiable("prod", input, dtype)?;
    let chosen = wrap_dims(dim, input.ndim())?;
    let input = input.cast(accumulating_dtype(input, dtype))?;
    with_element!(input.dtype(), ring T => {
        let (out, sink) = results::<T>(&input, &chosen, keepdim)?;
        // SAFETY: as for sums.
        reduce(Product::<T>::default(), &input.data(), &chosen, |i, p| unsafe { sink.get().add(i).write(p) });
        Ok(out)
    }, else {
        check_truths("prod", &input)?;
        prod_over(&input, dim, keepdim, Some(DType::Int64))?.cast(DType::Bool)
    })
}

/// Whether the gradient of a product is not simply `g * out / input`.
///
/// With zeros that quotient is undefined: then each element gets the product of the others, from the running
/// products before and after it.
fn has_zeros(input: &Tensor) -> Result<bool> {
    Ok(eq(&input.detach(), 0i64.into())?.to_vec::<bool>()?.contains(&true))
}

/// For each element of the last dimension the product of all the others, in differentiable operations.
fn products_of_others(input: &Tensor) -> Result<Tensor> {
    use crate::ops::joining::cat_tensors;
    use crate::ops::views::narrow;
    let sizes = input.sizes();
    let n = sizes.last().copied().unwrap_or(1);
    if n < 2 {
        return Tensor::full(&sizes, 1.0.into(), input.dtype());
    }
    let ones = Tensor::full(
        &{
            let mut s = sizes.clone();
            s[sizes.len() - 1] = 1;
            s
        },
        1.0.into(),
        input.dtype(),
    )?;
    let mut before = vec![ones.clone()];
    let mut after = vec![ones];
    for i in 0..n as i64 - 1 {
        before.push(mul_tensors(&before[i as usize], &narrow(input, -1, i, 1)?)?);
        after.push(mul_tensors(&after[i as usize], &narrow(input, -1, n as i64 - 1 - i, 1)?)?);
    }
    after.reverse();
    mul_tensors(&cat_tensors(&before, -1)?, &cat_tensors(&after, -1)?)
}

op! {
    /// The mean of all elements; needs a float type, or a float `dtype`.
    fn mean_all as "mean" (input: Tensor; dtype: Option<DType> = None) -> Tensor, FUNCTION METHOD;
    value { mean_over(input, None, false, dtype) }
    batch by(|batch| mean(&batch.rows(0)?, Some(&[1]), false, Option::<DType>::face(batch.value(1))));
    derivative "MeanBackward0" Linear {
        input(g, ctx) => mean_backward(g, ctx, None, false);
    }
}

op! {
    /// The mean over some dimensions.
    fn mean as "mean" / "dim" (
        input: Tensor, dim: Option<Ints>, keepdim: bool = false; dtype: Option<DType> = None
    ) -> Tensor, FUNCTION METHOD;
    value { mean_over(input, dim, keepdim, dtype) }
    batch over(dim);
    derivative "MeanBackward1" Linear {
        input(g, dim, keepdim, ctx) => mean_backward(g, ctx, dim, keepdim);
    }
}

fn mean_backward(g: &Tensor, ctx: &Backward, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let sizes = ctx.sizes_of(0)?;
    let count = count_of(&sizes, dim)?;
    let whole = expand_to(&unreduce(g, &sizes, dim, keepdim)?, &sizes)?;
    div_number(&whole, (count as f64).into())
}

/// How many elements each result of a reduction is made of.
fn count_of(sizes: &[usize], dim: Option<&[i64]>) -> Result<usize> {
    let chosen = wrap_dims(dim, sizes.len())?;
    Ok(sizes.iter().zip(chosen).filter(|row| row.1).map(|row| row.0).product())
}

fn mean_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool, dtype: Option<DType>) -> Result<Tensor> {
    let dtype = dtype.unwrap_or(input.dtype());
    if !dtype.is_differentiable() {
        bail!(
            Runtime,
            "mean: a floating point dtype is needed, the input is {}; convert it or pass dtype=",
            input.dtype()
        );
    }
    let total = sum_over(input, dim, keepdim, Some(dtype))?;
    let count = count_of(&input.sizes(), dim)?;
    crate::autograd::record::call_in_place(
        <div::Declaration as crate::ops::macros::Declared>::OP,
        &[crate::value::Value::Tensor(total), crate::value::Value::Scalar((count as f64).into())],
    )
}

op! {
    /// The variance over some dimensions (all if `dim` is `None`), divided by `n - correction`.
    fn var as "var" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> Tensor, FUNCTION METHOD;
    value {
        if !input.dtype().is_differentiable() {
            bail!(Runtime, "var: a floating point dtype is needed, the input is {}", input.dtype());
        }
        let count = count_of(&input.sizes(), dim)?;
        let every: Ints = (0..input.ndim() as i64).collect();
        let dims = dim.filter(|dims| !dims.is_empty()).unwrap_or(&every);
        let deviation = crate::ops::arithmetic::sub(input.into(), (&mean_over(input, Some(dims), true, None)?).into())?;
        let squares = real(&mul_tensors(&deviation, &conj(&deviation)?)?)?;
        let total = sum_over(&squares, Some(dims), keepdim, None)?;
        div((&total).into(), (count as f64 - correction.unwrap_or(1.0)).max(0.0).into())
    }
    batch over(dim);
    derivative "VarBackward0" ByVjp {
        input(g, input, dim, correction, keepdim) => {
            variance_backward(g, input, dim, correction.unwrap_or(1.0), keepdim)
        };
    }
}

/// The gradient of the variance: `g * 2 / (n - correction) * (x - mean)`.
fn variance_backward(
    g: &Tensor,
    input: &Tensor,
    dim: Option<&[i64]>,
    correction: f64,
    keepdim: bool,
) -> Result<Tensor> {
    let sizes = input.sizes();
    let Some(dims) = dim.filter(|_| !sizes.is_empty()) else {
        let mean = mean_all(input, None)?;
        let freedom = input.numel() as f64 - correction;
        if freedom <= 0.0 {
            // Infinite, but where it is infinity times 0.
            let zero = eq(input, (&mean).into())?;
            let slope = choose(&zero, f64::NAN.into(), f64::INFINITY.into())?;
            return mul_tensors(g, &to_dtype(&slope, g.dtype())?);
        }
        let scaled = mul(g.into(), (2.0 / freedom).into())?;
        return mul_tensors(&scaled, &sub(input.into(), (&mean).into())?);
    };
    let count = count_of(&sizes, Some(dims))?;
    let g = unreduce(g, &sizes, Some(dims), keepdim)?;
    let every: Ints = (0..sizes.len() as i64).collect();
    let mean = mean(input, Some(if dims.is_empty() { &every } else { dims }), true, None)?;
    let scaled = mul((&g).into(), (2.0 / (count as f64 - correction)).into())?;
    mul_tensors(&scaled, &sub(input.into(), (&mean).into())?)
}

op! {
    /// The variance, with Bessel's correction if `unbiased`.
    fn var_unbiased as "var" / "unbiased" (input: Tensor, dim: Option<Ints>, unbiased: bool = true, keepdim: bool = false) -> Tensor,
        FUNCTION METHOD;
    value { var(input, dim, Some(f64::from(u8::from(unbiased))), keepdim) }
    derivative composite;
}

op! {
    /// The standard deviation over some dimensions (all if `dim` is `None`): the square root of the variance.
    fn standard_deviation as "std" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> Tensor, FUNCTION METHOD;
    value { crate::ops::unary::sqrt(&crate::autograd::modes::without_grad(|| var(input, dim, correction, keepdim))?) }
    batch over(dim);
    derivative "StdBackward0" ByVjp {
        input(g, input, dim, correction, keepdim, out) => {
            // The variance's rule with g / (2 std); 0 where the deviation is 0.
            let halved = div(g.into(), (&mul(out.into(), 2.0.into())?).into())?;
            let zero = eq(out, 0i64.into())?;
            let halved = choose(&zero, 0.0.into(), (&halved).into())?;
            variance_backward(&halved, input, dim, correction.unwrap_or(1.0), keepdim)
        };
    }
}

op! {
    /// The standard deviation, with Bessel's correction if `unbiased`.
    fn std_unbiased as "std" / "unbiased" (input: Tensor, dim: Option<Ints>, unbiased: bool = true, keepdim: bool = false) -> Tensor,
        FUNCTION METHOD;
    value { standard_deviation(input, dim, Some(f64::from(u8::from(unbiased))), keepdim) }
    derivative composite;
}

/// Complex numbers have no order.
fn check_ordered(name: &str, input: &Tensor) -> Result<()> {
    if input.dtype().is_complex() {
        bail!(Runtime, "{name}: complex numbers have no order; compare abs() or real parts");
    }
    Ok(())
}

/// An error if there is nothing to choose an extreme from.
fn check_not_empty(name: &str, input: &Tensor, chosen: &[bool]) -> Result<()> {
    let sizes = input.sizes();
    if sizes.iter().zip(chosen).any(|(&size, &reduced)| reduced && size == 0) {
        bail!(
            Index,
            "{name}: a tensor of size {} has no elements along the reduced dimension to choose from",
            shape::show(&sizes)
        );
    }
    Ok(())
}

fn extreme_value<const LARGEST: bool>(
    name: &str,
    input: &Tensor,
    dim: Option<&[i64]>,
    keepdim: bool,
) -> Result<Tensor> {
    let chosen = wrap_dims(dim, input.ndim())?;
    let dim = dim.filter(|dims| !dims.is_empty());
    check_not_empty(name, input, &chosen)
        .map_err(|error| if dim.is_none() { crate::error!(Runtime, "{error}") } else { error })?;
    let bytes = if input.dtype() == DType::Bool { input.cast(DType::UInt8)? } else { input.clone() };
    let out = with_element!(bytes.dtype(), real T => {
        let (out, sink) = results::<T>(&bytes, &chosen, keepdim)?;
        let fold = ExtremeValue::<T, LARGEST>::default();
        // SAFETY: as for sums.
        reduce(fold, &bytes.data(), &chosen, |i, value| unsafe { sink.get().add(i).write(value) });
        out
    }, else { bail!(NotImplemented, "{name}: not implemented for {}", input.dtype()) });
    out.cast(input.dtype())
}

fn extreme<const LARGEST: bool>(name: &str, input: &Tensor, dim: i64, keepdim: bool) -> Result<[Tensor; 2]> {
    let chosen = wrap_dims(Some(&[dim]), input.ndim())?;
    check_not_empty(name, input, &chosen)?;
    let bytes = if input.dtype() == DType::Bool { input.cast(DType::UInt8)? } else { input.clone() };
    let (values, indices) = with_element!(bytes.dtype(), real T => {
        let (values, sink) = results::<T>(&bytes, &chosen, keepdim)?;
        let (indices, places) = results::<i64>(&bytes, &chosen, keepdim)?;
        let fold = Extreme::<T, LARGEST>::default();
        // SAFETY: as for sums.
        reduce(fold, &bytes.data(), &chosen, |i, (value, place)| unsafe {
            sink.get().add(i).write(value);
            places.get().add(i).write(place as i64);
        });
        (values, indices)
    }, else { bail!(NotImplemented, "{name}: not implemented for {}", input.dtype()) });
    Ok([values.cast(input.dtype())?, indices])
}

/// A gradient shared evenly among all elements that equal the result; row-major, as PyTorch has it.
fn share_among_equals(g: &Tensor, input: &Tensor, out: &Tensor) -> Result<Tensor> {
    let not_a_number = out.item()?.to_f64().is_nan();
    let equals = if not_a_number { isnan(input)? } else { eq(input, out.into())? };
    let share = div(g.into(), (&sum_all(&equals, None)?).into())?;
    crate::ops::indexing::masked_fill(&Tensor::zeros(&input.sizes(), g.dtype())?, &equals, (&share).into())
}

/// A gradient put where the index says, along one dimension.
fn put_at_index(g: &Tensor, indices: &Tensor, sizes: &Dims, dim: i64, keepdim: bool) -> Result<Tensor> {
    let (g, indices) = if keepdim || sizes.is_empty() {
        (g.clone(), indices.clone())
    } else {
        (crate::ops::views::unsqueeze(g, dim)?, crate::ops::views::unsqueeze(indices, dim)?)
    };
    let zeros = Tensor::zeros(sizes, g.dtype())?;
    crate::ops::gathering::scatter_add(&zeros, dim, &indices, &g)
}

op! {
    /// The largest element; equal ones share its gradient.
    fn max_all as "max" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { extreme_value::<true>("max", input, None, false) }
    batch by(|batch| amax(&batch.rows(0)?, &[1], false));
    derivative "MaxBackward1" ByVjp {
        input(g, input, out) => share_among_equals(g, input, out);
    }
}

op! {
    /// The larger of two elements: `maximum` under its older name.
    fn max_other as "max" / "other" (input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value { crate::ops::selection::maximum(input, other) }
    derivative composite;
}

op! {
    /// The largest element along a dimension and its first place; the place alone gets the gradient.
    fn max as "max" / "dim" (input: Tensor, dim: i64, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value {
        check_ordered("max", input)?;
        extreme::<true>("max", input, dim, keepdim)
    }
    batch dims(dim);
    derivative "MaxBackward0" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

op! {
    /// The smallest element; equal ones share its gradient.
    fn min_all as "min" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { extreme_value::<false>("min", input, None, false) }
    batch by(|batch| amin(&batch.rows(0)?, &[1], false));
    derivative "MinBackward1" ByVjp {
        input(g, input, out) => share_among_equals(g, input, out);
    }
}

op! {
    /// The smaller of two elements: `minimum` under its older name.
    fn min_other as "min" / "other" (input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value { crate::ops::selection::minimum(input, other) }
    derivative composite;
}

op! {
    /// The smallest element along a dimension and its first place; the place alone gets the gradient.
    fn min as "min" / "dim" (input: Tensor, dim: i64, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value {
        check_ordered("min", input)?;
        extreme::<false>("min", input, dim, keepdim)
    }
    batch dims(dim);
    derivative "MinBackward0" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

op! {
    /// The largest element over some dimensions; equal ones share its gradient.
    fn amax(input: Tensor, dim: Ints = &[], keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        if input.numel() == 0 && input.requires_grad() {
            check_ordered("amax", input)?;
        }
        extreme_value::<true>("amax", input, Some(dim), keepdim)
    }
    batch over(dim);
    derivative "AmaxBackward0" ByVjp {
        input(g, input, dim, keepdim, out) => share_over_dims(g, input, out, dim, keepdim);
    }
}

op! {
    /// The smallest element over some dimensions; equal ones share its gradient.
    fn amin(input: Tensor, dim: Ints = &[], keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        if input.numel() == 0 && input.requires_grad() {
            check_ordered("amin", input)?;
        }
        extreme_value::<false>("amin", input, Some(dim), keepdim)
    }
    batch over(dim);
    derivative "AminBackward0" ByVjp {
        input(g, input, dim, keepdim, out) => share_over_dims(g, input, out, dim, keepdim);
    }
}

fn share_over_dims(g: &Tensor, input: &Tensor, out: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    let sizes = input.sizes();
    let (g, out) = (unreduce(g, &sizes, Some(dim), keepdim)?, unreduce(out, &sizes, Some(dim), keepdim)?);
    let equals = to_dtype(&eq(input, (&out).into())?, g.dtype())?;
    let every: Ints = (0..sizes.len() as i64).collect();
    let count = sum(&equals, Some(if dim.is_empty() { &every } else { dim }), true, None)?;
    mul_tensors(&div((&g).into(), (&count).into())?, &equals)
}

fn place_of_extreme<const LARGEST: bool>(
    name: &str,
    input: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
) -> Result<Tensor> {
    if input.dtype() == DType::Bool {
        bail!(Runtime, "{name}: not defined for a bool tensor; convert it to uint8 first");
    }
    check_ordered(name, input)?;
    match dim {
        Some(dim) => Ok(extreme::<LARGEST>(name, input, dim, keepdim)?[1].clone()),
        None => {
            if input.numel() == 0 {
                bail!(Index, "{name}: a tensor without elements has no extreme; pass dim to reduce over one that has");
            }
            let flat = crate::ops::views::reshape(&input.detach(), &[-1])?;
            let place = extreme::<LARGEST>(name, &flat, 0, false)?[1].clone();
            let sizes: Dims = Dims::from_elem(1, if keepdim { input.ndim() } else { 0 });
            Ok(place.alias(sizes.clone(), shape::contiguous_strides(&sizes), 0))
        }
    }
}

op! {
    /// The first place of the largest element, along a dimension or in the flattened tensor.
    fn argmax(input: Tensor, dim: Option<i64> = None, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { place_of_extreme::<true>("argmax", input, dim, keepdim) }
    batch by(|batch| match (Option::<i64>::face(batch.value(1)), batch.ndim(0)?) {
        (None, ndim) => {
            let place = argmax(&batch.rows(0)?, Some(1), false)?;
            let kept = if bool::face(batch.value(2)) { ndim } else { 0 };
            crate::ops::views::view(&place, &batch.sizes(&Ints::from_elem(1, kept)))
        }
        (Some(_), 0) => batch.one_by_one_tensor(),
        (Some(dim), ndim) => {
            argmax(batch.tensor(0)?, Some(shape::wrap_dim(dim, ndim)? as i64 + 1), bool::face(batch.value(2)))
        }
    });
    derivative none;
}

op! {
    /// The first place of the smallest element, along a dimension or in the flattened tensor.
    fn argmin(input: Tensor, dim: Option<i64> = None, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { place_of_extreme::<false>("argmin", input, dim, keepdim) }
    batch by(|batch| match (Option::<i64>::face(batch.value(1)), batch.ndim(0)?) {
        (None, ndim) => {
            let place = argmin(&batch.rows(0)?, Some(1), false)?;
            let kept = if bool::face(batch.value(2)) { ndim } else { 0 };
            crate::ops::views::view(&place, &batch.sizes(&Ints::from_elem(1, kept)))
        }
        (Some(_), 0) => batch.one_by_one_tensor(),
        (Some(dim), ndim) => {
            argmin(batch.tensor(0)?, Some(shape::wrap_dim(dim, ndim)? as i64 + 1), bool::face(batch.value(2)))
        }
    });
    derivative none;
}

/// Whether elements are not 0, as bytes.
fn truth(input: &Tensor) -> Result<Tensor> {
    input.cast(DType::Bool)?.cast(DType::UInt8)
}

/// `any` and `all` of a byte tensor keep its type, as PyTorch has it; others give bool.
fn truth_dtype(input: &Tensor) -> DType {
    if input.dtype() == DType::UInt8 { DType::UInt8 } else { DType::Bool }
}

/// The dimensions to be reduced: no dimension for an empty list, unlike for sums.
fn dims_of_truth(input: &Tensor, dim: Option<&[i64]>) -> Result<SmallVec<[bool; 8]>> {
    match dim {
        Some([]) => Ok(SmallVec::from_elem(false, input.ndim())),
        dim => wrap_dims(dim, input.ndim()),
    }
}

fn any_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let (dims, bytes) = (dims_of_truth(input, dim)?, truth(input)?);
    let (out, sink) = results::<u8>(&bytes, &dims, keepdim)?;
    // SAFETY: as for sums.
    reduce(ExtremeValue::<u8, true>::default(), &bytes.data(), &dims, |i, v| unsafe { sink.get().add(i).write(v) });
    out.cast(truth_dtype(input))
}

fn all_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let (dims, bytes) = (dims_of_truth(input, dim)?, truth(input)?);
    let (out, sink) = results::<u8>(&bytes, &dims, keepdim)?;
    // SAFETY: as for sums.
    reduce(ExtremeValue::<u8, false>::default(), &bytes.data(), &dims, |i, v| unsafe {
        sink.get().add(i).write(v.min(1))
    });
    out.cast(truth_dtype(input))
}

/// The dimensions that `any` and `all` reduce in each example; nothing if there are none, which here means none.
fn dims_of_batch(batch: &crate::op::Batched) -> Result<Option<Ints>> {
    let ndim = batch.ndim(0)?;
    match Option::<Ints>::face(batch.value(1)) {
        _ if ndim == 0 => Ok(None),
        None => batch.every_dim(0).map(Some),
        Some([]) => Ok(None),
        Some(dims) => {
            dims.iter().map(|&dim| Ok(shape::wrap_dim(dim, ndim)? as i64 + 1)).collect::<Result<_>>().map(Some)
        }
    }
}

op! {
    /// Whether some element is not 0.
    fn any_all as "any" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { any_over(input, None, false) }
    batch by(|batch| any(&batch.rows(0)?, Some(&[1]), false));
    derivative none;
}

op! {
    /// Whether some element is not 0, over some dimensions.
    fn any as "any" / "dim" (input: Tensor, dim: Option<Ints>, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { any_over(input, dim, keepdim) }
    batch by(|batch| match dims_of_batch(batch)? {
        None => batch.one_by_one_tensor(),
        Some(dims) => any(batch.tensor(0)?, Some(&dims), bool::face(batch.value(2))),
    });
    derivative none;
}

op! {
    /// Whether no element is 0.
    fn all_all as "all" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { all_over(input, None, false) }
    batch by(|batch| all(&batch.rows(0)?, Some(&[1]), false));
    derivative none;
}

op! {
    /// Whether no element is 0, over some dimensions.
    fn all as "all" / "dim" (input: Tensor, dim: Option<Ints>, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { all_over(input, dim, keepdim) }
    batch by(|batch| match dims_of_batch(batch)? {
        None => batch.one_by_one_tensor(),
        Some(dims) => all(batch.tensor(0)?, Some(&dims), bool::face(batch.value(2))),
    });
    derivative none;
}

op! {
    /// The sum over those dimensions that broadcasting from `size` to the tensor's size would add or stretch.
    fn sum_to_size(input: Tensor, size: Ints) -> Tensor, METHOD;
    value {
        let (sizes, target) = (input.sizes(), shape::checked_sizes(size)?);
        if shape::broadcast_strides(&target, &shape::contiguous_strides(&target), &sizes).is_none() {
            bail!(
                Runtime,
                "sum_to_size: size {} does not broadcast to the tensor's size {}",
                shape::show(size),
                shape::show(&sizes)
            );
        }
        if target.is_empty() && !sizes.is_empty() {
            return sum_all(input, None);
        }
        let lead = sizes.len() - target.len();
        let dims: Ints = (0..sizes.len())
            .filter(|&d| d < lead || (target[d - lead] == 1 && sizes[d] != 1))
            .map(|d| d as i64)
            .collect();
        if dims.is_empty() {
            return Ok(input.clone());
        }
        let summed = sum(input, Some(&dims), true, None)?;
        if lead == 0 { Ok(summed) } else { crate::ops::views::view(&summed, size) }
    }
    derivative composite;
}

op! {
    /// The variance of all elements, with Bessel's correction if `unbiased`.
    fn var_all as "var" / "all" (input: Tensor, unbiased: bool = true) -> Tensor, FUNCTION METHOD;
    value { var(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}

op! {
    /// The standard deviation of all elements, with Bessel's correction if `unbiased`.
    fn std_all as "std" / "all" (input: Tensor, unbiased: bool = true) -> Tensor, FUNCTION METHOD;
    value { standard_deviation(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}
