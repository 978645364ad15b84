//! Functions that make tensors.

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyString, PyTuple};

use crate::dtype::DType;
use crate::ops::creation::{self, with_default_generator};
use crate::promotion::default_float;
use crate::python::arguments::{describe, integer, integers, number};
use crate::python::dtype::check_device;
use crate::python::gil::Gil;
use crate::python::numpy;
use crate::python::tensor::{PyTensor, tensor_of, this};
use crate::random::Generator;
use crate::scalar::Scalar;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;
use crate::with_element;

/// A fresh tensor as a leaf that may ask for its gradient.
pub fn leaf(tensor: Tensor, requires_grad: bool) -> PyResult<Tensor> {
    if requires_grad {
        tensor.set_requires_grad(true)?;
    }
    Ok(tensor)
}

/// Sizes given as separate integers, as one list, or by the keyword `size`.
pub fn given_sizes(
    function: &str,
    positional: &Bound<'_, PyTuple>,
    named: Option<&Bound<'_, PyAny>>,
) -> PyResult<Dims> {
    match (positional.len(), named) {
        (0, Some(named)) => listed_sizes(function, named),
        (0, None) => Err(PyTypeError::new_err(format!("{function}(): argument 'size' is missing"))),
        (_, Some(_)) => Err(PyTypeError::new_err(format!("{function}(): argument 'size' is given twice"))),
        (1, None) => any_sizes(function, &positional.get_item(0)?),
        _ => any_sizes(function, positional.as_any()),
    }
}

fn any_sizes(function: &str, size: &Bound<'_, PyAny>) -> PyResult<Dims> {
    match integers(size) {
        Ok(Some(list)) => Ok(shape::checked_sizes(&list)?),
        Ok(None) => Err(PyTypeError::new_err(format!("{function}(): the size has to be ints, got {}", describe(size)))),
        Err(error) => {
            Err(PyTypeError::new_err(format!("{function}(): the size {size} has too large a number: {error}")))
        }
    }
}

/// A list or tuple of sizes; a single number does not do.
fn listed_sizes(function: &str, size: &Bound<'_, PyAny>) -> PyResult<Dims> {
    if size.cast::<PyInt>().is_ok() {
        return Err(PyTypeError::new_err(format!("{function}(): the size has to be a tuple of ints, got {size}")));
    }
    any_sizes(function, size)
}

/// The keyword arguments that all creation functions share.
#[derive(Default)]
struct Common {
    dtype: Option<DType>,
    requires_grad: bool,
    generator: Option<Py<PyGenerator>>,
    size: Option<Dims>,
}

impl Common {
    fn parse(function: &str, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Common> {
        let mut common = Common::default();
        let Some(keywords) = keywords else { return Ok(common) };
        for (name, value) in keywords {
            let name: String = name.extract()?;
            if value.is_none() {
                continue;
            }
            match name.as_str() {
                "dtype" => common.dtype = Some(value.extract()?),
                "requires_grad" => common.requires_grad = value.extract()?,
                "device" => check_device(Some(&value))?,
                "generator" => common.generator = Some(value.cast::<PyGenerator>()?.clone().unbind()),
                "size" => common.size = Some(listed_sizes(function, &value)?),
                // The memory layout, and pages that no accelerator will ask for, are as they are.
                "layout" | "pin_memory" | "memory_format" => {}
                other => {
                    return Err(PyTypeError::new_err(format!(
                        "{function}() got an unexpected keyword argument '{other}'"
                    )));
                }
            }
        }
        Ok(common)
    }

    fn sizes(&self, function: &str, size: &Bound<'_, PyTuple>) -> PyResult<Dims> {
        match &self.size {
            Some(sizes) => Ok(sizes.clone()),
            None => given_sizes(function, size, None),
        }
    }

    /// A float type, the default one if none was named.
    fn float(&self) -> DType {
        self.dtype.unwrap_or_else(default_float)
    }

    fn draw<R>(&self, py: Python<'_>, draw: impl FnOnce(&mut Generator) -> R) -> PyResult<R> {
        match &self.generator {
            None => Ok(with_default_generator(draw)?),
            Some(generator) => draw_from(py, generator, draw),
        }
    }
}

fn draw_from<R>(py: Python<'_>, generator: &Py<PyGenerator>, draw: impl FnOnce(&mut Generator) -> R) -> PyResult<R> {
    let mut held = generator
        .get()
        .0
        .get(py)
        .try_borrow_mut()
        .map_err(|_| PyRuntimeError::new_err("the random generator is in use"))?;
    Ok(draw(&mut held))
}

/// A source of random numbers with a state of its own.
#[pyclass(name = "Generator", module = "rgrad", frozen)]
pub struct PyGenerator(Gil<std::cell::RefCell<Generator>>);

#[pymethods]
impl PyGenerator {
    #[new]
    #[pyo3(signature = (device = None))]
    fn new(py: Python<'_>, device: Option<&Bound<'_, PyAny>>) -> PyResult<PyGenerator> {
        check_device(device)?;
        Ok(PyGenerator(Gil::new(py, std::cell::RefCell::new(Generator::default()))))
    }

