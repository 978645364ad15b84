//! Values by their rank: the k-th smallest, medians, quantiles, and the most frequent one.

use crate::DType;
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::lines::Lines;
use crate::kernels::parallel::Shared;
use crate::kernels::sort::{Packed, packed};
use crate::ops::arithmetic::{add_tensors, mul, mul_tensors, sub};
use crate::ops::comparison::{isnan, logical_not};
use crate::ops::complex::check_no_gradient;
use crate::ops::conversion::to_dtype;
use crate::ops::gathering::gather;
use crate::ops::reduction::{any, put_at_index, share_among_equals, sum};
use crate::ops::selection::choose;
use crate::ops::sorting::{check_line, sort};
use crate::ops::unary::{ceil, floor};
use crate::ops::views::{self, ints};
use crate::shape::{self, Ints, wrap_dim};
use crate::tensor::Tensor;
use crate::{bail, op, with_element, with_packed};

/// Which element of a line is chosen.
#[derive(Clone, Copy)]
enum Rank {
    /// The k-th smallest, from 0.
    Kth(usize),
    /// The lower one of the two in the middle; NaN if there is one.
    Median,
    /// The same among those that are not NaN.
    NanMedian,
    /// The smallest of the most frequent ones.
    Mode,
}

/// The place in a line of packed elements, which are put in another order on the way.
fn place_of<P: Packed>(line: &mut [P], nans: usize, first_nan: usize, rank: Rank) -> usize {
    let length = line.len();
    let mut kth = |k: usize| line.select_nth_unstable(k).1.place();
    match rank {
        Rank::Kth(k) => kth(k),
        Rank::Median if nans > 0 => first_nan,
        Rank::Median => kth((length - 1) / 2),
        Rank::NanMedian if nans == length => first_nan,
        Rank::NanMedian => kth((length - nans - 1) / 2),
        Rank::Mode => {
            line.sort_unstable();
            let (mut best, mut start) = (0..1, 0);
            for end in 1..=length {
                if end == length || !line[start].equals(line[end]) {
                    if end - start > best.len() {
                        best = start..end;
                    }
                    start = end;
                }
            }
            line[best.end - 1].place()
        }
    }
}

/// The chosen element of each line along a dimension, and its place.
fn ranked(name: &str, input: &Tensor, dim: i64, keepdim: bool, rank: Rank) -> Result<[Tensor; 2]> {
    let d = wrap_dim(dim, input.ndim())?;
    if input.dtype().is_complex() {
        if matches!(rank, Rank::Mode) {
            check_line(name, input, d)?;
        }
        bail!(NotImplemented, "{name}: complex numbers have no order; not implemented for {}", input.dtype());
    }
    let single = input.ndim() == 0 && matches!(rank, Rank::Kth(_));
    if input.dtype() == DType::Bool && !single && !matches!(rank, Rank::Mode) {
        bail!(NotImplemented, "{name}: not implemented for bool");
    }
    let chosen: smallvec::SmallVec<[bool; 8]> = (0..input.ndim()).map(|i| i == d).collect();
    let sizes = shape::reduced(&input.sizes(), &chosen, keepdim);
    let (values, indices) = (Tensor::empty(&sizes, input.dtype())?, Tensor::empty(&sizes, DType::Int64)?);
    if values.numel() == 0 {
        return Ok([values, indices]);
    }
    check_line(name, input, d)?;
    let data = input.data();
    let lines = Lines::new(&data, d);
    let places = Shared::new(indices.data().pointer().cast::<i64>());
    let sink = values.data().pointer();
    with_element!(data.dtype, T => {
        let (source, sink) = (Shared::new(data.pointer().cast::<T>()), Shared::new(sink.cast::<T>()));
        with_packed!(T, lines.length, P => lines.for_each(|number| {
            let mut line = Vec::<P>::new();
            // SAFETY: lines lie inside the tensor; each has a result of its own.
            unsafe {
                packed(source.get().cast_const(), &lines, number, false, &mut line);
                let element = |i: usize| *source.get().add(lines.first(number) + i * lines.stride);
                let is_nan = |i: &usize| T::DTYPE.is_float() && element(*i).to_f64().is_nan();
                let first_nan = (0..lines.length).find(is_nan).unwrap_or(lines.length);
                let nans = (first_nan..lines.length).filter(is_nan).count();
                let place = place_of(&mut line, nans, first_nan, rank);
                sink.get().add(number).write(element(place));
                places.get().add(number).write(place as i64);
            }
        }));
    });
    Ok([values, indices])
}

