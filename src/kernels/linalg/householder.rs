//! Reflections `I - tau v v^H`, and the orthogonal factor that is a product of them.

use super::{Matrix, Number, norm};

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

/// Multiplies the rows of `a` from `top`, in the columns from `left`, by `I - tau v v^H`, where `v` starts with 1.
pub fn reflect<T: Number>(a: &mut Matrix<T>, top: usize, left: usize, v: &[T], tau: T) {
    if tau == T::ZERO {
        return;
    }
    let width = a.columns - left;
    let mut sums = vec![T::ZERO; width];
    for (i, &v) in v.iter().enumerate() {
        super::add_scaled(&mut sums, v.conj(), &a.row(top + i)[left..]);
    }
    for (i, &v) in v.iter().enumerate() {
        super::add_scaled(&mut a.row_mut(top + i)[left..], -(tau * v), &sums);
    }
}

/// The factors of `A = Q R` in one matrix: `R`, and below its diagonal the reflections' vectors; and their `tau`.
pub fn factor<T: Number>(mut a: Matrix<T>) -> (Matrix<T>, Vec<T>) {
    let count = a.rows.min(a.columns);
    let mut taus = Vec::with_capacity(count);
    for k in 0..count {
        let mut v: Vec<T> = (k..a.rows).map(|i| a[(i, k)]).collect();
        let tau = reflector(&mut v);
        for (i, &value) in v.iter().enumerate() {
            a[(k + i, k)] = value;
        }
        v[0] = T::ONE;
        reflect(&mut a, k, k + 1, &v, tau.conj());
        taus.push(tau);
    }
    (a, taus)
}

/// The first `columns` columns of the product of the reflections that `packed` holds below its diagonal.
pub fn product<T: Number>(packed: &Matrix<T>, taus: &[T], columns: usize) -> Matrix<T> {
    let mut q = Matrix::identity(packed.rows, columns);
    for (k, &tau) in taus.iter().enumerate().rev() {
        let mut v: Vec<T> = (k..packed.rows).map(|i| packed[(i, k)]).collect();
        v[0] = T::ONE;
        reflect(&mut q, k, k.min(columns), &v, tau);
    }
    q
}

/// `columns` orthonormal columns of which the first are those of `known`.
pub fn completed<T: Number>(known: &Matrix<T>, columns: usize) -> Matrix<T> {
    let (packed, taus) = factor(known.clone());
    let mut q = product(&packed, &taus, columns);
    for i in 0..known.rows {
        q.row_mut(i)[..known.columns].copy_from_slice(known.row(i));
    }
    q
}
