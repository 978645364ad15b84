//! Views of a part of a tensor, or of all its parts along a dimension.

use super::ints;
use crate::error::Result;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, op};

op! {
    /// The part at `index` along `dim`, without that dimension.
    fn select(input: Tensor, dim: i64, index: i64) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let data = input.data();
        if data.sizes.is_empty() {
            bail!(Index, "select: a tensor without dimensions has no parts");
        }
        let d = wrap_dim(dim, data.sizes.len())?;
        let size = data.sizes[d] as i64;
        if index < -size || index >= size {
            bail!(Index, "index {index} is out of bounds for dimension {d} with size {size}");
        }
        let (mut sizes, mut strides) = (data.sizes.clone(), data.strides.clone());
        let offset = data.offset + (if index < 0 { index + size } else { index }) as usize * strides[d];
        sizes.remove(d);
        strides.remove(d);
        Ok(input.alias(sizes, strides, offset))
    }
    batch dims(dim);
    derivative "SelectBackward0" Linear {
        input(g, dim, index, ctx) => select_backward(g, &ints(&ctx.sizes_of(0)?), dim, index);
    }
}

op! {
    /// Zeros of a size with `g` at `index` along `dim`: the gradient of `select`.
    fn select_backward as "select_backward" (g: Tensor, input_sizes: Ints, dim: i64, index: i64) -> Tensor, ANY_TYPE;
    value {
        let zeros = Tensor::zeros(&shape::checked_sizes(input_sizes)?, g.dtype())?;
        crate::kernels::copy::copy(&select(&zeros, dim, index)?.data(), &g.data());
        Ok(zeros)
    }
    batch by(|batch| {
        let sizes = batch.ints(1);
        let dim = wrap_dim(batch.int(2), sizes.len())? as i64 + 1;
        select_backward(batch.tensor(0)?, &batch.sizes(sizes), dim, batch.int(3))
    });
    derivative "SelectBackwardBackward0" Linear {
        g(g, dim, index) => select(g, dim, index);
    }
}

op! {
    /// The elements from `start` up to `end` along `dim`, each `step`-th.
    fn slice(input: Tensor, dim: i64 = 0, start: Option<i64> = None, end: Option<i64> = None, step: i64 = 1) -> Tensor, VIEW;
    value {
        let data = input.data();
        if data.sizes.is_empty() {
            bail!(Index, "slice: a tensor without dimensions cannot be sliced");
        }
        if step <= 0 {
            bail!(Value, "slice step has to be positive, got {step}");
        }
        let d = wrap_dim(dim, data.sizes.len())?;
        let size = data.sizes[d] as i64;
        let clamp = |at: i64| (if at < 0 { at.saturating_add(size) } else { at }).clamp(0, size);
        let start = clamp(start.unwrap_or(0));
        let end = clamp(end.unwrap_or(size)).max(start);
        let (mut sizes, mut strides) = (data.sizes.clone(), data.strides.clone());
        let offset = data.offset + start as usize * strides[d];
        sizes[d] = (end - start).div_ceil_by(step) as usize;
        strides[d] *= step as usize;
        Ok(input.alias(sizes, strides, offset))
    }
    batch dims(dim);
    derivative "SliceBackward0" Linear {
        input(g, dim, start, end, step, ctx) => {
            slice_backward(g, &ints(&ctx.sizes_of(0)?), dim, start, end, step)
        };
    }
}

/// Division of a non-negative number that rounds up.
trait DivCeil {
    fn div_ceil_by(self, step: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_by(self, step: i64) -> i64 {
        self / step + i64::from(self % step != 0)
    }
}

op! {
    /// Zeros of a size with `g` in a slice: the gradient of `slice`.
    fn slice_backward as "slice_backward" (
        g: Tensor, input_sizes: Ints, dim: i64, start: Option<i64>, end: Option<i64>, step: i64
    ) -> Tensor, ANY_TYPE;
    value {
        let zeros = Tensor::zeros(&shape::checked_sizes(input_sizes)?, g.dtype())?;
        crate::kernels::copy::copy(&slice(&zeros, dim, start, end, step)?.data(), &g.data());
        Ok(zeros)
    }
    batch by(|batch| {
        let sizes = batch.ints(1);
        let dim = wrap_dim(batch.int(2), sizes.len())? as i64 + 1;
        let (start, end) = (Option::<i64>::face(batch.value(3)), Option::<i64>::face(batch.value(4)));
        slice_backward(batch.tensor(0)?, &batch.sizes(sizes), dim, start, end, batch.int(5))
    });
    derivative "SliceBackwardBackward0" Linear {
        g(g, dim, start, end, step) => slice(g, dim, start, end, step);
    }
}

fn check_divisible(name: &str, input: &Tensor) -> Result<()> {
    if input.ndim() == 0 {
        bail!(Runtime, "{name}: a tensor without dimensions has no parts");
    }
    Ok(())
}

op! {
    /// `length` elements from `start` along `dim`.
    fn narrow(input: Tensor, dim: i64, start: i64, length: i64) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        check_divisible("narrow", input)?;
        let size = input.size(dim)? as i64;
        let first = if start < 0 { start + size } else { start };
        if first < 0 || first > size {
            bail!(Index, "narrow: start {start} is out of range for dimension {dim} of size {size}");
        }
        if length < 0 || first + length > size {
            bail!(
                Runtime,
                "narrow: length {length} from start {start} does not fit dimension {dim} of size {size}"
            );
        }
        slice(input, dim, Some(first), Some(first + length), 1)
    }
    derivative composite;
}

