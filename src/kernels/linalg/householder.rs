//! Reflections `I - tau v v^H` as LAPACK stores them, and the orthogonal factor that is a product of them.
//!
//! A panel of reflections is applied to what lies beside it by faer's products, at once.

use std::ops::Range;

use super::{Matrix, Number, norm};

/// How many reflections are applied at once.
const PANEL: usize = 32;

/// Matrices with fewer rows or columns are quicker multiplied by one reflection after another.
const LARGE: usize = 64;

/// Finds the reflection whose adjoint maps `x` to a real multiple of the first unit vector.
///
/// `x` becomes that multiple, and behind it the reflection's vector without its first element, 1. Gives `tau`.
pub fn reflector<T: Number>(x: &mut [T]) -> T {
    let Some((&mut alpha, rest)) = x.split_first_mut() else { return T::ZERO };
    let below = norm(rest);
    if below == 0.0 && alpha.im() == 0.0 {
        return T::ZERO;
    }
    let size = alpha.abs().hypot(below);
    let beta = if alpha.re() >= 0.0 { -size } else { size };
    let tau = T::of((beta - alpha.re()) / beta, -alpha.im() / beta);
    let scale = T::ONE / (alpha - T::of(beta, 0.0));
    rest.iter_mut().for_each(|value| *value *= scale);
    x[0] = T::of(beta, 0.0);
    tau
}

/// Multiplies the rows of `a` from `top`, in some columns, by `I - tau v v^H`, where `v` starts with 1.
fn reflect<T: Number>(a: &mut Matrix<T>, top: usize, columns: Range<usize>, v: &[T], tau: T) {
    if tau == T::ZERO {
        return;
    }
    let mut sums = vec![T::ZERO; columns.len()];
    for (i, &v) in v.iter().enumerate() {
        super::add_scaled(&mut sums, v.conj(), &a.row(top + i)[columns.clone()]);
    }
    for (i, &v) in v.iter().enumerate() {
        super::add_scaled(&mut a.row_mut(top + i)[columns.clone()], -(tau * v), &sums);
    }
}

/// The factors of `A = Q R` in one matrix: `R`, and below its diagonal the reflections' vectors; and their `tau`.
pub fn factor<T: Number>(mut a: Matrix<T>) -> (Matrix<T>, Vec<T>) {
    let count = a.rows.min(a.columns);
    let mut taus = Vec::with_capacity(count);
    for start in (0..count).step_by(PANEL) {
        let end = (start + PANEL).min(count);
        for k in start..end {
            let mut v: Vec<T> = (k..a.rows).map(|i| a[(i, k)]).collect();
            let tau = reflector(&mut v);
            for (i, &value) in v.iter().enumerate() {
                a[(k + i, k)] = value;
            }
            v[0] = T::ONE;
            reflect(&mut a, k, k + 1..end, &v, tau.conj());
            taus.push(tau);
        }
        if end < a.columns {
            let panel = vectors(&a, start..end);
            apply(&panel, &taus[start..], true, &mut a, end);
        }
    }
    (a, taus)
}

/// The first `columns` columns of the product of the reflections that `packed` holds below its diagonal.
pub fn product<T: Number>(packed: &Matrix<T>, taus: &[T], columns: usize) -> Matrix<T> {
    let mut q = Matrix::identity(packed.rows, columns);
    for start in (0..taus.len()).step_by(PANEL).rev() {
        let end = (start + PANEL).min(taus.len());
        apply(&vectors(packed, start..end), &taus[start..end], false, &mut q, start.min(columns));
    }
    q
}

/// The vectors of some reflections as columns, without the rows above all of them.
fn vectors<T: Number>(packed: &Matrix<T>, which: Range<usize>) -> Matrix<T> {
    let mut v = Matrix::identity(packed.rows - which.start, which.len());
    for i in 1..v.rows {
        let below = i.min(v.columns);
        let row = &packed.row(which.start + i)[which.start..which.start + below];
        v.row_mut(i)[..below].copy_from_slice(row);
    }
    v
}

/// Multiplies the last rows of `a`, in the columns from `left`, by the product of the reflections whose vectors are the
/// columns of `v`, or by the adjoint of that product.
fn apply<T: Number>(v: &Matrix<T>, taus: &[T], adjoint: bool, a: &mut Matrix<T>, left: usize) {
    let (top, columns) = (a.rows - v.rows, a.columns);
    if v.rows.min(columns - left) >= LARGE {
        return T::reflect(&v.values, taus, adjoint, &mut a.values[top * columns..], columns, left);
    }
    for step in 0..taus.len() {
        let k = if adjoint { step } else { taus.len() - 1 - step };
        let vector: Vec<T> = (k..v.rows).map(|i| v[(i, k)]).collect();
        let tau = if adjoint { taus[k].conj() } else { taus[k] };
        reflect(a, top + k, left..columns, &vector, tau);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::Complex128;

    fn check<T: Number>(rows: usize, columns: usize) {
        let mut a = Matrix::<T>::zeros(rows, columns);
        for i in 0..rows {
            for j in 0..columns {
                let x = ((i * columns + j) as f64 * 0.7).sin();
                a[(i, j)] = T::of(x, (3.0 * x).cos()) + if i == j { T::ONE } else { T::ZERO };
            }
        }
        let (packed, taus) = factor(a.clone());
        let q = product(&packed, &taus, rows);
        let mut r = packed;
        (0..rows).for_each(|i| r.row_mut(i)[..i.min(columns)].fill(T::ZERO));
        for (product, wanted) in [(q.times(&r), a), (q.adjoint().times(&q), Matrix::identity(rows, rows))] {
            let error = product.values.iter().zip(&wanted.values).map(|(&x, &y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(error < 1e-12, "{rows} x {columns}: {error}");
        }
    }

    #[test]
    fn panels_beside_small_and_large_rests_come_together_again() {
        for (rows, columns) in [(5, 3), (40, 40), (100, 33), (130, 130), (70, 150)] {
            check::<f64>(rows, columns);
            check::<Complex128>(rows, columns);
        }
    }
}
