//! Pooling: the mean or the largest element of windows, and putting the largest back.
//!
//! Sizes and steps of windows are given for the last one, two or three dimensions; before them come the channels and,
//! unless there is one example only, the batch.

use crate::autograd::record;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernels::pooling::{self as kernel, Window, Windows};
use crate::ops::arithmetic::{div, div_towards_zero, mul, mul_tensors};
use crate::ops::conversion::check_float;
use crate::ops::convolution::three;
use crate::ops::power::pow;
use crate::ops::reduction::mean;
use crate::ops::resampling::{last, resample_backward, resampled};
use crate::ops::unary::{abs, relu, sign};
use crate::ops::views;
use crate::shape::{self, Dims, Ints};
use crate::tensor::Tensor;
use crate::value::Operand;
use crate::{bail, op, with_element};

/// Kernel, stride, padding and dilation along each of `rank` dimensions.
struct Steps {
    kernel: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
}

/// One number for each of `rank` dimensions; a single one counts for all.
fn each(name: &str, what: &str, list: &[i64], rank: usize) -> Result<Ints> {
    if list.iter().any(|&n| n > shape::LONGEST) {
        bail!(Runtime, "{name}: {what} is out of range, got {}", shape::show(list));
    }
    match list.len() {
        1 => Ok(Ints::from_elem(list[0], rank)),
        n if n == rank => Ok(Ints::from_slice(list)),
        _ => bail!(Runtime, "{name}: {what} is one number or {rank}, got {}", shape::show(list)),
    }
}

impl Steps {
    fn new(
        name: &str,
        rank: usize,
        kernel: &[i64],
        stride: Option<&[i64]>,
        padding: &[i64],
        dilation: &[i64],
    ) -> Result<Steps> {
        let kernel = each(name, "kernel_size", kernel, rank)?;
        let stride = match stride {
            Some(stride) if !stride.is_empty() => each(name, "stride", stride, rank)?,
            _ => kernel.clone(),
        };
        let padding = each(name, "padding", padding, rank)?;
        let dilation = each(name, "dilation", dilation, rank)?;
        for (list, what) in [(&kernel, "kernel_size"), (&stride, "stride"), (&dilation, "dilation")] {
            if list.iter().any(|&n| n < 1) {
                bail!(Runtime, "{name}: {what} has to be at least 1, got {}", shape::show(list));
            }
        }
        for d in 0..rank {
            let reach = (kernel[d] - 1).saturating_mul(dilation[d]).saturating_add(1);
            if padding[d] < 0 || padding[d] > reach / 2 {
                bail!(
                    Runtime,
                    "{name}: padding has to be from 0 to half of the {reach} elements that the kernel reaches over, got {}",
                    padding[d]
                );
            }
        }
        Ok(Steps { kernel, stride, padding, dilation })
    }

    /// How many windows there are along each of the last dimensions.
    fn output(&self, name: &str, sizes: &[usize], ceil: bool) -> Result<Ints> {
        let rank = self.kernel.len();
        check_rank(name, sizes, rank)?;
        let mut output = Ints::new();
        for (d, &size) in sizes[sizes.len() - rank..].iter().enumerate() {
            let size = size as i64;
            let reach = (self.kernel[d] - 1).saturating_mul(self.dilation[d]).saturating_add(1);
            let room = size.saturating_add(2 * self.padding[d]).saturating_sub(reach);
            let rounded = if ceil { room.saturating_add(self.stride[d] - 1) } else { room };
            let mut count = rounded.div_euclid(self.stride[d]) + 1;
            // The last window begins inside the input or the padding before it.
            if ceil && (count - 1) * self.stride[d] >= size + self.padding[d] {
                count -= 1;
            }
            if count < 1 {
                bail!(
                    Runtime,
                    "{name}: windows of {reach} elements find no room along a dimension of size {size} of {}",
                    shape::show(sizes)
                );
            }
            output.push(count);
        }
        Ok(output)
    }
}

