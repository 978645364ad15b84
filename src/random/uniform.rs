//! Uniform numbers.

use super::check::require;
use super::element::Real;
use super::generator::Generator;
use super::wide::wide;
use crate::error::Result;

/// Numbers that are drawn before they are scaled: few enough to stay in the first-level cache.
const BATCH: usize = 1024;

impl Generator {
    /// Uniform numbers from [from, to). One word for each `f32`, two for each `f64`.
    ///
    /// # Errors
    /// If `from > to`, or a bound or their difference does not fit the type.
    pub fn uniform<T: Real>(&mut self, out: &mut [T], from: f64, to: f64) -> Result<()> {
        require(from.abs() <= T::MAX, "from", "finite in the element type", from)?;
        require(to.abs() <= T::MAX, "to", "finite in the element type", to)?;
        require(from <= to, "to", "at least from", to)?;
        require(to - from <= T::MAX, "to - from", "finite in the element type", to - from)?;
        if (from, to) == (0.0, 1.0) {
            T::fill_unit(self, out);
            return Ok(());
        }
        for batch in out.chunks_mut(BATCH) {
            T::fill_unit(self, batch);
            T::scale(batch, T::of(from), T::of(to));
        }
        Ok(())
    }

    /// A uniform `f64` from [0, 1).
    #[inline]
    pub(super) fn standard_uniform(&mut self) -> f64 {
        unit(self.random64())
    }
}

/// The low 53 bits as a number from [0, 1).
#[inline]
pub(super) fn unit(bits: u64) -> f64 {
    (bits & ((1 << 53) - 1)) as i64 as f64 * (1.0 / (1_i64 << 53) as f64)
}

wide! {
    /// Scales uniform numbers from [0, 1) to [from, to), in place.
    pub(super) fn scale_single(numbers: &mut [f32], from: f32, to: f32) {
        for number in numbers {
            // Fused, as in PyTorch's AVX2 code.
            let scaled = number.mul_add(to - from, from);
            // Rounding can reach the excluded end.
            *number = if scaled == to { from } else { scaled };
        }
    }
}

wide! {
    /// Scales uniform numbers from [0, 1) to [from, to), in place.
    pub(super) fn scale_double(numbers: &mut [f64], from: f64, to: f64) {
        for number in numbers {
            let scaled = number.mul_add(to - from, from);
            *number = if scaled == to { from } else { scaled };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, assert_draws, hash};
    use super::*;

    #[test]
    fn the_figures_of_torch() {
        assert_draws(
            |generator, out| generator.uniform(out, 0.0, 1.0).unwrap(),
            [0.0042635202_f32, 0.10556936, 0.28584248],
        );
        assert_draws(
            |generator, out| generator.uniform(out, 0.0, 1.0).unwrap(),
            [0.03410819565052048_f64, 0.28674022672130695, 0.7729149443285843],
        );
        assert_draws(
            |generator, out| generator.uniform(out, -3.0, 7.1).unwrap(),
            [-2.9569385_f32, -1.9337494, -0.11299086],
        );
        assert_draws(
            |generator, out| generator.uniform(out, -3.0, 7.1).unwrap(),
            [-2.6555072239297433_f64, -0.10392371011479995, 4.806440937718701],
        );
    }

    #[test]
    fn many_figures_of_torch() {
        let mut single = vec![0.0_f32; 3003];
        Generator::new(SEED).uniform(&mut single, -3.0, 7.1).unwrap();
        assert_eq!(hash(single.iter().flat_map(|x| x.to_le_bytes())), 0xe3e2_6846_65d7_840f);
        let mut double = vec![0.0_f64; 3003];
        Generator::new(SEED).uniform(&mut double, -3.0, 7.1).unwrap();
        assert_eq!(hash(double.iter().flat_map(|x| x.to_le_bytes())), 0x2fb2_e628_0994_f13d);
    }

    #[test]
    fn the_upper_end_is_excluded() {
        // Between 1 and its successor every number rounds to one of the two.
        let mut numbers = [0.0_f32; 100];
        Generator::new(SEED).uniform(&mut numbers, 1.0, f64::from(1.0 + f32::EPSILON)).unwrap();
        assert_eq!(numbers, [1.0; 100]);
        Generator::new(SEED).uniform(&mut numbers, 2.0, 2.0).unwrap();
        assert_eq!(numbers, [2.0; 100]);
    }

    #[test]
    fn bounds_are_checked() {
        let mut generator = Generator::new(SEED);
        let mut out = [0.0_f32; 2];
        assert!(generator.uniform(&mut out, 1.0, 0.0).is_err());
        assert!(generator.uniform(&mut out, f64::NAN, 0.0).is_err());
        assert!(generator.uniform(&mut out, 0.0, 1e39).is_err());
        assert!(generator.uniform(&mut out, -3e38, 3e38).is_err());
        assert!(generator.uniform(&mut [0.0_f64; 2], -3e38, 3e38).is_ok());
    }
}
