//! What autograd knows of a tensor besides its `grad_fn`, and the public questions about it. For a batched tensor its
//! physical one answers them.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use crate::autograd::batch::{self, Batch};
use crate::autograd::hooks::{Hook, LeafHook};
use crate::autograd::node::{Edge, Node, NodeCell};
use crate::autograd::{accumulate, cycles, modes, view};
use crate::bail;
use crate::error::Result;
use crate::tensor::{Tensor, TensorCell, flag};

/// The rarer part of a tensor's autograd data; most results have none.
#[derive(Default)]
pub struct Meta {
    pub grad: Option<Tensor>,
    /// The node that adds gradients to this leaf. It holds the leaf, so the leaf must not hold it.
    pub accumulator: Weak<NodeCell>,
    pub view: Option<View>,
    pub retains_grad: bool,
    pub tangent: Option<Tensor>,
    /// The hooks of this tensor as one; also known to its node, if it has one.
    pub hook: Option<Rc<dyn Hook>>,
    pub leaf_hook: Option<Rc<dyn LeafHook>>,
    /// For a leaf made to differentiate a function: whether that function has ended.
    pub ended: bool,
    /// What a batched tensor stands for.
    pub batch: Option<Box<Batch>>,
}

/// How a tensor came to share its base's memory and history.
pub struct View {
    /// The tensor at the root: never itself a view.
    pub base: Tensor,
    pub creation: Cell<Creation>,
    /// The change counter for which `grad_fn` is right.
    pub version: Cell<u32>,
}

/// Under which circumstances a view was made; decides what an in-place change of it may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Creation {
    Default,
    /// One of several views that an operation gave back together.
    MultiOutput,
    NoGrad,
    /// Made in inference mode of a tensor that is none for inference.
    Inference,
    /// Made, or handed through, by a function of the user.
    Function,
}

impl Creation {
    /// What it is in the making of a view that stands against giving it a new history; `None` if nothing does.
    pub fn restriction(self) -> Option<&'static str> {
        match self {
            Creation::Default => None,
            Creation::MultiOutput => {
                Some("is one of several views that one operation, such as split or unbind, gave back together")
            }
            Creation::NoGrad => Some("was made under no_grad()"),
            Creation::Inference => Some("was made in inference mode"),
            Creation::Function => Some("is the result of a function with a backward of its own"),
        }
    }
}

impl Tensor {
    /// Reads the meta data, if there are any. `read` must not run foreign code.
    pub(crate) fn meta<R>(&self, read: impl FnOnce(&Meta) -> R) -> Option<R> {
        self.0.meta.borrow().as_deref().map(read)
    }

    /// Changes the meta data, making them if there are none. `change` must not run foreign code or drop tensors.
    pub(crate) fn meta_mut<R>(&self, change: impl FnOnce(&mut Meta) -> R) -> R {
        change(self.0.meta.borrow_mut().get_or_insert_default())
    }

    /// Whether operations on this tensor are recorded.
    #[inline]
    pub fn requires_grad(&self) -> bool {
        self.has_flag(flag::LEAF_REQUIRES_GRAD | flag::HAS_GRAD_FN)
            || (self.has_flag(flag::VIEW) && view::base_requires_grad(self))
            || (self.is_batched() && self.physical().requires_grad())
    }

    /// Whether this tensor was made by the user rather than by a recorded operation.
    pub fn is_leaf(&self) -> bool {
        if self.is_batched() {
            return self.physical().is_leaf();
        }
        let stale = self.has_flag(flag::VIEW) && view::is_stale_with_history(self);
        !(stale || self.has_flag(flag::HAS_GRAD_FN))
    }

    /// Asks for (or stops asking for) the gradient of this leaf.
    pub fn set_requires_grad(&self, requires: bool) -> Result<()> {
        if self.is_batched() {
            return self.physical().set_requires_grad(requires);
        }
        if requires && !self.dtype().is_differentiable() {
            bail!(
                Runtime,
                "requires_grad: only tensors of floating point dtype can require gradients, this one is {}",
                self.dtype()
            );
        }
        if requires && self.has_flag(flag::INFERENCE) && !modes::inference() {
            bail!(
                Runtime,
                "requires_grad cannot be set on an inference tensor outside inference mode: make a clone() of it first"
            );
        }
        if !self.is_leaf() {
            if !requires {
                bail!(
                    Runtime,
                    "requires_grad can only be switched off on a leaf; use detach() to get a tensor that is not part \
                     of the graph"
                );
            }
            return Ok(());
        }
        self.set_flag(flag::LEAF_REQUIRES_GRAD, requires);
        Ok(())
    }

