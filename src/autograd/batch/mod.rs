//! Batched tensors: a function written for one example runs once for a whole batch.
//!
//! # Note: Batching
//! A *level* is one call of `vmap`. A tensor that is batched at some levels looks like one example, but stands for all
//! of them: it is a wrapper around a *physical* tensor whose first dimensions are those of its levels, the outermost
//! call first. The wrapper has the sizes of an example and no elements of its own; several levels share one physical
//! tensor, so that nesting costs dimensions and no further wrappers.
//!
//! An operation with a batched argument is called on physical tensors instead ([`call`]). How, the operation itself
//! says by its `batch` clause ([`Batching`](crate::op::Batching)); without one, elementwise operations broadcast,
//! compositions are batched in their parts, and any other runs for each example apart, so that every operation is right
//! from the day it is written and quick from the day it has a clause.
//!
//! What is left to that, besides operations without a clause: examples without dimensions where a dimension is named,
//! index tensors that differ between examples and are not the first of an assignment, and weights of classes that do.
//!
//! *Reverse mode* knows nothing of levels: what is recorded is the call on physical tensors, so a graph holds no
//! wrapper. A function differentiated inside `vmap` gets inputs that are batched at every open level ([`fresh`]): their
//! gradients are then one for each example. A cotangent that is batched where its output is not travels through the
//! graph as a wrapper, which makes a Jacobian from one graph. *Forward mode* is alike: a tangent may be batched where
//! its tensor is not. Wherever a physical tensor takes the place of a wrapper, [`lower`] and [`lift`] say how what
//! belongs to it, gradient or tangent, follows.
//!
//! The design is that of `functorch` (H. He and R. Zou, 2021) with one difference: there, each transformation wraps
//! the tensors of the one around it, and derivatives have levels too.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use smallvec::SmallVec;

use crate::autograd::forward;
use crate::autograd::modes::WithoutTangents;
use crate::autograd::primitives;
use crate::bail;
use crate::error::Result;
use crate::shape::{Dims, Ints};
use crate::tensor::{Tensor, flag};
use crate::value::Value;

mod call;
mod rules;

pub use call::Batched;
pub(crate) use call::{call, call_in_place};
pub(crate) use rules::one_by_one;

/// One call of `vmap`: a number that no other has, later ones being larger, and how many examples it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    pub id: u32,
    pub size: usize,
}

/// Levels in the order of their calls.
pub type Levels = SmallVec<[Level; 1]>;

/// What a batched tensor stands for.
pub struct Batch {
    /// All examples; its first dimensions are those of `levels`.
    pub physical: Tensor,
    pub levels: Levels,
}

/// What random operations do at a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Randomness {
    Error,
    Different,
    Same,
}

/// A level that is open.
#[derive(Clone, Copy)]
pub struct Open {
    pub level: Level,
    pub randomness: Randomness,
}

static LATEST: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static OPEN: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
    /// How many functions are being run in order to be differentiated.
    static DIFFERENTIATED: Cell<usize> = const { Cell::new(0) };
}

/// A level that is not opened: nothing made meanwhile is batched at it.
pub fn fresh_level(size: usize) -> Level {
    Level { id: LATEST.fetch_add(1, Relaxed) + 1, size }
}

/// Opens a level.
pub fn enter(size: usize, randomness: Randomness) -> Level {
    let level = fresh_level(size);
    OPEN.with_borrow_mut(|open| open.push(Open { level, randomness }));
    level
}

/// Closes the innermost level.
pub fn exit() {
    OPEN.with_borrow_mut(Vec::pop);
}

/// The open levels of this thread.
pub fn open() -> Vec<Open> {
    OPEN.with_borrow(Clone::clone)
}

/// Takes the open levels of this thread away, to give them back (or others) later.
pub(crate) fn replace_open(levels: Vec<Open>) -> Vec<Open> {
    OPEN.replace(levels)
}

/// Says that a function runs which is going to be differentiated, until [`exit_transform`].
pub fn enter_transform() {
    DIFFERENTIATED.set(DIFFERENTIATED.get() + 1);
}

pub fn exit_transform() {
    DIFFERENTIATED.set(DIFFERENTIATED.get().saturating_sub(1));
}

/// Whether this thread runs a function for `vmap` or in order to differentiate it.
pub fn is_transforming() -> bool {
    DIFFERENTIATED.get() > 0 || OPEN.with_borrow(|open| !open.is_empty())
}

/// Whether `vmap` runs for the examples that the tensor stands for.
pub fn is_batched_in_vmap(tensor: &Tensor) -> bool {
    let levels = tensor.levels();
    !levels.is_empty() && OPEN.with_borrow(|open| open.iter().any(|open| levels.contains(&open.level)))
}

