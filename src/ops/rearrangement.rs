//! The same elements in another order, or several times: flip, roll, rot90, repeat.

use crate::DType;
use crate::error::Result;
use crate::kernels::copy;
use crate::ops::reduction::sum;
use crate::ops::views::{self, ints};
use crate::shape::{self, Dims, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, op};

op! {
    /// A copy with the elements in reverse order along some dimensions.
    fn flip(input: Tensor, dims: Ints) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let chosen = match dims {
            [] => smallvec::SmallVec::from_elem(false, input.ndim()),
            dims => shape::wrap_dims(Some(dims), input.ndim())?,
        };
        let (sizes, strides) = (input.sizes(), input.strides());
        let Some(order) = shape::dense_order(&sizes, &strides) else {
            let source = input.copied(input.dtype())?;
            let out = Tensor::empty(&sizes, input.dtype())?;
            crate::kernels::flip::flip(&out.data(), &source.data(), &chosen);
            return Ok(out);
        };
        // In the order of memory both tensors are row-major.
        let out = Tensor::empty_strided(sizes.clone(), strides.clone(), input.dtype())?;
        let arranged = |tensor: &Tensor| {
            let sizes: Dims = order.iter().map(|&d| sizes[d]).collect();
            let offset = tensor.data().offset;
            tensor.alias(sizes.clone(), shape::contiguous_strides(&sizes), offset)
        };
        let chosen: smallvec::SmallVec<[bool; 8]> = order.iter().map(|&d| chosen[d]).collect();
        crate::kernels::flip::flip(&arranged(&out).data(), &arranged(input).data(), &chosen);
        Ok(out)
    }
    batch dims(dims);
    derivative "FlipBackward0" Linear {
        input(g, dims) => flip(g, dims);
    }
}

op! {
    /// `flip` along the second dimension.
    fn fliplr(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.ndim() < 2 {
            bail!(Runtime, "fliplr: a tensor of at least two dimensions is expected, its size is {}", shape::show(&input.sizes()));
        }
        flip(input, &[1])
    }
    derivative composite;
}

op! {
    /// `flip` along the first dimension.
    fn flipud(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.ndim() < 1 {
            bail!(Runtime, "flipud: a tensor of at least one dimension is expected");
        }
        flip(input, &[0])
    }
    derivative composite;
}

/// A copy with the elements moved on by `shift` places along a dimension; what falls off comes in at the other end.
fn rolled(input: &Tensor, shift: i64, d: usize) -> Result<Tensor> {
    let out = Tensor::empty(&input.sizes(), input.dtype())?;
    let length = input.sizes()[d] as i64;
    if length == 0 {
        return Ok(out);
    }
    let (d, shift) = (d as i64, shift.rem_euclid(length));
    let put = |to: i64, from: i64, count: i64| -> Result<()> {
        let target = views::narrow(&out, d, to, count)?;
        copy::copy(&target.data(), &views::narrow(input, d, from, count)?.data());
        Ok(())
    };
    put(0, length - shift, shift)?;
    put(shift, 0, length - shift)?;
    Ok(out)
}

op! {
    /// The elements moved on by some places along some dimensions, or in the flattened tensor if none is given; what
    /// falls off at an end comes in at the other.
    fn roll(input: Tensor, shifts: Ints, dims: Ints = &[]) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let input = input.detach();
        if dims.is_empty() && shifts.len() == 1 {
            let flat = views::reshape(&input, &[-1])?;
            let moved = rolled(&flat, shifts[0], 0)?;
            let sizes = input.sizes();
            return Ok(moved.alias(sizes.clone(), shape::contiguous_strides(&sizes), 0));
        }
        if shifts.is_empty() {
            bail!(Runtime, "roll: at least one shift is needed");
        }
        if shifts.len() != dims.len() {
            bail!(Runtime, "roll: {} shifts for {} dimensions", shifts.len(), dims.len());
        }
        let mut out = None;
        for (&shift, &dim) in shifts.iter().zip(dims) {
            let d = wrap_dim(dim, input.ndim())?;
            if input.ndim() > 0 {
                out = Some(rolled(out.as_ref().unwrap_or(&input), shift, d)?);
            }
        }
        out.map_or_else(|| input.copied(input.dtype()), Ok)
    }
    batch by(|batch| {
        let (shifts, dims) = (batch.ints(1), batch.ints(2));
        let ndim = batch.ndim(0)?;
        if dims.is_empty() || ndim == 0 {
            return batch.one_by_one_tensor();
        }
        let dims = dims.iter().map(|&dim| Ok(wrap_dim(dim, ndim)? as i64 + 1)).collect::<Result<Ints>>()?;
        roll(batch.tensor(0)?, shifts, &dims)
    });
    derivative "RollBackward0" Linear {
        input(g, shifts, dims) => roll(g, &shifts.iter().map(|&n| n.wrapping_neg()).collect::<Ints>(), dims);
    }
}

