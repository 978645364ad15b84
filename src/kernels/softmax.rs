//! Softmax, its logarithm, and the gradients of both, along one dimension.
//!
//! # Note: Three passes
//! Each is the largest element (if that is subtracted), a sum of terms, and a result made of an element, its term and
//! the sum. Along the last dimension a row is gone through while it is in the first-level cache; along another, columns
//! that lie side by side are the lanes of vectors.

use crate::kernels::algebra::Float;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::reduce::{BLOCK, ExtremeValue, Sum, fold_slice, step_columns};
use crate::kernels::simd::{self, Vectorized};
pub use crate::shape::Extents;

/// Columns that are gone through side by side.
const TILE: usize = 128;
/// Rows of terms that are made before they are added.
const DEPTH: usize = 8;

/// A function of two tensors (of one, given twice) along a dimension.
pub trait Formula<T>: Copy + Sync {
    /// Whether the largest of the `a` is subtracted; else `most` is 0.
    const SHIFTED: bool;
    /// What is added up.
    fn term(a: T, b: T, most: T) -> T;
    /// Made once from the sum.
    fn finish(total: T) -> T;
    fn result(a: T, b: T, term: T, most: T, finished: T) -> T;
}

/// `exp(a) / sum(exp(a))`.
#[derive(Clone, Copy)]
pub struct Softmax;

impl<T: Float> Formula<T> for Softmax {
    const SHIFTED: bool = true;
    #[inline(always)]
    fn term(a: T, _: T, most: T) -> T {
        (a - most).exp()
    }
    #[inline(always)]
    fn finish(total: T) -> T {
        T::from_f64(1.0) / total
    }
    #[inline(always)]
    fn result(_: T, _: T, term: T, _: T, finished: T) -> T {
        term * finished
    }
}

/// `a - log(sum(exp(a)))`.
#[derive(Clone, Copy)]
pub struct LogSoftmax;

impl<T: Float> Formula<T> for LogSoftmax {
    const SHIFTED: bool = true;
    #[inline(always)]
    fn term(a: T, _: T, most: T) -> T {
        (a - most).exp()
    }
    #[inline(always)]
    fn finish(total: T) -> T {
        total.log()
    }
    #[inline(always)]
    fn result(a: T, _: T, _: T, most: T, finished: T) -> T {
        a - most - finished
    }
}

/// From the gradient a of a softmax and its value b, the gradient of its input: `b (a - sum(a b))`.
#[derive(Clone, Copy)]
pub struct SoftmaxGradient;

impl<T: Float> Formula<T> for SoftmaxGradient {
    const SHIFTED: bool = false;
    #[inline(always)]
    fn term(a: T, b: T, _: T) -> T {
        a * b
    }
    #[inline(always)]
    fn finish(total: T) -> T {
        total
    }
    #[inline(always)]
    fn result(a: T, b: T, _: T, _: T, finished: T) -> T {
        b * (a - finished)
    }
}

/// From the gradient a of a log_softmax and its value b, the gradient of its input: `a - exp(b) sum(a)`.
#[derive(Clone, Copy)]
pub struct LogSoftmaxGradient;

impl<T: Float> Formula<T> for LogSoftmaxGradient {
    const SHIFTED: bool = false;
    #[inline(always)]
    fn term(a: T, _: T, _: T) -> T {
        a
    }
    #[inline(always)]
    fn finish(total: T) -> T {
        total
    }
    #[inline(always)]
    fn result(a: T, b: T, _: T, _: T, finished: T) -> T {
        a - b.exp() * finished
    }
}

