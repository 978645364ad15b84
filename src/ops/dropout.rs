//! Dropout.

use crate::autograd::primitives::call_in_place;
use crate::error::Result;
use crate::ops::arithmetic::mul_tensors;
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
    let mask = input.zeros_alike()?;
    with_default_generator(|generator| bernoulli(&mask, 1.0 - p, generator))??;
    call_in_place("div", &[Value::Tensor(mask), Value::Scalar((1.0 - p).into())])
}
