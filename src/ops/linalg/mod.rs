//! Linear algebra: decompositions, equations, functions of matrices, and their derivatives.
//!
//! Every operation takes batches of matrices. The values come from `kernels/linalg`; a derivative is written in
//! differentiable operations, from which second derivatives and forward mode follow. `h(x)` is the adjoint: transposed
//! and conjugated.
//!
//! # Note: Sources of the derivatives
//! M. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
//! differentiation" (2008): inverses, determinants, eigenvalues, singular values. S. Walter and L. Lehmann, "Algorithmic
//! differentiation of linear algebra functions" (2012): QR. C. Ionescu, O. Vantzos, C. Sminchisescu, "Matrix
//! backpropagation for deep networks" (2015): singular vectors. M. Seeger, A. Hetzel, Z. Dai, N. Lawrence,
//! "Auto-differentiating linear algebra" (2017): LQ and symmetric eigenvectors. I. Murray, "Differentiation of the
//! Cholesky decomposition" (2016). G. Golub and V. Pereyra, "The differentiation of pseudo-inverses" (1973).

pub mod cholesky;
pub mod determinant;
pub mod eigen;
pub mod functions;
pub mod indefinite;
pub mod inverse;
pub mod lu;
pub mod norms;
pub mod products;
pub mod pseudo;
pub mod qr;
pub mod singular;
pub mod triangular;

use crate::DType;
use crate::autograd::batch::{Batched, one_by_one};
use crate::autograd::record;
use crate::bail;
use crate::error::Result;
use crate::kernels::linalg::{Matrix, Number};
use crate::ops::selection::choose;
use crate::ops::views::adjoint;
use crate::ops::{arithmetic, conversion, diagonal, reduction, views};
use crate::scalar::Scalar;
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::value::Outputs;

pub(crate) use crate::ops::arithmetic::{add_tensors as add, mul_tensors as times};
pub(crate) use crate::ops::diagonal::{tril as lower, triu as upper};
pub(crate) use crate::ops::matrix::{check_same_dtype as check_same, matmul};
pub(crate) use crate::ops::views::ints;

/// Runs a block with `T` standing for the number type that a matrix of the given element type is computed in.
macro_rules! in_double {
    ($dtype:expr, $T:ident => $body:expr) => {
        if $dtype.is_complex() {
            type $T = $crate::dtype::Complex128;
            $body
        } else {
            type $T = f64;
            $body
        }
    };
}
pub(crate) use in_double;

pub(crate) fn minus(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    arithmetic::sub(a.into(), b.into())
}

pub(crate) fn over(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    arithmetic::div(a.into(), b.into())
}

pub(crate) fn scaled(a: &Tensor, factor: f64) -> Result<Tensor> {
    arithmetic::mul(a.into(), factor.into())
}

pub(crate) fn h(a: &Tensor) -> Result<Tensor> {
    adjoint(a)
}

pub(crate) fn product3(a: &Tensor, b: &Tensor, c: &Tensor) -> Result<Tensor> {
    matmul(&matmul(a, b)?, c)
}

/// A row-major matrix of truths about row and column.
fn mask(rows: usize, columns: usize, holds: impl Fn(i64, i64) -> bool) -> Result<Tensor> {
    let values: Vec<bool> =
        (0..rows).flat_map(|i| (0..columns).map(move |j| (i as i64, j as i64))).map(|(i, j)| holds(i, j)).collect();
    Tensor::from_slice(&values, &[rows, columns])
}

/// Each matrix with zeros where `holds` does not.
fn where_place(a: &Tensor, holds: impl Fn(i64, i64) -> bool) -> Result<Tensor> {
    let (rows, columns) = extent(a);
    // Beside a number that is no bool, bools would become integers.
    let zero = if a.dtype() == DType::Bool { Scalar::from(false) } else { Scalar::Int(0) };
    choose(&mask(rows, columns, holds)?, a.into(), zero.into())
}

/// Matrices whose columns are multiplied by the elements of vectors.
pub(crate) fn columns_times(a: &Tensor, v: &Tensor) -> Result<Tensor> {
    times(a, &views::unsqueeze(v, -2)?)
}

/// The diagonals of square matrices, as vectors.
pub(crate) fn diagonal_of(a: &Tensor) -> Result<Tensor> {
    diagonal::diagonal(a, 0, -2, -1)
}

/// Matrices with the vectors as their diagonals.
pub(crate) fn on_diagonal(v: &Tensor) -> Result<Tensor> {
    diagonal::diag_embed(v, 0, -2, -1)
}

/// Ones on the diagonal: one matrix, of the type of another tensor.
pub(crate) fn identity(n: usize, dtype: DType) -> Result<Tensor> {
    crate::ops::creation::eye(n, n, dtype)
}

/// Rows and columns of the matrices.
pub(crate) fn extent(a: &Tensor) -> (usize, usize) {
    let sizes = a.sizes();
    let n = sizes.len();
    if n < 2 { (1, 1) } else { (sizes[n - 2], sizes[n - 1]) }
}

/// The sizes before those of the matrices.
pub(crate) fn batch_of(a: &Tensor) -> Dims {
    let sizes = a.sizes();
    Dims::from_slice(&sizes[..sizes.len().saturating_sub(2)])
}

pub(crate) fn narrow(a: &Tensor, dim: i64, start: usize, length: usize) -> Result<Tensor> {
    views::narrow(a, dim, start as i64, length as i64)
}

/// Refuses what is no batch of matrices.
pub(crate) fn check_matrices(name: &str, a: &Tensor) -> Result<()> {
    if a.ndim() < 2 {
        bail!(
            Runtime,
            "{name}: a batch of matrices is expected, a tensor of at least two dimensions; got size {}",
            shape::show(&a.sizes())
        );
    }
    Ok(())
}

