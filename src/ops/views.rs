//! Views: other sizes and strides for the same memory.

use crate::error::Result;
use crate::op::Batched;
use crate::ops::conversion::row_major;
use crate::shape::{self, Dims, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, error, op};

fn ints(dims: &[usize]) -> Ints {
    dims.iter().map(|&n| n as i64).collect()
}

op! {
    /// The memory of `input` seen with the given sizes and strides, from `storage_offset` elements into the storage
    /// (by default, where `input` starts).
    fn as_strided(input: Tensor, size: Ints, stride: Ints, storage_offset: Option<i64> = None) -> Tensor, FUNCTION METHOD;
    value {
        let (sizes, strides, offset) = {
            let data = input.data();
            (ints(&data.sizes), ints(&data.strides), data.offset as i64)
        };
        as_strided_of(input, size, stride, storage_offset.unwrap_or(offset), &sizes, &strides, offset)
    }
    derivative composite;
}

op! {
    /// `as_strided` that knows the geometry of its input, which its derivative needs.
    fn as_strided_of as "_as_strided" (
        input: Tensor, size: Ints, stride: Ints, offset: i64, input_size: Ints, input_stride: Ints, input_offset: i64
    ) -> Tensor, VIEW;
    value {
        if size.len() != stride.len() {
            bail!(Runtime, "as_strided: {} sizes but {} strides", size.len(), stride.len());
        }
        let sizes = shape::checked_sizes(size)?;
        let strides = stride
            .iter()
            .map(|&n| usize::try_from(n).map_err(|_| error!(Runtime, "as_strided: stride {n} is negative")))
            .collect::<Result<Dims>>()?;
        let offset = usize::try_from(offset)
            .map_err(|_| error!(Runtime, "as_strided: the storage offset {offset} is negative"))?;
        shape::numel(&sizes)?;
        let extent = shape::extent(&sizes, &strides);
        let held = input.data().storage.bytes() / input.dtype().size();
        if extent > 0 && offset.saturating_add(extent) > held {
            bail!(
                Runtime,
                "as_strided: size {}, strides {} and offset {offset} reach element {} of a storage that holds {held}",
                shape::show(&sizes),
                shape::show(&strides),
                offset.saturating_add(extent - 1)
            );
        }
        Ok(input.alias(sizes, strides, offset))
    }
    batch by(|batch| restrided(batch));
    derivative "AsStridedBackward0" Linear {
        input(g, size, stride, offset, input_size, input_stride, input_offset) => {
            as_strided_backward(g, size, stride, offset, input_size, input_stride, input_offset)
        };
    }
}

/// The sizes that each example is to have, with that of the batch before them.
fn sizes_of_batch(batch: &Batched) -> Result<Ints> {
    let count = batch.tensor(0)?.sizes()[1..].iter().product();
    Ok(batch.sizes(&ints(&shape::infer_size(batch.ints(1), count)?)))
}

/// The same strides within each example.
fn restrided(batch: &Batched) -> Result<Tensor> {
    let input = batch.tensor(0)?;
    let strides = input.strides();
    if ints(&strides[1..]) != batch.ints(5) {
        bail!(
            Runtime,
            "as_strided: the examples of nested levels of vmap do not lie in memory as one of them seems to"
        );
    }
    let mut stride = ints(&strides[..1]);
    stride.extend(batch.ints(2).iter().copied());
    as_strided(input, &batch.sizes(batch.ints(1)), &stride, Some(batch.int(3)))
}

