//! LU factors with row exchanges.
#![allow(non_snake_case)]

use super::*;
use crate::kernels::linalg::lu as kernel;
use crate::op;
use crate::op::Gradients;

op! {
    /// `L` and `U` in one matrix, the row exchanges, and 0 or the number of the first pivot that is zero.
    ///
    /// `pivots` has size `(*, min(m, n))`: row `i` was exchanged with row `pivots[i]`, counted from 1.
    fn linalg_lu_factor_ex(A: Tensor; pivot: bool = true, check_errors: bool = false) -> (LU, pivots, info), FUNCTION ANY_TYPE;
    value {
        check_matrices("linalg.lu_factor", A)?;
        check_field("linalg.lu_factor", A, Checked::Nothing)?;
        let (batch, size) = (batch_of(A), extent(A));
        in_double!(A.dtype(), T => {
            let (mut packed, mut pivots, mut info) = (Vec::new(), Vec::new(), Vec::new());
            for a in unpack::<T>(A)? {
                let factors = kernel::factor(a, pivot);
                info.push(factors.info);
                pivots.extend(factors.pivots);
                packed.push(factors.packed);
            }
            let info = pack_numbers(&info, &batch, DType::Int32)?;
            if check_errors {
                check_info("linalg.lu_factor", &info, inverse::SINGULAR)?;
            }
            let pivots = pack_vectors(&pivots, &batch, size.0.min(size.1), DType::Int32)?;
            Ok([pack(&packed, &batch, size, A.dtype())?, pivots, info])
        })
    }
    batch rule(each_matrix);
    derivative "LinalgLuFactorExBackward0" ByVjp {
        A(ctx, LU, pivots) => match ctx.gradient_of(0)? {
            Some(g) => {
                let (m, n) = extent(LU);
                let k = m.min(n);
                let (L, U) = parts(LU)?;
                let gl = lower(&narrow(&g, -1, 0, k)?, -1)?;
                let gu = upper(&narrow(&g, -2, 0, k)?, 0)?;
                plu_backward(&gl, &gu, &permutation(pivots, m, LU.dtype())?, &L, &U)
            }
            None => return Ok(Gradients::from_elem(None, 1)),
        };
    }
}

/// `L` and `U` from the one matrix that holds both.
fn parts(packed: &Tensor) -> Result<(Tensor, Tensor)> {
    let (m, n) = extent(packed);
    let k = m.min(n);
    let below = lower(&narrow(packed, -1, 0, k)?, -1)?;
    let ones = crate::ops::creation::eye(m, k, packed.dtype())?;
    Ok((add(&below, &ones)?, upper(&narrow(packed, -2, 0, k)?, 0)?))
}

/// The matrix `P` of `A = P L U` that row exchanges come to.
fn permutation(pivots: &Tensor, m: usize, dtype: DType) -> Result<Tensor> {
    permutation_of(pivots, m as i64, dtype)
}

op! {
    /// The permutation matrices of `rows` rows that row exchanges come to.
    fn permutation_of as "_lu_permutation" (pivots: Tensor, rows: i64, dtype: DType) -> Tensor, ANY_TYPE;
    value {
        let m = rows as usize;
        let sizes = pivots.sizes();
        let (batch, k) = (&sizes[..sizes.len() - 1], sizes[sizes.len() - 1]);
        let exchanges: Vec<i32> = pivots.to_vec()?;
        let count: usize = batch.iter().product();
        let mut matrices = Vec::with_capacity(count);
        for item in 0..count {
            let mut order: Vec<usize> = (0..m).collect();
            for i in 0..k {
                // What is no row's number exchanges nothing.
                let with = exchanges[item * k + i];
                if (1..=m as i64).contains(&i64::from(with)) {
                    order.swap(i, with as usize - 1);
                }
            }
            let mut matrix = Matrix::<f64>::zeros(m, m);
            for (i, &from) in order.iter().enumerate() {
                matrix[(from, i)] = 1.0;
            }
            matrices.push(matrix);
        }
        pack(&matrices, batch, (m, m), dtype)?.to_contiguous()
    }
    derivative none;
}

