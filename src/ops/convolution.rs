//! Convolutions in one, two and three dimensions, and transposed ones.
//!
//! # Note: Three operations
//! A convolution ties three tensors together: the input, the weight and the output. Each of `_convolve`,
//! `_convolution_input` and `_convolution_weight` makes one of them from the two others and is linear in both, so that
//! the derivatives of each are the two others; a transposed convolution is the second of them.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::convolution::{self as kernel, Geometry};
use crate::ops::arithmetic::{add_tensors, mul, sub};
use crate::ops::complex::{I, imag, real};
use crate::ops::conversion::contiguous;
use crate::ops::reduction::sum;
use crate::ops::views::{self, ints};
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::value::IntList;
use crate::{bail, op, with_element};

/// Stride, padding, dilation and groups, checked against the sizes of input and weight.
#[derive(Clone, Copy)]
struct Steps<'a> {
    stride: &'a [i64],
    padding: &'a [i64],
    dilation: &'a [i64],
    groups: i64,
}

/// One number for each dimension: the last three of which fewer may be there.
pub(crate) fn three(numbers: impl DoubleEndedIterator<Item = usize>, missing: usize) -> [usize; 3] {
    let mut all = [missing; 3];
    for (place, number) in all.iter_mut().rev().zip(numbers.rev()) {
        *place = number;
    }
    all
}

impl Steps<'_> {
    /// The geometry in which a convolution of `outer` by `weight` gives a tensor whose dimensions after the second are
    /// those of `inner`.
    fn geometry(self, outer: &[usize], weight: &[usize], inner: &[usize]) -> Geometry {
        let groups = self.groups as usize;
        let given = |list: &[i64]| list.iter().map(|&n| n as usize).collect::<Dims>();
        Geometry {
            batch: outer[0],
            groups,
            channels: weight[1],
            features: weight[0] / groups.max(1),
            input: three(outer[2..].iter().copied(), 1),
            kernel: three(weight[2..].iter().copied(), 1),
            output: three(inner[2..].iter().copied(), 1),
            stride: three(given(self.stride).iter().copied(), 1),
            padding: three(given(self.padding).iter().copied(), 0),
            dilation: three(given(self.dilation).iter().copied(), 1),
        }
    }
}

fn checked(size: &[i64]) -> Result<Dims> {
    shape::checked_sizes(size)
}

/// `out = weight * input + bias` for tensors that fit.
fn convolved(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>, size: &[usize], steps: Steps) -> Result<Tensor> {
    let (input, weight) = (input.to_contiguous()?, weight.to_contiguous()?);
    let bias = bias.map(Tensor::to_contiguous).transpose()?;
    let out = Tensor::empty(size, input.dtype())?;
    let geometry = steps.geometry(&input.sizes(), &weight.sizes(), size);
    with_element!(input.dtype(), real T => {
        let bias = bias.as_ref().map(|bias| bias.data().pointer().cast::<T>().cast_const());
        let (x, w, sink) = (input.data().pointer(), weight.data().pointer(), out.data().pointer());
        // SAFETY: three row-major tensors of the sizes of the geometry, of which the last is new.
        unsafe { kernel::forward::<T>(&geometry, x.cast(), w.cast(), bias, sink.cast()) }
    }, else bail!(NotImplemented, "convolution: not implemented for {}", input.dtype()));
    Ok(out)
}

/// The input that the output `gradient` comes from, for tensors that fit.
fn input_of(gradient: &Tensor, weight: &Tensor, size: &[usize], steps: Steps) -> Result<Tensor> {
    let (gradient, weight) = (gradient.to_contiguous()?, weight.to_contiguous()?);
    let out = Tensor::empty(size, gradient.dtype())?;
    let geometry = steps.geometry(size, &weight.sizes(), &gradient.sizes());
    with_element!(gradient.dtype(), real T => {
        let (g, w, sink) = (gradient.data().pointer(), weight.data().pointer(), out.data().pointer());
        // SAFETY: three row-major tensors of the sizes of the geometry, of which the last is new.
        unsafe { kernel::input_gradient::<T>(&geometry, g.cast(), w.cast(), sink.cast()) }
    }, else bail!(NotImplemented, "convolution: not implemented for {}", gradient.dtype()));
    Ok(out)
}

