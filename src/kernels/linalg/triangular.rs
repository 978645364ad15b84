//! Equations with a triangular matrix.

use super::{Matrix, Number, add_scaled};

/// Solves `A X = B` in the place of `B`, reading the upper or the lower triangle of `A`; with `unit` its diagonal is
/// taken for ones.
pub fn solve<T: Number>(a: &Matrix<T>, b: &mut Matrix<T>, upper: bool, unit: bool) {
    let n = a.rows;
    for step in 0..n {
        let i = if upper { n - 1 - step } else { step };
        for k in if upper { i + 1..n } else { 0..i } {
            let factor = a[(i, k)];
            if factor != T::ZERO {
                let (row, known) = b.row_pair(i, k);
                add_scaled(row, -factor, known);
            }
        }
        if !unit {
            let pivot = a[(i, i)];
            b.row_mut(i).iter_mut().for_each(|value| *value /= pivot);
        }
    }
}
