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

    /// Results in which the elements of a row are copied, or summed from as many taps each.
    fn pieces<T: Number>(&self) -> Vec<Piece<T>> {
        let mut pieces: Vec<Piece<T>> = Vec::new();
        for i in 0..self.results() {
            let row = self.row(i);
            let copied = matches!(row, [(_, 1.0)]);
            match pieces.last_mut() {
                Some(last) if copied && last.follows(row[0].0) => last.count += 1,
                Some(last) if last.depth == row.len() && !(copied && self.begins_run(i)) => last.push(row),
                _ => {
                    let mut piece = Piece { first: i, count: 0, depth: row.len(), taps: Vec::new(), run: None };
                    if copied && self.begins_run(i) {
                        (piece.depth, piece.count, piece.run) = (usize::MAX, 1, Some(row[0].0));
                    } else {
                        piece.push(row);
                    }
                    pieces.push(piece);
                }
            }
        }
        pieces
    }

    /// Whether the results from `i` on are copies of elements that follow each other.
    fn begins_run(&self, i: usize) -> bool {
        let [(from, _)] = self.row(i) else { return false };
        (1..RUN).all(|step| i + step < self.results() && *self.row(i + step) == [(from + step, 1.0)])
    }

    fn is_identity(&self) -> bool {
        self.size == self.results() && (0..self.size).all(|i| *self.row(i) == [(i, 1.0)])
    }
}

/// Elements that follow each other from which on they are copied as a run.
const RUN: usize = 8;

/// Results that follow each other, of a table for the last dimension.
struct Piece<T> {
    first: usize,
    count: usize,
    /// Taps of each result.
    depth: usize,
    taps: Vec<(u32, T)>,
    /// Where the elements begin that are copied as they lie.
    run: Option<usize>,
}

impl<T: Number> Piece<T> {
    fn push(&mut self, row: &[(usize, f64)]) {
        self.taps.extend(row.iter().map(|&(from, weight)| (from as u32, T::from_f64(weight))));
        self.count += 1;
    }

    fn follows(&self, from: usize) -> bool {
        self.run.is_some_and(|run| run + self.count == from)
    }

    /// # Safety
    /// `source` and `sink` are the rows that the table is for.
    #[inline(always)]
    unsafe fn run(&self, source: *const T, sink: *mut T) {
        // SAFETY: by the caller's promise.
        unsafe {
            let sink = sink.add(self.first);
            if let Some(run) = self.run {
                return std::ptr::copy_nonoverlapping(source.add(run), sink, self.count);
            }
            match self.depth {
                1 => self.sum::<1>(source, sink),
                2 => self.sum::<2>(source, sink),
                3 => self.sum::<3>(source, sink),
                4 => self.sum::<4>(source, sink),
                depth => {
                    for i in 0..self.count {
                        let taps = &self.taps[i * depth..(i + 1) * depth];
                        let sum = taps
                            .iter()
                            .fold(T::default(), |sum, &(from, weight)| sum + *source.add(from as usize) * weight);
                        *sink.add(i) = sum;
                    }
                }
            }
        }
    }

    /// # Safety
    /// As for [`run`](Self::run); there are `DEPTH` taps for each result.
    #[inline(always)]
    unsafe fn sum<const DEPTH: usize>(&self, source: *const T, sink: *mut T) {
        for (i, taps) in self.taps.as_chunks::<DEPTH>().0.iter().enumerate() {
            // SAFETY: by the caller's promise.
            unsafe {
                let mut sum = T::default();
                for &(from, weight) in taps {
                    sum = sum + *source.add(from as usize) * weight;
                }
                *sink.add(i) = sum;
            }
        }
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
    if inner == 1 && table.size <= u32::MAX as usize {
        let pieces = table.pieces::<T>();
        let work = table.taps.len() + table.results();
        return parallel::for_each_chunk(outer, (parallel::GRAIN / 2).div_ceil(work.max(1)), |rows| {
            let (input, out) = (input.get().cast_const(), out.get());
            simd::vectorize(Rows { size: table.size, results: table.results(), pieces: &pieces, input, out, rows });
        });
    }
    let work = inner * (table.taps.len() / table.results().max(1) + 1);
    parallel::for_each_chunk(outer * table.results(), (parallel::GRAIN / 2).div_ceil(work.max(1)), |rows| {
        simd::vectorize(Work { table, inner, input: input.get().cast_const(), out: out.get(), rows });
    });
}

/// Rows along the last dimension.
struct Rows<'a, T> {
    size: usize,
    results: usize,
    pieces: &'a [Piece<T>],
    input: *const T,
    out: *mut T,
    rows: std::ops::Range<usize>,
}

impl<T: Number> Vectorized for Rows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for row in self.rows {
            for piece in self.pieces {
                // SAFETY: the pieces are those of a table for rows of these sizes.
                unsafe { piece.run(self.input.add(row * self.size), self.out.add(row * self.results)) }
            }
        }
    }
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
                match taps {
                    [(from, 1.0)] => std::ptr::copy_nonoverlapping(source.add(from * inner), sink, inner),
                    [] => std::slice::from_raw_parts_mut(sink, inner).fill(T::default()),
                    [first, rest @ ..] => {
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
