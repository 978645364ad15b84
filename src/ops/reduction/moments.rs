//! Variance and standard deviation.

use super::*;

op! {
    /// The variance over some dimensions (all if `dim` is `None`), divided by `n - correction`.
    fn var as "var" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> Tensor, FUNCTION METHOD;
    value {
        if !input.dtype().is_differentiable() {
            bail!(Runtime, "var: a floating point dtype is needed, the input is {}", input.dtype());
        }
        let count = count_of(&input.sizes(), dim)?;
        let every: Ints = (0..input.ndim() as i64).collect();
        let dims = dim.filter(|dims| !dims.is_empty()).unwrap_or(&every);
        let deviation = crate::ops::arithmetic::sub(input.into(), (&mean_over(input, Some(dims), true, None)?).into())?;
        let squares = real(&mul_tensors(&deviation, &conj(&deviation)?)?)?;
        let total = sum_over(&squares, Some(dims), keepdim, None)?;
        div((&total).into(), (count as f64 - correction.unwrap_or(1.0)).max(0.0).into())
    }
    batch over(dim);
    derivative "VarBackward0" ByVjp {
        input(g, input, dim, correction, keepdim) => {
            variance_backward(g, input, dim, correction.unwrap_or(1.0), keepdim)
        };
    }
}

/// The gradient of the variance: `g * 2 / (n - correction) * (x - mean)`.
fn variance_backward(
    g: &Tensor,
    input: &Tensor,
    dim: Option<&[i64]>,
    correction: f64,
    keepdim: bool,
) -> Result<Tensor> {
    let sizes = input.sizes();
    let Some(dims) = dim.filter(|_| !sizes.is_empty()) else {
        let mean = mean_all(input, None)?;
        let freedom = input.numel() as f64 - correction;
        if freedom <= 0.0 {
            // Infinite, but where it is infinity times 0.
            let zero = eq(input, (&mean).into())?;
            let slope = choose(&zero, f64::NAN.into(), f64::INFINITY.into())?;
            return mul_tensors(g, &to_dtype(&slope, g.dtype())?);
        }
        let scaled = mul(g.into(), (2.0 / freedom).into())?;
        return mul_tensors(&scaled, &sub(input.into(), (&mean).into())?);
    };
    let count = count_of(&sizes, Some(dims))?;
    let g = unreduce(g, &sizes, Some(dims), keepdim)?;
    let every: Ints = (0..sizes.len() as i64).collect();
    let mean = mean(input, Some(if dims.is_empty() { &every } else { dims }), true, None)?;
    let scaled = mul((&g).into(), (2.0 / (count as f64 - correction)).into())?;
    mul_tensors(&scaled, &sub(input.into(), (&mean).into())?)
}

op! {
    /// The variance, with Bessel's correction if `unbiased`.
    fn var_unbiased as "var" / "unbiased" (input: Tensor, dim: Option<Ints>, unbiased: bool = true, keepdim: bool = false) -> Tensor,
        FUNCTION METHOD;
    value { var(input, dim, Some(f64::from(u8::from(unbiased))), keepdim) }
    derivative composite;
}

op! {
    /// The standard deviation over some dimensions (all if `dim` is `None`): the square root of the variance.
    fn standard_deviation as "std" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> Tensor, FUNCTION METHOD;
    value { crate::ops::unary::sqrt(&crate::autograd::modes::without_grad(|| var(input, dim, correction, keepdim))?) }
    batch over(dim);
    derivative "StdBackward0" ByVjp {
        input(g, input, dim, correction, keepdim, out) => {
            deviation_backward(g, input, out, dim, correction.unwrap_or(1.0), keepdim)
        };
    }
}

/// The gradient of the deviation `out`: the variance's rule with `g / (2 out)`; 0 where the deviation is 0.
fn deviation_backward(
    g: &Tensor,
    input: &Tensor,
    out: &Tensor,
    dim: Option<&[i64]>,
    correction: f64,
    keepdim: bool,
) -> Result<Tensor> {
    let halved = div(g.into(), (&mul(out.into(), 2.0.into())?).into())?;
    let zero = eq(out, 0i64.into())?;
    let halved = choose(&zero, 0.0.into(), (&halved).into())?;
    variance_backward(&halved, input, dim, correction, keepdim)
}

