//! Addition, subtraction, multiplication, division.

use crate::dtype::{Category, DType};
use crate::error::Result;
use crate::ops::comparison::{all_true, two_numbers};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};
use crate::{bail, chosen, op, pointwise, with_element};

/// The element type of an operand by itself.
fn own_dtype(value: &Value) -> Option<DType> {
    match value {
        Value::Tensor(tensor) => Some(tensor.dtype()),
        Value::Scalar(number) => Some(number.dtype(DType::Float32)),
        _ => None,
    }
}

/// Differences of bools are refused: what is meant is `^` or `~`.
fn check_no_bool(name: &str, values: &[Value], _: DType) -> Result<()> {
    if values.iter().any(|value| own_dtype(value) == Some(DType::Bool)) {
        bail!(
            Runtime,
            "{name}: not defined for bool; use ^ or logical_xor() for two bools, ~ or logical_not() for one"
        );
    }
    Ok(())
}

/// A factor may be a float only for float results, and a bool only for bool ones.
fn check_factor(name: &str, values: &[Value], dtype: DType) -> Result<()> {
    match values.last() {
        Some(Value::Scalar(Scalar::Float(alpha))) if dtype.is_integral() => {
            bail!(Runtime, "{name}: alpha is {alpha}, a float, but the result is {dtype}")
        }
        Some(Value::Scalar(Scalar::Complex(alpha))) if !dtype.is_complex() => {
            bail!(Runtime, "{name}: alpha is {alpha}, a complex number, but the result is {dtype}")
        }
        Some(Value::Scalar(Scalar::Bool(_))) if dtype != DType::Bool => {
            bail!(Runtime, "{name}: alpha is a bool, but the result is {dtype}")
        }
        _ => Ok(()),
    }
}

fn check_scaled_difference(name: &str, values: &[Value], dtype: DType) -> Result<()> {
    check_no_bool(name, &values[..2], dtype)?;
    check_factor(name, values, dtype)
}

/// Two integers have no quotient of their type.
fn check_float_quotient(name: &str, values: &[Value], _: DType) -> Result<()> {
    if values[1..3].iter().all(|value| own_dtype(value).is_some_and(DType::is_integral)) {
        bail!(Runtime, "{name}: tensor1 and tensor2 are both integers; convert one of them to a float type");
    }
    Ok(())
}

/// Integers are not divided by 0, unless there is nothing to divide.
pub(crate) fn check_divisor(name: &str, values: &[Value], dtype: DType) -> Result<()> {
    let nothing = values.iter().flat_map(Value::tensors).any(|tensor| tensor.numel() == 0);
    if dtype.category() != Category::Integer || nothing {
        return Ok(());
    }
    let zero = match &values[1] {
        Value::Tensor(divisor) => !all_true(&divisor.cast(dtype)?.cast(DType::Bool)?)?,
        Value::Scalar(divisor) => with_element!(dtype, T => divisor.cast::<T>() == Scalar::Int(0).cast::<T>()),
        _ => false,
    };
    if zero {
        bail!(Runtime, "{name}: an integer is divided by 0 (ZeroDivisionError)");
    }
    Ok(())
}

/// The points and the weights between them are of one type; a weight without dimensions may be of another.
fn check_lerp(name: &str, values: &[Value], _: DType) -> Result<()> {
    let mut types = values.iter().flat_map(Value::tensors).filter(|tensor| tensor.ndim() > 0).map(Tensor::dtype);
    if let Some(first) = types.next()
        && let Some(other) = types.find(|&dtype| dtype != first)
    {
        bail!(Runtime, "{name}: the tensors have to be of one dtype, got {first} and {other}");
    }
    if let Some(other) =
        values[..2].iter().flat_map(Value::tensors).map(Tensor::dtype).find(|dtype| !dtype.is_differentiable())
    {
        bail!(NotImplemented, "{name}: not implemented for {other}");
    }
    Ok(())
}

