//! Copies of a panel of A or B in the order the microkernel reads it.

// SAFETY, of every unsafe block below: the indices are within the square or the block, whose elements the caller
// promises are there.

/// Transposes a square in registers: `to[j * to_row + i] = from[i * from_row + j]`.
pub(super) trait Square<T> {
    const SIZE: usize;
    /// # Safety
    ///
    /// The square must be readable at `from` and writable at `to`, and the processor must have the registers.
    unsafe fn transpose(from: *const T, from_row: isize, to: *mut T, to_row: usize);
}

/// Element by element, for any type.
pub(super) struct Plain;

impl<T: Copy> Square<T> for Plain {
    const SIZE: usize = 4;
    #[inline(always)]
    unsafe fn transpose(from: *const T, from_row: isize, to: *mut T, to_row: usize) {
        for i in 0..4 {
            for j in 0..4 {
                unsafe { *to.add(j * to_row + i) = *from.offset(i as isize * from_row + j as isize) }
            }
        }
    }
}

/// In 256-bit registers.
#[cfg(target_arch = "x86_64")]
pub(super) struct Avx;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Avx, Square};
    use std::arch::x86_64::*;

    impl Square<f32> for Avx {
        const SIZE: usize = 8;
        #[inline(always)]
        unsafe fn transpose(from: *const f32, from_row: isize, to: *mut f32, to_row: usize) {
            unsafe {
                // Rows i and i + 4 share a register, so that only 4x4 squares are left to transpose.
                let load = |i: isize, j: usize| {
                    let low = _mm_loadu_ps(from.offset(i * from_row).add(j));
                    let high = _mm_loadu_ps(from.offset((i + 4) * from_row).add(j));
                    _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(low), high)
                };
                for j in [0, 4] {
                    let (r0, r1, r2, r3) = (load(0, j), load(1, j), load(2, j), load(3, j));
                    let (t0, t1) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
                    let (t2, t3) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
                    _mm256_storeu_ps(to.add(j * to_row), _mm256_shuffle_ps::<0x44>(t0, t2));
                    _mm256_storeu_ps(to.add((j + 1) * to_row), _mm256_shuffle_ps::<0xEE>(t0, t2));
                    _mm256_storeu_ps(to.add((j + 2) * to_row), _mm256_shuffle_ps::<0x44>(t1, t3));
                    _mm256_storeu_ps(to.add((j + 3) * to_row), _mm256_shuffle_ps::<0xEE>(t1, t3));
                }
            }
        }
    }

    impl Square<f64> for Avx {
        const SIZE: usize = 4;
        #[inline(always)]
        unsafe fn transpose(from: *const f64, from_row: isize, to: *mut f64, to_row: usize) {
            unsafe {
                let load = |i: isize, j: usize| {
                    let low = _mm_loadu_pd(from.offset(i * from_row).add(j));
                    let high = _mm_loadu_pd(from.offset((i + 2) * from_row).add(j));
                    _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(low), high)
                };
                for j in [0, 2] {
                    let (r0, r1) = (load(0, j), load(1, j));
                    _mm256_storeu_pd(to.add(j * to_row), _mm256_unpacklo_pd(r0, r1));
                    _mm256_storeu_pd(to.add((j + 1) * to_row), _mm256_unpackhi_pd(r0, r1));
                }
            }
        }
    }
}

/// A block to copy, in panels `width` wide, one after another:
/// `to[(i / width) * width * depth + p * width + i % width] = from[i * across + p * along]`.
pub(super) struct Block<T> {
    pub from: *const T,
    pub across: isize,
    pub along: isize,
    /// The extent of i. What the last panel has beyond it is left as it was.
    pub count: usize,
    pub width: usize,
    /// The extent of p.
    pub depth: usize,
    pub to: *mut T,
}

/// How far to go along k before the next panel: few enough pages for the TLB, and a cache line that
/// two panels share is still there for the second.
const STRETCH: usize = 64;

/// Copies a block.
///
/// # Safety
///
/// The elements must be readable at `from` and writable at `to`, and the processor must have S's registers.
#[inline(always)]
pub(super) unsafe fn pack<T: Copy, S: Square<T>>(block: &Block<T>) {
    let &Block { from, across, along, count, width, depth, to } = block;
    for p in (0..depth).step_by(STRETCH) {
        for i in (0..count).step_by(width) {
            let stretch = Block {
                from: from.wrapping_offset(i as isize * across + p as isize * along),
                count: width.min(count - i),
                depth: STRETCH.min(depth - p),
                to: to.wrapping_add(i * depth + p * width),
                ..*block
            };
            unsafe { panel::<T, S>(&stretch) }
        }
    }
}

/// Copies a stretch of one panel.
///
/// # Safety
///
/// As for [`pack`].
#[inline(always)]
unsafe fn panel<T: Copy, S: Square<T>>(block: &Block<T>) {
    let &Block { from, across, along, count, width, depth, to } = block;
    let at = |i: usize, p: usize| from.wrapping_offset(i as isize * across + p as isize * along);
    unsafe {
        if across == 1 {
            match count {
                48 => rows::<T, 48>(block),
                24 => rows::<T, 24>(block),
                16 => rows::<T, 16>(block),
                12 => rows::<T, 12>(block),
                8 => rows::<T, 8>(block),
                4 => rows::<T, 4>(block),
                _ => {
                    for p in 0..depth {
                        std::ptr::copy_nonoverlapping(at(0, p), to.add(p * width), count);
                    }
                }
            }
            return;
        }
        // Where k is contiguous, squares; what they leave over, and other strides, by the element.
        let (squares, deep) = if along == 1 { (count / S::SIZE * S::SIZE, depth / S::SIZE * S::SIZE) } else { (0, 0) };
        for i in (0..squares).step_by(S::SIZE) {
            for p in (0..deep).step_by(S::SIZE) {
                S::transpose(at(i, p), across, to.add(p * width + i), width);
            }
        }
        for i in 0..count {
            for p in if i < squares { deep } else { 0 }..depth {
                *to.add(p * width + i) = *at(i, p);
            }
        }
    }
}

/// Copies rows of a length known to the compiler.
///
/// # Safety
///
/// As for [`pack`].
#[inline(always)]
unsafe fn rows<T: Copy, const COUNT: usize>(block: &Block<T>) {
    for p in 0..block.depth {
        let from = block.from.wrapping_offset(p as isize * block.along);
        unsafe { std::ptr::copy_nonoverlapping(from, block.to.add(p * block.width), COUNT) };
    }
}
