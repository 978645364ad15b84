//! Arguments for every operation of the registry: by the kinds of its parameters, or from a table where the kinds do
//! not say what fits together.
//!
//! Numbers are multiples of 2^-20 below 2, so that they are the same in float32. They are drawn from a domain in
//! which the operation is differentiable: away from 0 and from each other (kinks, poles, ties of extremes), positive
//! where there are logarithms and powers, between 0 and 1 where there are probabilities, and below 1.3 where there is
//! a pole at π/2. An integer or half an integer, where rounding jumps, is not hit with the seeds that are used.

use rgrad::Tensor;
use rgrad::op::{Derivative, Forward, Op};
use rgrad::random::Generator;
use rgrad::value::{Kind, Value};

mod arrangement;
mod elementwise;
mod layers;
mod linear_algebra;
mod table;
mod values;

use values::{float, int, ints, truth};

/// The arguments of one call, one for each parameter.
#[derive(Clone)]
pub struct Sample {
    pub op: &'static Op,
    pub arguments: Vec<Value>,
}

/// From where the numbers of a tensor are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Domain {
    /// Of either sign, from 0.3 to 1.3 in size.
    Real,
    /// From 0.3 to 1.3.
    Positive,
    /// From 0.1 to 0.9.
    Unit,
    /// From 1.3 to 2.3.
    Large,
    /// Small integers, where the operation takes no floats.
    Integer,
}

fn domain(op: &Op, parameter: &str) -> Domain {
    match (op.name, parameter) {
        ("log" | "log1p" | "sqrt" | "rsqrt", _) => Domain::Positive,
        ("pow" | "float_power", "input") => Domain::Positive,
        ("log2" | "log10" | "lgamma" | "digamma" | "polygamma" | "igamma" | "igammac" | "entr", _) => Domain::Positive,
        ("xlogy" | "xlog1py" | "zeta", "other") => Domain::Positive,
        ("poisson_nll_loss", "input" | "target") | ("kl_div", "target") => Domain::Positive,
        ("acosh" | "mvlgamma", _) | ("zeta", "input") => Domain::Large,
        ("acos" | "asin" | "atanh" | "erfinv" | "ndtri" | "logit", _) => Domain::Unit,
        ("gcd" | "lcm", _) => Domain::Integer,
        (name, "input" | "target") if name.contains("binary") && !name.contains("logits") => Domain::Unit,
        ("polar", "abs") => Domain::Positive,
        (name, "weight" | "pos_weight") if name.contains("cross_entropy") => Domain::Positive,
        (name, _) if name.starts_with("bitwise") => Domain::Integer,
        _ => Domain::Real,
    }
}

/// Parameters that are constants by agreement, although their element type has gradients: the weights of losses, all of
/// operations whose derivative is missing. Complex numbers are too; their derivatives are checked in Python.
fn is_constant(op: &Op, parameter: &str) -> bool {
    matches!(op.derivative, Derivative::Missing)
        || matches!(op.name, "embedding_renorm" | "linalg_ldl_factor")
        || matches!((op.name, parameter), ("quantile" | "nanquantile", "q"))
        || matches!(
            (op.name, parameter),
            ("zeta" | "igamma" | "igammac", "input")
                | ("_gradient_at", "gradient")
                | ("_rrelu_with_noise", "noise")
                | ("_drawn_by", "numbers")
                | ("soft_margin_loss" | "hinge_embedding_loss", "target")
                | ("multi_margin_loss", "weight")
        )
        || matches!(parameter, "running_mean" | "running_var" | "random_samples")
        || matches!(parameter, "weight" | "pos_weight")
            && (op.name.contains("cross_entropy") || op.name.contains("nll_loss"))
}

/// Sizes for one tensor, and for operands that broadcast against each other.
const SINGLE: &[&[usize]] = &[&[], &[3], &[2, 3], &[2, 1, 3], &[0], &[2, 0, 3]];
const PAIRS: &[[&[usize]; 2]] = &[
    [&[2, 3], &[2, 3]],
    [&[2, 3], &[3]],
    [&[], &[3]],
    [&[3], &[]],
    [&[], &[]],
    [&[2, 1], &[1, 3]],
    [&[0], &[1]],
    [&[2, 0], &[0]],
];
const TRIPLES: &[[&[usize]; 3]] =
    &[[&[3], &[3], &[3]], [&[2, 3], &[3], &[]], [&[], &[], &[]], [&[2, 1], &[1, 3], &[2, 3]], [&[0], &[1], &[]]];
