//! Normalization: elements less their mean, divided by their standard deviation, and the gradients of that.
//!
//! A tensor is seen as `(batch, channels, plane)`. Its statistics are those of rows, each a group of channels of one
//! example; or of channels, over all examples. Sums are made of blocks that do not depend on the number of threads.

use std::ops::Range;

use crate::kernels::algebra::Float;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};

/// Terms that are added up in the element type before they go into a sum in double precision.
const BLOCK: usize = 1024;
const LANES: usize = 16;
/// Parts that the rows are divided into where they are added up.
const PARTS: usize = 16;
/// Channels with one element in each example that are gone through side by side.
const SIDE: usize = 64;

/// Work in a closure, which is compiled along with the loop around it.
struct Loop<F>(F);

impl<F: FnOnce()> Vectorized for Loop<F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        (self.0)();
    }
}

/// The sums of the K terms that `term` gives for each index.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "lanes and terms are indexed together, as vectors are")]
fn sums<T: Float, const K: usize>(count: usize, term: impl Fn(usize) -> [T; K]) -> [f64; K] {
    let mut totals = [0.0; K];
    let mut start = 0;
    while start < count {
        let end = (start + BLOCK).min(count);
        let mut lanes = [[T::default(); LANES]; K];
        let whole = start + (end - start) / LANES * LANES;
        let mut at = start;
        while at < whole {
            for lane in 0..LANES {
                let terms = term(at + lane);
                for k in 0..K {
                    lanes[k][lane] = lanes[k][lane] + terms[k];
                }
            }
            at += LANES;
        }
        for i in whole..end {
            let terms = term(i);
            for k in 0..K {
                lanes[k][i - whole] = lanes[k][i - whole] + terms[k];
            }
        }
        for k in 0..K {
            totals[k] += lanes[k].iter().map(|x| x.to_f64()).sum::<f64>();
        }
        start = end;
    }
    totals
}

/// Rows of a tensor `(rows, length)`; a row has `channels` channels of `length / channels` elements.
#[derive(Clone, Copy)]
pub struct Rows {
    pub rows: usize,
    pub length: usize,
    /// How weights belong to the elements of a row.
    pub weights: Weights,
}

#[derive(Clone, Copy)]
pub enum Weights {
    /// One for each element of a row.
    Elements,
    /// One for each channel: `groups` rows make an example, a row has `channels`.
    Channels { groups: usize, channels: usize },
}

/// Calls `body` for the runs of a row that have one weight each, or for the whole row: the range, and the first weight.
#[inline(always)]
fn runs(rows: &Rows, row: usize, mut body: impl FnMut(Range<usize>, usize)) {
    match rows.weights {
        Weights::Elements => body(0..rows.length, 0),
        Weights::Channels { groups, channels } => {
            let plane = rows.length / channels.max(1);
            for channel in 0..channels {
                body(channel * plane..(channel + 1) * plane, row % groups * channels + channel);
            }
        }
    }
}

#[inline(always)]
fn read<T: Float>(weights: Option<Shared<T>>, i: usize, missing: f64) -> T {
    // SAFETY: there are as many weights as the tensors of the callers say.
    weights.map_or(T::from_f64(missing), |weights| unsafe { *weights.get().add(i) })
}