    /// Starts from `seed` again.
    fn manual_seed<'py>(slf: &Bound<'py, Self>, seed: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        let seed = seed_number(seed)?;
        slf.get().0.get(slf.py()).borrow_mut().manual_seed(seed);
        Ok(slf.clone())
    }

    fn initial_seed(slf: &Bound<'_, Self>) -> u64 {
        slf.get().0.get(slf.py()).borrow().initial_seed()
    }

    /// Starts from a seed that nobody can guess, and gives it back.
    fn seed(slf: &Bound<'_, Self>) -> u64 {
        slf.get().0.get(slf.py()).borrow_mut().seed()
    }

    fn get_state(slf: &Bound<'_, Self>) -> PyResult<Tensor> {
        let state = slf.get().0.get(slf.py()).borrow().state();
        Ok(Tensor::from_slice(&state, &[state.len()])?)
    }

    fn set_state(slf: &Bound<'_, Self>, new_state: Tensor) -> PyResult<()> {
        let bytes = state_bytes(&new_state)?;
        Ok(slf.get().0.get(slf.py()).borrow_mut().set_state(&bytes)?)
    }

    #[getter]
    fn device(&self) -> crate::python::dtype::PyDevice {
        crate::python::dtype::PyDevice
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
        Ok(_) => Err(PyRuntimeError::new_err("manual_seed(): the seed does not fit 64 bits")),
        Err(_) => {
            Err(PyTypeError::new_err(format!("manual_seed(): the seed has to be an int, got {}", describe(seed))))
        }
    }
}

/// Starts the default generator from `seed`, and gives it back.
#[pyfunction]
pub fn _manual_seed(seed: &Bound<'_, PyAny>) -> PyResult<()> {
    let seed = seed_number(seed)?;
    Ok(with_default_generator(|generator| generator.manual_seed(seed))?)
}

#[pyfunction]
pub fn initial_seed() -> PyResult<u64> {
    Ok(with_default_generator(|generator| generator.initial_seed())?)
}

/// Starts the default generator from a seed that nobody can guess, and gives it back.
#[pyfunction]
pub fn seed() -> PyResult<u64> {
    Ok(with_default_generator(Generator::seed)?)
}

#[pyfunction]
pub fn get_rng_state() -> PyResult<Tensor> {
    let state = with_default_generator(|generator| generator.state())?;
    Ok(Tensor::from_slice(&state, &[state.len()])?)
}

#[pyfunction]
pub fn set_rng_state(new_state: Tensor) -> PyResult<()> {
    let bytes = state_bytes(&new_state)?;
    Ok(with_default_generator(|generator| generator.set_state(&bytes))??)
}

/// Sizes and flat values of nested sequences.
struct Nested {
    sizes: Vec<usize>,
    values: Vec<Scalar>,
    /// The common type of all items.
    dtype: Option<DType>,
    /// The type that was asked for.
    wanted: Option<DType>,
}

