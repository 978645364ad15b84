//! Reductions over any dimensions of a strided tensor.
//!
//! # Note: The same bits for any number of threads
//! The order in which elements are joined depends on the sizes alone: runs are cut into blocks of fixed length, a
//! block is folded in a fixed number of lanes, blocks are joined pairwise. Threads share out results, or blocks.

mod fold;
mod folds;

use crate::data::Data;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::kernels::strided::Sequence;
use crate::shape::Dims;
pub use fold::{BLOCK, Fold, fold_slice, step_columns};
pub use folds::{Extreme, ExtremeValue, Product, Squares, Sum};

/// Columns that are folded side by side.
const TILE: usize = 128;

/// Folds the dimensions of `input` that `chosen` marks, and gives `emit` the state for each kept element, by its
/// row-major number.
pub fn reduce<F: Fold>(fold: F, input: &Data, chosen: &[bool], emit: impl Fn(usize, F::State) + Sync) {
    let source = Shared::new(input.pointer().cast::<F::Item>());
    // The short way: all elements of a row-major tensor.
    if input.is_contiguous() && chosen.iter().all(|&reduced| reduced) {
        let length = input.numel();
        return emit(0, whole(fold, source, &Sequence::dense(length), length));
    }
    let part = |keep: bool| -> (Dims, Dims) {
        (0..chosen.len()).filter(|&d| chosen[d] != keep).map(|d| (input.sizes[d], input.strides[d])).unzip()
    };
    let (kept_sizes, kept_strides) = part(true);
    let (reduced_sizes, reduced_strides) = part(false);
    let results: usize = kept_sizes.iter().product();
    let length: usize = reduced_sizes.iter().product();
    if results == 0 {
        return;
    }
    let kept = Sequence::new(&kept_sizes, &kept_strides);
    let reduced = Sequence::new(&reduced_sizes, &reduced_strides);
    if length == 0 {
        return (0..results).for_each(|i| emit(i, fold.start()));
    }
    if results == 1 {
        return emit(0, whole(fold, source, &reduced, length));
    }
    let columns = kept.last_run();
    let grain = (parallel::GRAIN / length).max(1);
    if columns.1 == 1 && columns.0 > 1 && !reduced.is_dense() {
        // Results that lie side by side in memory are folded side by side.
        let width = columns.0;
        let tiles_a_row = width.div_ceil(TILE);
        let tiles = results / width * tiles_a_row;
        parallel::for_each_chunk(tiles, grain.div_ceil(TILE), |range| {
            let mut states = [fold.start(); TILE];
            for tile in range {
                let (row, left) = (tile / tiles_a_row, tile % tiles_a_row * TILE);
                let count = TILE.min(width - left);
                let first = row * width + left;
                let (offset, ..) = kept.runs_from(first).next_run(1);
                states[..count].fill(fold.start());
                let mut runs = reduced.runs_from(0);
                let mut seen = 0;
                while seen < length {
                    let (down, stride, n) = runs.next_run(length - seen);
                    // SAFETY: offsets of sequences stay inside the tensor.
                    let top = unsafe { source.get().add(offset + down) };
                    simd::vectorize(Columns { fold, top, stride, rows: n, seen, states: &mut states[..count] });
                    seen += n;
                }
                states[..count].iter().enumerate().for_each(|(i, &state)| emit(first + i, state));
            }
        });
        return;
    }
    parallel::for_each_chunk(results, grain, |range| {
        let mut outer = kept.runs_from(range.start);
        let mut done = 0;
        while done < range.len() {
            let (offset, stride, n) = outer.next_run(range.len() - done);
            // SAFETY: as above.
            let first = unsafe { source.get().add(offset) };
            if reduced.is_dense() && length <= BLOCK {
                simd::vectorize(Rows { fold, first, stride, rows: n, length, number: range.start + done, emit: &emit });
            } else {
                for i in 0..n {
                    let row = Shared::new(first.wrapping_add(i * stride));
                    emit(range.start + done + i, part_of(fold, row, &reduced, 0, length));
                }
            }
            done += n;
        }
    });
}

/// Folds all elements into one state, blocks shared between threads.
fn whole<F: Fold>(fold: F, source: Shared<F::Item>, sequence: &Sequence, length: usize) -> F::State {
    const PIECE: usize = 64 * BLOCK;
    if length <= PIECE {
        return part_of(fold, source, sequence, 0, length);
    }
    let pieces = length.div_ceil(PIECE);
    let mut states = vec![fold.start(); pieces];
    let sink = Shared::new(states.as_mut_ptr());
    parallel::for_each_chunk(pieces, 1, |range| {
        for piece in range {
            let start = piece * PIECE;
            let state = part_of(fold, source, sequence, start, PIECE.min(length - start));
            // SAFETY: each piece has a state of its own.
            unsafe { sink.get().add(piece).write(state) };
        }
    });
    pairwise(fold, &mut states)
}

/// Folds `length` elements of a sequence from `start`.
fn part_of<F: Fold>(fold: F, source: Shared<F::Item>, sequence: &Sequence, start: usize, length: usize) -> F::State {
    let mut runs = sequence.runs_from(start);
    let mut states: smallvec::SmallVec<[F::State; 8]> = smallvec::SmallVec::new();
    let mut seen = 0;
    while seen < length {
        let (offset, stride, n) = runs.next_run(BLOCK.min(length - seen));
        // SAFETY: runs stay inside the tensor.
        let first = unsafe { source.get().add(offset) };
        states.push(simd::vectorize(Run { fold, first, stride, n, seen: start + seen }));
        seen += n;
        // Short runs would make a long list: join what is there now and then.
        if states.len() == 4096 {
            let joined = pairwise(fold, &mut states);
            states.clear();
            states.push(joined);
        }
    }
    pairwise(fold, &mut states)
}

