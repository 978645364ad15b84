//! The backward engine: gradients travel from the roots along the edges, the latest node first.

use std::cell::RefCell;
use std::collections::{BinaryHeap, HashMap};
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use smallvec::SmallVec;

use crate::autograd::batch::Levels;
use crate::autograd::modes::GradMode;
use crate::autograd::nesting::{self, Level};
use crate::autograd::node::{Body, Edge, Gradients, Node, OutputMeta};
use crate::autograd::{batch, cuts, cycles, primitives};
use crate::error::Result;
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::Value;
use crate::{bail, error};

/// What a backward pass leaves behind.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Record the backward pass itself, so that its results can be differentiated.
    pub create_graph: bool,
    /// Keep the saved tensors for another pass.
    pub retain_graph: bool,
    /// Give `None` for inputs that the roots do not depend on, instead of an error.
    pub allow_unused: bool,
}

/// Where a backward pass starts or ends: a tensor, or the place in the graph where its gradient would go.
#[derive(Clone)]
pub enum Endpoint {
    Tensor(Tensor),
    Edge(Edge),
}

impl From<Tensor> for Endpoint {
    fn from(tensor: Tensor) -> Endpoint {
        Endpoint::Tensor(tensor)
    }
}

impl Endpoint {
    fn edge(&self) -> Result<Option<Edge>> {
        match self {
            Endpoint::Tensor(tensor) => tensor.gradient_edge(),
            Endpoint::Edge(edge) => Ok(Some(edge.clone())),
        }
    }

    /// The levels at which the tensor is batched.
    fn levels(&self) -> Levels {
        match self {
            Endpoint::Tensor(tensor) => tensor.levels(),
            Endpoint::Edge(_) => Levels::new(),
        }
    }

    /// Size and type of the gradient.
    pub fn meta(&self) -> Result<OutputMeta> {
        match self {
            Endpoint::Tensor(tensor) => Ok(OutputMeta::of(tensor)),
            Endpoint::Edge(edge) => edge
                .node
                .outputs()
                .get(edge.input_nr as usize)
                .cloned()
                .ok_or_else(|| error!(Runtime, "{} has no result {}", edge.node.describe(), edge.input_nr)),
        }
    }
}

/// Adds the gradients of `roots` to the `grad` of the leaves: of all, or of `inputs` alone.
///
/// A root without a gradient must have one element. Inputs that are no leaves keep their gradient too.
pub fn backward<R>(roots: &[(R, Option<Tensor>)], inputs: Option<&[Endpoint]>, options: Options) -> Result<()>
where
    R: Into<Endpoint> + Clone,
{
    if !batch::open().is_empty() {
        bail!(
            Runtime,
            "backward() cannot be called inside vmap, where it would add up the gradients of all examples; use \
             func.grad() or func.vjp()"
        );
    }
    let _cuts = cuts::Pass::enter();
    let roots = root_gradients(roots, options)?;
    let mut targets = None;
    if let Some(inputs) = inputs {
        if inputs.is_empty() {
            bail!(Runtime, "backward: `inputs` is given but empty");
        }
        let targets = targets.insert(Vec::with_capacity(inputs.len()));
        for (i, input) in inputs.iter().enumerate() {
            match input {
                Endpoint::Tensor(tensor) if !tensor.is_leaf() => tensor.retain_grad()?,
                Endpoint::Edge(edge) if edge.node.variable().is_none() => {
                    bail!(
                        Runtime,
                        "backward: input {i} is an edge to {}, which accumulates nothing; give the tensor, or use grad()",
                        edge.node.describe()
                    )
                }
                _ => {}
            }
            targets.push((input_edge(input, i)?, None));
        }
    }
    nesting::run(|level| Task::new(level, targets, 0).run(roots, options))?;
    if options.create_graph {
        cycles::collect_if_many();
    }
    Ok(())
}

