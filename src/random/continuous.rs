//! Continuous distributions that are a function of one uniform or one normal `f64`.
//!
//! Logarithm, exponential and tangent are those of the platform's C library, as in PyTorch.

use std::f64::consts::PI;

use super::check::require;
use super::element::Real;
use super::generator::Generator;
use super::uniform::unit;
use crate::error::Result;

impl Generator {
    /// Exponential numbers: -log(1 - u) / rate.
    ///
    /// # Errors
    /// If `rate` is not positive.
    pub fn exponential<T: Real>(&mut self, out: &mut [T], rate: f64) -> Result<()> {
        require(rate > 0.0, "lambda", "positive", rate)?;
        let scale = -1.0 / rate;
        self.fill64(out, |bits| T::of(scale * (-unit(bits)).ln_1p()));
        Ok(())
    }

    /// Cauchy numbers: median + sigma tan(π (u - ½)).
    ///
    /// # Errors
    /// If `sigma` is not positive.
    pub fn cauchy<T: Real>(&mut self, out: &mut [T], median: f64, sigma: f64) -> Result<()> {
        require(sigma > 0.0, "sigma", "positive", sigma)?;
        self.fill64(out, |bits| T::of((PI * (unit(bits) - 0.5)).tan().mul_add(sigma, median)));
        Ok(())
    }

    /// The exponentials of normal numbers, drawn one by one.
    ///
    /// # Errors
    /// If `std` is not positive.
    pub fn log_normal<T: Real>(&mut self, out: &mut [T], mean: f64, std: f64) -> Result<()> {
        require(std > 0.0, "std", "positive", std)?;
        for slot in out {
            *slot = T::of(self.standard_normal().mul_add(std, mean).exp());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, assert_near, drawn};
    use super::*;

    #[test]
    fn the_figures_of_torch() {
        let got: [f64; 3] = drawn(|generator, out| generator.exponential(out, 2.7).unwrap());
        assert_near(&got, &[0.012853131415376818, 0.1251516987124704, 0.5490483841086988]);
        let got: [f32; 3] = drawn(|generator, out| generator.exponential(out, 2.7).unwrap());
        assert_near(&got, &[0.012853132, 0.1251517, 0.54904836]);
        let got: [f64; 3] = drawn(|generator, out| generator.cauchy(out, 1.5, 2.3).unwrap());
        assert_near(&got, &[-19.88220857446626, -0.3220922745938584, 4.157505770776847]);
        let got: [f32; 3] = drawn(|generator, out| generator.cauchy(out, 1.5, 2.3).unwrap());
        assert_near(&got, &[-19.882208, -0.32209226, 4.157506]);
        let got: [f64; 3] = drawn(|generator, out| generator.log_normal(out, 0.3, 0.77).unwrap());
        assert_near(&got, &[2.5055858517181444, 1.5443787297692348, 1.4455836255994572]);
        let got: [f32; 3] = drawn(|generator, out| generator.log_normal(out, 0.3, 0.77).unwrap());
        assert_near(&got, &[2.505586, 1.5443788, 1.4455836]);
    }

    #[test]
    fn parameters_are_checked() {
        let mut generator = Generator::new(SEED);
        let mut out = [0.0_f32; 2];
        assert!(generator.exponential(&mut out, 0.0).is_err());
        assert!(generator.exponential(&mut out, f64::INFINITY).is_ok());
        assert!(generator.cauchy(&mut out, 0.0, -1.0).is_err());
        assert!(generator.log_normal(&mut out, 0.0, 0.0).is_err());
    }
}
