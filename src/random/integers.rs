//! Whole numbers: ranges, full ranges of a type, permutations.

use super::element::{Whole, check_bounds};
use super::generator::Generator;
use crate::bail;
use crate::error::Result;

/// From this range on PyTorch takes two words for each number, else the skew of the remainder would show.
const WIDE_RANGE: u64 = 1 << 28;

/// From this length on a permutation takes two words for each element.
const LONG_PERMUTATION: usize = (u32::MAX / 20) as usize;

impl Generator {
    /// Whole numbers from [low, high): `low` plus the remainder of one word, or of two if the range has 2^28 numbers
    /// or more.
    ///
    /// # Errors
    /// If the range is empty (for a float: after moving both ends to where rounding cannot leave it), or has a
    /// number outside the element type.
    pub fn randint<T: Whole>(&mut self, out: &mut [T], low: i64, high: i64) -> Result<()> {
        if low >= high {
            bail!(Runtime, "random integers need low < high, but low = {low} and high = {high}");
        }
        let (low, high) = (round_up::<T>(low), round_down::<T>(high));
        if low >= high {
            bail!(
                Runtime,
                "random integers need low < high in the element type, which leaves low = {low}, high = {high}"
            );
        }
        check_bounds::<T>(low, high - 1)?;
        self.fill_range(out, low, high.wrapping_sub(low) as u64);
        Ok(())
    }

    /// Whole numbers from `low` up to the type's maximum (for floats: 2 to the digits of the mantissa), both
    /// included: `Tensor.random_(low, None)`.
    ///
    /// # Errors
    /// If `low` does not fit the element type.
    pub fn randint_from<T: Whole>(&mut self, out: &mut [T], low: i64) -> Result<()> {
        if low == i64::MIN && T::BOUNDS.is_none() {
            self.fill64(out, |bits| T::of_i64(bits as i64));
            return Ok(());
        }
        let low = round_up::<T>(low);
        if low > T::TOP {
            bail!(Runtime, "random integers up to {} need a lower end below it, but low = {low}", T::TOP);
        }
        check_bounds::<T>(low, T::TOP)?;
        // Only from i64::MIN on would the range need 65 bits, and that was the first case.
        self.fill_range(out, low, (T::TOP.wrapping_sub(low) as u64).wrapping_add(1));
        Ok(())
    }

    /// Whole numbers from 0 up to the type's maximum (for floats: 2 to the digits of the mantissa):
    /// `Tensor.random_()`. Two words for each `i64` and `f64`, one for the others.
    pub fn random_full<T: Whole>(&mut self, out: &mut [T]) {
        T::fill_full(self, out);
    }

    /// A random permutation of 0, 1, ..., `out.len()` - 1; an index that the element type cannot hold is cast.
    pub fn permutation<T: Whole>(&mut self, out: &mut [T]) {
        let length = out.len();
        if length < LONG_PERMUTATION {
            for (index, slot) in out.iter_mut().enumerate() {
                *slot = T::of_i64(index as i64);
            }
            // Fisher and Yates: each place takes one of the elements not yet placed.
            for index in 0..length.saturating_sub(1) {
                let offset = self.random() % (length - index) as u32;
                out.swap(index, index + offset as usize);
            }
        } else {
            // The variant that fills as it goes: the new index goes anywhere, its occupant to the end.
            for index in 0..length {
                let place = (self.random64() % (index as u64 + 1)) as usize;
                out[index] = out[place];
                out[place] = T::of_i64(index as i64);
            }
        }
    }

    /// `low` plus the remainder by `range` of a word or of two.
    fn fill_range<T: Whole>(&mut self, out: &mut [T], low: i64, range: u64) {
        if range >= WIDE_RANGE {
            return self.fill64(out, |bits| T::of_i64(((bits % range) as i64).wrapping_add(low)));
        }
        // The remainder by two multiplications: Lemire, Kaser, Kurz, "Faster remainder by direct computation", 2019.
        let reciprocal = (u64::MAX / range).wrapping_add(1);
        self.fill32(out, |word| {
            let fraction = u128::from(reciprocal.wrapping_mul(u64::from(word)));
            let remainder = (fraction * u128::from(range)) >> 64;
            T::of_i64(remainder as i64 + low)
        });
    }
}

/// The lowest end of a range of floats whose numbers do not round below `from`.
fn round_up<T: Whole>(from: i64) -> i64 {
    let Some(digits) = T::DIGITS else { return from };
    let next = from.wrapping_add(1);
    let rounded = T::of_i64(next).to_i64();
    if rounded < from { rounded.wrapping_add(spacing(next, digits)) } else { from }
}

/// The highest end of a range of floats whose numbers do not round to `to` or above.
fn round_down<T: Whole>(to: i64) -> i64 {
    let Some(digits) = T::DIGITS else { return to };
    let previous = to.wrapping_sub(1);
    let rounded = T::of_i64(previous).to_i64();
    if rounded >= to { rounded.wrapping_sub(spacing(previous, digits)) } else { to }
}

