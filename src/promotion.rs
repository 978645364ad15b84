//! Which element type an operation on several operands computes in: PyTorch's rules.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::bail;
use crate::dtype::DType;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::value::Value;

static DEFAULT_FLOAT: AtomicU8 = AtomicU8::new(DType::Float32 as u8);

/// The type of float tensors made without a type.
#[inline]
pub fn default_float() -> DType {
    match DEFAULT_FLOAT.load(Ordering::Relaxed) {
        // What it nearly always is comes first.
        kind if kind == DType::Float32 as u8 => DType::Float32,
        kind if kind == DType::Float64 as u8 => DType::Float64,
        kind if kind == DType::Float16 as u8 => DType::Float16,
        _ => DType::BFloat16,
    }
}

/// The type of complex tensors made without a type.
pub fn default_complex() -> DType {
    default_float().complex()
}

/// Sets the type of float tensors made without a type; anything but a float type is ignored.
pub fn set_default_float(dtype: DType) {
    if dtype.is_float() {
        DEFAULT_FLOAT.store(dtype as u8, Ordering::Relaxed);
    }
}

/// The common type of some operands.
///
/// Tensors with dimensions count most, then tensors without, then Python numbers; an operand that counts less
/// decides only if its category is higher.
#[derive(Clone, Copy, Default)]
pub struct ResultType {
    dimensioned: Option<DType>,
    dimensionless: Option<DType>,
    number: Option<DType>,
    /// Two types of tensors that have no common one.
    clash: Option<(DType, DType)>,
}

impl ResultType {
    pub fn add(&mut self, value: &Value) {
        match value {
            Value::Tensor(tensor) => {
                let data = tensor.data();
                self.add_tensor(data.dtype, data.sizes.len());
            }
            Value::Scalar(scalar) => self.add_scalar(*scalar),
            _ => {}
        }
    }

    pub fn add_tensor(&mut self, dtype: DType, ndim: usize) {
        let slot = if ndim == 0 { &mut self.dimensionless } else { &mut self.dimensioned };
        if let Some(held) = *slot
            && !held.has_common(dtype)
        {
            self.clash = Some((held, dtype));
        }
        *slot = Some(slot.map_or(dtype, |held| held.promote(dtype)));
    }

    pub fn add_scalar(&mut self, scalar: Scalar) {
        let dtype = scalar.dtype(default_float());
        self.number = Some(self.number.map_or(dtype, |held| held.promote(dtype)));
    }

    /// Fails if no type holds the values of all operands: `name` asks.
    pub fn check(self, name: &str) -> Result<()> {
        let weak = match (self.dimensioned, self.dimensionless) {
            (Some(DType::Bool), Some(lone)) if lone.is_lone_unsigned() => Some((DType::Bool, lone)),
            _ => None,
        };
        if let Some((one, other)) = self.clash.or(weak) {
            bail!(Runtime, "{name}: {one} and {other} have no common type; convert one of them");
        }
        Ok(())
    }

    pub fn get(self) -> DType {
        combine(self.dimensioned, combine(self.dimensionless, self.number)).unwrap_or_else(default_float)
    }
}

fn combine(higher: Option<DType>, lower: Option<DType>) -> Option<DType> {
    match (higher, lower) {
        (Some(h), Some(l)) if h.is_float() && l.is_complex() => Some(h.complex()),
        (Some(h), Some(l)) if l.category() > h.category() => Some(h.promote(l)),
        (Some(h), _) => Some(h),
        (None, l) => l,
    }
}

/// The type of the first operand if it is a tensor, all other tensors have that type, and numbers do not change it: the
/// answer to most questions for a common type, which [`ResultType`] gives for all.
#[inline]
pub fn uniform_type(values: &[Value]) -> Option<DType> {
    let [Value::Tensor(first), rest @ ..] = values else { return None };
    let dtype = first.dtype();
    let keeps = |value: &Value| match value {
        Value::Tensor(tensor) => tensor.dtype() == dtype,
        Value::Scalar(number) => number.category() <= dtype.category(),
        _ => true,
    };
    rest.iter().all(keeps).then_some(dtype)
}

/// The common type of all tensors and numbers among `values`.
pub fn result_type(values: &[Value]) -> DType {
    if let Some(dtype) = uniform_type(values) {
        return dtype;
    }
    let mut state = ResultType::default();
    values.iter().for_each(|value| state.add(value));
    state.get()
}

/// Whether a result of type `from` may be stored in a tensor of type `to`: not from a complex
/// number into a real one, from a float into an integer, nor from a number into a bool.
pub fn can_cast(from: DType, to: DType) -> bool {
    from.category() <= to.category()
}
