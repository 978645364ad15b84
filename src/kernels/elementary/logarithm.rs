//! `log` and `log1p`.
//!
//! `log(x) = e ln 2 + log(1 + f)` with `1 + f` between √½ and √2, so that nothing cancels where e is not 0.

use super::polynomial;

pub trait Logarithm {
    fn log(self) -> Self;
    /// `log(1 + x)`, accurate near 0.
    fn log1p(self) -> Self;
}

/// The bits of √½: subtracted, they leave e in the place of the exponent.
const HALF_ROOT_F32: i32 = 0x3f35_04f3;
const HALF_ROOT_F64: i64 = 0x3fe6_a09e_667f_3bcd;

/// `log(1 + f) - f`, for `1 + f` between √½ and √2; 2^-27 of the logarithm.
#[inline(always)]
fn tail_f32(f: f32) -> f32 {
    let q = polynomial!(f32: f;
        0.333_333_3, -0.250_008_2, 0.200_012_43, -0.166_234_12, 0.142_015_44, -0.131_595_37, 0.127_624_23, -0.076_368_79
    );
    f * f * q.mul_add(f, -0.5)
}

/// `e ln 2 + f + tail`.
#[inline(always)]
fn joined_f32(e: f32, f: f32, tail: f32) -> f32 {
    e.mul_add(std::f32::consts::LN_2, e.mul_add(-1.904_654_3e-9, tail) + f)
}

impl Logarithm for f32 {
    #[inline(always)]
    fn log(self) -> f32 {
        // A subnormal number is made normal first.
        let tiny = self < f32::MIN_POSITIVE;
        let bits = (if tiny { self * 8_388_608.0 } else { self }.to_bits() as i32).wrapping_sub(HALF_ROOT_F32);
        let e = (bits >> 23) as f32 - if tiny { 23.0 } else { 0.0 };
        let f = f32::from_bits(((bits & 0x7f_ffff) + HALF_ROOT_F32) as u32) - 1.0;
        special_f32(self, joined_f32(e, f, tail_f32(f)))
    }

    /// The digits that `1 + x` loses are added to f: N. Higham, "Accuracy and Stability of Numerical Algorithms", 1.14.1,
    /// has the idea of using the rounded sum.
    #[inline(always)]
    fn log1p(self) -> f32 {
        let sum = 1.0 + self;
        let lost = if self > 1.0 { 1.0 - (sum - self) } else { self - (sum - 1.0) };
        let bits = (sum.to_bits() as i32).wrapping_sub(HALF_ROOT_F32);
        let e = bits >> 23;
        let rounded = f32::from_bits(((bits & 0x7f_ffff) + HALF_ROOT_F32) as u32) - 1.0;
        // From 2^25 on, what is lost no longer matters.
        let lost = if self > 33_554_432.0 { 0.0 } else { lost } * f32::from_bits(((127 - e.min(64)) as u32) << 23);
        let f = rounded + lost;
        let rest = lost - (f - rounded);
        let y = special_f32(sum, joined_f32(e as f32, f, tail_f32(f) + rest));
        if self.abs() < 1e-8 { self } else { y }
    }
}

/// The logarithm, or what it is for 0, negative numbers, infinity and NaN.
#[inline(always)]
fn special_f32(x: f32, log: f32) -> f32 {
    let log = if x < f32::INFINITY { log } else { x };
    let log = if x == 0.0 { f32::NEG_INFINITY } else { log };
    if x < 0.0 { f32::NAN } else { log }
}

/// e and f of a positive normal number.
#[inline(always)]
fn split_f64(x: f64) -> (f64, f64) {
    let bits = (x.to_bits() as i64).wrapping_sub(HALF_ROOT_F64);
    // An unsigned shift, as AVX2 has no signed one; and a conversion by the bits, as it has none of those either.
    let e = f64::from_bits((bits.wrapping_add(1 << 62) as u64 >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_371_520.0;
    (e, f64::from_bits(((bits & 0xf_ffff_ffff_ffff) + HALF_ROOT_F64) as u64) - 1.0)
}

/// `log2(x)` to 2^-40 of itself, for f32's functions; x positive and normal, or infinite.
#[inline(always)]
pub(super) fn log2_wide(x: f64) -> f64 {
    let (e, f) = split_f64(x);
    // log2((1 + s) / (1 - s)), odd in s.
    let s = f / (2.0 + f);
    let z = s * s;
    let q = polynomial!(f64: z;
        2.885_390_081_777_851, 0.961_796_694_112_698_9, 0.577_077_942_497_272_3, 0.412_209_241_461_651_9,
        0.319_906_086_353_333_1, 0.282_895_141_204_117_9
    );
    s.mul_add(q, e)
}

impl Logarithm for f64 {
    /// The formula and coefficients of Sun's `fdlibm`, `e_log.c` (1993): `log((1 + s) / (1 - s))` with `s = f / (2 + f)`,
    /// arranged so that f itself is added last.
    #[inline(always)]
    fn log(self) -> f64 {
        let tiny = self < f64::MIN_POSITIVE;
        let (e, f) = split_f64(if tiny { self * 4_503_599_627_370_496.0 } else { self });
        let e = e - if tiny { 52.0 } else { 0.0 };
        let s = f / (2.0 + f);
        let z = s * s;
        let q = z * polynomial!(f64: z;
            6.666_666_666_666_735e-1, 3.999_999_999_940_942e-1, 2.857_142_874_366_239e-1, 2.222_219_843_214_978_4e-1,
            1.818_357_216_161_805e-1, 1.531_383_769_920_937_3e-1, 1.479_819_860_511_658_6e-1
        );
        let half = 0.5 * f * f;
        let tail = half - s.mul_add(half + q, e * 1.908_214_929_270_587_7e-10);
        let log = e.mul_add(6.931_471_803_691_238e-1, -(tail - f));
        let log = if self < f64::INFINITY { log } else { self };
        let log = if self == 0.0 { f64::NEG_INFINITY } else { log };
        if self < 0.0 { f64::NAN } else { log }
    }

    #[inline(always)]
    fn log1p(self) -> f64 {
        f64::ln_1p(self)
    }
}
