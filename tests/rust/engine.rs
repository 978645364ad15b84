//! The backward engine: accumulation, what a pass keeps and frees, pruning, long chains, no leaks.

use rgrad::autograd::anomaly::{begin_search, end_search};
use rgrad::autograd::engine::{self, Options};
use rgrad::autograd::forward::{set_tangent, tangent};
use rgrad::autograd::modes;
use rgrad::ops::arithmetic::{add_tensors, mul, mul_tensors};
use rgrad::ops::reduction::sum_all;
use rgrad::ops::unary::{exp, sin, sqrt};
use rgrad::ops::views::{select, unbind};
use rgrad::{DType, Result, Tensor};

fn leaf(values: &[f64]) -> Tensor {
    let leaf = Tensor::from_slice(values, &[values.len()]).unwrap();
    leaf.set_requires_grad(true).unwrap();
    leaf
}

fn backward(root: &Tensor, options: Options) -> Result<()> {
    engine::backward(&[(root.clone(), None)], None, options)
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_vec().unwrap()
}

fn grad_of(leaf: &Tensor) -> Vec<f64> {
    values(&leaf.grad().expect("there should be a gradient"))
}

const KEEP: Options = Options { create_graph: false, retain_graph: true, allow_unused: false };
const RECORD: Options = Options { create_graph: true, retain_graph: true, allow_unused: false };

#[test]
fn gradients_accumulate_in_the_same_tensor() {
    let x = leaf(&[1.0, 2.0]);
    backward(&sum_all(&mul_tensors(&x, &x).unwrap(), None).unwrap(), Options::default()).unwrap();
    let first = x.grad().unwrap();
    assert_eq!(values(&first), [2.0, 4.0]);
    backward(&sum_all(&mul_tensors(&x, &x).unwrap(), None).unwrap(), Options::default()).unwrap();
    assert!(x.grad().unwrap().is_same(&first));
    assert_eq!(values(&first), [4.0, 8.0]);
}

/// The first gradient may move in without a copy, but not where somebody else can see its memory.
#[test]
fn a_gradient_is_never_shared() {
    let (x, y) = (leaf(&[1.0, 2.0]), leaf(&[3.0, 4.0]));
    let total = add_tensors(&x, &y).unwrap();
    let cotangent = Tensor::from_slice(&[1.0, 1.0], &[2]).unwrap();
    engine::backward(&[(total, Some(cotangent.clone()))], None, Options::default()).unwrap();
    let (a, b) = (x.grad().unwrap(), y.grad().unwrap());
    let memory = [&a, &b, &cotangent].map(|tensor| tensor.data().pointer());
    assert!(memory[0] != memory[1] && memory[0] != memory[2] && memory[1] != memory[2]);
}

#[test]
fn a_tensor_used_often_gets_the_sum() {
    let x = leaf(&[2.0]);
    let square = mul_tensors(&x, &x).unwrap();
    let mut total = square.clone();
    for _ in 0..9 {
        total = add_tensors(&total, &square).unwrap();
    }
    backward(&total, Options::default()).unwrap();
    assert_eq!(grad_of(&x), [40.0]);
}

#[test]
fn a_second_pass_needs_the_graph_retained() {
    let x = leaf(&[0.5]);
    let y = exp(&x).unwrap();
    backward(&y, KEEP).unwrap();
    backward(&y, Options::default()).unwrap();
    assert_eq!(grad_of(&x), [2.0 * 0.5f64.exp()]);
    let message = backward(&y, Options::default()).unwrap_err().to_string();
    assert!(message.contains("second time") && message.contains("ExpBackward0"), "{message}");
    // The failed pass left the gradient alone.
    assert_eq!(grad_of(&x), [2.0 * 0.5f64.exp()]);
}

#[test]
fn a_sum_saves_nothing_and_can_be_repeated() {
    let x = leaf(&[1.0, 2.0]);
    let y = sum_all(&x, None).unwrap();
    backward(&y, Options::default()).unwrap();
    backward(&y, Options::default()).unwrap();
    assert_eq!(grad_of(&x), [2.0, 2.0]);
}

/// The derivatives of sin, one after another, each the gradient of the last.
#[test]
fn a_recorded_pass_is_differentiated_again_and_again() {
    let x = leaf(&[0.7]);
    let mut y = sin(&x).unwrap();
    for expected in [0.7f64.cos(), -0.7f64.sin(), -0.7f64.cos(), 0.7f64.sin(), 0.7f64.cos()] {
        y = engine::grad(&[(y, None)], std::slice::from_ref(&x), RECORD).unwrap().remove(0).unwrap();
        assert!((values(&y)[0] - expected).abs() < 1e-15);
    }
    assert!(x.grad().is_none(), "grad() leaves .grad alone");
    let plain = engine::grad(&[(sin(&x).unwrap(), None)], &[x], KEEP).unwrap().remove(0).unwrap();
    assert!(!plain.requires_grad());
}

