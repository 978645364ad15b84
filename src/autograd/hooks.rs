//! Functions of the user that see gradients on their way, and may replace them.
//!
//! A gradient that arrives at a node passes, in this order: the hooks of the tensor that it belongs to, the wish to
//! keep it in `grad`, the node's hooks before, the node itself, for a leaf its hooks after accumulation, and the
//! node's hooks after.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};

use crate::autograd::forward;
use crate::autograd::node::{Body, Gradients, Node};
use crate::error::Result;
use crate::tensor::{Tensor, TensorCell};

/// A hook, or an ordered collection of hooks that grows and shrinks.
pub trait Hook {
    /// The gradients to go on with.
    ///
    /// A hook of a tensor gets its gradient alone; a hook before a node what arrived there; a hook after a node what
    /// the node gives, and besides, in `arrived`, what it was computed from.
    fn run(&self, gradients: Gradients, arrived: &Gradients) -> Result<Gradients>;

    /// The object of the embedding language that this hook keeps alive, for its garbage collector.
    fn object(&self) -> Option<NonNull<c_void>> {
        None
    }
}

/// A hook of a leaf that runs after a gradient was added to its `grad`.
pub trait LeafHook {
    fn run(&self, leaf: &Tensor) -> Result<()>;

    /// As for [`Hook::object`].
    fn object(&self) -> Option<NonNull<c_void>> {
        None
    }
}

/// An object of the embedding language that lives as long as the node it was given to.
pub trait Attachment {
    fn object(&self) -> NonNull<c_void>;
}

/// The hooks of one node, and what else was attached to it; few nodes have any.
#[derive(Default)]
pub struct Hooks {
    /// Of results, by output number, in the order of their registration.
    pub(crate) results: Vec<(u32, Rc<dyn Hook>)>,
    pub(crate) before: Vec<Rc<dyn Hook>>,
    pub(crate) after: Vec<Rc<dyn Hook>>,
    /// Results whose gradient is kept, by output number.
    pub(crate) retaining: Vec<(u32, Weak<TensorCell>)>,
    pub(crate) attachment: Option<Box<dyn Attachment>>,
    /// Tangents of results, by output number, for formulas that read a saved result.
    tangents: Vec<(u32, Tensor)>,
}

impl Hooks {
    /// The objects that the garbage collector of the embedding language has to know of.
    fn objects(&self, known: Option<&Rc<dyn Hook>>) -> impl Iterator<Item = NonNull<c_void>> {
        let results = self.results.iter().map(|row| &row.1);
        // The holder of the known hook has a handle on it, and so has its caller.
        let alone = move |hook: &&Rc<dyn Hook>| match known.is_some_and(|known| Rc::ptr_eq(known, hook)) {
            true => Rc::strong_count(hook) == 3,
            false => Rc::strong_count(hook) == 1,
        };
        let hooks = results.chain(&self.before).chain(&self.after).filter(alone).filter_map(|hook| hook.object());
        hooks.chain(self.attachment.as_deref().map(Attachment::object))
    }
}

impl Node {
    fn hooks<R>(&self, read: impl FnOnce(&Hooks) -> R) -> Option<R> {
        self.0.state.borrow().hooks.as_deref().map(read)
    }

    fn hooks_mut<R>(&self, change: impl FnOnce(&mut Hooks) -> R) -> R {
        change(self.0.state.borrow_mut().hooks.get_or_insert_default())
    }

    /// The hooks that run before the node, first the one registered first.
    pub fn hooks_before(&self) -> Vec<Rc<dyn Hook>> {
        self.hooks(|hooks| hooks.before.clone()).unwrap_or_default()
    }

    /// The hooks that run after the node, first the one registered first.
    pub fn hooks_after(&self) -> Vec<Rc<dyn Hook>> {
        self.hooks(|hooks| hooks.after.clone()).unwrap_or_default()
    }