/// Normalizes rows; gives the mean of each, and one divided by its standard deviation.
///
/// # Safety
/// Row-major tensors of the sizes that `rows` says; the results are new.
#[expect(clippy::too_many_arguments, reason = "three operands, three results")]
pub unsafe fn rows_forward<T: Float>(
    rows: Rows,
    epsilon: f64,
    input: *const T,
    weight: Option<*const T>,
    bias: Option<*const T>,
    out: *mut T,
    means: *mut T,
    scales: *mut T,
) {
    let (input, out, means, scales) = (Shared::new(input), Shared::new(out), Shared::new(means), Shared::new(scales));
    let (weight, bias) = (weight.map(Shared::new), bias.map(Shared::new));
    let Rows { length, .. } = rows;
    parallel::for_each_chunk(rows.rows, (parallel::GRAIN / 4).div_ceil(length.max(1)), |range| {
        simd::vectorize(Loop(|| {
            for row in range {
                // SAFETY: by the caller's promise; each row belongs to one thread.
                unsafe {
                    let x = input.get().add(row * length).cast_const();
                    let y = out.get().add(row * length);
                    let [total] = sums(length, |i| [*x.add(i)]);
                    let mean = T::from_f64(total / length as f64);
                    let [squares] = sums(length, |i| {
                        let d = *x.add(i) - mean;
                        [d * d]
                    });
                    let scale = T::from_f64(1.0 / (squares / length as f64 + epsilon).sqrt());
                    *means.get().add(row) = mean;
                    *scales.get().add(row) = scale;
                    match (rows.weights, weight, bias) {
                        (Weights::Elements, Some(w), Some(b)) => {
                            for i in 0..length {
                                *y.add(i) = (*x.add(i) - mean) * scale * *w.get().add(i) + *b.get().add(i);
                            }
                        }
                        (Weights::Elements, weight, bias) => {
                            for i in 0..length {
                                *y.add(i) = (*x.add(i) - mean) * scale * read(weight, i, 1.0) + read(bias, i, 0.0);
                            }
                        }
                        _ => runs(&rows, row, |range, channel| {
                            let (w, b) = (read(weight, channel, 1.0) * scale, read(bias, channel, 0.0));
                            for i in range {
                                *y.add(i) = (*x.add(i) - mean) * w + b;
                            }
                        }),
                    }
                }
            }
        }));
    });
}

/// What a gradient comes from: that of the result, the input, and the statistics of the forward pass.
pub struct Saved<T> {
    pub gradient: *const T,
    pub input: *const T,
    pub means: *const T,
    pub scales: *const T,
    pub weight: Option<*const T>,
}

/// The gradients of [`rows_forward`]. Those of weight and bias have `weights` elements; all of them are written.
///
/// # Safety
/// As for [`rows_forward`].
pub unsafe fn rows_backward<T: Float>(
    rows: Rows,
    weights: usize,
    saved: &Saved<T>,
    out: *mut T,
    of_weight: *mut T,
    of_bias: *mut T,
) {
    let Rows { length, .. } = rows;
    let [g, x, means, scales] = [saved.gradient, saved.input, saved.means, saved.scales].map(Shared::new);
    let (weight, out) = (saved.weight.map(Shared::new), Shared::new(out));
    let parts = rows.rows.clamp(1, PARTS);
    let share = rows.rows.div_ceil(parts);
    let mut partial = vec![T::default(); 2 * weights * parts];
    let sink = Shared::new(partial.as_mut_ptr());
    parallel::for_each_chunk(parts, (parallel::GRAIN / 8).div_ceil((share * length).max(1)), |range| {
        simd::vectorize(Loop(|| {
            for part in range {
                for row in part * share..((part + 1) * share).min(rows.rows) {
                    // SAFETY: by the caller's promise; each row and each part of the sums belongs to one thread.
                    unsafe {
                        let (g, x) = (g.get().add(row * length).cast_const(), x.get().add(row * length).cast_const());
                        let (y, mean, scale) =
                            (out.get().add(row * length), *means.get().add(row), *scales.get().add(row));
                        let to_weight = sink.get().add(2 * weights * part);
                        let to_bias = to_weight.add(weights);
                        // The sums of the gradient of the normalized elements, and of its products with them.
                        let (mut plain, mut along) = (0.0, 0.0);
                        runs(&rows, row, |range, first| {
                            let start = range.start;
                            let normal = |i: usize| (*x.add(start + i) - mean) * scale;
                            match rows.weights {
                                Weights::Elements => {
                                    let [a, b] = sums(length, |i| {
                                        let g = *g.add(i) * read(weight, i, 1.0);
                                        [g, g * normal(i)]
                                    });
                                    (plain, along) = (a, b);
                                    for i in 0..length {
                                        *to_weight.add(i) = *to_weight.add(i) + *g.add(i) * normal(i);
                                        *to_bias.add(i) = *to_bias.add(i) + *g.add(i);
                                    }
                                }
                                Weights::Channels { .. } => {
                                    let [a, b] = sums(range.len(), |i| {
                                        let g = *g.add(start + i);
                                        [g, g * normal(i)]
                                    });
                                    let w = read(weight, first, 1.0).to_f64();
                                    (plain, along) = (plain + a * w, along + b * w);
                                    *to_weight.add(first) = *to_weight.add(first) + T::from_f64(b);
                                    *to_bias.add(first) = *to_bias.add(first) + T::from_f64(a);
                                }
                            }
                        });
                        let plain = T::from_f64(plain / length as f64);
                        let along = T::from_f64(along / length as f64);
                        let result = |g: T, x: T, w: T| (g * w - plain - (x - mean) * scale * along) * scale;
                        runs(&rows, row, |range, first| match rows.weights {
                            Weights::Elements => {
                                for i in range {
                                    *y.add(i) = result(*g.add(i), *x.add(i), read(weight, i, 1.0));
                                }
                            }
                            Weights::Channels { .. } => {
                                let w = read(weight, first, 1.0);
                                for i in range {
                                    *y.add(i) = result(*g.add(i), *x.add(i), w);
                                }
                            }
                        });
                    }
                }
            }
        }));
    });
    // SAFETY: both have room for all weights.
    let (of_weight, of_bias) = unsafe {
        (std::slice::from_raw_parts_mut(of_weight, weights), std::slice::from_raw_parts_mut(of_bias, weights))
    };
    of_weight.fill(T::default());
    of_bias.fill(T::default());
    for part in partial.chunks_exact((2 * weights).max(1)) {
        let (w, b) = part.split_at(weights);
        of_weight.iter_mut().zip(w).for_each(|(sum, &x)| *sum = *sum + x);
        of_bias.iter_mut().zip(b).for_each(|(sum, &x)| *sum = *sum + x);
    }
}

