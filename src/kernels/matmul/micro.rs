//! The innermost products, generic over the register: a tile of C, a row times a matrix, dot products.
//!
//! They are inlined into functions that are compiled for the register's instructions.

use super::lane::{Arithmetic, Lane};

/// `C[rows, cols] (+)= A[rows, k] * B[k, cols]`, where the rows of B and of C are contiguous.
pub(super) struct Tile<T> {
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_col: isize,
    pub b: *const T,
    pub b_row: isize,
    /// Where each row of B, or of A, begins, for a tile whose rows are not evenly spaced.
    pub offsets: *const isize,
    pub c: *mut T,
    pub c_row: isize,
    pub rows: usize,
    pub cols: usize,
    pub accumulate: bool,
}

/// How the rows of a tile's operands lie.
pub(super) mod rows {
    pub const EVEN: u8 = 0;
    /// Those of B begin where `offsets` says.
    pub const SHIFTED_B: u8 = 1;
    /// Those of A do.
    pub const SHIFTED_A: u8 = 2;
}

/// A tile of M rows and N registers, which all stay in registers; PARTIAL if the last one is not full. ROWS is one of
/// [`rows`].
///
/// # Safety
///
/// `t.rows` must be M and `t.cols` more than N - 1 registers and at most N, or N if not PARTIAL; A and B readable,
/// C writable, and initialised if `t.accumulate`. The processor must have the register.
#[inline(always)]
pub(super) unsafe fn tile<L: Lane, const M: usize, const N: usize, const PARTIAL: bool, const ROWS: u8>(
    t: &Tile<L::Elem>,
) {
    let last = t.cols - (N - 1) * L::WIDTH;
    let (mut a, mut b) = (t.a, t.b);
    // SAFETY: p, i and j are within the extents, which the caller promises are there.
    unsafe {
        let mut starts = [0; M];
        if ROWS == rows::SHIFTED_A {
            for (i, start) in starts.iter_mut().enumerate() {
                *start = *t.offsets.add(i);
            }
        }
        let mut sums = [[L::splat(L::Elem::ZERO); N]; M];
        for p in 0..t.k {
            if ROWS == rows::SHIFTED_B {
                b = t.b.offset(*t.offsets.add(p));
            }
            let mut row = [L::splat(L::Elem::ZERO); N];
            for (j, lane) in row.iter_mut().enumerate() {
                *lane = load::<L, N, PARTIAL>(b, j, last);
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let start = if ROWS == rows::SHIFTED_A { starts[i] } else { i as isize * t.a_row };
                let x = L::splat(*a.offset(start));
                for (sum, &lane) in sums.iter_mut().zip(&row) {
                    *sum = sum.mul_add(x, lane);
                }
            }
            // Past the end after the last step, so not `offset`.
            a = a.wrapping_offset(t.a_col);
            if ROWS != rows::SHIFTED_B {
                b = b.wrapping_offset(t.b_row);
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let to = t.c.offset(i as isize * t.c_row);
            store::<L, N, PARTIAL>(sums, to, last, t.accumulate);
        }
    }
}

/// A row times a matrix, N registers wide, U steps of k at a time: U partial sums, as one would wait for its own
/// last addition.
///
/// # Safety
///
/// As for [`tile`], with one row.
#[inline(always)]
pub(super) unsafe fn row<L: Lane, const N: usize, const U: usize, const PARTIAL: bool>(t: &Tile<L::Elem>) {
    let last = t.cols - (N - 1) * L::WIDTH;
    let (mut a, mut b) = (t.a, t.b);
    // SAFETY: as in `tile`.
    unsafe {
        let mut sums = [[L::splat(L::Elem::ZERO); N]; U];
        let mut step = |sums: &mut [L; N]| {
            let x = L::splat(*a);
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum = sum.mul_add(x, load::<L, N, PARTIAL>(b, j, last));
            }
            a = a.wrapping_offset(t.a_col);
            b = b.wrapping_offset(t.b_row);
        };
        for _ in 0..t.k / U {
            for sums in &mut sums {
                step(sums);
            }
        }
        for _ in 0..t.k % U {
            step(&mut sums[0]);
        }
        let mut total = sums[0];
        for other in &sums[1..] {
            for (sum, &other) in total.iter_mut().zip(other) {
                *sum = sum.add(other);
            }
        }
        store::<L, N, PARTIAL>(&total, t.c, last, t.accumulate);
    }
}

/// Register `j` of N, of which the last has `last` elements if PARTIAL.
///
/// # Safety
///
/// Those elements must be readable.
#[inline(always)]
unsafe fn load<L: Lane, const N: usize, const PARTIAL: bool>(from: *const L::Elem, j: usize, last: usize) -> L {
    // SAFETY: the caller's promise.
    unsafe {
        let from = from.add(j * L::WIDTH);
        if PARTIAL && j == N - 1 { L::load_first(from, last) } else { L::load(from) }
    }
}

