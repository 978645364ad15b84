//! Every operation on batched tensors against the same operation on each example.

use rgrad::autograd::batch::{self, Level, Levels};
use rgrad::autograd::engine::{self, Options};
use rgrad::autograd::record;
use rgrad::checking::{self, Settings};
use rgrad::op::{Batching, Traits};
use rgrad::ops::arithmetic::mul;
use rgrad::ops::conversion::clone;
use rgrad::ops::joining::stack_tensors;
use rgrad::ops::views::{movedim, reshape, select};
use rgrad::shape::Ints;
use rgrad::value::Value;
use rgrad::{DType, Result, Tensor};

use crate::calls::{close, each_sample, free_call, gradients};
use crate::in_place::changes_geometry;
use crate::samples::Sample;

/// Whether a batch of calls is a matter of the examples alone: not where the places of elements in memory are given, or
/// the size of the result depends on values.
fn can_be_batched(sample: &Sample) -> bool {
    let refused = matches!(sample.op.batching, Batching::Refused(_));
    let (name, full) = (sample.op.name, sample.op.full_name());
    let by_places = matches!(name, "as_strided" | "_as_strided" | "as_strided_scatter");
    let by_values = name.contains("unique")
        || name.contains("ctc_loss")
        || full.ends_with(".data")
        || matches!(
            name,
            "masked_select"
                | "masked_scatter"
                | "argwhere"
                | "_nonzero_columns"
                | "quantile"
                | "nanquantile"
                | "repeat_interleave"
                | "_embedding_bag"
        )
        || matches!(full.as_str(), "where.condition" | "tensor_split.tensor_indices_or_sections");
    // The statistics of a batch belong to all of it.
    let by_batches = name.ends_with("batch_norm") || name == "instance_norm";
    !(refused || by_places || by_values || by_batches)
}

/// Which tensors of a call are batched at which levels, and where in memory the batch is.
struct Layout {
    levels: Vec<Level>,
    /// For each tensor the numbers of its levels.
    own: Vec<Vec<usize>>,
    /// Whether the batch dimensions come last in memory.
    last: bool,
}

impl Layout {
    /// The levels of a tensor.
    fn of(&self, tensor: usize) -> Levels {
        self.own[tensor].iter().map(|&level| self.levels[level]).collect()
    }

    /// The numbers of all examples, one number for each level.
    fn examples(&self) -> Vec<Vec<usize>> {
        self.levels.iter().fold(vec![vec![]], |all, level| {
            all.iter().flat_map(|row: &Vec<usize>| (0..level.size).map(|i| [&row[..], &[i]].concat())).collect()
        })
    }
}

/// Every tensor in one batch, each tensor alone, the batch in another place, and two levels.
fn layouts(count: usize) -> Vec<Layout> {
    let level = |size: usize| batch::fresh_level(size);
    let same = |own: Vec<usize>| vec![own; count];
    let mut all = vec![
        Layout { levels: vec![level(2)], own: same(vec![0]), last: false },
        Layout { levels: vec![level(3)], own: same(vec![0]), last: true },
        Layout { levels: vec![level(2), level(3)], own: same(vec![0, 1]), last: false },
    ];
    if count > 1 {
        for alone in 0..count {
            let own = (0..count).map(|i| if i == alone { vec![0] } else { vec![] }).collect();
            all.push(Layout { levels: vec![level(2)], own, last: false });
        }
        let own = (0..count).map(|i| vec![i % 2]).collect();
        all.push(Layout { levels: vec![level(2), level(3)], own, last: false });
    }
    all
}

/// Another tensor from the same domain: the same numbers in another order, floats somewhat smaller.
fn variant(sample: &Sample, tensor: &Tensor, number: usize) -> Result<Tensor> {
    if sample.is_of_matrices() {
        // In another order a matrix could be singular.
        return if tensor.dtype().is_float() { smaller(tensor, number) } else { Ok(tensor.clone()) };
    }
    let count = tensor.numel();
    let turned: Vec<i64> = (0..count as i64).map(|i| (i + number as i64) % count.max(1) as i64).collect();
    let places = Tensor::from_slice(&turned, &[count])?;
    let moved = rgrad::ops::gathering::index_select(&reshape(tensor, &[-1])?, 0, &places)?;
    let sizes: Ints = tensor.sizes().iter().map(|&n| n as i64).collect();
    let moved = reshape(&moved, &sizes)?;
    if tensor.dtype().is_float() { smaller(&moved, number) } else { Ok(moved) }
}

