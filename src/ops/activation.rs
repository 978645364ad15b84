//! Activation functions.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use crate::autograd::batch;
use crate::autograd::primitives::call_in_place;
use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add, div, mul_tensors, rsub_number, sub};
use crate::ops::conversion::contiguous;
use crate::ops::creation::{uniform, with_default_generator};
use crate::ops::joining::cat_tensors;
use crate::ops::unary::{abs, sigmoid, tanh};
use crate::ops::views;
use crate::scalar::Scalar;
use crate::shape::{Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::{Argument, Value};
use crate::{bail, chosen, op, pointwise};

/// `√(2/π)` and the factor of the cube in `gelu`'s approximation by a tangent.
const GELU: (f64, f64) = (FRAC_2_SQRT_PI * FRAC_1_SQRT_2, 0.044715);

/// A sixth, in float32 as PyTorch has it.
const SIXTH: f64 = (1.0_f32 / 6.0) as f64;

/// The constants of `selu`, which keep mean 0 and variance 1: G. Klambauer et al., "Self-normalizing neural networks",
/// 2017.
const SELU: (f64, f64) = (1.673_263_242_354_377_2, 1.050_700_987_355_480_5);

/// The functions of `nn.functional` that store their result in the input if `inplace`.
macro_rules! functional {
    ($(
        $(#[doc = $doc:literal])*
        fn $rust:ident as $python:literal ($($p:ident : $t:ty $(= $d:expr)?),*) = $of:ident;
    )+) => {$(
        op! {
            $(#[doc = $doc])*
            fn $rust as $python / "functional" (input: Tensor, $($p: $t $(= $d)?,)* inplace: bool = false) -> Tensor, FUNCTIONAL;
            value {
                if inplace {
                    call_in_place($python, &[Value::from(input), $(<$t as Argument>::pack($p)),*])
                } else {
                    self::$of(input, $($p),*)
                }
            }
            derivative composite;
        }
    )+};
}

op! {
    /// `x` above 0, `alpha * (exp(x) - 1)` below: D. Clevert et al., "Fast and accurate deep network learning by
    /// exponential linear units", 2015. In place of the input if `inplace`.
    fn elu_functional as "elu" / "functional" (input: Tensor, alpha: Scalar = Scalar::Float(1.0), inplace: bool = false) -> Tensor,
        FUNCTIONAL;
    value {
        let one = Scalar::Int(1);
        if inplace {
            return call_in_place("elu", &[Value::from(input), alpha.into(), one.into(), one.into()]);
        }
        elu(input, alpha, one, one)
    }
    derivative composite;
}

functional! {
    /// `x` above 0, `alpha * (exp(x / alpha) - 1)` below: J. Barron, "Continuously differentiable exponential linear
    /// units", 2017. In place of the input if `inplace`.
    fn celu_functional as "celu" (alpha: Scalar = Scalar::Float(1.0)) = celu;

    /// `relu6(x + 3) / 6`, in place of the input if `inplace`.
    fn hardsigmoid_functional as "hardsigmoid" () = hardsigmoid;

    /// `x * relu6(x + 3) / 6`: A. Howard et al., "Searching for MobileNetV3", 2019. In place of the input if `inplace`.
    fn hardswish_functional as "hardswish" () = hardswish;

    /// Each element, but not below `min_val` nor above `max_val`; in place of the input if `inplace`.
    ///
    /// Raises `ValueError` if `min_val` is greater.
    fn hardtanh_functional as "hardtanh" (min_val: Scalar = Scalar::Float(-1.0), max_val: Scalar = Scalar::Float(1.0)) = hardtanh;

    /// `x` above 0, `negative_slope * x` below; in place of the input if `inplace`.
    fn leaky_relu_functional as "leaky_relu" (negative_slope: Scalar = Scalar::Float(0.01)) = leaky_relu;

    /// `x * tanh(log(1 + exp(x)))`: D. Misra, "Mish: a self regularized non-monotonic activation function", 2019. In
    /// place of the input if `inplace`.
    fn mish_functional as "mish" () = mish;

    /// Each element, but not below 0 nor above 6; in place of the input if `inplace`.
    fn relu6_functional as "relu6" () = relu6;

    /// `elu` times a scale, with constants that keep mean 0 and variance 1: G. Klambauer et al., "Self-normalizing neural
    /// networks", 2017. In place of the input if `inplace`.
    fn selu_functional as "selu" () = selu;

    /// `x * sigmoid(x)`: S. Elfwing et al., "Sigmoid-weighted linear units", 2017. In place of the input if `inplace`.
    fn silu_functional as "silu" () = silu;

    /// `value` where an element is not above `threshold`; in place of the input if `inplace`.
    fn threshold_functional as "threshold" (threshold: Scalar, value: Scalar) = threshold;

    /// `leaky_relu` with slopes drawn evenly from `lower` to `upper` while `training`, and their mean after; in place of
    /// the input if `inplace`. B. Xu et al., "Empirical evaluation of rectified activations", 2015.
    fn rrelu_functional as "rrelu" (lower: f64 = 1.0 / 8.0, upper: f64 = 1.0 / 3.0, training: bool = false) = rrelu;
}

/// Both numbers have to be of the input's element type.
fn check_threshold(name: &str, values: &[Value], dtype: DType) -> Result<()> {
    for value in &values[1..] {
        if let Value::Scalar(number) = value
            && dtype == DType::UInt8
            && !(0..=255).contains(&number.to_i64())
        {
            bail!(Runtime, "{name}: {number} is no {dtype}");
        }
    }
    Ok(())
}

fn check_silu(name: &str, values: &[Value], _: DType) -> Result<()> {
    match values {
        [Value::Tensor(input)] => crate::ops::complex::check_no_gradient(name, &[input]),
        _ => Ok(()),
    }
}

pointwise! {
    /// `value`, a gradient at `input`, laid out like `gradient`.
    fn gradient_at as "_gradient_at" (gradient: Tensor, value: Tensor, input: Tensor) float -> same, "GradientAtBackward0"
        = { let _ = (gradient, input); value };
        value(g) = g;
        input(g) = g.zero();

    /// `x` above 0, `alpha * (exp(x / alpha) - 1)` below.
    fn celu_of as "celu" / "of" (input: Tensor => alpha: Scalar) floating -> same, "CeluBackward0"
        = input.or_else_if(input.greater(0.0), alpha * (input / alpha).expm1());
        input(g, input, alpha) = g.as_gradient(
            g.or_else_if(input.greater(0.0), g * (input.only_if(input.less(0.0)) / alpha).exp()), input
        );

    /// `scale * x` above 0, `scale * alpha * (exp(input_scale * x) - 1)` below.
    fn elu(
        input: Tensor
        => alpha: Scalar = Scalar::Int(1), scale: Scalar = Scalar::Int(1), input_scale: Scalar = Scalar::Int(1)
    ) floating -> same, "EluBackward0", IN_PLACE
        = (scale * input).or_else_if(input.greater(0.0), scale * alpha * (input_scale * input).expm1());
        input(g, input, alpha, scale, input_scale) = g.as_gradient(
            (g * scale).or_else_if(
                input.greater(0.0),
                g * (scale * alpha * input_scale) * (input.only_if(input.less(0.0)) * input_scale).exp()
            ),
            input
        );

    /// `gelu` by the error function.
    fn gelu_exactly as "gelu" / "none" (input: Tensor) floating -> same, "GeluBackward0"
        = 0.5 * input * (1.0 + (FRAC_1_SQRT_2 * input).erf());
        input(g, input) = g * (
            0.5 * (1.0 + (FRAC_1_SQRT_2 * input).erf()) + input * (-0.5 * (input * input)).exp() * (0.5 * GELU.0)
        );

    /// `gelu` by a tangent.
    fn gelu_by_tanh as "gelu" / "tanh" (input: Tensor) floating -> same, "GeluBackward0"
        = 0.5 * input * (1.0 + (GELU.0 * (input + GELU.1 * input * input * input)).tanh());
        input(g, input) = g * (
            0.5 * (1.0 + (GELU.0 * (input + GELU.1 * input * input * input)).tanh())
                + 0.5 * input
                    * (1.0 - (GELU.0 * (input + GELU.1 * input * input * input)).tanh().square())
                    * (GELU.0 * (1.0 + 3.0 * GELU.1 * input * input))
        );

    /// Each element, but 0 from `-lambd` to `lambd`.
    fn hardshrink(input: Tensor => lambd: Scalar = Scalar::Float(0.5))
        floating -> same, "HardshrinkBackward0", FUNCTIONAL FUNCTION METHOD
        = input.only_if(!(input.greater_equal(-lambd) & input.less_equal(lambd)));
        input(g, input, lambd) =
            g.as_gradient(g.only_if(!(input.greater_equal(-lambd) & input.less_equal(lambd))), input);

    /// `relu6(x + 3) / 6`.
    fn hardsigmoid(input: Tensor) floating -> same, "HardsigmoidBackward0", IN_PLACE
        = (input + 3.0).maximum(0.0).minimum(6.0) / 6.0;
        input(g, input) = (g * SIXTH).only_if(input.greater(-3.0) & input.less(3.0));

    /// `x * relu6(x + 3) / 6`.
    fn hardswish(input: Tensor) floating -> same, "HardswishBackward0", IN_PLACE
        = input * (input + 3.0).maximum(0.0).minimum(6.0) / 6.0;
        input(g, input) = g.as_gradient(
            (g * (input / 3.0 + 0.5)).or_else_if(input.less(3.0), g).only_if(!input.less_equal(-3.0)), input
        );

    /// Each element, limited.
    fn hardtanh_of as "hardtanh" / "of" (input: Tensor => min_val: Scalar, max_val: Scalar)
        real -> same, "HardtanhBackward0"
        = input.maximum(min_val).minimum(max_val);
        input(g, input, min_val, max_val) =
            g.as_gradient(g.only_if(!(input.less_equal(min_val) | input.greater_equal(max_val))), input);

    /// `x` above 0, `negative_slope * x` below.
    fn leaky_relu(input: Tensor => negative_slope: Scalar = Scalar::Float(0.01))
        floating -> same, "LeakyReluBackward0", IN_PLACE
        = input.or_else_if(input.greater(0.0), input * negative_slope);
        input(input, g, negative_slope) =
            input.as_gradient(g.or_else_if(input.greater(0.0), g * negative_slope), input);

    /// The logarithm of `sigmoid`, without overflow.
    fn logsigmoid_of as "logsigmoid" / "of" (input: Tensor) floating -> same, "LogSigmoidBackward0"
        = input.logsigmoid();
        input(g, input) = g * (-input).sigmoid();

    /// `x * tanh(log(1 + exp(x)))`.
    fn mish(input: Tensor) floating -> same, "MishBackward0", IN_PLACE
        = input * (-(-input).logsigmoid()).tanh();
        input(g, input) = g * (
            (-(-input).logsigmoid()).tanh()
                + input * input.sigmoid() * (1.0 - (-(-input).logsigmoid()).tanh().square())
        );

    /// `x` above 0, `weight * x` below.
    fn prelu_kernel as "_prelu_kernel" (input: Tensor, weight: Tensor) floating -> same, "PreluKernelBackward0"
        = input.or_else_if(input.greater(0.0), weight * input);
        input(g, input, weight) = g.or_else_if(input.greater(0.0), weight * g);
        weight(g, input) = (input * g).only_if(!input.greater(0.0));

    /// `x` above 0, `noise * x` below.
    fn rrelu_with_noise as "_rrelu_with_noise" (input: Tensor => noise: crate::value::Operand<'static>)
        floating -> same, "RreluWithNoiseBackward0"
        = input.or_else_if(input.greater(0.0), noise * input);
        input(g, input, noise) = g.as_gradient(g.or_else_if(input.greater(0.0), noise * g), input);

    /// `x * sigmoid(x)`.
    fn silu(input: Tensor) floating complex[check_silu] -> same, "SiluBackward0", IN_PLACE
        = input * input.sigmoid();
        input(g, input) = g * (input.sigmoid() * (1.0 + input * (1.0 - input.sigmoid())));

    /// `log(1 + exp(beta x)) / beta`, and `x` where `beta x` is above `threshold`.
    fn softplus(input: Tensor => beta: Scalar = Scalar::Int(1), threshold: Scalar = Scalar::Int(20))
        floating -> same, "SoftplusBackward0", OUT FUNCTIONAL
        = input.or_else_if((beta * input).greater(threshold), (beta * input).exp().log1p() / beta);
        input(g, input, beta, threshold) = g.as_gradient(
            g.or_else_if((beta * input).greater(threshold), g * (beta * input).sigmoid()), input
        );

    /// Each element brought nearer to 0 by `lambd`, and 0 if that is farther.
    fn softshrink_of as "softshrink" / "of" (input: Tensor => lambd: Scalar) floating -> same, "SoftshrinkBackward0"
        = (input - lambd).or_else_if(input.greater(lambd), (input + lambd).or_else_if(input.less(-lambd), input * 0.0));
        input(g, input, lambd) =
            g.as_gradient(g.only_if(!(input.greater_equal(-lambd) & input.less_equal(lambd))), input);

    /// `value` where an element is not above `threshold`.
    fn threshold(input: Tensor => threshold: Scalar, value: Scalar) real[check_threshold] -> same, "ThresholdBackward0", FUNCTION IN_PLACE
        = value.or_else_if(input.less_equal(threshold), input);
        input(input, g, threshold) = input.as_gradient(g.only_if(!input.less_equal(threshold)), input);
}

op! {
    /// `x` above 0, `alpha * (exp(x / alpha) - 1)` below.
    ///
    /// Raises `RuntimeError` if `alpha` is 0.
    fn celu(input: Tensor, alpha: Scalar = Scalar::Float(1.0)) -> Tensor, FUNCTION NO_OUT IN_PLACE;
    choose {
        if alpha.to_f64() == 0.0 {
            bail!(Runtime, "celu: alpha must not be 0 (ZeroDivisionError)");
        }
        Ok(chosen!(celu_of(input, alpha)))
    }
}

op! {
    /// The logarithm of `sigmoid`, without overflow; row-major, as PyTorch has it.
    fn logsigmoid(input: Tensor) -> Tensor, OUT FUNCTIONAL;
    value { logsigmoid_of(&contiguous(input)?) }
    derivative composite;
}

op! {
    /// `x` times the probability that a standard normal number is below it: D. Hendrycks and K. Gimpel, "Gaussian error
    /// linear units", 2016. `approximate="tanh"` replaces the error function by a tangent.
    fn gelu(input: Tensor; approximate: String = "none") -> Tensor, OUT FUNCTIONAL;
    choose {
        Ok(match approximate {
            "none" => chosen!(gelu_exactly(input)),
            "tanh" => chosen!(gelu_by_tanh(input)),
            other => bail!(Runtime, "gelu: approximate has to be 'none' or 'tanh', got '{other}'"),
        })
    }
}

/// Limits in the input's element type.
fn limits(input: &Tensor, min_val: Scalar, max_val: Scalar) -> Result<[Scalar; 2]> {
    if min_val.to_f64() > max_val.to_f64() {
        bail!(Value, "hardtanh: min_val, {min_val}, must not be greater than max_val, {max_val}");
    }
    let dtype = input.dtype();
    let limits = [min_val, max_val].map(|limit| if dtype.is_float() { limit } else { Scalar::Int(limit.to_i64()) });
    if dtype == DType::Bool || dtype == DType::UInt8 && limits[0].to_f64() < 0.0 {
        bail!(Runtime, "hardtanh: not defined for {dtype} with these limits");
    }
    Ok(limits)
}

op! {
    /// Each element, but not below `min_val` nor above `max_val`.
    fn hardtanh(input: Tensor, min_val: Scalar = Scalar::Int(-1), max_val: Scalar = Scalar::Int(1)) -> Tensor, IN_PLACE;
    choose {
        let [min_val, max_val] = limits(input, min_val, max_val)?;
        Ok(chosen!(hardtanh_of(input, min_val, max_val)))
    }
}

op! {
    /// Each element, but not below 0 nor above 6.
    fn relu6(input: Tensor) -> Tensor, IN_PLACE;
    choose {
        let [min_val, max_val] = limits(input, Scalar::Int(0), Scalar::Int(6))?;
        Ok(chosen!(hardtanh_of(input, min_val, max_val)))
    }
}

op! {
    /// `elu` times a scale, with constants that keep mean 0 and variance 1.
    fn selu(input: Tensor) -> Tensor, FUNCTION NO_OUT IN_PLACE;
    choose { Ok(chosen!(elu(input, Scalar::Float(SELU.0), Scalar::Float(SELU.1), Scalar::Int(1)))) }
}

op! {
    /// Each element brought nearer to 0 by `lambd`, and 0 if that is farther.
    ///
    /// Raises `RuntimeError` if `lambd` is negative.
    fn softshrink(input: Tensor, lambd: Scalar = Scalar::Float(0.5)) -> Tensor, OUT FUNCTIONAL;
    choose {
        if !input.dtype().is_float() {
            bail!(NotImplemented, "softshrink: not implemented for {}", input.dtype());
        }
        if !(0.0..=f64::MAX).contains(&lambd.to_f64()) {
            bail!(Runtime, "softshrink: lambd has to be from 0 on, got {lambd}");
        }
        Ok(chosen!(softshrink_of(input, lambd)))
    }
}

op! {
    /// `x / (1 + |x|)`.
    fn softsign(input: Tensor) -> Tensor, FUNCTIONAL;
    value { div(input.into(), (&add((&abs(input)?).into(), 1i64.into())?).into()) }
    derivative composite;
}

op! {
    /// `x - tanh(x)`.
    fn tanhshrink(input: Tensor) -> Tensor, FUNCTIONAL;
    value { sub(input.into(), (&tanh(input)?).into()) }
    derivative composite;
}

op! {
    /// `x` above 0, `weight * x` below: one weight, or one for each channel (dimension 1). K. He et al., "Delving deep
    /// into rectifiers", 2015.
    ///
    /// Raises `RuntimeError` if dtypes differ or the weight has another size.
    fn prelu(input: Tensor, weight: Tensor) -> Tensor, FUNCTIONAL FUNCTION NO_OUT METHOD;
    value {
        if input.dtype() != weight.dtype() {
            bail!(Runtime, "prelu: input and weight have to have one dtype, got {} and {}", input.dtype(), weight.dtype());
        }
        if weight.ndim() > 1 {
            bail!(Runtime, "prelu: the weight has to have at most one dimension, it has {}", weight.ndim());
        }
        let (sizes, count) = (input.sizes(), weight.numel());
        let channels = sizes.get(1).copied().unwrap_or(1);
        if count != 1 && (sizes.is_empty() || channels != count) {
            bail!(Runtime, "prelu: {count} weights for {channels} channels");
        }
        if count == 1 {
            let weight = if weight.ndim() == 0 { weight.clone() } else { views::reshape(weight, &[])? };
            return prelu_kernel(input, &weight);
        }
        let mut shape = Ints::from_elem(1, sizes.len());
        if let Some(channels) = shape.get_mut(1) {
            *channels = count as i64;
        }
        prelu_kernel(input, &views::reshape(weight, &shape)?)
    }
    derivative composite;
}

/// A slope for each element that is not positive, drawn in their order; the slopes of others do not matter.
fn drawn_slopes(input: &Tensor, lower: f64, upper: f64) -> Result<Tensor> {
    let draw = |sizes: &[usize]| -> Result<Tensor> {
        let slopes = Tensor::empty(sizes, DType::Float64)?;
        with_default_generator(|generator| uniform(&slopes, lower, upper, generator))??;
        Ok(slopes)
    };
    if input.is_batched() {
        return batch::made_random("rrelu", &input.sizes(), draw)?.cast(input.dtype());
    }
    let below: Vec<bool> = input.detach().to_vec::<f64>()?.iter().map(|&x| x <= 0.0).collect();
    let drawn = draw(&[below.iter().filter(|&&below| below).count()])?.to_vec::<f64>()?;
    let mut rest = drawn.iter();
    let slopes: Vec<f64> = below.iter().map(|&below| if below { *rest.next().unwrap_or(&1.0) } else { 1.0 }).collect();
    Tensor::from_slice(&slopes, &input.sizes())?.cast(input.dtype())
}

op! {
    /// `leaky_relu` with slopes drawn evenly from `lower` to `upper` while `training`, and their mean after.
    fn rrelu(input: Tensor, lower: f64 = 1.0 / 8.0, upper: f64 = 1.0 / 3.0, training: bool = false) -> Tensor, FUNCTION NO_OUT IN_PLACE;
    choose {
        if lower > upper {
            bail!(Runtime, "rrelu: lower, {lower}, must not be greater than upper, {upper}");
        }
        if !input.dtype().is_float() {
            bail!(NotImplemented, "rrelu: not implemented for {}", input.dtype());
        }
        Ok(if training {
            chosen!(rrelu_with_noise(input, Value::Tensor(drawn_slopes(input, lower, upper)?)))
        } else {
            chosen!(rrelu_with_noise(input, Scalar::Float((lower + upper) / 2.0)))
        })
    }
}

/// The two halves along a dimension.
fn halves(input: &Tensor, dim: i64) -> Result<[Tensor; 2]> {
    let half = input.size(dim)? as i64 / 2;
    Ok([views::narrow(input, dim, 0, half)?, views::narrow(input, dim, half, half)?])
}

op! {
    /// The first half along `dim` times `sigmoid` of the second: Y. Dauphin et al., "Language modeling with gated
    /// convolutional networks", 2016.
    ///
    /// Raises `RuntimeError` for a tensor without dimensions or of odd size along `dim`.
    fn glu(input: Tensor, dim: i64 = -1) -> Tensor, FUNCTIONAL;
    value {
        if input.ndim() == 0 {
            bail!(Runtime, "glu: a tensor without dimensions has no halves");
        }
        let d = wrap_dim(dim, input.ndim())?;
        let size = input.sizes()[d];
        if size % 2 != 0 {
            bail!(Runtime, "glu: dimension {d} has to have an even size, it has {size}");
        }
        if !input.dtype().is_float() {
            bail!(NotImplemented, "glu: not implemented for {}", input.dtype());
        }
        let [value, gate] = halves(input, dim)?;
        mul_tensors(&value, &sigmoid(&gate)?)
    }
    batch dims(dim);
    derivative "GluBackward0" ByVjp {
        input(g, input, dim) => {
            let [value, gate] = halves(input, dim)?;
            let open = sigmoid(&gate)?;
            let through = mul_tensors(g, &open)?;
            let slope = mul_tensors(&mul_tensors(&through, &rsub_number(&open, 1i64.into())?)?, &value)?;
            cat_tensors(&[through, slope], dim)
        };
    }
}
