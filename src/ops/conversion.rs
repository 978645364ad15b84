//! Copies and fills: to another element type, to another place, to row-major memory.

use crate::dtype::DType;
use crate::error::Result;
use crate::memory_format::MemoryFormat;
use crate::tensor::Tensor;
use crate::{bail, op};

/// Refuses a tensor whose elements are no floats, for an operation that has no kernel for others.
pub(crate) fn check_float(name: &str, input: &Tensor) -> Result<()> {
    if !input.dtype().is_float() {
        bail!(NotImplemented, "{name}: not implemented for {}", input.dtype());
    }
    Ok(())
}

op! {
    /// A copy with memory of its own.
    fn clone(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD ANY_TYPE;
    value { input.copied_alike(input.dtype()) }
    batch dims();
    derivative "CloneBackward0" Linear {
        input(g) => Ok(g.clone());
    }
}

op! {
    /// A row-major tensor with the same values: the tensor itself if it is row-major.
    fn contiguous(input: Tensor) -> Tensor, METHOD;
    value {
        if input.is_contiguous() { Ok(input.clone()) } else { row_major(input) }
    }
    derivative composite;
}

op! {
    /// A copy in another order in memory.
    fn clone_in as "clone" / "memory_format" (input: Tensor; memory_format: Option<MemoryFormat>) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        match memory_format {
            None | Some(MemoryFormat::Preserve) => clone(input),
            Some(memory_format) => laid_out(input, memory_format),
        }
    }
    derivative composite;
}

op! {
    /// A tensor with the same values in another order in memory: the tensor itself if it lies so.
    fn contiguous_in as "contiguous" / "memory_format" (input: Tensor; memory_format: MemoryFormat) -> Tensor, METHOD;
    value {
        match memory_format {
            MemoryFormat::Contiguous => contiguous(input),
            MemoryFormat::Preserve => {
                bail!(Runtime, "contiguous: preserve_format is the order of every tensor; name another one")
            }
            _ if memory_format.holds(input) => Ok(input.clone()),
            _ => laid_out(input, memory_format),
        }
    }
    derivative composite;
}

op! {
    /// A copy in a given order; the examples of a batch keep theirs.
    fn laid_out as "_laid_out" (input: Tensor, memory_format: MemoryFormat) -> Tensor, ANY_TYPE;
    value {
        input.check_readable("clone")?;
        let copied = memory_format.empty_like(input, input.dtype())?;
        crate::kernels::copy::copy(&copied.data(), &input.data());
        Ok(copied)
    }
    batch by(|batch| clone(&batch.all(0)?));
    derivative "CloneBackward0" Linear {
        input(g) => Ok(g.clone());
    }
}

op! {
    /// A row-major copy.
    fn row_major as "_row_major" (input: Tensor) -> Tensor, ANY_TYPE;
    value { input.copied(input.dtype()) }
    batch dims();
    derivative "CloneBackward0" Linear {
        input(g) => Ok(g.clone());
    }
}

op! {
    /// A copy with another element type.
    fn to_copy as "_to_copy" (input: Tensor, dtype: DType) -> Tensor, ANY_TYPE;
    value { input.copied_alike(dtype) }
    batch dims();
    derivative "ToCopyBackward0" Linear {
        input(g, ctx) => to_dtype(g, ctx.input_meta(0)?.dtype);
    }
}

/// The tensor itself if it has that element type, else a converted copy.
pub fn to_dtype(input: &Tensor, dtype: DType) -> Result<Tensor> {
    if input.dtype() == dtype { Ok(input.clone()) } else { to_copy(input, dtype) }
}

op! {
    /// The values of `src`, broadcast to the size of `input` and converted to its type; `copy_` stores them.
    fn copy(input: Tensor, src: Tensor) -> Tensor, IN_PLACE ANY_TYPE;
    value {
        let target = input.data();
        let source = src.data();
        if crate::shape::broadcast_strides(&source.sizes, &source.strides, &target.sizes).is_none() {
            crate::bail!(
                Runtime,
                "copy_: a tensor of size {} cannot be broadcast to size {}",
                crate::shape::show(&source.sizes),
                crate::shape::show(&target.sizes)
            );
        }
        let copied = Tensor::empty(&target.sizes, target.dtype)?;
        crate::kernels::copy::copy(&copied.data(), &source);
        Ok(copied)
    }
    batch aligned;
    derivative "CopyBackwards" Linear {
        input(g) => Tensor::zeros(&g.sizes(), g.dtype());
        src(g) => Ok(g.clone());
    }
}

op! {
    /// A tensor like `input` with `value` everywhere; `fill_` stores it.
    fn fill(input: Tensor, value: crate::value::Operand<'static>) -> Tensor, IN_PLACE ANY_TYPE;
    value {
        let number = match &value {
            crate::value::Operand::Tensor(tensor) if tensor.ndim() == 0 => Some(tensor.item()?),
            crate::value::Operand::Scalar(number) => Some(*number),
            _ => None,
        };
        if let Some(number @ crate::scalar::Scalar::Complex(_)) = number {
            number.require_fit("fill_", input.dtype())?;
        }
        match value {
            crate::value::Operand::Scalar(number) => Tensor::full(&input.sizes(), number, input.dtype()),
            crate::value::Operand::Tensor(tensor) if tensor.ndim() == 0 => {
                Tensor::full(&input.sizes(), tensor.item()?, input.dtype())
            }
            crate::value::Operand::Tensor(tensor) => crate::bail!(
                Runtime,
                "fill_: the value has to be a number or a tensor without dimensions, its size is {}",
                crate::shape::show(&tensor.sizes())
            ),
        }
    }
    batch by(|batch| match batch.value(1) {
        crate::value::Value::Scalar(number) => fill(batch.tensor(0)?, (*number).into()),
        _ => copy(&batch.all(0)?, &batch.aligned(1, batch.ndim(0)?)?),
    });
    derivative "FillBackward3" / "FillBackward2" Linear {
        input(g) => Tensor::zeros(&g.sizes(), g.dtype());
        value(g) => crate::ops::reduction::sum_all(g, None);
    }
}

op! {
    /// Zeros like `input`; `zero_` stores them.
    fn zero(input: Tensor) -> Tensor, IN_PLACE ANY_TYPE;
    value { Tensor::zeros(&input.sizes(), input.dtype()) }
    batch aligned;
    derivative "ZeroBackward0" ByVjp {
        input(g) => Tensor::zeros(&g.sizes(), g.dtype());
    }
}
