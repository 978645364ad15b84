//! How memory lies must not matter: layouts, broadcasting, tensors without dimensions or elements.

use rgrad::op::{Op, Traits};
use rgrad::ops::conversion::row_major;
use rgrad::ops::views::{expand, select, slice, transpose};
use rgrad::shape::Ints;
use rgrad::value::Value;
use rgrad::{Result, Tensor};

use crate::calls::{close, close_outcomes, each_sample, laid_out, outcome};
use crate::samples::Sample;

/// Operations on memory rather than on elements: other strides are other arguments.
const OF_MEMORY: [&str; 3] = ["as_strided", "_as_strided", "as_strided_scatter"];
/// Operations that refuse a layout that they cannot see without a copy, or where several running averages share a place.
const REFUSES: [&str; 8] = [
    "view",
    "view_as",
    "view_as_complex",
    "_reshape_alias",
    "_unsafe_view",
    "batch_norm",
    "native_batch_norm",
    "instance_norm",
];

fn to_ints(sizes: &[usize]) -> Ints {
    sizes.iter().map(|&n| n as i64).collect()
}

/// The last two dimensions exchanged in memory.
fn transposed(values: &Tensor) -> Result<Tensor> {
    if values.ndim() < 2 {
        return row_major(values);
    }
    transpose(&row_major(&transpose(values, -1, -2)?)?, -1, -2)
}

/// Every second element of a row, from an offset, of a larger tensor.
fn spaced(values: &Tensor) -> Result<Tensor> {
    let mut sizes = values.sizes();
    match sizes.last_mut() {
        None => select(&Tensor::full(&[3], 0.5.into(), values.dtype())?, 0, 2),
        Some(last) => {
            *last = 2 * *last + 3;
            slice(&Tensor::full(&sizes, 0.5.into(), values.dtype())?, -1, Some(3), None, 2)
        }
    }
}

fn same_as_row_major(sample: &Sample, tensors: &[Tensor]) -> Result<(), String> {
    if OF_MEMORY.contains(&sample.op.name) {
        return Ok(());
    }
    let copies: Vec<Tensor> = tensors.iter().map(|tensor| row_major(tensor).unwrap()).collect();
    match (outcome(sample, &copies), outcome(sample, tensors)) {
        // The order of a sum may follow the memory: the last bits may differ.
        (Ok(expected), Ok(found)) => close_outcomes(&expected, &found, 1e-13),
        (Err(_), Err(_)) => Ok(()),
        (Ok(_), Err(_)) if REFUSES.contains(&sample.op.name) => Ok(()),
        (Ok(_), Err(error)) => Err(error.to_string()),
        (Err(error), Ok(_)) => Err(format!("row-major copies give an error: {error}")),
    }
}

#[test]
fn transposed_tensors_are_like_their_copies() {
    each_sample(|_, sample| {
        let tensors: Vec<Tensor> = sample.tensors().iter().map(|t| laid_out(t, transposed).unwrap()).collect();
        same_as_row_major(sample, &tensors)
    });
}

#[test]
fn spaced_tensors_are_like_their_copies() {
    each_sample(|_, sample| {
        let tensors: Vec<Tensor> = sample.tensors().iter().map(|t| laid_out(t, spaced).unwrap()).collect();
        same_as_row_major(sample, &tensors)
    });
}

/// Each dimension in turn holds its first element over and over, at stride 0.
#[test]
fn expanded_tensors_are_like_their_copies() {
    each_sample(|op, sample| {
        // Ties of extremes are no harm to the comparison, but a division by a constant row's deviation is.
        if op.name == "std" {
            return Ok(());
        }
        for dim in 0..3 {
            let expanded = |tensor: &Tensor| -> Result<Tensor> {
                if dim >= tensor.ndim() || tensor.sizes()[dim] == 0 {
                    return Ok(tensor.clone());
                }
                let first = slice(tensor, dim as i64, Some(0), Some(1), 1)?;
                Ok(expand(&first, &to_ints(&tensor.sizes()))?.detach())
            };
            let tensors: Vec<Tensor> = sample.tensors().iter().map(|t| expanded(t).unwrap()).collect();
            same_as_row_major(sample, &tensors)?;
        }
        Ok(())
    });
}

