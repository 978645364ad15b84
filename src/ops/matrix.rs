//! Products of matrices and vectors.

use crate::data::Data;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::matmul as kernel;
use crate::op::Backward;
use crate::ops::arithmetic::add_tensors;
use crate::ops::complex::{self, conj};
use crate::ops::views;
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::{bail, chosen, op, with_element};

pub(crate) fn check_same_dtype(name: &str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() != b.dtype() {
        bail!(Runtime, "{name}: both operands have to have one dtype, got {} and {}", a.dtype(), b.dtype());
    }
    Ok(())
}

/// Row and column stride of the last two dimensions.
fn strides(data: &Data) -> (isize, isize) {
    let n = data.strides.len();
    (data.strides[n - 2] as isize, data.strides[n - 1] as isize)
}

/// Whether a product is nothing or all zeros, for any element type.
fn is_empty(m: usize, k: usize, n: usize) -> bool {
    m * k * n == 0
}

/// `out = a b`, or `out += a b`, for matrices that fit.
fn product_into(out: &Data, a: &Data, b: &Data, accumulate: bool) -> Result<()> {
    let (m, k, n) = (a.sizes[0], a.sizes[1], b.sizes[1]);
    if is_empty(m, k, n) {
        if !accumulate {
            crate::kernels::fill::fill(out, 0i64.into());
        }
        return Ok(());
    }
    if out.dtype.is_complex() {
        return complex_product_into(out, a, b, accumulate);
    }
    with_element!(out.dtype, real T => {
        // SAFETY: the three matrices are live and as large as said; `out` is no operand.
        unsafe {
            kernel::matmul::<T>(
                m, n, k,
                a.pointer().cast(), strides(a),
                b.pointer().cast(), strides(b),
                out.pointer().cast(), strides(out),
                accumulate,
            );
        }
        Ok(())
    }, else bail!(NotImplemented, "the matrix product is not implemented for {}", out.dtype))
}

/// `product_into` for complex matrices: four products of real ones.
fn complex_product_into(out: &Data, a: &Data, b: &Data, accumulate: bool) -> Result<()> {
    let part = |data: &Data, nth: usize| -> Result<Tensor> {
        Tensor::from_data(complex::part(data, nth)).copied(data.dtype.real())
    };
    let (a, b) = ([part(a, 0)?, part(a, 1)?], [part(b, 0)?, part(b, 1)?]);
    let opposite = crate::ops::unary::neg(&a[1])?;
    for (nth, [first, second]) in [[&a[0], &opposite], [&a[1], &a[0]]].into_iter().enumerate() {
        let target = complex::part(out, nth);
        let sum = if accumulate {
            Tensor::from_data(target.clone()).copied(target.dtype)?
        } else {
            Tensor::empty(&target.sizes, target.dtype)?
        };
        product_into(&sum.data(), &first.data(), &b[0].data(), accumulate)?;
        product_into(&sum.data(), &second.data(), &b[1].data(), true)?;
        crate::kernels::copy::copy(&target, &sum.data());
    }
    Ok(())
}

/// The `i`th of a batch of matrices.
fn item(data: &Data, i: usize) -> Data {
    let offset = data.offset + i * data.strides[0];
    let (sizes, strides) = (Dims::from_slice(&data.sizes[1..]), Dims::from_slice(&data.strides[1..]));
    Data::new(data.storage.clone(), sizes, strides, offset, data.dtype)
}

op! {
    /// The product of two matrices, `(n, k)` and `(k, m)`.
    fn mm(input: Tensor, mat2: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        let (a, b) = (input.data(), mat2.data());
        let fits = a.sizes.len() == 2 && b.sizes.len() == 2 && a.sizes[1] == b.sizes[0];
        if !fits {
            bail!(
                Runtime,
                "mm: matrices of size (n, k) and (k, m) are expected, got {} and {}",
                shape::show(&a.sizes),
                shape::show(&b.sizes)
            );
        }
        check_same_dtype("mm", input, mat2)?;
        let out = Tensor::empty(&[a.sizes[0], b.sizes[1]], a.dtype)?;
        product_into(&out.data(), &a, &b, false)?;
        Ok(out)
    }
    batch by(|batch| matmul(batch.tensor(0)?, batch.tensor(1)?));
    derivative "MmBackward0" Multilinear {
        input(g, mat2, ctx) => left_gradient(g, mat2, ctx, 0);
        mat2(g, input, ctx) => right_gradient(g, input, ctx, 1);
    }
}

