//! Losses that ask for a margin: between a score and 0, between two scores, between the right class and the others.

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add, add_tensors, mul, mul_tensors, rsub_number, sub};
use crate::ops::comparison::gt;
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::{gather, index_select, scatter_add};
use crate::ops::loss::{Reduction, check_constant, reduce, reduction, share};
use crate::ops::reduction::sum;
use crate::ops::selection::clamp_min;
use crate::ops::unary::{neg, square};
use crate::ops::views::{reshape, unsqueeze};
use crate::scalar::Scalar;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, op, pointwise};

fn check_no_bool(name: &str, values: &[Value], _: DType) -> Result<()> {
    if values.iter().flat_map(Value::tensors).any(|tensor| tensor.dtype() == DType::Bool) {
        bail!(Runtime, "{name}: not defined for bool");
    }
    Ok(())
}

// Nodes have the names of those that come last where PyTorch composes the loss.
pointwise! {
    /// `x` where the target is 1, `max(0, margin - x)` where it is -1.
    fn hinge as "hinge_embedding_loss" / "values" (input: Tensor => target: Tensor, margin: Scalar)
        real[check_no_bool] -> same, "AddBackward0"
        = (margin - input).maximum(0.0).only_if(!target.equals(1.0)) + input.only_if(!target.equals(-1.0));
        input(g, input, target, margin) = g.only_if(!target.equals(-1.0))
            - g.only_if(!target.equals(1.0) & (margin - input).greater_equal(0.0));

    /// `max(0, margin - target * (input1 - input2))`.
    fn ranking as "margin_ranking_loss" / "values" (input1: Tensor, input2: Tensor, target: Tensor => margin: Scalar)
        float[check_no_bool] -> same, "ClampMinBackward0"
        = (margin - target * (input1 - input2)).maximum(0.0);
        input1(g, input1, input2, target, margin) =
            -((g * target).only_if((margin - target * (input1 - input2)).greater_equal(0.0)));
        input2(g, input1, input2, target, margin) =
            (g * target).only_if((margin - target * (input1 - input2)).greater_equal(0.0));
        target(g, input1, input2, target, margin) =
            -((g * (input1 - input2)).only_if((margin - target * (input1 - input2)).greater_equal(0.0)));

    /// `log(1 + exp(-target * x))`.
    fn soft_margin as "soft_margin_loss" / "values" (input: Tensor => target: Tensor) floating -> same
        = -(target * input).logsigmoid();

    /// Its gradient.
    fn soft_margin_slope as "soft_margin_loss" / "backward" (input: Tensor, target: Tensor, gradient: Tensor; factor: Scalar)
        floating -> same, "SoftMarginLossBackwardBackward0"
        = -(factor * gradient * target * (-(target * input)).sigmoid());
        input(g, input, target, gradient, factor) =
            factor * g * gradient * target * target * (target * input).sigmoid() * (-(target * input)).sigmoid();
        gradient(g, input, target, factor) = -(factor * g * target * (-(target * input)).sigmoid());
}

op! {
    /// `x` where the target is 1, `max(0, margin - x)` where it is -1.
    fn hinge_embedding_loss(input: Tensor, target: Tensor, margin: f64 = 1.0, reduction: String = "mean") -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("hinge_embedding_loss", reduction)?;
        reduce(hinge(input, target, margin.into())?, how)
    }
    derivative composite;
}

