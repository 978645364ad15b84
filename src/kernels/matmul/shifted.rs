//! Products with a matrix whose rows begin anywhere, and so may overlap: what a window shows as it moves over a tensor.

use super::blocked::DEPTH;
use super::micro::{Pairs, Tile};
use super::table::Gemm;

/// A matrix A of `m` rows, a matrix B whose row p begins at `b + offsets[p]`, and the matrix C.
pub struct Shifted<'a, T> {
    pub m: usize,
    pub a: *const T,
    pub a_row: usize,
    pub b: *const T,
    pub offsets: &'a [isize],
    pub c: *mut T,
    pub c_row: usize,
}

/// `C = A B`, for `n` columns, on one thread.
///
/// # Safety
/// A has a column for each offset. All elements that the extents name are readable in A and B, and writable in C, which
/// overlaps neither.
pub unsafe fn shifted<T: Gemm>(p: &Shifted<T>, n: usize) {
    let kernels = T::kernels();
    let k = p.offsets.len();
    // The order of summation depends on k alone.
    let depth = k.div_ceil(k.div_ceil(DEPTH / size_of::<T>()).max(1)).max(1);
    for at in (0..k).step_by(depth) {
        let offsets = &p.offsets[at..k.min(at + depth)];
        for col in (0..n).step_by(kernels.cols) {
            for row in (0..p.m).step_by(kernels.rows) {
                // SAFETY: the caller's promise; the tile is within C.
                unsafe {
                    (kernels.shifted)(&Tile {
                        k: offsets.len(),
                        a: p.a.add(row * p.a_row + at),
                        a_row: p.a_row as isize,
                        a_col: 1,
                        b: p.b.add(col),
                        b_row: 0,
                        offsets: offsets.as_ptr(),
                        c: p.c.add(row * p.c_row + col),
                        c_row: p.c_row as isize,
                        rows: kernels.rows.min(p.m - row),
                        cols: kernels.cols.min(n - col),
                        accumulate: at > 0,
                    });
                }
            }
        }
    }
}

/// `C = A Bᵀ`, or `C += A Bᵀ` if `accumulate`, for rows of `length` elements, on one thread.
///
/// # Safety
/// As for [`shifted`], with a column of C for each offset.
pub unsafe fn row_products<T: Gemm>(p: &Shifted<T>, length: usize, accumulate: bool) {
    let pairs = Pairs {
        k: length,
        a: p.a,
        a_row: p.a_row as isize,
        b: p.b,
        offsets: p.offsets.as_ptr(),
        c: p.c,
        c_row: p.c_row as isize,
        rows: p.m,
        cols: p.offsets.len(),
        accumulate,
    };
    // SAFETY: the caller's promise.
    unsafe { (T::kernels().pairs)(&pairs) }
}

/// `C += A B`, or `C = A B` unless `accumulate`, where row i of A begins at `a + offsets[i]`: `m` rows of `length`
/// elements and a row-major B and C of `n` columns, on one thread.
///
/// # Safety
/// All elements that the extents name are readable in A and B, and writable in C, which overlaps neither.
pub unsafe fn listed<T: Gemm>(
    a: *const T,
    offsets: &[isize],
    length: usize,
    b: *const T,
    n: usize,
    c: *mut T,
    accumulate: bool,
) {
    let kernels = T::kernels();
    let depth = length.div_ceil(length.div_ceil(DEPTH / size_of::<T>()).max(1)).max(1);
    for at in (0..length).step_by(depth) {
        for col in (0..n).step_by(kernels.cols) {
            for (row, offsets) in offsets.chunks(kernels.rows).enumerate() {
                // SAFETY: the caller's promise; the tile is within C.
                unsafe {
                    (kernels.listed)(&Tile {
                        k: depth.min(length - at),
                        a: a.add(at),
                        a_row: 0,
                        a_col: 1,
                        b: b.add(at * n + col),
                        b_row: n as isize,
                        offsets: offsets.as_ptr(),
                        c: c.add(row * kernels.rows * n + col),
                        c_row: n as isize,
                        rows: offsets.len(),
                        cols: kernels.cols.min(n - col),
                        accumulate: accumulate || at > 0,
                    });
                }
            }
        }
    }
}
