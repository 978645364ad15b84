//! Pseudoinverses, ranks and least squares.
#![allow(non_snake_case)]

use super::*;
use crate::op;
use crate::ops::comparison::{gt, le};
use crate::ops::selection::maximum;
use crate::ops::unary::{abs, reciprocal};
use crate::value::Operand;

/// The distance of the next number from 1 in the type of the real parts.
fn epsilon(dtype: DType) -> f64 {
    if matches!(dtype.real(), DType::Float32) { f64::from(f32::EPSILON) } else { f64::EPSILON }
}

/// Singular values below this count as zero: the larger of `atol` and `rtol` times the largest one. Has one dimension
/// more than the batch.
fn limit(a: &Tensor, s: &Tensor, atol: Option<Operand>, rtol: Option<Operand>) -> Result<Tensor> {
    let (m, n) = extent(a);
    let k = s.sizes().last().copied().unwrap_or(0);
    let column = |operand: Operand| -> Result<Tensor> {
        let number = match operand {
            Operand::Tensor(tensor) => to_dtype(&tensor.detach(), s.dtype())?,
            Operand::Scalar(number) => Tensor::scalar(number, s.dtype())?,
        };
        views::unsqueeze(&number, -1)
    };
    let absolute = column(atol.unwrap_or(0.0.into()))?;
    // A tolerance that is given and positive replaces the relative one.
    let positive = match atol {
        Some(Operand::Scalar(number)) => number.to_f64() > 0.0,
        Some(Operand::Tensor(_)) | None => false,
    };
    let standard = if positive { 0.0 } else { epsilon(s.dtype()) * m.max(n) as f64 };
    let relative = match (rtol, atol) {
        (Some(rtol), _) => column(rtol)?,
        (None, Some(Operand::Tensor(_))) => {
            choose(&gt(&absolute, 0i64.into())?, 0.0.into(), (standard).into())?.cast(s.dtype())?
        }
        _ => column(standard.into())?,
    };
    let largest =
        if k == 0 { Tensor::zeros(&[1], s.dtype())? } else { reduction::amax(&abs(&s.detach())?, &[-1], true)? };
    maximum(&absolute, &times(&relative, &largest)?)
}

op! {
    /// The Moore-Penrose inverse: singular values up to the larger of `atol` and `rtol` times the largest one count as
    /// zero. With `hermitian` the matrices are taken for Hermitian, and only a triangle is read.
    ///
    /// By default `atol` is 0, and `rtol` the larger extent of the matrix times the type's epsilon (0 with an `atol`).
    fn linalg_pinv(input: Tensor; atol: Option<Operand<'static>> = None, rtol: Option<Operand<'static>> = None, hermitian: bool = false) -> Tensor,
        FUNCTION;
    value { pseudoinverse(input, atol, rtol, hermitian) }
    derivative composite;
}