impl Nested {
    fn promote(&mut self, dtype: DType) {
        self.dtype = Some(self.dtype.map_or(dtype, |held| held.promote(dtype)));
    }
}

/// A row-major copy, or one in the order of the memory of `source` where that leaves no gap.
fn copied(source: &Tensor, dtype: Option<DType>) -> PyResult<Tensor> {
    let copy = like(source, dtype)?;
    crate::kernels::copy::copy(&copy.data(), &source.data());
    Ok(copy)
}

/// A Python number for a tensor of the type `wanted`: an integer beyond 64 bits can only become a float.
fn number_for(data: &Bound<'_, PyAny>, wanted: Option<DType>) -> PyResult<Option<Scalar>> {
    match number(data) {
        Err(_) if wanted.is_some_and(|dtype| dtype.is_float() || dtype == DType::Bool) => {
            Ok(Some(Scalar::Float(data.extract()?)))
        }
        other => other,
    }
}

/// The number as an element of a new tensor. Among floats, one that is too large is infinite.
fn require_fit(value: Scalar, dtype: DType) -> PyResult<()> {
    if !dtype.is_float() {
        value.require_fit("tensor", dtype)?;
    }
    Ok(())
}

/// A tensor from numbers, nested lists, arrays or tensors; the values are copied.
pub fn from_data(data: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    if let Some(tensor) = tensor_of(data) {
        return copied(tensor, dtype);
    }
    if let Some(value) = number_for(data, dtype)? {
        let own = numpy::scalar_dtype(data)?;
        let dtype = dtype.or(own).unwrap_or(value.dtype(default_float()));
        require_fit(value, dtype)?;
        return Ok(Tensor::scalar(value, dtype)?);
    }
    if let Some(array) = numpy::borrow(data)? {
        return copied(&array, dtype);
    }
    let mut nested = Nested { sizes: Vec::new(), values: Vec::new(), dtype: None, wanted: dtype };
    collect(data, 0, &mut nested)?;
    let dtype = dtype.or(nested.dtype).unwrap_or_else(default_float);
    for &value in &nested.values {
        require_fit(value, dtype)?;
    }
    let tensor = Tensor::empty(&nested.sizes, dtype)?;
    with_element!(dtype, T => {
        let pointer = tensor.data().pointer().cast::<T>();
        for (i, value) in nested.values.iter().enumerate() {
            // SAFETY: `collect` gave as many values as the sizes say.
            unsafe { pointer.add(i).write(value.cast::<T>()) };
        }
    });
    Ok(tensor)
}

fn collect(data: &Bound<'_, PyAny>, depth: usize, nested: &mut Nested) -> PyResult<()> {
    if let Some(tensor) = tensor_of(data) {
        return match tensor.numel() {
            1 => push(tensor.item()?, tensor.dtype(), depth, nested),
            n => Err(PyValueError::new_err(format!("among nested lists a tensor has one element, not {n}"))),
        };
    }
    if data.cast::<PyString>().is_ok() {
        return Err(match depth {
            0 => PyTypeError::new_err("a tensor cannot be made of a string"),
            _ => PyValueError::new_err("a tensor cannot be made of strings"),
        });
    }
    if data.cast::<PyBytes>().is_ok() {
        return Err(PyTypeError::new_err("a tensor cannot be made of bytes"));
    }
    if data.cast::<PyList>().is_err() && data.cast::<PyTuple>().is_err() {
        if let Some(value) = number_for(data, nested.wanted)? {
            let dtype = numpy::scalar_dtype(data)?.unwrap_or(value.dtype(default_float()));
            return push(value, dtype, depth, nested);
        }
        if let Some(array) = numpy::borrow(data)? {
            return append(&array, depth, nested);
        }
    }
    let (Ok(length), true) = (data.len(), data.hasattr("__getitem__")? && data.cast::<PyDict>().is_err()) else {
        return Err(PyRuntimeError::new_err(format!("a tensor cannot be made of {}", describe(data))));
    };
    if depth == nested.sizes.len() {
        if !nested.values.is_empty() {
            return Err(ragged(depth));
        }
        nested.sizes.push(length);
    } else if nested.sizes[depth] != length {
        return Err(PyValueError::new_err(format!(
            "a sequence of length {} is expected at dimension {depth}, got one of length {length}",
            nested.sizes[depth]
        )));
    }
    for item in data.try_iter()? {
        collect(&item?, depth + 1, nested)?;
    }
    Ok(())
}

