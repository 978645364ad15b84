//! Reading and writing elements at places that another tensor names.

mod along;
mod combined;
mod nonzero;
mod picked;

use crate::data::Data;
use crate::dtype::{Complex64, Complex128, Element, bf16, f16};
use crate::kernels::strided::Sequence;
use crate::with_element;
pub use along::{gather, scatter};
pub use combined::{Join, combine};
pub use nonzero::nonzero;
pub use picked::{Picked, pick, read, write};

/// What happens where an element is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// The new value stays; of several for one place, the last.
    Replace,
    Add,
}

/// How an element is written over another; a sum of bools is their disjunction.
trait Written: Element {
    fn plus(self, other: Self) -> Self;
}

macro_rules! written {
    ($($t:ty: |$a:ident, $b:ident| $sum:expr;)+) => {$(
        impl Written for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                $sum
            }
        }
    )+};
}

written! {
    bool: |a, b| a | b;
    u8: |a, b| a.wrapping_add(b);
    i8: |a, b| a.wrapping_add(b);
    i16: |a, b| a.wrapping_add(b);
    i32: |a, b| a.wrapping_add(b);
    i64: |a, b| a.wrapping_add(b);
    u16: |a, b| a.wrapping_add(b);
    u32: |a, b| a.wrapping_add(b);
    u64: |a, b| a.wrapping_add(b);
    f16: |a, b| f16::from_f32(a.to_f32() + b.to_f32());
    bf16: |a, b| bf16::from_f32(a.to_f32() + b.to_f32());
    f32: |a, b| a + b;
    f64: |a, b| a + b;
    Complex64: |a, b| a + b;
    Complex128: |a, b| a + b;
}

/// Memory offsets of all elements, in row-major order.
pub(crate) fn offsets(sizes: &[usize], strides: &[usize]) -> Vec<usize> {
    let count: usize = sizes.iter().product();
    let sequence = Sequence::new(sizes, strides);
    let mut runs = sequence.runs_from(0);
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let (offset, stride, n) = runs.next_run(count - all.len());
        all.extend((0..n).map(|i| offset + i * stride));
    }
    all
}

/// Adds each element of `source` to the same element of `target`, some of which may share memory. Same sizes and
/// element types.
pub fn add_each(target: &Data, source: &Data) {
    let places = offsets(&target.sizes, &target.strides);
    let sources = offsets(&source.sizes, &source.strides);
    with_element!(target.dtype, T => {
        let (target, source) = (target.pointer().cast::<T>(), source.pointer().cast::<T>());
        for (&to, &from) in places.iter().zip(&sources) {
            // SAFETY: offsets lie inside their tensors.
            unsafe { *target.add(to) = (*target.add(to)).plus(*source.add(from)) };
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    fn ints(values: &[i64], sizes: &[usize]) -> Tensor {
        Tensor::from_slice(values, sizes).unwrap()
    }

    #[test]
    fn gather_and_scatter_are_each_others_inverse() {
        let input = ints(&[10, 11, 12, 13, 14, 15], &[2, 3]);
        let index = ints(&[2, 0, 1, 1, 2, 0], &[2, 3]);
        let out = ints(&[0; 6], &[2, 3]);
        gather(&out.data(), &input.data(), 1, &index.data()).unwrap();
        assert_eq!(out.to_vec::<i64>().unwrap(), [12, 10, 11, 14, 15, 13]);
        let back = ints(&[0; 6], &[2, 3]);
        scatter(&back.data(), 1, &index.data(), &out.data(), Write::Replace).unwrap();
        assert_eq!(back.to_vec::<i64>().unwrap(), input.to_vec::<i64>().unwrap());
        scatter(&back.data(), 1, &index.data(), &out.data(), Write::Add).unwrap();
        assert_eq!(back.to_vec::<i64>().unwrap()[5], 30);
    }

    #[test]
    fn places_outside_are_errors() {
        let (input, out) = (ints(&[1, 2, 3], &[3]), ints(&[0], &[1]));
        for bad in [-1, 3, i64::MAX, i64::MIN] {
            assert!(gather(&out.data(), &input.data(), 0, &ints(&[bad], &[1]).data()).is_err());
        }
        for (bad, fine) in [(-4, -3), (3, 2)] {
            let pick_one = |i: i64| pick(&input.data(), &[Some(ints(&[i], &[1]).data().clone())], &[1]);
            assert!(pick_one(bad).is_err() && pick_one(fine).is_ok());
        }
        let second = [None, Some(ints(&[0], &[1]).data().clone())];
        assert!(pick(&input.data(), &second, &[1]).is_err(), "a vector has no second dimension");
    }

    /// Index tensors side by side leave their result in place, others put it first: numpy's rule.
    #[test]
    fn picked_dimensions_stay_together() {
        let input = ints(&(0..24).collect::<Vec<i64>>(), &[2, 3, 4]);
        let index = || Some(ints(&[1, 0], &[2]).data().clone());
        let pick = |indices: &[Option<Data>]| super::pick(&input.data(), indices, &[2]).unwrap();
        let apart = pick(&[index(), None, index()]);
        assert_eq!(apart.sizes[..], [2, 3]);
        let together = pick(&[None, index(), index()]);
        assert_eq!(together.sizes[..], [2, 2]);
        let out = ints(&[0; 4], &[2, 2]);
        read(&out.data(), &input.data(), &together);
        assert_eq!(out.to_vec::<i64>().unwrap(), [5, 0, 17, 12]);
    }

    #[test]
    fn what_is_not_zero_is_found() {
        assert_eq!(nonzero(&ints(&[0, 5, 0, -1], &[2, 2]).data()), [0, 1, 1, 1]);
        assert_eq!(nonzero(&Tensor::from_slice(&[f64::NAN, -0.0], &[2]).unwrap().data()), [0]);
    }
}
