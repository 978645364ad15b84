//! What a node keeps for its backward pass.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use smallvec::SmallVec;

use crate::autograd::cycles::Member;
use crate::autograd::forward;
use crate::autograd::modes::GradMode;
use crate::autograd::node::{Edge, Node, NodeCell};
use crate::error::Result;
use crate::op::OUTPUT;
use crate::shape::show;
use crate::tensor::{Tensor, flag};
use crate::trace::Trace;
use crate::value::Value;
use crate::{bail, error};

/// The saved arguments and results of an operation, and whether they are still there.
#[derive(Default)]
pub struct Saved {
    values: SmallVec<[(u8, SavedValue); 2]>,
    /// Lengths of list arguments, by parameter: they decide how many edges the parameter has.
    lists: SmallVec<[(u8, u32); 0]>,
    released: bool,
    /// A backward pass has run the node and freed what it saved, if anything.
    spent: bool,
    /// The node counts as one that was built on a spent one.
    counted: bool,
}

/// Memory that a node keeps.
pub struct Holding {
    /// The address of the memory, as it is shared by tensors.
    pub address: usize,
    pub bytes: usize,
    /// Whether a leaf that requires grad keeps it anyway.
    pub leaf: bool,
}

impl Holding {
    pub fn of(tensor: &Tensor) -> Holding {
        let base = tensor.meta(|meta| meta.view.as_ref().map(|view| view.base.clone())).flatten();
        let leaf = base.as_ref().unwrap_or(tensor).has_flag(flag::LEAF_REQUIRES_GRAD);
        let data = tensor.data();
        Holding { address: data.storage.pointer() as usize, bytes: data.storage.bytes(), leaf }
    }
}

#[derive(Clone)]
enum SavedValue {
    Tensor(SavedTensor),
    List(Rc<[Option<SavedTensor>]>),
    Plain(Value),
}

/// A tensor as a node keeps it.
#[derive(Clone)]
pub enum SavedTensor {
    Kept(KeptTensor),
    /// In the form that a hook gave it.
    Packed(Rc<PackedTensor>),
}

/// A tensor and the change counter at which its values were right.
#[derive(Clone)]
pub struct KeptTensor {
    tensor: Tensor,
    version: u32,
    /// For a result of the node itself: its output number. It is kept without its `grad_fn`, which would be a
    /// cycle, and gets it back when it is unpacked.
    output_nr: Option<u32>,
    /// The node that an in-place result of a view belongs to instead.
    owner: Option<Weak<NodeCell>>,
}

/// What a hook made of a tensor, and what the tensor needs to get back its place in the graph.
pub struct PackedTensor {
    form: Box<dyn Packed>,
    origin: Origin,
}

enum Origin {
    /// An argument: where its gradient goes, and whether that is the node which accumulates for a leaf.
    Argument {
        edge: Option<Edge>,
        leaf: bool,
    },
    Result {
        output_nr: u32,
        owner: Option<Weak<NodeCell>>,
    },
}

/// Hooks that keep saved tensors in a form of their own: on disk, compressed, or not at all.
pub trait SavingHooks {
    fn pack(&self, tensor: &Tensor) -> Result<Box<dyn Packed>>;
}

/// A packed tensor.
pub trait Packed {
    fn unpack(&self) -> Result<Tensor>;

    /// The objects of the embedding language that it keeps alive, for its garbage collector.
    fn objects(&self) -> SmallVec<[NonNull<c_void>; 2]> {
        SmallVec::new()
    }
}

thread_local! {
    /// The hooks of the `with` blocks that this thread is in; the innermost counts.
    static HOOKS: RefCell<Vec<Rc<dyn SavingHooks>>> = const { RefCell::new(Vec::new()) };
}

/// Whether any thread ever had hooks: until then, to save a tensor costs one look at a flag.
static HOOKED: AtomicBool = AtomicBool::new(false);

