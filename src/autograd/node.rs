//! A node of the graph: one recorded operation, with edges to where its gradients go.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;

use smallvec::SmallVec;

use crate::autograd::cycles::Member;
use crate::autograd::hooks::Hooks;
use crate::autograd::saved::{Holding, Saved};
use crate::autograd::{anomaly, growth};
use crate::dtype::DType;
use crate::error::Result;
use crate::op::{Derivative, Op};
use crate::profile;
use crate::rc;
use crate::shape::Dims;
use crate::tensor::Tensor;
use crate::trace::Trace;
use crate::value::Value;
use crate::{bail, error};

/// A counted handle on a node.
#[derive(Clone)]
pub struct Node(pub(crate) Rc<NodeCell>);

/// The gradients that a node gives, one for each edge; `None` is a gradient of zero.
pub type Gradients = SmallVec<[Option<Tensor>; 2]>;

/// Where a gradient goes: into which slot of which node.
#[derive(Clone)]
pub struct Edge {
    pub node: Node,
    pub input_nr: u32,
}

pub struct NodeCell {
    pub(crate) body: Body,
    /// Later nodes run first; accumulators before all.
    pub(crate) sequence: Cell<u64>,
    pub(crate) state: RefCell<State>,
    /// Scratch of the engine: a task number and the node's place in it.
    pub(crate) mark: Cell<(u32, u32)>,
    pub(crate) trace: Option<Trace>,
    /// The object that wraps this node in the embedding language, not owned; null where there is none.
    object: Cell<*mut c_void>,
}

/// What of a node changes after it was made.
pub struct State {
    pub edges: SmallVec<[Option<Edge>; 2]>,
    pub outputs: SmallVec<[OutputMeta; 1]>,
    pub saved: Saved,
    pub(crate) hooks: Option<Box<Hooks>>,
}

/// What the gradient of a result has to look like.
#[derive(Clone)]
pub struct OutputMeta {
    pub sizes: Dims,
    pub dtype: DType,
    /// Whether it is a matrix whose columns lie one after another; the product of matrices gives it a gradient alike.
    pub column_major: bool,
}

impl OutputMeta {
    pub fn of(tensor: &Tensor) -> OutputMeta {
        let data = tensor.data();
        let column_major = matches!((&data.sizes[..], &data.strides[..]), ([rows, _], [1, step]) if step == rows);
        OutputMeta { sizes: data.sizes.clone(), dtype: data.dtype, column_major }
    }
}

/// What a node does.
pub enum Body {
    Op(&'static Op),
    /// A function of its own: accumulation into a leaf, an in-place change of a view, a function of the user.
    Function(Box<dyn Function>),
}

/// A backward step that is no operation of the registry.
pub trait Function {
    fn name(&self) -> String;
    /// The gradients for each edge, from those of the outputs.
    fn backward(&self, node: &Node, gradients: &Gradients) -> Result<Gradients>;
    /// Lets go of what was saved.
    fn release(&self) {}
    /// The leaf that this function adds gradients to.
    fn variable(&self) -> Option<&Tensor> {
        None
    }
    /// Calls `visit` for each tensor and node that this function holds.
    fn visit(&self, visit: &mut dyn FnMut(Member)) {
        let _ = visit;
    }
    /// The object of the embedding language that does the work, and stands for the node there.
    fn object(&self) -> Option<NonNull<c_void>> {
        None
    }
}

/// The order in which accumulators run: as soon as they are ready.
pub(crate) const FIRST: u64 = u64::MAX;

thread_local! {
    static SEQUENCE: Cell<u64> = const { Cell::new(0) };
}

impl Node {
    /// A node that has saved nothing yet.
    pub fn new(body: Body, edges: SmallVec<[Option<Edge>; 2]>, outputs: SmallVec<[OutputMeta; 1]>) -> Node {
        let sequence = SEQUENCE.replace(SEQUENCE.get() + 1);
        Node::with_sequence(body, edges, outputs, sequence)
    }

    pub(crate) fn with_sequence(
        body: Body,
        edges: SmallVec<[Option<Edge>; 2]>,
        outputs: SmallVec<[OutputMeta; 1]>,
        sequence: u64,
    ) -> Node {
        let node = Node(rc::filled(|| NodeCell {
            body,
            sequence: Cell::new(sequence),
            state: RefCell::new(State { edges, outputs, saved: Saved::default(), hooks: None }),
            mark: Cell::new((0, 0)),
            trace: if sequence == FIRST { None } else { Trace::here() },
            object: Cell::new(std::ptr::null_mut()),
        }));
        if anomaly::is_enabled() && sequence != FIRST {
            anomaly::note(&node);
        }
        if growth::is_on_spent(&node) {
            growth::count(&node);
        }
        node
    }

    /// PyTorch's name: `AddBackward0`.
    pub fn name(&self) -> String {
        match &self.0.body {
            Body::Op(op) => op.node.to_owned(),
            Body::Function(function) => function.name(),
        }
    }

