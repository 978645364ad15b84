//! Further products: sums of matrix products, products over any dimensions, cross products.

// The parameter `N` of `vander`.
#![allow(non_snake_case)]

use crate::DType;
use crate::error::Result;
use crate::ops::arithmetic::{add_tensors, mul_tensors, sub};
use crate::ops::complex::conj;
use crate::ops::matrix::{bmm, check_same_dtype, mm, mv, outer, scale};
use crate::ops::reduction::sum;
use crate::ops::views::{self, ints};
use crate::scalar::Scalar;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::Tensors;
use crate::{bail, op};

/// `beta * input + alpha * product`; where `beta` is 0, `input` does not matter at all.
fn added(name: &str, input: &Tensor, product: &Tensor, beta: Scalar, alpha: Scalar) -> Result<Tensor> {
    check_same_dtype(name, input, product)?;
    let sizes = product.sizes();
    if shape::broadcast_strides(&input.sizes(), &input.strides(), &sizes).is_none() {
        bail!(
            Runtime,
            "{name}: a tensor of size {} does not broadcast to the product's size {}",
            shape::show(&input.sizes()),
            shape::show(&sizes)
        );
    }
    let whole = |number: Scalar| match product.dtype().is_integral() {
        true => Scalar::Int(number.to_i64()),
        false => number,
    };
    let scaled = scale(product, whole(alpha))?;
    if beta.is_zero() { Ok(scaled) } else { add_tensors(&scaled, &scale(input, whole(beta))?) }
}

op! {
    /// `beta * input + alpha * (batch1 @ batch2)` for batches of matrices; `input` broadcasts.
    fn baddbmm(
        input: Tensor, batch1: Tensor, batch2: Tensor;
        beta: Scalar = crate::scalar::Scalar::Int(1), alpha: Scalar = crate::scalar::Scalar::Int(1)
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        // The sizes of the product are looked at first.
        for (batch, dim) in [(batch1, 0), (batch1, 1), (batch2, 2)] {
            batch.size(dim)?;
        }
        added("baddbmm", &input.detach(), &bmm(&batch1.detach(), &batch2.detach())?, beta, alpha)
    }
    derivative "BaddbmmBackward0" ByVjp {
        input(g, beta) => scale(g, beta.conj());
        batch1(g, batch2, alpha) => scale(&bmm(g, &views::transpose(&conj(batch2)?, 1, 2)?)?, alpha.conj());
        batch2(g, batch1, alpha) => scale(&bmm(&views::transpose(&conj(batch1)?, 1, 2)?, g)?, alpha.conj());
    }
}

op! {
    /// `beta * input + alpha * sum(batch1 @ batch2)`, the sum over the batch; `input` broadcasts.
    fn addbmm(
        input: Tensor, batch1: Tensor, batch2: Tensor;
        beta: Scalar = crate::scalar::Scalar::Int(1), alpha: Scalar = crate::scalar::Scalar::Int(1)
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        for (batch, dim) in [(batch1, 1), (batch2, 2)] {
            batch.size(dim)?;
        }
        let products = bmm(&batch1.detach(), &batch2.detach()).map_err(|error| error.context("addbmm"))?;
        let total = sum(&products, Some(&[0]), false, Some(products.dtype()))?;
        added("addbmm", &input.detach(), &total, beta, alpha)
    }
    derivative "AddbmmBackward0" ByVjp {
        input(g, beta) => scale(g, beta.conj());
        batch1(g, batch2, alpha) => {
            scale(&bmm(&every_example(g, batch2)?, &views::transpose(&conj(batch2)?, 1, 2)?)?, alpha.conj())
        };
        batch2(g, batch1, alpha) => {
            scale(&bmm(&views::transpose(&conj(batch1)?, 1, 2)?, &every_example(g, batch1)?)?, alpha.conj())
        };
    }
}

/// One matrix for each of a batch.
fn every_example(matrix: &Tensor, batch: &Tensor) -> Result<Tensor> {
    let sizes = matrix.sizes();
    views::expand(matrix, &[batch.sizes()[0] as i64, sizes[0] as i64, sizes[1] as i64])
}

