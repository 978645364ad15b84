//! Arguments for every operation of the registry: by the kinds of its parameters, or from a table where the kinds do
//! not say what fits together.
//!
//! Numbers are multiples of 2^-20 below 2, so that they are the same in float32. They are drawn from a domain in
//! which the operation is differentiable: away from 0 and from each other (kinks, poles, ties of extremes), positive
//! where there are logarithms and powers, between 0 and 1 where there are probabilities, and below 1.3 where there is
//! a pole at π/2. An integer or half an integer, where rounding jumps, is not hit with the seeds that are used.

use rgrad::op::{Forward, Op};
use rgrad::random::Generator;
use rgrad::shape::Ints;
use rgrad::value::{Kind, Value};
use rgrad::{DType, Scalar, Tensor};

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
    /// Small integers, where the operation takes no floats.
    Integer,
}

fn domain(op: &Op, parameter: &str) -> Domain {
    match (op.name, parameter) {
        ("log" | "log1p" | "sqrt" | "rsqrt", _) => Domain::Positive,
        ("pow" | "_pow_tensor" | "_pow_number", "input") => Domain::Positive,
        (name, "input" | "target") if name.contains("binary") && !name.contains("logits") => Domain::Unit,
        (name, "weight" | "pos_weight") if name.contains("cross_entropy") => Domain::Positive,
        (name, _) if name.starts_with("bitwise") => Domain::Integer,
        _ => Domain::Real,
    }
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
    let rows = make.named().or_else(|| make.by_kinds(&Sizes::small())).unwrap_or_default();
    rows.into_iter().map(|arguments| Sample { op, arguments: complete(op, arguments) }).collect()
}

