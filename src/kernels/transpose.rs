//! Turning a matrix over: small squares in registers, and the tiles that they make up.

use crate::kernels::simd::{InstructionSet, Vectorized, instruction_set, vectorize};

// SAFETY, of every unsafe block in a square: the indices are within it, whose elements the caller promises are there.

/// Transposes a square in registers: `to[j * to_row + i] = from[i * from_row + j]`.
pub(in crate::kernels) trait Square<T> {
    const SIZE: usize;
    /// # Safety
    ///
    /// The square must be readable at `from` and writable at `to`, and the processor must have the registers.
    unsafe fn transpose(from: *const T, from_row: isize, to: *mut T, to_row: usize);
}

/// Element by element, for any type.
pub(in crate::kernels) struct Plain;

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
pub(in crate::kernels) struct Avx;

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

/// Rows and columns of a tile: a cache line of the smallest elements that are turned in registers.
const TILE: usize = 16;

/// `to[j * to_row + i] = from[i * from_row + j]` for all i below `rows` and j below `columns`.
///
/// # Safety
/// All those elements are readable and writable; the two matrices do not overlap.
pub unsafe fn transpose<T: Copy>(
    rows: usize,
    columns: usize,
    from: *const T,
    from_row: usize,
    to: *mut T,
    to_row: usize,
) {
    // SAFETY: by the caller's promise; a type of the size of a float is moved as one, and its bits stay as they are.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if instruction_set() != InstructionSet::Baseline {
            match size_of::<T>() {
                4 => return vectorize(Tiles::<f32, Avx>::new(rows, columns, from.cast(), from_row, to.cast(), to_row)),
                8 => return vectorize(Tiles::<f64, Avx>::new(rows, columns, from.cast(), from_row, to.cast(), to_row)),
                _ => {}
            }
        }
        Tiles::<T, Plain>::new(rows, columns, from, from_row, to, to_row).run();
    }
}

struct Tiles<T, S> {
    rows: usize,
    columns: usize,
    from: *const T,
    from_row: usize,
    to: *mut T,
    to_row: usize,
    square: std::marker::PhantomData<S>,
}

impl<T: Copy, S: Square<T>> Tiles<T, S> {
    /// # Safety
    /// As for [`transpose`]; the processor has the registers of the square.
    unsafe fn new(rows: usize, columns: usize, from: *const T, from_row: usize, to: *mut T, to_row: usize) -> Self {
        Tiles { rows, columns, from, from_row, to, to_row, square: std::marker::PhantomData }
    }
}

impl<T: Copy, S: Square<T>> Vectorized for Tiles<T, S> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Tiles { rows, columns, from, from_row, to, to_row, .. } = self;
        let (high, wide) = (rows / S::SIZE * S::SIZE, columns / S::SIZE * S::SIZE);
        // SAFETY: by the promise to `new`, as i stays below `rows` and j below `columns`.
        unsafe {
            for left in (0..wide).step_by(TILE) {
                for top in (0..high).step_by(TILE) {
                    for j in (left..wide.min(left + TILE)).step_by(S::SIZE) {
                        for i in (top..high.min(top + TILE)).step_by(S::SIZE) {
                            S::transpose(from.add(i * from_row + j), from_row as isize, to.add(j * to_row + i), to_row);
                        }
                    }
                }
            }
            let one = |i: usize, j: usize| *to.add(j * to_row + i) = *from.add(i * from_row + j);
            (0..columns).for_each(|j| (high..rows).for_each(|i| one(i, j)));
            (wide..columns).for_each(|j| (0..high).for_each(|i| one(i, j)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_finds_its_place() {
        fn check<T: Copy + PartialEq + std::fmt::Debug>(of: impl Fn(usize) -> T) {
            for (rows, columns) in [(1, 1), (3, 40), (17, 16), (33, 50), (8, 8)] {
                let from: Vec<T> = (0..rows * (columns + 3)).map(&of).collect();
                let mut to = vec![of(0); columns * (rows + 2)];
                // SAFETY: both are large enough.
                unsafe { transpose(rows, columns, from.as_ptr(), columns + 3, to.as_mut_ptr(), rows + 2) };
                for i in 0..rows {
                    for j in 0..columns {
                        assert_eq!(to[j * (rows + 2) + i], from[i * (columns + 3) + j]);
                    }
                }
            }
        }
        check(|i| i as u8);
        check(|i| i as u32);
        check(|i| i as f64);
        check(|i| [i as u64, 7]);
    }
}
