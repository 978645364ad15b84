//! Padding: with a constant, or with elements of the tensor itself.

use crate::error::Result;
use crate::kernels::copy::copy;
use crate::ops::resampling::{last, resample, resample_backward, resampled};
use crate::scalar::Scalar;
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, op};

op! {
    /// `input` with `value` around it: `pad` has the numbers of elements before and after for the last dimension, then for
    /// the one before it, and so on. Negative ones take elements away.
    fn constant_pad_nd(input: Tensor, pad: IntList, value: Scalar = Scalar::Int(0)) -> Tensor, FUNCTION NO_OUT;
    value {
        let sizes = input.sizes();
        if pad.len() % 2 != 0 || pad.len() > 2 * sizes.len() {
            bail!(
                Runtime,
                "constant_pad_nd: pairs of numbers are expected, at most one for each of the {} dimensions, got {}",
                sizes.len(),
                shape::show(pad)
            );
        }
        check_range("constant_pad_nd", pad)?;
        let mut padded = Dims::new();
        // Where the part that stays begins in the input and in the result, and how large it is.
        let (mut from, mut to, mut kept) = (Dims::new(), Dims::new(), Dims::new());
        for (d, &size) in sizes.iter().enumerate() {
            let [before, after] = match pad.get(2 * (sizes.len() - 1 - d)..) {
                Some([before, after, ..]) => [*before, *after],
                _ => [0, 0],
            };
            let length = size as i64 + before + after;
            if length < 0 {
                bail!(Runtime, "constant_pad_nd: {before} and {after} leave nothing of dimension {d}, which has size {size}");
            }
            padded.push(length as usize);
            from.push((-before).max(0) as usize);
            to.push(before.max(0) as usize);
            kept.push((size as i64 + before.min(0) + after.min(0)).max(0) as usize);
        }
        let out = Tensor::full(&padded, value, input.dtype())?;
        if kept.contains(&0) {
            return Ok(out);
        }
        let part = |tensor: &Tensor, starts: &Dims| {
            let (strides, offset) = (tensor.strides(), tensor.data().offset);
            let start: usize = starts.iter().zip(&strides[..]).map(|(start, stride)| start * stride).sum();
            tensor.alias(kept.clone(), strides, offset + start)
        };
        copy(&part(&out, &to).data(), &part(&input.detach(), &from).data());
        Ok(out)
    }
    derivative "ConstantPadNdBackward0" ByVjp {
        input(g, pad) => {
            let back: Ints = pad.iter().map(|&n| -n).collect();
            constant_pad_nd(g, &back, Scalar::Int(0))
        };
    }
}

/// Refuses paddings with which sizes cannot be computed.
fn check_range(name: &str, pad: &[i64]) -> Result<()> {
    if pad.iter().any(|n| n.unsigned_abs() > 1 << 40) {
        bail!(Runtime, "{name}: a padding is out of range, got {}", shape::show(pad));
    }
    Ok(())
}

/// The sizes that padding gives the last dimensions, and how much comes before each, in their order.
fn around(name: &str, sizes: &[usize], pad: &[i64], batched: bool) -> Result<(Ints, Vec<f64>)> {
    check_range(name, pad)?;
    let rank = pad.len() / 2;
    let fits = sizes.len() == rank + 1 || sizes.len() == rank + 2;
    if !pad.len().is_multiple_of(2) || batched && !fits || sizes.len() < rank {
        bail!(
            Runtime,
            "{name}: {} numbers pad the last {rank} dimensions of a tensor of {} or {}, got one of size {}",
            pad.len(),
            rank + 1,
            rank + 2,
            shape::show(sizes)
        );
    }
    let lead = sizes.len() - rank;
    if batched && sizes[sizes.len() - rank - 1..].contains(&0) {
        bail!(Runtime, "{name}: the tensor has no elements along a dimension: its size is {}", shape::show(sizes));
    }
    let (mut size, mut before) = (Ints::new(), Vec::new());
    for d in 0..rank {
        let (low, high) = (pad[2 * (rank - 1 - d)], pad[2 * (rank - 1 - d) + 1]);
        let (length, longest) = (sizes[lead + d] as i64, low.max(high));
        if name.starts_with("reflection") && longest >= length || name.starts_with("circular") && longest > length {
            bail!(
                Runtime,
                "{name}: a padding of {longest} is too long for dimension {}, which has size {length}",
                lead + d
            );
        }
        if length + low + high < 1 {
            bail!(Runtime, "{name}: {low} and {high} leave nothing of dimension {}, which has size {length}", lead + d);
        }
        size.push(length + low + high);
        before.push(low as f64);
    }
    Ok((size, before))
}