    pub fn is_same(&self, other: &Node) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// A number that no other living node has.
    pub fn id(&self) -> usize {
        Rc::as_ptr(&self.0) as usize
    }

    /// Later nodes run first.
    pub fn sequence(&self) -> u64 {
        self.0.sequence.get()
    }

    pub fn set_sequence(&self, sequence: u64) {
        self.0.sequence.set(sequence);
    }

    /// The wrapping object of the embedding language.
    pub fn object(&self) -> *mut c_void {
        match &self.0.body {
            Body::Function(function) if let Some(object) = function.object() => object.as_ptr(),
            _ => self.0.object.get(),
        }
    }

    pub fn set_object(&self, object: *mut c_void) {
        self.0.object.set(object);
    }

    pub fn edges(&self) -> SmallVec<[Option<Edge>; 2]> {
        self.0.state.borrow().edges.clone()
    }

    pub fn outputs(&self) -> SmallVec<[OutputMeta; 1]> {
        self.0.state.borrow().outputs.clone()
    }

    /// The leaf that this node adds gradients to.
    pub fn variable(&self) -> Option<Tensor> {
        match &self.0.body {
            Body::Function(function) => function.variable().cloned(),
            Body::Op(_) => None,
        }
    }

    /// The first edge of parameter `i` of the operation that made this node.
    pub fn edge_of(&self, op: &Op, i: usize) -> usize {
        let state = self.0.state.borrow();
        (0..i).map(|j| state.saved.list_length(j).unwrap_or_else(|| op.parameters[j].edges())).sum()
    }

    /// Sizes and element type of the tensor that edge `edge` leads to, if it leads anywhere.
    pub fn input_meta(&self, edge: usize) -> Option<OutputMeta> {
        let target = self.0.state.borrow().edges.get(edge).cloned().flatten()?;
        let state = target.node.0.state.borrow();
        state.outputs.get(target.input_nr as usize).cloned()
    }

    /// File and line that made this node.
    pub fn place(&self) -> Option<(String, u32)> {
        self.0.trace.as_ref().and_then(Trace::resolve)
    }

    /// `AddBackward0 (made at file.py:12)`.
    pub fn describe(&self) -> String {
        self.name() + &Trace::describe(self.0.trace.as_ref(), "made")
    }

    /// The bytes of memory that this node keeps for the backward pass, beyond what its inputs hold anyway.
    pub fn saved_bytes(&self) -> usize {
        self.0.state.borrow().saved.bytes()
    }

    /// The memory that this node keeps, of an accumulator that of its leaf.
    pub fn holdings(&self) -> Vec<Holding> {
        let mut holdings = self.0.state.borrow().saved.holdings();
        if let Body::Function(function) = &self.0.body {
            holdings.extend(function.variable().map(|leaf| Holding { leaf: true, ..Holding::of(leaf) }));
            function.visit(&mut |member| {
                if let Member::Node(inner) = member {
                    holdings.extend(inner.holdings());
                }
            });
        }
        holdings
    }

    /// Computes the gradients for each edge.
    pub(crate) fn apply(&self, gradients: &Gradients) -> Result<Gradients> {
        if profile::is_on() { profile::node(self, || self.run(gradients)) } else { self.run(gradients) }
    }

    fn run(&self, gradients: &Gradients) -> Result<Gradients> {
        let given = match &self.0.body {
            Body::Function(function) => function.backward(self, gradients),
            Body::Op(op) => self.apply_rules(op, gradients),
        };
        if anomaly::looks_on() { anomaly::inspect(self, gradients, given) } else { given }
    }

    fn apply_rules(&self, op: &'static Op, gradients: &Gradients) -> Result<Gradients> {
        let Derivative::Rules { rules, .. } = &op.derivative else {
            bail!(Runtime, "{}: its derivative is not implemented", op.name);
        };
        let backward = Backward { op, node: self, gradients, unpacked: RefCell::default() };
        let needed = backward.needed();
        let mut all = Gradients::from_elem(None, self.0.state.borrow().edges.len());
        if gradients.iter().all(Option::is_none) {
            return Ok(all);
        }
        for rule in rules.iter().filter(|rule| rule.wanted & needed != 0) {
            backward.run(rule, &mut all)?;
        }
        Ok(all)
    }

    /// Lets go of what was saved for the backward pass.
    pub(crate) fn release(&self) {
        // Leaves are there to be used again.
        if self.sequence() != FIRST {
            let saved = self.0.state.borrow_mut().saved.take();
            drop(saved);
        }
        self.forget_tangents();
        if let Body::Function(function) = &self.0.body {
            function.release();
        }
    }
}

/// What a vjp can ask for while it runs.
pub struct Backward<'a> {
    pub op: &'static Op,
    pub node: &'a Node,
    /// The gradients of the results.
    pub gradients: &'a Gradients,
    /// What hooks have unpacked for one rule, which another may read too: they are asked once.
    unpacked: RefCell<Vec<(u8, Value)>>,
}

