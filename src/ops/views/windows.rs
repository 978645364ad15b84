//! Windows that slide along a dimension.

use super::ints;
use crate::bail;
use crate::op;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;

op! {
    /// All windows of `size` elements along a dimension, `step` apart, whose elements are a new last dimension; a view.
    fn unfold(input: Tensor, dimension: i64, size: i64, step: i64) -> Tensor, METHOD VIEW;
    value {
        let data = input.data();
        let d = wrap_dim(dimension, data.sizes.len())?;
        let length = data.sizes.get(d).copied().unwrap_or(1) as i64;
        let stride = data.strides.get(d).copied().unwrap_or(1);
        if size < 0 || size > length {
            bail!(Runtime, "unfold: windows of {size} elements do not fit dimension {dimension} of size {length}");
        }
        if step <= 0 {
            bail!(Runtime, "unfold: the step has to be positive, got {step}");
        }
        let (mut sizes, mut strides) = (data.sizes.clone(), data.strides.clone());
        if !sizes.is_empty() {
            sizes[d] = ((length - size) / step + 1) as usize;
            strides[d] = stride * step as usize;
        }
        sizes.push(size as usize);
        strides.push(stride);
        Ok(input.alias(sizes, strides, data.offset))
    }
    batch dims(dimension);
    derivative "UnfoldBackward0" Linear {
        input(g, dimension, size, step, ctx) => unfold_backward(g, &ints(&ctx.sizes_of(0)?), dimension, size, step);
    }
}

op! {
    /// The gradient of `unfold`: each element added to the place that it was seen at.
    fn unfold_backward as "unfold_backward" (grad_in: Tensor, input_sizes: Ints, dim: i64, size: i64, step: i64) -> Tensor;
    value {
        let zeros = Tensor::zeros(&shape::checked_sizes(input_sizes)?, grad_in.dtype())?;
        let seen = unfold(&zeros, dim, size, step)?;
        if seen.sizes() != grad_in.sizes() {
            bail!(Runtime, "unfold_backward: windows of size {} are expected, got {}", shape::show(&seen.sizes()), shape::show(&grad_in.sizes()));
        }
        if size <= step {
            crate::kernels::copy::copy(&seen.data(), &grad_in.data());
        } else {
            crate::kernels::index::add_each(&seen.data(), &grad_in.data());
        }
        Ok(zeros)
    }
    batch by(|batch| {
        let sizes = batch.ints(1);
        if sizes.is_empty() {
            return batch.one_by_one_tensor();
        }
        let dim = wrap_dim(batch.int(2), sizes.len())? as i64 + 1;
        unfold_backward(batch.tensor(0)?, &batch.sizes(sizes), dim, batch.int(3), batch.int(4))
    });
    derivative "UnfoldBackwardBackward0" Linear {
        grad_in(g, dim, size, step) => unfold(g, dim, size, step);
    }
}
