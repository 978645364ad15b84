//! QR factors, and the reflections that they are made of.
#![allow(non_snake_case)]

use super::*;
use crate::kernels::linalg::householder as kernel;
use crate::op;
use crate::op::Gradients;
use crate::ops::complex::conj;

op! {
    /// The factors of `A = Q R`: orthonormal columns and an upper triangle.
    ///
    /// `mode` is 'reduced' (`Q` of size `(*, m, k)` with `k = min(m, n)`), 'complete' (`(*, m, m)`), or 'r' for `R` alone.
    fn linalg_qr(A: Tensor, mode: String = "reduced") -> (Q, R), FUNCTION ANY_TYPE;
    value {
        check_matrices("linalg.qr", A)?;
        check_field("linalg.qr", A, Checked::Integers)?;
        let ((m, n), batch) = (extent(A), batch_of(A));
        let (columns, rows) = match mode {
            "reduced" => (m.min(n), m.min(n)),
            "complete" => (m, m),
            "r" => (0, m.min(n)),
            _ => bail!(Runtime, "linalg.qr: mode is 'reduced', 'complete' or 'r', not '{mode}'"),
        };
        in_double!(A.dtype(), T => {
            let (mut qs, mut rs) = (Vec::new(), Vec::new());
            for a in unpack::<T>(A)? {
                let (packed, taus) = kernel::factor(a);
                if mode != "r" {
                    qs.push(kernel::product(&packed, &taus, columns));
                }
                let mut r = Matrix::zeros(rows, n);
                for i in 0..rows.min(n) {
                    r.row_mut(i)[i..].copy_from_slice(&packed.row(i)[i..]);
                }
                rs.push(r);
            }
            let q = if mode == "r" { Tensor::empty(&[0], A.dtype())? } else { pack(&qs, &batch, (m, columns), A.dtype())? };
            Ok([q, pack(&rs, &batch, (rows, n), A.dtype())?])
        })
    }
    batch rule(each_matrix);
    derivative "LinalgQrBackward0" ByVjp {
        A(ctx, mode, Q, R) => {
            if mode == "r" {
                bail!(Runtime, "linalg.qr: mode='r' gives no Q, and without it there is no gradient; use mode='reduced'");
            }
            let (m, n) = (extent(Q).0, extent(R).1);
            if mode == "complete" && m > n {
                bail!(Runtime, "linalg.qr: with mode='complete' and more rows than columns Q is not determined, and has no gradient");
            }
            let (gq, gr) = (ctx.gradient_of(0)?, ctx.gradient_of(1)?);
            if gq.is_none() && gr.is_none() {
                return Ok(Gradients::from_elem(None, 1));
            }
            qr_backward(gq, gr, Q, R)
        };
    }
}

/// Walter and Lehmann (2012). What is wider than high is the factors of its first columns, and `Q^H` of the others.
fn qr_backward(gq: Option<Tensor>, gr: Option<Tensor>, q: &Tensor, r: &Tensor) -> Result<Tensor> {
    let (m, n) = (extent(q).0, extent(r).1);
    let k = extent(q).1;
    if m < n {
        let (r1, r2) = (narrow(r, -1, 0, k)?, narrow(r, -1, k, n - k)?);
        let gr1 = given(gr.clone(), |g| narrow(g, -1, 0, k))?;
        let gr2 = given(gr, |g| narrow(g, -1, k, n - k))?;
        let through = given(gr2.clone(), |g| product3(q, &r2, &h(g)?))?;
        let first = qr_backward(sum_given(gq, through)?, gr1, q, &r1)?;
        let rest = match gr2 {
            Some(g) => matmul(q, &g)?,
            None => matmul(q, &r2)?.zeros_alike()?,
        };
        return crate::ops::joining::cat_tensors(&[first, rest], -1);
    }
    let from_r = given(gr, |g| matmul(g, &h(r)?))?;
    let from_q = given(gq.clone(), |g| scaled(&matmul(&h(q)?, g)?, -1.0))?;
    let Some(inner) = sum_given(from_r, from_q)? else { return q.zeros_alike() };
    let above = upper(&inner, 0)?;
    let both = add(&above, &h(&above)?)?;
    let symmetric = minus(&both, &scaled(&on_diagonal(&diagonal_of(&both)?)?, 0.5)?)?;
    let whole = sum_given(Some(matmul(q, &symmetric)?), gq)?.unwrap_or_else(|| q.clone());
    triangular::linalg_solve_triangular(&h(r)?, &whole, false, false, false)
}

op! {
    /// `linalg.qr` under its old name; without `some`, mode 'complete'.
    fn qr(input: Tensor, some: bool = true) -> (Q, R), FUNCTION METHOD;
    value { linalg_qr(input, if some { "reduced" } else { "complete" }) }
    derivative composite;
}

