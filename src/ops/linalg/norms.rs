//! Norms and condition numbers of matrices.
#![allow(non_snake_case)]

use super::*;
use crate::op;
use crate::ops::comparison::eq;
use crate::ops::unary::{abs, sqrt};

op! {
    /// The norm of order `ord` of the matrices in two dimensions: 'fro', the root of the sum of squares, or 'nuc', the sum
    /// of singular values.
    fn linalg_matrix_norm_named as "linalg_matrix_norm" / "named" (
        input: Tensor, ord: String = "fro", dim: Ints = &[-2, -1], keepdim: bool = false; dtype: Option<DType> = None
    ) -> Tensor, FUNCTION;
    value {
        let a = arranged(input, dim, dtype)?;
        let norm = match ord {
            "fro" => frobenius(&a)?,
            "nuc" => reduction::sum(&singular::values(&a)?, Some(&[-1]), false, None)?,
            _ => bail!(Runtime, "linalg.matrix_norm: ord is 'fro', 'nuc' or one of 1, -1, 2, -2, inf, -inf, not '{ord}'"),
        };
        placed(&norm, input, dim, keepdim)
    }
    derivative composite;
}

op! {
    /// The norm of order `ord` of the matrices in two dimensions: the largest (for a negative `ord`, the smallest)
    /// singular value for 2, sum of absolute values of a column for 1, of a row for infinity.
    fn linalg_matrix_norm(
        input: Tensor, ord: Scalar, dim: Ints = &[-2, -1], keepdim: bool = false; dtype: Option<DType> = None
    ) -> Tensor, FUNCTION;
    value {
        let a = arranged(input, dim, dtype)?;
        let p = ord.to_f64();
        let sums = if p.abs() == 2.0 {
            singular::values(&a)?
        } else if p.abs() == 1.0 || p.is_infinite() {
            reduction::sum(&abs(&a)?, Some(&[if p.is_infinite() { -1 } else { -2 }]), false, None)?
        } else {
            bail!(Runtime, "linalg.matrix_norm: ord is 'fro', 'nuc' or one of 1, -1, 2, -2, inf, -inf, not {ord}")
        };
        if p.abs() == 2.0 && sums.sizes().last() == Some(&0) {
            return placed(&Tensor::zeros(&batch_of(&a), sums.dtype())?, input, dim, keepdim);
        }
        let norm = if p > 0.0 { reduction::amax(&sums, &[-1], false)? } else { reduction::amin(&sums, &[-1], false)? };
        placed(&norm, input, dim, keepdim)
    }
    derivative composite;
}

/// The two dimensions moved to the end.
fn arranged(input: &Tensor, dim: &[i64], dtype: Option<DType>) -> Result<Tensor> {
    check_matrices("linalg.matrix_norm", input)?;
    if !input.dtype().is_differentiable() {
        bail!(Runtime, "linalg.matrix_norm: floating point or complex elements are expected, got {}", input.dtype());
    }
    let [first, second] = dim else {
        bail!(Runtime, "linalg.matrix_norm: dim has to name two dimensions, it is {}", shape::show(dim));
    };
    if shape::wrap_dim(*first, input.ndim())? == shape::wrap_dim(*second, input.ndim())? {
        bail!(Runtime, "linalg.matrix_norm: the two dimensions have to differ, dim is {}", shape::show(dim));
    }
    let typed = match dtype {
        Some(dtype) if dtype.category() != input.dtype().category() || dtype.size() < input.dtype().size() => {
            bail!(Runtime, "linalg.matrix_norm: dtype={dtype} has to be as wide as {} and of its kind", input.dtype())
        }
        Some(dtype) => to_dtype(input, dtype)?,
        None => input.clone(),
    };
    views::movedim(&typed, dim, &[-2, -1])
}

/// With dimensions of size 1 in the place of the two, if they are to be kept.
fn placed(norm: &Tensor, input: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    if !keepdim {
        return Ok(norm.clone());
    }
    let mut places: Vec<usize> = dim.iter().map(|&d| shape::wrap_dim(d, input.ndim())).collect::<Result<Vec<_>>>()?;
    places.sort_unstable();
    places.iter().try_fold(norm.clone(), |kept, &place| views::unsqueeze(&kept, place as i64))
}

/// The root of the sum of squares, whose gradient at 0 is 0.
fn frobenius(a: &Tensor) -> Result<Tensor> {
    let sizes = abs(a)?;
    let total = reduction::sum(&times(&sizes, &sizes)?, Some(&[-2, -1]), false, None)?;
    let zero = eq(&total.detach(), 0i64.into())?;
    let safe = choose(&zero, 1i64.into(), (&total).into())?;
    choose(&zero, 0i64.into(), (&sqrt(&to_dtype(&safe, total.dtype())?)?).into())
}

op! {
    /// The condition number in the 2-norm, or for `p` -2 its reciprocal; for another `p` the product of the norms of the
    /// matrix and its inverse, infinite for a singular one.
    fn linalg_cond(input: Tensor, p: Option<Scalar> = None) -> Tensor, FUNCTION;
    value {
        check_matrices("linalg.cond", input)?;
        let p = p.map_or(2.0, |p| p.to_f64());
        if p.abs() == 2.0 {
            let s = singular::values(input)?;
            let count = s.sizes().last().copied().unwrap_or(0);
            if count == 0 {
                return Tensor::zeros(&batch_of(input), s.dtype());
            }
            let (largest, smallest) = (views::select(&s, -1, 0)?, views::select(&s, -1, -1)?);
            return if p > 0.0 { over(&largest, &smallest) } else { over(&smallest, &largest) };
        }
        let norm = |a: &Tensor| linalg_matrix_norm(a, p.into(), &[-2, -1], false, None);
        with_inverse(input, &norm)
    }
    derivative composite;
}

op! {
    /// The condition number in the norm 'fro' or 'nuc'.
    fn linalg_cond_named as "linalg_cond" / "named" (input: Tensor, p: String) -> Tensor, FUNCTION;
    value {
        with_inverse(input, &|a: &Tensor| linalg_matrix_norm_named(a, p, &[-2, -1], false, None))
    }
    derivative composite;
}

fn with_inverse(a: &Tensor, norm: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    check_matrices("linalg.cond", a)?;
    if a.numel() == 0 {
        return Tensor::zeros(&batch_of(a), a.dtype().real());
    }
    check_square("linalg.cond", a)?;
    check_field("linalg.cond", a, Checked::All)?;
    let [inverse, info] = inverse::linalg_inv_ex(a, false)?;
    let product = times(&norm(a)?, &norm(&inverse)?)?;
    let singular = crate::ops::comparison::ne(&info, 0i64.into())?;
    choose(&singular, f64::INFINITY.into(), (&product).into())
}