op! {
    /// The output of a convolution, of a given size.
    fn convolve as "_convolve" (
        input: Tensor, weight: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: i64
    ) -> Tensor;
    value { convolved(input, weight, None, &checked(size)?, Steps { stride, padding, dilation, groups }) }
    derivative "ConvolutionBackward0" Multilinear {
        input(g, weight, stride, padding, dilation, groups, ctx) => {
            convolution_input(g, weight, &ints(&ctx.sizes_of(0)?), stride, padding, dilation, groups)
        };
        weight(g, input, stride, padding, dilation, groups, ctx) => {
            convolution_weight(g, input, &ints(&ctx.sizes_of(1)?), stride, padding, dilation, groups)
        };
    }
}

op! {
    /// The gradient of a convolution's input, of a given size.
    fn convolution_input as "_convolution_input" (
        gradient: Tensor, weight: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: i64
    ) -> Tensor;
    value { input_of(gradient, weight, &checked(size)?, Steps { stride, padding, dilation, groups }) }
    derivative "ConvolutionBackwardBackward0" Multilinear {
        gradient(g, weight, stride, padding, dilation, groups, ctx) => {
            convolve(g, weight, &ints(&ctx.sizes_of(0)?), stride, padding, dilation, groups)
        };
        weight(g, gradient, stride, padding, dilation, groups, ctx) => {
            convolution_weight(gradient, g, &ints(&ctx.sizes_of(1)?), stride, padding, dilation, groups)
        };
    }
}

op! {
    /// The gradient of a convolution's weight, of a given size.
    fn convolution_weight as "_convolution_weight" (
        gradient: Tensor, input: Tensor, size: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: i64
    ) -> Tensor;
    value {
        let (gradient, input) = (gradient.to_contiguous()?, input.to_contiguous()?);
        let out = Tensor::empty(&checked(size)?, input.dtype())?;
        let steps = Steps { stride, padding, dilation, groups };
        let geometry = steps.geometry(&input.sizes(), &out.sizes(), &gradient.sizes());
        with_element!(input.dtype(), real T => {
            let (g, x, sink) = (gradient.data().pointer(), input.data().pointer(), out.data().pointer());
            // SAFETY: three row-major tensors of the sizes of the geometry, of which the last is new.
            unsafe { kernel::weight_gradient::<T>(&geometry, g.cast(), x.cast(), sink.cast()) }
        }, else bail!(NotImplemented, "convolution: not implemented for {}", input.dtype()));
        Ok(out)
    }
    derivative "ConvolutionBackwardBackward0" Multilinear {
        gradient(g, input, stride, padding, dilation, groups, ctx) => {
            convolve(input, g, &ints(&ctx.sizes_of(0)?), stride, padding, dilation, groups)
        };
        input(g, gradient, stride, padding, dilation, groups, ctx) => {
            convolution_input(gradient, g, &ints(&ctx.sizes_of(1)?), stride, padding, dilation, groups)
        };
    }
}

op! {
    /// A convolution of any kind, with all that there is to say about it.
    ///
    /// `input` has size `(batch, channels, ..)`, `weight` `(features, channels / groups, ..)` or, of a transposed
    /// convolution, `(channels, features / groups, ..)`; each list one number for each dimension after the second.
    fn convolution(
        input: Tensor, weight: Tensor, bias: Option<Tensor>, stride: IntList, padding: IntList,
        dilation: IntList, transposed: bool, output_padding: IntList, groups: i64
    ) -> Tensor, FUNCTION NO_OUT;
    value {
        let size = output_size(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)?;
        let (stride, padding, dilation) = (each(stride, size.len()), each(padding, size.len()), each(dilation, size.len()));
        let steps = Steps { stride: &stride, padding: &padding, dilation: &dilation, groups };
        if !transposed {
            return convolved(input, weight, bias, &size, steps);
        }
        if !input.dtype().is_float() && input.dtype() != DType::Int64 {
            bail!(NotImplemented, "conv_transpose: not implemented for {}", input.dtype());
        }
        let out = input_of(input, weight, &size, steps)?;
        let Some(bias) = bias else { return Ok(out) };
        let mut broadcast: Ints = Ints::from_elem(1, size.len() - 1);
        broadcast[0] = -1;
        crate::autograd::primitives::call_in_place(
            "add",
            &[crate::value::Value::Tensor(out), crate::value::Value::Tensor(views::reshape(&bias.detach(), &broadcast)?)],
        )
    }
    derivative "ConvolutionBackward0" ByVjp {
        input(g, input, weight, stride, padding, dilation, transposed, groups) => {
            let size = ints(&input.sizes());
            let (stride, padding, dilation) = (each(stride, size.len()), each(padding, size.len()), each(dilation, size.len()));
            match transposed {
                false => convolution_input(g, weight, &size, &stride, &padding, &dilation, groups),
                true => convolve(g, weight, &size, &stride, &padding, &dilation, groups),
            }
        };
        weight(g, input, weight, stride, padding, dilation, transposed, groups) => {
            let size = ints(&weight.sizes());
            let (stride, padding, dilation) = (each(stride, size.len()), each(padding, size.len()), each(dilation, size.len()));
            match transposed {
                false => convolution_weight(g, input, &size, &stride, &padding, &dilation, groups),
                true => convolution_weight(input, g, &size, &stride, &padding, &dilation, groups),
            }
        };
        bias(g) => {
            let others: Ints = (0..g.ndim() as i64).filter(|&d| d != 1).collect();
            sum(g, Some(&others), false, None)
        };
    }
}

