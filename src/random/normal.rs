//! Normal numbers: in blocks, one by one, and with means and deviations of their own.

use std::f64::consts::TAU;

use super::check::{require, require_length};
use super::element::Real;
use super::generator::Generator;
use crate::error::Result;

/// A parameter of a distribution: one number for all elements, or one for each.
#[derive(Clone, Copy, Debug)]
pub enum Parameter<'a, T> {
    All(f64),
    Each(&'a [T]),
}

/// From this many elements on, normals are drawn in blocks of 16 rather than one by one.
const BLOCK: usize = 16;

/// Blocks that are drawn before they are transformed: enough to amortise the calls, few enough to stay in the cache.
const BATCH: usize = 64;

impl Generator {
    /// Normal numbers for contiguous memory: in blocks from 16 elements on, else as [`Generator::normal_serial`].
    ///
    /// The last, incomplete block is made from 16 fresh uniform numbers that replace the last 16 elements, as in
    /// PyTorch; hence `randn(17)` does not begin like `randn(16)` continued.
    ///
    /// # Errors
    /// If `std` is negative.
    pub fn normal<T: Real>(&mut self, out: &mut [T], mean: f64, std: f64) -> Result<()> {
        if out.len() < BLOCK {
            return self.normal_serial(out, mean, std);
        }
        check_std(std)?;
        let (mean, std) = (T::of(mean), T::of(std));
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        for batch in blocks.chunks_mut(BATCH) {
            T::fill_unit(self, batch.as_flattened_mut());
            T::box_muller(batch, mean, std);
        }
        if !rest.is_empty() {
            // PyTorch draws a uniform number for every element, then starts the last block anew.
            T::fill_unit(self, rest);
            let mut last = [T::of(0.0); BLOCK];
            T::fill_unit(self, &mut last);
            T::box_muller(std::slice::from_mut(&mut last), mean, std);
            let start = out.len() - BLOCK;
            out[start..].copy_from_slice(&last);
        }
        Ok(())
    }

    /// Normal numbers one by one, in `f64` and with the cache: what PyTorch does for fewer than 16 elements, and for
    /// any number of elements that are not contiguous.
    ///
    /// # Errors
    /// If `std` is negative.
    pub fn normal_serial<T: Real>(&mut self, out: &mut [T], mean: f64, std: f64) -> Result<()> {
        check_std(std)?;
        for slot in out {
            *slot = T::of(self.standard_normal().mul_add(std, mean));
        }
        Ok(())
    }

    /// Normal numbers with a mean or a standard deviation of their own, as `torch.normal` with tensors draws them.
    ///
    /// # Errors
    /// If a standard deviation is negative or NaN, or a slice has another length than `out`.
    pub fn normal_each<T: Real>(&mut self, out: &mut [T], mean: Parameter<T>, std: Parameter<T>) -> Result<()> {
        for (name, parameter) in [("mean", &mean), ("std", &std)] {
            if let Parameter::Each(values) = parameter {
                require_length(name, out.len(), values.len())?;
            }
        }
        match std {
            Parameter::All(std) => {
                if let Parameter::All(mean) = mean {
                    return self.normal(out, mean, std);
                }
                self.normal(out, 0.0, std)?;
            }
            Parameter::Each(stds) => {
                stds.iter().try_for_each(|std| check_std(std.wide()))?;
                self.normal(out, 0.0, 1.0)?;
                out.iter_mut().zip(stds).for_each(|(slot, &std)| *slot = *slot * std);
            }
        }
        match mean {
            Parameter::All(mean) => out.iter_mut().for_each(|slot| *slot = *slot + T::of(mean)),
            Parameter::Each(means) => out.iter_mut().zip(means).for_each(|(slot, &mean)| *slot = *slot + mean),
        }
        Ok(())
    }

    /// A normal `f64`: the one left over, or the first of a new pair.
    #[inline]
    pub(super) fn standard_normal(&mut self) -> f64 {
        if let Some(normal) = self.next_normal_f64.take() {
            return normal;
        }
        let angle = TAU * self.standard_uniform();
        let radius = (-2.0 * (-self.standard_uniform()).ln_1p()).sqrt();
        let (sin, cos) = angle.sin_cos();
        self.next_normal_f64 = Some(radius * sin);
        radius * cos
    }
}

