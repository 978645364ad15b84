//! Finding garbage that keeps itself alive.
//!
//! # Note: The cycle of a gradient that has a history
//! After `backward(create_graph=True)` the gradient of a leaf has a history that ends at the node which accumulates
//! into that leaf, which holds the leaf, which holds the gradient. Counting references never frees such a ring. So
//! every leaf that gets a gradient with a history is remembered (weakly), and [`collect`] looks at what is reachable
//! from the remembered ones: whatever is held from inside the found part alone is garbage, and loses its gradients,
//! which opens the rings. This is trial deletion: D. F. Bacon and V. T. Rajan, "Concurrent Cycle Collection in
//! Reference Counted Systems", ECOOP 2001.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::rc::{Rc, Weak};

use crate::autograd::node::{Body, Node};
use crate::tensor::{Tensor, TensorCell, flag};

thread_local! {
    /// With how many suspects the search is worth its while.
    static ENOUGH: Cell<usize> = const { Cell::new(LEAST) };
    /// Leaves whose gradient has a history. Never destroyed: a thread may end when nobody may count references.
    static SUSPECTS: ManuallyDrop<RefCell<Vec<Weak<TensorCell>>>> =
        const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Remembers a tensor that may have become part of a ring.
pub(crate) fn suspect(tensor: &Tensor) {
    if !tensor.has_flag(flag::SUSPECT) {
        tensor.set_flag(flag::SUSPECT, true);
        SUSPECTS.with(|suspects| suspects.borrow_mut().push(tensor.downgrade()));
    }
}

/// Fewer suspects than this are left to the embedding language's collector.
const LEAST: usize = 512;

/// Searches if many suspects have come together since the last time.
pub(crate) fn collect_if_many() {
    if SUSPECTS.with(|suspects| suspects.borrow().len()) >= ENOUGH.get() {
        collect();
    }
}

/// A thing that holds others.
#[derive(Clone)]
pub enum Member {
    Tensor(Tensor),
    Node(Node),
}

impl Member {
    fn address(&self) -> usize {
        match self {
            Member::Tensor(tensor) => Rc::as_ptr(&tensor.0) as usize,
            Member::Node(node) => node.id(),
        }
    }

    fn holders(&self) -> usize {
        match self {
            Member::Tensor(tensor) => Rc::strong_count(&tensor.0),
            Member::Node(node) => Rc::strong_count(&node.0),
        }
    }

    /// Calls `visit` for each reference that this member owns; false if it cannot be looked into just now.
    pub fn visit(&self, visit: &mut dyn FnMut(Member)) -> bool {
        match self {
            Member::Tensor(tensor) => {
                if let Some(node) = tensor.0.grad_fn.borrow().as_ref() {
                    visit(Member::Node(node.clone()));
                }
                tensor.meta(|meta| {
                    let view = meta.view.as_ref().map(|view| &view.base);
                    for held in [meta.grad.as_ref(), meta.tangent.as_ref(), view].into_iter().flatten() {
                        visit(Member::Tensor(held.clone()));
                    }
                });
                true
            }
            Member::Node(node) => {
                let Ok(state) = node.0.state.try_borrow() else { return false };
                for edge in state.edges.iter().flatten() {
                    visit(Member::Node(edge.node.clone()));
                }
                state.saved.visit(visit);
                if let Body::Function(function) = &node.0.body {
                    function.visit(visit);
                }
                true
            }
        }
    }
}

struct Found {
    member: Member,
    /// References from other found members.
    inner: usize,
    references: Vec<usize>,
    alive: bool,
}

/// Frees rings of gradients and graphs that nothing outside holds; gives how many tensors and nodes were in them.
pub fn collect() -> usize {
    let mut found = reachable_from_suspects();
    let mut alive: Vec<usize> = Vec::new();
    for (i, row) in found.iter_mut().enumerate() {
        // One reference is the search's own.
        row.alive = row.member.holders() > row.inner + 1;
        if row.alive {
            alive.push(i);
        }
    }
    while let Some(i) = alive.pop() {
        for j in std::mem::take(&mut found[i].references) {
            if !std::mem::replace(&mut found[j].alive, true) {
                alive.push(j);
            }
        }
    }
    let garbage: Vec<Member> = found.into_iter().filter(|row| !row.alive).map(|row| row.member).collect();
    for member in &garbage {
        if let Member::Tensor(tensor) = member {
            tensor.set_grad(None);
        }
    }
    let count = garbage.len();
    drop(garbage);
    ENOUGH.set(SUSPECTS.with(|suspects| (2 * suspects.borrow().len()).max(LEAST)));
    count
}

fn reachable_from_suspects() -> Vec<Found> {
    let suspects: Vec<Tensor> = SUSPECTS.with(|suspects| {
        let mut suspects = suspects.borrow_mut();
        let living = |weak: &Weak<TensorCell>| weak.upgrade().map(Tensor);
        suspects.retain(|weak| {
            let Some(tensor) = living(weak) else { return false };
            let remains = tensor.grad().is_some_and(|grad| grad.requires_grad());
            tensor.set_flag(flag::SUSPECT, remains);
            remains
        });
        suspects.iter().filter_map(living).collect()
    });
    let mut index: HashMap<usize, usize> = HashMap::new();
    let mut found: Vec<Found> = Vec::new();
    let mut add = |found: &mut Vec<Found>, member: Member| {
        *index.entry(member.address()).or_insert_with(|| {
            found.push(Found { member, inner: 0, references: Vec::new(), alive: false });
            found.len() - 1
        })
    };
    for tensor in suspects {
        add(&mut found, Member::Tensor(tensor));
    }
    let mut next = 0;
    while next < found.len() {
        let member = found[next].member.clone();
        let mut references = Vec::new();
        let whole = member.visit(&mut |held| {
            let i = add(&mut found, held);
            found[i].inner += 1;
            references.push(i);
        });
        if !whole {
            // Somebody works on it: everything is taken to be alive.
            return Vec::new();
        }
        found[next].references = references;
        next += 1;
    }
    found
}