/// A size and a dimension of it.
const ALONG: &[(&[usize], i64)] =
    &[(&[3], 0), (&[2, 3], 0), (&[2, 3], 1), (&[2, 3, 2], -2), (&[], 0), (&[], -1), (&[2, 0], 0), (&[2, 0], 1)];
/// Several dimensions of it.
const OVER: &[(&[usize], &[i64])] =
    &[(&[2, 3, 2], &[0, 2]), (&[2, 3, 2], &[1]), (&[2, 3], &[-1, 0]), (&[2, 0], &[0]), (&[2, 3], &[])];
/// Sizes large enough that the kernels share their work between threads.
const LARGE: &[usize] = &[3, 40_000];

/// All samples of an operation; none if nobody knows any.
pub fn of(op: &'static Op) -> Vec<Sample> {
    let mut make = Maker::new(op);
    let rows = make
        .named()
        .or_else(|| make.elementwise())
        .or_else(|| make.layers())
        .or_else(|| make.arrangement())
        .or_else(|| make.linear_algebra())
        .or_else(|| make.by_kinds(&Sizes::small()))
        .unwrap_or_default();
    rows.into_iter().map(|arguments| Sample { op, arguments: complete(op, arguments) }).collect()
}

/// Samples so large that threads share the work; none for an operation that does none, such as a view.
pub fn large(op: &'static Op) -> Vec<Sample> {
    // What takes vectors, integers or complex numbers alone, or makes far more of its argument.
    let unfit = matches!(
        op.name,
        "bincount"
            | "combinations"
            | "diag_embed"
            | "diagflat"
            | "glu"
            | "imag"
            | "one_hot"
            | "repeat_interleave"
            | "vander"
            | "view_as_complex"
            | "view_as_real"
    );
    if unfit {
        return Vec::new();
    }
    let mut make = Maker::new(op);
    let rows = make
        .named_large()
        .or_else(|| make.layers_large())
        .or_else(|| make.linear_algebra())
        .or_else(|| make.by_kinds(&Sizes::large()))
        .unwrap_or_default();
    rows.into_iter().map(|arguments| Sample { op, arguments: complete(op, arguments) }).collect()
}

/// Adds the defaults of the parameters that a row leaves out.
fn complete(op: &Op, mut arguments: Vec<Value>) -> Vec<Value> {
    for parameter in &op.parameters[arguments.len()..] {
        arguments.push(parameter.default.map_or(Value::None, |default| default.1()));
    }
    arguments
}

/// The sizes that samples by kinds are made of.
struct Sizes {
    single: Vec<Vec<usize>>,
    pairs: Vec<[Vec<usize>; 2]>,
    triples: Vec<[Vec<usize>; 3]>,
    along: Vec<(Vec<usize>, i64)>,
    over: Vec<(Vec<usize>, Vec<i64>)>,
}

impl Sizes {
    fn small() -> Sizes {
        Sizes {
            single: SINGLE.iter().map(|sizes| sizes.to_vec()).collect(),
            pairs: PAIRS.iter().map(|pair| pair.map(<[usize]>::to_vec)).collect(),
            triples: TRIPLES.iter().map(|triple| triple.map(<[usize]>::to_vec)).collect(),
            along: ALONG.iter().map(|&(sizes, dim)| (sizes.to_vec(), dim)).collect(),
            over: OVER.iter().map(|&(sizes, dims)| (sizes.to_vec(), dims.to_vec())).collect(),
        }
    }

    fn large() -> Sizes {
        let (all, row) = (LARGE.to_vec(), LARGE[1..].to_vec());
        Sizes {
            single: vec![all.clone()],
            pairs: vec![[all.clone(), row.clone()]],
            triples: vec![[all.clone(), row.clone(), vec![]]],
            along: vec![(all.clone(), 0), (all.clone(), 1)],
            over: vec![(all.clone(), vec![0]), (all, vec![0, 1])],
        }
    }
}

/// Draws the arguments of one operation.
struct Maker {
    op: &'static Op,
    generator: Generator,
}

