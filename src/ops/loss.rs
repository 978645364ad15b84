//! Losses: each a node of its own, with a fused gradient that can be differentiated in turn.

use crate::autograd::modes;
use crate::error::Result;
use crate::op::Batched;
use crate::op::Gradients;
use crate::ops::arithmetic::{add_tensors, div, div_number, mul, mul_tensors, rsub_number, sub};
use crate::ops::conversion::{contiguous, to_dtype};
use crate::ops::gathering::index_select;
use crate::ops::likelihood::nll_loss;
use crate::ops::reduction::{mean_all, sum_all};
use crate::ops::selection::{choose, clamp_min};
use crate::ops::softmax::log_softmax;
use crate::ops::unary::{abs, log1p, neg, square};
use crate::ops::views;
use crate::promotion::result_type;
use crate::scalar::Scalar;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, op, pointwise};

/// What becomes of the losses of the elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    None,
    Mean,
    Sum,
}

pub(crate) fn reduction(name: &str, text: &str) -> Result<Reduction> {
    Ok(match text {
        "none" => Reduction::None,
        "mean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        other => bail!(Value, "{name}: reduction has to be 'none', 'mean' or 'sum', got '{other}'"),
    })
}

pub(crate) fn reduce(losses: Tensor, reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::None => Ok(losses),
        Reduction::Mean => mean_all(&losses, None),
        Reduction::Sum => sum_all(&losses, None),
    }
}

/// `reduce` for each example of a batch.
pub(crate) fn reduce_examples(batch: &Batched, losses: Tensor, reduction: Reduction) -> Result<Tensor> {
    if reduction == Reduction::None {
        return Ok(losses);
    }
    let count = losses.sizes()[1..].iter().product::<usize>() as i64;
    let rows = views::reshape(&losses, &batch.sizes(&[count]))?;
    match reduction {
        Reduction::Mean => crate::ops::reduction::mean(&rows, Some(&[1]), false, None),
        _ => crate::ops::reduction::sum(&rows, Some(&[1]), false, None),
    }
}

/// What each gradient of `count` losses is multiplied by.
pub(crate) fn share(reduction: Reduction, count: usize) -> f64 {
    if reduction == Reduction::Mean { 1.0 / count as f64 } else { 1.0 }
}

/// Losses and their gradients are computed in floats; integers are not converted.
fn check_float(name: &str, tensors: &[&Tensor]) -> Result<()> {
    let dtype = result_type(&tensors.iter().map(|&tensor| Value::from(tensor)).collect::<Vec<_>>());
    if !dtype.is_float() {
        bail!(NotImplemented, "{name}: not implemented for {dtype}; convert it to a float type first");
    }
    Ok(())
}

/// Weights are constants: PyTorch has no gradient for them either.
pub(crate) fn check_constant(name: &str, argument: &str, weight: Option<&Tensor>) -> Result<()> {
    if modes::grad_enabled() && weight.is_some_and(Tensor::requires_grad) {
        bail!(
            Runtime,
            "{name}: not differentiable with respect to {argument}, which requires grad; use {argument}.detach()"
        );
    }
    Ok(())
}

/// Losses, or gradients of losses, times their weights.
fn weighted(losses: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
    match weight {
        Some(weight) => mul_tensors(losses, weight),
        None => Ok(losses.clone()),
    }
}

/// The least divisor in the gradient of a binary cross entropy: PyTorch has it in float32.
const LEAST: f64 = 1e-12_f32 as f64;

