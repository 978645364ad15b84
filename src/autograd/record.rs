//! Calling an operation: computing its value and, where somebody asks, writing it down.

use smallvec::SmallVec;

use crate::autocast;
use crate::autograd::cuts::Reason;
use crate::autograd::meta::{Creation, View};
use crate::autograd::node::{Body, Edge, Node, OutputMeta};
use crate::autograd::saved;
use crate::autograd::{batch, cuts, forward, modes, view, widened};
use crate::bail;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::map::Types;
use crate::op::{Derivative, Forward, KernelTable, OUTPUT, Op, Returns, Traits, kernel};
use crate::tensor::{Tensor, flag};
use crate::value::{Kind, Outputs, Value};
use crate::{pointwise, profile};

/// Calls an operation.
#[inline]
pub fn call(op: &'static Op, arguments: &[Value]) -> Result<Outputs> {
    if autocast::is_on()
        && let Some((operands, _pause)) = autocast::operands(op, arguments)?
    {
        return call(op, &operands);
    }
    if profile::is_on() {
        return profile::operation(op.name, arguments, || call_now(op, arguments));
    }
    call_now(op, arguments)
}

#[inline]
fn call_now(op: &'static Op, arguments: &[Value]) -> Result<Outputs> {
    if is_plain(op, arguments) { compute(op, arguments) } else { call_recorded(op, arguments) }
}

/// Whether the value alone is all that a call is about.
#[inline]
fn is_plain(op: &'static Op, arguments: &[Value]) -> bool {
    let special = || Value::any_tensor(arguments, |tensor| tensor.has_flag(flag::SPECIAL));
    matches!(op.derivative, Derivative::Composite) || (!op.traits.has(Traits::VIEW) && !special())
}

#[inline]
fn has_meta(arguments: &[Value]) -> bool {
    Value::any_tensor(arguments, Tensor::is_meta)
}

/// Calls an operation on tensors without values: it runs on zeros in their place, for the sizes and dtypes of results
/// that have no values either. Nothing is recorded.
#[cold]
fn call_on_meta(op: &'static Op, arguments: &[Value]) -> Result<Outputs> {
    let stand_in = |tensor: &Tensor| Tensor::from_data(tensor.data().clone());
    let arguments: Vec<Value> = arguments.iter().map(|value| value.with_tensors(stand_in)).collect();
    let results = call(op, &arguments)?;
    results.iter().map(|result| Tensor::meta_device(&result.sizes(), result.dtype())).collect()
}

#[inline]
fn is_batched(arguments: &[Value]) -> bool {
    Value::any_tensor(arguments, Tensor::is_batched)
}

/// Calls an operation that has one result.
#[inline]
pub fn call_one(op: &'static Op, arguments: &[Value]) -> Result<Tensor> {
    if autocast::is_on()
        && let Some((operands, _pause)) = autocast::operands(op, arguments)?
    {
        return call_one(op, &operands);
    }
    if profile::is_on() {
        return profile::operation(op.name, arguments, || call_one_now(op, arguments).map(|result| [result]))
            .map(|[result]| result);
    }
    call_one_now(op, arguments)
}

#[inline]
fn call_one_now(op: &'static Op, arguments: &[Value]) -> Result<Tensor> {
    if let Forward::Pointwise(loops) = &op.forward
        && is_plain(op, arguments)
    {
        return pointwise::run(op.name, loops, arguments);
    }
    if let Forward::Chosen(choose) = op.forward {
        let chosen = choose(arguments)?;
        return call_one_now(chosen.op, &chosen.arguments);
    }
    first(op, call_now(op, arguments)?)
}

#[inline]
pub(crate) fn first(op: &'static Op, mut outputs: Outputs) -> Result<Tensor> {
    if outputs.is_empty() {
        bail!(Runtime, "{}: the operation has no result", op.name);
    }
    Ok(outputs.swap_remove(0))
}