fn smaller(tensor: &Tensor, number: usize) -> Result<Tensor> {
    mul(tensor.into(), (1.0 - number as f64 / 64.0).into())
}

/// The leaves of a call: for each tensor all its examples, with the dimensions of the batch first or last.
fn leaves(sample: &Sample, layout: &Layout) -> Result<Vec<Tensor>> {
    let mut leaves = Vec::new();
    for (i, (tensor, variable)) in sample.tensors().iter().zip(sample.variables()).enumerate() {
        let sizes: Vec<usize> = layout.of(i).iter().map(|level| level.size).collect();
        let variants: Result<Vec<Tensor>> = (0..sizes.iter().product()).map(|n| variant(sample, tensor, n)).collect();
        let all: Ints = sizes.iter().chain(&tensor.sizes()).map(|&n| n as i64).collect();
        let mut whole = reshape(&stack_tensors(&variants?, 0)?, &all)?;
        if layout.last {
            let first: Vec<i64> = (0..sizes.len() as i64).collect();
            let last: Vec<i64> = first.iter().map(|i| i - sizes.len() as i64).collect();
            whole = clone(&rgrad::ops::conversion::contiguous(&movedim(&whole, &first, &last)?)?)?;
        }
        let leaf = whole.detach();
        leaf.set_requires_grad(variable && leaf.dtype().is_differentiable())?;
        leaves.push(leaf);
    }
    Ok(leaves)
}

/// The leaves with the batch first.
fn arranged(leaves: &[Tensor], layout: &Layout) -> Result<Vec<Tensor>> {
    let arrange = |(i, leaf): (usize, &Tensor)| {
        let count = layout.own[i].len() as i64;
        let first: Vec<i64> = (0..count).collect();
        let last: Vec<i64> = first.iter().map(|i| i - count).collect();
        if layout.last { movedim(leaf, &last, &first) } else { Ok(leaf.clone()) }
    };
    leaves.iter().enumerate().map(arrange).collect()
}

/// A call of an operation, in place or not.
type Call<'a> = &'a dyn Fn(&Sample, &[Tensor]) -> Result<Vec<Tensor>>;
/// One of the two ways to run a call for all examples.
type Way = fn(&Sample, &Layout, &[Tensor], Call) -> Result<Vec<Tensor>>;

fn plain(sample: &Sample, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    Ok(record::call(sample.op, &sample.with(tensors))?.into_vec())
}

fn in_place(sample: &Sample, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    let mut tensors = tensors.to_vec();
    tensors[0] = clone(&tensors[0])?;
    Ok(vec![record::call_in_place(sample.op, &sample.with(&tensors))?])
}

/// The results of all examples, one call for each.
fn one_by_one(sample: &Sample, layout: &Layout, inputs: &[Tensor], call: Call) -> Result<Vec<Tensor>> {
    let mut columns: Vec<Vec<Tensor>> = Vec::new();
    for example in layout.examples() {
        let tensors: Result<Vec<Tensor>> = inputs
            .iter()
            .enumerate()
            .map(|(i, input)| {
                layout.own[i].iter().try_fold(input.clone(), |part, &level| select(&part, 0, example[level] as i64))
            })
            .collect();
        let outputs = call(sample, &tensors?)?;
        columns.resize(outputs.len(), Vec::new());
        columns.iter_mut().zip(outputs).for_each(|(column, output)| column.push(output));
    }
    let whole = |column: Vec<Tensor>| {
        let sizes: Ints =
            layout.levels.iter().map(|level| level.size).chain(column[0].sizes()).map(|n| n as i64).collect();
        reshape(&stack_tensors(&column, 0)?, &sizes)
    };
    columns.into_iter().map(whole).collect()
}

/// The results of all examples, by one call.
fn at_once(sample: &Sample, layout: &Layout, inputs: &[Tensor], call: Call) -> Result<Vec<Tensor>> {
    let tensors: Result<Vec<Tensor>> =
        inputs.iter().enumerate().map(|(i, input)| batch::lift(input, &layout.of(i))).collect();
    let outputs = call(sample, &tensors?)?;
    outputs.iter().map(|output| batch::lower(output, &layout.levels)).collect()
}

