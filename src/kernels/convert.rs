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
