//! Running results along a dimension.

use crate::kernels::parallel::{self, Shared};
use crate::shape::Extents;

/// Columns whose running results are kept side by side.
const TILE: usize = 64;
/// Lines that are gone through together, as a step waits for the one before.
const SIDE: usize = 4;

/// The end of a line that comes first: that of its first element or of its last.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    First,
    Last,
}

/// Steps through each line of a row-major tensor: `step(state, element, place)` from `start`, and after each element
/// `emit(number of the element, state)`.
pub fn scan<T: Copy + Sync, S: Copy + Sync>(
    extents: Extents,
    from: End,
    source: *const T,
    start: S,
    step: impl Fn(S, T, usize) -> S + Sync,
    emit: impl Fn(usize, S) + Sync,
) {
    let Extents { outer, length, inner } = extents;
    let source = Shared::new(source.cast_mut());
    // SAFETY: the tensor has `outer * length * inner` elements.
    let at = |index: usize| unsafe { *source.get().add(index) };
    let place = |i: usize| if from == End::First { i } else { length - 1 - i };
    if inner == 1 {
        let sides = outer.div_ceil(SIDE);
        return parallel::for_each_chunk(sides, parallel::GRAIN.div_ceil((SIDE * length).max(1)), |range| {
            for first in range.map(|side| side * SIDE) {
                if first + SIDE <= outer {
                    let mut states = [start; SIDE];
                    for place in (0..length).map(place) {
                        for (line, state) in states.iter_mut().enumerate() {
                            let index = (first + line) * length + place;
                            *state = step(*state, at(index), place);
                            emit(index, *state);
                        }
                    }
                    continue;
                }
                for line in first..outer {
                    let mut state = start;
                    for place in (0..length).map(place) {
                        let index = line * length + place;
                        state = step(state, at(index), place);
                        emit(index, state);
                    }
                }
            }
        });
    }
    let tiles = inner.div_ceil(TILE);
    let work = length * inner.min(TILE);
    parallel::for_each_chunk(outer * tiles, (parallel::GRAIN / work.max(1)).max(1), |range| {
        for part in range {
            let (block, left) = (part / tiles, part % tiles * TILE);
            let first = block * length * inner + left;
            let mut states = [start; TILE];
            let states = &mut states[..TILE.min(inner - left)];
            for place in (0..length).map(place) {
                let row = first + place * inner;
                for (column, state) in states.iter_mut().enumerate() {
                    *state = step(*state, at(row + column), place);
                    emit(row + column, *state);
                }
            }
        }
    });
}
