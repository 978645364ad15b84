//! Dropout.

use crate::autograd::batch;
use crate::autograd::primitives::{call, call_in_place};
use crate::error::Result;
use crate::ops::arithmetic::{add, mul, mul_tensors};
use crate::ops::creation::{bernoulli, with_default_generator};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, op};

op! {
    /// Each element set to 0 with probability `p`, the others divided by `1 - p`; unchanged unless `training`.
    ///
    /// N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
    /// Raises `ValueError` unless `p` is from 0 to 1.
    fn dropout(input: Tensor, p: f64 = 0.5, training: bool = true, inplace: bool = false) -> Tensor, FUNCTIONAL;
    value {
        if !(0.0..=1.0).contains(&p) {
            bail!(Value, "dropout: the probability has to be from 0 to 1, got {p}");
        }
        if !training || p == 0.0 || input.numel() == 0 {
            return Ok(input.clone());
        }
        let mask = mask(input, p)?;
        if inplace {
            return call_in_place("mul", &[Value::Tensor(input.clone()), Value::Tensor(mask)]);
        }
        mul_tensors(input, &mask)
    }
    derivative composite;
}

/// 0 or `1 / (1 - p)` for each element; a single 0 for all if `p` is 1.
fn mask(input: &Tensor, p: f64) -> Result<Tensor> {
    let dtype = input.dtype();
    if p == 1.0 {
        return Tensor::zeros(&[], dtype);
    }
    if !dtype.is_float() {
        bail!(Runtime, "dropout: a float tensor is needed, the input is {dtype}");
    }
    let mask = batch::made_random("dropout", &input.sizes(), |sizes| {
        let mask = if input.is_batched() { Tensor::zeros(sizes, dtype)? } else { input.zeros_alike()? };
        with_default_generator(|generator| bernoulli(&mask, 1.0 - p, generator))??;
        Ok(mask)
    })?;
    call_in_place("div", &[Value::Tensor(mask), Value::Scalar((1.0 - p).into())])
}

fn check_probability(name: &str, p: f64) -> Result<()> {
    if !(0.0..=1.0).contains(&p) {
        bail!(Runtime, "{name}: the probability has to be from 0 to 1, got {p}");
    }
    Ok(())
}

/// A tensor that broadcasts against the input: 1 for what is kept, 0 for what is dropped, drawn for each element or for
/// each channel (the first two dimensions).
fn kept(name: &str, input: &Tensor, p: f64, channels: bool) -> Result<Tensor> {
    let mut sizes = input.sizes();
    if channels {
        if sizes.len() < 2 {
            bail!(Runtime, "{name}: the input needs at least two dimensions, it has {}", sizes.len());
        }
        (2..sizes.len()).for_each(|d| sizes[d] = 1);
    }
    if !input.dtype().is_float() {
        bail!(Runtime, "{name}: a float tensor is needed, the input is {}", input.dtype());
    }
    batch::made_random(name, &sizes, |sizes| {
        let kept = Tensor::empty(sizes, input.dtype())?;
        with_default_generator(|generator| bernoulli(&kept, 1.0 - p, generator))??;
        Ok(kept)
    })
}

fn in_place_or_new(name: &str, inplace: bool, input: &Tensor, other: &Tensor) -> Result<Tensor> {
    let arguments = [Value::from(input), Value::from(other)];
    if inplace { call_in_place(name, &arguments) } else { call(name, &arguments) }
}

op! {
    /// Whole channels (of the first two dimensions) set to 0 with probability `p`, the others divided by `1 - p`.
    ///
    /// J. Tompson et al., "Efficient object localization using convolutional networks", 2015.
    fn feature_dropout(input: Tensor, p: f64, train: bool, inplace: bool = false) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        check_probability("feature_dropout", p)?;
        if !train || p == 0.0 || input.numel() == 0 {
            return Ok(input.clone());
        }
        if p == 1.0 {
            return in_place_or_new("mul", inplace, input, &Tensor::zeros(&[], input.dtype())?);
        }
        let kept = kept("feature_dropout", input, p, true)?;
        let factor = call_in_place("div", &[Value::Tensor(kept), Value::Scalar((1.0 - p).into())])?;
        in_place_or_new("mul", inplace, input, &factor)
    }
    derivative composite;
}

/// Dropout that keeps mean 0 and variance 1 behind `selu`: what is dropped gets `selu`'s limit for large negative numbers,
/// and all is scaled and shifted.
fn alpha_dropped(name: &str, input: &Tensor, p: f64, train: bool, inplace: bool, channels: bool) -> Result<Tensor> {
    check_probability(name, p)?;
    if !train || p == 0.0 || input.numel() == 0 {
        return Ok(input.clone());
    }
    if p == 1.0 {
        return in_place_or_new("mul", inplace, input, &Tensor::zeros(&[], input.dtype())?);
    }
    const LIMIT: f64 = 1.758_099_340_847_376_6;
    let kept = kept(name, input, p, channels)?;
    let scale = 1.0 / ((LIMIT * LIMIT * p + 1.0) * (1.0 - p)).sqrt();
    // (kept - 1) * LIMIT * scale + LIMIT * scale * p
    let shift = mul((&kept).into(), (LIMIT * scale).into())?;
    let shift = add((&shift).into(), (LIMIT * scale * (p - 1.0)).into())?;
    let scaled = in_place_or_new("mul", inplace, input, &mul((&kept).into(), scale.into())?)?;
    in_place_or_new("add", inplace, &scaled, &shift)
}

op! {
    /// Dropout for `selu`: keeps mean and variance. G. Klambauer et al., "Self-normalizing neural networks", 2017.
    fn alpha_dropout(input: Tensor, p: f64, train: bool, inplace: bool = false) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value { alpha_dropped("alpha_dropout", input, p, train, inplace, false) }
    derivative composite;
}

op! {
    /// `alpha_dropout` of whole channels (of the first two dimensions).
    fn feature_alpha_dropout(input: Tensor, p: f64, train: bool, inplace: bool = false) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value { alpha_dropped("feature_alpha_dropout", input, p, train, inplace, true) }
    derivative composite;
}
