//! `exp` and `expm1`.
//!
//! `exp(x) = 2^n exp(r)` with n the integer nearest to `x / ln 2`, and `r = x - n ln 2` from two parts of ln 2 (W. J.
//! Cody and W. Waite, "Software Manual for the Elementary Functions", 1980). `exp(r) = 1 + p` is a polynomial.

use super::polynomial;

pub trait Exponential {
    fn exp(self) -> Self;
    /// `exp(x) - 1`, accurate near 0.
    fn expm1(self) -> Self;
}

/// Added to a float, rounds it to an integer, which then is in the low bits.
const ROUND_F32: f32 = 12_582_912.0;
const ROUND_F64: f64 = 6_755_399_441_055_744.0;

/// `2^n`, for an exponent of a normal number.
#[inline(always)]
fn power_of_two_f32(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

#[inline(always)]
pub(super) fn power_of_two_f64(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

/// n, r and `p - r`, as in the text above and with what the rounding of r loses, for `|n|` below 2^22.
#[inline(always)]
fn split_f32(x: f32) -> (i32, f32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND_F32);
    let n = shifted - ROUND_F32;
    let high = n.mul_add(-std::f32::consts::LN_2, x);
    let r = n.mul_add(1.904_654_3e-9, high);
    let lost = n.mul_add(1.904_654_3e-9, high - r);
    // |r| <= ln(2) / 2; 2^-28 of exp(r).
    let q = polynomial!(f32: r; 0.499_999_94, 0.166_665_21, 0.041_668_262, 0.008_368_669, 0.001_382_096_7);
    ((shifted.to_bits() as i32).wrapping_sub(ROUND_F32.to_bits() as i32), r, (r * r).mul_add(q, lost))
}

#[inline(always)]
fn split_f64(x: f64) -> (i64, f64, f64) {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND_F64);
    let n = shifted - ROUND_F64;
    let high = n.mul_add(-std::f64::consts::LN_2, x);
    let r = n.mul_add(-2.319_046_813_846_299_6e-17, high);
    let lost = n.mul_add(-2.319_046_813_846_299_6e-17, high - r);
    // |r| <= ln(2) / 2; 2^-57 of exp(r).
    let q = polynomial!(f64: r;
        0.500_000_000_000_001_1, 0.166_666_666_666_664_52, 0.041_666_666_666_527_324, 0.008_333_333_333_471_97,
        0.001_388_888_894_421_369_9, 0.000_198_412_695_512_910_5, 2.480_149_259_710_404_6e-5,
        2.755_754_896_798_985_7e-6, 2.763_040_251_389_457_4e-7, 2.501_130_118_436_692e-8
    );
    ((shifted.to_bits() as i64).wrapping_sub(ROUND_F64.to_bits() as i64), r, (r * r).mul_add(q, lost))
}

/// `exp(x)` to 2^-34 of itself, for f32's functions; `|x|` below 700.
#[inline(always)]
pub(super) fn exp_wide(x: f64) -> f64 {
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUND_F64);
    let n = shifted - ROUND_F64;
    let r = n.mul_add(-std::f64::consts::LN_2, x);
    let q = polynomial!(f64: r;
        0.500_000_006_770_331, 0.166_666_658_746_861_96, 0.041_666_294_893_786_995, 0.008_333_495_886_313_848,
        0.001_394_466_252_624_817, 0.000_197_909_357_689_800_32
    );
    let n = (shifted.to_bits() as i64).wrapping_sub(ROUND_F64.to_bits() as i64);
    (1.0 + (r * r).mul_add(q, r)) * power_of_two_f64(n)
}

/// `2^x` to 2^-34 of itself; `|x|` below 1000.
#[inline(always)]
pub(super) fn exp2_wide(x: f64) -> f64 {
    let shifted = x + ROUND_F64;
    let r = x - (shifted - ROUND_F64);
    // |r| <= 1/2.
    let y = polynomial!(f64: r;
        1.0, 0.693_147_180_704_793_6, 0.240_226_510_670_338_15, 0.055_504_103_652_997_5, 0.009_618_038_056_113_628,
        0.001_333_393_542_659_487_6, 0.000_154_667_824_590_653_59, 1.519_611_856_763_468_2e-5
    );
    y * power_of_two_f64((shifted.to_bits() as i64).wrapping_sub(ROUND_F64.to_bits() as i64))
}

// Comparisons that are false for NaN let it through.
#[inline(always)]
pub(super) fn between<T: PartialOrd>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

impl Exponential for f32 {
    #[inline(always)]
    fn exp(self) -> f32 {
        // Beyond these the result is 0 or infinite, and 2^n is out of the range of two factors.
        let (n, r, tail) = split_f32(between(self, -104.0, 89.0));
        let sum = 1.0 + r;
        let y = sum + ((r - (sum - 1.0)) + tail);
        // In two factors, of which only the last can overflow or lose digits.
        let half = n >> 1;
        y * power_of_two_f32(half) * power_of_two_f32(n.wrapping_sub(half))
    }

    #[inline(always)]
    fn expm1(self) -> f32 {
        let (n, r, tail) = split_f32(between(self, -18.0, 89.0));
        // Half of it, as 2^n may be out of range where the result is not.
        let scale = power_of_two_f32(n.wrapping_sub(1));
        let (whole, part) = (scale - 0.5, scale * r);
        let sum = whole + part;
        // Where 2^n is large, the whole is rounded.
        let lost = (part - (sum - whole)) + ((scale - whole) - 0.5);
        let y = 2.0 * (sum + scale.mul_add(tail, lost));
        if self.abs() < 1e-8 { self } else { y }
    }
}

impl Exponential for f64 {
    #[inline(always)]
    fn exp(self) -> f64 {
        let (n, r, tail) = split_f64(between(self, -746.0, 710.0));
        let sum = 1.0 + r;
        let y = sum + ((r - (sum - 1.0)) + tail);
        // An unsigned shift, as AVX2 has no signed one.
        let half = ((n.wrapping_add(2048) as u64 >> 1) as i64).wrapping_sub(1024);
        y * power_of_two_f64(half) * power_of_two_f64(n.wrapping_sub(half))
    }

    #[inline(always)]
    fn expm1(self) -> f64 {
        let (n, r, tail) = split_f64(between(self, -40.0, 710.0));
        let scale = power_of_two_f64(n.wrapping_sub(1));
        let (whole, part) = (scale - 0.5, scale * r);
        let sum = whole + part;
        // Where 2^n is large, the whole is rounded.
        let lost = (part - (sum - whole)) + ((scale - whole) - 0.5);
        let y = 2.0 * (sum + scale.mul_add(tail, lost));
        if self.abs() < 1e-17 { self } else { y }
    }
}
