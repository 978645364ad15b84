//! Advanced indices: index tensors for some dimensions, the others whole.

use super::{Write, Written, offsets};
use crate::data::Data;
use crate::error::Result;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::shape::{Dims, contiguous_strides, is_contiguous, show};
use crate::{bail, with_element};

/// The geometry of an advanced index: where its elements lie in the indexed tensor, and the sizes of its result.
///
/// A row of the result is what the dimensions after the indexed ones hold; its first element lies at an offset for the
/// dimensions before plus one for the index tensors.
pub struct Picked {
    before: Vec<usize>,
    rows: Vec<usize>,
    inner: Inner,
    pub sizes: Dims,
}

/// The offsets of a row's elements.
enum Inner {
    Dense(usize),
    Scattered(Vec<usize>),
}

/// An index that may count from the end, as an offset.
#[inline]
fn checked(name: &str, index: i64, size: usize, dim: usize) -> Result<usize> {
    let size = size as i64;
    if index < -size || index >= size {
        bail!(Index, "{name}: index {index} is out of bounds for dimension {dim} with size {size}");
    }
    Ok(if index < 0 { index + size } else { index } as usize)
}

/// Works out an advanced index: for each dimension an int64 tensor or nothing, all tensors of the size `shape`.
///
/// Indexed dimensions that lie side by side are replaced by `shape` where they are; others move to the front.
pub fn pick(input: &Data, indices: &[Option<Data>], shape: &[usize]) -> Result<Picked> {
    let indexed: Vec<usize> = (0..indices.len()).filter(|&d| indices[d].is_some()).collect();
    let (Some(&first), Some(&last)) = (indexed.first(), indexed.last()) else {
        bail!(Index, "index: at least one index tensor is needed");
    };
    if last >= input.sizes.len() {
        bail!(Index, "too many indices: {} for a tensor of {} dimensions", last + 1, input.sizes.len());
    }
    let together = last - first + 1 == indexed.len();
    let count: usize = shape.iter().product();
    let mut rows = vec![0usize; count];
    for &d in &indexed {
        let Some(index) = &indices[d] else { continue };
        let (size, stride) = (input.sizes[d], input.strides[d]);
        let pointer = index.pointer().cast::<i64>();
        // SAFETY: offsets of the index tensor lie inside it; it holds int64.
        let add = |row: &mut usize, from: usize| -> Result<()> {
            *row += checked("index", unsafe { *pointer.add(from) }, size, d)? * stride;
            Ok(())
        };
        if is_contiguous(shape, &index.strides) {
            rows.iter_mut().enumerate().try_for_each(|(from, row)| add(row, from))?;
        } else {
            rows.iter_mut().zip(offsets(shape, &index.strides)).try_for_each(|(row, from)| add(row, from))?;
        }
    }
    let rest = |range: std::ops::Range<usize>| -> (Dims, Dims) {
        range.filter(|d| !indexed.contains(d)).map(|d| (input.sizes[d], input.strides[d])).unzip()
    };
    let split = if together { first } else { 0 };
    let (before, before_strides) = rest(0..split);
    let (after, after_strides) = rest(split..input.sizes.len());
    let sizes: Dims = before.iter().chain(shape).chain(&after).copied().collect();
    crate::shape::numel(&sizes)?;
    let inner = if is_contiguous(&after, &after_strides) {
        Inner::Dense(after.iter().product())
    } else {
        Inner::Scattered(offsets(&after, &after_strides))
    };
    Ok(Picked { before: offsets(&before, &before_strides), rows, inner, sizes })
}

impl Picked {
    fn rows(&self) -> usize {
        self.before.len() * self.rows.len()
    }

    fn width(&self) -> usize {
        match &self.inner {
            Inner::Dense(width) => *width,
            Inner::Scattered(inner) => inner.len(),
        }
    }

    /// Calls `visit(first, offset in the indexed tensor, n)` for pieces of contiguous elements of some rows of the
    /// result, of which `first` is the number of the first.
    #[inline(always)]
    fn visit(&self, rows: std::ops::Range<usize>, mut visit: impl FnMut(usize, usize, usize)) {
        let (count, width) = (self.rows.len().max(1), self.width());
        let mut at = rows.start;
        while at < rows.end {
            let (before, first) = (self.before[at / count], at % count);
            let last = count.min(first + rows.end - at);
            for (row, start) in (at..).zip(&self.rows[first..last]) {
                let start = before + start;
                match &self.inner {
                    Inner::Dense(width) => visit(row * width, start, *width),
                    Inner::Scattered(inner) => {
                        inner.iter().enumerate().for_each(|(i, offset)| visit(row * width + i, start + offset, 1))
                    }
                }
            }
            at += last - first;
        }
    }
}

