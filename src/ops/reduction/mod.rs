//! Sums, products and means.

mod extremes;
mod moments;
mod numbers;
mod truth;

use smallvec::SmallVec;

use crate::autograd::modes;
use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::kernels::parallel::Shared;
use crate::kernels::reduce::{Extreme, ExtremeValue, Product, Squares, Sum, reduce};
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
pub use extremes::*;
pub use moments::*;
pub use numbers::*;
pub use truth::*;

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
pub(crate) fn accumulating_dtype(input: &Tensor, dtype: Option<DType>) -> DType {
    dtype.unwrap_or(if input.dtype().is_integral() { DType::Int64 } else { input.dtype() })
}

op! {
    /// The sum of all elements. Integers and bools are summed as int64 unless `dtype` says otherwise.
    fn sum_all as "sum" (input: Tensor; dtype: Option<DType> = None) -> Tensor, FUNCTION NO_OUT METHOD;
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
pub(crate) fn check_differentiable(name: &str, input: &Tensor, dtype: Option<DType>) -> Result<()> {
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

/// The square root of the sum of the squares of floats, whose squares need not be in the range of their type.
pub(crate) fn root_of_squares(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let chosen = wrap_dims(dim, input.ndim())?;
    with_element!(input.dtype(), float T => {
        let (out, sink) = results::<T>(input, &chosen, keepdim)?;
        reduce(Squares::<T>::default(), &input.data(), &chosen, |i, sum| {
            // SAFETY: each result is written once, into its own place.
            unsafe { sink.get().add(i).write(T::from_f64(sum.sqrt())) }
        });
        Ok(out)
    }, else root_of_squares(&input.cast(DType::Float32)?, dim, keepdim)?.cast(input.dtype()))
}

op! {
    /// The product of all elements.
    fn prod_all as "prod" (input: Tensor; dtype: Option<DType> = None) -> Tensor, FUNCTION NO_OUT METHOD;
    value { prod_over(input, None, false, dtype) }
    batch by(|batch| prod(&batch.rows(0)?, 1, false, Option::<DType>::face(batch.value(1))));
    derivative "ProdBackward0" ByVjp {
        input(g, input, out) => {
            if input.ndim() == 0 {
                return Ok(Gradients::from_elem(Some(g.clone()), 1));
            }
            let input = to_dtype(input, g.dtype())?;
            if !has_zeros(&input)? {
                return Ok(Gradients::from_elem(Some(mul_tensors(g, &conj(&div(out.into(), (&input).into())?)?)?), 1));
            }
            let flat = crate::ops::views::reshape(&input, &[-1])?;
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
            let input = to_dtype(input, g.dtype())?;
            if !has_zeros(&input)? {
                return Ok(Gradients::from_elem(Some(mul_tensors(&g, &conj(&div((&out).into(), (&input).into())?)?)?), 1));
            }
            let last = crate::ops::views::movedim(&input, &[dim], &[-1])?;
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
