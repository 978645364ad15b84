//! Copying between tensors of any strides and element types.

use smallvec::SmallVec;

use crate::data::Data;
use crate::kernels::convert::{Convert, converter};
use crate::kernels::map::Operand;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::transpose::transpose;
use crate::shape;
use crate::with_element;

/// Rows and columns from which on a matrix is turned in tiles.
const NARROW: usize = 4;

/// Copies `source`, broadcast to the sizes of `target`, into it. The two must not overlap.
pub fn copy(target: &Data, source: &Data) {
    let count = target.numel();
    // The short way: the same elements in the same order, and not so many that threads would help.
    let rows = target.is_contiguous() && source.is_contiguous() && target.sizes == source.sizes;
    if rows && target.dtype == source.dtype && count < 2 * parallel::GRAIN {
        // SAFETY: both hold `count` elements one after another.
        unsafe { std::ptr::copy(source.pointer(), target.pointer(), count * target.dtype.size()) };
        return;
    }
    let Some(strides) = shape::broadcast_strides(&source.sizes, &source.strides, &target.sizes) else {
        debug_assert!(false, "copy between sizes that do not broadcast");
        return;
    };
    let into = Operand { pointer: target.pointer(), strides: &target.strides, dtype: target.dtype };
    let from = Operand { pointer: source.pointer(), strides: &strides, dtype: source.dtype };
    // SAFETY: both are live tensors, the second as its strides see it.
    unsafe { copy_strided(&target.sizes, into, from) }
}

/// Copies the elements of a region of `sizes` to another.
///
/// # Safety
/// Both lie inside live memory, and do not overlap.
pub unsafe fn copy_strided(sizes: &[usize], target: Operand, source: Operand) {
    let nest = Nest::new(sizes, target.strides, source.strides);
    if sizes.contains(&0) {
        return;
    }
    let across = (target.dtype == source.dtype).then(|| nest.across()).flatten();
    let job = Job {
        into: Shared::new(target.pointer),
        from: Shared::new(source.pointer),
        target_size: target.dtype.size(),
        source_size: source.dtype.size(),
        convert: converter(source.dtype, target.dtype),
    };
    // SAFETY: by the caller's promise.
    unsafe {
        match across {
            Some(dim) => with_element!(target.dtype, bits T => job.turn::<T>(&nest, dim)),
            None => job.rows(&nest),
        }
    }
}

/// A dimension: its size, and its stride in the target and in the source.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Dim {
    size: usize,
    into: usize,
    from: usize,
}

/// The dimensions of both regions, the target's memory going forward, merged where both allow it.
struct Nest(SmallVec<[Dim; 6]>);

impl Nest {
    fn new(sizes: &[usize], into: &[usize], from: &[usize]) -> Nest {
        let mut dims: SmallVec<[Dim; 6]> =
            (0..sizes.len()).map(|d| Dim { size: sizes[d], into: into[d], from: from[d] }).collect();
        dims.retain(|dim| dim.size != 1);
        dims.sort_by_key(|dim| std::cmp::Reverse(dim.into));
        let mut merged: SmallVec<[Dim; 6]> = SmallVec::new();
        for dim in dims {
            match merged.last_mut() {
                Some(last) if last.into == dim.into * dim.size && last.from == dim.from * dim.size => {
                    *last = Dim { size: last.size * dim.size, ..dim };
                }
                _ => merged.push(dim),
            }
        }
        if merged.is_empty() {
            merged.push(Dim { size: 1, into: 1, from: 1 });
        }
        Nest(merged)
    }

    /// The dimension along which the source's elements lie side by side, if the last is not that one.
    fn across(&self) -> Option<usize> {
        let (last, rest) = self.0.split_last()?;
        let dim = rest.iter().position(|dim| dim.from == 1 && dim.size >= NARROW)?;
        (last.into == 1 && last.from > 1 && last.size >= NARROW).then_some(dim)
    }

    /// Calls `visit` with the offsets, in both, of the places in a range of some dimensions.
    #[inline(always)]
    fn for_each(dims: &[Dim], range: std::ops::Range<usize>, mut visit: impl FnMut(usize, usize)) {
        let Some((last, outer)) = dims.split_last() else { return range.for_each(|_| visit(0, 0)) };
        let mut at = range.start;
        while at < range.end {
            let (mut rest, first) = (at / last.size, at % last.size);
            let (mut into, mut from) = (first * last.into, first * last.from);
            for dim in outer.iter().rev() {
                into += rest % dim.size * dim.into;
                from += rest % dim.size * dim.from;
                rest /= dim.size;
            }
            let count = (last.size - first).min(range.end - at);
            for i in 0..count {
                visit(into + i * last.into, from + i * last.from);
            }
            at += count;
        }
    }
}

/// Where from, where to, and how an element gets there.
#[derive(Clone, Copy)]
struct Job {
    into: Shared<u8>,
    from: Shared<u8>,
    target_size: usize,
    source_size: usize,
    convert: Convert,
}

impl Job {
    /// # Safety
    /// The nest lies inside both regions.
    #[inline(always)]
    unsafe fn run(&self, into: usize, from: usize, last: Dim, length: usize) {
        // SAFETY: by the caller's promise.
        unsafe {
            let to = self.into.get().add(into * self.target_size);
            (self.convert)(to, last.into, self.from.get().add(from * self.source_size), last.from, length);
        }
    }