/// The gradient of `A = P L U`, of any shape: of the square part, and of the rows or columns beside it.
fn plu_backward(gl: &Tensor, gu: &Tensor, p: &Tensor, l: &Tensor, u: &Tensor) -> Result<Tensor> {
    let (m, k) = extent(l);
    let n = extent(u).1;
    let solve = triangular::linalg_solve_triangular;
    let square = |gl: &Tensor, gu: &Tensor, l: &Tensor, u: &Tensor| -> Result<Tensor> {
        let (lh, uh) = (h(l)?, h(u)?);
        let phi = add(&lower(&matmul(&lh, gl)?, -1)?, &upper(&matmul(gu, &uh)?, 0)?)?;
        solve(&lh, &solve(&uh, &phi, false, false, false)?, true, true, true)
    };
    let within = if m == n {
        square(gl, gu, l, u)?
    } else if m > n {
        let (l1, l2) = (narrow(l, -2, 0, k)?, narrow(l, -2, k, m - k)?);
        let (gl1, gl2) = (narrow(gl, -2, 0, k)?, narrow(gl, -2, k, m - k)?);
        let ga2 = solve(&h(u)?, &gl2, false, false, false)?;
        let gu = minus(gu, &matmul(&h(&l2)?, &ga2)?)?;
        crate::ops::joining::cat_tensors(&[square(&gl1, &upper(&gu, 0)?, &l1, u)?, ga2], -2)?
    } else {
        let (u1, u2) = (narrow(u, -1, 0, k)?, narrow(u, -1, k, n - k)?);
        let (gu1, gu2) = (narrow(gu, -1, 0, k)?, narrow(gu, -1, k, n - k)?);
        let ga2 = solve(&h(l)?, &gu2, true, true, true)?;
        let gl = minus(gl, &matmul(&ga2, &h(&u2)?)?)?;
        crate::ops::joining::cat_tensors(&[square(&lower(&gl, -1)?, &gu1, l, &u1)?, ga2], -1)?
    };
    matmul(p, &within)
}

op! {
    /// `L` and `U` in one matrix, and the row exchanges. Raises `RuntimeError` if a pivot is zero.
    fn linalg_lu_factor(A: Tensor; pivot: bool = true) -> (LU, pivots), FUNCTION;
    value {
        let [LU, pivots, info] = linalg_lu_factor_ex(A, pivot, false)?;
        // No LinAlgError: so PyTorch has it.
        check_info("linalg.lu_factor", &info, inverse::SINGULAR)
            .map_err(|error| crate::error!(Runtime, "{}", error.message()))?;
        Ok([LU, pivots])
    }
    derivative composite;
}

op! {
    /// `linalg.lu_factor`, which does not mind pivots of zero.
    fn lu(input: Tensor, pivot: bool = true) -> (LU, pivots), FUNCTION METHOD;
    value {
        let [LU, pivots, _] = linalg_lu_factor_ex(input, pivot, false)?;
        Ok([LU, pivots])
    }
    derivative composite;
}

op! {
    /// The permutation and the triangular factors of `A = P L U`; without `pivot` no rows are exchanged, and `P` is empty.
    fn linalg_lu(A: Tensor; pivot: bool = true) -> (P, L, U), FUNCTION;
    value {
        check_matrices("linalg.lu", A)?;
        let [L, U, pivots] = triangles_of(A, pivot)?;
        let P = if pivot { permutation(&pivots, extent(A).0, A.dtype())? } else { Tensor::empty(&[0], A.dtype())? };
        Ok([P, L, U])
    }
    derivative composite;
}

op! {
    /// `linalg.lu` with the row exchanges in the place of the permutation.
    fn triangles_of as "_linalg_lu" (A: Tensor, pivot: bool) -> (L, U, pivots), ANY_TYPE;
    value {
        let [LU, pivots, _] = linalg_lu_factor_ex(&A.detach(), pivot, false)?;
        let (L, U) = parts(&LU)?;
        Ok([L.to_contiguous()?, U.to_contiguous()?, pivots])
    }
    batch rule(each_matrix);
    derivative "LinalgLuBackward0" ByVjp {
        A(ctx, L, U, pivots) => {
            let (gl, gu) = (ctx.gradient_of(0)?, ctx.gradient_of(1)?);
            if gl.is_none() && gu.is_none() {
                return Ok(Gradients::from_elem(None, 1));
            }
            let gl = gl.map_or_else(|| L.zeros_alike(), |g| lower(&g, -1))?;
            let gu = gu.map_or_else(|| U.zeros_alike(), |g| upper(&g, 0))?;
            plu_backward(&gl, &gu, &permutation(pivots, extent(L).0, L.dtype())?, L, U)
        };
    }
}