impl Backward<'_> {
    /// The parameters whose gradient somebody needs, as bits.
    pub fn needed(&self) -> u64 {
        let state = self.node.0.state.borrow();
        // With a list of tensors the edges of the list are one parameter.
        let mut bits = 0;
        let mut edge = 0;
        for (i, parameter) in self.op.parameters.iter().enumerate() {
            let count = state.saved.list_length(i).unwrap_or_else(|| parameter.edges());
            if state.edges[edge..edge + count].iter().any(Option::is_some) {
                bits |= 1 << i;
            }
            edge += count;
        }
        bits
    }

    /// Whether the gradient of parameter `i` is needed.
    pub fn needs(&self, i: usize) -> bool {
        self.needed() & (1 << i) != 0
    }

    /// The first edge of parameter `i`.
    pub fn edge_of(&self, i: usize) -> usize {
        self.node.edge_of(self.op, i)
    }

    /// The gradient of the only or first result.
    pub fn gradient(&self) -> Result<Tensor> {
        self.gradient_of(0)?.ok_or_else(|| error!(Runtime, "{}: no gradient arrived", self.node.describe()))
    }

    /// The gradient of result `i`, `None` for zero.
    pub fn gradient_of(&self, i: usize) -> Result<Option<Tensor>> {
        Ok(self.gradients.get(i).cloned().flatten())
    }

    /// A saved argument or result, by its bit number.
    pub fn value(&self, variable: u8) -> Result<Value> {
        if let Some(kept) = self.node.saved_unhooked(variable) {
            return kept;
        }
        let known = self.unpacked.borrow().iter().find(|row| row.0 == variable).map(|row| row.1.clone());
        if let Some(value) = known {
            return Ok(value);
        }
        let value = self.node.saved_value(variable)?;
        self.unpacked.borrow_mut().push((variable, value.clone()));
        Ok(value)
    }

    /// Sizes and element type of the tensor that edge `edge` leads to.
    pub fn input_meta(&self, edge: usize) -> Result<OutputMeta> {
        self.node.input_meta(edge).ok_or_else(|| {
            error!(Runtime, "{}: the gradient of an input that needs none was asked for", self.node.describe())
        })
    }

    /// The sizes of tensor parameter `i`, whose gradient is needed.
    pub fn sizes_of(&self, i: usize) -> Result<Dims> {
        Ok(self.input_meta(self.edge_of(i))?.sizes)
    }

    /// Sizes and element type of result `i`.
    pub fn output_meta(&self, i: usize) -> Result<OutputMeta> {
        let state = self.node.0.state.borrow();
        state.outputs.get(i).cloned().ok_or_else(|| error!(Runtime, "{} has no result {i}", self.op.name))
    }

    fn run(&self, rule: &crate::op::Rule, all: &mut Gradients) -> Result<()> {
        match &rule.apply {
            crate::op::Apply::Structured(vjp) => {
                let given = vjp(self)?;
                let first = self.edge_of(rule.wanted.trailing_zeros() as usize);
                for (slot, gradient) in all[first..].iter_mut().zip(given) {
                    if gradient.is_some() {
                        *slot = gradient;
                    }
                }
            }
            crate::op::Apply::Pointwise { variables, kernels, formula } => {
                let edge = self.edge_of(rule.wanted.trailing_zeros() as usize);
                let mut values: SmallVec<[Value; 4]> = SmallVec::new();
                for &variable in *variables {
                    values.push(if variable == crate::op::GRADIENT {
                        Value::Tensor(self.gradient()?)
                    } else {
                        self.value(variable)?
                    });
                }
                all[edge] = crate::autograd::record::pointwise_derivative(kernels, *formula, &values)?;
            }
        }
        Ok(())
    }
}

// Note: Iterative drop.
// A graph is a chain of owners as long as the user's program ran: dropping it naively would recurse once for each
// node. So a node that dies while another one does hands what it owns to a queue on the stack of the outermost dying
// node, which empties it in a loop. The thread-local holds only the queue's address, and only while that loop runs.

thread_local! {
    static DYING: Cell<Option<*mut Vec<State>>> = const { Cell::new(None) };
}

impl Drop for NodeCell {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if state.saved.is_counted() {
            growth::uncount();
        }
        if state.edges.iter().all(Option::is_none) && state.saved.is_empty() {
            return;
        }
        let nothing = State { edges: SmallVec::new(), outputs: SmallVec::new(), saved: Saved::default(), hooks: None };
        if let Some(queue) = DYING.get() {
            // SAFETY: the address is that of a vector on this thread's stack, below, which nobody holds a reference
            // to while a state is dropped.
            unsafe { (*queue).push(std::mem::replace(state, nothing)) };
            return;
        }
        let mut queue = Vec::new();
        let address = &raw mut queue;
        DYING.set(Some(address));
        *state = nothing;
        // SAFETY: `queue` lives until the end of this function; each access ends before a state is dropped.
        while let Some(next) = unsafe { (*address).pop() } {
            drop(next);
        }
        DYING.set(None);
    }
}