op! {
    /// The plane of two dimensions turned by `k` right angles, from the first towards the second.
    fn rot90(input: Tensor, k: i64 = 1, dims: IntList = &[0, 1]) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let ndim = input.ndim();
        let &[first, second] = dims else {
            bail!(Runtime, "rot90: two dimensions are needed, got {}", shape::show(dims));
        };
        if ndim < 2 {
            bail!(Runtime, "rot90: a tensor of at least two dimensions is expected, its size is {}", shape::show(&input.sizes()));
        }
        if first == second || first.abs_diff(second) == ndim as u64 {
            bail!(Runtime, "rot90: two different dimensions are needed, got {first} and {second}");
        }
        wrap_dim(first, ndim)?;
        wrap_dim(second, ndim)?;
        let input = input.detach();
        match k.rem_euclid(4) {
            1 => Ok(views::transpose(&flip(&input, &[second])?, first, second)?.detach()),
            2 => flip(&input, &[first, second]),
            3 => Ok(views::transpose(&flip(&input, &[first])?, first, second)?.detach()),
            _ => input.copied(input.dtype()),
        }
    }
    batch dims(dims);
    derivative "Rot90Backward0" Linear {
        input(g, k, dims) => rot90(g, k.wrapping_neg(), dims);
    }
}

/// Sizes with ones before them, so that there are at least `ndim`.
fn padded(sizes: &[usize], ndim: usize) -> Dims {
    std::iter::repeat_n(1, ndim.saturating_sub(sizes.len())).chain(sizes.iter().copied()).collect()
}

/// Each size behind the number of its repetitions.
fn interleaved(repeats: &[usize], sizes: &[usize]) -> Dims {
    repeats.iter().zip(sizes).flat_map(|(&count, &size)| [count, size]).collect()
}

op! {
    /// The tensor laid out so many times along each dimension; further numbers are for new dimensions before.
    fn repeat(input: Tensor, repeats: Ints) -> Tensor, METHOD;
    value {
        if repeats.len() < input.ndim() {
            bail!(Runtime, "repeat: {} numbers for a tensor of {} dimensions", repeats.len(), input.ndim());
        }
        let counts = shape::checked_sizes(repeats)?;
        let sizes = padded(&input.sizes(), counts.len());
        let total: Dims = counts.iter().zip(&sizes).map(|(n, size)| n.saturating_mul(*size)).collect();
        let out = Tensor::empty(&total, input.dtype())?;
        if out.numel() == 0 {
            return Ok(out);
        }
        let whole = interleaved(&counts, &sizes);
        let target = out.alias(whole.clone(), shape::contiguous_strides(&whole), 0);
        let once = interleaved(&Dims::from_elem(1, counts.len()), &sizes);
        let source = input.to_contiguous()?;
        let source = source.alias(once.clone(), shape::contiguous_strides(&once), source.data().offset);
        copy::copy(&target.data(), &source.data());
        Ok(out)
    }
    batch by(|batch| {
        let (input, repeats) = (batch.tensor(0)?, batch.ints(1));
        let ndim = batch.ndim(0)?;
        let Some(new) = repeats.len().checked_sub(ndim) else { return batch.one_by_one_tensor() };
        let mut sizes = Ints::from_elem(1, new);
        sizes.extend(ints(&input.sizes()[1..]));
        let mut counts = Ints::from_elem(1, 1);
        counts.extend(repeats.iter().copied());
        repeat(&views::reshape(input, &batch.sizes(&sizes))?, &counts)
    });
    derivative "RepeatBackward0" Linear {
        input(g, repeats, ctx) => {
            let own = ctx.sizes_of(0)?;
            let counts = shape::checked_sizes(repeats)?;
            if counts.contains(&0) {
                return Ok(crate::op::Gradients::from_elem(Some(Tensor::zeros(&own, g.dtype())?), 1));
            }
            if counts.is_empty() {
                return Ok(crate::op::Gradients::from_elem(Some(g.clone()), 1));
            }
            let each = interleaved(&counts, &padded(&own, counts.len()));
            let over: Ints = (0..counts.len() as i64).map(|d| 2 * d).collect();
            let total = sum(&views::reshape(g, &ints(&each))?, Some(&over), false, None)?;
            views::reshape(&total, &ints(&own))
        };
    }
}

