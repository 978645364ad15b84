//! Arguments of the operations on shapes, order and places.

use rgrad::Scalar;
use rgrad::value::Value;

use super::Maker;
use super::values::{float, index, int, ints, mask, text, truth};

impl Maker {
    /// Rows for views, copies in another order, and parts.
    pub fn arrangement(&mut self) -> Option<Vec<Vec<Value>>> {
        let name = self.op.full_name();
        let rows = match name.as_str() {
            "flip" => vec![
                vec![self.input(&[2, 3]), ints(&[0])],
                vec![self.input(&[2, 3, 2]), ints(&[-1, 0])],
                vec![self.input(&[]), ints(&[])],
                vec![self.input(&[2, 0]), ints(&[0])],
            ],
            "roll" => vec![
                vec![self.input(&[4]), ints(&[1]), ints(&[0])],
                vec![self.input(&[2, 3]), ints(&[2])],
                vec![self.input(&[2, 3]), ints(&[1, -1]), ints(&[0, -1])],
            ],
            "rot90" => [1, 2, -1].map(|k| vec![self.input(&[2, 3]), int(k)]).into(),
            "fliplr" | "tril" | "triu" | "diagonal" | "diagonal_copy" | "trace" | "adjoint" => {
                vec![vec![self.input(&[3, 3])], vec![self.input(&[2, 3])], vec![self.input(&[3, 2])]]
            }
            "t.in_place" | "squeeze.all_in_place" => vec![vec![self.input(&[2, 1])]],
            "unsqueeze.in_place" | "squeeze.dim_in_place" => vec![vec![self.input(&[2, 1]), int(1)]],
            "squeeze.dims_in_place" => vec![vec![self.input(&[2, 1]), ints(&[1])]],
            "flipud" | "diag" | "diagflat" | "diag_embed" | "combinations" | "vander" => {
                let length = if name == "vander" { 2 } else { 3 };
                vec![vec![self.input(&[length])], vec![self.input(&[length])]]
            }
            "diagonal_backward" => vec![vec![self.input(&[2]), ints(&[3, 3]), int(1), int(0), int(1)]],
            "diagonal_scatter" => vec![
                vec![self.input(&[3, 3]), self.tensor("src", &[3])],
                vec![self.input(&[2, 3, 3]), self.tensor("src", &[2, 2]), int(1), int(1), int(2)],
            ],
            "fill_diagonal" => {
                vec![vec![self.input(&[3, 3]), float(1.5)], vec![self.input(&[5, 2]), float(0.5), truth(true)]]
            }
            "_block_diag" => vec![vec![self.list(&[&[2, 3][..], &[2]]), ints(&[2, 1]), ints(&[3, 2])]],
            "repeat" | "tile" => vec![
                vec![self.input(&[2, 3]), ints(&[2, 1])],
                vec![self.input(&[3]), ints(&[2, 2])],
                vec![self.input(&[]), ints(&[2])],
            ],
            "repeat_interleave.self_int" => {
                vec![vec![self.input(&[2, 3]), int(2), int(1)], vec![self.input(&[2, 3]), int(2)]]
            }
            "repeat_interleave.self_Tensor" => vec![vec![self.input(&[2, 3]), index(&[1, 2], &[2]), int(0)]],
            "repeat_interleave.Tensor" => vec![vec![index(&[1, 2], &[2])]],
            "unfold" => vec![
                vec![self.input(&[5]), int(0), int(2), int(1)],
                vec![self.input(&[2, 5]), int(-1), int(2), int(2)],
                vec![self.input(&[]), int(0), int(1), int(1)],
            ],
            "unfold_backward" => vec![vec![self.input(&[2, 3]), ints(&[4]), int(0), int(3), int(1)]],
            "view.dtype" => vec![vec![self.input(&[2, 2]), Value::DType(rgrad::DType::Int64)]],
            "unflatten" => {
                vec![vec![self.input(&[2, 6]), int(1), ints(&[2, -1])], vec![self.input(&[4]), int(0), ints(&[2, 2])]]
            }
            "moveaxis" => vec![vec![self.input(&[2, 3]), ints(&[0]), ints(&[1])]],
            "moveaxis.int" | "swapaxes" | "swapdims" | "transpose.in_place" | "swapaxes.in_place"
            | "swapdims.in_place" => {
                vec![vec![self.input(&[2, 3]), int(0), int(1)], vec![self.input(&[2, 3, 2]), int(-1), int(0)]]
            }
            "view_as" | "reshape_as" => vec![vec![self.input(&[2, 3]), self.tensor("other", &[3, 2])]],
            "select_scatter" => vec![vec![self.input(&[2, 3]), self.tensor("src", &[3]), int(0), int(1)]],
            "slice_scatter" => {
                vec![vec![self.input(&[4, 2]), self.tensor("src", &[2, 2]), int(0), int(1), int(3), int(1)]]
            }
            "as_strided_scatter" => {
                vec![vec![self.input(&[3, 3]), self.tensor("src", &[2, 2]), ints(&[2, 2]), ints(&[3, 1])]]
            }
            "tensor_split.tensor_indices_or_sections" => vec![vec![self.input(&[5]), index(&[1, 3], &[2])]],
            "tensor_split.sections" | "tensor_split.named_sections" | "unsafe_split" | "unsafe_chunk" => {
                vec![vec![self.input(&[5, 2]), int(2)], vec![self.input(&[2, 5]), int(3), int(1)]]
            }
            "tensor_split.indices" => vec![vec![self.input(&[5, 2]), ints(&[1, 3])]],
            "unsafe_split_with_sizes" => vec![vec![self.input(&[5, 2]), ints(&[1, 4])]],
            "hsplit" | "vsplit" | "dsplit" => vec![vec![self.input(&[2, 2, 2]), int(2)]],
            "hsplit.array" | "vsplit.array" | "dsplit.array" => vec![vec![self.input(&[3, 3, 3]), ints(&[1, 2])]],
            "narrow_copy" => vec![vec![self.input(&[4, 3]), int(0), int(1), int(2)]],
            "block_diag"
            | "hstack"
            | "vstack"
            | "row_stack"
            | "dstack"
            | "column_stack"
            | "concat"
            | "concatenate"
            | "broadcast_tensors"
            | "atleast_1d.Sequence"
            | "atleast_2d.Sequence"
            | "atleast_3d.Sequence" => {
                vec![vec![self.list(&[&[2, 3], &[2, 3]])], vec![self.list(&[&[2], &[2]])]]
            }
            "meshgrid" | "cartesian_prod" => vec![vec![self.list(&[&[2], &[3]])]],
            "chain_matmul" => vec![vec![self.list(&[&[2, 3], &[3, 2], &[2, 2]])]],
            "einsum" => vec![
                vec![text("ij,jk->ik"), self.list(&[&[2, 3], &[3, 2]])],
                vec![text("ii"), self.list(&[&[3, 3]])],
                vec![text("...i,...i->..."), self.list(&[&[2, 3][..], &[3]])],
            ],
            _ => return self.choices(&name).or_else(|| self.products(&name)),
        };
        Some(rows)
    }

