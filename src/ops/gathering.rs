//! Elements taken from, or put at, the places that an index tensor names along one dimension.

use crate::autograd::record;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::index::{self, Write};
use crate::op::{Batched, Gradients};
use crate::scalar::Scalar;
use crate::shape::{self, Dims, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, op};

pub(crate) fn check_index(name: &str, index: &Tensor) -> Result<()> {
    if index.dtype() != DType::Int64 {
        bail!(Runtime, "{name}: the index has to be an int64 tensor, it is {}", index.dtype());
    }
    Ok(())
}

/// The index must have as many dimensions, and must not reach beyond the others except along `dim`.
pub(crate) fn check_sizes(name: &str, index: &[usize], other: &[usize], dim: Option<usize>) -> Result<()> {
    // A tensor without dimensions counts as a vector of one element.
    let vector = |sizes: &[usize]| if sizes.is_empty() { Dims::from_elem(1, 1) } else { Dims::from_slice(sizes) };
    let (i, o) = (vector(index), vector(other));
    if i.len() != o.len() {
        bail!(Runtime, "{name}: the index has {} dimensions, the tensor {}", index.len(), other.len());
    }
    if i.iter().zip(&o).enumerate().any(|(d, (i, o))| Some(d) != dim && i > o) {
        bail!(
            Runtime,
            "{name}: an index of size {} reaches beyond a tensor of size {}",
            shape::show(index),
            shape::show(other)
        );
    }
    Ok(())
}

op! {
    /// `out[i][j] = input[i][index[i][j]]` for `dim=1`, and likewise along other dimensions.
    fn gather(input: Tensor, dim: i64, index: Tensor; sparse_grad: bool = false) -> Tensor, FUNCTION METHOD ANY_TYPE;
    value {
        check_index("gather", index)?;
        let d = wrap_dim(dim, input.ndim())?;
        let sizes = index.sizes();
        let out = Tensor::empty(&sizes, input.dtype())?;
        if index.numel() > 0 {
            check_sizes("gather", &sizes, &input.sizes(), Some(d))?;
            index::gather(&out.data(), &input.data(), d, &index.data())?;
        }
        Ok(out)
    }
    batch together(dim);
    derivative "GatherBackward0" ByVjp {
        input(g, dim, index, ctx) => {
            let zeros = Tensor::zeros(&ctx.sizes_of(0)?, g.dtype())?;
            if !owns(g) {
                return Ok(Gradients::from_elem(Some(scatter_add(&zeros, dim, index, g)?), 1));
            }
            put("gather", &zeros, wrap_dim(dim, zeros.ndim())?, index, g, Write::Add)?;
            Ok(zeros)
        };
    }
}

/// Whether a gradient may be added to fresh zeros where they are: nobody differentiates it, and its sums need no wider type.
pub(crate) fn owns(g: &Tensor) -> bool {
    !g.dtype().is_narrow() && !record::is_watched(|| std::iter::once(g))
}

fn scattered(name: &str, input: &Tensor, dim: i64, index: &Tensor, src: &Tensor, write: Write) -> Result<Tensor> {
    check_index(name, index)?;
    let d = wrap_dim(dim, input.ndim())?;
    let out = input.copied(input.dtype())?;
    put(name, &out, d, index, src, write)?;
    Ok(out)
}

/// Stores `src` in a tensor of our own, or adds it.
fn put(name: &str, out: &Tensor, d: usize, index: &Tensor, src: &Tensor, write: Write) -> Result<()> {
    if index.numel() == 0 {
        return Ok(());
    }
    check_sizes(name, &index.sizes(), &out.sizes(), Some(d))?;
    check_sizes(name, &index.sizes(), &src.sizes(), None)?;
    if src.dtype() != out.dtype() {
        bail!(Runtime, "{name}: src is {} and the tensor is {}; they have to be the same", src.dtype(), out.dtype());
    }
    index::scatter(&out.data(), d, &index.data(), &src.data(), write)
}

/// The part of `src` that an index of a smaller size uses.
fn used_part(src: &Tensor, sizes: &Dims) -> Result<Tensor> {
    let mut part = src.clone();
    if part.ndim() != sizes.len() {
        // They do not fit, or one of them has no dimensions: `scattered` tells.
        return Ok(part);
    }
    for (d, &size) in sizes.iter().enumerate() {
        if part.sizes()[d] != size {
            part = crate::ops::views::narrow(&part, d as i64, 0, size as i64)?;
        }
    }
    Ok(part)
}

