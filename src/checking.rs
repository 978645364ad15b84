//! Derivatives held against finite differences, and the modes of differentiation against each other.
//!
//! # Note: Method
//! A function with any number of results is projected on random cotangents: `p(x) = sum of <v_k, f_k(x)>`. A wrong
//! entry of the Jacobian changes the gradient of `p` for all but a set of `v` of measure zero, so one backward pass
//! tests all of it. That gradient is compared with the central difference `(p(x + h d) - p(x - h d)) / 2h`, for `d`
//! each element alone or, where there are many, some random directions. The difference is off by about
//! `h^2 |p'''| / 6` from truncation and `e |p| / h` from rounding, which balance where `h` is the cube root of the
//! rounding unit `e`: hence float64, and the default step.
//!
//! To second order the same is done with `(x, v) -> gradient of p`, the recorded backward pass.
//!
//! The modes need no differences. Forward and reverse mode give one Jacobian, so `<v, J u> = <J^T v, u>`; forward
//! over reverse, reverse over forward and reverse over reverse all give `<w, H u>` with the Hessian `H` of `p`, which
//! is symmetric. The modes and how they combine: A. G. Baydin et al., "Automatic differentiation in machine
//! learning: a survey", 2018.

use std::fmt;

use crate::autograd::engine::{self, Options};
use crate::autograd::forward;
use crate::autograd::modes::{self, GradMode};
use crate::bail;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::ops::arithmetic::{add, mul};
use crate::ops::conversion::row_major;
use crate::random::Generator;
use crate::shape;
use crate::tensor::Tensor;

/// What is checked: a function of tensors that gives the same results for the same inputs.
pub type Function<'a> = &'a dyn Fn(&[Tensor]) -> Result<Vec<Tensor>>;

/// How the comparison is made.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The step of the central differences.
    pub step: f64,
    /// Two figures agree if they differ by at most `absolute + relative * (the expected one)`.
    pub relative: f64,
    pub absolute: f64,
    /// Inputs with more elements than this are changed along [`DIRECTIONS`] random directions instead.
    pub elements: usize,
    /// Of the random directions and cotangents.
    pub seed: u64,
}

/// How many random directions stand for the elements of a large input.
pub const DIRECTIONS: usize = 4;

impl Default for Settings {
    fn default() -> Settings {
        Settings { step: f64::EPSILON.cbrt(), relative: 1e-6, absolute: 1e-7, elements: 64, seed: 0 }
    }
}

/// Which two figures were compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// The reverse derivative, against central differences.
    FirstOrder,
    /// The derivative of the recorded backward pass, against central differences.
    SecondOrder,
    /// A backward pass that is recorded, against one that is not.
    Recorded,
    /// A Jacobian-vector product, against the vector-Jacobian product.
    Forward,
    /// The tangent of a gradient, against the derivative of the recorded backward pass.
    ForwardOverReverse,
    /// The gradient of a tangent, against the derivative of the recorded backward pass.
    ReverseOverForward,
}

/// Along what an input was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// One element, by its row-major number.
    Element(usize),
    /// A random direction.
    Direction,
    /// A random direction in all inputs together.
    Everywhere,
}

/// Two figures that should agree and do not.
#[derive(Clone, Debug)]
pub struct Difference {
    pub operation: String,
    pub comparison: Comparison,
    /// The input that was changed; the cotangents of the results come after the inputs in a second-order comparison.
    pub input: usize,
    pub place: Place,
    pub expected: f64,
    pub found: f64,
}

