//! `x[...]`: integers, slices, None, Ellipsis, bools and index tensors, read and assigned.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::index::{self as places, Write};
use crate::op::Batched;
use crate::ops::views;
use crate::shape::{self, Dims};
use crate::tensor::Tensor;
use crate::value::{Argument, OptionalTensors};
use crate::{bail, op};

/// One item of an index.
#[derive(Clone)]
pub enum Item {
    Int(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    /// `None`: a new dimension of size 1.
    NewAxis,
    Ellipsis,
    Bool(bool),
    Tensor(Tensor),
}

impl Item {
    /// How many dimensions of the indexed tensor the item is about.
    fn consumes(&self) -> usize {
        match self {
            Item::Int(_) | Item::Slice { .. } => 1,
            Item::Tensor(tensor) if is_mask(tensor) => tensor.ndim(),
            Item::Tensor(_) => 1,
            _ => 0,
        }
    }
}

/// What the basic items of an index leave over: a view, and index tensors for some of its dimensions.
struct Split {
    view: Tensor,
    indices: Vec<Option<Tensor>>,
}

/// A slice of all of a dimension.
fn is_whole(item: &Item, size: usize) -> bool {
    matches!(item, Item::Slice { start, end, step: 1 }
        if start.is_none_or(|start| start == 0) && end.is_none_or(|end| end >= size as i64))
}

/// The items with slices of all of a dimension as such, which split nothing off: what is written to them is written to
/// the tensor itself, not to a view.
fn without_whole(input: &Tensor, items: &[Item]) -> Vec<Item> {
    let sizes = input.sizes();
    let spared = sizes.len().saturating_sub(items.iter().map(Item::consumes).sum());
    let mut dim = 0;
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        let whole = sizes.get(dim).is_some_and(|&size| is_whole(item, size));
        list.push(if whole { Item::Slice { start: None, end: None, step: 1 } } else { item.clone() });
        dim += if matches!(item, Item::Ellipsis) { spared } else { item.consumes() };
    }
    list
}

/// Applies integers, slices, new axes and the ellipsis as views.
fn split(input: &Tensor, items: &[Item]) -> Result<Split> {
    let consumed: usize = items.iter().map(Item::consumes).sum();
    let ndim = input.ndim();
    if consumed > ndim {
        bail!(Index, "too many indices: {consumed} for a tensor of {ndim} dimensions");
    }
    if items.iter().filter(|item| matches!(item, Item::Ellipsis)).count() > 1 {
        bail!(Index, "an index can hold only one Ellipsis ('...')");
    }
    let mut view = input.clone();
    let mut indices: Vec<Option<Tensor>> = Vec::new();
    let mut dim = 0usize;
    let place = |indices: &mut Vec<Option<Tensor>>, dim: usize, tensor: Tensor| {
        indices.resize(indices.len().max(dim), None);
        indices.push(Some(tensor));
    };
    for item in items {
        match item {
            Item::Int(index) => {
                view = views::select(&view, dim as i64, *index)?;
            }
            Item::Slice { start: None, end: None, step: 1 } => dim += 1,
            Item::Slice { start, end, step } => {
                view = views::slice(&view, dim as i64, *start, *end, *step)?;
                dim += 1;
            }
            Item::NewAxis => {
                view = views::unsqueeze(&view, dim as i64)?;
                dim += 1;
            }
            Item::Ellipsis => dim += ndim - consumed,
            Item::Bool(truth) => {
                view = views::unsqueeze(&view, dim as i64)?;
                let chosen: &[i64] = if *truth { &[0] } else { &[] };
                place(&mut indices, dim, Tensor::from_slice(chosen, &[chosen.len()])?);
                dim += 1;
            }
            Item::Tensor(tensor) if is_mask(tensor) => {
                tensor.check_readable("an index by a mask")?;
                if tensor.ndim() == 0 {
                    view = views::unsqueeze(&view, dim as i64)?;
                    let truth = tensor.item()?.to_i64() != 0;
                    let chosen: &[i64] = if truth { &[0] } else { &[] };
                    place(&mut indices, dim, Tensor::from_slice(chosen, &[chosen.len()])?);
                    dim += 1;
                    continue;
                }
                let (mask, sizes) = (tensor.sizes(), view.sizes());
                if sizes.get(dim..dim + mask.len()) != Some(&mask[..]) {
                    bail!(
                        Index,
                        "a mask of size {} does not match the indexed tensor of size {} at dimension {dim}",
                        shape::show(&mask),
                        shape::show(&sizes)
                    );
                }
                for column in coordinates(tensor)? {
                    place(&mut indices, dim, column);
                    dim += 1;
                }
            }
            Item::Tensor(tensor) => {
                for index in coordinates(tensor)? {
                    place(&mut indices, dim, index);
                    dim += 1;
                }
            }
        }
    }
    Ok(Split { view, indices })
}

