//! Cholesky factors, and equations that have them.
#![allow(non_snake_case)]

use super::*;
use crate::kernels::linalg::triangular as kernel;
use crate::op;
use crate::op::Gradients;

const NOT_POSITIVE: &str = "the matrix is not positive definite: the order of the first minor that is not is";

op! {
    /// The Cholesky factor, and 0 or the order of the first leading minor that is not positive definite.
    ///
    /// `L` has size `(*, n, n)`, `info` `(*)`. Only one triangle of `input` is read.
    fn linalg_cholesky_ex(input: Tensor; upper: bool = false, check_errors: bool = false) -> (L, info), FUNCTION ANY_TYPE;
    value {
        let (L, info) = factored("linalg.cholesky", input, upper, Checked::Integers)?;
        if check_errors {
            check_info("linalg.cholesky", &info, NOT_POSITIVE)?;
        }
        Ok([L, info])
    }
    batch rule(each_matrix);
    derivative "LinalgCholeskyExBackward0" ByVjp {
        input(ctx, L, upper) => match ctx.gradient_of(0)? {
            Some(g) => cholesky_backward(&g, L, upper),
            None => return Ok(Gradients::from_elem(None, 1)),
        };
    }
}

fn factored(name: &str, input: &Tensor, upper: bool, checked: Checked) -> Result<(Tensor, Tensor)> {
    check_square(name, input)?;
    check_field(name, input, checked)?;
    let (batch, size) = (batch_of(input), extent(input));
    in_double!(input.dtype(), T => {
        let mut info = Vec::new();
        let mut factors = Vec::new();
        for a in unpack::<T>(input)? {
            let (l, code) = kernel::cholesky(if upper { a.adjoint() } else { a });
            factors.push(if upper { l.adjoint() } else { l });
            info.push(code);
        }
        Ok((pack(&factors, &batch, size, input.dtype())?, pack_numbers(&info, &batch, DType::Int32)?))
    })
}

/// Murray (2016), symmetrized: the input's two triangles share the gradient.
fn cholesky_backward(g: &Tensor, factor: &Tensor, upper: bool) -> Result<Tensor> {
    let (g, l) = if upper { (h(g)?, h(factor)?) } else { (g.clone(), factor.clone()) };
    let phi = lower(&matmul(&h(&l)?, &lower(&g, 0)?)?, 0)?;
    let diagonal = on_diagonal(&diagonal_of(&phi)?)?;
    let below = minus(&phi, &diagonal)?;
    let symmetric = scaled(&add(&add(&below, &h(&below)?)?, &diagonal)?, 0.5)?;
    let lh = h(&l)?;
    let left = triangular::linalg_solve_triangular(&lh, &symmetric, true, true, false)?;
    triangular::linalg_solve_triangular(&l, &left, false, false, false)
}

op! {
    /// The lower factor `L` of `A = L L^H`, or with `upper` the factor `U` of `A = U^H U`.
    ///
    /// Raises `LinAlgError` if a matrix is not positive definite.
    fn linalg_cholesky(input: Tensor; upper: bool = false) -> Tensor, FUNCTION;
    value {
        let [L, info] = linalg_cholesky_ex(input, upper, false)?;
        check_info("linalg.cholesky", &info, NOT_POSITIVE)?;
        Ok(L)
    }
    derivative composite;
}

op! {
    /// `linalg.cholesky` under its old name.
    fn cholesky(input: Tensor, upper: bool = false) -> Tensor, FUNCTION METHOD ANY_TYPE;
    value {
        let (L, info) = factored("cholesky", input, upper, Checked::Nothing)?;
        check_info("cholesky", &info, NOT_POSITIVE)?;
        Ok(L)
    }
    batch rule(each_matrix);
    derivative "CholeskyBackward0" ByVjp {
        input(g, out, upper) => cholesky_backward(g, out, upper);
    }
}

op! {
    /// Solves `A X = B` for `A = L L^H` (with `upper`, `U^H U`), of which the factor is given; batches broadcast.
    fn cholesky_solve(input: Tensor, L: Tensor, upper: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        let name = "cholesky_solve";
        check_matrices(name, input)?;
        check_square(name, L)?;
        check_field(name, L, Checked::Nothing)?;
        check_same(name, input, L)?;
        if extent(input).0 != extent(L).0 {
            bail!(
                Runtime,
                "{name}: a factor of size {} does not fit a right-hand side of size {}",
                shape::show(&L.sizes()),
                shape::show(&input.sizes())
            );
        }
        let batch = shape::broadcast(&batch_of(input), &batch_of(L)).map_err(|error| error.context(name))?;
        solve_of(&with_batch(input, &batch)?, &with_batch(L, &batch)?, upper)
    }
    derivative composite;
}

op! {
    /// `cholesky_solve` for batches of one size.
    fn solve_of as "_cholesky_solve" (input: Tensor, L: Tensor, upper: bool) -> Tensor, ANY_TYPE;
    value {
        let (l, b) = (if upper { h(&L.detach())? } else { L.detach() }, input.detach());
        let half = triangular::solve_of(&l, &b, false, true, false)?;
        triangular::solve_of(&h(&l)?, &half, true, true, false)
    }
    derivative "CholeskySolveBackward0" ByVjp {
        input(g, L, upper) => solve_of(g, L, upper);
        L(g, L, upper, out) => {
            let turned = matmul(&solve_of(g, L, upper)?, &h(out)?)?;
            factor_gradient(&add(&turned, &h(&turned)?)?, L, upper)
        };
    }
}

/// The gradient of a factor by that of the inverse of its matrix, multiplied by the inverse from both sides.
fn factor_gradient(common: &Tensor, factor: &Tensor, upper: bool) -> Result<Tensor> {
    scaled(&if upper { matmul(factor, common)? } else { matmul(common, factor)? }, -1.0)
}

op! {
    /// The inverse of `L L^H` (with `upper`, `U^H U`), of which the factor is given.
    fn cholesky_inverse(L: Tensor, upper: bool = false) -> Tensor, FUNCTION METHOD ANY_TYPE;
    value {
        check_square("cholesky_inverse", L)?;
        check_field("cholesky_inverse", L, Checked::Nothing)?;
        let singular = crate::ops::comparison::eq(&diagonal_of(&L.detach())?, 0i64.into())?;
        if singular.to_vec::<bool>()?.contains(&true) {
            bail!(LinAlg, "cholesky_inverse: the factor has a 0 on its diagonal, and no inverse");
        }
        let one = with_batch(&identity(extent(L).0, L.dtype())?, &batch_of(L))?;
        solve_of(&one, &L.detach(), upper)
    }
    batch rule(each_matrix);
    derivative "CholeskyInverseBackward0" ByVjp {
        L(g, L, upper, out) => factor_gradient(&product3(out, &add(g, &h(g)?)?, out)?, L, upper);
    }
}
