//! Calling an operation on batched tensors.

use smallvec::SmallVec;

use crate::autograd::batch::{Level, Levels, lower, rules, union, wrap};
use crate::autograd::{forward, primitives, record, view};
use crate::bail;
use crate::error::Result;
use crate::op::{Batching, Forward, Op};
use crate::promotion::result_type;
use crate::shape::Ints;
use crate::tensor::{Tensor, flag};
use crate::value::{Argument, Outputs, Value};

/// The arguments of a call in which those that are batched have one batch dimension, which comes first.
pub struct Batched {
    pub op: &'static Op,
    /// How many examples there are.
    pub size: usize,
    pub values: SmallVec<[Value; 4]>,
    /// Which parameters are batched, as bits.
    batched: u64,
}

impl Batched {
    /// Whether parameter `i` has the batch dimension.
    pub fn has(&self, i: usize) -> bool {
        self.batched & (1 << i) != 0
    }

    pub fn value(&self, i: usize) -> &Value {
        &self.values[i]
    }

    /// The tensor of parameter `i`, with or without the batch dimension.
    pub fn tensor(&self, i: usize) -> Result<&Tensor> {
        match &self.values[i] {
            Value::Tensor(tensor) => Ok(tensor),
            _ => bail!(Type, "{}: argument {i} has to be a tensor", self.op.name),
        }
    }

    /// The tensor of parameter `i` with the batch dimension.
    pub fn all(&self, i: usize) -> Result<Tensor> {
        let tensor = self.tensor(i)?;
        if self.has(i) { Ok(tensor.clone()) } else { expanded(tensor, self.size) }
    }

    /// A tensor that is one for all examples, for each of them.
    pub fn repeated(&self, tensor: &Tensor) -> Result<Tensor> {
        expanded(tensor, self.size)
    }

    /// How many dimensions an example of parameter `i` has.
    pub fn ndim(&self, i: usize) -> Result<usize> {
        Ok(self.tensor(i)?.ndim() - usize::from(self.has(i)))
    }

    /// An integer argument.
    pub fn int(&self, i: usize) -> i64 {
        i64::face(&self.values[i])
    }

    /// A list of integers among the arguments.
    pub fn ints(&self, i: usize) -> &[i64] {
        Ints::face(&self.values[i])
    }

    /// Sizes with that of the batch before them.
    pub fn sizes(&self, sizes: &[i64]) -> Ints {
        std::iter::once(self.size as i64).chain(sizes.iter().copied()).collect()
    }

    /// All dimensions of the batched parameter `i` but that of the batch.
    pub fn every_dim(&self, i: usize) -> Result<Ints> {
        Ok((1..self.tensor(i)?.ndim() as i64).collect())
    }

    /// The batched tensor of parameter `i` with the elements of each example in a row.
    pub fn rows(&self, i: usize) -> Result<Tensor> {
        let tensor = self.tensor(i)?;
        let count = tensor.sizes()[1..].iter().product::<usize>() as i64;
        primitives::call("reshape", &[Value::Tensor(tensor.clone()), Value::Ints(self.sizes(&[count]))])
    }

    /// The tensor of parameter `i` with dimensions of size 1 between the batch and those of an example, `ndim` of both;
    /// one that is not batched as it is.
    pub fn aligned(&self, i: usize, ndim: usize) -> Result<Tensor> {
        let tensor = self.tensor(i)?;
        let own = self.ndim(i)?;
        if !self.has(i) || own >= ndim {
            return Ok(tensor.clone());
        }
        let sizes: Ints =
            std::iter::repeat_n(1, ndim - own).chain(tensor.sizes()[1..].iter().map(|&n| n as i64)).collect();
        primitives::call("view", &[Value::Tensor(tensor.clone()), Value::Ints(self.sizes(&sizes))])
    }

    /// The result where each example is computed apart.
    pub fn one_by_one_tensor(&self) -> Result<Tensor> {
        record::first(self.op, rules::one_by_one(self)?)
    }

