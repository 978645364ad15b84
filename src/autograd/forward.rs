//! Forward mode: tangents that travel along with the values.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::{Rc, Weak};

use smallvec::SmallVec;

use crate::autograd::modes::{self, GradMode, WithoutTangents};
use crate::autograd::node::{Node, NodeCell};
use crate::autograd::record;
use crate::autograd::{batch, engine, primitives, view};
use crate::bail;
use crate::error::Result;
use crate::op::{Apply, Derivative, GRADIENT, Jvp, OUTPUT, Op, Rule, Traits};
use crate::shape::{self, Dims};
use crate::tensor::{Tensor, TensorCell, flag};
use crate::value::{Outputs, Value};

/// The tangent of a tensor.
pub fn tangent(tensor: &Tensor) -> Option<Tensor> {
    tensor.has_flag(flag::DUAL).then(|| tensor.meta(|meta| meta.tangent.clone()).flatten()).flatten()
}

// Note: The end of a level
// A tangent may have a history that ends at the tensor which carries it, and a node keeps the tangents of its results:
// rings that counting references never frees. Tangents mean nothing after their level has ended, so all that were
// given out are remembered (weakly), and the end of the level takes them back.

#[derive(Default)]
struct Carriers {
    tensors: Vec<Weak<TensorCell>>,
    nodes: Vec<Weak<NodeCell>>,
}

thread_local! {
    /// Who carries tangents. Never destroyed: a thread may end when nobody may count references.
    static CARRIERS: ManuallyDrop<RefCell<Carriers>> =
        const { ManuallyDrop::new(RefCell::new(Carriers { tensors: Vec::new(), nodes: Vec::new() })) };
}

/// Adds to a list of weak handles, from which the dead ones go before it grows.
fn remember<T>(list: &mut Vec<Weak<T>>, weak: Weak<T>) {
    if list.len() == list.capacity() {
        list.retain(|weak| weak.strong_count() > 0);
        list.reserve(list.len().max(64));
    }
    list.push(weak);
}

pub(crate) fn remember_node(node: &Node) {
    CARRIERS.with(|carriers| remember(&mut carriers.borrow_mut().nodes, Rc::downgrade(&node.0)));
}

/// Takes all tangents back.
pub fn end_level() {
    let carriers = CARRIERS.with(|carriers| carriers.take());
    for tensor in carriers.tensors.iter().filter_map(Weak::upgrade).map(Tensor) {
        set_tangent(&tensor, None);
    }
    for node in carriers.nodes.iter().filter_map(Weak::upgrade).map(Node) {
        node.forget_tangents();
    }
}

/// Gives a tensor a tangent, or takes it away.
pub fn set_tangent(tensor: &Tensor, tangent: Option<Tensor>) {
    if tangent.is_some() && !tensor.has_flag(flag::DUAL) {
        CARRIERS.with(|carriers| remember(&mut carriers.borrow_mut().tensors, tensor.downgrade()));
    }
    tensor.set_flag(flag::DUAL, tangent.is_some());
    let previous = tensor.meta_mut(|meta| std::mem::replace(&mut meta.tangent, tangent));
    drop(previous);
}

/// Gives the results of a call their tangents.
#[inline]
pub(crate) fn push(op: &'static Op, arguments: &[Value], outputs: &Outputs) -> Result<()> {
    if !Value::any_tensor(arguments, |tensor| tensor.has_flag(flag::DUAL)) {
        return Ok(());
    }
    for (output, tangent) in outputs.iter().zip(tangents(op, arguments, outputs)?) {
        if tangent.is_some() {
            set_tangent(output, tangent);
        }
    }
    Ok(())
}

