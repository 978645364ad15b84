//! Normalization over layers, batches, groups of channels and examples.
//!
//! The gradients of the three nodes are fused loops where nobody differentiates them, else formulas of operations.

use crate::autograd::{modes, primitives, record};
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::normalization::{self as kernel, Channels, Rows, Saved, Weights};
use crate::op::{Backward, Gradients};
use crate::ops::arithmetic::{add, add_tensors, div, mul, mul_tensors, sub};
use crate::ops::conversion::{check_float, to_dtype};
use crate::ops::power::pow;
use crate::ops::reduction::{mean, sum};
use crate::ops::unary::{rsqrt, square};
use crate::ops::views::{self, ints};
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::value::{IntList, Value};
use crate::{bail, op, with_element};

/// The address of the elements of a row-major tensor.
fn at<T>(tensor: &Tensor) -> *mut T {
    tensor.data().pointer().cast()
}

fn rows_of(tensor: Option<&Tensor>) -> Result<Option<Tensor>> {
    tensor.map(Tensor::to_contiguous).transpose()
}

/// Fails unless a weight or bias has the given size and the input's type.
fn check_affine(name: &str, what: &str, tensor: Option<&Tensor>, size: &[usize], dtype: DType) -> Result<()> {
    let Some(tensor) = tensor else { return Ok(()) };
    if tensor.sizes()[..] != *size {
        bail!(
            Runtime,
            "{name}: {what} has to have size {}, it has {}",
            shape::show(size),
            shape::show(&tensor.sizes())
        );
    }
    if tensor.dtype() != dtype {
        bail!(Runtime, "{name}: {what} has to be {dtype} like the input, it is {}", tensor.dtype());
    }
    Ok(())
}

/// Normalizes rows: the result, and for each row its mean and one divided by its standard deviation.
fn normalized_rows(
    rows: Rows,
    statistics: &[usize],
    eps: f64,
    input: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
) -> Result<[Tensor; 3]> {
    let (input, weight, bias) = (input.to_contiguous()?, rows_of(weight)?, rows_of(bias)?);
    let dtype = input.dtype();
    let out = Tensor::empty(&input.sizes(), dtype)?;
    let (means, scales) = (Tensor::empty(statistics, dtype)?, Tensor::empty(statistics, dtype)?);
    with_element!(dtype, float T => {
        let [w, b] = [&weight, &bias].map(|tensor| tensor.as_ref().map(|tensor| at::<T>(tensor).cast_const()));
        // SAFETY: row-major tensors of the sizes of the rows, whose results are new.
        unsafe { kernel::rows_forward::<T>(rows, eps, at(&input), w, b, at(&out), at(&means), at(&scales)) }
    }, else bail!(NotImplemented, "normalization: not implemented for {dtype}"));
    Ok([out, means, scales])
}

/// A row-major tensor of the type that is computed in.
fn computed(tensor: &Tensor) -> Result<Tensor> {
    tensor.cast(tensor.dtype().wide())?.to_contiguous()
}

/// Gradients in the type of what they are of.
fn rounded(gradients: [Tensor; 3], dtype: DType) -> Result<[Tensor; 3]> {
    let [input, weight, bias] = gradients.map(|gradient| gradient.cast(dtype));
    Ok([input?, weight?, bias?])
}

/// The gradients of input, weight and bias of normalized rows.
fn rows_backward(
    rows: Rows,
    g: &Tensor,
    input: &Tensor,
    means: &Tensor,
    scales: &Tensor,
    weight: Option<&Tensor>,
    weights: &[usize],
) -> Result<[Tensor; 3]> {
    let narrow = input.dtype();
    let weight = weight.map(computed).transpose()?;
    let [g, input, means, scales] = [g, input, means, scales].map(computed);
    let (g, input, means, scales) = (g?, input?, means?, scales?);
    let dtype = narrow.wide();
    let out = Tensor::empty(&input.sizes(), dtype)?;
    let (of_weight, of_bias) = (Tensor::empty(weights, dtype)?, Tensor::empty(weights, dtype)?);
    with_element!(dtype, float T => {
        let saved = Saved::<T> {
            gradient: at(&g),
            input: at(&input),
            means: at(&means),
            scales: at(&scales),
            weight: weight.as_ref().map(|weight| at::<T>(weight).cast_const()),
        };
        // SAFETY: row-major tensors of the sizes of the rows, whose results are new.
        unsafe { kernel::rows_backward::<T>(rows, of_weight.numel(), &saved, at(&out), at(&of_weight), at(&of_bias)) }
    }, else bail!(NotImplemented, "normalization: not implemented for {dtype}"));
    rounded([out, of_weight, of_bias], narrow)
}

