//! Elements taken from, stored at or joined to the places that an index names: along a dimension or in the flattened
//! tensor.

use crate::DType;
use crate::error::Result;
use crate::kernels::index::{self as places, Join, Write};
use crate::op::{Backward, Gradients};
use crate::ops::arithmetic::{div, mul_tensors};
use crate::ops::comparison::{eq, logical_and};
use crate::ops::complex::check_no_gradient;
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::{check_index, check_sizes, gather, index_select, scatter_add, scatter_value};
use crate::ops::indexing::{index_raw, masked_fill, put_raw};
use crate::ops::selection::choose;
use crate::ops::views::{self, ints};
use crate::scalar::Scalar;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, op};

/// An index of at most one dimension into dimension `d` of a tensor, as a vector. `negative` ones may count from the end.
fn places_along(name: &str, input: &Tensor, d: usize, index: &Tensor, negative: bool) -> Result<Tensor> {
    if index.ndim() > 1 {
        bail!(
            Index,
            "{name}: the index has to have at most one dimension, its size is {}",
            shape::show(&index.sizes())
        );
    }
    let index = views::reshape(&index.detach().cast(DType::Int64)?, &[-1])?;
    let size = input.sizes().get(d).copied().unwrap_or(1) as i64;
    let first = if negative { -size } else { 0 };
    if let Some(bad) = index.to_vec::<i64>()?.iter().find(|&&place| !(first..size).contains(&place)) {
        bail!(Index, "{name}: index {bad} is out of range for dimension {d} of size {size}");
    }
    Ok(index)
}

/// A tensor without dimensions seen as a vector.
fn as_vector(tensor: &Tensor) -> Result<Tensor> {
    if tensor.ndim() == 0 { views::reshape(tensor, &[1]) } else { Ok(tensor.clone()) }
}

fn check_long(name: &str, index: &Tensor) -> Result<()> {
    if index.dtype() != DType::Int64 {
        bail!(Index, "{name}: the index has to be an int64 tensor, it is {}", index.dtype());
    }
    Ok(())
}

fn check_same_dtype(name: &str, source: &Tensor, input: &Tensor) -> Result<()> {
    if source.dtype() != input.dtype() {
        bail!(
            Runtime,
            "{name}: source is {} and the tensor is {}; they have to be the same",
            source.dtype(),
            input.dtype()
        );
    }
    Ok(())
}

op! {
    /// `input` with the parts of `source` stored at the places of `index` along `dim`.
    fn index_copy(input: Tensor, dim: i64, index: Tensor, source: Tensor) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        let d = wrap_dim(dim, input.ndim())?;
        if index.ndim() > 1 {
            bail!(Index, "index_copy: the index has to have at most one dimension, its size is {}", shape::show(&index.sizes()));
        }
        if index.dtype() != DType::Int64 {
            bail!(Runtime, "index_copy: the index has to be an int64 tensor, it is {}", index.dtype());
        }
        check_same_dtype("index_copy", source, input)?;
        if source.ndim() == 0 && index.numel() != 1 {
            bail!(Index, "index_copy: {} indices for a source without dimensions", index.numel());
        }
        if source.ndim() != input.ndim() && source.ndim() != 0 && input.ndim() != 0 {
            bail!(Index, "index_copy: the source has {} dimensions, the tensor {}", source.ndim(), input.ndim());
        }
        let out = input.copied(input.dtype())?;
        let (target, source) = (as_vector(&out)?, as_vector(&source.detach())?);
        let (mut expected, found) = (target.sizes(), source.sizes());
        expected[d] = index.numel();
        if found.len() == expected.len() && found != expected || found.len() != expected.len() && found.iter().product::<usize>() != 1 {
            let kind = if input.ndim() == 0 || found.get(d) == expected.get(d) { crate::error::Kind::Runtime } else { crate::error::Kind::Index };
            return Err(crate::Error::new(kind, format!(
                "index_copy: a source of size {} is expected, it has {}", shape::show(&expected), shape::show(&found)
            )));
        }
        let mut indices = vec![None; d + 1];
        indices[d] = Some(places_along("index_copy", input, d, index, false)?);
        put_raw(&target, &indices, &source, Write::Replace)?;
        Ok(out)
    }
    derivative "IndexCopyBackward0" Linear {
        input(g, dim, index) => index_fill(g, dim, index, 0i64.into());
        source(g, dim, index, ctx) => {
            views::reshape(&index_select(g, dim, index)?, &ints(&ctx.sizes_of(3)?))
        };
    }
}

