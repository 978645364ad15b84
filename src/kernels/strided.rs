//! A strided region read or written as one row-major sequence.

use crate::shape::Dims;

/// Sizes and strides with everything merged that can be: the fewest dimensions that give the same sequence.
#[derive(Clone, Debug)]
pub struct Sequence {
    sizes: Dims,
    strides: Dims,
}

impl Sequence {
    pub fn new(sizes: &[usize], strides: &[usize]) -> Sequence {
        let mut merged = Sequence { sizes: Dims::new(), strides: Dims::new() };
        for (&size, &stride) in sizes.iter().zip(strides) {
            if size == 1 {
                continue;
            }
            match (merged.sizes.last_mut(), merged.strides.last_mut()) {
                (Some(last), Some(last_stride)) if *last_stride == stride * size => {
                    *last *= size;
                    *last_stride = stride;
                }
                _ => {
                    merged.sizes.push(size);
                    merged.strides.push(stride);
                }
            }
        }
        merged
    }

    /// `length` elements one after another.
    pub fn dense(length: usize) -> Sequence {
        Sequence { sizes: Dims::from_elem(length, 1), strides: Dims::from_elem(1, 1) }
    }

    /// One element after another.
    pub fn is_dense(&self) -> bool {
        matches!(&self.strides[..], [] | [1])
    }

    /// The same element over and over.
    pub fn is_constant(&self) -> bool {
        self.strides.iter().all(|&stride| stride == 0)
    }

    /// Size and stride of the innermost merged dimension.
    pub fn last_run(&self) -> (usize, usize) {
        (self.sizes.last().copied().unwrap_or(1), self.strides.last().copied().unwrap_or(0))
    }

    /// Starts at element `start` of the sequence.
    pub fn runs_from(&self, start: usize) -> Runs<'_> {
        let mut index: Dims = self.sizes.clone();
        let mut rest = start;
        let mut offset = 0;
        for d in (0..self.sizes.len()).rev() {
            let size = self.sizes[d].max(1);
            index[d] = rest % size;
            rest /= size;
            offset += index[d] * self.strides[d];
        }
        Runs { sequence: self, index, offset }
    }
}

/// Walks a [`Sequence`] in runs of equal stride.
pub struct Runs<'a> {
    sequence: &'a Sequence,
    index: Dims,
    offset: usize,
}

impl Runs<'_> {
    /// The next run of at most `most` elements: its offset, its stride and its length (0 for `most == 0`).
    /// Must not be called past the end.
    #[inline]
    pub fn next_run(&mut self, most: usize) -> (usize, usize, usize) {
        let Some(last) = self.index.len().checked_sub(1) else {
            return (self.offset, 0, most.min(1));
        };
        let (sizes, strides) = (&self.sequence.sizes, &self.sequence.strides);
        let length = most.min(sizes[last] - self.index[last]);
        let run = (self.offset, strides[last], length);
        self.index[last] += length;
        self.offset += length * strides[last];
        let mut d = last;
        while self.index[d] == sizes[d] && d > 0 {
            self.offset -= self.index[d] * strides[d];
            self.index[d] = 0;
            d -= 1;
            self.index[d] += 1;
            self.offset += strides[d];
        }
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_visit_every_element_in_row_major_order() {
        let (sizes, strides) = ([3, 1, 4, 2], [1, 7, 6, 3]);
        let sequence = Sequence::new(&sizes, &strides);
        assert_eq!(sequence.sizes.as_slice(), &[3, 8]);
        for start in 0..24 {
            let mut runs = sequence.runs_from(start);
            let mut seen = Vec::new();
            while seen.len() < 24 - start {
                let (offset, stride, n) = runs.next_run(3.min(24 - start - seen.len()));
                seen.extend((0..n).map(|i| offset + i * stride));
            }
            let all: Vec<usize> = (0..24).map(|i| i / 8 + i / 2 % 4 * 6 + i % 2 * 3).collect();
            assert_eq!(seen, all[start..]);
        }
    }
}