/// Elements normalized over some dimensions, and one divided by their standard deviation, in operations.
fn normalized(input: &Tensor, dims: &[i64], eps: f64) -> Result<[Tensor; 2]> {
    let deviation = sub(input.into(), (&mean(input, Some(dims), true, None)?).into())?;
    let variance = mean(&square(&deviation)?, Some(dims), true, None)?;
    let scale = rsqrt(&add((&variance).into(), eps.into())?)?;
    Ok([mul_tensors(&deviation, &scale)?, scale])
}

/// The gradient of the input from that of its normalized elements, in operations.
fn unnormalized(g: &Tensor, normal: &Tensor, scale: &Tensor, dims: &[i64]) -> Result<Tensor> {
    let along = mul_tensors(normal, &mean(&mul_tensors(g, normal)?, Some(dims), true, None)?)?;
    let rest = sub(g.into(), (&mean(g, Some(dims), true, None)?).into())?;
    mul_tensors(&sub((&rest).into(), (&along).into())?, scale)
}

/// Gradients for input, weight and bias; those that nobody needs are left out.
fn three(gradients: [Tensor; 3], weight: bool, bias: bool) -> Gradients {
    let [input, of_weight, of_bias] = gradients;
    [Some(input), weight.then_some(of_weight), bias.then_some(of_bias)].into_iter().collect()
}

/// The gradient of the result, or zeros where none arrived, and what the gradients of the mean and of one divided by the
/// standard deviation (results 1 and 2) add to that of the input, which is seen with the sizes `seen`.
fn arrived(ctx: &Backward, input: &Tensor, seen: &[i64], dims: &[i64], eps: f64) -> Result<(Tensor, Option<Tensor>)> {
    let g = match ctx.gradient_of(0)? {
        Some(g) => g,
        None => Tensor::zeros(&input.sizes(), input.dtype())?,
    };
    let (of_mean, of_scale) = (ctx.gradient_of(1)?, ctx.gradient_of(2)?);
    if of_mean.is_none() && of_scale.is_none() {
        return Ok((g, None));
    }
    let [normal, scale] = normalized(&views::reshape(input, seen)?, dims, eps)?;
    let count = (input.numel() / scale.numel().max(1)) as f64;
    let statistics = ints(&scale.sizes());
    let mut total = Tensor::zeros(&normal.sizes(), input.dtype())?;
    if let Some(of_mean) = of_mean {
        total = add_tensors(&total, &div((&views::reshape(&of_mean, &statistics)?).into(), count.into())?)?;
    }
    if let Some(of_scale) = of_scale {
        let slope = mul_tensors(&views::reshape(&of_scale, &statistics)?, &square(&scale)?)?;
        let part = div((&mul_tensors(&normal, &slope)?).into(), count.into())?;
        total = sub((&total).into(), (&part).into())?;
    }
    Ok((g, Some(views::reshape(&total, &ints(&input.sizes()))?)))
}

/// Gradients, of which the first is that of the input, with more added to that.
fn with_more(mut gradients: Gradients, more: Option<Tensor>) -> Result<Gradients> {
    if let (Some(more), Some(Some(first))) = (more, gradients.first_mut()) {
        *first = add_tensors(first, &more)?;
    }
    Ok(gradients)
}

fn last_dims(count: usize) -> Ints {
    (1..=count as i64).map(|d| -d).rev().collect()
}

/// How the last dimensions, of the sizes that are given, make rows.
fn layers(name: &str, sizes: &[usize], normalized_shape: &[i64]) -> Result<Rows> {
    let shape = shape::checked_sizes(normalized_shape)?;
    if shape.is_empty() {
        bail!(Runtime, "{name}: normalized_shape has to have at least one number");
    }
    if sizes.len() < shape.len() || sizes[sizes.len() - shape.len()..] != shape[..] {
        bail!(
            Runtime,
            "{name}: the input's last sizes have to be {}, its size is {}",
            shape::show(&shape),
            shape::show(sizes)
        );
    }
    let rows = sizes[..sizes.len() - shape.len()].iter().product();
    Ok(Rows { rows, length: shape.iter().product(), weights: Weights::Elements })
}