macro_rules! paddings {
    ($($name:ident $map:literal $node:literal $rank:literal;)+) => {$(
        op! {
            /// `input` padded with elements of its own.
            fn $name(input: Tensor, padding: Ints) -> Tensor;
            value {
                if padding.len() != 2 * $rank {
                    bail!(Runtime, "{}: {} numbers are expected, got {}", stringify!($name), 2 * $rank, padding.len());
                }
                let (size, before) = around(stringify!($name), &input.sizes(), padding, true)?;
                if input.dtype() == crate::dtype::DType::Bool {
                    bail!(NotImplemented, "{}: not implemented for bool", stringify!($name));
                }
                resampled(input, $map, &size, &before)
            }
            derivative $node Linear {
                input(g, padding, ctx) => {
                    let sizes = ctx.sizes_of(0)?;
                    let (_, before) = around(stringify!($name), &sizes, padding, true)?;
                    resample_backward(g, $map, &last(&sizes, $rank), &before)
                };
            }
        }
    )+};
}

paddings! {
    reflection_pad1d "reflect" "ReflectionPad1DBackward0" 1;
    reflection_pad2d "reflect" "ReflectionPad2DBackward0" 2;
    reflection_pad3d "reflect" "ReflectionPad3DBackward0" 3;
    replication_pad1d "replicate" "ReplicationPad1DBackward0" 1;
    replication_pad2d "replicate" "ReplicationPad2DBackward0" 2;
    replication_pad3d "replicate" "ReplicationPad3DBackward0" 3;
}

op! {
    /// `input` with elements around it: `pad` has the numbers of elements before and after for the last dimension, then for
    /// the one before it, and so on.
    ///
    /// `mode` is `"constant"` for `value` (by default 0), `"reflect"` for the elements next to the edge in reverse,
    /// `"replicate"` for the edge itself, or `"circular"` for the elements of the other end. Raises
    /// `NotImplementedError` for another mode, or for as many dimensions as the mode does not know.
    fn pad(input: Tensor, pad: IntList, mode: String = "constant", value: Option<f64> = None) -> Tensor, FUNCTIONAL;
    value {
        if pad.len() % 2 != 0 {
            bail!(Runtime, "pad: pairs of numbers are expected, got {}", shape::show(pad));
        }
        if pad.len() > 2 * input.ndim() {
            bail!(Runtime, "pad: {} numbers are too many for a tensor of {} dimensions", pad.len(), input.ndim());
        }
        if mode == "constant" {
            return constant_pad_nd(input, pad, value.map_or(Scalar::Int(0), Scalar::Float));
        }
        if value.is_some_and(|value| value != 0.0) {
            bail!(Runtime, "pad: mode '{mode}' takes no value");
        }
        let (rank, ndim) = (pad.len() / 2, input.ndim());
        if !(1..=3).contains(&rank) || ndim != rank + 1 && ndim != rank + 2 {
            bail!(
                NotImplemented,
                "pad: mode '{mode}' pads the last one, two or three of the dimensions after that of the channels, got {} \
                 numbers for a tensor of {ndim} dimensions",
                pad.len()
            );
        }
        match (mode, rank) {
            ("reflect", 1) => reflection_pad1d(input, pad),
            ("reflect", 2) => reflection_pad2d(input, pad),
            ("reflect", _) => reflection_pad3d(input, pad),
            ("replicate", 1) => replication_pad1d(input, pad),
            ("replicate", 2) => replication_pad2d(input, pad),
            ("replicate", _) => replication_pad3d(input, pad),
            ("circular", _) => {
                around("circular", &input.sizes(), pad, false)?;
                // What is taken away does not come around.
                let (less, more) = (pad.iter().map(|&n| n.min(0)), pad.iter().map(|&n| n.max(0)).collect::<Ints>());
                let part = match pad.iter().any(|&n| n < 0) {
                    true => constant_pad_nd(input, &less.collect::<Ints>(), Scalar::Int(0))?,
                    false => input.clone(),
                };
                let (size, before) = around("circular", &part.sizes(), &more, false)?;
                resample(&part, "circular", &size, &before)
            }
            _ => bail!(NotImplemented, "pad: mode has to be 'constant', 'reflect', 'replicate' or 'circular', got '{mode}'"),
        }
    }
    derivative composite;
}