    /// The object that was attached to this node.
    pub fn attachment(&self) -> Option<NonNull<c_void>> {
        self.hooks(|hooks| hooks.attachment.as_deref().map(Attachment::object)).flatten()
    }

    /// Attaches an object to this node.
    pub fn attach(&self, attachment: Box<dyn Attachment>) {
        let previous = self.hooks_mut(|hooks| hooks.attachment.replace(attachment));
        drop(previous);
    }

    /// Calls `visit` with each object of the embedding language that this node alone keeps alive, or that it shares
    /// with the holder of `known` only.
    pub fn visit_objects(&self, known: Option<&Rc<dyn Hook>>, visit: &mut dyn FnMut(NonNull<c_void>)) {
        // Called by a garbage collector at any time: a node that is being changed just now is left out.
        let Ok(state) = self.0.state.try_borrow() else { return };
        state.saved.objects().for_each(&mut *visit);
        if let Some(hooks) = state.hooks.as_deref() {
            hooks.objects(known).for_each(&mut *visit);
        }
        if let Body::Function(function) = &self.0.body
            && let Some(object) = function.object()
        {
            visit(object);
        }
    }

    /// Calls `visit` with each node that this one alone holds, by an edge.
    pub fn visit_own_edges(&self, visit: &mut dyn FnMut(Node)) {
        let Ok(state) = self.0.state.try_borrow() else { return };
        for edge in state.edges.iter().flatten().filter(|edge| Rc::strong_count(&edge.node.0) == 1) {
            visit(edge.node.clone());
        }
    }

    /// Lets `hook` see the gradient of result `output_nr`.
    pub fn add_result_hook(&self, output_nr: u32, hook: Rc<dyn Hook>) {
        self.hooks_mut(|hooks| hooks.results.push((output_nr, hook)));
    }

    /// Lets `hook` see the gradients before the node runs.
    pub fn add_hook_before(&self, hook: Rc<dyn Hook>) {
        self.hooks_mut(|hooks| hooks.before.push(hook));
    }

    /// Lets `hook` see the gradients after the node has run.
    pub fn add_hook_after(&self, hook: Rc<dyn Hook>) {
        self.hooks_mut(|hooks| hooks.after.push(hook));
    }

    /// Keeps the tangents that the results have.
    pub(crate) fn keep_tangents(&self, outputs: &[Tensor]) {
        let tangents = outputs.iter().enumerate().filter_map(|(i, output)| Some((i as u32, forward::tangent(output)?)));
        let tangents: Vec<(u32, Tensor)> = tangents.collect();
        if !tangents.is_empty() {
            forward::remember_node(self);
            self.replace_tangents(tangents);
        }
    }

    fn replace_tangents(&self, tangents: Vec<(u32, Tensor)>) {
        let previous = self.hooks_mut(|hooks| std::mem::replace(&mut hooks.tangents, tangents));
        drop(previous);
    }

    pub(crate) fn forget_tangents(&self) {
        if self.0.state.borrow().hooks.is_some() {
            self.replace_tangents(Vec::new());
        }
    }

    /// The tangent of result `output_nr`.
    pub(crate) fn tangent_of(&self, output_nr: u32) -> Option<Tensor> {
        let find = |hooks: &Hooks| hooks.tangents.iter().find(|row| row.0 == output_nr).map(|row| row.1.clone());
        self.hooks(find).flatten()
    }

    /// Makes sure that the gradient of `tensor`, a result of this node, is kept.
    pub(crate) fn retain_grad_of(&self, tensor: &Tensor) {
        self.hooks_mut(|hooks| hooks.retaining.push((tensor.0.output_nr.get(), tensor.downgrade())));
    }

    /// The results whose gradient is kept.
    pub(crate) fn retaining(&self) -> Vec<(u32, Tensor)> {
        let living = |(nr, weak): &(u32, Weak<TensorCell>)| Some((*nr, Tensor(weak.upgrade()?)));
        self.hooks(|hooks| hooks.retaining.iter().filter_map(living).collect()).unwrap_or_default()
    }

