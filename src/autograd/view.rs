//! Views under in-place changes: who may change what, and how the history of the base follows.
//!
//! # Note: In-place on a view
//! A view and its base share memory, so a change of one changes the value, and with it the history, of the other.
//! When an operation changes a view in place, its node `f` is wrapped in a [`CopySlices`] node, which becomes the
//! history of the *base*: it cuts the view's part out of the base's gradient, sends it through `f`, and puts what
//! comes out back in its place. The view itself, and every other view of the base, notices by the change counter
//! that its `grad_fn` is out of date, and gets a fresh one, `AsStridedBackward0`, from the base's new history when
//! somebody asks ([`refresh`]). This is PyTorch's scheme, described in the notes of its `variable.h`.

use smallvec::SmallVec;

use crate::autograd::cycles::Member;
use crate::autograd::forward;
use crate::autograd::meta::{Creation, View};
use crate::autograd::node::{Body, Function, Gradients, Node, OutputMeta};
use crate::autograd::{modes, primitives, record};
use crate::bail;
use crate::error::Result;
use crate::op;
use crate::shape::{Dims, Ints};
use crate::tensor::{Tensor, flag};
use crate::value::Value;

/// Sizes, strides and offset of a view, and whether it counts in pairs of real numbers.
#[derive(Clone)]
struct Geometry {
    sizes: Dims,
    strides: Dims,
    offset: usize,
    complex: bool,
}

impl Geometry {
    fn of(tensor: &Tensor) -> Geometry {
        let data = tensor.data();
        let (sizes, strides) = (data.sizes.clone(), data.strides.clone());
        Geometry { sizes, strides, offset: data.offset, complex: data.dtype.is_complex() }
    }

    /// The part of `tensor` with this geometry.
    ///
    /// A complex tensor may be seen as a real one (`view_as_real`) and the other way round (`view_as_complex`).
    fn apply(&self, tensor: &Tensor) -> Result<Tensor> {
        let part = |of: &Geometry, tensor: &Tensor| primitives::call("_as_strided", &of.arguments(tensor));
        match (self.complex, tensor.dtype().is_complex()) {
            (false, true) => part(self, &primitives::call("view_as_real", &[Value::Tensor(tensor.clone())])?),
            (true, false) => {
                let pairs = part(&self.of_parts(), tensor)?;
                primitives::call("view_as_complex", &[Value::Tensor(pairs)])
            }
            _ => part(self, tensor),
        }
    }

    /// The same elements, each a pair of real numbers.
    fn of_parts(&self) -> Geometry {
        let mut parts = self.clone();
        parts.complex = false;
        parts.offset *= 2;
        parts.strides.iter_mut().for_each(|stride| *stride *= 2);
        parts.sizes.push(2);
        parts.strides.push(1);
        parts
    }

    /// This geometry from the first element of `base` on.
    fn within(&self, base: &Geometry) -> Geometry {
        let first = match (self.complex, base.complex) {
            (false, true) => 2 * base.offset,
            (true, false) => base.offset / 2,
            _ => base.offset,
        };
        Geometry { offset: self.offset - first, ..self.clone() }
    }

    /// The arguments of `_as_strided`: this geometry, and that of the tensor it is applied to.
    fn arguments(&self, tensor: &Tensor) -> [Value; 7] {
        let ints = |dims: &Dims| Value::Ints(dims.iter().map(|&n| n as i64).collect::<Ints>());
        let offset = |n: usize| Value::Scalar((n as i64).into());
        let whole = Geometry::of(tensor);
        [
            Value::Tensor(tensor.clone()),
            ints(&self.sizes),
            ints(&self.strides),
            offset(self.offset),
            ints(&whole.sizes),
            ints(&whole.strides),
            offset(whole.offset),
        ]
    }
}

/// The part of `tensor`, which has the geometry of the base of `view`, that `view` shows of its base.
pub(crate) fn same_part(view: &Tensor, base: &Tensor, tensor: &Tensor) -> Result<Tensor> {
    Geometry::of(view).within(&Geometry::of(base)).apply(tensor)
}

/// The base of a view and the change counter for which its `grad_fn` holds.
fn view_of(tensor: &Tensor) -> Option<(Tensor, u32, Creation)> {
    tensor.meta(|meta| meta.view.as_ref().map(|v| (v.base.clone(), v.version.get(), v.creation.get()))).flatten()
}

fn with_view(tensor: &Tensor, change: impl FnOnce(&View)) {
    tensor.meta(|meta| meta.view.as_ref().map(change));
}

