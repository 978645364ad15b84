//! Sorting along a dimension.

use crate::DType;
use crate::error::Result;
use crate::kernels::sort as kernel;
use crate::ops::gathering::scatter;
use crate::ops::reduction::check_ordered;
use crate::shape::{self, Dims, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, op};

/// The gradient of values chosen along a dimension, at the places that they come from.
pub(crate) fn put_at_places(g: &Tensor, indices: &Tensor, sizes: &Dims, dim: i64) -> Result<Tensor> {
    scatter(&Tensor::zeros(sizes, g.dtype())?, dim, indices, g)
}

fn sorted(input: &Tensor, dim: i64, descending: bool) -> Result<[Tensor; 2]> {
    check_ordered("sort", input)?;
    let d = wrap_dim(dim, input.ndim())?;
    let (values, indices) = (input.empty_alike(input.dtype())?, input.empty_alike(DType::Int64)?);
    kernel::sort(&values.data(), &indices.data(), &input.data(), d, descending);
    Ok([values, indices])
}

op! {
    /// The elements in ascending (or descending) order along `dim`, and their places; equal ones keep their order, and
    /// NaN is the largest number.
    fn sort(input: Tensor, dim: i64 = -1, descending: bool = false) -> (values, indices), FUNCTION METHOD;
    value { sorted(input, dim, descending) }
    batch dims(dim);
    derivative "SortBackward0" ByVjp {
        input(g, indices, dim, ctx) => put_at_places(g, indices, &ctx.sizes_of(0)?, dim);
    }
}

op! {
    /// `sort`, which is stable, as asked for.
    fn sort_stable as "sort" / "stable" (
        input: Tensor; stable: Option<bool>, dim: i64 = -1, descending: bool = false
    ) -> (values, indices), FUNCTION METHOD;
    value { sorted(input, dim, descending) }
    batch dims(dim);
    derivative "SortBackward1" ByVjp {
        input(g, indices, dim, ctx) => put_at_places(g, indices, &ctx.sizes_of(0)?, dim);
    }
}

op! {
    /// The places of the elements in ascending (or descending) order along `dim`.
    fn argsort(input: Tensor, dim: i64 = -1, descending: bool = false) -> Tensor, FUNCTION NO_OUT METHOD;
    value { let [_, indices] = sort(input, dim, descending)?; Ok(indices) }
    derivative composite;
}

op! {
    /// `argsort`, which is stable, as asked for.
    fn argsort_stable as "argsort" / "stable" (input: Tensor; stable: bool, dim: i64 = -1, descending: bool = false) -> Tensor,
        FUNCTION METHOD;
    value { let [_, indices] = sort(input, dim, descending)?; Ok(indices) }
    derivative composite;
}

op! {
    /// The elements in ascending order along the first dimension.
    fn msort(input: Tensor) -> Tensor, FUNCTION METHOD;
    value { let [values, _] = sort(input, 0, false)?; Ok(values) }
    derivative composite;
}

op! {
    /// The `k` largest (or smallest) elements along `dim` in their order, and their places.
    fn topk(input: Tensor, k: i64, dim: i64 = -1, largest: bool = true, sorted: bool = true) -> (values, indices), FUNCTION METHOD;
    value {
        check_ordered("topk", input)?;
        let d = wrap_dim(dim, input.ndim())?;
        let mut sizes = input.sizes();
        let length = sizes.get(d).copied().unwrap_or(1);
        if k < 0 || k as usize > length {
            bail!(Runtime, "topk: k is {k}, and dimension {dim} has {length} elements");
        }
        if input.dtype() == DType::Bool {
            bail!(Runtime, "topk: not defined for bool tensors");
        }
        if let Some(size) = sizes.get_mut(d) {
            *size = k as usize;
        }
        let (values, indices) = (Tensor::empty(&sizes, input.dtype())?, Tensor::empty(&sizes, DType::Int64)?);
        kernel::first(&values.data(), &indices.data(), &input.data(), d, largest, k as usize);
        Ok([values, indices])
    }
    batch dims(dim);
    derivative "TopkBackward0" ByVjp {
        input(g, indices, dim, ctx) => put_at_places(g, indices, &ctx.sizes_of(0)?, dim);
    }
}

/// Refuses lines without elements to choose from.
pub(crate) fn check_line(name: &str, input: &Tensor, d: usize) -> Result<()> {
    if input.sizes().get(d) == Some(&0) {
        bail!(Index, "{name}: dimension {d} of a tensor of size {} has no elements", shape::show(&input.sizes()));
    }
    Ok(())
}
