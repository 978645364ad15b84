//! The generator's state as bytes, in the layout of `torch.get_rng_state()`.
//!
//! The layout, little-endian with the padding of a C struct (found by experiment with PyTorch 2.13 on x86-64):
//!
//! | bytes | type | content |
//! |---|---|---|
//! | 0 | u64 | the seed given |
//! | 8 | i32 | words left in the block, plus one |
//! | 12 | i32 | whether seeded: 1 |
//! | 16 | u64 | index of the next word in the block |
//! | 24 | 624 × u64 | the words of the state, each widened to 64 bits |
//! | 5016 | f64 | unused: 0 |
//! | 5024 | f64 | the cached `f64` normal, or 0 |
//! | 5032 | f64 | unused: 0 |
//! | 5040 | i32 | whether there is a cached `f64` normal; 4 bytes of padding follow |
//! | 5048 | f32 | the cached `f32` normal, or 0 |
//! | 5052 | u8 | whether there is a cached `f32` normal; 3 bytes of padding follow |

use super::engine::{Engine, N};
use super::generator::Generator;
use crate::error::Result;
use crate::{bail, error};

/// The length of an exported state in bytes.
pub const LENGTH: usize = 5056;

pub(super) fn export(generator: &Generator) -> Vec<u8> {
    let (words, next, left) = generator.engine.parts();
    let mut bytes = Vec::with_capacity(LENGTH);
    bytes.extend(generator.seed.to_le_bytes());
    bytes.extend((left as i32).to_le_bytes());
    bytes.extend(1_i32.to_le_bytes());
    bytes.extend((next as u64).to_le_bytes());
    bytes.extend(words.iter().flat_map(|&word| u64::from(word).to_le_bytes()));
    bytes.extend(0_f64.to_le_bytes());
    bytes.extend(generator.next_normal_f64.unwrap_or(0.0).to_le_bytes());
    bytes.extend(0_f64.to_le_bytes());
    bytes.extend(u64::from(generator.next_normal_f64.is_some()).to_le_bytes());
    bytes.extend(generator.next_normal_f32.unwrap_or(0.0).to_le_bytes());
    bytes.extend(u32::from(generator.next_normal_f32.is_some()).to_le_bytes());
    debug_assert_eq!(bytes.len(), LENGTH);
    bytes
}

pub(super) fn import(bytes: &[u8]) -> Result<Generator> {
    if bytes.len() != LENGTH {
        bail!(Runtime, "a generator state has {LENGTH} bytes, but {} are given", bytes.len());
    }
    let word = |at: usize| u32::from_le_bytes(array(bytes, at));
    let long = |at: usize| u64::from_le_bytes(array(bytes, at));
    if word(12) == 0 {
        bail!(Runtime, "the bytes are no generator state: it was never seeded");
    }
    let words: [u32; N] = std::array::from_fn(|index| word(24 + 8 * index));
    let next = usize::try_from(long(16)).unwrap_or(usize::MAX);
    let engine = if next > N { None } else { Engine::from_parts(words, next, word(8) as usize) };
    Ok(Generator {
        engine: engine
            .ok_or_else(|| error!(Runtime, "the bytes are no generator state: its position lies outside the block"))?,
        seed: long(0),
        next_normal_f64: (word(5040) != 0).then(|| f64::from_bits(long(5024))),
        next_normal_f32: (bytes[5052] != 0).then(|| f32::from_bits(word(5048))),
    })
}

/// The `K` bytes from `at` on; the caller has checked the length.
fn array<const K: usize>(bytes: &[u8], at: usize) -> [u8; K] {
    std::array::from_fn(|index| bytes[at + index])
}

#[cfg(test)]
mod tests {
    use super::super::figures::{SEED, hash};
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was() {
        let mut original = Generator::new(99);
        for draws in [0, 1, 623, 700, 3] {
            for _ in 0..draws {
                original.random();
            }
            original.normal_serial(&mut [0.0_f32], 0.0, 1.0).unwrap();
            let bytes = original.state();
            let mut copy = Generator::default();
            copy.set_state(&bytes).unwrap();
            assert_eq!(copy.state(), bytes);
            assert_eq!(copy.initial_seed(), 99);
            let (mut a, mut b) = ([0.0_f64; 1300], [0.0_f64; 1300]);
            original.clone().normal_serial(&mut a, 0.0, 1.0).unwrap();
            copy.normal_serial(&mut b, 0.0, 1.0).unwrap();
            assert_eq!(a, b);
        }
    }

    #[test]
    fn the_bytes_are_those_of_torch() {
        let mut generator = Generator::new(SEED);
        assert_eq!(hash(generator.state()), 0x1ec5_fff1_b6cb_db1e);
        // torch.randn(3); torch.rand(700): a cached f64 normal, and a second block.
        generator.normal(&mut [0.0_f32; 3], 0.0, 1.0).unwrap();
        generator.uniform(&mut [0.0_f32; 700], 0.0, 1.0).unwrap();
        let state = generator.state();
        assert_eq!(state[..16], [3, 0, 0, 0, 0, 1, 0, 0, 0x1d, 2, 0, 0, 1, 0, 0, 0]);
        assert_eq!(state[16..32], [0x54, 0, 0, 0, 0, 0, 0, 0, 0x9d, 0x09, 0x63, 0xbf, 0, 0, 0, 0]);
        let cached = f64::from_bits(0xbfe3_a393_f285_3e66);
        assert!((f64::from_bits(u64::from_le_bytes(array(&state, 5024))) - cached).abs() < 1e-15);
        assert_eq!(state[5032..], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(hash(state[..5024].iter().copied()), 0xb9eab7e224426b97);
    }

    #[test]
    fn other_bytes_are_refused() {
        let mut generator = Generator::new(4);
        let good = generator.state();
        let broken = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        assert!(generator.set_state(&good[1..]).is_err());
        assert!(generator.set_state(&[]).is_err());
        assert!(generator.set_state(&broken(12, 0)).is_err(), "not seeded");
        assert!(generator.set_state(&broken(8, 0)).is_err(), "left = 0");
        assert!(generator.set_state(&broken(11, 0x80)).is_err(), "left < 0");
        assert!(generator.set_state(&broken(18, 1)).is_err(), "next too large");
        assert!(generator.set_state(&broken(23, 0xff)).is_err(), "next too large");
        assert_eq!(generator.state(), good);
        generator.random();
        let mut advanced = generator.state();
        advanced[16] = 200;
        assert!(generator.set_state(&advanced).is_err(), "past the end of the block");
    }
}
