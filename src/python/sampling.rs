//! Random numbers with parameters: `rgrad.poisson` and its kin, `Tensor.exponential_` and its kin.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::ops::creation::{self, with_default_generator};
use crate::ops::sampling::{self, Each};
use crate::python::arguments::{describe, number};
use crate::python::creation::{Common, listed_sizes};
use crate::python::random::{PyGenerator, store_random};
use crate::python::tensor::{PyTensor, tensor_of};
use crate::random::Generator;
use crate::tensor::Tensor;

type Source<'a, 'py> = Option<&'a Bound<'py, PyGenerator>>;

/// A new tensor of numbers whose parameters are `parameters`; they are not recorded.
fn draw(
    py: Python<'_>,
    name: &str,
    parameters: &[&Tensor],
    generator: Source<'_, '_>,
    draw: impl FnOnce(&mut Generator) -> crate::Result<Tensor>,
) -> PyResult<Tensor> {
    if parameters.iter().any(|tensor| tensor.is_batched()) {
        return Err(PyRuntimeError::new_err(format!("{name}(): parameters within vmap are not possible yet")));
    }
    Ok(match generator {
        Some(generator) => generator.get().draw(py, draw)??,
        None => with_default_generator(draw)??,
    })
}

/// 1 with the probabilities in a tensor, or with probability `p`, else 0.
#[pyfunction]
#[pyo3(signature = (input, p = None, *, generator = None))]
pub fn bernoulli(py: Python<'_>, input: Tensor, p: Option<f64>, generator: Source<'_, '_>) -> PyResult<Tensor> {
    draw(py, "bernoulli", &[&input], generator, |generator| {
        let target = input.empty_alike(input.dtype())?;
        match p {
            Some(p) => creation::bernoulli(&target, p, generator)?,
            None => sampling::bernoulli_each(&target, &input, generator)?,
        }
        Ok(target)
    })
}

/// The numbers of successes in `count` trials that succeed with probability `prob`.
#[pyfunction]
#[pyo3(signature = (count, prob, generator = None))]
pub fn binomial(py: Python<'_>, count: Tensor, prob: Tensor, generator: Source<'_, '_>) -> PyResult<Tensor> {
    draw(py, "binomial", &[&count, &prob], generator, |generator| sampling::binomial(&count, &prob, generator))
}

/// The numbers of `num_samples` categories that are chosen, in each row, by the weights in `input`.
#[pyfunction]
#[pyo3(signature = (input, num_samples, replacement = false, *, generator = None))]
pub fn multinomial(
    py: Python<'_>,
    input: Tensor,
    num_samples: i64,
    replacement: bool,
    generator: Source<'_, '_>,
) -> PyResult<Tensor> {
    draw(py, "multinomial", &[&input], generator, |generator| {
        sampling::multinomial(&input, num_samples, replacement, generator)
    })
}

/// Poisson numbers with the rates in `input`.
#[pyfunction]
#[pyo3(signature = (input, generator = None))]
pub fn poisson(py: Python<'_>, input: Tensor, generator: Source<'_, '_>) -> PyResult<Tensor> {
    draw(py, "poisson", &[&input], generator, |generator| sampling::poisson(&input, generator))
}

/// Gamma numbers of rate 1 with the shapes in `input`; without a derivative, see `rgrad.distributions.Gamma`.
#[pyfunction]
#[pyo3(signature = (input, generator = None))]
pub fn _standard_gamma(py: Python<'_>, input: Tensor, generator: Source<'_, '_>) -> PyResult<Tensor> {
    draw(py, "_standard_gamma", &[&input], generator, |generator| sampling::gamma(&input, generator))
}

/// Rows of Dirichlet numbers with the concentrations in `input`; without a derivative, see
/// `rgrad.distributions.Dirichlet`.
#[pyfunction]
#[pyo3(signature = (input, generator = None))]
pub fn _sample_dirichlet(py: Python<'_>, input: Tensor, generator: Source<'_, '_>) -> PyResult<Tensor> {
    draw(py, "_sample_dirichlet", &[&input], generator, |generator| sampling::dirichlet(&input, generator))
}

/// Normal numbers with the means and standard deviations in tensors, or of a size if both are numbers.
#[pyfunction]
#[pyo3(signature = (mean = None, std = None, size = None, **keywords))]
pub fn normal(
    py: Python<'_>,
    mean: Option<&Bound<'_, PyAny>>,
    std: Option<&Bound<'_, PyAny>>,
    size: Option<&Bound<'_, PyAny>>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse_with_out("normal", keywords)?;
    let (mean, std) = (parameter("mean", mean, 0.0)?, parameter("std", std, 1.0)?);
    if let (Each::All(mean), Each::All(std)) = (&mean, &std) {
        let Some(size) = size else {
            return Err(PyTypeError::new_err(
                "normal(): argument 'size' is missing, as neither mean nor std is a tensor",
            ));
        };
        let (sizes, dtype) = (listed_sizes("normal", size)?, common.float());
        let tensor = common.random(
            py,
            "normal",
            &sizes,
            |sizes| Tensor::empty(sizes, dtype),
            |tensor, generator| creation::normal(tensor, *mean, *std, generator),
        )?;
        return common.finish("normal", tensor);
    }
    let tensors: Vec<&Tensor> = [&mean, &std]
        .into_iter()
        .filter_map(|each| match each {
            Each::Tensor(tensor) => Some(*tensor),
            Each::All(_) => None,
        })
        .collect();
    let generator = common.generator.as_ref().map(|generator| generator.bind(py));
    let made = draw(py, "normal", &tensors, generator, |generator| sampling::normal_each(&mean, &std, generator))?;
    common.finish("normal", made)
}