/// The gradients of `roots` with respect to `inputs`, without touching any `grad`.
pub fn grad<R, I>(roots: &[(R, Option<Tensor>)], inputs: &[I], options: Options) -> Result<Vec<Option<Tensor>>>
where
    R: Into<Endpoint> + Clone,
    I: Into<Endpoint> + Clone,
{
    let _cuts = cuts::Pass::enter();
    let inputs: Vec<Endpoint> = inputs.iter().map(|input| input.clone().into()).collect();
    for (root, _) in roots {
        let levels = Into::<Endpoint>::into(root.clone()).levels();
        if let Some(i) = inputs.iter().position(|input| levels.iter().any(|level| !input.levels().contains(level))) {
            bail!(
                Runtime,
                "grad() cannot be called inside vmap for input {i}, which all examples share: it would add up their \
                 gradients; use func.grad() or func.vjp()"
            );
        }
    }
    let roots = root_gradients(roots, options)?;
    let mut targets = Vec::with_capacity(inputs.len());
    for (i, input) in inputs.iter().enumerate() {
        targets.push((input_edge(input, i)?, Some(i)));
    }
    let mut captured = nesting::run(|level| Task::new(level, Some(targets), inputs.len()).run(roots, options))?;
    for (gradient, input) in captured.iter_mut().zip(&inputs) {
        let levels = input.levels();
        if let Some(physical) = gradient.as_ref().filter(|_| !levels.is_empty()) {
            *gradient = Some(batch::lift(physical, &levels)?);
        }
    }
    if !options.allow_unused
        && let Some(i) = captured.iter().position(Option::is_none)
    {
        bail!(
            Runtime,
            "One of the differentiated Tensors appears to not have been used in the graph: no path leads from the \
             outputs to input {i}, of size {}. Pass allow_unused=True to get None for it{}",
            shape::show(&inputs[i].meta()?.sizes),
            cuts::describe(Some(&input_edge(&inputs[i], i)?.node))
        );
    }
    Ok(captured)
}

fn input_edge(input: &Endpoint, i: usize) -> Result<Edge> {
    input.edge()?.ok_or_else(|| {
        error!(Runtime, "One of the differentiated Tensors does not require grad: input {i} has no gradient")
    })
}

fn root_gradients<R>(roots: &[(R, Option<Tensor>)], options: Options) -> Result<Vec<(Edge, Tensor)>>
where
    R: Into<Endpoint> + Clone,
{
    let mut checked = Vec::with_capacity(roots.len());
    for (i, (root, gradient)) in roots.iter().enumerate() {
        let root: Endpoint = root.clone().into();
        let Some(edge) = root.edge()? else {
            bail!(
                Runtime,
                "element {i} of tensors does not require grad and does not have a grad_fn{}",
                cuts::describe(None)
            );
        };
        let expected = root.meta()?;
        let gradient = match gradient {
            Some(gradient) => {
                let sizes = gradient.sizes();
                if sizes != expected.sizes {
                    bail!(
                        Runtime,
                        "Mismatch in shape: gradient {i} has size {} and its output has size {}",
                        shape::show(&sizes),
                        shape::show(&expected.sizes)
                    );
                }
                if gradient.dtype().is_complex() != expected.dtype.is_complex() {
                    bail!(
                        Runtime,
                        "gradient {i} has dtype {} and its output has {}: both have to be complex, or neither",
                        gradient.dtype(),
                        expected.dtype
                    );
                }
                if options.create_graph || gradient.dtype() != expected.dtype {
                    cast(gradient.clone(), expected.dtype)?
                } else {
                    gradient.clone()
                }
            }
            None if expected.dtype.is_complex() => bail!(
                Runtime,
                "grad can be implicitly created only for real scalar outputs: output {i} is {}; pass its gradient",
                expected.dtype
            ),
            None if shape::numel(&expected.sizes)? == 1 => Tensor::full(&expected.sizes, 1.0.into(), expected.dtype)?,
            None => bail!(
                Runtime,
                "grad can be implicitly created only for scalar outputs: output {i} has size {}; pass its gradient",
                shape::show(&expected.sizes)
            ),
        };
        // The graph is that of physical tensors; a gradient for one example stands for all.
        checked.push((edge, batch::lower(&gradient, &root.levels())?));
    }
    Ok(checked)
}

/// One backward pass.
struct Task {
    scope: Rc<Scope>,
    places: Vec<Place>,
    captured: Vec<Option<Tensor>>,
    /// The nodes that gradients are wanted at, with the slot of `captured` to fill, if only some are wanted.
    targets: Option<Vec<(Edge, Option<usize>)>>,
}

/// Which nodes belong to a pass: shared with those who ask while it runs.
struct Scope {
    id: u32,
    /// True if another pass is under way, in this thread or another: its marks in the nodes are then left alone.
    nested: bool,
    index: HashMap<usize, u32>,
    /// Whether each node runs, where only some do.
    runs: Option<Vec<bool>>,
}