/// The distance between neighbouring floats of that many digits at `value`.
fn spacing(value: i64, digits: u32) -> i64 {
    1 << (value.unsigned_abs().max(1).ilog2() + 1).saturating_sub(digits)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::super::figures::{SEED, assert_draws, hash};
    use super::*;

    fn range<T: Whole + Default + PartialEq + Debug, const K: usize>(low: i64, high: i64, expected: [T; K]) {
        assert_draws(|generator, out| generator.randint(out, low, high).unwrap(), expected);
    }

    fn from<T: Whole + Default + PartialEq + Debug, const K: usize>(low: i64, expected: [T; K]) {
        assert_draws(|generator, out| generator.randint_from(out, low).unwrap(), expected);
    }

    fn full<T: Whole + Default + PartialEq + Debug, const K: usize>(expected: [T; K]) {
        assert_draws(|generator, out| generator.random_full(out), expected);
    }

    #[test]
    fn ranges_are_those_of_torch() {
        range(-5, 6, [4_i64, 3, 2, -2, 1, 1]);
        range(0, 10, [6_u8, 8, 7, 7, 0, 0]);
        range(0, (1 << 28) - 1, [218_175_346_i64, 35_325_593, 88_681_732]);
        range(0, 1 << 28, [35_325_592_i64, 117_892_739, 252_666_824]);
        range(0, 1 << 28, [35_325_592_i32, 117_892_739, 252_666_824]);
        // In f32 the upper end moves to 2^28 - 32, and the range is a narrow one.
        range(0, 1 << 28, [2.181_754_7e8_f32, 3.532_561e7, 8.868_189_6e7]);
        range(0, 1 << 40, [455_570_294_424.0_f64, 1_073_054_410_371.0, 790_795_084_744.0]);
        let widest = [937_055_941_807_507_096_i64, 3_839_649_608_876_091_011, -3_857_126_681_373_350_968];
        range(i64::MIN, i64::MAX, widest);
        range(3, 4, [3_i64; 5]);
    }

    #[test]
    fn ranges_without_end_are_those_of_torch() {
        from(i64::MIN, [-8_286_316_095_047_268_712_i64, -5_383_722_427_978_684_797]);
        from(5, [55_u8, 100, 75, 199]);
        from(-7, [70_395.0_f32, 1_771_009.0, 4_794_186.0]);
        from(i64::from(i32::MIN), [-1_843_722_600_i32, 1_460_070_019, -1_626_381_368]);
    }

    #[test]
    fn full_ranges_are_those_of_torch() {
        full([false, false, true, true]);
        full([106_u8, 152, 249, 131]);
        full([218_175_338_i32, 303_761_048, 893_988_089]);
        full([937_055_941_807_507_096_i64, 3_839_649_608_876_091_011]);
        full([71_389.0_f32, 1_771_142.0, 4_795_460.0]);
        full([307_219_314_442_800.0_f64, 2_582_726_356_426_969.0]);
    }

    #[test]
    fn the_quick_remainder_is_the_remainder() {
        for range in [1, 2, 3, 7, 10, 100, 255, 65_537, (1 << 27) + 1, (1 << 28) - 1] {
            let mut numbers = [0_i64; 2000];
            let mut generator = Generator::new(range as u64);
            generator.randint(&mut numbers, 0, range).unwrap();
            generator.manual_seed(range as u64);
            assert!(numbers.iter().all(|&number| number == i64::from(generator.random()) % range));
        }
    }

    #[test]
    fn permutations_are_those_of_torch() {
        assert_draws(|generator, out| generator.permutation(out), [6_i64, 0, 3, 7, 8, 5, 1, 9, 2, 4]);
        let mut many = vec![0_i64; 5000];
        Generator::new(SEED).permutation(&mut many);
        assert_eq!(hash(many.iter().flat_map(|index| index.to_le_bytes())), 0x0946_5c66_d24d_d769);
        Generator::new(SEED).permutation::<i64>(&mut []);
    }

    #[test]
    fn ranges_are_checked() {
        let mut generator = Generator::new(SEED);
        assert!(generator.randint(&mut [0_i64], 3, 3).is_err());
        assert!(generator.randint(&mut [0_u8], -1, 3).is_err());
        assert!(generator.randint(&mut [0_u8], 0, 257).is_err());
        assert!(generator.randint(&mut [0_u8], 0, 256).is_ok());
        assert!(generator.randint(&mut [false], 0, 3).is_err());
        assert!(generator.randint_from(&mut [0_i32], i64::from(i32::MIN) - 1).is_err());
        assert!(generator.randint_from(&mut [0_u8], 256).is_err());
        assert!(generator.randint_from(&mut [0.0_f32], i64::MIN).is_ok());
    }
}