op! {
    /// `layer_norm`, with the mean of each row and one divided by its standard deviation.
    fn native_layer_norm(
        input: Tensor, normalized_shape: IntList, weight: Option<Tensor>, bias: Option<Tensor>, eps: f64
    ) -> (out, mean, rstd), FUNCTION NO_OUT;
    value {
        const NAME: &str = "layer_norm";
        let sizes = input.sizes();
        let rows = layers(NAME, &sizes, normalized_shape)?;
        let shape = shape::checked_sizes(normalized_shape)?;
        check_affine(NAME, "weight", weight, &shape, input.dtype())?;
        check_affine(NAME, "bias", bias, &shape, input.dtype())?;
        check_float(NAME, input)?;
        let mut statistics = sizes.clone();
        statistics[sizes.len() - shape.len()..].fill(1);
        normalized_rows(rows, &statistics, eps, input, weight, bias)
    }
    derivative "NativeLayerNormBackward0" ByVjp {
        [input, weight, bias](input, normalized_shape, weight, eps, mean, rstd, ctx) => {
            let sizes = input.sizes();
            let dims = last_dims(normalized_shape.len());
            let (g, more) = arrived(ctx, input, &ints(&sizes), &dims, eps)?;
            let g = &g;
            let shape = shape::checked_sizes(normalized_shape)?;
            let (has_weight, has_bias) = (ctx.needs(2), ctx.needs(3));
            if !record::is_watched(|| [Some(g), Some(input), weight].into_iter().flatten()) {
                let rows = layers("layer_norm", &sizes, normalized_shape)?;
                let gradients = rows_backward(rows, g, input, mean, rstd, weight, &shape)?;
                return with_more(three(gradients, has_weight, has_bias), more);
            }
            let [normal, scale] = normalized(input, &dims, eps)?;
            let weighted = match weight {
                Some(weight) => mul_tensors(g, weight)?,
                None => g.clone(),
            };
            let lead: Ints = (0..(sizes.len() - shape.len()) as i64).collect();
            let over = |x: Tensor| if lead.is_empty() { Ok(x) } else { sum(&x, Some(&lead), false, None) };
            let gradients = [unnormalized(&weighted, &normal, &scale, &dims)?, over(mul_tensors(g, &normal)?)?, over(g.clone())?];
            with_more(three(gradients, has_weight, has_bias), more)
        };
    }
}

op! {
    /// Each row of the last dimensions, whose sizes are `normalized_shape`, less its mean and divided by its standard
    /// deviation; times `weight` and plus `bias`, which have that size.
    ///
    /// J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", 2016. Raises `RuntimeError` where sizes do not fit.
    fn layer_norm(
        input: Tensor, normalized_shape: IntList, weight: Option<Tensor> = None, bias: Option<Tensor> = None, eps: f64 = 1e-5
    ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        mixed(input, &[weight, bias], |input| {
            native_layer_norm(input, normalized_shape, weight, bias, eps).map(|[out, ..]| out)
        })
    }
    derivative composite;
}

op! {
    /// Each row of the last dimensions divided by the root of the mean of its squares; times `weight`.
    ///
    /// B. Zhang and R. Sennrich, "Root mean square layer normalization", 2019. `eps` is by default the machine epsilon.
    fn rms_norm(
        input: Tensor, normalized_shape: IntList, weight: Option<Tensor> = None, eps: Option<f64> = None
    ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        if input.ndim() < normalized_shape.len() {
            bail!(
                Value,
                "rms_norm: the input has to have at least {} dimensions, its size is {}",
                normalized_shape.len(),
                shape::show(&input.sizes())
            );
        }
        layers("rms_norm", &input.sizes(), normalized_shape)?;
        if !input.dtype().is_complex() {
            check_float("rms_norm", input)?;
        }
        if let Some(weight) = weight
            && weight.sizes() != shape::checked_sizes(normalized_shape)?
        {
            bail!(Runtime, "rms_norm: weight has to have size {}, it has {}", shape::show(normalized_shape), shape::show(&weight.sizes()));
        }
        let eps = eps.unwrap_or(if input.dtype().real() == DType::Float64 { f64::EPSILON } else { f64::from(f32::EPSILON) });
        let squares = mean(&pow(input.into(), 2i64.into())?, Some(&last_dims(normalized_shape.len())), true, None)?;
        let scaled = mul_tensors(input, &rsqrt(&add((&squares).into(), eps.into())?)?)?;
        crate::ops::conversion::contiguous(&match weight {
            Some(weight) => mul_tensors(&scaled, weight)?,
            None => scaled,
        })
    }
    derivative composite;
}

