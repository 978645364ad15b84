//! Losses.

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add_tensors, div, mul, mul_tensors, rsub_number, sub};
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::{gather, index_select};
use crate::ops::reduction::{mean_all, sum_all};
use crate::ops::selection::{choose, clamp_min};
use crate::ops::softmax::log_softmax;
use crate::ops::unary::log1p;
use crate::ops::views;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::{bail, op, pointwise};

/// What becomes of the losses of the elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reduction {
    None,
    Mean,
    Sum,
}

fn reduction(name: &str, text: &str) -> Result<Reduction> {
    Ok(match text {
        "none" => Reduction::None,
        "mean" => Reduction::Mean,
        "sum" => Reduction::Sum,
        other => bail!(Value, "{name}: reduction has to be 'none', 'mean' or 'sum', got '{other}'"),
    })
}

fn reduce(losses: Tensor, reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::None => Ok(losses),
        Reduction::Mean => mean_all(&losses, None),
        Reduction::Sum => sum_all(&losses, None),
    }
}

pointwise! {
    /// The squared difference.
    fn squared_difference as "_squared_difference" (input: Tensor, target: Tensor) float -> same, "MseLossBackward0"
        = (input - target) * (input - target);
        input(g, input, target) = g * 2.0 * (input - target);
        target(g, input, target) = g * 2.0 * (target - input);

    /// The absolute difference.
    fn absolute_difference as "_absolute_difference" (input: Tensor, target: Tensor) float -> same, "AbsBackward0"
        = (input - target).absolute();
        input(g, input, target) = g * (input - target).sign();
        target(g, input, target) = g * (target - input).sign();

    /// Binary cross entropy of a probability; logarithms are cut off at -100.
    fn binary_entropy as "_binary_entropy" (input: Tensor, target: Tensor) float -> same, "BinaryCrossEntropyBackward0"
        = -(target * input.log().maximum(-100.0) + (1.0 - target) * (1.0 - input).log().maximum(-100.0));
        input(g, input, target) = g * (input - target) / ((1.0 - input) * input).clamped_below(1e-12);
        target(g, input) = g * ((1.0 - input).log().maximum(-100.0) - input.log().maximum(-100.0));

    /// Binary cross entropy of a logit x for target t: `(1 - t) x + log(1 + exp(-x))`, computed without overflow.
    fn logit_entropy as "_logit_entropy" (input: Tensor, target: Tensor) float -> same, "BinaryCrossEntropyWithLogitsBackward0"
        = (1.0 - target) * input + (-input).softplus();
        input(g, input, target) = g * (input.sigmoid() - target);
        target(g, input) = -g * input;
}

op! {
    /// The mean (or sum) of the squared differences; input and target broadcast.
    fn mse_loss(input: Tensor, target: Tensor, reduction: String = "mean", weight: Option<Tensor> = None) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("mse_loss", reduction)?;
        let losses = squared_difference(input, target)?;
        let Some(weight) = weight else { return reduce(losses, how) };
        let weighted = mul_tensors(&losses, weight)?;
        match how {
            Reduction::Mean => div((&sum_all(&weighted, None)?).into(), (&sum_all(weight, None)?).into()),
            other => reduce(weighted, other),
        }
    }
    derivative composite;
}

