//! The node that adds gradients to a leaf.

use std::rc::Rc;

use smallvec::SmallVec;

use crate::autograd::cycles::Member;
use crate::autograd::modes;
use crate::autograd::node::{Body, FIRST, Function, Gradients, Node, OutputMeta};
use crate::autograd::primitives;
use crate::bail;
use crate::error::Result;
use crate::tensor::Tensor;
use crate::value::Value;

struct AccumulateGrad(Tensor);

/// The accumulating node of a leaf: the same one as long as somebody holds it.
pub fn accumulator(leaf: &Tensor) -> Node {
    if let Some(cell) = leaf.meta(|meta| meta.accumulator.upgrade()).flatten() {
        return Node(cell);
    }
    let outputs = SmallVec::from([OutputMeta::of(leaf)]);
    let body = Body::Function(Box::new(AccumulateGrad(leaf.clone())));
    let node = Node::with_sequence(body, SmallVec::new(), outputs, FIRST);
    leaf.meta_mut(|meta| meta.accumulator = Rc::downgrade(&node.0));
    node
}

impl Function for AccumulateGrad {
    fn name(&self) -> String {
        "AccumulateGrad".into()
    }

    fn variable(&self) -> Option<&Tensor> {
        Some(&self.0)
    }

    fn visit(&self, visit: &mut dyn FnMut(Member)) {
        visit(Member::Tensor(self.0.clone()));
    }

    fn backward(&self, _: &Node, gradients: &Gradients) -> Result<Gradients> {
        if self.0.grad_fn()?.is_some() {
            bail!(
                Runtime,
                "a leaf variable has been moved into the graph interior: a tensor of size {} was changed in place after \
                 it was used as a leaf, and is now the result of an operation",
                crate::shape::show(&self.0.sizes())
            );
        }
        if let Some(Some(gradient)) = gradients.first() {
            accumulate(&self.0, gradient.clone())?;
            if let Some(hook) = self.0.leaf_hook() {
                hook.run(&self.0)?;
            }
        }
        Ok(Gradients::new())
    }
}

/// Adds `gradient` to the `grad` of a leaf.
///
/// The first gradient moves in without a copy if nobody else can see its memory; later ones are added in place
/// while nothing is recorded, so that `leaf.grad` stays the same tensor.
fn accumulate(leaf: &Tensor, gradient: Tensor) -> Result<()> {
    match leaf.grad() {
        None if modes::grad_enabled() => leaf.set_grad(Some(primitives::call("clone", &[Value::Tensor(gradient)])?)),
        None => {
            // The engine's buffer holds one handle besides ours.
            let alone = gradient.handles() <= 2 && gradient.data().storage.handles() == 1;
            let fits = gradient.is_contiguous() || gradient.strides() == leaf.strides();
            let first = if alone && fits { gradient.detach() } else { gradient.copied(gradient.dtype())? };
            leaf.set_grad(Some(first));
        }
        Some(held) if modes::grad_enabled() => {
            leaf.set_grad(Some(primitives::call("add", &[Value::Tensor(held), Value::Tensor(gradient)])?));
        }
        Some(held) => {
            primitives::call_in_place("add", &[Value::Tensor(held), Value::Tensor(gradient)])?;
        }
    }
    Ok(())
}
