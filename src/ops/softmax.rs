//! Softmax, its logarithm, and the logarithm of a sum of exponentials.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::softmax::{
    Extents, Formula, LogSoftmax, LogSoftmaxGradient, Softmax, SoftmaxGradient, along as run_along,
};
use crate::ops::arithmetic::{add_tensors, mul_tensors, sub};
use crate::ops::comparison::isinf;
use crate::ops::complex::{conj, real};
use crate::ops::conversion::to_dtype;
use crate::ops::reduction::{amax, sum, unreduce};
use crate::ops::selection::choose;
use crate::ops::unary::{exp, log};
use crate::shape::{Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

/// Computes a formula of two tensors of one size (of one, given twice) along a dimension.
fn along<F>(name: &str, formula: F, first: &Tensor, second: &Tensor, dim: i64) -> Result<Tensor>
where
    F: Formula<f32> + Formula<f64>,
{
    let d = wrap_dim(dim, first.ndim())?;
    let sizes = first.sizes();
    let out = Tensor::empty(&sizes, first.dtype())?;
    if first.numel() == 0 {
        if first.dtype().is_complex() && first.requires_grad() {
            bail!(Runtime, "{name}: complex numbers have no softmax to differentiate");
        }
        return Ok(out);
    }
    let (first, second) = (first.to_contiguous()?, second.to_contiguous()?);
    let extents = Extents::new(&sizes, d);
    let (a, b, sink) = (first.data().pointer(), second.data().pointer(), out.data().pointer());
    with_element!(first.dtype(), float T => {
        // SAFETY: three row-major tensors of one size and type, of which the last is new.
        unsafe { run_along::<T, F>(formula, extents, a.cast(), b.cast(), sink.cast()) }
    }, else bail!(NotImplemented, "{name}: not implemented for {}; pass dtype= or convert it first", first.dtype()));
    Ok(out)
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
    value { along("softmax", Softmax, input, input, dim) }
    batch dims(dim);
    derivative "SoftmaxBackward0" ByVjp {
        input(g, dim, out) => softmax_backward(g, out, dim);
    }
}

op! {
    /// The gradient of `softmax` from its result.
    fn softmax_backward as "_softmax_backward" (gradient: Tensor, result: Tensor, dim: i64) -> Tensor;
    value { along("softmax", SoftmaxGradient, gradient, result, dim) }
    batch together(dim);
    derivative "SoftmaxBackwardDataBackward0" ByVjp {
        // The Jacobian of softmax is symmetric.
        gradient(g, result, dim) => softmax_backward(g, result, dim);
        result(g, gradient, result, dim) => {
            let over = |a: &Tensor, b: &Tensor| sum(&mul_tensors(a, b)?, Some(&[dim]), true, None);
            let rest = sub(gradient.into(), (&over(gradient, result)?).into())?;
            sub((&mul_tensors(g, &rest)?).into(), (&mul_tensors(gradient, &over(g, result)?)?).into())
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
    value { along("log_softmax", LogSoftmax, input, input, dim) }
    batch dims(dim);
    derivative "LogSoftmaxBackward0" ByVjp {
        input(g, dim, out) => log_softmax_backward(g, out, dim);
    }
}

op! {
    /// The gradient of `log_softmax` from its result.
    fn log_softmax_backward as "_log_softmax_backward" (gradient: Tensor, result: Tensor, dim: i64) -> Tensor;
    value { along("log_softmax", LogSoftmaxGradient, gradient, result, dim) }
    batch together(dim);
    derivative "LogSoftmaxBackwardDataBackward0" ByVjp {
        gradient(g, result, dim) => {
            sub(g.into(), (&sum(&mul_tensors(g, &exp(result)?)?, Some(&[dim]), true, None)?).into())
        };
        result(g, gradient, result, dim) => {
            let total = crate::ops::unary::neg(&sum(gradient, Some(&[dim]), true, None)?)?;
            mul_tensors(&mul_tensors(&total, &exp(result)?)?, g)
        };
    }
}

op! {
    /// `log(sum(exp(x)))` over some dimensions, without overflow.
    fn logsumexp(input: Tensor, dim: Ints, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        let input = if input.dtype().is_differentiable() { input.clone() } else { input.cast(crate::promotion::default_float())? };
        if input.numel() == 0 {
            return log(&sum(&exp(&input)?, Some(dim), keepdim, None)?);
        }
        let most = amax(&real(&input)?, dim, true)?;
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
    batch over(dim);
    derivative "LogsumexpBackward0" ByVjp {
        input(g, input, dim, keepdim, out) => {
            let sizes = input.sizes();
            let (g, out) = (unreduce(g, &sizes, Some(dim), keepdim)?, unreduce(out, &sizes, Some(dim), keepdim)?);
            // An infinite result comes from infinite elements, whose share is exp(x - result) = exp(nan): take 0 off.
            let finite = choose(&isinf(&out)?, 0.0.into(), (&out).into())?;
            mul_tensors(&g, &conj(&exp(&sub(input.into(), (&finite).into())?)?)?)
        };
    }
}
