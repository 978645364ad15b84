//! Reading and writing elements at places that another tensor names.

use crate::data::Data;
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::strided::Sequence;
use crate::shape::{Dims, show};
use crate::{bail, with_element};

/// What happens where an element is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// The new value stays; of several for one place, the last.
    Replace,
    Add,
}

/// Memory offsets of all elements, in row-major order.
fn offsets(sizes: &[usize], strides: &[usize]) -> Vec<usize> {
    let count: usize = sizes.iter().product();
    let sequence = Sequence::new(sizes, strides);
    let mut runs = sequence.runs_from(0);
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let (offset, stride, n) = runs.next_run(count - all.len());
        all.extend((0..n).map(|i| offset + i * stride));
    }
    all
}

/// Writes `source`'s element `i` to offset `places[i]` of `target`.
fn write_each(target: &Data, places: &[usize], source: &Data, sources: &[usize], write: Write) {
    if write == Write::Add && target.dtype == crate::dtype::DType::Bool {
        let (target, source) = (target.pointer().cast::<bool>(), source.pointer().cast::<bool>());
        for (&to, &from) in places.iter().zip(sources) {
            // SAFETY: the callers' offsets lie inside the tensors.
            unsafe { *target.add(to) |= *source.add(from) };
        }
        return;
    }
    with_element!(target.dtype, real T => {
        let (target, source) = (target.pointer().cast::<T>(), source.pointer().cast::<T>());
        for (&to, &from) in places.iter().zip(sources) {
            // SAFETY: as above.
            unsafe {
                let value = *source.add(from);
                *target.add(to) = if write == Write::Add { *target.add(to) + value } else { value };
            }
        }
    }, else {
        let (target, source) = (target.pointer().cast::<u8>(), source.pointer().cast::<u8>());
        // SAFETY: as above; a bool is one byte.
        places.iter().zip(sources).for_each(|(&to, &from)| unsafe { *target.add(to) = *source.add(from) });
    });
}

/// Adds each element of `source` to the same element of `target`, some of which may share memory. Same sizes and
/// element types.
pub fn add_each(target: &Data, source: &Data) {
    let places = offsets(&target.sizes, &target.strides);
    write_each(target, &places, source, &offsets(&source.sizes, &source.strides), Write::Add);
}

/// An index that may count from the end, as an offset.
#[inline]
fn checked(name: &str, index: i64, size: usize, dim: usize) -> Result<usize> {
    let size = size as i64;
    if index < -size || index >= size {
        bail!(Index, "{name}: index {index} is out of bounds for dimension {dim} with size {size}");
    }
    Ok(if index < 0 { index + size } else { index } as usize)
}

/// For each element of `index`, the offset in a tensor of `sizes` and `strides` of the element in the same place
/// with the coordinate along `dim` replaced by the index.
fn places_along(name: &str, sizes: &[usize], strides: &[usize], dim: usize, index: &Data) -> Result<Vec<usize>> {
    let mut without = Dims::from_slice(strides);
    if let Some(stride) = without.get_mut(dim) {
        *stride = 0;
    }
    let mut places = offsets(&index.sizes, &without);
    let (size, stride) = (sizes.get(dim).copied().unwrap_or(1), strides.get(dim).copied().unwrap_or(0));
    let indices = index.pointer().cast::<i64>();
    for (place, from) in places.iter_mut().zip(offsets(&index.sizes, &index.strides)) {
        // SAFETY: offsets of the index tensor lie inside it; it holds int64.
        let index = unsafe { *indices.add(from) };
        // PyTorch's gather and scatter take no negative index.
        if index < 0 || index >= size as i64 {
            bail!(Runtime, "{name}: index {index} is out of bounds for dimension {dim} with size {size}");
        }
        *place += index as usize * stride;
    }
    Ok(places)
}

/// `out[i][j] = input[i][index[i][j]]` along `dim`; `out` has the sizes of `index` and the type of `input`.
pub fn gather(out: &Data, input: &Data, dim: usize, index: &Data) -> Result<()> {
    let sources = places_along("gather", &input.sizes, &input.strides, dim, index)?;
    write_each(out, &offsets(&out.sizes, &out.strides), input, &sources, Write::Replace);
    Ok(())
}

/// `target[i][index[i][j]] = source[i][j]` along `dim`, or added to it.
pub fn scatter(target: &Data, dim: usize, index: &Data, source: &Data, write: Write) -> Result<()> {
    let places = places_along("scatter", &target.sizes, &target.strides, dim, index)?;
    write_each(target, &places, source, &offsets(&index.sizes, &source.strides), write);
    Ok(())
}

/// The geometry of an advanced index: where its elements lie in the indexed tensor, and the sizes of its result.
pub struct Picked {
    places: Vec<usize>,
    pub sizes: Dims,
}

