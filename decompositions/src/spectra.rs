//! Eigenvalues, singular values, and their vectors.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::linalg::svd::{self as singular, ComputeSvdVectors};
use faer::{Mat, MatRef, Par};
use num_complex::Complex64;

use crate::{Number, Svd, rows_of};

/// Runs a computation with as much memory as it asks for.
fn with_memory<R>(size: StackReq, run: impl FnOnce(&mut MemStack) -> R) -> R {
    run(MemStack::new(&mut MemBuffer::new(size)))
}

pub fn hermitian<T: Number>(a: &[T], n: usize) -> Option<(Vec<f64>, Vec<T>)> {
    let size = evd::self_adjoint_evd_scratch::<T>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let (mut values, mut vectors) = (Diag::<T>::zeros(n), Mat::<T>::zeros(n, n));
    let a = MatRef::from_row_major_slice(a, n, n);
    let found = with_memory(size, |memory| {
        evd::self_adjoint_evd(a, values.as_mut(), Some(vectors.as_mut()), Par::Seq, memory, Default::default())
    });
    found.ok()?;
    Some((values.column_vector().iter().map(|value| value.re()).collect(), rows_of(vectors.as_ref())))
}

pub fn eigen_complex(a: &[Complex64], n: usize) -> Option<(Vec<Complex64>, Vec<Complex64>)> {
    let size = evd::evd_scratch::<Complex64>(
        n,
        ComputeEigenvectors::No,
        ComputeEigenvectors::Yes,
        Par::Seq,
        Default::default(),
    );
    let (mut values, mut vectors) = (Diag::<Complex64>::zeros(n), Mat::<Complex64>::zeros(n, n));
    let a = MatRef::from_row_major_slice(a, n, n);
    let found = with_memory(size, |memory| {
        evd::evd_cplx(a, values.as_mut(), None, Some(vectors.as_mut()), Par::Seq, memory, Default::default())
    });
    found.ok()?;
    Some((values.column_vector().iter().copied().collect(), rows_of(vectors.as_ref())))
}

pub fn eigen_real(a: &[f64], n: usize) -> Option<(Vec<Complex64>, Vec<Complex64>)> {
    let size =
        evd::evd_scratch::<f64>(n, ComputeEigenvectors::No, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    let (mut re, mut im, mut parts) = (Diag::<f64>::zeros(n), Diag::<f64>::zeros(n), Mat::<f64>::zeros(n, n));
    let a = MatRef::from_row_major_slice(a, n, n);
    let found = with_memory(size, |memory| {
        let (re, im) = (re.as_mut(), im.as_mut());
        evd::evd_real(a, re, im, None, Some(parts.as_mut()), Par::Seq, memory, Default::default())
    });
    found.ok()?;
    // A pair's vectors are two columns: the real and the imaginary parts of the first.
    let values: Vec<Complex64> = (0..n).map(|j| Complex64::new(re[j], im[j])).collect();
    let mut vectors = Vec::with_capacity(n * n);
    for i in 0..n {
        let mut j = 0;
        while j < n {
            if im[j] == 0.0 || j + 1 == n {
                vectors.push(Complex64::new(parts[(i, j)], 0.0));
                j += 1;
            } else {
                let first = Complex64::new(parts[(i, j)], parts[(i, j + 1)]);
                vectors.extend([first, first.conj()]);
                j += 2;
            }
        }
    }
    Some((values, vectors))
}

pub fn svd<T: Number>(a: &[T], rows: usize, columns: usize, full: bool) -> Option<Svd<T>> {
    let least = rows.min(columns);
    let (extent, wide, high) =
        if full { (ComputeSvdVectors::Full, rows, columns) } else { (ComputeSvdVectors::Thin, least, least) };
    let size = singular::svd_scratch::<T>(rows, columns, extent, extent, Par::Seq, Default::default());
    let (mut u, mut s, mut v) = (Mat::<T>::zeros(rows, wide), Diag::<T>::zeros(least), Mat::<T>::zeros(columns, high));
    let a = MatRef::from_row_major_slice(a, rows, columns);
    let found = with_memory(size, |memory| {
        let (u, v) = (Some(u.as_mut()), Some(v.as_mut()));
        singular::svd(a, s.as_mut(), u, v, Par::Seq, memory, Default::default())
    });
    found.ok()?;
    let vh = v.adjoint().to_owned();
    Some(Svd {
        u: rows_of(u.as_ref()),
        s: s.column_vector().iter().map(|value| value.re()).collect(),
        vh: rows_of(vh.as_ref()),
    })
}