op! {
    /// All parts along `dim`, without that dimension.
    fn unbind(input: Tensor, dim: i64 = 0) -> List, FUNCTION METHOD VIEW;
    value {
        if input.ndim() == 0 {
            bail!(Index, "unbind: a tensor without dimensions has no parts");
        }
        (0..input.size(dim)? as i64).map(|i| select(input, dim, i)).collect()
    }
    batch dims(dim);
    derivative "UnbindBackward0" ByVjp {
        input(dim, ctx) => {
            let parts = all_gradients(ctx)?;
            crate::ops::joining::stack_tensors(&parts, dim)
        };
    }
}

op! {
    /// Parts of the given lengths along `dim`, which have to add up to its size.
    fn split_with_sizes(input: Tensor, split_sizes: IntList, dim: i64 = 0) -> List, FUNCTION METHOD VIEW;
    value {
        check_divisible("split_with_sizes", input)?;
        let size = input.size(dim)? as i64;
        if split_sizes.iter().any(|&n| n < 0) || split_sizes.iter().sum::<i64>() != size {
            bail!(
                Runtime,
                "split: lengths {} do not add up to the size {size} of dimension {dim}",
                shape::show(split_sizes)
            );
        }
        let mut start = 0;
        split_sizes
            .iter()
            .map(|&length| {
                start += length;
                narrow(input, dim, start - length, length)
            })
            .collect()
    }
    batch dims(dim);
    derivative "SplitWithSizesBackward0" ByVjp {
        input(dim, ctx) => crate::ops::joining::cat_tensors(&all_gradients(ctx)?, dim);
    }
}

/// The gradients of all results of a node, zeros where none arrived.
pub(crate) fn all_gradients(ctx: &crate::op::Backward) -> Result<Vec<Tensor>> {
    let count = ctx.node.outputs().len();
    (0..count)
        .map(|i| match ctx.gradient_of(i)? {
            Some(gradient) => Ok(gradient),
            None => {
                let meta = ctx.output_meta(i)?;
                Tensor::zeros(&meta.sizes, meta.dtype)
            }
        })
        .collect()
}

op! {
    /// Parts of `split_size` elements along `dim`; the last one may be shorter.
    fn split(input: Tensor, split_size: i64, dim: i64 = 0) -> List, FUNCTION METHOD VIEW;
    value {
        check_divisible("split", input)?;
        let size = input.size(dim)? as i64;
        if split_size < 0 || (split_size == 0 && size != 0) {
            bail!(Runtime, "split: split_size has to be positive, got {split_size}");
        }
        if size == 0 {
            return Ok(vec![narrow(input, dim, 0, 0)?]);
        }
        (0..size.div_ceil_by(split_size))
            .map(|i| narrow(input, dim, i * split_size, split_size.min(size - i * split_size)))
            .collect()
    }
    batch dims(dim);
    derivative "SplitBackward0" ByVjp {
        input(dim, ctx) => crate::ops::joining::cat_tensors(&all_gradients(ctx)?, dim);
    }
}

op! {
    /// Parts of the given lengths along `dim`.
    fn split_list as "split" / "sizes" (input: Tensor, split_size: Ints, dim: i64 = 0) -> List, FUNCTION METHOD;
    value { split_with_sizes(input, split_size, dim) }
    derivative composite;
}

op! {
    /// At most `chunks` parts of equal length along `dim`; the last one may be shorter.
    fn chunk(input: Tensor, chunks: i64, dim: i64 = 0) -> List, FUNCTION METHOD;
    value {
        if chunks <= 0 {
            bail!(Runtime, "chunk: the number of chunks has to be positive, got {chunks}");
        }
        check_divisible("chunk", input)?;
        let size = input.size(dim)? as i64;
        if size == 0 {
            let sizes: Ints = Ints::from_elem(0, chunks as usize);
            return split_with_sizes(input, &sizes, dim);
        }
        split(input, size.div_ceil_by(chunks), dim)
    }
    derivative composite;
}
