//! Views: other sizes and strides for the same memory.

mod parts;
mod strided;
mod windows;

use crate::DType;
use crate::error::Result;
use crate::op::Batched;
use crate::ops::conversion::row_major;
use crate::scalar::Scalar;
use crate::shape::{self, Dims, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, chosen, error, op};
pub use parts::*;
pub use strided::*;
pub use windows::*;

/// Sizes as arguments.
pub(crate) fn ints(dims: &[usize]) -> Ints {
    dims.iter().map(|&n| n as i64).collect()
}

/// The sizes that each example is to have, with that of the batch before them.
fn sizes_of_batch(batch: &Batched) -> Result<Ints> {
    Ok(batch.sizes(&ints(&shape::infer_size(batch.ints(1), &batch.tensor(0)?.sizes()[1..])?)))
}

/// The memory of a tensor seen with other sizes, not recorded.
fn seen(input: &Tensor, size: &[i64]) -> Result<Tensor> {
    let data = input.data();
    let sizes = shape::infer_size(size, &data.sizes)?;
    let Some(strides) = shape::view_strides(&data.sizes, &data.strides, &sizes) else {
        bail!(
            Runtime,
            "view: a tensor of size {} and strides {} cannot be seen as {} without a copy; use reshape()",
            shape::show(&data.sizes),
            shape::show(&data.strides),
            shape::show(&sizes)
        );
    };
    Ok(input.alias(sizes, strides, data.offset))
}

op! {
    /// The same elements with other sizes, without a copy; one size may be -1.
    ///
    /// Raises `RuntimeError` if the strides do not allow it.
    fn view(input: Tensor, size: Ints) -> Tensor, METHOD VIEW;
    value { seen(input, size) }
    batch by(|batch| view(batch.tensor(0)?, &sizes_of_batch(batch)?));
    derivative "ViewBackward0" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// The same memory as elements of another type. Where they are larger or smaller, the last dimension shrinks or grows.
    ///
    /// Raises `RuntimeError` if sizes or strides do not allow it.
    fn view_dtype as "view" / "dtype" (input: Tensor, dtype: DType) -> Tensor, METHOD VIEW;
    value {
        let mut data = input.data().clone();
        let (old, new) = (data.dtype.size(), dtype.size());
        let (mut sizes, mut strides, mut offset) = (data.sizes.clone(), data.strides.clone(), data.offset);
        if old != new {
            let misfit = || error!(
                Runtime,
                "view: a {} tensor of size {} and strides {} cannot be seen as {dtype}",
                data.dtype,
                shape::show(&data.sizes),
                shape::show(&data.strides)
            );
            let last = sizes.len().checked_sub(1).filter(|&last| strides[last] == 1).ok_or_else(misfit)?;
            let scaled = |n: usize| if (n * old).is_multiple_of(new) { Ok(n * old / new) } else { Err(misfit()) };
            sizes[last] = scaled(sizes[last])?;
            offset = scaled(offset)?;
            for d in 0..last {
                strides[d] = scaled(strides[d])?;
            }
        }
        let version = data.version.take();
        let seen = input.alias(sizes.clone(), strides.clone(), data.offset);
        let mut other = crate::data::Data::new(data.storage, sizes, strides, offset, dtype);
        other.version = version;
        seen.set_data(other);
        Ok(seen)
    }
    derivative none;
}

op! {
    /// The same elements with other sizes: a view where possible, else a copy; one size may be -1.
    fn reshape(input: Tensor, shape: Ints) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.is_contiguous() {
            return view(input, shape);
        }
        let viewable = {
            let data = input.data();
            let sizes = shape::infer_size(shape, &data.sizes)?;
            shape::view_strides(&data.sizes, &data.strides, &sizes).is_some()
        };
        if viewable { reshape_alias(input, shape) } else { unsafe_view(&row_major(input)?, shape) }
    }
    derivative composite;
}

