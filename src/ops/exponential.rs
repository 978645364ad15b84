//! Exponentials and logarithms beside those of base e, and sums and products with them.

use std::f64::consts::{LN_2, LN_10};

use crate::ops::comparison::two_numbers;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{chosen, op, pointwise};

pointwise! {
    /// 2 to the power of each element.
    fn exp2(input: Tensor) float complex -> same, "Exp2Backward0", FUNCTION METHOD IN_PLACE
        = input.exp2();
        input(g, out) = g * out.conj() * LN_2;

    /// Logarithm to the base 10.
    fn log10(input: Tensor) float complex -> same, "Log10Backward0", FUNCTION METHOD IN_PLACE
        = input.log10();
        input(g, input) = g / (input.conj() * LN_10);

    /// Logarithm to the base 2.
    fn log2(input: Tensor) float complex -> same, "Log2Backward0", FUNCTION METHOD IN_PLACE
        = input.log2();
        input(g, input) = g / (input.conj() * LN_2);

    /// `logit` without limits; NaN outside 0 to 1.
    fn logit_of as "logit" / "of" (input: Tensor) float -> same, "LogitBackward0"
        = (input / (1.0 - input)).log();
        input(g, input) = (g / (input * (1.0 - input)))
            .or_else_if(input.greater_equal(0.0) & input.less_equal(1.0), f64::NAN);

    /// `logit` of the element, but not less than `eps` nor more than `1 - eps`.
    fn logit_limited as "logit" / "limited" (input: Tensor; eps: Scalar) float -> same, "LogitBackward0"
        = limited(input, eps).log() - (1.0 - limited(input, eps)).log();
        input(g, input, eps) = (g / (input * (1.0 - input)))
            .only_if(input.greater_equal(eps) & input.less_equal(1.0 - eps));

    /// `log(exp(input) + exp(other))` without overflow.
    fn logaddexp(input: Tensor, other: Tensor) floating complex -> same, "LogaddexpBackward0", FUNCTION METHOD
        = input.logaddexp(other);
        input(g, input, other) = g / (1.0 + (other - input).exp()).conj();
        other(g, input, other) = g / (1.0 + (input - other).exp()).conj();

    /// `log2(2^input + 2^other)` without overflow.
    fn logaddexp2(input: Tensor, other: Tensor) floating -> same, "Logaddexp2Backward0", FUNCTION METHOD
        = input.logaddexp2(other);
        input(g, input, other) = g / (1.0 + (other - input).exp2());
        other(g, input, other) = g / (1.0 + (input - other).exp2());

    /// `xlogy` of a number and a tensor.
    fn xlogy_of_number as "xlogy" / "of_number" (input: Scalar, other: Tensor) float -> same, "XlogyBackward1"
        = input.times_log(other);
        other(g, input, other) = g * (input / other);

    /// `xlogy` of a tensor.
    fn xlogy_of as "xlogy" / "of" (input: Operand<'static>, other: Operand<'static>)
        float -> same, "XlogyBackward0" / "XlogyBackward2"
        = input.times_log(other);
        input(g, input, other) = g.times_log(other).cleared_unless(!(input.equals(0.0) & other.less_equal(0.0)));
        other(g, input, other) = g * (input / other);

    /// `xlog1py` of a number and a tensor.
    fn xlog1py_of_number as "xlog1py" / "of_number" (input: Scalar, other: Tensor)
        float -> same, "SpecialXlog1PyBackward1"
        = input.times_log1p(other);
        other(g, input, other) = g * (input / (other + 1.0));

    /// `xlog1py` of a tensor.
    fn xlog1py_of as "xlog1py" / "of" (input: Operand<'static>, other: Operand<'static>)
        float -> same, "SpecialXlog1PyBackward0" / "SpecialXlog1PyBackward2"
        = input.times_log1p(other);
        input(g, input, other) = (g * other.log1p()).cleared_unless(!(input.equals(0.0) & other.less_equal(-1.0)));
        other(g, input, other) = g * (input / (other + 1.0));

    /// `input` times 2 to the power of `other`.
    fn ldexp(input: Tensor, other: Tensor) float complex -> same, "LdexpBackward0", FUNCTION METHOD IN_PLACE
        = input.ldexp(other);
        input(g, other) = g * other.exp2().conj();
        other(g, input, other) = g * (input * other.exp2() * LN_2).conj();

    /// The entropy `-x log(x)` of each element: 0 at 0, negative infinity below.
    fn entr(input: Tensor) float -> same, "SpecialEntrBackward0", SPECIAL
        = input.entropy();
        input(g, input) = -(g * (input.log() + 1.0));
}

fn limited<T: crate::kernels::algebra::Float, const NEAR: bool>(
    x: crate::kernels::algebra::Num<T, NEAR>,
    eps: crate::kernels::algebra::Num<T, NEAR>,
) -> crate::kernels::algebra::Num<T, NEAR> {
    let x = eps.or_else_if(x.less(eps), x);
    (1.0 - eps).or_else_if(x.greater(1.0 - eps), x)
}

op! {
    /// `log(x / (1 - x))`, the inverse of `sigmoid`; with `eps`, of elements brought within `eps` to `1 - eps` first.
    fn logit(input: Tensor, eps: Option<f64> = None) -> Tensor, FUNCTION METHOD IN_PLACE SPECIAL;
    choose {
        Ok(match eps {
            None => chosen!(logit_of(input)),
            Some(eps) => chosen!(logit_limited(input, Scalar::Float(eps))),
        })
    }
}

op! {
    /// `input * log(other)`, 0 where `input` is 0, unless `other` is NaN.
    fn xlogy(input: Operand<'static>, other: Operand<'static>) -> Tensor, FUNCTION METHOD IN_PLACE;
    choose {
        Ok(match (input, other) {
            (Operand::Scalar(_), Operand::Scalar(_)) => return Err(two_numbers("xlogy")),
            (Operand::Scalar(number), Operand::Tensor(other)) => chosen!(xlogy_of_number(number, other)),
            _ => chosen!(xlogy_of(input, other)),
        })
    }
}

op! {
    /// `input * log(1 + other)`, 0 where `input` is 0, unless `other` is NaN.
    fn xlog1py(input: Operand<'static>, other: Operand<'static>) -> Tensor, SPECIAL;
    choose {
        Ok(match (input, other) {
            (Operand::Scalar(number), Operand::Tensor(other)) => chosen!(xlog1py_of_number(number, other)),
            _ => chosen!(xlog1py_of(input, other)),
        })
    }
}
