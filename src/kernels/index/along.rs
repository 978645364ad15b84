//! Gathering and scattering along one dimension: an index for each element.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;

use super::{Write, Written, offsets};
use crate::data::Data;
use crate::error::Result;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::{bail, with_element};

/// The elements of an index tensor, each with two offsets: that of the element in its place in a tensor whose
/// coordinate along `dim` is the index, and that of the element in its place in another tensor.
pub(super) struct Walk {
    indices: Shared<i64>,
    /// The dimensions of the index, merged where all strides allow it; at least one.
    dims: SmallVec<[Dim; 4]>,
    /// Size and stride of the dimension that the index is for.
    pub(super) size: usize,
    stride: usize,
    count: usize,
}

/// A dimension: its size, and its strides in the index tensor, in the indexed one (0 along `dim`) and in the other.
#[derive(Clone, Copy)]
struct Dim {
    size: usize,
    strides: [usize; 3],
    /// Whether it is the one that the index is for.
    indexed: bool,
}

/// Elements of the indexed tensor and the other one that belong together.
pub(super) struct Run {
    pub(super) indexed: usize,
    pub(super) step: usize,
    pub(super) other: usize,
    pub(super) other_step: usize,
    pub(super) count: usize,
}

/// How the elements of a walk are shared between threads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shares {
    /// In any way, for writing to the other tensor.
    Any,
    /// So that each thread has places of its own in the indexed tensor, and comes to them in their order.
    Places,
}

impl Walk {
    pub(super) fn new(indexed: &Data, dim: usize, index: &Data, other: &Data) -> Walk {
        let mut dims: SmallVec<[Dim; 4]> = SmallVec::new();
        for d in (0..index.sizes.len()).filter(|&d| index.sizes[d] != 1) {
            let along = if d == dim { 0 } else { indexed.strides[d] };
            let next =
                Dim { size: index.sizes[d], strides: [index.strides[d], along, other.strides[d]], indexed: d == dim };
            match dims.last_mut() {
                Some(last)
                    if !last.indexed
                        && !next.indexed
                        && (0..3).all(|i| last.strides[i] == next.strides[i] * next.size) =>
                {
                    *last = Dim { size: last.size * next.size, ..next };
                }
                _ => dims.push(next),
            }
        }
        if dims.is_empty() {
            dims.push(Dim { size: index.numel(), strides: [0; 3], indexed: true });
        }
        Walk {
            indices: Shared::new(index.pointer().cast()),
            dims,
            size: indexed.sizes.get(dim).copied().unwrap_or(1),
            stride: indexed.strides.get(dim).copied().unwrap_or(0),
            count: index.numel(),
        }
    }

    /// Calls `visit` with all elements, by runs of those that have one index in common, as those of an expanded index
    /// do; false if an index is out of bounds, whose elements are then visited as if it were 0. There must be an
    /// element 0.
    #[inline(always)]
    pub(super) fn visit(&self, shares: Shares, visit: impl Fn(Run) + Sync) -> bool {
        let possible = |d: &usize| shares == Shares::Any || !self.dims[*d].indexed;
        // Of dimensions of one size the outermost.
        let shared = (0..self.dims.len()).rev().filter(possible).max_by_key(|&d| self.dims[d].size);
        let Some(shared) = shared else { return self.visit_part(0, 0..self.dims[0].size, &visit) };
        let size = self.dims[shared].size;
        let grain = parallel::GRAIN.div_ceil((self.count / size.max(1)).max(1));
        let good = AtomicBool::new(true);
        parallel::for_each_chunk(size, grain, |range| {
            good.fetch_and(self.visit_part(shared, range, &visit), Ordering::Relaxed);
        });
        good.into_inner()
    }

    /// As [`visit`](Self::visit), for a part of one dimension.
    #[inline(always)]
    fn visit_part(&self, shared: usize, range: Range<usize>, visit: &impl Fn(Run)) -> bool {
        let mut dims = self.dims.clone();
        dims[shared].size = range.len();
        let mut at = dims[shared].strides.map(|stride| range.start * stride);
        let Some((&last, outer)) = dims.split_last() else { return true };
        if dims.iter().any(|dim| dim.size == 0) {
            return true;
        }
        let mut coordinates: SmallVec<[usize; 4]> = SmallVec::from_elem(0, outer.len());
        let [along, step, other_step] = last.strides;
        let mut good = true;
        loop {
            let [first, indexed, other] = at;
            let mut place = |i: usize| {
                // SAFETY: offsets of the index tensor lie inside it.
                let index = unsafe { *self.indices.get().add(first + i * along) } as usize;
                good &= index < self.size;
                indexed + i * step + if index < self.size { index } else { 0 } * self.stride
            };
            if along == 0 {
                visit(Run { indexed: place(0), step, other, other_step, count: last.size });
            } else {
                // Not compiled for wide vectors: their scattered loads and stores are slower than single ones.
                for i in 0..last.size {
                    visit(Run { indexed: place(i), step: 0, other: other + i * other_step, other_step: 0, count: 1 });
                }
            }
            let mut d = outer.len();
            loop {
                let Some(next) = d.checked_sub(1) else { return good };
                d = next;
                coordinates[d] += 1;
                (0..3).for_each(|i| at[i] += outer[d].strides[i]);
                if coordinates[d] < outer[d].size {
                    break;
                }
                coordinates[d] = 0;
                (0..3).for_each(|i| at[i] -= outer[d].size * outer[d].strides[i]);
            }
        }
    }

