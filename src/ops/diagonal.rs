//! Diagonals and triangles of matrices.

use crate::error::Result;
use crate::kernels::{copy, triangle};
use crate::ops::scattering::put_part;
use crate::ops::views;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::Tensors;
use crate::{bail, op};

op! {
    /// The elements `x[i][i + offset]` of the matrices that two dimensions span, as a last dimension; a view.
    fn diagonal(input: Tensor, offset: i64 = 0, dim1: i64 = 0, dim2: i64 = 1) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let data = input.data();
        let ndim = data.sizes.len();
        let (a, b) = (wrap_dim(dim1, ndim)?, wrap_dim(dim2, ndim)?);
        if a == b {
            bail!(Runtime, "diagonal: two different dimensions are needed, got {dim1} and {dim2}");
        }
        let length = diagonal_length(data.sizes[a], data.sizes[b], offset);
        let (mut sizes, mut strides) = (data.sizes.clone(), data.strides.clone());
        let start = if length == 0 {
            0
        } else if offset >= 0 {
            offset as usize * strides[b]
        } else {
            offset.unsigned_abs() as usize * strides[a]
        };
        let step = strides[a] + strides[b];
        for d in [a.max(b), a.min(b)] {
            sizes.remove(d);
            strides.remove(d);
        }
        sizes.push(length);
        strides.push(step);
        Ok(input.alias(sizes, strides, data.offset + start))
    }
    batch dims(dim1, dim2);
    derivative "DiagonalBackward0" Linear {
        input(g, offset, dim1, dim2, ctx) => diagonal_backward(g, &views::ints(&ctx.sizes_of(0)?), offset, dim1, dim2);
    }
}

/// How many elements the diagonal of a matrix has.
fn diagonal_length(rows: usize, columns: usize, offset: i64) -> usize {
    let skipped = offset.unsigned_abs() as usize;
    if offset >= 0 { rows.min(columns.saturating_sub(skipped)) } else { rows.saturating_sub(skipped).min(columns) }
}

op! {
    /// Zeros of a size with `grad_output` on a diagonal: the gradient of `diagonal`.
    fn diagonal_backward as "diagonal_backward" (
        grad_output: Tensor, input_sizes: Ints, offset: i64, dim1: i64, dim2: i64
    ) -> Tensor;
    value {
        let zeros = Tensor::zeros(&shape::checked_sizes(input_sizes)?, grad_output.dtype())?;
        put_part("diagonal_backward", &diagonal(&zeros, offset, dim1, dim2)?, grad_output)?;
        Ok(zeros)
    }
    batch by(|batch| {
        let (sizes, offset) = (batch.ints(1), batch.int(2));
        let dim = |i: usize| Ok::<_, crate::Error>(wrap_dim(batch.int(i), sizes.len())? as i64 + 1);
        diagonal_backward(batch.tensor(0)?, &batch.sizes(sizes), offset, dim(3)?, dim(4)?)
    });
    derivative "DiagonalBackwardBackward0" Linear {
        grad_output(g, offset, dim1, dim2) => diagonal(g, offset, dim1, dim2);
    }
}

op! {
    /// A matrix, for each vector along the last dimension, with it on a diagonal; `dim1` and `dim2` number the
    /// dimensions of the result that the matrices are in.
    fn diag_embed(input: Tensor, offset: i64 = 0, dim1: i64 = -2, dim2: i64 = -1) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let mut sizes = input.sizes();
        let ndim = sizes.len() + 1;
        let (a, b) = (wrap_dim(dim1, ndim)?, wrap_dim(dim2, ndim)?);
        if a == b {
            bail!(Runtime, "diag_embed: two different dimensions are needed, got {dim1} and {dim2}");
        }
        let Some(&length) = sizes.last() else { bail!(Index, "diag_embed: a tensor of at least one dimension is expected") };
        sizes.remove(ndim - 2);
        let side = length.saturating_add(offset.unsigned_abs() as usize);
        sizes.insert(a.min(b), side);
        sizes.insert(a.max(b), side);
        let out = Tensor::zeros(&sizes, input.dtype())?;
        copy::copy(&diagonal(&out, offset, a as i64, b as i64)?.data(), &input.data());
        Ok(out)
    }
    batch by(|batch| {
        let ndim = batch.ndim(0)? + 1;
        if ndim < 2 {
            return batch.one_by_one_tensor();
        }
        let dim = |i: usize| Ok::<_, crate::Error>(wrap_dim(batch.int(i), ndim)? as i64 + 1);
        diag_embed(batch.tensor(0)?, batch.int(1), dim(2)?, dim(3)?)
    });
    derivative "DiagEmbedBackward0" Linear {
        input(g, offset, dim1, dim2) => diagonal(g, offset, dim1, dim2);
    }
}

