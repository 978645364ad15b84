//! Views and in-place changes: whose history follows, and what the change counters find out.

use rgrad::autograd::engine::{self, Options};
use rgrad::autograd::modes;
use rgrad::autograd::record::call_in_place;
use rgrad::op;
use rgrad::ops::arithmetic::mul_tensors;
use rgrad::ops::conversion::clone;
use rgrad::ops::reduction::sum_all;
use rgrad::ops::unary::{exp, sin};
use rgrad::ops::views::{expand, select, slice, split, transpose, view};
use rgrad::value::Value;
use rgrad::{Result, Scalar, Tensor};

fn leaf(values: &[f64]) -> Tensor {
    let leaf = Tensor::from_slice(values, &[values.len()]).unwrap();
    leaf.set_requires_grad(true).unwrap();
    leaf
}

/// `target *= other`.
fn scale(target: &Tensor, by: impl Into<Scalar>) -> Result<Tensor> {
    call_in_place(op::find("mul", "").unwrap(), &[Value::Tensor(target.clone()), Value::Scalar(by.into())])
}

fn multiply(target: &Tensor, other: &Tensor) -> Result<Tensor> {
    call_in_place(op::find("mul", "").unwrap(), &[Value::Tensor(target.clone()), Value::Tensor(other.clone())])
}

fn backward(root: &Tensor) -> Result<()> {
    engine::backward(&[(sum_all(root, None)?, None)], None, Options { retain_graph: true, ..Options::default() })
}

fn grad_of(leaf: &Tensor) -> Vec<f64> {
    leaf.grad().expect("there should be a gradient").to_vec().unwrap()
}

fn node(tensor: &Tensor) -> String {
    tensor.grad_fn().unwrap().map_or("none".into(), |node| node.name())
}

#[test]
fn a_change_of_a_view_becomes_history_of_the_base() {
    let x = leaf(&[1.0, 2.0, 3.0]);
    let base = mul_tensors(&x, &x).unwrap();
    let part = select(&base, 0, 1).unwrap();
    scale(&part, 10.0).unwrap();
    assert_eq!(node(&base), "CopySlices");
    assert_eq!(base.to_vec::<f64>().unwrap(), [1.0, 40.0, 9.0]);
    backward(&base).unwrap();
    assert_eq!(grad_of(&x), [2.0, 40.0, 6.0]);
}

#[test]
fn a_change_of_the_base_becomes_history_of_the_view() {
    let x = leaf(&[1.0, 2.0, 3.0]);
    let base = clone(&x).unwrap();
    let part = slice(&base, 0, Some(1), None, 1).unwrap();
    assert_eq!(node(&part), "SliceBackward0");
    multiply(&base, &x).unwrap();
    assert_eq!(part.to_vec::<f64>().unwrap(), [4.0, 9.0]);
    assert_eq!(node(&part), "AsStridedBackward0");
    backward(&part).unwrap();
    assert_eq!(grad_of(&x), [0.0, 4.0, 6.0]);
}

#[test]
fn views_of_views_share_one_base() {
    let x = leaf(&[1.0, 2.0, 3.0, 4.0]);
    let base = clone(&x).unwrap();
    let square = view(&base, &[2, 2]).unwrap();
    let turned = transpose(&square, 0, 1).unwrap();
    let row = select(&turned, 0, 1).unwrap();
    assert!(row.base().unwrap().is_same(&base));
    // Elements 1 and 3 of the base, seen through three views.
    scale(&row, 3.0).unwrap();
    scale(&square, 2.0).unwrap();
    assert_eq!(base.to_vec::<f64>().unwrap(), [2.0, 12.0, 6.0, 24.0]);
    backward(&row).unwrap();
    assert_eq!(grad_of(&x), [0.0, 6.0, 0.0, 6.0]);
}

/// A base without history gets one when a view of it is changed by something that has.
#[test]
fn a_base_without_history_gets_one() {
    let x = leaf(&[3.0]);
    let base = Tensor::full(&[2], 1.0.into(), rgrad::DType::Float64).unwrap();
    let part = slice(&base, 0, Some(0), Some(1), 1).unwrap();
    multiply(&part, &x).unwrap();
    assert!(base.requires_grad() && !base.is_leaf());
    backward(&base).unwrap();
    assert_eq!(grad_of(&x), [1.0]);
}