    /// The same call with other values, all of whose tensors are batched.
    pub(super) fn with(&self, values: SmallVec<[Value; 4]>) -> Batched {
        Batched { op: self.op, size: self.size, values, batched: u64::MAX }
    }
}

/// `tensor` for each of `size` examples.
pub(super) fn expanded(tensor: &Tensor, size: usize) -> Result<Tensor> {
    let mut sizes: Ints = [size as i64].into_iter().collect();
    sizes.extend(tensor.sizes().iter().map(|&n| n as i64));
    primitives::call("expand", &[Value::Tensor(tensor.clone()), Value::Ints(sizes)])
}

/// The levels that a call is about: those of the arguments.
fn levels_of(arguments: &[Value]) -> Levels {
    let mut levels = Levels::new();
    for tensor in arguments.iter().flat_map(Value::tensors) {
        if tensor.is_batched() {
            levels = union(&levels, &tensor.levels());
        }
    }
    levels
}

/// Whether a tensor, or its tangent, is batched at one of the levels.
fn takes_part(tensor: &Tensor, levels: &[Level]) -> bool {
    let batched = |tensor: &Tensor| tensor.levels().iter().any(|level| levels.contains(level));
    batched(tensor)
        || (tensor.has_flag(flag::DUAL) && forward::tangent(tensor).is_some_and(|tangent| batched(&tangent)))
}

/// Calls an operation of whose arguments at least one is batched.
pub(crate) fn call(op: &'static Op, arguments: &[Value]) -> Result<Outputs> {
    let levels = levels_of(arguments);
    if is_elementwise(op) {
        let outputs = record::call(op, &aligned(op, arguments, &levels)?)?;
        return Ok(outputs.into_iter().map(|output| wrap(output, levels.clone())).collect());
    }
    if let Batching::Refused(reason) = op.batching {
        bail!(Runtime, "{}: cannot be used inside vmap: {reason}", op.name);
    }
    let batched = flattened(op, arguments, &levels)?;
    let outputs = match op.batching {
        Batching::Rule(rule) => rule(&batched)?,
        Batching::Dims(parameters) => rules::dims(&batched, parameters, 0)?,
        Batching::Inserted(parameters) => rules::dims(&batched, parameters, 1)?,
        Batching::Over(parameters) => rules::over(&batched, parameters)?,
        Batching::Together(parameters) => rules::together(&batched, parameters)?,
        _ => rules::one_by_one(&batched)?,
    };
    outputs.into_iter().map(|output| Ok(wrap(unflattened(output, &levels)?, levels.clone()))).collect()
}

fn is_elementwise(op: &Op) -> bool {
    matches!(op.forward, Forward::Pointwise(_)) || matches!(op.batching, Batching::Aligned)
}

/// The arguments of an elementwise operation such that broadcasting of physical tensors is that of examples: all levels
/// first, in order, then dimensions of size 1 where an example has fewer than another.
fn aligned(op: &'static Op, arguments: &[Value], levels: &[Level]) -> Result<SmallVec<[Value; 4]>> {
    let rank = arguments.iter().flat_map(Value::tensors).map(Tensor::ndim).max().unwrap_or(0);
    let mut operands: SmallVec<[Value; 4]> = SmallVec::new();
    for (i, value) in arguments.iter().enumerate() {
        // What is not elementwise by its loops has results like its first argument.
        let leads = i == 0 && matches!(op.batching, Batching::Aligned);
        let tensor = match value {
            Value::Tensor(tensor) if leads || takes_part(tensor, levels) => tensor,
            _ => {
                operands.push(value.clone());
                continue;
            }
        };
        let own: Levels = match leads || tensor.has_flag(flag::DUAL) {
            true => Levels::from_slice(levels),
            false => tensor.levels(),
        };
        let physical = lower(tensor, &own)?;
        if own[..] == *levels && tensor.ndim() == rank {
            operands.push(Value::Tensor(physical));
            continue;
        }
        let mut sizes: Ints =
            levels.iter().map(|level| if own.contains(level) { level.size as i64 } else { 1 }).collect();
        sizes.extend(std::iter::repeat_n(1, rank - tensor.ndim()));
        sizes.extend(tensor.sizes().iter().map(|&n| n as i64));
        operands.push(Value::Tensor(primitives::call("view", &[Value::Tensor(physical), Value::Ints(sizes)])?));
    }
    // An example without dimensions counts less for the common type than its batch would.
    if let Forward::Pointwise(loops) = &op.forward {
        let count = loops.operands.min(arguments.len());
        let common = result_type(&arguments[..count]);
        if result_type(&operands[..count]) != common {
            for operand in &mut operands {
                if let Value::Tensor(tensor) = operand
                    && tensor.dtype() != common
                {
                    *operand = Value::Tensor(primitives::call(
                        "_to_copy",
                        &[Value::Tensor(tensor.clone()), Value::DType(common)],
                    )?);
                }
            }
        }
    }
    Ok(operands)
}