op! {
    /// `beta * input + alpha * (mat @ vec)`; `input` broadcasts.
    fn addmv(
        input: Tensor, mat: Tensor, vec: Tensor;
        beta: Scalar = crate::scalar::Scalar::Int(1), alpha: Scalar = crate::scalar::Scalar::Int(1)
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        let product = mv(&mat.detach(), &vec.detach()).map_err(|error| error.context("addmv"))?;
        added("addmv", &input.detach(), &product, beta, alpha)
    }
    derivative "AddmvBackward0" ByVjp {
        input(g, beta) => scale(g, beta.conj());
        mat(g, vec, alpha) => scale(&outer(g, &conj(vec)?)?, alpha.conj());
        vec(g, mat, alpha) => scale(&mv(&views::t(&conj(mat)?)?, g)?, alpha.conj());
    }
}

op! {
    /// `beta * input + alpha * outer(vec1, vec2)`; `input` broadcasts.
    fn addr(
        input: Tensor, vec1: Tensor, vec2: Tensor;
        beta: Scalar = crate::scalar::Scalar::Int(1), alpha: Scalar = crate::scalar::Scalar::Int(1)
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        let product = outer(&vec1.detach(), &vec2.detach()).map_err(|error| error.context("addr"))?;
        if product.dtype().is_integral() && [beta, alpha].iter().any(|number| matches!(number, Scalar::Float(_))) {
            bail!(Runtime, "addr: beta and alpha have to be integers for {} tensors", product.dtype());
        }
        let common = product.dtype().promote(input.dtype());
        let sum = added("addr", &input.detach().cast(common)?, &product.cast(common)?, beta, alpha)?;
        if input.sizes() != sum.sizes() {
            return Ok(sum);
        }
        let alike = input.empty_alike(common)?;
        crate::kernels::copy::copy(&alike.data(), &sum.data());
        Ok(alike)
    }
    derivative "AddrBackward0" ByVjp {
        input(g, beta) => scale(g, beta.conj());
        vec1(g, vec2, alpha) => scale(&mv(g, &conj(vec2)?)?, alpha.conj());
        vec2(g, vec1, alpha) => scale(&mv(&views::t(g)?, &conj(vec1)?)?, alpha.conj());
    }
}

op! {
    /// The product of matrices, in the order that takes the fewest multiplications.
    fn chain_matmul(matrices: Tensors) -> Tensor, FUNCTION VARIADIC;
    value {
        let matrices: Vec<Tensor> = matrices.iter().flatten().cloned().collect();
        if let Some(wrong) = matrices.iter().find(|matrix| matrix.ndim() != 2) {
            bail!(Runtime, "chain_matmul: matrices are expected, got a tensor of size {}", shape::show(&wrong.sizes()));
        }
        match &matrices[..] {
            [] => bail!(Runtime, "chain_matmul: at least one matrix is needed"),
            [only] => Ok(only.clone()),
            several => {
                let product = chained(several, &best_cuts(several))?;
                views::view(&product, &ints(&product.sizes()))
            }
        }
    }
    derivative composite;
}

/// Where to cut each run of matrices into two whose products are multiplied last: `cuts[i][j]` for the run from `i` to
/// `j`, found by dynamic programming over the lengths of runs.
fn best_cuts(matrices: &[Tensor]) -> Vec<Vec<usize>> {
    let n = matrices.len();
    let mut side: Vec<f64> = matrices.iter().map(|matrix| matrix.sizes()[0] as f64).collect();
    side.push(matrices[n - 1].sizes()[1] as f64);
    let mut cost = vec![vec![0.0; n]; n];
    let mut cuts = vec![vec![0; n]; n];
    for length in 1..n {
        for i in 0..n - length {
            let j = i + length;
            cost[i][j] = f64::INFINITY;
            for cut in i..j {
                let total = cost[i][cut] + cost[cut + 1][j] + side[i] * side[cut + 1] * side[j + 1];
                if total < cost[i][j] {
                    (cost[i][j], cuts[i][j]) = (total, cut);
                }
            }
        }
    }
    cuts
}