/// The gradient of the left factor (argument `i`) of a product, in the factor's own order of rows and columns.
fn left_gradient(g: &Tensor, right: &Tensor, context: &Backward, i: usize) -> Result<Tensor> {
    match context.input_meta(context.edge_of(i))?.column_major {
        true => views::t(&mm(&conj(right)?, &views::t(g)?)?),
        false => mm(g, &views::t(&conj(right)?)?),
    }
}

/// The same for the right factor.
fn right_gradient(g: &Tensor, left: &Tensor, context: &Backward, i: usize) -> Result<Tensor> {
    match context.input_meta(context.edge_of(i))?.column_major {
        true => views::t(&mm(&views::t(g)?, &conj(left)?)?),
        false => mm(&views::t(&conj(left)?)?, g),
    }
}

op! {
    /// `beta * input + alpha * (mat1 @ mat2)`; `input` broadcasts to the size of the product.
    fn addmm(input: Tensor, mat1: Tensor, mat2: Tensor; beta: crate::scalar::Scalar = crate::scalar::Scalar::Int(1), alpha: crate::scalar::Scalar = crate::scalar::Scalar::Int(1)) -> Tensor,
        FUNCTION METHOD;
    value {
        let (a, b, c) = (mat1.data(), mat2.data(), input.data());
        let fits = a.sizes.len() == 2 && b.sizes.len() == 2 && a.sizes[1] == b.sizes[0];
        if !fits {
            bail!(
                Runtime,
                "addmm: matrices of size (n, k) and (k, m) are expected, got {} and {}",
                shape::show(&a.sizes),
                shape::show(&b.sizes)
            );
        }
        check_same_dtype("addmm", mat1, mat2)?;
        check_same_dtype("addmm", mat1, input)?;
        let sizes = [a.sizes[0], b.sizes[1]];
        if shape::broadcast_strides(&c.sizes, &c.strides, &sizes).is_none() {
            bail!(
                Runtime,
                "addmm: a tensor of size {} does not broadcast to the product's size {}",
                shape::show(&c.sizes),
                shape::show(&sizes)
            );
        }
        if a.dtype == DType::Bool && a.sizes[1] == 0 && sizes != [0, 0] && !beta.is_zero() {
            bail!(Runtime, "addmm: a bool tensor cannot be multiplied by beta");
        }
        let plain = beta.is_one() && alpha.is_one();
        let out = Tensor::empty(&sizes, a.dtype)?;
        if plain {
            crate::kernels::copy::copy(&out.data(), &c);
            product_into(&out.data(), &a, &b, true)?;
            return Ok(out);
        }
        product_into(&out.data(), &a, &b, false)?;
        let scaled = crate::ops::arithmetic::mul((&out).into(), alpha.into())?;
        if beta.is_zero() {
            return Ok(scaled);
        }
        crate::ops::arithmetic::add((&scaled).into(), (&crate::ops::arithmetic::mul(input.into(), beta.into())?).into())
    }
    batch by(|batch| {
        let (beta, alpha) = (crate::scalar::Scalar::face(batch.value(3)), crate::scalar::Scalar::face(batch.value(4)));
        let product = scale(&matmul(batch.tensor(1)?, batch.tensor(2)?)?, alpha)?;
        if beta.is_zero() {
            return if batch.has(1) || batch.has(2) { Ok(product) } else { batch.repeated(&product) };
        }
        add_tensors(&product, &scale(&batch.aligned(0, 2)?, beta)?)
    });
    derivative "AddmmBackward0" ByVjp {
        input(g, beta) => scale(g, beta.conj());
        mat1(g, mat2, alpha, ctx) => scale(&left_gradient(g, mat2, ctx, 1)?, alpha.conj());
        mat2(g, mat1, alpha, ctx) => scale(&right_gradient(g, mat1, ctx, 2)?, alpha.conj());
    }
}