// The values of the losses, and their gradients: `factor * gradient * slope` in one loop.
pointwise! {
    /// The squared difference.
    fn squared_difference as "mse_loss" / "values" (input: Tensor, target: Tensor) float -> same
        = (input - target) * (input - target);

    /// The gradient of half the squared difference.
    fn difference as "mse_loss" / "backward" (input: Tensor, target: Tensor, gradient: Tensor; factor: Scalar)
        float -> same, "MseLossBackwardBackward0"
        = factor * gradient * (input - target);
        input(g, gradient, factor) = factor * g * gradient;
        target(g, gradient, factor) = -(factor * g * gradient);
        gradient(g, input, target, factor) = factor * g * (input - target);

    /// Binary cross entropy of a probability; logarithms are cut off at -100.
    fn binary_entropy as "binary_cross_entropy" / "values" (input: Tensor, target: Tensor) float -> same
        = -(target * input.log().maximum(-100.0) + (1.0 - target) * (1.0 - input).log().maximum(-100.0));

    /// Its gradient.
    fn binary_entropy_slope as "binary_cross_entropy" / "backward" (
        input: Tensor, target: Tensor, gradient: Tensor; factor: Scalar
    ) float -> same, "BinaryCrossEntropyBackwardBackward0"
        = factor * gradient * (input - target) / ((1.0 - input) * input).clamped_below(LEAST);
        input(g, input, target, gradient, factor) = factor * g * gradient
            * (input * input - 2.0 * input * target + target)
            / (((1.0 - input) * input).clamped_below(1e-12) * ((1.0 - input) * input).clamped_below(1e-12));
        target(g, input, gradient, factor)
            = -(factor * g * gradient / ((1.0 - input) * input).clamped_below(1e-12));
        gradient(g, input, target, factor)
            = factor * g * (input - target) / ((1.0 - input) * input).clamped_below(LEAST);

    /// Binary cross entropy of a logit x for target t: `(1 - t) x + log(1 + exp(-x))`, computed without overflow.
    fn logit_entropy as "binary_cross_entropy_with_logits" / "values" (input: Tensor, target: Tensor) float -> same
        = (1.0 - target) * input + (-input).softplus();

    /// Its gradient.
    fn logit_entropy_slope as "binary_cross_entropy_with_logits" / "backward" (
        input: Tensor, target: Tensor, gradient: Tensor; factor: Scalar
    ) float -> same, "BinaryCrossEntropyWithLogitsBackwardBackward0"
        = factor * gradient * (input.sigmoid() - target);
        input(g, input, gradient, factor) = factor * g * gradient * (input.sigmoid() * (1.0 - input.sigmoid()));
        target(g, gradient, factor) = -(factor * g * gradient);
        gradient(g, input, target, factor) = factor * g * (input.sigmoid() - target);
}

op! {
    /// The mean (or sum) of the squared differences; input and target broadcast.
    fn mse_loss(input: Tensor, target: Tensor, reduction: String = "mean", weight: Option<Tensor> = None) -> Tensor, FUNCTIONAL;
    value {
        match weight {
            None => mse_loss_of(input, target, reduction),
            Some(weight) => {
                let how = self::reduction("mse_loss", reduction)?;
                reduce_weighted(&square(&sub(input.into(), target.into())?)?, weight, how)
            }
        }
    }
    derivative composite;
}

/// Weighted losses; their mean is divided by the sum of the weights.
fn reduce_weighted(losses: &Tensor, weight: &Tensor, how: Reduction) -> Result<Tensor> {
    let weighted = mul_tensors(losses, weight)?;
    match how {
        Reduction::Mean => div((&sum_all(&weighted, None)?).into(), (&sum_all(weight, None)?).into()),
        other => reduce(weighted, other),
    }
}

op! {
    /// The node of `mse_loss`.
    fn mse_loss_of as "mse_loss" / "unweighted" (input: Tensor, target: Tensor, reduction: String) -> Tensor;
    value {
        let how = self::reduction("mse_loss", reduction)?;
        check_float("mse_loss", &[input, target])?;
        reduce(squared_difference(input, target)?, how)
    }
    batch by(|batch| {
        let how = self::reduction("mse_loss", String::face(batch.value(2)))?;
        let rank = batch.ndim(0)?.max(batch.ndim(1)?);
        let losses = mse_loss_of(&batch.aligned(0, rank)?, &batch.aligned(1, rank)?, "none")?;
        reduce_examples(batch, losses, how)
    });
    derivative "MseLossBackward0" ByVjp {
        input(g, input, target, reduction) => mse_loss_slope(g, input, target, reduction, 2.0);
        target(g, input, target, reduction) => mse_loss_slope(g, input, target, reduction, -2.0);
    }
}

