//! The kernels of each instruction set, compiled with it enabled, and the choice among them at run time.

use super::lane::{Arithmetic, Lane, Plain};
use super::micro::{self, Dots, Pairs, Tile, rows};
use super::pack::{self, Block};
use crate::kernels::transpose;

/// The kernels for one element type on one instruction set. They may be called only on a processor that has it.
pub struct Kernels<T: 'static> {
    /// Elements in a register.
    pub(super) width: usize,
    /// The tallest tile.
    pub(super) rows: usize,
    /// The widest tile.
    pub(super) cols: usize,
    pub(super) tile: unsafe fn(&Tile<T>),
    /// For a tile whose rows of B begin at its offsets.
    pub(super) shifted: unsafe fn(&Tile<T>),
    /// For one whose rows of A do.
    pub(super) listed: unsafe fn(&Tile<T>),
    pub(super) pairs: unsafe fn(&Pairs<T>),
    /// For a tile of one row and any number of columns.
    pub(super) row: unsafe fn(&Tile<T>),
    pub(super) dots: unsafe fn(&Dots<T>),
    pub(super) pack: unsafe fn(&Block<T>),
}

/// A module with the kernels for one element type, in registers `$lane`, `$rows` of them high and three wide in a
/// tile, and `$unroll` partial sums of a vector's product.
macro_rules! kernels {
    ($name:ident, $elem:ty, $lane:ty, $square:ty, $rows:literal, $unroll:literal $(, $features:literal)?) => {
        mod $name {
            use super::*;

            const W: usize = <$lane as Lane>::WIDTH;
            const ROWS: usize = $rows;

            pub(in super::super) static TABLE: Kernels<$elem> =
                Kernels { width: W, rows: ROWS, cols: 3 * W, tile, shifted, listed, pairs, row, dots, pack };

            // SAFETY, of every unsafe block here: the arguments are as the caller promises, and the instructions
            // are there, as this is called through `TABLE` only.

            unsafe fn tile(t: &Tile<$elem>) {
                unsafe { wide::<{ rows::EVEN }>(t) }
            }

            unsafe fn shifted(t: &Tile<$elem>) {
                unsafe { wide::<{ rows::SHIFTED_B }>(t) }
            }

            unsafe fn listed(t: &Tile<$elem>) {
                unsafe { wide::<{ rows::SHIFTED_A }>(t) }
            }

            unsafe fn wide<const KIND: u8>(t: &Tile<$elem>) {
                unsafe {
                    match t.cols.div_ceil(W) {
                        1 => high::<1, KIND>(t),
                        2 => high::<2, KIND>(t),
                        _ => high::<3, KIND>(t),
                    }
                }
            }

            unsafe fn high<const N: usize, const KIND: u8>(t: &Tile<$elem>) {
                unsafe {
                    match t.rows {
                        1 => fixed::<1, N, KIND>(t),
                        2 => fixed::<2, N, KIND>(t),
                        3 => fixed::<3, N, KIND>(t),
                        5 if ROWS > 4 => fixed::<5, N, KIND>(t),
                        6 if ROWS > 4 => fixed::<6, N, KIND>(t),
                        7 if ROWS > 4 => fixed::<7, N, KIND>(t),
                        8 if ROWS > 4 => fixed::<8, N, KIND>(t),
                        _ => fixed::<4, N, KIND>(t),
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn fixed<const M: usize, const N: usize, const KIND: u8>(t: &Tile<$elem>) {
                unsafe {
                    if t.cols == N * W {
                        micro::tile::<$lane, M, N, false, KIND>(t)
                    } else {
                        micro::tile::<$lane, M, N, true, KIND>(t)
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn pairs(p: &Pairs<$elem>) {
                const SIDE: usize = if ROWS > 4 { 4 } else { 2 };
                let (rows, cols) = (p.rows / SIDE * SIDE, p.cols / SIDE * SIDE);
                unsafe {
                    for row in (0..rows).step_by(SIDE) {
                        for col in (0..cols).step_by(SIDE) {
                            micro::pairs::<$lane, SIDE, SIDE>(p, row, col);
                        }
                        for col in cols..p.cols {
                            micro::pairs::<$lane, SIDE, 1>(p, row, col);
                        }
                    }
                    for row in rows..p.rows {
                        for col in (0..cols).step_by(SIDE) {
                            micro::pairs::<$lane, 1, SIDE>(p, row, col);
                        }
                        for col in cols..p.cols {
                            micro::pairs::<$lane, 1, 1>(p, row, col);
                        }
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn row(t: &Tile<$elem>) {
                const STRIP: usize = 4 * W;
                for done in (0..t.cols).step_by(STRIP) {
                    let cols = (t.cols - done).min(STRIP);
                    unsafe {
                        let strip = Tile { b: t.b.add(done), c: t.c.add(done), cols, ..*t };
                        match cols.div_ceil(W) {
                            _ if cols == STRIP => micro::row::<$lane, 4, $unroll, false>(&strip),
                            1 => micro::row::<$lane, 1, $unroll, true>(&strip),
                            2 => micro::row::<$lane, 2, $unroll, true>(&strip),
                            3 => micro::row::<$lane, 3, $unroll, true>(&strip),
                            _ => micro::row::<$lane, 4, $unroll, true>(&strip),
                        }
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn dots(d: &Dots<$elem>) {
                let fours = d.cols / 4 * 4;
                unsafe {
                    for first in (0..fours).step_by(4) {
                        micro::dots::<$lane, 4, $unroll>(d, first);
                    }
                    for first in fours..d.cols {
                        micro::dots::<$lane, 1, $unroll>(d, first);
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn pack(block: &Block<$elem>) {
                unsafe { pack::pack::<$elem, $square>(block) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::*;

    kernels!(f32_avx512, f32, __m512, transpose::Avx, 8, 4, "avx512f,avx2,fma");
    kernels!(f64_avx512, f64, __m512d, transpose::Avx, 8, 4, "avx512f,avx2,fma");
    kernels!(f32_avx2, f32, __m256, transpose::Avx, 4, 2, "avx2,fma");
    kernels!(f64_avx2, f64, __m256d, transpose::Avx, 4, 2, "avx2,fma");

    pub static F32: [&Kernels<f32>; 2] = [&f32_avx512::TABLE, &f32_avx2::TABLE];
    pub static F64: [&Kernels<f64>; 2] = [&f64_avx512::TABLE, &f64_avx2::TABLE];

    /// Whether this processor has what the tables above need, in their order.
    pub fn has() -> [bool; 2] {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        [avx2 && is_x86_feature_detected!("avx512f"), avx2]
    }
}

kernels!(f32_plain, f32, Plain<f32, 4>, transpose::Plain, 4, 2);
kernels!(f64_plain, f64, Plain<f64, 2>, transpose::Plain, 4, 2);
kernels!(i64_plain, i64, Plain<i64, 2>, transpose::Plain, 4, 2);
kernels!(i32_plain, i32, Plain<i32, 4>, transpose::Plain, 4, 2);
kernels!(u8_plain, u8, Plain<u8, 16>, transpose::Plain, 4, 2);

/// An element type that matrices can be multiplied in. Integers wrap round.
#[expect(private_bounds, reason = "for the types here only")]
pub trait Gemm: Arithmetic + Send + Sync + 'static {
    /// All the kernels that this processor can run, the best first.
    fn available() -> impl Iterator<Item = &'static Kernels<Self>>;

    /// The best kernels that this processor can run.
    fn kernels() -> &'static Kernels<Self>;
}

macro_rules! gemm {
    ($($elem:ty, $plain:ident $(, $x86:ident)?;)*) => {$(
        impl Gemm for $elem {
            fn available() -> impl Iterator<Item = &'static Kernels<Self>> {
                let tables = std::iter::empty::<&'static Kernels<Self>>();
                $(
                    #[cfg(target_arch = "x86_64")]
                    let tables = tables.chain(x86::$x86.iter().zip(x86::has()).filter_map(|(&t, has)| has.then_some(t)));
                )?
                tables.chain([&$plain::TABLE])
            }

            #[inline]
            fn kernels() -> &'static Kernels<Self> {
                Self::available().next().unwrap_or(&$plain::TABLE)
            }
        }
    )*};
}
gemm! {
    f32, f32_plain, F32;
    f64, f64_plain, F64;
    i64, i64_plain;
    i32, i32_plain;
    u8, u8_plain;
}
