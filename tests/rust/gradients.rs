//! Derivatives of every operation: against finite differences, to second order, and in all modes.

use rgrad::autograd::record;
use rgrad::checking::{self, Settings};
use rgrad::op::{self, Op};
use rgrad::{Result, Tensor};

use crate::samples::{self, Sample};

/// Runs a check on every sample of every operation and reports all that fail, rather than the first.
pub fn each_sample(check: impl Fn(&'static Op, &Sample) -> std::result::Result<(), String>) {
    let mut failures = Vec::new();
    for op in op::registry() {
        for sample in samples::of(op) {
            if let Err(message) = check(op, &sample) {
                failures.push(format!("{}: {message}", sample.show()));
            }
        }
    }
    assert!(failures.is_empty(), "{} samples fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_operation_has_samples_that_work() {
    let mut missing = Vec::new();
    for op in op::registry() {
        let works = |sample: &Sample| record::call(op, &sample.arguments).is_ok();
        if !samples::of(op).iter().any(|sample| !sample.is_empty() && works(sample)) {
            missing.push(op.full_name());
        }
    }
    assert!(missing.is_empty(), "operations without samples: add them to tests/rust/samples.rs: {missing:?}");
}

/// Calls that fail are checked elsewhere; a sample with elements has to work.
#[test]
fn samples_with_elements_give_results() {
    each_sample(|op, sample| match record::call(op, &sample.arguments) {
        Err(error) if !sample.is_empty() => Err(error.to_string()),
        _ => Ok(()),
    });
}

fn is_finite(tensor: &Tensor) -> bool {
    tensor.to_vec::<f64>().unwrap().iter().all(|value| value.is_finite())
}

#[test]
fn derivatives_agree_with_differences_and_modes_with_each_other() {
    each_sample(|op, sample| {
        // A result that is infinite or not a number, such as the mean of nothing, has no derivative.
        match record::call(op, &sample.arguments) {
            Ok(outputs) if outputs.iter().all(is_finite) => {}
            _ => return Ok(()),
        }
        let function =
            |inputs: &[Tensor]| -> Result<Vec<Tensor>> { Ok(record::call(op, &sample.with(inputs))?.into_vec()) };
        checking::check_gradients(&op.full_name(), &function, &sample.tensors(), Settings::default())
            .map_err(|failure| failure.to_string())
    });
}
