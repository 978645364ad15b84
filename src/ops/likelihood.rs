//! The negative log-likelihood of classes.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::ops::conversion::contiguous;
use crate::ops::loss::{Reduction, check_constant, reduction};
use crate::ops::views;
use crate::shape::{self, Dims, Ints};
use crate::tensor::{Tensor, slice_at};
use crate::{bail, op, with_element};

op! {
    /// Minus the log-probability of each target class: `input` `(n, c, …)` holds log-probabilities, `target`
    /// `(n, …)` int64 classes. `ignore_index` targets count nothing; the mean is weighted by `weight`, one constant
    /// for each class.
    fn nll_loss(
        input: Tensor, target: Tensor, weight: Option<Tensor> = None, ignore_index: i64 = -100, reduction: String = "mean"
    ) -> Tensor, FUNCTIONAL;
    value {
        let sizes = input.sizes();
        match sizes.len() {
            0 => bail!(Value, "nll_loss: the input needs at least one dimension"),
            1 | 2 => nll_loss_of(input, target, weight, ignore_index, reduction),
            4 => nll_loss_of_images(input, target, weight, ignore_index, reduction),
            _ => {
                check_target(&sizes, target)?;
                // All further dimensions as one row of an image.
                let row: i64 = sizes[2..].iter().product::<usize>() as i64;
                let (n, c) = (sizes[0] as i64, sizes[1] as i64);
                let losses = nll_loss_of_images(
                    &views::view(&contiguous(input)?, &[n, c, 1, row])?,
                    &views::view(&contiguous(target)?, &[n, 1, row])?,
                    weight,
                    ignore_index,
                    reduction,
                )?;
                if reduction != "none" {
                    return Ok(losses);
                }
                views::view(&losses, &target.sizes().iter().map(|&n| n as i64).collect::<Ints>())
            }
        }
    }
    derivative composite;
}

op! {
    /// The node of `nll_loss` for input of one or two dimensions.
    fn nll_loss_of as "nll_loss" / "vectors" (
        input: Tensor, target: Tensor, weight: Option<Tensor>, ignore_index: i64, reduction: String
    ) -> Tensor;
    value { likelihood(input, target, weight, ignore_index, reduction) }
    derivative "NllLossBackward0" ByVjp {
        input(g, input, target, weight, ignore_index, reduction) => {
            nll_loss_backward(g, input, target, weight, ignore_index, reduction)
        };
    }
}

op! {
    /// The node of `nll_loss` for input of four dimensions.
    fn nll_loss_of_images as "nll_loss" / "images" (
        input: Tensor, target: Tensor, weight: Option<Tensor>, ignore_index: i64, reduction: String
    ) -> Tensor;
    value { likelihood(input, target, weight, ignore_index, reduction) }
    derivative "NllLoss2DBackward0" ByVjp {
        input(g, input, target, weight, ignore_index, reduction) => {
            nll_loss_backward(g, input, target, weight, ignore_index, reduction)
        };
    }
}

op! {
    /// The gradient of `nll_loss`. The loss is linear in its input, so it is itself the derivative of its gradient.
    fn nll_loss_backward as "nll_loss" / "backward" (
        gradient: Tensor, input: Tensor, target: Tensor, weight: Option<Tensor>, ignore_index: i64, reduction: String
    ) -> Tensor;
    value {
        let how = self::reduction("nll_loss", reduction)?;
        let sizes = input.sizes();
        let samples = Samples::new(&sizes, gradient.dtype(), target, weight, ignore_index)?;
        let out = Tensor::zeros(&sizes, gradient.dtype())?;
        let gradient = gradient.detach().to_contiguous()?;
        with_element!(gradient.dtype(), float T => {
            let weights = samples.weights::<T>()?;
            let scale = if how == Reduction::Mean { 1.0 / samples.total_weight(&weights)? } else { 1.0 };
            let (g, target) = (gradient.data(), out.data());
            // SAFETY: a row-major tensor holds its elements one after another.
            let g = unsafe { slice_at(g.pointer().cast::<T>(), g.numel()) };
            let target = target.pointer().cast::<T>();
            samples.for_each(|sample, class, place| {
                let weight = weights.as_ref().map_or(1.0, |weights| weights[class].to_f64());
                let g = g[if how == Reduction::None { sample } else { 0 }].to_f64();
                // SAFETY: the place of a valid class lies inside the tensor.
                unsafe { *target.add(place) = T::from_f64(-g * weight * scale) };
            })?;
        }, else {});
        Ok(out)
    }
    derivative "NllLossBackwardBackward0" ByVjp {
        gradient(g, target, weight, ignore_index, reduction) => {
            nll_loss_of(g, target, weight, ignore_index, reduction)
        };
        input(g) => g.zeros_alike();
    }
}

