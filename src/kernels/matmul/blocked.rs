//! The product of two matrices in blocks that fit the caches, spread over threads.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::GRAIN;
use super::micro::Tile;
use super::pack::Block;
use super::table::{Gemm, Kernels};
use crate::kernels::parallel;

/// Bytes of a row of A in a block: eight of them stay in the first-level cache. The order of summation follows
/// from it.
pub(super) const DEPTH: usize = 2048;

/// Bytes of a block of B, which stays in the second-level cache.
const B_BLOCK: usize = 384 << 10;

/// Bytes of a packed block of A, which is read once for each block of B.
const A_BLOCK: usize = 1 << 20;

/// Bytes from which a matrix read across its rows, or B, does not stay in the cache and is worth packing.
pub(super) const LARGE: usize = 1 << 20;

/// Rows that a packed block of B must serve to be worth packing.
const PACK_ROWS: usize = 128;

/// `C[m, n] (+)= A[m, k] * B[k, n]`, any strides.
#[derive(Clone, Copy)]
pub(super) struct Product<T> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_col: isize,
    pub b: *const T,
    pub b_row: isize,
    pub b_col: isize,
    pub c: *mut T,
    pub c_row: isize,
    pub c_col: isize,
    pub accumulate: bool,
}

// SAFETY: A and B are only read, and the threads are given parts of C that do not overlap.
unsafe impl<T: Sync> Sync for Product<T> {}

impl<T: Gemm> Product<T> {
    /// Multiply-adds.
    pub fn work(&self) -> usize {
        self.m.saturating_mul(self.n).saturating_mul(self.k)
    }

    /// The same product written `C^T = B^T A^T`.
    pub fn transposed(&self) -> Self {
        Product {
            m: self.n,
            n: self.m,
            a: self.b,
            a_row: self.b_col,
            a_col: self.b_row,
            b: self.a,
            b_row: self.a_col,
            b_col: self.a_row,
            c_row: self.c_col,
            c_col: self.c_row,
            ..*self
        }
    }

    pub fn rows(&self, rows: Range<usize>) -> Self {
        let start = rows.start as isize;
        Product {
            m: rows.len(),
            a: self.a.wrapping_offset(start * self.a_row),
            c: self.c.wrapping_offset(start * self.c_row),
            ..*self
        }
    }

    fn columns(&self, columns: Range<usize>) -> Self {
        self.transposed().rows(columns).transposed()
    }

    /// Calls `body` on parts with all the rows and some of the columns, a multiple of `unit` save at the end, each
    /// of at least `grain` multiply-adds.
    pub fn by_columns(&self, unit: usize, grain: usize, body: impl Fn(&Self) + Sync) {
        let work = self.work();
        if work < 2 * grain {
            return body(self);
        }
        let units = self.n.div_ceil(unit);
        parallel::for_each_chunk(units, grain.div_ceil(work / units).max(1), |range| {
            body(&self.columns(range.start * unit..self.n.min(range.end * unit)))
        });
    }

    /// # Safety
    ///
    /// C must be writable.
    pub unsafe fn clear(&self) {
        for i in 0..self.m as isize {
            for j in 0..self.n as isize {
                // SAFETY: i and j are within C.
                unsafe { self.c.offset(i * self.c_row + j * self.c_col).write(T::ZERO) }
            }
        }
    }
}

/// # Safety
///
/// As for [`super::multiply`].
pub(super) unsafe fn multiply<T: Gemm>(kernels: &Kernels<T>, p: &Product<T>) {
    // The threads that share columns pack the same block of B, so rows are divided only if they are many.
    if p.m >= if p.b_col == 1 { p.n } else { p.n.saturating_mul(4) } {
        // SAFETY: the caller's promise, of the product transposed and back.
        p.transposed().by_columns(kernels.rows, GRAIN, |p| unsafe { part(kernels, &p.transposed()) });
    } else {
        // SAFETY: the caller's promise.
        p.by_columns(kernels.width, GRAIN, |p| unsafe { part(kernels, p) });
    }
}