    /// Stops keeping the gradient of `tensor`; true if it was kept.
    pub(crate) fn stop_retaining(&self, tensor: &Tensor) -> bool {
        if self.0.state.borrow().hooks.is_none() {
            return false;
        }
        self.hooks_mut(|hooks| {
            let before = hooks.retaining.len();
            hooks.retaining.retain(|(_, weak)| weak.as_ptr() != Rc::as_ptr(&tensor.0));
            hooks.retaining.len() < before
        })
    }

    /// Sends the gradients that arrived past the hooks of the results, a leaf's own among them.
    pub(crate) fn run_result_hooks(&self, mut gradients: Gradients) -> Result<Gradients> {
        if let Some(hook) = self.variable().and_then(|leaf| leaf.own_hook()) {
            gradients = run_on_slot(&*hook, gradients, 0)?;
        }
        let hooks = self.hooks(|hooks| hooks.results.clone()).unwrap_or_default();
        for (output_nr, hook) in hooks {
            gradients = run_on_slot(&*hook, gradients, output_nr as usize)?;
        }
        Ok(gradients)
    }

    pub(crate) fn run_hooks_before(&self, mut gradients: Gradients) -> Result<Gradients> {
        let hooks = self.hooks_before();
        if !hooks.is_empty() {
            let results = self.0.state.borrow().outputs.len();
            gradients.resize(results.max(gradients.len()), None);
        }
        for hook in hooks {
            gradients = hook.run(gradients, &Gradients::new())?;
        }
        Ok(gradients)
    }

    pub(crate) fn run_hooks_after(&self, mut given: Gradients, arrived: &Gradients) -> Result<Gradients> {
        for hook in self.hooks_after() {
            given = hook.run(given, arrived)?;
        }
        Ok(given)
    }

    /// Whether a gradient that arrives or leaves has to pass anything.
    #[inline]
    pub(crate) fn has_hooks(&self) -> bool {
        self.0.state.borrow().hooks.is_some() || self.variable().is_some_and(|leaf| leaf.own_hook().is_some())
    }
}

/// Runs the hook of a tensor on its gradient, if one arrived.
fn run_on_slot(hook: &dyn Hook, mut gradients: Gradients, slot: usize) -> Result<Gradients> {
    let Some(Some(gradient)) = gradients.get(slot) else { return Ok(gradients) };
    let replaced = hook.run(Gradients::from_elem(Some(gradient.clone()), 1), &Gradients::new())?;
    gradients[slot] = replaced.into_iter().next().flatten();
    Ok(gradients)
}

impl Tensor {
    /// The hook that stands for all that were registered on this tensor since it has its present history.
    pub fn own_hook(&self) -> Option<Rc<dyn Hook>> {
        self.meta(|meta| meta.hook.clone()).flatten()
    }

    /// Gives this tensor, which requires grad and has no hook yet, one.
    pub fn set_own_hook(&self, hook: Option<Rc<dyn Hook>>) -> Result<()> {
        let node = self.grad_fn()?;
        let previous = self.meta_mut(|meta| std::mem::replace(&mut meta.hook, hook.clone()));
        if let (Some(node), Some(hook)) = (node, hook) {
            node.add_result_hook(self.0.output_nr.get(), hook);
        }
        drop(previous);
        Ok(())
    }

    /// The hook that runs after a gradient was added to this leaf's `grad`.
    pub fn leaf_hook(&self) -> Option<Rc<dyn LeafHook>> {
        self.meta(|meta| meta.leaf_hook.clone()).flatten()
    }

    pub fn set_leaf_hook(&self, hook: Option<Rc<dyn LeafHook>>) {
        let previous = self.meta_mut(|meta| std::mem::replace(&mut meta.leaf_hook, hook));
        drop(previous);
    }
}