/// Works out an advanced index: for each dimension an int64 tensor or nothing, all tensors of the size `shape`.
///
/// Indexed dimensions that lie side by side are replaced by `shape` where they are; others move to the front.
pub fn pick(input: &Data, indices: &[Option<Data>], shape: &[usize]) -> Result<Picked> {
    let indexed: Vec<usize> = (0..indices.len()).filter(|&d| indices[d].is_some()).collect();
    let (Some(&first), Some(&last)) = (indexed.first(), indexed.last()) else {
        bail!(Index, "index: at least one index tensor is needed");
    };
    if last >= input.sizes.len() {
        bail!(Index, "too many indices: {} for a tensor of {} dimensions", last + 1, input.sizes.len());
    }
    let together = last - first + 1 == indexed.len();
    let count: usize = shape.iter().product();
    let mut picked = vec![0usize; count];
    for &d in &indexed {
        let Some(index) = &indices[d] else { continue };
        let (size, stride) = (input.sizes[d], input.strides[d]);
        let pointer = index.pointer().cast::<i64>();
        for (place, from) in picked.iter_mut().zip(offsets(shape, &index.strides)) {
            // SAFETY: offsets of the index tensor lie inside it; it holds int64.
            *place += checked("index", unsafe { *pointer.add(from) }, size, d)? * stride;
        }
    }
    let rest = |range: std::ops::Range<usize>| -> (Dims, Dims) {
        range.filter(|d| !indexed.contains(d)).map(|d| (input.sizes[d], input.strides[d])).unzip()
    };
    let split = if together { first } else { 0 };
    let (before, before_strides) = rest(0..split);
    let (after, after_strides) = rest(split..input.sizes.len());
    let sizes: Dims = before.iter().chain(shape).chain(&after).copied().collect();
    let total = crate::shape::numel(&sizes)?;
    let mut places = Vec::with_capacity(total);
    let inner = offsets(&after, &after_strides);
    for outer in offsets(&before, &before_strides) {
        for &middle in &picked {
            places.extend(inner.iter().map(|&offset| outer + middle + offset));
        }
    }
    Ok(Picked { places, sizes })
}

/// The picked elements, into a row-major `out` of the picked sizes.
pub fn read(out: &Data, input: &Data, picked: &Picked) {
    debug_assert_eq!(out.sizes, picked.sizes, "{}", show(&out.sizes));
    write_each(out, &offsets(&out.sizes, &out.strides), input, &picked.places, Write::Replace);
}

/// Writes `source`, broadcast to the picked sizes by `strides`, to the picked places.
pub fn write(target: &Data, picked: &Picked, source: &Data, strides: &[usize], write: Write) {
    write_each(target, &picked.places, source, &offsets(&picked.sizes, strides), write);
}

/// The coordinates of the elements that are not 0, one row each, into a list.
pub fn nonzero(input: &Data) -> Vec<i64> {
    let ndim = input.sizes.len();
    let mut found = Vec::new();
    with_element!(input.dtype, T => {
        let pointer = input.pointer().cast::<T>();
        for (i, offset) in offsets(&input.sizes, &input.strides).into_iter().enumerate() {
            // SAFETY: offsets lie inside the tensor.
            let value = unsafe { *pointer.add(offset) };
            if value.to_f64() != 0.0 {
                let at = found.len();
                found.resize(at + ndim, 0);
                let mut rest = i;
                for d in (0..ndim).rev() {
                    found[at + d] = (rest % input.sizes[d]) as i64;
                    rest /= input.sizes[d];
                }
            }
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;

    fn ints(values: &[i64], sizes: &[usize]) -> Tensor {
        Tensor::from_slice(values, sizes).unwrap()
    }

    #[test]
    fn gather_and_scatter_are_each_others_inverse() {
        let input = ints(&[10, 11, 12, 13, 14, 15], &[2, 3]);
        let index = ints(&[2, 0, 1, 1, 2, 0], &[2, 3]);
        let out = ints(&[0; 6], &[2, 3]);
        gather(&out.data(), &input.data(), 1, &index.data()).unwrap();
        assert_eq!(out.to_vec::<i64>().unwrap(), [12, 10, 11, 14, 15, 13]);
        let back = ints(&[0; 6], &[2, 3]);
        scatter(&back.data(), 1, &index.data(), &out.data(), Write::Replace).unwrap();
        assert_eq!(back.to_vec::<i64>().unwrap(), input.to_vec::<i64>().unwrap());
        scatter(&back.data(), 1, &index.data(), &out.data(), Write::Add).unwrap();
        assert_eq!(back.to_vec::<i64>().unwrap()[5], 30);
    }

    #[test]
    fn places_outside_are_errors() {
        let (input, out) = (ints(&[1, 2, 3], &[3]), ints(&[0], &[1]));
        for bad in [-1, 3, i64::MAX, i64::MIN] {
            assert!(gather(&out.data(), &input.data(), 0, &ints(&[bad], &[1]).data()).is_err());
        }
        for (bad, fine) in [(-4, -3), (3, 2)] {
            let pick_one = |i: i64| pick(&input.data(), &[Some(ints(&[i], &[1]).data().clone())], &[1]);
            assert!(pick_one(bad).is_err() && pick_one(fine).is_ok());
        }
        let second = [None, Some(ints(&[0], &[1]).data().clone())];
        assert!(pick(&input.data(), &second, &[1]).is_err(), "a vector has no second dimension");
    }

    /// Index tensors side by side leave their result in place, others put it first: numpy's rule.
    #[test]
    fn picked_dimensions_stay_together() {
        let input = ints(&(0..24).collect::<Vec<i64>>(), &[2, 3, 4]);
        let index = || Some(ints(&[1, 0], &[2]).data().clone());
        let pick = |indices: &[Option<Data>]| super::pick(&input.data(), indices, &[2]).unwrap();
        let apart = pick(&[index(), None, index()]);
        assert_eq!(apart.sizes[..], [2, 3]);
        let together = pick(&[None, index(), index()]);
        assert_eq!(together.sizes[..], [2, 2]);
        let out = ints(&[0; 4], &[2, 2]);
        read(&out.data(), &input.data(), &together);
        assert_eq!(out.to_vec::<i64>().unwrap(), [5, 0, 17, 12]);
    }

    #[test]
    fn what_is_not_zero_is_found() {
        assert_eq!(nonzero(&ints(&[0, 5, 0, -1], &[2, 2]).data()), [0, 1, 1, 1]);
        assert_eq!(nonzero(&Tensor::from_slice(&[f64::NAN, -0.0], &[2]).unwrap().data()), [0]);
    }
}
