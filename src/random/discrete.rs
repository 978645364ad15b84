//! Discrete distributions: Bernoulli, geometric, Poisson, binomial.

use std::f64::consts::TAU;

use super::check::{require, require_length, require_probability};
use super::element::{Real, Whole};
use super::generator::Generator;
use super::uniform::unit;
use crate::error::Result;

impl Generator {
    /// 1 with probability `p`, else 0: whether a uniform `f64` is below `p`.
    ///
    /// `Tensor.bernoulli_(p)`, `torch.bernoulli(t, p)` and dropout draw in this way where PyTorch runs without MKL or
    /// on a processor that is not Intel's. On Intel's its official wheels seed a generator of MKL with one word and
    /// take the numbers from there, so those differ from one machine to another.
    ///
    /// # Errors
    /// If `p` is not in [0, 1].
    pub fn bernoulli<T: Whole>(&mut self, out: &mut [T], p: f64) -> Result<()> {
        require_probability(p)?;
        self.fill64(out, |bits| T::of_i64(i64::from(unit(bits) < p)));
        Ok(())
    }

    /// 1 with a probability of its own for each element: `torch.bernoulli(p)`. Probabilities in `f64` are compared
    /// with a uniform `f64`, those in `f32` with a uniform `f32`, whatever the type of the output.
    ///
    /// # Errors
    /// If a probability is not in [0, 1], or the lengths differ.
    pub fn bernoulli_each<T: Whole, P: Real>(&mut self, out: &mut [T], p: &[P]) -> Result<()> {
        require_length("p", out.len(), p.len())?;
        p.iter().try_for_each(|p| require_probability(p.wide()))?;
        for (out, p) in out.chunks_mut(256).zip(p.chunks(256)) {
            let mut uniform = [P::of(0.0); 256];
            P::fill_unit(self, &mut uniform[..p.len()]);
            for ((slot, p), uniform) in out.iter_mut().zip(p).zip(&uniform) {
                *slot = T::of_i64(i64::from(uniform < p));
            }
        }
        Ok(())
    }

    /// The number of trials up to the first success: ⌈log u / log(1 - p)⌉. Where the element type is an integer, a
    /// number beyond its range (for a `p` near 0) becomes its limit.
    ///
    /// # Errors
    /// If `p` is not in (0, 1).
    pub fn geometric<T: Whole>(&mut self, out: &mut [T], p: f64) -> Result<()> {
        require(p > 0.0 && p < 1.0, "p", "between 0 and 1, both excluded", p)?;
        let scale = (-p).ln_1p();
        self.fill64(out, |bits| T::of_whole((unit(bits).ln() / scale).ceil()));
        Ok(())
    }

    /// Poisson numbers with a rate for each element: `torch.poisson`.
    ///
    /// # Errors
    /// If a rate is negative or NaN, or the lengths differ.
    pub fn poisson<T: Real>(&mut self, out: &mut [T], rates: &[T]) -> Result<()> {
        require_length("rates", out.len(), rates.len())?;
        rates.iter().try_for_each(|rate| require(rate.wide() >= 0.0, "rate", "at least 0", rate.wide()))?;
        for (slot, rate) in out.iter_mut().zip(rates) {
            *slot = T::of_i64(self.one_poisson(rate.wide()));
        }
        Ok(())
    }

    /// The number of successes in `counts` trials of probability `p`: `torch.binomial`.
    ///
    /// # Errors
    /// If a count is negative, a probability is not in [0, 1], or the lengths differ.
    pub fn binomial<T: Real>(&mut self, out: &mut [T], counts: &[T], p: &[T]) -> Result<()> {
        require_length("counts", out.len(), counts.len())?;
        require_length("p", out.len(), p.len())?;
        counts.iter().try_for_each(|count| require(count.wide() >= 0.0, "count", "at least 0", count.wide()))?;
        p.iter().try_for_each(|p| require_probability(p.wide()))?;
        for ((slot, count), p) in out.iter_mut().zip(counts).zip(p) {
            *slot = T::of(self.one_binomial::<T>(count.wide(), p.wide()));
        }
        Ok(())
    }