op! {
    /// `view` as `reshape` makes it of a tensor that is not row-major.
    fn reshape_alias as "_reshape_alias" (input: Tensor, size: Ints) -> Tensor, VIEW;
    value { seen(input, size) }
    batch by(|batch| reshape_alias(batch.tensor(0)?, &sizes_of_batch(batch)?));
    derivative "ReshapeAliasBackward0" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// `view` of a tensor that nobody else sees, so that the result need not be a view of it.
    fn unsafe_view as "_unsafe_view" (input: Tensor, size: Ints) -> Tensor, ANY_TYPE;
    value { seen(input, size) }
    batch by(|batch| unsafe_view(batch.tensor(0)?, &sizes_of_batch(batch)?));
    derivative "UnsafeViewBackward0" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// The dimensions from `start_dim` to `end_dim` made one.
    fn flatten(input: Tensor, start_dim: i64 = 0, end_dim: i64 = -1) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let sizes = input.sizes();
        let (start, end) = (wrap_dim(start_dim, sizes.len())?, wrap_dim(end_dim, sizes.len())?);
        if start > end {
            bail!(Runtime, "flatten: start_dim {start_dim} comes after end_dim {end_dim}");
        }
        if sizes.is_empty() {
            return reshape(input, &[1]);
        }
        if start == end {
            return Ok(input.clone());
        }
        let mut target = ints(&sizes[..start]);
        target.push(sizes[start..=end].iter().product::<usize>() as i64);
        target.extend(ints(&sizes[end + 1..]));
        reshape(input, &target)
    }
    derivative composite;
}

op! {
    /// Dimensions of size 1 stretched to `size`, and new ones put before, without a copy; -1 keeps a size.
    fn expand(input: Tensor, size: Ints) -> Tensor, METHOD VIEW;
    value {
        let data = input.data();
        let misfit = || error!(
            Runtime,
            "expand: a tensor of size {} cannot be expanded to {}",
            shape::show(&data.sizes),
            shape::show(size)
        );
        let lead = size.len().checked_sub(data.sizes.len()).ok_or_else(misfit)?;
        let mut sizes = Dims::new();
        for (i, &n) in size.iter().enumerate() {
            sizes.push(match n {
                -1 if i >= lead => data.sizes[i - lead],
                n => usize::try_from(n).map_err(|_| misfit())?,
            });
        }
        let strides = shape::broadcast_strides(&data.sizes, &data.strides, &sizes).ok_or_else(misfit)?;
        Ok(input.alias(sizes, strides, data.offset))
    }
    batch by(|batch| {
        let (input, size) = (batch.tensor(0)?, batch.ints(1));
        let Some(lead) = size.len().checked_sub(batch.ndim(0)?) else { return batch.one_by_one_tensor() };
        // New dimensions stand between the batch and those of the example.
        let mut widened: Ints = Ints::from_elem(1, lead);
        widened.extend(ints(&input.sizes()[1..]));
        let negative = size[..lead].iter().any(|&n| n < 0);
        if negative { batch.one_by_one_tensor() } else { expand(&view(input, &batch.sizes(&widened))?, &batch.sizes(size)) }
    });
    derivative "ExpandBackward0" Linear {
        input(g, ctx) => crate::ops::reduction::sum_to_size(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// `input` expanded to the size of `other`.
    fn expand_as(input: Tensor, other: Tensor) -> Tensor, METHOD;
    value { expand(input, &ints(&other.sizes())) }
    derivative composite;
}

op! {
    /// `input` expanded to a size, as a function.
    fn broadcast_to(input: Tensor, size: Ints) -> Tensor, FUNCTION NO_OUT METHOD;
    value { expand(input, size) }
    derivative composite;
}

op! {
    /// The dimensions in another order.
    fn permute(input: Tensor, dims: Ints) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let data = input.data();
        let order = checked_order("permute", dims, data.sizes.len())?;
        let pick = |from: &Dims| order.iter().map(|&d| from[d]).collect();
        Ok(input.alias(pick(&data.sizes), pick(&data.strides), data.offset))
    }
    batch by(|batch| {
        let mut dims: Ints = [0].into_iter().collect();
        dims.extend(checked_order("permute", batch.ints(1), batch.ndim(0)?)?.iter().map(|&d| d as i64 + 1));
        permute(batch.tensor(0)?, &dims)
    });
    derivative "PermuteBackward0" Linear {
        input(g, dims) => {
            let order = checked_order("permute", dims, dims.len())?;
            let mut inverse: Ints = Ints::from_elem(0, order.len());
            for (to, &from) in order.iter().enumerate() {
                inverse[from] = to as i64;
            }
            permute(g, &inverse)
        };
    }
}

fn checked_order(name: &str, dims: &[i64], ndim: usize) -> Result<Dims> {
    if dims.len() != ndim {
        bail!(Runtime, "{name}: {} dimensions are given for a tensor of {ndim}", dims.len());
    }
    let mut seen: Dims = Dims::from_elem(0, ndim);
    let mut order = Dims::new();
    for &dim in dims {
        let d = wrap_dim(dim, ndim)?;
        seen[d] += 1;
        if seen[d] > 1 {
            bail!(Runtime, "{name}: dimension {d} is given twice in {}", shape::show(dims));
        }
        order.push(d);
    }
    Ok(order)
}

op! {
    /// Two dimensions exchanged.
    fn transpose(input: Tensor, dim0: i64, dim1: i64) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let data = input.data();
        let ndim = data.sizes.len();
        let (a, b) = (wrap_dim(dim0, ndim)?, wrap_dim(dim1, ndim)?);
        let (mut sizes, mut strides) = (data.sizes.clone(), data.strides.clone());
        if ndim > 0 {
            sizes.swap(a, b);
            strides.swap(a, b);
        }
        Ok(input.alias(sizes, strides, data.offset))
    }
    batch dims(dim0, dim1);
    derivative "TransposeBackward0" Linear {
        input(g, dim0, dim1) => transpose(g, dim0, dim1);
    }
}

