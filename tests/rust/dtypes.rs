//! Element types: each float type against a wider one, complex numbers against real ones, and that no type makes an
//! operation panic.

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
    each_sample(|op, sample| {
        // The result is float64, which does not fit into float32; the same memory as other numbers has another size.
        if matches!(op.full_name().as_str(), "float_power.in_place" | "view.dtype") {
            return Ok(());
        }
        let wide = sample.tensors();
        let narrow = converted(&wide, DType::Float32);
        match (outcome(sample, &wide), outcome(sample, &narrow)) {
            (Ok(expected), Ok(found)) => {
                // The types themselves are compared in Python, with torch's.
                let widened = |outcome: &Outcome| converted_outcome(outcome, precise(outcome));
                close_outcomes(&widened(&expected), &widened(&found), tolerance)
            }
            (Err(_), Err(_)) => Ok(()),
            (a, b) => Err(format!("float64 gives {:?}, float32 {:?}", a.err(), b.err())),
        }
    });
}

/// The type that both results of a comparison convert to without loss.
fn precise(outcome: &Outcome) -> DType {
    let complex = outcome.outputs.iter().any(|t| t.dtype().is_complex());
    if complex { DType::Complex128 } else { DType::Float64 }
}

fn converted_outcome(outcome: &Outcome, dtype: DType) -> Outcome {
    let convert = |t: &Tensor| with_dtype(t, dtype).unwrap();
    Outcome {
        outputs: outcome.outputs.iter().map(convert).collect(),
        gradients: outcome.gradients.iter().map(|g| g.as_ref().map(convert)).collect(),
    }
}

/// The numbers are those that the 16-bit type has, in both types. A value is rounded once; a gradient may come from a
/// chain of operations, each of which rounds.
#[test]
fn halves_are_close_to_float32() {
    for (dtype, epsilon) in [(DType::Float16, 2f64.powi(-10)), (DType::BFloat16, 2f64.powi(-7))] {
        each_sample(|op, sample| {
            // Steep in the places, which are rounded, or in the deviation of a group of two elements, which is saved rounded.
            if matches!(op.name, "grid_sample" | "group_norm") {
                return Ok(());
            }
            let narrow = converted(&sample.tensors(), dtype);
            let back: Vec<Tensor> = narrow
                .iter()
                .map(|t| if t.dtype() == dtype { with_dtype(t, DType::Float32).unwrap() } else { t.clone() })
                .collect();
            match (outcome(sample, &back), outcome(sample, &narrow)) {
                (Ok(expected), Ok(found)) => {
                    let (expected, found) =
                        (converted_outcome(&expected, DType::Float64), converted_outcome(&found, DType::Float64));
                    close_outcomes(&expected, &found, 8.0 * epsilon)
                }
                // What makes complex numbers has no type for those of float16.
                (_, Err(_)) => Ok(()),
                (Err(error), Ok(_)) => Err(format!("{dtype} gives a value, float32 {error}")),
            }
        });
    }
}

/// A complex number without imaginary part is a real one: the real parts of values and gradients are the same.
#[test]
fn complex_numbers_extend_real_ones() {
    each_sample(|op, sample| {
        let real = sample.tensors();
        let complex = converted(&real, DType::Complex128);
        // Views of parts have other sizes, and the spectrum of real numbers is half of one.
        let (Ok(expected), Ok(found)) = (outcome(sample, &real), outcome(sample, &complex)) else { return Ok(()) };
        if op.name.starts_with("view_as") || matches!(op.full_name().as_str(), "view.dtype" | "stft") {
            return Ok(());
        }
        let (expected, found) =
            (converted_outcome(&expected, DType::Float64), converted_outcome(&found, DType::Float64));
        close_outcomes(&expected, &found, 1e-10)
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
