//! Choosing between values: where, clamp, maximum, minimum.

use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, op, pointwise};

pointwise! {
    /// The larger of two elements; NaN if either is. Equal elements share the gradient.
    fn maximum(input: Tensor, other: Tensor) number -> same, "MaximumBackward0", FUNCTION METHOD
        = input.maximum(other);
        input(g, input, other) = (g * 0.5).or_else_if(input.equals(other), g.only_if(input.greater(other) | input.is_nan()));
        other(g, input, other) = (g * 0.5).or_else_if(input.equals(other), g.only_if(other.greater(input) | other.is_nan()));

    /// The smaller of two elements; NaN if either is. Equal elements share the gradient.
    fn minimum(input: Tensor, other: Tensor) number -> same, "MinimumBackward0", FUNCTION METHOD
        = input.minimum(other);
        input(g, input, other) = (g * 0.5).or_else_if(input.equals(other), g.only_if(input.less(other) | input.is_nan()));
        other(g, input, other) = (g * 0.5).or_else_if(input.equals(other), g.only_if(other.less(input) | other.is_nan()));

    /// Not below `min`.
    fn clamp_min(input: Tensor, min: Operand<'static>) real -> same, "ClampMinBackward0", FUNCTION METHOD IN_PLACE
        = input.maximum(min);
        input(g, input, min) = g.only_if(input.greater_equal(min) | input.is_nan());
        min(g, input, min) = g.only_if(input.less(min));

    /// Not above `max`.
    fn clamp_max(input: Tensor, max: Operand<'static>) real -> same, "ClampMaxBackward0", FUNCTION METHOD IN_PLACE
        = input.minimum(max);
        input(g, input, max) = g.only_if(input.less_equal(max) | input.is_nan());
        max(g, input, max) = g.only_if(input.greater(max));

    /// Not below `min`, then not above `max`.
    fn clamp_both as "_clamp" (input: Tensor, min: Operand<'static>, max: Operand<'static>)
        real -> same, "ClampBackward1"
        = input.maximum(min).minimum(max);
        input(g, input, min, max) = g.only_if((input.greater_equal(min) & input.less_equal(max)) | input.is_nan());
        min(g, input, min, max) = g.only_if(input.less(min) & min.less(max));
        max(g, input, min, max) = g.only_if(input.greater(max) | max.less(min));

    /// `input` where `condition` is not 0, else `other`.
    fn choose as "_where" (condition: Tensor, input: Operand<'static>, other: Operand<'static>)
        number -> same, "WhereBackward0"
        = input.or_else_if(!condition.equals(0.0), other);
        input(g, condition) = g.only_if(!condition.equals(0.0));
        other(g, condition) = g.only_if(condition.equals(0.0));
}

op! {
    /// Each element limited to the range from `min` to `max`; one of them may be missing.
    fn clamp(input: Tensor, min: Option<Operand<'static>> = None, max: Option<Operand<'static>> = None) -> Tensor,
        FUNCTION METHOD IN_PLACE;
    value {
        match (min, max) {
            (Some(min), Some(max)) => clamp_both(input, min, max),
            (Some(min), None) => clamp_min(input, min),
            (None, Some(max)) => clamp_max(input, max),
            (None, None) => bail!(Runtime, "clamp: at least one of min and max has to be given"),
        }
    }
    derivative composite;
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
