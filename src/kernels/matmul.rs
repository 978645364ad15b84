//! The matrix product `C = A B` or `C += A B`, for matrices of any strides, one or a batch of them.
//!
//! An element of C is the same sum in the same order for every number of threads, so results do not depend on it.
//! The scheme is that of Van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS
//! Functionality" (2015), except that what fits the cache as it lies is not packed.

mod blocked;
mod lane;
mod micro;
mod pack;
mod shifted;
mod table;
#[cfg(test)]
mod tests;

use crate::kernels::parallel;
pub(in crate::kernels) use blocked::with_scratch;
use blocked::{LARGE, Product};
use micro::{Dots, Tile};
pub(in crate::kernels) use shifted::{Shifted, listed, row_products, shifted};
pub use table::{Gemm, Kernels};

/// Multiply-adds that are worth a thread.
const GRAIN: usize = 1 << 19;

/// Rows of A up to which columns of B that are contiguous are better used as they lie, once for each row, than packed.
const FEW_ROWS: usize = 4;

/// Rows of a large B that are read side by side in a row times a matrix.
const STREAMS: usize = 8;

/// Elements of the matrix in a row times a matrix, which waits for memory, that are worth a thread.
const ROW_GRAIN: usize = 1 << 17;

/// `C[m, n] = A[m, k] * B[k, n]`, or `C += A * B` if `accumulate`; each pair of strides is (row, column).
///
/// # Safety
///
/// Every element of A and B that the extents and strides name must be readable and every one of C writable; if
/// `accumulate`, C must be initialised. No two elements of C may share a place, nor one of C with any of A or B.
#[expect(clippy::too_many_arguments, reason = "three matrices and their extents")]
pub unsafe fn matmul<T: Gemm>(
    m: usize,
    n: usize,
    k: usize,
    a: *const T,
    (a_row, a_col): (isize, isize),
    b: *const T,
    (b_row, b_col): (isize, isize),
    c: *mut T,
    (c_row, c_col): (isize, isize),
    accumulate: bool,
) {
    let product = Product { m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, c_col, accumulate };
    // SAFETY: the caller's promise is the one `multiply` asks for.
    unsafe { multiply(T::kernels(), product) }
}

/// `count` products of the same extents and strides; `offsets(i)` is how many elements beyond `a`, `b` and `c` the
/// matrices of the i-th begin.
///
/// # Safety
///
/// As for [`matmul`], for every product of the batch; and the C of one may not overlap that of another.
#[expect(clippy::too_many_arguments, reason = "three matrices and their extents")]
pub unsafe fn matmul_batch<T: Gemm>(
    count: usize,
    offsets: impl Fn(usize) -> (isize, isize, isize) + Sync,
    m: usize,
    n: usize,
    k: usize,
    a: *const T,
    (a_row, a_col): (isize, isize),
    b: *const T,
    (b_row, b_col): (isize, isize),
    c: *mut T,
    (c_row, c_col): (isize, isize),
    accumulate: bool,
) {
    let kernels = T::kernels();
    let first = Product { m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, c_col, accumulate };
    let one = |i: usize| {
        let (a, b, c) = offsets(i);
        // The whole struct, so that the closure takes the `Product`, which may cross threads, not its pointers.
        let first = &first;
        let product = Product {
            a: first.a.wrapping_offset(a),
            b: first.b.wrapping_offset(b),
            c: first.c.wrapping_offset(c),
            ..*first
        };
        // SAFETY: the caller promises it for every i below `count`.
        unsafe { multiply(kernels, product) }
    };
    let work = first.work();
    // Few or large products keep the threads busy one by one; many small ones are better handed out whole.
    if count < 4 || work >= 16 * GRAIN {
        (0..count).for_each(one);
    } else {
        parallel::for_each_chunk(count, GRAIN.div_ceil(work.max(1)), |range| range.for_each(one));
    }
}

/// # Safety
///
/// As for [`matmul`]; and the processor must have the kernels' instructions.
unsafe fn multiply<T: Gemm>(kernels: &Kernels<T>, p: Product<T>) {
    if p.m == 0 || p.n == 0 {
        return;
    }
    if p.k == 0 {
        if !p.accumulate {
            // SAFETY: C is writable.
            unsafe { p.clear() }
        }
        return;
    }
    // The kernels want contiguous rows in C, and a vector as a row.
    let turn = if p.n == 1 { p.m > 1 } else { p.m > 1 && p.c_col != 1 && p.c_row == 1 };
    let p = if turn { p.transposed() } else { p };
    // SAFETY: the caller's promise, which `transposed` keeps; the strides are as each function asks.
    unsafe {
        if p.m <= FEW_ROWS && p.b_row == 1 && (p.b_col != 1 || p.n == 1) {
            for i in 0..p.m {
                row_by_columns(kernels, &p.rows(i..i + 1))
            }
        } else if p.m == 1 && p.b_col == 1 && p.c_col == 1 {
            row_by_rows(kernels, &p)
        } else {
            blocked::multiply(kernels, &p)
        }
    }
}

/// One row times a matrix whose columns are contiguous, as dot products.
///
/// # Safety
///
/// As for [`multiply`]; `p.m` must be 1 and `p.b_row` 1.
unsafe fn row_by_columns<T: Gemm>(kernels: &Kernels<T>, p: &Product<T>) {
    if p.a_col != 1 && p.k > 1 {
        return blocked::with_scratch(p.k, |x: *mut T| {
            for i in 0..p.k {
                // SAFETY: A has k elements and so has the scratch.
                unsafe { x.add(i).write(*p.a.offset(i as isize * p.a_col)) }
            }
            // SAFETY: the same row, now contiguous.
            unsafe { row_by_columns(kernels, &Product { a: x, a_col: 1, ..*p }) }
        });
    }
    p.by_columns(1, ROW_GRAIN, |p| {
        let &Product { k, a: x, b, b_col, c, c_col, n: cols, accumulate, .. } = p;
        // SAFETY: x and the columns of B are contiguous and k long.
        unsafe { (kernels.dots)(&Dots { k, x, b, b_col, c, c_col, cols, accumulate }) }
    });
}

/// One row times a matrix whose rows are contiguous, as a sum of rows.
///
/// # Safety
///
/// As for [`multiply`]; `p.m` must be 1, `p.b_col` 1 and `p.c_col` 1.
unsafe fn row_by_rows<T: Gemm>(kernels: &Kernels<T>, p: &Product<T>) {
    // A narrow strip of a large B would be a piece of each of its pages, so that is read in whole rows, a few at a
    // time. The choice decides the order of summation, and must be made before the columns are divided.
    let large = p.n.saturating_mul(p.k) >= LARGE / size_of::<T>();
    let depth = if large { STREAMS } else { p.k };
    p.by_columns(4 * kernels.width, ROW_GRAIN, |p| {
        for at in (0..p.k).step_by(depth) {
            let tile = Tile {
                k: depth.min(p.k - at),
                a: p.a.wrapping_offset(at as isize * p.a_col),
                a_row: p.a_row,
                a_col: p.a_col,
                b: p.b.wrapping_offset(at as isize * p.b_row),
                b_row: p.b_row,
                offsets: std::ptr::null(),
                c: p.c,
                c_row: p.c_row,
                rows: 1,
                cols: p.n,
                accumulate: p.accumulate || at > 0,
            };
            // SAFETY: the rows of B and C are contiguous.
            unsafe { (kernels.row)(&tile) }
        }
    });
}