op! {
    /// `addmm` in place: `input` has to have the size of the product.
    fn addmm_in_place as "addmm" / "in_place" (
        input: Tensor, mat1: Tensor, mat2: Tensor;
        beta: crate::scalar::Scalar = crate::scalar::Scalar::Int(1), alpha: crate::scalar::Scalar = crate::scalar::Scalar::Int(1)
    ) -> Tensor, IN_PLACE;
    choose {
        if let ([rows, _], [_, columns]) = (&mat1.sizes()[..], &mat2.sizes()[..])
            && input.sizes()[..] != [*rows, *columns]
        {
            bail!(
                Runtime,
                "addmm_: the tensor has size {}, the product {}",
                shape::show(&input.sizes()),
                shape::show(&[*rows, *columns])
            );
        }
        Ok(chosen!(addmm(input, mat1, mat2, beta, alpha)))
    }
}

pub(crate) fn scale(tensor: &Tensor, factor: crate::scalar::Scalar) -> Result<Tensor> {
    if factor.is_one() { Ok(tensor.clone()) } else { crate::ops::arithmetic::mul(tensor.into(), factor.into()) }
}

op! {
    /// The products of two batches of matrices, `(b, n, k)` and `(b, k, m)`.
    fn bmm(input: Tensor, mat2: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        let (a, b) = (input.data(), mat2.data());
        let fits = a.sizes.len() == 3
            && b.sizes.len() == 3
            && a.sizes[0] == b.sizes[0]
            && a.sizes[2] == b.sizes[1];
        if !fits {
            bail!(
                Runtime,
                "bmm: batches of size (b, n, k) and (b, k, m) are expected, got {} and {}",
                shape::show(&a.sizes),
                shape::show(&b.sizes)
            );
        }
        check_same_dtype("bmm", input, mat2)?;
        let (count, m, k, n) = (a.sizes[0], a.sizes[1], a.sizes[2], b.sizes[2]);
        if count == 0 || is_empty(m, k, n) {
            return Tensor::zeros(&[count, m, n], a.dtype);
        }
        let out = Tensor::empty(&[count, m, n], a.dtype)?;
        let c = out.data();
        if a.dtype.is_complex() {
            for i in 0..count {
                complex_product_into(&item(&c, i), &item(&a, i), &item(&b, i), false)?;
            }
            drop(c);
            return Ok(out);
        }
        with_element!(a.dtype, real T => {
            let step = |data: &Data| data.strides[0] as isize;
            let (sa, sb, sc) = (step(&a), step(&b), step(&c));
            // SAFETY: as for `product_into`, for each item of the batch.
            unsafe {
                kernel::matmul_batch::<T>(
                    count,
                    |i| (i as isize * sa, i as isize * sb, i as isize * sc),
                    m, n, k,
                    a.pointer().cast(), strides(&a),
                    b.pointer().cast(), strides(&b),
                    c.pointer().cast(), strides(&c),
                    false,
                );
            }
        }, else bail!(NotImplemented, "bmm: not implemented for {}", a.dtype));
        drop(c);
        Ok(out)
    }
    batch by(|batch| matmul(batch.tensor(0)?, batch.tensor(1)?));
    derivative "BmmBackward0" Multilinear {
        input(g, mat2) => bmm(g, &views::transpose(&conj(mat2)?, 1, 2)?);
        mat2(g, input) => bmm(&views::transpose(&conj(input)?, 1, 2)?, g);
    }
}

op! {
    /// The product of a matrix `(n, k)` and a vector `(k)`.
    fn mv(input: Tensor, vec: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        let (a, v) = (input.sizes(), vec.sizes());
        if a.len() != 2 || v.len() != 1 || a[1] != v[0] {
            bail!(Runtime, "mv: a matrix (n, k) and a vector (k,) are expected, got {} and {}", shape::show(&a), shape::show(&v));
        }
        let column = views::unsqueeze(&vec.detach(), 1)?;
        let product = mm(&input.detach(), &column)?;
        Ok(product.alias(Dims::from_elem(a[0], 1), Dims::from_elem(1, 1), 0))
    }
    batch by(|batch| match (batch.has(0), batch.has(1)) {
        (_, false) => matmul(batch.tensor(0)?, batch.tensor(1)?),
        (false, true) => mm(batch.tensor(1)?, &views::t(batch.tensor(0)?)?),
        (true, true) => views::squeeze(&bmm(batch.tensor(0)?, &views::unsqueeze(batch.tensor(1)?, 2)?)?, 2),
    });
    derivative "MvBackward0" Multilinear {
        input(g, vec) => outer(g, &conj(vec)?);
        vec(g, input) => mv(&views::t(&conj(input)?)?, g);
    }
}