/// Fails unless a tensor has one or two dimensions before the last `rank`, and elements in all but the first of two.
fn check_rank(name: &str, sizes: &[usize], rank: usize) -> Result<()> {
    let n = sizes.len();
    if n != rank + 1 && n != rank + 2 || sizes[n - rank - 1..].contains(&0) {
        bail!(
            Runtime,
            "{name}: a tensor (batch, channels, ..) or (channels, ..) with elements along the last {rank} dimensions is \
             expected, got size {}",
            shape::show(sizes)
        );
    }
    Ok(())
}

// Averages.

/// The numbers of the map `average` for each dimension.
fn averages(steps: &Steps, count_include_pad: bool, divisor: Option<i64>) -> Vec<f64> {
    let mut numbers = Vec::new();
    for d in 0..steps.kernel.len() {
        // The divisor of the whole window counts in the first dimension.
        let own = divisor.map_or(0.0, |divisor| if d == 0 { divisor as f64 } else { 1.0 });
        let [kernel, stride, padding] = [&steps.kernel, &steps.stride, &steps.padding].map(|list| list[d] as f64);
        numbers.extend([kernel, stride, padding, f64::from(u8::from(count_include_pad)), own]);
    }
    numbers
}

macro_rules! averages {
    ($($name:ident $adaptive:ident $adaptive_node:ident $rank:literal $node:literal $other_node:literal $other_name:literal;)+) => {$(
        op! {
            /// The mean of each window of `kernel_size` elements, which are `stride` apart (by default, as large as they
            /// are) in an input with `padding` zeros on both sides.
            ///
            /// With `ceil_mode` the last window may reach over the end. The sum is divided by `divisor_override` if that is
            /// given, else by the number of elements, zeros of the padding among them if `count_include_pad`. Raises
            /// `RuntimeError` where the numbers do not fit the input.
            fn $name(
                input: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0], ceil_mode: bool = false,
                count_include_pad: bool = true, divisor_override: Option<i64> = None
            ) -> Tensor, OUT FUNCTIONAL;
            value {
                let steps = Steps::new(stringify!($name), $rank, kernel_size, stride, padding, &[1])?;
                if divisor_override == Some(0) {
                    bail!(Runtime, "{}: divisor_override must not be 0", stringify!($name));
                }
                let size = steps.output(stringify!($name), &input.sizes(), ceil_mode)?;
                if input.dtype() == DType::Int64 {
                    return whole_average(input, &size, &steps, count_include_pad, divisor_override);
                }
                check_float(stringify!($name), input)?;
                resampled(input, "average", &size, &averages(&steps, count_include_pad, divisor_override))
            }
            derivative $node Linear {
                input(g, kernel_size, stride, padding, count_include_pad, divisor_override, ctx) => {
                    let steps = Steps::new(stringify!($name), $rank, kernel_size, stride, padding, &[1])?;
                    let numbers = averages(&steps, count_include_pad, divisor_override);
                    resample_backward(g, "average", &last(&ctx.sizes_of(0)?, $rank), &numbers)
                };
            }
        }

        op! {
            /// The mean of each of `output_size` windows that divide the input evenly.
            fn $adaptive(input: Tensor, output_size: Ints) -> Tensor, FUNCTIONAL;
            value {
                let size = adaptive_size(stringify!($adaptive), &input.sizes(), output_size, $rank)?;
                if size.iter().all(|&n| n == 1) {
                    let dims: Ints = (1..=$rank).map(|d| -d).collect();
                    return mean(input, Some(&dims), true, None);
                }
                check_float(stringify!($adaptive), input)?;
                $adaptive_node(input, &size)
            }
            derivative composite;
        }

        op! {
            /// The node of an adaptive mean.
            fn $adaptive_node as $other_name (input: Tensor, output_size: Ints) -> Tensor;
            value { resampled(input, "adaptive", output_size, &[]) }
            derivative $other_node Linear {
                input(g, ctx) => resample_backward(g, "adaptive", &last(&ctx.sizes_of(0)?, $rank), &[]);
            }
        }
    )+};
}

