//! Random numbers with parameters: tensors filled by one distribution, and numbers drawn from a distribution for each
//! element. Numbers do not change with what they are drawn by: gradients are 0.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::ops::conversion::{clone, copy};
use crate::ops::creation::{draw_truths, draw_wide, fill_random, randint, unsupported};
use crate::ops::views::expand;
use crate::random::{Generator, Parameter, Real};
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

op! {
    /// Numbers that were drawn by a parameter, whose gradient is 0.
    fn drawn_by as "_drawn_by" (numbers: Tensor, parameter: Tensor) -> Tensor;
    value { clone(numbers) }
    derivative "DrawnBackward0" ByVjp {
        numbers(g) => Ok(g.clone());
        parameter(parameter) => parameter.zeros_alike();
    }
}

/// Cauchy numbers, stored in `target`.
pub fn cauchy(target: &Tensor, median: f64, sigma: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype().is_float() && target.dtype().is_narrow() {
        return draw_wide(target, |wide| cauchy(wide, median, sigma, generator));
    }
    fill_random!(target, float T, |slice, _dense| generator.cauchy::<T>(slice, median, sigma),
        else bail!(Runtime, "cauchy_: numbers are floating-point, got {}", target.dtype()))
}

/// The exponentials of normal numbers, stored in `target`.
pub fn log_normal(target: &Tensor, mean: f64, std: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype().is_float() && target.dtype().is_narrow() {
        return draw_wide(target, |wide| log_normal(wide, mean, std, generator));
    }
    fill_random!(target, float T, |slice, _dense| generator.log_normal::<T>(slice, mean, std),
        else return Err(unsupported("log_normal_", target.dtype())))
}

/// The number of trials up to the first success, stored in `target`.
pub fn geometric(target: &Tensor, p: f64, generator: &mut Generator) -> Result<()> {
    if target.dtype().is_narrow() {
        return draw_wide(target, |wide| geometric(wide, p, generator));
    }
    fill_random!(target, real T, |slice, _dense| generator.geometric::<T>(slice, p),
        else return Err(unsupported("geometric_", target.dtype())))
}

/// Integers from `low` on, or without it of the whole range of the dtype, stored in `target`.
pub fn integers(target: &Tensor, low: Option<i64>, generator: &mut Generator) -> Result<()> {
    if target.dtype() == DType::Bool {
        return draw_truths(target, |bytes| randint(bytes, low.unwrap_or(0), 2, generator));
    }
    if target.dtype().is_narrow() {
        // Up to the largest integer before which there is no gap.
        let most = match target.dtype() {
            DType::BFloat16 => 1 << 8,
            DType::Float16 => 1 << 11,
            DType::Int8 => i64::from(i8::MAX),
            _ => i64::from(i16::MAX),
        };
        return draw_wide(target, |wide| randint(wide, low.unwrap_or(0), most + 1, generator));
    }
    fill_random!(target, real T, |slice, _dense| match low {
        Some(low) => generator.randint_from::<T>(slice, low),
        None => {
            generator.random_full::<T>(slice);
            Result::Ok(())
        }
    }, else return Err(unsupported("random_", target.dtype())))
}

/// Declares the operations by which numbers, once drawn, take the place of a tensor's elements: one for each name of
/// a node in PyTorch. The overload says which way of calling the method it is.
macro_rules! overwriting {
    ($($rust:ident as $name:literal / $overload:literal, $node:literal;)+) => {$(
        op! {
            /// Random numbers in the place of `input`.
            fn $rust as $name / $overload (input: Tensor, numbers: Tensor) -> Tensor, ANY_TYPE;
            value { copy(input, numbers) }
            batch aligned;
            derivative $node Linear {
                input(g) => Tensor::zeros(&g.sizes(), g.dtype());
                numbers(g) => Ok(g.clone());
            }
        }
    )+};
}