fn is_mask(tensor: &Tensor) -> bool {
    matches!(tensor.dtype(), DType::Bool | DType::UInt8)
}

/// `input[items]`.
pub fn get(input: &Tensor, items: &[Item]) -> Result<Tensor> {
    let Split { view, indices } = split(input, items)?;
    if !indices.is_empty() {
        return index(&view, &indices);
    }
    // An index of full slices alone still gives a tensor of its own.
    if view.is_same(input) { views::alias(input) } else { Ok(view) }
}

/// `input[items] = value`.
pub fn set(input: &Tensor, items: &[Item], value: &Tensor) -> Result<()> {
    let Split { view, indices } = split(input, &without_whole(input, items))?;
    use crate::autograd::primitives::call_in_place;
    use crate::value::Value;
    // Leading dimensions of size 1 of the value are dropped where it has too many, as numpy does.
    let fit = |sizes: &[usize]| -> Result<Tensor> {
        let mut value = value.clone();
        while value.ndim() > sizes.len() && value.sizes()[0] == 1 {
            value = views::squeeze(&value, 0)?;
        }
        Ok(value)
    };
    if indices.is_empty() {
        let value = fit(&view.sizes())?;
        let name = if value.ndim() == 0 && view.ndim() > 0 { "fill" } else { "copy" };
        call_in_place(name, &[Value::Tensor(view), Value::Tensor(value)])?;
    } else {
        if value.dtype() != view.dtype() {
            bail!(Runtime, "[]=: a {} tensor cannot be put into a {} one by indices", value.dtype(), view.dtype());
        }
        let arguments =
            [Value::Tensor(view), Value::Tensors(indices), Value::Tensor(value.clone()), Value::Scalar(false.into())];
        call_in_place("index_put", &arguments)?;
    }
    Ok(())
}

/// An index tensor as int64 coordinates: a mask becomes one for each of its dimensions.
fn coordinates(index: &Tensor) -> Result<Vec<Tensor>> {
    if !is_mask(index) {
        if !index.dtype().is_integral() {
            bail!(Index, "tensors used as indices have to be of an integer dtype or bool, got {}", index.dtype());
        }
        return Ok(vec![crate::ops::conversion::to_dtype(index, DType::Int64)?]);
    }
    let found = places::nonzero(&index.data());
    let ndim = index.ndim();
    let column = |d: usize| -> Vec<i64> { found.iter().skip(d).step_by(ndim).copied().collect() };
    (0..ndim).map(|d| Tensor::from_slice(&column(d), &[found.len() / ndim])).collect()
}

