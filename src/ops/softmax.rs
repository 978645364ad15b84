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
use crate::shape::{Dims, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

/// What is computed of each run of elements along the dimension.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    Softmax,
    LogSoftmax,
    /// Their gradients, from the incoming one and the result.
    SoftmaxGradient,
    LogSoftmaxGradient,
}

/// Computes rows along a dimension: moved to the end, computed, and moved back. The result is row-major.
fn along(name: &str, row: Row, input: &Tensor, second: Option<&Tensor>, dim: i64) -> Result<Tensor> {
    let d = wrap_dim(dim, input.ndim())?;
    if input.numel() == 0 {
        return Tensor::empty(&input.sizes(), input.dtype());
    }
    let rows_of = |tensor: &Tensor| match tensor.ndim() {
        0 => crate::ops::views::reshape(&tensor.detach(), &[1]),
        _ => crate::ops::views::transpose(&tensor.detach(), d as i64, -1)?.to_contiguous(),
    };
    let (last, second) = (rows_of(input)?, second.map(rows_of).transpose()?);
    let out = Tensor::empty(&last.sizes(), last.dtype())?;
    let length = last.sizes()[last.ndim() - 1];
    with_element!(last.dtype(), float T => {
        let source = Shared::new(last.data().pointer().cast::<T>());
        let results = second.as_ref().map(|second| Shared::new(second.data().pointer().cast::<T>()));
        let target = Shared::new(out.data().pointer().cast::<T>());
        parallel::for_each_chunk(last.numel() / length, (parallel::GRAIN / length).max(1), |rows| {
            for at in rows.map(|row| row * length) {
                // SAFETY: each row is a slice of its own.
                let (x, y) = unsafe {
                    (
                        std::slice::from_raw_parts(source.get().add(at), length),
                        std::slice::from_raw_parts_mut(target.get().add(at), length),
                    )
                };
                // SAFETY: as above.
                let result = |results: &Shared<T>| unsafe { std::slice::from_raw_parts(results.get().add(at), length) };
                let result = results.as_ref().map_or(&[][..], result);
                match row {
                    Row::Softmax => softmax_row(x, y),
                    Row::LogSoftmax => log_softmax_row(x, y),
                    Row::SoftmaxGradient => softmax_gradient_row(x, result, y),
                    Row::LogSoftmaxGradient => log_softmax_gradient_row(x, result, y),
                }
            }
        });
    }, else bail!(NotImplemented, "{name}: not implemented for {}; pass dtype= or convert it first", input.dtype()));
    if input.ndim() == 0 {
        return Ok(out.alias(Dims::new(), Dims::new(), 0));
    }
    crate::ops::views::transpose(&out, d as i64, -1)?.detach().to_contiguous()
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

fn softmax_gradient_row<T: Float>(g: &[T], result: &[T], out: &mut [T]) {
    let total = g.iter().zip(result).fold(T::default(), |total, (&g, &y)| total + g * y);
    for ((out, &g), &y) in out.iter_mut().zip(g).zip(result) {
        *out = y * (g - total);
    }
}

fn log_softmax_gradient_row<T: Float>(g: &[T], result: &[T], out: &mut [T]) {
    let total = g.iter().fold(T::default(), |total, &g| total + g);
    for ((out, &g), &y) in out.iter_mut().zip(g).zip(result) {
        *out = g - y.exp() * total;
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
    value { along("softmax", Row::Softmax, input, None, dim) }
    batch dims(dim);
    derivative "SoftmaxBackward0" ByVjp {
        input(g, dim, out) => softmax_backward(g, out, dim);
    }
}

op! {
    /// The gradient of `softmax` from its result.
    fn softmax_backward as "_softmax_backward" (gradient: Tensor, result: Tensor, dim: i64) -> Tensor;
    value { along("softmax", Row::SoftmaxGradient, gradient, Some(result), dim) }
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
    value { along("log_softmax", Row::LogSoftmax, input, None, dim) }
    batch dims(dim);
    derivative "LogSoftmaxBackward0" ByVjp {
        input(g, dim, out) => log_softmax_backward(g, out, dim);
    }
}

op! {
    /// The gradient of `log_softmax` from its result.
    fn log_softmax_backward as "_log_softmax_backward" (gradient: Tensor, result: Tensor, dim: i64) -> Tensor;
    value { along("log_softmax", Row::LogSoftmaxGradient, gradient, Some(result), dim) }
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
    batch over(dim);
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