averages! {
    avg_pool2d adaptive_avg_pool2d adaptive_avg_pool2d_of 2 "AvgPool2DBackward0" "AdaptiveAvgPool2DBackward0" "_adaptive_avg_pool2d";
    avg_pool3d adaptive_avg_pool3d adaptive_avg_pool3d_of 3 "AvgPool3DBackward0" "AdaptiveAvgPool3DBackward0" "_adaptive_avg_pool3d";
}

/// How many windows an adaptive pool has along each of the last dimensions.
fn adaptive_size(name: &str, sizes: &[usize], output: &[i64], rank: usize) -> Result<Ints> {
    check_rank(name, sizes, rank)?;
    let size = each(name, "output_size", output, rank)?;
    if size.iter().any(|&n| n < 0) {
        bail!(Runtime, "{name}: output_size must not be negative, got {}", shape::show(&size));
    }
    Ok(size)
}

/// A single number of a pool in one dimension.
fn one(name: &str, what: &str, list: &[i64]) -> Result<i64> {
    Ok(each(name, what, list, 1)?[0])
}

op! {
    /// The mean of each window, in one dimension; see `avg_pool2d`.
    fn avg_pool1d(
        input: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0], ceil_mode: bool = false,
        count_include_pad: bool = true
    ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        check_rank("avg_pool1d", &input.sizes(), 1)?;
        let steps = Steps::new("avg_pool1d", 1, kernel_size, stride, padding, &[1])?;
        let plane = views::unsqueeze(input, -2)?;
        let (kernel, stride, padding) = ([1, steps.kernel[0]], [1, steps.stride[0]], [0, steps.padding[0]]);
        let pooled = avg_pool2d(&plane, &kernel, Some(&stride), &padding, ceil_mode, count_include_pad, None)?;
        views::squeeze(&pooled, -2)
    }
    derivative composite;
}

op! {
    /// The mean of each of `output_size` windows that divide the input evenly.
    fn adaptive_avg_pool1d(input: Tensor, output_size: Ints) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        check_rank("adaptive_avg_pool1d", &input.sizes(), 1)?;
        let size = [1, one("adaptive_avg_pool1d", "output_size", output_size)?];
        views::squeeze(&adaptive_avg_pool2d(&views::unsqueeze(input, -2)?, &size)?, -2)
    }
    derivative composite;
}

/// The mean of windows of integers, without its fraction.
fn whole_average(
    input: &Tensor,
    size: &[i64],
    steps: &Steps,
    count_include_pad: bool,
    divisor: Option<i64>,
) -> Result<Tensor> {
    let sums = resampled(input, "average", size, &averages(steps, false, Some(1)))?;
    // The divisor is the sum of ones by their mean.
    let ones = Tensor::full(&input.sizes(), 1.0.into(), DType::Float64)?;
    let of_ones = |divisor, padded| resampled(&ones, "average", size, &averages(steps, padded, divisor));
    let counts = div((&of_ones(Some(1), false)?).into(), (&of_ones(divisor, count_include_pad)?).into())?;
    let counts = crate::ops::unary::round(&counts)?.cast(input.dtype())?;
    div_towards_zero(&sums, (&counts).into())
}

// Largest elements.

/// The windows of a plane's dimensions, those before them with one window of one element.
type PlaneWindows = Vec<Vec<Window>>;

/// The largest elements of windows, and their places in the plane of the last dimensions.
fn largest(name: &str, input: &Tensor, output: &[i64], windows: PlaneWindows) -> Result<[Tensor; 2]> {
    let places = Tensor::empty(&pooled_size(input, output), DType::Int64)?;
    Ok([largest_values(name, input, output, windows, Some(&places))?, places])
}

/// The sizes of an input whose last dimensions are pooled to `output`.
fn pooled_size(input: &Tensor, output: &[i64]) -> Dims {
    let sizes = input.sizes();
    let lead = sizes[..sizes.len() - output.len()].iter().copied();
    lead.chain(output.iter().map(|&n| n as usize)).collect()
}

