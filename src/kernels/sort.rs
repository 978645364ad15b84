//! Sorting by keys: whole numbers in which elements have the order that they have themselves.
//!
//! # Note: Keys
//! An element and its place are packed into one integer, the element as the high half: integers are compared in one
//! instruction, and equal elements stay in the order of their places, so that any sort of the packed integers is a
//! stable sort of the elements. NaN counts as the largest number; zeros of either sign are equal.

use crate::data::Data;
use crate::dtype::Element;
use crate::kernels::lines::Lines;
use crate::kernels::parallel::{self, Shared};
use crate::with_element;

/// An element with its place, in the order in which it is wanted.
pub trait Packed: Copy + Ord + Send + Sync {
    fn pack<T: Element>(value: T, place: usize, descending: bool) -> Self;
    fn place(self) -> usize;
    /// Whether both are the same element in two places.
    fn equals(self, other: Self) -> bool;
}

/// 32 bits in the order of an element of at most as many.
#[inline(always)]
fn narrow<T: Element>(value: T) -> u32 {
    if !T::DTYPE.is_float() {
        return (value.to_i64() as i32 as u32) ^ (1 << 31);
    }
    let value = value.to_f64() as f32;
    if value.is_nan() {
        return u32::MAX;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | (1 << 31) }
}