/// A tensor `(batch, channels, plane)` whose channels are normalized.
#[derive(Clone, Copy)]
pub struct Channels {
    pub batch: usize,
    pub channels: usize,
    pub plane: usize,
}

impl Channels {
    fn count(&self) -> f64 {
        (self.batch * self.plane) as f64
    }

    /// Calls `body` for ranges of channels, in parallel.
    fn for_each(&self, body: impl Fn(Range<usize>) + Sync) {
        let side = if self.plane == 1 { SIDE } else { 1 };
        let grain = (parallel::GRAIN / 4).div_ceil((side * self.batch * self.plane).max(1));
        parallel::for_each_chunk(self.channels.div_ceil(side), grain, |range| {
            for block in range {
                let channels = block * side..((block + 1) * side).min(self.channels);
                simd::vectorize(Loop(|| body(channels)));
            }
        });
    }

    /// For each of some channels (at most [`SIDE`]) the sums of the terms of its elements, by index and channel.
    #[inline(always)]
    fn sums<T: Float, const K: usize>(
        &self,
        channels: Range<usize>,
        term: impl Fn(usize, usize) -> [T; K],
    ) -> [[f64; K]; SIDE] {
        let mut totals = [[0.0; K]; SIDE];
        if self.plane == 1 {
            for example in 0..self.batch {
                for channel in channels.clone() {
                    let terms = term(example * self.channels + channel, channel);
                    for k in 0..K {
                        totals[channel - channels.start][k] += terms[k].to_f64();
                    }
                }
            }
            return totals;
        }
        for channel in channels.clone() {
            let total = &mut totals[channel - channels.start];
            for example in 0..self.batch {
                let base = (example * self.channels + channel) * self.plane;
                let some = sums(self.plane, |i| term(base + i, channel));
                for k in 0..K {
                    total[k] += some[k];
                }
            }
        }
        totals
    }

    /// Calls `body` for all indices of some channels, with the channel.
    #[inline(always)]
    fn each(&self, channels: Range<usize>, mut body: impl FnMut(Range<usize>, usize)) {
        for example in 0..self.batch {
            for channel in channels.clone() {
                let base = (example * self.channels + channel) * self.plane;
                body(base..base + self.plane, channel);
            }
        }
    }
}

