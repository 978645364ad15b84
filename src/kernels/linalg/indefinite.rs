//! The factors `L D L^T` (or `L D L^H`) of a symmetric (Hermitian) matrix, where `D` has blocks of one and two rows:
//! diagonal pivoting (Bunch and Kaufman 1977).

use super::{Matrix, Number};

/// `L` below the diagonal, `D` on and beside it, and the exchanges as LAPACK counts them: `k` for rows `k` of a block of
/// one, twice `-k` for a block of two, from 1; and 0, or the place of the first pivot that is 0.
pub fn factor<T: Number>(a: &Matrix<T>, hermitian: bool) -> (Matrix<T>, Vec<i32>, i32) {
    let n = a.rows;
    let mirrored = |x: T| if hermitian { x.conj() } else { x };
    let mut work = a.clone();
    for i in 0..n {
        if hermitian {
            work[(i, i)] = T::of(a[(i, i)].re(), 0.0);
        }
        for j in i + 1..n {
            work[(i, j)] = mirrored(a[(j, i)]);
        }
    }
    let size = |x: T| x.re().abs() + x.im().abs();
    let alpha = (1.0 + 17.0f64.sqrt()) / 8.0;
    let (mut pivots, mut info) = (vec![0; n], 0);
    let mut k = 0;
    while k < n {
        let largest = |work: &Matrix<T>, column: usize, skipped: usize| {
            let mut found = (skipped, 0.0);
            for i in (k..n).filter(|&i| i != skipped) {
                if size(work[(i, column)]) > found.1 {
                    found = (i, size(work[(i, column)]));
                }
            }
            found
        };
        let own = size(work[(k, k)]);
        let (row, most) = largest(&work, k, k);
        if own.max(most) == 0.0 {
            if info == 0 {
                info = k as i32 + 1;
            }
            pivots[k] = k as i32 + 1;
            k += 1;
            continue;
        }
        let (mut width, mut with) = (1, k);
        if own < alpha * most {
            let (_, most_there) = largest(&work, row, row);
            if own * most_there >= alpha * most * most {
            } else if size(work[(row, row)]) >= alpha * most_there {
                with = row;
            } else {
                (width, with) = (2, row);
            }
        }
        let place = k + width - 1;
        if with != place {
            // Rows and columns of what is left; the rows of L that are known stay as they are.
            for j in k..n {
                let (x, y) = (work[(place, j)], work[(with, j)]);
                (work[(place, j)], work[(with, j)]) = (y, x);
            }
            for i in k..n {
                let (x, y) = (work[(i, place)], work[(i, with)]);
                (work[(i, place)], work[(i, with)]) = (y, x);
            }
        }
        if width == 1 {
            pivots[k] = with as i32 + 1;
            let pivot = work[(k, k)];
            let column: Vec<T> = (k + 1..n).map(|i| work[(i, k)]).collect();
            for (i, &x) in column.iter().enumerate() {
                for (j, &y) in column.iter().enumerate() {
                    work[(k + 1 + i, k + 1 + j)] -= x / pivot * mirrored(y);
                }
            }
            for (i, &x) in column.iter().enumerate() {
                work[(k + 1 + i, k)] = x / pivot;
            }
        } else {
            (pivots[k], pivots[k + 1]) = (-(with as i32 + 1), -(with as i32 + 1));
            let (a, b, c, d) = (work[(k, k)], work[(k, k + 1)], work[(k + 1, k)], work[(k + 1, k + 1)]);
            let determinant = a * d - b * c;
            let columns: Vec<[T; 2]> = (k + 2..n).map(|i| [work[(i, k)], work[(i, k + 1)]]).collect();
            let factors: Vec<[T; 2]> =
                columns.iter().map(|&[x, y]| [(x * d - y * c) / determinant, (y * a - x * b) / determinant]).collect();
            for (i, x) in factors.iter().enumerate() {
                for (j, y) in columns.iter().enumerate() {
                    work[(k + 2 + i, k + 2 + j)] -= x[0] * mirrored(y[0]) + x[1] * mirrored(y[1]);
                }
            }
            for (i, x) in factors.iter().enumerate() {
                (work[(k + 2 + i, k)], work[(k + 2 + i, k + 1)]) = (x[0], x[1]);
            }
        }
        k += width;
    }
    for i in 0..n {
        (i + 1..n).for_each(|j| work[(i, j)] = T::ZERO);
    }
    (work, pivots, info)
}

/// Solves `A X = B` in the place of `B`, from the factors of `A`.
pub fn solve<T: Number>(packed: &Matrix<T>, pivots: &[i32], b: &mut Matrix<T>, hermitian: bool) {
    let n = packed.rows;
    let mirrored = |x: T| if hermitian { x.conj() } else { x };
    let mut unit = packed.clone();
    let mut blocks = Vec::new();
    let mut k = 0;
    while k < n {
        let width = if pivots[k] < 0 && k + 1 < n { 2 } else { 1 };
        if width == 2 {
            unit[(k + 1, k)] = T::ZERO;
        }
        blocks.push((k, width));
        k += width;
    }
    // A = P1 L1 P2 L2 ... D ... L2' P2' L1' P1', one block after another.
    let exchanged = |k: usize, width: usize| {
        let (place, with) = (k + width - 1, pivots[k].unsigned_abs() as usize);
        // What is no row's number exchanges nothing.
        (place, if (1..=n).contains(&with) { with - 1 } else { place })
    };
    for &(k, width) in &blocks {
        let (place, with) = exchanged(k, width);
        b.swap_rows(place, with);
        for i in k + width..n {
            for j in k..k + width {
                let (row, known) = b.row_pair(i, j);
                super::add_scaled(row, -unit[(i, j)], known);
            }
        }
    }
    for &(k, width) in &blocks {
        if width == 1 {
            let pivot = packed[(k, k)];
            b.row_mut(k).iter_mut().for_each(|value| *value /= pivot);
            continue;
        }
        let (a, c, d) = (packed[(k, k)], packed[(k + 1, k)], packed[(k + 1, k + 1)]);
        let off = mirrored(c);
        let determinant = a * d - off * c;
        for j in 0..b.columns {
            let (x, y) = (b[(k, j)], b[(k + 1, j)]);
            b[(k, j)] = (d * x - off * y) / determinant;
            b[(k + 1, j)] = (a * y - c * x) / determinant;
        }
    }
    for &(k, width) in blocks.iter().rev() {
        for j in k..k + width {
            for i in k + width..n {
                let (row, known) = b.row_pair(j, i);
                super::add_scaled(row, -mirrored(unit[(i, j)]), known);
            }
        }
        let (place, with) = exchanged(k, width);
        b.swap_rows(place, with);
    }
}