fn mse_loss_slope(g: &Tensor, input: &Tensor, target: &Tensor, reduction: &str, factor: f64) -> Result<Tensor> {
    let count = shape::numel(&shape::broadcast(&input.sizes(), &target.sizes())?)?;
    let factor = factor * share(self::reduction("mse_loss", reduction)?, count);
    // Row-major, as PyTorch has it.
    contiguous(&difference(input, target, g, factor.into())?)
}

op! {
    /// The mean (or sum) of the absolute differences; input and target broadcast.
    fn l1_loss(input: Tensor, target: Tensor, reduction: String = "mean", weight: Option<Tensor> = None) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("l1_loss", reduction)?;
        let losses = abs(&sub(input.into(), target.into())?)?;
        match weight {
            Some(weight) => reduce_weighted(&losses, weight, how),
            None => reduce(losses, how),
        }
    }
    derivative composite;
}

fn check_same_size(name: &str, input: &Tensor, target: &Tensor) -> Result<()> {
    let (input, target) = (input.sizes(), target.sizes());
    if input != target {
        bail!(
            Value,
            "{name}: the target's size {} has to be the input's size {}",
            shape::show(&target),
            shape::show(&input)
        );
    }
    Ok(())
}

op! {
    /// Cross entropy between probabilities (from 0 to 1) and targets of the same size.
    ///
    /// `-(t log(p) + (1 - t) log(1 - p))`, each logarithm cut off at -100. The weights are constants.
    fn binary_cross_entropy(input: Tensor, target: Tensor, weight: Option<Tensor> = None, reduction: String = "mean") -> Tensor,
        FUNCTIONAL;
    value {
        const NAME: &str = "binary_cross_entropy";
        let how = self::reduction(NAME, reduction)?;
        check_same_size(NAME, input, target)?;
        check_constant(NAME, "weight", weight)?;
        check_float(NAME, &[input])?;
        if target.dtype() != input.dtype() || weight.is_some_and(|weight| weight.dtype() != input.dtype()) {
            bail!(Runtime, "{NAME}: target and weight have to be {} like the input", input.dtype());
        }
        let outside = |x: &f64| !(0.0..=1.0).contains(x) && !x.is_nan();
        if input.detach().physical().to_vec::<f64>()?.iter().any(outside) {
            bail!(Runtime, "binary_cross_entropy: all elements of the input have to be from 0 to 1");
        }
        reduce(weighted(&binary_entropy(input, target)?, weight)?, how)
    }
    batch by(|batch| {
        let how = self::reduction("binary_cross_entropy", String::face(batch.value(3)))?;
        let weight = match batch.value(2) {
            crate::value::Value::None => None,
            _ => Some(batch.aligned(2, batch.ndim(0)?)?),
        };
        let losses = binary_cross_entropy(&batch.all(0)?, &batch.all(1)?, weight.as_ref(), "none")?;
        reduce_examples(batch, losses, how)
    });
    derivative "BinaryCrossEntropyBackward0" ByVjp {
        input(g, input, target, weight, reduction) => {
            let factor = share(self::reduction("binary_cross_entropy", reduction)?, input.numel());
            binary_entropy_slope(input, target, &weighted(g, weight)?, factor.into())
        };
        target(g, input, weight, reduction) => {
            let factor = share(self::reduction("binary_cross_entropy", reduction)?, input.numel());
            let rest = rsub_number(input, 1.0.into())?;
            let slope = sub((&crate::ops::unary::log(&rest)?).into(), (&crate::ops::unary::log(input)?).into())?;
            mul((&mul_tensors(&slope, &weighted(g, weight)?)?).into(), factor.into())
        };
    }
}

op! {
    /// Cross entropy between logits and targets of the same size: `sigmoid` and `binary_cross_entropy` in one,
    /// without overflow. `pos_weight` weighs the positive targets.
    fn binary_cross_entropy_with_logits(
        input: Tensor, target: Tensor, weight: Option<Tensor> = None, reduction: String = "mean", pos_weight: Option<Tensor> = None
    ) -> Tensor, FUNCTIONAL;
    value { binary_cross_entropy_of_logits(input, target, weight, pos_weight, reduction) }
    derivative composite;
}

