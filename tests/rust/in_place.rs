//! Operations in place: like the others in value and gradient, and without effect where they fail.

use rgrad::autograd::modes;
use rgrad::autograd::record;
use rgrad::op::{Op, Traits};
use rgrad::ops::conversion::clone;
use rgrad::value::Value;
use rgrad::{DType, Result, Tensor};

use crate::calls::{close, each_sample, gradients, leaves, with_dtype};
use crate::samples::Sample;

/// Whether the operation changes in place how memory is seen, instead of what is in it.
pub fn changes_geometry(op: &Op) -> bool {
    op.traits.has(Traits::VIEW) || matches!(op.name, "swapaxes" | "swapdims")
}

/// Runs a check on the samples of operations that have an in-place form and start with a tensor.
fn each_in_place(check: impl Fn(&'static Op, &Sample) -> Result<(), String>) {
    each_sample(|op, sample| {
        if op.traits.has(Traits::IN_PLACE) && !changes_geometry(op) && matches!(sample.arguments[0], Value::Tensor(_)) {
            return check(op, sample);
        }
        Ok(())
    });
}

/// What must not change when an in-place operation fails.
#[derive(PartialEq, Debug)]
struct State {
    bits: Vec<u64>,
    sizes: Vec<usize>,
    version: u32,
    node: Option<usize>,
    requires_grad: bool,
}

impl State {
    fn of(tensor: &Tensor) -> State {
        State {
            bits: tensor.to_vec::<f64>().unwrap().into_iter().map(f64::to_bits).collect(),
            sizes: tensor.sizes().to_vec(),
            version: tensor.version(),
            node: tensor.grad_fn().unwrap().map(|node| node.id()),
            requires_grad: tensor.requires_grad(),
        }
    }
}

/// Calls in place and says whether that failed without effect, failed with one, or worked.
fn try_in_place(op: &'static Op, arguments: &[Value], target: &Tensor) -> Result<bool, String> {
    let before = State::of(target);
    match record::call_in_place(op, arguments) {
        Ok(result) if !result.is_same(target) => Err("the result is another tensor".into()),
        Ok(_) if target.version() == before.version => Err("the change is not counted".into()),
        Ok(_) => Ok(true),
        Err(error) if State::of(target) != before => Err(format!("the failure '{error}' left something changed")),
        Err(_) => Ok(false),
    }
}

#[test]
fn in_place_is_like_out_of_place() {
    each_in_place(|op, sample| {
        let inputs = leaves(sample, &sample.tensors());
        let outside = record::call(op, &sample.with(&inputs));
        // A leaf cannot be changed, its copy can.
        let mut arguments = sample.with(&inputs);
        let target = clone(&inputs[0]).unwrap();
        arguments[0] = Value::Tensor(target.clone());
        let worked = try_in_place(op, &arguments, &target)?;
        let fits = outside.as_ref().is_ok_and(|outputs| {
            outputs[0].sizes() == target.sizes() && rgrad::promotion::can_cast(outputs[0].dtype(), target.dtype())
        });
        match (outside, fits, worked) {
            (Ok(outputs), true, true) => {
                let expected = with_dtype(&outputs[0], target.dtype()).unwrap();
                close(&expected, &target.detach(), 0.0)?;
                if outputs[0].dtype() != target.dtype() {
                    return Ok(());
                }
                let expected = gradients(&outputs, &inputs).map_err(|error| error.to_string())?;
                let found = gradients(&[target], &inputs).map_err(|error| error.to_string())?;
                for (i, (a, b)) in expected.iter().zip(&found).enumerate() {
                    // No gradient and a gradient of zeros say the same.
                    let zeros = Tensor::zeros(&inputs[i].sizes(), DType::Float64).unwrap();
                    close(a.as_ref().unwrap_or(&zeros), b.as_ref().unwrap_or(&zeros), 1e-13)
                        .map_err(|message| format!("gradient {i}: {message}"))?;
                }
                Ok(())
            }
            (Ok(_), true, false) => Err("fails in place".into()),
            (Ok(_), false, true) => Err("works in place though the result does not fit".into()),
            // A structured operation may refuse what its in-place form never looks at, but not the other way round.
            _ => Ok(()),
        }
    });
}

/// A leaf that asks for its gradient is not changed while operations are recorded; without recording it is.
#[test]
fn leaves_are_refused_while_recording() {
    each_in_place(|op, sample| {
        let inputs = leaves(sample, &sample.tensors());
        let target = clone(&inputs[0].detach()).unwrap();
        if !target.dtype().is_differentiable() {
            return Ok(());
        }
        target.set_requires_grad(true).unwrap();
        let mut arguments = sample.with(&inputs);
        arguments[0] = Value::Tensor(target.clone());
        if try_in_place(op, &arguments, &target)? {
            return Err("a leaf that requires grad was changed".into());
        }
        let fits = record::call(op, &arguments).is_ok_and(|outputs| {
            outputs[0].sizes() == target.sizes() && rgrad::promotion::can_cast(outputs[0].dtype(), target.dtype())
        });
        if fits && !modes::without_grad(|| try_in_place(op, &arguments, &target))? {
            return Err("a leaf is refused without recording".into());
        }
        Ok(())
    });
}

/// Targets of other sizes and types, with and without history: whatever fails leaves them as they were.
#[test]
fn failures_leave_everything_unchanged() {
    each_in_place(|op, sample| {
        for recorded in [false, true] {
            for dtype in DType::ALL {
                for sizes in [&[][..], &[1], &[2], &[2, 1], &[4, 3], &[0]] {
                    let inputs = leaves(sample, &sample.tensors());
                    let plain = Tensor::full(sizes, 1i64.into(), dtype).unwrap();
                    if recorded && dtype.is_differentiable() {
                        plain.set_requires_grad(true).unwrap();
                    }
                    let target = clone(&plain).unwrap();
                    let mut arguments = sample.with(&inputs);
                    arguments[0] = Value::Tensor(target.clone());
                    try_in_place(op, &arguments, &target)
                        .map_err(|message| format!("{dtype}{}: {message}", rgrad::shape::show(sizes)))?;
                }
            }
        }
        Ok(())
    });
}

/// A tensor of which several elements share memory is not changed in place.
#[test]
fn shared_elements_are_refused() {
    each_in_place(|op, sample| {
        let tensors = sample.tensors();
        let one = Tensor::full(&[1], 1i64.into(), tensors[0].dtype()).unwrap();
        let target = rgrad::ops::views::expand(&one, &[3]).unwrap();
        let mut arguments = sample.with(&tensors);
        arguments[0] = Value::Tensor(target.clone());
        if try_in_place(op, &arguments, &target)? {
            return Err("elements that share memory were changed".into());
        }
        Ok(())
    });
}

/// In place on a view, the base's gradient is that of the same change made out of place.
#[test]
fn views_are_changed_like_their_base() {
    use rgrad::ops::joining::cat_tensors;
    use rgrad::ops::views::narrow;
    each_in_place(|op, sample| {
        let inputs = leaves(sample, &sample.tensors());
        let Ok(outputs) = record::call(op, &sample.with(&inputs)) else { return Ok(()) };
        let (whole, result) = (&inputs[0], &outputs[0]);
        let fits = result.sizes() == whole.sizes() && result.dtype() == whole.dtype();
        if !fits || whole.ndim() == 0 || whole.size(0).unwrap() == 0 || !whole.requires_grad() {
            return Ok(());
        }
        // The base holds the tensor between two others.
        let length = whole.size(0).unwrap() as i64;
        let expected = cat_tensors(&[whole.clone(), result.clone(), whole.clone()], 0).unwrap();
        let base = cat_tensors(&[whole.clone(), whole.clone(), whole.clone()], 0).unwrap();
        let part = narrow(&base, 0, length, length).unwrap();
        let mut arguments = sample.with(&inputs);
        arguments[0] = Value::Tensor(part.clone());
        record::call_in_place(op, &arguments).map_err(|error| error.to_string())?;
        close(&expected.detach(), &base.detach(), 1e-13)?;
        let expected = gradients(&[expected], &inputs).map_err(|error| error.to_string())?;
        let found = gradients(&[base], &inputs).map_err(|error| error.to_string())?;
        for (i, (a, b)) in expected.iter().zip(&found).enumerate() {
            let zeros = Tensor::zeros(&inputs[i].sizes(), DType::Float64).unwrap();
            close(a.as_ref().unwrap_or(&zeros), b.as_ref().unwrap_or(&zeros), 1e-13)
                .map_err(|message| format!("gradient {i}: {message}"))?;
        }
        // The view's own history goes by way of the base.
        let name = part.grad_fn().unwrap().unwrap().name();
        if name != "AsStridedBackward0" { Err(format!("the view's node is {name}")) } else { Ok(()) }
    });
}