impl Maker {
    fn new(op: &'static Op) -> Maker {
        // A seed of its own for each operation, so that a new one does not change the numbers of the others.
        let seed = op.full_name().bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        Maker { op, generator: Generator::new(seed) }
    }

    /// A tensor for a parameter.
    fn tensor(&mut self, parameter: &str, sizes: &[usize]) -> Value {
        Value::Tensor(self.draw(domain(self.op, parameter), sizes))
    }

    /// A tensor for the first parameter.
    fn input(&mut self, sizes: &[usize]) -> Value {
        let first = self.op.parameters[0].name;
        self.tensor(first, sizes)
    }

    /// Tensors as one list.
    fn list<S: AsRef<[usize]>>(&mut self, sizes: &[S]) -> Value {
        Value::Tensors(sizes.iter().map(|sizes| Some(self.draw(Domain::Real, sizes.as_ref()))).collect())
    }

    fn draw(&mut self, domain: Domain, sizes: &[usize]) -> Tensor {
        let count = sizes.iter().product();
        if domain == Domain::Integer {
            let values: Vec<i64> = (0..count).map(|_| i64::from(self.generator.random() % 12) - 5).collect();
            return Tensor::from_slice(&values, sizes).unwrap();
        }
        let values: Vec<f64> = (0..count)
            .map(|_| {
                let part = f64::from(self.generator.random() >> 12) / f64::from(1 << 20);
                let sign = if self.generator.random() & 1 == 0 { 1.0 } else { -1.0 };
                let value: f64 = match domain {
                    Domain::Unit => 0.1 + 0.8 * part,
                    Domain::Positive => 0.3 + part,
                    Domain::Large => 1.3 + part,
                    _ => sign * (0.3 + part),
                };
                (value * f64::from(1 << 20)).round() / f64::from(1 << 20)
            })
            .collect();
        Tensor::from_slice(&values, sizes).unwrap()
    }

    /// Rows for operations whose tensors broadcast against each other, or that work along dimensions of one tensor.
    fn by_kinds(&mut self, sizes: &Sizes) -> Option<Vec<Vec<Value>>> {
        let required: Vec<_> =
            self.op.parameters.iter().filter(|p| !p.optional && (p.default.is_none() || p.name == "dim")).collect();
        let is_operand = |kind: Kind| matches!(kind, Kind::Tensor | Kind::Operand);
        let operands: Vec<_> = required.iter().filter(|p| is_operand(p.kind)).map(|p| p.name).collect();
        let rest: Vec<_> = required.iter().filter(|p| !is_operand(p.kind)).collect();
        // The kinds do not say how the tensors of other operations with several fit together.
        if operands.len() > 1 && !matches!(self.op.forward, Forward::Pointwise(_)) {
            return None;
        }
        match (&operands[..], &rest[..]) {
            (_, []) if self.has_dims() => self.dimensions(sizes),
            (_, []) => Some(self.operands(sizes)),
            (_, rest) if rest.iter().all(|p| p.kind == Kind::Scalar) => Some(self.operands(sizes)),
            ([_], [p]) if p.name == "dim" => self.dimensions(sizes),
            _ => None,
        }
    }

    fn has_dims(&self) -> bool {
        self.op.parameters.iter().any(|p| p.name == "dim")
    }

    /// Operands of sizes that broadcast; a number in the place of one of them, if it takes numbers.
    fn operands(&mut self, sizes: &Sizes) -> Vec<Vec<Value>> {
        let places: Vec<_> = (0..self.op.parameters.len())
            .filter(|&i| matches!(self.op.parameters[i].kind, Kind::Tensor | Kind::Operand))
            .filter(|&i| !self.op.parameters[i].optional)
            .collect();
        let lists: Vec<Vec<Vec<usize>>> = match places.len() {
            1 => sizes.single.iter().map(|one| vec![one.clone()]).collect(),
            2 => sizes.pairs.iter().map(|pair| pair.to_vec()).collect(),
            _ => sizes.triples.iter().map(|triple| triple.to_vec()).collect(),
        };
        let mut rows: Vec<Vec<Value>> = lists.iter().map(|list| self.row(&places, list, None)).collect();
        for (nth, &place) in places.iter().enumerate() {
            if self.op.parameters[place].kind == Kind::Operand && places.len() > 1 {
                for list in lists.iter().filter(|list| list.iter().all(|one| *one == list[0])) {
                    rows.push(self.row(&places, list, Some(nth)));
                }
            }
        }
        rows
    }

