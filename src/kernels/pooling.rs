//! The largest element of each window of a plane, and moving elements to and from the places where they were found.

use crate::kernels::algebra::Number;
use crate::kernels::parallel::{self, Shared};

/// Elements of one dimension: `count` of them from `start` on, each `step` from the one before.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub start: usize,
    pub count: usize,
    pub step: usize,
}

/// Planes of three dimensions, and the windows of each dimension of the result.
pub struct Windows {
    pub planes: usize,
    pub input: [usize; 3],
    pub output: [usize; 3],
    /// As many as the output has elements along the dimension; or, if each plane has its own, `planes` times as many.
    pub along: [Vec<Window>; 3],
}

impl Windows {
    fn of(&self, plane: usize, d: usize) -> &[Window] {
        let (all, count) = (&self.along[d], self.output[d]);
        if all.len() == count { all } else { &all[plane * count..(plane + 1) * count] }
    }
}

/// The largest element of each window, the last NaN if there is one, and its place in the plane.
///
/// # Safety
/// Row-major tensors of the planes' sizes; the results are new.
pub unsafe fn largest<T: Number>(windows: &Windows, input: *const T, values: *mut T, places: *mut i64) {
    let plane: usize = windows.input.iter().product();
    let results: usize = windows.output.iter().product();
    let taps: usize = windows.along.iter().map(|all| all.first().map_or(1, |window| window.count)).product();
    let (input, values, places) = (Shared::new(input), Shared::new(values), Shared::new(places));
    let grain = (parallel::GRAIN / 4).div_ceil((results * taps).max(1));
    parallel::for_each_chunk(windows.planes, grain, |range| {
        for i in range {
            let (depth, height, width) = (windows.of(i, 0), windows.of(i, 1), windows.of(i, 2));
            let rows = windows.input[1];
            let columns = windows.input[2];
            // SAFETY: windows lie inside the plane; each plane of the results belongs to one thread.
            unsafe {
                let source = std::slice::from_raw_parts(input.get().add(i * plane).cast_const(), plane);
                let mut at = i * results;
                for z in depth {
                    for y in height {
                        for x in width {
                            let mut most = T::lowest();
                            let mut place = (z.start * rows + y.start) * columns + x.start;
                            for dz in 0..z.count {
                                for dy in 0..y.count {
                                    let line = (z.start + dz * z.step) * rows + y.start + dy * y.step;
                                    let mut from = line * columns + x.start;
                                    for _ in 0..x.count {
                                        let value = *source.get_unchecked(from);
                                        if value > most || value.is_nan() {
                                            most = value;
                                            place = from;
                                        }
                                        from += x.step;
                                    }
                                }
                            }
                            *values.get().add(at) = most;
                            *places.get().add(at) = place as i64;
                            at += 1;
                        }
                    }
                }
            }
        }
    });
}

/// For each plane, elements of `input` put at (or, with `add`, added to) their places in a plane of zeros.
///
/// # Safety
/// `input` and `places` have `planes * count` elements, `out` `planes * size`, and all places are below `size`.
pub unsafe fn scatter<T: Number>(
    planes: usize,
    count: usize,
    size: usize,
    input: *const T,
    places: *const i64,
    out: *mut T,
    add: bool,
) {
    let (input, places, out) = (Shared::new(input), Shared::new(places), Shared::new(out));
    parallel::for_each_chunk(planes, parallel::GRAIN.div_ceil((count + size).max(1)), |range| {
        for plane in range {
            // SAFETY: by the caller's promise; each plane of the result belongs to one thread.
            unsafe {
                let out = std::slice::from_raw_parts_mut(out.get().add(plane * size), size);
                out.fill(T::default());
                for i in plane * count..(plane + 1) * count {
                    let (value, place) = (*input.get().add(i), *places.get().add(i) as usize);
                    let to = out.get_unchecked_mut(place);
                    *to = if add { *to + value } else { value };
                }
            }
        }
    });
}

/// For each plane, the elements of `input` at some places.
///
/// # Safety
/// `input` has `planes * size` elements, `places` and `out` `planes * count`, and all places are below `size`.
pub unsafe fn gather<T: Number>(
    planes: usize,
    count: usize,
    size: usize,
    input: *const T,
    places: *const i64,
    out: *mut T,
) {
    let (input, places, out) = (Shared::new(input), Shared::new(places), Shared::new(out));
    parallel::for_each_chunk(planes, parallel::GRAIN.div_ceil(count.max(1)), |range| {
        for i in range.start * count..range.end * count {
            // SAFETY: by the caller's promise.
            unsafe { *out.get().add(i) = *input.get().add(i / count * size + *places.get().add(i) as usize) };
        }
    });
}
