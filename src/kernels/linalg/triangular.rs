//! Triangular factors of Hermitian matrices, and equations with triangular ones, as faer computes them.

use super::{Matrix, Number, add_scaled};

/// The lower factor `L` of `A = L L^H`, of which the lower triangle is read; and 0, or the order of the first leading
/// minor that is not positive definite. What is found of the factor then is of no use.
pub fn cholesky<T: Number>(mut a: Matrix<T>) -> (Matrix<T>, i32) {
    let info = match T::cholesky(&mut a.values, a.rows) {
        Ok(()) => 0,
        Err(order) => order as i32,
    };
    (a, info)
}

/// Solves `A X = B` in the place of `B`, reading the upper or the lower triangle of `A`; with `unit` its diagonal is
/// taken for ones.
pub fn solve<T: Number>(a: &Matrix<T>, b: &mut Matrix<T>, upper: bool, unit: bool) {
    if unit || (0..a.rows).all(|i| a[(i, i)].abs().is_normal()) {
        T::solve_triangular(&a.values, a.rows, &mut b.values, b.columns, upper, unit);
    } else {
        substitute(a, b, upper);
    }
}

/// What LAPACK makes of a matrix with zeros on its diagonal: infinities where faer, which multiplies by reciprocals, has
/// NaN.
fn substitute<T: Number>(a: &Matrix<T>, b: &mut Matrix<T>, upper: bool) {
    let n = a.rows;
    for step in 0..n {
        let i = if upper { n - 1 - step } else { step };
        for k in if upper { i + 1..n } else { 0..i } {
            let (row, known) = b.row_pair(i, k);
            add_scaled(row, -a[(i, k)], known);
        }
        let pivot = a[(i, i)];
        b.row_mut(i).iter_mut().for_each(|value| *value /= pivot);
    }
}