/// How the groups of an input's channels make rows.
fn groups(name: &str, sizes: &[usize], num_groups: i64) -> Result<(Rows, usize)> {
    let [batch, channels, rest @ ..] = sizes else {
        bail!(Runtime, "{name}: an input (batch, channels, ..) is expected, its size is {}", shape::show(sizes));
    };
    if num_groups < 1 || channels % num_groups as usize != 0 {
        bail!(Runtime, "{name}: {num_groups} groups cannot share {channels} channels");
    }
    let groups = num_groups as usize;
    let weights = Weights::Channels { groups, channels: channels / groups };
    let length = channels / groups * rest.iter().product::<usize>();
    Ok((Rows { rows: batch * groups, length, weights }, *channels))
}

op! {
    /// `group_norm`, with the mean of each group and one divided by its standard deviation.
    fn native_group_norm as "native_group_norm" / "of_input" (
        input: Tensor, weight: Option<Tensor>, bias: Option<Tensor>, num_groups: i64, eps: f64
    ) -> (out, mean, rstd);
    value {
        const NAME: &str = "group_norm";
        let (rows, channels) = groups(NAME, &input.sizes(), num_groups)?;
        check_float(NAME, input)?;
        check_affine(NAME, "weight", weight, &[channels], input.dtype())?;
        check_affine(NAME, "bias", bias, &[channels], input.dtype())?;
        normalized_rows(rows, &[rows.rows / num_groups as usize, num_groups as usize], eps, input, weight, bias)
    }
    derivative "NativeGroupNormBackward0" ByVjp {
        [input, weight, bias](input, weight, num_groups, eps, mean, rstd, ctx) => {
            let sizes = input.sizes();
            let (rows, channels) = groups("group_norm", &sizes, num_groups)?;
            let grouped = [
                sizes[0] as i64,
                num_groups,
                channels as i64 / num_groups,
                (rows.length * num_groups as usize / channels.max(1)) as i64,
            ];
            let (g, more) = arrived(ctx, input, &grouped, &[2, 3], eps)?;
            let g = &g;
            let (has_weight, has_bias) = (ctx.needs(1), ctx.needs(2));
            if !record::is_watched(|| [Some(g), Some(input), weight].into_iter().flatten()) {
                let gradients = rows_backward(rows, g, input, mean, rstd, weight, &[channels])?;
                return with_more(three(gradients, has_weight, has_bias), more);
            }
            let count = channels as i64;
            let (x, g) = (views::reshape(input, &grouped)?, views::reshape(g, &grouped)?);
            let [normal, scale] = normalized(&x, &[2, 3], eps)?;
            let weighted = match weight {
                Some(weight) => mul_tensors(&g, &views::reshape(weight, &[1, num_groups, count / num_groups, 1])?)?,
                None => g.clone(),
            };
            let over = |x: &Tensor| views::reshape(&sum(x, Some(&[0, 3]), false, None)?, &[count]);
            let of_input = views::reshape(&unnormalized(&weighted, &normal, &scale, &[2, 3])?, &ints(&sizes))?;
            with_more(three([of_input, over(&mul_tensors(&g, &normal)?)?, over(&g)?], has_weight, has_bias), more)
        };
    }
}