op! {
    /// `input` with `value`, a number or a tensor without dimensions, at the places of `index` along `dim`.
    fn index_fill(input: Tensor, dim: i64, index: Tensor, value: Operand<'static>) -> Tensor, FUNCTION NO_OUT METHOD IN_PLACE;
    value {
        if let Operand::Tensor(tensor) = value
            && tensor.ndim() > 0
        {
            bail!(
                Runtime,
                "index_fill: the value has to be a number or a tensor without dimensions, its size is {}",
                shape::show(&tensor.sizes())
            );
        }
        let d = wrap_dim(dim, input.ndim())?;
        check_long("index_fill", index)?;
        let value = match value {
            Operand::Tensor(tensor) => tensor.cast(input.dtype())?,
            Operand::Scalar(number) => Tensor::scalar(number, input.dtype())?,
        };
        let out = input.copied_alike(input.dtype())?;
        let mut indices = vec![None; d + 1];
        indices[d] = Some(places_along("index_fill", input, d, index, true)?);
        put_raw(&as_vector(&out)?, &indices, &value.detach(), Write::Replace)?;
        Ok(out)
    }
    derivative "IndexFillBackward1" / "IndexFillBackward0" Linear {
        input(g, dim, index) => index_fill(g, dim, index, 0i64.into());
        value(g, dim, index) => {
            // Places that are named twice count once.
            let size = g.sizes().get(wrap_dim(dim, g.ndim())?).copied().unwrap_or(1) as i64;
            let mut chosen: Vec<i64> = index.to_vec::<i64>()?.iter().map(|&i| if i < 0 { i + size } else { i }).collect();
            chosen.sort_unstable();
            chosen.dedup();
            let index = Tensor::from_slice(&chosen, &[chosen.len()])?;
            crate::ops::reduction::sum_all(&index_select(g, dim, &index)?, None)
        };
    }
}

/// What `reduce=` names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reduce {
    Sum,
    Mean,
    Product,
    Largest,
    Smallest,
}

impl Reduce {
    fn named(function: &str, name: &str) -> Result<Reduce> {
        Ok(match name {
            "sum" => Reduce::Sum,
            "mean" => Reduce::Mean,
            "prod" => Reduce::Product,
            "amax" => Reduce::Largest,
            "amin" => Reduce::Smallest,
            _ => bail!(Runtime, "{function}: reduce is 'sum', 'prod', 'mean', 'amax' or 'amin', not '{name}'"),
        })
    }

    fn join(self) -> Join {
        match self {
            Reduce::Sum | Reduce::Mean => Join::Sum,
            Reduce::Product => Join::Product,
            Reduce::Largest => Join::Largest,
            Reduce::Smallest => Join::Smallest,
        }
    }