impl Scope {
    /// The place of a node, if it has one.
    #[inline]
    fn find(&self, node: &Node) -> Option<u32> {
        if self.nested {
            return self.index.get(&node.id()).copied();
        }
        let (task, place) = node.0.mark.get();
        (task == self.id).then_some(place)
    }
}

/// A node as one pass sees it.
struct Place {
    node: Node,
    /// Edges into this node that have not delivered yet.
    dependencies: u32,
    buffer: Gradients,
    /// Whether a wanted gradient lies at or beyond this node.
    wanted: bool,
    /// Whether the node itself has to run.
    runs: bool,
    /// Inputs of the node whose gradient is asked for.
    captures: SmallVec<[(u32, usize); 0]>,
}

/// Number of the latest pass of any thread; 0 is none.
static TASKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The passes that run now, the innermost last.
    static RUNNING: RefCell<Vec<Weak<Scope>>> = const { RefCell::new(Vec::new()) };
}

fn running() -> Option<Rc<Scope>> {
    RUNNING.with_borrow(|all| all.last().and_then(Weak::upgrade))
}

/// The number of the pass that runs now in this thread.
pub fn current_task() -> Option<u32> {
    running().map(|scope| scope.id)
}

/// Whether the pass that runs now runs `node` too; `None` if there is no pass.
pub fn current_task_runs(node: &Node) -> Option<bool> {
    let scope = running()?;
    let Some(place) = scope.find(node) else { return Some(false) };
    Some(scope.runs.as_ref().is_none_or(|runs| runs[place as usize]))
}

/// Whether the pass that runs now, if there is one, runs every node that its roots lead to.
pub fn current_task_runs_all() -> bool {
    running().is_none_or(|scope| scope.runs.is_none())
}

impl Task {
    /// A pass that gives `captured` gradients; only on the way to `targets`, if there are any.
    fn new(level: &Level, targets: Option<Vec<(Edge, Option<usize>)>>, captured: usize) -> Task {
        let id = TASKS.fetch_add(1, Relaxed).wrapping_add(1).max(1);
        let scope = Scope { id, nested: level.is_nested(), index: HashMap::new(), runs: None };
        Task { scope: Rc::new(scope), places: Vec::new(), captured: vec![None; captured], targets }
    }

    /// The place of a node, if it has one.
    #[inline]
    fn find(&self, node: &Node) -> Option<u32> {
        self.scope.find(node).filter(|&place| self.places.get(place as usize).is_some_and(|row| row.node.is_same(node)))
    }

    /// The scope while nobody shares it: before the first node runs.
    fn scope_mut(&mut self) -> Result<&mut Scope> {
        Rc::get_mut(&mut self.scope).ok_or_else(|| error!(Runtime, "a backward pass was asked about too early"))
    }

    fn add_place(&mut self, node: Node) -> Result<u32> {
        let place = self.places.len() as u32;
        if self.scope.nested {
            self.scope_mut()?.index.insert(node.id(), place);
        } else {
            node.0.mark.set((self.scope.id, place));
        }
        self.places.push(Place {
            node,
            dependencies: 0,
            buffer: SmallVec::new(),
            wanted: true,
            runs: true,
            captures: SmallVec::new(),
        });
        Ok(place)
    }

    fn run(mut self, roots: Vec<(Edge, Tensor)>, options: Options) -> Result<Vec<Option<Tensor>>> {
        let starts = self.discover(&roots)?;
        self.prune()?;
        let _running = Running::enter(&self.scope);
        let _mode = GradMode::set(options.create_graph);
        for (edge, gradient) in roots {
            if let Some(place) = self.find(&edge.node) {
                self.deliver(place, edge.input_nr, gradient, options)?;
            }
        }
        let mut ready: BinaryHeap<(u64, u32)> = BinaryHeap::new();
        for place in starts {
            if self.places[place as usize].dependencies == 0 {
                ready.push((self.places[place as usize].node.sequence(), place));
            }
        }
        while let Some((_, place)) = ready.pop() {
            self.step(place, options, &mut ready)?;
        }
        Ok(std::mem::take(&mut self.captured))
    }

