//! Norms of vectors, distances, and parts scaled down to a norm.

use crate::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add_tensors, div, mul_tensors};
use crate::ops::comparison::{eq, gt, ne};
use crate::ops::complex::{conj, real, sgn};
use crate::ops::conversion::to_dtype;
use crate::ops::linalg::norms::linalg_matrix_norm_named;
use crate::ops::power::pow;
use crate::ops::reduction::{amax, amin, root_of_squares, sum, unreduce};
use crate::ops::selection::choose;
use crate::ops::unary::{abs, neg};
use crate::scalar::Scalar;
use crate::shape::{self, Ints, wrap_dim, wrap_dims};
use crate::tensor::Tensor;
use crate::{bail, op};

op! {
    /// `sum(|x|^ord)^(1/ord)` over some dimensions (all if `dim` is `None`); the largest or smallest `|x|` for an
    /// infinite `ord`, the number of elements that are not 0 for 0.
    fn linalg_vector_norm as "linalg_vector_norm" (
        input: Tensor, ord: Scalar = crate::scalar::Scalar::Int(2), dim: Option<Ints> = None, keepdim: bool = false;
        dtype: Option<DType> = None
    ) -> Tensor;
    value {
        let kind = input.dtype();
        if kind.is_integral() {
            bail!(Runtime, "norm: a tensor of floats or complex numbers is expected, it is {kind}");
        }
        if dtype.is_some_and(|dtype| dtype.size() < kind.size() || dtype.category() != kind.category()) {
            bail!(Runtime, "norm: dtype= has to be of the kind of {kind} and at least as wide");
        }
        let chosen = wrap_dims(dim, input.ndim())?;
        let dims = dim.unwrap_or(&[]);
        let p = ord.to_f64();
        let input = input.detach().cast(dtype.unwrap_or(kind))?;
        // The norm of complex numbers is that of their absolute values.
        let input = if kind.is_complex() { abs(&input)? } else { input };
        let nothing = input.sizes().iter().zip(&chosen).any(|(&size, &over)| over && size == 0);
        if nothing && (p < 0.0 || p.is_infinite()) {
            bail!(Runtime, "norm: the norm of order {p} of no elements is not defined");
        }
        let over = |tensor: &Tensor| sum(tensor, Some(dims), keepdim, None);
        if p == f64::INFINITY {
            amax(&abs(&input)?, dims, keepdim)
        } else if p == f64::NEG_INFINITY {
            amin(&abs(&input)?, dims, keepdim)
        } else if p == 0.0 {
            over(&to_dtype(&ne(&input, 0i64.into())?, input.dtype())?)
        } else if p == 1.0 {
            over(&abs(&input)?)
        } else if p == 2.0 {
            root_of_squares(&input, Some(dims), keepdim)
        } else {
            let total = over(&pow((&abs(&input)?).into(), p.into())?)?;
            pow((&total).into(), (1.0 / p).into())
        }
    }
    batch over(dim);
    derivative "LinalgVectorNormBackward0" ByVjp {
        input(g, input, ord, dim, keepdim, out) => {
            if ord.to_f64() == 0.0 {
                return Ok(crate::op::Gradients::from_elem(None, 1));
            }
            norm_backward(g, input, ord.to_f64(), out, dim, keepdim)
        };
    }
}

/// The gradient of a norm of order `p` whose value is `norm`.
fn norm_backward(
    g: &Tensor,
    input: &Tensor,
    p: f64,
    norm: &Tensor,
    dim: Option<&[i64]>,
    keepdim: bool,
) -> Result<Tensor> {
    let sizes = input.sizes();
    let whole = |tensor: &Tensor| to_dtype(&unreduce(tensor, &sizes, dim, keepdim)?, input.dtype().real());
    let (g, norm) = (whole(g)?, whole(norm)?);
    let zero_where = |condition: &Tensor, tensor: &Tensor| choose(condition, 0.0.into(), tensor.into());
    let no_norm = || eq(&norm.detach(), 0i64.into());
    if p == 0.0 {
        return input.zeros_alike();
    }
    if p == 1.0 {
        return mul_tensors(&g, &sgn(input)?);
    }
    if p == 2.0 {
        return zero_where(&no_norm()?, &mul_tensors(&g, &div(input.into(), (&norm).into())?)?);
    }
    if p.is_infinite() {
        let equals = to_dtype(&eq(&abs(input)?.detach(), (&norm.detach()).into())?, g.dtype())?;
        let shares = mul_tensors(&sgn(input)?, &equals)?;
        let every: Ints = (0..sizes.len() as i64).collect();
        let count = sum(&equals, Some(dim.filter(|dims| !dims.is_empty()).unwrap_or(&every)), true, None)?;
        return mul_tensors(&shares, &div((&g).into(), (&count).into())?);
    }
    // Powers below 0 of what is 0 are not finite, and have no part in the gradient.
    let zero = eq(&input.detach(), 0i64.into())?;
    let safe = choose(&zero, 1.0.into(), (&abs(input)?).into())?;
    let slope = mul_tensors(&sgn(input)?, &zero_where(&zero, &pow((&safe).into(), (p - 1.0).into())?)?)?;
    let scale = zero_where(&no_norm()?, &div((&g).into(), (&pow((&norm).into(), (p - 1.0).into())?).into())?)?;
    mul_tensors(&slope, &scale)
}