/// The value alone.
fn compute(op: &'static Op, arguments: &[Value]) -> Result<Outputs> {
    match &op.forward {
        Forward::Pointwise(loops) => Ok(Outputs::from([pointwise::run(op.name, loops, arguments)?])),
        Forward::Structured(body) => widened::call(op, *body, arguments),
        Forward::Chosen(choose) => {
            let chosen = choose(arguments)?;
            call(chosen.op, &chosen.arguments)
        }
    }
}

fn call_recorded(op: &'static Op, arguments: &[Value]) -> Result<Outputs> {
    if has_meta(arguments) {
        return call_on_meta(op, arguments);
    }
    if is_batched(arguments) {
        return batch::call(op, arguments);
    }
    let mut outputs = compute(op, arguments)?;
    // An operation may hand an argument through (a sum over nothing, a cast to the same type): its result is
    // still a tensor of its own.
    for output in &mut outputs {
        if Value::any_tensor(arguments, |tensor| tensor.is_same(output)) {
            *output = output.detach();
        }
    }
    let mut recorded = None;
    if let Some(plan) = Plan::new(op, arguments, |i| outputs.get(i).map(Tensor::dtype))? {
        let metas = outputs.iter().map(OutputMeta::of).collect();
        let node = Node::new(Body::Op(op.recorded_as(arguments)), plan.edges, metas);
        save_arguments(&node, plan.uses, arguments, None)?;
        for (i, output) in outputs.iter().enumerate() {
            if output.dtype().is_differentiable() {
                output.set_history(node.clone(), i as u32);
            }
        }
        save_outputs(&node, plan.uses, &outputs)?;
        recorded = Some(node);
    }
    if op.traits.has(Traits::VIEW)
        && let Some(Value::Tensor(source)) = arguments.first()
        && !source.has_flag(flag::INFERENCE)
    {
        let creation = match (modes::grad_enabled(), op.returns) {
            _ if modes::inference() => Creation::Inference,
            (false, _) => Creation::NoGrad,
            (true, Returns::List) => Creation::MultiOutput,
            (true, _) => Creation::Default,
        };
        outputs.iter().for_each(|output| mark_view(output, source, creation));
    }
    forward::push(op, arguments, &outputs)?;
    if let Some(node) = recorded
        && outputs.iter().any(|output| output.has_flag(flag::DUAL))
    {
        node.keep_tangents(&outputs);
    }
    Ok(outputs)
}

/// Notes that `output` shares memory and history with `source`.
pub(crate) fn mark_view(output: &Tensor, source: &Tensor, creation: Creation) {
    let (base, creation) = source
        .meta(|meta| {
            let view = meta.view.as_ref()?;
            let inherited = if view.creation.get() == Creation::Default { creation } else { view.creation.get() };
            Some((view.base.clone(), inherited))
        })
        .flatten()
        .unwrap_or_else(|| (source.clone(), creation));
    let version = output.version().into();
    output.set_flag(flag::VIEW, true);
    output.meta_mut(|meta| meta.view = Some(View { base, creation: creation.into(), version }));
}

/// What has to be recorded of a call.
struct Plan {
    edges: SmallVec<[Option<Edge>; 2]>,
    /// Arguments and results that the needed rules read, as bits.
    uses: u64,
}

impl Plan {
    /// `None` if nothing has to be recorded. `output` tells the element type of a result.
    fn new(op: &'static Op, arguments: &[Value], output: impl Fn(usize) -> Option<DType>) -> Result<Option<Plan>> {
        let rules = match &op.derivative {
            Derivative::Rules { rules, .. } => *rules,
            Derivative::Missing => &[],
            _ => {
                cuts::note_arguments(Reason::NoDerivative(op.name), arguments);
                return Ok(None);
            }
        };
        // A view made in inference mode of a tensor that is none for inference keeps its history.
        let watches = modes::grad_enabled() || (modes::inference() && op.traits.has(Traits::VIEW));
        if !watches {
            cuts::note_arguments(Reason::NotRecorded(op.name), arguments);
            return Ok(None);
        }
        if !Value::any_tensor(arguments, Tensor::requires_grad) {
            return Ok(None);
        }
        if !(0..).map_while(output).any(DType::is_differentiable) {
            cuts::note_arguments(Reason::NotFloating(op.name), arguments);
            return Ok(None);
        }
        let mut edges = SmallVec::new();
        let mut needed = 0u64;
        for (i, (parameter, value)) in op.parameters.iter().zip(arguments).enumerate() {
            match (parameter.kind, value) {
                (Kind::Tensor | Kind::Operand, Value::Tensor(tensor)) => {
                    let edge = tensor.gradient_edge()?;
                    needed |= u64::from(edge.is_some()) << i;
                    edges.push(edge);
                }
                (Kind::Tensor | Kind::Operand, _) => edges.push(None),
                (Kind::Tensors | Kind::OptionalTensors, Value::Tensors(list)) => {
                    for tensor in list {
                        let edge = tensor.as_ref().map(Tensor::gradient_edge).transpose()?.flatten();
                        needed |= u64::from(edge.is_some()) << i;
                        edges.push(edge);
                    }
                }
                _ => {}
            }
        }
        let uses = rules.iter().filter(|rule| rule.wanted & needed != 0).fold(0, |bits, rule| bits | rule.uses);
        Ok(Some(Plan { edges, uses }))
    }
}