op! {
    /// The node of `binary_cross_entropy_with_logits`.
    fn binary_cross_entropy_of_logits as "binary_cross_entropy_with_logits" / "node" (
        input: Tensor, target: Tensor, weight: Option<Tensor>, pos_weight: Option<Tensor>, reduction: String
    ) -> Tensor;
    value {
        const NAME: &str = "binary_cross_entropy_with_logits";
        let how = self::reduction(NAME, reduction)?;
        check_same_size(NAME, input, target)?;
        check_constant(NAME, "weight", weight)?;
        check_constant(NAME, "pos_weight", pos_weight)?;
        check_float(NAME, &[input])?;
        reduce(logit_losses(input, target, weight, pos_weight)?, how)
    }
    batch by(|batch| {
        let how = self::reduction("binary_cross_entropy_with_logits", String::face(batch.value(4)))?;
        let ndim = batch.ndim(0)?;
        let given = |i: usize| match batch.value(i) {
            crate::value::Value::None => Ok(None),
            _ => batch.aligned(i, ndim).map(Some),
        };
        let (input, target) = (batch.all(0)?, batch.all(1)?);
        check_same_size("binary_cross_entropy_with_logits", &input, &target)?;
        let (weight, positive) = (given(2)?, given(3)?);
        let losses = binary_cross_entropy_of_logits(&input, &target, weight.as_ref(), positive.as_ref(), "none")?;
        reduce_examples(batch, losses, how)
    });
    derivative "BinaryCrossEntropyWithLogitsBackward0" ByVjp {
        input(g, input, target, weight, pos_weight, reduction) => {
            let factor = share(self::reduction("loss", reduction)?, input.numel());
            let Some(p) = pos_weight else {
                return Ok(Gradients::from_elem(
                    Some(logit_entropy_slope(input, target, &weighted(g, weight)?, factor.into())?),
                    1,
                ));
            };
            // d/dx ((1 - t) x + w log(1 + exp(-x))) with w = 1 + (p - 1) t.
            let falling = mul_tensors(&positive_weight(target, p)?, &crate::ops::unary::sigmoid(&neg(input)?)?)?;
            let slope = sub((&rsub_number(target, 1.0.into())?).into(), (&falling).into())?;
            mul((&mul_tensors(&slope, &weighted(g, weight)?)?).into(), factor.into())
        };
        target(g, input, weight, pos_weight, reduction) => {
            let factor = share(self::reduction("loss", reduction)?, input.numel());
            let slope = match pos_weight {
                None => neg(input)?,
                Some(p) => {
                    let rise = mul_tensors(&sub(p.into(), 1.0.into())?, &softplus(&neg(input)?)?)?;
                    sub((&rise).into(), input.into())?
                }
            };
            mul((&mul_tensors(&slope, &weighted(g, weight)?)?).into(), factor.into())
        };
    }
}

/// `1 + (p - 1) t`: the weight of the part that positive targets give.
fn positive_weight(target: &Tensor, p: &Tensor) -> Result<Tensor> {
    crate::ops::arithmetic::add((&mul_tensors(&sub(p.into(), 1.0.into())?, target)?).into(), 1.0.into())
}

/// `log(1 + exp(x))` without overflow: `max(x, 0) + log(1 + exp(-|x|))`.
fn softplus(x: &Tensor) -> Result<Tensor> {
    let small = log1p(&crate::ops::unary::exp(&neg(&abs(x)?)?)?)?;
    add_tensors(&clamp_min(x, 0i64.into())?, &small)
}

fn logit_losses(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    pos_weight: Option<&Tensor>,
) -> Result<Tensor> {
    let losses = match pos_weight {
        None => logit_entropy(input, target)?,
        Some(p) => {
            let linear = mul_tensors(&rsub_number(target, 1.0.into())?, input)?;
            let curved = mul_tensors(&positive_weight(target, p)?, &softplus(&neg(input)?)?)?;
            add_tensors(&linear, &curved)?
        }
    };
    weighted(&losses, weight)
}