/// Whether the base of a view requires grad: then the view does, also if it was made without being recorded.
pub fn base_requires_grad(tensor: &Tensor) -> bool {
    // A view as integers has no gradient.
    if !tensor.dtype().is_differentiable() {
        return false;
    }
    tensor.meta(|meta| meta.view.as_ref().is_some_and(|view| view.base.requires_grad())).unwrap_or(false)
}

/// Whether a view's memory was changed by an operation that gave its base a history the view has not seen.
pub fn is_stale_with_history(tensor: &Tensor) -> bool {
    view_of(tensor).is_some_and(|(base, version, _)| version != tensor.version() && base.requires_grad())
}

/// Brings the `grad_fn` of a view up to date.
pub fn refresh(tensor: &Tensor) -> Result<()> {
    let Some((base, version, creation)) = view_of(tensor) else { return Ok(()) };
    let now = tensor.version();
    if version == now || !(base.requires_grad() || tensor.has_flag(flag::HAS_GRAD_FN)) {
        return Ok(());
    }
    if let Some(origin) = creation.restriction() {
        bail!(
            Runtime,
            "the gradient of a view cannot be followed: its base, or another view of it, was changed in place{}, and \
             this view {origin}; make the view after the change, or clone() it before",
            tensor.data().version().describe_writer()
        );
    }
    let node = fresh_node(tensor, &base)?;
    let retained = take_retained(tensor);
    tensor.set_history(node, 0);
    if retained {
        tensor.grad_fn_now().inspect(|node| node.retain_grad_of(tensor));
    }
    with_view(tensor, |view| view.version.set(now));
    Ok(())
}

/// The recording of a view as it would be made from its base now.
fn fresh_node(view: &Tensor, base: &Tensor) -> Result<Node> {
    let geometry = Geometry::of(view);
    if geometry.complex != base.dtype().is_complex() {
        let _on = modes::GradMode::set(true);
        let again = geometry.apply(base)?;
        if let Some(node) = again.grad_fn_now() {
            return Ok(node);
        }
    }
    let Some(op) = op::find("_as_strided", "") else { bail!(Runtime, "_as_strided is not registered") };
    let edges = SmallVec::from_elem(base.gradient_edge()?, 1);
    let node = Node::new(Body::Op(op), edges, SmallVec::from_elem(OutputMeta::of(view), 1));
    for (i, value) in geometry.arguments(base).iter().enumerate().skip(1) {
        node.keep_argument(i as u8, value)?;
    }
    Ok(node)
}

/// Takes the wish to keep a tensor's gradient away from its node; true if there was one.
fn take_retained(tensor: &Tensor) -> bool {
    let Some(old) = tensor.grad_fn_now() else { return false };
    old.stop_retaining(tensor)
}

impl Tensor {
    /// `grad_fn` as it stands, out of date or not.
    pub(crate) fn grad_fn_now(&self) -> Option<Node> {
        self.0.grad_fn.borrow().clone()
    }
}

/// Refuses in-place changes that have no gradient.
pub fn check_in_place(name: &str, target: &Tensor) -> Result<()> {
    let Some((base, _, creation)) = view_of(target) else { return check_leaf(name, target) };
    if let Some(origin) = creation.restriction() {
        bail!(
            Runtime,
            "{name}_: a view cannot be changed in place if it {origin}; make the view and the change under the same \
             mode, or clone() the view"
        );
    }
    if base.is_leaf() && target.requires_grad() {
        bail!(
            Runtime,
            "{name}_: a view of a leaf tensor that requires grad cannot be changed in place while operations are \
             recorded; do it under no_grad(), or change a view of a copy"
        );
    }
    check_leaf(name, target)
}

fn check_leaf(name: &str, target: &Tensor) -> Result<()> {
    if target.has_flag(flag::LEAF_REQUIRES_GRAD) {
        bail!(
            Runtime,
            "{name}_: a leaf tensor that requires grad cannot be changed in place while operations are recorded; do \
             it under no_grad(), or change a copy"
        );
    }
    Ok(())
}