/// Index tensors broadcast to one size, as data for the kernels.
fn broadcast_indices(indices: &[Option<Tensor>]) -> Result<(Vec<Option<crate::data::Data>>, Dims)> {
    let mut flat: Vec<Option<Tensor>> = Vec::new();
    for index in indices {
        match index {
            Some(index) => flat.extend(coordinates(index)?.into_iter().map(Some)),
            None => flat.push(None),
        }
    }
    let indices = &flat;
    let mut sizes = Dims::new();
    for index in indices.iter().flatten() {
        sizes = shape::broadcast(&sizes, &index.sizes()).map_err(|_| {
            let all: Vec<String> = indices.iter().flatten().map(|index| shape::show(&index.sizes())).collect();
            crate::error!(Index, "index tensors of sizes {} cannot be broadcast together", all.join(", "))
        })?;
    }
    let broadcast = |index: &Tensor| {
        let mut data = index.data().clone();
        data.strides = shape::broadcast_strides(&data.sizes, &data.strides, &sizes).unwrap_or_default();
        data.sizes = sizes.clone();
        data
    };
    Ok((indices.iter().map(|index| index.as_ref().map(broadcast)).collect(), sizes))
}

/// The value of an advanced index, not recorded.
pub(crate) fn index_raw(input: &Tensor, indices: &[Option<Tensor>]) -> Result<Tensor> {
    let (indices, sizes) = broadcast_indices(indices)?;
    let picked = places::pick(&input.data(), &indices, &sizes)?;
    let out = Tensor::empty(&picked.sizes, input.dtype())?;
    places::read(&out.data(), &input.data(), &picked);
    Ok(out)
}

/// Writes to the places of an advanced index, not recorded.
pub(crate) fn put_raw(target: &Tensor, indices: &[Option<Tensor>], values: &Tensor, write: Write) -> Result<()> {
    let (indices, sizes) = broadcast_indices(indices)?;
    let picked = places::pick(&target.data(), &indices, &sizes)?;
    let source = values.data();
    let lead = source.sizes.iter().take(source.sizes.len().saturating_sub(picked.sizes.len())).all(|&n| n == 1);
    let skip = source.sizes.len().saturating_sub(picked.sizes.len());
    let strides = if lead {
        shape::broadcast_strides(&source.sizes[skip..], &source.strides[skip..], &picked.sizes)
    } else {
        None
    };
    let Some(strides) = strides else {
        bail!(
            Runtime,
            "a value of size {} cannot be broadcast to the indexed part of size {}",
            shape::show(&source.sizes),
            shape::show(&picked.sizes)
        );
    };
    places::write(&target.data(), &picked, &source, &strides, write);
    Ok(())
}

op! {
    /// The elements at the places that index tensors name; `None` keeps a dimension whole.
    fn index(input: Tensor, indices: OptionalTensors) -> Tensor, ANY_TYPE;
    value { index_raw(input, indices) }
    batch by(|batch| index_of_batch(batch));
    derivative "IndexBackward0" ByVjp {
        input(g, indices, ctx) => {
            let zeros = Tensor::zeros(&ctx.sizes_of(0)?, g.dtype())?;
            if !crate::ops::gathering::owns(g) {
                return Ok(crate::op::Gradients::from_elem(Some(index_put(&zeros, indices, g, true)?), 1));
            }
            put_raw(&zeros, indices, g, Write::Add)?;
            Ok(zeros)
        };
    }
}

/// Index tensors for a batch: where they differ between examples, a further one that counts the examples stands before
/// them.
fn indices_of_batch(batch: &Batched) -> Result<Vec<Option<Tensor>>> {
    let given = OptionalTensors::face(batch.value(1));
    if !batch.has(1) {
        return Ok(std::iter::once(None).chain(given.iter().cloned()).collect());
    }
    let rank = given.iter().flatten().map(Tensor::ndim).max().unwrap_or(1) - 1;
    let widened = |index: &Tensor| {
        let own = index.sizes();
        let mut sizes: shape::Ints = shape::Ints::from_elem(1, rank + 1 - own.len());
        sizes.extend(own[1..].iter().map(|&n| n as i64));
        views::view(index, &batch.sizes(&sizes))
    };
    let count: Vec<i64> = (0..batch.size as i64).collect();
    let count = Tensor::from_slice(&count, &[batch.size])?;
    let mut indices = vec![Some(views::view(&count, &batch.sizes(&shape::Ints::from_elem(1, rank)))?)];
    for index in given {
        indices.push(index.as_ref().map(widened).transpose()?);
    }
    Ok(indices)
}

