//! The largest and the smallest elements, and where they are.

use super::*;

/// Complex numbers have no order.
pub(crate) fn check_ordered(name: &str, input: &Tensor) -> Result<()> {
    if input.dtype().is_complex() {
        bail!(Runtime, "{name}: complex numbers have no order; compare abs() or real parts");
    }
    Ok(())
}

/// An error if there is nothing to choose an extreme from.
fn check_not_empty(name: &str, input: &Tensor, chosen: &[bool]) -> Result<()> {
    let sizes = input.sizes();
    if sizes.iter().zip(chosen).any(|(&size, &reduced)| reduced && size == 0) {
        bail!(
            Index,
            "{name}: a tensor of size {} has no elements along the reduced dimension to choose from",
            shape::show(&sizes)
        );
    }
    Ok(())
}

fn extreme_value<const LARGEST: bool>(
    name: &str,
    input: &Tensor,
    dim: Option<&[i64]>,
    keepdim: bool,
) -> Result<Tensor> {
    let chosen = wrap_dims(dim, input.ndim())?;
    let dim = dim.filter(|dims| !dims.is_empty());
    check_not_empty(name, input, &chosen)
        .map_err(|error| if dim.is_none() { crate::error!(Runtime, "{error}") } else { error })?;
    let bytes = if input.dtype() == DType::Bool { input.cast(DType::UInt8)? } else { input.clone() };
    let out = with_element!(bytes.dtype(), real T => {
        let (out, sink) = results::<T>(&bytes, &chosen, keepdim)?;
        let fold = ExtremeValue::<T, LARGEST>::default();
        // SAFETY: as for sums.
        reduce(fold, &bytes.data(), &chosen, |i, value| unsafe { sink.get().add(i).write(value) });
        out
    }, else { bail!(NotImplemented, "{name}: not implemented for {}", input.dtype()) });
    out.cast(input.dtype())
}

fn extreme<const LARGEST: bool>(name: &str, input: &Tensor, dim: i64, keepdim: bool) -> Result<[Tensor; 2]> {
    let chosen = wrap_dims(Some(&[dim]), input.ndim())?;
    check_not_empty(name, input, &chosen)?;
    let bytes = if input.dtype() == DType::Bool { input.cast(DType::UInt8)? } else { input.clone() };
    let (values, indices) = with_element!(bytes.dtype(), real T => {
        let (values, sink) = results::<T>(&bytes, &chosen, keepdim)?;
        let (indices, places) = results::<i64>(&bytes, &chosen, keepdim)?;
        let fold = Extreme::<T, LARGEST>::default();
        // SAFETY: as for sums.
        reduce(fold, &bytes.data(), &chosen, |i, (value, place)| unsafe {
            sink.get().add(i).write(value);
            places.get().add(i).write(place as i64);
        });
        (values, indices)
    }, else { bail!(NotImplemented, "{name}: not implemented for {}", input.dtype()) });
    Ok([values.cast(input.dtype())?, indices])
}

/// A gradient shared evenly among all elements that equal the result; row-major, as PyTorch has it.
pub(crate) fn share_among_equals(g: &Tensor, input: &Tensor, out: &Tensor) -> Result<Tensor> {
    let not_a_number = out.item()?.to_f64().is_nan();
    let equals = if not_a_number { isnan(input)? } else { eq(input, out.into())? };
    let share = div(g.into(), (&sum_all(&equals, None)?).into())?;
    crate::ops::indexing::masked_fill(&Tensor::zeros(&input.sizes(), g.dtype())?, &equals, (&share).into())
}

/// A gradient put where the index says, along one dimension.
pub(crate) fn put_at_index(g: &Tensor, indices: &Tensor, sizes: &Dims, dim: i64, keepdim: bool) -> Result<Tensor> {
    let (g, indices) = if keepdim || sizes.is_empty() {
        (g.clone(), indices.clone())
    } else {
        (crate::ops::views::unsqueeze(g, dim)?, crate::ops::views::unsqueeze(indices, dim)?)
    };
    let zeros = Tensor::zeros(sizes, g.dtype())?;
    crate::ops::gathering::scatter_add(&zeros, dim, &indices, &g)
}

