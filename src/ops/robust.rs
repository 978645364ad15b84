//! Losses that are quadratic near 0 and linear beyond: `huber_loss` and `smooth_l1_loss`.

use crate::error::Result;
use crate::op::Batched;
use crate::ops::conversion::contiguous;
use crate::ops::loss::{Reduction, l1_loss, reduce, reduce_examples, reduction, share};
use crate::ops::unary::neg;
use crate::scalar::Scalar;
use crate::shape;
use crate::tensor::Tensor;
use crate::value::Argument;
use crate::{bail, op, pointwise};

pointwise! {
    /// `factor * d² / 2` for differences d up to `delta` in size, `factor * delta * (|d| - delta / 2)` beyond.
    fn robust as "huber_loss" / "values" (input: Tensor, target: Tensor => delta: Scalar, factor: Scalar) floating -> same
        = (factor * (0.5 * (input - target) * (input - target))).or_else_if(
            (input - target).absolute().less_equal(delta),
            factor * (delta * ((input - target).absolute() - 0.5 * delta))
        );

    /// Its gradient.
    fn robust_slope as "huber_loss" / "backward" (
        input: Tensor, target: Tensor, gradient: Tensor => delta: Scalar, factor: Scalar
    ) floating -> same, "HuberLossBackwardBackward0"
        = factor * gradient
            * (input - target).or_else_if(
                (input - target).absolute().less(delta), (input - target).sign() * delta
            );
        input(g, input, target, gradient, delta, factor) =
            (factor * g * gradient).only_if((input - target).absolute().less(delta));
        target(g, input, target, gradient, delta, factor) =
            -((factor * g * gradient).only_if((input - target).absolute().less(delta)));
        gradient(g, input, target, delta, factor) = factor * g
            * (input - target).or_else_if(
                (input - target).absolute().less(delta), (input - target).sign() * delta
            );
}

/// The number of the losses, by which a mean divides.
fn count(input: &Tensor, target: &Tensor) -> Result<usize> {
    shape::numel(&shape::broadcast(&input.sizes(), &target.sizes())?)
}

fn of_batch(batch: &Batched, loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let how: Reduction = reduction("loss", String::face(batch.value(2)))?;
    let rank = batch.ndim(0)?.max(batch.ndim(1)?);
    reduce_examples(batch, loss(&batch.aligned(0, rank)?, &batch.aligned(1, rank)?)?, how)
}

op! {
    /// Half the squared difference up to `delta`, `delta * (|difference| - delta / 2)` beyond: P. Huber, "Robust estimation of
    /// a location parameter", 1964. Input and target broadcast.
    ///
    /// Raises `RuntimeError` unless `delta` is positive.
    fn huber_loss(input: Tensor, target: Tensor, reduction: String = "mean", delta: f64 = 1.0) -> Tensor, FUNCTIONAL FUNCTION;
    value {
        let how = self::reduction("huber_loss", reduction)?;
        if delta.is_nan() || delta <= 0.0 {
            bail!(Runtime, "huber_loss: delta has to be positive, got {delta}");
        }
        reduce(robust(input, target, delta.into(), 1.0.into())?, how)
    }
    batch by(|batch| of_batch(batch, |input, target| huber_loss(input, target, "none", f64::face(batch.value(3)))));
    derivative "HuberLossBackward0" ByVjp {
        input(g, input, target, reduction, delta) => {
            let factor = share(self::reduction("huber_loss", reduction)?, count(input, target)?);
            contiguous(&robust_slope(input, target, g, delta.into(), factor.into())?)
        };
        target(g, input, target, reduction, delta) => {
            let factor = share(self::reduction("huber_loss", reduction)?, count(input, target)?);
            contiguous(&neg(&robust_slope(input, target, g, delta.into(), factor.into())?)?)
        };
    }
}

op! {
    /// Half the squared difference divided by `beta` up to `beta`, `|difference| - beta / 2` beyond; `l1_loss` for `beta` 0. R.
    /// Girshick, "Fast R-CNN", 2015. Input and target broadcast.
    ///
    /// Raises `RuntimeError` if `beta` is negative.
    fn smooth_l1_loss(input: Tensor, target: Tensor, reduction: String = "mean", beta: f64 = 1.0) -> Tensor, FUNCTIONAL;
    value {
        if beta < 0.0 {
            bail!(Runtime, "smooth_l1_loss: beta must not be negative, got {beta}");
        }
        if beta == 0.0 {
            return l1_loss(input, target, reduction, None);
        }
        smooth_l1_loss_of(input, target, reduction, beta)
    }
    derivative composite;
}

op! {
    /// The node of `smooth_l1_loss`: Huber's loss divided by `beta`.
    fn smooth_l1_loss_of as "smooth_l1_loss" / "node" (input: Tensor, target: Tensor, reduction: String, beta: f64) -> Tensor;
    value {
        let how = self::reduction("smooth_l1_loss", reduction)?;
        reduce(robust(input, target, beta.into(), (1.0 / beta).into())?, how)
    }
    batch by(|batch| of_batch(batch, |input, target| smooth_l1_loss_of(input, target, "none", f64::face(batch.value(3)))));
    derivative "SmoothL1LossBackward0" ByVjp {
        input(g, input, target, reduction, beta) => {
            let factor = share(self::reduction("smooth_l1_loss", reduction)?, count(input, target)?) / beta;
            contiguous(&robust_slope(input, target, g, beta.into(), factor.into())?)
        };
        target(g, input, target, reduction, beta) => {
            let factor = share(self::reduction("smooth_l1_loss", reduction)?, count(input, target)?) / beta;
            contiguous(&neg(&robust_slope(input, target, g, beta.into(), factor.into())?)?)
        };
    }
}
