//! The loss of connectionist temporal classification.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::alignment::Alignment;
use crate::ops::arithmetic::div;
use crate::ops::conversion::to_dtype;
use crate::ops::loss::{Reduction, reduction};
use crate::ops::reduction::{mean_all, sum_all};
use crate::ops::selection::choose;
use crate::ops::views;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::{bail, op};

/// All examples of a batch, checked.
struct Batch {
    /// `(time, batch, classes)`.
    log_probabilities: Vec<f64>,
    sizes: [usize; 3],
    targets: Vec<Vec<i64>>,
    times: Vec<usize>,
    blank: i64,
}

impl Batch {
    fn new(log_probs: &Tensor, targets: &Tensor, inputs: &[i64], lengths: &[i64], blank: i64) -> Result<Batch> {
        const NAME: &str = "ctc_loss";
        let [times, batch, classes] = log_probs.sizes()[..] else {
            bail!(
                Runtime,
                "{NAME}: log_probs has to be (time, batch, classes) or (time, classes), its size is {}",
                shape::show(&log_probs.sizes())
            );
        };
        if !log_probs.dtype().is_float() {
            bail!(NotImplemented, "{NAME}: not implemented for {}", log_probs.dtype());
        }
        if !(0..classes as i64).contains(&blank) {
            bail!(Runtime, "{NAME}: blank {blank} is none of the {classes} classes");
        }
        if inputs.len() != batch || lengths.len() != batch {
            bail!(Runtime, "{NAME}: {batch} examples need as many lengths, got {} and {}", inputs.len(), lengths.len());
        }
        if let Some(&length) = inputs.iter().find(|&&length| length < 0 || length as usize > times) {
            bail!(Runtime, "{NAME}: an input length has to be from 0 to {times}, got {length}");
        }
        if let Some(&length) = lengths.iter().find(|&&length| length < 0) {
            bail!(Runtime, "{NAME}: target lengths must not be negative, got {length}");
        }
        let (sizes, all) = (targets.sizes(), targets.to_vec::<i64>()?);
        let mut spelt = Vec::with_capacity(batch);
        let mut start = 0;
        for (i, &length) in lengths.iter().enumerate() {
            let length = length as usize;
            let range = match sizes[..] {
                [rows, columns] if rows == batch && length <= columns => i * columns..i * columns + length,
                [count] if start + length <= count => start..start + length,
                _ => bail!(
                    Runtime,
                    "{NAME}: targets of size {} do not hold {batch} of the lengths {}",
                    shape::show(&sizes),
                    shape::show(lengths)
                ),
            };
            start += length;
            let target = all[range].to_vec();
            if let Some(class) = target.iter().find(|&&class| class < 0 || class as usize >= classes) {
                bail!(Runtime, "{NAME}: target {class} is none of the {classes} classes");
            }
            spelt.push(target);
        }
        Ok(Batch {
            log_probabilities: log_probs.to_vec::<f64>()?,
            sizes: [times, batch, classes],
            targets: spelt,
            times: inputs.iter().map(|&n| n as usize).collect(),
            blank,
        })
    }

    /// An example, whose first element is at its number times the classes.
    fn example(&self, i: usize) -> Alignment<'_> {
        let [_, batch, classes] = self.sizes;
        Alignment {
            log_probabilities: &self.log_probabilities[i * classes..],
            stride: batch * classes,
            times: self.times[i],
            target: &self.targets[i],
            blank: self.blank,
        }
    }
}