/// Values and gradients of both ways have to agree.
fn compare(sample: &Sample, layout: &Layout, call: Call) -> Result<(), String> {
    let show = |error: rgrad::Error| error.to_string();
    let leaves = leaves(sample, layout).map_err(show)?;
    let run = |way: Way| -> Result<_> {
        let outputs = way(sample, layout, &arranged(&leaves, layout)?, call)?;
        let gradients = gradients(&outputs, &leaves)?;
        Ok((outputs, gradients))
    };
    let (expected, found) = match (run(one_by_one), run(at_once)) {
        (Ok(expected), Ok(found)) => (expected, found),
        (Err(_), Err(_)) => return Ok(()),
        (Ok(_), Err(error)) => return Err(format!("fails for a batch: {error}")),
        (Err(error), Ok(_)) => return Err(format!("works for a batch, but not for an example: {error}")),
    };
    if expected.0.len() != found.0.len() {
        return Err(format!("expected {} results, got {}", expected.0.len(), found.0.len()));
    }
    for (i, (a, b)) in expected.0.iter().zip(&found.0).enumerate() {
        close(a, b, 1e-12).map_err(|message| format!("result {i}: {message}"))?;
    }
    for (i, row) in expected.1.iter().zip(&found.1).enumerate() {
        match row {
            (Some(a), Some(b)) => close(a, b, 1e-12).map_err(|message| format!("gradient {i}: {message}"))?,
            (None, None) => {}
            // A gradient that never came is one of zeros.
            (Some(rest), None) | (None, Some(rest)) => {
                let zeros = Tensor::zeros(&rest.sizes(), rest.dtype()).map_err(show)?;
                close(&zeros, rest, 0.0).map_err(|message| format!("gradient {i}, which one way lacks: {message}"))?;
            }
        }
    }
    Ok(())
}

fn with_layout(layout: &Layout, result: Result<(), String>) -> Result<(), String> {
    let sizes: Vec<usize> = layout.levels.iter().map(|level| level.size).collect();
    result.map_err(|message| format!("levels {sizes:?}, tensors at {:?}, last: {}: {message}", layout.own, layout.last))
}

#[test]
fn a_batch_gives_what_its_examples_give() {
    each_sample(|_, sample| {
        if !can_be_batched(sample) {
            return Ok(());
        }
        for layout in layouts(sample.tensors().len()) {
            with_layout(&layout, compare(sample, &layout, &plain))?;
        }
        Ok(())
    });
}

#[test]
fn a_batch_in_place_gives_what_its_examples_give() {
    each_sample(|op, sample| {
        let in_place_form = op.traits.has(Traits::IN_PLACE) && !changes_geometry(op);
        if !in_place_form || !matches!(sample.arguments.first(), Some(Value::Tensor(_))) {
            return Ok(());
        }
        let has_room = |layout: &Layout| layout.own[0].len() == layout.levels.len();
        for layout in layouts(sample.tensors().len()).iter().filter(|layout| has_room(layout)) {
            with_layout(layout, compare(sample, layout, &in_place))?;
        }
        Ok(())
    });
}

/// All derivatives of the batched call, in all modes, against differences.
#[test]
fn derivatives_of_a_batch_agree_with_differences() {
    each_sample(|op, sample| {
        let one = plain(sample, &sample.tensors());
        let finite = |tensor: &Tensor| tensor.to_vec::<f64>().unwrap().iter().all(|value| value.is_finite());
        if !can_be_batched(sample) || !op.is_differentiable() || !one.is_ok_and(|outputs| outputs.iter().all(finite)) {
            return Ok(());
        }
        let layout = &layouts(sample.tensors().len())[0];
        let leaves = leaves(sample, layout).map_err(|error| error.to_string())?;
        let inputs: Vec<Tensor> = leaves.iter().filter(|leaf| leaf.requires_grad()).map(Tensor::detach).collect();
        let function = |inputs: &[Tensor]| -> Result<Vec<Tensor>> {
            let mut rest = inputs.iter();
            let tensors: Vec<Tensor> = leaves
                .iter()
                .map(|leaf| if leaf.requires_grad() { rest.next().unwrap().clone() } else { leaf.clone() })
                .collect();
            at_once(sample, layout, &tensors, &free_call)
        };
        checking::check_gradients(&op.full_name(), &function, &inputs, Settings::default())
            .map_err(|failure| failure.to_string())
    });
}

