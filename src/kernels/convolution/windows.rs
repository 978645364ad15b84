//! Convolutions by products with a matrix that is not made: as a window moves over a tensor by one element, so does what
//! it shows, and the row of the matrix of columns that belongs to an element of the kernel is a part of the tensor.
//!
//! # Note: Frames
//! For that the tensor is copied with its padding, elements that are a stride apart side by side. Rows of results are then
//! as long as rows of the copy; what is computed at the end of each, where windows reach over it, is left out.

use std::ops::Range;

use super::{GRAIN, Geometry, PARTS};
use crate::kernels::algebra::Number;
use crate::kernels::matmul::{Gemm, Shifted, listed, row_products, shifted, with_scratch};
use crate::kernels::parallel::{self, Shared};
use crate::kernels::transpose::transpose;

/// Elements of a copy, which stays in the second-level cache.
const COPY: usize = 1 << 17;
/// Rows of a product that are made before they are written to the result.
const ROWS: usize = 32;

/// The copy of some planes, and the results along each dimension that are made from it.
#[derive(Clone, Copy)]
struct Frame {
    /// The sizes of a plane.
    source: [usize; 3],
    /// The place in the plane of the copy's first element; before 0 there is padding.
    origin: [isize; 3],
    /// From what one result sees to what the next does.
    stride: [usize; 3],
    /// The sizes of the part of the copy for each place within a stride.
    block: [usize; 3],
    count: [usize; 3],
}

impl Frame {
    /// Windows that reach over `reach` elements.
    fn new(source: [usize; 3], origin: [isize; 3], stride: [usize; 3], count: [usize; 3], reach: [usize; 3]) -> Frame {
        let block = std::array::from_fn(|d| ((count[d] - 1) * stride[d] + reach[d]).div_ceil(stride[d]));
        Frame { source, origin, stride, block, count }
    }

    /// Elements of the copy of a plane.
    fn plane(&self) -> usize {
        self.stride.iter().product::<usize>() * self.block.iter().product::<usize>()
    }

    /// From results to those in the next layer.
    fn layer(&self) -> usize {
        self.block[1] * self.block[2]
    }

    /// From the first result of a layer to the last.
    fn length(&self) -> usize {
        (self.count[1] - 1) * self.block[2] + self.count[2]
    }

    /// The dimension along which work is divided: the first with several results.
    fn divided(&self) -> usize {
        self.count.iter().position(|&count| count > 1).unwrap_or(2)
    }

    /// Some of the results.
    fn part(&self, range: &Range<usize>) -> Frame {
        let (d, mut part) = (self.divided(), *self);
        part.origin[d] += (range.start * self.stride[d]) as isize;
        part.block[d] -= self.count[d] - range.len();
        part.count[d] = range.len();
        part
    }

    /// Parts whose copies, of so many planes, stay in the cache; at least so many, if there are results enough.
    fn parts(&self, planes: usize, least: usize) -> Vec<Range<usize>> {
        let count = self.count[self.divided()];
        let wanted = (planes * self.plane()).div_ceil(COPY).max(least).clamp(1, count.div_ceil(8).max(1));
        let each = count.div_ceil(wanted);
        (0..count).step_by(each).map(|start| start..count.min(start + each)).collect()
    }

    /// Where an element of the kernel, `tap` from the window's first, is in the copy of plane `plane`.
    fn offset(&self, plane: usize, tap: [usize; 3]) -> isize {
        let (mut phase, mut place) = (0, 0);
        for (d, tap) in tap.into_iter().enumerate() {
            phase = phase * self.stride[d] + tap % self.stride[d];
            place = place * self.block[d] + tap / self.stride[d];
        }
        (plane * self.plane() + phase * self.block.iter().product::<usize>() + place) as isize
    }