/// The largest elements of windows; their places go where `places` says.
fn largest_values(
    name: &str,
    input: &Tensor,
    output: &[i64],
    windows: PlaneWindows,
    places: Option<&Tensor>,
) -> Result<Tensor> {
    let out = pooled_size(input, output);
    let input = input.to_contiguous()?;
    let (sizes, rank) = (input.sizes(), output.len());
    let lead = sizes.len() - rank;
    let values = Tensor::empty(&out, input.dtype())?;
    let mut along = [(); 3].map(|()| vec![Window { start: 0, count: 1, step: 1 }]);
    along[3 - rank..].iter_mut().zip(windows).for_each(|(along, windows)| *along = windows);
    let planes = sizes[..lead].iter().product();
    let windows = Windows {
        planes,
        input: three(sizes[lead..].iter().copied(), 1),
        output: three(out[lead..].iter().copied(), 1),
        along,
    };
    with_element!(input.dtype(), real T => {
        let (x, v, p) = (input.data().pointer(), values.data().pointer(), places.map(|places| places.data().pointer().cast()));
        // SAFETY: row-major tensors of these sizes, of which the results are new.
        unsafe { kernel::largest::<T>(&windows, x.cast(), v.cast(), p) }
    }, else bail!(NotImplemented, "{name}: not implemented for {}", input.dtype()));
    Ok(values)
}

/// The planes of a tensor whose last `rank` dimensions are those of a plane, and the elements of one.
fn planes(sizes: &[usize], rank: usize) -> (usize, usize) {
    let (lead, plane) = sizes.split_at(sizes.len() - rank);
    (lead.iter().product(), plane.iter().product())
}

op! {
    /// Elements at places of planes of zeros, which have the given sizes.
    fn pool_scatter as "_pool_scatter" (input: Tensor, indices: Tensor, size: Ints, add: bool) -> Tensor;
    value {
        let (input, indices) = (input.to_contiguous()?, indices.to_contiguous()?);
        let (sizes, size) = (input.sizes(), shape::checked_sizes(size)?);
        let (count, elements) = planes(&sizes, size.len());
        let mut all = Dims::from_slice(&sizes[..sizes.len() - size.len()]);
        all.extend(size.iter().copied());
        let plane: usize = size.iter().product();
        let out = Tensor::empty(&all, input.dtype())?;
        check_places(&indices, plane)?;
        with_element!(input.dtype(), real T => {
            let (x, p, sink) = (input.data().pointer(), indices.data().pointer(), out.data().pointer());
            // SAFETY: row-major tensors of these sizes, of which the last is new; all places were looked at.
            unsafe { kernel::scatter::<T>(count, elements, plane, x.cast(), p.cast(), sink.cast(), add) }
        }, else bail!(NotImplemented, "max_unpool: not implemented for {}", input.dtype()));
        Ok(out)
    }
    derivative "PoolScatterBackward0" ByVjp {
        input(g, indices, size) => pool_gather(g, indices, size.len() as i64);
    }
}

fn check_places(indices: &Tensor, plane: usize) -> Result<()> {
    let data = indices.data();
    // SAFETY: a row-major tensor of 64-bit integers.
    let places = unsafe { crate::tensor::slice_at(data.pointer().cast::<i64>(), data.numel()) };
    if let Some(place) = places.iter().find(|&&place| place < 0 || place as usize >= plane) {
        bail!(Runtime, "max_unpool: index {place} is outside of a plane of {plane} elements");
    }
    Ok(())
}

op! {
    /// The elements at places of planes of `rank` dimensions.
    fn pool_gather as "_pool_gather" (input: Tensor, indices: Tensor, rank: i64) -> Tensor;
    value {
        let (input, indices) = (input.to_contiguous()?, indices.to_contiguous()?);
        let (count, plane) = planes(&input.sizes(), rank as usize);
        let (_, elements) = planes(&indices.sizes(), rank as usize);
        let out = Tensor::empty(&indices.sizes(), input.dtype())?;
        check_places(&indices, plane)?;
        with_element!(input.dtype(), real T => {
            let (x, p, sink) = (input.data().pointer(), indices.data().pointer(), out.data().pointer());
            // SAFETY: row-major tensors of these sizes, of which the last is new; all places were looked at.
            unsafe { kernel::gather::<T>(count, elements, plane, x.cast(), p.cast(), sink.cast()) }
        }, else bail!(NotImplemented, "max_unpool: not implemented for {}", input.dtype()));
        Ok(out)
    }
    derivative "PoolGatherBackward0" ByVjp {
        input(g, indices, rank, ctx) => pool_scatter(g, indices, &last(&ctx.sizes_of(0)?, rank as usize), true);
    }
}

