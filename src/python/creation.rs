//! Functions that make tensors.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyTuple};

use crate::autograd::batch;
use crate::dtype::DType;
use crate::memory_format::MemoryFormat;
use crate::ops::creation::{self, with_default_generator};
use crate::promotion::default_float;
use crate::python::arguments::{describe, integers, number};
use crate::python::data::from_data;
use crate::python::dtype::{check_device, is_meta, makes_meta};
use crate::python::layout::check_layout;
use crate::python::memory;
use crate::python::numpy;
use crate::python::random::PyGenerator;
use crate::python::tensor::{PyTensor, expect_tensor, tensor_of, this};
use crate::random::Generator;
use crate::scalar::Scalar;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;

/// A fresh tensor as a leaf that may ask for its gradient.
pub fn leaf(tensor: Tensor, requires_grad: bool) -> PyResult<Tensor> {
    if requires_grad {
        tensor.set_requires_grad(true)?;
    }
    Ok(tensor)
}

/// A tensor of the same size and type that has no values.
fn without_values(tensor: &Tensor) -> crate::Result<Tensor> {
    Tensor::meta_device(&tensor.sizes(), tensor.dtype())
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
pub fn listed_sizes(function: &str, size: &Bound<'_, PyAny>) -> PyResult<Dims> {
    if size.cast::<PyInt>().is_ok() {
        return Err(PyTypeError::new_err(format!("{function}(): the size has to be a tuple of ints, got {size}")));
    }
    any_sizes(function, size)
}

/// The keyword arguments that all creation functions share.
#[derive(Default)]
pub struct Common {
    function: &'static str,
    pub dtype: Option<DType>,
    pub requires_grad: bool,
    pub generator: Option<Py<PyGenerator>>,
    pub size: Option<Dims>,
    pub memory_format: Option<MemoryFormat>,
    pub out: Option<Tensor>,
    /// Whether a device is named, and that is the one of tensors without values.
    pub meta: Option<bool>,
}

impl Common {
    pub fn parse(function: &'static str, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Common> {
        let mut common = Common { function, ..Common::default() };
        let Some(keywords) = keywords else { return Ok(common) };
        for (name, value) in keywords {
            let name: String = name.extract()?;
            if value.is_none() {
                continue;
            }
            match name.as_str() {
                "dtype" => common.dtype = Some(value.extract()?),
                "requires_grad" => common.requires_grad = value.extract()?,
                "device" => {
                    common.meta = Some(is_meta(&value)?);
                    if common.meta == Some(false) {
                        check_device(Some(&value))?;
                    }
                }
                "generator" => common.generator = Some(value.cast::<PyGenerator>()?.clone().unbind()),
                "size" => common.size = Some(listed_sizes(function, &value)?),
                "layout" => check_layout(&value)?,
                "memory_format" => common.memory_format = Some(value.extract()?),
                // What takes its size from a tensor makes a new one.
                "out" if !function.ends_with("_like") && !function.starts_with("new_") => {
                    common.out = Some(expect_tensor(function, "out", &value)?.clone());
                }
                // There is no accelerator for which to pin pages.
                "pin_memory" => {}
                other => {
                    return Err(PyTypeError::new_err(format!(
                        "{function}() got an unexpected keyword argument '{other}'"
                    )));
                }
            }
        }
        if let Some(out) = &common.out
            && *common.dtype.get_or_insert(out.dtype()) != out.dtype()
        {
            return Err(PyRuntimeError::new_err(format!("{function}(): out has another dtype than the one given")));
        }
        Ok(common)
    }

    /// What the function gives back: the tensor that it made, or the caller's with what that one holds.
    pub fn finish(&self, py: Python<'_>, made: Tensor) -> PyResult<Tensor> {
        match &self.out {
            None => leaf(if self.is_meta() { without_values(&made)? } else { made }, self.requires_grad),
            Some(out) => {
                memory::store(py, self.function, &made, out)?;
                leaf(out.clone(), self.requires_grad)
            }
        }
    }

    /// The same for a function that takes the device from a tensor unless one is named.
    pub fn finish_like(&self, made: Tensor, source: &Tensor) -> PyResult<Tensor> {
        let meta = self.meta.unwrap_or(source.is_meta());
        leaf(if meta { without_values(&made)? } else { made }, self.requires_grad)
    }

    /// Whether what is made has no values.
    pub fn is_meta(&self) -> bool {
        self.meta.unwrap_or_else(makes_meta)
    }

    pub fn sizes(&self, function: &str, size: &Bound<'_, PyTuple>) -> PyResult<Dims> {
        match &self.size {
            Some(sizes) => Ok(sizes.clone()),
            None => given_sizes(function, size, None),
        }
    }

    /// A float type, the default one if none was named.
    pub fn float(&self) -> DType {
        self.dtype.unwrap_or_else(default_float)
    }

    pub fn draw<R>(&self, py: Python<'_>, draw: impl FnOnce(&mut Generator) -> R) -> PyResult<R> {
        match &self.generator {
            None => Ok(with_default_generator(draw)?),
            Some(generator) => generator.get().draw(py, draw),
        }
    }

    /// A new tensor filled by `draw`; inside vmap, for each example or for all, as is asked for there.
    pub fn random(
        &self,
        py: Python<'_>,
        name: &str,
        sizes: &[usize],
        make: impl FnOnce(&[usize]) -> crate::Result<Tensor>,
        draw: impl FnOnce(&Tensor, &mut Generator) -> crate::Result<()>,
    ) -> PyResult<Tensor> {
        if self.is_meta() {
            return Ok(Tensor::meta_device(sizes, make(&[0])?.dtype())?);
        }
        Ok(batch::made_random(name, sizes, |sizes| {
            let tensor = make(sizes)?;
            self.draw(py, |generator| draw(&tensor, generator))??;
            Ok(tensor)
        })?)
    }
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
    let meta = match device.filter(|device| !device.is_none()) {
        Some(device) => is_meta(device)?,
        None => makes_meta(),
    };
    if meta {
        return leaf(without_values(&from_data(data, dtype)?)?, requires_grad);
    }
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
            if common.is_meta() {
                return leaf(Tensor::meta_device(&sizes, common.float())?, common.requires_grad);
            }
            let value: Option<i64> = $value;
            let tensor = match value {
                Some(value) => Tensor::full(&sizes, value.into(), common.float())?,
                None => common.memory_format.unwrap_or(MemoryFormat::Contiguous).empty(&sizes, common.float())?,
            };
            common.finish(size.py(), tensor)
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
    if common.is_meta() {
        return leaf(Tensor::meta_device(&sizes, dtype)?, common.requires_grad);
    }
    common.finish(fill_value.py(), Tensor::full(&sizes, value, dtype)?)
}

macro_rules! new_filled {
    ($($(#[$doc:meta])* $name:ident, |$sizes:ident, $dtype:ident| $make:expr;)+) => {
        #[pymethods]
        impl PyTensor {
            $(
                $(#[$doc])*
                #[pyo3(signature = (*size, **keywords))]
                fn $name(
                    slf: &Bound<'_, Self>,
                    size: &Bound<'_, PyTuple>,
                    keywords: Option<&Bound<'_, PyDict>>,
                ) -> PyResult<Tensor> {
                    let common = Common::parse(stringify!($name), keywords)?;
                    let sizes = common.sizes(stringify!($name), size)?;
                    let $dtype = common.dtype.unwrap_or(this(slf).dtype());
                    common.finish_like(batch::made_like(this(slf), &sizes, |$sizes| $make)?, this(slf))
                }
            )+
        }
    };
}

new_filled! {
    /// Zeros of the given size, of this tensor's dtype unless another is given.
    new_zeros, |sizes, dtype| Tensor::zeros(sizes, dtype);
    /// Ones of the given size, of this tensor's dtype unless another is given.
    new_ones, |sizes, dtype| Tensor::full(sizes, Scalar::Int(1), dtype);
    /// A tensor of the given size with undefined content, of this tensor's dtype unless another is given.
    new_empty, |sizes, dtype| Tensor::empty(sizes, dtype);
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

/// A fresh tensor with the sizes of `input`, in its order in memory unless another is asked for.
fn like(input: &Tensor, common: &Common) -> crate::Result<Tensor> {
    let format = common.memory_format.unwrap_or(MemoryFormat::Preserve);
    format.empty_like(input, common.dtype.unwrap_or(input.dtype()))
}

macro_rules! filled_like {
    ($($(#[$doc:meta])* $name:ident, |$tensor:ident, $common:ident| $fill:stmt;)+) => {$(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (input, **keywords))]
        pub fn $name(input: &Bound<'_, PyTensor>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
            let $common = Common::parse(stringify!($name), keywords)?;
            let source = this(input);
            let $tensor = like(&source.physical(), &$common)?;
            $fill;
            $common.finish_like(batch::wrap($tensor, source.levels()), source)
        }
    )+};
}

filled_like! {
    /// Zeros of the size and dtype of `input`.
    zeros_like, |tensor, common| crate::kernels::fill::fill(&tensor.data(), Scalar::Int(0));
    /// Ones of the size and dtype of `input`.
    ones_like, |tensor, common| crate::kernels::fill::fill(&tensor.data(), Scalar::Int(1));
    /// A tensor of the size and dtype of `input` with undefined content.
    empty_like, |tensor, common| let _ = &tensor;
}

macro_rules! random_like {
    ($($(#[$doc:meta])* $name:ident, |$tensor:ident, $generator:ident| $draw:expr;)+) => {$(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (input, **keywords))]
        pub fn $name(input: &Bound<'_, PyTensor>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
            let common = Common::parse(stringify!($name), keywords)?;
            let source = this(input);
            let made = common.random(input.py(), stringify!($name), &source.sizes(), |sizes| {
                if source.is_batched() { Tensor::empty(sizes, common.dtype.unwrap_or(source.dtype())) } else { like(source, &common) }
            }, |$tensor, $generator| $draw)?;
            common.finish_like(made, source)
        }
    )+};
}

random_like! {
    /// Uniform numbers from 0 up to 1, of the size and dtype of `input`.
    rand_like, |tensor, generator| creation::uniform(tensor, 0.0, 1.0, generator);
    /// Normal numbers of the size and dtype of `input`.
    randn_like, |tensor, generator| creation::normal(tensor, 0.0, 1.0, generator);
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
    let source = this(input);
    let tensor = like(&source.physical(), &common)?;
    let value = expect_number("full_like", "fill_value", fill_value)?;
    value.require_fit("full_like", tensor.dtype())?;
    crate::kernels::fill::fill(&tensor.data(), value);
    common.finish_like(batch::wrap(tensor, source.levels()), source)
}

/// Random integers from `low` (0 if one bound is given) up to `high`, of the size and dtype of `input`.
#[pyfunction]
#[pyo3(signature = (input, low = None, high = None, **keywords))]
pub fn randint_like(
    input: &Bound<'_, PyTensor>,
    low: Option<i64>,
    high: Option<i64>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("randint_like", keywords)?;
    let (source, dtype) = (this(input), common.dtype);
    let (low, high) = match (low, high) {
        (Some(low), Some(high)) => (low, high),
        (Some(high), None) | (None, Some(high)) => (0, high),
        (None, None) => return Err(PyTypeError::new_err("randint_like(): argument 'high' is missing")),
    };
    let tensor = common.random(
        input.py(),
        "randint_like",
        &source.sizes(),
        |sizes| Tensor::empty(sizes, dtype.unwrap_or(source.dtype())),
        |tensor, generator| creation::randint(tensor, low, high, generator),
    )?;
    common.finish_like(tensor, source)
}

/// The identity matrix, with `n` rows and `m` (by default `n`) columns.
#[pyfunction]
#[pyo3(signature = (n, m = None, **keywords))]
pub fn eye(py: Python<'_>, n: i64, m: Option<i64>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse("eye", keywords)?;
    let sizes = shape::checked_sizes(&[n, m.unwrap_or(n)])?;
    common.finish(py, creation::eye(sizes[0], sizes[1], common.float())?)
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
    common.finish(bounds.py(), creation::arange(start, end, step, common.dtype)?)
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
    let py = start.py();
    let (start, end) = (expect_number("linspace", "start", start)?, expect_number("linspace", "end", end)?);
    common.finish(py, creation::linspace(start, end, steps, common.dtype)?)
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
    state.check("result_type")?;
    Ok(crate::python::dtype::object(py, state.get())?.clone_ref(py).into_any())
}

/// The common type of two types.
#[pyfunction]
pub fn promote_types(py: Python<'_>, type1: DType, type2: DType) -> PyResult<Py<PyAny>> {
    if !type1.has_common(type2) {
        return Err(PyRuntimeError::new_err(format!("promote_types(): {type1} and {type2} have no common type")));
    }
    Ok(crate::python::dtype::object(py, type1.promote(type2))?.clone_ref(py).into_any())
}

/// Whether values of one type may be stored in place in a tensor of another.
#[pyfunction]
#[pyo3(signature = (from_, to))]
pub fn can_cast(from_: DType, to: DType) -> bool {
    crate::promotion::can_cast(from_, to)
}
