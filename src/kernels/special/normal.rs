//! The error function and the normal distribution: scaled, inverted, in logarithms.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::{chebyshev_sum, power_sum};

/// `exp(x²) erfc(x)`: M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in
/// 0 ≤ x < ∞", 1981.
pub fn erfcx(x: f64) -> f64 {
    if x < 0.0 {
        if x < -26.7 {
            return f64::INFINITY;
        }
        let square = x * x;
        // What the square has lost.
        let rest = x.mul_add(x, -square);
        return 2.0 * square.exp() * (1.0 + rest) - erfcx(-x);
    }
    if x > 1e8 {
        return 1.0 / (std::f64::consts::PI.sqrt() * x);
    }
    chebyshev_sum(&ERFCX, (x - 3.75) / (x + 3.75)) / (1.0 + 2.0 * x)
}

/// The inverse of `erf`.
pub fn erfinv(x: f64) -> f64 {
    percentage_point(0.5 * x, 0.5 * (1.0 - x.abs())) * FRAC_1_SQRT_2
}

/// The inverse of the normal distribution function.
pub fn ndtri(p: f64) -> f64 {
    percentage_point(p - 0.5, if p < 0.5 { p } else { 1.0 - p })
}

/// The logarithm of the normal distribution function.
pub fn log_ndtr(x: f64) -> f64 {
    let t = x * FRAC_1_SQRT_2;
    if x < -1.0 { (erfcx(-t) / 2.0).ln() - t * t } else { (-libm::erfc(t) / 2.0).ln_1p() }
}

/// The point of the normal distribution with probability `½ + q`, where `tail` is the smaller probability on either
/// side: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", 1988.
fn percentage_point(q: f64, tail: f64) -> f64 {
    if tail < 0.0 {
        return f64::NAN;
    }
    if tail == 0.0 {
        return f64::INFINITY.copysign(q);
    }
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return polish(q * power_sum(&CENTRE.0, r) / power_sum(&CENTRE.1, r), q, tail);
    }
    let r = (-tail.ln()).sqrt();
    let (r, coefficients) = if r <= 5.0 { (r - 1.6, &MIDDLE) } else { (r - 5.0, &FAR) };
    polish((power_sum(&coefficients.0, r) / power_sum(&coefficients.1, r)).copysign(q), q, tail)
}

/// One step of I. Newton's method, which corrects the last digits.
fn polish(x: f64, q: f64, tail: f64) -> f64 {
    let density = (-0.5 * x * x).exp() * 0.398_942_280_401_432_7;
    if density < 1e-290 {
        return x;
    }
    let missing = if q.abs() <= 0.425 {
        0.5 * libm::erf(x / SQRT_2) - q
    } else {
        (tail - 0.5 * libm::erfc(x.abs() / SQRT_2)) * q.signum()
    };
    x - missing / density
}

type Quotient = ([f64; 8], [f64; 8]);

const CENTRE: Quotient = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);
const MIDDLE: Quotient = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);
const FAR: Quotient = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

/// `(1 + 2x) exp(x²) erfc(x)` for x from 0 on, in `(x - 3.75) / (x + 3.75)`.
const ERFCX: [f64; 25] = [
    1.177_578_934_567_401_7,
    -0.004_590_054_580_646_478,
    -0.084_249_133_366_517_92,
    0.059_209_939_998_191_89,
    -0.026_658_668_435_305_753,
    0.009_074_997_670_705_265,
    -0.002_413_163_540_417_608,
    0.000_490_775_836_525_808_6,
    -6.916_973_302_501_207e-5,
    4.139_027_986_073_01e-6,
    7.740_383_066_198_49e-7,
    -2.188_640_104_923_439_7e-7,
    1.076_499_946_567_091e-8,
    4.521_959_811_218_287e-9,
    -7.754_400_208_831_351e-10,
    -6.318_088_340_886_684e-11,
    2.868_795_010_930_67e-11,
    1.945_586_854_577_734_7e-13,
    -9.654_696_748_433_44e-13,
    3.252_548_148_148_74e-14,
    3.347_811_948_286_805_6e-14,
    -1.864_562_880_419_313e-15,
    -1.250_795_053_068_864_8e-15,
    7.418_235_256_624_044e-17,
    5.068_148_904_796_111e-17,
];