/// The sizes of the blocks that a product is divided into.
struct Blocks {
    rows: usize,
    cols: usize,
    /// Depends on nothing but k, as it decides the order of summation.
    depth: usize,
}

/// One thread's part of a product.
///
/// # Safety
///
/// As for [`super::multiply`].
unsafe fn part<T: Gemm>(kernels: &Kernels<T>, p: &Product<T>) {
    let size = size_of::<T>();
    let pack_a = p.a_col != 1 && p.m.saturating_mul(p.k) >= LARGE / size;
    let pack_b = p.b_col != 1 || (p.m >= PACK_ROWS && p.n.saturating_mul(p.k) >= LARGE / size);
    if !pack_a && !pack_b && p.k <= DEPTH / size && p.n * p.k <= B_BLOCK / size {
        // One block as it lies: the divisions below take as long as a small product does.
        let (a, b) = (Operand::plain(p.a, p.a_row, p.a_col), Operand::plain(p.b, p.b_col, p.b_row));
        // SAFETY: the caller's promise; the rows of B are contiguous.
        return unsafe { tiles(kernels, p, &a, &b) };
    }
    let depth = p.k.div_ceil(p.k.div_ceil(DEPTH / size));
    // A whole number of tiles, at least one, and no more than there is.
    let fit = |bytes: usize, tile: usize, extent: usize| {
        (bytes / size / depth / tile * tile).clamp(tile, extent.next_multiple_of(tile))
    };
    let rows = if pack_a { fit(A_BLOCK, kernels.rows, p.m) } else { p.m };
    let cols = fit(B_BLOCK, kernels.cols, p.n);
    let blocks = Blocks { rows, cols, depth };
    let a_length = if pack_a { rows * depth } else { 0 };
    let b_length = if pack_b { cols * depth } else { 0 };
    // SAFETY: the caller's promise, and the scratch is as long as the two blocks.
    unsafe {
        if a_length + b_length == 0 {
            return in_blocks(kernels, p, &blocks, None, None);
        }
        with_scratch(a_length + b_length, |scratch: *mut T| {
            let a = pack_a.then(|| scratch.add(b_length));
            let b = pack_b.then_some(scratch);
            in_blocks(kernels, p, &blocks, a, b)
        });
    }
}

/// The loops over the blocks; A and B are packed into `pack_a` and `pack_b`, or used as they lie.
///
/// # Safety
///
/// As for [`super::multiply`]; where A or B is packed there must be room for a block, and where B is not, its rows
/// must be contiguous.
unsafe fn in_blocks<T: Gemm>(
    kernels: &Kernels<T>,
    p: &Product<T>,
    blocks: &Blocks,
    pack_a: Option<*mut T>,
    pack_b: Option<*mut T>,
) {
    for row in (0..p.m).step_by(blocks.rows) {
        let rows = blocks.rows.min(p.m - row);
        for at in (0..p.k).step_by(blocks.depth) {
            let depth = blocks.depth.min(p.k - at);
            let from = p.a.wrapping_offset(row as isize * p.a_row + at as isize * p.a_col);
            let a = Operand::plain(from, p.a_row, p.a_col);
            // SAFETY: rows x depth elements of A, and room for them.
            let a = unsafe { a.packed(kernels, pack_a, rows, kernels.rows, depth) };
            for col in (0..p.n).step_by(blocks.cols) {
                let cols = blocks.cols.min(p.n - col);
                let from = p.b.wrapping_offset(at as isize * p.b_row + col as isize * p.b_col);
                let b = Operand::plain(from, p.b_col, p.b_row);
                // SAFETY: depth x cols elements of B, and room for them.
                let b = unsafe { b.packed(kernels, pack_b, cols, kernels.cols, depth) };
                let c = p.c.wrapping_offset(row as isize * p.c_row + col as isize * p.c_col);
                let accumulate = p.accumulate || at > 0;
                let block = Product { m: rows, n: cols, k: depth, c, accumulate, ..*p };
                // SAFETY: the operands are of these extents, and C is within p's.
                unsafe { tiles(kernels, &block, &a, &b) }
            }
        }
    }
}

