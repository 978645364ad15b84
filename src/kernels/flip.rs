//! Elements in reverse order along dimensions.

use crate::data::Data;
use crate::kernels::parallel::{self, Shared};
use crate::with_element;

/// Copies one row-major tensor into another of the same size, the marked dimensions in reverse order.
pub fn flip(out: &Data, input: &Data, flipped: &[bool]) {
    let sizes = &input.sizes;
    let (Some(last), true) = (flipped.iter().rposition(|&flipped| flipped), input.numel() > 0) else {
        return crate::kernels::copy::copy(out, input);
    };
    // Blocks behind the last reversed dimension stay as they are.
    let block: usize = sizes[last + 1..].iter().product();
    let length = sizes[last];
    let lines: usize = sizes[..last].iter().product();
    let from_line = |line: usize| {
        let (mut rest, mut from, mut step) = (line, 0, 1);
        for d in (0..last).rev() {
            let place = rest % sizes[d];
            rest /= sizes[d];
            from += step * if flipped[d] { sizes[d] - 1 - place } else { place };
            step *= sizes[d];
        }
        from
    };
    with_element!(input.dtype, T => {
        let (source, target) = (Shared::new(input.pointer().cast::<T>()), Shared::new(out.pointer().cast::<T>()));
        parallel::for_each_chunk(lines * length, (parallel::GRAIN / block).max(1), |range| {
            let mut row = range.start;
            while row < range.end {
                let (line, place) = (row / length, row % length);
                let count = (length - place).min(range.end - row);
                let from = from_line(line) * length + length - place - count;
                // SAFETY: rows lie inside the two tensors; chunks write disjoint ones.
                let (from, to) = unsafe {
                    (
                        std::slice::from_raw_parts(source.get().add(from * block), count * block),
                        std::slice::from_raw_parts_mut(target.get().add(row * block), count * block),
                    )
                };
                if block == 1 {
                    to.iter_mut().zip(from.iter().rev()).for_each(|(to, from)| *to = *from);
                } else {
                    to.chunks_exact_mut(block).zip(from.chunks_exact(block).rev()).for_each(|(to, from)| to.copy_from_slice(from));
                }
                row += count;
            }
        });
    });
}