op! {
    /// The standard deviation, with Bessel's correction if `unbiased`.
    fn std_unbiased as "std" / "unbiased" (input: Tensor, dim: Option<Ints>, unbiased: bool = true, keepdim: bool = false) -> Tensor,
        FUNCTION METHOD;
    value { standard_deviation(input, dim, Some(f64::from(u8::from(unbiased))), keepdim) }
    derivative composite;
}

op! {
    /// The variance of all elements, with Bessel's correction if `unbiased`.
    fn var_all as "var" / "all" (input: Tensor, unbiased: bool = true) -> Tensor, FUNCTION NO_OUT METHOD;
    value { var(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}

op! {
    /// The standard deviation of all elements, with Bessel's correction if `unbiased`.
    fn std_all as "std" / "all" (input: Tensor, unbiased: bool = true) -> Tensor, FUNCTION NO_OUT METHOD;
    value { standard_deviation(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}

/// The sum of the gradients that arrive by the variance (or deviation) and by the mean.
fn moments_backward(
    ctx: &Backward,
    first: impl Fn(&Tensor) -> Result<Tensor>,
    dim: Option<&[i64]>,
    keepdim: bool,
) -> Result<Tensor> {
    let by_first = ctx.gradient_of(0)?.map(|g| first(&g)).transpose()?;
    let by_mean = ctx.gradient_of(1)?.map(|g| mean_backward(&g, ctx, dim, keepdim)).transpose()?;
    match (by_first, by_mean) {
        (Some(a), Some(b)) => crate::ops::arithmetic::add_tensors(&a, &b),
        (Some(one), None) | (None, Some(one)) => Ok(one),
        (None, None) => bail!(Runtime, "{}: no gradient arrived", ctx.op.name),
    }
}

op! {
    /// The variance and the mean over some dimensions (all if `dim` is `None`).
    fn var_mean as "var_mean" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> List, FUNCTION;
    value {
        let input = input.detach();
        Ok(vec![var(&input, dim, correction, keepdim)?, mean(&input, dim, keepdim, None)?])
    }
    batch over(dim);
    derivative "VarMeanBackward0" ByVjp {
        input(input, dim, correction, keepdim, ctx) => {
            let correction = correction.unwrap_or(1.0);
            moments_backward(ctx, |g| variance_backward(g, input, dim, correction, keepdim), dim, keepdim)
        };
    }
}

op! {
    /// The variance, with Bessel's correction if `unbiased`, and the mean.
    fn var_mean_unbiased as "var_mean" / "unbiased" (
        input: Tensor, dim: Option<Ints>, unbiased: bool = true, keepdim: bool = false
    ) -> List, FUNCTION;
    value { var_mean(input, dim, Some(f64::from(u8::from(unbiased))), keepdim) }
    derivative composite;
}

op! {
    /// The variance, with Bessel's correction if `unbiased`, and the mean of all elements.
    fn var_mean_all as "var_mean" / "all" (input: Tensor, unbiased: bool = true) -> List, FUNCTION;
    value { var_mean(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}

op! {
    /// The standard deviation and the mean over some dimensions (all if `dim` is `None`).
    fn std_mean as "std_mean" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> List, FUNCTION;
    value {
        let input = input.detach();
        Ok(vec![standard_deviation(&input, dim, correction, keepdim)?, mean(&input, dim, keepdim, None)?])
    }
    batch over(dim);
    derivative "StdMeanBackward0" ByVjp {
        input(input, dim, correction, keepdim, ctx) => {
            let out = standard_deviation(input, dim, correction, keepdim)?;
            moments_backward(
                ctx,
                |g| deviation_backward(g, input, &out, dim, correction.unwrap_or(1.0), keepdim),
                dim,
                keepdim,
            )
        };
    }
}

op! {
    /// The standard deviation, with Bessel's correction if `unbiased`, and the mean.
    fn std_mean_unbiased as "std_mean" / "unbiased" (
        input: Tensor, dim: Option<Ints>, unbiased: bool = true, keepdim: bool = false
    ) -> List, FUNCTION;
    value { std_mean(input, dim, Some(f64::from(u8::from(unbiased))), keepdim) }
    derivative composite;
}

op! {
    /// The standard deviation, with Bessel's correction if `unbiased`, and the mean of all elements.
    fn std_mean_all as "std_mean" / "all" (input: Tensor, unbiased: bool = true) -> List, FUNCTION;
    value { std_mean(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}

/// Checks the weights of observations.
fn check_weights(name: &str, weights: &Tensor, observations: usize, integral: bool) -> Result<()> {
    if weights.ndim() > 1 {
        bail!(Runtime, "cov: {name} has to be a vector, its size is {}", shape::show(&weights.sizes()));
    }
    if weights.dtype().is_integral() != integral || weights.dtype().is_complex() {
        let kind = if integral { "an integer" } else { "a floating point" };
        bail!(Runtime, "cov: {name} has to have {kind} dtype, it is {}", weights.dtype());
    }
    if weights.numel() != observations {
        bail!(Runtime, "cov: {name} has {} elements for {observations} observations", weights.numel());
    }
    if crate::ops::comparison::lt(&weights.detach(), 0i64.into())?.to_vec::<bool>()?.contains(&true) {
        bail!(Runtime, "cov: {name} must not hold negative numbers");
    }
    Ok(())
}

op! {
    /// The covariance matrix of variables, one a row, whose observations are the columns; `fweights` repeats
    /// observations, `aweights` weighs them.
    fn cov(
        input: Tensor; correction: i64 = 1, fweights: Option<Tensor> = None, aweights: Option<Tensor> = None
    ) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.ndim() > 2 {
            bail!(Runtime, "cov: a tensor of at most two dimensions is expected, its size is {}", shape::show(&input.sizes()));
        }
        if input.dtype() == DType::Bool {
            bail!(Runtime, "cov: not defined for a bool tensor");
        }
        let rows = if input.ndim() < 2 { crate::ops::views::view(input, &[1, -1])? } else { input.clone() };
        let observations = rows.sizes()[1];
        if let Some(weights) = fweights {
            check_weights("fweights", weights, observations, true)?;
        }
        if let Some(weights) = aweights {
            check_weights("aweights", weights, observations, false)?;
        }
        let weights = match (fweights, aweights) {
            (Some(f), Some(a)) => Some(mul_tensors(f, a)?),
            (f, a) => f.or(a).cloned(),
        };
        let total = match &weights {
            Some(weights) => {
                let total = sum_all(weights, None)?;
                if total.item()?.to_f64() == 0.0 {
                    bail!(Runtime, "cov: the weights add up to 0");
                }
                total
            }
            None => Tensor::scalar(observations as i64, DType::Int64)?,
        };
        let weighted = |rows: &Tensor| weights.as_ref().map_or(Ok(rows.clone()), |weights| mul_tensors(rows, weights));
        let mean = div((&sum(&weighted(&rows)?, Some(&[1]), false, None)?).into(), (&total).into())?;
        let freedom = match (aweights, &weights) {
            (Some(a), Some(weights)) if correction != 0 => {
                let share = div((&sum_all(&mul_tensors(weights, a)?, None)?).into(), (&total).into())?;
                sub((&total).into(), (&mul((&share).into(), correction.into())?).into())?
            }
            _ => sub((&total).into(), correction.into())?,
        };
        let freedom = if freedom.item()?.to_f64() <= 0.0 { freedom.zeros_alike()? } else { freedom };
        let centred = sub((&rows).into(), (&crate::ops::views::unsqueeze(&mean, 1)?).into())?;
        let products = crate::ops::matrix::mm(&centred, &crate::ops::views::t(&crate::ops::complex::conj(&weighted(&centred)?)?)?)?;
        crate::ops::views::squeeze_all(&div((&products).into(), (&freedom).into())?)
    }
    derivative composite;
}

op! {
    /// Pearson's correlation coefficients of variables, one a row.
    fn corrcoef(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        if input.ndim() > 2 {
            bail!(Runtime, "corrcoef: a tensor of at most two dimensions is expected, its size is {}", shape::show(&input.sizes()));
        }
        let covariance = cov(input, 1, None, None)?;
        if covariance.ndim() == 0 {
            return div((&covariance).into(), (&covariance).into());
        }
        let deviations = crate::ops::unary::sqrt(&crate::ops::diagonal::diag(&covariance, 0)?)?;
        let by_row = div((&covariance).into(), (&crate::ops::views::view(&deviations, &[-1, 1])?).into())?;
        let by_both = div((&by_row).into(), (&crate::ops::views::view(&deviations, &[1, -1])?).into())?;
        let limited = |part: &Tensor| crate::ops::selection::clamp(part, Some((-1i64).into()), Some(1i64.into()));
        if by_both.dtype().is_complex() {
            let (real, imaginary) = (crate::ops::complex::real(&by_both)?, crate::ops::complex::imag(&by_both)?);
            return crate::ops::complex::complex(&limited(&real)?, &limited(&imaginary)?);
        }
        limited(&by_both)
    }
    derivative composite;
}
