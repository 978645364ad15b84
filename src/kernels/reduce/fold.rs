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
/// Independent states of a block: four vectors of the widest registers.
const LANES: usize = 64;
/// Lanes for what is left of a block after whole rows of lanes.
const FEW: usize = 16;

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
    let (rows, rest) = items.split_at(items.len() / LANES * LANES);
    let (parts, tail) = rest.as_chunks::<FEW>();
    let at = seen + rows.len();
    let mut few = [fold.start(); FEW];
    if !rows.is_empty() {
        let mut lanes = [fold.start(); LANES];
        let place = |row, lane| seen + row * LANES + lane;
        // SAFETY: the rows of lanes lie inside the slice.
        unsafe { step_columns(fold, rows.as_ptr(), LANES, rows.len() / LANES, place, &mut lanes) };
        let half: [F::State; 32] = halved(fold, &lanes);
        few = halved(fold, &half);
    }
    for (i, part) in parts.iter().enumerate() {
        few = std::array::from_fn(|lane| fold.step(few[lane], part[lane], at + i * FEW + lane));
    }
    let at = at + parts.len() * FEW;
    let last = tail.iter().enumerate().fold(fold.start(), |state, (i, &item)| fold.step(state, item, at + i));
    if items.len() < FEW {
        return last;
    }
    let eight: [F::State; 8] = halved(fold, &few);
    let four: [F::State; 4] = halved(fold, &eight);
    let two: [F::State; 2] = halved(fold, &four);
    fold.join(fold.join(two[0], two[1]), last)
}

/// Joins the second half of some lanes to the first.
#[inline(always)]
fn halved<F: Fold, const HALF: usize>(fold: F, lanes: &[F::State]) -> [F::State; HALF] {
    std::array::from_fn(|lane| fold.join(lanes[lane], lanes[lane + HALF]))
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
    // The state of a column stays in a register for some rows: as many as are left, in powers of two.
    // SAFETY: by the caller's promise.
    let at = |row: usize, column: usize| unsafe { *top.add(row * stride + column) };
    let done = deep::<F, 8>(fold, at, 0, rows, &place, states);
    let done = deep::<F, 4>(fold, at, done, rows, &place, states);
    let done = deep::<F, 2>(fold, at, done, rows, &place, states);
    deep::<F, 1>(fold, at, done, rows, &place, states);
}

/// Takes in rows from `done` on, `DEPTH` at a time, and gives how many are done then.
#[inline(always)]
fn deep<F: Fold, const DEPTH: usize>(
    fold: F,
    at: impl Fn(usize, usize) -> F::Item,
    done: usize,
    rows: usize,
    place: impl Fn(usize, usize) -> usize,
    states: &mut [F::State],
) -> usize {
    let end = rows - (rows - done) % DEPTH;
    for top in (done..end).step_by(DEPTH) {
        for (column, state) in states.iter_mut().enumerate() {
            *state =
                (top..top + DEPTH).fold(*state, |state, row| fold.step(state, at(row, column), place(row, column)));
        }
    }
    end
}