op! {
    /// `transpose` in place, which changes how the memory is seen.
    fn transpose_in_place as "transpose" / "in_place" (input: Tensor, dim0: i64, dim1: i64) -> Tensor, VIEW IN_PLACE;
    value { Ok(transpose(&input.detach(), dim0, dim1)?.detach()) }
    derivative "TransposeBackward1" Linear {
        input(g, dim0, dim1) => transpose(g, dim0, dim1);
    }
}

op! {
    /// A matrix transposed; a vector or a tensor without dimensions as it is.
    fn t(input: Tensor) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let data = input.data();
        if data.sizes.len() > 2 {
            bail!(Runtime, "t: a tensor of at most 2 dimensions is expected, this one has size {}", shape::show(&data.sizes));
        }
        let reversed = |dims: &Dims| dims.iter().rev().copied().collect();
        Ok(input.alias(reversed(&data.sizes), reversed(&data.strides), data.offset))
    }
    batch by(|batch| match batch.ndim(0)? {
        0 | 1 => alias(batch.tensor(0)?),
        2 => transpose(batch.tensor(0)?, 1, 2),
        _ => batch.one_by_one_tensor(),
    });
    derivative "TBackward0" Linear {
        input(g) => t(g);
    }
}

op! {
    /// `t` in place.
    fn t_in_place as "t" / "in_place" (input: Tensor) -> Tensor, VIEW IN_PLACE;
    value { Ok(t(&input.detach())?.detach()) }
    derivative "TBackward1" Linear {
        input(g) => t(g);
    }
}

op! {
    /// Dimensions moved from some places to others, the rest kept in order.
    fn movedim(input: Tensor, source: IntList, destination: IntList) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let ndim = input.ndim();
        if source.len() != destination.len() {
            bail!(Runtime, "movedim: {} sources but {} destinations", source.len(), destination.len());
        }
        if ndim == 0 {
            for &dim in source.iter().chain(destination) {
                wrap_dim(dim, 0)?;
            }
            return alias(input);
        }
        let mut order: Vec<Option<usize>> = vec![None; ndim];
        let mut moved = vec![false; ndim];
        for (&from, &to) in source.iter().zip(destination) {
            let (from, to) = (wrap_dim(from, ndim)?, wrap_dim(to, ndim)?);
            if std::mem::replace(&mut moved[from], true) || order[to].is_some() {
                bail!(Runtime, "movedim: a dimension is given twice in {} or {}", shape::show(source), shape::show(destination));
            }
            order[to] = Some(from);
        }
        let mut rest = (0..ndim).filter(|&d| !moved[d]);
        let dims: Ints = order.iter().map(|slot| slot.or_else(|| rest.next()).unwrap_or(0) as i64).collect();
        permute(input, &dims)
    }
    derivative composite;
}

