//! Each function against a wider one: f32 against f64, f64 against twice its digits by series; and special values.

use super::*;

/// How many units in the last place of the rounded result `found` is from `exact`.
fn units_f32(found: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if found == rounded || (found.is_nan() && rounded.is_nan()) {
        return 0.0;
    }
    let unit = (f32::from_bits(rounded.abs().to_bits() + 1) - rounded.abs()).max(f32::from_bits(1));
    (f64::from(found) - exact).abs() / f64::from(unit)
}

/// Bit patterns of all exponents and signs, with gaps that no power of two divides.
fn sweep_f32() -> impl Iterator<Item = f32> {
    (0..u32::MAX).step_by(10_007).map(f32::from_bits)
}

#[test]
fn f32_functions_are_within_a_unit_in_the_last_place() {
    type Pair = (&'static str, fn(f32) -> f32, fn(f64) -> f64);
    let pairs: [Pair; 9] = [
        ("erf", |x| erf_wide(x.into()) as f32, libm::erf),
        ("exp", Exponential::exp, f64::exp),
        ("expm1", Exponential::expm1, f64::exp_m1),
        ("log", Logarithm::log, f64::ln),
        ("log1p", Logarithm::log1p, f64::ln_1p),
        ("tanh", Hyperbolic::tanh, f64::tanh),
        ("sin", Trigonometric::sin, f64::sin),
        ("cos", Trigonometric::cos, f64::cos),
        ("tan", Trigonometric::tan, f64::tan),
    ];
    for (name, narrow, wide) in pairs {
        for x in sweep_f32() {
            let (found, exact) = (narrow(x), wide(f64::from(x)));
            assert!(units_f32(found, exact) <= 1.0, "{name}({x:e}) = {found:e}, not {exact:e}");
        }
    }
    for (x, y) in sweep_f32().zip(sweep_f32().skip(123_457).chain(sweep_f32())) {
        for x in [x, x.abs(), 1.0 + x.abs() % 1.0] {
            for y in [y, y % 32.0, (y % 32.0).trunc()] {
                let (found, exact) = (Power::power(x, y), f64::from(x).powf(f64::from(y)));
                assert!(units_f32(found, exact) <= 1.0, "power({x:e}, {y:e}) = {found:e}, not {exact:e}");
            }
        }
    }
}

/// The maths library's f64 functions are within a unit themselves, so the two may be two apart.
#[test]
fn f64_functions_agree_with_the_maths_library() {
    type Pair = (&'static str, fn(f64) -> f64, fn(f64) -> f64);
    let pairs: [Pair; 5] = [
        ("exp", Exponential::exp, f64::exp),
        ("expm1", Exponential::expm1, f64::exp_m1),
        ("log", Logarithm::log, f64::ln),
        ("sin", Trigonometric::sin, f64::sin),
        ("cos", Trigonometric::cos, f64::cos),
    ];
    let sweep = |from: f64, to: f64| (0..100_000).map(move |i| from + (to - from) * f64::from(i) / 1e5);
    let patterns = (0..u64::MAX).step_by(184_467_440_737_091).map(f64::from_bits);
    for x in patterns.chain(sweep(-750.0, 720.0)).chain(sweep(-1.0, 1.0)).chain(sweep(0.5, 2.0)) {
        for (name, own, library) in pairs {
            let (found, expected) = (own(x), library(x));
            let near = found == expected
                || (found.is_nan() && expected.is_nan())
                || found.to_bits().abs_diff(expected.to_bits()) <= 2;
            assert!(near, "{name}({x:e}) = {found:e}, not {expected:e}");
        }
    }
}

#[test]
fn special_values_are_those_of_ieee_754() {
    let bits = |x: f32| x.to_bits();
    let odd: [fn(f32) -> f32; 5] =
        [Exponential::expm1, Logarithm::log1p, Hyperbolic::tanh, Trigonometric::sin, Trigonometric::tan];
    for function in odd {
        for x in [0.0, -0.0, f32::from_bits(1), -f32::from_bits(1), f32::MIN_POSITIVE] {
            assert_eq!(bits(function(x)), bits(x));
        }
        assert!(function(f32::NAN).is_nan());
    }
    assert_eq!([f32::NEG_INFINITY, f32::INFINITY, -0.0].map(Exponential::exp), [0.0, f32::INFINITY, 1.0]);
    assert_eq!(
        [0.0, -0.0, 1.0, f32::INFINITY].map(Logarithm::log),
        [-f32::INFINITY, -f32::INFINITY, 0.0, f32::INFINITY]
    );
    assert!(Logarithm::log(-1.0f32).is_nan() && Logarithm::log(f64::NEG_INFINITY).is_nan());
    assert_eq!([0.0, f64::INFINITY].map(Logarithm::log), [f64::NEG_INFINITY, f64::INFINITY]);
    assert_eq!([f64::NEG_INFINITY, f64::INFINITY].map(Exponential::exp), [0.0, f64::INFINITY]);
    assert_eq!([f32::NEG_INFINITY, f32::INFINITY].map(Hyperbolic::tanh), [-1.0, 1.0]);
    let values = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, -3.0, 2.0f32.powi(30), f32::INFINITY, -f32::INFINITY, f32::NAN];
    for x in values {
        for y in values {
            let (found, expected) = (Power::power(x, y), x.powf(y));
            let same = bits(found) == bits(expected) || (found.is_nan() && expected.is_nan());
            assert!(same, "power({x}, {y}) = {found}, not {expected}");
        }
    }
}