/// Gives `target` the geometry of a view of it: `transpose_` and its like. The memory stays as it is.
///
/// A view then gets its history from its base by its new geometry; any other tensor that of the view.
pub(crate) fn change_geometry(op: &'static op::Op, arguments: &[Value], target: &Tensor) -> Result<Tensor> {
    if modes::grad_enabled() && target.requires_grad() {
        check_in_place(op.name, target)?;
    }
    let before = target.detach();
    if let Some(edge) = target.gradient_edge()?.filter(|_| !target.is_leaf()) {
        before.set_history(edge.node, edge.input_nr);
    }
    forward::set_tangent(&before, forward::tangent(target));
    let mut arguments: SmallVec<[Value; 4]> = arguments.iter().cloned().collect();
    arguments[0] = Value::Tensor(before);
    let seen = record::call_one(op, &arguments)?;
    let data = seen.data().clone();
    target.set_data(data);
    target.data().version().bump();
    if view_of(target).is_none()
        && let Some(node) = seen.grad_fn_now()
    {
        let retained = take_retained(target);
        target.set_history(node, 0);
        if retained {
            target.grad_fn_now().inspect(|node| node.retain_grad_of(target));
        }
    }
    forward::set_tangent(target, forward::tangent(&seen));
    Ok(target.clone())
}

/// The values and the history that `target` has now, for formulas that need them after it has changed.
pub fn original(target: &Tensor) -> Result<Tensor> {
    let copied = target.copied_alike(target.dtype())?;
    if let Some(edge) = target.gradient_edge()? {
        copied.set_history(edge.node, edge.input_nr);
    }
    if let Some(tangent) = forward::tangent(target) {
        // The target's tangent is going to change in place too.
        forward::set_tangent(&copied, Some(primitives::call("clone", &[Value::Tensor(tangent)])?));
    }
    Ok(copied)
}

/// Makes `node`, the recording of an in-place change of `target`, part of the history.
pub fn rebase_history(target: &Tensor, node: Node) -> Result<()> {
    rebase_history_as(target, node, 0)
}

/// The same, with `target` as result `output_nr` of the node.
pub fn rebase_history_as(target: &Tensor, node: Node, output_nr: u32) -> Result<()> {
    let retained = take_retained(target);
    if let Some((base, ..)) = view_of(target) {
        let base_edge = base.gradient_edge()?;
        let mut edges = node.edges();
        let first = edges.first_mut();
        debug_assert!(first.is_some(), "an in-place operation has an edge for its target");
        if let Some(first) = first {
            *first = base_edge;
        }
        let body = CopySlices { base: Geometry::of(&base), view: Geometry::of(target), inner: node.clone() };
        let outputs = SmallVec::from_elem(OutputMeta::of(&base), 1);
        let copy_slices = Node::new(Body::Function(Box::new(body)), edges, outputs);
        let base_retained = take_retained(&base);
        base.set_history(copy_slices, 0);
        if base_retained {
            base.grad_fn_now().inspect(|node| node.retain_grad_of(&base));
        }
        target.set_flag(flag::LEAF_REQUIRES_GRAD, false);
        refresh(target)?;
    } else {
        target.set_history(node, output_nr);
    }
    if retained {
        target.grad_fn_now().inspect(|node| node.retain_grad_of(target));
    }
    Ok(())
}

/// See Note: In-place on a view.
struct CopySlices {
    base: Geometry,
    view: Geometry,
    inner: Node,
}

impl Function for CopySlices {
    fn name(&self) -> String {
        "CopySlices".into()
    }

    fn backward(&self, node: &Node, gradients: &Gradients) -> Result<Gradients> {
        let edges = node.edges();
        let mut result = Gradients::from_elem(None, edges.len());
        let Some(Some(gradient)) = gradients.first() else { return Ok(result) };
        // The base's gradient in the base's own memory layout, so that the view's geometry applies to it.
        let whole = Tensor::empty_spread(&self.base.sizes, &self.base.strides, gradient.dtype())?;
        let whole = primitives::call_in_place("copy", &[Value::Tensor(whole), Value::Tensor(gradient.clone())])?;
        let part = self.view.within(&self.base).apply(&whole)?;
        let inner = self
            .inner
            .apply(&Gradients::from_elem(Some(primitives::call("clone", &[Value::Tensor(part.clone())])?), 1))?;
        for (i, gradient) in inner.into_iter().enumerate() {
            if i > 0 {
                result[i] = gradient;
                continue;
            }
            match gradient {
                Some(gradient) => {
                    primitives::call_in_place("copy", &[Value::Tensor(part.clone()), Value::Tensor(gradient)])?;
                }
                None => {
                    let zero = Tensor::zeros(&[], part.dtype())?;
                    primitives::call_in_place("copy", &[Value::Tensor(part.clone()), Value::Tensor(zero)])?;
                }
            }
        }
        if edges.first().is_some_and(Option::is_some) {
            result[0] = Some(whole);
        }
        Ok(result)
    }

    fn visit(&self, visit: &mut dyn FnMut(Member)) {
        visit(Member::Node(self.inner.clone()));
    }

    fn release(&self) {
        self.inner.release();
    }
}