/// Operands that broadcast give what operands of the full size give, and their gradient is the sum over its copies.
#[test]
fn broadcasting_is_expanding() {
    each_sample(|op, sample| {
        let tensors = sample.tensors();
        if !matches!(op.forward, rgrad::op::Forward::Pointwise(_)) || tensors.len() < 2 {
            return Ok(());
        }
        let found = outcome(sample, &tensors).map_err(|error| error.to_string())?;
        let sizes = to_ints(&found.outputs[0].sizes());
        let full: Vec<Tensor> = tensors.iter().map(|t| row_major(&expand(t, &sizes).unwrap()).unwrap()).collect();
        let mut expected = outcome(sample, &full).map_err(|error| error.to_string())?;
        for (gradient, tensor) in expected.gradients.iter_mut().zip(&tensors) {
            *gradient =
                gradient.take().map(|g| rgrad::ops::reduction::sum_to_size(&g, &to_ints(&tensor.sizes())).unwrap());
        }
        close_outcomes(&expected, &found, 1e-13)
    });
}

/// Also without elements, a gradient has the size and the type of its tensor.
#[test]
fn gradients_have_the_size_of_their_tensors() {
    each_sample(|_, sample| {
        let tensors = sample.tensors();
        let Ok(found) = outcome(sample, &tensors) else { return Ok(()) };
        for (gradient, tensor) in found.gradients.iter().zip(&tensors) {
            if let Some(gradient) = gradient {
                let (a, b) = ((gradient.sizes(), gradient.dtype()), (tensor.sizes(), tensor.dtype()));
                if a != b {
                    return Err(format!("a gradient is {a:?}, its tensor {b:?}"));
                }
            }
        }
        Ok(())
    });
}

/// Whether others than the crate's own operations call it, with any arguments.
fn is_named(op: &Op) -> bool {
    [Traits::FUNCTION, Traits::METHOD, Traits::FUNCTIONAL].iter().any(|&name| op.traits.has(name))
}

/// No tensor without dimensions, or without elements, in the place of any other makes an operation panic.
#[test]
fn tensors_without_dimensions_or_elements_do_no_harm() {
    each_sample(|op, sample| {
        if !is_named(op) {
            return Ok(());
        }
        let tensors = sample.tensors();
        for sizes in [&[][..], &[0], &[2, 0], &[0, 3], &[1, 1, 1, 1, 1]] {
            for i in 0..tensors.len() {
                let mut changed = tensors.clone();
                changed[i] = Tensor::full(sizes, 1i64.into(), tensors[i].dtype()).unwrap();
                let call = std::panic::AssertUnwindSafe(|| drop(outcome(sample, &changed)));
                if std::panic::catch_unwind(call).is_err() {
                    return Err(format!("panic with tensor {i} of size {}", rgrad::shape::show(sizes)));
                }
            }
        }
        Ok(())
    });
}

/// No number or list in the place of another makes an operation panic. What has no public name is called with checked
/// arguments only.
#[test]
fn numbers_out_of_range_do_no_harm() {
    each_sample(|op, sample| {
        if !is_named(op) {
            return Ok(());
        }
        for (i, value) in sample.arguments.iter().enumerate() {
            let others: Vec<Value> = match value {
                Value::Scalar(rgrad::Scalar::Int(_)) => {
                    [i64::MIN, -7, -1, 0, 1, 7, i64::MAX].map(|n| Value::Scalar(n.into())).into()
                }
                Value::Ints(_) => {
                    [&[][..], &[-1], &[0, 0], &[7], &[-7], &[1, 2, 3, 4, 5], &[i64::MAX, i64::MAX], &[i64::MIN]]
                        .map(|list| Value::Ints(Ints::from_slice(list)))
                        .into()
                }
                Value::Text(_) => vec![Value::Text("nonsense".into())],
                _ => vec![],
            };
            for other in others {
                let mut changed = sample.clone();
                changed.arguments[i] = other;
                let tensors = changed.tensors();
                let call = std::panic::AssertUnwindSafe(|| drop(outcome(&changed, &tensors)));
                if std::panic::catch_unwind(call).is_err() {
                    return Err(format!("panic in {}", changed.show()));
                }
            }
        }
        Ok(())
    });
}

/// A copy in the same layout is the same tensor to `close`: the comparison itself is tested.
#[test]
fn a_difference_is_seen() {
    let x = Tensor::from_slice(&[1.0, 2.0], &[2]).unwrap();
    assert!(close(&x, &laid_out(&x, spaced).unwrap(), 0.0).is_ok());
    assert!(close(&x, &Tensor::from_slice(&[1.0, 2.5], &[2]).unwrap(), 0.1).is_err());
    assert!(close(&x, &Tensor::from_slice(&[1.0, 2.0], &[2, 1]).unwrap(), 0.1).is_err());
}