op! {
    /// `R`, below its diagonal the vectors of the reflections whose product is `Q`, and their factors `tau`.
    fn geqrf(input: Tensor) -> (a, tau), FUNCTION METHOD ANY_TYPE;
    value {
        check_matrices("geqrf", input)?;
        check_field("geqrf", input, Checked::Nothing)?;
        let (size, batch) = (extent(input), batch_of(input));
        in_double!(input.dtype(), T => {
            let (mut packed, mut factors) = (Vec::new(), Vec::<T>::new());
            for a in unpack::<T>(input)? {
                let (matrix, taus) = kernel::factor(a);
                packed.push(matrix);
                factors.extend(taus);
            }
            let tau = pack_vectors(&factors, &batch, size.0.min(size.1), input.dtype())?;
            Ok([pack(&packed, &batch, size, input.dtype())?, tau])
        })
    }
    batch rule(each_matrix);
    derivative missing "GeqrfBackward0";
}

/// The vector of reflection `i`, with the 1 and the zeros that are not stored, as a matrix of one column.
fn vector(input: &Tensor, i: usize) -> Result<Tensor> {
    let column = narrow(input, -1, i, 1)?;
    let m = extent(input).0;
    let below = choose(&mask(m, 1, |row, _| row > i as i64)?, (&column).into(), 0i64.into())?;
    let one = Tensor::zeros(&[m, 1], input.dtype())?;
    let one = choose(&mask(m, 1, |row, _| row == i as i64)?, 1i64.into(), (&one).into())?;
    add(&below, &to_dtype(&one, input.dtype())?)
}

/// `(I - tau v v^H) x` for reflection `i`, or with `adjoint` for its adjoint.
fn reflected(x: &Tensor, input: &Tensor, tau: &Tensor, i: usize, adjoint: bool) -> Result<Tensor> {
    let v = vector(input, i)?;
    let factor = views::unsqueeze(&narrow(tau, -1, i, 1)?, -1)?;
    let factor = if adjoint { conj(&factor)? } else { factor };
    minus(x, &matmul(&times(&v, &factor)?, &matmul(&h(&v)?, x)?)?)
}

fn check_reflections(name: &str, input: &Tensor, tau: &Tensor) -> Result<()> {
    check_matrices(name, input)?;
    let (m, n) = extent(input);
    let (batch, sizes, count) = (batch_of(input), tau.sizes(), count_of_reflections(name, tau)?);
    let fits = count <= n && sizes[..sizes.len() - 1] == batch[..];
    if m < n || !fits {
        bail!(
            Runtime,
            "{name}: at most as many factors as columns and as columns as rows are expected, got sizes {} and {}",
            shape::show(&input.sizes()),
            shape::show(&sizes)
        );
    }
    check_field(name, input, Checked::Nothing)?;
    check_same(name, input, tau)
}

/// How many factors of reflections there are for a matrix.
fn count_of_reflections(name: &str, tau: &Tensor) -> Result<usize> {
    match tau.sizes().last() {
        Some(&count) => Ok(count),
        None => bail!(Index, "{name}: a vector of factors is expected, got a tensor without dimensions"),
    }
}

fn product_of(name: &str, input: &Tensor, tau: &Tensor) -> Result<Tensor> {
    check_reflections(name, input, tau)?;
    let (m, n) = extent(input);
    let one = crate::ops::creation::eye(m, n, input.dtype())?;
    let mut q = with_batch(&one, &batch_of(input))?;
    let count = count_of_reflections(name, tau)?;
    for i in (0..count).rev() {
        q = reflected(&q, input, tau, i, false)?;
    }
    column_major(&if count == 0 { conversion::clone(&q)? } else { q })
}

op! {
    /// The first columns of the product of reflections `I - tau_i v_i v_i^H`, whose vectors `input` has below its diagonal.
    ///
    /// `input` has size `(*, m, n)`, `tau` `(*, k)` with `k <= n <= m`; the result is as large as `input`.
    fn linalg_householder_product(input: Tensor, tau: Tensor) -> Tensor, FUNCTION;
    value { product_of("linalg.householder_product", input, tau) }
    derivative composite;
}

op! {
    /// `linalg.householder_product` under its old name.
    fn orgqr(input: Tensor, input2: Tensor) -> Tensor, FUNCTION METHOD;
    value { product_of("orgqr", input, input2) }
    derivative composite;
}

op! {
    /// The product of the matrix `Q` that reflections come to (with `transpose`, of its adjoint) and another matrix, which
    /// without `left` is the left factor.
    fn ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = true, transpose: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        check_matrices("ormqr", input)?;
        check_matrices("ormqr", other)?;
        let (rows, columns) = extent(other);
        let most = extent(input).0.min(extent(input).1);
        let count = count_of_reflections("ormqr", tau)?;
        let fits = tau.ndim() + 1 == input.ndim() && count <= most;
        if extent(input).0 != if left { rows } else { columns } || !fits {
            bail!(
                Runtime,
                "ormqr: reflections of {} elements do not fit a matrix of size {}",
                extent(input).0,
                shape::show(&other.sizes())
            );
        }
        check_field("ormqr", input, Checked::Nothing)?;
        check_same("ormqr", input, tau)?;
        check_same("ormqr", input, other)?;
        // X Q is the adjoint of Q^H X^H.
        let mut x = if left { other.clone() } else { h(other)? };
        let adjoint = transpose == left;
        for step in 0..count {
            let i = if adjoint { step } else { count - 1 - step };
            x = reflected(&x, input, tau, i, adjoint)?;
        }
        column_major(&if left { x } else { h(&x)? })
    }
    derivative composite;
}
