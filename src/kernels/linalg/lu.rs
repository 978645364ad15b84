//! The factors of a matrix by Gaussian elimination with row exchanges: faer's, and our own where it has none.

use super::{Matrix, Number, add_scaled, triangular};

/// The factors `L` (unit diagonal, not stored) and `U` in one matrix.
pub struct Factors<T> {
    pub packed: Matrix<T>,
    /// Row `i` was exchanged with row `pivots[i]`, counted from 1, as LAPACK does.
    pub pivots: Vec<i32>,
    /// 0, or the place of the first pivot that is 0, counted from 1.
    pub info: i32,
}

/// Factors a matrix of any shape; without `pivoting` no rows are exchanged.
pub fn factor<T: Number>(mut a: Matrix<T>, pivoting: bool) -> Factors<T> {
    if pivoting && let Some(exchanges) = T::lu(&mut a.values, a.rows, a.columns) {
        let pivots = exchanges.into_iter().map(|row| row as i32 + 1).collect();
        return Factors { packed: a, pivots, info: 0 };
    }
    eliminated(a, pivoting)
}

/// Elimination that goes on past a pivot of 0 as LAPACK's does, and that may leave the rows where they are.
fn eliminated<T: Number>(mut a: Matrix<T>, pivoting: bool) -> Factors<T> {
    let count = a.rows.min(a.columns);
    let mut pivots: Vec<i32> = Vec::with_capacity(count);
    let mut info = 0;
    for k in 0..count {
        let size = |i: usize| a[(i, k)].re().abs() + a[(i, k)].im().abs();
        let mut pivot = k;
        if pivoting {
            for i in k + 1..a.rows {
                if size(i) > size(pivot) {
                    pivot = i;
                }
            }
        }
        pivots.push(pivot as i32 + 1);
        if a[(pivot, k)] == T::ZERO {
            if info == 0 {
                info = k as i32 + 1;
            }
            continue;
        }
        a.swap_rows(k, pivot);
        for i in k + 1..a.rows {
            let factor = a[(i, k)] / a[(k, k)];
            a[(i, k)] = factor;
            if factor != T::ZERO {
                let (row, above) = a.row_pair(i, k);
                add_scaled(&mut row[k + 1..], -factor, &above[k + 1..]);
            }
        }
    }
    Factors { packed: a, pivots, info }
}

impl<T: Number> Factors<T> {
    /// Solves `A X = B` in the place of `B`.
    pub fn solve(&self, b: &mut Matrix<T>) {
        for (i, &pivot) in self.pivots.iter().enumerate() {
            b.swap_rows(i, pivot as usize - 1);
        }
        triangular::solve(&self.packed, b, false, true);
        triangular::solve(&self.packed, b, true, false);
    }

    /// The determinant's factors: the diagonal, and the sign of the row exchanges before them.
    pub fn diagonal(&self) -> impl Iterator<Item = T> + '_ {
        let odd = self.pivots.iter().enumerate().filter(|&(i, &pivot)| pivot as usize != i + 1).count() % 2 == 1;
        let sign = if odd { -T::ONE } else { T::ONE };
        std::iter::once(sign).chain((0..self.packed.rows).map(|i| self.packed[(i, i)]))
    }
}
