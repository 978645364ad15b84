//! The largest element of each window of a plane, and moving elements to and from the places where they were found.

use std::ops::Range;

use crate::kernels::algebra::Number;
use crate::kernels::parallel::{self, Parts, Shared};

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
    /// Whether each plane has its own along a dimension.
    fn differ(&self, d: usize) -> bool {
        self.along[d].len() != self.output[d]
    }

    fn of(&self, plane: usize, d: usize) -> &[Window] {
        let (all, count) = (&self.along[d], self.output[d]);
        if self.differ(d) { &all[plane * count..(plane + 1) * count] } else { all }
    }
}

/// Windows side by side of which the largest elements are found together: so many that the last few of them, which are
/// no whole vector, count for little.
const SIDE: usize = 256;

/// The largest element of each window, the last NaN if there is one, and its place in the plane if that is asked for.
///
/// # Safety
/// Row-major tensors of the planes' sizes; the results are new.
pub unsafe fn largest<T: Number>(windows: &Windows, input: *const T, values: *mut T, places: Option<*mut i64>) {
    let results: usize = windows.output.iter().product();
    let taps: usize = windows.along.iter().map(|all| all.first().map_or(1, |window| window.count)).product();
    let (input, values) = (Shared::new(input), Shared::new(values));
    let grain = (parallel::GRAIN / 4).div_ceil((results * taps).max(1));
    match places {
        Some(places) => {
            let places = Shared::new(places);
            parallel::for_each_part(windows.planes, grain, &Largest::<T, true> { windows, input, values, places })
        }
        None => {
            let places = Shared::new(std::ptr::null());
            parallel::for_each_part(windows.planes, grain, &Largest::<T, false> { windows, input, values, places })
        }
    }
}

/// `PLACES` tells whether places are written.
struct Largest<'a, T, const PLACES: bool> {
    windows: &'a Windows,
    input: Shared<T>,
    values: Shared<T>,
    places: Shared<i64>,
}

impl<T: Number, const PLACES: bool> Parts for Largest<'_, T, PLACES> {
    #[inline(always)]
    fn run(&self, range: Range<usize>) {
        let &Largest { windows, input, values, places } = self;
        let [_, rows, columns] = windows.input;
        let size: usize = windows.input.iter().product();
        let mut at = range.start * windows.output.iter().product::<usize>();
        let small = size <= u32::MAX as usize;
        let mut even = 0..0;
        for i in range.clone() {
            let (depth, height, width) = (windows.of(i, 0), windows.of(i, 1), windows.of(i, 2));
            // SAFETY: windows lie inside the plane; each plane of the results belongs to one thread.
            let plane = unsafe { std::slice::from_raw_parts(input.get().add(i * size).cast_const(), size) };
            if small && (i == range.start || windows.differ(2)) {
                even = evenly_spaced(width);
            }
            for z in depth {
                for y in height {
                    let line =
                        |dz: usize, dy: usize| ((z.start + dz * z.step) * rows + y.start + dy * y.step) * columns;
                    let one = |x: Window, at: usize| {
                        let (mut most, mut place) = (T::lowest(), line(0, 0) + x.start);
                        for dz in 0..z.count {
                            for dy in 0..y.count {
                                for dx in 0..x.count {
                                    let from = line(dz, dy) + x.start + dx * x.step;
                                    // SAFETY: as above.
                                    let value = unsafe { *plane.get_unchecked(from) };
                                    if value > most || value.is_nan() {
                                        (most, place) = (value, from);
                                    }
                                }
                            }
                        }
                        // SAFETY: as above.
                        unsafe {
                            *values.get().add(at) = most;
                            if PLACES {
                                *places.get().add(at) = place as i64;
                            }
                        }
                    };
                    (0..even.start).chain(even.end..width.len()).for_each(|x| one(width[x], at + x));
                    for left in even.clone().step_by(SIDE) {
                        let some = &width[left..even.end.min(left + SIDE)];
                        // SAFETY: as above; these windows are of one size and evenly spaced.
                        unsafe {
                            let (value, place) = (values.get().add(at + left), places.get().wrapping_add(at + left));
                            let area = ([z.count, y.count], line);
                            match some.get(1).map_or(1, |next| next.start - some[0].start) {
                                1 => side_by_side::<T, PLACES>(plane, some, 1, area, value, place),
                                2 => side_by_side::<T, PLACES>(plane, some, 2, area, value, place),
                                3 => side_by_side::<T, PLACES>(plane, some, 3, area, value, place),
                                stride => side_by_side::<T, PLACES>(plane, some, stride, area, value, place),
                            }
                        }
                    }
                    at += width.len();
                }
            }
        }
    }
}

/// The longest list of windows, of those that are as large as any, whose distances are the same.
#[inline(always)]
fn evenly_spaced(windows: &[Window]) -> Range<usize> {
    let most = windows.iter().map(|window| window.count).max().unwrap_or(0);
    let Some(first) = windows.iter().position(|window| window.count == most) else { return 0..0 };
    let rest = &windows[first..];
    let stride = rest.get(1).map_or(1, |next| next.start.wrapping_sub(rest[0].start));
    let follows = |pair: &[Window]| {
        pair[1].count == most && pair[1].start == pair[0].start + stride && pair[1].step == pair[0].step
    };
    let count = rest.windows(2).take_while(|pair| follows(pair)).count();
    first..first + count + 1
}

/// The largest elements of windows of one row that are `stride` apart; `line` is where a row of the plane begins.
///
/// # Safety
/// The windows lie inside the plane, which has at most 2^32 elements; there is room for the results.
#[inline(always)]
unsafe fn side_by_side<T: Number, const PLACES: bool>(
    plane: &[T],
    windows: &[Window],
    stride: usize,
    (counts, line): ([usize; 2], impl Fn(usize, usize) -> usize),
    values: *mut T,
    places: *mut i64,
) {
    let (first, count) = (windows[0], windows.len());
    let (mut most, mut place) = ([T::lowest(); SIDE], [line(0, 0) as u32; SIDE]);
    for dz in 0..counts[0] {
        for dy in 0..counts[1] {
            for dx in 0..first.count {
                // Where the element lies that the first window meets, but for where that begins.
                let tap = line(dz, dy) + dx * first.step;
                for x in 0..count {
                    // SAFETY: by the caller's promise.
                    let value = unsafe { *plane.get_unchecked(tap + first.start + x * stride) };
                    let better = (value > most[x]) | value.is_nan();
                    most[x] = if better { value } else { most[x] };
                    if PLACES {
                        place[x] = if better { tap as u32 } else { place[x] };
                    }
                }
            }
        }
    }
    for x in 0..count {
        // SAFETY: as above.
        unsafe {
            *values.add(x) = most[x];
            if !PLACES {
                continue;
            }
            *places.add(x) = (place[x] as usize + first.start + x * stride) as i64;
        }
    }
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