/// One number for each dimension after the second of a tensor of `ndim`: a single one counts for all.
fn each(list: &[i64], ndim: usize) -> Ints {
    if list.len() == 1 { Ints::from_elem(list[0], ndim - 2) } else { Ints::from_slice(list) }
}

/// The size of the result, if the arguments fit together.
#[expect(clippy::too_many_arguments, reason = "all that a convolution depends on")]
fn output_size(
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    transposed: bool,
    output_padding: &[i64],
    groups: i64,
) -> Result<Dims> {
    let name = if transposed { "conv_transpose" } else { "convolution" };
    let (x, w) = (input.sizes(), weight.sizes());
    if w.len() < 3 || w.len() > 5 || x.len() != w.len() {
        bail!(
            Runtime,
            "{name}: an input (batch, channels, ..) and a weight with as many dimensions are expected, got {} and {}",
            shape::show(&x),
            shape::show(&w)
        );
    }
    if input.dtype() != weight.dtype() || bias.is_some_and(|bias| bias.dtype() != input.dtype()) {
        bail!(
            Runtime,
            "{name}: input, weight and bias have to have one dtype, got {} and {}",
            input.dtype(),
            weight.dtype()
        );
    }
    let rank = w.len() - 2;
    for (list, what, least) in [
        (stride, "stride", 1),
        (padding, "padding", 0),
        (dilation, "dilation", 1),
        (output_padding, "output_padding", 0),
    ] {
        if list.len() != 1 && list.len() != rank {
            bail!(Runtime, "{name}: {what} is one number or {rank}, got {}", shape::show(list));
        }
        if list.iter().any(|&n| n < least) {
            bail!(Runtime, "{name}: {what} has to be at least {least}, got {}", shape::show(list));
        }
    }
    if groups < 1 || w[0] % groups as usize != 0 || w[0] < groups as usize {
        bail!(Runtime, "{name}: {groups} groups cannot share the {} rows of the weight", w[0]);
    }
    let groups = groups as usize;
    let (channels, features) = if transposed { (w[0], w[1] * groups) } else { (w[1] * groups, w[0]) };
    if x[1] != channels {
        bail!(
            Runtime,
            "{name}: a weight of size {} in {groups} groups takes {channels} channels, the input has {} (size {})",
            shape::show(&w),
            x[1],
            shape::show(&x)
        );
    }
    if let Some(bias) = bias
        && bias.sizes()[..] != [features]
    {
        bail!(Runtime, "{name}: the bias has to have size ({features},), got {}", shape::show(&bias.sizes()));
    }
    let mut size = Dims::from_slice(&[x[0], features]);
    let (stride, padding, dilation) = (each(stride, w.len()), each(padding, w.len()), each(dilation, w.len()));
    let extra = each(output_padding, w.len());
    for d in 0..rank {
        let reach = dilation[d].saturating_mul(w[d + 2] as i64 - 1).saturating_add(1);
        let (length, around) = (x[d + 2] as i64, padding[d].saturating_mul(2));
        let given = if transposed {
            if extra[d] >= stride[d].max(dilation[d]) {
                bail!(Runtime, "{name}: output_padding {} has to be smaller than stride or dilation", extra[d]);
            }
            (length - 1).saturating_mul(stride[d]).saturating_sub(around).saturating_add(reach).saturating_add(extra[d])
        } else if w[d + 2] == 0 || length.saturating_add(around) < reach {
            bail!(
                Runtime,
                "{name}: a kernel that reaches over {reach} elements is larger than the padded input, which has {} along \
                 dimension {}",
                length.saturating_add(around),
                d + 2
            );
        } else {
            (length + around - reach) / stride[d] + 1
        };
        if given < i64::from(transposed) {
            bail!(Runtime, "{name}: the output would have size {given} along dimension {}", d + 2);
        }
        size.push(given as usize);
    }
    Ok(size)
}

