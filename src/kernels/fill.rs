//! Setting every element to one value.

use crate::data::Data;
use crate::kernels::strided::Sequence;
use crate::scalar::Scalar;
use crate::with_element;

/// Sets every element of `target` to `value`, converted to its type.
pub fn fill(target: &Data, value: Scalar) {
    let count = target.numel();
    if count == 0 {
        return;
    }
    let sequence = Sequence::new(&target.sizes, &target.strides);
    with_element!(target.dtype, T => {
        let (value, pointer) = (value.cast::<T>(), target.pointer().cast::<T>());
        let mut runs = sequence.runs_from(0);
        let mut done = 0;
        while done < count {
            let (offset, stride, n) = runs.next_run(count - done);
            // SAFETY: a run stays inside the tensor's memory.
            unsafe {
                if stride == 1 {
                    std::slice::from_raw_parts_mut(pointer.add(offset).cast::<std::mem::MaybeUninit<T>>(), n)
                        .fill(std::mem::MaybeUninit::new(value));
                } else {
                    (0..n).for_each(|i| pointer.add(offset + i * stride).write(value));
                }
            }
            done += n;
        }
    });
}