    /// Copies planes.
    ///
    /// # Safety
    /// There are so many of them, and room for their copies.
    unsafe fn copy<T: Number>(&self, planes: usize, source: *const T, mut copy: *mut T) {
        let [depth, height, width] = self.source;
        let step = self.stride[2];
        for plane in 0..planes {
            for phase in 0..self.stride.iter().product::<usize>() {
                let within = [phase / step / self.stride[1], phase / step % self.stride[1], phase % step];
                let first = self.origin[2] + within[2] as isize;
                // The elements of a row that are inside the plane.
                let low = ((-first).max(0) as usize).div_ceil(step).min(self.block[2]);
                let high = (width as isize - first).max(0) as usize;
                let high = high.div_ceil(step).clamp(low, self.block[2]);
                for row in 0..self.block[0] * self.block[1] {
                    let at = |d: usize, i: usize| self.origin[d] + (i * self.stride[d] + within[d]) as isize;
                    let (z, y) = (at(0, row / self.block[1]), at(1, row % self.block[1]));
                    let inside = (0..depth as isize).contains(&z) && (0..height as isize).contains(&y);
                    let (low, high) = if inside { (low, high) } else { (0, 0) };
                    // SAFETY: by the caller's promise, as `low` and `high` bound what is inside the plane.
                    unsafe {
                        let to = std::slice::from_raw_parts_mut(copy, self.block[2]);
                        to[..low].fill(T::default());
                        to[high..].fill(T::default());
                        if low < high {
                            let line = (plane * depth + z as usize) * height + y as usize;
                            let from = source.add(line * width + (first + (low * step) as isize) as usize);
                            let to = &mut to[low..high];
                            if step == 1 {
                                std::ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len());
                            } else {
                                to.iter_mut().enumerate().for_each(|(i, to)| *to = *from.add(i * step));
                            }
                        }
                        copy = copy.add(self.block[2]);
                    }
                }
            }
        }
    }

    /// Products of a matrix of `rows` rows with what the windows show: `write` gets the number of a row, the place of
    /// the first of some results side by side, and the results.
    ///
    /// # Safety
    /// There are `planes` planes; the matrix has a column for each offset, and these lie inside the copy.
    unsafe fn products<T: Gemm + Number>(
        &self,
        planes: usize,
        source: *const T,
        (rows, matrix, row): (usize, *const T, usize),
        offsets: &[isize],
        mut write: impl FnMut(usize, [usize; 2], &[T]),
    ) {
        let (length, copied) = (self.length(), planes * self.plane());
        with_scratch(copied + ROWS * length, |copy: *mut T| {
            // SAFETY: by the caller's promise; the scratch has room for the copy and for some rows of results.
            unsafe {
                self.copy(planes, source, copy);
                let results = copy.add(copied);
                for z in 0..self.count[0] {
                    for first in (0..rows).step_by(ROWS) {
                        let m = ROWS.min(rows - first);
                        let product = Shifted {
                            m,
                            a: matrix.add(first * row),
                            a_row: row,
                            b: copy.add(z * self.layer()).cast_const(),
                            offsets,
                            c: results,
                            c_row: length,
                        };
                        shifted(&product, length);
                        for i in 0..m {
                            for y in 0..self.count[1] {
                                let line = results.add(i * length + y * self.block[2]);
                                write(first + i, [z, y], std::slice::from_raw_parts(line, self.count[2]));
                            }
                        }
                    }
                }
            }
        });
    }
}

impl Geometry {
    /// Whether few results are computed in vain at the ends of rows.
    pub(super) fn suits_windows(&self) -> bool {
        let sizes = [self.batch, self.groups, self.channels, self.features];
        if self.is_pointwise() || sizes.iter().chain(&self.kernel).chain(&self.output).any(|&size| size == 0) {
            return false;
        }
        let reach = (self.kernel[2] - 1) * self.dilation[2];
        self.output[2] >= 8.max(reach / self.stride[2])
    }

    /// The places of the kernel's elements, from its first, in elements of the input.
    fn tap(&self, tap: usize) -> [usize; 3] {
        let [_, height, width] = self.kernel;
        let place = [tap / width / height, tap / width % height, tap % width];
        std::array::from_fn(|d| place[d] * self.dilation[d])
    }

    /// What the windows of the convolution see of the input.
    fn frame(&self) -> Frame {
        let reach = std::array::from_fn(|d| (self.kernel[d] - 1) * self.dilation[d] + 1);
        let origin = self.padding.map(|padding| -(padding as isize));
        Frame::new(self.input, origin, self.stride, self.output, reach)
    }