/// The hooks that tensors pass now.
#[inline]
fn hooks() -> Option<Rc<dyn SavingHooks>> {
    if HOOKED.load(Relaxed) { HOOKS.with_borrow(|all| all.last().cloned()) } else { None }
}

/// Lets tensors that this thread saves from now on pass `hooks`.
pub fn push_hooks(hooks: Rc<dyn SavingHooks>) {
    HOOKED.store(true, Relaxed);
    HOOKS.with_borrow_mut(|all| all.push(hooks));
}

/// Ends what the latest [`push_hooks`] began.
pub fn pop_hooks() {
    let popped = HOOKS.with_borrow_mut(Vec::pop);
    drop(popped);
}

/// What is told of a tensor before it is changed in place.
pub type Watcher = Rc<dyn Fn(&Tensor) -> Result<()>>;

/// How many threads have a watcher: while there is none, a change in place pays one look at a number.
static WATCHERS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Lets `watcher` know of the changes in place that this thread makes from now on.
pub fn watch_changes(watcher: Option<Watcher>) {
    let added = watcher.is_some();
    let previous = WATCHER.replace(watcher);
    match (added, previous.is_some()) {
        (true, false) => _ = WATCHERS.fetch_add(1, Relaxed),
        (false, true) => _ = WATCHERS.fetch_sub(1, Relaxed),
        _ => {}
    }
}

/// To be called before `target` is changed in place.
#[inline]
pub(crate) fn before_change(target: &Tensor) -> Result<()> {
    if WATCHERS.load(Relaxed) == 0 {
        return Ok(());
    }
    match WATCHER.with_borrow(Clone::clone) {
        Some(watcher) => watcher(target),
        None => Ok(()),
    }
}

/// Takes the hooks of this thread away, to give them back (or others) later.
pub fn replace_hooks(hooks: Vec<Rc<dyn SavingHooks>>) -> Vec<Rc<dyn SavingHooks>> {
    HOOKS.replace(hooks)
}

fn pack(hooks: &dyn SavingHooks, tensor: &Tensor) -> Result<Box<dyn Packed>> {
    let version = tensor.version();
    let _mode = GradMode::set(false);
    let form = hooks.pack(tensor)?;
    if tensor.version() != version {
        bail!(
            Runtime,
            "a pack hook of saved tensors has changed its argument in place, which would change the result of the \
             operation too; let it work on a clone()"
        );
    }
    Ok(form)
}

impl SavedTensor {
    /// Saves an argument.
    pub fn argument(tensor: &Tensor) -> Result<SavedTensor> {
        if tensor.has_flag(flag::INFERENCE) {
            bail!(
                Runtime,
                "an inference tensor, {} of size {}, cannot be saved for backward: use a clone() of it, made outside \
                 inference mode",
                tensor.dtype(),
                show(&tensor.sizes())
            );
        }
        if let Some(hooks) = hooks() {
            return SavedTensor::pack_argument(&*hooks, tensor);
        }
        let kept = KeptTensor { tensor: tensor.clone(), version: tensor.version(), output_nr: None, owner: None };
        Ok(SavedTensor::Kept(kept))
    }

    /// Saves a result of the node itself; one that is a view and was changed in place belongs to another node,
    /// `owner`.
    pub fn result(tensor: &Tensor, output_nr: u32, owner: Option<Weak<NodeCell>>) -> Result<SavedTensor> {
        if let Some(hooks) = hooks() {
            let origin = Origin::Result { output_nr, owner };
            return Ok(SavedTensor::Packed(Rc::new(PackedTensor { form: pack(&*hooks, tensor)?, origin })));
        }
        let tensor = tensor.detach();
        let version = tensor.version();
        Ok(SavedTensor::Kept(KeptTensor { tensor, version, output_nr: Some(output_nr), owner }))
    }

    fn pack_argument(hooks: &dyn SavingHooks, tensor: &Tensor) -> Result<SavedTensor> {
        let edge = tensor.gradient_edge()?;
        let leaf = edge.is_some() && tensor.is_leaf();
        let form = pack(hooks, tensor)?;
        Ok(SavedTensor::Packed(Rc::new(PackedTensor { form, origin: Origin::Argument { edge, leaf } })))
    }

