//! What the tests of operations share: calls with gradients, and comparisons.

use rgrad::autograd::engine::{self, Options};
use rgrad::autograd::record;
use rgrad::dtype::Complex128;
use rgrad::op::{self, Op};
use rgrad::ops::arithmetic::{add_tensors, mul};
use rgrad::ops::complex::view_as_real;
use rgrad::ops::diagonal::tril;

use rgrad::ops::views::transpose;
use rgrad::shape;
use rgrad::value::Value;
use rgrad::{DType, Result, Tensor};

use crate::samples::{self, Sample};

/// Runs a check on every sample of every operation and reports all that fail, rather than the first.
pub fn each_sample(check: impl Fn(&'static Op, &Sample) -> Result<(), String>) {
    report(op::registry().iter().flat_map(|op| samples::of(op)), check);
}

/// Runs a check on some samples and reports all that fail.
pub fn report(samples: impl Iterator<Item = Sample>, check: impl Fn(&'static Op, &Sample) -> Result<(), String>) {
    let failures: Vec<String> = samples
        .filter_map(|sample| check(sample.op, &sample).err().map(|message| format!("{}: {message}", sample.show())))
        .collect();
    assert!(failures.is_empty(), "{} samples fail:\n{}", failures.len(), failures.join("\n"));
}

/// A call as a function of real numbers that are free of each other: a matrix of which the operation reads one triangle
/// is made symmetric or triangular first, as its derivative takes it, and complex results are seen as pairs.
pub fn free_call(sample: &Sample, tensors: &[Tensor]) -> Result<Vec<Tensor>> {
    let half = |matrix: &Tensor| mul(matrix.into(), 0.5.into());
    let mut tensors = tensors.to_vec();
    match sample.op.name {
        "cholesky" | "linalg_cholesky" | "linalg_cholesky_ex" | "_linalg_eigh" | "linalg_eigh" | "linalg_eigvalsh" => {
            tensors[0] = half(&add_tensors(&tensors[0], &transpose(&tensors[0], -2, -1)?)?)?;
        }
        "cholesky_inverse" => tensors[0] = tril(&tensors[0], 0)?,
        "cholesky_solve" | "_cholesky_solve" => tensors[1] = tril(&tensors[1], 0)?,
        _ => {}
    }
    let outputs = record::call(sample.op, &sample.with(&tensors))?;
    outputs.iter().map(|y| if y.dtype().is_complex() { view_as_real(y) } else { Ok(y.clone()) }).collect()
}

/// The results of a call and the gradients of its tensors.
pub struct Outcome {
    pub outputs: Vec<Tensor>,
    /// `None` for tensors that have no gradient, and where there is none.
    pub gradients: Vec<Option<Tensor>>,
}

/// Handles on the memory of other tensors for a sample, which ask for gradients where they are differentiated.
pub fn leaves(sample: &Sample, tensors: &[Tensor]) -> Vec<Tensor> {
    let handles = tensors.iter().zip(sample.variables()).map(|(tensor, variable)| {
        let leaf = tensor.detach();
        leaf.set_requires_grad(variable && leaf.dtype().is_differentiable()).unwrap();
        leaf
    });
    handles.collect()
}

/// Calls the operation of a sample on other tensors and differentiates the results with cotangents 1, 1/2, 1/3, …
pub fn outcome(sample: &Sample, tensors: &[Tensor]) -> Result<Outcome> {
    let inputs = leaves(sample, tensors);
    let outputs = record::call(sample.op, &sample.with(&inputs))?.into_vec();
    let gradients = gradients(&outputs, &inputs)?;
    Ok(Outcome { outputs, gradients })
}

/// The gradients of `outputs` with cotangents 1, 1/2, 1/3, … with respect to those `inputs` that have one.
pub fn gradients(outputs: &[Tensor], inputs: &[Tensor]) -> Result<Vec<Option<Tensor>>> {
    let mut roots = Vec::new();
    for output in outputs.iter().filter(|output| output.requires_grad()) {
        let values: Vec<f64> = (1..=output.numel()).map(|i| 1.0 / i as f64).collect();
        let cotangent = with_dtype(&Tensor::from_slice(&values, &output.sizes())?, output.dtype())?;
        roots.push((output.clone(), Some(cotangent)));
    }
    let wanted: Vec<Tensor> = inputs.iter().filter(|input| input.requires_grad()).cloned().collect();
    if roots.is_empty() || wanted.is_empty() {
        return Ok(vec![None; inputs.len()]);
    }
    let options = Options { allow_unused: true, ..Options::default() };
    let mut found = engine::grad(&roots, &wanted, options)?.into_iter();
    Ok(inputs.iter().map(|input| if input.requires_grad() { found.next().flatten() } else { None }).collect())
}

/// A copy in another element type.
pub fn with_dtype(tensor: &Tensor, dtype: DType) -> Result<Tensor> {
    rgrad::ops::conversion::to_copy(&tensor.detach(), dtype)
}

/// Whether two tensors have the same type, the same size and elements that differ by at most
/// `tolerance * max(1, |expected|)`.
pub fn close(expected: &Tensor, found: &Tensor, tolerance: f64) -> Result<(), String> {
    if expected.dtype() != found.dtype() || expected.sizes() != found.sizes() {
        let show = |tensor: &Tensor| format!("{}{}", tensor.dtype(), shape::show(&tensor.sizes()));
        return Err(format!("expected {}, got {}", show(expected), show(found)));
    }
    let (expected, found) = (expected.to_vec::<Complex128>().unwrap(), found.to_vec::<Complex128>().unwrap());
    for (i, (&a, &b)) in expected.iter().zip(&found).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).norm() <= tolerance * a.norm().max(1.0);
        if !same {
            return Err(format!("element {i}: expected {a:e}, got {b:e}"));
        }
    }
    Ok(())
}

/// [`close`] for results and gradients.
pub fn close_outcomes(expected: &Outcome, found: &Outcome, tolerance: f64) -> Result<(), String> {
    if expected.outputs.len() != found.outputs.len() {
        return Err(format!("expected {} results, got {}", expected.outputs.len(), found.outputs.len()));
    }
    for (i, (a, b)) in expected.outputs.iter().zip(&found.outputs).enumerate() {
        close(a, b, tolerance).map_err(|message| format!("result {i}: {message}"))?;
    }
    for (i, (a, b)) in expected.gradients.iter().zip(&found.gradients).enumerate() {
        match (a, b) {
            (None, None) => {}
            (Some(a), Some(b)) => close(a, b, tolerance).map_err(|message| format!("gradient {i}: {message}"))?,
            (a, _) => {
                return Err(format!(
                    "gradient {i} is {} but should not be",
                    if a.is_some() { "missing" } else { "there" }
                ));
            }
        }
    }
    Ok(())
}

/// A tensor of `sizes` and `strides` on fresh memory with the values of another.
pub fn laid_out(values: &Tensor, layout: fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let target = layout(values)?.detach();
    record::call_in_place(
        op::find("copy", "").unwrap(),
        &[Value::Tensor(target.clone()), Value::Tensor(values.detach())],
    )?;
    Ok(target)
}