op! {
    /// Of a matrix a copy of its diagonal; of a vector the matrix with it on the diagonal.
    fn diag(input: Tensor, diagonal: i64 = 0) -> Tensor, FUNCTION METHOD;
    value {
        match input.ndim() {
            1 => diag_embed(input, diagonal, 0, 1),
            2 => diagonal_copy(input, diagonal, 0, 1),
            n => bail!(Runtime, "diag: a vector or a matrix is expected, got a tensor of {n} dimensions"),
        }
    }
    derivative composite;
}

op! {
    /// `diagonal` with memory of its own.
    fn diagonal_copy(input: Tensor, offset: i64 = 0, dim1: i64 = 0, dim2: i64 = 1) -> Tensor, FUNCTION;
    value { diagonal(&input.detach(), offset, dim1, dim2)?.copied(input.dtype()) }
    batch dims(dim1, dim2);
    derivative "DiagonalBackward0_copy" Linear {
        input(g, offset, dim1, dim2, ctx) => diagonal_backward(g, &views::ints(&ctx.sizes_of(0)?), offset, dim1, dim2);
    }
}

op! {
    /// The matrix with all elements of `input` on a diagonal.
    fn diagflat(input: Tensor, offset: i64 = 0) -> Tensor, FUNCTION NO_OUT METHOD;
    value { diag_embed(&views::reshape(input, &[-1])?, offset, 0, 1) }
    derivative composite;
}

op! {
    /// `input` with a number on the diagonal, which of a matrix that is higher than wide goes on below with `wrap`.
    fn fill_diagonal as "fill_diagonal" (input: Tensor, fill_value: crate::scalar::Scalar, wrap: bool = false) -> Tensor, IN_PLACE;
    value {
        let sizes = input.sizes();
        if sizes.len() < 2 {
            bail!(Runtime, "fill_diagonal_: a tensor of at least two dimensions is expected, its size is {}", shape::show(&sizes));
        }
        if sizes.len() > 2 && sizes.iter().any(|&size| size != sizes[0]) {
            bail!(Runtime, "fill_diagonal_: all sizes of a tensor of more than two dimensions have to agree, got {}", shape::show(&sizes));
        }
        let out = input.copied(input.dtype())?;
        let strides = out.strides();
        let step: usize = strides.iter().sum();
        let column = |start: usize, length: usize| {
            let part = out.alias([length].into_iter().collect(), [step].into_iter().collect(), start);
            crate::kernels::fill::fill(&part.data(), fill_value);
        };
        let side = sizes.iter().copied().min().unwrap_or(0);
        column(0, side);
        if wrap && sizes.len() == 2 && sizes[0] > sizes[1] + 1 {
            let mut row = side + 1;
            while row < sizes[0] {
                column(row * strides[0], side.min(sizes[0] - row));
                row += side + 1;
            }
        }
        Ok(out)
    }
    derivative "FillDiagonalBackward0" ByVjp {
        input(g, wrap) => fill_diagonal(g, crate::scalar::Scalar::Int(0), wrap);
    }
}

