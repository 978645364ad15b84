//! Running results along a dimension.

use crate::kernels::parallel::{self, Shared};
use crate::shape::Extents;

/// Columns whose running results are kept side by side.
const TILE: usize = 64;

/// Steps through each line of a row-major tensor: `step(state, element, place)` from `start`, and after each element
/// `emit(number of the element, state)`.
pub fn scan<T: Copy + Sync, S: Copy + Sync>(
    extents: Extents,
    source: *const T,
    start: S,
    step: impl Fn(S, T, usize) -> S + Sync,
    emit: impl Fn(usize, S) + Sync,
) {
    let Extents { outer, length, inner } = extents;
    let source = Shared::new(source.cast_mut());
    let tiles = inner.div_ceil(TILE);
    let work = length * inner.min(TILE);
    parallel::for_each_chunk(outer * tiles, (parallel::GRAIN / work.max(1)).max(1), |range| {
        for part in range {
            let (block, left) = (part / tiles, part % tiles * TILE);
            let first = block * length * inner + left;
            // SAFETY: the tensor has `outer * length * inner` elements.
            let at = |index: usize| unsafe { *source.get().add(index) };
            if inner == 1 {
                let mut state = start;
                for place in 0..length {
                    state = step(state, at(first + place), place);
                    emit(first + place, state);
                }
                continue;
            }
            let mut states = [start; TILE];
            let states = &mut states[..TILE.min(inner - left)];
            for place in 0..length {
                let row = first + place * inner;
                for (column, state) in states.iter_mut().enumerate() {
                    *state = step(*state, at(row + column), place);
                    emit(row + column, *state);
                }
            }
        }
    });
}
