//! The functions of analysis, one element at a time and without a branch or a call, so that a loop over them becomes
//! vector code.
//!
//! # Note: The same bits everywhere
//! Every multiplication whose product is added to is fused by name (`mul_add`), and nothing else is; so each
//! instruction set computes the same operations. A processor without the instruction does it in software, slowly.
//!
//! # Note: Functions of f32 by way of f64
//! Where a formula loses digits (a difference, a power), the f32 function computes it in f64: half as many lanes, but
//! no second word to carry, and a result that is rounded once.
//!
//! Coefficients without another source are minimax fits made for the interval that their comment names.

pub mod complex;
mod error;
mod exponential;
mod hyperbolic;
mod logarithm;
mod power;
#[cfg(test)]
mod tests;
mod trigonometric;

pub use error::erf_wide;
pub use exponential::Exponential;
pub use hyperbolic::Hyperbolic;
pub use logarithm::Logarithm;
pub use power::Power;
pub use trigonometric::Trigonometric;

/// `c[0] + c[1] x + c[2] x² + …` by Horner's rule, in numbers of one type.
macro_rules! polynomial {
    ($t:ty: $x:expr; $last:expr) => {{
        let last: $t = $last;
        last
    }};
    ($t:ty: $x:expr; $first:expr, $($rest:expr),+) => {
        $crate::kernels::elementary::polynomial!($t: $x; $($rest),+).mul_add($x, $first)
    };
}
use polynomial;
