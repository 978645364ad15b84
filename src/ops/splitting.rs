//! Tensors taken apart along a dimension: by numbers of parts, by places, and into parts that are no views.

use crate::DType;
use crate::error::Result;
use crate::ops::joining::cat_tensors;
use crate::ops::views::{self, all_gradients};
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, op};

/// The parts between neighbouring places along a dimension, where places count and end as those of a slice.
fn between(input: &Tensor, places: &[i64], dim: i64) -> Result<Vec<Tensor>> {
    let mut start = 0;
    let mut parts = Vec::new();
    for &end in places {
        parts.push(views::slice(input, dim, Some(start), Some(end), 1)?);
        start = end;
    }
    parts.push(views::slice(input, dim, Some(start), None, 1)?);
    Ok(parts)
}

fn check_dimensions(name: &str, input: &Tensor) -> Result<()> {
    if input.ndim() == 0 {
        bail!(Runtime, "{name}: a tensor without dimensions cannot be split");
    }
    Ok(())
}

fn in_sections(input: &Tensor, sections: i64, dim: i64) -> Result<Vec<Tensor>> {
    check_dimensions("tensor_split", input)?;
    let size = input.size(dim)? as i64;
    if sections <= 0 {
        bail!(Runtime, "tensor_split: the number of sections has to be positive, got {sections}");
    }
    let (short, longer) = (size / sections, size % sections);
    let mut parts = Vec::new();
    if parts.try_reserve_exact(sections as usize).is_err() {
        bail!(Runtime, "tensor_split: {sections} parts do not fit the memory");
    }
    let mut start = 0;
    for i in 0..sections {
        let first = start;
        start += short + i64::from(i < longer);
        parts.push(views::slice(input, dim, Some(first), Some(start), 1)?);
    }
    Ok(parts)
}

fn at_places(input: &Tensor, indices: &[i64], dim: i64) -> Result<Vec<Tensor>> {
    check_dimensions("tensor_split", input)?;
    wrap_dim(dim, input.ndim())?;
    between(input, indices, dim)
}

op! {
    /// Parts as a tensor says: so many if it has no dimensions, cut at these places if it is a vector.
    fn tensor_split_by_tensor as "tensor_split" / "tensor_indices_or_sections" (
        input: Tensor, tensor_indices_or_sections: Tensor, dim: i64 = 0
    ) -> List, FUNCTION METHOD;
    value {
        let given = tensor_indices_or_sections;
        if given.dtype() != DType::Int64 || given.ndim() > 1 {
            bail!(
                Runtime,
                "tensor_split: an int64 tensor of at most one dimension is expected, got {} of size {}",
                given.dtype(),
                shape::show(&given.sizes())
            );
        }
        match given.ndim() {
            0 => in_sections(input, given.item()?.to_i64(), dim),
            _ => at_places(input, &given.to_vec::<i64>()?, dim),
        }
    }
    derivative composite;
}

op! {
    /// `sections` parts along `dim` of almost equal length, the first ones longer by one if it does not divide.
    fn tensor_split_sections as "tensor_split" / "sections" (input: Tensor, sections: i64, dim: i64 = 0) -> List, FUNCTION METHOD;
    value { in_sections(input, sections, dim) }
    derivative composite;
}

op! {
    /// The parts between the given places along `dim`.
    fn tensor_split_indices as "tensor_split" / "indices" (input: Tensor, indices: Ints, dim: i64 = 0) -> List, FUNCTION METHOD;
    value { at_places(input, indices, dim) }
    derivative composite;
}

op! {
    /// `tensor_split`, with the one argument under the name that PyTorch documents.
    fn tensor_split_named_sections as "tensor_split" / "named_sections" (
        input: Tensor, indices_or_sections: i64, dim: i64 = 0
    ) -> List, FUNCTION METHOD;
    value { in_sections(input, indices_or_sections, dim) }
    derivative composite;
}

/// `sections` parts of equal length along a dimension.
fn equally(name: &str, input: &Tensor, sections: i64, dim: i64) -> Result<Vec<Tensor>> {
    let size = input.size(dim)? as i64;
    if sections <= 0 || size % sections != 0 {
        bail!(Runtime, "{name}: {sections} equal parts of dimension {dim} of size {size} are not possible");
    }
    in_sections(input, sections, dim)
}

fn check_at_least(name: &str, input: &Tensor, ndim: usize) -> Result<()> {
    if input.ndim() < ndim {
        bail!(
            Runtime,
            "{name}: a tensor of at least {ndim} dimensions is expected, its size is {}",
            shape::show(&input.sizes())
        );
    }
    Ok(())
}