    /// W. Hörmann, "The transformed rejection method for generating Poisson random variables", 1993 (PTRS), from a
    /// rate of 10 on; below, D. E. Knuth's product of uniform numbers.
    fn one_poisson(&mut self, rate: f64) -> i64 {
        if rate == 0.0 {
            return 0;
        }
        if rate < 10.0 {
            let limit = (-rate).exp();
            let mut product = self.standard_uniform();
            let mut count = 0;
            while product > limit {
                count += 1;
                product *= self.standard_uniform();
            }
            return count;
        }
        let b = 0.931 + 2.53 * rate.sqrt();
        let a = -0.059 + 0.02483 * b;
        let inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
        let tight = 0.9277 - 3.6224 / (b - 2.0);
        let log_rate = rate.ln();
        loop {
            let u = self.standard_uniform() - 0.5;
            let v = self.standard_uniform();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + rate + 0.43).floor();
            if us >= 0.07 && v <= tight {
                return k as i64;
            }
            if k < 0.0 || (us < 0.013 && v > us) {
                continue;
            }
            let score = v.ln() + inverse_alpha.ln() - (a / (us * us) + b).ln();
            if score <= -rate + k * log_rate - log_factorial(k) {
                return k as i64;
            }
        }
    }

    /// Chooses the method, and the rarer outcome of the two.
    fn one_binomial<T: Real>(&mut self, count: f64, p: f64) -> f64 {
        if count <= 0.0 || p <= 0.0 {
            return 0.0;
        }
        if p >= 1.0 {
            return count;
        }
        let rare = if p <= 0.5 { p } else { 1.0 - p };
        let rare = T::of(rare).wide();
        let drawn = if T::of(count * rare).wide() >= 10.0 {
            self.rejected_binomial::<T>(count, rare)
        } else {
            self.inverted_binomial::<T>(count, rare)
        };
        if p <= 0.5 { drawn } else { count - drawn }
    }

    /// Adds up geometric waiting times until they exceed the number of trials.
    fn inverted_binomial<T: Real>(&mut self, count: f64, p: f64) -> f64 {
        let scale = T::of(-p).ln_1p().wide();
        let mut trials = 0.0;
        let mut successes = 0.0;
        loop {
            trials += (self.standard_uniform().ln() / scale).ceil();
            if trials > count {
                return successes;
            }
            successes += 1.0;
        }
    }

    /// W. Hörmann, "The generation of binomial random variates", 1993 (BTRS), with the logarithm that the paper's
    /// acceptance test lacks.
    ///
    /// `round` stands where PyTorch computes in the element type rather than in `f64`.
    fn rejected_binomial<T: Real>(&mut self, count: f64, p: f64) -> f64 {
        let round = |value: f64| T::of(value).wide();
        let q = round(1.0 - p);
        let deviation = round(round(round(count * p) * q).sqrt());
        let b = 1.15 + 2.53 * deviation;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let centre = round(count * p) + 0.5;
        let tight = 0.92 - 4.2 / b;
        let odds = round(p / q);
        let alpha = (2.83 + 5.1 / b) * deviation;
        let mode = round(round(count + 1.0) * p).floor();
        loop {
            let u = self.standard_uniform() - 0.5;
            let v = self.standard_uniform();
            let us = 0.5 - u.abs();
            let k = round(((2.0 * a / us + b) * u + centre).floor());
            if k < 0.0 || k > count {
                continue;
            }
            if us >= 0.07 && v <= tight {
                return k;
            }
            let score = (v * alpha / (a / (us * us) + b)).ln();
            let rest = round(round(count - k) + 1.0);
            let bound = (mode + 0.5) * ((mode + 1.0) / (odds * (count - mode + 1.0))).ln()
                + round(count + 1.0) * ((count - mode + 1.0) / rest).ln()
                + (k + 0.5) * (odds * rest / round(k + 1.0)).ln()
                + stirling_tail(mode)
                + stirling_tail(count - mode)
                - stirling_tail(k)
                - stirling_tail(round(count - k));
            if score <= bound {
                return k;
            }
        }
    }
}

