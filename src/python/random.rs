//! Random numbers: generators, tensors filled by them.

use std::cell::RefCell;

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyTuple};

use crate::autograd::primitives::call_in_place;
use crate::autograd::{batch, saved};
use crate::dtype::DType;
use crate::ops::creation::{self, with_default_generator};
use crate::python::arguments::{describe, integer};
use crate::python::creation::{Common, listed_sizes};
use crate::python::dtype::{PyDevice, check_device};
use crate::python::gil::Gil;
use crate::python::tensor::{PyTensor, this};
use crate::random::Generator;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::value::Value;

/// A source of random numbers with a state of its own, or the one that is used where none is named.
#[pyclass(name = "Generator", module = "rgrad", frozen)]
pub struct PyGenerator(Source);

enum Source {
    Default,
    Own(Box<Gil<RefCell<Generator>>>),
}

impl PyGenerator {
    /// Runs `draw` with the generator.
    pub fn draw<R>(&self, py: Python<'_>, draw: impl FnOnce(&mut Generator) -> R) -> PyResult<R> {
        match &self.0 {
            Source::Default => Ok(with_default_generator(draw)?),
            Source::Own(own) => {
                let held = own.get(py).try_borrow_mut();
                Ok(draw(&mut *held.map_err(|_| PyRuntimeError::new_err("the random generator is in use"))?))
            }
        }
    }
}

/// The generator that is used where none is named.
pub fn default_generator(py: Python<'_>) -> PyResult<Py<PyGenerator>> {
    static DEFAULT: PyOnceLock<Py<PyGenerator>> = PyOnceLock::new();
    Ok(DEFAULT.get_or_try_init(py, || Py::new(py, PyGenerator(Source::Default)))?.clone_ref(py))
}

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(signature = (device = None))]
    fn new(py: Python<'_>, device: Option<&Bound<'_, PyAny>>) -> PyResult<PyGenerator> {
        check_device(device)?;
        Ok(PyGenerator(Source::Own(Box::new(Gil::new(py, RefCell::new(Generator::default()))))))
    }

    /// Starts from `seed` again; gives the generator back.
    fn manual_seed<'py>(slf: &Bound<'py, Self>, seed: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let seed = seed_number(seed)?;
        slf.get().draw(slf.py(), |generator| generator.manual_seed(seed))?;
        Ok(slf.clone())
    }

    fn initial_seed(&self, py: Python<'_>) -> PyResult<u64> {
        self.draw(py, |generator| generator.initial_seed())
    }

    /// Starts from a seed that nobody can guess, and gives it back.
    fn seed(&self, py: Python<'_>) -> PyResult<u64> {
        self.draw(py, Generator::seed)
    }

    fn get_state(&self, py: Python<'_>) -> PyResult<Tensor> {
        let state = self.draw(py, |generator| generator.state())?;
        Ok(Tensor::from_slice(&state, &[state.len()])?)
    }

    /// Goes on from a state that `get_state` gave; gives the generator back.
    fn set_state<'py>(slf: &Bound<'py, Self>, new_state: Tensor) -> PyResult<Bound<'py, Self>> {
        let bytes = state_bytes(&new_state)?;
        slf.get().draw(slf.py(), |generator| generator.set_state(&bytes))??;
        Ok(slf.clone())
    }

    #[getter]
    fn device(&self) -> PyDevice {
        PyDevice::cpu()
    }
}

fn state_bytes(state: &Tensor) -> PyResult<Vec<u8>> {
    if state.dtype() != DType::UInt8 {
        return Err(PyTypeError::new_err(format!("a generator's state is a uint8 tensor, got {}", state.dtype())));
    }
    Ok(state.to_vec::<u8>()?)
}

/// A seed from a Python integer; negative ones count from the top, as in PyTorch.
fn seed_number(seed: &Bound<'_, PyAny>) -> PyResult<u64> {
    if let Ok(seed) = seed.extract::<u64>() {
        return Ok(seed);
    }
    if let Ok(seed) = seed.extract::<i64>() {
        return Ok(seed as u64);
    }
    match seed.cast::<PyInt>() {
        Ok(_) => Err(PyValueError::new_err("manual_seed(): the seed does not fit 64 bits")),
        Err(_) => {
            Err(PyTypeError::new_err(format!("manual_seed(): the seed has to be an int, got {}", describe(seed))))
        }
    }
}

/// Uniform numbers from 0 up to 1.
#[pyfunction]
#[pyo3(signature = (*size, **keywords))]
pub fn rand(py: Python<'_>, size: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse_with_out("rand", keywords)?;
    let (sizes, dtype) = (common.sizes("rand", size)?, common.float());
    let tensor = common.random(
        py,
        "rand",
        &sizes,
        |sizes| Tensor::empty(sizes, dtype),
        |tensor, generator| creation::uniform(tensor, 0.0, 1.0, generator),
    )?;
    common.finish("rand", tensor)
}

/// Normal numbers of mean 0 and variance 1.
#[pyfunction]
#[pyo3(signature = (*size, **keywords))]
pub fn randn(py: Python<'_>, size: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse_with_out("randn", keywords)?;
    let (sizes, dtype) = (common.sizes("randn", size)?, common.float());
    let tensor = common.random(
        py,
        "randn",
        &sizes,
        |sizes| Tensor::empty(sizes, dtype),
        |tensor, generator| creation::normal(tensor, 0.0, 1.0, generator),
    )?;
    common.finish("randn", tensor)
}

