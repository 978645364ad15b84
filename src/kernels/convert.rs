//! Moving a run of elements between two places and two element types.

use crate::dtype::{DType, Element};
use crate::with_element;

/// Copies `n` elements from `source` to `target`, strides in elements, converting on the way.
pub type Convert = unsafe fn(target: *mut u8, target_stride: usize, source: *const u8, source_stride: usize, n: usize);

/// The conversion from one element type to another.
pub fn converter(source: DType, target: DType) -> Convert {
    with_element!(source, S => with_element!(target, T => convert::<S, T>))
}

/// # Safety
/// Both places hold `n` elements of their type at their stride; they do not overlap.
unsafe fn convert<S: Element, T: Element>(target: *mut u8, ts: usize, source: *const u8, ss: usize, n: usize) {
    let (target, source) = (target.cast::<T>(), source.cast::<S>());
    // SAFETY: by the caller's promise, every index below n is valid.
    unsafe {
        match (ts, ss) {
            (1, 1) if S::DTYPE == T::DTYPE => std::ptr::copy_nonoverlapping(source.cast::<T>(), target, n),
            (1, 1) => (0..n).for_each(|i| *target.add(i) = (*source.add(i)).cast()),
            (1, 0) if n > 0 => {
                let value = (*source).cast();
                (0..n).for_each(|i| *target.add(i) = value);
            }
            (1, _) => (0..n).for_each(|i| *target.add(i) = (*source.add(i * ss)).cast()),
            _ => (0..n).for_each(|i| *target.add(i * ts) = (*source.add(i * ss)).cast()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of types, at every kind of stride, against [`Element::cast`].
    #[test]
    fn all_pairs_and_strides_convert_like_single_elements() {
        fn pair<S: Element, T: Element>() {
            let source: Vec<S> = [-3.0, 0.0, 1.0, 2.5, 200.0, 7.0].map(S::from_f64).into();
            let zero = T::from_i64(0);
            for (ts, ss, n) in [(1, 1, 6), (1, 2, 3), (1, 0, 4), (2, 1, 3), (2, 2, 3), (1, 1, 0), (1, 0, 0)] {
                let mut found = vec![zero; 8];
                let run = converter(S::DTYPE, T::DTYPE);
                // SAFETY: both vectors hold the last of `n` elements at these strides.
                unsafe { run(found.as_mut_ptr().cast(), ts, source.as_ptr().cast(), ss, n) };
                let mut expected = vec![zero; 8];
                (0..n).for_each(|i| expected[i * ts] = source[i * ss].cast());
                assert_eq!(found, expected, "{} to {}, strides {ss} and {ts}", S::DTYPE, T::DTYPE);
            }
        }
        for source in DType::ALL {
            for target in DType::ALL {
                with_element!(source, S => with_element!(target, T => pair::<S, T>()));
            }
        }
    }

    #[test]
    fn floats_truncate_and_bytes_wrap() {
        assert_eq!([(-1.5f64).cast::<i32>(), 2.9f32.cast::<i32>()], [-1, 2]);
        assert_eq!([(-1.0f32).cast::<u8>(), 257i64.cast::<u8>()], [255, 1]);
        assert_eq!([0.1f32.cast::<bool>(), f64::NAN.cast::<bool>(), 0i32.cast::<bool>()], [true, true, false]);
    }
}