/// The gradient of a pool of largest elements.
fn largest_backward(g: &Tensor, indices: &Tensor, sizes: &[usize], rank: usize) -> Result<Tensor> {
    pool_scatter(g, indices, &last(sizes, rank), true)
}

impl Steps {
    /// The windows of largest elements, which have those inside the input only; and how many there are.
    fn windows(&self, name: &str, sizes: &[usize], ceil: bool) -> Result<(Ints, PlaneWindows)> {
        let output = self.output(name, sizes, ceil)?;
        let rank = output.len();
        let windows = (0..rank).map(|d| {
            let size = sizes[sizes.len() - rank + d] as i64;
            let window = |i: i64| {
                let (start, step) = (i * self.stride[d] - self.padding[d], self.dilation[d]);
                let end = (start + (self.kernel[d] - 1) * step + 1).min(size);
                // The first element of the window that is inside.
                let start = if start < 0 { start + (-start + step - 1) / step * step } else { start };
                Window {
                    start: start as usize,
                    count: ((end - start + step - 1) / step).max(0) as usize,
                    step: step as usize,
                }
            };
            (0..output[d]).map(window).collect()
        });
        let windows = windows.collect();
        Ok((output, windows))
    }
}

fn adaptive_max_pool(name: &str, input: &Tensor, output: &[i64], rank: usize) -> Result<[Tensor; 2]> {
    let sizes = input.sizes();
    let output = adaptive_size(name, &sizes, output, rank)?;
    check_float(name, input)?;
    let windows = (0..rank).map(|d| {
        let (size, results) = (sizes[sizes.len() - rank + d], output[d] as usize);
        let window = |i: usize| {
            let start = i * size / results;
            Window { start, count: ((i + 1) * size).div_ceil(results) - start, step: 1 }
        };
        (0..results).map(window).collect()
    });
    largest(name, input, &output, windows.collect())
}

/// Windows at places that depend on a random number for each plane and dimension: B. Graham, "Fractional max-pooling",
/// 2014.
fn fractional_max_pool(
    name: &str,
    input: &Tensor,
    kernel: &[i64],
    output: &[i64],
    samples: &Tensor,
    rank: usize,
) -> Result<[Tensor; 2]> {
    let sizes = input.sizes();
    check_rank(name, &sizes, rank)?;
    check_float(name, input)?;
    let (kernel, output) = (each(name, "kernel_size", kernel, rank)?, each(name, "output_size", output, rank)?);
    let planes: usize = sizes[..sizes.len() - rank].iter().product();
    if samples.ndim() != 3
        || samples.sizes()[2] != rank
        || samples.numel() != planes * rank
        || samples.dtype() != input.dtype()
    {
        bail!(
            Runtime,
            "{name}: random samples of the input's dtype and size (batch, channels, {rank}) are expected, got size {}",
            shape::show(&samples.sizes())
        );
    }
    for d in 0..rank {
        let size = sizes[sizes.len() - rank + d] as i64;
        if kernel[d] < 1 || output[d] < 1 || output[d].saturating_add(kernel[d]) - 1 > size {
            bail!(Runtime, "{name}: {} windows of {} do not fit a dimension of size {size}", output[d], kernel[d]);
        }
    }
    let samples = samples.to_vec::<f64>()?;
    let single = input.dtype() == DType::Float32;
    let windows = (0..rank).map(|d| {
        let (size, count) = (sizes[sizes.len() - rank + d] as i64, output[d]);
        // In two dimensions the samples come the other way around.
        let which = if rank == 2 { 1 - d } else { d };
        let start = |plane: usize, i: i64| {
            let sample = samples[plane * rank + which];
            if i == count - 1 {
                return size - kernel[d];
            }
            if single {
                let step = (size - kernel[d]) as f32 / (count - 1) as f32;
                ((i as f32 + sample as f32) * step) as i64 - (sample as f32 * step) as i64
            } else {
                let step = (size - kernel[d]) as f64 / (count - 1) as f64;
                ((i as f64 + sample) * step) as i64 - (sample * step) as i64
            }
        };
        // Samples that are no probabilities must not lead outside.
        let held = |plane: usize, i: i64| start(plane, i).clamp(0, (size - kernel[d]).max(0));
        let window = |(plane, i)| Window { start: held(plane, i) as usize, count: kernel[d] as usize, step: 1 };
        (0..planes).flat_map(|plane| (0..count).map(move |i| (plane, i))).map(window).collect()
    });
    largest(name, input, &output, windows.collect())
}

