//! Tensors put together: cat, stack, and what is made of them.

use smallvec::SmallVec;

use crate::data::Data;
use crate::error::Result;
use crate::op::Gradients;
use crate::promotion::ResultType;
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::value::Tensors;
use crate::{bail, op};

op! {
    /// Tensors put one after another along a dimension. All other sizes have to agree; empty vectors are passed over.
    fn cat(tensors: Tensors, dim: i64 = 0) -> Tensor, FUNCTION;
    value {
        let parts: Parts = tensors.iter().flatten().collect();
        let Some(first) = parts.iter().find(|tensor| takes_part(tensor)).or(parts.first()) else {
            bail!(Value, "cat: at least one tensor is needed");
        };
        let sizes = &first.data().sizes;
        if sizes.is_empty() {
            bail!(Runtime, "cat: tensors without dimensions cannot be joined; use stack()");
        }
        let d = wrap_dim(dim, sizes.len())?;
        let mut lengths = Ints::new();
        for (i, part) in parts.iter().enumerate() {
            let other = &part.data().sizes;
            let fits = other.len() == sizes.len() && (0..sizes.len()).all(|j| j == d || other[j] == sizes[j]);
            if takes_part(part) && !fits {
                bail!(
                    Runtime,
                    "cat: all sizes but that of dimension {d} have to agree: tensor {i} has size {}, the first {}",
                    shape::show(other),
                    shape::show(sizes)
                );
            }
            lengths.push(if takes_part(part) { other[d] as i64 } else { 0 });
        }
        joined(tensors, d as i64, &lengths)
    }
    derivative composite;
}

/// The tensors of a list.
type Parts<'a> = SmallVec<[&'a Tensor; 8]>;

/// A vector without elements is passed over, whatever the sizes of the others.
fn takes_part(tensor: &Tensor) -> bool {
    tensor.data().sizes[..] != [0]
}

op! {
    /// `cat` of tensors that fit, with the lengths that they have along `dim`.
    fn joined as "_cat" (tensors: Tensors, dim: i64, lengths: Ints) -> Tensor, ANY_TYPE;
    value {
        let parts: Parts = tensors.iter().flatten().collect();
        let mut state = ResultType::default();
        parts.iter().for_each(|part| state.add_tensor(part.dtype(), part.ndim()));
        let d = dim as usize;
        let mut sizes = parts.iter().find(|part| takes_part(part)).unwrap_or(&parts[0]).sizes();
        sizes[d] = lengths.iter().sum::<i64>() as usize;
        let out = Tensor::empty(&sizes, state.get())?;
        {
            let whole = out.data();
            let mut start = 0;
            for (part, &length) in parts.iter().zip(lengths).filter(|row| takes_part(row.0)) {
                let (mut sizes, strides) = (whole.sizes.clone(), whole.strides.clone());
                sizes[d] = length as usize;
                let place = Data::new(whole.storage.clone(), sizes, strides, start * whole.strides[d], whole.dtype);
                crate::kernels::copy::copy(&place, &part.data());
                start += length as usize;
            }
        }
        Ok(out)
    }
    batch dims(dim);
    derivative "CatBackward0" Linear {
        [tensors](g, dim, lengths, ctx) => {
            let mut start = 0;
            let mut gradients = Gradients::new();
            for (i, (edge, &length)) in ctx.node.edges().iter().zip(lengths).enumerate() {
                gradients.push(match edge {
                    None => None,
                    Some(_) => {
                        let sizes: Ints = ctx.input_meta(i)?.sizes.iter().map(|&n| n as i64).collect();
                        let part = crate::ops::views::narrow(g, dim, start, length)?;
                        // Only a vector that was passed over has another size, and no elements either way.
                        Some(if sizes[..] == [0] { crate::ops::views::reshape(&part, &sizes)? } else { part })
                    }
                });
                start += length;
            }
            Ok(gradients)
        };
    }
}