    /// Finds all nodes below the roots and counts the edges into each.
    fn discover(&mut self, roots: &[(Edge, Tensor)]) -> Result<Vec<u32>> {
        let mut starts = Vec::with_capacity(roots.len());
        let mut stack = Vec::new();
        for (edge, _) in roots {
            if self.find(&edge.node).is_none() {
                let place = self.add_place(edge.node.clone())?;
                starts.push(place);
                stack.push(edge.node.clone());
            }
        }
        while let Some(node) = stack.pop() {
            let state = node.0.state.borrow();
            for edge in state.edges.iter().flatten() {
                let place = match self.find(&edge.node) {
                    Some(place) => place,
                    None => {
                        stack.push(edge.node.clone());
                        self.add_place(edge.node.clone())?
                    }
                };
                self.places[place as usize].dependencies += 1;
            }
        }
        Ok(starts)
    }

    /// Where only some gradients are wanted, marks the nodes that lie on the way to them.
    fn prune(&mut self) -> Result<()> {
        let Some(targets) = self.targets.take() else { return Ok(()) };
        for place in &mut self.places {
            place.wanted = false;
            place.runs = false;
        }
        for (edge, slot) in targets {
            let Some(place) = self.find(&edge.node) else { continue };
            let place = &mut self.places[place as usize];
            place.wanted = true;
            match slot {
                Some(slot) => place.captures.push((edge.input_nr, slot)),
                None => place.runs = true,
            }
        }
        // Depth first, children before parents: (place, next edge to look at).
        let mut done = vec![false; self.places.len()];
        for start in 0..self.places.len() as u32 {
            let mut stack = vec![(start, 0usize)];
            while let Some((place, next)) = stack.pop() {
                if next == 0 && std::mem::replace(&mut done[place as usize], true) {
                    continue;
                }
                let node = self.places[place as usize].node.clone();
                let state = node.0.state.borrow();
                let mut descended = false;
                for (i, edge) in state.edges.iter().enumerate().skip(next) {
                    let Some(child) = edge.as_ref().and_then(|edge| self.find(&edge.node)) else { continue };
                    if !done[child as usize] {
                        stack.push((place, i + 1));
                        stack.push((child, 0));
                        descended = true;
                        break;
                    }
                }
                if !descended {
                    let below = state
                        .edges
                        .iter()
                        .flatten()
                        .any(|edge| self.find(&edge.node).is_some_and(|child| self.places[child as usize].wanted));
                    let here = &mut self.places[place as usize];
                    here.wanted |= below;
                    here.runs |= below;
                }
            }
        }
        let runs = self.places.iter().map(|place| place.runs).collect();
        self.scope_mut()?.runs = Some(runs);
        Ok(())
    }

    /// Runs one node and hands its gradients on.
    fn step(&mut self, place: u32, options: Options, ready: &mut BinaryHeap<(u64, u32)>) -> Result<()> {
        let here = &mut self.places[place as usize];
        let node = here.node.clone();
        let mut gradients = std::mem::take(&mut here.buffer);
        let (runs, captures) = (here.runs, std::mem::take(&mut here.captures));
        let hooked = node.has_hooks();
        // What is asked for of a node that has to run too is what arrived there; of one that does not, what its
        // hooks made of it. PyTorch's rule.
        if runs {
            self.capture(&captures, &gradients);
        }
        if hooked {
            gradients = node.run_result_hooks(gradients)?;
            keep_gradients(&node, &gradients)?;
        }
        if !runs {
            self.capture(&captures, &gradients);
            return self.hand_on(&node, Gradients::new(), options, ready);
        }
        if hooked {
            gradients = node.run_hooks_before(gradients)?;
        }
        let mut given = node.apply(&gradients)?;
        if hooked {
            given = node.run_hooks_after(given, &gradients)?;
        }
        drop(gradients);
        if !options.retain_graph {
            node.release();
        }
        self.hand_on(&node, given, options, ready)
    }

    fn capture(&mut self, captures: &[(u32, usize)], gradients: &Gradients) {
        for &(input_nr, slot) in captures {
            self.captured[slot] = gradients.get(input_nr as usize).cloned().flatten();
        }
    }

    /// Delivers what a node gave to the nodes that its edges lead to.
    fn hand_on(
        &mut self,
        node: &Node,
        mut given: Gradients,
        options: Options,
        ready: &mut BinaryHeap<(u64, u32)>,
    ) -> Result<()> {
        let edges = node.edges();
        if !given.is_empty() && given.len() != edges.len() && given.iter().any(Option::is_some) {
            bail!(Runtime, "{} gave {} gradients for {} inputs", node.describe(), given.len(), edges.len());
        }
        for (i, edge) in edges.iter().enumerate() {
            let Some(edge) = edge else { continue };
            let Some(target) = self.find(&edge.node) else { continue };
            if let Some(gradient) = given.get_mut(i).and_then(Option::take)
                && self.places[target as usize].wanted
            {
                let gradient = fit(gradient, edge, node)?;
                self.deliver(target, edge.input_nr, gradient, options)?;
            }
            let there = &mut self.places[target as usize];
            there.dependencies -= 1;
            if there.dependencies == 0 && there.wanted {
                ready.push((there.node.sequence(), target));
            }
        }
        Ok(())
    }

