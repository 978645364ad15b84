//! Elements, or parts along a dimension, each once.

use crate::DType;
use crate::error::Result;
use crate::kernels::index::offsets;
use crate::kernels::sort::{Packed, sort_packed, wide};
use crate::ops::gathering::index_select;
use crate::ops::views;
use crate::shape::wrap_dim;
use crate::tensor::Tensor;
use crate::{bail, op, with_element};

/// Rows in groups of equal ones.
struct Groups {
    /// A row of each group.
    members: Vec<i64>,
    /// The group of each row.
    groups: Vec<i64>,
    counts: Vec<i64>,
}

/// Groups rows of keys: all equal ones, in their order, or only neighbours.
fn grouped(keys: &[u64], width: usize, rows: usize, neighbours: bool, floats: bool) -> Groups {
    let row = |i: usize| &keys[i * width..(i + 1) * width];
    let mut order: Vec<usize> = (0..rows).collect();
    if !neighbours && width == 1 {
        let mut packed: Vec<u128> = keys.iter().zip(0..).map(|(&key, i)| u128::from(key) << 64 | i).collect();
        sort_packed(&mut packed, true);
        order = packed.into_iter().map(Packed::place).collect();
    } else if !neighbours {
        order.sort_by(|&a, &b| row(a).cmp(row(b)));
    }
    let mut found = Groups { members: Vec::new(), groups: vec![0; rows], counts: Vec::new() };
    for (nth, &i) in order.iter().enumerate() {
        // NaN, whose key is the largest, equals nothing.
        let same = nth > 0 && row(order[nth - 1]) == row(i) && !(floats && row(i).contains(&u64::MAX));
        if !same {
            found.members.push(i as i64);
            found.counts.push(0);
        }
        let group = found.members.len() - 1;
        found.groups[i] = group as i64;
        found.counts[group] += 1;
    }
    found
}

/// The keys of the parts along a dimension, each a row of them.
fn keys(input: &Tensor, dim: usize) -> Result<Vec<u64>> {
    let rows = if input.ndim() == 0 { input.detach() } else { views::movedim(&input.detach(), &[dim as i64], &[0])? };
    let data = rows.data();
    Ok(with_element!(data.dtype, T => {
        let source = data.pointer().cast::<T>();
        // SAFETY: offsets lie inside the tensor.
        offsets(&data.sizes, &data.strides).into_iter().map(|at| wide(unsafe { *source.add(at) })).collect()
    }))
}

/// Parts each once, the group of each part, and how many there are in each.
fn unique_parts(input: &Tensor, dim: Option<i64>, neighbours: bool) -> Result<[Tensor; 3]> {
    let flat;
    let (source, d, sizes) = match dim {
        None => {
            flat = views::reshape(&input.detach(), &[-1])?;
            (&flat, 0, input.sizes())
        }
        Some(dim) => {
            let d = wrap_dim(dim, input.ndim())?;
            let rows = input.sizes().get(d).copied().unwrap_or(1);
            (input, d, [rows].into_iter().collect())
        }
    };
    let rows = source.sizes().get(d).copied().unwrap_or(1);
    if rows > 0 && source.numel() == 0 {
        bail!(Runtime, "unique: a tensor with a size of 0 beside dimension {d} has no parts to compare");
    }
    let keys = keys(source, d)?;
    let width = keys.len().checked_div(rows).unwrap_or(0);
    let found = grouped(&keys, width, rows, neighbours, source.dtype().is_float());
    let members = Tensor::from_slice(&found.members, &[found.members.len()])?;
    Ok([
        if source.ndim() == 0 {
            source.copied(source.dtype())?
        } else {
            index_select(&source.detach(), d as i64, &members)?
        },
        Tensor::from_slice(&found.groups, &sizes)?,
        Tensor::from_slice(&found.counts, &[found.counts.len()])?,
    ])
}

/// Tensors without elements in the place of what was not asked for.
fn as_asked([values, groups, counts]: [Tensor; 3], inverse: bool, count: bool) -> Result<Vec<Tensor>> {
    let nothing = Tensor::empty(&[0], DType::Int64)?;
    Ok(vec![values, if inverse { groups } else { nothing.clone() }, if count { counts } else { nothing }])
}

op! {
    /// The elements each once in ascending order, the group of each element, and how many there are in each.
    fn unique_elements as "_unique_elements" (
        input: Tensor, sorted: bool = true, return_inverse: bool = false, return_counts: bool = false
    ) -> List, FUNCTION;
    value { as_asked(unique_parts(input, None, false)?, return_inverse, return_counts) }
    derivative missing "Unique2Backward0";
}

op! {
    /// The parts along `dim` each once, in lexicographic order.
    fn unique_dim(
        input: Tensor, dim: i64, sorted: bool = true, return_inverse: bool = false, return_counts: bool = false
    ) -> List, FUNCTION;
    value { as_asked(unique_parts(input, Some(dim), false)?, return_inverse, return_counts) }
    derivative missing "UniqueDimBackward0";
}

op! {
    /// Neighbours that are equal once: elements of the flattened tensor, or parts along `dim`.
    fn unique_neighbours as "_unique_consecutive" (
        input: Tensor, return_inverse: bool = false, return_counts: bool = false, dim: Option<i64> = None
    ) -> List, FUNCTION;
    value { as_asked(unique_parts(input, dim, true)?, return_inverse, return_counts) }
    derivative missing "UniqueConsecutiveBackward0";
}