op! {
    /// Tensors of one size put side by side along a new dimension.
    fn stack(tensors: Tensors, dim: i64 = 0) -> Tensor, FUNCTION;
    value {
        let parts: Vec<&Tensor> = tensors.iter().flatten().collect();
        let Some(first) = parts.first() else { bail!(Runtime, "stack: at least one tensor is needed") };
        let sizes = first.sizes();
        if let Some(i) = parts.iter().position(|part| part.sizes() != sizes) {
            bail!(
                Runtime,
                "stack: all tensors have to have one size: tensor {i} has {}, the first {}",
                shape::show(&parts[i].sizes()),
                shape::show(&sizes)
            );
        }
        let widened: Result<Vec<_>> =
            parts.iter().map(|part| Ok(Some(crate::ops::views::unsqueeze(part, dim)?))).collect();
        let d = wrap_dim(dim, sizes.len() + 1)?;
        cat(&widened?, d as i64)
    }
    batch inserted(dim);
    derivative "StackBackward0" Linear {
        [tensors](g, dim) => crate::ops::views::unbind(g, dim).map(|parts| parts.into_iter().map(Some).collect());
    }
}

/// [`cat`] of tensors that are all there.
pub fn cat_tensors(tensors: &[Tensor], dim: i64) -> Result<Tensor> {
    cat(&tensors.iter().cloned().map(Some).collect::<Vec<_>>(), dim)
}

/// [`stack`] of tensors that are all there.
pub fn stack_tensors(tensors: &[Tensor], dim: i64) -> Result<Tensor> {
    stack(&tensors.iter().cloned().map(Some).collect::<Vec<_>>(), dim)
}

op! {
    /// `cat` under another name.
    fn concat(tensors: Tensors, dim: i64 = 0) -> Tensor, FUNCTION;
    value { cat(tensors, dim) }
    derivative composite;
}

op! {
    /// `cat` under numpy's name.
    fn concatenate(tensors: Tensors, dim: i64 = 0) -> Tensor, FUNCTION;
    value { cat(tensors, dim) }
    derivative composite;
}

/// Tensors with at least `N` dimensions of one list.
fn at_least<const N: usize>(name: &str, tensors: &[Option<Tensor>]) -> Result<Vec<Tensor>> {
    if tensors.is_empty() {
        bail!(Runtime, "{name}: at least one tensor is needed");
    }
    tensors.iter().flatten().map(raised::<N>).collect()
}

/// A tensor with dimensions of size 1 put in, so that there are at least `N`.
fn raised<const N: usize>(tensor: &Tensor) -> Result<Tensor> {
    use crate::ops::views::{reshape, unsqueeze};
    match (N, tensor.ndim()) {
        (1, 0) => reshape(tensor, &[1]),
        (2, 0) => reshape(tensor, &[1, 1]),
        (3, 0) => reshape(tensor, &[1, 1, 1]),
        (2, 1) => unsqueeze(tensor, 0),
        (3, 1) => unsqueeze(&unsqueeze(tensor, 0)?, -1),
        (3, 2) => unsqueeze(tensor, -1),
        _ => Ok(tensor.clone()),
    }
}

op! {
    /// The tensor with at least one dimension.
    fn atleast_1d(input: Tensor) -> Tensor, FUNCTION NO_OUT;
    value { raised::<1>(input) }
    derivative composite;
}

op! {
    /// The tensors with at least one dimension.
    fn atleast_1d_each as "atleast_1d" / "Sequence" (tensors: Tensors) -> List, FUNCTION NO_OUT VARIADIC;
    value { tensors.iter().flatten().map(raised::<1>).collect() }
    derivative composite;
}

op! {
    /// The tensor with at least two dimensions: a vector is a row.
    fn atleast_2d(input: Tensor) -> Tensor, FUNCTION NO_OUT;
    value { raised::<2>(input) }
    derivative composite;
}