    /// Row by row; long rows are divided.
    ///
    /// # Safety
    /// As for [`run`](Self::run).
    unsafe fn rows(self, nest: &Nest) {
        let Some((&last, outer)) = nest.0.split_last() else { return };
        let rows: usize = outer.iter().map(|dim| dim.size).product();
        if last.size >= 2 * parallel::GRAIN {
            return Nest::for_each(outer, 0..rows, |into, from| {
                parallel::for_each_chunk(last.size, parallel::GRAIN, |range| {
                    let (into, from) = (into + range.start * last.into, from + range.start * last.from);
                    // SAFETY: by the caller's promise; each part of a row belongs to one thread.
                    unsafe { self.run(into, from, last, range.len()) }
                });
            });
        }
        parallel::for_each_chunk(rows, parallel::GRAIN.div_ceil(last.size), |range| {
            // SAFETY: as above.
            Nest::for_each(outer, range, |into, from| unsafe { self.run(into, from, last, last.size) });
        });
    }

    /// In tiles of the last dimension and the dimension `across`.
    ///
    /// # Safety
    /// As for [`run`](Self::run), with elements as large as a `T`.
    unsafe fn turn<T: Copy>(self, nest: &Nest, across: usize) {
        /// Elements across that are turned at a time.
        const STRIP: usize = 64;
        let Some((&last, rest)) = nest.0.split_last() else { return };
        let along = rest[across];
        let outer: SmallVec<[Dim; 6]> = (0..rest.len()).filter(|&d| d != across).map(|d| rest[d]).collect();
        let strips = along.size.div_ceil(STRIP);
        let units = outer.iter().map(|dim| dim.size).product::<usize>() * strips;
        let grain = parallel::GRAIN.div_ceil(last.size * along.size.min(STRIP));
        let (target, source) = (Shared::new(self.into.get().cast::<T>()), Shared::new(self.from.get().cast::<T>()));
        parallel::for_each_chunk(units, grain, |range| {
            for unit in range {
                let first = unit % strips * STRIP;
                let wide = STRIP.min(along.size - first);
                Nest::for_each(&outer, unit / strips..unit / strips + 1, |into, from| {
                    // SAFETY: by the caller's promise; each strip belongs to one thread.
                    unsafe {
                        let from = source.get().add(from + first).cast_const();
                        let to = target.get().add(into + first * along.into);
                        transpose(last.size, wide, from, last.from, to, along.into);
                    }
                });
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::views::{expand, permute, slice};
    use crate::tensor::Tensor;

    /// Every order of dimensions and element size, against the elements one by one.
    #[test]
    fn turned_regions_are_copied_like_single_elements() {
        for sizes in [[2, 3, 4], [5, 17, 20], [33, 9, 16], [1, 100, 70], [300, 200, 2]] {
            let count: usize = sizes.iter().product();
            let values: Vec<i64> = (0..count as i64).map(|i| i % 120).collect();
            for dtype in [crate::DType::Int8, crate::DType::Float32, crate::DType::Float64, crate::DType::Complex128] {
                let rows = Tensor::from_slice(&values, &sizes).unwrap().cast(dtype).unwrap();
                for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                    let source = permute(&rows, &order).unwrap();
                    let target = Tensor::zeros(&source.sizes(), dtype).unwrap();
                    copy(&target.data(), &source.data());
                    let at = |i: usize, j: usize, k: usize| {
                        let place = [i, j, k];
                        let mut index = [0; 3];
                        (0..3).for_each(|d| index[order[d] as usize] = place[d]);
                        values[(index[0] * sizes[1] + index[1]) * sizes[2] + index[2]]
                    };
                    let [a, b, c] = [0, 1, 2].map(|d: usize| sizes[order[d] as usize]);
                    let all = (0..a).flat_map(|i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))));
                    let expected: Vec<i64> = all.map(|(i, j, k)| at(i, j, k)).collect();
                    let found = target.cast(crate::DType::Int64).unwrap().to_vec::<i64>().unwrap();
                    assert_eq!(found, expected, "{dtype} {sizes:?} {order:?}");
                }
            }
        }
    }

    #[test]
    fn runs_of_different_lengths_meet() {
        let values: Vec<i32> = (0..60).collect();
        let source = permute(&Tensor::from_slice(&values, &[3, 4, 5]).unwrap(), &[2, 0, 1]).unwrap();
        let memory = Tensor::zeros(&[5, 3, 8], crate::DType::Float64).unwrap();
        let target = slice(&memory, 2, Some(1), None, 2).unwrap();
        copy(&target.data(), &source.data());
        assert_eq!(target.to_vec::<i32>().unwrap(), source.to_vec::<i32>().unwrap());
        // What lies between stays as it was.
        let gaps = slice(&memory, 2, Some(0), None, 2).unwrap();
        assert!(gaps.to_vec::<i32>().unwrap().iter().all(|&value| value == 0));
        let row = slice(&source, 0, Some(0), Some(1), 1).unwrap();
        copy(&target.data(), &row.data());
        assert_eq!(target.to_vec::<i32>().unwrap(), expand(&row, &[5, 3, 4]).unwrap().to_vec::<i32>().unwrap());
    }
}
