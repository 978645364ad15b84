//! What Python's garbage collector has to know of tensors and the graph behind them.
//!
//! # Note: What a tensor shows to the collector
//! Cycles through Python objects start at a tensor: its graph holds a hook, or the `ctx` of a function, which holds the
//! tensor again. Python finds such a cycle if each object in it says what it alone keeps alive. A tensor object says
//! so for its tensor and for the nodes behind it as far as nobody else holds them: what two hold may be alive without
//! either, and to claim it would free it too early. Rings without any Python object in them are found by
//! [`cycles`], which Python's collector starts when it looks at its oldest generation.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::autograd::cycles::{self, Member};
use crate::autograd::node::Node;
use crate::tensor::{Tensor, flag};

/// How many Python objects graphs hold; while there are none, no graph is looked through.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Counts a Python object that a graph holds.
pub struct Held;

impl Held {
    pub fn new() -> Held {
        HELD.fetch_add(1, Relaxed);
        Held
    }

    /// What was counted by a `Held` that was forgotten: to be dropped instead of it.
    pub fn again() -> Held {
        Held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Relaxed);
    }
}

/// Nodes to look through behind one tensor: what lies deeper is taken to be alive.
const MOST_NODES: usize = 4096;

/// Calls `visit` with each Python object that `tensor`, whose object asks, alone keeps alive.
pub fn visit_objects(tensor: &Tensor, visit: &mut dyn FnMut(NonNull<c_void>)) {
    if HELD.load(Relaxed) == 0 || tensor.handles() > 1 {
        return;
    }
    let own_hook = tensor.own_hook();
    // The tensor's own handle on its hook, the one just made, and perhaps the node's.
    if let Some(hook) = &own_hook
        && Rc::strong_count(hook) == 2
    {
        hook.object().into_iter().for_each(&mut *visit);
    }
    if let Some(hook) = tensor.leaf_hook()
        && Rc::strong_count(&hook) == 2
    {
        hook.object().into_iter().for_each(&mut *visit);
    }
    let Some(node) = tensor.grad_fn_now() else { return };
    // Two handles: the tensor's and this one.
    let mut stack = if Rc::strong_count(&node.0) == 2 { vec![node] } else { Vec::new() };
    let mut seen = 0;
    // Tensors that own their objects, and how often these nodes hold them.
    let mut kept: Vec<(Tensor, usize)> = Vec::new();
    while let Some(node) = stack.pop() {
        seen += 1;
        if seen > MOST_NODES {
            break;
        }
        node.visit_objects(own_hook.as_ref(), visit);
        Member::Node(node.clone()).visit(&mut |member| {
            let Member::Tensor(tensor) = member else { return };
            if !tensor.has_flag(flag::OBJECT_KEPT) {
                return;
            }
            match kept.iter_mut().find(|row| row.0.is_same(&tensor)) {
                Some(row) => row.1 += 1,
                None => kept.push((tensor, 1)),
            }
        });
        node.visit_own_edges(&mut |next: Node| stack.push(next));
    }
    for (tensor, held) in kept {
        // One handle more is this list's.
        if tensor.handles() == held + 1 {
            NonNull::new(tensor.object()).into_iter().for_each(&mut *visit);
        }
    }
}

/// A handle on the object at an address, without counting it: not to be dropped.
///
/// # Safety
/// The object lives.
pub unsafe fn object_at(address: NonNull<c_void>) -> Py<PyAny> {
    // SAFETY: `Py` is a non-null pointer without more, by its documentation; nothing is counted.
    unsafe { std::mem::transmute::<NonNull<c_void>, Py<PyAny>>(address) }
}

/// Lets go of what may be part of a cycle, for a tensor that is garbage.
pub fn clear(tensor: &Tensor) {
    if tensor.handles() > 1 {
        return;
    }
    tensor.set_leaf_hook(None);
    tensor.set_grad(None);
    tensor.clear_history();
}

/// Called by Python's collector before and after it runs.
#[pyfunction]
pub fn _on_collection(phase: &str, info: &Bound<'_, PyDict>) -> PyResult<()> {
    let oldest = info.get_item("generation")?.is_some_and(|generation| generation.extract().is_ok_and(|n: u32| n == 2));
    if phase == "start" && oldest {
        cycles::collect();
    }
    Ok(())
}

/// Asks Python's collector to call [`_on_collection`].
pub fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let callbacks = module.py().import("gc")?.getattr("callbacks")?;
    callbacks.call_method1("append", (wrap_pyfunction!(_on_collection, module)?,))?;
    Ok(())
}
