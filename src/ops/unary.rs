//! Elementwise functions of one tensor.

use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, op, pointwise};

fn check_no_bool(name: &str, _: &[Value], dtype: DType) -> Result<()> {
    if dtype == DType::Bool {
        bail!(Runtime, "{name}: not defined for a bool tensor; use logical_not() to invert a mask");
    }
    Ok(())
}

pointwise! {
    /// Absolute value, a real number for complex ones. The derivative at 0 is 0.
    fn abs(input: Tensor) real complex -> real, "AbsBackward0", FUNCTION METHOD IN_PLACE
        = input.modulus();
        input(g, input) = g * input.direction();

    /// The smallest integer not below each element.
    fn ceil(input: Tensor) real -> same, "CeilBackward0", FUNCTION METHOD IN_PLACE
        = input.rounded_up();
        input(g) = g.zero();

    /// Cosine of each element, in radians.
    fn cos(input: Tensor) angle complex -> same, "CosBackward0", FUNCTION METHOD IN_PLACE
        = input.cos();
        input(g, input) = -(g * input.sin().conj());

    /// Natural exponential of each element.
    fn exp(input: Tensor) float complex -> same, "ExpBackward0", FUNCTION METHOD IN_PLACE
        = input.exp();
        input(g, out) = g * out.conj();

    /// `exp(x) - 1`, accurate near 0.
    fn expm1(input: Tensor) float complex -> same, "Expm1Backward0", FUNCTION METHOD IN_PLACE
        = input.expm1();
        input(g, out) = g * (out.conj() + 1.0);

    /// The largest integer not above each element.
    fn floor(input: Tensor) real -> same, "FloorBackward0", FUNCTION METHOD IN_PLACE
        = input.rounded_down();
        input(g) = g.zero();

    /// Natural logarithm of each element.
    fn log(input: Tensor) float complex -> same, "LogBackward0", FUNCTION METHOD IN_PLACE
        = input.log();
        input(g, input) = g / input.conj();

    /// `log(1 + x)`, accurate near 0.
    fn log1p(input: Tensor) float complex -> same, "Log1PBackward0", FUNCTION METHOD IN_PLACE
        = input.log1p();
        input(g, input) = g / (input.conj() + 1.0);

    /// The opposite of each element.
    fn neg(input: Tensor) real complex [check_no_bool] -> same, "NegBackward0", FUNCTION METHOD IN_PLACE
        = input.negative();
        input(g) = -g;

    /// `1 / x`.
    fn reciprocal(input: Tensor) float complex -> same, "ReciprocalBackward0", FUNCTION METHOD IN_PLACE
        = 1.0 / input;
        input(g, out) = -g * (out * out).conj();

    /// The larger of each element and 0. The derivative at 0 is 0.
    fn relu(input: Tensor) real[check_no_bool] -> same, "ReluBackward0", FUNCTION NO_OUT METHOD IN_PLACE
        = input.maximum(0.0);
        input(out, g) = g.where_positive(out);

    /// The gradient of `relu`, for its result.
    fn relu_backward as "_relu_backward" (result: Tensor, gradient: Tensor)
        float -> same, "ThresholdBackwardBackward0"
        = gradient.where_positive(result);
        result(g) = g.zero();
        gradient(result, g) = g.where_positive(result);

    /// Nearest integer; halves go to the even one.
    fn round(input: Tensor) real -> same, "RoundBackward0", FUNCTION METHOD IN_PLACE
        = input.rounded();
        input(g) = g.zero();

    /// `1 / sqrt(x)`.
    fn rsqrt(input: Tensor) float complex -> same, "RsqrtBackward0", FUNCTION METHOD IN_PLACE
        = 1.0 / input.sqrt();
        input(g, out) = -0.5 * g * (out * out * out).conj();

    /// The logistic function `1 / (1 + exp(-x))`.
    fn sigmoid(input: Tensor) float complex -> same, "SigmoidBackward0", FUNCTIONAL FUNCTION METHOD IN_PLACE
        = input.sigmoid();
        input(g, out) = g * ((1.0 - out) * out).conj();

    /// -1, 0 or 1, the sign of each element.
    fn sign(input: Tensor) number -> same, "SignBackward0", FUNCTION METHOD IN_PLACE
        = input.sign();
        input(g) = g.zero();

    /// Sine of each element, in radians.
    fn sin(input: Tensor) angle complex -> same, "SinBackward0", FUNCTION METHOD IN_PLACE
        = input.sin();
        input(g, input) = g * input.cos().conj();

    /// Square root of each element.
    fn sqrt(input: Tensor) float complex -> same, "SqrtBackward0", FUNCTION METHOD IN_PLACE
        = input.sqrt();
        input(g, out) = g / (2.0 * out.conj());

    /// Tangent of each element, in radians.
    fn tan(input: Tensor) angle complex -> same, "TanBackward0", FUNCTION METHOD IN_PLACE
        = input.tan();
        input(g, out) = g * (1.0 + out * out).conj();

    /// Hyperbolic tangent of each element.
    fn tanh(input: Tensor) float complex -> same, "TanhBackward0", FUNCTIONAL FUNCTION METHOD IN_PLACE
        = input.tanh();
        input(g, out) = g * (1.0 - out * out).conj();

    /// Each element without its fraction.
    fn trunc(input: Tensor) real -> same, "TruncBackward0", FUNCTION METHOD IN_PLACE
        = input.without_fraction();
        input(g) = g.zero();
}

op! {
    /// The square of each element.
    fn square(input: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose { crate::ops::power::power_of(input, crate::scalar::Scalar::Int(2)) }
}

op! {
    /// The larger of each element and 0; stored in `input` itself if `inplace`.
    fn relu_functional as "relu" / "functional" (input: Tensor, inplace: bool = false) -> Tensor, FUNCTIONAL;
    value {
        if !inplace {
            return relu(input);
        }
        crate::autograd::primitives::call_in_place("relu", &[Value::Tensor(input.clone())])
    }
    derivative composite;
}
