//! Rows of a table: taking some, adding to some, and sums of bags of them.

use crate::kernels::algebra::Number;
use crate::kernels::parallel::{self, Shared};
use crate::kernels::simd::{self, Vectorized};

/// `to += from * factor`.
struct AddRow<'a, T> {
    to: &'a mut [T],
    from: &'a [T],
    factor: Option<T>,
}

impl<T: Number> Vectorized for AddRow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        match self.factor {
            None => self.to.iter_mut().zip(self.from).for_each(|(to, &x)| *to = *to + x),
            Some(factor) => self.to.iter_mut().zip(self.from).for_each(|(to, &x)| *to = *to + x * factor),
        }
    }
}

/// The rows of `table` that `indices` name, one after another.
///
/// # Safety
/// Row-major tensors; all indices are rows of the table; `out` is new.
pub unsafe fn take<T: Copy>(width: usize, table: *const T, indices: &[i64], out: *mut T) {
    let (table, out) = (Shared::new(table), Shared::new(out));
    parallel::for_each_chunk(indices.len(), parallel::GRAIN.div_ceil(width.max(1)), |range| {
        for i in range {
            // SAFETY: by the caller's promise.
            unsafe {
                let from = table.get().add(indices[i] as usize * width).cast_const();
                std::ptr::copy_nonoverlapping(from, out.get().add(i * width), width);
            }
        }
    });
}

/// Rows of `gradient`, each times a factor if there are any, added to the rows of a table of zeros that `indices` name;
/// those of `skipped` are left out.
///
/// # Safety
/// As for [`take`], with `rows` rows in the table `out`.
pub unsafe fn put<T: Number>(
    rows: usize,
    width: usize,
    gradient: *const T,
    indices: &[i64],
    factors: Option<&[T]>,
    skipped: i64,
    out: *mut T,
) {
    let (gradient, out) = (Shared::new(gradient), Shared::new(out));
    // Each thread has rows of its own, and looks through all indices for them.
    let grain = parallel::GRAIN.div_ceil(width.max(1)).max(indices.len() / 4);
    parallel::for_each_chunk(rows, grain, |range| {
        // SAFETY: by the caller's promise.
        unsafe {
            std::slice::from_raw_parts_mut(out.get().add(range.start * width), range.len() * width).fill(T::default());
            for (i, &index) in indices.iter().enumerate() {
                if index == skipped || !range.contains(&(index as usize)) {
                    continue;
                }
                let to = std::slice::from_raw_parts_mut(out.get().add(index as usize * width), width);
                let from = std::slice::from_raw_parts(gradient.get().add(i * width).cast_const(), width);
                simd::vectorize(AddRow { to, from, factor: factors.map(|factors| factors[i]) });
            }
        }
    });
}

/// For each bag, a range of the indices, the sum of the rows, each times a factor if there are any.
///
/// # Safety
/// As for [`take`]; `out` has a row for each bag.
pub unsafe fn sum_bags<T: Number>(
    width: usize,
    table: *const T,
    indices: &[i64],
    factors: Option<&[T]>,
    bags: &[(usize, usize)],
    out: *mut T,
) {
    let (table, out) = (Shared::new(table), Shared::new(out));
    let grain = (parallel::GRAIN / 2).div_ceil((width * (indices.len() / bags.len().max(1) + 1)).max(1));
    parallel::for_each_chunk(bags.len(), grain, |range| {
        for bag in range {
            // SAFETY: by the caller's promise; each row belongs to one thread.
            unsafe {
                let to = std::slice::from_raw_parts_mut(out.get().add(bag * width), width);
                to.fill(T::default());
                for i in bags[bag].0..bags[bag].1 {
                    let from =
                        std::slice::from_raw_parts(table.get().add(indices[i] as usize * width).cast_const(), width);
                    simd::vectorize(AddRow { to, from, factor: factors.map(|factors| factors[i]) });
                }
            }
        }
    });
}