    /// What changes nothing when it is joined.
    fn neutral(self, dtype: DType) -> Scalar {
        let bounds = match dtype {
            DType::UInt8 => (0, i64::from(u8::MAX)),
            DType::Int32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        match self {
            Reduce::Sum | Reduce::Mean => Scalar::Int(0),
            Reduce::Product => Scalar::Int(1),
            Reduce::Largest if dtype.is_float() => Scalar::Float(f64::NEG_INFINITY),
            Reduce::Smallest if dtype.is_float() => Scalar::Float(f64::INFINITY),
            Reduce::Largest => Scalar::Int(bounds.0),
            Reduce::Smallest => Scalar::Int(bounds.1),
        }
    }
}

/// The part of `src` that an index of a smaller size uses, seen with the size of the index.
fn used_part(src: &Tensor, index: &Tensor) -> Tensor {
    let sizes = index.sizes();
    let (strides, offset) = (src.strides(), src.data().offset);
    if strides.len() != sizes.len() || sizes.iter().zip(&src.sizes()).any(|(n, most)| n > most) {
        return src.clone();
    }
    src.alias(sizes, strides, offset)
}

/// Elements of `src` joined to those of `input` at the places of `index` along `d`, or to each other.
fn joined(
    name: &str,
    input: &Tensor,
    d: usize,
    index: &Tensor,
    src: &Tensor,
    reduce: Reduce,
    include: bool,
) -> Result<Tensor> {
    if input.dtype() == DType::Bool {
        if reduce == Reduce::Mean {
            bail!(NotImplemented, "{name}: the mean is not implemented for bool");
        }
        let [input, src] = [input, src].map(|tensor| tensor.cast(DType::Int32));
        return joined(name, &input?, d, index, &src?, reduce, include)?.cast(DType::Bool);
    }
    let out = input.copied(input.dtype())?;
    if index.numel() == 0 {
        return Ok(out);
    }
    let write = |target: &Tensor, value: Scalar, write: Write| -> Result<()> {
        let values = Tensor::full(&index.sizes(), value, target.dtype())?;
        places::scatter(&target.data(), d, &index.data(), &values.data(), write)
    };
    if !include {
        write(&out, reduce.neutral(out.dtype()), Write::Replace)?;
    }
    places::combine(name, &out.data(), d, &index.data(), &used_part(src, index).data(), reduce.join())?;
    if reduce != Reduce::Mean {
        return Ok(out);
    }
    let count = Tensor::full(&out.sizes(), Scalar::Int(i64::from(include)), out.dtype().real())?;
    write(&count, Scalar::Int(1), Write::Add)?;
    let count = crate::ops::selection::clamp_min(&count, 1i64.into())?;
    let mean = if out.dtype().is_differentiable() {
        div((&out).into(), (&count).into())?
    } else {
        crate::ops::arithmetic::floor_divide((&out).into(), (&count).into())?
    };
    Ok(mean)
}

/// The gradients of [`joined`] with respect to `input` and `src`.
#[allow(clippy::too_many_arguments)]
fn joined_backward(
    g: &Tensor,
    input: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    reduce: Reduce,
    include: bool,
    out: &Tensor,
    again: &dyn Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<[Tensor; 2]> {
    let pick = |tensor: &Tensor| gather(tensor, dim, index, false);
    let number = |truth: &Tensor| to_dtype(truth, g.dtype());
    let without = |tensor: &Tensor| match include {
        true => Ok(tensor.clone()),
        false => scatter_value(tensor, dim, index, 0i64.into()),
    };
    let used = &narrowed(src, index)?;
    let [by_input, by_src] = match reduce {
        Reduce::Sum => [g.clone(), pick(g)?],
        Reduce::Mean => {
            let count = Tensor::full(&g.sizes(), Scalar::Int(i64::from(include)), g.dtype())?;
            let ones = Tensor::full(&index.sizes(), Scalar::Int(1), g.dtype())?;
            let count = scatter_add(&count, dim, index, &ones)?;
            let count = masked_fill(&count, &eq(&count, 0i64.into())?, 1i64.into())?;
            let shared = div(g.into(), (&count).into())?;
            let picked = pick(&shared)?;
            [shared, picked]
        }
        Reduce::Product => {
            let zero = eq(&input.detach(), 0i64.into())?;
            let safe = masked_fill(input, &zero, 1i64.into())?;
            let by_input = div((&mul_tensors(g, &again(&safe, src)?)?).into(), (&safe).into())?;
            // The product of the others where an element alone is 0; with several zeros nothing but 0 is left.
            let zeros = eq(&used.detach(), 0i64.into())?;
            let counts = scatter_add(&input.detach().zeros_alike()?, dim, index, &number(&zeros)?)?;
            let alone = logical_and(&zeros, &eq(&pick(&counts)?, 1i64.into())?)?;
            let others = again(input, &masked_fill(used, &alone, 1i64.into())?)?;
            let rest = div((&pick(&mul_tensors(g, out)?)?).into(), (&masked_fill(used, &zeros, 1i64.into())?).into())?;
            [by_input, choose(&alone, (&pick(&mul_tensors(g, &others)?)?).into(), (&rest).into())?]
        }
        Reduce::Largest | Reduce::Smallest => {
            let values = pick(&out.detach())?;
            let from_input = without(&number(&eq(&input.detach(), (&out.detach()).into())?)?)?;
            let from_src = number(&eq(&used.detach(), (&values).into())?)?;
            let count = scatter_add(&from_input, dim, index, &from_src)?;
            let shared = div(g.into(), (&masked_fill(&count, &eq(&count, 0i64.into())?, 1i64.into())?).into())?;
            // What the index does not touch is itself.
            [mul_tensors(&from_input, &shared)?, mul_tensors(&from_src, &pick(&shared)?)?]
        }
    };
    Ok([without(&by_input)?, by_src])
}

/// [`used_part`] in differentiable operations.
fn narrowed(src: &Tensor, index: &Tensor) -> Result<Tensor> {
    let mut part = src.clone();
    for (d, &size) in index.sizes().iter().enumerate() {
        if part.ndim() == index.ndim() && part.sizes()[d] != size {
            part = views::narrow(&part, d as i64, 0, size as i64)?;
        }
    }
    Ok(part)
}

/// The two gradients as those of the operation's arguments, of which the second may be larger than the index.
fn both(ctx: &Backward, [by_input, by_src]: [Tensor; 2], src: usize) -> Result<Gradients> {
    let by_src = match ctx.needs(src) {
        true => Some(crate::ops::gathering::pad_like(&by_src, &ctx.sizes_of(src)?)?),
        false => None,
    };
    Ok([ctx.needs(0).then_some(by_input), None, by_src].into_iter().collect())
}

op! {
    /// Elements of `src` joined to those of `input` at the places of `index` along `dim`: their sum, product, mean,
    /// maximum or minimum; without `include_self` only to each other.
    fn scatter_reduce(
        input: Tensor, dim: i64, index: Tensor, src: Tensor, reduce: String; include_self: bool = true
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        check_index("scatter_reduce", index)?;
        let d = wrap_dim(dim, input.ndim())?;
        let reduce = Reduce::named("scatter_reduce", reduce)?;
        if index.numel() > 0 {
            check_sizes("scatter_reduce", &index.sizes(), &input.sizes(), Some(d))?;
            check_sizes("scatter_reduce", &index.sizes(), &src.sizes(), None)?;
        }
        check_same_dtype("scatter_reduce", src, input)?;
        if matches!(reduce, Reduce::Sum | Reduce::Mean | Reduce::Product) {
            check_no_gradient("scatter_reduce", &[input, src])?;
        }
        joined("scatter_reduce", &input.detach(), d, index, &src.detach(), reduce, include_self)
    }
    batch together(dim);
    derivative "ScatterReduceBackward0" ByVjp {
        [input, index, src](g, input, dim, index, src, reduce, include_self, out, ctx) => {
            let again = |input: &Tensor, src: &Tensor| scatter_reduce(input, dim, index, src, reduce, include_self);
            let reduce = Reduce::named("scatter_reduce", reduce)?;
            both(ctx, joined_backward(g, input, dim, index, src, reduce, include_self, out, &again)?, 3)
        };
    }
}

/// The places of an index of parts for each element of `source`.
fn index_of_elements(name: &str, input: &Tensor, d: usize, index: &Tensor, source: &Tensor) -> Result<Tensor> {
    let index = places_along(name, input, d, index, false)?;
    let mut sizes = Ints::from_elem(1, source.ndim().max(1));
    sizes[d] = index.numel() as i64;
    let sizes_of_source = if source.ndim() == 0 { Ints::from_elem(1, 1) } else { ints(&source.sizes()) };
    views::expand(&views::reshape(&index, &sizes)?, &sizes_of_source)
}

op! {
    /// The parts of `source` joined to those of `input` at the places of `index` along `dim`: their product, mean,
    /// maximum or minimum; without `include_self` only to each other.
    fn index_reduce(
        input: Tensor, dim: i64, index: Tensor, source: Tensor, reduce: String; include_self: bool = true
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        let reduce = Reduce::named("index_reduce", reduce)?;
        if reduce == Reduce::Sum {
            bail!(Runtime, "index_reduce: reduce is 'prod', 'mean', 'amax' or 'amin'; index_add sums");
        }
        let d = wrap_dim(dim, input.ndim())?;
        if !matches!(index.dtype(), DType::Int32 | DType::Int64) {
            bail!(Runtime, "index_reduce: the index has to be int32 or int64, it is {}", index.dtype());
        }
        if index.ndim() > 1 {
            bail!(Index, "index_reduce: the index has to have at most one dimension, its size is {}", shape::show(&index.sizes()));
        }
        check_same_dtype("index_reduce", source, input)?;
        if input.dtype().is_complex() && !include_self {
            bail!(NotImplemented, "index_reduce: not implemented for {} without include_self", input.dtype());
        }
        if matches!(reduce, Reduce::Mean | Reduce::Product) {
            check_no_gradient("index_reduce", &[input, source])?;
        }
        if input.dtype() == DType::Bool && !include_self {
            bail!(NotImplemented, "index_reduce: not implemented for bool without include_self");
        }
        let (target, source) = (as_vector(&input.detach())?, as_vector(&source.detach())?);
        let (mut expected, found) = (target.sizes(), source.sizes());
        expected[d] = index.numel();
        if found != expected {
            bail!(Runtime, "index_reduce: a source of size {} is expected, it has {}", shape::show(&expected), shape::show(&found));
        }
        let index = index_of_elements("index_reduce", input, d, index, &source)?;
        let out = joined("index_reduce", &target, d, &index, &source, reduce, include_self)?;
        let (sizes, strides) = (input.sizes(), input.sizes());
        Ok(out.alias(sizes, shape::contiguous_strides(&strides), 0))
    }
    derivative "IndexReduceBackward0" ByVjp {
        [input, index, source](g, input, dim, index, source, reduce, include_self, out, ctx) => {
            let places = index_of_elements("index_reduce", input, wrap_dim(dim, input.ndim())?, index, source)?;
            let again = |input: &Tensor, source: &Tensor| index_reduce(input, dim, index, source, reduce, include_self);
            let reduce = Reduce::named("index_reduce", reduce)?;
            let [by_input, by_source] =
                joined_backward(g, input, dim, &places, source, reduce, include_self, out, &again)?;
            let by_source = views::reshape(&by_source, &ints(&source.sizes()))?;
            both(ctx, [by_input, by_source], 3)
        };
    }
}

fn joined_by_name(name: &str) -> Result<Reduce> {
    match name {
        "add" => Ok(Reduce::Sum),
        "multiply" => Ok(Reduce::Product),
        _ => bail!(Runtime, "scatter: reduce is 'add' or 'multiply', not '{name}'"),
    }
}

op! {
    /// `input` with `src` added to it, or multiplied by it, at the places of `index` along `dim`.
    fn scatter_joined as "scatter" / "reduce" (input: Tensor, dim: i64, index: Tensor, src: Tensor; reduce: String) -> Tensor,
        FUNCTION METHOD IN_PLACE;
    value {
        check_index("scatter", index)?;
        let (d, reduce) = (wrap_dim(dim, input.ndim())?, joined_by_name(reduce)?);
        check_same_dtype("scatter", src, input)?;
        if index.numel() > 0 {
            check_sizes("scatter", &index.sizes(), &input.sizes(), Some(d))?;
            check_sizes("scatter", &index.sizes(), &src.sizes(), None)?;
        }
        joined("scatter", &input.detach(), d, index, &src.detach(), reduce, true)
    }
    batch together(dim);
    derivative missing "NotImplemented";
}

op! {
    /// `input` with a number added to it, or multiplied by it, at the places of `index` along `dim`.
    fn scatter_value_joined as "scatter" / "value_reduce" (
        input: Tensor, dim: i64, index: Tensor, value: Scalar; reduce: String
    ) -> Tensor, FUNCTION METHOD IN_PLACE;
    value {
        let src = Tensor::full(&index.sizes(), value, input.dtype())?;
        scatter_joined(&input.detach(), dim, index, &src, reduce)
    }
    batch together(dim);
    derivative missing "NotImplemented";
}

op! {
    /// The elements of the flattened tensor at the places of `index`, with the size of `index`.
    fn take(input: Tensor, index: Tensor) -> Tensor, FUNCTION METHOD;
    value {
        if index.dtype() != DType::Int64 {
            bail!(Runtime, "take: the index has to be an int64 tensor, it is {}", index.dtype());
        }
        if input.numel() == 0 && index.numel() > 0 {
            bail!(Index, "take: nothing can be taken from a tensor without elements");
        }
        index_raw(&views::reshape(&input.detach(), &[-1])?, &[Some(index.detach())])
    }
    derivative "TakeBackward0" ByVjp {
        input(g, input, index) => put(&input.detach().zeros_alike()?, index, g, true);
    }
}

op! {
    /// `input` with the elements of `source` stored at (or added to) the places of `index` in the flattened tensor.
    fn put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = false) -> Tensor, FUNCTION NO_OUT METHOD IN_PLACE;
    value {
        if index.dtype() != DType::Int64 {
            bail!(Runtime, "put: the index has to be an int64 tensor, it is {}", index.dtype());
        }
        check_same_dtype("put", source, input)?;
        if source.numel() != index.numel() {
            bail!(Index, "put: {} indices for {} elements", index.numel(), source.numel());
        }
        if input.numel() == 0 && index.numel() > 0 {
            bail!(Index, "put: nothing can be put into a tensor without elements");
        }
        let out = input.copied(input.dtype())?;
        let flat = views::reshape(&out, &[-1])?;
        let index = views::reshape(&index.detach(), &[-1])?;
        let values = views::reshape(&source.detach(), &[-1])?;
        put_raw(&flat, &[Some(index)], &values, if accumulate { Write::Add } else { Write::Replace })?;
        if input.is_contiguous() {
            return Ok(out);
        }
        let alike = input.empty_alike(input.dtype())?;
        crate::kernels::copy::copy(&alike.data(), &out.data());
        Ok(alike)
    }
    derivative "PutBackward0" Linear {
        input(g, index, accumulate) => {
            if accumulate {
                return Ok(Gradients::from_elem(Some(g.clone()), 1));
            }
            put(g, index, &Tensor::zeros(&index.sizes(), g.dtype())?, false)
        };
        source(g, index, ctx) => views::reshape(&take(g, index)?, &ints(&ctx.sizes_of(2)?));
    }
}

op! {
    /// `gather` in which tensor and indices broadcast against each other but along `dim`; in the flattened tensor if
    /// `dim` is `None`.
    fn take_along_dim(input: Tensor, indices: Tensor, dim: Option<i64> = None) -> Tensor, FUNCTION METHOD;
    value {
        if indices.dtype() != DType::Int64 {
            bail!(Runtime, "take_along_dim: the indices have to be int64, they are {}", indices.dtype());
        }
        let Some(dim) = dim else {
            return gather(&views::view(&crate::ops::conversion::contiguous(input)?, &[-1])?, 0, &views::reshape(indices, &[-1])?, false);
        };
        if input.ndim() != indices.ndim() {
            bail!(
                Runtime,
                "take_along_dim: the tensor has {} dimensions, the indices {}",
                input.ndim(),
                indices.ndim()
            );
        }
        let d = wrap_dim(dim, input.ndim())?;
        let sizes = |tensor: &Tensor, other: &Tensor| -> Result<Ints> {
            let (mut own, mut other) = (tensor.sizes(), other.sizes());
            if own.is_empty() {
                return Ok(Ints::new());
            }
            other[d] = 1;
            let along = std::mem::replace(&mut own[d], 1);
            let mut both = shape::broadcast(&own, &other)?;
            both[d] = along;
            Ok(ints(&both))
        };
        let (wide, places) = (sizes(input, indices)?, sizes(indices, input)?);
        gather(&views::expand(input, &wide)?, dim, &views::expand(indices, &places)?, false)
    }
    derivative composite;
}

op! {
    /// Places in a flattened tensor of size `shape` as coordinates, a tensor for each dimension.
    fn unravel_index(indices: Tensor, shape: Ints) -> List, FUNCTION;
    value {
        if !indices.dtype().is_integral() || indices.dtype() == DType::Bool {
            bail!(Type, "unravel_index: integers are expected, got {}", indices.dtype());
        }
        if shape.iter().any(|&size| size < 0) {
            bail!(Value, "unravel_index: sizes must not be negative, got {}", shape::show(shape));
        }
        let mut rest = indices.clone();
        let mut columns = Vec::new();
        for &size in shape.iter().rev() {
            columns.push(crate::ops::arithmetic::remainder((&rest).into(), size.into())?);
            rest = crate::ops::arithmetic::floor_divide((&rest).into(), size.into())?;
        }
        columns.reverse();
        if columns.is_empty() {
            return Ok(columns);
        }
        views::unbind(&crate::ops::joining::stack_tensors(&columns, -1)?, -1)
    }
    derivative none;
}
