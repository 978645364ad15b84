//! Arguments of layers: convolutions, pools, padding, normalization, embeddings, attention, recurrent steps.

use rgrad::value::Value;

use super::values::{float, index, int, ints, text, truth};
use super::{Domain, Maker};

/// A spatial size for so many dimensions.
fn spatial(rank: usize) -> &'static [usize] {
    [&[][..], &[5], &[4, 5], &[3, 4, 3]][rank]
}

fn with<const N: usize>(first: [usize; N], rest: &[usize]) -> Vec<usize> {
    first.iter().chain(rest).copied().collect()
}

impl Maker {
    /// How many spatial dimensions an operation has, by its name.
    fn rank(&self) -> usize {
        (1..=3).find(|rank| self.op.name.contains(&format!("{rank}d"))).unwrap_or(2)
    }

    /// Rows for layers.
    pub fn layers(&mut self) -> Option<Vec<Vec<Value>>> {
        let none = || Value::None;
        let rank = self.rank();
        let image = with([2, 4], spatial(rank));
        let twos = vec![2; rank];
        let name = self.op.full_name();
        let rows = match name.as_str() {
            "conv1d" | "conv2d" | "conv3d" => {
                let (whole, depthwise) = (with([6, 4], &twos), with([4, 1], &twos));
                vec![
                    vec![self.input(&image), self.input(&whole), self.input(&[6]), ints(&[2]), ints(&[1]), ints(&[1])],
                    vec![self.input(&image[1..]), self.input(&whole), none(), ints(&[1]), ints(&[0]), ints(&[2])],
                    vec![
                        self.input(&image),
                        self.input(&depthwise),
                        none(),
                        ints(&[1]),
                        ints(&[0]),
                        ints(&[1]),
                        int(4),
                    ],
                    vec![self.input(&image), self.input(&with([3, 4], &vec![1; rank])), self.input(&[3])],
                ]
            }
            "conv1d.padding" | "conv2d.padding" | "conv3d.padding" => ["same", "valid"]
                .map(|padding| {
                    let weight = self.input(&with([6, 4], &twos));
                    vec![self.input(&image), weight, self.input(&[6]), ints(&[1]), text(padding)]
                })
                .into(),
            "conv_transpose1d" | "conv_transpose2d" | "conv_transpose3d" => {
                let weight = with([4, 3], &twos);
                vec![
                    vec![self.input(&image), self.input(&weight), self.input(&[3])],
                    vec![self.input(&image), self.input(&weight), none(), ints(&[2]), ints(&[1]), ints(&[1])],
                    vec![self.input(&image), self.input(&weight), none(), ints(&[1]), ints(&[0]), ints(&[0]), int(2)],
                ]
            }
            "convolution" => [false, true]
                .map(|transposed| {
                    let weight = if transposed { [4, 2, 2, 2] } else { [4, 4, 2, 2] };
                    let bias = self.input(&[if transposed { 2 } else { 4 }]);
                    let [stride, padding, dilation] = [[2, 1], [1, 0], [1, 2]].map(|list| ints(&list));
                    let tensors = [self.input(&image), self.input(&weight), bias];
                    let rest = [stride, padding, dilation, truth(transposed), ints(&[0, 0]), int(1)];
                    [tensors.to_vec(), rest.to_vec()].concat()
                })
                .into(),
            "_convolve" | "_convolution_input" | "_convolution_weight" => {
                let sizes: [&[usize]; 3] = [&[2, 4, 5, 5], &[6, 2, 2, 3], &[2, 6, 3, 4]];
                let [x, w, y] = sizes;
                let (a, b, c) = match name.as_str() {
                    "_convolve" => (x, w, y),
                    "_convolution_input" => (y, w, x),
                    _ => (y, x, w),
                };
                let size: Vec<i64> = c.iter().map(|&n| n as i64).collect();
                let rest = [ints(&size), ints(&[2, 1]), ints(&[1, 0]), ints(&[1, 1]), int(2)];
                // A height of 5 with zeros on both sides, in steps of 2.
                vec![[vec![self.input(a), self.input(b)], rest.to_vec()].concat()]
            }
            "conv_tbc" => vec![vec![self.input(&[4, 2, 3]), self.input(&[2, 3, 4]), self.input(&[4]), int(1)]],
            "avg_pool1d"
            | "avg_pool2d"
            | "avg_pool3d"
            | "max_pool1d"
            | "max_pool2d"
            | "max_pool3d"
            | "max_pool1d_with_indices"
            | "max_pool2d_with_indices"
            | "max_pool3d_with_indices" => vec![
                vec![self.input(&image), ints(&[2])],
                vec![self.input(&image), ints(&[3]), ints(&[2]), ints(&[1])],
                vec![self.input(&image[1..]), ints(&twos.iter().map(|&n| n as i64).collect::<Vec<_>>()), ints(&[1])],
            ],
            "_adaptive_avg_pool2d" | "_adaptive_avg_pool3d" => {
                vec![vec![self.input(&image), ints(&vec![2; rank])]]
            }
            name if name.starts_with("adaptive_") => vec![
                vec![self.input(&image), ints(&[2])],
                vec![self.input(&image[1..]), ints(&vec![1; rank])],
                vec![self.input(&image), ints(&[6])],
            ],
            "_fractional_max_pool2d_with_indices" | "_fractional_max_pool3d_with_indices" => {
                let samples = Value::Tensor(self.draw(Domain::Unit, &[2, 4, rank]));
                vec![vec![self.input(&image), ints(&[2]), ints(&[2]), samples]]
            }
            "_pool_scatter" => {
                let places = index(&[0, 3, 5, 1, 0, 2], &[2, 1, 3]);
                vec![vec![self.input(&[2, 1, 3]), places, ints(&[2, 3]), truth(true)]]
            }
            "_pool_gather" => vec![vec![self.input(&[2, 2, 3]), index(&[0, 3, 5, 1, 0, 2], &[2, 1, 3]), int(2)]],
            "max_unpool1d" => vec![vec![self.input(&[1, 2, 2]), index(&[0, 2, 1, 3], &[1, 2, 2]), ints(&[2])]],
            "max_unpool2d" => vec![vec![self.input(&[1, 1, 2, 2]), index(&[0, 2, 8, 10], &[1, 1, 2, 2]), ints(&[2])]],
            "_max_unpool2d" => {
                vec![vec![self.input(&[1, 1, 2, 2]), index(&[0, 2, 8, 10], &[1, 1, 2, 2]), ints(&[4, 4])]]
            }
            "max_unpool3d" => vec![vec![self.input(&[1, 1, 1, 1, 2]), index(&[0, 2], &[1, 1, 1, 1, 2]), ints(&[2])]],
            "_max_unpool3d" => {
                vec![vec![self.input(&[1, 1, 1, 1, 2]), index(&[0, 2], &[1, 1, 1, 1, 2]), ints(&[2, 2, 4])]]
            }
            "lp_pool1d" | "lp_pool2d" | "lp_pool3d" => {
                let positive = Value::Tensor(self.draw(Domain::Positive, &image));
                vec![vec![positive, float(3.0), ints(&[2])]]
            }
            "constant_pad_nd" => {
                vec![
                    vec![self.input(&[2, 3]), ints(&[1, 2]), float(1.5)],
                    vec![self.input(&[2, 3]), ints(&[-1, 0, 1, 1])],
                ]
            }
            "pad" => ["constant", "reflect", "replicate", "circular"]
                .iter()
                .flat_map(|mode| {
                    [vec![1, 1], vec![-1, 2]].map(|pad| vec![self.input(&[2, 2, 4]), ints(&pad), text(mode)])
                })
                .collect(),
            name if name.starts_with("reflection_pad") || name.starts_with("replication_pad") => {
                vec![vec![self.input(&image), ints(&[[1, 2]; 3].concat()[..2 * rank])]]
            }
            "_resample" | "_resample_backward" => vec![
                vec![
                    self.input(if name == "_resample" { &[2, 3, 5] } else { &[2, 3, 4] }),
                    text("linear"),
                    ints(if name == "_resample" { &[4] } else { &[5] }),
                    Value::Floats(vec![1.25, 0.0]),
                ],
                vec![
                    self.input(if name == "_resample" { &[2, 3, 5] } else { &[2, 3, 2] }),
                    text("average"),
                    ints(if name == "_resample" { &[2] } else { &[5] }),
                    Value::Floats(vec![3.0, 2.0, 0.0, 1.0, 0.0]),
                ],
            ],
            "_upsample" => vec![
                vec![self.input(&[2, 2, 5]), text("nearest"), ints(&[3])],
                vec![self.input(&[2, 2, 4, 5]), text("bilinear"), ints(&[3, 7]), truth(true)],
                vec![
                    self.input(&[2, 2, 4, 5]),
                    text("bicubic"),
                    ints(&[3, 7]),
                    truth(false),
                    Value::Floats(vec![]),
                    truth(true),
                ],
            ],
            name if name.starts_with("upsample_") => {
                let size = ints(&[3, 7, 4][..rank]);
                vec![vec![self.input(&image), size, truth(false), Value::Floats(vec![])]]
            }
            "unfold.blocks" => vec![
                vec![self.input(&[2, 2, 4, 3]), ints(&[2])],
                vec![self.input(&[2, 4, 3]), ints(&[2, 1]), ints(&[2]), ints(&[1]), ints(&[2])],
            ],
            "fold" => vec![
                vec![self.input(&[2, 8, 6]), ints(&[4, 3]), ints(&[2])],
                vec![self.input(&[8, 6]), ints(&[4, 3]), ints(&[2, 2])],
            ],
            "pixel_shuffle" => vec![vec![self.input(&[2, 8, 2, 3]), int(2)], vec![self.input(&[4, 2, 3]), int(2)]],
            "pixel_unshuffle" => vec![vec![self.input(&[2, 2, 4, 6]), int(2)]],
            "channel_shuffle" => vec![vec![self.input(&[2, 6, 2, 2]), int(2)], vec![self.input(&[2, 6, 3]), int(3)]],
            "affine_grid_generator" => vec![
                vec![self.input(&[2, 2, 3]), ints(&[2, 1, 3, 4]), truth(true)],
                vec![self.input(&[1, 3, 4]), ints(&[1, 1, 2, 3, 2]), truth(false)],
            ],
            "grid_sample" => ["bilinear", "bicubic"]
                .map(|mode| {
                    let grid = Value::Tensor(self.draw(Domain::Unit, &[2, 2, 3, 2]));
                    vec![self.input(&[2, 2, 4, 5]), grid, text(mode)]
                })
                .into(),
            "bilinear" => {
                vec![vec![self.input(&[2, 3]), self.input(&[2, 4]), self.input(&[5, 3, 4]), self.input(&[5])]]
            }
            "layer_norm" | "native_layer_norm" | "rms_norm" => {
                let (norm, bias) = (name == "rms_norm", float(1e-5));
                let mut row = |sizes: &[usize], shape: &[usize]| {
                    let last: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
                    let mut row = vec![self.input(sizes), ints(&last), self.input(shape)];
                    if !norm {
                        row.push(self.input(shape));
                    }
                    row.push(bias.clone());
                    row
                };
                vec![row(&[2, 3], &[3]), row(&[2, 3, 2], &[3, 2])]
            }
            "native_group_norm.of_input" => {
                vec![vec![self.input(&[2, 4, 3]), self.input(&[4]), self.input(&[4]), int(2), float(1e-5)]]
            }
            "group_norm" | "group_norm.function" => vec![
                vec![self.input(&[2, 4, 3]), int(2), self.input(&[4]), self.input(&[4])],
                vec![self.input(&[3, 4]), int(2)],
            ],
            "native_batch_norm" | "batch_norm.function" | "batch_norm" | "instance_norm" | "instance_norm.function" => {
                let mut rows = Vec::new();
                for training in [true, false] {
                    let image = self.input(&[3, 2, 4]);
                    let affine = [self.input(&[2]), self.input(&[2])];
                    let running = [Domain::Real, Domain::Positive].map(|domain| Value::Tensor(self.draw(domain, &[2])));
                    let rest = vec![truth(training), float(0.1), float(1e-5)];
                    let last = name.ends_with("function");
                    rows.push(match name.as_str() {
                        "batch_norm" | "instance_norm" => {
                            [vec![image], running.to_vec(), affine.to_vec(), rest].concat()
                        }
                        _ => {
                            let extra = if last { vec![truth(true)] } else { vec![] };
                            [vec![image], affine.to_vec(), running.to_vec(), rest, extra].concat()
                        }
                    });
                }
                rows
            }
            "local_response_norm" => {
                vec![vec![self.input(&[2, 4, 3]), int(2)], vec![self.input(&[2, 4, 3, 2]), int(3), float(0.1)]]
            }
            "embedding" => vec![
                vec![self.input(&[3, 2]), index(&[0, 2, 2], &[3])],
                vec![self.input(&[3, 2]), index(&[0, 1, 1, 1], &[2, 2])],
                vec![self.input(&[3, 2]), index(&[0, 2, 2], &[3]), int(-1), truth(false)],
            ],
            "embedding_dense_backward" => vec![
                vec![self.input(&[3, 2]), index(&[0, 2, 2], &[3]), int(3), int(-1), truth(true)],
                vec![self.input(&[3, 2]), index(&[0, 2, 2], &[3]), int(3), int(2), truth(false)],
            ],
            "embedding_renorm" => vec![vec![self.input(&[3, 2]), index(&[0, 2, 2], &[3]), float(1.0), float(2.0)]],
            "_embedding_bag" => {
                let (places, starts) = (index(&[0, 2, 1, 2], &[4]), index(&[0, 2, 2], &[3]));
                let mut rows: Vec<_> = (0..3)
                    .map(|mode| vec![self.input(&[3, 2]), places.clone(), starts.clone(), truth(false), int(mode)])
                    .collect();
                let weights = self.input(&[4]);
                let head = vec![self.input(&[3, 2]), places, starts, truth(false), int(0), truth(false)];
                rows.push([head, vec![weights, truth(false), int(1)]].concat());
                rows
            }
            "scaled_dot_product_attention" => vec![
                vec![self.input(&[2, 3, 4]), self.input(&[2, 5, 4]), self.input(&[2, 5, 2])],
                vec![self.input(&[2, 3, 4]), self.input(&[2, 3, 4]), self.input(&[2, 3, 4]), self.input(&[3, 3])],
                vec![
                    self.input(&[1, 4, 3, 2]),
                    self.input(&[1, 2, 3, 2]),
                    self.input(&[1, 2, 3, 2]),
                    none(),
                    float(0.0),
                    truth(true),
                    float(0.3),
                    truth(true),
                ],
            ],
            "_ctc_loss" | "ctc_loss" => {
                let row = [index(&[1, 2, 1, 1], &[2, 2]), ints(&[4, 3]), ints(&[2, 1]), int(0)];
                let last = if name == "_ctc_loss" { truth(false) } else { text("mean") };
                vec![[vec![self.input(&[4, 2, 3])], row.to_vec(), vec![last]].concat()]
            }
            "ctc_loss.tensors" => {
                let lengths = [index(&[4, 3], &[2]), index(&[2, 1], &[2])];
                vec![[vec![self.input(&[4, 2, 3]), index(&[1, 2, 1, 1], &[2, 2])], lengths.to_vec()].concat()]
            }
            "_ctc_loss_backward" => {
                let row = [index(&[1, 2, 1, 1], &[2, 2]), ints(&[4, 3]), ints(&[2, 1]), int(0), truth(false)];
                vec![[vec![self.input(&[2]), self.input(&[4, 2, 3])], row.to_vec()].concat()]
            }
            "lstm_cell" => {
                let states = self.list(&[vec![2, 4], vec![2, 4]]);
                let weights = [self.input(&[16, 3]), self.input(&[16, 4]), self.input(&[16]), self.input(&[16])];
                vec![[vec![self.input(&[2, 3]), states], weights.to_vec()].concat()]
            }
            "gru_cell" | "rnn_tanh_cell" | "rnn_relu_cell" => {
                let rows = if name == "gru_cell" { 12 } else { 4 };
                let weights =
                    [self.input(&[rows, 3]), self.input(&[rows, 4]), self.input(&[rows]), self.input(&[rows])];
                vec![[vec![self.input(&[2, 3]), self.input(&[2, 4])], weights.to_vec()].concat()]
            }
            "_lstm_states" => {
                let sizes: [&[usize]; 5] = [&[3, 2, 8], &[2, 2], &[2, 2], &[8, 2], &[8]];
                let all = sizes.map(|sizes| self.input(sizes)).to_vec();
                let without_bias = all[..4].iter().cloned().chain([Value::None]).collect();
                vec![all, without_bias]
            }
            "lstm" | "gru" | "rnn_tanh" | "rnn_relu" | "lstm.data" | "gru.data" | "rnn_tanh.data" | "rnn_relu.data" => {
                let rows = match self.op.name {
                    "lstm" => 8,
                    "gru" => 6,
                    _ => 2,
                };
                let packed = self.op.overload == "data";
                let sides = [vec![rows, 3], vec![rows, 2], vec![rows], vec![rows]];
                let params = self.list(&[sides.clone(), sides].concat());
                let states = match self.op.name {
                    "lstm" => self.list(&[vec![2, 2, 2], vec![2, 2, 2]]),
                    _ => self.input(&[2, 2, 2]),
                };
                let mut row = match packed {
                    true => vec![self.input(&[5, 3]), index(&[2, 2, 1], &[3])],
                    false => vec![self.input(&[3, 2, 3])],
                };
                row.extend([states, params, truth(true), int(1), float(0.0), truth(false), truth(true)]);
                if !packed {
                    row.push(truth(false));
                }
                vec![row]
            }
            _ => return None,
        };
        Some(rows)
    }

