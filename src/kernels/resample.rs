//! Linear maps along dimensions, each given by a table: resizing, average pooling, padding, unfolding.
//!
//! # Note: Tables
//! An element of the result is a weighted sum of a few elements of the input along one dimension; a map over several
//! dimensions is one after another. The gradient of such a map is the map of the transposed table, so that one loop
//! serves values and gradients of all orders, and no two threads ever add to the same element.

use crate::kernels::algebra::Number;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};

/// What each element of the result is made of along one dimension.
#[derive(Clone, Debug)]
pub struct Table {
    /// The size of the input.
    size: usize,
    /// The taps of element i are those from `starts[i]` to `starts[i + 1]`.
    starts: Vec<usize>,
    /// An element of the input, and its weight.
    taps: Vec<(usize, f64)>,
}

impl Table {
    /// A table for an input of `size`, whose results `row` gives the taps of, one after another.
    pub fn new(size: usize, results: usize, mut row: impl FnMut(usize, &mut Vec<(usize, f64)>)) -> Table {
        let (mut starts, mut taps) = (vec![0], Vec::with_capacity(results));
        for i in 0..results {
            row(i, &mut taps);
            starts.push(taps.len());
        }
        Table { size, starts, taps }
    }

    pub fn results(&self) -> usize {
        self.starts.len() - 1
    }

    /// The table of the gradient.
    pub fn transposed(&self) -> Table {
        let mut rows = vec![Vec::new(); self.size];
        for i in 0..self.results() {
            for &(from, weight) in self.row(i) {
                rows[from].push((i, weight));
            }
        }
        Table::new(self.results(), self.size, |i, taps| taps.append(&mut rows[i]))
    }

    fn row(&self, i: usize) -> &[(usize, f64)] {
        &self.taps[self.starts[i]..self.starts[i + 1]]
    }

    fn is_identity(&self) -> bool {
        self.size == self.results() && (0..self.size).all(|i| *self.row(i) == [(i, 1.0)])
    }
}

/// Applies a table for each of the last dimensions of a row-major tensor of `sizes`.
///
/// # Safety
/// `input` has these sizes; `out` has room for the result, and is not the input.
pub unsafe fn resample<T: Number>(sizes: &[usize], tables: &[Table], input: *const T, out: *mut T) {
    let lead = sizes.len() - tables.len();
    let mut sizes = sizes.to_vec();
    // What shrinks comes first.
    let mut order: Vec<usize> = (0..tables.len()).filter(|&d| !tables[d].is_identity()).collect();
    let growth = |d: &usize| tables[*d].results() as f64 / sizes[lead + d].max(1) as f64;
    order.sort_by(|a, b| growth(a).total_cmp(&growth(b)));
    let mut held: Vec<T> = Vec::new();
    let Some((&last, rest)) = order.split_last() else {
        // SAFETY: input and result are of one size.
        return unsafe { std::ptr::copy_nonoverlapping(input, out, sizes.iter().product()) };
    };
    let mut source = input;
    for &d in rest {
        let mut next =
            vec![T::default(); sizes.iter().product::<usize>() / sizes[lead + d].max(1) * tables[d].results()];
        // SAFETY: the vector has room for the result of this dimension.
        unsafe { along(&sizes, lead + d, &tables[d], source, next.as_mut_ptr()) };
        sizes[lead + d] = tables[d].results();
        held = next;
        source = held.as_ptr();
    }
    // SAFETY: by the caller's promise.
    unsafe { along(&sizes, lead + last, &tables[last], source, out) };
    drop(held);
}

/// Elements of a table's rows that follow each other.
struct Work<'a, T> {
    table: &'a Table,
    inner: usize,
    input: *const T,
    out: *mut T,
    rows: std::ops::Range<usize>,
}

/// # Safety
/// As for [`resample`], for dimension `d` alone.
unsafe fn along<T: Number>(sizes: &[usize], d: usize, table: &Table, input: *const T, out: *mut T) {
    let inner: usize = sizes[d + 1..].iter().product();
    let outer: usize = sizes[..d].iter().product();
    let (input, out) = (Shared::new(input), Shared::new(out));
    let work = inner * (table.taps.len() / table.results().max(1) + 1);
    parallel::for_each_chunk(outer * table.results(), (parallel::GRAIN / 2).div_ceil(work.max(1)), |rows| {
        simd::vectorize(Work { table, inner, input: input.get().cast_const(), out: out.get(), rows });
    });
}

impl<T: Number> Vectorized for Work<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (results, size, inner) = (self.table.results(), self.table.size, self.inner);
        let (mut outer, mut i) = (self.rows.start / results.max(1), self.rows.start % results.max(1));
        for row in self.rows {
            let taps = self.table.row(i);
            // SAFETY: indices of the table lie inside the input, rows inside the result.
            unsafe {
                let source = self.input.add(outer * size * inner);
                let sink = self.out.add(row * inner);
                match (inner, taps) {
                    (1, taps) => {
                        let mut sum = T::default();
                        for &(from, weight) in taps {
                            sum = sum + *source.add(from) * T::from_f64(weight);
                        }
                        *sink = sum;
                    }
                    (_, [(from, 1.0)]) => std::ptr::copy_nonoverlapping(source.add(from * inner), sink, inner),
                    (_, []) => std::slice::from_raw_parts_mut(sink, inner).fill(T::default()),
                    (_, [first, rest @ ..]) => {
                        let sink = std::slice::from_raw_parts_mut(sink, inner);
                        let row = |from: usize| std::slice::from_raw_parts(source.add(from * inner), inner);
                        let weight = T::from_f64(first.1);
                        sink.iter_mut().zip(row(first.0)).for_each(|(out, &x)| *out = x * weight);
                        for &(from, weight) in rest {
                            let weight = T::from_f64(weight);
                            sink.iter_mut().zip(row(from)).for_each(|(out, &x)| *out = *out + x * weight);
                        }
                    }
                }
            }
            i += 1;
            if i == results {
                (outer, i) = (outer + 1, 0);
            }
        }
    }
}
