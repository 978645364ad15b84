//! Angles and hyperbolic angles: the functions beside sine, cosine and tangent, and the inverses of all.

use std::f64::consts::PI;

use crate::ops::complex::check_real;
use crate::pointwise;
use crate::tensor::Tensor;

const DEGREE: f64 = PI / 180.0;

pointwise! {
    /// The angle whose cosine each element is, from 0 to π.
    fn acos(input: Tensor) float complex -> same, "AcosBackward0", FUNCTION METHOD IN_PLACE
        = input.acos();
        input(g, input) = -(g / (1.0 - input * input).sqrt().conj());

    /// The inverse of `cosh`, from 0 on.
    fn acosh(input: Tensor) float complex -> same, "AcoshBackward0", FUNCTION METHOD IN_PLACE
        = input.acosh();
        input(g, input) = g / input.acosh_divisor().conj();

    /// The angle whose sine each element is, from -π/2 to π/2.
    fn asin(input: Tensor) float complex -> same, "AsinBackward0", FUNCTION METHOD IN_PLACE
        = input.asin();
        input(g, input) = g / (1.0 - input * input).sqrt().conj();

    /// The inverse of `sinh`.
    fn asinh(input: Tensor) float complex -> same, "AsinhBackward0", FUNCTION METHOD IN_PLACE
        = input.asinh();
        input(g, input) = g / (input * input + 1.0).sqrt().conj();

    /// The angle whose tangent each element is, from -π/2 to π/2.
    fn atan(input: Tensor) float complex -> same, "AtanBackward0", FUNCTION METHOD IN_PLACE
        = input.atan();
        input(g, input) = g / (input * input + 1.0).conj();

    /// The inverse of `tanh`.
    fn atanh(input: Tensor) float complex -> same, "AtanhBackward0", FUNCTION METHOD IN_PLACE
        = input.atanh();
        input(g, input) = g / (1.0 - input * input).conj();

    /// The angle of the point `(other, input)`, from -π to π.
    fn atan2(input: Tensor, other: Tensor) float -> same, "Atan2Backward0", FUNCTION METHOD IN_PLACE
        = input.atan2(other);
        input(g, input, other) = g * (other / (input * input + other * other));
        other(g, input, other) = -(g * (input / (input * input + other * other)));

    /// Hyperbolic cosine.
    fn cosh(input: Tensor) float complex -> same, "CoshBackward0", FUNCTION METHOD IN_PLACE
        = input.cosh();
        input(g, input) = g * input.sinh().conj();

    /// Hyperbolic sine.
    fn sinh(input: Tensor) float complex -> same, "SinhBackward0", FUNCTION METHOD IN_PLACE
        = input.sinh();
        input(g, input) = g * input.cosh().conj();

    /// Degrees as radians.
    fn deg2rad(input: Tensor) float[check_real] -> same, "Deg2RadBackward0", FUNCTION METHOD IN_PLACE
        = input * DEGREE;
        input(g) = g * DEGREE;

    /// Radians as degrees.
    fn rad2deg(input: Tensor) float[check_real] -> same, "Rad2DegBackward0", FUNCTION METHOD IN_PLACE
        = input * (1.0 / DEGREE);
        input(g) = g * (1.0 / DEGREE);

    /// The length of the vector `(input, other)`.
    fn hypot(input: Tensor, other: Tensor) floating -> same, "HypotBackward0", FUNCTION METHOD IN_PLACE
        = input.hypot(other);
        input(g, input, out) = g * (input / out);
        other(g, other, out) = g * (other / out);

    /// `sin(πx) / (πx)`, and 1 at 0.
    fn sinc(input: Tensor) float complex -> same, "SincBackward0", FUNCTION METHOD IN_PLACE SPECIAL
        = input.sinc();
        input(g, input) = (g * ((PI * input * (PI * input).cos() - (PI * input).sin()) / (PI * input * input)).conj())
            .only_if(!input.equals(0.0));
}
