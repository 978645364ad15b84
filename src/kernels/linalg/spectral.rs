//! Eigenvalues and singular values with their vectors, as faer computes them.
//!
//! The phase of a vector, which nothing determines, is such that its largest element is real and positive: the same for
//! a matrix of real numbers and for one of complex numbers without imaginary parts.

use super::{Matrix, Number, norm, square};
use crate::dtype::Complex128 as Complex;

/// The factor that makes the largest of some numbers real and positive: the first of those that are equally large but
/// for rounding.
fn phase<T: Number>(numbers: impl IntoIterator<Item = T>) -> T {
    let mut largest = T::ZERO;
    for number in numbers {
        if square(number) > square(largest) * (1.0 + 1e-10) {
            largest = number;
        }
    }
    if largest == T::ZERO { T::ONE } else { largest.conj() / T::of(largest.abs(), 0.0) }
}

/// Multiplies column `j` by the phase of its elements, and gives it.
fn turn<T: Number>(a: &mut Matrix<T>, j: usize) -> T {
    let phase = phase((0..a.rows).map(|i| a[(i, j)]));
    (0..a.rows).for_each(|i| a[(i, j)] *= phase);
    phase
}

/// The eigenvalues of a Hermitian matrix, ascending, and the eigenvectors as columns; `None` if the iteration does not
/// converge. The lower triangle of `a` is read, and has to be finite.
pub fn hermitian<T: Number>(a: &Matrix<T>) -> Option<(Vec<f64>, Matrix<T>)> {
    let (values, vectors) = T::hermitian(&a.values, a.rows)?;
    let mut vectors = Matrix { values: vectors, ..*a };
    (0..a.columns).for_each(|j| {
        turn(&mut vectors, j);
    });
    Some((values, vectors))
}

/// The eigenvalues of any square matrix, and the eigenvectors of norm 1 as columns; `None` if the iteration does not
/// converge.
///
/// Eigenvalues and vectors of a real matrix that are not real come in conjugate pairs, the one with a positive imaginary
/// part first.
pub fn general<T: Number>(a: &Matrix<T>) -> Option<(Vec<Complex>, Matrix<Complex>)> {
    let n = a.rows;
    let (values, vectors) = T::eigen(&a.values, n)?;
    let mut vectors = Matrix { rows: n, columns: n, values: vectors };
    for j in 0..n {
        // First of all, for vectors whose squares are out of range.
        let size = norm(&(0..n).map(|i| vectors[(i, j)]).collect::<Vec<_>>());
        (0..n).for_each(|i| vectors[(i, j)] /= size);
        turn(&mut vectors, j);
    }
    Some((values, vectors))
}

/// `A = U diag(S) V^H` with singular values in descending order.
pub struct Svd<T> {
    pub u: Matrix<T>,
    pub s: Vec<f64>,
    pub vh: Matrix<T>,
}

/// With `full`, `U` and `V` are square; else they have as many columns as there are singular values. `None` if the
/// iteration does not converge.
pub fn svd<T: Number>(a: &Matrix<T>, full: bool) -> Option<Svd<T>> {
    let (m, n) = (a.rows, a.columns);
    let (wide, high) = if full { (m, n) } else { (m.min(n), m.min(n)) };
    let found = T::svd(&a.values, m, n, full)?;
    let mut u = Matrix { rows: m, columns: wide, values: found.u };
    let mut vh = Matrix { rows: high, columns: n, values: found.vh };
    let phases: Vec<T> = (0..wide).map(|j| turn(&mut u, j)).collect();
    for i in 0..high {
        let factor = match phases.get(i) {
            Some(known) if i < found.s.len() => known.conj(),
            _ => phase(vh.row(i).iter().copied()),
        };
        vh.row_mut(i).iter_mut().for_each(|x| *x *= factor);
    }
    Some(Svd { u, s: found.s, vh })
}

#[cfg(test)]
mod tests {
    use num_complex::ComplexFloat as _;

    use super::*;

    #[test]
    fn eigenvectors_of_a_defective_matrix_have_norm_1() {
        for n in [2, 20, 25, 40] {
            let mut shift = Matrix::<f64>::zeros(n, n);
            (1..n).for_each(|i| shift[(i - 1, i)] = 1.0);
            let (values, vectors) = general(&shift).unwrap();
            assert!(values.iter().all(|value| value.abs() < 1e-12));
            for j in 0..n {
                assert!((vectors[(0, j)] - 1.0).abs() < 1e-7);
                assert!((1..n).all(|i| vectors[(i, j)].abs() < 1e-7));
            }
        }
    }
}