macro_rules! largest {
    ($(
        $rank:literal $max:ident $plain:ident $node:literal, $adaptive:ident $adaptive_node:literal,
        $fractional:ident $fractional_name:literal $fractional_node:literal, $unpool:ident $unpool_node_name:ident $unpool_name:literal $unpool_node:literal;
    )+) => {$(
        op! {
            /// The largest element of each window of `kernel_size` elements, each `dilation` from the next, and its place in
            /// the plane.
            ///
            /// Windows are `stride` apart (by default, as large as they are) in an input with `padding` on both sides, which
            /// never wins; with `ceil_mode` the last one may reach over the end. Raises `RuntimeError` where the numbers do
            /// not fit the input.
            fn $max(
                input: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0], dilation: Ints = &[1],
                ceil_mode: bool = false
            ) -> (out, indices), FUNCTIONAL;
            value {
                let steps = Steps::new(stringify!($plain), $rank, kernel_size, stride, padding, dilation)?;
                let (output, windows) = steps.windows(stringify!($plain), &input.sizes(), ceil_mode)?;
                largest(stringify!($plain), input, &output, windows)
            }
            derivative $node ByVjp {
                input(g, indices, ctx) => largest_backward(g, indices, &ctx.sizes_of(0)?, $rank);
            }
        }

        op! {
            /// The largest element of each window; arguments as there are for the function that gives the places too.
            fn $plain(
                input: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0], dilation: Ints = &[1],
                ceil_mode: bool = false
            ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
            value {
                if input.dtype().is_narrow() || record::is_watched(|| std::iter::once(input)) {
                    return $max(input, kernel_size, stride, padding, dilation, ceil_mode).map(|[out, _]| out);
                }
                // Places are for gradients.
                let steps = Steps::new(stringify!($plain), $rank, kernel_size, stride, padding, dilation)?;
                let (output, windows) = steps.windows(stringify!($plain), &input.sizes(), ceil_mode)?;
                largest_values(stringify!($plain), input, &output, windows, None)
            }
            derivative composite;
        }

        op! {
            /// The largest element of each of `output_size` windows that divide the input evenly, and its place.
            fn $adaptive(input: Tensor, output_size: Ints) -> (out, indices), FUNCTIONAL;
            value { adaptive_max_pool(stringify!($adaptive), input, output_size, $rank) }
            derivative $adaptive_node ByVjp {
                input(g, indices, ctx) => largest_backward(g, indices, &ctx.sizes_of(0)?, $rank);
            }
        }

        op! {
            /// The largest element of each of `output_size` windows that lie where `random_samples` say, and its place.
            fn $fractional as $fractional_name (
                input: Tensor, kernel_size: Ints, output_size: Ints, random_samples: Tensor
            ) -> (out, indices), FUNCTIONAL;
            value { fractional_max_pool(stringify!($fractional), input, kernel_size, output_size, random_samples, $rank) }
            derivative $fractional_node ByVjp {
                input(g, indices, ctx) => largest_backward(g, indices, &ctx.sizes_of(0)?, $rank);
            }
        }

        op! {
            /// Elements put back where a pool of largest elements found them, among zeros.
            fn $unpool(
                input: Tensor, indices: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0],
                output_size: Option<Ints> = None
            ) -> Tensor, FUNCTIONAL;
            value {
                let size = unpooled_size(stringify!($unpool), &input.sizes(), $rank, kernel_size, stride, padding, output_size)?;
                $unpool_node_name(input, indices, &size)
            }
            derivative composite;
        }

        op! {
            /// Elements put to places of planes of zeros.
            fn $unpool_node_name as $unpool_name (input: Tensor, indices: Tensor, output_size: Ints) -> Tensor;
            value {
                check_indices(stringify!($unpool), input, indices, $rank)?;
                pool_scatter(&input.detach(), indices, output_size, false)
            }
            derivative $unpool_node ByVjp {
                input(g, indices) => pool_gather(g, indices, $rank);
            }
        }
    )+};
}

