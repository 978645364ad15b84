//! Choices among weighted categories, with and without replacement.

use super::check::require;
use super::element::Real;
use super::generator::Generator;
use crate::error::Result;

impl Generator {
    /// As many independent choices as `out` has elements: `torch.multinomial(weights, n, replacement=True)`, one row.
    /// The weights need not add up to one.
    ///
    /// PyTorch takes this way for more than one choice only: a single one is made as without replacement.
    ///
    /// # Errors
    /// If a weight is negative or not finite, or all are zero.
    pub fn multinomial<T: Real>(&mut self, out: &mut [i64], weights: &[T]) -> Result<()> {
        check_weights(weights)?;
        let mut sum = T::of(0.0);
        let mut cumulative: Vec<T> = Vec::with_capacity(weights.len());
        for &weight in weights {
            sum = sum + weight;
            cumulative.push(sum);
        }
        require(sum.wide() <= T::MAX, "sum of weights", "finite", sum.wide())?;
        cumulative.iter_mut().for_each(|value| *value = *value / sum);
        if let Some(last) = cumulative.last_mut() {
            *last = T::of(1.0);
        }
        for slot in out {
            let uniform = self.standard_uniform();
            *slot = cumulative.partition_point(|value| value.wide() < uniform) as i64;
        }
        Ok(())
    }

    /// Distinct choices, in the order in which they are drawn: `torch.multinomial(weights, n)`, one row of it. Every
    /// category draws an exponential number of the rate of its weight, and the smallest ones win; the lower index
    /// where two are equal, which PyTorch leaves open.
    ///
    /// For several rows PyTorch draws the numbers of all rows first, which is the same sequence.
    ///
    /// # Errors
    /// If a weight is negative or not finite, or all are zero, or `out` is longer than `weights`.
    pub fn multinomial_distinct<T: Real>(&mut self, out: &mut [i64], weights: &[T]) -> Result<()> {
        check_weights(weights)?;
        let enough = out.len() <= weights.len();
        require(enough, "number of choices", "at most the number of categories", out.len() as f64)?;
        let mut keys = vec![T::of(0.0); weights.len()];
        self.exponential(&mut keys, 1.0)?;
        // A weight of zero never comes before another, even if its number is the one in 2^53 that is zero.
        let share = |weight: T, key: T| if weight.wide() == 0.0 { weight } else { weight / key };
        let mut ranked: Vec<(T, i64)> =
            keys.iter().zip(weights).zip(0..).map(|((&key, &weight), index)| (share(weight, key), index)).collect();
        let order = |a: &(T, i64), b: &(T, i64)| b.0.wide().total_cmp(&a.0.wide()).then(a.1.cmp(&b.1));
        if out.len() < ranked.len() && !out.is_empty() {
            ranked.select_nth_unstable_by(out.len() - 1, order);
        }
        ranked.truncate(out.len());
        ranked.sort_unstable_by(order);
        for (slot, (_, index)) in out.iter_mut().zip(ranked) {
            *slot = index;
        }
        Ok(())
    }
}

fn check_weights<T: Real>(weights: &[T]) -> Result<()> {
    for weight in weights {
        let weight = weight.wide();
        require((0.0..f64::INFINITY).contains(&weight), "weight", "finite and at least 0", weight)?;
    }
    let any = weights.iter().any(|weight| weight.wide() > 0.0);
    require(any, "sum of weights", "positive", 0.0)
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, assert_draws};
    use super::*;

    #[test]
    fn the_figures_of_torch() {
        assert_draws(
            |generator, out| generator.multinomial(out, &[1.0_f32, 0.0, 3.0, 4.0, 0.5]).unwrap(),
            [0, 2, 3, 2, 3, 3, 2, 2, 2, 3, 2, 3],
        );
        let weights = [1.0_f32, 0.25, 3.0, 4.0, 0.5];
        assert_draws(|generator, out| generator.multinomial_distinct(out, &weights).unwrap(), [0, 3, 2, 1, 4]);
        assert_draws(|generator, out| generator.multinomial_distinct(out, &weights).unwrap(), [0]);
    }

    #[test]
    fn a_category_without_weight_comes_last() {
        for seed in 0..20 {
            let mut out = [0; 3];
            Generator::new(seed).multinomial_distinct(&mut out, &[0.0_f64, 1.0, 2.0]).unwrap();
            assert_eq!(out[2], 0);
        }
    }

    #[test]
    fn weights_are_checked() {
        let mut generator = Generator::new(SEED);
        let mut out = [0; 2];
        for weights in [[0.0, 0.0], [1.0, -1.0], [1.0, f64::NAN], [1.0, f64::INFINITY]] {
            assert!(generator.multinomial(&mut out, &weights).is_err());
            assert!(generator.multinomial_distinct(&mut out, &weights).is_err());
        }
        assert!(generator.multinomial(&mut out, &[f64::MAX, f64::MAX]).is_err());
        assert!(generator.multinomial_distinct(&mut out, &[1.0_f32]).is_err());
        assert!(generator.multinomial::<f32>(&mut out, &[]).is_err());
    }
}