op! {
    /// `max(0, margin - target * (input1 - input2))`: target 1 asks for the first to be larger, -1 for the second.
    ///
    /// Raises `RuntimeError` unless the three have as many dimensions.
    fn margin_ranking_loss(
        input1: Tensor, input2: Tensor, target: Tensor, margin: f64 = 0.0, reduction: String = "mean"
    ) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("margin_ranking_loss", reduction)?;
        if input1.ndim() != input2.ndim() || input1.ndim() != target.ndim() {
            bail!(
                Runtime,
                "margin_ranking_loss: the tensors have {}, {} and {} dimensions, which have to be the same",
                input1.ndim(), input2.ndim(), target.ndim()
            );
        }
        if [input1, input2, target].iter().all(|tensor| tensor.dtype().is_integral()) {
            // Integers wrap before the margin is added.
            let difference = mul_tensors(&neg(target)?, &sub(input1.into(), input2.into())?)?;
            return reduce(clamp_min(&add((&difference).into(), margin.into())?, 0i64.into())?, how);
        }
        reduce(ranking(input1, input2, target, margin.into())?, how)
    }
    derivative composite;
}

op! {
    /// `log(1 + exp(-target * x))` for targets 1 and -1, which are constants.
    fn soft_margin_loss(input: Tensor, target: Tensor, reduction: String = "mean") -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("soft_margin_loss", reduction)?;
        check_constant("soft_margin_loss", "target", Some(target))?;
        if !input.dtype().is_float() {
            bail!(Runtime, "soft_margin_loss: the result is a float and the input {}", input.dtype());
        }
        reduce(soft_margin(input, target)?, how)
    }
    derivative "SoftMarginLossBackward0" ByVjp {
        input(g, input, target, reduction) => {
            let count = shape::numel(&shape::broadcast(&input.sizes(), &target.sizes())?)?;
            let factor = share(self::reduction("soft_margin_loss", reduction)?, count);
            soft_margin_slope(input, target, g, factor.into())
        };
    }
}

/// The rows of scores, `(n, c)`, and their classes, `(n)`, of a multi-class loss; whether there were several rows.
fn rows(name: &str, input: &Tensor, target: &Tensor) -> Result<(Tensor, Tensor)> {
    let sizes = input.sizes();
    let (n, c) = match sizes.as_slice() {
        [] => (1, 1),
        &[c] => (1, c),
        &[n, c] => (n, c),
        _ => bail!(Runtime, "{name}: the input needs one or two dimensions, its size is {}", shape::show(&sizes)),
    };
    if c == 0 {
        bail!(Runtime, "{name}: there are no classes, the input's size is {}", shape::show(&sizes));
    }
    if target.ndim() > 1 || target.numel() != n {
        bail!(Runtime, "{name}: {n} classes are needed, the target's size is {}", shape::show(&target.sizes()));
    }
    if target.dtype() != DType::Int64 {
        bail!(Runtime, "{name}: classes have to be int64, they are {}", target.dtype());
    }
    if !input.dtype().is_float() {
        bail!(NotImplemented, "{name}: not implemented for {}", input.dtype());
    }
    if let Some(class) = target.to_vec::<i64>()?.iter().find(|class| !(0..c as i64).contains(class)) {
        bail!(Runtime, "{name}: class {class} is not from 0 to below {c}");
    }
    Ok((reshape(input, &[n as i64, c as i64])?, reshape(target, &[n as i64])?))
}

/// How far each score of another class reaches into the margin, `(n, c)`; 0 at the class itself.
fn reach(scores: &Tensor, classes: &Tensor, margin: f64) -> Result<Tensor> {
    let own = gather(scores, 1, &unsqueeze(classes, 1)?, false)?;
    let reach = clamp_min(&rsub_number(&sub((&own).into(), scores.into())?, margin.into())?, 0i64.into())?;
    let others = rsub_number(&one_hot(classes, scores)?, 1i64.into())?;
    mul_tensors(&reach, &others)
}

/// A 1 at each class, of the scores' size and dtype.
fn one_hot(classes: &Tensor, scores: &Tensor) -> Result<Tensor> {
    to_dtype(&crate::ops::distance::one_hot(classes, scores.sizes()[1] as i64)?, scores.dtype())
}

/// Losses of rows reduced; those of a single row without dimensions.
fn reduce_rows(losses: Tensor, input: &Tensor, how: Reduction) -> Result<Tensor> {
    let losses = if input.ndim() < 2 && how == Reduction::None { reshape(&losses, &[])? } else { losses };
    reduce(losses, how)
}

