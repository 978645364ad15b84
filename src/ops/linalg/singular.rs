//! Singular values and vectors.
#![allow(non_snake_case)]

use super::eigen::{check_phase, gaps, off_diagonal};
use super::*;
use crate::kernels::linalg::spectral::{self, Svd};
use crate::op;
use crate::op::Gradients;

op! {
    /// `linalg.svd`, recorded.
    fn svd_of as "_linalg_svd" (A: Tensor, full_matrices: bool, compute_uv: bool) -> (U, S, Vh), ANY_TYPE;
    value {
        check_matrices("linalg.svd", A)?;
        check_field("linalg.svd", A, Checked::Integers)?;
        let ((m, n), batch) = (extent(A), batch_of(A));
        let k = m.min(n);
        let (columns, rows) = if full_matrices { (m, n) } else { (k, k) };
        in_double!(A.dtype(), T => {
            let (mut us, mut ss, mut vs) = (Vec::new(), Vec::new(), Vec::new());
            for a in unpack::<T>(A)? {
                if !a.is_finite() {
                    bail!(LinAlg, "linalg.svd: the matrix has elements that are not finite");
                }
                let Some(Svd { u, s, vh }) = spectral::svd(&a, full_matrices) else {
                    bail!(LinAlg, "linalg.svd: the algorithm did not converge");
                };
                us.push(u);
                ss.extend(s);
                vs.push(vh);
            }
            let s = pack_vectors(&ss, &batch, k, A.dtype().real())?;
            if !compute_uv {
                // Of a size that has the dimensions of the batch, for `vmap`.
                let none = || pack_vectors::<T>(&[], &batch, 0, A.dtype());
                return Ok([none()?, s, none()?]);
            }
            Ok([pack(&us, &batch, (m, columns), A.dtype())?, s, pack(&vs, &batch, (rows, n), A.dtype())?])
        })
    }
    batch rule(each_matrix);
    derivative "LinalgSvdBackward0" ByVjp {
        A(ctx, A, compute_uv, U, S, Vh) => {
            let k = S.sizes().last().copied().unwrap_or(0);
            let (u, vh) = if compute_uv {
                (narrow(U, -1, 0, k)?, narrow(Vh, -2, 0, k)?)
            } else {
                let [u, _, vh] = svd_of(A, false, true)?;
                (u, vh)
            };
            let gu = given(ctx.gradient_of(0)?.filter(|_| compute_uv), |g| narrow(g, -1, 0, k))?;
            let gvh = given(ctx.gradient_of(2)?.filter(|_| compute_uv), |g| narrow(g, -2, 0, k))?;
            match svd_backward(gu, ctx.gradient_of(1)?, gvh, &u, S, &vh)? {
                Some(g) => Ok(g),
                None => return Ok(Gradients::from_elem(None, 1)),
            }
        };
    }
}

/// Twice the antihermitian part.
fn skew(a: &Tensor) -> Result<Tensor> {
    minus(a, &h(a)?)
}