/// Joins states in a balanced tree. There is at least one.
fn pairwise<F: Fold>(fold: F, states: &mut [F::State]) -> F::State {
    let mut count = states.len();
    while count > 1 {
        for i in 0..count / 2 {
            states[i] = fold.join(states[2 * i], states[2 * i + 1]);
        }
        if count % 2 == 1 {
            states[count / 2] = states[count - 1];
        }
        count = count.div_ceil(2);
    }
    states.first().copied().unwrap_or(fold.start())
}

/// A run of at most [`BLOCK`] elements.
struct Run<F: Fold> {
    fold: F,
    first: *const F::Item,
    stride: usize,
    n: usize,
    seen: usize,
}

impl<F: Fold> Vectorized for Run<F> {
    type Output = F::State;
    #[inline(always)]
    fn run(self) -> F::State {
        let Run { fold, first, stride, n, seen } = self;
        if stride == 1 {
            // SAFETY: the run has n elements side by side.
            return fold.contiguous(unsafe { std::slice::from_raw_parts(first, n) }, seen);
        }
        // SAFETY: the run has n elements at this stride.
        (0..n).fold(fold.start(), |state, i| fold.step(state, unsafe { *first.add(i * stride) }, seen + i))
    }
}

/// Rows of at most [`BLOCK`] contiguous elements, each of which gives a result.
struct Rows<'a, F: Fold, E> {
    fold: F,
    first: *const F::Item,
    stride: usize,
    rows: usize,
    length: usize,
    number: usize,
    emit: &'a E,
}

impl<F: Fold, E: Fn(usize, F::State)> Vectorized for Rows<'_, F, E> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for row in 0..self.rows {
            // SAFETY: every row lies inside the tensor.
            let items = unsafe { std::slice::from_raw_parts(self.first.add(row * self.stride), self.length) };
            (self.emit)(self.number + row, self.fold.contiguous(items, 0));
        }
    }
}

/// Some rows of some columns that lie side by side.
struct Columns<'a, F: Fold> {
    fold: F,
    top: *const F::Item,
    stride: usize,
    rows: usize,
    seen: usize,
    states: &'a mut [F::State],
}

impl<F: Fold> Vectorized for Columns<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // SAFETY: all rows and columns lie inside the tensor.
        unsafe { step_columns(self.fold, self.top, self.stride, self.rows, |row, _| self.seen + row, self.states) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::shape;
    use crate::tensor::Tensor;

    /// How many elements a fold has seen, and their sum weighted by place: any lost, doubled or misplaced one shows.
    #[derive(Clone, Copy)]
    struct Order;

    impl Fold for Order {
        type Item = i64;
        type State = (usize, i64);
        fn start(self) -> (usize, i64) {
            (0, 0)
        }
        fn step(self, state: (usize, i64), item: i64, index: usize) -> (usize, i64) {
            (state.0 + 1, state.1.wrapping_add(item.wrapping_mul(2 * index as i64 + 1)))
        }
        fn join(self, left: (usize, i64), right: (usize, i64)) -> (usize, i64) {
            (left.0 + right.0, left.1.wrapping_add(right.1))
        }
    }

    fn check(input: &Tensor, chosen: &[bool]) {
        let (sizes, data) = (input.sizes(), input.data());
        let kept = shape::reduced(&sizes, chosen, false);
        let expected = {
            let mut all = vec![(0, 0); kept.iter().product()];
            let row = shape::contiguous_strides(&kept);
            let values = input.to_vec::<i64>().unwrap();
            for (i, value) in values.into_iter().enumerate() {
                let mut rest = i;
                let mut index = vec![0; sizes.len()];
                for d in (0..sizes.len()).rev() {
                    index[d] = rest % sizes[d];
                    rest /= sizes[d];
                }
                let place =
                    index.iter().zip(chosen).filter(|row| !row.1).zip(&row).map(|((i, _), s)| i * s).sum::<usize>();
                let nth = (0..sizes.len()).filter(|&d| chosen[d]).fold(0, |nth, d| nth * sizes[d] + index[d]);
                all[place] = Order.step(all[place], value, nth);
            }
            all
        };
        let found = Mutex::new(vec![None; expected.len()]);
        reduce(Order, &data, chosen, |i, state| {
            let before = found.lock().unwrap()[i].replace(state);
            assert!(before.is_none(), "result {i} is given twice");
        });
        let found: Vec<_> = found.into_inner().unwrap().into_iter().map(|state| state.unwrap()).collect();
        assert_eq!(found, expected, "sizes {sizes:?} strides {:?} reduced {chosen:?}", data.strides);
    }

    #[test]
    fn every_layout_is_folded_like_a_loop() {
        for sizes in [[3, 5, 4], [1, 200, 3], [2, 3, 1100], [1300, 2, 2], [2, 0, 3], [7, 150, 1]] {
            let count: usize = sizes.iter().product();
            let values: Vec<i64> = (0..count as i64).map(|i| i * i % 1009).collect();
            let rows = Tensor::from_slice(&values, &sizes).unwrap();
            for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
                let input = crate::ops::views::permute(&rows, &order).unwrap();
                for bits in 0..8 {
                    check(&input, &[bits & 1 != 0, bits & 2 != 0, bits & 4 != 0]);
                }
            }
        }
    }

    /// More than one piece for threads, and columns of more than one tile.
    #[test]
    fn large_tensors_are_folded_like_a_loop() {
        let values: Vec<i64> = (0..150_000).map(|i| i * 7 % 1013).collect();
        let input = Tensor::from_slice(&values, &[500, 300]).unwrap();
        for chosen in [[true, true], [true, false], [false, true], [false, false]] {
            check(&input, &chosen);
        }
    }
}