    /// Rows for what is sorted, searched or put at places.
    fn choices(&mut self, name: &str) -> Option<Vec<Vec<Value>>> {
        let places = || index(&[0, 2, 1, 1], &[2, 2]);
        let rows = match name {
            "sort" | "argsort" | "cumsum" | "_sums_from_the_end" | "cumprod" | "cummax" | "cummin" | "logcumsumexp"
            | "cumsum.in_place" | "cumprod.in_place" | "mode" | "median.dim" | "nanmedian.dim" => vec![
                vec![self.input(&[4]), int(0)],
                vec![self.input(&[2, 3]), int(-1)],
                vec![self.input(&[3, 2]), int(0)],
                vec![self.input(&[]), int(0)],
            ],
            "sort.stable" | "argsort.stable" => {
                vec![vec![self.input(&[4]), truth(true)], vec![self.input(&[2, 3]), truth(true), int(0), truth(true)]]
            }
            "topk" | "kthvalue" => vec![vec![self.input(&[5]), int(2)], vec![self.input(&[3, 2]), int(2), int(0)]],
            "quantile" | "nanquantile" => vec![
                vec![self.input(&[5]), index_of(&[0.25, 0.5])],
                vec![self.input(&[2, 4]), index_of(&[0.3]), int(1)],
            ],
            "quantile.scalar" | "nanquantile.scalar" => {
                vec![vec![self.input(&[5]), float(0.3)], vec![self.input(&[2, 4]), float(0.3), int(1), truth(true)]]
            }
            "searchsorted" => vec![vec![index_of(&[0.0, 0.5, 1.0]), self.input(&[2, 3])]],
            "bucketize" => vec![vec![self.input(&[2, 3]), index_of(&[0.0, 0.5, 1.0])]],
            "isin" | "isin.Tensor_Scalar" | "isin.Scalar_Tensor" => {
                vec![vec![index_of(&[0.0, 0.5, 1.0]), index_of(&[0.5])]]
            }
            "unique_dim" => vec![vec![index_of(&[2.0, 0.5, 2.0]), int(0)]],
            "_unique_elements" | "_unique_consecutive" => vec![vec![index_of(&[2.0, 0.5, 2.0])]],
            "index_copy" => vec![
                vec![self.input(&[3, 2]), int(0), index(&[0, 2], &[2]), self.tensor("source", &[2, 2])],
                vec![self.input(&[3]), int(0), index(&[1], &[]), self.tensor("source", &[])],
            ],
            "index_fill" => vec![
                vec![self.input(&[3, 2]), int(0), index(&[0, 2], &[2]), float(1.5)],
                vec![self.input(&[3]), int(0), index(&[1, -1], &[2]), self.tensor("value", &[])],
            ],
            "index_reduce" | "scatter_reduce" => ["prod", "mean", "amax", "amin"]
                .iter()
                .map(|way| {
                    let places = if name == "index_reduce" { index(&[0, 2], &[2]) } else { places() };
                    vec![self.input(&[3, 2]), int(0), places, self.tensor("src", &[2, 2]), text(way)]
                })
                .collect(),
            "scatter.reduce" => vec![vec![self.input(&[3, 2]), int(0), places(), self.input(&[2, 2]), text("add")]],
            "scatter.value_reduce" => vec![vec![self.input(&[3, 2]), int(0), places(), float(1.5), text("multiply")]],
            "masked_scatter" => vec![
                vec![self.input(&[2, 2]), mask(&[false, true, true, false], &[2, 2]), self.tensor("source", &[2])],
                vec![self.input(&[3, 2]), mask(&[true, false], &[2]), self.tensor("source", &[4])],
                vec![self.input(&[]), mask(&[true], &[]), self.tensor("source", &[1])],
            ],
            "take" => vec![vec![self.input(&[3, 2]), index(&[0, 5, -2], &[3])]],
            "put" => vec![
                vec![self.input(&[3, 2]), index(&[0, 5], &[2]), self.tensor("source", &[2])],
                vec![self.input(&[3]), index(&[1, 1], &[2]), self.tensor("source", &[2]), truth(true)],
            ],
            "take_along_dim" => vec![
                vec![self.input(&[3, 2]), index(&[0, 1], &[1, 2]), int(0)],
                vec![self.input(&[3]), index(&[0, 2], &[2])],
            ],
            "nonzero_static" => vec![vec![index(&[0, 5], &[2]), int(3)]],
            "unravel_index" => vec![vec![index(&[0, 5], &[2]), ints(&[2, 3])]],
            "where.condition" | "_nonzero_columns" | "argwhere" => vec![vec![mask(&[true, false], &[2])]],
            "where.method" => vec![vec![self.input(&[2]), mask(&[true, false], &[2]), self.tensor("other", &[2])]],
            "bincount" => vec![vec![index(&[0, 3, 1], &[3])]],
            "clip" => vec![vec![self.input(&[2, 3]), float(-0.5), float(0.5)]],
            _ => return None,
        };
        Some(rows)
    }

