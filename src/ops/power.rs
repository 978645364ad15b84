//! Powers.

use num_complex::Complex;

use crate::dtype::DType;
use crate::error::Result;
use crate::op::{Chosen, Gradients};
use crate::ops::arithmetic::{mul, mul_tensors};
use crate::ops::comparison::{lt, two_numbers};
use crate::ops::complex::{conj, real};
use crate::ops::selection::choose;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, chosen, op, pointwise};

pointwise! {
    /// `input` to the power of `other`, both tensors.
    fn pow_tensor as "pow" / "tensor" (input: Operand<'static>, other: Operand<'static>) real complex -> same, "PowBackward1"
        = input.power(other);
        other(g, input, other, out) = g * (out * input.log())
            .only_if(!(input.equals(0.0) & other.has_nonnegative_real())).conj();
        input(other, g, input) = (g * (other * input.power(other - 1.0)).conj()).only_if(!other.equals(0.0));

    /// The square.
    fn pow_square as "pow" / "square" (input: Tensor) number complex -> same, "PowBackward0"
        = input * input;
        input(g, input) = g * (2.0 * input.first_power()).conj();

    /// The cube.
    fn pow_cube as "pow" / "cube" (input: Tensor) number complex -> same, "PowBackward0"
        = input * input * input;
        input(g, input) = g * (3.0 * input.square()).conj();

    /// A tensor to the power of a number other than 0.
    fn pow_number as "pow" / "number" (input: Tensor, exponent: Scalar) number complex -> same, "PowBackward0"
        = input.power(exponent);
        input(g, input, exponent) = g * (exponent * input.power(exponent - 1.0)).conj();

    /// The powers of a number.
    fn powers_of_number as "pow" / "powers" (base: Scalar, exponent: Tensor) number complex -> same
        = base.power(exponent);

    /// Ones whose gradient is 0: a tensor to the power of 0.
    fn pow_zero as "pow" / "zero" (input: Tensor) number complex -> same, "PowBackward0"
        = input.one();
        input(g) = g.zero();
}

op! {
    /// A number to the power of a tensor: row-major, as PyTorch has it.
    fn pow_of_number as "pow" / "of_number" (base: Scalar, exponent: Tensor) -> Tensor;
    value { powers_of_number(base, exponent)?.to_contiguous() }
    batch aligned;
    derivative "PowBackward2" ByVjp {
        exponent(g, base, exponent, out) => {
            let logarithm = match base {
                Scalar::Complex(base) => base.ln().into(),
                base => base.to_f64().ln().into(),
            };
            let slope = conj(&mul(out.into(), Operand::Scalar(logarithm))?)?;
            if !base.is_zero() {
                return Ok(Gradients::from_elem(Some(mul_tensors(g, &slope)?), 1));
            }
            let kept = lt(&real(exponent)?, 0.0.into())?;
            mul_tensors(g, &choose(&kept, (&slope).into(), 0.0.into())?)
        };
    }
}

op! {
    /// `input` to the power of `exponent`, element by element.
    ///
    /// Raises `RuntimeError` for an integer tensor with a negative integer exponent.
    fn pow(input: Operand<'static>, exponent: Operand<'static>) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose {
        match (input, exponent) {
            (Operand::Tensor(x), Operand::Scalar(exponent)) => power_of(x, exponent),
            (Operand::Scalar(_), Operand::Scalar(_)) => Err(two_numbers("pow")),
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
        Scalar::Float(_) | Scalar::Complex(_) if integral => chosen!(pow_number(x, exponent)),
        _ if x.dtype() == DType::Bool => chosen!(pow_number(x, exponent)),
        _ if exponent.is_zero() => chosen!(pow_zero(x)),
        _ if exponent.to_complex() == Complex::from(2.0) => chosen!(pow_square(x)),
        _ if exponent.to_complex() == Complex::from(3.0) => chosen!(pow_cube(x)),
        _ => chosen!(pow_number(x, exponent)),
    })
}
