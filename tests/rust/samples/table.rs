//! Arguments of the operations whose parameters fit together in a way that their kinds do not say.

use rgrad::dtype::Complex128;
use rgrad::memory_format::MemoryFormat;
use rgrad::value::Value;
use rgrad::{DType, Tensor};

use super::values::{float, index, int, ints, mask, text, truth};
use super::{Domain, LARGE, Maker, PAIRS};

/// Complex numbers of absolute value 5.
fn complex(sizes: &[usize]) -> Value {
    Value::Tensor(Tensor::full(sizes, Complex128::new(3.0, -4.0).into(), DType::Complex128).unwrap())
}

impl Maker {
    /// Rows for operations whose parameters fit together in a way that the kinds do not say.
    pub fn named(&mut self) -> Option<Vec<Vec<Value>>> {
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
            "remainder" => {
                let mut rows: Vec<_> =
                    PAIRS.iter().map(|[a, b]| vec![self.tensor("input", a), self.tensor("other", b)]).collect();
                rows.push(vec![self.input(&[2, 3]), float(1.5)]);
                rows
            }
            "_softmax_backward" | "_log_softmax_backward" => {
                [(&[3][..], 0), (&[2, 3], 1), (&[2, 3, 2], -2), (&[], 0), (&[2, 0], 1)]
                    .map(|(sizes, dim)| vec![self.tensor("gradient", sizes), self.tensor("result", sizes), int(dim)])
                    .into()
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
            "view_as_complex" => [&[2][..], &[3, 2], &[0, 2]].map(|sizes| vec![self.input(sizes)]).into(),
            "view_as_real" | "imag" => [&[][..], &[3], &[2, 3], &[0]].map(|sizes| vec![complex(sizes)]).into(),
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
            "_drawn_by" => [&[2, 3][..], &[], &[2, 0]]
                .map(|sizes| vec![self.tensor("numbers", sizes), self.tensor("parameter", sizes)])
                .into(),
            "lerp" => vec![
                vec![self.input(&[2, 3]), self.tensor("end", &[3]), float(0.25)],
                vec![self.input(&[2, 3]), self.tensor("end", &[2, 1]), self.tensor("weight", &[3])],
                vec![self.input(&[]), self.tensor("end", &[]), float(0.75)],
                vec![self.input(&[0]), self.tensor("end", &[1]), float(0.25)],
            ],
            "uniform.numbers"
            | "normal.numbers"
            | "exponential.numbers"
            | "cauchy.numbers"
            | "log_normal.numbers"
            | "geometric.numbers"
            | "bernoulli.numbers"
            | "bernoulli.each"
            | "random.numbers"
            | "random.to"
            | "random.from" => [&[2, 3][..], &[], &[2, 0]]
                .map(|sizes| vec![self.tensor("input", sizes), self.tensor("numbers", sizes)])
                .into(),
            "fill" => vec![
                vec![self.input(&[2, 3]), float(1.5)],
                vec![self.input(&[2, 3]), self.tensor("value", &[])],
                vec![self.input(&[]), self.tensor("value", &[])],
                vec![self.input(&[0]), float(1.5)],
            ],
            "clone.memory_format" | "contiguous.memory_format" | "_laid_out" => {
                vec![vec![self.input(&[2, 3, 2, 2]), Value::MemoryFormat(MemoryFormat::ChannelsLast)]]
            }
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
            "view" | "reshape" | "_reshape_alias" | "_unsafe_view" | "broadcast_to" | "expand" | "sum_to_size" => {
                let rows: &[(&[usize], &[i64])] = match name.as_str() {
                    "sum_to_size" => &[
                        (&[2, 3], &[3]),
                        (&[2, 3], &[2, 1]),
                        (&[2, 3], &[]),
                        (&[2, 3], &[2, 3]),
                        (&[2, 0], &[2, 1]),
                        (&[], &[]),
                    ],
                    "view" | "reshape" | "_reshape_alias" | "_unsafe_view" => &[
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
            "index_add" => {
                let mut rows = vec![
                    vec![self.input(&[3, 2]), int(0), index(&[0, 2, 2], &[3]), self.tensor("source", &[3, 2])],
                    vec![self.input(&[3, 2]), int(1), index(&[1], &[1]), self.tensor("source", &[3, 1])],
                    vec![self.input(&[3]), int(0), index(&[], &[0]), self.tensor("source", &[0])],
                ];
                let row = vec![self.input(&[3]), int(0), index(&[1, 1], &[2]), self.tensor("source", &[2]), float(1.5)];
                rows.push(row);
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
            "addmm" | "addmm.in_place" => {
                let mut rows: Vec<Vec<Value>> =
                    vec![vec![self.input(&[2, 2]), self.input(&[2, 3]), self.input(&[3, 2])]];
                if name == "addmm" {
                    for sizes in [[&[2][..], &[2, 3], &[3, 2]], [&[], &[1, 1], &[1, 1]], [&[1, 2], &[0, 3], &[3, 2]]] {
                        rows.push(sizes.map(|sizes| self.input(sizes)).into());
                    }
                }
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
            "mse_loss" | "mse_loss.unweighted" | "l1_loss" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for sizes in [&[2, 3][..], &[], &[0]] {
                        rows.push(vec![self.input(sizes), self.tensor("target", sizes), text(reduction)]);
                    }
                    if name != "mse_loss.unweighted" {
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
            "binary_cross_entropy_with_logits" | "binary_cross_entropy_with_logits.node" => {
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
                        let rest = if name.ends_with(".node") {
                            vec![pos_weight, text(reduction)]
                        } else {
                            vec![text(reduction), pos_weight]
                        };
                        rows.push([row, rest].concat());
                    }
                }
                rows
            }
            "nll_loss.images" => ["none", "mean", "sum"]
                .map(|reduction| {
                    let target = index(&[0, 2, 1, -100], &[2, 2, 1]);
                    let weight = self.tensor("weight", &[3]);
                    vec![self.input(&[2, 3, 2, 1]), target, weight, int(-100), text(reduction)]
                })
                .into(),
            "nll_loss.vectors" | "nll_loss.backward" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for (sizes, classes, target_sizes) in
                        [(&[2, 3][..], &[2, 0][..], &[2][..]), (&[3], &[1], &[]), (&[0, 3], &[], &[0])]
                    {
                        let target = index(classes, target_sizes);
                        let weight = if sizes.len() > 1 { self.tensor("weight", &[3]) } else { none() };
                        let mut row = vec![self.input(sizes), target, weight, int(-100), text(reduction)];
                        if name == "nll_loss.backward" {
                            // Without samples the mean is 0 / 0.
                            if sizes.contains(&0) {
                                continue;
                            }
                            row.insert(
                                0,
                                self.tensor("gradient", if reduction == "none" { target_sizes } else { &[] }),
                            );
                        }
                        rows.push(row);
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
    pub fn named_large(&mut self) -> Option<Vec<Vec<Value>>> {
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
            "clamp" => vec![vec![self.input(LARGE), self.tensor("min", LARGE), self.tensor("max", &LARGE[1..])]],
            // Random.
            "dropout" => vec![],
            _ => return None,
        };
        Some(rows)
    }
}
