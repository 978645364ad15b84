//! The text of single elements, in the notation and width the shown ones share.

use std::fmt::Write;

use super::{Elements, layout::Layout, options::Options};

/// The elements, with what was settled by looking at the shown ones.
pub(super) enum Cells<'a> {
    Float(&'a dyn Fn(usize) -> f64, Notation),
    Int(&'a dyn Fn(usize) -> i128, usize),
    Bool(&'a dyn Fn(usize) -> bool, usize),
    Complex(&'a dyn Fn(usize) -> (f64, f64), Notation, Notation),
}

impl<'a> Cells<'a> {
    pub(super) fn new(elements: Elements<'a>, layout: &Layout<'_>, options: &Options) -> Self {
        match elements {
            Elements::Float(read) => {
                let mut extent = Extent::default();
                layout.visit(&mut |i| extent.include(read(i)));
                Self::Float(read, Notation::new(&extent, options))
            }
            Elements::Int(read) => {
                let (mut least, mut greatest) = (0, 0);
                layout.visit(&mut |i| {
                    let value = read(i);
                    least = value.min(least);
                    greatest = value.max(greatest);
                });
                let width = |value: i128| value.to_string().len();
                Self::Int(read, width(least).max(width(greatest)))
            }
            Elements::Bool(read) => {
                let mut width = "True".len();
                layout.visit(&mut |i| width = width.max(python_bool(read(i)).len()));
                Self::Bool(read, width)
            }
            Elements::Complex(read) => {
                let (mut real, mut imag) = (Extent::default(), Extent::default());
                layout.visit(&mut |i| {
                    let (re, im) = read(i);
                    real.include(re);
                    imag.include(im);
                });
                Self::Complex(read, Notation::new(&real, options), Notation::new(&imag, options))
            }
        }
    }

    /// Columns an element is taken to need when rows are divided into lines.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Float(_, notation) => notation.width,
            Self::Int(_, width) | Self::Bool(_, width) => *width,
            Self::Complex(_, real, imag) => real.width + imag.width + 1,
        }
    }

    /// Appends element `index`. Writing to a `String` cannot fail.
    pub(super) fn write(&self, index: usize, out: &mut String) {
        match *self {
            Self::Float(read, ref notation) => notation.write_padded(read(index), out),
            Self::Int(read, width) => {
                let _ = write!(out, "{:>width$}", read(index));
            }
            Self::Bool(read, width) => {
                let _ = write!(out, "{:>width$}", python_bool(read(index)));
            }
            Self::Complex(read, ref real, ref imag) => {
                let (re, im) = read(index);
                real.write_padded(re, out);
                // Only the real part is aligned.
                let start = out.len();
                imag.write(im, out);
                if !out[start..].starts_with('-') {
                    out.insert(start, '+');
                }
                out.push('j');
            }
        }
    }
}

fn python_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Extremes of the finite non-zero values seen; only these bear on notation.
struct Extent {
    /// Smallest and greatest magnitude, of positive and of negative values.
    signs: [Option<(f64, f64)>; 2],
    /// Whether every value was an integer.
    integral: bool,
}

impl Default for Extent {
    fn default() -> Self {
        Self { signs: [None; 2], integral: true }
    }
}

impl Extent {
    fn include(&mut self, value: f64) {
        if value == 0.0 || !value.is_finite() {
            return;
        }
        let size = value.abs();
        let (least, greatest) = self.signs[usize::from(value < 0.0)].get_or_insert((size, size));
        *least = least.min(size);
        *greatest = greatest.max(size);
        self.integral &= value.fract() == 0.0;
    }

    /// The smallest and the greatest magnitude, if there was any value.
    fn magnitudes(&self) -> Option<(f64, f64)> {
        let seen = self.signs.iter().flatten().copied();
        seen.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// The values among which a longest one is found in any notation: lengths
    /// grow with the magnitude, or with the exponent, of values of one sign.
    fn extremes(&self) -> impl Iterator<Item = f64> {
        let signed = self.signs.into_iter().zip([1.0, -1.0]);
        signed.filter_map(|(seen, sign)| seen.map(|(least, greatest)| [sign * least, sign * greatest])).flatten()
    }
}

#[derive(Clone, Copy)]
enum Style {
    /// `1.`, for integers.
    Integral,
    /// `1.0000`
    Fixed,
    /// `1.0000e+00`
    Scientific,
}

/// How the floating values of one tensor are written.
pub(super) struct Notation {
    style: Style,
    precision: usize,
    width: usize,
}

impl Notation {
    fn new(extent: &Extent, options: &Options) -> Self {
        let plain = if extent.integral { Style::Integral } else { Style::Fixed };
        let style = extent.magnitudes().map_or(plain, |(least, greatest)| {
            let uneven = greatest / least > 1000.0 || greatest > 1e8;
            let tiny = !extent.integral && least < 1e-4;
            if options.sci_mode.unwrap_or(uneven || tiny) { Style::Scientific } else { plain }
        });
        // Rust's formatting panics at more digits than fit a u16, counting the leading one.
        let precision = options.precision.min(usize::from(u16::MAX) - 1);
        let mut notation = Self { style, precision, width: 1 };
        let mut text = String::new();
        for value in extent.extremes() {
            text.clear();
            notation.write(value, &mut text);
            notation.width = notation.width.max(text.len());
        }
        notation
    }

    fn write_padded(&self, value: f64, out: &mut String) {
        let start = out.len();
        self.write(value, out);
        let missing = self.width.saturating_sub(out.len() - start);
        if missing > 0 {
            out.insert_str(start, &" ".repeat(missing));
        }
    }

    /// Appends `value` unaligned. Writing to a `String` cannot fail.
    fn write(&self, value: f64, out: &mut String) {
        let precision = self.precision;
        if value.is_nan() {
            out.push_str("nan");
            return;
        }
        let _ = match self.style {
            _ if value.is_infinite() => write!(out, "{value}"),
            Style::Integral => write!(out, "{value:.0}."),
            Style::Fixed => write!(out, "{value:.precision$}"),
            Style::Scientific => {
                let text = format!("{value:.precision$e}");
                // Python gives the exponent a sign and at least two digits.
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (sign, exponent) = match exponent.strip_prefix('-') {
                    Some(magnitude) => ('-', magnitude),
                    None => ('+', exponent),
                };
                write!(out, "{digits}e{sign}{exponent:0>2}")
            }
        };
    }
}
