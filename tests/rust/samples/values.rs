//! Arguments that are no random tensors, in short words.

use rgrad::shape::Ints;
use rgrad::value::Value;
use rgrad::{Scalar, Tensor};

pub fn int(value: i64) -> Value {
    Value::Scalar(Scalar::Int(value))
}

pub fn float(value: f64) -> Value {
    Value::Scalar(Scalar::Float(value))
}

pub fn truth(value: bool) -> Value {
    Value::Scalar(Scalar::Bool(value))
}

pub fn ints(values: &[i64]) -> Value {
    Value::Ints(Ints::from_slice(values))
}

pub fn text(value: &str) -> Value {
    Value::Text(value.into())
}

pub fn index(values: &[i64], sizes: &[usize]) -> Value {
    Value::Tensor(Tensor::from_slice(values, sizes).unwrap())
}

pub fn mask(values: &[bool], sizes: &[usize]) -> Value {
    Value::Tensor(Tensor::from_slice(values, sizes).unwrap())
}