    /// Adds a gradient to the buffer of a node.
    fn deliver(&mut self, place: u32, input_nr: u32, gradient: Tensor, options: Options) -> Result<()> {
        let buffer = &mut self.places[place as usize].buffer;
        let slot = input_nr as usize;
        if buffer.len() <= slot {
            buffer.resize(slot + 1, None);
        }
        buffer[slot] = Some(match buffer[slot].take() {
            None => gradient,
            Some(held) if !options.create_graph && is_alone(&held) && !gradient.is_batched() => {
                primitives::call_in_place("add", &[Value::Tensor(held), Value::Tensor(gradient)])?
            }
            Some(held) => primitives::add(&held, &gradient)?,
        });
        Ok(())
    }
}

/// Says that a pass runs, until it is dropped.
struct Running;

impl Running {
    fn enter(scope: &Rc<Scope>) -> Running {
        RUNNING.with_borrow_mut(|all| all.push(Rc::downgrade(scope)));
        Running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(Vec::pop);
    }
}

/// Adds to the `grad` of the results of a node that keep theirs.
fn keep_gradients(node: &Node, gradients: &Gradients) -> Result<()> {
    for (output_nr, tensor) in node.retaining() {
        if let Some(Some(gradient)) = gradients.get(output_nr as usize) {
            let kept = match tensor.grad() {
                Some(before) => primitives::add(&before, gradient)?,
                None => primitives::call("clone", &[Value::Tensor(gradient.clone())])?,
            };
            tensor.set_grad(Some(kept));
        }
    }
    Ok(())
}

/// Whether nobody else can see this tensor or its memory, so that it may be added to in place.
fn is_alone(tensor: &Tensor) -> bool {
    tensor.handles() == 1 && !tensor.is_batched() && tensor.object().is_null() && {
        let data = tensor.data();
        data.storage.handles() == 1 && data.storage.is_owned() && data.is_contiguous()
    }
}

/// Brings a gradient to the size and type of the tensor that it belongs to: broadcasting is undone here, once for
/// all operations.
fn fit(gradient: Tensor, edge: &Edge, from: &Node) -> Result<Tensor> {
    let (sizes, dtype) = {
        let state = edge.node.0.state.borrow();
        let Some(meta) = state.outputs.get(edge.input_nr as usize) else { return Ok(gradient.clone()) };
        let data = gradient.data();
        if data.sizes == meta.sizes && data.dtype == meta.dtype {
            drop(data);
            return Ok(gradient);
        }
        if shape::broadcast_strides(&meta.sizes, &shape::contiguous_strides(&meta.sizes), &data.sizes).is_none() {
            bail!(
                Runtime,
                "{} returned a gradient of size {} for an input of size {}",
                from.describe(),
                shape::show(&data.sizes),
                shape::show(&meta.sizes)
            );
        }
        (meta.sizes.clone(), meta.dtype)
    };
    let gradient = if gradient.dtype().is_complex() && !dtype.is_complex() {
        // A real input of a complex operation can only follow the real part.
        if matches!(&from.0.body, Body::Function(function) if function.object().is_some()) {
            bail!(Runtime, "{} returned a {} gradient for a {dtype} input", from.describe(), gradient.dtype());
        }
        primitives::call("real", &[Value::Tensor(gradient)])?
    } else {
        gradient
    };
    let summed = if gradient.sizes() == sizes {
        gradient
    } else {
        let sizes: Ints = sizes.iter().map(|&n| n as i64).collect();
        primitives::call("sum_to_size", &[Value::Tensor(gradient), Value::Ints(sizes)])?
    };
    cast(summed, dtype)
}

fn cast(tensor: Tensor, dtype: crate::dtype::DType) -> Result<Tensor> {
    if tensor.dtype() == dtype {
        return Ok(tensor);
    }
    primitives::call("_to_copy", &[Value::Tensor(tensor), Value::DType(dtype)])
}
