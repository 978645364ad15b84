//! Special functions: gamma, error and Bessel functions and their kin; see [`kernels::special`] for the methods.
//!
//! [`kernels::special`]: crate::kernels::special

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

use crate::dtype::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add, add_tensors, mul, mul_tensors, sub};
use crate::ops::term::{IntoTerm, Term};
use crate::ops::unary::neg;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::{Operand, Value};
use crate::{bail, chosen, op, pointwise};

/// `√(2π)`.
const ROOT_OF_TURN: f64 = 2.506_628_274_631_000_7;

pointwise! {
    /// The error function `2/√π ∫₀ˣ exp(-t²) dt`.
    fn erf(input: Tensor) float -> same, "ErfBackward0", FUNCTION METHOD IN_PLACE
        = input.erf();
        input(input, g) = FRAC_2_SQRT_PI * (-(input * input)).exp() * g;

    /// `1 - erf(x)`, accurate where that is small.
    fn erfc(input: Tensor) float -> same, "ErfcBackward0", FUNCTION METHOD IN_PLACE
        = input.erfc();
        input(input, g) = -FRAC_2_SQRT_PI * (-(input * input)).exp() * g;

    /// `exp(x²) erfc(x)`.
    fn erfcx(input: Tensor) float -> same, "SpecialErfcxBackward0", SPECIAL
        = input.erfcx();
        input(input, out, g) = (2.0 * input * out - FRAC_2_SQRT_PI) * g;

    /// The inverse of `erf`.
    fn erfinv(input: Tensor) float -> same, "ErfinvBackward0", FUNCTION METHOD IN_PLACE
        = input.erfinv();
        input(out, g) = (1.0 / FRAC_2_SQRT_PI) * (out * out).exp() * g;

    /// The inverse of `ndtr`.
    fn ndtri(input: Tensor) float -> same, "SpecialNdtriBackward0", SPECIAL
        = input.ndtri();
        input(g, out) = g * (ROOT_OF_TURN * (0.5 * out * out).exp());

    /// The normal distribution function, the probability of numbers up to x.
    fn ndtr(input: Tensor) float -> same, "MulBackward1", SPECIAL
        = 0.5 * (-FRAC_1_SQRT_2 * input).erfc();
        input(input, g) = 0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * (input * input)).exp() * g;

    /// The logarithm of `ndtr`.
    fn log_ndtr(input: Tensor) float -> same, "SpecialLogNdtrBackward0", SPECIAL
        = input.log_ndtr();
        input(g, input) = g / (-FRAC_1_SQRT_2 * input).erfcx() * (FRAC_2_SQRT_PI * FRAC_1_SQRT_2);

    /// The logarithm of the size of the gamma function.
    fn lgamma(input: Tensor) float -> same, "LgammaBackward0", FUNCTION METHOD IN_PLACE
        = input.lgamma();
        input(g, input) = g * input.digamma();

    /// The derivative of `lgamma`.
    fn digamma(input: Tensor) float -> same, "DigammaBackward0", FUNCTION METHOD IN_PLACE
        = input.digamma();
        input(g, input) = g * input.polygamma(1.0);

    /// `polygamma` with the tensor first.
    fn polygamma_of as "polygamma" / "of" (input: Tensor; n: Scalar) float -> same, "PolygammaBackward0"
        = input.polygamma(n);
        input(g, input, n) = g * input.polygamma(n + 1.0);

    /// The modified Bessel function of the first kind of order 0.
    fn i0(input: Tensor) float -> same, "I0Backward0", FUNCTION METHOD IN_PLACE SPECIAL
        = input.i0();
        input(g, input) = g * input.i1();

    /// `exp(-|x|) i0(x)`.
    fn i0e(input: Tensor) float -> same, "SpecialI0EBackward0", SPECIAL
        = input.i0e();
        input(g, input, out) = g * (input.i1e() - input.sign() * out);

    /// The modified Bessel function of the first kind of order 1.
    fn i1(input: Tensor) float -> same, "SpecialI1Backward0", SPECIAL
        = input.i1();
        input(g, input, out) = g
            * (input.i0() - out / input.or_else_if(!input.equals(0.0), 1.0)).or_else_if(!input.equals(0.0), 0.5);

    /// `exp(-|x|) i1(x)`.
    fn i1e(input: Tensor) float -> same, "SpecialI1EBackward0", SPECIAL
        = input.i1e();
        input(g, input, out) = g
            * (input.i0e() - out * (input.sign() + 1.0 / input.or_else_if(!input.equals(0.0), 1.0)))
                .or_else_if(!input.equals(0.0), 0.5);
}