op! {
    /// `input` with `src` on a diagonal.
    fn diagonal_scatter(input: Tensor, src: Tensor, offset: i64 = 0, dim1: i64 = 0, dim2: i64 = 1) -> Tensor,
        FUNCTION NO_OUT METHOD;
    value {
        let out = crate::ops::scattering::copy_with_strides(input)?;
        let part = diagonal(&out, offset, dim1, dim2)?;
        put_part("diagonal_scatter", &part, src)?;
        Ok(out)
    }
    batch together(dim1, dim2);
    derivative "DiagonalScatterBackward0" Linear {
        input(g, offset, dim1, dim2) => {
            let sizes = diagonal(&g.detach(), offset, dim1, dim2)?.sizes();
            diagonal_scatter(g, &Tensor::zeros(&sizes, g.dtype())?, offset, dim1, dim2)
        };
        src(g, offset, dim1, dim2) => diagonal(g, offset, dim1, dim2);
    }
}

/// A matrix with the elements on one side of a diagonal, the others 0.
fn triangle<const LOWER: bool>(name: &str, input: &Tensor, diagonal: i64) -> Result<Tensor> {
    let sizes = input.sizes();
    if sizes.len() < 2 {
        bail!(Runtime, "{name}: a tensor of at least two dimensions is expected, its size is {}", shape::show(&sizes));
    }
    let input = input.to_contiguous()?;
    let out = Tensor::empty(&sizes, input.dtype())?;
    triangle::triangle::<LOWER>(&out.data(), &input.data(), diagonal);
    Ok(out)
}

op! {
    /// The elements of matrices on and below a diagonal, the others 0.
    fn tril(input: Tensor, diagonal: i64 = 0) -> Tensor, FUNCTION METHOD IN_PLACE;
    value { triangle::<true>("tril", input, diagonal) }
    batch by(|batch| match batch.ndim(0)? {
        0 | 1 => batch.one_by_one_tensor(),
        _ => tril(batch.tensor(0)?, batch.int(1)),
    });
    derivative "TrilBackward0" Linear {
        input(g, diagonal) => tril(g, diagonal);
    }
}

op! {
    /// The elements of matrices on and above a diagonal, the others 0.
    fn triu(input: Tensor, diagonal: i64 = 0) -> Tensor, FUNCTION METHOD IN_PLACE;
    value { triangle::<false>("triu", input, diagonal) }
    batch by(|batch| match batch.ndim(0)? {
        0 | 1 => batch.one_by_one_tensor(),
        _ => triu(batch.tensor(0)?, batch.int(1)),
    });
    derivative "TriuBackward0" Linear {
        input(g, diagonal) => triu(g, diagonal);
    }
}

op! {
    /// The sum of the diagonal of a matrix. Integers are summed as int64.
    fn trace(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.dtype() == crate::DType::Bool {
            bail!(NotImplemented, "trace: not implemented for bool");
        }
        if input.ndim() != 2 {
            bail!(Runtime, "trace: a matrix is expected, the tensor has size {}", shape::show(&input.sizes()));
        }
        crate::ops::reduction::sum_all(&diagonal(&input.detach(), 0, 0, 1)?, None)
    }
    batch by(|batch| crate::ops::reduction::sum(&diagonal(batch.tensor(0)?, 0, 1, 2)?, Some(&[-1]), false, None));
    derivative "TraceBackward0" Linear {
        input(g, ctx) => {
            let sizes = ctx.sizes_of(0)?;
            let length = sizes[0].min(sizes[1]) as i64;
            diagonal_backward(&views::expand(g, &[length])?, &views::ints(&sizes), 0, 0, 1)
        };
    }
}

