//! `power`, with the special values of IEEE 754's `pow`.

use super::exponential::{between, exp2_wide};
use super::logarithm::log2_wide;

pub trait Power {
    fn power(self, exponent: Self) -> Self;
}

impl Power for f32 {
    /// `2^(y log2 |x|)` in f64.
    #[inline(always)]
    fn power(self, exponent: f32) -> f32 {
        let (x, y) = (f64::from(self.abs()), f64::from(exponent));
        // Every f32 but 0 is a normal f64. 2^±1000 is 0 or infinite as an f32.
        let log = log2_wide(x);
        let log = if x == 0.0 { f64::NEG_INFINITY } else { log };
        let log = if x < f64::INFINITY { log } else { x };
        let size = exp2_wide(between(y * log, -1000.0, 1000.0)) as f32;
        let size = if y == 0.0 || x == 1.0 { 1.0 } else { size };
        let integral = y.trunc() == y;
        let odd = integral && (0.5 * y).trunc() != 0.5 * y;
        let signed = if odd { size.copysign(self) } else { size };
        let negative = self < 0.0 && x < f64::INFINITY;
        let power = if negative && !integral { f32::NAN } else { signed };
        // 1 to the power of NaN, and NaN to the power of 0, are 1.
        if self == 1.0 || y == 0.0 {
            1.0
        } else if self.is_nan() || exponent.is_nan() {
            f32::NAN
        } else {
            power
        }
    }
}

impl Power for f64 {
    #[inline(always)]
    fn power(self, exponent: f64) -> f64 {
        f64::powf(self, exponent)
    }
}