/// The mean of each channel, and its variance times the number of elements.
///
/// # Safety
/// A row-major tensor of these sizes; the results are new and have room for all channels.
pub unsafe fn channel_moments<T: Float>(sizes: Channels, input: *const T, means: *mut T, squares: *mut T) {
    let (input, means, squares) = (Shared::new(input), Shared::new(means), Shared::new(squares));
    sizes.for_each(|channels| {
        // SAFETY: by the caller's promise; each channel belongs to one thread.
        unsafe {
            let x = |i: usize| *input.get().add(i);
            let totals = sizes.sums(channels.clone(), |i, _| [x(i)]);
            let mut mean = [T::default(); SIDE];
            for (mean, [total]) in mean.iter_mut().zip(totals) {
                *mean = T::from_f64(total / sizes.count());
            }
            let first = channels.start;
            let deviations = sizes.sums(channels.clone(), |i, channel| {
                let d = x(i) - mean[channel - first];
                [d * d]
            });
            for channel in channels {
                *means.get().add(channel) = mean[channel - first];
                *squares.get().add(channel) = T::from_f64(deviations[channel - first][0]);
            }
        }
    });
}

/// `(input - mean) * scale * weight + bias`, channel by channel.
///
/// # Safety
/// As for [`channel_moments`].
pub unsafe fn channels_forward<T: Float>(
    sizes: Channels,
    input: *const T,
    means: *const T,
    scales: *const T,
    weight: Option<*const T>,
    bias: Option<*const T>,
    out: *mut T,
) {
    let [input, means, scales, out] = [input, means, scales, out.cast_const()].map(Shared::new);
    let (weight, bias) = (weight.map(Shared::new), bias.map(Shared::new));
    sizes.for_each(|channels| {
        sizes.each(channels, |range, channel| {
            // SAFETY: by the caller's promise; each channel belongs to one thread.
            unsafe {
                let mean = *means.get().add(channel);
                let factor = *scales.get().add(channel) * read(weight, channel, 1.0);
                let bias = read(bias, channel, 0.0);
                for i in range {
                    *out.get().add(i) = (*input.get().add(i) - mean) * factor + bias;
                }
            }
        });
    });
}

/// The gradients of [`channels_forward`]; with `fixed`, for statistics that do not depend on the input.
///
/// # Safety
/// As for [`channel_moments`].
pub unsafe fn channels_backward<T: Float>(
    sizes: Channels,
    saved: &Saved<T>,
    fixed: bool,
    out: *mut T,
    of_weight: *mut T,
    of_bias: *mut T,
) {
    let [g, x, means, scales] = [saved.gradient, saved.input, saved.means, saved.scales].map(Shared::new);
    let weight = saved.weight.map(Shared::new);
    let [out, of_weight, of_bias] = [out, of_weight, of_bias].map(|pointer| Shared::new(pointer.cast_const()));
    sizes.for_each(|channels| {
        // SAFETY: by the caller's promise; each channel belongs to one thread.
        unsafe {
            let normal = |i: usize, c: usize| (*x.get().add(i) - *means.get().add(c)) * *scales.get().add(c);
            let totals = sizes.sums(channels.clone(), |i, channel| {
                let g = *g.get().add(i);
                [g, g * normal(i, channel)]
            });
            for channel in channels.clone() {
                let [plain, along] = totals[channel - channels.start];
                *of_bias.get().add(channel) = T::from_f64(plain);
                *of_weight.get().add(channel) = T::from_f64(along);
            }
            let first = channels.start;
            sizes.each(channels, |range, channel| {
                let [plain, along] = totals[channel - first].map(|total| T::from_f64(total / sizes.count()));
                let factor = *scales.get().add(channel) * read(weight, channel, 1.0);
                for i in range {
                    let g = *g.get().add(i);
                    *out.get().add(i) =
                        if fixed { g * factor } else { (g - plain - normal(i, channel) * along) * factor };
                }
            });
        }
    });
}