op! {
    /// Each of `num_groups` groups of an example's channels less its mean and divided by its standard deviation; times
    /// `weight` and plus `bias`, one number for each channel.
    ///
    /// Y. Wu and K. He, "Group normalization", 2018. Raises `RuntimeError` where sizes do not fit, `ValueError` for groups
    /// of one element.
    fn group_norm(
        input: Tensor, num_groups: i64, weight: Option<Tensor> = None, bias: Option<Tensor> = None, eps: f64 = 1e-5
    ) -> Tensor, FUNCTIONAL;
    value {
        let sizes = input.sizes();
        if let [batch, channels, rest @ ..] = &sizes[..]
            && num_groups > 0
            && batch * channels / num_groups as usize * rest.iter().product::<usize>() == 1
        {
            bail!(Value, "group_norm: more than one value in each group is needed, the input has size {}", shape::show(&sizes));
        }
        mixed(input, &[weight, bias], |input| {
            native_group_norm(input, weight, bias, num_groups, eps).map(|[out, ..]| out)
        })
    }
    derivative composite;
}

op! {
    /// `group_norm` for any size of groups.
    fn group_norm_unchecked as "group_norm" / "function" (
        input: Tensor, num_groups: i64, weight: Option<Tensor> = None, bias: Option<Tensor> = None, eps: f64 = 1e-5,
        cudnn_enabled: bool = true
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        mixed(input, &[weight, bias], |input| {
            native_group_norm(input, weight, bias, num_groups, eps).map(|[out, ..]| out)
        })
    }
    derivative composite;
}

/// A tensor as `(batch, channels, plane)`.
fn channels(name: &str, sizes: &[usize]) -> Result<Channels> {
    let [batch, channels, rest @ ..] = sizes else {
        bail!(Runtime, "{name}: an input (batch, channels, ..) is expected, its size is {}", shape::show(sizes));
    };
    Ok(Channels { batch: *batch, channels: *channels, plane: rest.iter().product() })
}

/// A running average moved towards a new value.
fn move_average(running: Option<&Tensor>, new: &Tensor, momentum: f64) -> Result<()> {
    let Some(running) = running else { return Ok(()) };
    let version = running.version();
    modes::without_grad(|| {
        let new = new.cast(running.dtype())?;
        let kept = mul((&running.detach()).into(), (1.0 - momentum).into())?;
        let moved = add_tensors(&kept, &mul((&new).into(), momentum.into())?)?;
        primitives::call_in_place("copy", &[Value::Tensor(running.clone()), Value::Tensor(moved)])
    })?;
    // Graphs of earlier batches hold the averages, which no gradient needs; as in PyTorch this counts as no change.
    running.data().version().set(version);
    Ok(())
}

/// Normalizes in float32 and rounds, if the input has 16-bit floats and its parameters are float32.
fn mixed(
    input: &Tensor,
    parameters: &[Option<&Tensor>],
    normalize: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let dtype = input.dtype();
    let is_wide = |tensor: &&Tensor| tensor.dtype() == DType::Float32;
    match dtype.is_float() && dtype.is_narrow() && parameters.iter().flatten().any(is_wide) {
        true => to_dtype(&normalize(&to_dtype(input, DType::Float32)?)?, dtype),
        false => normalize(input),
    }
}

/// The running averages that a batch is normalized with where it is not trained on.
fn check_averages(mean: Option<&Tensor>, variance: Option<&Tensor>, training: bool) -> Result<()> {
    if !training && (mean.is_none() || variance.is_none()) {
        bail!(Runtime, "batch_norm: without training, running_mean and running_var are needed");
    }
    Ok(())
}