/// The same for an operation that changed `target` in place; `before` are its arguments as they were.
pub(crate) fn push_in_place(op: &'static Op, before: &[Value], target: &Tensor) -> Result<()> {
    let output = Outputs::from_elem(target.clone(), 1);
    let new = tangents(op, before, &output)?.into_iter().next().flatten();
    let _quiet = WithoutTangents::enter();
    let old = match tangent(target) {
        Some(old) => Some(old),
        None if new.is_some() => tangent_of_view(target)?,
        None => None,
    };
    match (old, new) {
        // A tangent shares memory with those of the tensors that its tensor shares memory with.
        (Some(old), Some(new)) if can_be_written(&old) => {
            primitives::call_in_place("copy", &[Value::Tensor(old), Value::Tensor(new)])?;
        }
        (Some(old), None) if can_be_written(&old) => {
            let zero = Tensor::zeros(&[], old.dtype())?;
            primitives::call_in_place("copy", &[Value::Tensor(old), Value::Tensor(zero)])?;
        }
        (_, new) => set_tangent(target, new),
    }
    Ok(())
}

/// A tangent for a view that has none: its part of the base's, which is zeros if there was none.
fn tangent_of_view(target: &Tensor) -> Result<Option<Tensor>> {
    let Some(base) = target.base() else { return Ok(None) };
    let whole = match tangent(&base) {
        Some(whole) => whole,
        None => {
            let (sizes, strides) = (base.sizes(), base.strides());
            let whole = Tensor::empty_spread(&sizes, &strides, base.dtype())?;
            crate::kernels::fill::fill(&whole.data(), 0.into());
            set_tangent(&base, Some(whole.clone()));
            whole
        }
    };
    if whole.strides() != base.strides() {
        return Ok(None);
    }
    let part = view::same_part(target, &base, &whole)?;
    set_tangent(target, Some(part.clone()));
    Ok(Some(part))
}

/// Whether a tangent may be changed in place: no leaf of a graph, and no element in two places.
fn can_be_written(tangent: &Tensor) -> bool {
    let data = tangent.data();
    !tangent.has_flag(flag::LEAF_REQUIRES_GRAD) && !crate::shape::may_overlap(&data.sizes, &data.strides)
}

type Tangents = SmallVec<[Option<Tensor>; 1]>;

fn tangents(op: &'static Op, arguments: &[Value], outputs: &Outputs) -> Result<Tangents> {
    let none = Tangents::from_elem(None, outputs.len());
    if !modes::forward_enabled()
        || !Value::any_tensor(arguments, |tensor| tensor.has_flag(flag::DUAL))
        || !outputs.iter().any(|output| output.dtype().is_differentiable())
    {
        return Ok(none);
    }
    let (rules, jvp) = match &op.derivative {
        Derivative::Rules { rules, jvp } => (rules, jvp),
        Derivative::Missing => bail!(NotImplemented, "{}: its derivative is not implemented", op.name),
        Derivative::None | Derivative::Composite => return Ok(none),
    };
    let _quiet = WithoutTangents::enter();
    match jvp {
        Jvp::Pointwise => pointwise(rules, arguments, outputs),
        Jvp::Linear => {
            let mut replaced: SmallVec<[Value; 4]> = SmallVec::new();
            let variables = rules.iter().fold(0, |bits, rule| bits | rule.wanted);
            for (i, value) in arguments.iter().enumerate() {
                // What no rule gives a gradient for, such as an index, is a constant.
                let constant = variables & (1 << i) == 0;
                let tangent = if constant { value.clone() } else { replace_by_tangents(value)? };
                replaced.push(if op.traits.has(Traits::VIEW) { laid_out_as(tangent, value)? } else { tangent });
            }
            Ok(record::call(op, &replaced)?.into_iter().map(Some).collect())
        }
        Jvp::Multilinear => multilinear(op, arguments),
        Jvp::ByVjp => by_vjp(op, arguments, outputs),
    }
}