// Without derivatives, in PyTorch too.
pointwise! {
    /// The Airy function Ai.
    fn airy_ai(x: Tensor) float -> same, SPECIAL = x.airy_ai();

    /// The Bessel function of the first kind of order 0.
    fn bessel_j0(input: Tensor) float -> same, SPECIAL = input.bessel_j0();

    /// The Bessel function of the first kind of order 1.
    fn bessel_j1(input: Tensor) float -> same, SPECIAL = input.bessel_j1();

    /// The Bessel function of the second kind of order 0.
    fn bessel_y0(input: Tensor) float -> same, SPECIAL = input.bessel_y0();

    /// The Bessel function of the second kind of order 1.
    fn bessel_y1(input: Tensor) float -> same, SPECIAL = input.bessel_y1();

    /// The modified Bessel function of the first kind of order 0.
    fn modified_bessel_i0(input: Tensor) float -> same, SPECIAL = input.i0();

    /// The modified Bessel function of the first kind of order 1.
    fn modified_bessel_i1(input: Tensor) float -> same, SPECIAL = input.i1();

    /// The modified Bessel function of the second kind of order 0.
    fn modified_bessel_k0(input: Tensor) float -> same, SPECIAL = input.modified_bessel_k0();

    /// The modified Bessel function of the second kind of order 1.
    fn modified_bessel_k1(input: Tensor) float -> same, SPECIAL = input.modified_bessel_k1();

    /// `exp(x)` times `modified_bessel_k0(x)`.
    fn scaled_modified_bessel_k0(x: Tensor) float -> same, SPECIAL = x.scaled_modified_bessel_k0();

    /// `exp(x)` times `modified_bessel_k1(x)`.
    fn scaled_modified_bessel_k1(x: Tensor) float -> same, SPECIAL = x.scaled_modified_bessel_k1();

    /// The spherical Bessel function of the first kind of order 0, `sin(x) / x`.
    fn spherical_bessel_j0(x: Tensor) float -> same, SPECIAL = x.spherical_bessel_j0();

    /// The Chebyshev polynomial of the first kind of degree `n`.
    fn chebyshev_polynomial_t(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.chebyshev_polynomial_t(n);

    /// The Chebyshev polynomial of the second kind of degree `n`.
    fn chebyshev_polynomial_u(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.chebyshev_polynomial_u(n);

    /// The Chebyshev polynomial of the third kind of degree `n`.
    fn chebyshev_polynomial_v(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.chebyshev_polynomial_v(n);

    /// The Chebyshev polynomial of the fourth kind of degree `n`.
    fn chebyshev_polynomial_w(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.chebyshev_polynomial_w(n);

    /// `chebyshev_polynomial_t` of `2x - 1`.
    fn shifted_chebyshev_polynomial_t(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.shifted_chebyshev_polynomial_t(n);

    /// `chebyshev_polynomial_u` of `2x - 1`.
    fn shifted_chebyshev_polynomial_u(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.shifted_chebyshev_polynomial_u(n);

    /// `chebyshev_polynomial_v` of `2x - 1`.
    fn shifted_chebyshev_polynomial_v(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.shifted_chebyshev_polynomial_v(n);

    /// `chebyshev_polynomial_w` of `2x - 1`.
    fn shifted_chebyshev_polynomial_w(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.shifted_chebyshev_polynomial_w(n);

    /// The physicists' Hermite polynomial of degree `n`.
    fn hermite_polynomial_h(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.hermite_polynomial_h(n);

    /// The probabilists' Hermite polynomial of degree `n`.
    fn hermite_polynomial_he(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.hermite_polynomial_he(n);

    /// The Laguerre polynomial of degree `n`.
    fn laguerre_polynomial_l(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.laguerre_polynomial_l(n);

    /// The Legendre polynomial of degree `n`.
    fn legendre_polynomial_p(x: Operand<'static>, n: Operand<'static>) float -> same, SPECIAL
        = x.legendre_polynomial_p(n);

    /// The values of `zeta`.
    fn zeta_values as "zeta" / "values" (input: Operand<'static>, other: Operand<'static>) float -> same
        = input.zeta(other);

    /// The values of `igamma`.
    fn igamma_values as "igamma" / "values" (input: Tensor, other: Tensor) floating -> same = input.gammainc(other);

    /// The values of `igammac`.
    fn igammac_values as "igammac" / "values" (input: Tensor, other: Tensor) floating -> same = input.gammaincc(other);
}

fn check_order(n: i64) -> Result<()> {
    if n < 0 {
        bail!(Runtime, "polygamma: n has to be 0 or more, got {n}");
    }
    Ok(())
}

op! {
    /// The `n`-th derivative of `digamma`.
    fn polygamma(n: i64, input: Tensor) -> Tensor, FUNCTION SPECIAL;
    choose {
        check_order(n)?;
        Ok(chosen!(polygamma_of(input, Scalar::Int(n))))
    }
}

op! {
    /// The `n`-th derivative of `digamma`.
    fn polygamma_method as "polygamma" / "method" (input: Tensor, n: i64) -> Tensor, METHOD IN_PLACE;
    choose {
        check_order(n)?;
        Ok(chosen!(polygamma_of(input, Scalar::Int(n))))
    }
}

/// The sum of `function(input - i/2)` for i below p.
fn over_halves(input: &Tensor, p: i64, function: fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let mut sum = function(input)?;
    for i in 1..p {
        sum = add_tensors(&sum, &function(&sub(input.into(), (0.5 * i as f64).into())?)?)?;
    }
    Ok(sum)
}

op! {
    /// The logarithm of the multivariate gamma function of dimension `p`.
    fn mvlgamma(input: Tensor, p: i64) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        if input.dtype() == DType::Bool {
            bail!(Runtime, "mvlgamma: not defined for bool");
        }
        if !(1..=1 << 16).contains(&p) {
            bail!(Runtime, "mvlgamma: p has to be from 1 to {}, got {p}", 1 << 16);
        }
        let constant = (p * (p - 1)) as f64 / 4.0 * PI.ln();
        add((&over_halves(input, p, lgamma)?).into(), constant.into())
    }
    batch aligned;
    derivative "MvlgammaBackward0" ByVjp {
        input(g, input, p) => mul_tensors(g, &over_halves(input, p, digamma)?);
    }
}

fn missing(of: &str) -> Result<Tensor> {
    bail!(NotImplemented, "the derivative of {of} is not implemented")
}

op! {
    /// `zeta` of a number and a tensor.
    fn zeta_of_number as "zeta" / "of_number" (input: Scalar, other: Tensor) -> Tensor;
    value { zeta_values(input.into(), other.into()) }
    batch aligned;
    derivative "SpecialZetaBackward1" ByVjp {
        other(g, input, other) => zeta_slope(g, input.into(), other.into());
    }
}

/// The gradient of `zeta` for its second argument.
fn zeta_slope(g: &Tensor, input: Operand, other: Operand) -> Result<Tensor> {
    let next = match input {
        Operand::Tensor(input) => zeta((&add(input.into(), 1i64.into())?).into(), other)?,
        Operand::Scalar(number) => zeta((number.to_f64() + 1.0).into(), other)?,
    };
    mul_tensors(g, &neg(&mul((&next).into(), input)?)?)
}

op! {
    /// The zeta function of Hurwitz, the sum of `(other + k)^-input` over k from 0 on. It has a derivative for `other` alone.
    fn zeta(input: Operand<'static>, other: Operand<'static>) -> Tensor, SPECIAL;
    choose {
        Ok(match (input, other) {
            (Operand::Scalar(number), Operand::Tensor(other)) => chosen!(zeta_of_number(number, other)),
            _ => chosen!(zeta_of(input, other)),
        })
    }
}

op! {
    /// `zeta` of a tensor.
    fn zeta_of as "zeta" / "of" (input: Operand<'static>, other: Operand<'static>) -> Tensor;
    value { zeta_values(input, other) }
    batch aligned;
    derivative "SpecialZetaBackward0" / "SpecialZetaBackward2" ByVjp {
        input(g) => {
            let _ = g;
            missing("zeta for its first argument")
        };
        other(g, input, other) => zeta_slope(g, input, other);
    }
}

/// `x^(a-1) exp(-x) / Γ(a)` times g.
fn density(g: &Tensor, a: &Tensor, x: &Tensor) -> Result<Tensor> {
    let [g, a, x] = [g, a, x].map(|tensor| Term::new(&Value::Tensor(tensor.clone())));
    let product = g * ((&a - 1.0) * x.log() - &x - a.lgamma()).exp();
    match product.into_term().into_value()? {
        Value::Tensor(tensor) => Ok(tensor),
        _ => bail!(Runtime, "igamma: a gradient is no tensor"),
    }
}

op! {
    /// The regularized lower incomplete gamma function `P(input, other)`. It has a derivative for `other` alone.
    fn igamma(input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    value { igamma_values(input, other) }
    batch aligned;
    derivative "IgammaBackward0" ByVjp {
        input(g) => {
            let _ = g;
            missing("igamma for its first argument")
        };
        other(g, input, other) => density(g, input, other);
    }
}

op! {
    /// The regularized upper incomplete gamma function `Q(input, other)`. It has a derivative for `other` alone.
    fn igammac(input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    value { igammac_values(input, other) }
    batch aligned;
    derivative "IgammacBackward0" ByVjp {
        input(g) => {
            let _ = g;
            missing("igammac for its first argument")
        };
        other(g, input, other) => neg(&density(g, input, other)?);
    }
}