op! {
    /// Parts of equal length side by side: along the second dimension, of a vector along its only one.
    fn hsplit(input: Tensor, sections: i64) -> List, FUNCTION METHOD;
    value {
        check_at_least("hsplit", input, 1)?;
        equally("hsplit", input, sections, i64::from(input.ndim() > 1))
    }
    derivative composite;
}

op! {
    /// Parts side by side between the given places.
    fn hsplit_indices as "hsplit" / "array" (input: Tensor, indices: Ints) -> List, FUNCTION METHOD;
    value {
        check_at_least("hsplit", input, 1)?;
        at_places(input, indices, i64::from(input.ndim() > 1))
    }
    derivative composite;
}

op! {
    /// Parts of equal length one above the other: along the first dimension.
    fn vsplit(input: Tensor, sections: i64) -> List, FUNCTION METHOD;
    value {
        check_at_least("vsplit", input, 2)?;
        equally("vsplit", input, sections, 0)
    }
    derivative composite;
}

op! {
    /// Parts one above the other between the given places.
    fn vsplit_indices as "vsplit" / "array" (input: Tensor, indices: Ints) -> List, FUNCTION METHOD;
    value {
        check_at_least("vsplit", input, 2)?;
        at_places(input, indices, 0)
    }
    derivative composite;
}

op! {
    /// Parts of equal length in depth: along the third dimension.
    fn dsplit(input: Tensor, sections: i64) -> List, FUNCTION METHOD;
    value {
        check_at_least("dsplit", input, 3)?;
        equally("dsplit", input, sections, 2)
    }
    derivative composite;
}

op! {
    /// Parts in depth between the given places.
    fn dsplit_indices as "dsplit" / "array" (input: Tensor, indices: Ints) -> List, FUNCTION METHOD;
    value {
        check_at_least("dsplit", input, 3)?;
        at_places(input, indices, 2)
    }
    derivative composite;
}

/// Tensors on the memory of others that are no views of them.
fn apart(parts: Vec<Tensor>) -> Vec<Tensor> {
    parts.iter().map(Tensor::detach).collect()
}

op! {
    /// `split` whose parts do not count as views, so that each may be changed in place.
    fn unsafe_split(input: Tensor, split_size: i64, dim: i64 = 0) -> List, FUNCTION METHOD ANY_TYPE;
    value { Ok(apart(views::split(&input.detach(), split_size, dim)?)) }
    batch dims(dim);
    derivative "UnsafeSplitBackward0" ByVjp {
        input(dim, ctx) => cat_tensors(&all_gradients(ctx)?, dim);
    }
}

op! {
    /// `split_with_sizes` whose parts do not count as views.
    fn unsafe_split_with_sizes(input: Tensor, split_sizes: IntList, dim: i64 = 0) -> List, FUNCTION METHOD ANY_TYPE;
    value { Ok(apart(views::split_with_sizes(&input.detach(), split_sizes, dim)?)) }
    batch dims(dim);
    derivative "UnsafeSplitWithSizesBackward0" ByVjp {
        input(dim, ctx) => cat_tensors(&all_gradients(ctx)?, dim);
    }
}

op! {
    /// `chunk` whose parts do not count as views.
    fn unsafe_chunk(input: Tensor, chunks: i64, dim: i64 = 0) -> List, FUNCTION METHOD;
    value {
        if chunks <= 0 {
            bail!(Runtime, "unsafe_chunk: the number of chunks has to be positive, got {chunks}");
        }
        check_dimensions("unsafe_chunk", input)?;
        let size = input.size(dim)? as i64;
        if size == 0 {
            return unsafe_split_with_sizes(input, &Ints::from_elem(0, chunks as usize), dim);
        }
        unsafe_split(input, size / chunks + i64::from(size % chunks != 0), dim)
    }
    derivative composite;
}

op! {
    /// `narrow` with memory of its own.
    fn narrow_copy(input: Tensor, dim: i64, start: i64, length: i64) -> Tensor, FUNCTION METHOD;
    value { views::narrow(&input.detach(), dim, start, length)?.copied(input.dtype()) }
    batch dims(dim);
    derivative "NarrowCopyBackward0" Linear {
        input(g, dim, start, length, ctx) => {
            let sizes = ctx.sizes_of(0)?;
            let size = sizes[wrap_dim(dim, sizes.len())?] as i64;
            let start = if start < 0 { start + size } else { start };
            views::slice_backward(g, &views::ints(&sizes), dim, Some(start), Some(start + length), 1)
        };
    }
}