/// Where the first index tensor of an example stands, and whether all stand side by side.
fn first_and_adjacent(given: &[Option<Tensor>]) -> (usize, bool) {
    let first = given.iter().position(Option::is_some).unwrap_or(0);
    let last = given.iter().rposition(Option::is_some).unwrap_or(0);
    (first, given[first..=last.max(first)].iter().all(Option::is_some))
}

/// `index` of a batch.
fn index_of_batch(batch: &Batched) -> Result<Tensor> {
    let given = OptionalTensors::face(batch.value(1));
    let (first, adjacent) = first_and_adjacent(given);
    let rank = given.iter().flatten().map(Tensor::ndim).max().unwrap_or(0) - usize::from(batch.has(1));
    let indices = indices_of_batch(batch)?;
    match (batch.has(0), batch.has(1)) {
        // Index tensors that do not stand side by side put their dimensions first, before the batch.
        (true, false) if !adjacent => views::movedim(&index(batch.tensor(0)?, &indices)?, &[rank as i64], &[0]),
        (true, false) => index(batch.tensor(0)?, &indices),
        (_, true) if first > 0 && adjacent => {
            let picked = index(&batch.all(0)?, &indices)?;
            let from: shape::Ints = (1..=rank as i64).collect();
            let to: shape::Ints = from.iter().map(|&d| d + first as i64).collect();
            views::movedim(&picked, &from, &to)
        }
        _ => index(&batch.all(0)?, &indices),
    }
}

/// `index_put` of a batch.
fn put_of_batch(batch: &Batched) -> Result<Tensor> {
    let given = OptionalTensors::face(batch.value(1));
    let (first, adjacent) = first_and_adjacent(given);
    if !adjacent || (batch.has(1) && first > 0) {
        return batch.one_by_one_tensor();
    }
    let used = given.len();
    let rank = given.iter().flatten().map(Tensor::ndim).max().unwrap_or(0) - usize::from(batch.has(1));
    let kept = given.iter().filter(|index| index.is_none()).count() + (batch.ndim(0)?).saturating_sub(used);
    if batch.ndim(2)? > rank + kept {
        return batch.one_by_one_tensor();
    }
    let values = if batch.has(2) { batch.aligned(2, rank + kept)? } else { batch.tensor(2)?.clone() };
    index_put(&batch.all(0)?, &indices_of_batch(batch)?, &values, bool::face(batch.value(3)))
}

op! {
    /// `input` with `values` stored at (or added to) the places that index tensors name.
    fn index_put(input: Tensor, indices: OptionalTensors, values: Tensor, accumulate: bool = false) -> Tensor,
        FUNCTION NO_OUT METHOD IN_PLACE ANY_TYPE;
    value {
        if values.dtype() != input.dtype() {
            bail!(Runtime, "index_put: values are {} and the tensor is {}; they have to be the same", values.dtype(), input.dtype());
        }
        let out = input.copied_alike(input.dtype())?;
        put_raw(&out, indices, values, if accumulate { Write::Add } else { Write::Replace })?;
        Ok(out)
    }
    batch by(|batch| put_of_batch(batch));
    derivative "IndexPutBackward0" Linear {
        input(g, indices, accumulate) => {
            if accumulate {
                return Ok(crate::op::Gradients::from_elem(Some(g.clone()), 1));
            }
            index_put(g, indices, &Tensor::zeros(&[], g.dtype())?, false)
        };
        values(g, indices) => index(g, indices);
    }
}