/// log k! less the leading terms of Stirling's formula, (k + ½) log(k + 1) - (k + 1) + ½ log 2π.
fn stirling_tail(k: f64) -> f64 {
    if k < 10.0 {
        let leading = (k + 0.5) * k.ln_1p() - (k + 1.0) + 0.5 * TAU.ln();
        return log_factorial(k) - leading;
    }
    let square = (k + 1.0) * (k + 1.0);
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / (k + 1.0)
}

/// log k! for a whole number k: the product itself where it is exact, then Stirling's series.
fn log_factorial(k: f64) -> f64 {
    if k <= 20.0 {
        return ((2..=k as u64).product::<u64>() as f64).ln();
    }
    let inverse = 1.0 / k;
    let square = inverse * inverse;
    let tail = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (k + 0.5) * k.ln() - k + 0.5 * TAU.ln() + tail
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, assert_draws};
    use super::*;

    #[test]
    fn bernoulli_is_that_of_torch() {
        let double = [1_i64, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0];
        let single = [1_i64, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0];
        assert_draws(|generator, out| generator.bernoulli(out, 0.3).unwrap(), double);
        assert_draws(|generator, out| generator.bernoulli_each(out, &[0.3_f64; 12]).unwrap(), double);
        assert_draws(|generator, out| generator.bernoulli_each(out, &[0.3_f32; 12]).unwrap(), single);
        assert_draws(|generator, out| generator.bernoulli(out, 0.0).unwrap(), [false; 9]);
        assert_draws(|generator, out| generator.bernoulli(out, 1.0).unwrap(), [true; 9]);
    }

    #[test]
    fn waiting_times_are_those_of_torch() {
        assert_draws(|generator, out| generator.geometric(out, 0.1).unwrap(), [33_i64, 12, 3, 17, 3, 5]);
        // Larger numbers wrap in a byte.
        assert_draws(|generator, out| generator.geometric(out, 0.003).unwrap(), [101_u8, 160, 86, 69, 94, 166]);
    }

    #[test]
    fn counts_are_those_of_torch() {
        let rates = [0.0_f32, 0.5, 3.0, 9.9, 10.0, 30.0, 1000.0, 1e6];
        assert_draws(
            |generator, out| generator.poisson(out, &rates).unwrap(),
            [0.0_f32, 0.0, 2.0, 11.0, 5.0, 42.0, 1015.0, 997_709.0],
        );
        let counts = [0.0_f32, 5.0, 20.0, 20.0, 100.0, 100.0, 1e6, 1e6];
        let p = [0.5_f32, 0.3, 0.9, 1.0, 0.4, 0.8, 0.25, 0.999];
        assert_draws(
            |generator, out| generator.binomial(out, &counts, &p).unwrap(),
            [0.0_f32, 0.0, 18.0, 20.0, 44.0, 84.0, 249_883.0, 999_032.0],
        );
    }

    #[test]
    fn the_series_meets_the_product() {
        let product: f64 = (1..=21).map(|k| f64::from(k).ln()).sum();
        assert!((log_factorial(21.0) - product).abs() < 1e-13);
        assert_eq!(log_factorial(0.0), 0.0);
        // Where the tail becomes a series, it is still near the tail.
        let exact = log_factorial(10.0) - (10.5 * 11_f64.ln() - 11.0 + 0.5 * TAU.ln());
        assert!((stirling_tail(10.0) - exact).abs() < 1e-8);
    }

    #[test]
    fn parameters_are_checked() {
        let mut generator = Generator::new(SEED);
        let mut out = [0.0_f64; 2];
        assert!(generator.bernoulli(&mut out, 1.5).is_err());
        assert!(generator.bernoulli(&mut out, f64::NAN).is_err());
        assert!(generator.bernoulli_each(&mut out, &[0.5_f32, -0.5]).is_err());
        assert!(generator.bernoulli_each(&mut out, &[0.5_f32]).is_err());
        assert!(generator.geometric(&mut out, 0.0).is_err());
        assert!(generator.geometric(&mut out, 1.0).is_err());
        assert!(generator.poisson(&mut out, &[1.0, -1.0]).is_err());
        assert!(generator.binomial(&mut out, &[1.0, -1.0], &[0.5, 0.5]).is_err());
        assert!(generator.binomial(&mut out, &[1.0, 1.0], &[0.5, 1.5]).is_err());
    }
}
