//! Functions that make tensors of numbers in a sequence: ranges, windows, places of triangles.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::dtype::DType;
use crate::ops::{creation, diagonal, windows};
use crate::python::creation::{Common, expect_number, leaf};
use crate::python::tensor::{PyTensor, this};
use crate::tensor::Tensor;

/// `steps` powers of `base`, whose exponents lie evenly from `start` to `end`, both included.
///
/// Raises `RuntimeError` for a negative number of steps.
#[pyfunction]
#[pyo3(signature = (start, end, steps, base = 10.0, **keywords))]
pub fn logspace(
    start: &Bound<'_, PyAny>,
    end: &Bound<'_, PyAny>,
    steps: i64,
    base: f64,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse_with_out("logspace", keywords)?;
    let Ok(steps) = usize::try_from(steps) else {
        return Err(PyRuntimeError::new_err(format!(
            "logspace(): the number of steps must not be negative, got {steps}"
        )));
    };
    let (start, end) = (expect_number("logspace", "start", start)?, expect_number("logspace", "end", end)?);
    let exponents = creation::linspace(start, end, steps, Some(DType::Float64))?;
    let powers = crate::ops::power::pow(base.into(), (&exponents).into())?;
    common.finish("logspace", powers.cast(common.float())?)
}

/// The numbers from `start` to `end`, both included, `step` apart; `arange` is the function without the last one.
#[pyfunction]
#[pyo3(signature = (start, end = None, step = None, **keywords))]
pub fn range(
    start: &Bound<'_, PyAny>,
    end: Option<&Bound<'_, PyAny>>,
    step: Option<&Bound<'_, PyAny>>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse_with_out("range", keywords)?;
    let number = |name: &str, object: &Bound<'_, PyAny>| expect_number("range", name, object);
    let (start, end) = match end {
        Some(end) => (number("start", start)?.to_f64(), number("end", end)?.to_f64()),
        None => (0.0, number("end", start)?.to_f64()),
    };
    let step = step.map_or(Ok(1.0), |step| number("step", step).map(|step| step.to_f64()))?;
    if step == 0.0 || (end - start) * step < 0.0 {
        return Err(PyRuntimeError::new_err(format!("range(): a step of {step} does not lead from {start} to {end}")));
    }
    let count = ((end - start) / step).floor() as usize + 1;
    let values: Vec<f64> = (0..count).map(|i| start + i as f64 * step).collect();
    common.finish("range", Tensor::from_slice(&values, &[count])?.cast(common.float())?)
}

/// The places of a triangle as an integer tensor of two rows.
fn triangle(
    name: &str,
    [row, col, offset]: [i64; 3],
    lower: bool,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse(name, keywords)?;
    Ok(diagonal::triangle_indices(name, row, col, lower, offset)?.cast(common.dtype.unwrap_or(DType::Int64))?)
}

/// The places of a `row` by `col` matrix on and below a diagonal: row numbers, and under them column numbers.
#[pyfunction]
#[pyo3(signature = (row, col, offset = 0, **keywords))]
pub fn tril_indices(row: i64, col: i64, offset: i64, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    triangle("tril_indices", [row, col, offset], true, keywords)
}

/// The places of a `row` by `col` matrix on and above a diagonal: row numbers, and under them column numbers.
#[pyfunction]
#[pyo3(signature = (row, col, offset = 0, **keywords))]
pub fn triu_indices(row: i64, col: i64, offset: i64, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    triangle("triu_indices", [row, col, offset], false, keywords)
}

