//! Eigenvalues, singular values, and their vectors.

use faer::diag::Diag;
use faer::dyn_stack::MemStack;
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::svd::{self as singular, ComputeSvdVectors};
use faer::traits::math_utils::mul_real;
use faer::{Mat, MatRef, Par};
use num_complex::{Complex64, ComplexFloat};

use crate::{Number, Svd, rows_of, with_memory};

/// A power of two that brings the largest element of a finite matrix near 1, where it is so large or small that squares
/// are out of range; else 1.
fn taming<T: Number>(a: &[T]) -> f64 {
    let largest = a.iter().fold(0.0f64, |most, x| most.max(x.re().abs()).max(x.im().abs()));
    let tame = largest == 0.0 || !largest.is_finite() || (1e-140..1e140).contains(&largest);
    if tame { 1.0 } else { 2f64.powi((-largest.log2() as i32).clamp(-1000, 1000)) }
}

fn times<T: Number>(a: &[T], factor: f64) -> Vec<T> {
    a.iter().map(|x| mul_real(x, &factor)).collect()
}

pub fn hermitian<T: Number>(a: &[T], n: usize) -> Option<(Vec<f64>, Vec<T>)> {
    let size = evd::self_adjoint_evd_scratch::<T>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let (mut values, mut vectors) = (Diag::<T>::zeros(n), Mat::<T>::zeros(n, n));
    let factor = taming(a);
    let a = times(a, factor);
    let a = MatRef::from_row_major_slice(&a, n, n);
    let found = with_memory(size, |memory| {
        evd::self_adjoint_evd(a, values.as_mut(), Some(vectors.as_mut()), Par::Seq, memory, Default::default())
    });
    found.ok()?;
    let values = values.column_vector().iter().map(|value| value.re() / factor).collect();
    Some((values, rows_of(vectors.as_ref())))
}

/// What `run`, which computes eigenvalues and vectors, finds for a matrix of any scale, and mended.
fn eigen<T: Number>(
    a: &[T],
    n: usize,
    run: impl FnOnce(MatRef<'_, T>, &mut MemStack) -> Option<(Vec<Complex64>, Vec<Complex64>)>,
) -> Option<(Vec<Complex64>, Vec<Complex64>)> {
    let size =
        evd::evd_scratch::<T>(n, ComputeEigenvectors::No, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let factor = taming(a);
    let a = times(a, factor);
    let matrix = MatRef::from_row_major_slice(&a, n, n);
    let (values, mut vectors) = with_memory(size, |memory| run(matrix, memory))?;
    mend(&a, n, &values, &mut vectors)?;
    Some((times(&values, 1.0 / factor), vectors))
}

/// Puts others in the place of vectors that overflowed, as those of defective matrices do: the singular vectors of
/// `A - lambda I` that belong to its least singular value.
fn mend<T: Number>(a: &[T], n: usize, values: &[Complex64], vectors: &mut [Complex64]) -> Option<()> {
    let mut known: Option<(Complex64, Vec<Complex64>)> = None;
    for (j, &value) in values.iter().enumerate() {
        if (0..n).all(|i| vectors[i * n + j].is_finite()) {
            continue;
        }
        let found = match known.take() {
            Some((same, found)) if same == value => found,
            _ => {
                let mut shifted: Vec<Complex64> = a.iter().map(|x| Complex64::new(x.re(), x.im())).collect();
                (0..n).for_each(|i| shifted[i * n + i] -= value);
                let mut vh = svd(&shifted, n, n, false)?.vh;
                vh.drain(..n * (n - 1));
                vh
            }
        };
        for (i, x) in found.iter().enumerate() {
            vectors[i * n + j] = x.conj();
        }
        known = Some((value, found));
    }
    Some(())
}

pub fn eigen_complex(a: &[Complex64], n: usize) -> Option<(Vec<Complex64>, Vec<Complex64>)> {
    eigen(a, n, |a, memory| {
        let (mut values, mut vectors) = (Diag::<Complex64>::zeros(n), Mat::<Complex64>::zeros(n, n));
        let right = Some(vectors.as_mut());
        evd::evd_cplx(a, values.as_mut(), None, right, Par::Seq, memory, Default::default()).ok()?;
        Some((values.column_vector().iter().copied().collect(), rows_of(vectors.as_ref())))
    })
}

pub fn eigen_real(a: &[f64], n: usize) -> Option<(Vec<Complex64>, Vec<Complex64>)> {
    eigen(a, n, |a, memory| {
        let (mut re, mut im, mut parts) = (Diag::<f64>::zeros(n), Diag::<f64>::zeros(n), Mat::<f64>::zeros(n, n));
        let right = Some(parts.as_mut());
        evd::evd_real(a, re.as_mut(), im.as_mut(), None, right, Par::Seq, memory, Default::default()).ok()?;
        let mut values = Vec::with_capacity(n);
        let mut vectors = vec![Complex64::ZERO; n * n];
        while values.len() < n {
            let j = values.len();
            let value = Complex64::new(re[j], im[j]);
            values.push(value);
            if value.im == 0.0 || j + 1 == n {
                (0..n).for_each(|i| vectors[i * n + j] = parts[(i, j)].into());
                continue;
            }
            // A pair's vectors are two columns: the real and the imaginary parts of the first.
            values.push(value.conj());
            for i in 0..n {
                let x = Complex64::new(parts[(i, j)], parts[(i, j + 1)]);
                (vectors[i * n + j], vectors[i * n + j + 1]) = (x, x.conj());
            }
        }
        Some((values, vectors))
    })
}

pub fn svd<T: Number>(a: &[T], rows: usize, columns: usize, full: bool) -> Option<Svd<T>> {
    let least = rows.min(columns);
    let (extent, wide, high) =
        if full { (ComputeSvdVectors::Full, rows, columns) } else { (ComputeSvdVectors::Thin, least, least) };
    let size = singular::svd_scratch::<T>(rows, columns, extent, extent, Par::Seq, Default::default());
    let (mut u, mut s, mut v) = (Mat::<T>::zeros(rows, wide), Diag::<T>::zeros(least), Mat::<T>::zeros(columns, high));
    let factor = taming(a);
    let a = times(a, factor);
    let a = MatRef::from_row_major_slice(&a, rows, columns);
    let found = with_memory(size, |memory| {
        let (u, v) = (Some(u.as_mut()), Some(v.as_mut()));
        singular::svd(a, s.as_mut(), u, v, Par::Seq, memory, Default::default())
    });
    found.ok()?;
    let vh = v.adjoint().to_owned();
    Some(Svd {
        u: rows_of(u.as_ref()),
        s: s.column_vector().iter().map(|value| value.re() / factor).collect(),
        vh: rows_of(vh.as_ref()),
    })
}