/// Why a check did not pass.
#[derive(Debug)]
pub enum Failure {
    /// The function or one of its derivatives gave an error.
    Failed(Error),
    Differs(Difference),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Failed(error)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.comparison {
            Comparison::FirstOrder => "derivative in reverse mode, expected from central differences",
            Comparison::SecondOrder => "second derivative in reverse mode, expected from central differences",
            Comparison::Recorded => "recorded backward pass, expected from the one that is not recorded",
            Comparison::Forward => "derivative in forward mode, expected from reverse mode",
            Comparison::ForwardOverReverse => "second derivative, forward over reverse, expected from reverse mode",
            Comparison::ReverseOverForward => "second derivative, reverse over forward, expected from reverse mode",
        };
        write!(f, "{}: {what}: ", self.operation)?;
        match self.place {
            Place::Element(i) => write!(f, "input {}, element {i}", self.input)?,
            Place::Direction => write!(f, "input {}, along a random direction", self.input)?,
            Place::Everywhere => write!(f, "all inputs, along a random direction")?,
        }
        write!(f, ": expected {:e}, got {:e}", self.expected, self.found)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Failed(error) => write!(f, "{error}"),
            Failure::Differs(difference) => write!(f, "{difference}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Checks the derivatives of `function` at `inputs`, to first and second order and in all modes.
///
/// Inputs of dtype float64 are differentiated, those of integer dtypes and bool are constants. `operation` names the
/// function in the report. The function must be differentiable around the inputs: a kink closer than the step, or
/// elements that share memory and are changed in place, give a false report.
///
/// # Errors
/// The first difference found, or the error of a call that failed, such as an input of dtype float32.
pub fn check_gradients(
    operation: &str,
    function: Function<'_>,
    inputs: &[Tensor],
    settings: Settings,
) -> Result<(), Failure> {
    check_first_order(operation, function, inputs, settings)?;
    check_second_order(operation, function, inputs, settings)?;
    check_modes(operation, function, inputs, settings)
}

/// Checks reverse mode against central differences, and its recorded form against the other.
pub fn check_first_order(
    operation: &str,
    function: Function<'_>,
    inputs: &[Tensor],
    settings: Settings,
) -> Result<(), Failure> {
    Check::new(operation, function, inputs, settings)?.against_differences(Comparison::FirstOrder)
}

/// Checks the derivative of the recorded backward pass, with respect to inputs and cotangents, against central
/// differences.
pub fn check_second_order(
    operation: &str,
    function: Function<'_>,
    inputs: &[Tensor],
    settings: Settings,
) -> Result<(), Failure> {
    let first = Check::new(operation, function, inputs, settings)?;
    let count = first.inputs.len();
    let backward = |all: &[Tensor]| first.recorded_gradients(&all[..count], &all[count..]);
    let all: Vec<Tensor> = first.inputs.iter().chain(&first.cotangents).cloned().collect();
    Check::new(operation, &backward, &all, settings)?.against_differences(Comparison::SecondOrder)
}

/// Checks forward mode against reverse mode, and the mixed second derivatives against reverse over reverse.
pub fn check_modes(
    operation: &str,
    function: Function<'_>,
    inputs: &[Tensor],
    settings: Settings,
) -> Result<(), Failure> {
    let mut check = Check::new(operation, function, inputs, settings)?;
    check.forward()?;
    check.mixed()
}

/// One function at one point, with its cotangents.
struct Check<'a> {
    operation: &'a str,
    function: Function<'a>,
    /// Row-major copies without history.
    inputs: Vec<Tensor>,
    cotangents: Vec<Tensor>,
    settings: Settings,
    generator: Generator,
}

impl<'a> Check<'a> {
    fn new(operation: &'a str, function: Function<'a>, inputs: &[Tensor], settings: Settings) -> Result<Check<'a>> {
        if let Some(i) = inputs.iter().position(|x| x.dtype().is_float() && x.dtype() != DType::Float64) {
            bail!(
                Value,
                "{operation}: differences need inputs of dtype float64, input {i} has dtype {}",
                inputs[i].dtype()
            );
        }
        let inputs =
            inputs.iter().map(|x| modes::without_grad(|| row_major(&x.detach()))).collect::<Result<Vec<_>>>()?;
        let mut generator = Generator::new(settings.seed);
        let outputs = differentiable(modes::without_grad(|| function(&inputs))?);
        let cotangents = outputs.iter().map(|y| random_like(y, &mut generator)).collect::<Result<Vec<_>>>()?;
        Ok(Check { operation, function, inputs, cotangents, settings, generator })
    }

    /// The inputs that are differentiated.
    fn variables(&self) -> Vec<usize> {
        (0..self.inputs.len()).filter(|&i| is_variable(&self.inputs[i])).collect()
    }

    /// Fresh leaves with the values of the inputs.
    fn leaves(&self) -> Result<Vec<Tensor>> {
        self.inputs.iter().map(leaf).collect()
    }

    /// The projected function at the inputs, one of which is replaced.
    fn projected(&self, i: usize, replacement: Tensor) -> Result<f64> {
        let mut inputs = self.inputs.clone();
        inputs[i] = replacement;
        inner_products(&differentiable((self.function)(&inputs)?), &self.cotangents)
    }

    /// The gradients of the projected function, zeros where it does not depend on an input; `None` for constants.
    fn gradients(&self, inputs: &[Tensor], cotangents: &[Tensor], record: bool) -> Result<Vec<Option<Tensor>>> {
        let _recording = GradMode::set(true);
        let outputs = differentiable((self.function)(inputs)?);
        let options = Options { create_graph: record, retain_graph: record, allow_unused: true };
        pull_back(outputs.iter().zip(cotangents), inputs, options)
    }

    /// The recorded backward pass as a function of inputs and cotangents.
    fn recorded_gradients(&self, inputs: &[Tensor], cotangents: &[Tensor]) -> Result<Vec<Tensor>> {
        let inputs = inputs
            .iter()
            .map(|x| if x.requires_grad() { Ok(x.clone()) } else { leaf(x) })
            .collect::<Result<Vec<Tensor>>>()?;
        Ok(self.gradients(&inputs, cotangents, true)?.into_iter().flatten().collect())
    }

