//! Copies of a panel of A or B in the order the microkernel reads it.

use crate::kernels::transpose::Square;

// SAFETY, of every unsafe block below: the indices are within the square or the block, whose elements the caller
// promises are there.

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
