//! Choosing between values: where, clamp, maximum, minimum.

use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};
use crate::{bail, chosen, op, pointwise};

/// Bools are limited by tensors alone, and on one side alone.
fn check_limits(name: &str, values: &[Value], dtype: DType) -> Result<()> {
    if dtype == DType::Bool && !matches!(values, [_, Value::Tensor(_)]) {
        bail!(NotImplemented, "{name}: not implemented for bool with these limits");
    }
    Ok(())
}

fn check_ordered(name: &str, _: &[Value], dtype: DType) -> Result<()> {
    if dtype.is_complex() {
        bail!(Runtime, "{name}: complex numbers have no order");
    }
    Ok(())
}

pointwise! {
    /// The larger of two elements; NaN if either is. Equal elements share the gradient.
    fn maximum(input: Tensor, other: Tensor) number[check_ordered] -> same, "MaximumBackward0", FUNCTION METHOD
        = input.maximum(other);
        input(input, other, g) = (g * 0.5).or_else_if(input.equals(other), g.only_if(!input.less(other)));
        other(input, other, g) = (g * 0.5).or_else_if(input.equals(other), g.only_if(!input.greater(other)));

    /// The smaller of two elements; NaN if either is. Equal elements share the gradient.
    fn minimum(input: Tensor, other: Tensor) number[check_ordered] -> same, "MinimumBackward0", FUNCTION METHOD
        = input.minimum(other);
        input(input, other, g) = (g * 0.5).or_else_if(input.equals(other), g.only_if(!input.greater(other)));
        other(input, other, g) = (g * 0.5).or_else_if(input.equals(other), g.only_if(!input.less(other)));

    /// Not below `min`.
    fn clamp_min(input: Tensor, min: Operand<'static>)
        number[check_limits] -> same, "ClampMinBackward1" / "ClampMinBackward0", FUNCTION METHOD IN_PLACE
        = input.maximum(min);
        input(input, min, g) = g.only_if(input.greater_equal(min));
        min(input, min, g) = g.only_if(input.less(min));

    /// Not above `max`.
    fn clamp_max(input: Tensor, max: Operand<'static>)
        number[check_limits] -> same, "ClampMaxBackward1" / "ClampMaxBackward0", FUNCTION METHOD IN_PLACE
        = input.minimum(max);
        input(input, max, g) = g.only_if(input.less_equal(max));
        max(input, max, g) = g.only_if(input.greater(max));

    /// `clamp` without `max`.
    fn clamp_below as "clamp" / "min" (input: Tensor, min: Operand<'static>)
        number[check_limits] -> same, "ClampBackward0" / "ClampBackward1"
        = input.maximum(min);
        input(input, min, g) = g.only_if(input.greater_equal(min));
        min(input, min, g) = g.only_if(input.less(min));

    /// `clamp` without `min`.
    fn clamp_above as "clamp" / "max" (input: Tensor, max: Operand<'static>)
        number[check_limits] -> same, "ClampBackward0" / "ClampBackward1"
        = input.minimum(max);
        input(input, max, g) = g.only_if(input.less_equal(max));
        max(input, max, g) = g.only_if(input.greater(max));

    /// `clamp` with both limits: not below `min`, then not above `max`.
    fn clamp_between as "clamp" / "both" (input: Tensor, min: Operand<'static>, max: Operand<'static>)
        real -> same, "ClampBackward0" / "ClampBackward1"
        = input.maximum(min).minimum(max);
        input(input, min, max, g) = g.only_if(input.greater_equal(min) & input.less_equal(max));
        min(input, min, max, g) = g.only_if(input.less(min) & min.less(max));
        max(input, min, max, g) = g.only_if(input.greater(max) | max.less(min));

    /// `input` where `condition` is not 0, else `other`.
    fn choose as "_where" (condition: Tensor, input: Operand<'static>, other: Operand<'static>)
        number complex -> same, "WhereBackward0"
        = input.or_else_if(!condition.equals(0.0), other);
        input(condition, g) = g.only_if(!condition.equals(0.0));
        other(condition, g) = g.only_if(condition.equals(0.0));
}

op! {
    /// Each element limited to the range from `min` to `max`, two tensors or two numbers; one of them may be missing.
    fn clamp(input: Tensor, min: Option<Operand<'static>> = None, max: Option<Operand<'static>> = None) -> Tensor,
        FUNCTION METHOD IN_PLACE;
    choose {
        Ok(match (min, max) {
            (Some(min), Some(max)) => {
                let mixed = matches!(min, Operand::Tensor(_)) != matches!(max, Operand::Tensor(_));
                let (min, max) = if mixed { (number(min)?, number(max)?) } else { (min, max) };
                chosen!(clamp_between(input, min, max))
            }
            (Some(min), None) => chosen!(clamp_below(input, min)),
            (None, Some(max)) => chosen!(clamp_above(input, max)),
            (None, None) => bail!(Runtime, "clamp: at least one of min and max has to be given"),
        })
    }
}

/// A limit beside one that is a number.
fn number(limit: Operand) -> Result<Operand> {
    match limit {
        Operand::Tensor(tensor) if tensor.ndim() == 0 => Ok(Operand::Scalar(tensor.item()?)),
        Operand::Tensor(_) => bail!(Type, "clamp: min and max have to be two tensors or two numbers"),
        number => Ok(number),
    }
}

op! {
    /// `input` where `condition` is true, else `other`; all three broadcast.
    fn where_ as "where" (condition: Tensor, input: Operand<'static>, other: Operand<'static>) -> Tensor, FUNCTION;
    value {
        if !matches!(condition.dtype(), crate::dtype::DType::Bool | crate::dtype::DType::UInt8) {
            bail!(Runtime, "where: the condition has to be a bool tensor, it is {}", condition.dtype());
        }
        choose(condition, input, other)
    }
    derivative composite;
}

op! {
    /// The coordinates of the elements of `condition` that are not 0, a vector for each dimension.
    fn where_nonzero as "where" / "condition" (condition: Tensor) -> List, FUNCTION;
    value { crate::ops::indexing::nonzero_columns(condition) }
    derivative composite;
}

op! {
    /// This tensor where `condition` is true, else `other`.
    fn where_method as "where" / "method" (input: Tensor, condition: Tensor, other: Operand<'static>) -> Tensor, METHOD;
    value { where_(condition, input.into(), other) }
    derivative composite;
}