/// Saves the arguments that the rules read; `original` stands for the first one if that is going to change.
fn save_arguments(node: &Node, uses: u64, arguments: &[Value], original: Option<&Value>) -> Result<()> {
    for (i, value) in arguments.iter().enumerate() {
        if let Value::Tensors(list) = value {
            node.note_list(i, list.len());
        }
        if uses & (1 << i) != 0 {
            node.keep_argument(i as u8, if i == 0 { original.unwrap_or(value) } else { value })?;
        }
    }
    Ok(())
}

/// Saves the results that the rules read, which have their history by now: a hook that packs them can see it.
fn save_outputs(node: &Node, uses: u64, outputs: &[Tensor]) -> Result<()> {
    for (i, output) in outputs.iter().enumerate() {
        if uses & (1 << (OUTPUT + i)) != 0 {
            node.keep_output(i, output)?;
        }
    }
    Ok(())
}

/// Calls an operation on its first argument in place.
///
/// # Errors
/// Those of the operation, and `RuntimeError` if the result does not fit the tensor or the tensor must not be
/// changed in place; it is then unchanged.
#[inline]
pub fn call_in_place(op: &'static Op, arguments: &[Value]) -> Result<Tensor> {
    if profile::is_on() {
        let name = format!("{}_", op.name);
        return profile::operation(name, arguments, || call_in_place_now(op, arguments).map(|result| [result]))
            .map(|[result]| result);
    }
    call_in_place_now(op, arguments)
}

fn call_in_place_now(op: &'static Op, arguments: &[Value]) -> Result<Tensor> {
    let Some(Value::Tensor(target)) = arguments.first() else {
        bail!(Type, "{}_: the first argument has to be a tensor", op.name);
    };
    if has_meta(arguments) {
        // Without values there is nothing to change.
        let changes = !target.is_meta() || op.traits.has(Traits::VIEW);
        return if changes { Err(Tensor::refuse_meta(op.name)) } else { Ok(target.clone()) };
    }
    if let Forward::Chosen(choose) = op.forward {
        let chosen = choose(arguments)?;
        return call_in_place_now(chosen.op, &chosen.arguments);
    }
    if is_batched(arguments) {
        if op.traits.has(Traits::VIEW) {
            bail!(NotImplemented, "{}_: not implemented inside vmap; use {}", op.name, op.name);
        }
        return batch::call_in_place(op, arguments);
    }
    if op.traits.has(Traits::VIEW) {
        return view::change_geometry(op, arguments, target);
    }
    pointwise::check_writable(op.name, target)?;
    if target.has_flag(flag::INFERENCE) && !modes::inference() {
        bail!(
            Runtime,
            "{}_: an inference tensor cannot be changed in place outside inference mode; change a clone() of it",
            op.name
        );
    }
    let records = modes::grad_enabled() && Value::any_tensor(arguments, Tensor::requires_grad);
    if records {
        view::check_in_place(op.name, target)?;
    }
    let dual = modes::forward_enabled() && Value::any_tensor(arguments, |tensor| tensor.has_flag(flag::DUAL));
    let plan = if records { Plan::new(op, arguments, |i| (i == 0).then(|| target.dtype()))? } else { None };
    let keeps_original = dual || plan.as_ref().is_some_and(|plan| plan.uses & 1 != 0);
    let original = if keeps_original { Some(Value::Tensor(view::original(target)?)) } else { None };
    let recorded = match plan {
        Some(plan) => {
            let outputs = SmallVec::from_elem(OutputMeta::of(target), 1);
            let node = Node::new(Body::Op(op.recorded_as(arguments)), plan.edges, outputs);
            save_arguments(&node, plan.uses, arguments, original.as_ref())?;
            Some((node, plan.uses))
        }
        None => None,
    };
    saved::before_change(target)?;
    write_result(op, arguments, target)?;
    target.data().version().bump();
    if let Some((node, uses)) = &recorded {
        view::rebase_history(target, node.clone())?;
        save_outputs(node, *uses, std::slice::from_ref(target))?;
    }
    if dual {
        let mut before: SmallVec<[Value; 4]> = arguments.iter().cloned().collect();
        if let Some(original) = original {
            before[0] = original;
        }
        forward::push_in_place(op, &before, target)?;
        if let Some((node, _)) = recorded {
            node.keep_tangents(std::slice::from_ref(target));
        }
    }
    Ok(target.clone())
}