    /// Rows for products, norms and integrals.
    fn products(&mut self, name: &str) -> Option<Vec<Vec<Value>>> {
        let number = |value: i64| Value::Scalar(Scalar::Int(value));
        let rows = match name {
            "baddbmm" => vec![vec![self.input(&[2, 2, 2]), self.input(&[2, 2, 3]), self.input(&[2, 3, 2])]],
            "addbmm" => vec![vec![self.input(&[2, 2]), self.input(&[2, 2, 3]), self.input(&[2, 3, 2])]],
            "addmv" => vec![vec![self.input(&[2]), self.input(&[2, 3]), self.input(&[3])]],
            "addr" => vec![vec![self.input(&[2, 3]), self.input(&[2]), self.input(&[3])]],
            "linalg_cross" => vec![vec![self.input(&[2, 3]), self.input(&[1, 3])]],
            "cross" => vec![vec![self.input(&[3, 2]), self.input(&[3, 2])]],
            "inner" | "kron" => {
                vec![vec![self.input(&[2, 3]), self.input(&[2, 3])], vec![self.input(&[3]), self.input(&[3])]]
            }
            "_tensordot" => vec![vec![self.input(&[2, 3]), self.input(&[3, 2]), ints(&[1]), ints(&[0])]],
            "vdot" | "ger" => vec![vec![self.input(&[3]), self.input(&[3])]],
            "norm.named" => vec![vec![self.input(&[2, 3])]],
            "norm" | "linalg_vector_norm" => {
                [0.5, 1.0, 1.5, 2.0, 3.0].map(|p| vec![self.input(&[2, 3]), float(p), ints(&[1])]).into()
            }
            "dist" => [1.0, 2.0, 3.0].map(|p| vec![self.input(&[2, 3]), self.input(&[3]), float(p)]).into(),
            "renorm" => vec![vec![self.input(&[2, 3]), number(2), int(0), float(0.5)]],
            "cov" | "corrcoef" => vec![vec![self.input(&[2, 4])]],
            "diff" => vec![vec![self.input(&[4])], vec![self.input(&[2, 4]), int(2), int(1)]],
            "trapezoid.x" | "trapz.x" | "cumulative_trapezoid.x" => vec![vec![self.input(&[2, 3]), self.input(&[3])]],
            "trapezoid.dx" | "trapz.dx" | "cumulative_trapezoid.dx" => vec![vec![self.input(&[2, 3])]],
            "_times" => vec![vec![self.input(&[2, 3]), float(1.5)]],
            "aminmax" => vec![vec![self.input(&[2, 3])], vec![self.input(&[2, 3]), int(1)]],
            "var_mean.all" | "std_mean.all" => vec![vec![self.input(&[2, 3])]],
            "histc" => vec![vec![self.input(&[5]), int(3)]],
            _ => return None,
        };
        Some(rows)
    }
}

/// A constant vector.
fn index_of(values: &[f64]) -> Value {
    Value::Tensor(rgrad::Tensor::from_slice(values, &[values.len()]).unwrap())
}
