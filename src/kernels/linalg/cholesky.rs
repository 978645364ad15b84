//! The Cholesky factor of a Hermitian positive definite matrix.

use super::{Matrix, Number, dot};

/// The lower factor `L` of `A = L L^H`, of which the lower triangle is read; and 0, or the order of the first leading
/// minor that is not positive definite. Factoring ends there.
pub fn factor<T: Number>(a: &Matrix<T>) -> (Matrix<T>, i32) {
    let n = a.rows;
    let mut l = Matrix::zeros(n, n);
    for i in 0..n {
        for j in 0..=i {
            let rest = a[(i, j)] - dot(&l.row(j)[..j], &l.row(i)[..j]);
            if i > j {
                l[(i, j)] = rest / l[(j, j)];
                continue;
            }
            // NaN is not positive either.
            if rest.re() <= 0.0 || rest.re().is_nan() {
                l[(i, i)] = rest;
                return (l, i as i32 + 1);
            }
            l[(i, i)] = T::of(rest.re().sqrt(), 0.0);
        }
    }
    (l, 0)
}