    fn offsets(&self, frame: &Frame, channels: usize) -> Vec<isize> {
        let taps = self.taps();
        (0..channels).flat_map(|c| (0..taps).map(move |tap| frame.offset(c, self.tap(tap)))).collect()
    }
}

/// See [`super::forward`].
///
/// # Safety
/// As there; and [`Geometry::suits_windows`].
pub unsafe fn forward<T: Gemm + Number>(
    g: &Geometry,
    input: *const T,
    weight: *const T,
    bias: Option<*const T>,
    out: *mut T,
) {
    let (places, depth, frame) = (g.places(), g.channels * g.taps(), g.frame());
    let parts = frame.parts(g.channels, PARTS.div_ceil(g.batch * g.groups));
    let divided = frame.divided();
    let [input, weight, out] = [input, weight, out.cast_const()].map(Shared::new);
    let bias = bias.map(Shared::new);
    let grain = GRAIN.div_ceil((g.features * depth * places / parts.len()).max(1));
    parallel::for_each_chunk(g.batch * g.groups * parts.len(), grain, |range| {
        for unit in range {
            let (image, part) = (unit / parts.len(), &parts[unit % parts.len()]);
            let first = image % g.groups * g.features;
            let frame = frame.part(part);
            let offsets = g.offsets(&frame, g.channels);
            // SAFETY: the tensors are as large as said; each unit writes places of its own.
            unsafe {
                let source = input.get().add(image * g.channels * g.plane()).cast_const();
                let matrix = (g.features, weight.get().add(first * depth).cast_const(), depth);
                frame.products(g.channels, source, matrix, &offsets, |feature, [z, y], results| {
                    let mut at = [z, y, 0];
                    at[divided] += part.start;
                    let line = (at[0] * g.output[1] + at[1]) * g.output[2] + at[2];
                    let sink = out.get().add((image * g.features + feature) * places + line);
                    let sink = std::slice::from_raw_parts_mut(sink, results.len());
                    match bias {
                        None => sink.copy_from_slice(results),
                        Some(bias) => {
                            let bias = *bias.get().add(first + feature);
                            sink.iter_mut().zip(results).for_each(|(to, &x)| *to = x + bias);
                        }
                    }
                });
            }
        }
    });
}

/// Elements of the input that are a stride apart: all see the same elements of the kernel.
struct Class {
    /// What is seen of the output's gradient.
    frame: Frame,
    /// The first of the elements.
    first: [usize; 3],
    /// Elements of the kernel, and where they are seen.
    taps: Vec<(usize, [usize; 3])>,
}

impl Class {
    /// The class of the elements `phase` after a stride's beginning; `None` if there is none.
    fn new(g: &Geometry, phase: [usize; 3]) -> Option<Class> {
        let (mut first, mut count, mut origin, mut reach) = ([0; 3], [0; 3], [0; 3], [1; 3]);
        let mut seen: [Vec<(usize, usize)>; 3] = Default::default();
        for d in 0..3 {
            let (stride, padding) = (g.stride[d], g.padding[d]);
            // Element i of the input is number q of the class: i + padding = stride q + phase.
            let low = padding.saturating_sub(phase[d]).div_ceil(stride);
            let high = (g.input[d] + padding).checked_sub(phase[d] + 1)? / stride;
            count[d] = (high + 1).checked_sub(low).filter(|&count| count > 0)?;
            first[d] = stride * low + phase[d] - padding;
            let meets = |k: &usize| k * g.dilation[d] % stride == phase[d];
            let taps: Vec<(usize, usize)> =
                (0..g.kernel[d]).filter(meets).map(|k| (k, k * g.dilation[d] / stride)).collect();
            if let (Some(least), Some(most)) = (taps.first(), taps.last()) {
                origin[d] = low as isize - most.1 as isize;
                reach[d] = most.1 - least.1 + 1;
                seen[d] = taps.iter().map(|&(k, t)| (k, most.1 - t)).collect();
            }
        }
        let mut taps = Vec::new();
        for &(z, dz) in &seen[0] {
            for &(y, dy) in &seen[1] {
                for &(x, dx) in &seen[2] {
                    taps.push(((z * g.kernel[1] + y) * g.kernel[2] + x, [dz, dy, dx]));
                }
            }
        }
        Some(Class { frame: Frame::new(g.output, origin, [1; 3], count, reach), first, taps })
    }
}