/// The picked elements, into a row-major `out` of the picked sizes.
pub fn read(out: &Data, input: &Data, picked: &Picked) {
    debug_assert_eq!(out.sizes, picked.sizes, "{}", show(&out.sizes));
    with_element!(input.dtype, bits T => {
        let (target, source) = (Shared::new(out.pointer().cast::<T>()), Shared::new(input.pointer().cast::<T>()));
        let grain = (parallel::GRAIN / picked.width().max(1)).max(1);
        parallel::for_each_chunk(picked.rows(), grain, |rows| {
            // SAFETY: picked places lie inside the input, numbers below the count inside the result.
            picked.visit(rows, |to, from, n| unsafe {
                if n == 1 {
                    *target.get().add(to) = *source.get().add(from);
                } else {
                    std::ptr::copy_nonoverlapping(source.get().add(from), target.get().add(to), n);
                }
            });
        });
    });
}

/// Writes `source`, broadcast to the picked sizes by `strides`, to the picked places.
pub fn write(target: &Data, picked: &Picked, source: &Data, strides: &[usize], write: Write) {
    with_element!(target.dtype, T => {
        let (to, from) = (target.pointer().cast::<T>(), source.pointer().cast::<T>());
        if strides == &contiguous_strides(&picked.sizes)[..] || is_contiguous(&picked.sizes, strides) {
            // Each thread has columns of its own, so that the order of the rows is the same for all.
            let (to, from) = (Shared::new(to), Shared::new(from));
            let columns = if matches!(picked.inner, Inner::Dense(_)) { picked.width() } else { 1 };
            let grain = parallel::GRAIN.div_ceil(picked.rows().max(1)).max(64 / size_of::<T>());
            return parallel::for_each_chunk(columns, grain, |columns| {
                simd::vectorize(Rows { to: to.get(), from: from.get().cast_const(), picked, columns, write });
            });
        }
        if strides.iter().all(|&stride| stride == 0) && picked.rows() > 0 {
            // SAFETY: the source has the one element.
            let value = unsafe { *from };
            // SAFETY: picked places lie inside the target.
            return picked.visit(0..picked.rows(), |_, start, n| unsafe {
                std::slice::from_raw_parts_mut(to.add(start), n).iter_mut().for_each(|place| put(place, value, write));
            });
        }
        let sources = offsets(&picked.sizes, strides);
        picked.visit(0..picked.rows(), |first, start, n| {
            for (i, &source) in sources[first..first + n].iter().enumerate() {
                // SAFETY: picked places lie inside the target, offsets of the source inside that.
                unsafe { put(to.add(start + i), *from.add(source), write) }
            }
        });
    });
}

/// # Safety
/// `place` is valid.
#[inline(always)]
unsafe fn put<T: Written>(place: *mut T, value: T, write: Write) {
    // SAFETY: by the caller's promise.
    unsafe { *place = if write == Write::Add { (*place).plus(value) } else { value } }
}

/// A row-major source written row by row, in order: of two rows for one place, the later one counts.
struct Rows<'a, T> {
    to: *mut T,
    from: *const T,
    picked: &'a Picked,
    /// A part of each run of elements that lie side by side.
    columns: std::ops::Range<usize>,
    write: Write,
}

impl<T: Written> Vectorized for Rows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Rows { to, from, picked, columns, write } = self;
        // SAFETY: picked places lie inside the target, numbers below the count inside the source, which is another
        // tensor.
        picked.visit(0..picked.rows(), |first, start, _| unsafe {
            let (target, source, n) = (to.add(start + columns.start), from.add(first + columns.start), columns.len());
            match write {
                Write::Replace => std::ptr::copy_nonoverlapping(source, target, n),
                Write::Add => (0..n).for_each(|i| *target.add(i) = (*target.add(i)).plus(*source.add(i))),
            }
        });
    }
}