largest! {
    2 max_pool2d_with_indices max_pool2d "MaxPool2DWithIndicesBackward0",
        adaptive_max_pool2d_with_indices "AdaptiveMaxPool2DBackward0", fractional_max_pool2d "_fractional_max_pool2d_with_indices" "FractionalMaxPool2DBackward0",
        max_unpool2d max_unpool2d_of "_max_unpool2d" "MaxUnpool2DBackward0";
    3 max_pool3d_with_indices max_pool3d "MaxPool3DWithIndicesBackward0",
        adaptive_max_pool3d_with_indices "AdaptiveMaxPool3DBackward0", fractional_max_pool3d "_fractional_max_pool3d_with_indices" "FractionalMaxPool3DBackward0",
        max_unpool3d max_unpool3d_of "_max_unpool3d" "MaxUnpool3DBackward0";
}

/// Kernel, stride, padding and dilation of one dimension for planes of one row.
fn in_planes(steps: &Steps) -> [[i64; 2]; 4] {
    [[1, steps.kernel[0]], [1, steps.stride[0]], [0, steps.padding[0]], [1, steps.dilation[0]]]
}

op! {
    /// The largest element of each window, in one dimension, and its place; see `max_pool2d_with_indices`.
    fn max_pool1d_with_indices(
        input: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0], dilation: Ints = &[1],
        ceil_mode: bool = false
    ) -> (out, indices), FUNCTION NO_OUT FUNCTIONAL;
    value {
        check_rank("max_pool1d", &input.sizes(), 1)?;
        let [kernel, stride, padding, dilation] =
            in_planes(&Steps::new("max_pool1d", 1, kernel_size, stride, padding, dilation)?);
        let plane = views::unsqueeze(input, -2)?;
        let [out, indices] = max_pool2d_with_indices(&plane, &kernel, Some(&stride), &padding, &dilation, ceil_mode)?;
        Ok([views::squeeze(&out, -2)?, views::squeeze(&indices, -2)?])
    }
    derivative composite;
}

op! {
    /// The largest element of each window, in one dimension; see `max_pool2d_with_indices`.
    fn max_pool1d(
        input: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0], dilation: Ints = &[1],
        ceil_mode: bool = false
    ) -> Tensor, FUNCTION NO_OUT FUNCTIONAL;
    value {
        check_rank("max_pool1d", &input.sizes(), 1)?;
        let [kernel, stride, padding, dilation] =
            in_planes(&Steps::new("max_pool1d", 1, kernel_size, stride, padding, dilation)?);
        let plane = views::unsqueeze(input, -2)?;
        let out = max_pool2d(&plane, &kernel, Some(&stride), &padding, &dilation, ceil_mode)?;
        check_float("max_pool1d", input)?;
        views::squeeze(&out, -2)
    }
    derivative composite;
}

op! {
    /// The largest element of each of `output_size` windows that divide the input evenly, and its place.
    fn adaptive_max_pool1d(input: Tensor, output_size: Ints) -> (out, indices), FUNCTION NO_OUT;
    value {
        check_rank("adaptive_max_pool1d", &input.sizes(), 1)?;
        let size = [1, one("adaptive_max_pool1d", "output_size", output_size)?];
        let [out, indices] = adaptive_max_pool2d_with_indices(&views::unsqueeze(input, -2)?, &size)?;
        Ok([views::squeeze(&out, -2)?, views::squeeze(&indices, -2)?])
    }
    derivative composite;
}