/// The incoming gradient for each row, as a column.
fn column(g: &Tensor, rows: usize, how: Reduction) -> Result<Tensor> {
    let g = mul(g.into(), share(how, rows).into())?;
    let count: i64 = if how == Reduction::None { rows as i64 } else { 1 };
    reshape(&g, &[count, 1])
}

op! {
    /// The mean over classes of `max(0, margin - x[class] + x[other])^p`, times the weight of the class. `input` is `(c)` or
    /// `(n, c)`, `target` int64 `()` or `(n)`.
    ///
    /// Raises `ValueError` unless `p` is 1 or 2.
    fn multi_margin_loss(
        input: Tensor, target: Tensor, p: Scalar = Scalar::Int(1), margin: f64 = 1.0, weight: Option<Tensor> = None,
        reduction: String = "mean"
    ) -> Tensor, FUNCTIONAL;
    value {
        const NAME: &str = "multi_margin_loss";
        let how = self::reduction(NAME, reduction)?;
        if p.to_f64() != 1.0 && p.to_f64() != 2.0 {
            bail!(Value, "{NAME}: p has to be 1 or 2, got {p}");
        }
        check_constant(NAME, "weight", weight)?;
        let (scores, classes) = rows(NAME, input, target)?;
        let count = scores.sizes()[1];
        if let Some(weight) = weight
            && (weight.ndim() != 1 || weight.numel() != count)
        {
            bail!(Runtime, "{NAME}: {count} weights are needed, got size {}", shape::show(&weight.sizes()));
        }
        let mut losses = reach(&scores, &classes, margin)?;
        if p.to_f64() == 2.0 {
            losses = square(&losses)?;
        }
        let mut losses = mul((&sum(&losses, Some(&[1]), false, None)?).into(), (1.0 / count as f64).into())?;
        if let Some(weight) = weight {
            losses = mul_tensors(&losses, &index_select(weight, 0, &classes)?)?;
        }
        reduce_rows(losses, input, how)
    }
    derivative "MultiMarginLossBackward0" ByVjp {
        input(g, input, target, p, margin, weight, reduction) => {
            let how = self::reduction("multi_margin_loss", reduction)?;
            let (scores, classes) = rows("multi_margin_loss", input, target)?;
            let (n, count) = (scores.sizes()[0], scores.sizes()[1]);
            let mut factor = mul((&column(g, n, how)?).into(), (1.0 / count as f64).into())?;
            if let Some(weight) = weight {
                factor = mul_tensors(&factor, &unsqueeze(&index_select(weight, 0, &classes)?, 1)?)?;
            }
            let reach = reach(&scores, &classes, margin)?;
            let slope = if p.to_f64() == 2.0 {
                mul((&reach).into(), 2i64.into())?
            } else {
                to_dtype(&gt(&reach, 0i64.into())?, scores.dtype())?
            };
            let slope = mul_tensors(&slope, &factor)?;
            let own = neg(&sum(&slope, Some(&[1]), true, None)?)?;
            reshape_as(&scatter_add(&slope, 1, &unsqueeze(&classes, 1)?, &own)?, input)
        };
    }
}

fn reshape_as(tensor: &Tensor, other: &Tensor) -> Result<Tensor> {
    reshape(tensor, &other.sizes().iter().map(|&n| n as i64).collect::<Ints>())
}

