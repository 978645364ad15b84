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
/// States of what does not fill the lanes.
const FEW: usize = 4;
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
    let mut lanes = Aligned([fold.start(); LANES]);
    let lanes = &mut lanes.0;
    let rows = items.len() / LANES;
    // SAFETY: the rows of lanes lie inside the slice.
    unsafe { step_columns(fold, items.as_ptr(), LANES, rows, |row, lane| seen + row * LANES + lane, lanes) };
    let full = rows * LANES;
    // From one array to the next: what is written in place, vectors read back in other parts.
    let lanes = halved::<F, 16>(fold, lanes);
    let lanes = halved::<F, 8>(fold, &lanes);
    let lanes = halved::<F, 4>(fold, &lanes);
    let lanes = halved::<F, 2>(fold, &lanes);
    let lanes = halved::<F, 1>(fold, &lanes);
    // What is left over has a state of its own: vectors that were just written in parts would be slow to read.
    let rest = &items[full..];
    if rest.is_empty() {
        return lanes[0];
    }
    let mut few = [fold.start(); FEW];
    let mut at = 0;
    while at < rest.len() {
        for lane in 0..FEW.min(rest.len() - at) {
            few[lane] = fold.step(few[lane], rest[at + lane], seen + full + at + lane);
        }
        at += FEW;
    }
    few.iter().fold(lanes[0], |state, &other| fold.join(state, other))
}

/// The states of the first half of `2 * HALF` lanes, joined with those of the second.
#[inline(always)]
fn halved<F: Fold, const HALF: usize>(fold: F, lanes: &[F::State]) -> [F::State; HALF] {
    let mut joined = [fold.start(); HALF];
    for lane in 0..HALF {
        joined[lane] = fold.join(lanes[lane], lanes[lane + HALF]);
    }
    joined
}

/// On its own cache lines.
#[repr(align(64))]
struct Aligned<T>(T);

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
    let mut row = 0;
    while row < rows {
        // SAFETY: by the caller's promise, of so many of the rows.
        unsafe {
            row += match rows - row {
                DEPTH.. => step_rows::<F, DEPTH>(fold, top, stride, row, &place, states),
                4.. => step_rows::<F, 4>(fold, top, stride, row, &place, states),
                2.. => step_rows::<F, 2>(fold, top, stride, row, &place, states),
                _ => step_rows::<F, 1>(fold, top, stride, row, &place, states),
            };
        }
    }
}

/// As [`step_columns`], for ROWS rows from `row` on; gives how many they are.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn step_rows<F: Fold, const ROWS: usize>(
    fold: F,
    top: *const F::Item,
    stride: usize,
    row: usize,
    place: &impl Fn(usize, usize) -> usize,
    states: &mut [F::State],
) -> usize {
    for (column, state) in states.iter_mut().enumerate() {
        let mut now = *state;
        for row in row..row + ROWS {
            // SAFETY: by the caller's promise.
            now = fold.step(now, unsafe { *top.add(row * stride + column) }, place(row, column));
        }
        *state = now;
    }
    ROWS
}