op! {
    /// The norm over some dimensions (all if `dim` is `None`); `p` is 'fro', for the square root of the sum of squares.
    fn norm_named as "norm" / "named" (
        input: Tensor, p: Option<String> = Some("fro"), dim: Option<Ints> = None, keepdim: bool = false, dtype: Option<DType> = None
    ) -> Tensor, FUNCTION METHOD;
    value {
        match p {
            None | Some("fro") => linalg_vector_norm(input, Scalar::Int(2), dim, keepdim, dtype),
            Some("nuc") if dim.is_none() && input.ndim() != 2 => {
                bail!(Runtime, "norm: the nuclear norm is that of a matrix, the input has size {}", shape::show(&input.sizes()))
            }
            Some("nuc") => linalg_matrix_norm_named(input, "nuc", dim.unwrap_or(&[-2, -1]), keepdim, dtype),
            Some(p) => bail!(Runtime, "norm: p is a number, 'fro' or 'nuc', not '{p}'"),
        }
    }
    derivative composite;
}

op! {
    /// The norm of order `p` over some dimensions (all if `dim` is `None`).
    fn norm(
        input: Tensor, p: Scalar, dim: Option<Ints> = None, keepdim: bool = false, dtype: Option<DType> = None
    ) -> Tensor, FUNCTION METHOD;
    value { linalg_vector_norm(input, p, dim, keepdim, dtype) }
    derivative composite;
}

/// All dimensions but one.
fn others(dim: i64, ndim: usize) -> Result<Ints> {
    let d = wrap_dim(dim, ndim)?;
    Ok((0..ndim).filter(|&other| other != d).map(|other| other as i64).collect())
}

/// Keeps the quotient finite.
const TINY: f64 = 1e-7;

op! {
    /// The parts along `dim` scaled so that none has a norm of order `p` above `maxnorm`.
    fn renorm(input: Tensor, p: Scalar, dim: i64, maxnorm: Scalar) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        if p.to_f64() <= 0.0 {
            bail!(Runtime, "renorm: p has to be positive, got {p}");
        }
        if maxnorm.to_f64() < 0.0 {
            bail!(Runtime, "renorm: maxnorm must not be negative, got {maxnorm}");
        }
        if input.ndim() < 2 {
            bail!(Runtime, "renorm: a tensor of at least two dimensions is expected, its size is {}", shape::show(&input.sizes()));
        }
        let input = input.detach();
        let norm = linalg_vector_norm(&input, p, Some(&others(dim, input.ndim())?), true, None)?;
        let large = gt(&norm, maxnorm.into())?;
        let factor = div(maxnorm.into(), (&crate::ops::arithmetic::add((&norm).into(), TINY.into())?).into())?;
        mul_tensors(&input, &choose(&large, (&factor).into(), 1.0.into())?)?.to_contiguous()
    }
    derivative "RenormBackward0" ByVjp {
        input(g, input, p, dim, maxnorm) => {
            let dims = others(dim, input.ndim())?;
            let norm = linalg_vector_norm(input, p, Some(&dims), true, None)?;
            let above = crate::ops::arithmetic::add((&norm).into(), TINY.into())?;
            let factor = div(maxnorm.into(), (&above).into())?;
            // The part of the gradient along the vector: a real number.
            let along = real(&sum(&mul_tensors(g, &conj(input)?)?, Some(&dims), true, None)?)?;
            let slope = neg(&div((&mul_tensors(&along, &factor)?).into(), (&above).into())?)?;
            let by_norm = norm_backward(&slope, input, p.to_f64(), &norm, Some(&dims), true)?;
            let scaled = add_tensors(&mul_tensors(g, &factor)?, &by_norm)?;
            let large = gt(&norm.detach(), maxnorm.into())?;
            choose(&large, (&scaled).into(), g.into())
        };
    }
}
