//! Integers: common divisors and multiples, bits moved.

use crate::ops::comparison::check_tensor;
use crate::pointwise;
use crate::tensor::Tensor;
use crate::value::Operand;

pointwise! {
    /// Greatest common divisor of two integers, not negative.
    fn gcd(input: Tensor, other: Tensor) whole -> same, FUNCTION METHOD IN_PLACE
        = input.gcd(other);

    /// Least common multiple of two integers, not negative.
    fn lcm(input: Tensor, other: Tensor) whole -> same, FUNCTION METHOD IN_PLACE
        = input.lcm(other);

    /// The bits of `input` moved up by `other` places; 0 if there are not so many.
    fn bitwise_left_shift(input: Operand<'static>, other: Operand<'static>)
        whole[check_tensor] -> same, FUNCTION METHOD IN_PLACE
        = input.shifted_left(other);

    /// The bits of `input` moved down by `other` places, copies of the sign moving in.
    fn bitwise_right_shift(input: Operand<'static>, other: Operand<'static>)
        whole[check_tensor] -> same, FUNCTION METHOD IN_PLACE
        = input.shifted_right(other);
}