/// Refuses what a function must not do to its inputs or results while it is being transformed.
///
/// # Errors
/// `RuntimeError` inside `vmap`, `grad` and their kin.
pub fn check_not_transforming(what: &str) -> Result<()> {
    if is_transforming() {
        bail!(
            Runtime,
            "{what} inside a function that is being transformed (by vmap, grad, jvp or their kin) is not supported; \
             differentiate by grad, vjp, jacrev, jacfwd or hessian of rgrad.func there, or do it outside"
        );
    }
    Ok(())
}

/// The open level with that number.
pub fn find(id: u32) -> Result<Level> {
    match open().iter().find(|open| open.level.id == id) {
        Some(open) => Ok(open.level),
        None => bail!(Runtime, "vmap level {id} is not open"),
    }
}

/// The levels at which fresh random numbers differ.
pub fn random_levels(name: &str) -> Result<Levels> {
    let mut levels = Levels::new();
    for open in open() {
        match open.randomness {
            Randomness::Error => bail!(
                Runtime,
                "{name}: a random operation inside vmap has to be told what to do: pass randomness='different' to vmap \
                 for other numbers in each example, or randomness='same'"
            ),
            Randomness::Different => levels.push(open.level),
            Randomness::Same => {}
        }
    }
    Ok(levels)
}

/// All levels of two lists.
pub fn union(a: &[Level], b: &[Level]) -> Levels {
    let mut all = Levels::from_slice(a);
    all.extend(b.iter().copied().filter(|level| !a.contains(level)));
    all.sort_by_key(|level| level.id);
    all
}

fn without(a: &[Level], b: &[Level]) -> Levels {
    a.iter().copied().filter(|level| !b.contains(level)).collect()
}

impl Tensor {
    #[inline]
    pub fn is_batched(&self) -> bool {
        self.has_flag(flag::BATCHED)
    }

    /// The levels at which this tensor is batched.
    pub fn levels(&self) -> Levels {
        match self.is_batched() {
            true => {
                self.meta(|meta| meta.batch.as_ref().map(|batch| batch.levels.clone())).flatten().unwrap_or_default()
            }
            false => Levels::new(),
        }
    }

    /// The tensor with all examples; a tensor that is not batched itself.
    pub fn physical(&self) -> Tensor {
        match self.is_batched() {
            true => self.meta(|meta| meta.batch.as_ref().map(|batch| batch.physical.clone())).flatten(),
            false => None,
        }
        .unwrap_or_else(|| self.clone())
    }

    /// An error for a tensor without values, and for a batched one, whose values differ from example to example.
    #[inline]
    pub(crate) fn check_readable(&self, what: &str) -> Result<()> {
        if self.has_flag(flag::BATCHED | flag::META) { self.refuse_reading(what) } else { Ok(()) }
    }

    #[cold]
    fn refuse_reading(&self, what: &str) -> Result<()> {
        if self.is_meta() {
            return Err(Tensor::refuse_meta(what));
        }
        bail!(
            Runtime,
            "{what}: the values of a tensor inside vmap differ from example to example and cannot be read, nor can \
             what a program does next depend on them; compute with the tensor, or choose with where()"
        )
    }
}

/// The tensor that stands for the examples of `physical`, whose first dimensions are those of `levels`.
pub fn wrap(physical: Tensor, levels: Levels) -> Tensor {
    if levels.is_empty() {
        return physical;
    }
    let (sizes, strides, offset) = {
        let data = physical.data();
        let rest = levels.len();
        (Dims::from_slice(&data.sizes[rest..]), Dims::from_slice(&data.strides[rest..]), data.offset)
    };
    let wrapper = physical.alias(sizes, strides, offset);
    wrapper.set_flag(flag::BATCHED, true);
    wrapper.meta_mut(|meta| meta.batch = Some(Box::new(Batch { physical, levels })));
    wrapper
}

/// `tensor` with the batch dimensions of `levels` as its first dimensions of the ordinary kind. At a level where it is
/// not batched it is expanded; at others it stays batched.
pub fn lower(tensor: &Tensor, levels: &[Level]) -> Result<Tensor> {
    let (physical, own) = (tensor.physical(), tensor.levels());
    if own[..] == *levels {
        return Ok(physical);
    }
    let rest = without(&own, levels);
    let arranged = {
        let _quiet = WithoutTangents::enter();
        let place = |level: &Level| own.iter().position(|other| other == level);
        let present: Levels = levels.iter().copied().filter(|level| own.contains(level)).collect();
        let order: Ints =
            rest.iter().chain(&present).filter_map(place).chain(own.len()..physical.ndim()).map(|d| d as i64).collect();
        let mut arranged = permuted(&physical, &order)?;
        if present.len() < levels.len() {
            let mut sizes: Ints = arranged.sizes().iter().map(|&n| n as i64).collect();
            for (i, level) in levels.iter().enumerate() {
                if !own.contains(level) {
                    let at = rest.len() + i;
                    arranged =
                        primitives::call("unsqueeze", &[Value::Tensor(arranged), Value::Scalar((at as i64).into())])?;
                    sizes.insert(at, level.size as i64);
                }
            }
            arranged = primitives::call("expand", &[Value::Tensor(arranged), Value::Ints(sizes)])?;
        }
        arranged
    };
    if let Some(tangent) = forward::tangent(&physical) {
        // The tangent may be batched where the tensor is not.
        let tangent = lower(&lower(&lift(&tangent, &own)?, levels)?, &rest)?;
        let arranged =
            if arranged.is_same(&physical) { primitives::call("alias", &[Value::Tensor(arranged)])? } else { arranged };
        forward::set_tangent(&arranged, Some(tangent));
        return Ok(wrap(arranged, rest));
    }
    Ok(wrap(arranged, rest))
}

