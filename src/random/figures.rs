//! For the tests: comparing with figures recorded from PyTorch 2.13 (x86-64 with AVX2, not an Intel processor).

use std::fmt::Debug;

use super::element::Real;
use super::generator::Generator;

/// The seed of all recorded figures: more than 32 bits, of which the engine gets 3.
pub(super) const SEED: u64 = (1 << 40) + 3;

/// What a fill draws from the recorded seed.
pub(super) fn drawn<T: Copy + Default, const K: usize>(fill: impl FnOnce(&mut Generator, &mut [T])) -> [T; K] {
    let mut out = [T::default(); K];
    fill(&mut Generator::new(SEED), &mut out);
    out
}

/// Asserts what a fill draws from the recorded seed, to the bit.
#[track_caller]
pub(super) fn assert_draws<T: Copy + Default + PartialEq + Debug, const K: usize>(
    fill: impl FnOnce(&mut Generator, &mut [T]),
    expected: [T; K],
) {
    assert_eq!(drawn::<T, K>(fill), expected);
}

/// The FNV-1a hash of some bytes: stands for figures that are too many to write down.
pub(super) fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Asserts equality up to what the C libraries of two platforms may differ by.
#[track_caller]
pub(super) fn assert_near<T: Real>(got: &[T], expected: &[T]) {
    assert_eq!(got.len(), expected.len());
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        let (got, expected) = (got.wide(), expected.wide());
        let error = (got - expected).abs();
        assert!(error <= 8.0 * T::EPSILON * expected.abs(), "element {index}: {got}, expected {expected}");
    }
}