op! {
    /// The largest element; equal ones share its gradient.
    fn max_all as "max" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { extreme_value::<true>("max", input, None, false) }
    batch by(|batch| amax(&batch.rows(0)?, &[1], false));
    derivative "MaxBackward1" ByVjp {
        input(g, input, out) => share_among_equals(g, input, out);
    }
}

op! {
    /// The larger of two elements: `maximum` under its older name.
    fn max_other as "max" / "other" (input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value { crate::ops::selection::maximum(input, other) }
    derivative composite;
}

op! {
    /// The largest element along a dimension and its first place; the place alone gets the gradient.
    fn max as "max" / "dim" (input: Tensor, dim: i64, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value {
        check_ordered("max", input)?;
        extreme::<true>("max", input, dim, keepdim)
    }
    batch dims(dim);
    derivative "MaxBackward0" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

op! {
    /// The smallest element; equal ones share its gradient.
    fn min_all as "min" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { extreme_value::<false>("min", input, None, false) }
    batch by(|batch| amin(&batch.rows(0)?, &[1], false));
    derivative "MinBackward1" ByVjp {
        input(g, input, out) => share_among_equals(g, input, out);
    }
}

op! {
    /// The smaller of two elements: `minimum` under its older name.
    fn min_other as "min" / "other" (input: Tensor, other: Tensor) -> Tensor, FUNCTION METHOD;
    value { crate::ops::selection::minimum(input, other) }
    derivative composite;
}

op! {
    /// The smallest element along a dimension and its first place; the place alone gets the gradient.
    fn min as "min" / "dim" (input: Tensor, dim: i64, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value {
        check_ordered("min", input)?;
        extreme::<false>("min", input, dim, keepdim)
    }
    batch dims(dim);
    derivative "MinBackward0" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

op! {
    /// The largest element over some dimensions; equal ones share its gradient.
    fn amax(input: Tensor, dim: Ints = &[], keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        let chosen = wrap_dims(Some(dim), input.ndim())?;
        if input.numel() == 0 && input.requires_grad() && check_not_empty("amax", input, &chosen).is_ok() {
            check_ordered("amax", input)?;
        }
        extreme_value::<true>("amax", input, Some(dim), keepdim)
    }
    batch over(dim);
    derivative "AmaxBackward0" ByVjp {
        input(g, input, dim, keepdim, out) => share_over_dims(g, input, out, dim, keepdim);
    }
}

op! {
    /// The smallest element over some dimensions; equal ones share its gradient.
    fn amin(input: Tensor, dim: Ints = &[], keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value {
        let chosen = wrap_dims(Some(dim), input.ndim())?;
        if input.numel() == 0 && input.requires_grad() && check_not_empty("amin", input, &chosen).is_ok() {
            check_ordered("amin", input)?;
        }
        extreme_value::<false>("amin", input, Some(dim), keepdim)
    }
    batch over(dim);
    derivative "AminBackward0" ByVjp {
        input(g, input, dim, keepdim, out) => share_over_dims(g, input, out, dim, keepdim);
    }
}

fn share_over_dims(g: &Tensor, input: &Tensor, out: &Tensor, dim: &[i64], keepdim: bool) -> Result<Tensor> {
    let sizes = input.sizes();
    let (g, out) = (unreduce(g, &sizes, Some(dim), keepdim)?, unreduce(out, &sizes, Some(dim), keepdim)?);
    let equals = to_dtype(&eq(input, (&out).into())?, g.dtype())?;
    let every: Ints = (0..sizes.len() as i64).collect();
    let count = sum(&equals, Some(if dim.is_empty() { &every } else { dim }), true, None)?;
    mul_tensors(&div((&g).into(), (&count).into())?, &equals)
}

fn place_of_extreme<const LARGEST: bool>(
    name: &str,
    input: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
) -> Result<Tensor> {
    if input.dtype() == DType::Bool {
        bail!(Runtime, "{name}: not defined for a bool tensor; convert it to uint8 first");
    }
    check_ordered(name, input)?;
    match dim {
        Some(dim) => Ok(extreme::<LARGEST>(name, input, dim, keepdim)?[1].clone()),
        None => {
            if input.numel() == 0 {
                bail!(Index, "{name}: a tensor without elements has no extreme; pass dim to reduce over one that has");
            }
            let flat = crate::ops::views::reshape(&input.detach(), &[-1])?;
            let place = extreme::<LARGEST>(name, &flat, 0, false)?[1].clone();
            let sizes: Dims = Dims::from_elem(1, if keepdim { input.ndim() } else { 0 });
            Ok(place.alias(sizes.clone(), shape::contiguous_strides(&sizes), 0))
        }
    }
}

op! {
    /// The first place of the largest element, along a dimension or in the flattened tensor.
    fn argmax(input: Tensor, dim: Option<i64> = None, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { place_of_extreme::<true>("argmax", input, dim, keepdim) }
    batch by(|batch| match (Option::<i64>::face(batch.value(1)), batch.ndim(0)?) {
        (None, ndim) => {
            let place = argmax(&batch.rows(0)?, Some(1), false)?;
            let kept = if bool::face(batch.value(2)) { ndim } else { 0 };
            crate::ops::views::view(&place, &batch.sizes(&Ints::from_elem(1, kept)))
        }
        (Some(_), 0) => batch.one_by_one_tensor(),
        (Some(dim), ndim) => {
            argmax(batch.tensor(0)?, Some(shape::wrap_dim(dim, ndim)? as i64 + 1), bool::face(batch.value(2)))
        }
    });
    derivative none;
}

op! {
    /// The first place of the smallest element, along a dimension or in the flattened tensor.
    fn argmin(input: Tensor, dim: Option<i64> = None, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { place_of_extreme::<false>("argmin", input, dim, keepdim) }
    batch by(|batch| match (Option::<i64>::face(batch.value(1)), batch.ndim(0)?) {
        (None, ndim) => {
            let place = argmin(&batch.rows(0)?, Some(1), false)?;
            let kept = if bool::face(batch.value(2)) { ndim } else { 0 };
            crate::ops::views::view(&place, &batch.sizes(&Ints::from_elem(1, kept)))
        }
        (Some(_), 0) => batch.one_by_one_tensor(),
        (Some(dim), ndim) => {
            argmin(batch.tensor(0)?, Some(shape::wrap_dim(dim, ndim)? as i64 + 1), bool::face(batch.value(2)))
        }
    });
    derivative none;
}

op! {
    /// The smallest and the largest element, along `dim` or of all; equal ones share the gradient.
    fn aminmax(input: Tensor; dim: Option<i64> = None, keepdim: bool = false) -> (min, max), FUNCTION METHOD;
    value {
        let over: Ints = dim.into_iter().collect();
        if dim.is_none() && keepdim && input.ndim() > 0 {
            return Ok([amin(&input.detach(), &[], true)?, amax(&input.detach(), &[], true)?]);
        }
        let chosen = wrap_dims(Some(&over), input.ndim())?;
        check_not_empty("aminmax", input, &chosen).map_err(|error| crate::error!(Runtime, "{error}"))?;
        Ok([amin(&input.detach(), &over, keepdim)?, amax(&input.detach(), &over, keepdim)?])
    }
    derivative "AminmaxBackward0" ByVjp {
        input(input, dim, keepdim, min, max, ctx) => {
            let over: Ints = dim.into_iter().collect();
            let share = |i: usize, out: &Tensor| -> Result<Option<Tensor>> {
                ctx.gradient_of(i)?.map(|g| share_over_dims(&g, input, out, &over, keepdim)).transpose()
            };
            match (share(0, min)?, share(1, max)?) {
                (Some(a), Some(b)) => crate::ops::arithmetic::add_tensors(&a, &b),
                (Some(one), None) | (None, Some(one)) => Ok(one),
                (None, None) => Tensor::zeros(&input.sizes(), input.dtype()),
            }
        };
    }
}
