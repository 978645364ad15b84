//! Products of vectors and of chains of matrices.
#![allow(non_snake_case)]

use super::*;
use crate::op;
use crate::ops::complex::conj;
use crate::value::Tensors;

op! {
    /// `matmul` under the name that it has in `rgrad.linalg`.
    fn linalg_matmul(input: Tensor, other: Tensor) -> Tensor, FUNCTION;
    value { matmul(input, other) }
    derivative composite;
}

op! {
    /// The sums of the products of the conjugates of `x` and the elements of `y` along `dim`; both broadcast.
    fn linalg_vecdot(x: Tensor, y: Tensor; dim: i64 = -1) -> Tensor, FUNCTION;
    value {
        if x.dtype() != y.dtype() || !x.dtype().is_differentiable() {
            bail!(
                Runtime,
                "linalg.vecdot: both operands have to have one floating point or complex dtype, got {} and {}",
                x.dtype(),
                y.dtype()
            );
        }
        reduction::sum(&times(&conj(x)?, y)?, Some(&[dim]), false, None)
    }
    derivative composite;
}

op! {
    /// The matrices whose columns are the powers 0 to `N - 1` of the elements of vectors; `N` is by default their length.
    fn linalg_vander(x: Tensor; N: Option<i64> = None) -> Tensor, FUNCTION NO_OUT;
    value {
        let sizes = x.sizes();
        let Some(&length) = sizes.last() else {
            bail!(Runtime, "linalg.vander: a vector or a batch of them is expected, got a tensor without dimensions");
        };
        if x.dtype() == DType::Bool {
            bail!(Runtime, "linalg.vander: bool has no powers");
        }
        let count = N.unwrap_or(length as i64);
        if count <= 1 {
            bail!(Runtime, "linalg.vander: N has to be larger than 1, it is {count}");
        }
        let dtype = if x.dtype().is_integral() { DType::Int64 } else { x.dtype() };
        let mut columns = vec![Tensor::full(&sizes, 1i64.into(), dtype)?];
        for k in 1..count as usize {
            columns.push(if k == 1 { to_dtype(x, dtype)? } else { times(&columns[k - 1], x)? });
        }
        crate::ops::joining::stack_tensors(&columns, -1)
    }
    derivative composite;
}

op! {
    /// The product of several matrices, in the order of least multiplications. The first and the last may be vectors.
    fn linalg_multi_dot(tensors: Tensors) -> Tensor, FUNCTION;
    value {
        let all: Vec<Tensor> = tensors.iter().flatten().cloned().collect();
        let (Some(first), Some(last)) = (all.first(), all.last()) else {
            bail!(Runtime, "linalg.multi_dot: at least two tensors are expected, got none");
        };
        if all.len() < 2 {
            bail!(Runtime, "linalg.multi_dot: at least two tensors are expected, got one");
        }
        let (row, column) = (first.ndim() == 1, last.ndim() == 1);
        let mut matrices = all.clone();
        if row {
            matrices[0] = views::unsqueeze(first, 0)?;
        }
        let end = matrices.len() - 1;
        if column {
            matrices[end] = views::unsqueeze(last, 1)?;
        }
        for pair in matrices.windows(2) {
            check_same("linalg.multi_dot", &pair[0], &pair[1])?;
            if pair[0].ndim() != 2 || pair[1].ndim() != 2 || pair[0].sizes()[1] != pair[1].sizes()[0] {
                bail!(
                    Runtime,
                    "linalg.multi_dot: matrices of sizes {} and {} do not fit",
                    shape::show(&pair[0].sizes()),
                    shape::show(&pair[1].sizes())
                );
            }
        }
        let mut extents: Vec<usize> = matrices.iter().map(|a| a.sizes()[0]).collect();
        extents.push(matrices[end].sizes()[1]);
        let product = chained(&matrices, &cheapest(&extents), 0, end)?;
        match (row, column) {
            (true, true) => views::reshape(&product, &[]),
            (true, false) => views::squeeze(&product, 0),
            (false, true) => views::squeeze(&product, 1),
            (false, false) => Ok(product),
        }
    }
    derivative composite;
}

/// For each range of factors, behind which of them to cut it in two.
fn cheapest(extents: &[usize]) -> Vec<Vec<usize>> {
    let n = extents.len() - 1;
    let (mut costs, mut cuts) = (vec![vec![0usize; n]; n], vec![vec![0; n]; n]);
    for length in 1..n {
        for i in 0..n - length {
            let j = i + length;
            let cost = |cut: usize| costs[i][cut] + costs[cut + 1][j] + extents[i] * extents[cut + 1] * extents[j + 1];
            let best = (i..j).min_by_key(|&cut| cost(cut)).unwrap_or(i);
            (cuts[i][j], costs[i][j]) = (best, cost(best));
        }
    }
    cuts
}

fn chained(matrices: &[Tensor], cuts: &[Vec<usize>], i: usize, j: usize) -> Result<Tensor> {
    if i == j {
        return Ok(matrices[i].clone());
    }
    let cut = cuts[i][j];
    crate::ops::matrix::mm(&chained(matrices, cuts, i, cut)?, &chained(matrices, cuts, cut + 1, j)?)
}
