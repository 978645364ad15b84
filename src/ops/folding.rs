//! Rearranging elements of images: windows as columns and back, pixels as channels and back.

use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::convolution::{self, Geometry};
use crate::ops::conversion::check_float;
use crate::ops::conversion::contiguous;
use crate::ops::resampling::{resample_backward, resampled};
use crate::ops::views::{self, ints};
use crate::shape::{self, Ints};
use crate::tensor::Tensor;
use crate::{bail, error, op, with_element};

/// Kernel, dilation, padding and stride in two dimensions.
struct Blocks {
    kernel: [i64; 2],
    dilation: [i64; 2],
    padding: [i64; 2],
    stride: [i64; 2],
}

fn pair(name: &str, what: &str, list: &[i64], least: i64) -> Result<[i64; 2]> {
    let pair = match list {
        [one] => [*one, *one],
        [one, other] => [*one, *other],
        _ => bail!(Runtime, "{name}: {what} is one number or two, got {}", shape::show(list)),
    };
    if pair.iter().any(|&n| n < least || n > shape::LONGEST) {
        bail!(Runtime, "{name}: {what} has to be from {least} to {}, got {}", shape::LONGEST, shape::show(list));
    }
    Ok(pair)
}

impl Blocks {
    fn new(name: &str, kernel: &[i64], dilation: &[i64], padding: &[i64], stride: &[i64]) -> Result<Blocks> {
        Ok(Blocks {
            kernel: pair(name, "kernel_size", kernel, 1)?,
            dilation: pair(name, "dilation", dilation, 1)?,
            padding: pair(name, "padding", padding, 0)?,
            stride: pair(name, "stride", stride, 1)?,
        })
    }

    /// How many blocks there are along both dimensions of an image.
    fn counts(&self, name: &str, size: [i64; 2]) -> Result<[i64; 2]> {
        let count = |d: usize| {
            let room = size[d] + 2 * self.padding[d] - self.dilation[d] * (self.kernel[d] - 1) - 1;
            room.div_euclid(self.stride[d]) + 1
        };
        if count(0) < 1 || count(1) < 1 {
            bail!(
                Runtime,
                "{name}: blocks of {} do not fit an image of {}",
                shape::show(&self.kernel),
                shape::show(&size)
            );
        }
        Ok([count(0), count(1)])
    }

    /// The geometry of blocks of an image `(batch, channels, ..size)`.
    fn geometry(&self, sizes: [i64; 2], size: [i64; 2], counts: [i64; 2]) -> Geometry {
        let three = |first: usize, pair: [i64; 2]| [first, pair[0] as usize, pair[1] as usize];
        Geometry {
            batch: sizes[0] as usize,
            groups: 1,
            channels: sizes[1] as usize,
            features: 1,
            input: three(1, size),
            kernel: three(1, self.kernel),
            output: three(1, counts),
            stride: three(1, self.stride),
            padding: three(0, self.padding),
            dilation: three(1, self.dilation),
        }
    }

    /// The numbers of the map `windows`.
    fn numbers(&self) -> Vec<f64> {
        (0..2)
            .flat_map(|d| [self.kernel[d], self.stride[d], self.padding[d], self.dilation[d]].map(|n| n as f64))
            .collect()
    }

    /// Columns `(batch, channels * kernel, blocks)` from elements `(batch, channels, kernel * blocks, ..)`.
    fn columns(&self, elements: &Tensor, counts: [i64; 2]) -> Result<Tensor> {
        let sizes = ints(&elements.sizes());
        let apart = [sizes[0], sizes[1], self.kernel[0], counts[0], self.kernel[1], counts[1]];
        let ordered = views::permute(&views::view(elements, &apart)?, &[0, 1, 2, 4, 3, 5])?;
        views::reshape(&ordered, &[sizes[0], sizes[1] * self.kernel[0] * self.kernel[1], counts[0] * counts[1]])
    }

    /// The reverse of [`columns`](Self::columns).
    fn elements(&self, columns: &Tensor, counts: [i64; 2]) -> Result<Tensor> {
        let sizes = ints(&columns.sizes());
        let channels = sizes[1] / (self.kernel[0] * self.kernel[1]);
        let apart = [sizes[0], channels, self.kernel[0], self.kernel[1], counts[0], counts[1]];
        let ordered = views::permute(&views::reshape(columns, &apart)?, &[0, 1, 2, 4, 3, 5])?;
        views::reshape(&ordered, &[sizes[0], channels, self.kernel[0] * counts[0], self.kernel[1] * counts[1]])
    }
}

fn check_element(name: &str, input: &Tensor) -> Result<()> {
    match input.dtype() {
        dtype if dtype == DType::Bool || dtype.is_complex() => Ok(()),
        _ => check_float(name, input),
    }
}