/// A or B as the tiles find it.
struct Operand<T> {
    at: *const T,
    /// From tile to tile, divided by the rows of A or columns of B in a tile.
    tile: isize,
    /// From one row of A or column of B to the next within a tile.
    step: isize,
    /// From one k to the next.
    along: isize,
}

impl<T> Operand<T> {
    fn plain(at: *const T, step: isize, along: isize) -> Self {
        Operand { at, tile: step, step, along }
    }

    /// Its copy in panels of `width`, if there is somewhere to copy it to, else itself.
    ///
    /// # Safety
    ///
    /// `count` times `depth` elements must be readable, and writable at `to` with `count` rounded up to panels.
    unsafe fn packed(self, kernels: &Kernels<T>, to: Option<*mut T>, count: usize, width: usize, depth: usize) -> Self {
        let Some(to) = to else {
            return self;
        };
        let block = Block { from: self.at, across: self.step, along: self.along, count, width, depth, to };
        // SAFETY: the caller's promise.
        unsafe { (kernels.pack)(&block) };
        Operand { at: to, tile: depth as isize, step: 1, along: width as isize }
    }
}

/// # Safety
///
/// As for [`in_blocks`], for one block.
unsafe fn tiles<T: Gemm>(kernels: &Kernels<T>, p: &Product<T>, a: &Operand<T>, b: &Operand<T>) {
    let mut row = 0;
    while row < p.m {
        let mut col = 0;
        while col < p.n {
            let tile = Tile {
                k: p.k,
                a: a.at.wrapping_offset(row as isize * a.tile),
                a_row: a.step,
                a_col: a.along,
                b: b.at.wrapping_offset(col as isize * b.tile),
                b_row: b.along,
                offsets: std::ptr::null(),
                c: p.c.wrapping_offset(row as isize * p.c_row + col as isize * p.c_col),
                c_row: p.c_row,
                rows: kernels.rows.min(p.m - row),
                cols: kernels.cols.min(p.n - col),
                accumulate: p.accumulate,
            };
            // SAFETY: the tile is within the block, and rows of B, packed or not, are contiguous.
            unsafe { if p.c_col == 1 { (kernels.tile)(&tile) } else { scattered(kernels, &tile, p.c_col) } }
            col += kernels.cols;
        }
        row += kernels.rows;
    }
}

/// A tile of a C whose rows are not contiguous.
///
/// # Safety
///
/// As for a tile, with C as `c_col` says.
unsafe fn scattered<T: Gemm>(kernels: &Kernels<T>, tile: &Tile<T>, c_col: isize) {
    const ROOM: usize = 8 * 48;
    assert!(kernels.rows * kernels.cols <= ROOM);
    let mut buffer = [const { MaybeUninit::<T>::uninit() }; ROOM];
    let sums: *mut T = buffer.as_mut_ptr().cast();
    // SAFETY: the buffer has room for a tile, of which the kernel writes every element read here.
    unsafe {
        (kernels.tile)(&Tile { c: sums, c_row: kernels.cols as isize, accumulate: false, ..*tile });
        for i in 0..tile.rows {
            for j in 0..tile.cols {
                let to = tile.c.offset(i as isize * tile.c_row + j as isize * c_col);
                let sum = *sums.add(i * kernels.cols + j);
                to.write(if tile.accumulate { (*to).plus(sum) } else { sum });
            }
        }
    }
}

/// A cache line, so that blocks begin at one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "only its size counts")] [MaybeUninit<u8>; 64]);

thread_local! {
    /// Kept from one product to the next; at most about the size of the two blocks.
    static SCRATCH: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// Lends `body` uninitialised room for `count` elements.
pub(in crate::kernels) fn with_scratch<T: Copy>(count: usize, body: impl FnOnce(*mut T)) {
    let lines = (count * size_of::<T>()).div_ceil(size_of::<Line>());
    // While it is lent another call, if any, finds nothing here and makes its own.
    let mut scratch = SCRATCH.take();
    if scratch.len() < lines {
        scratch = vec![Line([MaybeUninit::uninit(); 64]); lines];
    }
    body(scratch.as_mut_ptr().cast());
    SCRATCH.set(scratch);
}
