//! Powers.

use crate::dtype::DType;
use crate::error::Result;
use crate::op::Chosen;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, chosen, op, pointwise};

pointwise! {
    /// `input` to the power of `other`, both tensors.
    fn pow_tensor as "pow" / "tensor" (input: Operand<'static>, other: Operand<'static>) real -> same, "PowBackward1"
        = input.power(other);
        input(other, g, input) = (g * (other * input.power(other - 1.0)).conj()).only_if(!other.equals(0.0));
        other(input, other, g, out) = (g * (out * input.log()).conj())
            .only_if(!(input.equals(0.0) & other.greater_equal(0.0)));

    /// The square.
    fn pow_square as "pow" / "square" (input: Tensor) number -> same, "PowBackward0"
        = input * input;
        input(g, input) = g * (2.0 * input).conj();

    /// The cube.
    fn pow_cube as "pow" / "cube" (input: Tensor) number -> same, "PowBackward0"
        = input * input * input;
        input(g, input) = g * (3.0 * input * input).conj();

    /// A tensor to the power of a number other than 0.
    fn pow_number as "pow" / "number" (input: Tensor, exponent: Scalar) number -> same, "PowBackward0"
        = input.power(exponent);
        input(g, input, exponent) = g * (exponent * input.power(exponent - 1.0)).conj();

    /// A number to the power of a tensor.
    fn pow_of_number as "pow" / "of_number" (base: Scalar, exponent: Tensor) number -> same, "PowBackward2"
        = base.power(exponent);
        exponent(g, base, exponent, out) = g * (out * base.log())
            .only_if(!(base.equals(0.0) & exponent.greater_equal(0.0))).conj();

    /// Ones whose gradient is 0: a tensor to the power of 0.
    fn pow_zero as "pow" / "zero" (input: Tensor) number -> same, "PowBackward0"
        = input.one();
        input(g) = g.zero();
}

op! {
    /// `input` to the power of `exponent`, element by element.
    ///
    /// Raises `RuntimeError` for an integer tensor with a negative integer exponent.
    fn pow(input: Operand<'static>, exponent: Operand<'static>) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose {
        match (input, exponent) {
            (Operand::Tensor(x), Operand::Scalar(exponent)) => power_of(x, exponent),
            (Operand::Scalar(base), Operand::Tensor(exponent)) => Ok(chosen!(pow_of_number(base, exponent))),
            _ => Ok(chosen!(pow_tensor(input, exponent))),
        }
    }
}

/// The quickest operation for a tensor to the power of a number.
pub(crate) fn power_of(x: &Tensor, exponent: Scalar) -> Result<Chosen> {
    let integral = x.dtype().is_integral();
    Ok(match exponent {
        Scalar::Int(n) if n < 0 && integral => {
            bail!(Runtime, "pow: integers to the negative integer power {n} are no integers; use a float exponent")
        }
        Scalar::Float(_) if integral => chosen!(pow_number(x, exponent)),
        _ if x.dtype() == DType::Bool => chosen!(pow_number(x, exponent)),
        _ if exponent.to_f64() == 0.0 => chosen!(pow_zero(x)),
        _ if exponent.to_f64() == 2.0 => chosen!(pow_square(x)),
        _ if exponent.to_f64() == 3.0 => chosen!(pow_cube(x)),
        _ => chosen!(pow_number(x, exponent)),
    })
}