op! {
    /// The coordinates of the elements that are not 0, one row for each.
    fn nonzero(input: Tensor) -> Tensor, FUNCTION METHOD ANY_TYPE;
    value {
        let found = places::nonzero(&input.data());
        let ndim = input.ndim();
        let count = match found.len().checked_div(ndim) {
            Some(rows) => rows,
            None => usize::from(input.item()?.to_f64() != 0.0),
        };
        // Column-major, as PyTorch has it.
        let mut columns: Vec<i64> = Vec::with_capacity(found.len());
        for d in 0..ndim {
            columns.extend(found.iter().skip(d).step_by(ndim));
        }
        let flat = Tensor::from_slice(&columns, &[count * ndim])?;
        Ok(flat.alias(Dims::from_slice(&[count, ndim]), Dims::from_slice(&[1, count.max(1)]), 0))
    }
    batch refused("how many elements are not 0 differs from example to example; choose with where()");
    derivative none;
}

fn check_mask(name: &str, mask: &Tensor) -> Result<()> {
    if mask.dtype() != DType::Bool {
        bail!(Runtime, "{name}: the mask has to be a bool tensor, it is {}", mask.dtype());
    }
    Ok(())
}

/// A tensor and a mask broadcast to one size of at least one dimension.
fn broadcast_to_mask(input: &Tensor, mask: &Tensor) -> Result<(Tensor, Tensor)> {
    let mut sizes: shape::Ints = shape::broadcast(&input.sizes(), &mask.sizes())?.iter().map(|&n| n as i64).collect();
    if sizes.is_empty() {
        sizes.push(1);
    }
    Ok((views::expand(input, &sizes)?, views::expand(mask, &sizes)?))
}

op! {
    /// The elements where a bool mask, broadcast to the tensor's size, is true, as a vector.
    fn masked_select(input: Tensor, mask: Tensor) -> Tensor, FUNCTION METHOD ANY_TYPE;
    value {
        check_mask("masked_select", mask)?;
        let (input, mask) = broadcast_to_mask(&input.detach(), &mask.detach())?;
        index_raw(&input, &[Some(mask)])
    }
    derivative "MaskedSelectBackward0" ByVjp {
        input(g, input, mask) => {
            let sizes = shape::broadcast(&input.sizes(), &mask.sizes())?;
            let sizes: shape::Ints = sizes.iter().map(|&n| n as i64).collect();
            masked_scatter(&views::expand(&input.detach(), &sizes)?.zeros_alike()?, mask, g)
        };
    }
}

op! {
    /// `input` with the first elements of `source`, in their order, where a bool mask is true; both broadcast.
    fn masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor, FUNCTION NO_OUT METHOD IN_PLACE ANY_TYPE;
    value {
        check_mask("masked_scatter", mask)?;
        if source.dtype() != input.dtype() {
            bail!(Runtime, "masked_scatter: source is {} and the tensor is {}; they have to be the same", source.dtype(), input.dtype());
        }
        let sizes: shape::Ints = shape::broadcast(&input.sizes(), &mask.sizes())?.iter().map(|&n| n as i64).collect();
        let out = views::expand(&input.detach(), &sizes)?.copied(input.dtype())?;
        let (target, mask) = broadcast_to_mask(&out, &mask.detach())?;
        let count = mask.to_vec::<bool>()?.into_iter().filter(|&chosen| chosen).count();
        if source.numel() < count {
            bail!(Runtime, "masked_scatter: the mask chooses {count} elements, and source has {}", source.numel());
        }
        let used = views::narrow(&views::reshape(&source.detach(), &[-1])?, 0, 0, count as i64)?;
        put_raw(&target, &[Some(mask)], &used, Write::Replace)?;
        Ok(out)
    }
    derivative "MaskedScatterBackward0" ByVjp {
        input(g, mask) => masked_fill(g, mask, 0i64.into());
        source(g, mask, ctx) => {
            let used = masked_select(g, mask)?;
            let (sizes, count) = (ctx.sizes_of(2)?, used.numel() as i64);
            let total = sizes.iter().product::<usize>() as i64;
            let whole = views::slice_backward(&used, &[total], 0, Some(0), Some(count), 1)?;
            views::reshape(&whole, &views::ints(&sizes))
        };
    }
}