op! {
    /// `repeat` in which missing numbers are 1.
    fn tile(input: Tensor, dims: Ints) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let mut repeats = Ints::from_elem(1, input.ndim().saturating_sub(dims.len()));
        repeats.extend(dims.iter().copied());
        repeat(input, &repeats)
    }
    derivative composite;
}

/// Checks numbers of repetitions, and gives them and their sum.
fn repetitions(repeats: &Tensor, output_size: Option<i64>) -> Result<(Vec<i64>, i64)> {
    if !matches!(repeats.dtype(), DType::Int32 | DType::Int64) {
        bail!(NotImplemented, "repeat_interleave: repeats has to be int32 or int64, it is {}", repeats.dtype());
    }
    let counts = repeats.to_vec::<i64>()?;
    if let Some(count) = counts.iter().find(|&&count| count < 0) {
        bail!(Runtime, "repeat_interleave: repeats must not be negative, got {count}");
    }
    let total = counts.iter().fold(0i64, |total, &count| total.saturating_add(count));
    if output_size.is_some_and(|size| size != total) {
        bail!(Runtime, "repeat_interleave: output_size does not match the sum of the repeats, {total}");
    }
    Ok((counts, total))
}

op! {
    /// The number `i` as often as `repeats[i]` says, for each `i`.
    fn repeat_interleave as "repeat_interleave" / "Tensor" (repeats: Tensor; output_size: Option<i64> = None) -> Tensor,
        FUNCTION NO_OUT;
    value {
        if repeats.ndim() != 1 {
            bail!(Runtime, "repeat_interleave: repeats has to be a vector, its size is {}", shape::show(&repeats.sizes()));
        }
        let (counts, total) = repetitions(repeats, output_size)?;
        let mut places = Vec::new();
        if places.try_reserve_exact(total as usize).is_err() {
            bail!(Runtime, "repeat_interleave: {total} places do not fit the memory");
        }
        for (i, &count) in counts.iter().enumerate() {
            places.extend(std::iter::repeat_n(i as i64, count as usize));
        }
        Tensor::from_slice(&places, &[places.len()])?.cast(repeats.dtype())
    }
    derivative none;
}

op! {
    /// Each part along `dim` (each element of the flattened tensor if `dim` is `None`) as often as `repeats` says.
    fn repeat_interleave_by as "repeat_interleave" / "self_Tensor" (
        input: Tensor, repeats: Tensor, dim: Option<i64> = None; output_size: Option<i64> = None
    ) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let (input, dim) = match dim {
            Some(dim) => (input.clone(), dim),
            None => (views::flatten(input, 0, -1)?, 0),
        };
        if repeats.ndim() > 1 {
            bail!(Runtime, "repeat_interleave: repeats has to have at most one dimension, its size is {}", shape::show(&repeats.sizes()));
        }
        let size = input.size(dim)?;
        let repeats = if repeats.numel() == 1 {
            views::expand(&views::reshape(repeats, &[1])?, &[size as i64])?
        } else {
            repeats.clone()
        };
        if repeats.numel() != size {
            bail!(Runtime, "repeat_interleave: {} repeats for dimension {dim} of size {size}", repeats.numel());
        }
        crate::ops::gathering::index_select(&input, dim, &repeat_interleave(&repeats.detach(), output_size)?)
    }
    derivative composite;
}

op! {
    /// Each part along `dim` (each element of the flattened tensor if `dim` is `None`) `repeats` times.
    fn repeat_interleave_times as "repeat_interleave" / "self_int" (
        input: Tensor, repeats: i64, dim: Option<i64> = None; output_size: Option<i64> = None
    ) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let (input, dim) = match dim {
            Some(dim) => (input.clone(), dim),
            None => (views::flatten(input, 0, -1)?, 0),
        };
        let d = wrap_dim(dim, input.ndim())?;
        if repeats < 0 {
            bail!(Runtime, "repeat_interleave: repeats must not be negative, got {repeats}");
        }
        let input = if input.ndim() == 0 { views::reshape(&input, &[1])? } else { input };
        let total = (input.size(d as i64)? as i64).saturating_mul(repeats);
        if output_size.is_some_and(|size| size != total) {
            bail!(Runtime, "repeat_interleave: output_size does not match the sum of the repeats, {total}");
        }
        let mut sizes = ints(&input.sizes());
        sizes.insert(d + 1, repeats);
        let spread = views::expand(&views::unsqueeze(&input, d as i64 + 1)?, &sizes)?;
        let spread = crate::ops::conversion::row_major(&spread)?;
        views::flatten(&spread, d as i64, d as i64 + 1)
    }
    derivative composite;
}
