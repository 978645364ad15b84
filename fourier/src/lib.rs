//! Discrete Fourier transforms by the libraries rustfft and realfft, as plain functions of two types.
//!
//! Both are generic: whatever calls them compiles them again, for each instruction set. Here they are compiled once, for
//! float32 and float64, and linked from then on.

use std::cell::RefCell;

use num_complex::Complex;
use realfft::RealFftPlanner;
use rustfft::{FftDirection, FftPlanner};

/// Plans for longer rows are made anew for each call: their tables would stay in memory for good.
const LONGEST_KEPT: usize = 1 << 16;

/// What a thread needs for transforms of one type: tables of the lengths that it has seen, and room to compute in.
struct Workshop<T: rustfft::FftNum> {
    complex: FftPlanner<T>,
    real: RealFftPlanner<T>,
    scratch: Vec<Complex<T>>,
}

impl<T: rustfft::FftNum> Workshop<T> {
    fn new() -> Self {
        Workshop { complex: FftPlanner::new(), real: RealFftPlanner::new(), scratch: Vec::new() }
    }
}

/// The numbers that are transformed. All functions take rows one after another, multiply their results by `scale`, and
/// panic if a slice is not made of whole rows.
pub trait Transform: Copy + Send + Sync {
    /// Transforms rows of `n` complex numbers in place.
    fn complex(rows: &mut [Complex<Self>], n: usize, forward: bool, scale: f64);

    /// The first `n / 2 + 1` results for each row of `n` real numbers, whose place is used to compute in.
    fn from_real(rows: &mut [Self], n: usize, halves: &mut [Complex<Self>], scale: f64);

    /// Rows of `n` real numbers from their `n / 2 + 1` results, whose place is used to compute in.
    fn to_real(halves: &mut [Complex<Self>], n: usize, rows: &mut [Self], scale: f64);
}

macro_rules! transform {
    ($($real:ty),+) => {$(
        impl Transform for $real {
            fn complex(rows: &mut [Complex<$real>], n: usize, forward: bool, scale: f64) {
                let direction = if forward { FftDirection::Forward } else { FftDirection::Inverse };
                in_workshop(n, |workshop| {
                    let plan = workshop.complex.plan_fft(n, direction);
                    let scratch = grown(&mut workshop.scratch, plan.get_inplace_scratch_len());
                    plan.process_with_scratch(rows, scratch);
                });
                if scale != 1.0 {
                    rows.iter_mut().for_each(|value| *value *= scale as $real);
                }
            }

            fn from_real(rows: &mut [$real], n: usize, halves: &mut [Complex<$real>], scale: f64) {
                in_workshop(n, |workshop| {
                    let plan = workshop.real.plan_fft_forward(n);
                    let scratch = grown(&mut workshop.scratch, plan.get_scratch_len());
                    for (row, half) in rows.chunks_exact_mut(n).zip(halves.chunks_exact_mut(n / 2 + 1)) {
                        // It fails for wrong lengths only.
                        assert!(plan.process_with_scratch(row, half, scratch).is_ok());
                    }
                });
                if scale != 1.0 {
                    halves.iter_mut().for_each(|value| *value *= scale as $real);
                }
            }

            fn to_real(halves: &mut [Complex<$real>], n: usize, rows: &mut [$real], scale: f64) {
                in_workshop(n, |workshop| {
                    let plan = workshop.real.plan_fft_inverse(n);
                    let scratch = grown(&mut workshop.scratch, plan.get_scratch_len());
                    for (half, row) in halves.chunks_exact_mut(n / 2 + 1).zip(rows.chunks_exact_mut(n)) {
                        // The imaginary parts of these are those of no real row, and do not count.
                        half[0].im = 0.0;
                        if n % 2 == 0 {
                            half[n / 2].im = 0.0;
                        }
                        assert!(plan.process_with_scratch(half, row, scratch).is_ok());
                    }
                });
                if scale != 1.0 {
                    rows.iter_mut().for_each(|value| *value *= scale as $real);
                }
            }
        }

        impl Kept for $real {
            fn kept<R>(body: impl FnOnce(&mut Workshop<$real>) -> R) -> R {
                thread_local! {
                    static WORKSHOP: RefCell<Option<Workshop<$real>>> = const { RefCell::new(None) };
                }
                WORKSHOP.with_borrow_mut(|workshop| body(workshop.get_or_insert_with(Workshop::new)))
            }
        }
    )+};
}

transform!(f32, f64);

/// A number with a workshop that each thread keeps.
trait Kept: rustfft::FftNum {
    fn kept<R>(body: impl FnOnce(&mut Workshop<Self>) -> R) -> R;
}

fn in_workshop<T: Kept, R>(n: usize, body: impl FnOnce(&mut Workshop<T>) -> R) -> R {
    if n > LONGEST_KEPT { body(&mut Workshop::new()) } else { T::kept(body) }
}

fn grown<T: rustfft::FftNum>(scratch: &mut Vec<Complex<T>>, length: usize) -> &mut [Complex<T>] {
    if scratch.len() < length {
        scratch.resize(length, Complex::new(T::zero(), T::zero()));
    }
    &mut scratch[..length]
}