    /// Rows of layers on which threads share the work.
    pub fn layers_large(&mut self) -> Option<Vec<Vec<Value>>> {
        let rank = self.rank();
        let side = [0, 9000, 90, 24][rank];
        let image = with([3, 8], &vec![side; rank]);
        let rows = match self.op.name {
            "conv1d" | "conv2d" | "conv3d" if self.op.overload.is_empty() => {
                vec![vec![self.input(&image), self.input(&with([8, 8], &vec![3; rank])), self.input(&[8])]]
            }
            "conv_transpose2d" => vec![vec![self.input(&image), self.input(&[8, 8, 3, 3]), self.input(&[8])]],
            "avg_pool2d" | "max_pool2d" | "max_pool3d" => vec![vec![self.input(&image), ints(&[2])]],
            "layer_norm" => vec![vec![self.input(&[400, 300]), ints(&[300]), self.input(&[300]), self.input(&[300])]],
            "batch_norm" if self.op.overload.is_empty() => {
                vec![vec![self.input(&image), Value::None, Value::None, Value::None, Value::None, truth(true)]]
            }
            "group_norm" if self.op.overload.is_empty() => vec![vec![self.input(&image), int(2)]],
            "_upsample" => vec![vec![self.input(&image), text("bilinear"), ints(&[70, 120])]],
            "embedding" => {
                let places: Vec<i64> = (0..5000).map(|i| i * 7 % 900).collect();
                vec![vec![self.input(&[900, 40]), index(&places, &[5000])]]
            }
            // The others share their work as these do.
            _ => return self.layers().map(|_| vec![]),
        };
        Some(rows)
    }
}