/// What a convolution makes of an input, a weight and a bias.
type Convolved<'a> = dyn Fn(&Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor> + 'a;

/// A convolution of complex tensors: three of real ones, by C. F. Gauss's way to multiply two complex numbers.
fn of_parts(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>, convolved: &Convolved) -> Result<Tensor> {
    let part = |tensor: Option<&Tensor>, take: fn(&Tensor) -> Result<Tensor>| tensor.map(take).transpose();
    let ([x, y], [v, w]) = ([real(input)?, imag(input)?], [real(weight)?, imag(weight)?]);
    let (b, c) = (part(bias, real)?, part(bias, imag)?);
    let both = |bias: Option<(&Tensor, &Tensor)>| bias.map(|(b, c)| add_tensors(b, c)).transpose();
    let first = convolved(&x, &v, b.as_ref())?;
    let second = convolved(&y, &w, None)?;
    let crossed = convolved(&add_tensors(&x, &y)?, &add_tensors(&v, &w)?, both(b.as_ref().zip(c.as_ref()))?.as_ref())?;
    let of_real = sub((&first).into(), (&second).into())?;
    let of_imaginary = sub((&sub((&crossed).into(), (&first).into())?).into(), (&second).into())?;
    add_tensors(&of_real, &mul((&of_imaginary).into(), I.into())?)
}

/// A convolution of a batch, or of one example without the dimension of a batch.
#[expect(clippy::too_many_arguments, reason = "all that a convolution depends on")]
fn of_rank(
    name: &str,
    rank: usize,
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: &[i64],
    padding: &[i64],
    dilation: &[i64],
    output_padding: Option<&[i64]>,
    groups: i64,
) -> Result<Tensor> {
    if input.ndim() != rank + 1 && input.ndim() != rank + 2 || weight.ndim() != rank + 2 {
        bail!(
            Runtime,
            "{name}: the input has to have {} dimensions, or {} without a batch, and the weight {}; got sizes {} and {}",
            rank + 2,
            rank + 1,
            rank + 2,
            shape::show(&input.sizes()),
            shape::show(&weight.sizes())
        );
    }
    let (transposed, extra) = (output_padding.is_some(), output_padding.unwrap_or(&[0]));
    let convolved = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
        convolution(x, w, b, stride, padding, dilation, transposed, extra, groups)
    };
    let convolved = |x: &Tensor| match x.dtype().is_complex() {
        true => of_parts(x, weight, bias, &convolved),
        false => convolved(x, weight, bias),
    };
    if input.ndim() == rank + 2 {
        return convolved(input);
    }
    views::squeeze(&convolved(&views::unsqueeze(input, 0)?)?, 0)
}

/// `of_rank` with the padding in words: `"valid"` for none, `"same"` for an output as large as the input.
#[expect(clippy::too_many_arguments, reason = "all that a convolution depends on")]
fn padded(
    name: &str,
    rank: usize,
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: &[i64],
    padding: &str,
    dilation: &[i64],
    groups: i64,
) -> Result<Tensor> {
    match padding {
        "valid" => of_rank(name, rank, input, weight, bias, stride, &[0], dilation, None, groups),
        "same" => {
            if weight.ndim() != rank + 2 {
                bail!(Runtime, "{name}: the weight has to have {} dimensions, it has {}", rank + 2, weight.ndim());
            }
            if stride.iter().any(|&n| n != 1) {
                bail!(Runtime, "{name}: padding='same' goes with a stride of 1 only, got {}", shape::show(stride));
            }
            let steps = each(dilation, rank + 2);
            let total = |d: usize| steps.get(d).copied().unwrap_or(1) * (weight.sizes()[d + 2] as i64 - 1);
            let half: Ints = (0..rank).map(|d| total(d) / 2).collect();
            if (0..rank).all(|d| total(d) % 2 == 0) {
                return of_rank(name, rank, input, weight, bias, stride, &half, dilation, None, groups);
            }
            // One zero more after than before.
            let more: Ints = (0..rank).rev().flat_map(|d| [0, total(d) % 2]).collect();
            let wider = crate::ops::padding::constant_pad_nd(input, &more, 0.0.into())?;
            of_rank(name, rank, &wider, weight, bias, stride, &half, dilation, None, groups)
        }
        other => bail!(Runtime, "{name}: padding in words is 'valid' or 'same', got '{other}'"),
    }
}