op! {
    /// `movedim` under numpy's name.
    fn moveaxis(input: Tensor, source: IntList, destination: IntList) -> Tensor, FUNCTION NO_OUT METHOD;
    value { movedim(input, source, destination) }
    derivative composite;
}

op! {
    /// `transpose` under numpy's name.
    fn swapaxes(input: Tensor, axis0: i64, axis1: i64) -> Tensor, FUNCTION NO_OUT METHOD;
    value { transpose(input, axis0, axis1) }
    derivative composite;
}

op! {
    /// `swapaxes` in place.
    fn swapaxes_in_place as "swapaxes" / "in_place" (input: Tensor, axis0: i64, axis1: i64) -> Tensor, IN_PLACE;
    choose { Ok(chosen!(transpose_in_place(input, Scalar::Int(axis0), Scalar::Int(axis1)))) }
}

op! {
    /// `transpose` under another name.
    fn swapdims(input: Tensor, dim0: i64, dim1: i64) -> Tensor, FUNCTION NO_OUT METHOD;
    value { transpose(input, dim0, dim1) }
    derivative composite;
}

op! {
    /// `swapdims` in place.
    fn swapdims_in_place as "swapdims" / "in_place" (input: Tensor, dim0: i64, dim1: i64) -> Tensor, IN_PLACE;
    choose { Ok(chosen!(transpose_in_place(input, Scalar::Int(dim0), Scalar::Int(dim1)))) }
}

op! {
    /// The last two dimensions exchanged, and the elements conjugated where they are complex.
    fn adjoint(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.ndim() == 1 {
            bail!(Runtime, "adjoint: a tensor of at least two dimensions is expected, its size is {}", shape::show(&input.sizes()));
        }
        if input.ndim() == 0 {
            return crate::ops::complex::conj(input);
        }
        crate::ops::complex::conj(&transpose(input, -2, -1)?)
    }
    derivative composite;
}

op! {
    /// A tensor as a vector: a view where possible.
    fn ravel(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.is_contiguous() { view(input, &[-1]) } else { view(&row_major(input)?, &[-1]) }
    }
    derivative composite;
}

op! {
    /// `reshape` to the size of `other`.
    fn reshape_as(input: Tensor, other: Tensor) -> Tensor, METHOD;
    value { reshape(input, &ints(&other.sizes())) }
    derivative composite;
}

op! {
    /// `view` with the size of `other`.
    fn view_as(input: Tensor, other: Tensor) -> Tensor, METHOD;
    value { view(input, &ints(&other.sizes())) }
    derivative composite;
}

op! {
    /// Dimension `dim` as several ones of the given sizes, one of which may be -1.
    fn unflatten(input: Tensor, dim: i64, sizes: IntList) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let own = input.sizes();
        let d = wrap_dim(dim, own.len())?;
        if sizes.is_empty() {
            bail!(Runtime, "unflatten: at least one size is needed");
        }
        let parts = shape::infer_size(sizes, &[own.get(d).copied().unwrap_or(1)]).map_err(|error| error.context("unflatten"))?;
        let mut target = ints(&own[..d]);
        target.extend(ints(&parts));
        target.extend(own.iter().skip(d + 1).map(|&n| n as i64));
        view(input, &target)
    }
    derivative composite;
}

op! {
    /// `movedim` for one dimension.
    fn movedim_one as "movedim" / "int" (input: Tensor, source: i64, destination: i64) -> Tensor, FUNCTION NO_OUT METHOD;
    value { movedim(input, &[source], &[destination]) }
    derivative composite;
}

op! {
    /// `moveaxis` for one dimension.
    fn moveaxis_one as "moveaxis" / "int" (input: Tensor, source: i64, destination: i64) -> Tensor, FUNCTION NO_OUT METHOD;
    value { movedim(input, &[source], &[destination]) }
    derivative composite;
}