/// A call on the matrices of all examples, which lie before the dimensions of the matrix.
pub(crate) fn each_matrix(batch: &Batched) -> Result<Outputs> {
    // An example that is no matrix is refused when it is seen alone.
    if batch.tensor(0)?.ndim() < 3 { one_by_one(batch) } else { record::call(batch.op, &batch.values) }
}

/// Refuses what is no batch of square matrices.
pub(crate) fn check_square(name: &str, a: &Tensor) -> Result<()> {
    check_matrices(name, a)?;
    let (rows, columns) = extent(a);
    if rows != columns {
        bail!(Runtime, "{name}: square matrices are expected, got {rows} rows and {columns} columns");
    }
    Ok(())
}

/// Which element types an operation of PyTorch refuses by a check, with RuntimeError; others it has no kernel for, and
/// raises NotImplementedError.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    All,
    Integers,
    Nothing,
}

/// Refuses element types that are not computed in.
pub(crate) fn check_field(name: &str, a: &Tensor, checked: Checked) -> Result<()> {
    let dtype = a.dtype();
    if matches!(dtype, DType::Float32 | DType::Float64 | DType::Complex64 | DType::Complex128) {
        return Ok(());
    }
    let by_check = checked == Checked::All || checked == Checked::Integers && dtype.is_integral();
    if by_check {
        bail!(Runtime, "{name}: float32, float64 or complex elements are expected, got {dtype}");
    }
    bail!(NotImplemented, "{name}: not implemented for {dtype}; float32, float64 or complex elements are expected")
}

/// The matrices of a batch, one after another.
pub(crate) fn unpack<T: Number>(a: &Tensor) -> Result<Vec<Matrix<T>>> {
    let (rows, columns) = extent(a);
    let count: usize = batch_of(a).iter().product();
    let values: Vec<T> = a.detach().to_vec()?;
    let size = rows * columns;
    Ok((0..count).map(|i| Matrix { rows, columns, values: values[i * size..(i + 1) * size].to_vec() }).collect())
}

/// A batch of matrices of one size, whose columns lie one after another in memory.
pub(crate) fn pack<T: Number>(
    matrices: &[Matrix<T>],
    batch: &[usize],
    (rows, columns): (usize, usize),
    dtype: DType,
) -> Result<Tensor> {
    let mut values: Vec<T> = Vec::with_capacity(matrices.len() * rows * columns);
    for matrix in matrices {
        values.extend_from_slice(&matrix.transpose().values);
    }
    let mut sizes = Dims::from_slice(batch);
    sizes.extend([columns, rows]);
    let across = Tensor::from_slice(&values, &sizes)?.cast(dtype)?;
    let (mut sizes, mut strides, n) = (across.sizes(), across.strides(), batch.len());
    sizes.swap(n, n + 1);
    strides.swap(n, n + 1);
    Ok(across.alias(sizes, strides, 0))
}

/// A batch of vectors of one length.
pub(crate) fn pack_vectors<T: crate::dtype::Element>(
    values: &[T],
    batch: &[usize],
    length: usize,
    dtype: DType,
) -> Result<Tensor> {
    let mut sizes = Dims::from_slice(batch);
    sizes.push(length);
    Tensor::from_slice(values, &sizes)?.cast(dtype)
}

/// The same matrices, with columns that lie one after another in memory.
pub(crate) fn column_major(a: &Tensor) -> Result<Tensor> {
    views::transpose(&conversion::contiguous(&views::transpose(a, -2, -1)?)?, -2, -1)
}

/// One number for each matrix of a batch.
pub(crate) fn pack_numbers<T: crate::dtype::Element>(values: &[T], batch: &[usize], dtype: DType) -> Result<Tensor> {
    Tensor::from_slice(values, batch)?.cast(dtype)
}

/// Refuses failed factorizations: the first that is not 0 in `info`.
pub(crate) fn check_info(name: &str, info: &Tensor, meaning: &str) -> Result<()> {
    // Of all examples at once, inside vmap.
    let failed = info.physical().to_vec::<i32>()?;
    let Some(item) = failed.iter().position(|&code| code != 0) else { return Ok(()) };
    let which = if info.ndim() > 0 { format!(" of batch element {item}") } else { String::new() };
    bail!(LinAlg, "{name}: {meaning} {}{which}", failed[item])
}

/// The operand with its batch dimensions expanded.
pub(crate) fn with_batch(a: &Tensor, batch: &[usize]) -> Result<Tensor> {
    let (rows, columns) = extent(a);
    if batch_of(a)[..] == *batch {
        return Ok(a.clone());
    }
    let mut sizes = ints(batch);
    sizes.extend([rows as i64, columns as i64]);
    views::expand(a, &sizes)
}

/// Whether the other operand is a batch of vectors rather than of matrices, for one of matrices.
pub(crate) fn is_vector(a: &Tensor, b: &Tensor) -> bool {
    let (a, b) = (a.sizes(), b.sizes());
    b.len() == 1 || (!a.is_empty() && b.len() == a.len() - 1 && b[..] == a[..a.len() - 1])
}

/// Calls `wanted` with a gradient, or gives nothing for one of zero.
pub(crate) fn given(g: Option<Tensor>, wanted: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Option<Tensor>> {
    g.as_ref().map(wanted).transpose()
}

/// The sum of what is there.
pub(crate) fn sum_given(a: Option<Tensor>, b: Option<Tensor>) -> Result<Option<Tensor>> {
    Ok(match (a, b) {
        (Some(a), Some(b)) => Some(add(&a, &b)?),
        (a, b) => a.or(b),
    })
}

pub(crate) use conversion::to_dtype;