    /// The error for the first index that is out of bounds.
    pub(super) fn check(&self, name: &str, dim: usize, index: &Data) -> Result<()> {
        for from in offsets(&index.sizes, &index.strides) {
            // SAFETY: offsets of the index tensor lie inside it; it holds int64.
            let index = unsafe { *self.indices.get().add(from) };
            // PyTorch's gather and scatter take no negative index.
            if index < 0 || index >= self.size as i64 {
                bail!(Runtime, "{name}: index {index} is out of bounds for dimension {dim} with size {}", self.size);
            }
        }
        Ok(())
    }
}

/// # Safety
/// Both places hold `count` elements at their stride, and do not overlap.
#[inline(always)]
unsafe fn move_run<T: Copy>(to: *mut T, to_step: usize, from: *const T, from_step: usize, count: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        if count == 1 {
            *to = *from;
        } else if (to_step, from_step) == (1, 1) {
            std::ptr::copy_nonoverlapping(from, to, count);
        } else if (to_step, from_step) == (1, 0) {
            std::slice::from_raw_parts_mut(to, count).fill(*from);
        } else {
            (0..count).for_each(|i| *to.add(i * to_step) = *from.add(i * from_step));
        }
    }
}

/// `to += from`, of two tensors.
struct AddRun<T> {
    to: *mut T,
    from: *const T,
    count: usize,
}

impl<T: Written> Vectorized for AddRun<T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // SAFETY: whoever makes one has two runs of so many elements, in different tensors.
        let (to, from) = unsafe {
            (std::slice::from_raw_parts_mut(self.to, self.count), std::slice::from_raw_parts(self.from, self.count))
        };
        to.iter_mut().zip(from).for_each(|(to, &x)| *to = to.plus(x));
    }
}

/// `out[i][j] = input[i][index[i][j]]` along `dim`; `out` has the sizes of `index` and the type of `input`.
pub fn gather(out: &Data, input: &Data, dim: usize, index: &Data) -> Result<()> {
    let walk = Walk::new(input, dim, index, out);
    if walk.size == 0 {
        return walk.check("gather", dim, index);
    }
    let good = with_element!(input.dtype, bits T => {
        let (target, source) = (Shared::new(out.pointer().cast::<T>()), Shared::new(input.pointer().cast::<T>()));
        // SAFETY: places lie inside the tensors; threads write disjoint elements.
        walk.visit(Shares::Any, |run| unsafe {
            move_run(target.get().add(run.other), run.other_step, source.get().add(run.indexed), run.step, run.count);
        })
    });
    if good { Ok(()) } else { walk.check("gather", dim, index) }
}

/// `target[i][index[i][j]] = source[i][j]` along `dim`, or added to it. After an error what `target` holds is undefined.
pub fn scatter(target: &Data, dim: usize, index: &Data, source: &Data, write: Write) -> Result<()> {
    let walk = Walk::new(target, dim, index, source);
    if walk.size == 0 {
        return walk.check("scatter", dim, index);
    }
    // SAFETY, of the blocks below: places lie inside the tensors; threads have places of their own.
    let good = match write {
        Write::Replace => with_element!(target.dtype, bits T => {
            let (target, source) = (Shared::new(target.pointer().cast::<T>()), Shared::new(source.pointer().cast::<T>()));
            walk.visit(Shares::Places, |run| unsafe {
                let (to, from) = (target.get().add(run.indexed), source.get().add(run.other));
                move_run(to, run.step, from, run.other_step, run.count);
            })
        }),
        Write::Add => with_element!(target.dtype, T => {
            let (target, source) = (Shared::new(target.pointer().cast::<T>()), Shared::new(source.pointer().cast::<T>()));
            walk.visit(Shares::Places, |run| unsafe {
                let (to, from) = (target.get().add(run.indexed), source.get().add(run.other).cast_const());
                if run.count > 1 && (run.step, run.other_step) == (1, 1) {
                    simd::vectorize(AddRun { to, from, count: run.count });
                } else {
                    (0..run.count).for_each(|i| {
                        let to = to.add(i * run.step);
                        *to = (*to).plus(*from.add(i * run.other_step));
                    });
                }
            })
        }),
    };
    if good { Ok(()) } else { walk.check("scatter", dim, index) }
}