/// See [`super::input_gradient`].
///
/// # Safety
/// As there; and [`Geometry::suits_windows`].
pub unsafe fn input_gradient<T: Gemm + Number>(g: &Geometry, gradient: *const T, weight: *const T, out: *mut T) {
    let (places, plane, taps) = (g.places(), g.plane(), g.taps());
    let [depth, height, width] = g.stride;
    let phases = (0..depth * height * width).map(|i| [i / width / height, i / width % height, i % width]);
    let classes: Vec<Class> = phases.filter_map(|phase| Class::new(g, phase)).collect();
    // For each class the weights with channels as rows.
    let weights = |class: &Class| -> Vec<T> {
        let mut all = Vec::with_capacity(g.groups * g.channels * g.features * class.taps.len());
        for group in 0..g.groups {
            for channel in 0..g.channels {
                for feature in 0..g.features {
                    let first = ((group * g.features + feature) * g.channels + channel) * taps;
                    // SAFETY: by the caller's promise.
                    all.extend(class.taps.iter().map(|&(tap, _)| unsafe { *weight.add(first + tap) }));
                }
            }
        }
        all
    };
    let matrices: Vec<Vec<T>> = classes.iter().map(weights).collect();
    let matrices = &matrices;
    let work = g.features * g.channels * taps * places;
    let least = PARTS.div_ceil(g.batch * g.groups);
    let units: Vec<(usize, Range<usize>)> = classes
        .iter()
        .enumerate()
        .flat_map(|(i, class)| class.frame.parts(g.features, least).into_iter().map(move |part| (i, part)))
        .collect();
    let [gradient, out] = [gradient, out.cast_const()].map(Shared::new);
    let grain = GRAIN.div_ceil((work / units.len().max(1)).max(1));
    parallel::for_each_chunk(g.batch * g.groups * units.len(), grain, |range| {
        for unit in range {
            let (image, (number, part)) = (unit / units.len(), &units[unit % units.len()]);
            let class = &classes[*number];
            let (frame, divided) = (class.frame.part(part), class.frame.divided());
            let of = |feature: usize| class.taps.iter().map(move |tap| (feature, tap.1));
            let offsets: Vec<isize> =
                (0..g.features).flat_map(of).map(|(feature, tap)| frame.offset(feature, tap)).collect();
            // SAFETY: the tensors are as large as said; each unit writes elements of its own.
            unsafe {
                let write = |channel: usize, [z, y]: [usize; 2], results: &[T]| {
                    let mut at = [z, y, 0];
                    at[divided] += part.start;
                    let at: [usize; 3] = std::array::from_fn(|d| class.first[d] + at[d] * g.stride[d]);
                    let line = (at[0] * g.input[1] + at[1]) * g.input[2] + at[2];
                    let sink = out.get().add((image * g.channels + channel) * plane + line);
                    match g.stride[2] {
                        1 => std::ptr::copy_nonoverlapping(results.as_ptr(), sink, results.len()),
                        step => results.iter().enumerate().for_each(|(i, &x)| *sink.add(i * step) = x),
                    }
                };
                if offsets.is_empty() {
                    let zeros = vec![T::default(); frame.count[2]];
                    for channel in 0..g.channels {
                        (0..frame.count[0] * frame.count[1])
                            .for_each(|row| write(channel, [row / frame.count[1], row % frame.count[1]], &zeros));
                    }
                    continue;
                }
                let source = gradient.get().add(image * g.features * places).cast_const();
                let first = image % g.groups * g.channels * offsets.len();
                let matrix = (g.channels, matrices[*number].as_ptr().add(first), offsets.len());
                frame.products(g.features, source, matrix, &offsets, write);
            }
        }
    });
}

