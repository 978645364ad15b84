//! `tanh`.

use super::exponential::{between, exp_wide};

pub trait Hyperbolic {
    fn tanh(self) -> Self;
}

impl Hyperbolic for f32 {
    /// `(exp(2|x|) - 1) / (exp(2|x|) + 1)` in f64, with the sign of x; x itself where the cube does not count.
    #[inline(always)]
    fn tanh(self) -> f32 {
        let y = exp_wide(2.0 * f64::from(between(self.abs(), 0.0, 10.0)));
        let y = ((y - 1.0) / (y + 1.0)) as f32;
        if self.abs() < 1e-5 { self } else { y.copysign(self) }
    }
}

impl Hyperbolic for f64 {
    #[inline(always)]
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }
}