/// The loss, not recorded.
fn likelihood(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: &str,
) -> Result<Tensor> {
    let how = self::reduction("nll_loss", reduction)?;
    let (sizes, dtype) = (input.sizes(), input.dtype());
    check_constant("nll_loss", "weight", weight)?;
    let samples = Samples::new(&sizes, dtype, target, weight, ignore_index)?;
    let input = input.detach().to_contiguous()?;
    with_element!(dtype, float T => {
        let weights = samples.weights::<T>()?;
        let data = input.data();
        // SAFETY: a row-major tensor holds its elements one after another.
        let x = unsafe { slice_at(data.pointer().cast::<T>(), data.numel()) };
        let mut losses = vec![T::default(); if how == Reduction::None { samples.classes.len() } else { 0 }];
        let mut total = 0.0;
        samples.for_each(|sample, class, place| {
            let weight = weights.as_ref().map_or(1.0, |weights| weights[class].to_f64());
            let loss = -x[place].to_f64() * weight;
            match losses.get_mut(sample) {
                Some(slot) => *slot = T::from_f64(loss),
                None => total += loss,
            }
        })?;
        match how {
            Reduction::None => Tensor::from_slice(&losses, &target.sizes()),
            Reduction::Sum => Tensor::scalar(total, dtype),
            Reduction::Mean => Tensor::scalar(total / samples.total_weight(&weights)?, dtype),
        }
    }, else bail!(NotImplemented, "nll_loss: not implemented for {dtype}; convert it to a float type first"))
}

/// The target's size has to be the input's without the classes.
fn check_target(sizes: &[usize], target: &Tensor) -> Result<()> {
    let batched = usize::from(sizes.len() > 1);
    let mut expected = Dims::from_slice(sizes);
    expected.remove(batched);
    let found = target.sizes();
    if batched == 1 && found.first() != expected.first() {
        bail!(
            Value,
            "nll_loss: the input has a batch of {} and the target one of size {}",
            expected[0],
            shape::show(&found)
        );
    }
    if found != expected {
        bail!(
            Runtime,
            "nll_loss: for an input of size {} the target's size has to be {}, got {}",
            shape::show(sizes),
            shape::show(&expected),
            shape::show(&found)
        );
    }
    Ok(())
}

/// Which class each sample has, and what it weighs.
struct Samples {
    classes: Vec<i64>,
    /// How many classes there are, and how many samples lie between two classes of one sample.
    count: usize,
    inner: usize,
    weight: Option<Tensor>,
    ignored: i64,
}

impl Samples {
    fn new(sizes: &[usize], dtype: DType, target: &Tensor, weight: Option<&Tensor>, ignored: i64) -> Result<Samples> {
        check_target(sizes, target)?;
        if !matches!(target.dtype(), DType::Int64 | DType::UInt8) {
            bail!(Runtime, "nll_loss: the target has to be an int64 tensor of classes, it is {}", target.dtype());
        }
        let batched = usize::from(sizes.len() > 1);
        let count = sizes[batched];
        if let Some(weight) = weight {
            if weight.sizes()[..] != [count] {
                bail!(Runtime, "nll_loss: weight has to have one number for each of the {count} classes");
            }
            if weight.dtype() != dtype && dtype.is_float() {
                bail!(Runtime, "nll_loss: weight has to be {dtype} like the input, it is {}", weight.dtype());
            }
        }
        Ok(Samples {
            classes: target.to_vec::<i64>()?,
            count,
            inner: sizes[batched + 1..].iter().product(),
            weight: weight.cloned(),
            ignored,
        })
    }

    fn weights<T: Element>(&self) -> Result<Option<Vec<T>>> {
        self.weight.as_ref().map(Tensor::to_vec::<T>).transpose()
    }

    /// Runs `visit(sample, class, place of the class in the input)` for each sample that counts.
    fn for_each(&self, mut visit: impl FnMut(usize, usize, usize)) -> Result<()> {
        for (sample, &class) in self.classes.iter().enumerate() {
            if class == self.ignored {
                continue;
            }
            let Some(class) = usize::try_from(class).ok().filter(|&class| class < self.count) else {
                bail!(Index, "nll_loss: target {class} is out of bounds for {} classes", self.count);
            };
            let (outer, inner) = (sample / self.inner, sample % self.inner);
            visit(sample, class, (outer * self.count + class) * self.inner + inner);
        }
        Ok(())
    }

    fn total_weight<T: Element>(&self, weights: &Option<Vec<T>>) -> Result<f64> {
        let mut total = 0.0;
        self.for_each(|_, class, _| total += weights.as_ref().map_or(1.0, |weights| weights[class].to_f64()))?;
        Ok(total)
    }
}