/// 64 bits in the order of any element.
#[inline(always)]
pub fn wide<T: Element>(value: T) -> u64 {
    if !T::DTYPE.is_float() {
        return (value.to_i64() as u64) ^ (1 << 63);
    }
    let value = value.to_f64();
    if value.is_nan() {
        return u64::MAX;
    }
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// For elements of at most 32 bits in lines of fewer than 2^32.
impl Packed for u64 {
    #[inline(always)]
    fn pack<T: Element>(value: T, place: usize, descending: bool) -> u64 {
        let key = narrow(value);
        u64::from(if descending { !key } else { key }) << 32 | place as u64
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u32 as usize
    }
    #[inline(always)]
    fn equals(self, other: u64) -> bool {
        self >> 32 == other >> 32
    }
}

impl Packed for u128 {
    #[inline(always)]
    fn pack<T: Element>(value: T, place: usize, descending: bool) -> u128 {
        let key = wide(value);
        u128::from(if descending { !key } else { key }) << 64 | place as u128
    }
    #[inline(always)]
    fn place(self) -> usize {
        self as u64 as usize
    }
    #[inline(always)]
    fn equals(self, other: u128) -> bool {
        self >> 64 == other >> 64
    }
}

/// Runs a block with `P` standing for the packed form that fits elements of type `T` in lines of `length`.
#[macro_export]
macro_rules! with_packed {
    ($T:ident, $length:expr, $P:ident => $body:expr) => {
        if size_of::<$T>() <= 4 && $length <= u32::MAX as usize {
            type $P = u64;
            $body
        } else {
            type $P = u128;
            $body
        }
    };
}

/// The packed elements of a line.
///
/// # Safety
/// The line lies inside the tensor at `source`.
#[inline]
pub unsafe fn packed<T: Element, P: Packed>(
    source: *const T,
    lines: &Lines,
    number: usize,
    descending: bool,
    into: &mut Vec<P>,
) {
    let (first, stride) = (lines.first(number), lines.stride);
    into.clear();
    // SAFETY: by the caller's promise.
    into.extend((0..lines.length).map(|i| P::pack(unsafe { *source.add(first + i * stride) }, i, descending)));
}

/// Elements from which on two threads sort a line together.
const SHARED: usize = 1 << 16;

/// Sorts a line; long ones in halves at the same time, which are merged.
fn sort_line<P: Packed>(line: &mut Vec<P>) {
    if line.len() < SHARED || parallel::threads() < 2 {
        return line.sort_unstable();
    }
    let middle = line.len() / 2;
    let start = Shared::new(line.as_mut_ptr());
    let bounds = [0..middle, middle..line.len()];
    parallel::for_each_chunk(2, 1, |range| {
        for half in range {
            let part = bounds[half].clone();
            // SAFETY: the halves are disjoint parts of the line.
            unsafe { std::slice::from_raw_parts_mut(start.get().add(part.start), part.len()) }.sort_unstable();
        }
    });
    let (left, right) = line.split_at(middle);
    let mut merged = Vec::with_capacity(line.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() && j < right.len() {
        let from_left = left[i] < right[j];
        merged.push(if from_left { left[i] } else { right[j] });
        i += usize::from(from_left);
        j += usize::from(!from_left);
    }
    merged.extend_from_slice(&left[i..]);
    merged.extend_from_slice(&right[j..]);
    *line = merged;
}

/// Sorts each line along a dimension, stably; `places` gets where the elements were. All three have one size.
pub fn sort(values: &Data, places: &Data, input: &Data, dim: usize, descending: bool) {
    first(values, places, input, dim, descending, usize::MAX);
}

/// The first `count` elements of each sorted line.
pub fn first(values: &Data, places: &Data, input: &Data, dim: usize, descending: bool, count: usize) {
    let [lines, into, place] = [input, values, places].map(|data| Lines::new(data, dim));
    let count = count.min(lines.length);
    if count == 0 {
        return;
    }
    let places = Shared::new(places.pointer().cast::<i64>());
    with_element!(input.dtype, T => {
        let (source, sink) = (Shared::new(input.pointer().cast::<T>()), Shared::new(values.pointer().cast::<T>()));
        with_packed!(T, lines.length, P => lines.for_each(|number| {
            let mut line = Vec::<P>::new();
            // SAFETY: lines lie inside their tensors; each result is written once.
            unsafe {
                packed(source.get().cast_const(), &lines, number, descending, &mut line);
                if count < line.len() / 2 {
                    line.select_nth_unstable(count - 1);
                    line.truncate(count);
                }
                sort_line(&mut line);
                let from = lines.first(number);
                let (to, at) = (into.first(number), place.first(number));
                for (i, packed) in line[..count].iter().enumerate() {
                    let found = packed.place();
                    sink.get().add(to + i * into.stride).write(*source.get().add(from + found * lines.stride));
                    places.get().add(at + i * place.stride).write(found as i64);
                }
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    #[test]
    fn keys_have_the_order_of_numbers() {
        let floats = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 1e-300, 3.0, f64::INFINITY, f64::NAN];
        for pair in floats.windows(2) {
            assert!(wide(pair[0]) <= wide(pair[1]) && narrow(pair[0] as f32) <= narrow(pair[1] as f32));
        }
        assert_eq!(wide(-0.0), wide(0.0));
        assert!(wide(i64::MIN) < wide(-1i64) && wide(-1i64) < wide(i64::MAX) && narrow(-1i32) < narrow(0i32));
    }

    #[test]
    fn long_lines_are_sorted_like_short_ones() {
        let numbers: Vec<i64> = (0..3 * SHARED as i64).map(|i| i * 7919 % 1009).collect();
        let input = Tensor::from_slice(&numbers, &[numbers.len()]).unwrap();
        let [values, places] = [(), ()].map(|()| Tensor::zeros(&[numbers.len()], crate::DType::Int64).unwrap());
        for descending in [false, true] {
            sort(&values.data(), &places.data(), &input.data(), 0, descending);
            let mut order: Vec<i64> = (0..numbers.len() as i64).collect();
            order.sort_by_key(|&i| if descending { -numbers[i as usize] } else { numbers[i as usize] });
            assert_eq!(places.to_vec::<i64>().unwrap(), order);
            let sorted: Vec<i64> = order.iter().map(|&i| numbers[i as usize]).collect();
            assert_eq!(values.to_vec::<i64>().unwrap(), sorted);
        }
    }
}