/// Adds a number among nested lists.
fn push(value: Scalar, dtype: DType, depth: usize, nested: &mut Nested) -> PyResult<()> {
    if depth < nested.sizes.len() {
        return Err(ragged(depth));
    }
    nested.promote(dtype);
    nested.values.push(value);
    Ok(())
}

fn ragged(depth: usize) -> PyErr {
    PyTypeError::new_err(format!("nested sequences differ in depth: numbers and sequences meet at dimension {depth}"))
}

/// Adds an array, as a tensor on its memory, among nested lists.
fn append(tensor: &Tensor, depth: usize, nested: &mut Nested) -> PyResult<()> {
    let sizes = tensor.sizes();
    if nested.values.is_empty() && nested.sizes.len() == depth {
        nested.sizes.extend(sizes.iter());
    } else if nested.sizes[depth..] != sizes[..] {
        return Err(PyValueError::new_err(format!(
            "arrays of size {} and {} cannot stand in one list",
            shape::show(&nested.sizes[depth..]),
            shape::show(&sizes)
        )));
    }
    nested.promote(tensor.dtype());
    let source = tensor.to_contiguous()?;
    let data = source.data();
    with_element!(data.dtype, T => {
        // SAFETY: a row-major tensor is one slice.
        let slice = unsafe { crate::tensor::slice_at(data.pointer().cast::<T>(), data.numel()) };
        nested.values.extend(slice.iter().map(|&value| Scalar::of(value)));
    });
    Ok(())
}

/// A tensor with a copy of `data`: a number, nested lists, an array or a tensor.
///
/// The dtype is bool, int64 or the default float type, whichever holds all the numbers, unless `dtype` is given.
/// Raises `ValueError` for nested lists of unequal length.
#[pyfunction]
#[pyo3(signature = (data, *, dtype = None, device = None, requires_grad = false, pin_memory = false))]
pub fn tensor(
    data: &Bound<'_, PyAny>,
    dtype: Option<DType>,
    device: Option<&Bound<'_, PyAny>>,
    requires_grad: bool,
    pin_memory: bool,
) -> PyResult<Tensor> {
    let _ = pin_memory;
    check_device(device)?;
    leaf(from_data(data, dtype)?, requires_grad)
}

/// `data` itself if it is a tensor of that dtype, a tensor on an array's memory where that is possible, else a copy.
#[pyfunction]
#[pyo3(signature = (data, *, dtype = None, device = None))]
pub fn as_tensor<'py>(
    data: &Bound<'py, PyAny>,
    dtype: Option<DType>,
    device: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    check_device(device)?;
    let py = data.py();
    if let Some(tensor) = tensor_of(data) {
        return match dtype {
            Some(dtype) if dtype != tensor.dtype() => {
                Ok(crate::ops::conversion::to_copy(tensor, dtype)?.into_pyobject(py)?.into_any())
            }
            _ => Ok(data.clone()),
        };
    }
    if let Some(array) = numpy::borrow(data)? {
        let tensor = array.cast(dtype.unwrap_or(array.dtype()))?;
        return Ok(tensor.into_pyobject(py)?.into_any());
    }
    Ok(from_data(data, dtype)?.into_pyobject(py)?.into_any())
}

