//! Moving a run of elements between two places and two element types.
//!
//! # Note: Conversions by way of another type
//! There is one loop for each pair of types that are computed in, and for each narrow type and its wide one. Other
//! pairs go by way of the wide type, a block at a time; the result is the same, as the wide type holds every value of
//! the narrow one.

use std::mem::MaybeUninit;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::dtype::{DType, Element};
use crate::kernels::simd::{self, Vectorized};
use crate::with_element;

/// Copies `n` elements from `source` to `target`, strides in elements, converting on the way.
pub type Convert = unsafe fn(target: *mut u8, target_stride: usize, source: *const u8, source_stride: usize, n: usize);

/// Elements that are converted at once by way of another type.
const BLOCK: usize = 256;

/// Runs a block with `N` standing for a narrow type and `W` for its wide one.
macro_rules! with_narrow {
    ($dtype:expr, $N:ident $W:ident => $body:expr, else $other:expr) => {
        with_narrow!(@match $dtype, $N, $W, $body, $other; Int8 i8 i32, Int16 i16 i32, UInt16 u16 i32, UInt32 u32 i64,
            UInt64 u64 i64, Float16 f16 f32, BFloat16 bf16 f32)
    };
    (@match $dtype:expr, $N:ident, $W:ident, $body:expr, $other:expr; $($variant:ident $narrow:ident $wide:ident),+) => {
        match $dtype {
            $(DType::$variant => {
                type $N = $narrow;
                type $W = $wide;
                $body
            })+
            _ => $other,
        }
    };
}

/// The conversion from one element type to another.
pub fn converter(source: DType, target: DType) -> Convert {
    if source == target {
        return with_element!(source, bits T => moved::<T>);
    }
    // Half of the values of uint64 are beyond its wide type: to and from floats it goes straight.
    if source == DType::UInt64 && !target.is_integral() {
        return with_element!(target, T => convert::<u64, T>);
    }
    if target == DType::UInt64 && !source.is_integral() {
        return with_element!(source, T => convert::<T, u64>);
    }
    with_narrow!(source, N W => {
        if target == W::DTYPE { convert::<N, W> } else { with_element!(target, T => by_way::<N, W, T>) }
    }, else with_narrow!(target, N W => {
        if source == W::DTYPE {
            convert::<W, N>
        } else {
            with_element!(source, kernel T => by_way::<T, W, N>, else unreachable!("a narrow type is dealt with above"))
        }
    }, else with_element!(source, kernel S => {
        with_element!(target, kernel T => convert::<S, T>, else unreachable!("a narrow type is dealt with above"))
    }, else unreachable!("a narrow type is dealt with above"))))
}

/// # Safety
/// Both places hold `n` elements of the type at their stride; they do not overlap.
unsafe fn moved<T: Copy>(target: *mut u8, ts: usize, source: *const u8, ss: usize, n: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        match (ts, ss) {
            (1, 1) => std::ptr::copy_nonoverlapping(source.cast::<T>(), target.cast::<T>(), n),
            _ => run::<T, T>(target.cast(), ts, source.cast(), ss, n, |value| value),
        }
    }
}

/// # Safety
/// Both places hold `n` elements of their type at their stride; they do not overlap.
unsafe fn convert<S: Element, T: Element>(target: *mut u8, ts: usize, source: *const u8, ss: usize, n: usize) {
    // SAFETY: by the caller's promise, every index below n is valid.
    unsafe {
        if (ts, ss) == (1, 1) && convert_halves(S::DTYPE, T::DTYPE, target, source, n) {
            return;
        }
        let common = |dtype| matches!(dtype, DType::Float32 | DType::Float64 | DType::Int64);
        if (ts, ss) == (1, 1) && common(S::DTYPE) && common(T::DTYPE) {
            return simd::vectorize(Straight { target: target.cast::<T>(), source: source.cast::<S>(), n });
        }
        run::<S, T>(target.cast(), ts, source.cast(), ss, n, S::cast);
    }
}

/// Converts elements that lie side by side, compiled for each instruction set.
struct Straight<S, T> {
    target: *mut T,
    source: *const S,
    n: usize,
}

impl<S: Element, T: Element> Vectorized for Straight<S, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // SAFETY: whoever makes one has so many elements of both, which do not overlap.
        let (target, source) = unsafe {
            (std::slice::from_raw_parts_mut(self.target, self.n), std::slice::from_raw_parts(self.source, self.n))
        };
        target.iter_mut().zip(source).for_each(|(target, source)| *target = source.cast());
    }
}

