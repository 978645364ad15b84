//! Sums and means that pass over what is not a number, and counts.

use super::*;
use crate::ops::comparison::{logical_not, ne};
use crate::scalar::Scalar;

op! {
    /// The sum over some dimensions (all if `dim` is `None`) of the elements that are not NaN.
    fn nansum(input: Tensor, dim: Option<Ints> = None, keepdim: bool = false; dtype: Option<DType> = None) -> Tensor,
        FUNCTION METHOD;
    value {
        if input.dtype().is_complex() {
            bail!(Runtime, "nansum: not defined for complex numbers");
        }
        if input.dtype().is_integral() {
            return sum(&input.detach(), dim, keepdim, dtype);
        }
        let known = choose(&isnan(&input.detach())?, 0.0.into(), (&input.detach()).into())?;
        sum(&known, dim, keepdim, dtype)
    }
    batch over(dim);
    derivative "NansumBackward0" ByVjp {
        input(g, input, dim, keepdim) => {
            let sizes = input.sizes();
            let whole = expand_to(&unreduce(&to_dtype(g, input.dtype())?, &sizes, dim, keepdim)?, &sizes)?;
            mul_tensors(&whole, &to_dtype(&logical_not(&isnan(&input.detach())?)?, input.dtype())?)
        };
    }
}

op! {
    /// The mean over some dimensions (all if `dim` is `None`) of the elements that are not NaN.
    fn nanmean(input: Tensor, dim: Option<Ints> = None, keepdim: bool = false; dtype: Option<DType> = None) -> Tensor,
        FUNCTION METHOD;
    value {
        if !input.dtype().is_float() {
            bail!(Runtime, "nanmean: a floating point dtype is needed, the input is {}", input.dtype());
        }
        let count = sum(&logical_not(&isnan(&input.detach())?)?, dim, keepdim, None)?;
        div((&nansum(input, dim, keepdim, dtype)?).into(), (&count).into())
    }
    derivative composite;
}

op! {
    /// How many elements are not 0, along `dim` or in all.
    fn count_nonzero(input: Tensor, dim: Option<i64> = None) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        let over: Ints = dim.into_iter().collect();
        sum(&ne(&input.detach(), 0i64.into())?, Some(&over), false, None)
    }
    derivative none;
}

op! {
    /// How many elements are not 0 over some dimensions.
    fn count_nonzero_dims as "count_nonzero" / "dim_IntList" (input: Tensor, dim: Ints) -> Tensor, FUNCTION NO_OUT METHOD;
    value { sum(&ne(&input.detach(), 0i64.into())?, Some(dim), false, None) }
    derivative none;
}

op! {
    /// How often each of the numbers 0, 1, … is in a vector, or the sum of the weights that it has there.
    fn bincount(input: Tensor, weights: Option<Tensor> = None, minlength: i64 = 0) -> Tensor,
        FUNCTION NO_OUT METHOD ANY_TYPE;
    value {
        if minlength < 0 {
            bail!(Runtime, "bincount: minlength must not be negative, got {minlength}");
        }
        if !input.dtype().is_integral() || input.dtype() == DType::Bool {
            bail!(NotImplemented, "bincount: not implemented for {}", input.dtype());
        }
        input.check_readable("bincount")?;
        let numbers = input.cast(DType::Int64)?.to_contiguous()?;
        let numbers = numbers.data();
        // SAFETY: a row-major tensor of 64-bit integers.
        let places = unsafe { crate::tensor::slice_at(numbers.pointer().cast::<i64>(), numbers.numel()) };
        let (least, most) = places.iter().fold((0, -1), |(least, most), &place| (place.min(least), place.max(most)));
        if input.ndim() != 1 || least < 0 {
            bail!(Runtime, "bincount: a vector of numbers that are not negative is expected");
        }
        if let Some(weights) = weights
            && weights.sizes() != input.sizes()
        {
            bail!(Runtime, "bincount: weights of size {} for {} numbers", shape::show(&weights.sizes()), places.len());
        }
        let bins = (most as usize).wrapping_add(1).max(minlength as usize);
        let Some(weights) = weights else {
            let mut counts: Vec<i64> = zeros("bincount", bins)?;
            places.iter().for_each(|&place| counts[place as usize] += 1);
            return Tensor::from_slice(&counts, &[bins]);
        };
        let mut sums: Vec<f64> = zeros("bincount", bins)?;
        places.iter().zip(weights.to_vec::<f64>()?).for_each(|(&place, weight)| sums[place as usize] += weight);
        let result = if weights.dtype() == DType::Float32 { DType::Float32 } else { DType::Float64 };
        Tensor::from_slice(&sums, &[bins])?.cast(result)
    }
    batch refused("how many numbers are counted differs from example to example");
    derivative none;
}

/// As many zeros as there are bins, if that is possible.
fn zeros<T: Clone + std::default::Default>(name: &str, bins: usize) -> Result<Vec<T>> {
    let mut list = Vec::new();
    if list.try_reserve_exact(bins).is_err() {
        bail!(Runtime, "{name}: {bins} bins do not fit the memory");
    }
    list.resize(bins, T::default());
    Ok(list)
}

/// The bounds of a histogram: those given, or if both are the same, those of the elements, which are made to differ.
fn histogram_bounds(name: &str, input: &Tensor, low: f64, high: f64) -> Result<(f64, f64)> {
    let (mut low, mut high) = (low, high);
    if low == high && input.numel() > 0 {
        let [least, most] = aminmax(&input.detach(), None, false)?;
        (low, high) = (least.item()?.to_f64(), most.item()?.to_f64());
    }
    if low == high {
        (low, high) = (low - 1.0, high + 1.0);
    }
    if !(low.is_finite() && high.is_finite()) {
        bail!(Runtime, "{name}: the range from {low} to {high} is not finite");
    }
    if low > high {
        bail!(Runtime, "{name}: the range ends at {high}, before it starts at {low}");
    }
    Ok((low, high))
}

op! {
    /// How many elements are in each of `bins` equal parts of the range from `min` to `max`; if both are the same, from
    /// the smallest to the largest element.
    fn histc(
        input: Tensor, bins: i64 = 100, min: Scalar = crate::scalar::Scalar::Int(0), max: Scalar = crate::scalar::Scalar::Int(0)
    ) -> Tensor, FUNCTION METHOD;
    value {
        if bins <= 0 {
            bail!(Runtime, "histc: the number of bins has to be positive, got {bins}");
        }
        if !input.dtype().is_float() {
            bail!(NotImplemented, "histc: not implemented for {}", input.dtype());
        }
        let (low, high) = histogram_bounds("histc", input, min.to_f64(), max.to_f64())?;
        let mut counts: Vec<f64> = zeros("histc", bins as usize)?;
        for value in input.to_vec::<f64>()? {
            if (low..=high).contains(&value) {
                let bin = ((value - low) * bins as f64 / (high - low)) as usize;
                counts[bin.min(bins as usize - 1)] += 1.0;
            }
        }
        Tensor::from_slice(&counts, &[counts.len()])?.cast(input.dtype())
    }
    derivative none;
}
