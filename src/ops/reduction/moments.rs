//! Variance and standard deviation.

use super::*;

op! {
    /// The variance over some dimensions (all if `dim` is `None`), divided by `n - correction`.
    fn var as "var" / "correction" (
        input: Tensor, dim: Option<Ints> = None; correction: Option<f64> = None, keepdim: bool = false
    ) -> Tensor, FUNCTION METHOD;
    value {
        if !input.dtype().is_float() {
            bail!(Runtime, "var: a floating point dtype is needed, the input is {}", input.dtype());
        }
        let count = count_of(&input.sizes(), dim)?;
        let every: Ints = (0..input.ndim() as i64).collect();
        let dims = dim.filter(|dims| !dims.is_empty()).unwrap_or(&every);
        let deviation = crate::ops::arithmetic::sub(input.into(), (&mean_over(input, Some(dims), true, None)?).into())?;
        let squares = mul_tensors(&deviation, &deviation)?;
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
            // The variance's rule with g / (2 std); 0 where the deviation is 0.
            let halved = div(g.into(), (&mul(out.into(), 2.0.into())?).into())?;
            let zero = eq(out, 0i64.into())?;
            let halved = choose(&zero, 0.0.into(), (&halved).into())?;
            variance_backward(&halved, input, dim, correction.unwrap_or(1.0), keepdim)
        };
    }
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
    fn var_all as "var" / "all" (input: Tensor, unbiased: bool = true) -> Tensor, FUNCTION METHOD;
    value { var(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}

op! {
    /// The standard deviation of all elements, with Bessel's correction if `unbiased`.
    fn std_all as "std" / "all" (input: Tensor, unbiased: bool = true) -> Tensor, FUNCTION METHOD;
    value { standard_deviation(input, None, Some(f64::from(u8::from(unbiased))), false) }
    derivative composite;
}
