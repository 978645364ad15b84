//! The lines of a tensor along one dimension, each of which is worked on by itself.

use std::ops::Range;

use crate::data::Data;
use crate::kernels::index::offsets;
use crate::kernels::parallel;
use crate::shape::Dims;

/// Where the lines of a tensor are.
pub struct Lines {
    /// The offset of the first element of each line.
    first: Vec<usize>,
    /// From an element to the next.
    pub stride: usize,
    pub length: usize,
}

impl Lines {
    /// The lines along dimension `dim`; a tensor without dimensions is one line of one element.
    pub fn new(data: &Data, dim: usize) -> Lines {
        if data.sizes.is_empty() {
            return Lines { first: vec![0], stride: 1, length: 1 };
        }
        let without =
            |dims: &Dims| -> Dims { dims.iter().enumerate().filter(|row| row.0 != dim).map(|row| *row.1).collect() };
        Lines {
            first: offsets(&without(&data.sizes), &without(&data.strides)),
            stride: data.strides[dim],
            length: data.sizes[dim],
        }
    }

    pub fn count(&self) -> usize {
        self.first.len()
    }

    /// The offset of the first element of line `number`.
    #[inline]
    pub fn first(&self, number: usize) -> usize {
        self.first[number]
    }

    /// Calls `body` with the number of each line, the work shared between threads.
    pub fn for_each(&self, body: impl Fn(usize) + Sync) {
        self.for_each_chunk(|range| range.for_each(&body));
    }

    /// Calls `body` with ranges of lines, the work shared between threads.
    pub fn for_each_chunk(&self, body: impl Fn(Range<usize>) + Sync) {
        // A step of what is done with lines costs more than one of an elementwise operation.
        let grain = (parallel::GRAIN / 8 / self.length.max(1)).max(1);
        parallel::for_each_chunk(self.count(), grain, body);
    }
}
