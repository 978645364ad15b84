//! A tensor with another one in the place of a part of it: what assignment to a view does, without changing anything.

use crate::error::Result;
use crate::kernels::copy;
use crate::ops::complex::check_no_gradient;
use crate::ops::views;
use crate::shape;
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, op};

/// Stores `src` in a part of a fresh tensor, which has to have its size.
pub(crate) fn put_part(name: &str, part: &Tensor, src: &Tensor) -> Result<()> {
    if part.sizes() != src.sizes() {
        bail!(
            Runtime,
            "{name}: src has size {}, the part that it is put in the place of {}",
            shape::show(&src.sizes()),
            shape::show(&part.sizes())
        );
    }
    copy::copy(&part.data(), &src.data());
    Ok(())
}

/// A copy of a tensor to put a part into: with its strides, gaps and all, unless elements share a place.
pub(crate) fn copy_with_strides(input: &Tensor) -> Result<Tensor> {
    let (sizes, strides) = (input.sizes(), input.strides());
    if shape::may_overlap(&sizes, &strides) {
        return input.copied(input.dtype());
    }
    let copied = Tensor::empty_spread(&sizes, &strides, input.dtype())?;
    copy::copy(&copied.data(), &input.data());
    Ok(copied)
}

/// Zeros of the size of a part.
fn nothing(part: &Tensor) -> Result<Tensor> {
    Tensor::zeros(&part.sizes(), part.dtype())
}

op! {
    /// `input` with `src` at `index` along `dim`.
    fn select_scatter(input: Tensor, src: Tensor, dim: i64, index: i64) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        check_no_gradient("select_scatter", &[input, src])?;
        let out = copy_with_strides(input)?;
        put_part("select_scatter", &views::select(&out, dim, index)?, src)?;
        Ok(out)
    }
    batch by(|batch| {
        let ndim = batch.ndim(0)?;
        if ndim == 0 {
            return batch.one_by_one_tensor();
        }
        let dim = shape::wrap_dim(batch.int(2), ndim)? as i64 + 1;
        select_scatter(&batch.all(0)?, &batch.all(1)?, dim, batch.int(3))
    });
    derivative "SelectScatterBackward0" Linear {
        input(g, dim, index) => select_scatter(g, &nothing(&views::select(&g.detach(), dim, index)?)?, dim, index);
        src(g, dim, index) => views::select(g, dim, index);
    }
}

op! {
    /// `input` with `src` from `start` to `end` along `dim`, at each `step`-th place.
    fn slice_scatter(
        input: Tensor, src: Tensor, dim: i64 = 0, start: Option<i64> = None, end: Option<i64> = None, step: i64 = 1
    ) -> Tensor, FUNCTION METHOD;
    value {
        check_no_gradient("slice_scatter", &[input, src])?;
        if step <= 0 {
            bail!(Runtime, "slice_scatter: the step has to be positive, got {step}");
        }
        let out = copy_with_strides(input)?;
        put_part("slice_scatter", &views::slice(&out, dim, start, end, step)?, src)?;
        Ok(out)
    }
    batch by(|batch| {
        let ndim = batch.ndim(0)?;
        if ndim == 0 {
            return batch.one_by_one_tensor();
        }
        let dim = shape::wrap_dim(batch.int(2), ndim)? as i64 + 1;
        let [start, end] = [3, 4].map(|i| <Option<i64> as crate::value::Argument>::face(batch.value(i)));
        slice_scatter(&batch.all(0)?, &batch.all(1)?, dim, start, end, batch.int(5))
    });
    derivative "SliceScatterBackward0" Linear {
        input(g, dim, start, end, step) => {
            let part = views::slice(&g.detach(), dim, start, end, step)?;
            slice_scatter(g, &nothing(&part)?, dim, start, end, step)
        };
        src(g, dim, start, end, step) => views::slice(g, dim, start, end, step);
    }
}

op! {
    /// `input` with `src` where `as_strided` with the same arguments sees it.
    fn as_strided_scatter(
        input: Tensor, src: Tensor, size: IntList, stride: IntList, storage_offset: Option<i64> = None
    ) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let out = copy_with_strides(input)?;
        put_part("as_strided_scatter", &views::as_strided(&out, size, stride, storage_offset)?, src)?;
        Ok(out)
    }
    derivative "AsStridedScatterBackward0" Linear {
        input(g, size, stride, storage_offset) => {
            let g = crate::ops::conversion::contiguous(g)?;
            let part = views::as_strided(&g.detach(), size, stride, storage_offset)?;
            as_strided_scatter(&g, &nothing(&part)?, size, stride, storage_offset)
        };
        src(g, size, stride, storage_offset) => {
            views::as_strided(&crate::ops::conversion::contiguous(g)?, size, stride, storage_offset)
        };
    }
}
