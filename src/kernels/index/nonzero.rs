//! Finding the elements that are not 0.

use crate::data::Data;
use crate::dtype::Element;
use crate::kernels::strided::Sequence;
use crate::shape::Dims;
use crate::with_element;

/// The coordinates of the elements that are not 0, one row each, into a list.
pub fn nonzero(input: &Data) -> Vec<i64> {
    let ndim = input.sizes.len();
    let count = input.numel();
    let (Some(&width), true) = (input.sizes.last(), count > 0) else { return Vec::new() };
    let mut found: Vec<i64> = Vec::new();
    // The coordinates of a line of elements along the last dimension, of which the last is set for each.
    let mut at: Dims = Dims::from_elem(0, ndim);
    let mut places: Vec<i64> = vec![0; width];
    let lines = Sequence::new(&input.sizes[..ndim - 1], &input.strides[..ndim - 1]);
    let mut walk = lines.runs_from(0);
    with_element!(input.dtype, T => {
        let (pointer, stride) = (input.pointer().cast::<T>(), input.strides[ndim - 1]);
        let zero = T::from_i64(0);
        for _ in 0..count / width {
            let (offset, ..) = walk.next_run(1);
            let mut hits = 0;
            for i in 0..width {
                // Without a branch, which half of the time would be guessed wrong: what is not wanted is written over.
                places[hits] = i as i64;
                // SAFETY: a line lies inside the tensor.
                hits += usize::from(unsafe { *pointer.add(offset + i * stride) } != zero);
            }
            let before = found.len();
            found.resize(before + hits * ndim, 0);
            for (row, &place) in found[before..].chunks_exact_mut(ndim).zip(&places) {
                row[ndim - 1] = place;
                row.iter_mut().zip(&at[..ndim - 1]).for_each(|(to, &i)| *to = i as i64);
            }
            for d in (0..ndim - 1).rev() {
                at[d] += 1;
                if at[d] < input.sizes[d] {
                    break;
                }
                at[d] = 0;
            }
        }
    });
    found
}