op! {
    /// The coordinates of the first `size` elements that are not 0, filled up with rows of `fill_value`.
    fn nonzero_static(input: Tensor; size: i64, fill_value: i64 = -1) -> Tensor, FUNCTION METHOD;
    value {
        if size < 0 {
            bail!(Runtime, "nonzero_static: size must not be negative, got {size}");
        }
        let (size, ndim) = (size as usize, input.ndim());
        let found = nonzero(&input.detach())?;
        let count = found.sizes()[0].min(size);
        let out = Tensor::full(&[size, ndim], fill_value.into(), DType::Int64)?;
        let rows = |tensor: &Tensor| views::narrow(tensor, 0, 0, count as i64);
        crate::kernels::copy::copy(&rows(&out)?.data(), &rows(&found)?.data());
        Ok(out)
    }
    derivative none;
}

op! {
    /// `nonzero` under numpy's name.
    fn argwhere(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value { nonzero(input) }
    derivative composite;
}

op! {
    /// The coordinates of the elements that are not 0, a vector for each dimension.
    fn nonzero_columns as "_nonzero_columns" (input: Tensor) -> List, FUNCTION;
    value {
        let input = if input.ndim() == 0 { views::unsqueeze(input, 0)? } else { input.clone() };
        views::unbind(&nonzero(&input)?, 1)
    }
    derivative composite;
}

op! {
    /// `input` with `value`, a number or a tensor without dimensions, where a bool mask is true.
    fn masked_fill(input: Tensor, mask: Tensor, value: crate::value::Operand<'static>) -> Tensor, FUNCTION NO_OUT METHOD IN_PLACE ANY_TYPE;
    value {
        check_mask("masked_fill", mask)?;
        let value = match value {
            crate::value::Operand::Tensor(tensor) if tensor.ndim() > 0 => bail!(
                Runtime,
                "masked_fill: the value has to be a number or a tensor without dimensions, its size is {}",
                shape::show(&tensor.sizes())
            ),
            crate::value::Operand::Tensor(tensor) => tensor.cast(input.dtype())?,
            crate::value::Operand::Scalar(crate::scalar::Scalar::Complex(_))
                if !input.dtype().is_complex() && input.dtype() != DType::Bool =>
            {
                bail!(Runtime, "masked_fill: the value is complex, the tensor {}", input.dtype())
            }
            crate::value::Operand::Scalar(number) => Tensor::scalar(number, input.dtype())?,
        };
        let sizes = shape::broadcast(&input.sizes(), &mask.sizes())?;
        let sizes: shape::Ints = sizes.iter().map(|&n| n as i64).collect();
        let input = views::expand(&input.detach(), &sizes)?.to_contiguous()?;
        crate::ops::selection::choose(&mask.detach(), (&value.detach()).into(), (&input).into())?.to_contiguous()
    }
    batch by(|batch| {
        let rank = batch.ndim(0)?.max(batch.ndim(1)?);
        let (input, mask) = (batch.aligned(0, rank)?, batch.aligned(1, rank)?);
        if !batch.has(2) {
            return masked_fill(&input, &mask, crate::value::Operand::face(batch.value(2)));
        }
        let value = crate::ops::conversion::to_dtype(&batch.aligned(2, rank)?, input.dtype())?;
        crate::ops::selection::choose(&mask, (&value).into(), (&input).into())
    });
    derivative "MaskedFillBackward1" / "MaskedFillBackward0" ByVjp {
        input(g, mask) => masked_fill(g, mask, 0i64.into());
        value(g, mask) => {
            let zero = Tensor::zeros(&[], g.dtype())?;
            crate::ops::reduction::sum_all(&crate::ops::selection::choose(mask, g.into(), (&zero).into())?, None)
        };
    }
}