op! {
    /// The mean (or sum) of the absolute differences; input and target broadcast.
    fn l1_loss(input: Tensor, target: Tensor, reduction: String = "mean") -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("l1_loss", reduction)?;
        reduce(absolute_difference(input, target)?, how)
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
    /// `-(t log(p) + (1 - t) log(1 - p))`, each logarithm cut off at -100.
    fn binary_cross_entropy(input: Tensor, target: Tensor, weight: Option<Tensor> = None, reduction: String = "mean") -> Tensor,
        FUNCTIONAL;
    value {
        let how = self::reduction("binary_cross_entropy", reduction)?;
        check_same_size("binary_cross_entropy", input, target)?;
        let outside = |x: &f64| !(0.0..=1.0).contains(x) && !x.is_nan();
        if input.detach().physical().to_vec::<f64>()?.iter().any(outside) {
            bail!(Runtime, "binary_cross_entropy: all elements of the input have to be from 0 to 1");
        }
        let losses = binary_entropy(input, target)?;
        reduce(match weight {
            Some(weight) => mul_tensors(&losses, weight)?,
            None => losses,
        }, how)
    }
    derivative composite;
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
    fn binary_cross_entropy_of_logits as "_binary_cross_entropy_with_logits" (
        input: Tensor, target: Tensor, weight: Option<Tensor>, pos_weight: Option<Tensor>, reduction: String
    ) -> Tensor;
    value {
        let how = self::reduction("binary_cross_entropy_with_logits", reduction)?;
        check_same_size("binary_cross_entropy_with_logits", input, target)?;
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
        let losses = logit_losses(&input, &target, given(2)?.as_ref(), given(3)?.as_ref())?;
        match how {
            Reduction::None => Ok(losses),
            how => {
                let count = losses.sizes()[1..].iter().product::<usize>() as i64;
                let rows = views::reshape(&losses, &batch.sizes(&[count]))?;
                match how {
                    Reduction::Mean => crate::ops::reduction::mean(&rows, Some(&[1]), false, None),
                    _ => crate::ops::reduction::sum(&rows, Some(&[1]), false, None),
                }
            }
        }
    });
    derivative "BinaryCrossEntropyWithLogitsBackward0" ByVjp {
        input(g, input, target, weight, pos_weight, reduction) => {
            // d/dx ((1 - t) x + w log(1 + exp(-x))) with w = 1 + (p - 1) t.
            let slope = match pos_weight {
                None => sub((&crate::ops::unary::sigmoid(input)?).into(), target.into())?,
                Some(p) => {
                    let w = positive_weight(target, p)?;
                    let falling = mul_tensors(&w, &crate::ops::unary::sigmoid(&crate::ops::unary::neg(input)?)?)?;
                    sub((&rsub_number(target, 1.0.into())?).into(), (&falling).into())?
                }
            };
            spread(g, &slope, weight, reduction)
        };
        target(g, input, weight, pos_weight, reduction) => {
            let slope = match pos_weight {
                None => crate::ops::unary::neg(input)?,
                Some(p) => {
                    let rise = mul_tensors(&sub(p.into(), 1.0.into())?, &softplus(&crate::ops::unary::neg(input)?)?)?;
                    sub((&rise).into(), input.into())?
                }
            };
            spread(g, &slope, weight, reduction)
        };
        weight(g, input, target, pos_weight, reduction) => {
            spread(g, &logit_losses(input, target, None, pos_weight)?, None, reduction)
        };
        pos_weight(g, input, target, weight, reduction) => {
            let slope = mul_tensors(target, &softplus(&crate::ops::unary::neg(input)?)?)?;
            spread(g, &slope, weight, reduction)
        };
    }
}

/// `1 + (p - 1) t`: the weight of the part that positive targets give.
fn positive_weight(target: &Tensor, p: &Tensor) -> Result<Tensor> {
    crate::ops::arithmetic::add((&mul_tensors(&sub(p.into(), 1.0.into())?, target)?).into(), 1.0.into())
}

/// `log(1 + exp(x))` without overflow: `max(x, 0) + log(1 + exp(-|x|))`.
fn softplus(x: &Tensor) -> Result<Tensor> {
    let small = log1p(&crate::ops::unary::exp(&crate::ops::unary::neg(&crate::ops::unary::abs(x)?)?)?)?;
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
            let curved = mul_tensors(&positive_weight(target, p)?, &softplus(&crate::ops::unary::neg(input)?)?)?;
            add_tensors(&linear, &curved)?
        }
    };
    match weight {
        Some(weight) => mul_tensors(&losses, weight),
        None => Ok(losses),
    }
}