/// Refuses a result of another size, or of a type that the target cannot hold.
pub(crate) fn check_fits(op: &'static Op, result: &Tensor, target: &Tensor) -> Result<()> {
    let (sizes, expected) = (result.sizes(), target.sizes());
    if sizes != expected {
        bail!(
            Runtime,
            "{}_: the result has size {} and cannot be stored in place in a tensor of size {}",
            op.name,
            crate::shape::show(&sizes),
            crate::shape::show(&expected)
        );
    }
    pointwise::check_castable(op.name, result.dtype(), target.dtype())
}

/// Computes the value of an in-place operation into its first argument.
fn write_result(op: &'static Op, arguments: &[Value], target: &Tensor) -> Result<()> {
    if let Forward::Pointwise(loops) = &op.forward {
        return pointwise::run_into(op.name, loops, arguments, target);
    }
    let _quiet = (modes::GradMode::set(false), modes::WithoutTangents::enter(), cuts::Silence::enter());
    let result = first(op, compute(op, arguments)?)?;
    check_fits(op, &result, target)?;
    crate::kernels::copy::copy(&target.data(), &result.data());
    Ok(())
}

/// Whether somebody may differentiate what is made of some tensors, or they stand for many examples: then a kernel of
/// its own for a gradient does not do, and a formula of operations is needed.
pub(crate) fn is_watched<'a, I: Iterator<Item = &'a Tensor>>(tensors: impl Fn() -> I) -> bool {
    let recorded = modes::grad_enabled();
    is_carried(&tensors) || tensors().any(|tensor| recorded && tensor.requires_grad())
}

/// Whether some tensors have tangents or stand for many examples.
pub(crate) fn is_carried<'a, I: Iterator<Item = &'a Tensor>>(tensors: impl Fn() -> I) -> bool {
    let pushed = modes::forward_enabled();
    tensors().any(|tensor| tensor.is_batched() || (pushed && tensor.has_flag(flag::DUAL)))
}

/// One gradient of a pointwise operation: by the fused loop, or by differentiable operations where somebody may
/// differentiate the result.
pub(crate) fn pointwise_derivative(
    kernels: &KernelTable,
    formula: fn(&[Value]) -> Result<Value>,
    values: &[Value],
) -> Result<Option<Tensor>> {
    let watched = is_watched(|| values.iter().flat_map(Value::tensors));
    let dtype = crate::promotion::result_type(values);
    if !watched && let Some((kernel, wide)) = kernel(kernels, dtype) {
        let types = Types { input: wide, output: wide };
        return Ok(Some(pointwise::run_kernel(kernel, types, dtype, values)?));
    }
    match formula(values)? {
        Value::Tensor(tensor) => Ok(Some(tensor)),
        _ => Ok(None),
    }
}