fn chained(matrices: &[Tensor], cuts: &[Vec<usize>]) -> Result<Tensor> {
    fn run(matrices: &[Tensor], cuts: &[Vec<usize>], i: usize, j: usize) -> Result<Tensor> {
        if i == j {
            return Ok(matrices[i].clone());
        }
        let cut = cuts[i][j];
        mm(&run(matrices, cuts, i, cut)?, &run(matrices, cuts, cut + 1, j)?)
    }
    run(matrices, cuts, 0, matrices.len() - 1)
}

op! {
    /// The cross product of vectors of three elements along `dim`; both operands broadcast.
    fn linalg_cross as "linalg_cross" (input: Tensor, other: Tensor; dim: i64 = -1) -> Tensor;
    value {
        if input.ndim() != other.ndim() {
            bail!(Runtime, "cross: both tensors have to have as many dimensions, got {} and {}", input.ndim(), other.ndim());
        }
        if input.size(dim)? != 3 || other.size(dim)? != 3 {
            bail!(
                Runtime,
                "cross: dimension {dim} has to have size 3, the tensors have sizes {} and {}",
                shape::show(&input.sizes()),
                shape::show(&other.sizes())
            );
        }
        if input.dtype() == DType::Bool {
            bail!(NotImplemented, "cross: not implemented for bool");
        }
        check_same_dtype("cross", input, other)?;
        let turned = |tensor: &Tensor, by: i64| crate::ops::rearrangement::roll(&tensor.detach(), &[-by], &[dim]);
        let first = mul_tensors(&turned(input, 1)?, &turned(other, 2)?)?;
        let second = mul_tensors(&turned(input, 2)?, &turned(other, 1)?)?;
        sub((&first).into(), (&second).into())
    }
    derivative "LinalgCrossBackward0" Multilinear {
        input(g, other, dim) => linalg_cross(&conj(other)?, g, dim);
        other(g, input, dim) => linalg_cross(g, &conj(input)?, dim);
    }
}

op! {
    /// The cross product of vectors of three elements along `dim`, by default the first dimension of size 3.
    fn cross(input: Tensor, other: Tensor, dim: Option<i64> = None) -> Tensor, FUNCTION METHOD;
    value {
        let dim = match dim {
            Some(dim) => dim,
            None => match input.sizes().iter().position(|&size| size == 3) {
                Some(d) => d as i64,
                None => bail!(Runtime, "cross: no dimension of size {} has three elements", shape::show(&input.sizes())),
            },
        };
        linalg_cross(input, other, dim)
    }
    derivative composite;
}

op! {
    /// The sums of products along the last dimensions of both tensors; numbers multiply.
    fn inner(input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        if input.ndim() == 0 || other.ndim() == 0 {
            return mul_tensors(input, other);
        }
        if input.size(-1)? != other.size(-1)? {
            bail!(
                Runtime,
                "inner: the last sizes have to agree, the tensors have sizes {} and {}",
                shape::show(&input.sizes()),
                shape::show(&other.sizes())
            );
        }
        tensordot(input, other, &[-1], &[-1])
    }
    derivative composite;
}

op! {
    /// The Kronecker product: each element of `input` times all of `other`.
    fn kron(input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        let ndim = input.ndim().max(other.ndim());
        let (mut left, mut right, mut sizes) = (Ints::new(), Ints::new(), Ints::new());
        let padded = |tensor: &Tensor| -> Ints {
            std::iter::repeat_n(1, ndim - tensor.ndim()).chain(ints(&tensor.sizes()).iter().copied()).collect()
        };
        for (&a, &b) in padded(input).iter().zip(padded(other).iter()) {
            left.extend([a, 1]);
            right.extend([1, b]);
            sizes.push(a * b);
        }
        let product = mul_tensors(&views::reshape(input, &left)?, &views::reshape(other, &right)?)?;
        let fits = shape::view_strides(&product.sizes(), &product.strides(), &shape::checked_sizes(&sizes)?).is_some();
        views::unsafe_view(&if fits { product } else { crate::ops::conversion::contiguous(&product)? }, &sizes)
    }
    derivative composite;
}