op! {
    /// The gradient of `as_strided`: each element of `g` added to the place of the input that it was seen at.
    fn as_strided_backward as "_as_strided_backward" (
        g: Tensor, size: Ints, stride: Ints, offset: i64, input_size: Ints, input_stride: Ints, input_offset: i64
    ) -> Tensor;
    value {
        let g_sizes = shape::checked_sizes(size)?;
        let strides: Dims = stride.iter().map(|&n| n as usize).collect();
        let input_sizes = shape::checked_sizes(input_size)?;
        let input_strides: Dims = input_stride.iter().map(|&n| n as usize).collect();
        // One memory that both geometries fit into; elements that share a place add up.
        let first = offset.min(input_offset);
        let (start, input_start) = ((offset - first) as usize, (input_offset - first) as usize);
        let length = (start + shape::extent(&g_sizes, &strides))
            .max(input_start + shape::extent(&input_sizes, &input_strides));
        let memory = Tensor::zeros(&[length], g.dtype())?;
        let seen = memory.alias(g_sizes.clone(), strides.clone(), start);
        if shape::may_overlap(&g_sizes, &strides) {
            crate::kernels::index::add_each(&seen.data(), &g.data());
        } else {
            crate::kernels::copy::copy(&seen.data(), &g.data());
        }
        // The gradient has the geometry of the input. One whose own elements share a place gives each of them an
        // equal part.
        let whole = memory.alias(input_sizes.clone(), input_strides.clone(), input_start);
        if !shape::may_overlap(&input_sizes, &input_strides) {
            return Ok(whole);
        }
        let count = Tensor::zeros(&[length], g.dtype())?;
        let counted = count.alias(input_sizes.clone(), input_strides.clone(), input_start);
        let ones = Tensor::full(&input_sizes, 1i64.into(), g.dtype())?;
        crate::kernels::index::add_each(&counted.data(), &ones.data());
        crate::ops::arithmetic::div((&whole).into(), (&counted).into())
    }
    batch by(|batch| {
        // Memory for each example, behind that of the one before.
        let (size, stride, offset) = (batch.ints(1), batch.ints(2), batch.int(3));
        let (input_size, input_stride, input_offset) = (batch.ints(4), batch.ints(5), batch.int(6));
        let reach = |size: &[i64], stride: &[i64]| {
            let unsigned = |list: &[i64]| list.iter().map(|&n| n as usize).collect::<Dims>();
            shape::extent(&unsigned(size), &unsigned(stride)) as i64
        };
        let end = (offset + reach(size, stride)).max(input_offset + reach(input_size, input_stride));
        let step = (end - offset.min(input_offset)).max(1);
        let spread = |stride: &[i64]| std::iter::once(step).chain(stride.iter().copied()).collect::<Ints>();
        as_strided_backward(
            batch.tensor(0)?,
            &batch.sizes(size),
            &spread(stride),
            offset,
            &batch.sizes(input_size),
            &spread(input_stride),
            input_offset,
        )
    });
    derivative "AsStridedBackwardBackward0" Linear {
        g(g, size, stride, offset, input_size, input_stride, input_offset) => {
            let (sizes, strides) = (shape::checked_sizes(input_size)?, input_stride.iter().map(|&n| n as usize).collect::<Dims>());
            let dense = crate::ops::conversion::row_major(g)?;
            if strides == shape::contiguous_strides(&sizes) {
                return Ok(crate::op::Gradients::from_elem(
                    Some(as_strided(&dense, size, stride, Some(offset - input_offset))?),
                    1,
                ));
            }
            let spread = Tensor::empty_spread(&sizes, &strides, g.dtype())?;
            let spread = crate::autograd::primitives::call_in_place(
                "copy",
                &[crate::value::Value::Tensor(spread), crate::value::Value::Tensor(dense)],
            )?;
            as_strided(&spread, size, stride, Some(offset - input_offset))
        };
    }
}

/// The memory of a tensor seen with other sizes, not recorded.
fn seen(input: &Tensor, size: &[i64]) -> Result<Tensor> {
    let data = input.data();
    let sizes = shape::infer_size(size, data.numel())?;
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
    /// The same elements with other sizes: a view where possible, else a copy; one size may be -1.
    fn reshape(input: Tensor, shape: Ints) -> Tensor, FUNCTION METHOD;
    value {
        if input.is_contiguous() {
            return view(input, shape);
        }
        let viewable = {
            let data = input.data();
            let sizes = shape::infer_size(shape, data.numel())?;
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
    fn flatten(input: Tensor, start_dim: i64 = 0, end_dim: i64 = -1) -> Tensor, FUNCTION METHOD;
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
    fn broadcast_to(input: Tensor, size: Ints) -> Tensor, FUNCTION METHOD;
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
    /// Dimensions moved from some places to others, the rest kept in order.
    fn movedim(input: Tensor, source: Ints, destination: Ints) -> Tensor, FUNCTION METHOD;
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
    /// `movedim` for one dimension.
    fn movedim_one as "movedim" / "int" (input: Tensor, source: i64, destination: i64) -> Tensor, FUNCTION METHOD;
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

fn squeezed(input: &Tensor, chosen: impl Fn(usize) -> bool) -> Tensor {
    let data = input.data();
    let kept = |i: &usize| !(chosen(*i) && data.sizes[*i] == 1);
    let (sizes, strides) = (0..data.sizes.len()).filter(kept).map(|i| (data.sizes[i], data.strides[i])).unzip();
    input.alias(sizes, strides, data.offset)
}

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

op! {
    /// `length` elements from `start` along `dim`.
    fn narrow(input: Tensor, dim: i64, start: i64, length: i64) -> Tensor, FUNCTION METHOD;
    value {
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
    fn split_with_sizes(input: Tensor, split_sizes: Ints, dim: i64 = 0) -> List, FUNCTION METHOD VIEW;
    value {
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
fn all_gradients(ctx: &crate::op::Backward) -> Result<Vec<Tensor>> {
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
        let size = input.size(dim)? as i64;
        if size == 0 {
            let sizes: Ints = Ints::from_elem(0, chunks as usize);
            return split_with_sizes(input, &sizes, dim);
        }
        split(input, size.div_ceil_by(chunks), dim)
    }
    derivative composite;
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