/// The tensor with a dimension for the batch, which it may lack, and whether it lacked it.
fn batched(name: &str, input: &Tensor, ndim: usize) -> Result<(Tensor, bool)> {
    let sizes = input.sizes();
    let lacks = sizes.len() + 1 == ndim;
    if !lacks && sizes.len() != ndim || sizes[usize::from(!lacks)..].contains(&0) {
        bail!(
            Runtime,
            "{name}: a tensor of {ndim} dimensions, or {} without a batch, with elements is expected, got size {}",
            ndim - 1,
            shape::show(&sizes)
        );
    }
    Ok((if lacks { views::unsqueeze(&input.detach(), 0)? } else { input.detach() }, lacks))
}

op! {
    /// Blocks of an image as columns: from `(batch, channels, height, width)`, or without the batch, to
    /// `(batch, channels * kernel, blocks)`.
    ///
    /// Blocks have `kernel_size` elements, `dilation` apart, and lie `stride` apart in an image with `padding` zeros
    /// around. Raises `RuntimeError` where they do not fit.
    fn unfold as "unfold" / "blocks" (
        input: Tensor, kernel_size: Ints, dilation: Ints = &[1], padding: Ints = &[0], stride: Ints = &[1]
    ) -> Tensor, FUNCTIONAL;
    value { unfolded(input, kernel_size, dilation, padding, stride) }
    derivative "Im2ColBackward0" Linear {
        input(g, kernel_size, dilation, padding, stride, ctx) => {
            let sizes = ctx.sizes_of(0)?;
            fold(g, &ints(&sizes[sizes.len() - 2..]), kernel_size, dilation, padding, stride)
        };
    }
}

fn unfolded(input: &Tensor, kernel: &[i64], dilation: &[i64], padding: &[i64], stride: &[i64]) -> Result<Tensor> {
    let misfit = || {
        error!(
            Index,
            "unfold: an image has at least three dimensions, the input has size {}",
            shape::show(&input.sizes())
        )
    };
    if input.ndim() < 2 {
        return Err(misfit());
    }
    let blocks = Blocks::new("unfold", kernel, dilation, padding, stride)?;
    if input.ndim() == 2 {
        return Err(misfit());
    }
    let (image, lacks) = batched("unfold", input, 4)?;
    check_element("unfold", input)?;
    let sizes = ints(&image.sizes());
    let counts = blocks.counts("unfold", [sizes[2], sizes[3]])?;
    let geometry = blocks.geometry([sizes[0], sizes[1]], [sizes[2], sizes[3]], counts);
    let taps = blocks.kernel[0] * blocks.kernel[1];
    let along = [blocks.kernel[0] * counts[0], blocks.kernel[1] * counts[1]];
    let columns = with_element!(image.dtype(), real T => {
        let (image, size) = (image.to_contiguous()?, [sizes[0], sizes[1] * taps, counts[0] * counts[1]]);
        let out = Tensor::empty(&shape::checked_sizes(&size)?, image.dtype())?;
        let (source, sink) = (image.data().pointer(), out.data().pointer());
        // SAFETY: two row-major tensors of the sizes of the geometry, of which the last is new.
        unsafe { convolution::unfold::<T>(&geometry, source.cast(), sink.cast()) }
        out
    }, else blocks.columns(&resampled(&image, "windows", &along, &blocks.numbers())?, counts)?);
    if lacks { views::squeeze(&columns, 0) } else { Ok(columns) }
}

op! {
    /// Columns added up to an image: from `(batch, channels * kernel, blocks)`, or without the batch, to
    /// `(batch, channels, ..output_size)`; see `unfold`, whose transpose it is.
    fn fold(
        input: Tensor, output_size: Ints, kernel_size: Ints, dilation: Ints = &[1], padding: Ints = &[0], stride: Ints = &[1]
    ) -> Tensor, FUNCTIONAL;
    value {
        let size = pair("fold", "output_size", output_size, 1)?;
        let blocks = Blocks::new("fold", kernel_size, dilation, padding, stride)?;
        let (columns, lacks) = batched("fold", input, 3)?;
        let sizes = ints(&columns.sizes());
        let counts = blocks.counts("fold", size)?;
        if sizes[1] % (blocks.kernel[0] * blocks.kernel[1]) != 0 || sizes[2] != counts[0] * counts[1] {
            bail!(
                Runtime,
                "fold: columns of {} elements and {} blocks are expected, got size {}",
                shape::show(&blocks.kernel),
                counts[0] * counts[1],
                shape::show(&input.sizes())
            );
        }
        check_element("fold", input)?;
        let channels = sizes[1] / (blocks.kernel[0] * blocks.kernel[1]);
        let geometry = blocks.geometry([sizes[0], channels], size, counts);
        let image = with_element!(columns.dtype(), real T => {
            let columns = columns.to_contiguous()?;
            let sizes = shape::checked_sizes(&[sizes[0], channels, size[0], size[1]])?;
            let out = Tensor::empty(&sizes, columns.dtype())?;
            let (source, sink) = (columns.data().pointer(), out.data().pointer());
            // SAFETY: two row-major tensors of the sizes of the geometry, of which the last is new.
            unsafe { convolution::fold::<T>(&geometry, source.cast(), sink.cast()) }
            out
        }, else resample_backward(&blocks.elements(&columns, counts)?, "windows", &size, &blocks.numbers())?);
        if lacks { views::squeeze(&image, 0) } else { Ok(image) }
    }
    derivative "Col2ImBackward0" Linear {
        input(g, kernel_size, dilation, padding, stride) => unfold(g, kernel_size, dilation, padding, stride);
    }
}

