//! Convolutions in up to three dimensions: their value, and the gradients of both operands.
//!
//! # Note: Columns
//! What a window of the input shows at one place of the output is a column of `channels * kernel` elements; all columns
//! side by side make a convolution the product of the weight and that matrix (K. Chellapilla, S. Puri and P. Simard,
//! "High performance convolutional neural networks for document processing", 2006). Columns are made for a few places at
//! a time, so that they are still in the cache when they are multiplied, and are not made at all where they are the
//! input itself; nor where [`windows`] of the input do instead. How the work is divided depends on sizes alone, never on the number of threads, and so do the results.

mod windows;

use std::ops::Range;

use crate::kernels::algebra::Number;
use crate::kernels::matmul::{Gemm, matmul, with_scratch};
use crate::kernels::parallel::{self, Shared};

/// Elements of columns that are made at a time: they fit a second-level cache.
const COLUMNS: usize = 1 << 16;
/// The least number of places that are worth a product.
const PLACES: usize = 64;
/// Multiply-adds that are worth a thread.
const GRAIN: usize = 1 << 18;
/// How many parts a gradient is divided into where images and groups are fewer.
const PARTS: usize = 8;

/// The sizes of a convolution of a `(batch, groups * channels, ..input)` by a `(groups * features, channels, ..kernel)`
/// tensor, which gives `(batch, groups * features, ..output)`.
#[derive(Clone, Copy)]
pub struct Geometry {
    pub batch: usize,
    pub groups: usize,
    /// Channels and features of one group.
    pub channels: usize,
    pub features: usize,
    pub input: [usize; 3],
    pub kernel: [usize; 3],
    pub output: [usize; 3],
    pub stride: [usize; 3],
    /// Zeros before the input; those after it follow from the sizes.
    pub padding: [usize; 3],
    pub dilation: [usize; 3],
}

/// Places of one row of the output, and the elements of a row of the input that one element of the kernel meets there.
struct Run {
    /// Where the places begin among the columns.
    at: usize,
    length: usize,
    /// The places from `first` to `last`, counted from `at`, meet the input; the others meet padding.
    first: usize,
    last: usize,
    /// The element that the first of them meets.
    source: usize,
}

impl Geometry {
    fn taps(&self) -> usize {
        self.kernel.iter().product()
    }

    fn places(&self) -> usize {
        self.output.iter().product()
    }

    fn plane(&self) -> usize {
        self.input.iter().product()
    }

    /// Places whose columns are made at a time.
    fn tile(&self) -> usize {
        (COLUMNS / (self.channels * self.taps()).max(1)).max(PLACES).next_multiple_of(16).min(self.places().max(1))
    }

    /// Whether the columns are the input as it lies.
    fn is_pointwise(&self) -> bool {
        self.kernel == [1; 3] && self.stride == [1; 3] && self.padding == [0; 3] && self.input == self.output
    }

    /// Calls `visit` for all runs of the columns of some channels at some places.
    #[inline(always)]
    fn for_each_run(&self, channels: Range<usize>, places: Range<usize>, mut visit: impl FnMut(Run)) {
        let width = self.output[2];
        let mut row = 0;
        for channel in channels {
            for tap in 0..self.taps() {
                let [depth, height, along] = [
                    tap / (self.kernel[1] * self.kernel[2]),
                    tap / self.kernel[2] % self.kernel[1],
                    tap % self.kernel[2],
                ];
                let shift = (along * self.dilation[2]) as isize - self.padding[2] as isize;
                let (step, reach) = (self.stride[2] as isize, self.input[2] as isize);
                // The places of a row at which the element of the kernel meets the input.
                let low = ((-shift).max(0) as usize).div_ceil(self.stride[2]);
                let high = if reach > shift { ((reach - shift - 1) / step + 1) as usize } else { 0 };
                let mut place = places.start;
                while place < places.end {
                    let (line, left) = (place / width, place % width);
                    let length = (width - left).min(places.end - place);
                    let z = (line / self.output[1] * self.stride[0] + depth * self.dilation[0])
                        .wrapping_sub(self.padding[0]);
                    let y = (line % self.output[1] * self.stride[1] + height * self.dilation[1])
                        .wrapping_sub(self.padding[1]);
                    let (mut first, mut last) = (low.clamp(left, left + length), high.clamp(left, left + length));
                    if z >= self.input[0] || y >= self.input[1] || first >= last {
                        (first, last) = (left, left);
                    }
                    let source = if first < last {
                        ((channel * self.input[0] + z) * self.input[1] + y) * self.input[2]
                            + (first as isize * step + shift) as usize
                    } else {
                        0
                    };
                    let at = row * places.len() + place - places.start;
                    visit(Run { at, length, first: first - left, last: last - left, source });
                    place += length;
                }
                row += 1;
            }
        }
    }

