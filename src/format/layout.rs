//! Brackets, rows and ellipses: which elements are shown, and where.

use std::ops::Range;

use super::{cells::Cells, options::Options};
use crate::shape::{Dims, contiguous_strides};

/// The shape of a non-empty tensor and what of it is shown.
pub(super) struct Layout<'a> {
    sizes: &'a [usize],
    /// Elements between neighbours along each dimension.
    strides: Dims,
    /// Items kept at each end of a dimension, when the tensor is summarised.
    edge: Option<usize>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(sizes: &'a [usize], options: &Options) -> Self {
        let numel: usize = sizes.iter().product();
        let edge = (numel > options.threshold).then_some(options.edgeitems);
        Self { sizes, strides: contiguous_strides(sizes), edge }
    }

    /// The positions along `dim` before and after the ellipsis, if it has one.
    fn shown(&self, dim: usize) -> (Range<usize>, Option<Range<usize>>) {
        let size = self.sizes[dim];
        match self.edge {
            Some(edge) if edge < size.div_ceil(2) => (0..edge, Some(size - edge..size)),
            _ => (0..size, None),
        }
    }

    /// Calls `f` with the index of every element shown.
    pub(super) fn visit(&self, f: &mut dyn FnMut(usize)) {
        self.visit_from(0, 0, f);
    }

    fn visit_from(&self, dim: usize, offset: usize, f: &mut dyn FnMut(usize)) {
        if dim == self.sizes.len() {
            return f(offset);
        }
        let (head, tail) = self.shown(dim);
        for i in head.chain(tail.unwrap_or_default()) {
            self.visit_from(dim + 1, offset + i * self.strides[dim], f);
        }
    }

    /// Appends the values with their brackets, `indent` columns in.
    pub(super) fn write(&self, cells: &Cells<'_>, indent: usize, linewidth: usize, out: &mut String) {
        if self.sizes.is_empty() {
            cells.write(0, out);
        } else if self.edge == Some(0) {
            out.push_str("[...]");
        } else {
            self.write_block(0, 0, cells, indent, linewidth, out);
        }
    }

    fn write_block(
        &self,
        dim: usize,
        offset: usize,
        cells: &Cells<'_>,
        indent: usize,
        linewidth: usize,
        out: &mut String,
    ) {
        let inner = self.sizes.len() - dim - 1;
        // Blocks of two or more dimensions are set apart by blank lines.
        let (per_line, newlines) = match inner {
            0 => ((linewidth.saturating_sub(indent) / (cells.width() + 2)).max(1), 1),
            _ => (1, inner),
        };
        let (head, tail) = self.shown(dim);
        let ellipsis = tail.is_some().then_some(None);
        let items = head.map(Some).chain(ellipsis).chain(tail.unwrap_or_default().map(Some));

        out.push('[');
        for (count, item) in items.enumerate() {
            if count > 0 && count % per_line == 0 {
                out.push(',');
                out.extend(std::iter::repeat_n('\n', newlines));
                pad(out, indent + 1);
            } else if count > 0 {
                out.push_str(", ");
            }
            match item {
                // Inside a row the ellipsis stands a little apart.
                None => out.push_str(if inner == 0 { " ..." } else { "..." }),
                Some(i) if inner == 0 => cells.write(offset + i, out),
                Some(i) => {
                    let offset = offset + i * self.strides[dim];
                    self.write_block(dim + 1, offset, cells, indent + 1, linewidth, out);
                }
            }
        }
        out.push(']');
    }
}

/// Appends `columns` spaces.
pub(super) fn pad(out: &mut String, columns: usize) {
    out.extend(std::iter::repeat_n(' ', columns));
}
