//! How elements are folded into one value, and the loops over contiguous ones.

use crate::dtype::Element;

pub trait Fold: Copy + Sync {
    type Item: Element;
    type State: Copy + Send + Sync;
    fn start(self) -> Self::State;
    /// Takes in one element; `index` is its place among the reduced elements.
    fn step(self, state: Self::State, item: Self::Item, index: usize) -> Self::State;
    /// Joins two states, of which `left` saw the earlier elements.
    fn join(self, left: Self::State, right: Self::State) -> Self::State;

    /// Folds at most [`BLOCK`] elements, of which the first has the place `seen`.
    #[inline(always)]
    fn contiguous(self, items: &[Self::Item], seen: usize) -> Self::State {
        in_lanes(self, items, seen)
    }
}

/// Elements that are folded in lanes before their states are joined pairwise.
pub const BLOCK: usize = 1024;
/// Independent states of a block: enough for two vectors of the widest registers.
const LANES: usize = 32;
/// Rows for which the state of a column stays in a register.
const DEPTH: usize = 8;

/// Folds a slice of any length.
#[inline(always)]
pub fn fold_slice<F: Fold>(fold: F, items: &[F::Item]) -> F::State {
    items
        .chunks(BLOCK)
        .enumerate()
        .fold(fold.start(), |state, (i, block)| fold.join(state, fold.contiguous(block, i * BLOCK)))
}

#[inline(always)]
fn in_lanes<F: Fold>(fold: F, items: &[F::Item], seen: usize) -> F::State {
    if items.len() < LANES {
        return items.iter().enumerate().fold(fold.start(), |state, (i, &item)| fold.step(state, item, seen + i));
    }
    let mut lanes = [fold.start(); LANES];
    let rows = items.len() / LANES;
    // SAFETY: the rows of lanes lie inside the slice.
    unsafe { step_columns(fold, items.as_ptr(), LANES, rows, |row, lane| seen + row * LANES + lane, &mut lanes) };
    let full = rows * LANES;
    for (lane, &item) in items[full..].iter().enumerate() {
        lanes[lane] = fold.step(lanes[lane], item, seen + full + lane);
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            lanes[lane] = fold.join(lanes[lane], lanes[lane + width]);
        }
    }
    lanes[0]
}

/// Takes rows of elements, `stride` apart, into a state for each column; `place(row, column)` is an element's place.
///
/// # Safety
/// `rows` rows of as many elements as there are states are valid.
#[inline(always)]
pub unsafe fn step_columns<F: Fold>(
    fold: F,
    top: *const F::Item,
    stride: usize,
    rows: usize,
    place: impl Fn(usize, usize) -> usize,
    states: &mut [F::State],
) {
    let deep = rows / DEPTH * DEPTH;
    for row in (0..deep).step_by(DEPTH) {
        for (column, state) in states.iter_mut().enumerate() {
            let mut now = *state;
            for row in row..row + DEPTH {
                // SAFETY: by the caller's promise.
                now = fold.step(now, unsafe { *top.add(row * stride + column) }, place(row, column));
            }
            *state = now;
        }
    }
    for row in deep..rows {
        for (column, state) in states.iter_mut().enumerate() {
            // SAFETY: as above.
            *state = fold.step(*state, unsafe { *top.add(row * stride + column) }, place(row, column));
        }
    }
}