    /// Makes columns of a group's `image`.
    ///
    /// # Safety
    /// The image has the channels of a group, and there is room for the columns.
    unsafe fn columns<T: Number>(
        &self,
        channels: Range<usize>,
        places: Range<usize>,
        image: *const T,
        columns: *mut T,
    ) {
        let step = self.stride[2];
        self.for_each_run(channels, places, |run| {
            // SAFETY: by the caller's promise and the bounds of a run.
            unsafe {
                let to = std::slice::from_raw_parts_mut(columns.add(run.at), run.length);
                to[..run.first].fill(T::default());
                to[run.last..].fill(T::default());
                let from = image.add(run.source);
                let inside = &mut to[run.first..run.last];
                if step == 1 {
                    std::ptr::copy_nonoverlapping(from, inside.as_mut_ptr(), inside.len());
                } else {
                    inside.iter_mut().enumerate().for_each(|(i, to)| *to = *from.add(i * step));
                }
            }
        });
    }

    /// Adds columns to a group's `image`.
    ///
    /// # Safety
    /// As for [`columns`](Self::columns).
    unsafe fn add_columns<T: Number>(
        &self,
        channels: Range<usize>,
        places: Range<usize>,
        columns: *const T,
        image: *mut T,
    ) {
        let step = self.stride[2];
        self.for_each_run(channels, places, |run| {
            // SAFETY: by the caller's promise and the bounds of a run.
            unsafe {
                let from = std::slice::from_raw_parts(columns.add(run.at + run.first), run.last - run.first);
                let to = image.add(run.source);
                if step == 1 {
                    let to = std::slice::from_raw_parts_mut(to, from.len());
                    to.iter_mut().zip(from).for_each(|(to, &x)| *to = *to + x);
                } else {
                    from.iter().enumerate().for_each(|(i, &x)| *to.add(i * step) = *to.add(i * step) + x);
                }
            }
        });
    }
}

/// `out = weight * input + bias`.
///
/// # Safety
/// Row-major tensors of the sizes of the geometry; `bias` has an element for each feature; `out` is none of the others.
pub unsafe fn forward<T: Gemm + Number>(
    geometry: &Geometry,
    input: *const T,
    weight: *const T,
    bias: Option<*const T>,
    out: *mut T,
) {
    let g = *geometry;
    if g.suits_windows() {
        // SAFETY: by the caller's promise.
        return unsafe { windows::forward(&g, input, weight, bias, out) };
    }
    let (places, depth, tile) = (g.places(), g.channels * g.taps(), g.tile());
    let tiles = places.div_ceil(tile);
    let (input, weight, out) = (Shared::new(input), Shared::new(weight), Shared::new(out));
    let bias = bias.map(Shared::new);
    let grain = GRAIN.div_ceil((g.features * depth * tile).max(1));
    parallel::for_each_chunk(g.batch * g.groups * tiles, grain, |range| {
        with_scratch(if g.is_pointwise() { 0 } else { depth * tile }, |columns: *mut T| {
            for unit in range {
                let (image, first) = (unit / tiles, unit % tiles * tile);
                let group = image % g.groups;
                let covered = first..(first + tile).min(places);
                // SAFETY: the tensors are as large as said; each unit writes places of its own.
                unsafe {
                    let source = input.get().add(image * g.channels * g.plane());
                    let (operand, row) = if g.is_pointwise() {
                        (source.add(first).cast_const(), places)
                    } else {
                        g.columns(0..g.channels, covered.clone(), source, columns);
                        (columns.cast_const(), covered.len())
                    };
                    let sink = out.get().add(image * g.features * places + first);
                    if let Some(bias) = bias {
                        for feature in 0..g.features {
                            let value = *bias.get().add(group * g.features + feature);
                            std::slice::from_raw_parts_mut(sink.add(feature * places), covered.len()).fill(value);
                        }
                    }
                    matmul(
                        g.features,
                        covered.len(),
                        depth,
                        weight.get().add(group * g.features * depth).cast_const(),
                        (depth as isize, 1),
                        operand,
                        (row as isize, 1),
                        sink,
                        (places as isize, 1),
                        bias.is_some(),
                    );
                }
            }
        });
    });
}