/// Random integers from `low` (0 if left out) up to `high`, without it: `randint(low, high, size)`.
#[pyfunction]
#[pyo3(signature = (*bounds, **keywords))]
pub fn randint(py: Python<'_>, bounds: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let rest = keywords.map(|keywords| keywords.copy()).transpose()?;
    let named = |name: &str| -> PyResult<Option<i64>> {
        let Some(rest) = &rest else { return Ok(None) };
        let Some(value) = rest.get_item(name)? else { return Ok(None) };
        rest.del_item(name)?;
        integer(&value)
    };
    let (low, high) = (named("low")?, named("high")?);
    let common = Common::parse_with_out("randint", rest.as_ref())?;
    let mut given = bounds.iter().collect::<Vec<_>>();
    let sizes = match &common.size {
        Some(sizes) => sizes.clone(),
        None => {
            let Some(last) = given.pop() else {
                return Err(PyTypeError::new_err("randint(): argument 'size' is missing"));
            };
            listed_sizes("randint", &last)?
        }
    };
    let mut numbers = Vec::new();
    for value in &given {
        numbers.push(integer(value)?.ok_or_else(|| {
            PyTypeError::new_err(format!("randint(): bounds have to be ints, got {}", describe(value)))
        })?);
    }
    let (low, high) = match (&numbers[..], low, high) {
        ([low, high], None, None) => (*low, *high),
        ([low], None, Some(high)) => (*low, high),
        ([high], low, None) => (low.unwrap_or(0), *high),
        ([], low, Some(high)) => (low.unwrap_or(0), high),
        _ => return Err(PyTypeError::new_err("randint(): it is called as randint(low=0, high, size)")),
    };
    let dtype = common.dtype.unwrap_or(DType::Int64);
    let tensor = common.random(
        py,
        "randint",
        &sizes,
        |sizes| Tensor::empty(sizes, dtype),
        |tensor, generator| creation::randint(tensor, low, high, generator),
    )?;
    common.finish("randint", tensor)
}

/// The integers below `n` in random order.
#[pyfunction]
#[pyo3(signature = (n, **keywords))]
pub fn randperm(py: Python<'_>, n: i64, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse_with_out("randperm", keywords)?;
    let Ok(count) = usize::try_from(n) else {
        return Err(PyRuntimeError::new_err(format!("randperm(): n must not be negative, got {n}")));
    };
    let dtype = common.dtype.unwrap_or(DType::Int64);
    Scalar::Int(n).require_fit("randperm", dtype)?;
    let tensor = batch::made_random("randperm", &[count], |sizes| {
        let rows = sizes[..sizes.len() - 1].iter().product::<usize>();
        let draw = |_| common.draw(py, |generator| creation::randperm(count, dtype, generator))?.map(Some);
        let drawn: Vec<_> = (0..rows).map(draw).collect::<crate::Result<_>>()?;
        let all: crate::shape::Ints = sizes.iter().map(|&n| n as i64).collect();
        crate::ops::views::reshape(&crate::ops::joining::stack(&drawn, 0)?, &all)
    })?;
    common.finish("randperm", tensor)
}

/// Random numbers stored in a tensor, after the checks that every change in place needs.
pub fn store_random<'py>(
    slf: &Bound<'py, PyTensor>,
    name: &str,
    generator: Option<&Bound<'py, PyGenerator>>,
    draw: impl FnOnce(&Tensor, &mut Generator) -> crate::Result<()>,
) -> PyResult<Bound<'py, PyTensor>> {
    let tensor = this(slf);
    let fill = |target: &Tensor| match generator {
        Some(generator) => generator.get().draw(slf.py(), |generator| draw(target, generator))?.map_err(PyErr::from),
        None => Ok(with_default_generator(|generator| draw(target, generator))??),
    };
    crate::pointwise::check_writable(name, tensor)?;
    let recorded = crate::autograd::modes::grad_enabled() && tensor.requires_grad();
    if recorded || !batch::open().is_empty() {
        if recorded {
            crate::autograd::view::check_in_place(name, tensor)?;
        }
        // The numbers depend on nothing: the history of what they overwrite ends here.
        let numbers = batch::made_random(name, &tensor.sizes(), |sizes| {
            let numbers = if tensor.is_batched() {
                Tensor::empty(sizes, tensor.dtype())?
            } else {
                tensor.empty_alike(tensor.dtype())?
            };
            fill(&numbers)?;
            Ok(numbers)
        })?;
        call_in_place("copy", &[Value::Tensor(tensor.clone()), Value::Tensor(numbers)])?;
    } else {
        saved::before_change(tensor)?;
        fill(tensor)?;
        tensor.data().version().bump();
    }
    Ok(slf.clone())
}

#[pymethods]
impl PyTensor {
    /// Uniform numbers from `from` up to `to`.
    #[pyo3(signature = (from = 0.0, to = 1.0, *, generator = None))]
    fn uniform_<'py>(
        slf: &Bound<'py, Self>,
        from: f64,
        to: f64,
        generator: Option<&Bound<'py, PyGenerator>>,
    ) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "uniform", generator, |tensor, generator| creation::uniform(tensor, from, to, generator))
    }

    /// Normal numbers.
    #[pyo3(signature = (mean = 0.0, std = 1.0, *, generator = None))]
    fn normal_<'py>(
        slf: &Bound<'py, Self>,
        mean: f64,
        std: f64,
        generator: Option<&Bound<'py, PyGenerator>>,
    ) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "normal", generator, |tensor, generator| creation::normal(tensor, mean, std, generator))
    }
}