op! {
    /// The matrix with the given ones (scalars and vectors count as rows) along its diagonal.
    fn block_diag(tensors: Tensors) -> Tensor, FUNCTION NO_OUT VARIADIC;
    value {
        let mut matrices = Vec::new();
        for (i, part) in tensors.iter().flatten().enumerate() {
            if part.ndim() > 2 {
                bail!(
                    Runtime,
                    "block_diag: tensors of at most two dimensions are expected, tensor {i} has size {}",
                    shape::show(&part.sizes())
                );
            }
            matrices.push(part.clone());
        }
        if matrices.is_empty() {
            return Tensor::empty(&[1, 0], crate::promotion::default_float());
        }
        let side = |d: usize| -> Ints {
            // What has fewer dimensions is a row.
            let size = |part: &Tensor| (part.ndim() + d).checked_sub(2).map_or(1, |d| part.sizes()[d] as i64);
            matrices.iter().map(size).collect()
        };
        let (rows, columns) = (side(0), side(1));
        blocks(&matrices.into_iter().map(Some).collect::<Vec<_>>(), &rows, &columns)
    }
    derivative composite;
}

op! {
    /// `block_diag` of at least one tensor, with the rows and columns that they have.
    fn blocks as "_block_diag" (tensors: Tensors, rows: Ints, columns: Ints) -> Tensor;
    value {
        let dtype = tensors.iter().flatten().map(Tensor::dtype).reduce(crate::DType::promote).unwrap_or(crate::DType::Float32);
        for (part, (&height, &width)) in tensors.iter().flatten().zip(rows.iter().zip(columns)) {
            let area = height.checked_mul(width).filter(|_| height >= 0 && width >= 0);
            if area != Some(part.numel() as i64) {
                bail!(Runtime, "block_diag: a tensor of size {} is no block of {height} by {width}", shape::show(&part.sizes()));
            }
        }
        if rows.len() != tensors.len() || columns.len() != tensors.len() {
            bail!(Runtime, "block_diag: {} and {} sizes for {} tensors", rows.len(), columns.len(), tensors.len());
        }
        let total = |side: &[i64]| side.iter().sum::<i64>() as usize;
        let out = Tensor::zeros(&[total(rows), total(columns)], dtype)?;
        let (mut row, mut column) = (0, 0);
        for (part, (&height, &width)) in tensors.iter().flatten().zip(rows.iter().zip(columns)) {
            let (strides, offset) = (out.strides(), row * out.strides()[0] + column);
            let target = out.alias([height as usize, width as usize].into_iter().collect(), strides, offset);
            let whole = views::reshape(&part.detach(), &[height, width])?;
            copy::copy(&target.data(), &whole.data());
            (row, column) = (row + height as usize, column + width as usize);
        }
        Ok(out)
    }
    derivative "BlockDiagBackward0" Linear {
        [tensors](g, rows, columns, ctx) => {
            let mut gradients = crate::op::Gradients::new();
            let (mut row, mut column) = (0, 0);
            for (i, (edge, (&height, &width))) in ctx.node.edges().iter().zip(rows.iter().zip(columns)).enumerate() {
                gradients.push(match edge {
                    None => None,
                    Some(_) => {
                        let part = views::narrow(&views::narrow(g, 0, row, height)?, 1, column, width)?;
                        Some(views::reshape(&part, &views::ints(&ctx.input_meta(i)?.sizes))?)
                    }
                });
                (row, column) = (row + height, column + width);
            }
            Ok(gradients)
        };
    }
}

/// The places of a triangle of a matrix: row numbers above column numbers.
pub fn triangle_indices(name: &str, rows: i64, columns: i64, lower: bool, offset: i64) -> Result<Tensor> {
    if rows < 0 || columns < 0 {
        bail!(Runtime, "{name}: rows and columns must not be negative, got {rows} and {columns}");
    }
    let mut places: [Vec<i64>; 2] = Default::default();
    for row in 0..rows {
        let border = row.saturating_add(offset);
        let range =
            if lower { 0..border.saturating_add(1).clamp(0, columns) } else { border.clamp(0, columns)..columns };
        places[0].extend(range.clone().map(|_| row));
        places[1].extend(range);
    }
    let count = places[0].len();
    Tensor::from_slice(&places.concat(), &[2, count])
}
