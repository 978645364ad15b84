//! Triangles of matrices.

use crate::data::Data;
use crate::kernels::parallel::{self, Shared};
use crate::with_element;

/// Copies the elements of row-major matrices on and below (or above) a diagonal, and writes 0 for the others.
pub fn triangle<const LOWER: bool>(out: &Data, input: &Data, diagonal: i64) {
    let n = input.sizes.len();
    let (rows, columns) = (input.sizes[n - 2], input.sizes[n - 1]);
    let count = input.numel();
    if count == 0 {
        return;
    }
    with_element!(input.dtype, T => {
        let (source, target) = (Shared::new(input.pointer().cast::<T>()), Shared::new(out.pointer().cast::<T>()));
        let zero = <T as crate::dtype::Element>::from_i64(0);
        parallel::for_each_chunk(count / columns, (parallel::GRAIN / columns).max(1), |range| {
            for line in range {
                let border = (line % rows) as i64 + diagonal.clamp(-(rows as i64) - 1, columns as i64 + 1);
                let border = (if LOWER { border + 1 } else { border }).clamp(0, columns as i64) as usize;
                // SAFETY: each line of the two row-major tensors has `columns` elements; lines are disjoint.
                let (from, to) = unsafe {
                    let at = line * columns;
                    (
                        std::slice::from_raw_parts(source.get().add(at), columns),
                        std::slice::from_raw_parts_mut(target.get().add(at), columns),
                    )
                };
                let (kept, cleared) = if LOWER { (0..border, border..columns) } else { (border..columns, 0..border) };
                to[kept.clone()].copy_from_slice(&from[kept]);
                to[cleared].fill(zero);
            }
        });
    });
}