op! {
    /// The tensors with at least two dimensions.
    fn atleast_2d_each as "atleast_2d" / "Sequence" (tensors: Tensors) -> List, FUNCTION NO_OUT VARIADIC;
    value { tensors.iter().flatten().map(raised::<2>).collect() }
    derivative composite;
}

op! {
    /// The tensor with at least three dimensions: a vector has size `(1, n, 1)`, a matrix `(m, n, 1)`.
    fn atleast_3d(input: Tensor) -> Tensor, FUNCTION NO_OUT;
    value { raised::<3>(input) }
    derivative composite;
}

op! {
    /// The tensors with at least three dimensions.
    fn atleast_3d_each as "atleast_3d" / "Sequence" (tensors: Tensors) -> List, FUNCTION NO_OUT VARIADIC;
    value { tensors.iter().flatten().map(raised::<3>).collect() }
    derivative composite;
}

op! {
    /// Tensors side by side: along the second dimension, vectors along their only one.
    fn hstack(tensors: Tensors) -> Tensor, FUNCTION;
    value {
        let parts = at_least::<1>("hstack", tensors)?;
        cat_tensors(&parts, i64::from(parts[0].ndim() > 1))
    }
    derivative composite;
}

op! {
    /// Tensors one above the other: along the first dimension, vectors as rows.
    fn vstack(tensors: Tensors) -> Tensor, FUNCTION;
    value { cat_tensors(&at_least::<2>("vstack", tensors)?, 0) }
    derivative composite;
}

op! {
    /// `vstack` under another name.
    fn row_stack(tensors: Tensors) -> Tensor, FUNCTION;
    value { vstack(tensors) }
    derivative composite;
}

op! {
    /// Tensors in depth: along the third dimension.
    fn dstack(tensors: Tensors) -> Tensor, FUNCTION;
    value { cat_tensors(&at_least::<3>("dstack", tensors)?, 2) }
    derivative composite;
}

op! {
    /// Tensors side by side, vectors as columns.
    fn column_stack(tensors: Tensors) -> Tensor, FUNCTION;
    value {
        if tensors.is_empty() {
            bail!(Runtime, "column_stack: at least one tensor is needed");
        }
        let columns = tensors.iter().flatten().map(|tensor| match tensor.ndim() {
            0 | 1 => crate::ops::views::reshape(tensor, &[tensor.numel() as i64, 1]),
            _ => Ok(tensor.clone()),
        });
        hstack(&columns.map(|column| column.map(Some)).collect::<Result<Vec<_>>>()?)
    }
    derivative composite;
}

op! {
    /// The tensors expanded to the size that they broadcast to.
    fn broadcast_tensors(tensors: Tensors) -> List, FUNCTION VARIADIC;
    value {
        let mut sizes = shape::Dims::new();
        for tensor in tensors.iter().flatten() {
            sizes = shape::broadcast(&sizes, &tensor.sizes())?;
        }
        let sizes: Ints = sizes.iter().map(|&n| n as i64).collect();
        let expanded = |tensor: &Tensor| match crate::ops::views::ints(&tensor.sizes()) == sizes {
            true => Ok(tensor.clone()),
            false => crate::ops::views::expand(tensor, &sizes),
        };
        tensors.iter().flatten().map(expanded).collect()
    }
    derivative composite;
}

fn grid(tensors: &[Option<Tensor>], indexing: &str) -> Result<Vec<Tensor>> {
    use crate::ops::views::{expand, view};
    let mut tensors: Vec<Tensor> = tensors.iter().flatten().cloned().collect();
    let Some(first) = tensors.first() else { bail!(Runtime, "meshgrid: at least one tensor is needed") };
    if tensors.iter().any(|tensor| tensor.ndim() > 1) {
        bail!(Runtime, "meshgrid: vectors are expected");
    }
    if tensors.iter().any(|tensor| tensor.dtype() != first.dtype()) {
        bail!(Runtime, "meshgrid: all tensors have to have one dtype");
    }
    let swapped = match indexing {
        "ij" => false,
        "xy" => tensors.len() > 1,
        other => bail!(Runtime, "meshgrid: indexing is 'ij' or 'xy', not '{other}'"),
    };
    if swapped {
        tensors.swap(0, 1);
    }
    let sizes: Ints = tensors.iter().map(|tensor| tensor.numel() as i64).collect();
    let mut grids = Vec::new();
    for (d, tensor) in tensors.iter().enumerate() {
        let mut own = Ints::from_elem(1, sizes.len());
        own[d] = sizes[d];
        grids.push(expand(&view(tensor, &own)?, &sizes)?);
    }
    if swapped {
        grids.swap(0, 1);
    }
    Ok(grids)
}