op! {
    /// The product of two vectors: a tensor without dimensions.
    fn dot(input: Tensor, tensor: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        let (a, b) = (input.sizes(), tensor.sizes());
        if a.len() != 1 || b.len() != 1 || a != b {
            bail!(Runtime, "dot: two vectors of one length are expected, got {} and {}", shape::show(&a), shape::show(&b));
        }
        if input.dtype() == DType::Bool && tensor.dtype() == DType::Bool {
            bail!(NotImplemented, "dot: not implemented for bool");
        }
        let (row, column) = (views::unsqueeze(&input.detach(), 0)?, views::unsqueeze(&tensor.detach(), 1)?);
        let product = mm(&row, &column).map_err(|error| error.context("dot"))?;
        Ok(product.alias(Dims::new(), Dims::new(), 0))
    }
    batch by(|batch| match (batch.has(0), batch.has(1)) {
        (true, false) => mv(batch.tensor(0)?, batch.tensor(1)?),
        (false, _) => mv(batch.tensor(1)?, batch.tensor(0)?),
        (true, true) => {
            let (rows, columns) = (views::unsqueeze(batch.tensor(0)?, 1)?, views::unsqueeze(batch.tensor(1)?, 2)?);
            views::view(&bmm(&rows, &columns)?, &batch.sizes(&[]))
        }
    });
    derivative "DotBackward0" Multilinear {
        input(g, tensor) => crate::ops::arithmetic::mul_tensors(g, &conj(tensor)?);
        tensor(g, input) => crate::ops::arithmetic::mul_tensors(g, &conj(input)?);
    }
}

op! {
    /// The product of each element of one vector with each of another.
    fn outer(input: Tensor, vec2: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        if input.ndim() != 1 || vec2.ndim() != 1 {
            bail!(Runtime, "outer: two vectors are expected, got sizes {} and {}", shape::show(&input.sizes()), shape::show(&vec2.sizes()));
        }
        crate::ops::arithmetic::mul_tensors(&views::unsqueeze(input, 1)?, vec2)
    }
    derivative composite;
}

op! {
    /// The matrix product: of vectors their dot product, of a matrix and a vector `mv`, of matrices `mm`; further
    /// dimensions are batches and broadcast.
    fn matmul(input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        let (a, b) = (input.sizes(), other.sizes());
        if a.is_empty() || b.is_empty() {
            bail!(Runtime, "matmul: both operands need at least one dimension, got sizes {} and {}", shape::show(&a), shape::show(&b));
        }
        let inner = (a[a.len() - 1], b[b.len().saturating_sub(2)]);
        if inner.0 != inner.1 {
            bail!(
                Runtime,
                "matmul: sizes {} and {} do not fit: {} columns meet {} rows",
                shape::show(&a),
                shape::show(&b),
                inner.0,
                inner.1
            );
        }
        check_same_dtype("matmul", input, other)?;
        match (a.len(), b.len()) {
            (1, 1) => dot(input, other),
            (2, 1) => mv(input, other),
            (1, 2) => views::squeeze_in_place(&mm(&views::unsqueeze(input, 0)?, other)?, 0),
            (2, 2) => mm(input, other),
            (3.., ..3) if folds(input, other, false) => folded(input, other),
            (left @ ..3, 3..) if folds(other, input, left == 2) => {
                // The product of the transposes, transposed.
                let matrix = if left == 2 { views::t(input)? } else { input.clone() };
                let product = folded(&views::transpose(other, -2, -1)?, &matrix)?;
                match left {
                    2 => crate::ops::conversion::contiguous(&views::transpose(&product, -2, -1)?),
                    _ => Ok(product),
                }
            }
            _ => batched(input, other),
        }
    }
    derivative composite;
}