pointwise! {
    /// Sum of two tensors or numbers, element by element.
    fn add(input: Operand<'static>, other: Operand<'static>) number complex -> same, "AddBackward0", FUNCTION METHOD IN_PLACE
        = input + other;
        input(g) = g;
        other(g) = g;

    /// `input + alpha * other`.
    fn add_scaled as "add" / "alpha" (input: Operand<'static>, other: Operand<'static>; alpha: Scalar)
        number complex [check_factor] -> same, "AddBackward0", FUNCTION METHOD IN_PLACE
        = input + alpha * other;
        input(g) = g;
        other(g, alpha) = g * alpha.conj();

    /// Product of two tensors or numbers, element by element.
    fn mul(input: Operand<'static>, other: Operand<'static>) number complex -> same, "MulBackward0", FUNCTION METHOD IN_PLACE
        = input * other;
        input(g, other) = g * other.conj();
        other(g, input) = g * input.conj();

    /// Quotient of two tensors or numbers, element by element; integers are divided as floats.
    fn div(input: Operand<'static>, other: Operand<'static>) float complex -> same, "DivBackward0", FUNCTION METHOD IN_PLACE
        = input / other;
        input(g, other) = g / other.conj();
        other(g, input, other) = -g * (input / (other * other)).conj();

    /// The quotient by a number, as operations made of others have it.
    fn div_number as "div" / "number" (input: Tensor, other: Scalar) float complex -> same, "DivBackward1"
        = input / other;
        input(g, other) = g / other.conj();

    /// Difference of two tensors or numbers, element by element.
    fn sub(input: Operand<'static>, other: Operand<'static>) real complex [check_no_bool] -> same, "SubBackward0", FUNCTION METHOD IN_PLACE
        = input - other;
        input(g) = g;
        other(g) = -g;

    /// `input - alpha * other`.
    fn sub_scaled as "sub" / "alpha" (input: Operand<'static>, other: Operand<'static>; alpha: Scalar)
        real complex [check_scaled_difference] -> same, "SubBackward0", FUNCTION METHOD IN_PLACE
        = input - alpha * other;
        input(g) = g;
        other(g, alpha) = -(g * alpha.conj());

    /// `input + value * tensor1 * tensor2`.
    fn addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor; value: Scalar = Scalar::Int(1))
        real complex -> same, "AddcmulBackward0", FUNCTION METHOD IN_PLACE
        = input + value * tensor1 * tensor2;
        input(g) = g;
        tensor1(g, tensor2, value) = g * (tensor2 * value).conj();
        tensor2(g, tensor1, value) = g * (tensor1 * value).conj();

    /// `input + value * tensor1 / tensor2`.
    fn addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor; value: Scalar = Scalar::Int(1))
        float complex [check_float_quotient] -> same, "AddcdivBackward0", FUNCTION METHOD IN_PLACE
        = input + value * (tensor1 / tensor2);
        input(g) = g;
        tensor1(g, tensor2, value) = g * (value / tensor2).conj();
        tensor2(g, tensor1, tensor2, value) = -g * (value * tensor1 / (tensor2 * tensor2)).conj();

    /// `lerp` of real numbers.
    fn lerp_real as "lerp" / "real" (input: Tensor, end: Tensor, weight: Operand<'static>)
        floating [check_lerp] -> same, "LerpBackward1" / "LerpBackward0"
        = (input + weight * (end - input)).or_else_if(weight.absolute().less(0.5), end - (end - input) * (1.0 - weight));
        input(g, weight) = g * (1.0 - weight);
        end(g, weight) = g * weight;
        weight(g, input, end) = g * (end - input);

    /// `lerp` of complex numbers.
    fn lerp_complex as "lerp" / "complex" (input: Tensor, end: Tensor, weight: Operand<'static>)
        float complex [check_lerp] -> same, "LerpBackward1" / "LerpBackward0"
        = input + weight * (end - input);
        input(g, weight) = g * (1.0 - weight.conj());
        end(g, weight) = g * weight.conj();
        weight(g, input, end) = g * (end - input).conj();

    /// `other - input`.
    fn rsub(input: Tensor, other: Operand<'static>)
        real complex [check_no_bool] -> same, "RsubBackward0" / "RsubBackward1", FUNCTION NO_OUT
        = other - input;
        input(g) = -g;
        other(g) = g;

    /// `other - alpha * input`.
    fn rsub_scaled as "rsub" / "alpha" (input: Tensor, other: Operand<'static>; alpha: Scalar)
        real complex [check_scaled_difference] -> same, "RsubBackward0" / "RsubBackward1", FUNCTION NO_OUT
        = other - alpha * input;
        input(g, alpha) = -(g * alpha.conj());
        other(g) = g;

    /// The largest integer (as a float for floats) not above the quotient. Its derivative is not implemented.
    ///
    /// Raises `RuntimeError` where an integer is divided by 0.
    fn floor_divide(input: Operand<'static>, other: Operand<'static>)
        real[check_divisor] -> same, "NotImplemented", FUNCTION METHOD IN_PLACE
        = input.floor_quotient(other);

    /// `div` with `rounding_mode=None`.
    fn div_exactly as "div" / "exact" (input: Tensor, other: Operand<'static>) float complex -> same, "DivBackward2"
        = input / other;
        input(g, other) = g / other.conj();
        other(g, input, other) = -g * (input / (other * other)).conj();

    /// `div` with `rounding_mode="floor"`.
    fn div_down as "div" / "floor" (input: Tensor, other: Operand<'static>)
        real[check_divisor] -> same, "DivBackward2"
        = input.floor_quotient(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// `div` with `rounding_mode="trunc"`.
    fn div_towards_zero as "div" / "trunc" (input: Tensor, other: Operand<'static>)
        real[check_divisor] -> same, "DivBackward2"
        = input.trunc_quotient(other);
        input(g) = g.zero();
        other(g) = g.zero();

    /// `remainder` of a tensor.
    fn remainder_of as "remainder" / "of_tensor" (input: Tensor, other: Operand<'static>)
        real[check_divisor] -> same, "RemainderBackward1" / "RemainderBackward0"
        = input.floor_remainder(other);
        input(g) = g;
        other(g, input, other) = -g * (input / other).rounded_down();

    /// `remainder` of a number, for which PyTorch has no derivative either.
    fn remainder_of_number as "remainder" / "of_number" (input: Scalar, other: Tensor)
        real[check_divisor] -> same, "NotImplemented"
        = input.floor_remainder(other);
}

op! {
    /// The remainder of the division that rounds down: it has the sign of the divisor, as in Python.
    ///
    /// Raises `RuntimeError` where an integer is divided by 0.
    fn remainder(input: Operand<'static>, other: Operand<'static>) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose {
        Ok(match (input, other) {
            (Operand::Scalar(_), Operand::Scalar(_)) => return Err(two_numbers("remainder")),
            (Operand::Scalar(number), Operand::Tensor(other)) => chosen!(remainder_of_number(number, other)),
            _ => chosen!(remainder_of(input, other)),
        })
    }
}

op! {
    /// Quotient, rounded towards zero (`rounding_mode="trunc"`) or down (`"floor"`), or not at all (`None`).
    ///
    /// The gradient of a rounded quotient is 0. Raises `RuntimeError` where an integer is divided by 0.
    fn div_rounded as "div" / "mode" (
        input: Tensor, other: Operand<'static>; rounding_mode: Option<String>
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose {
        Ok(match rounding_mode {
            None => chosen!(div_exactly(input, other)),
            Some("floor") => chosen!(div_down(input, other)),
            Some("trunc") => chosen!(div_towards_zero(input, other)),
            Some(mode) => bail!(
                Runtime,
                "div: rounding_mode has to be None, 'trunc' or 'floor', got '{mode}'"
            ),
        })
    }
}

op! {
    /// The point between `input` (for `weight` 0) and `end` (for 1), exact at both for real numbers.
    fn lerp(input: Tensor, end: Tensor, weight: Operand<'static>) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose {
        if input.dtype().is_complex() || end.dtype().is_complex() {
            return Ok(chosen!(lerp_complex(input, end, weight)));
        }
        if matches!(weight, Operand::Scalar(Scalar::Complex(_))) {
            bail!(Runtime, "lerp: the weight is complex, the tensors are {}", input.dtype());
        }
        Ok(chosen!(lerp_real(input, end, weight)))
    }
}

/// `number - x`.
pub fn rsub_number(x: &Tensor, number: Scalar) -> Result<Tensor> {
    rsub(x, number.into())
}

/// `a + b` for tensors.
pub fn add_tensors(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    add(a.into(), b.into())
}

/// `a * b` for tensors.
pub fn mul_tensors(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    mul(a.into(), b.into())
}
