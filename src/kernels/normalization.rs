//! Normalization: elements less their mean, divided by their standard deviation, and the gradients of that.
//!
//! A tensor is seen as `(batch, channels, plane)`. Its statistics are those of rows, each a group of channels of one
//! example; or of channels, over all examples. Sums are made of blocks that do not depend on the number of threads.

use std::ops::Range;

use crate::kernels::algebra::Float;
use crate::kernels::parallel::{self, Parts, Shared};

/// Terms that are added up in the element type before they go into a sum in double precision.
const BLOCK: usize = 1024;
const LANES: usize = 16;
/// Rows of lanes for which a sum stays in a register.
const DEPTH: usize = 4;
/// Parts that the rows are divided into where they are added up.
const PARTS: usize = 16;
/// Channels with one element in each example that are gone through side by side.
const SIDE: usize = 64;

/// The sums of the K terms that `term` gives for each index.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "lanes and terms are indexed together, as vectors are")]
fn sums<T: Float, const K: usize>(count: usize, term: impl Fn(usize) -> [T; K]) -> [f64; K] {
    let mut totals = [0.0; K];
    let mut start = 0;
    while start < count {
        let end = (start + BLOCK).min(count);
        let mut lanes = [[T::default(); LANES]; K];
        let deep = start + (end - start) / (DEPTH * LANES) * (DEPTH * LANES);
        // Lane by lane, a few rows at a time: the loop over the lanes becomes vector code.
        for at in (start..deep).step_by(DEPTH * LANES) {
            for lane in 0..LANES {
                let mut now = [T::default(); K];
                for k in 0..K {
                    now[k] = lanes[k][lane];
                }
                for row in 0..DEPTH {
                    let terms = term(at + row * LANES + lane);
                    for k in 0..K {
                        now[k] = now[k] + terms[k];
                    }
                }
                for k in 0..K {
                    lanes[k][lane] = now[k];
                }
            }
        }
        let mut at = deep;
        while at < end {
            for lane in 0..LANES.min(end - at) {
                let terms = term(at + lane);
                for k in 0..K {
                    lanes[k][lane] = lanes[k][lane] + terms[k];
                }
            }
            at += LANES;
        }
        for k in 0..K {
            for x in lanes[k] {
                totals[k] += x.to_f64();
            }
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

/// Elements of a row that have one weight each, starting from `weight`; or one weight in common.
struct Run {
    range: Range<usize>,
    weight: usize,
}

/// The runs of a row that have one weight each, or the whole row.
#[inline(always)]
fn runs(rows: &Rows, row: usize) -> impl Iterator<Item = Run> {
    let (channels, first) = match rows.weights {
        Weights::Elements => (1, 0),
        Weights::Channels { groups, channels } => (channels, row % groups * channels),
    };
    let plane = rows.length / channels.max(1);
    (0..channels).map(move |channel| Run { range: channel * plane..(channel + 1) * plane, weight: first + channel })
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
    let [input, out, means, scales] =
        [input, out.cast_const(), means.cast_const(), scales.cast_const()].map(Shared::new);
    let (weight, bias) = (weight.map(Shared::new), bias.map(Shared::new));
    let work = RowsForward { rows, epsilon, input, weight, bias, out, means, scales };
    parallel::for_each_part(rows.rows, (parallel::GRAIN / 4).div_ceil(rows.length.max(1)), &work);
}

struct RowsForward<T> {
    rows: Rows,
    epsilon: f64,
    input: Shared<T>,
    weight: Option<Shared<T>>,
    bias: Option<Shared<T>>,
    out: Shared<T>,
    means: Shared<T>,
    scales: Shared<T>,
}

impl<T: Float> Parts for RowsForward<T> {
    #[inline(always)]
    fn run(&self, range: Range<usize>) {
        let &RowsForward { rows, epsilon, weight, bias, .. } = self;
        let length = rows.length;
        for row in range {
            // SAFETY: by the promise to `rows_forward`; each row belongs to one thread.
            unsafe {
                let x = std::slice::from_raw_parts(self.input.get().add(row * length).cast_const(), length);
                let y = std::slice::from_raw_parts_mut(self.out.get().add(row * length), length);
                let [total] = sums(length, |i| [*x.get_unchecked(i)]);
                let mean = T::from_f64(total / length as f64);
                let [squares] = sums(length, |i| {
                    let d = *x.get_unchecked(i) - mean;
                    [d * d]
                });
                let scale = T::from_f64(1.0 / (squares / length as f64 + epsilon).sqrt());
                *self.means.get().add(row) = mean;
                *self.scales.get().add(row) = scale;
                match (rows.weights, weight, bias) {
                    (Weights::Elements, Some(w), Some(b)) => {
                        let w = std::slice::from_raw_parts(w.get().cast_const(), length);
                        let b = std::slice::from_raw_parts(b.get().cast_const(), length);
                        for i in 0..length {
                            y[i] = (x[i] - mean) * scale * w[i] + b[i];
                        }
                    }
                    (Weights::Elements, weight, bias) => {
                        for i in 0..length {
                            y[i] = (x[i] - mean) * scale * read(weight, i, 1.0) + read(bias, i, 0.0);
                        }
                    }
                    _ => {
                        for run in runs(&rows, row) {
                            let (w, b) = (read(weight, run.weight, 1.0) * scale, read(bias, run.weight, 0.0));
                            for i in run.range {
                                y[i] = (x[i] - mean) * w + b;
                            }
                        }
                    }
                }
            }
        }
    }
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
    let [gradient, input, means, scales] = [saved.gradient, saved.input, saved.means, saved.scales].map(Shared::new);
    let parts = rows.rows.clamp(1, PARTS);
    let share = rows.rows.div_ceil(parts);
    let mut partial = vec![T::default(); 2 * weights * parts];
    let sink = Shared::new(partial.as_mut_ptr());
    let (weight, out) = (saved.weight.map(Shared::new), Shared::new(out));
    let work = RowsBackward { rows, weights, share, gradient, input, means, scales, weight, out, sink };
    parallel::for_each_part(parts, (parallel::GRAIN / 8).div_ceil((share * rows.length).max(1)), &work);
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

struct RowsBackward<T> {
    rows: Rows,
    weights: usize,
    /// Rows of a part.
    share: usize,
    gradient: Shared<T>,
    input: Shared<T>,
    means: Shared<T>,
    scales: Shared<T>,
    weight: Option<Shared<T>>,
    out: Shared<T>,
    /// For each part its sums for the weights, and those for the biases.
    sink: Shared<T>,
}

impl<T: Float> Parts for RowsBackward<T> {
    #[inline(always)]
    fn run(&self, range: Range<usize>) {
        for part in range {
            for row in part * self.share..((part + 1) * self.share).min(self.rows.rows) {
                // SAFETY: by the promise to `rows_backward`; each row and each part of the sums belongs to one thread.
                unsafe {
                    let (at, length) = (row * self.rows.length, self.rows.length);
                    let g = std::slice::from_raw_parts(self.gradient.get().add(at).cast_const(), length);
                    let x = std::slice::from_raw_parts(self.input.get().add(at).cast_const(), length);
                    let y = std::slice::from_raw_parts_mut(self.out.get().add(at), length);
                    let first = self.sink.get().add(2 * self.weights * part);
                    let to_weight = std::slice::from_raw_parts_mut(first, self.weights);
                    let to_bias = std::slice::from_raw_parts_mut(first.add(self.weights), self.weights);
                    let (mean, scale) = (*self.means.get().add(row), *self.scales.get().add(row));
                    self.row(row, g, x, y, [to_weight, to_bias], mean, scale);
                }
            }
        }
    }
}

impl<T: Float> RowsBackward<T> {
    /// # Safety
    /// Slices of a row, and of the sums of its part.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "a row of each tensor, and its statistics")]
    unsafe fn row(&self, row: usize, g: &[T], x: &[T], y: &mut [T], to: [&mut [T]; 2], mean: T, scale: T) {
        let (length, weight) = (self.rows.length, self.weight);
        let [to_weight, to_bias] = to;
        // SAFETY: indices stay below the length of the row.
        let normal = |i: usize| unsafe { (*x.get_unchecked(i) - mean) * scale };
        // SAFETY: as above.
        let g = |i: usize| unsafe { *g.get_unchecked(i) };
        // The sums of the gradient of the normalized elements, and of its products with them.
        let (mut plain, mut along) = (0.0, 0.0);
        match self.rows.weights {
            Weights::Elements => {
                [plain, along] = match weight {
                    // SAFETY: as above; there are as many weights.
                    Some(w) => sums(length, |i| {
                        let g = g(i) * unsafe { *w.get().add(i) };
                        [g, g * normal(i)]
                    }),
                    None => sums(length, |i| [g(i), g(i) * normal(i)]),
                };
                for (i, (w, b)) in to_weight.iter_mut().zip(to_bias).enumerate() {
                    *w = *w + g(i) * normal(i);
                    *b = *b + g(i);
                }
            }
            Weights::Channels { .. } => {
                for run in runs(&self.rows, row) {
                    let start = run.range.start;
                    let [a, b] = sums(run.range.len(), |i| [g(start + i), g(start + i) * normal(start + i)]);
                    let w = read(weight, run.weight, 1.0).to_f64();
                    (plain, along) = (plain + a * w, along + b * w);
                    to_weight[run.weight] = to_weight[run.weight] + T::from_f64(b);
                    to_bias[run.weight] = to_bias[run.weight] + T::from_f64(a);
                }
            }
        }
        let plain = T::from_f64(plain / length as f64);
        let along = T::from_f64(along / length as f64);
        match (self.rows.weights, weight) {
            (Weights::Elements, Some(w)) => {
                for (i, y) in y.iter_mut().enumerate() {
                    // SAFETY: there are as many weights as elements of a row.
                    let w = unsafe { *w.get().add(i) };
                    *y = (g(i) * w - plain - normal(i) * along) * scale;
                }
            }
            _ => {
                for run in runs(&self.rows, row) {
                    let w = read(weight, run.weight, 1.0);
                    for i in run.range {
                        y[i] = (g(i) * w - plain - normal(i) * along) * scale;
                    }
                }
            }
        }
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

    /// Channels that are gone through at a time.
    fn side(&self) -> usize {
        if self.plane == 1 { SIDE } else { 1 }
    }

    /// Does work on blocks of channels, in parallel.
    fn for_each(&self, work: &impl Parts) {
        let side = self.side();
        let grain = (parallel::GRAIN / 4).div_ceil((side * self.batch * self.plane).max(1));
        parallel::for_each_part(self.channels.div_ceil(side), grain, work);
    }

    /// The channels of each block in a range.
    #[inline(always)]
    fn blocks(self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let side = self.side();
        range.map(move |block| block * side..((block + 1) * side).min(self.channels))
    }

    /// For each of some channels (at most [`SIDE`]) the K sums of the terms of its elements, by the index of the element
    /// and the channel's place among these.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "sums and terms are indexed together, as vectors are")]
    fn sums<T: Float, const K: usize>(
        &self,
        channels: &Range<usize>,
        term: impl Fn(usize, usize) -> [T; K],
    ) -> [[f64; SIDE]; K] {
        let mut totals = [[0.0; SIDE]; K];
        if self.plane == 1 {
            let deep = self.batch / DEPTH * DEPTH;
            for top in (0..deep).step_by(DEPTH) {
                self.add::<T, K, DEPTH>(top, channels, &term, &mut totals);
            }
            for top in deep..self.batch {
                self.add::<T, K, 1>(top, channels, &term, &mut totals);
            }
            return totals;
        }
        for example in 0..self.batch {
            let first = (example * self.channels + channels.start) * self.plane;
            for place in 0..channels.len().min(SIDE) {
                let some = sums(self.plane, |i| term(first + place * self.plane + i, place));
                for k in 0..K {
                    totals[k][place] += some[k];
                }
            }
        }
        totals
    }

    /// Adds the terms of ROWS examples from `top` on, whose channels have one element.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "sums and terms are indexed together, as vectors are")]
    fn add<T: Float, const K: usize, const ROWS: usize>(
        &self,
        top: usize,
        channels: &Range<usize>,
        term: &impl Fn(usize, usize) -> [T; K],
        totals: &mut [[f64; SIDE]; K],
    ) {
        for place in 0..channels.len().min(SIDE) {
            let mut now = [T::default(); K];
            for example in top..top + ROWS {
                let terms = term(example * self.channels + channels.start + place, place);
                for k in 0..K {
                    now[k] = now[k] + terms[k];
                }
            }
            for k in 0..K {
                totals[k][place] += now[k].to_f64();
            }
        }
    }

    /// Calls `body` for all elements of some channels, as [`sums`](Self::sums) does.
    #[inline(always)]
    fn each(&self, channels: &Range<usize>, mut body: impl FnMut(usize, usize)) {
        for example in 0..self.batch {
            let first = (example * self.channels + channels.start) * self.plane;
            if self.plane == 1 {
                for place in 0..channels.len().min(SIDE) {
                    body(first + place, place);
                }
            } else {
                for place in 0..channels.len().min(SIDE) {
                    let first = first + place * self.plane;
                    for i in first..first + self.plane {
                        body(i, place);
                    }
                }
            }
        }
    }
}

/// A number for each of some channels.
#[inline(always)]
fn of_channels<T: Float>(channels: &Range<usize>, of: impl Fn(usize) -> T) -> [T; SIDE] {
    let mut numbers = [T::default(); SIDE];
    for (place, channel) in channels.clone().enumerate() {
        numbers[place] = of(channel);
    }
    numbers
}

/// The mean of each channel, and its variance times the number of elements.
///
/// # Safety
/// A row-major tensor of these sizes; the results are new and have room for all channels.
pub unsafe fn channel_moments<T: Float>(sizes: Channels, input: *const T, means: *mut T, squares: *mut T) {
    let [input, means, squares] = [input, means.cast_const(), squares.cast_const()].map(Shared::new);
    sizes.for_each(&Moments { sizes, input, means, squares });
}

struct Moments<T> {
    sizes: Channels,
    input: Shared<T>,
    means: Shared<T>,
    squares: Shared<T>,
}

impl<T: Float> Parts for Moments<T> {
    #[inline(always)]
    fn run(&self, range: Range<usize>) {
        let &Moments { sizes, input, means, squares } = self;
        // SAFETY: by the promise to `channel_moments`, as indices stay inside the tensor.
        let x = |i: usize| unsafe { *input.get().add(i) };
        for channels in sizes.blocks(range) {
            let [totals] = sizes.sums(&channels, |i, _| [x(i)]);
            let mean = totals.map(|total| T::from_f64(total / sizes.count()));
            let [deviations] = sizes.sums(&channels, |i, place| {
                let d = x(i) - mean[place];
                [d * d]
            });
            for (place, channel) in channels.enumerate() {
                // SAFETY: by the same promise; each channel belongs to one thread.
                unsafe {
                    *means.get().add(channel) = mean[place];
                    *squares.get().add(channel) = T::from_f64(deviations[place]);
                }
            }
        }
    }
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
    sizes.for_each(&ChannelsForward { sizes, input, means, scales, weight, bias, out });
}

struct ChannelsForward<T> {
    sizes: Channels,
    input: Shared<T>,
    means: Shared<T>,
    scales: Shared<T>,
    weight: Option<Shared<T>>,
    bias: Option<Shared<T>>,
    out: Shared<T>,
}

impl<T: Float> Parts for ChannelsForward<T> {
    #[inline(always)]
    fn run(&self, range: Range<usize>) {
        let &ChannelsForward { sizes, input, means, scales, weight, bias, out } = self;
        for channels in sizes.blocks(range) {
            // SAFETY: by the promise to `channels_forward`; each channel belongs to one thread.
            unsafe {
                let mean = of_channels(&channels, |channel| *means.get().add(channel));
                let factor = of_channels(&channels, |channel| *scales.get().add(channel) * read(weight, channel, 1.0));
                let bias = of_channels(&channels, |channel| read(bias, channel, 0.0));
                sizes.each(&channels, |i, place| {
                    *out.get().add(i) = (*input.get().add(i) - mean[place]) * factor[place] + bias[place];
                });
            }
        }
    }
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
    let [gradient, input, means, scales] = [saved.gradient, saved.input, saved.means, saved.scales].map(Shared::new);
    let weight = saved.weight.map(Shared::new);
    let [out, of_weight, of_bias] = [out, of_weight, of_bias].map(|pointer| Shared::new(pointer.cast_const()));
    sizes.for_each(&ChannelsBackward { sizes, fixed, gradient, input, means, scales, weight, out, of_weight, of_bias });
}

struct ChannelsBackward<T> {
    sizes: Channels,
    fixed: bool,
    gradient: Shared<T>,
    input: Shared<T>,
    means: Shared<T>,
    scales: Shared<T>,
    weight: Option<Shared<T>>,
    out: Shared<T>,
    of_weight: Shared<T>,
    of_bias: Shared<T>,
}

impl<T: Float> Parts for ChannelsBackward<T> {
    #[inline(always)]
    fn run(&self, range: Range<usize>) {
        let &ChannelsBackward { sizes, fixed, gradient, input, means, scales, weight, out, of_weight, of_bias } = self;
        for channels in sizes.blocks(range) {
            // SAFETY: by the promise to `channels_backward`; each channel belongs to one thread.
            unsafe {
                let mean = of_channels(&channels, |channel| *means.get().add(channel));
                let scale = of_channels(&channels, |channel| *scales.get().add(channel));
                let factor = of_channels(&channels, |channel| *scales.get().add(channel) * read(weight, channel, 1.0));
                let g = |i: usize| *gradient.get().add(i);
                let normal = |i: usize, place: usize| (*input.get().add(i) - mean[place]) * scale[place];
                let [plain, along] = sizes.sums(&channels, |i, place| [g(i), g(i) * normal(i, place)]);
                for (place, channel) in channels.clone().enumerate() {
                    *of_bias.get().add(channel) = T::from_f64(plain[place]);
                    *of_weight.get().add(channel) = T::from_f64(along[place]);
                }
                if fixed {
                    sizes.each(&channels, |i, place| *out.get().add(i) = g(i) * factor[place]);
                    continue;
                }
                let [plain, along] =
                    [plain, along].map(|totals| totals.map(|total| T::from_f64(total / sizes.count())));
                sizes.each(&channels, |i, place| {
                    *out.get().add(i) = (g(i) - plain[place] - normal(i, place) * along[place]) * factor[place];
                });
            }
        }
    }
}