macro_rules! filled {
    ($($(#[$doc:meta])* $name:ident, $value:expr;)+) => {$(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (*size, **keywords))]
        pub fn $name(size: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
            let common = Common::parse(stringify!($name), keywords)?;
            let sizes = common.sizes(stringify!($name), size)?;
            let value: Option<i64> = $value;
            let tensor = match value {
                Some(value) => Tensor::full(&sizes, value.into(), common.float())?,
                None => Tensor::empty(&sizes, common.float())?,
            };
            leaf(tensor, common.requires_grad)
        }
    )+};
}

filled! {
    /// A tensor of the given size filled with 0.
    zeros, Some(0);
    /// A tensor of the given size filled with 1.
    ones, Some(1);
    /// A tensor of the given size with undefined content.
    empty, None;
}

/// A tensor of the given size filled with `fill_value`.
#[pyfunction]
#[pyo3(signature = (size, fill_value, **keywords))]
pub fn full(
    size: &Bound<'_, PyAny>,
    fill_value: &Bound<'_, PyAny>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("full", keywords)?;
    let sizes = listed_sizes("full", size)?;
    let value = expect_number("full", "fill_value", fill_value)?;
    let dtype = common.dtype.unwrap_or(value.dtype(default_float()));
    value.require_fit("full", dtype)?;
    leaf(Tensor::full(&sizes, value, dtype)?, common.requires_grad)
}

/// A number, or the element of a tensor without dimensions.
pub fn expect_number(function: &str, parameter: &str, object: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    if let Some(tensor) = tensor_of(object)
        && tensor.ndim() == 0
    {
        return Ok(tensor.item()?);
    }
    number(object)?.ok_or_else(|| {
        PyTypeError::new_err(format!(
            "{function}(): argument '{parameter}' has to be a number, got {}",
            describe(object)
        ))
    })
}

/// A fresh tensor with the sizes, and where it leaves no gap the strides, of `input`.
fn like(input: &Tensor, dtype: Option<DType>) -> PyResult<Tensor> {
    let data = input.data();
    let dtype = dtype.unwrap_or(data.dtype);
    Ok(match shape::dense_order(&data.sizes, &data.strides) {
        Some(_) => Tensor::empty_strided(data.sizes.clone(), data.strides.clone(), dtype)?,
        None => Tensor::empty(&data.sizes, dtype)?,
    })
}

macro_rules! filled_like {
    ($($(#[$doc:meta])* $name:ident, |$tensor:ident, $common:ident, $py:ident| $fill:stmt;)+) => {$(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (input, **keywords))]
        pub fn $name(input: &Bound<'_, PyTensor>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
            let $common = Common::parse(stringify!($name), keywords)?;
            let $tensor = like(this(input), $common.dtype)?;
            let $py = input.py();
            $fill;
            leaf($tensor, $common.requires_grad)
        }
    )+};
}

filled_like! {
    /// Zeros of the size and dtype of `input`.
    zeros_like, |tensor, common, _py| crate::kernels::fill::fill(&tensor.data(), Scalar::Int(0));
    /// Ones of the size and dtype of `input`.
    ones_like, |tensor, common, _py| crate::kernels::fill::fill(&tensor.data(), Scalar::Int(1));
    /// A tensor of the size and dtype of `input` with undefined content.
    empty_like, |tensor, common, _py| let _ = &tensor;
    /// Uniform numbers from 0 up to 1, of the size and dtype of `input`.
    rand_like, |tensor, common, py| common.draw(py, |generator| creation::uniform(&tensor, 0.0, 1.0, generator))??;
    /// Normal numbers of the size and dtype of `input`.
    randn_like, |tensor, common, py| common.draw(py, |generator| creation::normal(&tensor, 0.0, 1.0, generator))??;
}

/// `fill_value` everywhere, of the size and dtype of `input`.
#[pyfunction]
#[pyo3(signature = (input, fill_value, **keywords))]
pub fn full_like(
    input: &Bound<'_, PyTensor>,
    fill_value: &Bound<'_, PyAny>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("full_like", keywords)?;
    let tensor = like(this(input), common.dtype)?;
    let value = expect_number("full_like", "fill_value", fill_value)?;
    value.require_fit("full_like", tensor.dtype())?;
    crate::kernels::fill::fill(&tensor.data(), value);
    leaf(tensor, common.requires_grad)
}

/// Random integers from `low` (0 if one bound is given) up to `high`, of the size and dtype of `input`.
#[pyfunction]
#[pyo3(signature = (input, low, high = None, **keywords))]
pub fn randint_like(
    input: &Bound<'_, PyTensor>,
    low: i64,
    high: Option<i64>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("randint_like", keywords)?;
    let tensor = like(this(input), common.dtype)?;
    let (low, high) = high.map_or((0, low), |high| (low, high));
    common.draw(input.py(), |generator| creation::randint(&tensor, low, high, generator))??;
    leaf(tensor, common.requires_grad)
}

/// The identity matrix, with `n` rows and `m` (by default `n`) columns.
#[pyfunction]
#[pyo3(signature = (n, m = None, **keywords))]
pub fn eye(n: i64, m: Option<i64>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse("eye", keywords)?;
    let sizes = shape::checked_sizes(&[n, m.unwrap_or(n)])?;
    leaf(creation::eye(sizes[0], sizes[1], common.float())?, common.requires_grad)
}

/// `start` (0 if one bound is given), `start + step`, … below `end`.
#[pyfunction]
#[pyo3(signature = (*bounds, **keywords))]
pub fn arange(bounds: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let mut numbers: [Option<Scalar>; 3] = [None; 3];
    let names = ["start", "end", "step"];
    let rest = match keywords {
        None => None,
        Some(keywords) => {
            let rest = keywords.copy()?;
            for (slot, name) in numbers.iter_mut().zip(names) {
                if let Some(value) = rest.get_item(name)? {
                    *slot = Some(expect_number("arange", name, &value)?);
                    rest.del_item(name)?;
                }
            }
            Some(rest)
        }
    };
    let given = bounds.iter().map(|value| expect_number("arange", "end", &value)).collect::<PyResult<Vec<_>>>()?;
    match (given[..].len(), numbers[1]) {
        (0, _) => {}
        (1, None) => numbers[1] = Some(given[0]),
        (n, _) if n <= 3 => given.iter().enumerate().for_each(|(i, &value)| numbers[i] = Some(value)),
        (n, _) => return Err(PyTypeError::new_err(format!("arange(): at most 3 numbers are expected, got {n}"))),
    }
    let Some(end) = numbers[1] else {
        return Err(PyTypeError::new_err("arange(): argument 'end' is missing"));
    };
    let common = Common::parse("arange", rest.as_ref())?;
    let start = numbers[0].unwrap_or(Scalar::Int(0));
    let step = numbers[2].unwrap_or(Scalar::Int(1));
    leaf(creation::arange(start, end, step, common.dtype)?, common.requires_grad)
}

/// `steps` numbers evenly from `start` to `end`, both included.
#[pyfunction]
#[pyo3(signature = (start, end, steps, **keywords))]
pub fn linspace(
    start: &Bound<'_, PyAny>,
    end: &Bound<'_, PyAny>,
    steps: i64,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("linspace", keywords)?;
    let Ok(steps) = usize::try_from(steps) else {
        return Err(PyRuntimeError::new_err(format!(
            "linspace(): the number of steps must not be negative, got {steps}"
        )));
    };
    let (start, end) = (expect_number("linspace", "start", start)?, expect_number("linspace", "end", end)?);
    leaf(creation::linspace(start.to_f64(), end.to_f64(), steps, common.dtype)?, common.requires_grad)
}

/// Uniform numbers from 0 up to 1.
#[pyfunction]
#[pyo3(signature = (*size, **keywords))]
pub fn rand(py: Python<'_>, size: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse("rand", keywords)?;
    let tensor = Tensor::empty(&common.sizes("rand", size)?, common.float())?;
    common.draw(py, |generator| creation::uniform(&tensor, 0.0, 1.0, generator))??;
    leaf(tensor, common.requires_grad)
}

/// Normal numbers of mean 0 and variance 1.
#[pyfunction]
#[pyo3(signature = (*size, **keywords))]
pub fn randn(py: Python<'_>, size: &Bound<'_, PyTuple>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse("randn", keywords)?;
    let tensor = Tensor::empty(&common.sizes("randn", size)?, common.float())?;
    common.draw(py, |generator| creation::normal(&tensor, 0.0, 1.0, generator))??;
    leaf(tensor, common.requires_grad)
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
    let common = Common::parse("randint", rest.as_ref())?;
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
    let tensor = Tensor::empty(&sizes, common.dtype.unwrap_or(DType::Int64))?;
    common.draw(py, |generator| creation::randint(&tensor, low, high, generator))??;
    leaf(tensor, common.requires_grad)
}

/// The integers below `n` in random order.
#[pyfunction]
#[pyo3(signature = (n, **keywords))]
pub fn randperm(py: Python<'_>, n: i64, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse("randperm", keywords)?;
    let Ok(count) = usize::try_from(n) else {
        return Err(PyRuntimeError::new_err(format!("randperm(): n must not be negative, got {n}")));
    };
    let dtype = common.dtype.unwrap_or(DType::Int64);
    let tensor = common.draw(py, |generator| creation::randperm(count, dtype, generator))??;
    leaf(tensor, common.requires_grad)
}

/// Random numbers stored in a tensor, after the checks that every change in place needs.
fn store_random<'py>(
    slf: &Bound<'py, PyTensor>,
    name: &str,
    generator: Option<&Bound<'py, PyGenerator>>,
    draw: impl FnOnce(&Tensor, &mut Generator) -> crate::Result<()>,
) -> PyResult<Bound<'py, PyTensor>> {
    let tensor = this(slf);
    crate::pointwise::check_writable(name, tensor)?;
    if crate::autograd::modes::grad_enabled() && tensor.requires_grad() {
        crate::autograd::view::check_in_place(name, tensor)?;
    }
    match generator {
        Some(generator) => draw_from(slf.py(), generator.as_unbound(), |generator| draw(tensor, generator))??,
        None => with_default_generator(|generator| draw(tensor, generator))??,
    }
    tensor.data().version().bump();
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

    /// 1 with probability `p`, else 0.
    #[pyo3(signature = (p = 0.5, *, generator = None))]
    fn bernoulli_<'py>(
        slf: &Bound<'py, Self>,
        p: f64,
        generator: Option<&Bound<'py, PyGenerator>>,
    ) -> PyResult<Bound<'py, Self>> {
        store_random(slf, "bernoulli", generator, |tensor, generator| creation::bernoulli(tensor, p, generator))
    }
}