    /// The tensor as it was saved, with its place in the graph; `node` is the one that saved it.
    pub fn unpack(&self, node: &Node) -> Result<Tensor> {
        match self {
            SavedTensor::Kept(kept) => kept.unpack(node),
            SavedTensor::Packed(packed) => packed.unpack(node),
        }
    }

    /// Packs a tensor that is kept as it is.
    pub fn register_hooks(&self, node: &Node, hooks: &dyn SavingHooks) -> Result<SavedTensor> {
        let SavedTensor::Kept(kept) = self else {
            bail!(Runtime, "register_hooks(): this saved tensor has hooks already; it can have one pair");
        };
        let tensor = kept.unpack(node)?;
        match kept.output_nr {
            None => {
                // The hook sees values without history, as nothing it does may be recorded through them.
                let form = pack(hooks, &tensor.detach())?;
                let edge = tensor.gradient_edge()?;
                let leaf = edge.is_some() && tensor.is_leaf();
                Ok(SavedTensor::Packed(Rc::new(PackedTensor { form, origin: Origin::Argument { edge, leaf } })))
            }
            Some(output_nr) => {
                let origin = Origin::Result { output_nr, owner: kept.owner.clone() };
                Ok(SavedTensor::Packed(Rc::new(PackedTensor { form: pack(hooks, &kept.tensor)?, origin })))
            }
        }
    }

    fn bytes(&self) -> usize {
        match self {
            SavedTensor::Kept(kept) => kept.tensor.numel() * kept.tensor.dtype().size(),
            SavedTensor::Packed(_) => 0,
        }
    }

    /// The objects of the embedding language that this alone keeps alive.
    pub fn objects(&self) -> SmallVec<[NonNull<c_void>; 2]> {
        match self {
            SavedTensor::Kept(_) => SmallVec::new(),
            SavedTensor::Packed(packed) if Rc::strong_count(packed) == 1 => packed.form.objects(),
            SavedTensor::Packed(_) => SmallVec::new(),
        }
    }
}

impl KeptTensor {
    fn unpack(&self, node: &Node) -> Result<Tensor> {
        let (now, then) = (self.tensor.version(), self.version);
        if now != then {
            let data = self.tensor.data();
            bail!(
                Runtime,
                "{}: a tensor that it saved for the backward pass, {} of size {}, was modified by an inplace \
                 operation{}: it is at version {now}, and version {then} was saved. Change a copy (clone()) instead, \
                 or make the change after backward()",
                node.describe(),
                data.dtype,
                show(&data.sizes),
                data.version().describe_writer()
            );
        }
        let Some(output_nr) = self.output_nr else {
            return Ok(self.tensor.clone());
        };
        let result = self.tensor.detach();
        if !result.dtype().is_differentiable() {
            return Ok(result);
        }
        result.physical().set_history(owner(self.owner.as_ref(), node), output_nr);
        if let Some(tangent) = node.tangent_of(output_nr) {
            forward::set_tangent(&result, Some(tangent));
        }
        Ok(result)
    }
}

impl PackedTensor {
    fn unpack(&self, node: &Node) -> Result<Tensor> {
        let tensor = self.form.unpack()?;
        match &self.origin {
            Origin::Argument { edge: None, .. } => Ok(tensor),
            Origin::Argument { edge: Some(edge), leaf } => {
                let result = tensor.detach();
                if *leaf {
                    // A leaf of its own whose gradients go to the leaf that was saved.
                    result.set_flag(flag::LEAF_REQUIRES_GRAD, true);
                    result.meta_mut(|meta| meta.accumulator = Rc::downgrade(&edge.node.0));
                } else {
                    result.set_history(edge.node.clone(), edge.input_nr);
                }
                Ok(result)
            }
            Origin::Result { output_nr, owner: weak } => {
                let result = tensor.detach();
                result.set_history(owner(weak.as_ref(), node), *output_nr);
                Ok(result)
            }
        }
    }
}

