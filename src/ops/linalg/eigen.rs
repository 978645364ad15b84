//! Eigenvalues and eigenvectors.
#![allow(non_snake_case, clippy::upper_case_acronyms)]

use super::*;
use crate::dtype::Complex128;
use crate::kernels::linalg::spectral;
use crate::op;
use crate::op::Gradients;
use crate::ops::complex::{conj, imag, real};

/// `L_j - L_i` in row `i` and column `j`, and 1 on the diagonal.
pub(crate) fn gaps(l: &Tensor) -> Result<Tensor> {
    let n = l.sizes().last().copied().unwrap_or(0);
    let differences = minus(&views::unsqueeze(l, -2)?, &views::unsqueeze(l, -1)?)?;
    choose(&mask(n, n, |i, j| i == j)?, 1i64.into(), (&differences).into())
}

/// With zeros on the diagonal.
pub(crate) fn off_diagonal(a: &Tensor) -> Result<Tensor> {
    where_place(a, |i, j| i != j)
}

fn check_half(UPLO: &str) -> Result<bool> {
    match UPLO {
        "L" | "l" => Ok(true),
        "U" | "u" => Ok(false),
        _ => bail!(Runtime, "linalg.eigh: UPLO is 'L' or 'U', not '{UPLO}'"),
    }
}

op! {
    /// `linalg.eigh`, recorded.
    fn eigh_of as "_linalg_eigh" (A: Tensor, UPLO: String, compute_v: bool) -> (eigenvalues, eigenvectors), ANY_TYPE;
    value {
        check_square("linalg.eigh", A)?;
        check_field("linalg.eigh", A, Checked::Nothing)?;
        let below = check_half(UPLO)?;
        let (batch, size) = (batch_of(A), extent(A));
        in_double!(A.dtype(), T => {
            let (mut values, mut vectors) = (Vec::new(), Vec::new());
            for a in unpack::<T>(A)? {
                if !a.is_finite() {
                    values.extend(vec![f64::NAN; size.0]);
                    vectors.push(Matrix { values: vec![T::of(f64::NAN, f64::NAN); size.0 * size.0], ..a });
                    continue;
                }
                let Some((l, v)) = spectral::hermitian(&if below { a } else { a.adjoint() }) else {
                    bail!(LinAlg, "linalg.eigh: the algorithm did not converge");
                };
                values.extend(l);
                vectors.push(v);
            }
            let l = pack_vectors(&values, &batch, size.0, A.dtype().real())?;
            let v = if compute_v { pack(&vectors, &batch, size, A.dtype())? } else { pack_vectors::<T>(&[], &batch, 0, A.dtype())? };
            Ok([l, v])
        })
    }
    batch rule(each_matrix);
    derivative "LinalgEighBackward0" ByVjp {
        A(ctx, UPLO, compute_v, A, eigenvalues, eigenvectors) => {
            let (gl, gv) = (ctx.gradient_of(0)?, ctx.gradient_of(1)?);
            // Without the vectors their values are computed now.
            let v = if compute_v { eigenvectors.clone() } else { eigh_of(A, UPLO, true)?[1].clone() };
            let from_values = given(gl, |g| on_diagonal(&to_dtype(g, v.dtype())?))?;
            let from_vectors = given(gv.filter(|_| compute_v), |g| {
                let inner = matmul(&h(&v)?, g)?;
                check_phase("linalg.eigh", "eigenvectors", &inner, &inner)?;
                // Half the antihermitian part: the gradient is shared by the input's two triangles.
                let turns = scaled(&minus(&inner, &h(&inner)?)?, 0.5)?;
                over(&off_diagonal(&turns)?, &to_dtype(&gaps(eigenvalues)?, v.dtype())?)
            })?;
            match sum_given(from_values, from_vectors)? {
                Some(inner) => product3(&v, &inner, &h(&v)?),
                None => return Ok(Gradients::from_elem(None, 1)),
            }
        };
    }
}