op! {
    /// The `k`-th smallest element along `dim`, counted from 1, and its place.
    fn kthvalue(input: Tensor, k: i64, dim: i64 = -1, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value {
        let d = wrap_dim(dim, input.ndim())?;
        let length = input.sizes().get(d).copied().unwrap_or(1);
        check_line("kthvalue", input, d)?;
        if k < 1 || k as usize > length {
            bail!(Runtime, "kthvalue: k is {k}, and dimension {dim} has {length} elements");
        }
        ranked("kthvalue", input, dim, keepdim, Rank::Kth(k as usize - 1))
    }
    batch dims(dim);
    derivative "KthvalueBackward0" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

/// The chosen one of all elements; NaN if there is none.
fn ranked_of_all(name: &str, input: &Tensor, rank: Rank) -> Result<Tensor> {
    if input.numel() == 0 {
        // What NaN becomes in an integer.
        let nothing = match input.dtype() {
            DType::Bool => true.into(),
            DType::UInt8 => 0i64.into(),
            DType::Int32 => i64::from(i32::MIN).into(),
            DType::Int64 => i64::MIN.into(),
            _ => f64::NAN.into(),
        };
        return Tensor::full(&[], nothing, input.dtype());
    }
    let [value, _] = ranked(name, &views::reshape(&input.detach(), &[-1])?, 0, false, rank)?;
    Ok(value)
}

op! {
    /// The median of all elements, the lower one of two; NaN if there is a NaN.
    fn median_all as "median" (input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.numel() == 0 {
            check_no_gradient("median", &[input])?;
        }
        ranked_of_all("median", input, Rank::Median)
    }
    derivative "MedianBackward0" ByVjp {
        input(g, input, out) => share_among_equals(g, input, out);
    }
}

op! {
    /// The median along `dim`, the lower one of two, and its place; NaN if there is a NaN.
    fn median as "median" / "dim" (input: Tensor, dim: i64, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value { ranked("median", input, dim, keepdim, Rank::Median) }
    batch dims(dim);
    derivative "MedianBackward1" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

op! {
    /// The median of all elements that are not NaN.
    fn nanmedian_all as "nanmedian" (input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.numel() == 0 {
            check_no_gradient("nanmedian", &[input])?;
        }
        ranked_of_all("nanmedian", input, Rank::NanMedian)
    }
    derivative "NanmedianBackward0" ByVjp {
        input(g, input, out) => share_among_equals(g, input, out);
    }
}

op! {
    /// The median along `dim` of the elements that are not NaN, and its place.
    fn nanmedian as "nanmedian" / "dim" (input: Tensor, dim: i64, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value { ranked("nanmedian", input, dim, keepdim, Rank::NanMedian) }
    batch dims(dim);
    derivative "NanmedianBackward1" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

op! {
    /// The most frequent element along `dim`, the smallest of several, and the last place where it is.
    fn mode(input: Tensor, dim: i64 = -1, keepdim: bool = false) -> (values, indices), FUNCTION METHOD;
    value {
        if input.ndim() == 0 || input.numel() == 0 && input.size(dim)? > 0 {
            check_no_gradient("mode", &[input])?;
        }
        ranked("mode", input, dim, keepdim, Rank::Mode)
    }
    batch dims(dim);
    derivative "ModeBackward0" ByVjp {
        input(g, indices, dim, keepdim, ctx) => put_at_index(g, indices, &ctx.sizes_of(0)?, dim, keepdim);
    }
}

/// Quantiles along a dimension from sorted values: `q` is a number or a vector, whose dimension comes first in the
/// result.
fn quantiles(
    name: &str,
    input: &Tensor,
    q: &Tensor,
    dim: Option<i64>,
    keepdim: bool,
    interpolation: &str,
    ignore_nan: bool,
) -> Result<Tensor> {
    if input.numel() == 0 {
        bail!(Runtime, "{name}: a tensor without elements has no quantiles");
    }
    if q.ndim() > 1 {
        bail!(Runtime, "{name}: q has to be a number or a vector, its size is {}", shape::show(&q.sizes()));
    }
    if !matches!(input.dtype(), DType::Float32 | DType::Float64) {
        bail!(Runtime, "{name}: the input has to be float32 or float64, it is {}", input.dtype());
    }
    if q.dtype() != input.dtype() {
        bail!(Runtime, "{name}: q is {} and the input {}; they have to be the same", q.dtype(), input.dtype());
    }
    if !["linear", "lower", "higher", "midpoint", "nearest"].contains(&interpolation) {
        bail!(
            Runtime,
            "{name}: interpolation is 'linear', 'lower', 'higher', 'midpoint' or 'nearest', not '{interpolation}'"
        );
    }
    if q.to_vec::<f64>()?.iter().any(|q| !(0.0..=1.0).contains(q)) {
        bail!(Runtime, "{name}: q has to lie between 0 and 1");
    }
    let rows = match dim {
        None => views::reshape(input, &[-1])?,
        Some(dim) if input.ndim() > 0 => views::movedim(input, &[dim], &[-1])?,
        Some(dim) => {
            wrap_dim(dim, 0)?;
            views::reshape(input, &[1])?
        }
    };
    let [sorted, _] = sort(&rows, -1, false)?;
    // One row of ranks for each line.
    let length = sorted.size(-1)? as i64;
    let nan = isnan(&sorted.detach())?;
    let vector = q.ndim() > 0;
    let q = views::reshape(q, &[-1])?;
    let ranks = if ignore_nan {
        let valid = sum(&logical_not(&nan)?, Some(&[-1]), true, None)?;
        let last = to_dtype(&sub((&valid).into(), 1i64.into())?, input.dtype())?;
        let ranks = mul_tensors(&q, &last)?;
        choose(&crate::ops::comparison::lt(&ranks, 0i64.into())?, 0.0.into(), (&ranks).into())?
    } else {
        let ranks = mul((&q).into(), ((length - 1) as f64).into())?;
        let mut sizes = ints(&sorted.sizes());
        let n = sizes.len();
        sizes[n - 1] = q.numel() as i64;
        let ranks = views::expand(&ranks, &sizes)?;
        let unknown = any(&nan, Some(&[-1]), true)?;
        choose(&unknown, ((length - 1) as f64).into(), (&ranks).into())?
    };
    let ranks = match interpolation {
        "lower" => floor(&ranks)?,
        "higher" => ceil(&ranks)?,
        "nearest" => crate::ops::unary::round(&ranks)?,
        _ => ranks,
    };
    let below = to_dtype(&ranks.detach(), DType::Int64)?;
    let mut values = gather(&sorted, -1, &below, false)?;
    if matches!(interpolation, "linear" | "midpoint") {
        let above = to_dtype(&ceil(&ranks.detach())?, DType::Int64)?;
        let upper = gather(&sorted, -1, &above, false)?;
        let distance = sub((&upper).into(), (&values).into())?;
        let step = match interpolation {
            "midpoint" => mul((&distance).into(), 0.5.into())?,
            _ => mul_tensors(&sub((&ranks).into(), (&to_dtype(&below, ranks.dtype())?).into())?, &distance)?,
        };
        values = add_tensors(&values, &step)?;
    }
    if keepdim && input.ndim() > 0 {
        values = match dim {
            Some(dim) => views::unsqueeze(&values, wrap_dim(dim, input.ndim())? as i64)?,
            None => views::reshape(&values, &{
                let mut sizes = Ints::from_elem(1, input.ndim());
                sizes.push(values.numel() as i64);
                sizes
            })?,
        };
    }
    // The dimension of q goes first, or away.
    match vector {
        true => views::squeeze_in_place(&views::transpose(&views::unsqueeze(&values, 0)?, 0, -1)?, -1),
        false => views::squeeze_in_place(&values, -1),
    }
}

op! {
    /// The `q`-quantiles, a vector of them or one, along `dim` or of all elements.
    fn quantile(
        input: Tensor, q: Tensor, dim: Option<i64> = None, keepdim: bool = false; interpolation: String = "linear"
    ) -> Tensor, FUNCTION METHOD;
    value { quantiles("quantile", input, q, dim, keepdim, interpolation, false) }
    derivative composite;
}

op! {
    /// The `q`-quantile along `dim` or of all elements.
    fn quantile_number as "quantile" / "scalar" (
        input: Tensor, q: f64, dim: Option<i64> = None, keepdim: bool = false; interpolation: String = "linear"
    ) -> Tensor, FUNCTION METHOD;
    value { quantile(input, &quantile_of_number("quantile", q, input)?, dim, keepdim, interpolation) }
    derivative composite;
}

/// A quantile's number as a tensor.
fn quantile_of_number(name: &str, q: f64, input: &Tensor) -> Result<Tensor> {
    if !(0.0..=1.0).contains(&q) {
        bail!(Runtime, "{name}: q has to lie between 0 and 1, got {q}");
    }
    Tensor::full(&[], q.into(), input.dtype())
}

op! {
    /// `quantile` of the elements that are not NaN.
    fn nanquantile(
        input: Tensor, q: Tensor, dim: Option<i64> = None, keepdim: bool = false; interpolation: String = "linear"
    ) -> Tensor, FUNCTION METHOD;
    value { quantiles("nanquantile", input, q, dim, keepdim, interpolation, true) }
    derivative composite;
}

op! {
    /// `quantile` of the elements that are not NaN.
    fn nanquantile_number as "nanquantile" / "scalar" (
        input: Tensor, q: f64, dim: Option<i64> = None, keepdim: bool = false; interpolation: String = "linear"
    ) -> Tensor, FUNCTION METHOD;
    value { nanquantile(input, &quantile_of_number("nanquantile", q, input)?, dim, keepdim, interpolation) }
    derivative composite;
}
