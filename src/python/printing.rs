//! `repr` of tensors, and its options.

use std::sync::Mutex;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::autograd::batch;
use crate::dtype::{DType, Element};
use crate::format::{Elements, Options, Profile, format_tensor};
use crate::promotion::{default_complex, default_float};
use crate::python::tensor::{PyTensor, this};
use crate::tensor::Tensor;
use crate::with_element;

static OPTIONS: Mutex<Option<Options>> = Mutex::new(None);

fn options() -> Options {
    OPTIONS.lock().ok().and_then(|options| *options).unwrap_or_default()
}

/// `Float` for float32: PyTorch's names from before it had dtypes.
pub fn old_name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "Bool",
        DType::UInt8 => "Byte",
        DType::Int8 => "Char",
        DType::Int16 => "Short",
        DType::UInt16 => "UInt16",
        DType::UInt32 => "UInt32",
        DType::UInt64 => "UInt64",
        DType::Float16 => "Half",
        DType::BFloat16 => "BFloat16",
        DType::Complex64 => "ComplexFloat",
        DType::Complex128 => "ComplexDouble",
        DType::Int32 => "Int",
        DType::Int64 => "Long",
        DType::Float32 => "Float",
        DType::Float64 => "Double",
    }
}

/// The element type that a dtype, a class such as `FloatTensor` or `Tensor`, or its name `"torch.FloatTensor"` stands for.
pub fn named_type(kind: &Bound<'_, PyAny>) -> PyResult<DType> {
    let Ok(name) = kind.cast::<PyString>() else {
        if kind.is(kind.py().get_type::<PyTensor>()) {
            return Ok(default_float());
        }
        let named = if kind.is_instance_of::<PyType>() { kind.getattr_opt("dtype")? } else { None };
        return named.as_ref().unwrap_or(kind).extract();
    };
    let name = name.to_str()?;
    DType::ALL.into_iter().find(|&dtype| name == format!("torch.{}Tensor", old_name(dtype))).ok_or_else(|| {
        PyValueError::new_err(format!("type(): '{name}' is no type of tensors, such as 'torch.FloatTensor'"))
    })
}

/// Sets how tensors are printed. What is not given stays as it is, except `sci_mode`, which becomes automatic.
#[pyfunction]
#[pyo3(signature = (precision = None, threshold = None, edgeitems = None, linewidth = None, profile = None, sci_mode = None))]
pub fn set_printoptions(
    precision: Option<usize>,
    threshold: Option<f64>,
    edgeitems: Option<usize>,
    linewidth: Option<usize>,
    profile: Option<&str>,
    sci_mode: Option<bool>,
) {
    let mut chosen = options();
    // An infinite threshold is the largest number: the conversion saturates.
    let threshold = threshold.map(|n| n as usize);
    chosen.set(profile.and_then(Profile::from_name), precision, threshold, edgeitems, linewidth, sci_mode);
    if let Ok(mut held) = OPTIONS.lock() {
        *held = Some(chosen);
    }
}

/// The print options as a dictionary.
#[pyfunction]
pub fn _printoptions<'py>(py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyDict>> {
    let held = options();
    let all = pyo3::types::PyDict::new(py);
    all.set_item("precision", held.precision)?;
    match held.threshold {
        usize::MAX => all.set_item("threshold", f64::INFINITY)?,
        n => all.set_item("threshold", n)?,
    }
    all.set_item("edgeitems", held.edgeitems)?;
    all.set_item("linewidth", held.linewidth)?;
    all.set_item("sci_mode", held.sci_mode)?;
    Ok(all)
}

/// The text of a tensor as its `repr` gives it.
pub fn represent(slf: &Bound<'_, PyTensor>) -> PyResult<String> {
    let tensor = this(slf);
    if tensor.is_batched() {
        return Ok(batched(tensor));
    }
    if tensor.is_meta() {
        let (sizes, dtype) = (crate::shape::show(&tensor.sizes()), tensor.dtype());
        return Ok(format!("tensor(..., device='meta', size={sizes}, dtype=torch.{dtype})"));
    }
    let mut suffixes = Vec::new();
    let dtype = tensor.dtype();
    let usual = if tensor.numel() == 0 {
        dtype == default_float()
    } else {
        dtype == default_float() || dtype == default_complex() || matches!(dtype, DType::Int64 | DType::Bool)
    };
    if !usual {
        suffixes.push(format!("dtype=torch.{dtype}"));
    }
    // A view whose history cannot be followed can be looked at all the same.
    let node = tensor.grad_fn();
    if node.is_err() {
        suffixes.push("grad_fn=<Invalid>".into());
    } else if let Ok(Some(node)) = node {
        suffixes.push(format!("grad_fn=<{}>", node.name()));
    } else if tensor.requires_grad() {
        suffixes.push("requires_grad=True".into());
    }
    if let Some(tangent) = crate::autograd::forward::tangent(tensor) {
        suffixes.push(format!("tangent={}", text(&tangent, &[], "tensor(")));
    }
    let class = slf.get_type();
    let plain = class.is(slf.py().get_type::<PyTensor>());
    let prefix = if plain { "tensor(".into() } else { format!("{}(", class.name()?) };
    Ok(text(tensor, &suffixes, &prefix))
}

/// A batched tensor around what it looks like one level further out.
fn batched(tensor: &Tensor) -> String {
    let mut printed = text(&tensor.physical(), &[], "tensor(");
    for level in tensor.levels() {
        let depth = batch::open().iter().position(|open| open.level == level).map_or(0, |i| i + 1);
        printed = format!("BatchedTensor(lvl={depth}, bdim=0, value=\n    {}\n)", printed.replace('\n', "\n    "));
    }
    printed
}

/// An integer of any type, of which uint64 has larger ones than int64.
fn integer<T: Element>(value: T) -> i128 {
    if T::DTYPE == DType::UInt64 { i128::from(value.to_i64() as u64) } else { i128::from(value.to_i64()) }
}

fn text(tensor: &Tensor, suffixes: &[String], prefix: &str) -> String {
    let data = tensor.data();
    let (sizes, strides) = (&data.sizes, &data.strides);
    // Only the elements that are shown are read, wherever they lie.
    let offset = |mut i: usize| {
        let mut offset = 0;
        for d in (0..sizes.len()).rev() {
            offset += i % sizes[d] * strides[d];
            i /= sizes[d];
        }
        offset
    };
    let pointer = data.pointer();
    with_element!(data.dtype, T => {
        // SAFETY: offsets of row-major numbers lie inside the tensor.
        let at = |i: usize| unsafe { pointer.cast::<T>().add(offset(i)).read() };
        let float = |i: usize| at(i).to_f64();
        let int = |i: usize| integer(at(i));
        let complex = |i: usize| {
            let z = at(i).to_complex();
            (z.re, z.im)
        };
        let truth = |i: usize| at(i).to_i64() != 0;
        let elements = match data.dtype.category() {
            crate::dtype::Category::Bool => Elements::Bool(&truth),
            crate::dtype::Category::Integer => Elements::Int(&int),
            crate::dtype::Category::Float => Elements::Float(&float),
            crate::dtype::Category::Complex => Elements::Complex(&complex),
        };
        format_tensor(elements, sizes, suffixes, prefix, &options())
    })
}