op! {
    /// A dimension of size 1 put in at `dim`.
    fn unsqueeze(input: Tensor, dim: i64) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let data = input.data();
        let d = wrap_dim(dim, data.sizes.len() + 1)?;
        let (mut sizes, mut strides) = (data.sizes.clone(), data.strides.clone());
        let stride = if d < sizes.len() { sizes[d] * strides[d] } else { 1 };
        sizes.insert(d, 1);
        strides.insert(d, stride);
        Ok(input.alias(sizes, strides, data.offset))
    }
    batch inserted(dim);
    derivative "UnsqueezeBackward0" Linear {
        input(g, dim) => squeeze(g, dim);
    }
}

op! {
    /// `unsqueeze` in place.
    fn unsqueeze_in_place as "unsqueeze" / "in_place" (input: Tensor, dim: i64) -> Tensor, VIEW IN_PLACE;
    value { Ok(unsqueeze(&input.detach(), dim)?.detach()) }
    derivative "UnsqueezeBackward1" Linear {
        input(g, dim) => squeeze(g, dim);
    }
}

op! {
    /// All dimensions of size 1 taken out.
    fn squeeze_all as "squeeze" (input: Tensor) -> Tensor, FUNCTION METHOD VIEW;
    value { Ok(squeezed(input, |_| true)) }
    batch by(|batch| squeeze_dims(batch.tensor(0)?, &batch.every_dim(0)?));
    derivative "SqueezeBackward0" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// Dimension `dim` taken out if its size is 1.
    fn squeeze as "squeeze" / "dim" (input: Tensor, dim: i64) -> Tensor, FUNCTION METHOD VIEW;
    value {
        let d = wrap_dim(dim, input.ndim())?;
        Ok(squeezed(input, |i| i == d))
    }
    batch dims(dim);
    derivative "SqueezeBackward1" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// `squeeze` of a tensor that nobody else sees.
    fn squeeze_in_place as "_squeeze" (input: Tensor, dim: i64) -> Tensor, ANY_TYPE;
    value {
        let d = wrap_dim(dim, input.ndim())?;
        Ok(squeezed(input, |i| i == d))
    }
    batch dims(dim);
    derivative "SqueezeBackward4" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// Those of the given dimensions taken out whose size is 1.
    fn squeeze_dims as "squeeze" / "dims" (input: Tensor, dim: Ints) -> Tensor, FUNCTION METHOD VIEW;
    value {
        if dim.is_empty() {
            return Ok(squeezed(input, |_| false));
        }
        let chosen = shape::wrap_dims(Some(dim), input.ndim())?;
        Ok(squeezed(input, |i| chosen[i]))
    }
    batch dims(dim);
    derivative "SqueezeBackward2" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// `squeeze` in place, of all dimensions.
    fn squeeze_all_in_place as "squeeze" / "all_in_place" (input: Tensor) -> Tensor, VIEW IN_PLACE;
    value { Ok(squeezed(input, |_| true)) }
    derivative "SqueezeBackward3" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// `squeeze` in place, of one dimension.
    fn squeeze_one_in_place as "squeeze" / "dim_in_place" (input: Tensor, dim: i64) -> Tensor, VIEW IN_PLACE;
    value { Ok(squeeze(&input.detach(), dim)?.detach()) }
    derivative "SqueezeBackward4" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

op! {
    /// `squeeze` in place, of some dimensions.
    fn squeeze_dims_in_place as "squeeze" / "dims_in_place" (input: Tensor, dim: Ints) -> Tensor, VIEW IN_PLACE;
    value { Ok(squeeze_dims(&input.detach(), dim)?.detach()) }
    derivative "SqueezeBackward5" Linear {
        input(g, ctx) => reshape(g, &ints(&ctx.sizes_of(0)?));
    }
}

fn squeezed(input: &Tensor, chosen: impl Fn(usize) -> bool) -> Tensor {
    let data = input.data();
    let kept = |i: &usize| !(chosen(*i) && data.sizes[*i] == 1);
    let (sizes, strides) = (0..data.sizes.len()).filter(kept).map(|i| (data.sizes[i], data.strides[i])).unzip();
    input.alias(sizes, strides, data.offset)
}

op! {
    /// A view of the whole tensor, so that the result is a tensor of its own with the same history.
    fn alias(input: Tensor) -> Tensor, VIEW;
    value { Ok(input.detach()) }
    batch dims();
    derivative "AliasBackward0" Linear {
        input(g) => Ok(g.clone());
    }
}