fn check_indices(name: &str, input: &Tensor, indices: &Tensor, rank: usize) -> Result<()> {
    if input.dtype().is_complex() {
        bail!(NotImplemented, "{name}: not implemented for {}", input.dtype());
    }
    if indices.dtype() != DType::Int64 || indices.sizes() != input.sizes() {
        bail!(
            Runtime,
            "{name}: int64 indices of the input's size {} are expected, got {} of size {}",
            shape::show(&input.sizes()),
            indices.dtype(),
            shape::show(&indices.sizes())
        );
    }
    check_rank(name, &input.sizes(), rank)
}

/// The size that a pool had before.
fn unpooled_size(
    name: &str,
    sizes: &[usize],
    rank: usize,
    kernel: &[i64],
    stride: Option<&[i64]>,
    padding: &[i64],
    output: Option<&[i64]>,
) -> Result<Ints> {
    let kernel = each(name, "kernel_size", kernel, rank)?;
    let stride = match stride {
        Some(stride) if !stride.is_empty() => each(name, "stride", stride, rank)?,
        _ => kernel.clone(),
    };
    let padding = each(name, "padding", padding, rank)?;
    if sizes.len() < rank + 1 {
        bail!(Runtime, "{name}: {} dimensions are too few", sizes.len());
    }
    let least = |d: usize| (sizes[sizes.len() - rank + d] as i64 - 1) * stride[d] + kernel[d] - 2 * padding[d];
    let Some(output) = output else { return Ok((0..rank).map(least).collect()) };
    let output = if output.len() == sizes.len() { &output[sizes.len() - rank..] } else { output };
    if output.len() != rank {
        bail!(Value, "{name}: output_size has to have {rank} or {} numbers, got {}", sizes.len(), shape::show(output));
    }
    for (d, &size) in output.iter().enumerate() {
        if (size - least(d)).abs() >= stride[d] {
            bail!(
                Value,
                "{name}: size {size} along dimension {d} has to be less than {} away from {}",
                stride[d],
                least(d)
            );
        }
    }
    Ok(Ints::from_slice(output))
}

op! {
    /// Elements put back where `max_pool1d` found them, among zeros.
    fn max_unpool1d(
        input: Tensor, indices: Tensor, kernel_size: Ints, stride: Option<Ints> = None, padding: Ints = &[0],
        output_size: Option<Ints> = None
    ) -> Tensor, FUNCTIONAL;
    value {
        let size = unpooled_size("max_unpool1d", &input.sizes(), 1, kernel_size, stride, padding, output_size)?;
        let (plane, places) = (views::unsqueeze(input, -1)?, views::unsqueeze(indices, -1)?);
        views::squeeze(&max_unpool2d_of(&plane, &places, &[size[0], 1])?, -1)
    }
    derivative composite;
}

macro_rules! norms {
    ($($name:ident $rank:literal $average:expr;)+) => {$(
        op! {
            /// The `norm_type`-th root of the sum of the powers of each window's elements.
            fn $name(
                input: Tensor, norm_type: f64, kernel_size: Ints, stride: Option<Ints> = None, ceil_mode: bool = false
            ) -> Tensor, FUNCTIONAL;
            value {
                let powers = pow(input.into(), norm_type.into())?;
                let average: fn(&Tensor, &[i64], Option<&[i64]>, bool) -> Result<Tensor> = $average;
                let means = average(&powers, kernel_size, stride, ceil_mode)?;
                let count: i64 = each(stringify!($name), "kernel_size", kernel_size, $rank)?.iter().product();
                let sums = mul((&mul_tensors(&sign(&means)?, &relu(&abs(&means)?)?)?).into(), count.into())?;
                pow((&sums).into(), Operand::from(1.0 / norm_type))
            }
            derivative composite;
        }
    )+};
}

norms! {
    lp_pool1d 1 |x, kernel, stride, ceil| avg_pool1d(x, kernel, stride, &[0], ceil, true);
    lp_pool2d 2 |x, kernel, stride, ceil| avg_pool2d(x, kernel, stride, &[0], ceil, true, None);
    lp_pool3d 3 |x, kernel, stride, ceil| avg_pool3d(x, kernel, stride, &[0], ceil, true, None);
}