    /// One row: tensors of the sizes, 1.5 for numbers that are not tensors.
    fn row(&mut self, places: &[usize], list: &[Vec<usize>], number: Option<usize>) -> Vec<Value> {
        let integer = self.op.name.starts_with("bitwise");
        let last = self.op.parameters.iter().rposition(|p| p.default.is_none() && !p.optional).unwrap_or(0);
        (0..=last)
            .map(|i| match places.iter().position(|&place| place == i) {
                Some(nth) if number == Some(nth) => {
                    if integer {
                        int(6)
                    } else {
                        float(1.5)
                    }
                }
                Some(nth) => self.tensor(self.op.parameters[i].name, &list[nth]),
                None => float(1.5),
            })
            .collect()
    }

    /// A tensor and dimensions of it, kept or not.
    fn dimensions(&mut self, sizes: &Sizes) -> Option<Vec<Vec<Value>>> {
        let place = self.op.parameters.iter().position(|p| p.name == "dim")?;
        let several = self.op.parameters[place].kind == Kind::Ints;
        let keepdim = self.op.parameters.iter().position(|p| p.name == "keepdim");
        let mut rows = Vec::new();
        let single = sizes.along.iter().map(|(sizes, dim)| (sizes.clone(), vec![*dim]));
        let many = sizes.over.iter().filter(|_| several).cloned();
        for (i, (sizes, dims)) in single.chain(many).enumerate() {
            let mut row = vec![self.input(&sizes)];
            row = complete(self.op, row);
            row[place] = if several { ints(&dims) } else { int(dims[0]) };
            if let Some(keepdim) = keepdim {
                row[keepdim] = truth(i % 2 == 1);
            }
            rows.push(row);
        }
        Some(rows)
    }
}

impl Sample {
    /// All tensors among the arguments, in their order.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.arguments.iter().flat_map(Value::tensors).cloned().collect()
    }

    /// For each tensor among the arguments, whether it is differentiated.
    pub fn variables(&self) -> Vec<bool> {
        let parameters = self.op.parameters.iter().zip(&self.arguments);
        parameters
            .flat_map(|(parameter, value)| {
                let constant = is_constant(self.op, parameter.name);
                value.tensors().map(move |tensor| !constant && tensor.dtype().is_float())
            })
            .collect()
    }

    /// Whether the arguments are matrices far from singular.
    pub fn is_of_matrices(&self) -> bool {
        Maker::new(self.op).linear_algebra().is_some()
    }

    /// The same call on other tensors.
    pub fn with(&self, tensors: &[Tensor]) -> Vec<Value> {
        let mut rest = tensors.iter().cloned();
        let mut next = || rest.next().unwrap();
        self.arguments
            .iter()
            .map(|value| match value {
                Value::Tensor(_) => Value::Tensor(next()),
                Value::Tensors(list) => Value::Tensors(list.iter().map(|item| item.as_ref().map(|_| next())).collect()),
                other => other.clone(),
            })
            .collect()
    }

    /// Whether a tensor without elements is among the arguments.
    pub fn is_empty(&self) -> bool {
        self.tensors().iter().any(|tensor| tensor.numel() == 0)
    }

    /// The call as a message shows it: `sum.dim((2, 3), (0,), false)`.
    pub fn show(&self) -> String {
        let one = |tensor: &Tensor| format!("{}{}", tensor.dtype(), rgrad::shape::show(&tensor.sizes()));
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|value| match value {
                Value::None => "None".into(),
                Value::Tensor(tensor) => one(tensor),
                Value::Tensors(list) => {
                    format!(
                        "[{}]",
                        list.iter().map(|t| t.as_ref().map_or("None".into(), &one)).collect::<Vec<_>>().join(", ")
                    )
                }
                Value::Scalar(scalar) => scalar.to_string(),
                Value::Ints(ints) => rgrad::shape::show(ints),
                Value::Floats(floats) => rgrad::shape::show(floats),
                Value::DType(dtype) => dtype.to_string(),
                Value::MemoryFormat(format) => format.name().into(),
                Value::Text(text) => format!("'{text}'"),
            })
            .collect();
        format!("{}({})", self.op.full_name(), arguments.join(", "))
    }
}