#[pyfunction]
pub fn get_default_dtype(py: Python<'_>) -> PyResult<Py<PyAny>> {
    Ok(crate::python::dtype::object(py, default_float())?.clone_ref(py).into_any())
}

#[pyfunction]
pub fn set_default_dtype(dtype: DType) -> PyResult<()> {
    if !dtype.is_float() {
        return Err(PyTypeError::new_err(format!("set_default_dtype(): a float type is expected, got {dtype}")));
    }
    crate::promotion::set_default_float(dtype);
    Ok(())
}

/// The common type of two operands.
#[pyfunction]
pub fn result_type(py: Python<'_>, tensor1: &Bound<'_, PyAny>, tensor2: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    let mut state = crate::promotion::ResultType::default();
    for operand in [tensor1, tensor2] {
        match crate::python::arguments::convert(operand, crate::value::Kind::Operand, false)? {
            Some(value) => state.add(&value),
            None => {
                return Err(PyTypeError::new_err(format!(
                    "result_type(): a Tensor or a number is expected, got {}",
                    describe(operand)
                )));
            }
        }
    }
    Ok(crate::python::dtype::object(py, state.get())?.clone_ref(py).into_any())
}

/// The common type of two types.
#[pyfunction]
pub fn promote_types(py: Python<'_>, type1: DType, type2: DType) -> PyResult<Py<PyAny>> {
    Ok(crate::python::dtype::object(py, type1.promote(type2))?.clone_ref(py).into_any())
}

/// Whether values of one type may be stored in place in a tensor of another.
#[pyfunction]
#[pyo3(signature = (from_, to))]
pub fn can_cast(from_: DType, to: DType) -> bool {
    crate::promotion::can_cast(from_, to)
}