/// Computes `formula` along the dimension of `extents`.
///
/// # Safety
/// `a`, `b` and `out` are row-major tensors of these extents; `out` is none of the others.
pub unsafe fn along<T: Float, F: Formula<T>>(_: F, extents: Extents, a: *const T, b: *const T, out: *mut T) {
    let Extents { outer, length, inner } = extents;
    let (a, b, out) = (Shared::new(a), Shared::new(b), Shared::new(out));
    let grain = |width: usize| (parallel::GRAIN / (4 * length * width).max(1)).max(1);
    let part = move |offset: usize| Part::<T, F> {
        a: a.get().wrapping_add(offset),
        b: b.get().wrapping_add(offset),
        out: out.get().wrapping_add(offset),
        length,
        inner,
        formula: std::marker::PhantomData,
    };
    if inner == 1 {
        parallel::for_each_chunk(outer, grain(1), |rows| {
            simd::vectorize(Rows { first: part(rows.start * length), rows: rows.len() });
        });
    } else {
        let tiles = inner.div_ceil(TILE);
        parallel::for_each_chunk(outer * tiles, grain(TILE.min(inner)), |range| {
            for tile in range {
                let left = tile % tiles * TILE;
                let first = part(tile / tiles * length * inner + left);
                simd::vectorize(Columns { first, columns: TILE.min(inner - left) });
            }
        });
    }
}

/// Where the operands and the result begin.
struct Part<T, F> {
    a: *const T,
    b: *const T,
    out: *mut T,
    length: usize,
    inner: usize,
    formula: std::marker::PhantomData<F>,
}

struct Rows<T, F> {
    first: Part<T, F>,
    rows: usize,
}

impl<T: Float, F: Formula<T>> Vectorized for Rows<T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let length = self.first.length;
        for at in (0..self.rows * length).step_by(length.max(1)) {
            // SAFETY: a row of each tensor, by the promise to `along`.
            let (a, b, out) = unsafe {
                (
                    std::slice::from_raw_parts(self.first.a.add(at), length),
                    std::slice::from_raw_parts(self.first.b.add(at), length),
                    std::slice::from_raw_parts_mut(self.first.out.add(at), length),
                )
            };
            row::<T, F>(a, b, out);
        }
    }
}

#[inline(always)]
fn row<T: Float, F: Formula<T>>(a: &[T], b: &[T], out: &mut [T]) {
    let most = if F::SHIFTED { fold_slice(ExtremeValue::<T, true>::default(), a) } else { T::default() };
    let mut total = T::default();
    for ((out, a), b) in out.chunks_mut(BLOCK).zip(a.chunks(BLOCK)).zip(b.chunks(BLOCK)) {
        for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
            *out = F::term(a, b, most);
        }
        total = total + fold_slice(Sum::<T>::default(), out);
    }
    let finished = F::finish(total);
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = F::result(a, b, *out, most, finished);
    }
}

/// At most [`TILE`] columns.
struct Columns<T, F> {
    first: Part<T, F>,
    columns: usize,
}

impl<T: Float, F: Formula<T>> Vectorized for Columns<T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Part { a, b, out, length, inner, .. } = self.first;
        let (mut most, mut total) = ([T::default(); TILE], [T::default(); TILE]);
        let (most, total) = (&mut most[..self.columns], &mut total[..self.columns]);
        // SAFETY: rows and columns lie inside the tensors, by the promise to `along`.
        unsafe {
            if F::SHIFTED {
                most.fill(T::lowest());
                step_columns(ExtremeValue::<T, true>::default(), a, inner, length, |row, _| row, most);
            }
            for top in (0..length).step_by(DEPTH) {
                let rows = DEPTH.min(length - top);
                for row in top..top + rows {
                    for (column, &most) in most.iter().enumerate() {
                        let at = row * inner + column;
                        *out.add(at) = F::term(*a.add(at), *b.add(at), most);
                    }
                }
                step_columns(Sum::<T>::default(), out.add(top * inner), inner, rows, |row, _| row, total);
            }
            total.iter_mut().for_each(|total| *total = F::finish(*total));
            for row in 0..length {
                for (column, (&most, &finished)) in most.iter().zip(total.iter()).enumerate() {
                    let at = row * inner + column;
                    *out.add(at) = F::result(*a.add(at), *b.add(at), *out.add(at), most, finished);
                }
            }
        }
    }
}
