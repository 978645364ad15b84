//! Comparisons and logic: elementwise questions with bool answers, through which no gradient flows.
//!
//! In place, a comparison stores its answers as numbers: then the gradient is 0.

use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};
use crate::{bail, error, op, pointwise};

/// The error of an operation on two numbers.
#[cold]
pub(crate) fn two_numbers(name: &str) -> Error {
    error!(Type, "{name}: at least one operand has to be a tensor")
}

/// Refuses two numbers.
pub(crate) fn check_tensor(name: &str, values: &[Value], _: DType) -> Result<()> {
    match values.iter().any(|value| matches!(value, Value::Tensor(_))) {
        true => Ok(()),
        false => Err(two_numbers(name)),
    }
}

pointwise! {
    /// Whether elements are equal.
    fn eq(input: Tensor, other: Operand<'static>)
        number complex -> bool, "EqBackward1" / "EqBackward0", FUNCTION METHOD IN_PLACE
        = input.equals(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// Whether elements differ; NaN differs from everything.
    fn ne(input: Tensor, other: Operand<'static>)
        number complex -> bool, "NeBackward1" / "NeBackward0", FUNCTION METHOD IN_PLACE
        = !input.equals(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// Whether elements of `input` are less.
    fn lt(input: Tensor, other: Operand<'static>)
        number -> bool, "LtBackward1" / "LtBackward0", FUNCTION METHOD IN_PLACE
        = input.less(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// Whether elements of `input` are less or equal.
    fn le(input: Tensor, other: Operand<'static>)
        number -> bool, "LeBackward1" / "LeBackward0", FUNCTION METHOD IN_PLACE
        = input.less_equal(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// Whether elements of `input` are greater.
    fn gt(input: Tensor, other: Operand<'static>)
        number -> bool, "GtBackward1" / "GtBackward0", FUNCTION METHOD IN_PLACE
        = input.greater(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// Whether elements of `input` are greater or equal.
    fn ge(input: Tensor, other: Operand<'static>)
        number -> bool, "GeBackward1" / "GeBackward0", FUNCTION METHOD IN_PLACE
        = input.greater_equal(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// Whether each element is NaN.
    fn isnan(input: Tensor) number complex -> bool, FUNCTION NO_OUT METHOD
        = input.is_nan();

    /// Whether each element is neither infinite nor NaN.
    fn isfinite(input: Tensor) number complex -> bool, FUNCTION NO_OUT METHOD
        = input.is_finite();

    /// Whether each element is infinite.
    fn isinf(input: Tensor) number complex -> bool, FUNCTION NO_OUT METHOD
        = input.is_infinite();

    /// Whether each element is 0.
    fn logical_not(input: Tensor) number complex -> bool, FUNCTION METHOD IN_PLACE
        = input.equals(0.0);

    /// Whether neither element is 0.
    fn logical_and(input: Tensor, other: Tensor) number complex -> bool, FUNCTION METHOD IN_PLACE
        = !input.equals(0.0) & !other.equals(0.0);

    /// Whether not both elements are 0.
    fn logical_or(input: Tensor, other: Tensor) number complex -> bool, FUNCTION METHOD IN_PLACE
        = !input.equals(0.0) | !other.equals(0.0);

    /// Whether exactly one element is 0.
    fn logical_xor(input: Tensor, other: Tensor) number complex -> bool, FUNCTION METHOD IN_PLACE
        = input.equals(0.0) ^ other.equals(0.0);

    /// Bitwise and; for bool, logical and.
    fn bitwise_and(input: Operand<'static>, other: Operand<'static>)
        integer[check_tensor] -> same, FUNCTION METHOD IN_PLACE
        = input.bits_and(other);

    /// Bitwise or; for bool, logical or.
    fn bitwise_or(input: Operand<'static>, other: Operand<'static>)
        integer[check_tensor] -> same, FUNCTION METHOD IN_PLACE
        = input.bits_or(other);

    /// Bitwise exclusive or; for bool, "one but not both".
    fn bitwise_xor(input: Operand<'static>, other: Operand<'static>)
        integer[check_tensor] -> same, FUNCTION METHOD IN_PLACE
        = input.bits_xor(other);
}

op! {
    /// All bits of each element flipped; for bool, logical not.
    fn bitwise_not(input: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        if input.dtype() == DType::Bool {
            return logical_not(input);
        }
        bitwise_xor(input.into(), (-1i64).into())
    }
    batch aligned;
    derivative none;
}

/// Whether two tensors have the same size and the same elements.
pub fn equal(input: &Tensor, other: &Tensor) -> Result<bool> {
    Ok(input.sizes() == other.sizes() && all_true(&eq(input, other.into())?)?)
}

op! {
    /// Whether `|input - other| <= atol + rtol * |other|` for each pair of elements.
    fn isclose(input: Tensor, other: Tensor, rtol: f64 = 1e-5, atol: f64 = 1e-8, equal_nan: bool = false) -> Tensor,
        FUNCTION NO_OUT METHOD;
    value {
        if input.dtype() != other.dtype() {
            bail!(Runtime, "isclose: both tensors have to have one dtype, got {} and {}", input.dtype(), other.dtype());
        }
        if rtol < 0.0 || atol < 0.0 {
            bail!(Runtime, "isclose: rtol and atol must not be negative, got {rtol} and {atol}");
        }
        let precise = if input.dtype().is_complex() { DType::Complex128 } else { DType::Float64 };
        let (a, b) = (input.cast(precise)?, other.cast(precise)?);
        let same = eq(input, other.into())?;
        let distance = crate::ops::unary::abs(&crate::ops::arithmetic::sub((&a).into(), (&b).into())?)?;
        let reach = crate::ops::arithmetic::mul((&crate::ops::unary::abs(&b)?).into(), Scalar::Float(rtol).into())?;
        let reach = crate::ops::arithmetic::add((&reach).into(), Scalar::Float(atol).into())?;
        let near = logical_and(&le(&distance, (&reach).into())?, &isfinite(&distance)?)?;
        let close = logical_or(&same, &near)?;
        if !equal_nan {
            return Ok(close);
        }
        let both = logical_and(&isnan(input)?, &isnan(other)?)?;
        logical_or(&close, &both)
    }
    batch aligned;
    derivative none;
}

/// Whether every element of a bool tensor is true.
pub fn all_true(tensor: &Tensor) -> Result<bool> {
    Ok(tensor.to_vec::<bool>()?.into_iter().all(|value| value))
}