op! {
    /// `P`, `L` and `U` from what `lu_factor` gives; empty tensors for what is not asked for.
    fn lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = true, unpack_pivots: bool = true) -> (P, L, U),
        FUNCTION;
    value {
        check_matrices("lu_unpack", LU_data)?;
        if unpack_pivots && LU_pivots.dtype() != DType::Int32 {
            bail!(Runtime, "lu_unpack: the pivots have to be int32, they are {}", LU_pivots.dtype());
        }
        let (mut expected, (m, n)) = (batch_of(LU_data), extent(LU_data));
        expected.push(m.min(n));
        if unpack_pivots && LU_pivots.sizes() != expected {
            let (wanted, got) = (shape::show(&expected), shape::show(&LU_pivots.sizes()));
            bail!(Runtime, "lu_unpack: pivots of size {wanted} are expected, got {got}");
        }
        let none = || Tensor::empty(&[0], LU_data.dtype());
        let [L, U] = if unpack_data { unpacked(LU_data)? } else { [none()?, none()?] };
        let P = if unpack_pivots { permutation(LU_pivots, extent(LU_data).0, LU_data.dtype())? } else { none()? };
        Ok([P, L, U])
    }
    derivative composite;
}

op! {
    /// The triangular factors that one matrix holds.
    fn unpacked as "_lu_unpack" (LU_data: Tensor) -> (L, U), ANY_TYPE;
    value {
        let (L, U) = parts(&LU_data.detach())?;
        Ok([L.to_contiguous()?, U.to_contiguous()?])
    }
    batch rule(each_matrix);
    derivative "LuUnpackBackward0" ByVjp {
        LU_data(ctx, LU_data) => {
            let (m, n) = extent(LU_data);
            let k = m.min(n);
            let padded = |g: &Tensor, dim: i64, missing: usize| -> Result<Tensor> {
                if missing == 0 {
                    return Ok(g.clone());
                }
                let mut sizes = g.sizes();
                let d = (sizes.len() as i64 + dim) as usize;
                sizes[d] = missing;
                crate::ops::joining::cat_tensors(&[g.clone(), Tensor::zeros(&sizes, g.dtype())?], dim)
            };
            let gl = given(ctx.gradient_of(0)?, |g| padded(&lower(g, -1)?, -1, n - k))?;
            let gu = given(ctx.gradient_of(1)?, |g| padded(&upper(g, 0)?, -2, m - k))?;
            match sum_given(gl, gu)? {
                Some(g) => Ok(g),
                None => return Ok(Gradients::from_elem(None, 1)),
            }
        };
    }
}

op! {
    /// Solves `A X = B` (without `left`, `X A = B`; with `adjoint`, for `A^H`) from the factors of `A`.
    fn linalg_lu_solve(LU: Tensor, pivots: Tensor, B: Tensor; left: bool = true, adjoint: bool = false) -> Tensor, FUNCTION;
    value { solved("linalg.lu_solve", LU, pivots, B, left, adjoint) }
    derivative composite;
}

fn solved(name: &str, LU: &Tensor, pivots: &Tensor, B: &Tensor, left: bool, adjoint: bool) -> Result<Tensor> {
    check_square(name, LU)?;
    check_matrices(name, B)?;
    check_same(name, LU, B)?;
    check_field(name, LU, Checked::Integers)?;
    let n = extent(LU).0;
    if pivots.dtype() != DType::Int32 || pivots.sizes()[..] != LU.sizes()[..LU.ndim() - 1] {
        bail!(Runtime, "{name}: the pivots have to be int32 of the size of LU without its last dimension");
    }
    if n != if left { extent(B).0 } else { extent(B).1 } {
        bail!(Runtime, "{name}: factors of {n} rows do not fit a right-hand side of size {}", shape::show(&B.sizes()));
    }
    let (p, across) = (permutation(pivots, n, LU.dtype())?, views::transpose);
    let solve = triangular::linalg_solve_triangular;
    match (left, adjoint) {
        (true, false) => {
            let half = solve(LU, &matmul(&across(&p, -2, -1)?, B)?, false, true, true)?;
            solve(LU, &half, true, true, false)
        }
        (true, true) => {
            let lu = h(LU)?;
            matmul(&p, &solve(&lu, &solve(&lu, B, false, true, false)?, true, true, true)?)
        }
        (false, false) => {
            let half = solve(LU, B, true, false, false)?;
            matmul(&solve(LU, &half, false, false, true)?, &across(&p, -2, -1)?)
        }
        (false, true) => {
            let lu = h(LU)?;
            let half = solve(&lu, &matmul(B, &p)?, true, false, true)?;
            solve(&lu, &half, false, false, false)
        }
    }
}

op! {
    /// Solves `A X = b` from the factors of `A`: `linalg.lu_solve` in an old order of arguments.
    fn lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor, FUNCTION METHOD;
    value { solved("lu_solve", LU_data, LU_pivots, b, true, false) }
    derivative composite;
}