overwriting! {
    overwrite_uniform as "uniform" / "numbers", "UniformBackward0";
    overwrite_normal as "normal" / "numbers", "NormalBackward0";
    overwrite_exponential as "exponential" / "numbers", "ExponentialBackward0";
    overwrite_cauchy as "cauchy" / "numbers", "CauchyBackward0";
    overwrite_log_normal as "log_normal" / "numbers", "LogNormalBackward0";
    overwrite_geometric as "geometric" / "numbers", "GeometricBackward0";
    overwrite_bernoulli as "bernoulli" / "numbers", "BernoulliBackward2";
    overwrite_bernoulli_each as "bernoulli" / "each", "BernoulliBackward1";
    overwrite_random as "random" / "numbers", "RandomBackward2";
    overwrite_random_below as "random" / "to", "RandomBackward1";
    overwrite_random_from as "random" / "from", "RandomBackward0";
}

/// Numbers of a floating-point tensor like `parameter`, drawn by `draw` into a slice.
fn drawn<T: Element + Real>(parameter: &Tensor, draw: impl FnOnce(&mut [T], &[T]) -> Result<()>) -> Result<Tensor> {
    let values = parameter.to_vec::<T>()?;
    let mut out = vec![<T as Real>::of(0.0); values.len()];
    draw(&mut out, &values)?;
    Tensor::from_slice(&out, &parameter.sizes())
}

/// A 16-bit float tensor in the type that it is computed in.
fn widened(parameter: &Tensor) -> Result<Option<Tensor>> {
    let dtype = parameter.dtype();
    if dtype.is_float() && dtype.is_narrow() { parameter.cast(dtype.wide()).map(Some) } else { Ok(None) }
}

/// Poisson numbers with the rates `rates`.
pub fn poisson(rates: &Tensor, generator: &mut Generator) -> Result<Tensor> {
    if let Some(wide) = widened(rates)? {
        return poisson(&wide, generator)?.cast(rates.dtype());
    }
    with_element!(rates.dtype(), float T => drawn::<T>(rates, |out, rates| generator.poisson(out, rates)),
        else Err(unsupported("poisson", rates.dtype())))
}

/// Gamma numbers of rate 1 with the shapes `concentration`.
pub fn gamma(concentration: &Tensor, generator: &mut Generator) -> Result<Tensor> {
    with_element!(concentration.dtype(), float T => drawn::<T>(concentration, |out, shapes| generator.gamma(out, shapes)),
        else Err(unsupported("_standard_gamma", concentration.dtype())))
}

/// Rows of Dirichlet numbers with the concentrations `concentration`.
pub fn dirichlet(concentration: &Tensor, generator: &mut Generator) -> Result<Tensor> {
    let sizes = concentration.sizes();
    let categories = sizes.last().copied().unwrap_or(1);
    with_element!(concentration.dtype(), float T => drawn::<T>(concentration, |out, shapes| {
        if out.is_empty() { Ok(()) } else { generator.dirichlet(out, shapes, categories) }
    }), else Err(unsupported("_sample_dirichlet", concentration.dtype())))
}

/// The numbers of successes in `count` trials with the probabilities `prob`, which are of one dtype and broadcast.
pub fn binomial(count: &Tensor, prob: &Tensor, generator: &mut Generator) -> Result<Tensor> {
    if count.dtype() != prob.dtype() {
        bail!(Runtime, "binomial: count is {} and prob {}: they have to be of one dtype", count.dtype(), prob.dtype());
    }
    if !count.dtype().is_float() {
        bail!(Value, "binomial: counts are floating-point numbers, got {}", count.dtype());
    }
    let sizes: Ints = shape::broadcast(&count.sizes(), &prob.sizes())?.iter().map(|&n| n as i64).collect();
    let (count, prob) = (expand(count, &sizes)?, expand(prob, &sizes)?);
    with_element!(count.dtype(), float T => {
        let p = prob.to_vec::<T>()?;
        drawn::<T>(&count, |out, counts| generator.binomial(out, counts, &p))
    }, else Err(unsupported("binomial", count.dtype())))
}

/// 1 with the probabilities in `p`, else 0, stored in `target`, which has the size of `p` or one that `p` broadcasts to.
pub fn bernoulli_each(target: &Tensor, p: &Tensor, generator: &mut Generator) -> Result<()> {
    let sizes: Ints = target.sizes().iter().map(|&n| n as i64).collect();
    let p = expand(p, &sizes)?;
    let p = widened(&p)?.unwrap_or(p);
    let drawn: Tensor = with_element!(p.dtype(), float P => {
        let p = p.to_vec::<P>()?;
        let mut out = vec![false; p.len()];
        generator.bernoulli_each(&mut out, &p)?;
        Tensor::from_slice(&out, &target.sizes())?
    }, else return Err(unsupported("bernoulli", p.dtype())));
    crate::kernels::copy::copy(&target.data(), &drawn.data());
    Ok(())
}