/// Stores a row of sums, or adds it to what is there.
///
/// # Safety
///
/// The elements, as for [`load`], must be writable, and initialised if `accumulate`.
#[inline(always)]
unsafe fn store<L: Lane, const N: usize, const PARTIAL: bool>(
    sums: &[L; N],
    to: *mut L::Elem,
    last: usize,
    accumulate: bool,
) {
    for (j, &sum) in sums.iter().enumerate() {
        // SAFETY: the caller's promise.
        unsafe {
            let sum = if accumulate { load::<L, N, PARTIAL>(to, j, last).add(sum) } else { sum };
            let to = to.add(j * L::WIDTH);
            if PARTIAL && j == N - 1 { sum.store_first(to, last) } else { sum.store(to) }
        }
    }
}

/// A row times a matrix whose columns are contiguous, as is the row: `cols` dot products of length `k`.
pub(super) struct Dots<T> {
    pub k: usize,
    pub x: *const T,
    pub b: *const T,
    pub b_col: isize,
    pub c: *mut T,
    pub c_col: isize,
    pub cols: usize,
    pub accumulate: bool,
}

/// J of the dot products, from column `first` on, each in U partial sums.
///
/// # Safety
///
/// `first + J` may be at most `d.cols`; the row and the columns must be readable, C writable, and initialised if
/// `d.accumulate`. The processor must have the register.
#[inline(always)]
pub(super) unsafe fn dots<L: Lane, const J: usize, const U: usize>(d: &Dots<L::Elem>, first: usize) {
    // SAFETY: `at` and what is loaded from there stay below k, and the columns below `d.cols`.
    unsafe {
        let columns: [*const L::Elem; J] = std::array::from_fn(|j| d.b.offset((first + j) as isize * d.b_col));
        let mut sums = [[L::splat(L::Elem::ZERO); U]; J];
        let mut at = 0;
        while at + U * L::WIDTH <= d.k {
            for u in 0..U {
                let x = L::load(d.x.add(at));
                for (sums, column) in sums.iter_mut().zip(columns) {
                    sums[u] = sums[u].mul_add(x, L::load(column.add(at)));
                }
                at += L::WIDTH;
            }
        }
        while at < d.k {
            let count = L::WIDTH.min(d.k - at);
            let x = L::load_first(d.x.add(at), count);
            for (sums, column) in sums.iter_mut().zip(columns) {
                sums[0] = sums[0].mul_add(x, L::load_first(column.add(at), count));
            }
            at += count;
        }
        for (j, sums) in sums.iter().enumerate() {
            let mut total = sums[0];
            for &other in &sums[1..] {
                total = total.add(other);
            }
            let sum = total.sum();
            let to = d.c.offset((first + j) as isize * d.c_col);
            to.write(if d.accumulate { (*to).plus(sum) } else { sum });
        }
    }
}

/// `C[i, j] (+)=` the dot product of row i of A and row j of B, all of which are contiguous and `k` long.
pub(super) struct Pairs<T> {
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub b: *const T,
    /// Where each row of B begins.
    pub offsets: *const isize,
    pub c: *mut T,
    pub c_row: isize,
    pub rows: usize,
    pub cols: usize,
    pub accumulate: bool,
}

/// The products of M rows, from `row` on, with N, from `col` on.
///
/// # Safety
///
/// The rows must be readable, C writable, and initialised if `p.accumulate`. The processor must have the register.
#[inline(always)]
pub(super) unsafe fn pairs<L: Lane, const M: usize, const N: usize>(p: &Pairs<L::Elem>, row: usize, col: usize) {
    // SAFETY: `at` and what is loaded from there stay below k, and rows of A and B are as many as the caller says.
    unsafe {
        let a: [*const L::Elem; M] = std::array::from_fn(|i| p.a.offset((row + i) as isize * p.a_row));
        let b: [*const L::Elem; N] = std::array::from_fn(|j| p.b.offset(*p.offsets.add(col + j)));
        let mut sums = [[L::splat(L::Elem::ZERO); N]; M];
        let mut at = 0;
        while at < p.k {
            let count = p.k - at;
            let load = |from: *const L::Elem| {
                if count >= L::WIDTH { L::load(from.add(at)) } else { L::load_first(from.add(at), count) }
            };
            let b: [L; N] = b.map(load);
            for (sums, &a) in sums.iter_mut().zip(&a) {
                let x = load(a);
                for (sum, &b) in sums.iter_mut().zip(&b) {
                    *sum = sum.mul_add(x, b);
                }
            }
            at += L::WIDTH;
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                let to = p.c.offset((row + i) as isize * p.c_row + (col + j) as isize);
                let sum = sum.sum();
                to.write(if p.accumulate { (*to).plus(sum) } else { sum });
            }
        }
    }
}
