//! Sizes and strides: contiguity, broadcasting, and the strides of a view. No data.

use smallvec::SmallVec;

use crate::error::Result;
use crate::words::Words;
use crate::{bail, error};

/// The sizes or the strides of a tensor, in elements.
pub type Dims = Words<usize>;

/// What a Python caller names dimensions and sizes with: negative values count from the end or mean "infer".
pub type Ints = Words<i64>;

/// `(2, 3)`, `(2,)` or `()`: sizes as messages show them.
pub fn show<T: std::fmt::Display>(sizes: &[T]) -> String {
    match sizes {
        [one] => format!("({one},)"),
        many => format!("({})", many.iter().map(T::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The number of elements, refusing a product that does not fit an `isize`.
pub fn numel(sizes: &[usize]) -> Result<usize> {
    let product = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    match product {
        Some(n) if n <= isize::MAX as usize => Ok(n),
        _ if sizes.contains(&0) => Ok(0),
        _ => bail!(Runtime, "a tensor of size {} has more elements than can be counted", show(sizes)),
    }
}

/// Row-major strides for `sizes`.
pub fn contiguous_strides(sizes: &[usize]) -> Dims {
    let mut strides = Dims::from_elem(1, sizes.len());
    let mut step = 1usize;
    for (stride, &size) in strides.iter_mut().zip(sizes).rev() {
        *stride = step;
        step = step.saturating_mul(size.max(1));
    }
    strides
}

/// Whether elements lie in row-major order without gaps.
#[inline]
pub fn is_contiguous(sizes: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1;
    for d in (0..sizes.len().min(strides.len())).rev() {
        if sizes[d] != 1 {
            if strides[d] != expected {
                return sizes.contains(&0);
            }
            expected *= sizes[d];
        }
    }
    true
}

/// The order of dimensions from the slowest to the fastest if the tensor fills its memory without gaps or
/// overlaps, else `None`.
pub fn dense_order(sizes: &[usize], strides: &[usize]) -> Option<Dims> {
    let mut order: Dims = (0..sizes.len()).collect();
    order.sort_by_key(|&d| (std::cmp::Reverse(if sizes[d] == 1 { usize::MAX } else { strides[d] }), d));
    let mut expected = 1;
    for &d in order.iter().rev() {
        if sizes[d] != 1 {
            if strides[d] != expected {
                return None;
            }
            expected *= sizes[d];
        }
    }
    Some(order)
}

/// Whether two indices may name the same memory. Conservative: `true` where a cheap test cannot tell.
pub fn may_overlap(sizes: &[usize], strides: &[usize]) -> bool {
    let mut order: Dims = (0..sizes.len()).filter(|&d| sizes[d] > 1).collect();
    order.sort_by_key(|&d| strides[d]);
    let mut reach = 0;
    for &d in &order {
        if strides[d] <= reach {
            return true;
        }
        reach += strides[d] * (sizes[d] - 1);
    }
    false
}

/// The distance from the first element to the last one in memory, plus one; 0 for an empty tensor. What would
/// overflow stays at the largest number, which no storage holds.
pub fn extent(sizes: &[usize], strides: &[usize]) -> usize {
    if sizes.contains(&0) {
        return 0;
    }
    sizes.iter().zip(strides).fold(1, |n: usize, (&size, &stride)| n.saturating_add((size - 1).saturating_mul(stride)))
}

/// The sizes that two operands broadcast to.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Dims> {
    let ndim = a.len().max(b.len());
    let mut sizes: Dims = Dims::from_elem(1, ndim);
    for i in 0..ndim {
        let x = if i + a.len() >= ndim { a[i + a.len() - ndim] } else { 1 };
        let y = if i + b.len() >= ndim { b[i + b.len() - ndim] } else { 1 };
        sizes[i] = match (x, y) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => bail!(
                Runtime,
                "sizes {} and {} cannot be broadcast together: they differ at dimension {i}, where one is {x} and \
                 the other {y}, and neither is 1",
                show(a),
                show(b)
            ),
        };
    }
    Ok(sizes)
}

/// Strides that show a tensor of `sizes` and `strides` as one of `target` sizes, with 0 along broadcast
/// dimensions; `None` where it does not broadcast.
pub fn broadcast_strides(sizes: &[usize], strides: &[usize], target: &[usize]) -> Option<Dims> {
    let lead = target.len().checked_sub(sizes.len())?;
    let mut result: Dims = Dims::from_elem(0, target.len());
    for d in 0..sizes.len() {
        if sizes[d] == target[lead + d] {
            result[lead + d] = strides[d];
        } else if sizes[d] != 1 {
            return None;
        }
    }
    Some(result)
}

/// The strides with which a tensor's memory can be seen as one of `target` sizes without a copy.
pub fn view_strides(sizes: &[usize], strides: &[usize], target: &[usize]) -> Option<Dims> {
    if is_contiguous(sizes, strides) {
        return Some(contiguous_strides(target));
    }
    let mut result: Dims = Dims::from_elem(1, target.len());
    let mut t = target.len();
    let mut d = sizes.len();
    // Each run of source dimensions that lies evenly in memory is matched by a run of target dimensions.
    while d > 0 {
        let mut base = strides[d - 1];
        let mut run = sizes[d - 1];
        let mut first = d - 1;
        while run == 1 && first > 0 {
            first -= 1;
            base = strides[first];
            run = sizes[first];
        }
        while first > 0 && (sizes[first - 1] == 1 || strides[first - 1] == base * run) {
            first -= 1;
            run *= sizes[first];
        }
        let mut covered = 1;
        while t > 0 && (covered < run || target[t - 1] == 1) {
            t -= 1;
            result[t] = base * covered;
            covered *= target[t];
        }
        if covered != run {
            return None;
        }
        d = first;
    }
    for stride in &mut result[..t] {
        *stride = 1;
    }
    Some(result)
}

/// The largest kernel or extent that windows are made for, one by one.
pub const LONGEST: i64 = 1 << 26;

/// Turns a dimension that may count from the end into an index. A tensor without dimensions accepts 0 and -1.
pub fn wrap_dim(dim: i64, ndim: usize) -> Result<usize> {
    let span = ndim.max(1) as i64;
    if dim < -span || dim >= span {
        bail!(
            Index,
            "dimension {dim} is out of range for a tensor of {ndim} dimensions (expected {} to {})",
            -span,
            span - 1
        );
    }
    Ok(if dim < 0 { dim + span } else { dim } as usize)
}

/// A set of dimensions as flags; an empty or missing list means all of them.
pub fn wrap_dims(dims: Option<&[i64]>, ndim: usize) -> Result<SmallVec<[bool; 8]>> {
    let mut chosen: SmallVec<[bool; 8]> = SmallVec::from_elem(dims.is_none_or(<[i64]>::is_empty), ndim);
    let mut zero_dim_seen = false;
    for &dim in dims.unwrap_or(&[]) {
        let d = wrap_dim(dim, ndim)?;
        let seen = if ndim == 0 { &mut zero_dim_seen } else { &mut chosen[d] };
        if std::mem::replace(seen, true) {
            bail!(Runtime, "dimension {d} appears more than once in {}", show(dims.unwrap_or(&[])));
        }
    }
    Ok(chosen)
}

/// Checks that a given list of sizes has no negative one.
pub fn checked_sizes(sizes: &[i64]) -> Result<Dims> {
    sizes
        .iter()
        .map(|&size| {
            usize::try_from(size).map_err(|_| error!(Runtime, "sizes {} hold a negative number: {size}", show(sizes)))
        })
        .collect()
}

/// Replaces a single -1 in `target` so that it has as many elements as a tensor of the given sizes.
pub fn infer_size(target: &[i64], from: &[usize]) -> Result<Dims> {
    let count = from.iter().product::<usize>();
    let misfit =
        || error!(Runtime, "shape {} does not fit a tensor of size {} with {count} elements", show(target), show(from));
    let mut unknown = None;
    let mut known = 1usize;
    let mut sizes = Dims::new();
    for (i, &size) in target.iter().enumerate() {
        match size {
            -1 if unknown.is_some() => bail!(Runtime, "shape {}: only one size can be -1", show(target)),
            -1 => {
                unknown = Some(i);
                sizes.push(1);
            }
            size if size < 0 => bail!(Runtime, "shape {} holds a negative size: {size}", show(target)),
            size => {
                known = known.checked_mul(size as usize).ok_or_else(misfit)?;
                sizes.push(size as usize);
            }
        }
    }
    match unknown {
        Some(i) if known > 0 && count.is_multiple_of(known) => sizes[i] = count / known,
        Some(_) if known == 0 && count == 0 => {
            bail!(Runtime, "shape {} is ambiguous for a tensor without elements: -1 could be any size", show(target))
        }
        None if known == count => {}
        _ => return Err(misfit()),
    }
    Ok(sizes)
}

/// A row-major tensor as seen from one dimension: how many elements that has, and how many blocks of them there are,
/// before it and behind it.
#[derive(Clone, Copy)]
pub struct Extents {
    pub outer: usize,
    pub length: usize,
    pub inner: usize,
}

impl Extents {
    /// A tensor without dimensions has one of size 1.
    pub fn new(sizes: &[usize], dim: usize) -> Extents {
        let (before, after) = sizes.split_at(dim.min(sizes.len()));
        Extents {
            outer: before.iter().product(),
            length: after.first().copied().unwrap_or(1),
            inner: after.iter().skip(1).product(),
        }
    }
}

/// Sizes after removing (or setting to 1, with `keepdim`) the chosen dimensions.
pub fn reduced(sizes: &[usize], chosen: &[bool], keepdim: bool) -> Dims {
    sizes
        .iter()
        .zip(chosen)
        .filter(|&(_, &drop)| keepdim || !drop)
        .map(|(&size, &drop)| if drop { 1 } else { size })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_as_python_shows_tuples() {
        assert_eq!([show::<usize>(&[]), show(&[2]), show(&[2, -1])], ["()", "(2,)", "(2, -1)"]);
    }

    #[test]
    fn counts_that_overflow_are_errors() {
        assert_eq!(numel(&[usize::MAX, 0, usize::MAX]).unwrap(), 0);
        assert_eq!(numel(&[]).unwrap(), 1);
        assert!(numel(&[1 << 32, 1 << 31]).is_err());
        assert_eq!(extent(&[3, 2], &[usize::MAX, 1]), usize::MAX);
        assert!(infer_size(&[i64::MAX, i64::MAX], &[4]).is_err());
    }

    #[test]
    fn dimensions_count_from_both_ends() {
        assert_eq!([wrap_dim(-3, 3).unwrap(), wrap_dim(2, 3).unwrap(), wrap_dim(-1, 0).unwrap()], [0, 2, 0]);
        assert!(wrap_dim(3, 3).is_err() && wrap_dim(-4, 3).is_err() && wrap_dim(1, 0).is_err());
        assert_eq!(wrap_dims(Some(&[-1, 0]), 3).unwrap()[..], [true, false, true]);
        assert_eq!(wrap_dims(Some(&[]), 2).unwrap()[..], [true, true]);
        assert!(wrap_dims(Some(&[0, -2]), 2).is_err() && wrap_dims(Some(&[0, -1]), 0).is_err());
    }

    #[test]
    fn an_order_is_found_where_memory_has_no_gap() {
        assert_eq!(dense_order(&[2, 3, 4], &[4, 8, 1]).unwrap()[..], [1, 0, 2]);
        assert!(dense_order(&[2, 3], &[4, 1]).is_none());
        assert!(dense_order(&[2, 3], &[0, 1]).is_none());
        // The stride of a dimension of size 1 says nothing.
        assert!(dense_order(&[1, 3], &[77, 1]).is_some());
    }

    #[test]
    fn reduced_dimensions_go_or_stay() {
        let (sizes, chosen) = ([2, 3, 4], [true, false, true]);
        assert_eq!(reduced(&sizes, &chosen, false)[..], [3]);
        assert_eq!(reduced(&sizes, &chosen, true)[..], [1, 3, 1]);
    }
}