/// A mean or a standard deviation: one number, or a tensor with one for each element.
pub enum Each<'a> {
    All(f64),
    Tensor(&'a Tensor),
}

fn parameter<'a, T>(each: &Each<'_>, values: &'a Option<Vec<T>>) -> Parameter<'a, T> {
    match (each, values) {
        (Each::All(number), _) => Parameter::All(*number),
        (Each::Tensor(_), values) => Parameter::Each(values.as_deref().unwrap_or_default()),
    }
}

/// Normal numbers with means and standard deviations of their own.
pub fn normal_each(mean: &Each<'_>, std: &Each<'_>, generator: &mut Generator) -> Result<Tensor> {
    let (sizes, dtype) = match (mean, std) {
        (Each::Tensor(mean), Each::Tensor(std)) => (shape::broadcast(&mean.sizes(), &std.sizes())?, mean.dtype()),
        (Each::Tensor(one), _) | (_, Each::Tensor(one)) => (one.sizes(), one.dtype()),
        _ => bail!(Type, "normal: a size is needed where neither mean nor std is a tensor"),
    };
    let target: Ints = sizes.iter().map(|&n| n as i64).collect();
    if dtype.is_float() && dtype.is_narrow() {
        let wide = |each: &Each<'_>| match each {
            Each::All(number) => Tensor::full(&[], (*number).into(), dtype.wide()),
            Each::Tensor(tensor) => tensor.cast(dtype.wide()),
        };
        let (mean, std) = (wide(mean)?, wide(std)?);
        return normal_each(&Each::Tensor(&mean), &Each::Tensor(&std), generator)?.cast(dtype);
    }
    with_element!(dtype, float T => {
        let listed = |each: &Each<'_>| -> Result<Option<Vec<T>>> {
            match each {
                Each::All(_) => Ok(None),
                Each::Tensor(tensor) => expand(tensor, &target)?.to_vec::<T>().map(Some),
            }
        };
        let (means, stds) = (listed(mean)?, listed(std)?);
        let mut out = vec![<T as Real>::of(0.0); shape::numel(&sizes)?];
        let (mean, std) = (parameter(mean, &means), parameter(std, &stds));
        generator.normal_each(&mut out, mean, std)?;
        Tensor::from_slice(&out, &sizes)
    }, else Err(unsupported("normal", dtype)))
}

/// Choices among the categories that the rows of `weights` weigh.
pub fn multinomial(weights: &Tensor, choices: i64, replacement: bool, generator: &mut Generator) -> Result<Tensor> {
    if let Some(wide) = widened(weights)? {
        return multinomial(&wide, choices, replacement, generator);
    }
    let sizes = weights.sizes();
    if sizes.is_empty() || sizes.len() > 2 {
        bail!(Runtime, "multinomial: weights of one or two dimensions are expected, got {}", sizes.len());
    }
    let categories = sizes[sizes.len() - 1];
    let Some(choices) = usize::try_from(choices).ok().filter(|&n| n > 0) else {
        bail!(Runtime, "multinomial: num_samples has to be positive, got {choices}");
    };
    if !replacement && choices > categories {
        bail!(Runtime, "multinomial: {choices} choices without replacement among {categories} categories");
    }
    let mut result = sizes.clone();
    result[sizes.len() - 1] = choices;
    with_element!(weights.dtype(), float T => {
        let values = weights.to_vec::<T>()?;
        let mut out = vec![0_i64; shape::numel(&result)?];
        for (row, weights) in out.chunks_mut(choices).zip(values.chunks(categories.max(1))) {
            if replacement && choices > 1 {
                generator.multinomial(row, weights)?;
            } else {
                generator.multinomial_distinct(row, weights)?;
            }
        }
        Tensor::from_slice(&out, &result)
    }, else bail!(Runtime, "multinomial: weights are floating-point numbers, got {}", weights.dtype()))
}
