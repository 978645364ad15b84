//! Operations on elements that are too narrow to compute in.
//!
//! Elementwise operations convert block by block; see the note in `dtype.rs`. Others come here: operands of a narrow
//! type are converted whole, the operation computes on the wide ones, and its results are rounded, once. It need not
//! know. An operation that merely moves elements says so by the trait [`ANY_TYPE`](crate::op::Traits::ANY_TYPE), and
//! gets them as they are.

use smallvec::SmallVec;

use crate::dtype::DType;
use crate::error::Result;
use crate::op::{Derivative, Op, Traits};
use crate::tensor::Tensor;
use crate::value::{Outputs, Value};

/// Calls the body of a structured operation.
#[inline]
pub fn call(op: &'static Op, body: fn(&[Value]) -> Result<Outputs>, arguments: &[Value]) -> Result<Outputs> {
    match narrow_type(op, arguments) {
        None => body(arguments),
        Some(narrow) => call_wide(body, arguments, narrow),
    }
}

/// The narrow type that operands have to be freed of, if any.
#[inline]
fn narrow_type(op: &'static Op, arguments: &[Value]) -> Option<DType> {
    if op.traits.has(Traits::ANY_TYPE) || op.traits.has(Traits::VIEW) || matches!(op.derivative, Derivative::Composite)
    {
        return None;
    }
    let types = || arguments.iter().flat_map(Value::tensors).map(Tensor::dtype);
    // What is int64 in a result of uint32 or uint64 may be an index or a sum: these two are left to the body.
    let is_narrow = |dtype: &DType| dtype.is_narrow() && !matches!(dtype, DType::UInt32 | DType::UInt64);
    let narrow = types().find(is_narrow).or_else(|| {
        arguments.iter().find_map(|value| match value {
            Value::DType(dtype) if is_narrow(dtype) => Some(*dtype),
            _ => None,
        })
    })?;
    // Operands of two types that would become one may have to be refused.
    let mixed = types().any(|dtype| dtype.is_narrow() && dtype != narrow && dtype.wide() == narrow.wide());
    let beside = types().any(|dtype| dtype == narrow) && types().any(|dtype| dtype == narrow.wide());
    (!mixed && !beside).then_some(narrow)
}

#[cold]
fn call_wide(body: fn(&[Value]) -> Result<Outputs>, arguments: &[Value], narrow: DType) -> Result<Outputs> {
    // What is asked for by name, or the type of the operands.
    let mut target = narrow;
    let widened = |tensor: &Tensor| -> Result<Tensor> {
        if tensor.dtype() != narrow {
            return Ok(tensor.clone());
        }
        let wide = tensor.copied_alike(narrow.wide())?;
        if tensor.requires_grad() {
            // Nothing is recorded for it, but the body may ask.
            wide.set_requires_grad(true)?;
        }
        Ok(wide)
    };
    let mut wide: SmallVec<[Value; 8]> = SmallVec::new();
    for value in arguments {
        wide.push(match value {
            Value::Tensor(tensor) => Value::Tensor(widened(tensor)?),
            Value::Tensors(list) => {
                Value::Tensors(list.iter().map(|item| item.as_ref().map(widened).transpose()).collect::<Result<_>>()?)
            }
            Value::DType(dtype) => {
                target = *dtype;
                Value::DType(dtype.wide())
            }
            other => other.clone(),
        });
    }
    let mut outputs = body(&wide)?;
    for output in &mut outputs {
        if target.is_narrow() && output.dtype() == target.wide() {
            *output = output.copied_alike(target)?;
        }
    }
    Ok(outputs)
}