op! {
    /// `linalg.pinv` with `rtol` under its old name.
    fn linalg_pinv_rcond as "linalg_pinv" / "rcond" (input: Tensor, rcond: Operand<'static>, hermitian: bool = false) -> Tensor, FUNCTION;
    value { pseudoinverse(input, Some(0.0.into()), Some(rcond), hermitian) }
    derivative composite;
}

op! {
    /// `linalg.pinv` under its old name.
    fn pinverse(input: Tensor, rcond: f64 = 1e-15) -> Tensor, FUNCTION NO_OUT METHOD;
    value { pseudoinverse(input, Some(0.0.into()), Some(rcond.into()), false) }
    derivative composite;
}

fn pseudoinverse(a: &Tensor, atol: Option<Operand>, rtol: Option<Operand>, hermitian: bool) -> Result<Tensor> {
    check_matrices("linalg.pinv", a)?;
    check_field("linalg.pinv", a, Checked::All)?;
    let s = singular::values(&a.detach())?;
    pseudoinverse_of(a, &limit(a, &s, atol, rtol)?, hermitian)
}

op! {
    /// The Moore-Penrose inverse, for which singular values up to `limit` count as zero.
    fn pseudoinverse_of as "_linalg_pinv" (input: Tensor, limit: Tensor, hermitian: bool) -> Tensor, ANY_TYPE;
    value {
        let a = input.detach();
        if extent(&a).0 * extent(&a).1 == 0 {
            let mut sizes = a.sizes();
            let n = sizes.len();
            sizes.swap(n - 2, n - 1);
            return Tensor::zeros(&sizes, a.dtype());
        }
        let (u, s, vh) = if hermitian {
            let [l, v] = eigen::eigh_of(&a, "L", true)?;
            (v.clone(), l, h(&v)?)
        } else {
            let [u, s, vh] = singular::svd_of(&a, false, true)?;
            (u, s, vh)
        };
        let small = le(&abs(&s)?, limit.into())?;
        let inverted = to_dtype(&choose(&small, 0i64.into(), (&reciprocal(&s)?).into())?, a.dtype())?;
        matmul(&columns_times(&h(&vh)?, &inverted)?, &h(&u)?)
    }
    derivative "LinalgPinvBackward0" ByVjp {
        input(g, input, out) => pinv_backward(g, out, input);
    }
}

/// Golub and Pereyra (1973), for matrices whose rank does not change.
fn pinv_backward(g: &Tensor, p: &Tensor, a: &Tensor) -> Result<Tensor> {
    let (gh, ph) = (h(g)?, h(p)?);
    let direct = product3(&ph, g, &ph)?;
    let left = product3(&gh, p, &ph)?;
    let left = minus(&left, &matmul(a, &matmul(p, &left)?)?)?;
    let right = product3(&ph, p, &gh)?;
    let right = minus(&right, &matmul(&matmul(&right, p)?, a)?)?;
    minus(&add(&left, &right)?, &direct)
}

op! {
    /// How many singular values (with `hermitian`, absolute eigenvalues) are above the tolerance of `linalg.pinv`.
    fn linalg_matrix_rank(input: Tensor; atol: Option<Operand<'static>> = None, rtol: Option<Operand<'static>> = None, hermitian: bool = false) -> Tensor,
        FUNCTION ANY_TYPE;
    value { rank(input, atol, rtol, hermitian) }
    derivative none;
}

op! {
    /// `linalg.matrix_rank` with `atol` under its old name.
    fn linalg_matrix_rank_tol as "linalg_matrix_rank" / "tol" (input: Tensor, tol: Operand<'static>, hermitian: bool = false) -> Tensor,
        FUNCTION ANY_TYPE;
    value { rank(input, Some(tol), Some(0.0.into()), hermitian) }
    derivative none;
}

fn rank(input: &Tensor, atol: Option<Operand>, rtol: Option<Operand>, hermitian: bool) -> Result<Tensor> {
    check_matrices("linalg.matrix_rank", input)?;
    check_field("linalg.matrix_rank", input, Checked::All)?;
    let a = input.detach();
    if extent(&a).0 * extent(&a).1 == 0 {
        return Tensor::zeros(&batch_of(&a), DType::Int64);
    }
    let s = if hermitian { abs(&eigen::linalg_eigvalsh(&a, "L")?)? } else { singular::values(&a)? };
    let above = gt(&s, (&limit(&a, &s, atol, rtol)?).into())?;
    reduction::sum(&above, Some(&[-1]), false, None)
}

op! {
    /// The `X` of least norm among those with the least `norm(A X - B)`.
    ///
    /// Besides the solution come the residuals (empty unless `A` has more rows than columns and full rank), the rank and
    /// the singular values of `A` (each empty unless `driver` finds it: 'gelsd' and 'gelss' both, 'gelsy' the rank,
    /// 'gels' none).
    fn linalg_lstsq(input: Tensor, b: Tensor, rcond: Option<f64> = None; driver: Option<String> = None) -> (solution, residuals, rank, singular_values),
        FUNCTION;
    value {
        let name = "linalg.lstsq";
        check_matrices(name, input)?;
        check_field(name, input, Checked::All)?;
        check_same(name, input, b)?;
        let driver = driver.unwrap_or("gelsy");
        if !matches!(driver, "gels" | "gelsy" | "gelsd" | "gelss") {
            bail!(Runtime, "{name}: driver is 'gels', 'gelsy', 'gelsd' or 'gelss', not '{driver}'");
        }
        let (m, n) = extent(input);
        let vector = b.ndim() + 1 == input.ndim();
        let columns = if vector { views::unsqueeze(b, -1)? } else { b.clone() };
        check_matrices(name, &columns)?;
        if extent(&columns).0 != m {
            bail!(Runtime, "{name}: matrices of {m} rows do not fit a right-hand side of size {}", shape::show(&b.sizes()));
        }
        let s = singular::values(&input.detach())?;
        let (absolute, relative) = (0.0.into(), rcond.filter(|&value| value >= 0.0).map(Operand::from));
        let limit = limit(&input.detach(), &s, Some(absolute), relative)?;
        let solution = matmul(&pseudoinverse_of(input, &limit, false)?, &columns)?;
        let ranks = reduction::sum(&gt(&s, (&limit).into())?, Some(&[-1]), false, None)?;
        let full = driver == "gels" || ranks.physical().to_vec::<i64>()?.iter().all(|&rank| rank == n as i64);
        let residuals = if m > n && full && driver != "gelsy" {
            let rest = abs(&minus(&matmul(input, &solution)?, &columns)?)?;
            reduction::sum(&times(&rest, &rest)?, Some(&[-2]), false, None)?
        } else {
            Tensor::empty(&[0], input.dtype().real())?
        };
        let ranks = if driver == "gels" { Tensor::empty(&[0], DType::Int64)? } else { ranks };
        let s = if matches!(driver, "gelsd" | "gelss") { s } else { Tensor::empty(&[0], s.dtype())? };
        Ok([if vector { views::squeeze(&solution, -1)? } else { solution }, residuals, ranks, s])
    }
    derivative composite;
}
