//! Text of a tensor, character for character as PyTorch writes it.
//!
//! Nothing here knows what a tensor is: values arrive through [`Elements`], one
//! at a time, and only those that end up in the text are ever asked for.

mod cells;
mod layout;
mod options;
#[cfg(test)]
mod tests;

use cells::Cells;
use layout::Layout;
pub use options::{Options, Profile};

use crate::shape::show;

/// Read access to the values of one tensor, by position in row-major order.
///
/// Every floating dtype is read as `f64` and every integral one as `i128`: the
/// choice of notation is made in double precision whatever the dtype, so a
/// single-precision `1e-4`, just below the limit for fixed notation once
/// widened, is written `1.0000e-04`.
#[derive(Clone, Copy)]
pub enum Elements<'a> {
    Float(&'a dyn Fn(usize) -> f64),
    Int(&'a dyn Fn(usize) -> i128),
    Bool(&'a dyn Fn(usize) -> bool),
    /// Real and imaginary part.
    Complex(&'a dyn Fn(usize) -> (f64, f64)),
}

/// Writes a tensor: `prefix` (normally `"tensor("`), its values, then
/// `suffixes` such as `"dtype=torch.float64"`, separated by commas, and `)`.
///
/// Lines after the first are indented by the length of `prefix`, and a suffix
/// that would cross the line width starts a line of its own. The `size=(..)`
/// note of tensors whose shape cannot be read off their brackets is added
/// here, before `suffixes`.
pub fn format_tensor<S: AsRef<str>>(
    elements: Elements<'_>,
    sizes: &[usize],
    suffixes: &[S],
    prefix: &str,
    options: &Options,
) -> String {
    let mut out = String::from(prefix);
    let indent = prefix.chars().count();
    let empty = sizes.contains(&0);
    if empty {
        out.push_str("[]");
    } else {
        let layout = Layout::new(sizes, options);
        let cells = Cells::new(elements, &layout, options);
        layout.write(&cells, indent, options.linewidth, &mut out);
    }

    let shape_hidden = if empty { sizes.len() != 1 } else { options.edgeitems == 0 };
    let size = shape_hidden.then(|| format!("size={}", show(sizes)));
    // PyTorch counts two columns more than the values take.
    let mut column = 2 + out.chars().rev().take_while(|&c| c != '\n').count();
    for suffix in size.as_deref().into_iter().chain(suffixes.iter().map(AsRef::as_ref)) {
        let length = suffix.chars().count();
        if column + 2 + length > options.linewidth {
            out.push_str(",\n");
            layout::pad(&mut out, indent);
            column = indent + length;
        } else {
            out.push_str(", ");
            column += 2 + length;
        }
        out.push_str(suffix);
    }
    out.push(')');
    out
}
