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
/// Independent states of a block: enough vectors that none waits for its last sum.
const LANES: usize = 64;
/// States of what does not fill the lanes, and what the lanes are joined to.
const NARROW: usize = 16;
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
#[allow(clippy::needless_range_loop, reason = "lanes are indexed together, as vectors are")]
fn in_lanes<F: Fold>(fold: F, items: &[F::Item], seen: usize) -> F::State {
    let (wide, rest) = items.as_chunks::<LANES>();
    let (narrow, rest) = rest.as_chunks::<NARROW>();
    // What is left over has a state of its own, which waits for no lane.
    let at = seen + items.len() - rest.len();
    let last = rest.iter().enumerate().fold(fold.start(), |state, (i, &item)| fold.step(state, item, at + i));
    if items.len() < NARROW {
        return last;
    }
    let mut states = [fold.start(); NARROW];
    if !wide.is_empty() {
        let mut lanes = Aligned([fold.start(); LANES]);
        let place = |row, lane| seen + row * LANES + lane;
        // SAFETY: the rows of lanes lie inside the slice.
        unsafe { step_columns(fold, items.as_ptr(), LANES, wide.len(), place, &mut lanes.0) };
        let lanes = halved::<F, { LANES / 2 }>(fold, &lanes.0);
        states = halved::<F, NARROW>(fold, &lanes);
    }
    for (row, items) in narrow.iter().enumerate() {
        let at = seen + wide.len() * LANES + row * NARROW;
        for lane in 0..NARROW {
            states[lane] = fold.step(states[lane], items[lane], at + lane);
        }
    }
    // From one array to the next: what is written in place, vectors read back in other parts.
    let states = halved::<F, 8>(fold, &states);
    let states = halved::<F, 4>(fold, &states);
    let states = halved::<F, 2>(fold, &states);
    let [state] = halved::<F, 1>(fold, &states);
    if rest.is_empty() { state } else { fold.join(state, last) }
}

/// On its own cache lines: vectors that are written across two are slow to read back.
#[repr(align(64))]
struct Aligned<T>(T);

/// The states of the first half of `2 * HALF` lanes, joined with those of the second.
#[inline(always)]
fn halved<F: Fold, const HALF: usize>(fold: F, lanes: &[F::State]) -> [F::State; HALF] {
    let mut joined = [fold.start(); HALF];
    for lane in 0..HALF {
        joined[lane] = fold.join(lanes[lane], lanes[lane + HALF]);
    }
    joined
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
