//! Vector registers as the matrix product sees them: one trait, one implementation per kind of register.

/// A register of `WIDTH` elements.
///
/// # Safety
///
/// Every function must be called from code compiled for (and running on) a processor that has the
/// register, and every pointer must be valid for the elements the function names.
pub(super) trait Lane: Copy {
    type Elem: Arithmetic;
    const WIDTH: usize;

    unsafe fn splat(value: Self::Elem) -> Self;
    unsafe fn load(from: *const Self::Elem) -> Self;
    /// Loads the first `count` elements and zeroes the others; `count` is in `1..=WIDTH`.
    unsafe fn load_first(from: *const Self::Elem, count: usize) -> Self;
    unsafe fn store(self, to: *mut Self::Elem);
    /// Stores the first `count` elements only; `count` is in `1..=WIDTH`.
    unsafe fn store_first(self, to: *mut Self::Elem, count: usize);
    unsafe fn add(self, other: Self) -> Self;
    /// `self + a * b`.
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    /// The sum of the lanes.
    unsafe fn sum(self) -> Self::Elem;
}

// SAFETY, of every unsafe block below: each hands the caller's promise on to one instruction or one copy.

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Lane, fold};
    use std::arch::x86_64::*;

    macro_rules! avx512 {
        ($register:ty, $elem:ty, $width:literal, $mask:ty, $splat:ident, $load:ident, $store:ident,
         $load_mask:ident, $store_mask:ident, $add:ident, $fma:ident) => {
            impl Lane for $register {
                type Elem = $elem;
                const WIDTH: usize = $width;

                #[inline(always)]
                unsafe fn splat(value: $elem) -> Self {
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $elem) -> Self {
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $elem, count: usize) -> Self {
                    unsafe { $load_mask(<$mask>::MAX >> ($width - count), from) }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $elem) {
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn store_first(self, to: *mut $elem, count: usize) {
                    unsafe { $store_mask(to, <$mask>::MAX >> ($width - count), self) }
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    unsafe { $add(self, other) }
                }
                #[inline(always)]
                unsafe fn sum(self) -> $elem {
                    let mut lanes = [0.0; $width];
                    unsafe { $store(lanes.as_mut_ptr(), self) };
                    fold(lanes)
                }
                #[inline(always)]
                unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                    unsafe { $fma(a, b, self) }
                }
            }
        };
    }
    avx512!(
        __m512,
        f32,
        16,
        u16,
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_maskz_loadu_ps,
        _mm512_mask_storeu_ps,
        _mm512_add_ps,
        _mm512_fmadd_ps
    );
    avx512!(
        __m512d,
        f64,
        8,
        u8,
        _mm512_set1_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_maskz_loadu_pd,
        _mm512_mask_storeu_pd,
        _mm512_add_pd,
        _mm512_fmadd_pd
    );

    /// A window of this array that starts `count` before the middle has its first `count` lanes set.
    static MASK32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    static MASK64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

    macro_rules! avx2 {
        ($register:ty, $elem:ty, $width:literal, $mask:ident, $splat:ident, $load:ident, $store:ident,
         $load_mask:ident, $store_mask:ident, $add:ident, $fma:ident) => {
            impl Lane for $register {
                type Elem = $elem;
                const WIDTH: usize = $width;

                #[inline(always)]
                unsafe fn splat(value: $elem) -> Self {
                    unsafe { $splat(value) }
                }
                #[inline(always)]
                unsafe fn load(from: *const $elem) -> Self {
                    unsafe { $load(from) }
                }
                #[inline(always)]
                unsafe fn load_first(from: *const $elem, count: usize) -> Self {
                    unsafe {
                        let mask = _mm256_loadu_si256($mask.as_ptr().add($width - count).cast());
                        $load_mask(from, mask)
                    }
                }
                #[inline(always)]
                unsafe fn store(self, to: *mut $elem) {
                    unsafe { $store(to, self) }
                }
                #[inline(always)]
                unsafe fn store_first(self, to: *mut $elem, count: usize) {
                    unsafe {
                        let mask = _mm256_loadu_si256($mask.as_ptr().add($width - count).cast());
                        $store_mask(to, mask, self)
                    }
                }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self {
                    unsafe { $add(self, other) }
                }
                #[inline(always)]
                unsafe fn sum(self) -> $elem {
                    let mut lanes = [0.0; $width];
                    unsafe { $store(lanes.as_mut_ptr(), self) };
                    fold(lanes)
                }
                #[inline(always)]
                unsafe fn mul_add(self, a: Self, b: Self) -> Self {
                    unsafe { $fma(a, b, self) }
                }
            }
        };
    }
    avx2!(
        __m256,
        f32,
        8,
        MASK32,
        _mm256_set1_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_maskload_ps,
        _mm256_maskstore_ps,
        _mm256_add_ps,
        _mm256_fmadd_ps
    );
    avx2!(
        __m256d,
        f64,
        4,
        MASK64,
        _mm256_set1_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_maskload_pd,
        _mm256_maskstore_pd,
        _mm256_add_pd,
        _mm256_fmadd_pd
    );
}

/// The sum of the elements, one half added to the other until one is left.
#[inline(always)]
fn fold<T: Arithmetic, const W: usize>(mut lanes: [T; W]) -> T {
    let mut half = W / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = lanes[i].plus(lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// A register made of plain elements, for types and processors without one of the above.
#[derive(Clone, Copy)]
pub(super) struct Plain<T, const W: usize>([T; W]);

/// The arithmetic of an element.
pub(super) trait Arithmetic: Copy {
    const ZERO: Self;
    fn plus(self, other: Self) -> Self;
    fn plus_product(self, a: Self, b: Self) -> Self;
}

macro_rules! float {
    ($($elem:ty)*) => {$(
        impl Arithmetic for $elem {
            const ZERO: Self = 0.0;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn plus_product(self, a: Self, b: Self) -> Self {
                // Without the instruction, mul_add is a slow call into the maths library.
                if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
                    a.mul_add(b, self)
                } else {
                    self + a * b
                }
            }
        }
    )*};
}
float!(f32 f64);

macro_rules! integer {
    ($($elem:ty)*) => {$(
        impl Arithmetic for $elem {
            const ZERO: Self = 0;
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn plus_product(self, a: Self, b: Self) -> Self {
                self.wrapping_add(a.wrapping_mul(b))
            }
        }
    )*};
}
integer!(i64 i32 u8);

impl<T: Arithmetic, const W: usize> Lane for Plain<T, W> {
    type Elem = T;
    const WIDTH: usize = W;

    #[inline(always)]
    unsafe fn splat(value: T) -> Self {
        Plain([value; W])
    }
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        unsafe { Plain(from.cast::<[T; W]>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        let mut lanes = [T::ZERO; W];
        unsafe { std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), count) };
        Plain(lanes)
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        unsafe { to.cast::<[T; W]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        unsafe { std::ptr::copy_nonoverlapping(self.0.as_ptr(), to, count) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i].plus(other.0[i])))
    }
    #[inline(always)]
    unsafe fn sum(self) -> T {
        fold(self.0)
    }
    #[inline(always)]
    unsafe fn mul_add(self, a: Self, b: Self) -> Self {
        Plain(std::array::from_fn(|i| self.0[i].plus_product(a.0[i], b.0[i])))
    }
}
