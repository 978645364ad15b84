//! Arguments of elementwise operations, activations, distances and losses whose kinds do not say what fits together.

use rgrad::value::Value;

use super::values::{float, index, int, text, truth};
use super::{Domain, Maker, PAIRS};

impl Maker {
    /// Rows for those operations.
    pub fn elementwise(&mut self) -> Option<Vec<Vec<Value>>> {
        let name = self.op.full_name();
        let rows = match name.as_str() {
            "polygamma" => [1, 2].map(|n| vec![int(n), self.tensor("input", &[2, 3])]).into(),
            "polygamma.of" | "polygamma.method" | "mvlgamma" | "round.decimals" => {
                [1, 2].map(|n| vec![self.input(&[2, 3]), int(n)]).into()
            }
            "xlogy" | "xlog1py" | "zeta" | "zeta.of" | "igamma" | "igammac" | "float_power" | "isin" => self.pairs(),
            "zeta.of_number" => vec![vec![float(2.5), self.tensor("other", &[2, 3])]],
            "float_power.in_place" => vec![vec![self.input(&[2, 3]), float(2.5)]],
            "dist" | "pairwise_distance" | "cosine_similarity" => {
                [[&[2, 3][..], &[2, 3]], [&[2, 3], &[1, 3]]].map(|[a, b]| self.both(a, b)).into()
            }
            "complex" | "polar" => {
                let [first, second] = if name == "polar" { ["abs", "angle"] } else { ["real", "imag"] };
                [&[2, 3][..], &[], &[0]].map(|sizes| vec![self.tensor(first, sizes), self.tensor(second, sizes)]).into()
            }
            "cdist" | "cdist.node" => [[&[2, 3][..], &[4, 3]], [&[2, 2, 3], &[1, 3]]]
                .map(|[a, b]| [self.both(a, b), vec![float(if name == "cdist" { 2.0 } else { 3.0 })]].concat())
                .into(),
            "pdist" => vec![vec![self.input(&[4, 3])], vec![self.input(&[4, 3]), float(1.0)]],
            "_length" => [1.0, 2.0, 3.0, f64::INFINITY]
                .map(|p| vec![self.input(&[2, 3]), float(p), int(1), truth(p == 2.0)])
                .into(),
            "one_hot" => vec![vec![index(&[0, 2, 1], &[3]), int(4)], vec![index(&[1], &[]), int(2)]],
            "glu" => vec![vec![self.input(&[2, 4])], vec![self.input(&[4, 3]), int(0)], vec![self.input(&[2, 0])]],
            "prelu" => [[&[2, 3][..], &[3]], [&[2, 3], &[1]], [&[], &[]], [&[2, 3, 2], &[3]]]
                .map(|[a, b]| vec![self.input(a), self.tensor("weight", b)])
                .into(),
            "alpha_dropout" | "feature_dropout" | "feature_alpha_dropout" => [(0.0, true), (0.5, false), (1.0, true)]
                .map(|(p, training)| vec![self.input(&[2, 3, 2]), float(p), truth(training)])
                .into(),
            "huber_loss" | "smooth_l1_loss" | "smooth_l1_loss.node" | "kl_div" | "soft_margin_loss" => {
                let extra = (name != "soft_margin_loss" && name != "kl_div").then(|| float(0.7));
                self.losses(&[], extra.as_slice())
            }
            "hinge_embedding_loss" => self.losses(&[float(1.0)], &[]),
            "margin_ranking_loss" => {
                let other = self.tensor("input2", &[2, 3]);
                ["none", "mean", "sum"]
                    .map(|reduction| {
                        let mut row = self.both(&[2, 3], &[2, 3]);
                        row.extend([other.clone(), float(0.5), text(reduction)]);
                        row
                    })
                    .into()
            }
            "poisson_nll_loss" => self.losses(&[truth(false), truth(true), float(1e-8)], &[]),
            "multi_margin_loss" => {
                let mut rows = Vec::new();
                for reduction in ["none", "mean", "sum"] {
                    for p in [1, 2] {
                        let weight = Value::Tensor(self.draw(Domain::Positive, &[3]));
                        let classes = index(&[2, 0], &[2]);
                        rows.push(vec![self.input(&[2, 3]), classes, int(p), float(0.9), weight, text(reduction)]);
                    }
                }
                rows.push(vec![self.input(&[3]), index(&[1], &[])]);
                rows
            }
            "multilabel_margin_loss" => ["none", "mean", "sum"]
                .map(|reduction| vec![self.input(&[2, 3]), index(&[2, 0, -1, 1, -1, 0], &[2, 3]), text(reduction)])
                .into(),
            _ => return None,
        };
        Some(rows)
    }

    /// Two tensors for the first two parameters.
    fn both(&mut self, a: &[usize], b: &[usize]) -> Vec<Value> {
        let second = self.op.parameters[1].name;
        vec![self.input(a), self.tensor(second, b)]
    }

    fn pairs(&mut self) -> Vec<Vec<Value>> {
        PAIRS.iter().map(|[a, b]| self.both(a, b)).collect()
    }

    /// Input and target, and what comes before and behind the reduction.
    fn losses(&mut self, before: &[Value], behind: &[Value]) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        for reduction in ["none", "mean", "sum"] {
            for sizes in [&[2, 3][..], &[], &[0]] {
                rows.push([self.both(sizes, sizes), before.to_vec(), vec![text(reduction)], behind.to_vec()].concat());
            }
        }
        rows
    }
}