#[test]
fn only_what_is_wanted_gets_a_gradient() {
    let (x, y) = (leaf(&[1.0]), leaf(&[2.0]));
    let product = mul_tensors(&x, &y).unwrap();
    let root = exp(&product).unwrap();
    engine::backward(&[(root.clone(), None)], Some(&[x.clone().into()]), KEEP).unwrap();
    assert!(y.grad().is_none());
    assert_eq!(grad_of(&x), [2.0 * 2f64.exp()]);
    // Inner results can be wanted too; what lies behind them is not run.
    let inner = engine::grad(&[(root.clone(), None)], std::slice::from_ref(&product), KEEP).unwrap();
    assert_eq!(values(inner[0].as_ref().unwrap()), [2f64.exp()]);
    // One pass gives the gradients of a tensor and of what it was made of.
    let both = engine::grad(&[(root, None)], &[product, y], KEEP).unwrap();
    assert_eq!(values(both[1].as_ref().unwrap()), [2f64.exp()]);
}

#[test]
fn inputs_that_are_not_used_are_an_error_unless_allowed() {
    let (x, unused) = (leaf(&[1.0]), leaf(&[2.0]));
    let y = exp(&x).unwrap();
    let inputs = [x, unused];
    let message = engine::grad(&[(y.clone(), None)], &inputs, KEEP).err().unwrap().to_string();
    assert!(message.contains("input 1"), "{message}");
    let found = engine::grad(&[(y.clone(), None)], &inputs, Options { allow_unused: true, ..KEEP }).unwrap();
    assert!(found[0].is_some() && found[1].is_none());
    let constant = [Tensor::zeros(&[1], DType::Float64).unwrap()];
    assert!(engine::grad(&[(y, None)], &constant, KEEP).is_err());
}

#[test]
fn roots_are_checked() {
    let x = leaf(&[1.0, 2.0]);
    let y = exp(&x).unwrap();
    let fails = |root: &Tensor, gradient: Option<Tensor>| {
        let error = engine::backward(&[(root.clone(), gradient)], None, KEEP).unwrap_err().to_string();
        assert!(x.grad().is_none());
        error
    };
    assert!(fails(&y, None).contains("scalar outputs"));
    assert!(fails(&y, Some(Tensor::zeros(&[3], DType::Float64).unwrap())).contains("(3,)"));
    assert!(fails(&y.detach(), None).contains("does not require grad"));
    // A gradient of another type is converted.
    for dtype in [DType::Float32, DType::Int64] {
        let other = Tensor::full(&[2], 1.0.into(), dtype).unwrap();
        engine::backward(&[(y.clone(), Some(other))], None, KEEP).unwrap();
        assert_eq!(x.grad().unwrap().dtype(), DType::Float64);
    }
}

#[test]
fn several_roots_are_one_pass() {
    let x = leaf(&[2.0]);
    let square = mul_tensors(&x, &x).unwrap();
    let cube = mul_tensors(&square, &x).unwrap();
    engine::backward(&[(square, None), (cube, None)], None, Options::default()).unwrap();
    assert_eq!(grad_of(&x), [16.0]);
}

#[test]
fn the_gradient_of_a_result_can_be_kept() {
    let x = leaf(&[3.0]);
    let y = mul_tensors(&x, &x).unwrap();
    y.retain_grad().unwrap();
    backward(&exp(&y).unwrap(), Options::default()).unwrap();
    assert_eq!(grad_of(&y), [9f64.exp()]);
    assert!(x.detach().retain_grad().is_err());
}

#[test]
fn a_leaf_is_its_own_root() {
    let x = leaf(&[3.0]);
    backward(&x, Options::default()).unwrap();
    assert_eq!(grad_of(&x), [1.0]);
}

#[test]
fn nothing_is_recorded_in_no_grad_mode() {
    let x = leaf(&[1.0]);
    let y = modes::without_grad(|| exp(&x)).unwrap();
    assert!(!y.requires_grad() && y.grad_fn().unwrap().is_none() && y.is_leaf());
    assert!(exp(&x).unwrap().requires_grad());
}

/// Outputs of one node arrive together; those without a gradient count as zeros.
#[test]
fn some_results_of_a_node_may_be_unused() {
    let x = leaf(&[1.0, 2.0, 3.0]);
    let parts = unbind(&x, 0).unwrap();
    backward(&mul_tensors(&parts[0], &parts[2]).unwrap(), Options::default()).unwrap();
    assert_eq!(grad_of(&x), [3.0, 0.0, 1.0]);
}