macro_rules! window_functions {
    ($($(#[$doc:meta])* $name:ident ($($parameter:ident = $default:expr),*) = $shape:expr;)+) => {$(
        $(#[$doc])*
        #[pyfunction]
        #[pyo3(signature = (window_length, periodic = true, $($parameter = $default,)* **keywords))]
        pub fn $name(
            window_length: i64,
            periodic: bool,
            $($parameter: f64,)*
            keywords: Option<&Bound<'_, PyDict>>,
        ) -> PyResult<Tensor> {
            let name = stringify!($name);
            let common = Common::parse(name, keywords)?;
            leaf(windows::window(name, window_length, periodic, common.dtype, $shape)?, common.requires_grad)
        }
    )+};
}

window_functions! {
    /// Bartlett's window, a triangle; one period of a sequence of them, or a symmetric one if not `periodic`.
    bartlett_window() = windows::triangle;
    /// Blackman's window, a sum of three cosines.
    blackman_window() = windows::cosines([0.42, 0.5, 0.08]);
    /// Hamming's window, `alpha - beta * cos`.
    hamming_window(alpha = 0.54, beta = 0.46) = windows::cosines([alpha, beta]);
    /// Hann's window, a raised cosine.
    hann_window() = windows::cosines([0.5, 0.5]);
    /// Kaiser's window, narrower the larger `beta` is.
    kaiser_window(beta = 12.0) = windows::kaiser(beta);
}

/// A tensor without dimensions that holds `s`, of the default float type unless `dtype` is given.
#[pyfunction]
#[pyo3(signature = (s, **keywords))]
pub fn scalar_tensor(s: &Bound<'_, PyAny>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Tensor> {
    let common = Common::parse("scalar_tensor", keywords)?;
    leaf(Tensor::scalar(expect_number("scalar_tensor", "s", s)?, common.float())?, common.requires_grad)
}

/// Sizes and strides as numbers that are not negative.
fn geometry(function: &str, size: &Bound<'_, PyAny>, stride: &Bound<'_, PyAny>) -> PyResult<[crate::shape::Dims; 2]> {
    use crate::python::creation::listed_sizes;
    let (sizes, strides) = (listed_sizes(function, size)?, listed_sizes(function, stride)?);
    if sizes.len() != strides.len() {
        return Err(PyRuntimeError::new_err(format!(
            "{function}(): {} sizes but {} strides",
            sizes.len(),
            strides.len()
        )));
    }
    Ok([sizes, strides])
}

/// A tensor of the given size and strides with undefined content.
#[pyfunction]
#[pyo3(signature = (size, stride, **keywords))]
pub fn empty_strided(
    size: &Bound<'_, PyAny>,
    stride: &Bound<'_, PyAny>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("empty_strided", keywords)?;
    let [sizes, strides] = geometry("empty_strided", size, stride)?;
    leaf(Tensor::empty_spread(&sizes, &strides, common.float())?, common.requires_grad)
}

/// A tensor of the given size with undefined content, its dimensions in memory in the order of `physical_layout`, the
/// slowest first.
#[pyfunction]
#[pyo3(signature = (size, physical_layout, **keywords))]
pub fn empty_permuted(
    size: &Bound<'_, PyAny>,
    physical_layout: &Bound<'_, PyAny>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Tensor> {
    let common = Common::parse("empty_permuted", keywords)?;
    let [sizes, layout] = geometry("empty_permuted", size, physical_layout)?;
    let mut strides = crate::shape::Dims::from_elem(0, sizes.len());
    let mut step = 1;
    for &d in layout.iter().rev() {
        if strides.get(d).is_none_or(|&stride| stride != 0) {
            return Err(PyRuntimeError::new_err("empty_permuted(): physical_layout has to name each dimension once"));
        }
        strides[d] = step;
        step *= sizes[d].max(1);
    }
    leaf(Tensor::empty_spread(&sizes, &strides, common.float())?, common.requires_grad)
}

#[pymethods]
impl PyTensor {
    /// A tensor of the given size and strides with undefined content, of this one's dtype unless another is given.
    #[pyo3(signature = (size, stride, **keywords))]
    fn new_empty_strided(
        slf: &Bound<'_, Self>,
        size: &Bound<'_, PyAny>,
        stride: &Bound<'_, PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Tensor> {
        let common = Common::parse("new_empty_strided", keywords)?;
        let [sizes, strides] = geometry("new_empty_strided", size, stride)?;
        let dtype = common.dtype.unwrap_or(this(slf).dtype());
        leaf(Tensor::empty_spread(&sizes, &strides, dtype)?, common.requires_grad)
    }

    /// Whether the only element is not 0.
    ///
    /// Raises `RuntimeError` for a tensor with more or fewer elements.
    #[pyo3(name = "is_nonzero")]
    fn has_nonzero(slf: &Bound<'_, Self>) -> PyResult<bool> {
        is_nonzero(this(slf).clone())
    }

    /// Whether another tensor has the same size.
    #[pyo3(name = "is_same_size")]
    fn has_same_size(slf: &Bound<'_, Self>, other: Tensor) -> bool {
        is_same_size(this(slf).clone(), other)
    }
}

/// How many elements a tensor has.
#[pyfunction]
pub fn numel(input: Tensor) -> usize {
    input.numel()
}

/// Whether the only element of a tensor is not 0.
///
/// Raises `RuntimeError` for a tensor with more or fewer elements.
#[pyfunction]
pub fn is_nonzero(input: Tensor) -> PyResult<bool> {
    Ok(input.item()?.to_f64() != 0.0)
}

/// Whether two tensors have the same size.
#[pyfunction]
pub fn is_same_size(input: Tensor, other: Tensor) -> bool {
    input.sizes() == other.sizes()
}

/// The size that tensors of the given sizes broadcast to.
///
/// Raises `RuntimeError` if they do not.
#[pyfunction]
#[pyo3(signature = (*shapes))]
pub fn broadcast_shapes(
    py: Python<'_>,
    shapes: &Bound<'_, pyo3::types::PyTuple>,
) -> PyResult<Py<pyo3::types::PyTuple>> {
    let mut sizes = crate::shape::Dims::new();
    for shape in shapes {
        let Some(list) = crate::python::arguments::integers(&shape)? else {
            return Err(PyTypeError::new_err(format!("broadcast_shapes(): sizes have to be ints, got {shape}")));
        };
        sizes = crate::shape::broadcast(&sizes, &crate::shape::checked_sizes(&list)?)?;
    }
    crate::python::size::size_object(py, &sizes)
}
