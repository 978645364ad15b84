//! Products, triangular factors and equations, and blocks of reflections.

use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::lu::partial_pivoting::factor::{lu_in_place, lu_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve as triangular;
use faer::traits::math_utils::{from_f64, one, zero};
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::{Number, columns_of, rows_into, with_memory};

pub fn product<T: Number>(a: &[T], b: &[T], rows: usize, inner: usize, columns: usize) -> Vec<T> {
    let (a, b) = (MatRef::from_row_major_slice(a, rows, inner), MatRef::from_row_major_slice(b, inner, columns));
    let mut values = vec![zero(); rows * columns];
    let c = MatMut::from_row_major_slice_mut(&mut values, rows, columns);
    matmul(c, Accum::Replace, a, b, one(), Par::Seq);
    values
}

pub fn cholesky<T: Number>(a: &mut [T], n: usize) -> Result<(), usize> {
    let mut l = columns_of(a, n, n);
    for i in 0..n {
        l[(i, i)] = from_f64(l[(i, i)].re());
    }
    let size = cholesky_in_place_scratch::<T>(n, Par::Seq, Default::default());
    let result = with_memory(size, |memory| {
        cholesky_in_place(l.as_mut(), Default::default(), Par::Seq, memory, Default::default())
    });
    rows_into(l.as_ref(), a);
    // Above the diagonal faer leaves what it found, or put there.
    for i in 0..n {
        a[i * n + i + 1..(i + 1) * n].fill(zero());
    }
    match result {
        Ok(_) => Ok(()),
        Err(LltError::NonPositivePivot { index }) => Err(index + 1),
    }
}

pub fn lu<T: Number>(a: &mut [T], rows: usize, columns: usize) -> Option<Vec<usize>> {
    let mut factors = columns_of(a, rows, columns);
    let (mut order, mut inverse) = (vec![0usize; rows], vec![0usize; rows]);
    let size = lu_in_place_scratch::<usize, T>(rows, columns, Par::Seq, Default::default());
    with_memory(size, |memory| {
        lu_in_place(factors.as_mut(), &mut order, &mut inverse, Par::Seq, memory, Default::default());
    });
    let count = rows.min(columns);
    if (0..count).any(|i| !factors[(i, i)].abs().is_normal()) {
        return None;
    }
    rows_into(factors.as_ref(), a);
    // The exchanges that lead to the order of the rows: where each row is, and which row is where.
    let (mut place, mut row): (Vec<usize>, Vec<usize>) = ((0..rows).collect(), (0..rows).collect());
    let exchange = |i: usize| {
        let with = place[order[i]];
        row.swap(i, with);
        (place[row[i]], place[row[with]]) = (i, with);
        with
    };
    Some((0..count).map(exchange).collect())
}

pub fn solve_triangular<T: Number>(a: &[T], n: usize, b: &mut [T], columns: usize, upper: bool, unit: bool) {
    let (a, b) = (MatRef::from_row_major_slice(a, n, n), MatMut::from_row_major_slice_mut(b, n, columns));
    match (upper, unit) {
        (true, true) => triangular::solve_unit_upper_triangular_in_place(a, b, Par::Seq),
        (true, false) => triangular::solve_upper_triangular_in_place(a, b, Par::Seq),
        (false, true) => triangular::solve_unit_lower_triangular_in_place(a, b, Par::Seq),
        (false, false) => triangular::solve_lower_triangular_in_place(a, b, Par::Seq),
    }
}

/// The product of the reflections is `I - V T V^H` with an upper triangular `T` (Schreiber and Van Loan 1989).
pub fn reflect<T: Number>(v: &[T], taus: &[T], adjoint: bool, a: &mut [T], columns: usize, left: usize) {
    let count = taus.len();
    let rows = v.len() / count;
    let v = MatRef::from_row_major_slice(v, rows, count);
    let products = v.adjoint() * v;
    let mut t = Mat::<T>::zeros(count, count);
    for (j, &tau) in taus.iter().enumerate() {
        t[(j, j)] = tau;
        for i in 0..j {
            let sum = (i..j).fold(zero::<T>(), |sum, k| sum + t[(i, k)] * products[(k, j)]);
            t[(i, j)] = -tau * sum;
        }
    }
    let mut a = MatMut::from_row_major_slice_mut(a, rows, columns).subcols_mut(left, columns - left);
    let across = v.adjoint() * a.as_ref();
    let turned = if adjoint { t.adjoint() * across } else { t * across };
    matmul(a.as_mut(), Accum::Add, v, turned.as_ref(), -one::<T>(), Par::Seq);
}