/// The arguments with all levels in one batch dimension.
fn flattened(op: &'static Op, arguments: &[Value], levels: &[Level]) -> Result<Batched> {
    let size = levels.iter().map(|level| level.size).product();
    let flatten = |tensor: &Tensor| -> Result<Tensor> {
        let lowered = lower(tensor, levels)?;
        if levels.len() == 1 {
            return Ok(lowered);
        }
        let mut sizes: Ints = [size as i64].into_iter().collect();
        sizes.extend(tensor.sizes().iter().map(|&n| n as i64));
        primitives::call("reshape", &[Value::Tensor(lowered), Value::Ints(sizes)])
    };
    let mut batched = 0;
    let mut values: SmallVec<[Value; 4]> = SmallVec::new();
    for (i, value) in arguments.iter().enumerate() {
        if !value.tensors().any(|tensor| takes_part(tensor, levels)) {
            values.push(value.clone());
            continue;
        }
        batched |= 1 << i;
        values.push(match value {
            Value::Tensor(tensor) => Value::Tensor(flatten(tensor)?),
            Value::Tensors(list) => {
                let list: Result<_> = list.iter().map(|item| item.as_ref().map(flatten).transpose()).collect();
                Value::Tensors(list?)
            }
            other => other.clone(),
        });
    }
    Ok(Batched { op, size, values, batched })
}

/// A result with its batch dimension divided into the levels again.
fn unflattened(output: Tensor, levels: &[Level]) -> Result<Tensor> {
    if levels.len() == 1 {
        return Ok(output);
    }
    let mut sizes: Ints = levels.iter().map(|level| level.size as i64).collect();
    sizes.extend(output.sizes()[1..].iter().map(|&n| n as i64));
    primitives::call("view", &[Value::Tensor(output), Value::Ints(sizes)])
}

/// Calls an operation in place, of whose arguments at least one is batched.
pub(crate) fn call_in_place(op: &'static Op, arguments: &[Value]) -> Result<Tensor> {
    let Some(Value::Tensor(target)) = arguments.first() else {
        bail!(Type, "{}_: the first argument has to be a tensor", op.name);
    };
    let levels = levels_of(arguments);
    let own = target.levels();
    if let Some(missing) = levels.iter().find(|level| !own.contains(level)) {
        bail!(
            Runtime,
            "{}_: inside vmap, a tensor that is one for all examples cannot be changed in place by one that differs \
             among the {} of them: it has no room for the results; use the operation that is not in place, or make the \
             tensor by new_zeros() or clone() of one that is batched",
            op.name,
            missing.size
        );
    }
    if is_elementwise(op) {
        record::call_in_place(op, &aligned(op, arguments, &levels)?)?;
        return Ok(target.clone());
    }
    // What the parts save must not be the tensor that changes.
    let mut before: SmallVec<[Value; 4]> = arguments.iter().cloned().collect();
    before[0] = Value::Tensor(wrap(view::original(&target.physical())?, own));
    let result = record::call_one(op, &before)?;
    record::check_fits(op, &result, target)?;
    primitives::call_in_place("copy", &[Value::Tensor(target.clone()), Value::Tensor(result)])
}
