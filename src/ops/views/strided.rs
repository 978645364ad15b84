//! `as_strided`: the memory of a tensor seen with any sizes and strides.

use super::ints;
use crate::error::Result;
use crate::op::Batched;
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, error, op};

op! {
    /// The memory of `input` seen with the given sizes and strides, from `storage_offset` elements into the storage
    /// (by default, where `input` starts).
    fn as_strided(input: Tensor, size: IntList, stride: IntList, storage_offset: Option<i64> = None) -> Tensor, FUNCTION NO_OUT METHOD;
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
