//! One loop body, compiled for each instruction set, chosen when it runs.

use std::sync::atomic::{AtomicU8, Ordering};

/// The instruction sets that loops are compiled for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum InstructionSet {
    /// What every processor of the target has.
    Baseline = 1,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

static CHOSEN: AtomicU8 = AtomicU8::new(0);

/// The widest instruction set of this processor.
#[inline(always)]
pub fn instruction_set() -> InstructionSet {
    match CHOSEN.load(Ordering::Relaxed) {
        1 => InstructionSet::Baseline,
        2 => InstructionSet::Avx2,
        3 => InstructionSet::Avx512,
        _ => detect(),
    }
}

#[cold]
fn detect() -> InstructionSet {
    #[cfg(target_arch = "x86_64")]
    let found = if is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
    {
        InstructionSet::Avx512
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        InstructionSet::Avx2
    } else {
        InstructionSet::Baseline
    };
    #[cfg(not(target_arch = "x86_64"))]
    let found = InstructionSet::Baseline;
    CHOSEN.store(found as u8, Ordering::Relaxed);
    found
}

/// Work that is compiled once for each instruction set. `run`, and all that it calls in its loops, must be
/// `#[inline(always)]` to be compiled along with it.
pub trait Vectorized {
    type Output;
    fn run(self) -> Self::Output;
}

/// Runs work with the widest instruction set.
#[inline(always)]
pub fn vectorize<V: Vectorized>(work: V) -> V::Output {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
        fn avx512<V: Vectorized>(work: V) -> V::Output {
            work.run()
        }
        #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
        fn avx2<V: Vectorized>(work: V) -> V::Output {
            work.run()
        }
        match instruction_set() {
            // SAFETY: the processor was asked for these instructions.
            InstructionSet::Avx512 => return unsafe { avx512(work) },
            // SAFETY: as above.
            InstructionSet::Avx2 => return unsafe { avx2(work) },
            InstructionSet::Baseline => {}
        }
    }
    work.run()
}
