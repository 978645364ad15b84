//! Setting every element to one value.

use std::mem::MaybeUninit;

use crate::data::Data;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::strided::Sequence;
use crate::scalar::Scalar;
use crate::with_element;

/// Sets every element of `target` to `value`, converted to its type.
pub fn fill(target: &Data, value: Scalar) {
    let count = target.numel();
    if count == 0 {
        return;
    }
    with_element!(target.dtype, T => {
        let (value, pointer) = (value.cast::<T>(), target.pointer().cast::<T>());
        let dense = |offset: usize, n: usize| {
            // SAFETY: a run stays inside the tensor's memory.
            let run = unsafe { std::slice::from_raw_parts_mut(pointer.add(offset).cast::<MaybeUninit<T>>(), n) };
            run.fill(MaybeUninit::new(value));
        };
        if target.is_contiguous() {
            let shared = Shared::new(pointer);
            return parallel::for_each_chunk(count, 2 * parallel::GRAIN, |range| {
                // SAFETY: parts of the tensor's memory, of which each belongs to one thread.
                let part = unsafe { std::slice::from_raw_parts_mut(shared.get().add(range.start).cast::<MaybeUninit<T>>(), range.len()) };
                part.fill(MaybeUninit::new(value));
            });
        }
        let sequence = Sequence::new(&target.sizes, &target.strides);
        let mut runs = sequence.runs_from(0);
        let mut done = 0;
        while done < count {
            let (offset, stride, n) = runs.next_run(count - done);
            match stride {
                1 => dense(offset, n),
                // SAFETY: as above.
                _ => (0..n).for_each(|i| unsafe { pointer.add(offset + i * stride).write(value) }),
            }
            done += n;
        }
    });
}