/// Neither building nor differentiating nor dropping a long chain uses the stack.
#[test]
fn a_chain_of_a_million_operations() {
    let x = leaf(&[1.0]);
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = mul((&y).into(), 1.0.into()).unwrap();
    }
    backward(&y, Options::default()).unwrap();
    assert_eq!(grad_of(&x), [1.0]);
    drop(y);
    // Also without a backward pass before.
    let mut y = x.clone();
    for _ in 0..1_000_000 {
        y = exp(&y).unwrap();
    }
    drop(y);
}

/// After its graph is gone, nobody but the test holds a leaf or its memory.
#[test]
fn nothing_leaks() {
    let x = leaf(&[0.5, 1.5]);
    let alone = || (x.handles(), x.data().storage.handles()) == (1, 1);
    let built = || sum_all(&mul_tensors(&exp(&x).unwrap(), &x).unwrap(), None).unwrap();
    drop(built());
    assert!(alone(), "after a graph that was not used");
    backward(&built(), Options::default()).unwrap();
    assert!(alone(), "after a backward pass");
    x.set_grad(None);
    for _ in 0..3 {
        let gradient = engine::grad(&[(built(), None)], std::slice::from_ref(&x), RECORD).unwrap().remove(0).unwrap();
        drop(engine::grad(&[(sum_all(&gradient, None).unwrap(), None)], std::slice::from_ref(&x), KEEP).unwrap());
    }
    assert!(alone(), "after second derivatives");
    let failed = built();
    backward(&failed, Options::default()).unwrap();
    assert!(backward(&failed, Options::default()).is_err());
    drop(failed);
    assert!(alone(), "after a pass that failed");
}

/// A view holds its base, the base not its views.
#[test]
fn views_do_not_leak() {
    let x = leaf(&[1.0, 2.0]);
    let base = exp(&x).unwrap();
    for _ in 0..3 {
        let part = select(&base, 0, 1).unwrap();
        mul_tensors(&part, &part).unwrap();
    }
    assert_eq!(base.handles(), 1);
    backward(&sum_all(&base, None).unwrap(), Options::default()).unwrap();
    drop(base);
    assert_eq!(x.handles(), 1);
}

/// A tangent is a tensor with a history of its own, which must not hold what it belongs to once that was used.
#[test]
fn tangents_do_not_leak() {
    for operation in [exp, sin] {
        for (differentiates, carries) in [(true, false), (false, true), (true, true)] {
            let x = Tensor::from_slice(&[0.5, 1.5], &[2]).unwrap();
            x.set_requires_grad(differentiates).unwrap();
            let direction = Tensor::full(&[2], 1.0.into(), DType::Float64).unwrap();
            set_tangent(&x, carries.then(|| direction.clone()));
            let y = operation(&x).unwrap();
            let root = sum_all(&if carries { tangent(&y).unwrap() } else { y.clone() }, None).unwrap();
            if differentiates {
                drop(engine::grad(&[(root.clone(), None)], std::slice::from_ref(&x), Options::default()).unwrap());
            }
            drop((y, root));
            set_tangent(&x, None);
            assert_eq!((x.handles(), direction.handles()), (1, 1), "{differentiates} {carries}");
        }
    }
}

#[test]
fn memory_is_told_by_storage_and_by_whether_a_leaf_holds_it() {
    let x = leaf(&[1.0, 2.0]);
    let y = exp(&x).unwrap();
    let node = mul_tensors(&x, &y).unwrap().grad_fn().unwrap().unwrap();
    let holdings = node.holdings();
    let made = y.grad_fn().unwrap().unwrap().holdings();
    assert_eq!(holdings.iter().map(|held| held.leaf).collect::<Vec<_>>(), [true, false]);
    assert!(holdings.iter().all(|held| held.bytes == 16));
    assert_eq!((made.len(), made[0].address), (1, holdings[1].address));
}

#[test]
fn a_search_finds_where_a_gradient_breaks() {
    let x = leaf(&[1.0, -1.0]);
    let root = sqrt(&x).unwrap();
    let loss = sum_all(&root, None).unwrap();
    begin_search();
    backward(&loss, Options::default()).unwrap();
    let found = end_search();
    assert_eq!(found.len(), 1);
    assert!(found[0].node.is_same(&root.grad_fn().unwrap().unwrap()));
    assert_eq!((found[0].edge, found[0].offenders.count, &found[0].offenders.first[..]), (Some(0), 1, &[1][..]));
}

#[test]
fn a_cut_is_named_to_who_asks_behind_it() {
    let (x, w) = (leaf(&[1.0]), leaf(&[2.0]));
    modes::without_grad(|| exp(&x)).unwrap();
    let loss = sum_all(&w, None).unwrap();
    let refused = engine::grad(&[(loss.clone(), None)], std::slice::from_ref(&x), KEEP).err().unwrap().to_string();
    assert!(refused.contains("may end at exp while gradients are switched off"), "{refused}");
    let again = engine::grad(&[(loss, None)], &[x], KEEP).err().unwrap().to_string();
    assert!(!again.contains("may end at"), "{again}");
}