op! {
    /// `batch_norm`, with the mean of each channel and one divided by its standard deviation.
    ///
    /// With `training`, the running averages are moved towards the statistics of the batch; else they are used.
    fn native_batch_norm(
        input: Tensor, weight: Option<Tensor>, bias: Option<Tensor>, running_mean: Option<Tensor>,
        running_var: Option<Tensor>, training: bool, momentum: f64, eps: f64
    ) -> (out, save_mean, save_invstd), FUNCTION;
    value {
        const NAME: &str = "batch_norm";
        let sizes = input.sizes();
        if running_mean.is_some() != running_var.is_some() {
            bail!(Value, "{NAME}: running_mean and running_var are given both, or neither");
        }
        check_averages(running_mean, running_var, training)?;
        input.size(1)?;
        let form = channels(NAME, &sizes)?;
        check_float(NAME, input)?;
        for (what, tensor) in [("weight", weight), ("bias", bias), ("running_mean", running_mean), ("running_var", running_var)] {
            check_affine(NAME, what, tensor, &[form.channels], input.dtype())?;
        }
        let (input, weight, bias) = (input.to_contiguous()?, rows_of(weight)?, rows_of(bias)?);
        let dtype = input.dtype();
        let count = (form.batch * form.plane) as f64;
        let (means, scales) = if training {
            let (means, squares) = (Tensor::empty(&[form.channels], dtype)?, Tensor::empty(&[form.channels], dtype)?);
            with_element!(dtype, float T => {
                // SAFETY: a row-major tensor of these sizes; the results are new.
                unsafe { kernel::channel_moments::<T>(form, at(&input), at(&means), at(&squares)) }
            }, else bail!(NotImplemented, "{NAME}: not implemented for {dtype}"));
            let part = |divisor: f64| div((&squares).into(), divisor.into());
            move_average(running_mean, &means, momentum)?;
            move_average(running_var, &part(count - 1.0)?, momentum)?;
            (means, rsqrt(&add((&part(count)?).into(), eps.into())?)?)
        } else {
            let (Some(mean), Some(variance)) = (running_mean, running_var) else {
                bail!(Runtime, "{NAME}: running_mean and running_var are needed");
            };
            (mean.detach().to_contiguous()?, rsqrt(&add((&variance.detach()).into(), eps.into())?)?)
        };
        let out = Tensor::empty(&sizes, dtype)?;
        with_element!(dtype, float T => {
            let [w, b] = [&weight, &bias].map(|tensor| tensor.as_ref().map(|tensor| at::<T>(tensor).cast_const()));
            // SAFETY: row-major tensors of these sizes; the result is new.
            unsafe { kernel::channels_forward::<T>(form, at(&input), at(&means), at(&scales), w, b, at(&out)) }
        }, else bail!(NotImplemented, "{NAME}: not implemented for {dtype}"));
        let kept = |tensor: Tensor| if training { Ok(tensor) } else { Tensor::empty(&[0], dtype) };
        Ok([out, kept(means)?, kept(scales)?])
    }
    batch refused("batch_norm: the statistics of a batch are one for all examples; move the batch into the input's first dimension");
    derivative "NativeBatchNormBackward0" ByVjp {
        [input, weight, bias](
            input, weight, running_mean, running_var, training, eps, save_mean, save_invstd, ctx
        ) => {
            let sizes = input.sizes();
            let form = channels("batch_norm", &sizes)?;
            let others: Ints = (0..sizes.len() as i64).filter(|&d| d != 1).collect();
            let (g, more) = match training {
                true => arrived(ctx, input, &ints(&sizes), &others, eps)?,
                // The other results have no elements.
                false => (ctx.gradient_of(0)?.map_or_else(|| Tensor::zeros(&sizes, input.dtype()), Ok)?, None),
            };
            let g = &g;
            let (has_weight, has_bias) = (ctx.needs(1), ctx.needs(2));
            let fixed = match (training, running_mean, running_var) {
                (false, Some(mean), Some(variance)) => {
                    Some((mean.detach(), rsqrt(&add((&variance.detach()).into(), eps.into())?)?))
                }
                _ => None,
            };
            if !record::is_watched(|| [Some(g), Some(input), weight].into_iter().flatten()) {
                let (means, scales) = fixed.clone().unwrap_or((save_mean.clone(), save_invstd.clone()));
                let gradients = channels_backward(form, g, input, &means, &scales, weight, fixed.is_some())?;
                return with_more(three(gradients, has_weight, has_bias), more);
            }
            let mut wide: Ints = Ints::from_elem(1, sizes.len());
            wide[1] = form.channels as i64;
            let weighted = match weight {
                Some(weight) => mul_tensors(g, &views::reshape(weight, &wide)?)?,
                None => g.clone(),
            };
            let (normal, of_input) = match &fixed {
                Some((mean, scale)) => {
                    let scale = views::reshape(scale, &wide)?;
                    let deviation = sub(input.into(), (&views::reshape(mean, &wide)?).into())?;
                    (mul_tensors(&deviation, &scale)?, mul_tensors(&weighted, &scale)?)
                }
                None => {
                    let [normal, scale] = normalized(input, &others, eps)?;
                    let of_input = unnormalized(&weighted, &normal, &scale, &others)?;
                    (normal, of_input)
                }
            };
            let over = |x: &Tensor| sum(x, Some(&others), false, None);
            with_more(three([of_input, over(&mul_tensors(g, &normal)?)?, over(g)?], has_weight, has_bias), more)
        };
    }
}

