//! Sums, products, extremes, and where they are.

use std::marker::PhantomData;

use super::fold::Fold;
use crate::kernels::algebra::{Number, Ring};

/// Elements that are compared at once in the search for a place.
const SEARCHED: usize = 64;
/// Extremes that are found side by side.
const LANES: usize = 16;

#[derive(Clone, Copy, Default)]
pub struct Sum<T>(PhantomData<T>);

impl<T: Ring> Fold for Sum<T> {
    type Item = T;
    type State = T;
    #[inline(always)]
    fn start(self) -> T {
        T::default()
    }
    #[inline(always)]
    fn step(self, state: T, item: T, _: usize) -> T {
        state + item
    }
    #[inline(always)]
    fn join(self, left: T, right: T) -> T {
        left + right
    }
}

/// The sum of the squares, in double precision, which those of float32 are in range of.
#[derive(Clone, Copy, Default)]
pub struct Squares<T>(PhantomData<T>);

impl<T: Ring> Fold for Squares<T> {
    type Item = T;
    type State = f64;
    #[inline(always)]
    fn start(self) -> f64 {
        0.0
    }
    #[inline(always)]
    fn step(self, state: f64, item: T, _: usize) -> f64 {
        let item = item.to_f64();
        state + item * item
    }
    #[inline(always)]
    fn join(self, left: f64, right: f64) -> f64 {
        left + right
    }
}

#[derive(Clone, Copy, Default)]
pub struct Product<T>(PhantomData<T>);

impl<T: Ring> Fold for Product<T> {
    type Item = T;
    type State = T;
    #[inline(always)]
    fn start(self) -> T {
        T::from_i64(1)
    }
    #[inline(always)]
    fn step(self, state: T, item: T, _: usize) -> T {
        state * item
    }
    #[inline(always)]
    fn join(self, left: T, right: T) -> T {
        left * right
    }
}

/// The largest (or smallest) element and the first place where it is; NaN beats everything.
#[derive(Clone, Copy, Default)]
pub struct Extreme<T, const LARGEST: bool>(PhantomData<T>);

impl<T: Number, const LARGEST: bool> Extreme<T, LARGEST> {
    #[inline(always)]
    fn beats(a: T, b: T) -> bool {
        (if LARGEST { a > b } else { a < b }) || (a.is_nan() && !b.is_nan())
    }
}

impl<T: Number, const LARGEST: bool> Fold for Extreme<T, LARGEST> {
    type Item = T;
    type State = (T, usize);
    #[inline(always)]
    fn start(self) -> (T, usize) {
        (if LARGEST { T::lowest() } else { T::highest() }, usize::MAX)
    }
    #[inline(always)]
    fn step(self, state: (T, usize), item: T, index: usize) -> (T, usize) {
        if Self::beats(item, state.0) || state.1 == usize::MAX { (item, index) } else { state }
    }
    /// The value first, and then its first place: both loops are vector code, which one that carries places is not.
    #[inline(always)]
    fn contiguous(self, items: &[T], seen: usize) -> (T, usize) {
        if items.len() < LANES {
            let step = |state, (i, &item): (usize, &T)| self.step(state, item, seen + i);
            return items.iter().enumerate().fold(self.start(), step);
        }
        let value = ExtremeValue::<T, LARGEST>::default().contiguous(items, seen);
        let is_it = |item: T| (item == value) | (item.is_nan() & value.is_nan());
        for (i, part) in items.chunks(SEARCHED).enumerate() {
            if part.iter().fold(false, |found, &item| found | is_it(item))
                && let Some(at) = part.iter().position(|&item| is_it(item))
            {
                return (part[at], seen + i * SEARCHED + at);
            }
        }
        self.start()
    }
    #[inline(always)]
    fn join(self, left: (T, usize), right: (T, usize)) -> (T, usize) {
        let earlier = right.1 < left.1 && !Self::beats(left.0, right.0);
        if right.1 != usize::MAX && (Self::beats(right.0, left.0) || earlier) { right } else { left }
    }
}

/// The same without the place, which is quicker.
#[derive(Clone, Copy, Default)]
pub struct ExtremeValue<T, const LARGEST: bool>(PhantomData<T>);

impl<T: Number, const LARGEST: bool> Fold for ExtremeValue<T, LARGEST> {
    type Item = T;
    type State = T;
    #[inline(always)]
    fn start(self) -> T {
        if LARGEST { T::lowest() } else { T::highest() }
    }
    #[inline(always)]
    fn step(self, state: T, item: T, _: usize) -> T {
        if LARGEST { state.maximum(item) } else { state.minimum(item) }
    }
    /// In lanes that a NaN leaves again, and whether there was one; lanes are joined by rank, as a loop over integers is
    /// vector code and one over floats is not.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "lanes are indexed together, as vectors are")]
    fn contiguous(self, items: &[T], seen: usize) -> T {
        let (rows, rest) = items.as_chunks::<LANES>();
        if rows.is_empty() {
            return items.iter().fold(self.start(), |state, &item| self.step(state, item, seen));
        }
        let mut lanes = [self.start(); LANES];
        let mut nans = [false; LANES];
        for row in rows {
            for lane in 0..LANES {
                let (most, item) = (lanes[lane], row[lane]);
                lanes[lane] = if (LARGEST && most > item) || (!LARGEST && most < item) { most } else { item };
                nans[lane] |= item.is_nan();
            }
        }
        let nan =
            if nans.iter().fold(false, |any, &nan| any | nan) { items.iter().find(|item| item.is_nan()) } else { None };
        if let Some(&nan) = nan {
            return nan;
        }
        let ranks = lanes.map(Number::rank);
        let [first, ..] = ranks;
        let most = ranks.iter().fold(first, |a, &b| if LARGEST { a.max(b) } else { a.min(b) });
        rest.iter().fold(T::of_rank(most), |state, &item| self.step(state, item, seen))
    }
    #[inline(always)]
    fn join(self, left: T, right: T) -> T {
        self.step(left, right, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths around those of the lanes, negative numbers among them, and NaN at several places.
    #[test]
    fn extremes_are_those_of_a_loop() {
        fn check<const LARGEST: bool>(items: &[f32]) {
            let fold = Extreme::<f32, LARGEST>::default();
            let step = |state, (i, &item): (usize, &f32)| fold.step(state, item, 5 + i);
            let (value, place) = items.iter().enumerate().fold(fold.start(), step);
            let found = fold.contiguous(items, 5);
            assert_eq!((found.0.to_bits(), found.1), (value.to_bits(), place), "{LARGEST} {items:?}");
            let alone = ExtremeValue::<f32, LARGEST>::default().contiguous(items, 5);
            assert_eq!(alone.to_bits(), value.to_bits(), "{LARGEST} {items:?}");
        }
        for length in [1, 7, 15, 16, 17, 33, 100, 1024] {
            let mut items: Vec<f32> = (0..length).map(|i| (i * 37 % 101) as f32 - 50.5).collect();
            check::<true>(&items);
            check::<false>(&items);
            items[length / 2] = f32::NEG_INFINITY;
            check::<true>(&items);
            check::<false>(&items);
            items[length - 1] = f32::NAN;
            check::<true>(&items);
            check::<false>(&items);
        }
    }
}