#[test]
fn a_saved_tensor_must_not_change() {
    let x = leaf(&[1.0, 2.0]);
    let y = clone(&x).unwrap();
    let z = sin(&y).unwrap();
    assert_eq!(y.version(), 0);
    scale(&y, 2.0).unwrap();
    assert_eq!(y.version(), 1);
    let message = backward(&z).unwrap_err().to_string();
    assert!(message.contains("version 1") && message.contains("SinBackward0"), "{message}");
    assert!(x.grad().is_none());
}

/// What is not read is not saved: a change of it does no harm.
#[test]
fn a_tensor_that_is_not_saved_may_change() {
    let x = leaf(&[1.0, 2.0]);
    let y = clone(&x).unwrap();
    let z = exp(&y).unwrap();
    scale(&y, 2.0).unwrap();
    backward(&z).unwrap();
    assert_eq!(grad_of(&x), [1f64.exp(), 2f64.exp()]);
    scale(&z, 2.0).unwrap();
    assert!(backward(&z).is_err(), "exp saves its result, which has changed");
}

/// Views count changes together with their base, a shallow copy counts alone.
#[test]
fn change_counters_are_shared_by_views() {
    let base = Tensor::full(&[4], 1.0.into(), rgrad::DType::Float64).unwrap();
    let part = select(&base, 0, 1).unwrap();
    let (detached, shallow) = (base.detach(), base.shallow());
    scale(&part, 2.0).unwrap();
    assert_eq!([base.version(), part.version(), detached.version(), shallow.version()], [1, 1, 1, 0]);
}

#[test]
fn views_that_must_not_be_changed_are_refused() {
    let x = leaf(&[1.0, 2.0, 3.0]);
    assert!(scale(&x, 2.0).is_err(), "a leaf");
    assert!(scale(&select(&x, 0, 0).unwrap(), 2.0).is_err(), "a view of a leaf");
    let y = exp(&x).unwrap();
    let parts = split(&y, 2, 0).unwrap();
    assert!(scale(&parts[0], 2.0).is_err(), "one of several views");
    let quiet = modes::without_grad(|| slice(&y, 0, None, None, 1)).unwrap();
    assert!(multiply(&quiet, &x).is_err(), "a view made without recording");
    let first = slice(&y, 0, Some(0), Some(1), 1).unwrap();
    assert!(scale(&expand(&first, &[3]).unwrap(), 2.0).is_err(), "elements that share memory");
    assert_eq!((x.version(), y.version()), (0, 0));
    backward(&y).unwrap();
    assert_eq!(grad_of(&x), [1.0, 2.0, 3.0].map(f64::exp));
}

/// The gradient of a result that changes in place is that of its last value.
#[test]
fn a_kept_gradient_follows_a_change() {
    let x = leaf(&[2.0]);
    let y = clone(&x).unwrap();
    y.retain_grad().unwrap();
    scale(&y, 3.0).unwrap();
    backward(&mul_tensors(&y, &y).unwrap()).unwrap();
    assert_eq!(y.grad().unwrap().to_vec::<f64>().unwrap(), [12.0]);
    assert_eq!(grad_of(&x), [36.0]);
}

/// Changing a tensor by itself reads the values from before.
#[test]
fn a_tensor_may_be_changed_by_itself() {
    let x = leaf(&[2.0, 3.0]);
    let y = clone(&x).unwrap();
    let whole = y.clone();
    call_in_place(op::find("add", "").unwrap(), &[Value::Tensor(y.clone()), Value::Tensor(whole)]).unwrap();
    assert_eq!(y.to_vec::<f64>().unwrap(), [4.0, 6.0]);
    let (left, right) = (slice(&y, 0, Some(0), Some(1), 1).unwrap(), slice(&y, 0, Some(1), None, 1).unwrap());
    call_in_place(op::find("add", "").unwrap(), &[Value::Tensor(left), Value::Tensor(right)]).unwrap();
    assert_eq!(y.to_vec::<f64>().unwrap(), [10.0, 6.0]);
    backward(&y).unwrap();
    assert_eq!(grad_of(&x), [2.0, 4.0]);
}