macro_rules! convolutions {
    ($($rank:literal $plain:ident $python:literal $in_words:ident $transposed:ident, $one:literal, $other:literal;)+) => {$(
        op! {
            #[doc = $one]
            ///
            /// `input` has size `(batch, channels, ..)` or `(channels, ..)`, `weight` `(features, channels / groups, ..)`
            /// and `bias` `(features,)`. Raises `RuntimeError` where they do not fit together.
            fn $plain(
                input: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = &[1], padding: Ints = &[0],
                dilation: Ints = &[1], groups: i64 = 1
            ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
            value {
                of_rank(stringify!($plain), $rank, input, weight, bias, stride, padding, dilation, None, groups)
            }
            derivative composite;
        }

        op! {
            /// The same with the padding in words: `"valid"` for none, or `"same"` for an output as large as the input.
            fn $in_words as $python / "padding" (
                input: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = &[1],
                padding: String = "valid", dilation: Ints = &[1], groups: i64 = 1
            ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
            value { padded(stringify!($plain), $rank, input, weight, bias, stride, padding, dilation, groups) }
            derivative composite;
        }

        op! {
            #[doc = $other]
            ///
            /// `input` has size `(batch, channels, ..)` or `(channels, ..)`, `weight` `(channels, features / groups, ..)`
            /// and `bias` `(features,)`; `output_padding` is added to the size on one side. Raises `RuntimeError` where
            /// they do not fit together.
            fn $transposed(
                input: Tensor, weight: Tensor, bias: Option<Tensor> = None, stride: Ints = &[1], padding: Ints = &[0],
                output_padding: Ints = &[0], groups: i64 = 1, dilation: Ints = &[1]
            ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
            value {
                let extra = Some(output_padding);
                of_rank(stringify!($transposed), $rank, input, weight, bias, stride, padding, dilation, extra, groups)
            }
            derivative composite;
        }
    )+};
}

convolutions! {
    1 conv1d "conv1d" conv1d_padded conv_transpose1d,
        " The convolution of `input` by `weight` in one dimension.",
        " The transposed convolution in one dimension: the gradient of a convolution's input, as a layer.";
    2 conv2d "conv2d" conv2d_padded conv_transpose2d,
        " The convolution of `input` by `weight` in two dimensions.",
        " The transposed convolution in two dimensions: the gradient of a convolution's input, as a layer.";
    3 conv3d "conv3d" conv3d_padded conv_transpose3d,
        " The convolution of `input` by `weight` in three dimensions.",
        " The transposed convolution in three dimensions: the gradient of a convolution's input, as a layer.";
}

op! {
    /// A convolution over time of an `input` of size `(time, batch, channels)` by a `weight` of size
    /// `(kernel, channels, features)`.
    fn conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: i64 = 0) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        if input.ndim() != 3 || weight.ndim() != 3 || bias.ndim() != 1 {
            bail!(
                Runtime,
                "conv_tbc: input and weight have to have three dimensions and the bias one, got sizes {}, {} and {}",
                shape::show(&input.sizes()),
                shape::show(&weight.sizes()),
                shape::show(&bias.sizes())
            );
        }
        let (x, w) = time_last(&input.detach(), &weight.detach())?;
        let out = of_rank("conv_tbc", 1, &x, &w, Some(&bias.detach()), &[1], &[pad], &[1], None, 1)?;
        contiguous(&views::permute(&out, &[2, 0, 1])?)
    }
    derivative "ConvTbcBackward0" ByVjp {
        input(g, input, weight, pad) => {
            let (x, w) = time_last(input, weight)?;
            let g = views::permute(g, &[1, 2, 0])?;
            let given = convolution_input(&g, &w, &ints(&x.sizes()), &[1], &[pad], &[1], 1)?;
            contiguous(&views::permute(&given, &[2, 0, 1])?)
        };
        weight(g, input, weight, pad) => {
            let (x, w) = time_last(input, weight)?;
            let g = views::permute(g, &[1, 2, 0])?;
            let given = convolution_weight(&g, &x, &ints(&w.sizes()), &[1], &[pad], &[1], 1)?;
            contiguous(&views::permute(&given, &[2, 1, 0])?)
        };
        bias(g) => sum(g, Some(&[0, 1]), false, None);
    }
}

/// Input and weight of `conv_tbc` as `conv1d` has them.
fn time_last(input: &Tensor, weight: &Tensor) -> Result<(Tensor, Tensor)> {
    Ok((views::permute(input, &[1, 2, 0])?, views::permute(weight, &[2, 1, 0])?))
}