op! {
    /// Coordinates on the grid that vectors span, a tensor for each; with `indexing='xy'` the first vector numbers the
    /// columns.
    fn meshgrid(tensors: Tensors; indexing: String = "ij") -> List, FUNCTION VARIADIC;
    value { grid(tensors, indexing) }
    derivative composite;
}

op! {
    /// All rows that have an element of each vector.
    fn cartesian_prod(tensors: Tensors) -> Tensor, FUNCTION NO_OUT VARIADIC;
    value {
        if tensors.is_empty() {
            bail!(Runtime, "cartesian_prod: at least one tensor is needed");
        }
        if let Some(wrong) = tensors.iter().flatten().find(|tensor| tensor.ndim() != 1) {
            bail!(Runtime, "cartesian_prod: vectors are expected, got a tensor of size {}", shape::show(&wrong.sizes()));
        }
        if let [Some(only)] = tensors {
            return Ok(only.clone());
        }
        let columns: Result<Vec<_>> =
            grid(tensors, "ij")?.iter().map(|column| crate::ops::views::flatten(column, 0, -1)).collect();
        stack_tensors(&columns?, 1)
    }
    derivative composite;
}

op! {
    /// All rows of `r` elements of a vector in their order, each element once or, `with_replacement`, more often.
    fn combinations(input: Tensor, r: i64 = 2, with_replacement: bool = false) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.ndim() != 1 {
            bail!(Runtime, "combinations: a vector is expected, its size is {}", shape::show(&input.sizes()));
        }
        if r < 0 {
            bail!(Runtime, "combinations: r must not be negative, got {r}");
        }
        if r == 0 {
            return Tensor::empty(&[0], input.dtype());
        }
        let n = input.numel() as i64;
        let (mut columns, mut row): (Vec<Vec<i64>>, Vec<i64>) = (Vec::new(), Vec::new());
        if columns.try_reserve_exact(r as usize).is_err() || row.try_reserve_exact(r as usize).is_err() {
            bail!(Runtime, "combinations: rows of {r} elements do not fit the memory");
        }
        columns.resize(r as usize, Vec::new());
        row.resize(r as usize, 0);
        if !with_replacement {
            row.iter_mut().zip(0..).for_each(|(slot, i)| *slot = i);
        }
        // One row for each round; where there is none to begin with, not even the first.
        let mut goes_on = n > 0 && (with_replacement || r <= n);
        while goes_on {
            columns.iter_mut().zip(&row).for_each(|(column, &i)| column.push(i));
            // The last place that can go on, and what follows it from there.
            let most = |d: usize| if with_replacement { n - 1 } else { n - r + d as i64 };
            let Some(d) = (0..row.len()).rev().find(|&d| row[d] < most(d)) else {
                goes_on = false;
                continue;
            };
            row[d] += 1;
            for next in d + 1..row.len() {
                row[next] = row[next - 1] + i64::from(!with_replacement);
            }
        }
        let picked: Result<Vec<_>> = columns
            .iter()
            .map(|column| {
                let index = Tensor::from_slice(column, &[column.len()])?;
                crate::ops::gathering::index_select(input, 0, &index)
            })
            .collect();
        stack_tensors(&picked?, 1)
    }
    derivative composite;
}