/// The gradient of reduced, weighted losses, from the slope of each.
fn spread(g: &Tensor, slope: &Tensor, weight: Option<&Tensor>, reduction: &str) -> Result<Tensor> {
    let slope = match weight {
        Some(weight) => mul_tensors(slope, weight)?,
        None => slope.clone(),
    };
    let full = mul_tensors(&slope, g)?;
    match self::reduction("loss", reduction)? {
        Reduction::Mean => div((&full).into(), (full.numel() as f64).into()),
        _ => Ok(full),
    }
}

op! {
    /// Minus the log-probability of each target class: `input` `(n, c, …)` holds log-probabilities, `target`
    /// `(n, …)` int64 classes. `ignore_index` targets count nothing; the mean is weighted by `weight`, one number
    /// for each class.
    fn nll_loss(
        input: Tensor, target: Tensor, weight: Option<Tensor> = None, ignore_index: i64 = -100, reduction: String = "mean"
    ) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("nll_loss", reduction)?;
        let sizes = input.sizes();
        if sizes.is_empty() {
            bail!(Value, "nll_loss: the input needs at least one dimension");
        }
        let batched = sizes.len() > 1;
        let classes = sizes[usize::from(batched)];
        let mut expected = sizes.clone();
        expected.remove(usize::from(batched));
        if target.sizes() != expected {
            bail!(
                Value,
                "nll_loss: for an input of size {} the target's size has to be {}, got {}",
                shape::show(&sizes),
                shape::show(&expected),
                shape::show(&target.sizes())
            );
        }
        if !matches!(target.dtype(), DType::Int64 | DType::UInt8) {
            bail!(Runtime, "nll_loss: the target has to be an int64 tensor of classes, it is {}", target.dtype());
        }
        if weight.is_some_and(|weight| weight.sizes()[..] != [classes]) {
            bail!(Runtime, "nll_loss: weight has to have one number for each of the {classes} classes");
        }
        let target = to_dtype(target, DType::Int64)?;
        for class in target.physical().to_vec::<i64>()? {
            if class != ignore_index && !(0..classes as i64).contains(&class) {
                bail!(Index, "nll_loss: target {class} is out of bounds for {classes} classes");
            }
        }
        let class_dim = i64::from(batched);
        let ignored = crate::ops::comparison::eq(&target, ignore_index.into())?;
        let safe = choose(&ignored, 0i64.into(), (&target).into())?;
        let picked = gather(input, class_dim, &views::unsqueeze(&safe, class_dim)?, false)?;
        let losses = crate::ops::unary::neg(&views::squeeze(&picked, class_dim)?)?;
        let weights = match weight {
            Some(weight) => {
                let flat = index_select(weight, 0, &views::reshape(&safe, &[-1])?)?;
                views::reshape(&flat, &expected.iter().map(|&n| n as i64).collect::<Ints>())?
            }
            None => Tensor::full(&expected, 1.0.into(), input.dtype())?,
        };
        let weights = choose(&ignored, 0.0.into(), (&weights).into())?;
        let zero = Tensor::zeros(&[], input.dtype())?;
        let weighted = choose(&ignored, (&zero).into(), (&mul_tensors(&losses, &weights)?).into())?;
        match how {
            Reduction::Mean => div((&sum_all(&weighted, None)?).into(), (&sum_all(&weights, None)?).into()),
            other => reduce(weighted, other),
        }
    }
    derivative composite;
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
        let logs = log_softmax(input, class_dim, None)?;
        if target.sizes() == sizes && target.dtype().is_float() {
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
        let smooth = crate::ops::unary::neg(&crate::ops::reduction::sum(&weighted, Some(&[class_dim]), false, None)?)?;
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
    let losses = crate::ops::unary::neg(&crate::ops::reduction::sum(&products, Some(&[class_dim]), false, None)?)?;
    match how {
        // The mean is over the samples, whatever the targets add up to.
        Reduction::Mean => div((&sum_all(&losses, None)?).into(), (losses.numel() as f64).into()),
        other => reduce(losses, other),
    }
}
