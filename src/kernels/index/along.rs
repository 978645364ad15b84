//! Gathering and scattering along one dimension: an index for each element.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Write, Written, offsets};
use crate::data::Data;
use crate::error::Result;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::kernels::strided::Sequence;
use crate::shape::Dims;
use crate::{bail, with_element};

/// The elements of an index tensor, each with two offsets: that of the element in its place in a tensor whose
/// coordinate along `dim` is the index, and that of the element in its place in another tensor.
pub(super) struct Walk {
    indices: Shared<i64>,
    index: Sequence,
    indexed: Sequence,
    other: Sequence,
    /// Size and stride of the dimension that the index is for.
    pub(super) size: usize,
    stride: usize,
    pub(super) count: usize,
}

/// Elements of the indexed tensor and the other one that belong together.
pub(super) struct Run {
    indexed: usize,
    step: usize,
    other: usize,
    other_step: usize,
    count: usize,
}

impl Walk {
    pub(super) fn new(indexed: &Data, dim: usize, index: &Data, other: &Data) -> Walk {
        let mut without = Dims::from_slice(&indexed.strides);
        if let Some(stride) = without.get_mut(dim) {
            *stride = 0;
        }
        Walk {
            indices: Shared::new(index.pointer().cast()),
            index: Sequence::new(&index.sizes, &index.strides),
            indexed: Sequence::new(&index.sizes, &without),
            other: Sequence::new(&index.sizes, &other.strides),
            size: indexed.sizes.get(dim).copied().unwrap_or(1),
            stride: indexed.strides.get(dim).copied().unwrap_or(0),
            count: index.numel(),
        }
    }

    /// Calls `visit(place in the indexed tensor, place in the other)`; false if an index is out of bounds, whose
    /// element is then visited as if it were 0. There must be an element 0.
    #[inline(always)]
    pub(super) fn visit(&self, range: Range<usize>, mut visit: impl FnMut(usize, usize)) -> bool {
        self.visit_runs(range, |run| {
            (0..run.count).for_each(|i| visit(run.indexed + i * run.step, run.other + i * run.other_step))
        })
    }

    /// As [`visit`](Self::visit), by runs of elements that have one index in common, as those of an expanded index do.
    #[inline(always)]
    pub(super) fn visit_runs(&self, range: Range<usize>, mut visit: impl FnMut(Run)) -> bool {
        let mut walks = [&self.index, &self.indexed, &self.other].map(|sequence| sequence.runs_from(range.start));
        let mut runs = [(0, 0, 0); 3];
        let mut left = range.len();
        let mut good = true;
        while left > 0 {
            for (run, walk) in runs.iter_mut().zip(&mut walks) {
                if run.2 == 0 {
                    *run = walk.next_run(left);
                }
            }
            let n = runs[0].2.min(runs[1].2).min(runs[2].2);
            // SAFETY: a run of the index tensor lies inside it.
            let first = unsafe { self.indices.get().add(runs[0].0) };
            let [(_, along, _), (base, step, _), (other, other_step, _)] = runs;
            let mut place = |i: usize| {
                // SAFETY: as above.
                let index = unsafe { *first.add(i * along) } as usize;
                good &= index < self.size;
                base + i * step + if index < self.size { index } else { 0 } * self.stride
            };
            if along == 0 {
                visit(Run { indexed: place(0), step, other, other_step, count: n });
            } else {
                // Not compiled for wide vectors: their scattered loads and stores are slower than single ones.
                for i in 0..n {
                    visit(Run { indexed: place(i), step: 0, other: other + i * other_step, other_step: 0, count: 1 });
                }
            }
            runs = runs.map(|(offset, stride, length)| (offset + n * stride, stride, length - n));
            left -= n;
        }
        good
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
    let good = AtomicBool::new(true);
    with_element!(input.dtype, bits T => {
        let (target, source) = (Shared::new(out.pointer().cast::<T>()), Shared::new(input.pointer().cast::<T>()));
        parallel::for_each_chunk(walk.count, parallel::GRAIN, |range| {
            // SAFETY: places lie inside the tensors; chunks write disjoint elements.
            let all = walk.visit_runs(range, |run| unsafe {
                move_run(target.get().add(run.other), run.other_step, source.get().add(run.indexed), run.step, run.count);
            });
            good.fetch_and(all, Ordering::Relaxed);
        });
    });
    if good.into_inner() { Ok(()) } else { walk.check("gather", dim, index) }
}

/// `target[i][index[i][j]] = source[i][j]` along `dim`, or added to it. After an error what `target` holds is undefined.
pub fn scatter(target: &Data, dim: usize, index: &Data, source: &Data, write: Write) -> Result<()> {
    let walk = Walk::new(target, dim, index, source);
    if walk.size == 0 {
        return walk.check("scatter", dim, index);
    }
    let all = 0..walk.count;
    // SAFETY: places lie inside the tensors.
    let good = match write {
        Write::Replace => with_element!(target.dtype, bits T => {
            let (target, source) = (target.pointer().cast::<T>(), source.pointer().cast::<T>());
            walk.visit_runs(all, |run| unsafe {
                move_run(target.add(run.indexed), run.step, source.add(run.other), run.other_step, run.count);
            })
        }),
        Write::Add => with_element!(target.dtype, T => {
            let (target, source) = (target.pointer().cast::<T>(), source.pointer().cast::<T>());
            walk.visit_runs(all, |run| unsafe {
                let (to, from) = (target.add(run.indexed), source.add(run.other));
                if (run.step, run.other_step) == (1, 1) {
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