/// The node that a saved result belongs to.
fn owner(owner: Option<&Weak<NodeCell>>, node: &Node) -> Node {
    owner.and_then(Weak::upgrade).map_or_else(|| node.clone(), Node)
}

impl SavedValue {
    fn argument(value: &Value) -> Result<SavedValue> {
        Ok(match value {
            Value::Tensor(tensor) => SavedValue::Tensor(SavedTensor::argument(tensor)?),
            Value::Tensors(list) => {
                let all = list.iter().map(|item| item.as_ref().map(SavedTensor::argument).transpose());
                SavedValue::List(all.collect::<Result<_>>()?)
            }
            other => SavedValue::Plain(other.clone()),
        })
    }
}

impl Saved {
    /// Saves the tensors that a function of the user asked for.
    pub fn keep_list(&mut self, variable: u8, list: Vec<Option<SavedTensor>>) {
        self.values.push((variable, SavedValue::List(list.into())));
    }

    pub fn list_length(&self, parameter: usize) -> Option<usize> {
        self.lists.iter().find(|row| row.0 as usize == parameter).map(|row| row.1 as usize)
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn tensors(&self) -> impl Iterator<Item = &SavedTensor> {
        self.values.iter().flat_map(|(_, value)| {
            let (one, many) = match value {
                SavedValue::Tensor(saved) => (Some(saved), &[][..]),
                SavedValue::List(list) => (None, &list[..]),
                SavedValue::Plain(_) => (None, &[][..]),
            };
            one.into_iter().chain(many.iter().flatten())
        })
    }

    /// The objects of the embedding language among what is saved.
    pub fn objects(&self) -> impl Iterator<Item = NonNull<c_void>> {
        self.tensors().flat_map(SavedTensor::objects)
    }

    /// Calls `visit` for each tensor and node that is kept.
    pub fn visit(&self, visit: &mut dyn FnMut(Member)) {
        for saved in self.tensors() {
            match saved {
                SavedTensor::Kept(kept) => visit(Member::Tensor(kept.tensor.clone())),
                SavedTensor::Packed(packed) => {
                    if let Origin::Argument { edge: Some(edge), .. } = &packed.origin {
                        visit(Member::Node(edge.node.clone()));
                    }
                }
            }
        }
        // What is saved without being looked into (tensors among plain values) counts as held from outside.
    }

    /// The memory of the saved tensors; of those that hooks have packed nothing is known.
    pub fn holdings(&self) -> Vec<Holding> {
        self.tensors()
            .filter_map(|saved| match saved {
                SavedTensor::Kept(kept) => Some(Holding::of(&kept.tensor)),
                SavedTensor::Packed(_) => None,
            })
            .collect()
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.spent
    }

    pub(crate) fn set_counted(&mut self) {
        self.counted = true;
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.counted
    }

    /// Bytes of the saved tensors.
    pub fn bytes(&self) -> usize {
        self.tensors().map(SavedTensor::bytes).sum()
    }

    /// Takes all values out, so that they can be dropped while nothing is borrowed.
    pub fn take(&mut self) -> Saved {
        self.spent = true;
        if self.values.is_empty() {
            return Saved::default();
        }
        self.released = true;
        Saved { values: std::mem::take(&mut self.values), ..Saved::default() }
    }
}

/// The error of a second backward pass through a node.
pub fn released(node: &Node) -> crate::Error {
    error!(
        Runtime,
        "Trying to backward through the graph a second time: the saved tensors of {}{} were freed by the backward pass \
         before. Pass retain_graph=True to the earlier backward() or grad() if the graph is needed again",
        node.name(),
        Trace::describe(node.0.trace.as_ref(), "made")
    )
}

impl Node {
    /// A saved argument or result, by its bit number.
    ///
    /// # Errors
    /// `RuntimeError` if it was released by an earlier backward pass, or changed since.
    pub fn saved_value(&self, variable: u8) -> Result<Value> {
        if let Some(found) = self.saved_unhooked(variable) {
            return found;
        }
        // The borrow ends before hooks run.
        let value = self.find_saved(variable)?;
        Ok(match value {
            SavedValue::Tensor(saved) => Value::Tensor(saved.unpack(self)?),
            SavedValue::List(list) => {
                let all = list.iter().map(|item| item.as_ref().map(|saved| saved.unpack(self)).transpose());
                Value::Tensors(all.collect::<Result<_>>()?)
            }
            SavedValue::Plain(value) => value,
        })
    }