/// How often each class is a target of its row, and whether it is none, each `(n, c)`. A row of targets ends at -1.
fn targets(name: &str, input: &Tensor, target: &Tensor) -> Result<[Tensor; 2]> {
    let sizes = input.sizes();
    if sizes != target.sizes() {
        bail!(
            Runtime,
            "{name}: the target's size {} has to be the input's size {}",
            shape::show(&target.sizes()),
            shape::show(&sizes)
        );
    }
    let (n, c) = match sizes.as_slice() {
        [] => (1, 1),
        &[c] => (1, c),
        &[n, c] => (n, c),
        _ => bail!(Runtime, "{name}: the input needs one or two dimensions, its size is {}", shape::show(&sizes)),
    };
    if c == 0 {
        bail!(Runtime, "{name}: there are no classes, the input's size is {}", shape::show(&sizes));
    }
    if target.dtype() != DType::Int64 {
        bail!(Runtime, "{name}: classes have to be int64, they are {}", target.dtype());
    }
    let mut counts = vec![0.0f64; n * c];
    for (row, counts) in target.to_vec::<i64>()?.chunks_exact(c).zip(counts.chunks_exact_mut(c)) {
        if let Some(class) = row.iter().find(|class| !(-1..c as i64).contains(class)) {
            bail!(Runtime, "{name}: class {class} is not from -1 to below {c}");
        }
        row.iter().take_while(|&&class| class >= 0).for_each(|&class| counts[class as usize] += 1.0);
    }
    if !input.dtype().is_float() {
        bail!(NotImplemented, "{name}: not implemented for {}", input.dtype());
    }
    let rest: Vec<f64> = counts.iter().map(|&count| f64::from(u8::from(count == 0.0))).collect();
    Ok([
        Tensor::from_slice(&counts, &[n, c])?.cast(input.dtype())?,
        Tensor::from_slice(&rest, &[n, c])?.cast(input.dtype())?,
    ])
}

/// `1 - x[target] + x[other]` for all pairs, `(n, c, c)`, and what each pair counts.
fn pairs(input: &Tensor, counts: &Tensor, rest: &Tensor) -> Result<[Tensor; 2]> {
    let sizes: Ints = counts.sizes().iter().map(|&n| n as i64).collect();
    let scores = reshape(input, &sizes)?;
    let reach = rsub_number(&sub((&unsqueeze(&scores, 2)?).into(), (&unsqueeze(&scores, 1)?).into())?, 1i64.into())?;
    Ok([reach, mul_tensors(&unsqueeze(counts, 2)?, &unsqueeze(rest, 1)?)?])
}

op! {
    /// The sum of `max(0, 1 - x[target] + x[other])` over targets and classes that are none, divided by the number of
    /// classes. `input` is `(c)` or `(n, c)`, `target` as large, int64: the classes of a row, ended by -1.
    fn multilabel_margin_loss(input: Tensor, target: Tensor, reduction: String = "mean") -> Tensor, FUNCTIONAL;
    value {
        const NAME: &str = "multilabel_margin_loss";
        let how = self::reduction(NAME, reduction)?;
        let [counts, rest] = targets(NAME, input, target)?;
        let [reach, counted] = pairs(input, &counts, &rest)?;
        let losses = mul_tensors(&clamp_min(&reach, 0i64.into())?, &counted)?;
        let losses = sum(&losses, Some(&[1, 2]), false, None)?;
        reduce_rows(mul((&losses).into(), (1.0 / counts.sizes()[1] as f64).into())?, input, how)
    }
    derivative "MultilabelMarginLossBackward0" ByVjp {
        input(g, input, target, reduction) => {
            let how = self::reduction("multilabel_margin_loss", reduction)?;
            let [counts, rest] = targets("multilabel_margin_loss", input, target)?;
            let [reach, counted] = pairs(input, &counts, &rest)?;
            let inside = mul_tensors(&to_dtype(&gt(&reach, 0i64.into())?, input.dtype())?, &counted)?;
            let risen = sum(&inside, Some(&[1]), false, None)?;
            let fallen = sum(&inside, Some(&[2]), false, None)?;
            let factor = mul((&column(g, counts.sizes()[0], how)?).into(), (1.0 / counts.sizes()[1] as f64).into())?;
            reshape_as(&mul_tensors(&add_tensors(&risen, &neg(&fallen)?)?, &factor)?, input)
        };
    }
}