op! {
    /// Minus the logarithm of the probability of each example's target.
    fn ctc_losses as "_ctc_loss" (
        log_probs: Tensor, targets: Tensor, input_lengths: Ints, target_lengths: Ints, blank: i64, zero_infinity: bool
    ) -> Tensor;
    value {
        let batch = Batch::new(log_probs, targets, input_lengths, target_lengths, blank)?;
        let losses: Vec<f64> = (0..batch.times.len()).map(|i| batch.example(i).loss()).collect();
        Tensor::from_slice(&losses, &[losses.len()])?.cast(log_probs.dtype())
    }
    derivative "CtcLossBackward0" ByVjp {
        log_probs(g, log_probs, targets, input_lengths, target_lengths, blank, zero_infinity) => {
            ctc_loss_backward(g, log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
        };
    }
}

op! {
    /// The gradient of `_ctc_loss`; it has none itself.
    fn ctc_loss_backward as "_ctc_loss_backward" (
        gradient: Tensor, log_probs: Tensor, targets: Tensor, input_lengths: Ints, target_lengths: Ints, blank: i64,
        zero_infinity: bool
    ) -> Tensor;
    value {
        let batch = Batch::new(log_probs, targets, input_lengths, target_lengths, blank)?;
        let [_, _, classes] = batch.sizes;
        let mut out = vec![0.0; batch.log_probabilities.len()];
        for (i, factor) in gradient.to_vec::<f64>()?.into_iter().enumerate() {
            let example = batch.example(i);
            let loss = example.loss();
            if !(zero_infinity && loss == f64::INFINITY) {
                example.gradient(loss, classes, factor, &mut out[i * classes..]);
            }
        }
        Tensor::from_slice(&out, &batch.sizes)?.cast(log_probs.dtype())
    }
    derivative "CtcLossBackwardBackward0" ByVjp {
        [gradient, log_probs](ctx) => bail!(Runtime, "ctc_loss: {} has no derivative", ctx.node.describe());
    }
}

op! {
    /// The loss of connectionist temporal classification: minus the logarithm of the probability that the classes drawn at
    /// each time, repeats merged and blanks left out, are the target.
    ///
    /// `log_probs` is `(time, batch, classes)`, or `(time, classes)` for one example; `targets` is `(batch, length)`, or all
    /// one after another. The mean is that of losses divided by the lengths of their targets; with `zero_infinity`, targets
    /// that are too long count as 0. A. Graves et al., 2006. Raises `RuntimeError` where sizes do not fit.
    fn ctc_loss(
        log_probs: Tensor, targets: Tensor, input_lengths: Ints, target_lengths: Ints, blank: i64 = 0,
        reduction: String = "mean", zero_infinity: bool = false
    ) -> Tensor, FUNCTIONAL;
    value {
        let how = self::reduction("ctc_loss", reduction)?;
        let single = log_probs.ndim() == 2;
        let rows = if single { views::unsqueeze(log_probs, 1)? } else { log_probs.clone() };
        let targets = if single && targets.ndim() == 1 { views::unsqueeze(targets, 0)? } else { targets.clone() };
        let mut losses = ctc_losses(&rows, &targets, input_lengths, target_lengths, blank, zero_infinity)?;
        if zero_infinity {
            let endless = crate::ops::comparison::eq(&losses, f64::INFINITY.into())?;
            losses = choose(&endless, 0.0.into(), (&losses).into())?;
        }
        match how {
            Reduction::Mean => {
                let lengths: Vec<f64> = target_lengths.iter().map(|&n| n.max(1) as f64).collect();
                let lengths = to_dtype(&Tensor::from_slice(&lengths, &[lengths.len()])?, losses.dtype())?;
                mean_all(&div((&losses).into(), (&lengths).into())?, None)
            }
            Reduction::Sum => sum_all(&losses, None),
            Reduction::None if single => views::squeeze(&losses, 0),
            Reduction::None => Ok(losses),
        }
    }
    derivative composite;
}

/// Lengths in a tensor.
fn lengths(name: &str, tensor: &Tensor) -> Result<Ints> {
    if tensor.dtype().is_float() || tensor.dtype() == DType::Bool {
        bail!(Runtime, "ctc_loss: {name} have to be integers, they are {}", tensor.dtype());
    }
    Ok(Ints::from_slice(&tensor.to_vec::<i64>()?))
}

op! {
    /// `ctc_loss` with lengths in tensors.
    fn ctc_loss_of_tensors as "ctc_loss" / "tensors" (
        log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: i64 = 0,
        reduction: String = "mean", zero_infinity: bool = false
    ) -> Tensor, FUNCTIONAL;
    value {
        let (inputs, targets_of) = (lengths("input lengths", input_lengths)?, lengths("target lengths", target_lengths)?);
        ctc_loss(log_probs, targets, &inputs, &targets_of, blank, reduction, zero_infinity)
    }
    derivative composite;
}
