//! Element types: float32 against float64, and that no type makes an operation panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rgrad::autograd::record;
use rgrad::{DType, Tensor};

use crate::calls::{Outcome, close_outcomes, each_sample, outcome, with_dtype};

fn converted(tensors: &[Tensor], dtype: DType) -> Vec<Tensor> {
    tensors
        .iter()
        .map(|t| if t.dtype() == DType::Float64 { with_dtype(t, dtype).unwrap() } else { t.clone() })
        .collect()
}

/// Samples are the same numbers in both types, of size about 1, and have fewer than 64 elements. A result comes from
/// a chain of fewer than 64 roundings, each of them relative to numbers that are not much larger than the result or 1.
#[test]
fn float32_is_close_to_float64() {
    let tolerance = 64.0 * f64::from(f32::EPSILON);
    each_sample(|_, sample| {
        let wide = sample.tensors();
        let narrow = converted(&wide, DType::Float32);
        match (outcome(sample, &wide), outcome(sample, &narrow)) {
            (Ok(expected), Ok(found)) => {
                // The types themselves are compared in Python, with torch's.
                let widen = |t: &Tensor| with_dtype(t, DType::Float64).unwrap();
                let widened = |outcome: &Outcome| Outcome {
                    outputs: outcome.outputs.iter().map(widen).collect(),
                    gradients: outcome.gradients.iter().map(|g| g.as_ref().map(widen)).collect(),
                };
                close_outcomes(&widened(&expected), &widened(&found), tolerance)
            }
            (Err(_), Err(_)) => Ok(()),
            (a, b) => Err(format!("float64 gives {:?}, float32 {:?}", a.err(), b.err())),
        }
    });
}

#[test]
fn float32_gives_float32_gradients() {
    each_sample(|_, sample| {
        let narrow = converted(&sample.tensors(), DType::Float32);
        let Ok(found) = outcome(sample, &narrow) else { return Ok(()) };
        match found.gradients.iter().flatten().find(|g| g.dtype() != DType::Float32) {
            Some(gradient) => Err(format!("a gradient has dtype {}", gradient.dtype())),
            None => Ok(()),
        }
    });
}

/// Each element type gives a value or an error, also in place.
#[test]
fn no_element_type_panics() {
    each_sample(|op, sample| {
        for dtype in DType::ALL {
            let tensors = converted(&sample.tensors(), dtype);
            let call = AssertUnwindSafe(|| {
                for output in record::call(op, &sample.with(&tensors)).into_iter().flatten() {
                    output.to_vec::<f64>().unwrap();
                }
                if op.traits.has(rgrad::op::Traits::IN_PLACE) {
                    drop(record::call_in_place(op, &sample.with(&tensors)));
                }
            });
            if catch_unwind(call).is_err() {
                return Err(format!("panic with {dtype}"));
            }
        }
        Ok(())
    });
}