/// The reverse of [`lower`]: the first dimensions of `tensor` become those of `levels`.
pub fn lift(tensor: &Tensor, levels: &[Level]) -> Result<Tensor> {
    if levels.is_empty() {
        return Ok(tensor.clone());
    }
    let (physical, own) = (tensor.physical(), tensor.levels());
    let all = union(&own, levels);
    let place = |level: &Level| {
        let new = || levels.iter().position(|other| other == level).map(|i| own.len() + i);
        own.iter().position(|other| other == level).or_else(new)
    };
    let order: Ints = all.iter().filter_map(place).chain(all.len()..physical.ndim()).map(|d| d as i64).collect();
    Ok(wrap(permuted(&physical, &order)?, all))
}

fn permuted(tensor: &Tensor, order: &[i64]) -> Result<Tensor> {
    if order.iter().enumerate().all(|(i, &d)| i as i64 == d) {
        return Ok(tensor.clone());
    }
    primitives::call("permute", &[Value::Tensor(tensor.clone()), Value::Ints(Ints::from_slice(order))])
}

/// A new tensor of `sizes` for each example at `levels`; `make` gets all sizes.
fn made(levels: Levels, sizes: &[usize], make: impl FnOnce(&[usize]) -> Result<Tensor>) -> Result<Tensor> {
    let all: Dims = levels.iter().map(|level| level.size).chain(sizes.iter().copied()).collect();
    Ok(wrap(make(&all)?, levels))
}

/// A new tensor that is batched as `source` is.
pub fn made_like(source: &Tensor, sizes: &[usize], make: impl FnOnce(&[usize]) -> Result<Tensor>) -> Result<Tensor> {
    made(source.levels(), sizes, make)
}

/// A new tensor of random numbers, which differ or not between examples as the open levels say.
pub fn made_random(name: &str, sizes: &[usize], make: impl FnOnce(&[usize]) -> Result<Tensor>) -> Result<Tensor> {
    made(random_levels(name)?, sizes, make)
}

/// An input for a function that is about to be differentiated, with the values of `tensor` and a place of its own in
/// the graph: batched at every open level, so that its gradient is one for each example.
///
/// What `tensor` itself depends on is kept if `recorded`.
pub fn fresh(tensor: &Tensor, recorded: bool) -> Result<Tensor> {
    let open: Levels = open().iter().map(|open| open.level).collect();
    let levels = union(&tensor.levels(), &open);
    let physical = lower(tensor, &levels)?;
    if recorded && physical.requires_grad() {
        return Ok(wrap(primitives::call("alias", &[Value::Tensor(physical)])?, levels));
    }
    let leaf = physical.detach();
    if let Some(tangent) = forward::tangent(&physical) {
        forward::set_tangent(&leaf, Some(tangent));
    }
    leaf.set_requires_grad(true)?;
    Ok(wrap(leaf, levels))
}

/// Says that the function that `input` was made for has ended: to everybody else, it is a constant.
pub fn end(input: &Tensor) {
    let physical = input.physical();
    if physical.is_leaf() {
        physical.meta_mut(|meta| meta.ended = true);
    }
}

/// Whether [`end`] was said of a tensor.
pub fn has_ended(tensor: &Tensor) -> bool {
    tensor.meta(|meta| meta.ended).unwrap_or(false)
}

/// The tangent of a tensor, batched at the tensor's levels too.
pub fn tangent(tensor: &Tensor) -> Result<Option<Tensor>> {
    forward::tangent(&tensor.physical()).map(|tangent| lift(&tangent, &tensor.levels())).transpose()
}

/// Gives a tensor a tangent, which may be batched at other levels than the tensor.
pub fn set_tangent(tensor: &Tensor, tangent: &Tensor) -> Result<()> {
    let tangent = lower(tangent, &tensor.levels())?;
    forward::set_tangent(&tensor.physical(), Some(tangent));
    Ok(())
}