/// The sizes before the last three, and those three.
fn image(name: &str, input: &Tensor) -> Result<(Ints, [i64; 3])> {
    let sizes = ints(&input.sizes());
    let [lead @ .., channels, height, width] = &sizes[..] else {
        bail!(Runtime, "{name}: at least three dimensions are expected, the size is {}", shape::show(&sizes));
    };
    Ok((Ints::from_slice(lead), [*channels, *height, *width]))
}

/// The tensor seen with the dimensions after the first few being `apart`, in the order `order`, as a row-major one whose
/// last dimensions are `last`.
fn rearranged(input: &Tensor, lead: &Ints, apart: &[i64], order: &[i64], last: &[i64]) -> Result<Tensor> {
    let with = |rest: &[i64]| lead.iter().chain(rest).copied().collect::<Ints>();
    let n = lead.len() as i64;
    let order: Ints = (0..n).chain(order.iter().map(|d| n + d)).collect();
    contiguous(&views::reshape(&views::permute(&views::reshape(&input.detach(), &with(apart))?, &order)?, &with(last))?)
}

fn factor(name: &str, what: &str, factor: i64) -> Result<()> {
    if factor < 1 {
        bail!(Runtime, "{name}: {what} has to be at least 1, got {factor}");
    }
    Ok(())
}

op! {
    /// Channels made pixels: from `(.., channels * r * r, height, width)` to `(.., channels, height * r, width * r)`.
    ///
    /// W. Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural
    /// network", 2016.
    fn pixel_shuffle(input: Tensor, upscale_factor: i64) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        let (lead, [channels, height, width]) = image("pixel_shuffle", input)?;
        let r = upscale_factor;
        factor("pixel_shuffle", "upscale_factor", r)?;
        if channels % r.saturating_mul(r) != 0 {
            bail!(Runtime, "pixel_shuffle: {channels} channels are no multiple of {r} * {r}");
        }
        let left = channels / (r * r);
        rearranged(input, &lead, &[left, r, r, height, width], &[0, 3, 1, 4, 2], &[left, height * r, width * r])
    }
    derivative "PixelShuffleBackward0" Linear {
        input(g, upscale_factor) => pixel_unshuffle(g, upscale_factor);
    }
}

op! {
    /// Pixels made channels: the reverse of `pixel_shuffle`.
    fn pixel_unshuffle(input: Tensor, downscale_factor: i64) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        let (lead, [channels, height, width]) = image("pixel_unshuffle", input)?;
        let r = downscale_factor;
        factor("pixel_unshuffle", "downscale_factor", r)?;
        if height % r != 0 || width % r != 0 {
            bail!(Runtime, "pixel_unshuffle: an image of {height} by {width} is no multiple of {r}");
        }
        let apart = [channels, height / r, r, width / r, r];
        rearranged(input, &lead, &apart, &[0, 2, 4, 1, 3], &[channels * r * r, height / r, width / r])
    }
    derivative "PixelUnshuffleBackward0" Linear {
        input(g, downscale_factor) => pixel_shuffle(g, downscale_factor);
    }
}

op! {
    /// Channels taken in turn from each of `groups` groups of them.
    ///
    /// X. Zhang et al., "ShuffleNet: an extremely efficient convolutional neural network for mobile devices", 2018.
    fn channel_shuffle(input: Tensor, groups: i64) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        let sizes = ints(&input.sizes());
        if sizes.len() < 3 {
            bail!(Runtime, "channel_shuffle: at least three dimensions are expected, the size is {}", shape::show(&sizes));
        }
        factor("channel_shuffle", "groups", groups)?;
        if sizes[1] % groups != 0 {
            bail!(Runtime, "channel_shuffle: {} channels are no multiple of {groups}", sizes[1]);
        }
        let plane = sizes[2..].iter().product::<i64>();
        let lead = Ints::from_slice(&sizes[..1]);
        rearranged(input, &lead, &[groups, sizes[1] / groups, plane], &[1, 0, 2], &sizes[1..])
    }
    derivative "ChannelShuffleBackward0" Linear {
        input(g, groups) => channel_shuffle(g, if groups == 0 { 1 } else { g.sizes()[1] as i64 / groups });
    }
}
