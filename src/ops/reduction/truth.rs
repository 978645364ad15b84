//! Whether any or all elements are not 0.

use super::*;

/// Whether elements are not 0, as bytes.
fn truth(input: &Tensor) -> Result<Tensor> {
    input.cast(DType::Bool)?.cast(DType::UInt8)
}

/// `any` and `all` of a byte tensor keep its type, as PyTorch has it; others give bool.
fn truth_dtype(input: &Tensor) -> DType {
    if input.dtype() == DType::UInt8 { DType::UInt8 } else { DType::Bool }
}

/// The dimensions to be reduced: no dimension for an empty list, unlike for sums.
fn dims_of_truth(input: &Tensor, dim: Option<&[i64]>) -> Result<SmallVec<[bool; 8]>> {
    match dim {
        Some([]) => Ok(SmallVec::from_elem(false, input.ndim())),
        dim => wrap_dims(dim, input.ndim()),
    }
}

fn any_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let (dims, bytes) = (dims_of_truth(input, dim)?, truth(input)?);
    let (out, sink) = results::<u8>(&bytes, &dims, keepdim)?;
    // SAFETY: as for sums.
    reduce(ExtremeValue::<u8, true>::default(), &bytes.data(), &dims, |i, v| unsafe { sink.get().add(i).write(v) });
    out.cast(truth_dtype(input))
}

fn all_over(input: &Tensor, dim: Option<&[i64]>, keepdim: bool) -> Result<Tensor> {
    let (dims, bytes) = (dims_of_truth(input, dim)?, truth(input)?);
    let (out, sink) = results::<u8>(&bytes, &dims, keepdim)?;
    // SAFETY: as for sums.
    reduce(ExtremeValue::<u8, false>::default(), &bytes.data(), &dims, |i, v| unsafe {
        sink.get().add(i).write(v.min(1))
    });
    out.cast(truth_dtype(input))
}

/// The dimensions that `any` and `all` reduce in each example; nothing if there are none, which here means none.
fn dims_of_batch(batch: &crate::op::Batched) -> Result<Option<Ints>> {
    let ndim = batch.ndim(0)?;
    match Option::<Ints>::face(batch.value(1)) {
        _ if ndim == 0 => Ok(None),
        None => batch.every_dim(0).map(Some),
        Some([]) => Ok(None),
        Some(dims) => {
            dims.iter().map(|&dim| Ok(shape::wrap_dim(dim, ndim)? as i64 + 1)).collect::<Result<_>>().map(Some)
        }
    }
}

op! {
    /// Whether some element is not 0.
    fn any_all as "any" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { any_over(input, None, false) }
    batch by(|batch| any(&batch.rows(0)?, Some(&[1]), false));
    derivative none;
}

op! {
    /// Whether some element is not 0, over some dimensions.
    fn any as "any" / "dim" (input: Tensor, dim: Option<Ints>, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { any_over(input, dim, keepdim) }
    batch by(|batch| match dims_of_batch(batch)? {
        None => batch.one_by_one_tensor(),
        Some(dims) => any(batch.tensor(0)?, Some(&dims), bool::face(batch.value(2))),
    });
    derivative none;
}

op! {
    /// Whether no element is 0.
    fn all_all as "all" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { all_over(input, None, false) }
    batch by(|batch| all(&batch.rows(0)?, Some(&[1]), false));
    derivative none;
}

op! {
    /// Whether no element is 0, over some dimensions.
    fn all as "all" / "dim" (input: Tensor, dim: Option<Ints>, keepdim: bool = false) -> Tensor, FUNCTION METHOD;
    value { all_over(input, dim, keepdim) }
    batch by(|batch| match dims_of_batch(batch)? {
        None => batch.one_by_one_tensor(),
        Some(dims) => all(batch.tensor(0)?, Some(&dims), bool::face(batch.value(2))),
    });
    derivative none;
}
