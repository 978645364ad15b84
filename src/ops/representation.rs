//! The parts of a number: its sign, exponent and neighbours, infinity and NaN, the fraction.

use crate::dtype::{DType, bf16, f16};
use crate::error::Result;
use crate::op::Chosen;
use crate::ops::arithmetic::{check_divisor, div, mul_tensors};
use crate::ops::comparison::isfinite;
use crate::ops::complex::{by_parts, check_no_gradient, check_real};
use crate::ops::conversion::to_dtype;
use crate::ops::exponential::exp2;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};
use crate::{bail, chosen, op, pointwise};

fn check_same_dtype(name: &str, values: &[Value], dtype: DType) -> Result<()> {
    check_real(name, values, dtype)?;
    if let [Value::Tensor(input), Value::Tensor(other)] = values
        && input.dtype() != other.dtype()
    {
        bail!(Runtime, "{name}: both tensors have to have one dtype, got {} and {}", input.dtype(), other.dtype());
    }
    Ok(())
}

pointwise! {
    /// The size of `input` with the sign of `other`.
    fn copysign(input: Tensor, other: Operand<'static>)
        float -> same, "CopysignBackward0" / "CopysignBackward1", FUNCTION METHOD IN_PLACE
        = input.copysign(other);
        input(g, input, out) = g * (out / input).cleared_unless(!input.equals(0.0));
        other(g) = g.zero();

    /// The larger of two elements; a number rather than NaN.
    fn fmax(input: Tensor, other: Tensor) number[check_real] -> same, "FmaxBackward0", FUNCTION METHOD
        = input.maximum_number(other);
        input(g, input, other) = g.cleared_unless(input.greater_equal(other) | other.is_nan());
        other(g, input, other) = g.cleared_unless(!(input.greater_equal(other) | other.is_nan()));

    /// The smaller of two elements; a number rather than NaN.
    fn fmin(input: Tensor, other: Tensor) number[check_real] -> same, "FminBackward0", FUNCTION METHOD
        = input.minimum_number(other);
        input(g, input, other) = g.cleared_unless(input.less_equal(other) | other.is_nan());
        other(g, input, other) = g.cleared_unless(!(input.less_equal(other) | other.is_nan()));

    /// The remainder of the division that rounds towards 0: it has the sign of the dividend, as in C.
    ///
    /// Raises `RuntimeError` where an integer is divided by 0.
    fn fmod(input: Tensor, other: Operand<'static>)
        real[check_divisor] -> same, "FmodBackward1" / "FmodBackward0", FUNCTION METHOD IN_PLACE
        = input.trunc_remainder(other);
        input(g) = g;
        other(g, input, other) = -(g * input.trunc_quotient(other));

    /// What is left without the integer part.
    fn frac(input: Tensor) floating -> same, "FracBackward0", FUNCTION METHOD IN_PLACE
        = input - input.without_fraction();
        input(g) = g;

    /// 0 below 0, 1 above, and `values` at 0. Its derivative is not implemented.
    fn heaviside(input: Tensor, values: Tensor) number[check_same_dtype] -> same, "NotImplemented", FUNCTION METHOD IN_PLACE
        = input.heaviside(values);

    /// The next float after `input` towards `other`.
    fn nextafter(input: Tensor, other: Tensor) floating -> same, "NextafterBackward0", FUNCTION METHOD IN_PLACE
        = input.nextafter(other);
        input(g, input, other) = g.only_if(!input.equals(other));
        other(g) = g.zero();

    /// Whether the sign is a minus, that of -0.0 too.
    fn signbit(input: Tensor) number -> bool, FUNCTION METHOD
        = input.has_sign();

    /// Whether each element is positive infinity.
    fn isposinf(input: Tensor) number[check_real] -> bool, FUNCTION METHOD
        = input.is_infinite() & input.greater(0.0);

    /// Whether each element is negative infinity.
    fn isneginf(input: Tensor) number[check_real] -> bool, FUNCTION METHOD
        = input.is_infinite() & input.less(0.0);

    /// NaN and infinities replaced.
    fn replaced as "nan_to_num" / "replaced" (input: Tensor; nan: Scalar, posinf: Scalar, neginf: Scalar)
        number -> same, "NanToNumBackward0"
        = input
            .or_else_if(!input.is_nan(), nan)
            .or_else_if(!(input.is_infinite() & input.greater(0.0)), posinf)
            .or_else_if(!(input.is_infinite() & input.less(0.0)), neginf);
        input(g, input) = g.cleared_unless(input.is_finite());

    /// Rounded to `decimals` places; halves go to the even digit.
    fn round_decimals as "round" / "decimals" (input: Tensor; decimals: i64)
        floating -> same, "RoundBackward1", FUNCTION METHOD IN_PLACE
        = input.rounded_to(decimals);
        input(g) = g.zero();

    /// The first result of `frexp`.
    fn mantissa_of as "frexp" / "mantissa" (input: Tensor) floating -> same = input.mantissa();

    /// The second one, as a float.
    fn exponent_of as "frexp" / "exponent" (input: Tensor) floating -> same = input.exponent();
}

op! {
    /// NaN replaced by `nan` (0), infinities by `posinf` and `neginf` (the largest and lowest number of the dtype).
    fn nan_to_num(input: Tensor, nan: Option<f64> = None, posinf: Option<f64> = None, neginf: Option<f64> = None) -> Tensor,
        FUNCTION METHOD IN_PLACE;
    choose {
        check_no_gradient("nan_to_num", &[input])?;
        let most = match input.dtype().real() {
            DType::Float16 => f16::MAX.to_f64(),
            DType::BFloat16 => bf16::MAX.to_f64(),
            DType::Float32 => f64::from(f32::MAX),
            _ => f64::MAX,
        };
        let [nan, posinf, neginf] =
            [nan.unwrap_or(0.0), posinf.unwrap_or(most), neginf.unwrap_or(-most)].map(Scalar::Float);
        Ok(match input.dtype().is_complex() {
            true => chosen!(replaced_parts(input, nan, posinf, neginf)),
            false => chosen!(replaced(input, nan, posinf, neginf)),
        })
    }
}

op! {
    /// `nan_to_num` of the real and the imaginary parts.
    fn replaced_parts as "nan_to_num" / "complex" (input: Tensor; nan: Scalar, posinf: Scalar, neginf: Scalar) -> Tensor;
    value { by_parts(&input.detach(), |part| replaced(part, nan, posinf, neginf)) }
    batch aligned;
    derivative "NanToNumBackward0" ByVjp {
        input(g, input) => mul_tensors(g, &isfinite(input)?);
    }
}

op! {
    /// The tensor itself.
    ///
    /// Raises `RuntimeError` for bool.
    fn positive(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.dtype() == DType::Bool {
            bail!(Runtime, "positive: not defined for a bool tensor");
        }
        Ok(input.clone())
    }
    derivative composite;
}

op! {
    /// `input = mantissa * 2^exponent` with a mantissa from ½ to 1 in size and an int32 exponent.
    ///
    /// Raises `RuntimeError` for anything but floats.
    fn frexp(input: Tensor) -> (mantissa, exponent), FUNCTION METHOD;
    value {
        if !input.dtype().is_float() {
            bail!(Runtime, "frexp: a float tensor is needed, the input is {}", input.dtype());
        }
        Ok([mantissa_of(input)?, exponent_of(input)?.copied_alike(DType::Int32)?])
    }
    batch aligned;
    derivative "FrexpBackward0" ByVjp {
        input(g, exponent) => div(g.into(), (&exp2(&to_dtype(exponent, g.dtype())?)?).into());
    }
}

op! {
    /// `input` to the power of `exponent`, computed in and given as float64, or complex128 if one of them is complex.
    fn float_power(input: Operand<'static>, exponent: Operand<'static>) -> Tensor, FUNCTION METHOD;
    choose { power_in_double(input, exponent) }
}

op! {
    /// `float_power` in place of a tensor that has the result's dtype.
    fn float_power_in_place as "float_power" / "in_place" (input: Tensor, exponent: Operand<'static>) -> Tensor, IN_PLACE;
    choose {
        let result = widest(&[input.into(), exponent]);
        if input.dtype() != result {
            bail!(Runtime, "float_power_: the result is {result} and cannot be stored in a {} tensor", input.dtype());
        }
        power_in_double(input.into(), exponent)
    }
}

/// The widest float type, or if an operand is complex the widest of those.
fn widest(operands: &[Operand]) -> DType {
    let is_complex = |operand: &Operand| match operand {
        Operand::Tensor(tensor) => tensor.dtype().is_complex(),
        Operand::Scalar(number) => number.is_complex(),
    };
    if operands.iter().any(is_complex) { DType::Complex128 } else { DType::Float64 }
}

fn power_in_double(input: Operand, exponent: Operand) -> Result<Chosen> {
    let result = widest(&[input, exponent]);
    let double = |operand: Operand| -> Result<Value> {
        Ok(match operand {
            Operand::Tensor(tensor) => Value::Tensor(to_dtype(tensor, result)?),
            Operand::Scalar(number) if result.is_complex() => Value::Scalar(number.to_complex().into()),
            Operand::Scalar(number) => Value::Scalar(Scalar::Float(number.to_f64())),
        })
    };
    Ok(chosen!(crate::ops::power::pow(double(input)?, double(exponent)?)))
}
