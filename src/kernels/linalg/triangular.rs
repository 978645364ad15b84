//! Triangular factors of Hermitian matrices, and equations with triangular ones, as faer computes them.

use super::{Matrix, Number};

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
    T::solve_triangular(&a.values, a.rows, &mut b.values, b.columns, upper, unit);
}