    /// Saves an argument.
    pub fn keep_argument(&self, variable: u8, value: &Value) -> Result<()> {
        // Hooks run before the borrow.
        let saved = SavedValue::argument(value)?;
        self.0.state.borrow_mut().saved.values.push((variable, saved));
        Ok(())
    }

    pub(crate) fn note_list(&self, parameter: usize, length: usize) {
        self.0.state.borrow_mut().saved.lists.push((parameter as u8, length as u32));
    }

    /// Saves a result, which has its history.
    pub fn keep_output(&self, output_nr: usize, tensor: &Tensor) -> Result<()> {
        let maker = if tensor.has_flag(flag::VIEW) { tensor.grad_fn_now() } else { None };
        let owner = maker.filter(|maker| !maker.is_same(self)).map(|maker| Rc::downgrade(&maker.0));
        let saved = SavedTensor::result(tensor, output_nr as u32, owner)?;
        self.0.state.borrow_mut().saved.values.push(((OUTPUT + output_nr) as u8, SavedValue::Tensor(saved)));
        Ok(())
    }

    /// Whether an earlier backward pass freed the saved tensors.
    pub fn is_released(&self) -> bool {
        self.0.state.borrow().saved.released
    }

    /// Lets a saved tensor, item `i` of a list or the only one, pass hooks from now on.
    pub fn register_saved_hooks(&self, variable: u8, i: usize, hooks: &dyn SavingHooks) -> Result<()> {
        let nothing = || error!(Runtime, "register_hooks(): {} has no saved tensor there", self.describe());
        let replaced = match self.find_saved(variable)? {
            SavedValue::Tensor(saved) => SavedValue::Tensor(saved.register_hooks(self, hooks)?),
            SavedValue::List(list) => {
                let mut list = list.to_vec();
                let saved = list.get(i).cloned().flatten().ok_or_else(nothing)?;
                list[i] = Some(saved.register_hooks(self, hooks)?);
                SavedValue::List(list.into())
            }
            SavedValue::Plain(_) => return Err(nothing()),
        };
        let mut state = self.0.state.borrow_mut();
        if let Some(row) = state.saved.values.iter_mut().find(|row| row.0 == variable) {
            let previous = std::mem::replace(&mut row.1, replaced);
            drop(state);
            drop(previous);
        }
        Ok(())
    }

    /// The short way for a tensor that is kept as it is, which runs nobody's code.
    #[inline]
    pub(crate) fn saved_unhooked(&self, variable: u8) -> Option<Result<Value>> {
        let state = self.0.state.borrow();
        match state.saved.values.iter().find(|row| row.0 == variable)? {
            (_, SavedValue::Tensor(SavedTensor::Kept(kept))) => Some(kept.unpack(self).map(Value::Tensor)),
            _ => None,
        }
    }

    /// Whether an argument or result was saved: what no gradient needs is not.
    pub fn has_saved(&self, variable: u8) -> bool {
        self.0.state.borrow().saved.values.iter().any(|row| row.0 == variable)
    }

    fn find_saved(&self, variable: u8) -> Result<SavedValue> {
        let state = self.0.state.borrow();
        if state.saved.released {
            drop(state);
            return Err(released(self));
        }
        match state.saved.values.iter().find(|row| row.0 == variable) {
            Some((_, value)) => Ok(value.clone()),
            None => bail!(Runtime, "{} did not save its variable {variable}", self.describe()),
        }
    }
}