/// The gradient of the input, which is also a transposed convolution: each output element times the weight, added up
/// where the kernel lies.
///
/// # Safety
/// As for [`forward`]; `out` has the size of the input.
pub unsafe fn input_gradient<T: Gemm + Number>(geometry: &Geometry, gradient: *const T, weight: *const T, out: *mut T) {
    let g = *geometry;
    if g.suits_windows() {
        // SAFETY: by the caller's promise.
        return unsafe { windows::input_gradient(&g, gradient, weight, out) };
    }
    let (places, depth, taps) = (g.places(), g.channels * g.taps(), g.taps());
    let parts = PARTS.div_ceil((g.batch * g.groups).max(1)).min(g.channels.max(1));
    let block = g.channels.div_ceil(parts).max(1);
    let blocks = g.channels.div_ceil(block);
    let tile = (COLUMNS / (block * taps).max(1)).max(PLACES).next_multiple_of(16).min(places.max(1));
    let (gradient, weight, out) = (Shared::new(gradient), Shared::new(weight), Shared::new(out));
    let grain = GRAIN.div_ceil((g.features * block * taps * places).max(1));
    parallel::for_each_chunk(g.batch * g.groups * blocks, grain, |range| {
        with_scratch(if g.is_pointwise() { 0 } else { block * taps * tile }, |columns: *mut T| {
            for unit in range {
                let (image, first) = (unit / blocks, unit % blocks * block);
                let channels = first..(first + block).min(g.channels);
                let rows = channels.len() * taps;
                // SAFETY: the tensors are as large as said; each unit writes channels of its own.
                unsafe {
                    let source = gradient.get().add(image * g.features * places).cast_const();
                    let factor = weight.get().add(image % g.groups * g.features * depth + first * taps).cast_const();
                    let sink = out.get().add(image * g.channels * g.plane());
                    let own = sink.add(first * g.plane());
                    let turned = (1, depth as isize);
                    if g.is_pointwise() {
                        let (from, to) = ((places as isize, 1), (places as isize, 1));
                        matmul(rows, places, g.features, factor, turned, source, from, own, to, false);
                        continue;
                    }
                    std::slice::from_raw_parts_mut(own, channels.len() * g.plane()).fill(T::default());
                    for left in (0..places).step_by(tile) {
                        let covered = left..(left + tile).min(places);
                        let (from, to) = ((places as isize, 1), (covered.len() as isize, 1));
                        matmul(
                            rows,
                            covered.len(),
                            g.features,
                            factor,
                            turned,
                            source.add(left),
                            from,
                            columns,
                            to,
                            false,
                        );
                        g.add_columns(channels.clone(), covered, columns.cast_const(), sink);
                    }
                }
            }
        });
    });
}