    fn compare(
        &self,
        comparison: Comparison,
        input: usize,
        place: Place,
        expected: f64,
        found: f64,
    ) -> Result<(), Failure> {
        let Settings { relative, absolute, .. } = self.settings;
        let same = expected == found || (expected.is_nan() && found.is_nan());
        if same || (expected - found).abs() <= absolute + relative * expected.abs() {
            return Ok(());
        }
        let operation = self.operation.to_owned();
        Err(Failure::Differs(Difference { operation, comparison, input, place, expected, found }))
    }

    fn against_differences(mut self, comparison: Comparison) -> Result<(), Failure> {
        let plain = self.gradients(&self.leaves()?, &self.cotangents, false)?;
        let recorded = self.gradients(&self.leaves()?, &self.cotangents, true)?;
        for i in self.variables() {
            let (Some(plain), Some(recorded)) = (&plain[i], &recorded[i]) else { continue };
            check_sizes(self.operation, plain, &self.inputs[i])?;
            let (plain, recorded) = (plain.to_vec::<f64>()?, recorded.to_vec::<f64>()?);
            for (element, (&a, &b)) in plain.iter().zip(&recorded).enumerate() {
                self.compare(Comparison::Recorded, i, Place::Element(element), a, b)?;
            }
            let x = self.inputs[i].clone();
            let whole = x.numel() <= self.settings.elements;
            for step in 0..if whole { x.numel() } else { DIRECTIONS } {
                let (direction, place, found) = if whole {
                    let mut unit = vec![0.0; x.numel()];
                    unit[step] = 1.0;
                    (Tensor::from_slice(&unit, &x.sizes())?, Place::Element(step), plain[step])
                } else {
                    let direction = random_like(&x, &mut self.generator)?;
                    let found = plain.iter().zip(direction.to_vec::<f64>()?).map(|(g, d)| g * d).sum();
                    (direction, Place::Direction, found)
                };
                let expected = modes::without_grad(|| self.difference(i, &x, &direction))?;
                self.compare(comparison, i, place, expected, found)?;
            }
        }
        Ok(())
    }

    /// The central difference along a direction of one input.
    fn difference(&self, i: usize, x: &Tensor, direction: &Tensor) -> Result<f64> {
        let h = self.settings.step;
        let moved = |by: f64| add(x.into(), (&mul(direction.into(), by.into())?).into());
        Ok((self.projected(i, moved(h)?)? - self.projected(i, moved(-h)?)?) / (2.0 * h))
    }

    /// Random tangents for all inputs that are differentiated.
    fn tangents(&mut self) -> Result<Vec<Option<Tensor>>> {
        let inputs = self.inputs.clone();
        inputs.iter().map(|x| is_variable(x).then(|| random_like(x, &mut self.generator)).transpose()).collect()
    }

    /// `<v, J u>` in forward mode.
    fn push_forward(&self, tangents: &[Option<Tensor>]) -> Result<f64> {
        modes::without_grad(|| {
            let duals: Vec<Tensor> = self.inputs.iter().map(Tensor::detach).collect();
            duals.iter().zip(tangents).for_each(|(x, tangent)| forward::set_tangent(x, tangent.clone()));
            let outputs = differentiable((self.function)(&duals)?);
            let pushed = self.tangents_of(&outputs)?;
            let pairs = pushed.iter().zip(&self.cotangents);
            pairs.map(|(tangent, v)| tangent.as_ref().map_or(Ok(0.0), |t| inner_product(t, v))).sum()
        })
    }

    /// The tangents of results, which have the size and type of their primals.
    fn tangents_of(&self, outputs: &[Tensor]) -> Result<Vec<Option<Tensor>>> {
        let mut tangents = Vec::new();
        for output in outputs {
            let tangent = forward::tangent(output);
            if let Some(tangent) = &tangent {
                check_sizes(self.operation, tangent, output)?;
            }
            tangents.push(tangent);
        }
        Ok(tangents)
    }

    fn forward(&mut self) -> Result<(), Failure> {
        let tangents = self.tangents()?;
        let gradients = self.gradients(&self.leaves()?, &self.cotangents, false)?;
        let mut total = 0.0;
        for i in self.variables() {
            let (Some(u), Some(g)) = (&tangents[i], &gradients[i]) else { continue };
            let expected = inner_product(u, g)?;
            let alone: Vec<Option<Tensor>> = (0..tangents.len()).map(|j| (j == i).then(|| u.clone())).collect();
            self.compare(Comparison::Forward, i, Place::Direction, expected, self.push_forward(&alone)?)?;
            total += expected;
        }
        self.compare(Comparison::Forward, 0, Place::Everywhere, total, self.push_forward(&tangents)?)
    }

