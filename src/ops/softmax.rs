//! Softmax, its logarithm, and the logarithm of a sum of exponentials.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::algebra::Float;
use crate::kernels::parallel::{self, Shared};
use crate::ops::arithmetic::{add_tensors, mul_tensors, sub};
use crate::ops::comparison::isinf;
use crate::ops::conversion::to_dtype;
use crate::ops::reduction::{amax, sum, unreduce};
use crate::ops::selection::choose;
use crate::ops::unary::{exp, log};
use crate::shape::{Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

/// Runs `row` on each run of elements along a dimension: moved to the end, computed, and moved back.
fn along(name: &str, input: &Tensor, dim: i64, logarithm: bool) -> Result<Tensor> {
    let d = wrap_dim(dim, input.ndim())?;
    if !input.dtype().is_float() {
        if input.numel() == 0 {
            return Tensor::empty(&input.sizes(), input.dtype());
        }
        bail!(NotImplemented, "{name}: not implemented for {}; pass dtype= or convert it first", input.dtype());
    }
    if input.ndim() == 0 {
        return Tensor::full(&[], if logarithm { 0.0 } else { 1.0 }.into(), input.dtype());
    }
    let last = crate::ops::views::transpose(&input.detach(), d as i64, -1)?.to_contiguous()?;
    let out = Tensor::empty(&last.sizes(), last.dtype())?;
    let length = last.sizes()[last.ndim() - 1];
    if last.numel() > 0 {
        with_element!(last.dtype(), float T => {
            let source = Shared::new(last.data().pointer().cast::<T>());
            let target = Shared::new(out.data().pointer().cast::<T>());
            parallel::for_each_chunk(last.numel() / length, (parallel::GRAIN / length).max(1), |rows| {
                for row in rows {
                    // SAFETY: each row is a slice of its own.
                    let (x, y) = unsafe {
                        (
                            std::slice::from_raw_parts(source.get().add(row * length), length),
                            std::slice::from_raw_parts_mut(target.get().add(row * length), length),
                        )
                    };
                    if logarithm { log_softmax_row(x, y) } else { softmax_row(x, y) }
                }
            });
        }, else {});
    }
    let back = crate::ops::views::transpose(&out, d as i64, -1)?;
    if back.is_contiguous() { Ok(back.detach()) } else { back.copied(back.dtype()) }
}

fn largest<T: Float>(x: &[T]) -> T {
    x.iter().fold(T::lowest(), |most, &value| most.maximum(value))
}

fn softmax_row<T: Float>(x: &[T], y: &mut [T]) {
    let most = largest(x);
    let mut total = T::default();
    for (out, &value) in y.iter_mut().zip(x) {
        *out = (value - most).exp();
        total = total + *out;
    }
    let scale = T::from_f64(1.0) / total;
    y.iter_mut().for_each(|out| *out = *out * scale);
}

fn log_softmax_row<T: Float>(x: &[T], y: &mut [T]) {
    let most = largest(x);
    let total = x.iter().fold(T::default(), |total, &value| total + (value - most).exp());
    let shift = total.log();
    for (out, &value) in y.iter_mut().zip(x) {
        *out = value - most - shift;
    }
}

fn converted(input: &Tensor, dtype: Option<DType>) -> Result<Tensor> {
    match dtype {
        Some(dtype) => to_dtype(input, dtype),
        None => Ok(input.clone()),
    }
}

op! {
    /// `exp(x)` divided by its sum along `dim`: positive numbers that add up to 1.
    fn softmax(input: Tensor, dim: i64, dtype: Option<DType> = None) -> Tensor, FUNCTIONAL FUNCTION METHOD;
    value { softmax_of(&converted(input, dtype)?, dim) }
    derivative composite;
}

op! {
    /// `softmax` without a change of type.
    fn softmax_of as "_softmax" (input: Tensor, dim: i64) -> Tensor;
    value { along("softmax", input, dim, false) }
    derivative "SoftmaxBackward0" ByVjp {
        input(g, dim, out) => {
            let weighted = mul_tensors(g, out)?;
            let total = sum(&weighted, Some(&[dim]), true, None)?;
            sub((&weighted).into(), (&mul_tensors(out, &total)?).into())
        };
    }
}

op! {
    /// The logarithm of `softmax`, accurate where that is near 0.
    fn log_softmax(input: Tensor, dim: i64, dtype: Option<DType> = None) -> Tensor, FUNCTIONAL FUNCTION METHOD;
    value { log_softmax_of(&converted(input, dtype)?, dim) }
    derivative composite;
}

op! {
    /// `log_softmax` without a change of type.
    fn log_softmax_of as "_log_softmax" (input: Tensor, dim: i64) -> Tensor;
    value { along("log_softmax", input, dim, true) }
    derivative "LogSoftmaxBackward0" ByVjp {
        input(g, dim, out) => {
            let total = sum(g, Some(&[dim]), true, None)?;
            sub(g.into(), (&mul_tensors(&exp(out)?, &total)?).into())
        };
    }
}

op! {
    /// `log(sum(exp(x)))` over some dimensions, without overflow.
    fn logsumexp(input: Tensor, dim: Ints, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        let input = if input.dtype().is_float() { input.clone() } else { input.cast(crate::promotion::default_float())? };
        if input.numel() == 0 {
            return log(&sum(&exp(&input)?, Some(dim), keepdim, None)?);
        }
        let most = amax(&input, dim, true)?;
        // Where all is -inf (or some is inf), nothing is subtracted: inf - inf is not a number.
        let most = choose(&isinf(&most)?, 0.0.into(), (&most).into())?;
        let shifted = exp(&sub((&input).into(), (&most).into())?)?;
        let total = add_tensors(&log(&sum(&shifted, Some(dim), true, None)?)?, &most)?;
        if keepdim {
            return Ok(total);
        }
        let chosen = crate::shape::wrap_dims(Some(dim), input.ndim())?;
        let sizes = crate::shape::reduced(&input.sizes(), &chosen, false);
        Ok(total.alias(sizes.clone(), crate::shape::contiguous_strides(&sizes), 0))
    }
    derivative "LogsumexpBackward0" ByVjp {
        input(g, input, dim, keepdim, out) => {
            let sizes = input.sizes();
            let (g, out) = (unreduce(g, &sizes, Some(dim), keepdim)?, unreduce(out, &sizes, Some(dim), keepdim)?);
            // An infinite result comes from infinite elements, whose share is exp(x - result) = exp(nan): take 0 off.
            let finite = choose(&isinf(&out)?, 0.0.into(), (&out).into())?;
            mul_tensors(&g, &exp(&sub(input.into(), (&finite).into())?)?)
        };
    }
}