op! {
    /// `input` with `src` added at the places of `index` along `dim`.
    fn scatter_add(input: Tensor, dim: i64, index: Tensor, src: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    value { scattered("scatter_add", input, dim, index, &used_part(src, &index.sizes())?, Write::Add) }
    batch together(dim);
    derivative "ScatterAddBackward0" Linear {
        input(g) => Ok(g.clone());
        src(g, dim, index, ctx) => pad_like(&gather(g, dim, index, false)?, &ctx.sizes_of(3)?);
    }
}

op! {
    /// `input` with `src` stored at the places of `index` along `dim`.
    fn scatter(input: Tensor, dim: i64, index: Tensor, src: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE ANY_TYPE;
    value { scattered("scatter", input, dim, index, &used_part(src, &index.sizes())?, Write::Replace) }
    batch together(dim);
    derivative "ScatterBackward0" Linear {
        input(g, dim, index) => scatter_value(g, dim, index, 0.0.into());
        src(g, dim, index, ctx) => pad_like(&gather(g, dim, index, false)?, &ctx.sizes_of(3)?);
    }
}

op! {
    /// `input` with one number stored at the places of `index` along `dim`.
    fn scatter_value as "scatter" / "value" (input: Tensor, dim: i64, index: Tensor, value: Scalar) -> Tensor,
        FUNCTION METHOD IN_PLACE ANY_TYPE;
    value {
        let src = Tensor::full(&index.sizes(), value, input.dtype())?;
        scattered("scatter", input, dim, index, &src, Write::Replace)
    }
    batch together(dim);
    derivative "ScatterBackward1" ByVjp {
        input(g, dim, index) => scatter_value(g, dim, index, 0.0.into());
    }
}

/// A gradient for the used corner of a tensor, zeros elsewhere.
pub(crate) fn pad_like(g: &Tensor, sizes: &Dims) -> Result<Tensor> {
    if g.numel() == 0 {
        return Tensor::zeros(sizes, g.dtype());
    }
    let mut padded = g.clone();
    if padded.ndim() != sizes.len() {
        // One of them has no dimensions, so that both hold one element, or the other is a vector.
        padded = crate::ops::views::reshape(&padded, &Ints::from_elem(1, sizes.len()))?;
    }
    for (d, &size) in sizes.iter().enumerate() {
        let now: Ints = padded.sizes().iter().map(|&n| n as i64).collect();
        if now[d] < size as i64 {
            let mut target = now.clone();
            target[d] = size as i64;
            padded = crate::ops::views::slice_backward(&padded, &target, d as i64, Some(0), Some(now[d]), 1)?;
        }
    }
    Ok(padded)
}

op! {
    /// The parts of `input` at the places of a one-dimensional `index` along `dim`.
    fn index_select(input: Tensor, dim: i64, index: Tensor) -> Tensor, FUNCTION METHOD ANY_TYPE;
    value {
        if index.ndim() > 1 {
            bail!(Index, "index_select: the index has to be one-dimensional, its size is {}", shape::show(&index.sizes()));
        }
        if !matches!(index.dtype(), DType::Int64 | DType::Int32) {
            bail!(Runtime, "index_select: the index has to be int32 or int64, it is {}", index.dtype());
        }
        let d = wrap_dim(dim, input.ndim())?;
        let index = index.cast(DType::Int64)?;
        let size = input.sizes().get(d).copied().unwrap_or(1);
        if let Some(&bad) = index.to_vec::<i64>()?.iter().find(|&&i| i < 0 || i as usize >= size) {
            bail!(Index, "index_select: index {bad} is out of range for dimension {d} of a tensor of size {}", shape::show(&input.sizes()));
        }
        let mut indices = vec![None; d + 1];
        let flat = crate::ops::views::reshape(&index, &[-1])?;
        if input.ndim() == 0 {
            return Tensor::full(&[], input.item()?, input.dtype());
        }
        indices[d] = Some(flat);
        crate::ops::indexing::index_raw(input, &indices)
    }
    batch by(|batch| selected_of_batch(batch));
    derivative "IndexSelectBackward0" ByVjp {
        input(g, dim, index, ctx) => {
            let zeros = Tensor::zeros(&ctx.sizes_of(0)?, g.dtype())?;
            if zeros.ndim() == 0 || !owns(g) {
                return Ok(Gradients::from_elem(Some(index_add(&zeros, dim, index, g, Scalar::Int(1))?), 1));
            }
            let index = crate::ops::views::reshape(&index.cast(DType::Int64)?, &[-1])?;
            let indices = std::iter::repeat_n(None, wrap_dim(dim, zeros.ndim())?).chain([Some(index)]);
            crate::ops::indexing::put_raw(&zeros, &indices.collect::<Vec<_>>(), g, Write::Add)?;
            Ok(zeros)
        };
    }
}

/// `index_select` of a batch; places that differ between examples are gathered.
fn selected_of_batch(batch: &Batched) -> Result<Tensor> {
    let ndim = batch.ndim(0)?;
    if ndim == 0 {
        return batch.one_by_one_tensor();
    }
    let d = wrap_dim(batch.int(1), ndim)?;
    if !batch.has(2) {
        return index_select(batch.tensor(0)?, d as i64 + 1, batch.tensor(2)?);
    }
    let input = batch.all(0)?;
    let places = crate::ops::conversion::to_dtype(&batch.rows(2)?, DType::Int64)?;
    // One row of places for each example, repeated along the other dimensions.
    let mut sizes: Ints = Ints::from_elem(1, ndim);
    sizes[d] = places.sizes()[1] as i64;
    let mut wide: Ints = input.sizes()[1..].iter().map(|&n| n as i64).collect();
    wide[d] = sizes[d];
    let places = crate::ops::views::view(&places, &batch.sizes(&sizes))?;
    gather(&input, d as i64 + 1, &crate::ops::views::expand(&places, &batch.sizes(&wide))?, false)
}

op! {
    /// `input` with `alpha` times the parts of `source` added at the places of `index` along `dim`.
    fn index_add(
        input: Tensor, dim: i64, index: Tensor, source: Tensor; alpha: Scalar = crate::scalar::Scalar::Int(1)
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        let d = wrap_dim(dim, input.ndim())?;
        if index.ndim() > 1 {
            bail!(Index, "index_add: the index has to be a vector, its size is {}", shape::show(&index.sizes()));
        }
        if input.ndim() == 0 && source.ndim() > 0 {
            bail!(Runtime, "index_add: a source of size {} for a tensor without dimensions", shape::show(&source.sizes()));
        }
        if !matches!(index.dtype(), DType::Int32 | DType::Int64) {
            bail!(Runtime, "index_add: the index has to be int32 or int64, it is {}", index.dtype());
        }
        let out = input.copied(input.dtype())?;
        let index = crate::ops::views::reshape(&index.cast(DType::Int64)?, &[-1])?;
        if source.dtype() != input.dtype() {
            bail!(Runtime, "index_add: source is {} and the tensor is {}; they have to be the same", source.dtype(), input.dtype());
        }
        let source = scaled(&source.detach(), alpha)?.cast(input.dtype())?;
        let widen = |tensor: &Tensor| if tensor.ndim() == 0 { crate::ops::views::reshape(tensor, &[1]) } else { Ok(tensor.clone()) };
        let (target, source) = (widen(&out)?, widen(&source)?);
        if source.sizes().get(d).copied() != Some(index.numel()) {
            bail!(Runtime, "index_add: {} indices for a source of size {} along dimension {d}", index.numel(), shape::show(&source.sizes()));
        }
        let mut indices = vec![None; d + 1];
        indices[d] = Some(index);
        crate::ops::indexing::put_raw(&target, &indices, &source, Write::Add)?;
        Ok(out)
    }
    batch by(|batch| match batch.ndim(0)? {
        ndim if ndim > 0 && !batch.has(2) && batch.ndim(3)? == ndim => {
            let dim = wrap_dim(batch.int(1), ndim)? as i64 + 1;
            index_add(&batch.all(0)?, dim, batch.tensor(2)?, &batch.all(3)?, crate::scalar::Scalar::face(batch.value(4)))
        }
        _ => batch.one_by_one_tensor(),
    });
    derivative "IndexAddBackward0" ByVjp {
        input(g) => Ok(g.clone());
        source(g, dim, index, alpha, ctx) => {
            let sizes: Ints = ctx.sizes_of(3)?.iter().map(|&n| n as i64).collect();
            scaled(&crate::ops::views::reshape(&index_select(g, dim, index)?, &sizes)?, alpha)
        };
    }
}

fn scaled(tensor: &Tensor, alpha: Scalar) -> Result<Tensor> {
    match alpha {
        Scalar::Int(1) => Ok(tensor.clone()),
        alpha => crate::ops::arithmetic::mul(tensor.into(), alpha.into()),
    }
}
