//! Integers: common divisors and multiples, bits moved.

use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};
use crate::{bail, pointwise};

fn check_no_bool(name: &str, _: &[Value], dtype: DType) -> Result<()> {
    if dtype == DType::Bool {
        bail!(NotImplemented, "{name}: not implemented for bool");
    }
    Ok(())
}

pointwise! {
    /// Greatest common divisor of two integers, not negative.
    fn gcd(input: Tensor, other: Tensor) integer[check_no_bool] -> same, FUNCTION METHOD IN_PLACE
        = input.gcd(other);

    /// Least common multiple of two integers, not negative.
    fn lcm(input: Tensor, other: Tensor) integer[check_no_bool] -> same, FUNCTION METHOD IN_PLACE
        = input.lcm(other);

    /// The bits of `input` moved up by `other` places; 0 if there are not so many.
    fn bitwise_left_shift(input: Operand<'static>, other: Operand<'static>)
        integer[check_no_bool] -> same, FUNCTION METHOD IN_PLACE
        = input.shifted_left(other);

    /// The bits of `input` moved down by `other` places, copies of the sign moving in.
    fn bitwise_right_shift(input: Operand<'static>, other: Operand<'static>)
        integer[check_no_bool] -> same, FUNCTION METHOD IN_PLACE
        = input.shifted_right(other);
}