op! {
    /// The sums of products over the dimensions `dims_self` of one tensor and `dims_other` of the other.
    fn tensordot as "_tensordot" (input: Tensor, other: Tensor, dims_self: Ints, dims_other: Ints) -> Tensor, FUNCTION;
    value {
        if dims_self.len() != dims_other.len() {
            bail!(Runtime, "tensordot: {} dimensions of one tensor for {} of the other", dims_self.len(), dims_other.len());
        }
        check_same_dtype("tensordot", input, other)?;
        let (mut left, mut right) = (input.clone(), other.clone());
        let wrapped = |dims: &[i64], ndim: usize| -> Result<Ints> {
            let chosen = shape::wrap_dims(Some(dims), ndim)?;
            if dims.is_empty() || ndim == 0 {
                return Ok(Ints::new());
            }
            debug_assert!(chosen.len() == ndim);
            dims.iter().map(|&dim| Ok(wrap_dim(dim, ndim)? as i64)).collect()
        };
        let (over_left, over_right) = (wrapped(dims_self, left.ndim())?, wrapped(dims_other, right.ndim())?);
        for (&a, &b) in over_left.iter().zip(over_right.iter()) {
            let (m, n) = (left.sizes()[a as usize], right.sizes()[b as usize]);
            // A size of 1 stands for all.
            if m == 1 && n != 1 {
                right = sum(&right, Some(&[b]), true, None)?;
            } else if n == 1 && m != 1 {
                left = sum(&left, Some(&[a]), true, None)?;
            } else if m != n {
                bail!(Runtime, "tensordot: dimension {a} of size {m} meets dimension {b} of size {n}");
            }
        }
        let free = |tensor: &Tensor, over: &[i64]| -> Ints { (0..tensor.ndim() as i64).filter(|d| !over.contains(d)).collect() };
        let (rows, columns) = (free(&left, &over_left), free(&right, &over_right));
        let sizes = |tensor: &Tensor, dims: &[i64]| -> Ints { dims.iter().map(|&d| tensor.sizes()[d as usize] as i64).collect() };
        let (row_sizes, column_sizes) = (sizes(&left, &rows), sizes(&right, &columns));
        let count = |sizes: &[i64]| sizes.iter().product::<i64>();
        let inner = count(&sizes(&left, &over_left));
        let order = |first: &[i64], second: &[i64]| -> Ints { first.iter().chain(second).copied().collect() };
        let left = views::reshape(&views::permute(&left, &order(&rows, &over_left))?, &[count(&row_sizes), inner])?;
        let right = views::reshape(&views::permute(&right, &order(&over_right, &columns))?, &[inner, count(&column_sizes)])?;
        views::view(&mm(&left, &right)?, &order(&row_sizes, &column_sizes))
    }
    derivative composite;
}

op! {
    /// `outer` under another name.
    fn ger(input: Tensor, vec2: Tensor) -> Tensor, FUNCTION METHOD;
    value { outer(input, vec2) }
    derivative composite;
}

op! {
    /// A matrix with powers of a vector's elements in its rows, falling from `N - 1`, or rising from 0.
    fn vander(x: Tensor, N: Option<i64> = None, increasing: bool = false) -> Tensor, FUNCTION NO_OUT;
    value {
        if x.ndim() != 1 {
            bail!(Runtime, "vander: a vector is expected, its size is {}", shape::show(&x.sizes()));
        }
        let columns = N.unwrap_or(x.numel() as i64);
        if columns < 0 {
            bail!(Runtime, "vander: N must not be negative, got {columns}");
        }
        let kind = if x.dtype().is_integral() { DType::Int64 } else { x.dtype() };
        let ones = Tensor::full(&[x.numel(), columns.min(1) as usize], Scalar::Int(1), kind)?;
        let powers = if columns > 1 {
            let same = views::expand(&views::unsqueeze(x, 1)?, &[x.numel() as i64, columns - 1])?;
            crate::ops::joining::cat_tensors(&[ones, crate::ops::cumulative::cumprod(&same, 1, None)?], 1)?
        } else {
            ones
        };
        if increasing { Ok(powers) } else { crate::ops::rearrangement::flip(&powers, &[1]) }
    }
    derivative composite;
}