/// Each tensor replaced by its tangent, or by zeros; a number in the place of a tensor by 0.
fn replace_by_tangents(value: &Value) -> Result<Value> {
    let swap = |tensor: &Tensor| match tangent(tensor) {
        Some(tangent) => Ok(tangent),
        None => Tensor::zeros(&tensor.sizes(), tensor.dtype()),
    };
    Ok(match value {
        Value::Tensor(tensor) => Value::Tensor(swap(tensor)?),
        Value::Tensors(list) => {
            Value::Tensors(list.iter().map(|item| item.as_ref().map(swap).transpose()).collect::<Result<_>>()?)
        }
        Value::Scalar(_) => Value::Scalar(0i64.into()),
        other => other.clone(),
    })
}

/// The tangent that a view is made of, in memory as its tensor is: what can be seen so of one cannot always be of the
/// other.
fn laid_out_as(tangent: Value, primal: &Value) -> Result<Value> {
    let (Value::Tensor(tangent), Value::Tensor(primal)) = (&tangent, primal) else { return Ok(tangent) };
    let (sizes, strides, found) = (primal.sizes(), primal.strides(), tangent.strides());
    if (0..sizes.len()).all(|d| sizes[d] == 1 || strides[d] == found[d]) {
        return Ok(Value::Tensor(tangent.clone()));
    }
    if shape::may_overlap(&sizes, &strides) {
        // Elements that share a place may have tangents that differ; row-major memory can be seen in all ways.
        return Ok(Value::Tensor(primitives::call("_row_major", &[Value::Tensor(tangent.clone())])?));
    }
    let spread = batch::made_like(tangent, &sizes, |all| {
        let count = all.len() - sizes.len();
        let step = shape::extent(&sizes, &strides);
        let outer: Dims = shape::contiguous_strides(&all[..count]).iter().map(|stride| stride * step).collect();
        let all_strides: Dims = outer.iter().chain(strides.iter()).copied().collect();
        Tensor::empty_spread(all, &all_strides, tangent.dtype())
    })?;
    let copied = primitives::call_in_place("copy", &[Value::Tensor(spread), Value::Tensor(tangent.clone())])?;
    Ok(Value::Tensor(copied))
}

fn sum(total: Option<Tensor>, term: Tensor) -> Result<Option<Tensor>> {
    Ok(Some(match total {
        None => term,
        Some(total) => primitives::add(&total, &term)?,
    }))
}

/// The complex conjugate; a real tensor as it is.
fn conj(tensor: Tensor) -> Result<Tensor> {
    if tensor.dtype().is_complex() { primitives::call("conj", &[Value::Tensor(tensor)]) } else { Ok(tensor) }
}

/// A diagonal Jacobian: each vjp formula with the tangent in the place of the gradient. Formulas multiply by the
/// conjugate of the derivative, so that tangents are conjugated before and after.
fn pointwise(rules: &[Rule], arguments: &[Value], outputs: &Outputs) -> Result<Tangents> {
    let mut total = None;
    for rule in rules {
        let Value::Tensor(primal) = &arguments[rule.wanted.trailing_zeros() as usize] else { continue };
        let (Some(tangent), Apply::Pointwise { variables, formula, kernels }) = (tangent(primal), &rule.apply) else {
            continue;
        };
        let tangent = conj(tangent)?;
        let values: SmallVec<[Value; 4]> = variables
            .iter()
            .map(|&variable| match variable {
                GRADIENT => Value::Tensor(tangent.clone()),
                v if v as usize >= OUTPUT => Value::Tensor(outputs[v as usize - OUTPUT].clone()),
                v => arguments[v as usize].clone(),
            })
            .collect();
        if let Some(term) = record::pointwise_derivative(kernels, *formula, &values)? {
            total = sum(total, conj(term)?)?;
        }
    }
    // A tangent has the size and type of its primal even where a broadcast operand alone has one.
    let output = &outputs[0];
    if let Some(tangent) = &total
        && (tangent.sizes() != output.sizes() || tangent.dtype() != output.dtype())
    {
        let zeros = Tensor::zeros(&output.sizes(), output.dtype())?;
        let projects = tangent.dtype().is_complex() && !output.dtype().is_complex();
        let tangent =
            if projects { primitives::call("real", &[Value::Tensor(tangent.clone())])? } else { tangent.clone() };
        total = Some(primitives::add(&zeros, &tangent)?);
    }
    Ok(Tangents::from_elem(total, 1))
}