/// Features from which on they fill registers of a product.
const WIDE: usize = 12;

/// The gradient of a group's weights of some channels: the sum over images, each the gradient of its output and what its
/// channels hold.
///
/// # Safety
/// The images have the channels, their gradients the features of a group; the sum is a part of the weight.
pub unsafe fn weight_gradient<T: Gemm + Number>(
    g: &Geometry,
    images: impl Iterator<Item = (*const T, *const T)>,
    channels: usize,
    sink: *mut T,
) {
    let (places, features, depth) = (g.places(), g.features, g.channels * g.taps());
    let (frame, taps) = (g.frame(), channels * g.taps());
    let (divided, parts) = (frame.divided(), frame.parts(channels + features / 2, 1));
    // The sum for many features is made with them side by side.
    let wide = features >= WIDE;
    let held = if wide { taps * features } else { 0 };
    let largest = parts.first().map_or(frame, |part| frame.part(part));
    let copied = channels * largest.plane();
    with_scratch(held + copied + features * largest.length(), |sum: *mut T| {
        let mut begun = false;
        // SAFETY: by the caller's promise; the scratch has room for a sum, a copy and a layer of the gradient.
        unsafe {
            let copy = sum.add(held);
            let layer = copy.add(copied);
            for (gradient, input) in images {
                for part in &parts {
                    let frame = frame.part(part);
                    let (offsets, length) = (g.offsets(&frame, channels), frame.length());
                    frame.copy(channels, input, copy);
                    for z in 0..frame.count[0] {
                        let mut at = [z, 0, 0];
                        at[divided] += part.start;
                        let from = gradient.add((at[0] * g.output[1] + at[1]) * g.output[2] + at[2]);
                        let shown = copy.add(z * frame.layer()).cast_const();
                        if wide {
                            frame.spread_turned(features, from, (places, g.output[2]), layer);
                            listed(shown, &offsets, length, layer.cast_const(), features, sum, begun);
                        } else {
                            frame.spread(features, from, (places, g.output[2]), layer);
                            let (a, b) = (layer.cast_const(), shown);
                            let product =
                                Shifted { m: features, a, a_row: length, b, offsets: &offsets, c: sink, c_row: depth };
                            row_products(&product, length, begun);
                        }
                        begun = true;
                    }
                }
            }
            if wide {
                transpose(taps, features, sum.cast_const(), features, sink, depth);
            }
        }
    });
}

impl Frame {
    /// Rows of a layer of results, apart as those of the copy, with zeros between them: row after row of each of some
    /// planes, `plane` elements apart as their rows are `row`.
    ///
    /// # Safety
    /// There are so many planes, and room for all.
    unsafe fn spread<T: Number>(&self, planes: usize, from: *const T, (plane, row): (usize, usize), to: *mut T) {
        let (width, gap) = (self.count[2], self.block[2] - self.count[2]);
        for i in 0..planes {
            for y in 0..self.count[1] {
                // SAFETY: by the caller's promise; there is no gap after the last row.
                unsafe {
                    let to = to.add(i * self.length() + y * self.block[2]);
                    std::ptr::copy_nonoverlapping(from.add(i * plane + y * row), to, width);
                    if y + 1 < self.count[1] {
                        std::slice::from_raw_parts_mut(to.add(width), gap).fill(T::default());
                    }
                }
            }
        }
    }

    /// As [`spread`](Self::spread), with the planes side by side.
    ///
    /// # Safety
    /// As there.
    unsafe fn spread_turned<T: Number>(&self, planes: usize, from: *const T, (plane, row): (usize, usize), to: *mut T) {
        let (width, gap) = (self.count[2], self.block[2] - self.count[2]);
        for y in 0..self.count[1] {
            // SAFETY: by the caller's promise; there is no gap after the last row.
            unsafe {
                let to = to.add(y * self.block[2] * planes);
                transpose(planes, width, from.add(y * row), plane, to, planes);
                if y + 1 < self.count[1] {
                    std::slice::from_raw_parts_mut(to.add(width * planes), gap * planes).fill(T::default());
                }
            }
        }
    }
}