/// A gradient that is batched where the graph is not gives a Jacobian from one graph.
#[test]
fn batched_cotangents_travel_through_a_graph_without_levels() {
    each_sample(|_, sample| {
        if !can_be_batched(sample) {
            return Ok(());
        }
        let inputs = crate::calls::leaves(sample, &sample.tensors());
        let Ok(outputs) = plain(sample, &inputs) else { return Ok(()) };
        let wanted: Vec<Tensor> = inputs.iter().filter(|input| input.requires_grad()).cloned().collect();
        let outputs: Vec<Tensor> = outputs.into_iter().filter(Tensor::requires_grad).collect();
        if outputs.is_empty() {
            return Ok(());
        }
        let rows = |first: f64| -> Result<Vec<Tensor>> {
            let row = |output: &Tensor| {
                let values: Vec<f64> = (0..output.numel()).map(|i| first / (i as f64 + 1.0)).collect();
                rgrad::ops::conversion::to_copy(&Tensor::from_slice(&values, &output.sizes())?, output.dtype())
            };
            outputs.iter().map(row).collect()
        };
        let options = Options { allow_unused: true, retain_graph: true, ..Options::default() };
        let pull = |cotangents: &[Tensor]| -> Result<Vec<Option<Tensor>>> {
            let roots: Vec<_> = outputs.iter().cloned().zip(cotangents.iter().cloned().map(Some)).collect();
            engine::grad(&roots, &wanted, options)
        };
        let check = || -> Result<Result<(), String>> {
            let level = batch::fresh_level(2);
            let (first, second) = (rows(1.0)?, rows(-0.5)?);
            let both: Result<Vec<Tensor>> = first
                .iter()
                .zip(&second)
                .map(|(a, b)| batch::lift(&stack_tensors(&[a.clone(), b.clone()], 0)?, &[level]))
                .collect();
            let found = pull(&both?)?;
            let (first, second) = (pull(&first)?, pull(&second)?);
            for ((found, a), b) in found.iter().zip(first).zip(second) {
                let (Some(found), Some(a), Some(b)) = (found, a, b) else { continue };
                let expected = stack_tensors(&[a, b], 0)?;
                if let Err(message) = close(&expected, &batch::lower(found, &[level])?, 1e-12) {
                    return Ok(Err(message));
                }
            }
            Ok(Ok(()))
        };
        check().map_err(|error| error.to_string())?
    });
}

/// A batch of no examples has results of the right size.
#[test]
fn a_batch_without_examples_has_results() {
    each_sample(|_, sample| {
        let (Ok(one), true) = (plain(sample, &sample.tensors()), can_be_batched(sample)) else { return Ok(()) };
        let level = batch::fresh_level(0);
        let nothing = |tensor: &Tensor| {
            let mut sizes = tensor.sizes();
            sizes.insert(0, 0);
            batch::lift(&Tensor::zeros(&sizes, tensor.dtype())?, &[level])
        };
        let call = || -> Result<Vec<Tensor>> {
            let tensors: Result<Vec<Tensor>> = sample.tensors().iter().map(nothing).collect();
            plain(sample, &tensors?)
        };
        let outputs = call().map_err(|error| error.to_string())?;
        for (expected, found) in one.iter().zip(&outputs) {
            if expected.sizes() != found.sizes() || expected.dtype() != found.dtype() {
                return Err(format!("{:?} instead of {:?}", found.sizes(), expected.sizes()));
            }
        }
        Ok(())
    });
}

/// The values of a batched tensor cannot be read by mistake.
#[test]
fn examples_cannot_be_read() {
    let level = batch::fresh_level(2);
    let batched = batch::lift(&Tensor::zeros(&[2, 1], DType::Float64).unwrap(), &[level]).unwrap();
    assert_eq!(batched.sizes(), [1]);
    assert!(batched.item().is_err());
    assert!(batched.to_vec::<f64>().is_err());
    assert!(batched.with_array::<f64, _>(|_| ()).is_err());
    assert!(batched.detach().item().is_err());
}
