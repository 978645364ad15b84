//! Copying between tensors of any strides and element types.

use crate::data::Data;
use crate::kernels::convert::converter;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::strided::Sequence;
use crate::shape;

/// Copies `source`, broadcast to the sizes of `target`, into it. The two must not overlap.
pub fn copy(target: &Data, source: &Data) {
    let count = target.numel();
    // The short way: the same elements in the same order, and not so many that threads would help.
    let rows = target.is_contiguous() && source.is_contiguous() && target.sizes == source.sizes;
    if rows && target.dtype == source.dtype && count < 2 * parallel::GRAIN {
        // SAFETY: both hold `count` elements one after another.
        unsafe { std::ptr::copy(source.pointer(), target.pointer(), count * target.dtype.size()) };
        return;
    }
    let Some(strides) = shape::broadcast_strides(&source.sizes, &source.strides, &target.sizes) else {
        debug_assert!(false, "copy between sizes that do not broadcast");
        return;
    };
    // Walk the target in the order of its memory, so that writes go forward.
    let mut order: shape::Dims = (0..target.sizes.len()).collect();
    order.sort_by_key(|&d| std::cmp::Reverse(target.strides[d]));
    let arrange = |dims: &[usize]| -> shape::Dims { order.iter().map(|&d| dims[d]).collect() };
    let sizes = arrange(&target.sizes);
    let into = Sequence::new(&sizes, &arrange(&target.strides));
    let from = Sequence::new(&sizes, &arrange(&strides));
    let convert = converter(source.dtype, target.dtype);
    let (target_size, source_size) = (target.dtype.size(), source.dtype.size());
    let (target, source) = (Shared::new(target.pointer()), Shared::new(source.pointer()));
    parallel::for_each_chunk(count, parallel::GRAIN, |range| {
        let mut writes = into.runs_from(range.start);
        let mut reads = from.runs_from(range.start);
        let (mut write, mut read) = ((0, 0, 0), (0, 0, 0));
        let mut left = range.len();
        while left > 0 {
            if write.2 == 0 {
                write = writes.next_run(left);
            }
            if read.2 == 0 {
                read = reads.next_run(left);
            }
            let n = write.2.min(read.2);
            // SAFETY: runs stay inside their tensors; chunks write disjoint elements.
            unsafe {
                convert(
                    target.get().add(write.0 * target_size),
                    write.1,
                    source.get().add(read.0 * source_size),
                    read.1,
                    n,
                );
            }
            write = (write.0 + n * write.1, write.1, write.2 - n);
            read = (read.0 + n * read.1, read.1, read.2 - n);
            left -= n;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::views::{expand, permute, slice};
    use crate::tensor::Tensor;

    #[test]
    fn runs_of_different_lengths_meet() {
        let values: Vec<i32> = (0..60).collect();
        let source = permute(&Tensor::from_slice(&values, &[3, 4, 5]).unwrap(), &[2, 0, 1]).unwrap();
        let memory = Tensor::zeros(&[5, 3, 8], crate::DType::Float64).unwrap();
        let target = slice(&memory, 2, Some(1), None, 2).unwrap();
        copy(&target.data(), &source.data());
        assert_eq!(target.to_vec::<i32>().unwrap(), source.to_vec::<i32>().unwrap());
        // What lies between stays as it was.
        let gaps = slice(&memory, 2, Some(0), None, 2).unwrap();
        assert!(gaps.to_vec::<i32>().unwrap().iter().all(|&value| value == 0));
        let row = slice(&source, 0, Some(0), Some(1), 1).unwrap();
        copy(&target.data(), &row.data());
        assert_eq!(target.to_vec::<i32>().unwrap(), expand(&row, &[5, 3, 4]).unwrap().to_vec::<i32>().unwrap());
    }
}