/// The gradient of the weight: the sum over all images and places of gradient times column.
///
/// # Safety
/// As for [`forward`]; `out` has the size of the weight.
pub unsafe fn weight_gradient<T: Gemm + Number>(geometry: &Geometry, gradient: *const T, input: *const T, out: *mut T) {
    let g = *geometry;
    let (places, depth, taps) = (g.places(), g.channels * g.taps(), g.taps());
    let size = g.groups * g.features * depth;
    // Where groups and channels are few, images are added up in several sums.
    let block = g.channels.div_ceil(PARTS.div_ceil(g.groups.max(1)).min(g.channels.max(1))).max(1);
    let blocks = g.channels.div_ceil(block);
    let sums = PARTS.div_ceil((g.groups * blocks).max(1)).min(g.batch.max(1));
    let share = g.batch.div_ceil(sums).max(1);
    let tile = (COLUMNS / (block * taps).max(1)).max(PLACES).next_multiple_of(16).min(places.max(1));
    let mut partial = vec![T::default(); size * (sums - 1)];
    let rest = Shared::new(partial.as_mut_ptr());
    let (gradient, input, out) = (Shared::new(gradient), Shared::new(input), Shared::new(out));
    let grain = GRAIN.div_ceil((g.features * block * taps * places * share).max(1));
    parallel::for_each_chunk(g.groups * blocks * sums, grain, |range| {
        let work = |columns: *mut T| {
            for unit in range {
                let (sum, group, first) = (unit / blocks / g.groups, unit / blocks % g.groups, unit % blocks * block);
                let channels = first..(first + block).min(g.channels);
                let width = channels.len() * taps;
                // SAFETY: the tensors are as large as said; each unit writes a part of a sum of its own.
                unsafe {
                    let base = if sum == 0 { out.get() } else { rest.get().add((sum - 1) * size) };
                    let sink = base.add(group * g.features * depth + first * taps);
                    let mut begun = false;
                    let images = (sum * share..((sum + 1) * share).min(g.batch)).map(|image| {
                        let image = image * g.groups + group;
                        let source = input.get().add(image * g.channels * g.plane()).cast_const();
                        (gradient.get().add(image * g.features * places).cast_const(), source)
                    });
                    if g.suits_windows() && images.len() > 0 {
                        let images = images.map(|(factor, source)| (factor, source.add(first * g.plane())));
                        windows::weight_gradient(&g, images, channels.len(), sink);
                        continue;
                    }
                    for (factor, source) in images {
                        for left in (0..places).step_by(tile) {
                            let covered = left..(left + tile).min(places);
                            let (operand, row) = if g.is_pointwise() {
                                (source.add(first * places + left), places)
                            } else {
                                g.columns(channels.clone(), covered.clone(), source, columns);
                                (columns.cast_const(), covered.len())
                            };
                            matmul(
                                g.features,
                                width,
                                covered.len(),
                                factor.add(left),
                                (places as isize, 1),
                                operand,
                                (1, row as isize),
                                sink,
                                (depth as isize, 1),
                                begun,
                            );
                            begun = true;
                        }
                    }
                    if !begun {
                        for feature in 0..g.features {
                            std::slice::from_raw_parts_mut(sink.add(feature * depth), width).fill(T::default());
                        }
                    }
                }
            }
        };
        match g.is_pointwise() || g.suits_windows() {
            true => work(std::ptr::null_mut()),
            false => with_scratch(block * taps * tile, work),
        }
    });
    // SAFETY: `out` is as large as the weight.
    let out = unsafe { std::slice::from_raw_parts_mut(out.get(), size) };
    for sum in partial.chunks_exact(size.max(1)) {
        out.iter_mut().zip(sum).for_each(|(out, &x)| *out = *out + x);
    }
}

/// What a window shows at each place of the output: `(batch * groups * channels, kernel, output)`.
///
/// # Safety
/// A row-major input of the sizes of the geometry; `out` is new.
pub unsafe fn unfold<T: Number>(geometry: &Geometry, input: *const T, out: *mut T) {
    let g = *geometry;
    let size = g.taps() * g.places();
    let (input, out) = (Shared::new(input), Shared::new(out));
    let grain = parallel::GRAIN.div_ceil(size.max(1));
    parallel::for_each_chunk(g.batch * g.groups * g.channels, grain, |range| {
        for plane in range {
            // SAFETY: by the caller's promise; each plane's columns belong to one thread.
            unsafe {
                let source = input.get().add(plane * g.plane()).cast_const();
                g.columns(0..1, 0..g.places(), source, out.get().add(plane * size));
            }
        }
    });
}

/// The transpose of [`unfold`]: each element is the sum of those that show it.
///
/// # Safety
/// As for [`unfold`]; `out` has the size of the input.
pub unsafe fn fold<T: Number>(geometry: &Geometry, columns: *const T, out: *mut T) {
    let g = *geometry;
    let size = g.taps() * g.places();
    let (columns, out) = (Shared::new(columns), Shared::new(out));
    let grain = parallel::GRAIN.div_ceil(size.max(1));
    parallel::for_each_chunk(g.batch * g.groups * g.channels, grain, |range| {
        for plane in range {
            // SAFETY: by the caller's promise; each plane belongs to one thread.
            unsafe {
                let sink = out.get().add(plane * g.plane());
                std::slice::from_raw_parts_mut(sink, g.plane()).fill(T::default());
                g.add_columns(0..1, 0..g.places(), columns.get().add(plane * size).cast_const(), sink);
            }
        }
    });
}
