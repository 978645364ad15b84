//! Gamma and Dirichlet numbers.

use super::check::{require, require_length};
use super::element::Real;
use super::generator::Generator;
use crate::error::Result;

impl Generator {
    /// Gamma numbers of rate 1 with a shape for each element: `torch._standard_gamma`.
    ///
    /// # Errors
    /// If a shape is negative or NaN, or the lengths differ.
    pub fn gamma<T: Real>(&mut self, out: &mut [T], shapes: &[T]) -> Result<()> {
        require_length("shapes", out.len(), shapes.len())?;
        check_shapes(shapes)?;
        for (slot, shape) in out.iter_mut().zip(shapes) {
            let drawn = T::of(self.one_gamma::<T>(shape.wide()));
            *slot = if drawn < T::MIN_POSITIVE { T::MIN_POSITIVE } else { drawn };
        }
        Ok(())
    }

    /// Dirichlet numbers: rows of `categories` numbers that add up to one, with a concentration for each element:
    /// `torch._sample_dirichlet`. Beta numbers are the first of two.
    ///
    /// PyTorch adds up a row of five or more in another order, so that an `f64` can differ in its last bits.
    ///
    /// # Errors
    /// If a concentration is negative or NaN, `categories` is 0 or does not divide the length, or the lengths differ.
    pub fn dirichlet<T: Real>(&mut self, out: &mut [T], concentrations: &[T], categories: usize) -> Result<()> {
        require_length("concentrations", out.len(), concentrations.len())?;
        let whole = categories > 0 && out.len().is_multiple_of(categories);
        require(whole, "categories", "a divisor of the number of elements", categories as f64)?;
        check_shapes(concentrations)?;
        // In f64 whatever the type: small concentrations underflow soon. PyTorch draws all rows before it divides,
        // which is the same sequence.
        let mut gammas = vec![0.0; categories];
        for (row, shapes) in out.chunks_mut(categories).zip(concentrations.chunks(categories)) {
            for (gamma, shape) in gammas.iter_mut().zip(shapes) {
                *gamma = self.one_gamma::<f64>(shape.wide()).max(f64::MIN_POSITIVE);
            }
            let sum: f64 = gammas.iter().sum();
            for (slot, gamma) in row.iter_mut().zip(&gammas) {
                let share = T::of(gamma / sum);
                let share = if share < T::MIN_POSITIVE { T::MIN_POSITIVE } else { share };
                *slot = if share > T::BELOW_ONE { T::BELOW_ONE } else { share };
            }
        }
        Ok(())
    }

    /// G. Marsaglia, W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000; shapes
    /// below one are raised by one, and the result is scaled by a power of a uniform number.
    ///
    /// `round` stands where PyTorch computes in the element type, and some constants are of single precision there.
    fn one_gamma<T: Real>(&mut self, shape: f64) -> f64 {
        const THIRD: f32 = 1.0 / 3.0;
        const SQUEEZE: f32 = 0.0331;
        let round = |value: f64| T::of(value).wide();
        if shape == 0.0 {
            return 0.0;
        }
        let (scale, shape) = if shape < 1.0 {
            ((1.0 - self.standard_uniform()).powf(round(1.0 / shape)), round(shape + 1.0))
        } else {
            (1.0, shape)
        };
        let d = round(shape - f64::from(THIRD));
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.standard_normal();
            let y = 1.0 + c * x;
            if y <= 0.0 {
                continue;
            }
            let v = y * y * y;
            let u = 1.0 - self.standard_uniform();
            let square = x * x;
            if u < 1.0 - f64::from(SQUEEZE) * square * square || u.ln() < 0.5 * square + d * (1.0 - v + v.ln()) {
                return scale * d * v;
            }
        }
    }
}

fn check_shapes<T: Real>(shapes: &[T]) -> Result<()> {
    shapes.iter().try_for_each(|shape| require(shape.wide() >= 0.0, "concentration", "at least 0", shape.wide()))
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, assert_near, drawn};
    use super::*;

    #[test]
    fn the_figures_of_torch() {
        let shapes = [0.0_f64, 0.1, 0.9, 1.0, 3.5, 1000.0];
        let got: [f64; 6] = drawn(|generator, out| generator.gamma(out, &shapes).unwrap());
        let expected = [
            f64::MIN_POSITIVE,
            0.3327957886633789,
            0.9917483221626421,
            0.9819416461186368,
            5.32826041122275,
            1016.263595600044,
        ];
        assert_near(&got, &expected);
        let got: [f32; 6] = drawn(|generator, out| generator.gamma(out, &shapes.map(|shape| shape as f32)).unwrap());
        assert_near(&got, &[f32::MIN_POSITIVE, 0.3327958, 0.9917482, 0.9819416, 5.3282604, 1016.2636]);
        let concentrations = [0.5_f32, 1.0, 2.0, 10.0, 0.01, 3.0];
        let got: [f32; 6] = drawn(|generator, out| generator.dirichlet(out, &concentrations, 3).unwrap());
        assert_near(&got, &[0.14734238, 0.6361954, 0.21646218, 0.6163801, f32::MIN_POSITIVE, 0.38361993]);
    }

    #[test]
    fn parameters_are_checked() {
        let mut generator = Generator::new(SEED);
        let mut out = [0.0_f64; 4];
        assert!(generator.gamma(&mut out, &[1.0, 1.0, 1.0, -1.0]).is_err());
        assert!(generator.gamma(&mut out, &[1.0]).is_err());
        assert!(generator.dirichlet(&mut out, &[1.0; 4], 3).is_err());
        assert!(generator.dirichlet(&mut out, &[1.0; 4], 0).is_err());
        assert!(generator.dirichlet::<f64>(&mut [], &[], 2).is_ok());
    }
}