/// Converts contiguous 16-bit floats to float32 or back, several at a time; false for other types.
///
/// # Safety
/// As for [`convert`].
#[inline(always)]
unsafe fn convert_halves(from: DType, to: DType, target: *mut u8, source: *const u8, n: usize) -> bool {
    /// # Safety
    /// As for [`convert`].
    #[inline(always)]
    unsafe fn slices<'a, S, T>(target: *mut u8, source: *const u8, n: usize) -> (&'a mut [T], &'a [S]) {
        // SAFETY: by the caller's promise; every bit pattern is a float.
        unsafe { (std::slice::from_raw_parts_mut(target.cast(), n), std::slice::from_raw_parts(source.cast(), n)) }
    }
    if n == 0 {
        return true;
    }
    // SAFETY: by the caller's promise.
    unsafe {
        match (from, to) {
            (DType::Float16, DType::Float32) => {
                let (target, source) = slices::<f16, f32>(target, source, n);
                source.convert_to_f32_slice(target);
            }
            (DType::Float32, DType::Float16) => {
                let (target, source) = slices::<f32, f16>(target, source, n);
                target.convert_from_f32_slice(source);
            }
            (DType::BFloat16, DType::Float32) => {
                let (target, source) = slices::<bf16, f32>(target, source, n);
                source.convert_to_f32_slice(target);
            }
            (DType::Float32, DType::BFloat16) => {
                let (target, source) = slices::<f32, bf16>(target, source, n);
                target.convert_from_f32_slice(source);
            }
            _ => return false,
        }
    }
    true
}

/// # Safety
/// As for [`convert`].
#[inline(always)]
unsafe fn run<S: Copy, T: Copy>(
    target: *mut T,
    ts: usize,
    source: *const S,
    ss: usize,
    n: usize,
    one: impl Fn(S) -> T,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        match (ts, ss) {
            (1, 1) => (0..n).for_each(|i| *target.add(i) = one(*source.add(i))),
            (1, 0) if n > 0 => simd::vectorize(Fill { target, value: one(*source), n }),
            (1, _) => (0..n).for_each(|i| *target.add(i) = one(*source.add(i * ss))),
            _ => (0..n).for_each(|i| *target.add(i * ts) = one(*source.add(i * ss))),
        }
    }
}

/// Sets elements to one value, compiled for each instruction set.
struct Fill<T> {
    target: *mut T,
    value: T,
    n: usize,
}

impl<T: Copy> Vectorized for Fill<T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // SAFETY: whoever makes one has room for so many elements.
        (0..self.n).for_each(|i| unsafe { self.target.add(i).write(self.value) });
    }
}

/// Converts by way of the wide type of one of the two.
///
/// # Safety
/// As for [`convert`].
unsafe fn by_way<S: Element, W: Element, T: Element>(
    target: *mut u8,
    ts: usize,
    source: *const u8,
    ss: usize,
    n: usize,
) {
    let mut block = [MaybeUninit::<W>::uninit(); BLOCK];
    let middle = block.as_mut_ptr().cast::<u8>();
    let (first, second) = (converter(S::DTYPE, W::DTYPE), converter(W::DTYPE, T::DTYPE));
    for at in (0..n).step_by(BLOCK) {
        let length = BLOCK.min(n - at);
        // SAFETY: by the caller's promise; the block has room, and holds what the second conversion reads.
        unsafe {
            first(middle, 1, source.add(at * ss * size_of::<S>()), ss, length);
            second(target.add(at * ts * size_of::<T>()), ts, middle, 1, length);
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
            let mut source: Vec<S> = [-3.0, 0.0, 1.0, 2.5, 200.0, 7.0].map(S::from_f64).into();
            source.extend((0..700).map(|i| S::from_f64(f64::from(i) * 0.25)));
            let zero = T::from_i64(0);
            for (ts, ss, n) in
                [(1, 1, 6), (1, 2, 3), (1, 0, 4), (2, 1, 3), (2, 2, 3), (1, 1, 0), (1, 0, 0), (1, 1, 700), (2, 1, 600)]
            {
                let mut found = vec![zero; 1500];
                let run = converter(S::DTYPE, T::DTYPE);
                // SAFETY: both vectors hold the last of `n` elements at these strides.
                unsafe { run(found.as_mut_ptr().cast(), ts, source.as_ptr().cast(), ss, n) };
                let mut expected = vec![zero; 1500];
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