fn check_std(std: f64) -> Result<()> {
    require(std >= 0.0, "std", "at least 0", std)
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, assert_draws, assert_near, drawn, hash};
    use super::*;

    const SINGLE: [f32; 16] = [
        -0.076644294,
        0.35988152,
        -0.7820168,
        0.071527734,
        0.6648394,
        -0.2867803,
        1.6205508,
        -1.596708,
        -0.051680963,
        -0.3059757,
        0.24850175,
        -0.22256084,
        0.9131519,
        0.20434111,
        0.5739847,
        0.4163313,
    ];
    const DOUBLE: [f64; 16] = [
        -0.21774879177876416,
        0.1466771298110492,
        0.6690811213485476,
        -0.5141241139283437,
        -1.5859705131070332,
        -0.7477303158580806,
        0.653905739227061,
        0.9104898970780404,
        0.1482982579868126,
        -0.8088912118682788,
        1.5865660172970877,
        -0.34676114240658795,
        0.5483733310758553,
        1.1468065969716013,
        -0.1245583850711936,
        0.554316113203163,
    ];

    #[test]
    fn a_block_is_that_of_torch() {
        // Single precision needs no C library: the bits are the same everywhere.
        assert_draws(|generator, out| generator.normal(out, 0.0, 1.0).unwrap(), SINGLE);
        let double: [f64; 16] = drawn(|generator, out| generator.normal(out, 0.0, 1.0).unwrap());
        assert_near(&double, &DOUBLE);
        let mut many = vec![0.0_f32; 1003];
        Generator::new(SEED).normal(&mut many, 1.5, 2.0).unwrap();
        assert_eq!(hash(many.iter().flat_map(|x| x.to_le_bytes())), 0x0ae1_aa2a_76eb_2d9d);
    }

    #[test]
    fn an_incomplete_block_replaces_the_last_sixteen() {
        let single: [f32; 17] = drawn(|generator, out| generator.normal(out, 0.0, 1.0).unwrap());
        assert_eq!([single[0], single[1], single[16]], [SINGLE[0], 0.93112445, 0.485114]);
        let double: [f64; 17] = drawn(|generator, out| generator.normal(out, 0.0, 1.0).unwrap());
        assert_near(&[double[0], double[1], double[16]], &[DOUBLE[0], 1.063885293948422, 0.028752867895017985]);
    }

    #[test]
    fn few_normals_are_drawn_one_by_one() {
        let double: [f64; 3] = drawn(|generator, out| generator.normal(out, 3.3, 0.7).unwrap());
        assert_near(&double, &[3.862293254667445, 3.4223833752953725, 3.362284666518115]);
        let single: [f32; 3] = drawn(|generator, out| generator.normal(out, 3.3, 0.7).unwrap());
        assert_near(&single, &[3.8622932, 3.4223833, 3.3622847]);
        let many: [f64; 20] = drawn(|generator, out| generator.normal_serial(out, 3.3, 0.7).unwrap());
        assert_near(&many[..3], &double);
    }

    #[test]
    fn each_with_its_own_mean_and_deviation() {
        let (means, stds) = ([1.0_f32, -2.0, 3.0], [0.5_f32, 0.0, 2.0]);
        let each = |mean, std| -> [f32; 3] { drawn(|generator, out| generator.normal_each(out, mean, std).unwrap()) };
        assert_near(&each(Parameter::Each(&means), Parameter::Each(&stds)), &[1.401638, -2.0, 3.177956]);
        assert_near(&each(Parameter::Each(&means), Parameter::All(0.5)), &[1.401638, -1.9125834, 3.0444891]);
        assert_near(&each(Parameter::All(1.5), Parameter::Each(&stds)), &[1.901638, 1.5, 1.6779562]);
        assert_near(&each(Parameter::All(3.3), Parameter::All(0.7)), &[3.8622932, 3.4223833, 3.3622847]);
    }

    #[test]
    fn deviations_are_checked() {
        let mut generator = Generator::new(SEED);
        let before = generator.state();
        let mut out = [0.0_f64; 2];
        assert!(generator.normal(&mut out, 0.0, -1.0).is_err());
        assert!(generator.normal(&mut out, 0.0, f64::NAN).is_err());
        assert!(generator.normal_each(&mut out, Parameter::All(0.0), Parameter::Each(&[1.0, -1.0])).is_err());
        assert!(generator.normal_each(&mut out, Parameter::Each(&[1.0]), Parameter::All(1.0)).is_err());
        assert_eq!(generator.state(), before);
    }
}