/// Whether the leading dimensions of `batch` are made the rows of one large matrix, to be multiplied by `other`, a
/// matrix or a vector, at once.
///
/// That is so where `other` needs a gradient, which else would be as large as the batch before it is summed up; and
/// where it takes no copy, neither of the batch nor (with `transposed`) of the result.
fn folds(batch: &Tensor, other: &Tensor, transposed: bool) -> bool {
    if other.requires_grad() {
        return true;
    }
    let data = batch.data();
    let lead = data.sizes.len() - 2;
    !transposed && (data.numel() == 0 || (0..lead).all(|d| data.strides[d] == data.strides[d + 1] * data.sizes[d + 1]))
}

/// The product of a tensor of three or more dimensions, its leading ones made one, and a matrix or a vector.
fn folded(batch: &Tensor, other: &Tensor) -> Result<Tensor> {
    let sizes = batch.sizes();
    let (&columns, lead) = sizes.split_last().unwrap_or((&1, &[]));
    let rows = views::reshape(batch, &[lead.iter().product::<usize>() as i64, columns as i64])?;
    let mut result: Ints = lead.iter().map(|&n| n as i64).collect();
    if other.ndim() == 1 {
        return views::unsafe_view(&mv(&rows, other)?, &result);
    }
    result.push(other.sizes()[1] as i64);
    views::unsafe_view(&mm(&rows, other)?, &result)
}

/// The product of operands with batch dimensions, which broadcast.
fn batched(input: &Tensor, other: &Tensor) -> Result<Tensor> {
    let left = input.clone();
    let right = if other.ndim() == 1 { views::unsqueeze(other, 1)? } else { other.clone() };
    let (mut a, b) = (left.sizes(), right.sizes());
    if input.ndim() == 1 {
        a.insert(0, 1);
    }
    let batch =
        shape::broadcast(&a[..a.len() - 2], &b[..b.len() - 2]).map_err(|error| error.context("matmul: batch"))?;
    let count: usize = shape::numel(&batch)?;
    let flat = |tensor: &Tensor, sizes: &Dims| -> Result<Tensor> {
        let matrix = [sizes[sizes.len() - 2] as i64, sizes[sizes.len() - 1] as i64];
        let mut full: Ints = batch.iter().map(|&n| n as i64).collect();
        full.extend(matrix);
        views::reshape(&views::expand(tensor, &full)?, &[count as i64, matrix[0], matrix[1]])
    };
    let product = bmm(&flat(&left, &a)?, &flat(&right, &b)?)?;
    let product = if other.ndim() == 1 { views::squeeze(&product, -1)? } else { product };
    let mut sizes: Ints = batch.iter().map(|&n| n as i64).collect();
    if input.ndim() > 1 {
        sizes.push(a[a.len() - 2] as i64);
    }
    if other.ndim() > 1 {
        sizes.push(b[b.len() - 1] as i64);
    }
    views::unsafe_view(&product, &sizes)
}

op! {
    /// `input @ weight.T + bias`, for `input` of size `(*, in)`, `weight` `(out, in)` and `bias` `(out,)`.
    fn linear(input: Tensor, weight: Tensor, bias: Option<Tensor> = None) -> Tensor, OUT FUNCTIONAL;
    value {
        let sizes = input.sizes();
        let w = weight.sizes();
        if w.len() == 1 && bias.is_some() {
            bail!(Runtime, "linear: a weight that is a vector takes no bias; its size is {}", shape::show(&w));
        }
        let transposed = views::t(weight)?;
        match bias {
            Some(bias) if sizes.len() == 2 && w.len() == 2 => addmm(bias, input, &transposed, 1i64.into(), 1i64.into()),
            Some(bias) if w.len() == 2 && input.is_contiguous() && sizes.last() == Some(&w[1]) => {
                let rows = sizes[..sizes.len() - 1].iter().product::<usize>() as i64;
                let flat = addmm(bias, &views::reshape(input, &[rows, w[1] as i64])?, &transposed, 1i64.into(), 1i64.into())?;
                let mut result: Ints = sizes[..sizes.len() - 1].iter().map(|&n| n as i64).collect();
                result.push(w[0] as i64);
                views::view(&flat, &result)
            }
            Some(bias) => add_tensors(&matmul(input, &transposed)?, bias),
            None => matmul(input, &transposed),
        }
    }
    derivative composite;
}
