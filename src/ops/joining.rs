//! Tensors put together: cat, stack.

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
        let parts: Vec<&Tensor> = tensors.iter().flatten().collect();
        let Some(first) = parts.iter().find(|tensor| takes_part(tensor)).or(parts.first()) else {
            bail!(Value, "cat: at least one tensor is needed");
        };
        let sizes = first.sizes();
        if sizes.is_empty() {
            bail!(Runtime, "cat: tensors without dimensions cannot be joined; use stack()");
        }
        let d = wrap_dim(dim, sizes.len())?;
        let mut lengths = Ints::new();
        for (i, part) in parts.iter().enumerate() {
            let other = part.sizes();
            let fits = other.len() == sizes.len() && (0..sizes.len()).all(|j| j == d || other[j] == sizes[j]);
            if takes_part(part) && !fits {
                bail!(
                    Runtime,
                    "cat: all sizes but that of dimension {d} have to agree: tensor {i} has size {}, the first {}",
                    shape::show(&other),
                    shape::show(&sizes)
                );
            }
            lengths.push(if takes_part(part) { other[d] as i64 } else { 0 });
        }
        joined(tensors, d as i64, &lengths)
    }
    derivative composite;
}

/// A vector without elements is passed over, whatever the sizes of the others.
fn takes_part(tensor: &Tensor) -> bool {
    !(tensor.ndim() == 1 && tensor.numel() == 0)
}

op! {
    /// `cat` of tensors that fit, with the lengths that they have along `dim`.
    fn joined as "_cat" (tensors: Tensors, dim: i64, lengths: Ints) -> Tensor, ANY_TYPE;
    value {
        let parts: Vec<&Tensor> = tensors.iter().flatten().collect();
        let mut state = ResultType::default();
        parts.iter().for_each(|part| state.add_tensor(part.dtype(), part.ndim()));
        let d = dim as usize;
        let mut sizes = parts.iter().find(|part| takes_part(part)).unwrap_or(&parts[0]).sizes();
        sizes[d] = lengths.iter().sum::<i64>() as usize;
        let out = Tensor::empty(&sizes, state.get())?;
        let mut start = 0;
        for (part, &length) in parts.iter().zip(lengths).filter(|row| takes_part(row.0)) {
            let target = {
                let data = out.data();
                let mut sizes = data.sizes.clone();
                sizes[d] = length as usize;
                out.alias(sizes, data.strides.clone(), start * data.strides[d])
            };
            crate::kernels::copy::copy(&target.data(), &part.data());
            start += length as usize;
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
