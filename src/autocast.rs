//! Autocast: some operations compute in a lower precision, others in float32, whatever their operands are.
//!
//! While it is on, operations that multiply matrices get their operands in the lower precision: they gain most and
//! lose least by it. Those that would lose too much get them in float32, and those that need operands of one type in
//! the widest of theirs. All others take what comes. An operation inside of another one that was chosen for is left
//! alone. The choice is PyTorch's for the CPU.

use std::cell::{Cell, RefCell};

use crate::autograd::modes;
use crate::dtype::DType;
use crate::error::Result;
use crate::op::{Derivative, Op};
use crate::ops::conversion::to_dtype;
use crate::tensor::{Tensor, flag};
use crate::value::Value;

/// What autocast is set to in a thread.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// The lower precision; `None` while it is off.
    pub dtype: Option<DType>,
    /// Whether parameters are converted once rather than for each use.
    pub cached: bool,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { dtype: None, cached: true }) };
    /// Parameters, and what they were converted to.
    static CONVERTED: RefCell<Vec<(Tensor, Tensor)>> = const { RefCell::new(Vec::new()) };
}

/// The type that an operation has its operands in.
#[derive(PartialEq)]
enum Choice {
    /// As they come. What the operation is made of is its own affair.
    Given,
    Lower,
    Float32,
    Widest,
}

/// Functions of `linalg` that take what comes.
const CHEAP: [&str; 8] = [
    "linalg_cross",
    "linalg_det",
    "linalg_diagonal",
    "linalg_matrix_norm",
    "linalg_matrix_power",
    "linalg_norm",
    "linalg_slogdet",
    "linalg_vector_norm",
];

/// `None` for a composition that nothing is said about: its parts are looked at.
fn choice(op: &Op) -> Option<Choice> {
    Some(match op.name {
        "bilinear" => Choice::Given,
        "addbmm"
        | "addmm"
        | "baddbmm"
        | "bmm"
        | "chain_matmul"
        | "conv1d"
        | "conv2d"
        | "conv3d"
        | "conv_tbc"
        | "conv_transpose1d"
        | "conv_transpose2d"
        | "conv_transpose3d"
        | "convolution"
        | "linalg_multi_dot"
        | "linalg_vecdot"
        | "linear"
        | "lstm"
        | "matmul"
        | "mm"
        | "prelu"
        | "scaled_dot_product_attention" => Choice::Lower,
        "_fractional_max_pool2d_with_indices"
        | "_fractional_max_pool3d_with_indices"
        | "adaptive_avg_pool3d"
        | "adaptive_max_pool3d_with_indices"
        | "avg_pool3d"
        | "binary_cross_entropy"
        | "binary_cross_entropy_with_logits"
        | "cdist"
        | "cholesky"
        | "cholesky_inverse"
        | "cholesky_solve"
        | "cosine_embedding_loss"
        | "cross_entropy"
        | "ctc_loss"
        | "grid_sample"
        | "hinge_embedding_loss"
        | "huber_loss"
        | "inverse"
        | "kl_div"
        | "l1_loss"
        | "lu_solve"
        | "margin_ranking_loss"
        | "max_pool3d"
        | "max_pool3d_with_indices"
        | "max_unpool1d"
        | "max_unpool2d"
        | "max_unpool3d"
        | "mse_loss"
        | "multi_margin_loss"
        | "multilabel_margin_loss"
        | "nanquantile"
        | "nll_loss"
        | "ormqr"
        | "pdist"
        | "pinverse"
        | "poisson_nll_loss"
        | "polar"
        | "prod"
        | "quantile"
        | "reflection_pad1d"
        | "reflection_pad2d"
        | "replication_pad1d"
        | "replication_pad2d"
        | "replication_pad3d"
        | "smooth_l1_loss"
        | "soft_margin_loss"
        | "trace"
        | "view_as_complex" => Choice::Float32,
        "cat" | "index_copy" | "stack" => Choice::Widest,
        name if name.starts_with("fft_") || name.starts_with("linalg_") && !CHEAP.contains(&name) => Choice::Float32,
        _ if !matches!(op.derivative, Derivative::Composite) => Choice::Given,
        _ => return None,
    })
}

#[inline]
pub fn is_on() -> bool {
    STATE.get().dtype.is_some()
}

pub fn state() -> State {
    STATE.get()
}

/// Sets autocast in this thread and gives what it was.
pub fn set(state: State) -> State {
    STATE.replace(state)
}

/// Forgets converted parameters, which may change from now on.
pub fn clear_cache() {
    drop(CONVERTED.take());
}

/// Turns autocast off until it is dropped.
pub struct Pause(State);

impl Drop for Pause {
    fn drop(&mut self) {
        STATE.set(self.0);
    }
}

/// The operands that an operation is to have while autocast is on; `None` if it takes what comes.
#[cold]
pub fn operands(op: &'static Op, arguments: &[Value]) -> Result<Option<(Vec<Value>, Pause)>> {
    let Some(choice) = choice(op) else { return Ok(None) };
    let state = STATE.get();
    let Some(lower) = state.dtype else { return Ok(None) };
    let pause = Pause(STATE.replace(State { dtype: None, ..state }));
    if choice == Choice::Given {
        return Ok(Some((arguments.to_vec(), pause)));
    }
    let target = match choice {
        Choice::Given | Choice::Lower => lower,
        Choice::Float32 => DType::Float32,
        Choice::Widest => {
            let wide = |tensor: &Tensor| is_eligible(tensor) && tensor.dtype() == DType::Float32;
            if arguments.iter().flat_map(Value::tensors).any(wide) { DType::Float32 } else { lower }
        }
    };
    let cast = |tensor: &Tensor| match is_eligible(tensor) {
        true => converted(tensor, target, state.cached),
        false => Ok(tensor.clone()),
    };
    let mut operands = Vec::with_capacity(arguments.len());
    for value in arguments {
        operands.push(match value {
            Value::Tensor(tensor) => Value::Tensor(cast(tensor)?),
            Value::Tensors(list) => {
                Value::Tensors(list.iter().map(|item| item.as_ref().map(cast).transpose()).collect::<Result<_>>()?)
            }
            other => other.clone(),
        });
    }
    Ok(Some((operands, pause)))
}

/// Who asks for float64 is to have it.
fn is_eligible(tensor: &Tensor) -> bool {
    tensor.dtype().is_float() && tensor.dtype() != DType::Float64
}

fn converted(tensor: &Tensor, target: DType, cached: bool) -> Result<Tensor> {
    if tensor.dtype() == target {
        return Ok(tensor.clone());
    }
    let is_parameter = tensor.has_flag(flag::LEAF_REQUIRES_GRAD) && !tensor.has_flag(flag::VIEW);
    if !(cached && is_parameter && target != DType::Float32 && modes::grad_enabled()) {
        return to_dtype(tensor, target);
    }
    let known = CONVERTED.with_borrow(|rows| {
        rows.iter().find(|(source, copy)| source.is_same(tensor) && copy.dtype() == target).map(|row| row.1.clone())
    });
    if let Some(copy) = known {
        return Ok(copy);
    }
    let copy = to_dtype(tensor, target)?;
    CONVERTED.with_borrow_mut(|rows| rows.push((tensor.clone(), copy.clone())));
    Ok(copy)
}