op! {
    /// Cross entropy between logits `(n, c, …)` and targets: int64 classes `(n, …)`, or probabilities of the input's
    /// size. `label_smoothing` mixes the target with the uniform distribution (C. Szegedy et al., "Rethinking the
    /// Inception architecture", 2015).
    fn cross_entropy(
        input: Tensor, target: Tensor, weight: Option<Tensor> = None, ignore_index: i64 = -100,
        reduction: String = "mean", label_smoothing: f64 = 0.0
    ) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("cross_entropy", reduction)?;
        if !(0.0..=1.0).contains(&label_smoothing) {
            bail!(Runtime, "cross_entropy: label_smoothing has to be from 0 to 1, got {label_smoothing}");
        }
        let sizes = input.sizes();
        if sizes.is_empty() {
            bail!(Runtime, "cross_entropy: the input needs at least one dimension");
        }
        let class_dim = i64::from(sizes.len() > 1);
        let classes = sizes[class_dim as usize];
        let of_probabilities = target.sizes() == sizes;
        if of_probabilities && !target.dtype().is_float() {
            bail!(Runtime, "cross_entropy: a target of the input's size has to hold float probabilities, it is {}", target.dtype());
        }
        let logs = log_softmax(input, class_dim, None)?;
        if of_probabilities {
            return cross_entropy_of_probabilities(&logs, target, weight, how, label_smoothing, class_dim);
        }
        let plain = nll_loss(&logs, target, weight, ignore_index, reduction)?;
        if label_smoothing == 0.0 {
            return Ok(plain);
        }
        let weighted = match weight {
            Some(weight) => mul_tensors(&logs, &along_classes(weight, sizes.len(), class_dim)?)?,
            None => logs.clone(),
        };
        let smooth = neg(&crate::ops::reduction::sum(&weighted, Some(&[class_dim]), false, None)?)?;
        let ignored = crate::ops::comparison::eq(target, ignore_index.into())?;
        let zero = Tensor::zeros(&[], input.dtype())?;
        let smooth = choose(&ignored, (&zero).into(), (&smooth).into())?;
        let smooth = match how {
            Reduction::Mean => {
                let counted = match weight {
                    Some(weight) => {
                        let safe = choose(&ignored, 0i64.into(), target.into())?;
                        let flat = index_select(weight, 0, &views::reshape(&safe, &[-1])?)?;
                        let ignored = views::reshape(&ignored, &[-1])?;
                        sum_all(&choose(&ignored, (&zero).into(), (&flat).into())?, None)?
                    }
                    None => {
                        let kept = crate::ops::comparison::logical_not(&ignored)?;
                        sum_all(&to_dtype(&kept, input.dtype())?, None)?
                    }
                };
                div((&sum_all(&smooth, None)?).into(), (&counted).into())?
            }
            other => reduce(smooth, other)?,
        };
        let share = label_smoothing / classes as f64;
        add_tensors(&mul((&plain).into(), (1.0 - label_smoothing).into())?, &mul((&smooth).into(), share.into())?)
    }
    derivative composite;
}

/// A weight for each class, shaped to broadcast along the classes.
fn along_classes(weight: &Tensor, ndim: usize, class_dim: i64) -> Result<Tensor> {
    let mut sizes: Ints = Ints::from_elem(1, ndim);
    sizes[class_dim as usize] = -1;
    views::reshape(weight, &sizes)
}

fn cross_entropy_of_probabilities(
    logs: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    how: Reduction,
    smoothing: f64,
    class_dim: i64,
) -> Result<Tensor> {
    let classes = logs.sizes()[class_dim as usize];
    let target = if smoothing > 0.0 {
        let kept = mul(target.into(), (1.0 - smoothing).into())?;
        crate::ops::arithmetic::add((&kept).into(), (smoothing / classes as f64).into())?
    } else {
        target.clone()
    };
    let mut products = mul_tensors(logs, &target)?;
    if let Some(weight) = weight {
        products = mul_tensors(&products, &along_classes(weight, logs.ndim(), class_dim)?)?;
    }
    if how == Reduction::None {
        return neg(&crate::ops::reduction::sum(&products, Some(&[class_dim]), false, None)?);
    }
    let total = neg(&sum_all(&products, None)?)?;
    match how {
        // The mean is over the samples, whatever the targets add up to.
        Reduction::Mean => div_number(&total, (logs.numel() as f64 / classes as f64).into()),
        _ => Ok(total),
    }
}