fn multilinear(op: &'static Op, arguments: &[Value]) -> Result<Tangents> {
    let mut total = None;
    for (i, value) in arguments.iter().enumerate() {
        let Value::Tensor(tensor) = value else { continue };
        let Some(tangent) = tangent(tensor) else { continue };
        let mut replaced: SmallVec<[Value; 4]> = arguments.iter().cloned().collect();
        replaced[i] = Value::Tensor(tangent);
        total = sum(total, record::call_one(op, &replaced)?)?;
    }
    Ok(Tangents::from_elem(total, 1))
}

/// `J t` as the derivative of `v -> J^T v` along `t`: two vector-Jacobian products (the trick of J. Townsend, "A new
/// trick for calculating Jacobian vector products", 2017).
fn by_vjp(op: &'static Op, arguments: &[Value], outputs: &Outputs) -> Result<Tangents> {
    let mut inputs = Vec::new();
    let mut directions = Vec::new();
    let mut replaced: SmallVec<[Value; 4]> = SmallVec::new();
    let outer = modes::grad_enabled();
    let _recording = GradMode::set(true);
    // Inputs that carry a history keep it, so that reverse over forward works.
    let mut watch = |tensor: &Tensor| -> Result<Tensor> {
        let Some(direction) = tangent(tensor) else { return Ok(tensor.clone()) };
        let watched = if outer && tensor.requires_grad() {
            primitives::call("clone", &[Value::Tensor(tensor.clone())])?
        } else {
            let watched = tensor.detach();
            watched.set_requires_grad(true)?;
            watched
        };
        inputs.push(watched.clone());
        directions.push(Some(direction));
        Ok(watched)
    };
    for value in arguments {
        replaced.push(match value {
            Value::Tensor(tensor) => Value::Tensor(watch(tensor)?),
            Value::Tensors(list) => {
                let list: Result<_> = list.iter().map(|item| item.as_ref().map(&mut watch).transpose()).collect();
                Value::Tensors(list?)
            }
            other => other.clone(),
        });
    }
    // A tangent has a history only if something that it is made of has one.
    let recorded = outer
        && (Value::any_tensor(arguments, Tensor::requires_grad)
            || directions.iter().flatten().any(Tensor::requires_grad));
    let recomputed = record::call(op, &replaced)?;
    let mut result = Tangents::from_elem(None, outputs.len());
    for (i, output) in recomputed.iter().enumerate() {
        if !output.requires_grad() {
            continue;
        }
        let cotangent = Tensor::zeros(&output.sizes(), output.dtype())?;
        cotangent.set_requires_grad(true)?;
        let options = engine::Options { create_graph: true, retain_graph: true, allow_unused: true };
        let roots = [(output.clone(), Some(cotangent.clone()))];
        let products = engine::grad(&roots, &inputs, options)?;
        let mut seconds = Vec::new();
        for (product, direction) in products.into_iter().zip(&directions) {
            if let Some(product) = product.filter(Tensor::requires_grad) {
                seconds.push((product, direction.clone()));
            }
        }
        let options = engine::Options { create_graph: recorded, retain_graph: true, allow_unused: true };
        let pushed = match seconds.is_empty() {
            true => None,
            false => engine::grad(&seconds, std::slice::from_ref(&cotangent), options)?.pop().flatten(),
        };
        // A gradient that does not depend on the cotangent is 0, and so is the tangent.
        result[i] = Some(match pushed {
            Some(pushed) => pushed,
            None => output.detach().zeros_alike()?,
        });
    }
    Ok(result)
}
