//! Sorting by keys: whole numbers in which elements have the order that they have themselves.
//!
//! # Note: Keys
//! An element and its place are packed into one integer, the element as the high half: integers are compared in one
//! instruction, and equal elements stay in the order of their places, so that any sort of the packed integers is a
//! stable sort of the elements. NaN counts as the largest number; zeros of either sign are equal.

use crate::data::Data;
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::copy::copy;
use crate::kernels::lines::Lines;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};
use crate::shape::{Dims, contiguous_strides};
use crate::storage::Storage;
use crate::with_element;

/// An element with its place, in the order in which it is wanted.
pub trait Packed: Copy + Ord + Send + Sync {
    fn pack<T: Element>(value: T, place: usize, descending: bool) -> Self;
    fn place(self) -> usize;
    /// Whether both are the same element in two places.
    fn equals(self, other: Self) -> bool;
    /// Bits of the element.
    const BITS: u32;
    /// `bits` bits of the element, from bit `shift` on.
    fn digit(self, shift: u32, bits: u32) -> usize;
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
    const BITS: u32 = 32;
    #[inline(always)]
    fn digit(self, shift: u32, bits: u32) -> usize {
        (self >> (32 + shift)) as usize & ((1 << bits) - 1)
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
    const BITS: u32 = 64;
    #[inline(always)]
    fn digit(self, shift: u32, bits: u32) -> usize {
        (self >> (64 + shift)) as usize & ((1 << bits) - 1)
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

/// Elements from which on digits are counted rather than elements compared.
const COUNTED: usize = 256;

/// Sorts packed elements that are in the order of their places, by the digits of the elements from the last to the first
/// (H. H. Seward, 1954); a digit that all have in common is passed over.
fn sort_by_digits<P: Packed>(line: &mut [P]) {
    let bits = if line.len() < 1 << 14 { 8 } else { 11 };
    let (size, digits) = (1 << bits, P::BITS.div_ceil(bits));
    let mut counts = vec![0usize; size * digits as usize];
    for &x in &*line {
        for d in 0..digits {
            counts[d as usize * size + x.digit(d * bits, bits)] += 1;
        }
    }
    let mut other: Vec<P> = Vec::new();
    for (d, counts) in counts.chunks_exact_mut(size).enumerate() {
        if counts.contains(&line.len()) {
            continue;
        }
        let mut next = 0;
        for count in counts.iter_mut() {
            next += std::mem::replace(count, next);
        }
        other.clear();
        other.extend_from_slice(line);
        for &x in &other {
            let place = &mut counts[x.digit(d as u32 * bits, bits)];
            line[*place] = x;
            *place += 1;
        }
    }
}

/// Sorts packed elements; in linear time if they are in the order of their places.
pub fn sort_packed<P: Packed>(line: &mut Vec<P>, in_order: bool) {
    let sort = |part: &mut [P]| match in_order && part.len() >= COUNTED {
        true => sort_by_digits(part),
        false => part.sort_unstable(),
    };
    if line.len() < SHARED || parallel::threads() < 2 {
        return sort(line);
    }
    // Long ones in halves at the same time, which are merged.
    let middle = line.len() / 2;
    let start = Shared::new(line.as_mut_ptr());
    let bounds = [0..middle, middle..line.len()];
    parallel::for_each_chunk(2, 1, |range| {
        for half in range {
            let part = bounds[half].clone();
            // SAFETY: the halves are disjoint parts of the line.
            sort(unsafe { std::slice::from_raw_parts_mut(start.get().add(part.start), part.len()) });
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

/// Elements that are compared at once with the greatest of the least.
const COMPARED: usize = 64;

/// Packs some elements of a line; gives whether one of them is below a bound.
struct PackSome<'a, T, P> {
    start: *const T,
    stride: usize,
    first: usize,
    descending: bool,
    bound: P,
    into: &'a mut [P],
}

impl<T: Element, P: Packed> Vectorized for PackSome<'_, T, P> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        let mut any = false;
        for i in 0..self.into.len() {
            let place = self.first + i;
            // SAFETY: whoever makes one has a line that is long enough.
            let x = P::pack(unsafe { *self.start.add(place * self.stride) }, place, self.descending);
            self.into[i] = x;
            any |= x < self.bound;
        }
        any
    }
}

/// The `count` least packed elements of a line, in no order: a list that is cut off when it is long, and into which only
/// what may belong to them gets.
///
/// # Safety
/// The line lies inside the tensor.
unsafe fn least<T: Element, P: Packed>(
    start: *const T,
    lines: &Lines,
    descending: bool,
    count: usize,
    into: &mut Vec<P>,
) {
    into.clear();
    // SAFETY: there are more elements than are wanted.
    let mut some = [P::pack(unsafe { *start }, 0, descending); COMPARED];
    let mut bound = None;
    for first in (0..lines.length).step_by(COMPARED) {
        let some = &mut some[..COMPARED.min(lines.length - first)];
        let limit = bound.unwrap_or(some[0]);
        let any =
            simd::vectorize(PackSome { start, stride: lines.stride, first, descending, bound: limit, into: some });
        if any || bound.is_none() {
            into.extend(some.iter().filter(|&&x| bound.is_none_or(|bound| x < bound)));
        }
        if into.len() >= count + 2 * COMPARED {
            let (.., &mut last, _) = into.select_nth_unstable(count - 1);
            bound = Some(last);
            into.truncate(count);
        }
    }
    if into.len() > count {
        into.select_nth_unstable(count - 1);
        into.truncate(count);
    }
}

/// Data of the same sizes, but with dimension `dim` last, in memory of its own.
fn turned(data: &Data, dim: usize) -> Result<Data> {
    let sizes: Dims = moved_last(&data.sizes, dim);
    let strides = contiguous_strides(&sizes);
    let storage = Storage::uninitialized(data.numel() * data.dtype.size())?;
    Ok(Data::new(storage, sizes, strides, 0, data.dtype))
}

fn moved_last(dims: &Dims, dim: usize) -> Dims {
    let rest = dims.iter().enumerate().filter(|row| row.0 != dim).map(|row| *row.1);
    rest.chain([dims[dim]]).collect()
}

/// The same memory with dimension `dim` last.
fn seen_turned(data: &Data, dim: usize) -> Data {
    let (sizes, strides) = (moved_last(&data.sizes, dim), moved_last(&data.strides, dim));
    Data::new(data.storage.clone(), sizes, strides, data.offset, data.dtype)
}

/// Sorts each line along a dimension, stably; `places` gets where the elements were. All three have one size.
pub fn sort(values: &Data, places: &Data, input: &Data, dim: usize, descending: bool) {
    first(values, places, input, dim, descending, usize::MAX);
}

/// The first `count` elements of each sorted line.
pub fn first(values: &Data, places: &Data, input: &Data, dim: usize, descending: bool, count: usize) {
    // Lines across the memory are brought together, as each of their elements is in another cache line.
    let across = input.sizes.get(dim).is_some_and(|&size| size >= COUNTED / 8) && input.strides[dim] > 1;
    if across && let [Ok(from), Ok(to), Ok(at)] = [input, values, places].map(|data| turned(data, dim)) {
        copy(&from, &seen_turned(input, dim));
        let last = dim.max(input.sizes.len() - 1);
        first_of_lines(&to, &at, &from, last, descending, count);
        copy(&seen_turned(values, dim), &to);
        return copy(&seen_turned(places, dim), &at);
    }
    first_of_lines(values, places, input, dim, descending, count);
}

/// As [`first`], in the lines as they lie.
fn first_of_lines(values: &Data, places: &Data, input: &Data, dim: usize, descending: bool, count: usize) {
    let [lines, into, place] = [input, values, places].map(|data| Lines::new(data, dim));
    let count = count.min(lines.length);
    if count == 0 {
        return;
    }
    let places = Shared::new(places.pointer().cast::<i64>());
    with_element!(input.dtype, T => {
        let (source, sink) = (Shared::new(input.pointer().cast::<T>()), Shared::new(values.pointer().cast::<T>()));
        with_packed!(T, lines.length, P => lines.for_each_chunk(|numbers| {
            let mut line = Vec::<P>::new();
            for number in numbers {
                // SAFETY: lines lie inside their tensors; each result is written once.
                unsafe {
                    let from = lines.first(number);
                    let few = count < lines.length / 8;
                    if few {
                        least(source.get().add(from).cast_const(), &lines, descending, count, &mut line);
                    } else {
                        packed(source.get().cast_const(), &lines, number, descending, &mut line);
                        if count < line.len() / 2 {
                            line.select_nth_unstable(count - 1);
                            line.truncate(count);
                        }
                    }
                    let in_order = line.len() == lines.length;
                    sort_packed(&mut line, in_order);
                    let (to, at) = (into.first(number), place.first(number));
                    for (i, packed) in line[..count].iter().enumerate() {
                        let found = packed.place();
                        sink.get().add(to + i * into.stride).write(*source.get().add(from + found * lines.stride));
                        places.get().add(at + i * place.stride).write(found as i64);
                    }
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

    /// Few of many, and lines along any dimension, against what the library sorts.
    #[test]
    fn some_of_a_line_come_first() {
        let sizes = [3, 700, 5];
        let numbers: Vec<i64> = (0..3 * 700 * 5).map(|i| i * 7919 % 1009).collect();
        for dtype in [crate::DType::Float32, crate::DType::Int64] {
            let input = Tensor::from_slice(&numbers, &sizes).unwrap().cast(dtype).unwrap();
            for (dim, count) in [(1, 3), (1, 100), (1, 400), (1, 700), (2, 2), (0, 3)] {
                let mut to = sizes;
                to[dim] = count;
                let (values, places) =
                    (Tensor::zeros(&to, dtype).unwrap(), Tensor::zeros(&to, crate::DType::Int64).unwrap());
                first(&values.data(), &places.data(), &input.data(), dim, true, count);
                let places = places.to_vec::<i64>().unwrap();
                let inner: usize = sizes[dim + 1..].iter().product();
                let at = |line: usize, i: usize, length: usize| (line / inner * length + i) * inner + line % inner;
                for line in 0..numbers.len() / sizes[dim] {
                    let mut order: Vec<i64> = (0..sizes[dim] as i64).collect();
                    order.sort_by_key(|&i| -numbers[at(line, i as usize, sizes[dim])]);
                    let found: Vec<i64> = (0..count).map(|i| places[at(line, i, count)]).collect();
                    assert_eq!(found, order[..count], "{dtype} {dim} {count}");
                }
            }
        }
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
