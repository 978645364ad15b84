//! `sin`, `cos` and `tan`.
//!
//! # Note: Near and far
//! Near 0 a multiple of π (or of its half) in two or three parts is taken off: Cody and Waite's reduction. Far from it
//! that would need some hundred digits of π, and the maths library is called (in f64, as its f32 `tan` is a unit off);
//! so a loop over such a function is no vector code. A kernel takes the `near` function for a block of near arguments,
//! and it is the same function there.

use super::polynomial;

pub trait Trigonometric: Copy {
    fn is_near(self) -> bool;
    fn near_sin(self) -> Self;
    fn near_cos(self) -> Self;
    fn near_tan(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tan(self) -> Self;
}

macro_rules! near_and_far {
    ($t:ident) => {
        #[inline(always)]
        fn sin(self) -> $t {
            if self.is_near() { self.near_sin() } else { (self as f64).sin() as $t }
        }
        #[inline(always)]
        fn cos(self) -> $t {
            if self.is_near() { self.near_cos() } else { (self as f64).cos() as $t }
        }
        #[inline(always)]
        fn tan(self) -> $t {
            if self.is_near() { self.near_tan() } else { (self as f64).tan() as $t }
        }
    };
}

/// Added to a float, rounds it to an integer, which then is in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// What π and π/2 are more than their nearest f64, and π/2 more than these two.
const PI_REST: f64 = 1.224_646_799_147_353_2e-16;
const HALF_PI_REST: f64 = 6.123_233_995_736_766e-17;
const HALF_PI_LAST: f64 = -1.497_384_904_859_183_3e-33;

/// `sin(r)` for `|r| <= π/2`, to 2^-35 of itself, with the sign changed if the lowest bit of `turns` is set.
#[inline(always)]
fn half_wave(r: f64, turns: u64) -> f32 {
    let z = r * r;
    let q = polynomial!(f64: z;
        -0.166_666_666_261_300_22, 0.008_333_331_107_519_786, -0.000_198_408_680_769_698_8, 2.752_537_811_987_571_3e-6,
        -2.388_880_358_909_224e-8
    );
    f64::from_bits((r * z).mul_add(q, r).to_bits() ^ (turns << 63)) as f32
}

impl Trigonometric for f32 {
    #[inline(always)]
    fn is_near(self) -> bool {
        self.abs() < 268_435_456.0
    }

    /// In f64; x itself where its cube does not count.
    #[inline(always)]
    fn near_sin(self) -> f32 {
        let x = f64::from(self);
        let shifted = x.mul_add(std::f64::consts::FRAC_1_PI, ROUND);
        let n = shifted - ROUND;
        let r = n.mul_add(-PI_REST, n.mul_add(-std::f64::consts::PI, x));
        if self.abs() < 1e-4 { self } else { half_wave(r, shifted.to_bits()) }
    }

    /// `-(-1)^n sin(x - (n + 1/2) π)`.
    #[inline(always)]
    fn near_cos(self) -> f32 {
        let x = f64::from(self);
        let shifted = x.mul_add(std::f64::consts::FRAC_1_PI, -0.5) + ROUND;
        let n = shifted - ROUND + 0.5;
        let r = n.mul_add(-PI_REST, n.mul_add(-std::f64::consts::PI, x));
        half_wave(r, !shifted.to_bits())
    }

    #[inline(always)]
    fn near_tan(self) -> f32 {
        let x = f64::from(self);
        let shifted = x.mul_add(std::f64::consts::FRAC_2_PI, ROUND);
        let n = shifted - ROUND;
        let r = n.mul_add(-HALF_PI_REST, n.mul_add(-std::f64::consts::FRAC_PI_2, x));
        let z = r * r;
        // |r| <= π/4.
        let sin = (r * z).mul_add(
            polynomial!(f64: z;
                -0.166_666_666_408_254_06, 0.008_333_329_306_943_074, -0.000_198_393_126_942_137_57,
                2.718_123_991_969_61e-6
            ),
            r,
        );
        let cos = polynomial!(f64: z;
            1.0, -0.499_999_999_994_894_64, 0.041_666_666_553_414_32, -0.001_388_888_065_792_099_4,
            2.479_896_030_571_054_3e-5, -2.717_475_318_724_299e-7
        );
        let odd = shifted.to_bits() & 1 != 0;
        let (above, below) = if odd { (-cos, sin) } else { (sin, cos) };
        if self.abs() < 1e-4 { self } else { (above / below) as f32 }
    }

    near_and_far!(f32);
}

/// The sine of x, `quarters` quarter turns further.
///
/// The formulas and coefficients of Sun's `fdlibm`, `k_sin.c` and `k_cos.c` (1993), for `|r| <= π/4` in two parts.
#[inline(always)]
fn quarter_wave(x: f64, quarters: u64) -> f64 {
    let shifted = x.mul_add(std::f64::consts::FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let first = n.mul_add(-std::f64::consts::FRAC_PI_2, x);
    let r = n.mul_add(-HALF_PI_REST, first);
    let rest = n.mul_add(-HALF_PI_LAST, n.mul_add(-HALF_PI_REST, first - r));
    let z = r * r;
    let cube = z * r;
    let q = polynomial!(f64: z;
        8.333_333_333_322_49e-3, -1.984_126_982_985_795e-4, 2.755_731_370_707_006_8e-6, -2.505_076_025_340_686_3e-8,
        1.589_690_995_211_55e-10
    );
    let bent = z.mul_add(cube.mul_add(-q, 0.5 * rest), -rest);
    let sin = r - cube.mul_add(1.666_666_666_666_663_2e-1, bent);
    let q = z * polynomial!(f64: z;
        4.166_666_666_666_66e-2, -1.388_888_888_887_411e-3, 2.480_158_728_947_673e-5, -2.755_731_435_139_066_3e-7,
        2.087_572_321_298_175e-9, -1.135_964_755_778_819_5e-11
    );
    let half = 0.5 * z;
    let whole = 1.0 - half;
    let cos = whole + (((1.0 - whole) - half) + z.mul_add(q, -(r * rest)));
    let quarters = shifted.to_bits().wrapping_add(quarters);
    let size = if quarters & 1 != 0 { cos } else { sin };
    f64::from_bits(size.to_bits() ^ ((quarters & 2) << 62))
}

impl Trigonometric for f64 {
    #[inline(always)]
    fn is_near(self) -> bool {
        self.abs() < 2_097_152.0
    }

    #[inline(always)]
    fn near_sin(self) -> f64 {
        if self.abs() < 1e-8 { self } else { quarter_wave(self, 0) }
    }

    #[inline(always)]
    fn near_cos(self) -> f64 {
        quarter_wave(self, 1)
    }

    #[inline(always)]
    fn near_tan(self) -> f64 {
        f64::tan(self)
    }

    near_and_far!(f64);
}