/// The gradients of input, weight and bias of normalized channels.
fn channels_backward(
    form: Channels,
    g: &Tensor,
    input: &Tensor,
    means: &Tensor,
    scales: &Tensor,
    weight: Option<&Tensor>,
    fixed: bool,
) -> Result<[Tensor; 3]> {
    let narrow = input.dtype();
    let weight = weight.map(computed).transpose()?;
    let [g, input, means, scales] = [g, input, means, scales].map(computed);
    let (g, input, means, scales) = (g?, input?, means?, scales?);
    let dtype = narrow.wide();
    let out = Tensor::empty(&input.sizes(), dtype)?;
    let (of_weight, of_bias) = (Tensor::empty(&[form.channels], dtype)?, Tensor::empty(&[form.channels], dtype)?);
    with_element!(dtype, float T => {
        let saved = Saved::<T> {
            gradient: at(&g),
            input: at(&input),
            means: at(&means),
            scales: at(&scales),
            weight: weight.as_ref().map(|weight| at::<T>(weight).cast_const()),
        };
        // SAFETY: row-major tensors of these sizes; the results are new.
        unsafe { kernel::channels_backward::<T>(form, &saved, fixed, at(&out), at(&of_weight), at(&of_bias)) }
    }, else bail!(NotImplemented, "batch_norm: not implemented for {dtype}"));
    rounded([out, of_weight, of_bias], narrow)
}

op! {
    /// Each channel less its mean and divided by its standard deviation; times `weight` and plus `bias`, one number for
    /// each channel.
    ///
    /// With `training` the statistics are those of the batch, and the running averages, if given, are moved towards them by
    /// `momentum`; else they are the running averages. S. Ioffe and C. Szegedy, "Batch normalization", 2015. Raises
    /// `RuntimeError` where sizes do not fit, `ValueError` when training on channels of one element.
    fn batch_norm(
        input: Tensor, running_mean: Option<Tensor>, running_var: Option<Tensor>, weight: Option<Tensor> = None,
        bias: Option<Tensor> = None, training: bool = false, momentum: f64 = 0.1, eps: f64 = 1e-5
    ) -> Tensor, FUNCTIONAL;
    value {
        let sizes = input.sizes();
        if training && !sizes.is_empty() && sizes[0] * sizes.iter().skip(2).product::<usize>() == 1 {
            bail!(Value, "batch_norm: training needs more than one value in each channel, the input has size {}", shape::show(&sizes));
        }
        check_averages(running_mean, running_var, training)?;
        mixed(input, &[weight, bias, running_mean, running_var], |input| {
            native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps).map(|[out, ..]| out)
        })
    }
    derivative composite;
}

op! {
    /// `batch_norm` for any number of elements, with its arguments in another order.
    fn batch_norm_unchecked as "batch_norm" / "function" (
        input: Tensor, weight: Option<Tensor>, bias: Option<Tensor>, running_mean: Option<Tensor>,
        running_var: Option<Tensor>, training: bool, momentum: f64, eps: f64, cudnn_enabled: bool
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        check_averages(running_mean, running_var, training)?;
        mixed(input, &[weight, bias, running_mean, running_var], |input| {
            native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps).map(|[out, ..]| out)
        })
    }
    derivative composite;
}

op! {
    /// Each channel of each example less its mean and divided by its standard deviation; see `batch_norm`.
    ///
    /// D. Ulyanov, A. Vedaldi and V. Lempitsky, "Instance normalization", 2016.
    fn instance_norm(
        input: Tensor, running_mean: Option<Tensor> = None, running_var: Option<Tensor> = None, weight: Option<Tensor> = None,
        bias: Option<Tensor> = None, use_input_stats: bool = true, momentum: f64 = 0.1, eps: f64 = 1e-5
    ) -> Tensor, FUNCTIONAL;
    value {
        let sizes = input.sizes();
        if use_input_stats && sizes.len() > 1 && sizes[2..].iter().product::<usize>() == 1 {
            bail!(
                Value,
                "instance_norm: more than one value in each channel of an example is needed, the input has size {}",
                shape::show(&sizes)
            );
        }
        mixed(input, &[weight, bias, running_mean, running_var], |input| {
            instance_norm_unchecked(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, true)
        })
    }
    derivative composite;
}