    /// The accumulated gradient.
    pub fn grad(&self) -> Option<Tensor> {
        if self.is_batched() {
            return self.physical().grad().map(|grad| batch::wrap(grad, self.levels()));
        }
        self.meta(|meta| meta.grad.clone()).flatten()
    }

    /// Replaces the accumulated gradient without a check.
    pub fn set_grad(&self, grad: Option<Tensor>) {
        if grad.is_none() && self.0.meta.borrow().is_none() {
            return;
        }
        if grad.as_ref().is_some_and(Tensor::requires_grad) {
            cycles::suspect(self);
        }
        let previous = self.meta_mut(|meta| std::mem::replace(&mut meta.grad, grad));
        drop(previous);
    }

    /// The node that made this tensor; `None` for a leaf. A view whose base was changed gets a new one here.
    pub fn grad_fn(&self) -> Result<Option<Node>> {
        if self.is_batched() {
            return self.physical().grad_fn();
        }
        if self.has_flag(flag::VIEW) {
            view::refresh(self)?;
        }
        Ok(self.0.grad_fn.borrow().clone())
    }

    /// Makes this tensor a result of `node`.
    pub(crate) fn set_history(&self, node: Node, output_nr: u32) {
        self.set_flag(flag::HAS_GRAD_FN, true);
        self.set_flag(flag::LEAF_REQUIRES_GRAD, false);
        self.0.output_nr.set(output_nr);
        let previous = self.0.grad_fn.replace(Some(node));
        drop(previous);
        self.forget_own_hook();
    }

    /// Forgets the node that made this tensor.
    pub fn clear_history(&self) {
        self.set_flag(flag::HAS_GRAD_FN | flag::LEAF_REQUIRES_GRAD, false);
        self.0.output_nr.set(0);
        let previous = self.0.grad_fn.replace(None);
        drop(previous);
        self.forget_own_hook();
    }

    /// The hooks of a tensor belong to the history that it had when they were registered.
    fn forget_own_hook(&self) {
        if self.0.meta.borrow().is_some() {
            let previous = self.meta_mut(|meta| meta.hook.take());
            drop(previous);
        }
    }

    /// Where a gradient of this tensor goes: its node, or for a leaf the node that accumulates.
    pub fn gradient_edge(&self) -> Result<Option<Edge>> {
        if self.is_batched() {
            return self.physical().gradient_edge();
        }
        if let Some(node) = self.grad_fn()? {
            return Ok(Some(Edge { node, input_nr: self.0.output_nr.get() }));
        }
        Ok(self.has_flag(flag::LEAF_REQUIRES_GRAD).then(|| Edge { node: accumulate::accumulator(self), input_nr: 0 }))
    }

    /// Keeps the gradient of a result in its `grad` too.
    pub fn retain_grad(&self) -> Result<()> {
        if self.is_batched() {
            return self.physical().retain_grad();
        }
        if !self.requires_grad() {
            bail!(Runtime, "retain_grad() needs a tensor that requires grad, this one does not");
        }
        if let Some(node) = self.grad_fn()?
            && !self.retains_grad()
        {
            self.meta_mut(|meta| meta.retains_grad = true);
            node.retain_grad_of(self);
        }
        Ok(())
    }

    /// Whether the gradient of this result is kept in its `grad` too.
    pub fn retains_grad(&self) -> bool {
        self.physical().meta(|meta| meta.retains_grad).unwrap_or(false)
    }

    /// The base whose memory and history this tensor shares.
    pub fn base(&self) -> Option<Tensor> {
        self.meta(|meta| meta.view.as_ref().map(|view| view.base.clone())).flatten()
    }

    /// How often the memory was changed in place.
    pub fn version(&self) -> u32 {
        self.data().version().get()
    }

    /// A weak handle, for those whom the tensor itself keeps alive.
    pub(crate) fn downgrade(&self) -> Weak<TensorCell> {
        std::rc::Rc::downgrade(&self.0)
    }
}
