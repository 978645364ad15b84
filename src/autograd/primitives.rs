//! The few operations that the engine itself needs, found in the registry: the floors below the operations know
//! none of them by their Rust name.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use crate::autograd::record;
use crate::error;
use crate::error::Result;
use crate::op::{self, Op};
use crate::tensor::Tensor;
use crate::value::Value;

static FIRST_OVERLOADS: LazyLock<HashMap<&'static str, &'static Op>> =
    LazyLock::new(|| op::registry().iter().filter(|op| op.overload.is_empty()).map(|op| (op.name, *op)).collect());

fn find(name: &str) -> Result<&'static Op> {
    FIRST_OVERLOADS.get(name).copied().ok_or_else(|| error!(Runtime, "the engine needs the operation {name}"))
}

/// Calls the first overload of an operation.
pub fn call(name: &str, arguments: &[Value]) -> Result<Tensor> {
    record::call_one(find(name)?, arguments)
}

/// Calls the first overload of an operation in place.
pub fn call_in_place(name: &str, arguments: &[Value]) -> Result<Tensor> {
    record::call_in_place(find(name)?, arguments)
}

/// `a + b`, the sum that gradients are accumulated with.
pub fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    static ADD: OnceLock<&'static Op> = OnceLock::new();
    let op = match ADD.get() {
        Some(op) => *op,
        None => ADD.get_or_init(|| find("add").unwrap_or_else(|_| unreachable!("add is registered"))),
    };
    record::call_one(op, &[Value::Tensor(a.clone()), Value::Tensor(b.clone())])
}
