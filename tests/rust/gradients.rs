//! Derivatives of every operation: against finite differences, to second order, and in all modes.

use rgrad::autograd::record;
use rgrad::checking::{self, Comparison, Failure, Place, Settings};
use rgrad::op;
use rgrad::ops::arithmetic::mul_tensors;
use rgrad::ops::unary::sin;
use rgrad::{DType, Result, Tensor};

use crate::calls::{each_sample, free_call, leaves};
use crate::samples::{self, Sample};

#[test]
fn every_operation_has_samples_that_work() {
    let works = |sample: &Sample| !sample.is_empty() && record::call(sample.op, &sample.arguments).is_ok();
    let missing: Vec<String> =
        op::registry().iter().filter(|op| !samples::of(op).iter().any(works)).map(|op| op.full_name()).collect();
    assert!(missing.is_empty(), "operations without samples, to be added to tests/rust/samples/table.rs: {missing:?}");
}

/// Where there is nothing to compute on, an error may be right; samples with elements have to work.
#[test]
fn samples_with_elements_give_results() {
    each_sample(|op, sample| match record::call(op, &sample.arguments) {
        Err(error) if !sample.is_empty() => Err(error.to_string()),
        _ => Ok(()),
    });
}

/// The gradient of a loss of connectionist temporal classification is PyTorch's: that with respect to scores whose
/// log_softmax the log-probabilities are; and it has no derivative.
fn is_agreed(op: &op::Op) -> bool {
    op.name.contains("ctc_loss")
}

/// A result that is infinite or not a number, such as the mean of nothing, has no derivative.
fn has_derivatives(sample: &Sample) -> bool {
    let finite = |tensor: &Tensor| tensor.to_vec::<f64>().unwrap().iter().all(|value| value.is_finite());
    record::call(sample.op, &sample.arguments).is_ok_and(|outputs| outputs.iter().all(finite))
}

#[test]
fn derivatives_agree_with_differences_and_modes_with_each_other() {
    each_sample(|op, sample| {
        if !op.is_differentiable() || is_agreed(op) || !has_derivatives(sample) {
            return Ok(());
        }
        let (tensors, variables) = (sample.tensors(), sample.variables());
        let inputs: Vec<Tensor> =
            tensors.iter().zip(&variables).filter(|row| *row.1).map(|row| row.0.clone()).collect();
        let function = |inputs: &[Tensor]| -> Result<Vec<Tensor>> {
            let mut rest = inputs.iter();
            let all = tensors.iter().zip(&variables);
            let all: Vec<Tensor> =
                all.map(|(t, &variable)| if variable { rest.next().unwrap() } else { t }.clone()).collect();
            free_call(sample, &all)
        };
        checking::check_gradients(&op.full_name(), &function, &inputs, Settings::default())
            .map_err(|failure| failure.to_string())
    });
}

/// An operation that says that no gradient flows through it gives results that ask for none.
#[test]
fn nothing_is_recorded_without_a_derivative() {
    each_sample(|op, sample| {
        if op.is_differentiable() {
            return Ok(());
        }
        match record::call(op, &sample.with(&leaves(sample, &sample.tensors()))) {
            Ok(outputs) if outputs.iter().any(Tensor::requires_grad) => Err("a result requires grad".into()),
            _ => Ok(()),
        }
    });
}

/// A wrong derivative is found, and the report says where: otherwise the tests above would prove nothing.
#[test]
fn a_wrong_derivative_is_reported() {
    // The gradient does not see the detached factor.
    let half_recorded = |inputs: &[Tensor]| Ok(vec![mul_tensors(&inputs[0], &inputs[0].detach())?]);
    for (count, place) in [(2, Place::Element(0)), (100, Place::Direction)] {
        let x = Tensor::full(&[count], 0.5.into(), DType::Float64).unwrap();
        let square = |inputs: &[Tensor]| Ok(vec![mul_tensors(&inputs[0], &inputs[0])?]);
        checking::check_gradients("square", &square, std::slice::from_ref(&x), Settings::default()).unwrap();
        match checking::check_gradients("half_square", &half_recorded, &[x], Settings::default()) {
            Err(Failure::Differs(difference)) => {
                assert_eq!((difference.comparison, difference.input), (Comparison::FirstOrder, 0));
                assert_eq!(difference.place, place);
                assert!((difference.expected / difference.found - 2.0).abs() < 1e-6, "{difference}");
                assert!(difference.to_string().starts_with("half_square: "), "{difference}");
            }
            other => panic!("expected a difference, got {other:?}"),
        }
    }
    let single = Tensor::full(&[2], 0.5.into(), DType::Float32).unwrap();
    let result = checking::check_gradients("sin", &|x| Ok(vec![sin(&x[0])?]), &[single], Settings::default());
    assert!(matches!(result, Err(Failure::Failed(_))), "differences in float32 would be too coarse");
}