    fn mixed(&mut self) -> Result<(), Failure> {
        let (u, w) = (self.tangents()?, self.tangents()?);
        let options = Options { allow_unused: true, ..Options::default() };
        let pairs = |a: &[Option<Tensor>], b: &[Option<Tensor>]| -> Result<f64> {
            a.iter().zip(b).filter_map(|(a, b)| Some(inner_product(a.as_ref()?, b.as_ref()?))).sum()
        };

        let leaves = self.leaves()?;
        let gradients = self.gradients(&leaves, &self.cotangents, true)?;
        let roots = gradients.iter().flatten().zip(w.iter().flatten());
        let expected = pairs(&pull_back(roots, &leaves, options)?, &u)?;

        let duals = self.leaves()?;
        duals.iter().zip(&u).for_each(|(x, tangent)| forward::set_tangent(x, tangent.clone()));
        let gradients = self.gradients(&duals, &self.cotangents, false)?;
        let tangents: Vec<Option<Tensor>> = gradients.iter().map(|g| g.as_ref().and_then(forward::tangent)).collect();
        self.compare(Comparison::ForwardOverReverse, 0, Place::Everywhere, expected, pairs(&tangents, &w)?)?;

        let duals = self.leaves()?;
        duals.iter().zip(&u).for_each(|(x, tangent)| forward::set_tangent(x, tangent.clone()));
        let outputs = differentiable((self.function)(&duals)?);
        let tangents = self.tangents_of(&outputs)?;
        let roots = tangents.iter().zip(&self.cotangents).filter_map(|(t, v)| Some((t.as_ref()?, v)));
        let found = pairs(&pull_back(roots, &duals, options)?, &w)?;
        self.compare(Comparison::ReverseOverForward, 0, Place::Everywhere, expected, found)
    }
}

fn is_variable(tensor: &Tensor) -> bool {
    tensor.dtype().is_differentiable()
}

/// A leaf with the values of `x` that asks for its gradient, if its type has one.
fn leaf(x: &Tensor) -> Result<Tensor> {
    let leaf = x.detach();
    leaf.set_requires_grad(is_variable(x))?;
    Ok(leaf)
}

/// The results through which gradients flow.
fn differentiable(outputs: Vec<Tensor>) -> Vec<Tensor> {
    outputs.into_iter().filter(is_variable).collect()
}

/// The gradients of results with given cotangents, zeros where a result does not depend on an input; `None` for
/// inputs that have none.
fn pull_back<'a>(
    roots: impl Iterator<Item = (&'a Tensor, &'a Tensor)>,
    inputs: &[Tensor],
    options: Options,
) -> Result<Vec<Option<Tensor>>> {
    let roots: Vec<_> = roots.filter(|(y, _)| y.requires_grad()).map(|(y, v)| (y.clone(), Some(v.clone()))).collect();
    let variables: Vec<Tensor> = inputs.iter().filter(|x| is_variable(x)).cloned().collect();
    let mut found = if roots.is_empty() || variables.is_empty() {
        vec![None; variables.len()]
    } else {
        engine::grad(&roots, &variables, options)?
    }
    .into_iter();
    inputs
        .iter()
        .map(|x| {
            if !is_variable(x) {
                return Ok(None);
            }
            match found.next().flatten() {
                Some(gradient) => Ok(Some(gradient)),
                None => Tensor::zeros(&x.sizes(), x.dtype()).map(Some),
            }
        })
        .collect()
}

fn check_sizes(operation: &str, derivative: &Tensor, of: &Tensor) -> Result<()> {
    if derivative.sizes() != of.sizes() || derivative.dtype() != of.dtype() {
        bail!(
            Runtime,
            "{operation}: a derivative has size {} and dtype {}, what it belongs to size {} and dtype {}",
            shape::show(&derivative.sizes()),
            derivative.dtype(),
            shape::show(&of.sizes()),
            of.dtype()
        );
    }
    Ok(())
}

/// Numbers from 1/2 to 3/2: a direction in which no part of a derivative is lost in rounding.
fn random_like(tensor: &Tensor, generator: &mut Generator) -> Result<Tensor> {
    let mut values = vec![0.0; tensor.numel()];
    generator.uniform::<f64>(&mut values, 0.5, 1.5)?;
    Tensor::from_slice(&values, &tensor.sizes())
}

fn inner_products(a: &[Tensor], b: &[Tensor]) -> Result<f64> {
    a.iter().zip(b).map(|(a, b)| inner_product(a, b)).sum()
}

fn inner_product(a: &Tensor, b: &Tensor) -> Result<f64> {
    Ok(a.to_vec::<f64>()?.iter().zip(b.to_vec::<f64>()?).map(|(a, b)| a * b).sum())
}
