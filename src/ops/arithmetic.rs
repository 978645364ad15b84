//! Addition, subtraction, multiplication, division.

use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, op, pointwise};

pointwise! {
    /// Sum of two tensors or numbers, element by element.
    fn add(input: Operand<'static>, other: Operand<'static>) number -> same, "AddBackward0", FUNCTION METHOD IN_PLACE
        = input + other;
        input(g) = g;
        other(g) = g;

    /// `input + alpha * other`.
    fn add_scaled as "add" / "alpha" (input: Operand<'static>, other: Operand<'static>; alpha: Scalar)
        number -> same, "AddBackward0", FUNCTION METHOD IN_PLACE
        = input + alpha * other;
        input(g) = g;
        other(g, alpha) = g * alpha;

    /// Product of two tensors or numbers, element by element.
    fn mul(input: Operand<'static>, other: Operand<'static>) number -> same, "MulBackward0", FUNCTION METHOD IN_PLACE
        = input * other;
        input(g, other) = g * other.conj();
        other(g, input) = g * input.conj();

    /// Quotient of two tensors or numbers, element by element; integers are divided as floats.
    fn div(input: Operand<'static>, other: Operand<'static>) float -> same, "DivBackward0", FUNCTION METHOD IN_PLACE
        = input / other;
        input(g, other) = g / other.conj();
        other(g, input, other) = -g * (input / (other * other)).conj();

    /// Difference of two tensors or numbers, element by element.
    fn sub(input: Operand<'static>, other: Operand<'static>) real -> same, "SubBackward0", FUNCTION METHOD IN_PLACE
        = input - other;
        input(g) = g;
        other(g) = -g;

    /// `input - alpha * other`.
    fn sub_scaled as "sub" / "alpha" (input: Operand<'static>, other: Operand<'static>; alpha: Scalar)
        real -> same, "SubBackward0", FUNCTION METHOD IN_PLACE
        = input - alpha * other;
        input(g) = g;
        other(g, alpha) = -(g * alpha);

    /// `input + value * tensor1 * tensor2`.
    fn addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor; value: Scalar = Scalar::Int(1))
        number -> same, "AddcmulBackward0", FUNCTION METHOD IN_PLACE
        = input + value * tensor1 * tensor2;
        input(g) = g;
        tensor1(g, tensor2, value) = g * (tensor2 * value).conj();
        tensor2(g, tensor1, value) = g * (tensor1 * value).conj();

    /// `input + value * tensor1 / tensor2`.
    fn addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor; value: Scalar = Scalar::Int(1))
        float -> same, "AddcdivBackward0", FUNCTION METHOD IN_PLACE
        = input + value * (tensor1 / tensor2);
        input(g) = g;
        tensor1(g, tensor2, value) = g * (value / tensor2).conj();
        tensor2(g, tensor1, tensor2, value) = -g * (value * tensor1 / (tensor2 * tensor2)).conj();

    /// `other - input`.
    fn rsub(input: Tensor, other: Tensor) real -> same, "RsubBackward0", FUNCTION
        = other - input;
        input(g) = -g;
        other(g) = g;

    /// `other - input` for a number `other`.
    fn rsub_number as "rsub" / "number" (input: Tensor, other: Scalar) real -> same, "RsubBackward1", FUNCTION
        = other - input;
        input(g) = -g;

    /// The largest integer (as a float for floats) not above the quotient.
    fn floor_divide(input: Operand<'static>, other: Operand<'static>) real -> same, FUNCTION METHOD IN_PLACE
        = input.floor_quotient(other);

    /// The remainder of the division that rounds down: it has the sign of the divisor, as in Python.
    fn remainder(input: Operand<'static>, other: Operand<'static>)
        real -> same, "RemainderBackward0", FUNCTION METHOD IN_PLACE
        = input.floor_remainder(other);
        input(g) = g;
        other(g, input, other) = -g * (input / other).rounded_down();
}

op! {
    /// Quotient, rounded towards zero (`rounding_mode="trunc"`) or down (`"floor"`), or not at all (`None`).
    fn div_rounded as "div" / "mode" (
        input: Tensor, other: Operand<'static>; rounding_mode: Option<String>
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        match rounding_mode {
            None => div(input.into(), other),
            Some("floor") => floor_divide(input.into(), other),
            Some("trunc") => trunc_divide(input.into(), other),
            Some(mode) => bail!(
                Runtime,
                "div: rounding_mode has to be None, 'trunc' or 'floor', got '{mode}'"
            ),
        }
    }
    derivative composite;
}

pointwise! {
    /// The quotient without its fraction.
    fn trunc_divide as "_trunc_divide" (input: Operand<'static>, other: Operand<'static>) real -> same
        = input.trunc_quotient(other);
}

/// `a + b` for tensors.
pub fn add_tensors(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    add(a.into(), b.into())
}

/// `a * b` for tensors.
pub fn mul_tensors(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    mul(a.into(), b.into())
}