fn svd_backward(
    gu: Option<Tensor>,
    gs: Option<Tensor>,
    gvh: Option<Tensor>,
    u: &Tensor,
    s: &Tensor,
    vh: &Tensor,
) -> Result<Option<Tensor>> {
    let dtype = u.dtype();
    let from_values = given(gs, |g| on_diagonal(&to_dtype(g, dtype)?))?;
    let sc = to_dtype(s, dtype)?;
    let (m, n, k) = (extent(u).0, extent(vh).1, extent(u).1);
    let squares = to_dtype(&gaps(&times(s, s)?)?, dtype)?;
    let rows_times = |a: &Tensor| times(a, &views::unsqueeze(&sc, -1)?);
    let turns_left = given(gu.clone(), |g| skew(&matmul(&h(u)?, g)?))?;
    let turns_right = given(gvh.clone(), |g| skew(&matmul(vh, &h(g)?)?))?;
    // What both vectors of a pair turn by together is arbitrary.
    if dtype.is_complex()
        && let Some(turns) = sum_given(turns_left.clone(), turns_right.clone())?
    {
        let beside = turns_left.as_ref().or(turns_right.as_ref()).unwrap_or(&turns);
        check_phase("linalg.svd", "singular vectors", &turns, beside)?;
    }
    let from_left = given(turns_left.clone(), |x| columns_times(&over(&off_diagonal(x)?, &squares)?, &sc))?;
    let from_right = given(turns_right, |x| rows_times(&over(&off_diagonal(x)?, &squares)?))?;
    // Of the phases that belong to both vectors of a pair, all are counted as the left one's.
    let phases = given(turns_left.filter(|_| dtype.is_complex()), |x| {
        on_diagonal(&over(&diagonal_of(x)?, &scaled(&sc, 2.0)?)?)
    })?;
    let Some(inner) = sum_given(sum_given(from_values, from_left)?, sum_given(from_right, phases)?)? else {
        return Ok(None);
    };
    let mut whole = product3(u, &inner, vh)?;
    if let Some(g) = gu.filter(|_| m > k) {
        let by_size = over(&g, &views::unsqueeze(&sc, -2)?)?;
        let beside = minus(&by_size, &matmul(u, &matmul(&h(u)?, &by_size)?)?)?;
        whole = add(&whole, &matmul(&beside, vh)?)?;
    }
    if let Some(g) = gvh.filter(|_| n > k) {
        let by_size = over(&g, &views::unsqueeze(&sc, -1)?)?;
        let beside = minus(&by_size, &matmul(&matmul(&by_size, &h(vh)?)?, vh)?)?;
        whole = add(&whole, &matmul(u, &beside)?)?;
    }
    Ok(Some(whole))
}

fn check_driver(driver: Option<&str>) -> Result<()> {
    match driver {
        Some(driver) => bail!(Runtime, "linalg.svd: driver= is for CUDA, got '{driver}'"),
        None => Ok(()),
    }
}

op! {
    /// The factors of `A = U diag(S) Vh`, with singular values in descending order.
    ///
    /// `U` has size `(*, m, m)` and `Vh` `(*, n, n)`; without `full_matrices` `(*, m, k)` and `(*, k, n)`, for
    /// `k = min(m, n)`. Raises `LinAlgError` for elements that are not finite.
    fn linalg_svd(A: Tensor, full_matrices: bool = true; driver: Option<String> = None) -> (U, S, Vh), FUNCTION;
    value {
        check_driver(driver)?;
        svd_of(A, full_matrices, true)
    }
    derivative composite;
}

op! {
    /// The singular values, in descending order.
    fn linalg_svdvals(A: Tensor; driver: Option<String> = None) -> Tensor, FUNCTION;
    value {
        check_driver(driver)?;
        values(A)
    }
    derivative composite;
}

pub(crate) fn values(a: &Tensor) -> Result<Tensor> {
    let [_, s, _] = svd_of(a, false, false)?;
    Ok(s)
}

op! {
    /// `linalg.svd` in its old form: `V` in the place of its adjoint, `some` in that of `not full_matrices`, and zeros for
    /// `U` and `V` without `compute_uv`.
    fn svd(input: Tensor, some: bool = true, compute_uv: bool = true) -> (U, S, V), FUNCTION METHOD;
    value {
        check_matrices("svd", input)?;
        if compute_uv {
            let [u, s, vh] = svd_of(input, !some, true)?;
            return Ok([u, s, h(&vh)?]);
        }
        let ((m, n), batch) = (extent(input), batch_of(input));
        let zeros = |size: usize| {
            let mut sizes = batch.clone();
            sizes.extend([size, size]);
            Tensor::zeros(&sizes, input.dtype())
        };
        Ok([zeros(m)?, values(input)?, zeros(n)?])
    }
    derivative composite;
}