/// Refuses a loss that depends on the phases of complex vectors, which nothing determines: the imaginary part of the
/// diagonals of `turns` has to be small beside `beside`.
pub(crate) fn check_phase(name: &str, vectors: &str, turns: &Tensor, beside: &Tensor) -> Result<()> {
    if !turns.dtype().is_complex() {
        return Ok(());
    }
    let phases = imag(&diagonal_of(&turns.detach())?)?.physical().to_vec::<f64>()?;
    let size = beside.physical().to_vec::<Complex128>()?.iter().fold(1.0f64, |most, value| most.max(value.norm()));
    let tolerance = if turns.dtype() == DType::Complex64 { 1e-2 } else { 1e-4 };
    if phases.iter().any(|phase| phase.abs() > tolerance * size) {
        bail!(
            Runtime,
            "{name}: the loss depends on the phases of the complex {vectors}, which are arbitrary, so that it has no gradient"
        );
    }
    Ok(())
}

op! {
    /// Eigenvalues, ascending, and eigenvectors of symmetric or Hermitian matrices, of which one triangle is read:
    /// `UPLO` is 'L' or 'U'. The vectors are the columns of `eigenvectors`.
    fn linalg_eigh(input: Tensor, UPLO: String = "L") -> (eigenvalues, eigenvectors), FUNCTION;
    value { eigh_of(input, UPLO, true) }
    derivative composite;
}

op! {
    /// The eigenvalues of symmetric or Hermitian matrices, ascending.
    fn linalg_eigvalsh(input: Tensor, UPLO: String = "L") -> Tensor, FUNCTION;
    value {
        let [values, _] = eigh_of(input, UPLO, true)?;
        Ok(values)
    }
    derivative composite;
}

op! {
    /// Eigenvalues and eigenvectors of any square matrices, complex. The vectors are the columns of `eigenvectors`.
    fn linalg_eig(input: Tensor) -> (eigenvalues, eigenvectors), FUNCTION ANY_TYPE;
    value {
        check_square("linalg.eig", input)?;
        check_field("linalg.eig", input, Checked::Integers)?;
        let (batch, size, dtype) = (batch_of(input), extent(input), input.dtype().complex());
        let (mut values, mut vectors) = (Vec::new(), Vec::new());
        in_double!(input.dtype(), T => {
            for a in unpack::<T>(input)? {
                if !a.is_finite() {
                    bail!(Runtime, "linalg.eig: the matrix has elements that are not finite");
                }
                let Some((l, v)) = spectral::general(&a) else {
                    bail!(LinAlg, "linalg.eig: the algorithm did not converge");
                };
                values.extend(l);
                vectors.push(v);
            }
        });
        Ok([pack_vectors(&values, &batch, size.0, dtype)?, pack(&vectors, &batch, size, dtype)?])
    }
    derivative "LinalgEigBackward0" ByVjp {
        input(ctx, input, eigenvalues, eigenvectors) => {
            let (gl, gv) = (ctx.gradient_of(0)?, ctx.gradient_of(1)?);
            let (vh, complex) = (h(eigenvectors)?, !input.dtype().is_complex());
            let from_values = given(gl, on_diagonal)?;
            let from_vectors = given(gv, |g| {
                let inner = matmul(&vh, g)?;
                if !complex {
                    check_phase("linalg.eig", "eigenvectors", &inner, &inner)?;
                }
                let along = to_dtype(&real(&diagonal_of(&inner)?)?, inner.dtype())?;
                let rest = minus(&inner, &columns_times(&matmul(&vh, eigenvectors)?, &along)?)?;
                over(&off_diagonal(&rest)?, &conj(&gaps(eigenvalues)?)?)
            })?;
            let Some(inner) = sum_given(from_values, from_vectors)? else {
                return Ok(Gradients::from_elem(None, 1));
            };
            let [result, _] = inverse::solve_of(&vh, &matmul(&inner, &vh)?, true)?;
            if complex { real(&result) } else { Ok(result) }
        };
    }
}

op! {
    /// The eigenvalues of any square matrices, complex.
    fn linalg_eigvals(input: Tensor) -> Tensor, FUNCTION;
    value {
        let [values, _] = linalg_eig(input)?;
        Ok(values)
    }
    derivative composite;
}