op! {
    /// `instance_norm` for any number of elements, with its arguments in another order.
    fn instance_norm_unchecked as "instance_norm" / "function" (
        input: Tensor, weight: Option<Tensor>, bias: Option<Tensor>, running_mean: Option<Tensor>,
        running_var: Option<Tensor>, use_input_stats: bool, momentum: f64, eps: f64, cudnn_enabled: bool
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        let sizes = ints(&input.sizes());
        let [batch, channels, rest @ ..] = &sizes[..] else {
            bail!(Runtime, "instance_norm: an input (batch, channels, ..) is expected, its size is {}", shape::show(&sizes));
        };
        if !use_input_stats && (running_mean.is_none() || running_var.is_none()) {
            bail!(Runtime, "instance_norm: without use_input_stats, running_mean and running_var are needed");
        }
        // Examples stand side by side, as channels of one.
        let repeated = |tensor: Option<&Tensor>| -> Result<Option<Tensor>> {
            let Some(tensor) = tensor else { return Ok(None) };
            check_affine("instance_norm", "weight, bias or running average", Some(tensor), &[*channels as usize], tensor.dtype())?;
            Ok(Some(views::reshape(&views::expand(tensor, &[*batch, *channels])?, &[batch * channels])?))
        };
        let mut wide: Ints = [1, batch * channels].into_iter().collect();
        wide.extend(rest.iter().copied());
        // Averages that move have to be no views.
        let own = |tensor: Option<&Tensor>| -> Result<Option<Tensor>> {
            repeated(tensor.map(Tensor::detach).as_ref())?.map(|tensor| tensor.copied(tensor.dtype())).transpose()
        };
        let (mean, variance) = (own(running_mean)?, own(running_var)?);
        let [out, ..] = native_batch_norm(
            &views::reshape(input, &wide)?, repeated(weight)?.as_ref(), repeated(bias)?.as_ref(), mean.as_ref(),
            variance.as_ref(), use_input_stats, momentum, eps,
        )?;
        if use_input_stats {
            for (running, moved) in [(running_mean, mean), (running_var, variance)] {
                if let (Some(running), Some(moved)) = (running, moved) {
                    let examples = views::reshape(&moved, &[*batch, *channels])?;
                    move_average(Some(running), &self::mean(&examples, Some(&[0]), false, None)?, 1.0)?;
                }
            }
        }
        views::view(&out, &sizes)
    }
    derivative composite;
}

op! {
    /// Each element divided by a power of the mean square of those in `size` channels around it.
    ///
    /// A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet classification with deep convolutional neural networks",
    /// 2012.
    fn local_response_norm(input: Tensor, size: i64, alpha: f64 = 1e-4, beta: f64 = 0.75, k: f64 = 1.0) -> Tensor, FUNCTIONAL;
    value {
        let sizes = ints(&input.sizes());
        if sizes.len() < 3 {
            bail!(Value, "local_response_norm: at least three dimensions are expected, the size is {}", shape::show(&sizes));
        }
        if input.numel() == 0 {
            return Ok(input.clone());
        }
        let squares = views::unsqueeze(&mul_tensors(input, input)?, 1)?;
        let (before, after) = (size / 2, (size - 1) / 2);
        let near = if sizes.len() == 3 {
            let padded = crate::ops::padding::constant_pad_nd(&squares, &[0, 0, before, after], 0i64.into())?;
            let means = crate::ops::pooling::avg_pool2d(&padded, &[size, 1], Some(&[1]), &[0], false, true, None)?;
            views::squeeze(&means, 1)?
        } else {
            let flat = views::view(&squares, &[sizes[0], 1, sizes[1], sizes[2], -1])?;
            let padded = crate::ops::padding::constant_pad_nd(&flat, &[0, 0, 0, 0, before, after], 0i64.into())?;
            let means = crate::ops::pooling::avg_pool3d(&padded, &[size, 1, 1], Some(&[1]), &[0], false, true, None)?;
            views::view(&views::squeeze(&means, 1)?, &sizes)?
        };
        let base = add((&mul((&near).into(), alpha.into())?).into(), k.into())?;
        div(input.into(), (&pow((&base).into(), beta.into())?).into())
    }
    derivative composite;
}