fn parameter<'a>(name: &str, given: Option<&'a Bound<'_, PyAny>>, default: f64) -> PyResult<Each<'a>> {
    let Some(given) = given else { return Ok(Each::All(default)) };
    if let Some(tensor) = tensor_of(given) {
        return Ok(Each::Tensor(tensor));
    }
    match number(given)? {
        Some(number) => Ok(Each::All(number.to_f64())),
        None => Err(PyTypeError::new_err(format!(
            "normal(): {name} has to be a number or a tensor, got {}",
            describe(given)
        ))),
    }
}

#[pymethods]
impl PyTensor {
    /// 1 with probability `p`, a number or a tensor of one for each element, else 0.
    #[pyo3(signature = (p = None, *, generator = None))]
    fn bernoulli_<'py>(
        slf: &Bound<'py, Self>,
        p: Option<&Bound<'py, PyAny>>,
        generator: Source<'_, 'py>,
    ) -> PyResult<Bound<'py, Self>> {
        if let Some(p) = p.and_then(|p| tensor_of(p)) {
            return store_random(slf, "bernoulli", generator, |tensor, generator| {
                sampling::bernoulli_each(tensor, p, generator)
            });
        }
        let p = p.map_or(Ok(0.5), |p| p.extract::<f64>())?;
        store_random(slf, "bernoulli", generator, |tensor, generator| creation::bernoulli(tensor, p, generator))
    }

    /// Exponential numbers of the rate `lambd`.
    #[pyo3(signature = (lambd = 1.0, *, generator = None))]
    fn exponential_<'py>(slf: &Bound<'py, Self>, lambd: f64, generator: Source<'_, 'py>) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "exponential", generator, |tensor, generator| creation::exponential(tensor, lambd, generator))
    }

    /// Cauchy numbers.
    #[pyo3(signature = (median = 0.0, sigma = 1.0, *, generator = None))]
    fn cauchy_<'py>(
        slf: &Bound<'py, Self>,
        median: f64,
        sigma: f64,
        generator: Source<'_, 'py>,
    ) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "cauchy", generator, |tensor, generator| sampling::cauchy(tensor, median, sigma, generator))
    }

    /// The exponentials of normal numbers.
    #[pyo3(signature = (mean = 1.0, std = 2.0, *, generator = None))]
    fn log_normal_<'py>(
        slf: &Bound<'py, Self>,
        mean: f64,
        std: f64,
        generator: Source<'_, 'py>,
    ) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "log_normal", generator, |tensor, generator| {
            sampling::log_normal(tensor, mean, std, generator)
        })
    }

    /// The numbers of trials up to the first success, each of which has probability `p`.
    #[pyo3(signature = (p, *, generator = None))]
    fn geometric_<'py>(slf: &Bound<'py, Self>, p: f64, generator: Source<'_, 'py>) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "geometric", generator, |tensor, generator| sampling::geometric(tensor, p, generator))
    }

    /// Integers: `random_()` of the whole range of the dtype, `random_(to)` below `to`, `random_(from, to)` from `from`
    /// on and below `to`, or without end if that is None.
    #[pyo3(signature = (*bounds, generator = None))]
    fn random_<'py>(
        slf: &Bound<'py, Self>,
        bounds: &Bound<'py, pyo3::types::PyTuple>,
        generator: Source<'_, 'py>,
    ) -> PyResult<Bound<'py, Self>> {
        let (low, high) = match bounds.len() {
            0 => (None, None),
            1 => (Some(0), Some(bounds.get_item(0)?.extract::<i64>()?)),
            2 => (Some(bounds.get_item(0)?.extract::<i64>()?), bounds.get_item(1)?.extract::<Option<i64>>()?),
            count => {
                return Err(PyTypeError::new_err(format!("random_(): two bounds at most are expected, got {count}")));
            }
        };
        store_random(slf, "random", generator, |tensor, generator| match (low, high) {
            (Some(low), Some(high)) => creation::randint(tensor, low, high, generator),
            (low, _) => sampling::integers(tensor, low, generator),
        })
    }

    /// As `rgrad.bernoulli`.
    #[pyo3(name = "bernoulli", signature = (p = None, *, generator = None))]
    fn bernoulli_new(slf: &Bound<'_, Self>, p: Option<f64>, generator: Source<'_, '_>) -> PyResult<Tensor> {
        bernoulli(slf.py(), crate::python::tensor::this(slf).clone(), p, generator)
    }

    /// As `rgrad.multinomial`.
    #[pyo3(name = "multinomial", signature = (num_samples, replacement = false, *, generator = None))]
    fn multinomial_new(
        slf: &Bound<'_, Self>,
        num_samples: i64,
        replacement: bool,
        generator: Source<'_, '_>,
    ) -> PyResult<Tensor> {
        multinomial(slf.py(), crate::python::tensor::this(slf).clone(), num_samples, replacement, generator)
    }
}
