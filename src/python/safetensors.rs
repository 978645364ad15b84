//! Tensors as the bytes of a safetensors file, and back: `rgrad.serialization` decides what they mean.

use std::collections::HashMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// A tensor's name, dtype as the format spells it, sizes and bytes.
type Entry<B> = (String, String, Vec<usize>, B);

/// The dtypes of the format that tensors can have.
const DTYPES: [Dtype; 14] = [
    Dtype::BOOL,
    Dtype::U8,
    Dtype::I8,
    Dtype::I16,
    Dtype::U16,
    Dtype::I32,
    Dtype::U32,
    Dtype::I64,
    Dtype::U64,
    Dtype::F16,
    Dtype::BF16,
    Dtype::F32,
    Dtype::F64,
    Dtype::C64,
];

fn refused(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(format!("safetensors: {error}"))
}

/// The bytes of a file with these tensors and this text beside them.
#[pyfunction]
pub fn _write_safetensors<'py>(
    py: Python<'py>,
    tensors: Vec<Entry<PyBackedBytes>>,
    metadata: HashMap<String, String>,
) -> PyResult<Bound<'py, PyBytes>> {
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, sizes, bytes) in &tensors {
        let Some(dtype) = DTYPES.into_iter().find(|known| known.to_string() == *dtype) else {
            return Err(refused(format!("{name} is of dtype {dtype}, which the format has not")));
        };
        views.push((name, TensorView::new(dtype, sizes.clone(), bytes).map_err(refused)?));
    }
    let file = safetensors::serialize(views, Some(metadata)).map_err(refused)?;
    Ok(PyBytes::new(py, &file))
}

/// The tensors and the text in the bytes of a file.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub fn _read_safetensors<'py>(
    py: Python<'py>,
    file: &[u8],
) -> PyResult<(Vec<Entry<Bound<'py, PyBytes>>>, HashMap<String, String>)> {
    let (_, header) = SafeTensors::read_metadata(file).map_err(refused)?;
    let tensors = SafeTensors::deserialize(file).map_err(refused)?;
    let entries = tensors.iter().map(|(name, view)| {
        (name.to_string(), view.dtype().to_string(), view.shape().to_vec(), PyBytes::new(py, view.data()))
    });
    Ok((entries.collect(), header.metadata().clone().unwrap_or_default()))
}