/// Samples so large that threads share the work; none for an operation that does none, such as a view.
pub fn large(op: &'static Op) -> Vec<Sample> {
    let mut make = Maker::new(op);
    let rows = make.named_large().or_else(|| make.by_kinds(&Sizes::large())).unwrap_or_default();
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

fn int(value: i64) -> Value {
    Value::Scalar(Scalar::Int(value))
}

fn float(value: f64) -> Value {
    Value::Scalar(Scalar::Float(value))
}

fn truth(value: bool) -> Value {
    Value::Scalar(Scalar::Bool(value))
}

fn ints(values: &[i64]) -> Value {
    Value::Ints(Ints::from_slice(values))
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

fn index(values: &[i64], sizes: &[usize]) -> Value {
    Value::Tensor(Tensor::from_slice(values, sizes).unwrap())
}

fn mask(values: &[bool], sizes: &[usize]) -> Value {
    Value::Tensor(Tensor::from_slice(values, sizes).unwrap())
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

    /// Rows for operations whose parameters fit together in a way that the kinds do not say.
    fn named(&mut self) -> Option<Vec<Vec<Value>>> {
        let none = || Value::None;
        let name = self.op.full_name();
        let rows = match name.as_str() {
            // Elementwise, though not by one loop.
            "max.other" | "min.other" | "expand_as" | "isclose" => {
                let pairs: &[[&[usize]; 2]] =
                    if name == "expand_as" { &[[&[3], &[2, 3]], [&[], &[0]], [&[1], &[1]]] } else { PAIRS };
                pairs.iter().map(|[a, b]| vec![self.tensor("input", a), self.tensor("other", b)]).collect()
            }
            "pow" => {
                let mut rows: Vec<_> =
                    PAIRS.iter().map(|[a, b]| vec![self.tensor("input", a), self.tensor("exponent", b)]).collect();
                for exponent in [int(0), int(1), int(2), int(3), int(-2), float(0.5), float(2.5)] {
                    rows.push(vec![self.tensor("input", &[2, 3]), exponent]);
                }
                rows.push(vec![float(1.5), self.tensor("exponent", &[3])]);
                rows
            }
            "div.mode" => ["floor", "trunc", ""]
                .iter()
                .flat_map(|&mode| {
                    let mode = if mode.is_empty() { none() } else { text(mode) };
                    [[&[2, 3][..], &[3][..]], [&[], &[]], [&[0], &[1]]]
                        .map(|[a, b]| vec![self.tensor("input", a), self.tensor("other", b), mode.clone()])
                })
                .collect(),
            "clamp" => vec![
                vec![self.input(&[2, 3]), float(-0.5), float(0.5)],
                vec![self.input(&[2, 3]), none(), float(0.5)],
                vec![self.input(&[3]), int(0), none()],
                vec![self.input(&[2, 3]), self.tensor("min", &[3]), none()],
                vec![self.input(&[2, 3]), self.tensor("min", &[3]), self.tensor("max", &[2, 1])],
                vec![self.input(&[]), none(), self.tensor("max", &[])],
                vec![self.input(&[0]), float(-0.5), float(0.5)],
            ],
            "where" | "_where" => vec![
                vec![mask(&[true, false, true], &[3]), self.input(&[2, 3]), self.tensor("other", &[3])],
                vec![mask(&[true, false], &[2, 1]), self.input(&[]), self.tensor("other", &[3])],
                vec![mask(&[true, false], &[2]), float(1.5), self.tensor("other", &[2])],
                vec![mask(&[true, false], &[2]), self.input(&[2]), float(1.5)],
                vec![mask(&[true], &[]), self.input(&[]), self.tensor("other", &[])],
                vec![mask(&[], &[0]), self.input(&[1]), self.tensor("other", &[])],
            ],
            "masked_fill" => vec![
                vec![self.input(&[2, 3]), mask(&[true, false, true], &[3]), float(1.5)],
                vec![self.input(&[2, 3]), mask(&[true, false], &[2, 1]), self.tensor("value", &[])],
                vec![self.input(&[]), mask(&[true], &[]), float(1.5)],
                vec![self.input(&[0]), mask(&[], &[0]), float(1.5)],
            ],
            "masked_select" => vec![
                vec![self.input(&[2, 2]), mask(&[true, false, true, true], &[2, 2])],
                vec![self.input(&[2, 3]), mask(&[true, false, true], &[3])],
                vec![self.input(&[]), mask(&[true], &[])],
                vec![self.input(&[2]), mask(&[false, false], &[2])],
                vec![self.input(&[0]), mask(&[], &[0])],
            ],
            "copy" => [[&[2, 3][..], &[2, 3][..]], [&[2, 3], &[3]], [&[], &[]], [&[2, 0], &[1]]]
                .map(|[a, b]| vec![self.tensor("input", a), self.tensor("src", b)])
                .into(),
            "fill" => vec![
                vec![self.input(&[2, 3]), float(1.5)],
                vec![self.input(&[2, 3]), self.tensor("value", &[])],
                vec![self.input(&[]), self.tensor("value", &[])],
                vec![self.input(&[0]), float(1.5)],
            ],
            // Geometry.
            "_to_copy" => vec![
                vec![self.input(&[2, 3]), Value::DType(DType::Float64)],
                vec![self.input(&[]), Value::DType(DType::Int64)],
                vec![self.input(&[0]), Value::DType(DType::Float64)],
            ],
            "as_strided" => vec![
                vec![self.input(&[2, 3]), ints(&[3, 2]), ints(&[2, 1])],
                vec![self.input(&[2, 3]), ints(&[2, 2]), ints(&[1, 2]), int(1)],
                vec![self.input(&[4]), ints(&[3, 2]), ints(&[1, 1])],
                vec![self.input(&[3]), ints(&[2, 3]), ints(&[0, 1])],
                vec![self.input(&[]), ints(&[]), ints(&[])],
                vec![self.input(&[0]), ints(&[0]), ints(&[1])],
            ],
            "_as_strided" | "_as_strided_backward" => {
                let backward = name == "_as_strided_backward";
                let mut row = |seen: &[i64], stride: &[i64], offset: i64, whole: &[i64], whole_stride: &[i64]| {
                    let sizes: Vec<usize> = if backward { seen } else { whole }.iter().map(|&n| n as usize).collect();
                    let geometry = [ints(seen), ints(stride), int(offset), ints(whole), ints(whole_stride), int(0)];
                    [vec![self.input(&sizes)], geometry.to_vec()].concat()
                };
                vec![
                    row(&[3, 2], &[2, 1], 0, &[2, 3], &[3, 1]),
                    row(&[2, 2], &[1, 2], 1, &[2, 3], &[3, 1]),
                    row(&[3, 2], &[1, 1], 0, &[4], &[1]),
                    row(&[], &[], 0, &[], &[]),
                ]
            }
            "view" | "reshape" | "broadcast_to" | "expand" | "sum_to_size" => {
                let rows: &[(&[usize], &[i64])] = match name.as_str() {
                    "sum_to_size" => &[
                        (&[2, 3], &[3]),
                        (&[2, 3], &[2, 1]),
                        (&[2, 3], &[]),
                        (&[2, 3], &[2, 3]),
                        (&[2, 0], &[2, 1]),
                        (&[], &[]),
                    ],
                    "view" | "reshape" => &[
                        (&[2, 3], &[3, 2]),
                        (&[2, 3], &[-1]),
                        (&[2, 3, 2], &[2, -1]),
                        (&[], &[1, 1]),
                        (&[1], &[]),
                        (&[0], &[2, 0]),
                    ],
                    _ => &[
                        (&[3], &[2, 3]),
                        (&[2, 1], &[4, 2, 3]),
                        (&[2, 3], &[-1, 3]),
                        (&[], &[2]),
                        (&[1], &[0]),
                        (&[], &[]),
                    ],
                };
                rows.iter().map(|(sizes, target)| vec![self.input(sizes), ints(target)]).collect()
            }
            "flatten" => vec![
                vec![self.input(&[2, 3, 2])],
                vec![self.input(&[2, 3, 2]), int(1), int(2)],
                vec![self.input(&[3])],
                vec![self.input(&[])],
                vec![self.input(&[2, 0])],
            ],
            "permute" => vec![
                vec![self.input(&[2, 3, 2]), ints(&[2, 0, 1])],
                vec![self.input(&[2, 3]), ints(&[-1, 0])],
                vec![self.input(&[]), ints(&[])],
                vec![self.input(&[2, 0]), ints(&[1, 0])],
            ],
            "transpose" | "movedim.int" => vec![
                vec![self.input(&[2, 3]), int(0), int(1)],
                vec![self.input(&[2, 3, 2]), int(0), int(-1)],
                vec![self.input(&[2, 3]), int(1), int(1)],
                vec![self.input(&[]), int(0), int(-1)],
                vec![self.input(&[2, 0]), int(0), int(1)],
            ],
            "movedim" => vec![
                vec![self.input(&[2, 3, 2]), ints(&[0, 1]), ints(&[1, -1])],
                vec![self.input(&[2, 3]), ints(&[1]), ints(&[0])],
                vec![self.input(&[]), ints(&[]), ints(&[])],
            ],
            "t" => [&[2, 3][..], &[3], &[], &[2, 0]].map(|sizes| vec![self.input(sizes)]).into(),
            "squeeze.dims" => vec![
                vec![self.input(&[1, 2, 1]), ints(&[0, 2])],
                vec![self.input(&[1, 2, 1]), ints(&[1])],
                vec![self.input(&[1, 2]), ints(&[])],
                vec![self.input(&[1, 0]), ints(&[0])],
            ],
            "select" => vec![
                vec![self.input(&[2, 3]), int(0), int(1)],
                vec![self.input(&[2, 3]), int(1), int(-1)],
                vec![self.input(&[3]), int(0), int(0)],
                vec![self.input(&[2, 0]), int(0), int(0)],
            ],
            "select_backward" => vec![
                vec![self.input(&[3]), ints(&[2, 3]), int(0), int(1)],
                vec![self.input(&[2]), ints(&[2, 3]), int(1), int(-1)],
                vec![self.input(&[]), ints(&[3]), int(0), int(0)],
                vec![self.input(&[0]), ints(&[2, 0]), int(0), int(0)],
            ],
            "slice" => vec![
                vec![self.input(&[4]), int(0), int(1), int(3), int(1)],
                vec![self.input(&[2, 5]), int(1), none(), none(), int(2)],
                vec![self.input(&[2, 5]), int(-1), int(-4), int(-1), int(2)],
                vec![self.input(&[3]), int(0), int(2), int(1), int(1)],
                vec![self.input(&[2, 0])],
            ],
            "slice_backward" => vec![
                vec![self.input(&[2]), ints(&[4]), int(0), int(1), int(3), int(1)],
                vec![self.input(&[2, 3]), ints(&[2, 5]), int(1), none(), none(), int(2)],
                vec![self.input(&[0]), ints(&[3]), int(0), int(2), int(1), int(1)],
            ],
            "narrow" => vec![
                vec![self.input(&[4]), int(0), int(1), int(2)],
                vec![self.input(&[2, 3]), int(1), int(-2), int(2)],
                vec![self.input(&[2, 3]), int(0), int(2), int(0)],
                vec![self.input(&[0]), int(0), int(0), int(0)],
            ],
            "unbind" | "chunk" | "split" => {
                let extra = |n| if name == "unbind" { vec![] } else { vec![int(n)] };
                [(&[5][..], 2, 0), (&[2, 3], 2, 1), (&[2, 3], 1, -2), (&[3, 0], 1, 0)]
                    .map(|(sizes, n, dim)| [vec![self.input(sizes)], extra(n), vec![int(dim)]].concat())
                    .into()
            }
            "split.sizes" | "split_with_sizes" => vec![
                vec![self.input(&[5]), ints(&[2, 3]), int(0)],
                vec![self.input(&[2, 3]), ints(&[1, 0, 2]), int(1)],
                vec![self.input(&[0]), ints(&[0, 0]), int(0)],
            ],
            "unsqueeze" => [(&[3][..], 0), (&[2, 3], -1), (&[], 0), (&[2, 0], 1)]
                .map(|(sizes, dim)| vec![self.input(sizes), int(dim)])
                .into(),
            // Lists.
            "cat" | "_cat" | "stack" => {
                let rows: [(&[&[usize]], i64); 4] = match name.as_str() {
                    "stack" => [(&[&[2, 3], &[2, 3]], 0), (&[&[2, 3], &[2, 3]], -1), (&[&[], &[]], 0), (&[&[0]], 1)],
                    _ => {
                        [(&[&[2, 3], &[1, 3]], 0), (&[&[2, 3], &[2, 1]], 1), (&[&[3], &[0], &[2]], 0), (&[&[2, 0]], 0)]
                    }
                };
                rows.map(|(list, dim)| {
                    let tensors = list.iter().map(|sizes| Some(self.draw(Domain::Real, sizes))).collect();
                    let lengths: Vec<i64> =
                        list.iter().map(|sizes| sizes.get(dim as usize).map_or(1, |&n| n as i64)).collect();
                    let row = vec![Value::Tensors(tensors), int(dim)];
                    if name == "_cat" { [row, vec![ints(&lengths)]].concat() } else { row }
                })
                .into()
            }
            // Places.
            "index" => self.indices().into_iter().map(|(sizes, list, _)| vec![self.input(sizes), list]).collect(),
            "index_put" => {
                let mut rows = Vec::new();
                for (i, (sizes, list, picked)) in self.indices().into_iter().enumerate() {
                    // Of several values for one place all are added, but only one can stay.
                    let repeats = i == 1;
                    rows.push(vec![self.input(sizes), list.clone(), self.tensor("values", picked), truth(true)]);
                    if !repeats {
                        rows.push(vec![self.input(sizes), list, self.tensor("values", &[]), truth(false)]);
                    }
                }
                rows
            }
            "gather" => vec![
                vec![self.input(&[3, 2]), int(0), index(&[0, 2, 1, 1], &[2, 2])],
                vec![self.input(&[3, 2]), int(-1), index(&[0, 1, 1, 1, 0, 0], &[2, 3])],
                vec![self.input(&[]), int(0), index(&[0], &[])],
                vec![self.input(&[3]), int(0), index(&[], &[0])],
            ],
            "scatter" | "scatter_add" => {
                // Of several values for one place all are added, but only one can stay.
                let places = if name == "scatter" { [0, 2, 1, 1] } else { [0, 2, 0, 1] };
                vec![
                    vec![self.input(&[3, 2]), int(0), index(&places, &[2, 2]), self.tensor("src", &[2, 2])],
                    vec![self.input(&[3, 2]), int(1), index(&[0, 1, 0], &[3, 1]), self.tensor("src", &[3, 2])],
                    vec![self.input(&[3]), int(0), index(&[2, 0], &[2]), self.tensor("src", &[4])],
                    vec![self.input(&[]), int(0), index(&[0], &[]), self.tensor("src", &[])],
                    vec![self.input(&[3]), int(0), index(&[], &[0]), self.tensor("src", &[0])],
                ]
            }
            "scatter.value" => vec![
                vec![self.input(&[3, 2]), int(0), index(&[0, 2, 1, 1], &[2, 2]), float(1.5)],
                vec![self.input(&[]), int(0), index(&[0], &[]), float(1.5)],
                vec![self.input(&[3]), int(0), index(&[], &[0]), float(1.5)],
            ],
            "index_select" => vec![
                vec![self.input(&[3, 2]), int(0), index(&[0, 2, 2], &[3])],
                vec![self.input(&[3, 2]), int(-1), index(&[1], &[])],
                vec![self.input(&[]), int(0), index(&[0], &[1])],
                vec![self.input(&[3]), int(0), index(&[], &[0])],
            ],
            "index_add" | "_index_add" => {
                let mut rows = vec![
                    vec![self.input(&[3, 2]), int(0), index(&[0, 2, 2], &[3]), self.tensor("source", &[3, 2])],
                    vec![self.input(&[3, 2]), int(1), index(&[1], &[1]), self.tensor("source", &[3, 1])],
                    vec![self.input(&[3]), int(0), index(&[], &[0]), self.tensor("source", &[0])],
                ];
                if name == "index_add" {
                    let row =
                        vec![self.input(&[3]), int(0), index(&[1, 1], &[2]), self.tensor("source", &[2]), float(1.5)];
                    rows.push(row);
                }
                rows
            }
            // Products.
            "mm" | "bmm" | "mv" | "dot" | "outer" | "matmul" => {
                let rows: &[[&[usize]; 2]] = match name.as_str() {
                    "mm" => &[[&[2, 3], &[3, 4]], [&[1, 1], &[1, 1]], [&[2, 0], &[0, 3]], [&[0, 3], &[3, 2]]],
                    "bmm" => &[[&[2, 2, 3], &[2, 3, 2]], [&[0, 2, 3], &[0, 3, 2]], [&[2, 2, 0], &[2, 0, 2]]],
                    "mv" => &[[&[2, 3], &[3]], [&[0, 3], &[3]], [&[2, 0], &[0]]],
                    "dot" => &[[&[3], &[3]], [&[0], &[0]]],
                    "outer" => &[[&[2], &[3]], [&[0], &[3]]],
                    _ => &[
                        [&[3], &[3]],
                        [&[2, 3], &[3]],
                        [&[3], &[3, 2]],
                        [&[2, 3], &[3, 2]],
                        [&[2, 2, 3], &[3, 2]],
                        [&[2, 2, 3], &[3]],
                        [&[3], &[2, 3, 2]],
                        [&[2, 1, 2, 3], &[2, 3, 2]],
                        [&[2, 0], &[0, 3]],
                    ],
                };
                rows.iter().map(|[a, b]| vec![self.tensor("input", a), self.tensor("other", b)]).collect()
            }
            "addmm" => {
                let mut rows: Vec<Vec<Value>> = [
                    [&[2, 2][..], &[2, 3], &[3, 2]],
                    [&[2], &[2, 3], &[3, 2]],
                    [&[], &[1, 1], &[1, 1]],
                    [&[1, 2], &[0, 3], &[3, 2]],
                ]
                .map(|sizes| sizes.map(|sizes| self.input(sizes)).into())
                .into();
                rows.push(vec![self.input(&[2, 2]), self.input(&[2, 3]), self.input(&[3, 2]), float(0.5), int(-2)]);
                rows.push(vec![self.input(&[2, 2]), self.input(&[2, 3]), self.input(&[3, 2]), int(0), int(1)]);
                rows
            }
            "linear" => vec![
                vec![self.input(&[2, 3]), self.tensor("weight", &[4, 3]), self.tensor("bias", &[4])],
                vec![self.input(&[2, 3]), self.tensor("weight", &[4, 3])],
                vec![self.input(&[2, 2, 3]), self.tensor("weight", &[4, 3]), self.tensor("bias", &[4])],
                vec![self.input(&[3]), self.tensor("weight", &[4, 3]), self.tensor("bias", &[4])],
                vec![self.input(&[0, 3]), self.tensor("weight", &[4, 3]), self.tensor("bias", &[4])],
            ],
            // Losses.
            "mse_loss" | "l1_loss" | "smooth_l1_loss" | "huber_loss" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for sizes in [&[2, 3][..], &[], &[0]] {
                        rows.push(vec![self.input(sizes), self.tensor("target", sizes), text(reduction)]);
                    }
                    if name == "mse_loss" {
                        let weight = Value::Tensor(self.draw(Domain::Positive, &[2, 3]));
                        rows.push(vec![self.input(&[2, 3]), self.tensor("target", &[2, 3]), text(reduction), weight]);
                    }
                }
                rows
            }
            "binary_cross_entropy" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for sizes in [&[2, 3][..], &[], &[0]] {
                        rows.push(vec![self.input(sizes), self.tensor("target", sizes), none(), text(reduction)]);
                    }
                    let weight = self.tensor("weight", &[3]);
                    rows.push(vec![self.input(&[2, 3]), self.tensor("target", &[2, 3]), weight, text(reduction)]);
                }
                rows
            }
            "binary_cross_entropy_with_logits" | "_binary_cross_entropy_with_logits" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for (sizes, weight, pos_weight) in [
                        (&[2, 3][..], None, None),
                        (&[2, 3], Some(&[3][..]), None),
                        (&[2, 3], None, Some(&[3][..])),
                        (&[2, 3], Some(&[2, 1][..]), Some(&[3][..])),
                        (&[], None, None),
                        (&[0], None, None),
                    ] {
                        let target = Value::Tensor(self.draw(Domain::Unit, sizes));
                        let weight = weight.map_or(none(), |sizes| self.tensor("weight", sizes));
                        let pos_weight = pos_weight.map_or(none(), |sizes| self.tensor("pos_weight", sizes));
                        let row = vec![self.input(sizes), target, weight];
                        let rest = if name.starts_with('_') {
                            vec![pos_weight, text(reduction)]
                        } else {
                            vec![text(reduction), pos_weight]
                        };
                        rows.push([row, rest].concat());
                    }
                }
                rows
            }
            "nll_loss" | "cross_entropy" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for (sizes, classes, target_sizes) in [
                        (&[2, 3][..], &[2, 0][..], &[2][..]),
                        (&[2, 3, 2], &[0, 2, 1, -100], &[2, 2]),
                        (&[3], &[1], &[]),
                        (&[0, 3], &[], &[0]),
                    ] {
                        let target = index(classes, target_sizes);
                        rows.push(vec![self.input(sizes), target.clone(), none(), int(-100), text(reduction)]);
                        let weight = self.tensor("weight", &[3]);
                        let ignored = if sizes.len() > 2 { -100 } else { 2 };
                        let weighted = vec![self.input(sizes), target, weight, int(ignored), text(reduction)];
                        // Without samples the mean is 0 / 0.
                        if sizes.len() > 1 && !sizes.contains(&0) {
                            rows.push(if name == "nll_loss" {
                                weighted
                            } else {
                                [weighted, vec![float(0.25)]].concat()
                            });
                        }
                    }
                    if name == "cross_entropy" {
                        let target = Value::Tensor(self.draw(Domain::Unit, &[2, 3]));
                        let weight = self.tensor("weight", &[3]);
                        rows.push(vec![self.input(&[2, 3]), target, weight, int(-100), text(reduction), float(0.25)]);
                    }
                }
                rows
            }
            // Random: what is left over is checked, with p = 0 and 1, where chance has no say.
            "dropout" => [(0.0, true), (0.5, false), (1.0, true)]
                .iter()
                .flat_map(|&(p, training)| {
                    [&[2, 3][..], &[], &[0]].map(|sizes| vec![self.input(sizes), float(p), truth(training)])
                })
                .collect(),
            _ => return None,
        };
        Some(rows)
    }

    /// Advanced indices: the sizes of the indexed tensor, the index, and the sizes of what it picks.
    fn indices(&self) -> Vec<(&'static [usize], Value, &'static [usize])> {
        let at = |values: &[i64], sizes: &[usize]| Some(Tensor::from_slice(values, sizes).unwrap());
        vec![
            (&[3], Value::Tensors(vec![at(&[2, 0], &[2])]), &[2]),
            (&[3, 2], Value::Tensors(vec![at(&[0, 2, 2], &[3])]), &[3, 2]),
            (&[3, 2], Value::Tensors(vec![at(&[0, 2], &[2]), at(&[1, -1], &[2])]), &[2]),
            (&[3, 2], Value::Tensors(vec![None, at(&[1, 0], &[2, 1])]), &[3, 2, 1]),
            (&[2, 3, 2], Value::Tensors(vec![at(&[0, 1], &[2, 1]), None, at(&[1], &[1])]), &[2, 1, 3]),
            (&[3], Value::Tensors(vec![at(&[], &[0])]), &[0]),
        ]
    }

    /// Large rows for operations that are not described by kinds.
    fn named_large(&mut self) -> Option<Vec<Vec<Value>>> {
        let side = 160;
        let rows = match self.op.full_name().as_str() {
            "mm" | "matmul" => vec![vec![self.input(&[side, side]), self.input(&[side, side])]],
            "bmm" => vec![vec![self.input(&[3, side, side]), self.input(&[3, side, side])]],
            "mv" => vec![vec![self.input(&[600, 400]), self.input(&[400])]],
            "dot" => vec![vec![self.input(&[200_000]), self.input(&[200_000])]],
            "addmm" => vec![vec![self.input(&[side]), self.input(&[side, side]), self.input(&[side, side])]],
            "linear" => vec![vec![self.input(&[side, side]), self.input(&[side, side]), self.input(&[side])]],
            "mse_loss" | "l1_loss" | "copy" | "max.other" | "where" => {
                let (a, b) = (self.input(LARGE), self.tensor("target", LARGE));
                match self.op.name {
                    "where" => vec![vec![mask(&[true, false, true], &[3, 1]), a, b]],
                    _ => vec![vec![a, b]],
                }
            }
            "binary_cross_entropy" | "binary_cross_entropy_with_logits" => {
                let target = Value::Tensor(self.draw(Domain::Unit, LARGE));
                vec![vec![self.input(LARGE), target]]
            }
            "cross_entropy" => {
                let classes: Vec<i64> = (0..LARGE[1] as i64).map(|i| i % 3).collect();
                vec![vec![self.input(&[LARGE[1], 3]), index(&classes, &[LARGE[1]])]]
            }
            "clamp" => vec![vec![self.input(LARGE), float(-0.5), self.tensor("max", &LARGE[1..])]],
            // Random.
            "dropout" => vec![],
            _ => return None,
        };
        Some(rows)
    }
}

impl Sample {
    /// All tensors among the arguments, in their order.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.arguments.iter().flat_map(Value::tensors).cloned().collect()
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
                Value::Text(text) => format!("'{text}'"),
            })
            .collect();
        format!("{}({})", self.op.full_name(), arguments.join(", "))
    }
}
