//! The generator: an engine, the seed it was given, and the normals left over from the last pair.

use super::engine::Engine;
use super::state;
use crate::error::Result;

/// The seed of a generator that was given none, as PyTorch's.
pub const DEFAULT_SEED: u64 = 67_280_421_310_721;

/// A source of random numbers that gives what PyTorch's CPU generator gives for the same seed and calls.
///
/// A normal made one at a time comes from a pair, and the other half is kept for the next such call, also across
/// calls. PyTorch has a cache for `f32` and one for `f64`, but its CPU distributions always sample single normals in
/// `f64`: the `f32` cache is only carried along in the exported state, and only the `f64` one is ever used.
#[derive(Clone, Debug)]
pub struct Generator {
    pub(super) engine: Engine,
    pub(super) seed: u64,
    pub(super) next_normal_f32: Option<f32>,
    pub(super) next_normal_f64: Option<f64>,
}

impl Default for Generator {
    fn default() -> Self {
        Self::new(DEFAULT_SEED)
    }
}

impl Generator {
    /// A generator seeded with `seed`. Only its low 32 bits reach the engine, as in PyTorch.
    pub fn new(seed: u64) -> Self {
        Self { engine: Engine::new(seed as u32), seed, next_normal_f32: None, next_normal_f64: None }
    }

    /// Starts again from `seed`, forgetting any cached normal.
    pub fn manual_seed(&mut self, seed: u64) {
        *self = Self::new(seed);
    }

    /// The seed last given, all 64 bits of it.
    pub fn initial_seed(&self) -> u64 {
        self.seed
    }

    /// Starts again from a seed that the operating system draws, and returns it.
    pub fn seed(&mut self) -> u64 {
        let seed = entropy();
        self.manual_seed(seed);
        seed
    }

    /// The state in the form of `torch.get_rng_state()`: [`STATE_LENGTH`](super::STATE_LENGTH) bytes.
    pub fn state(&self) -> Vec<u8> {
        state::export(self)
    }

    /// Takes over a state in the form of `torch.get_rng_state()`.
    ///
    /// # Errors
    /// If `bytes` has another length or does not describe a state; the generator is then unchanged.
    pub fn set_state(&mut self, bytes: &[u8]) -> Result<()> {
        *self = state::import(bytes)?;
        Ok(())
    }

    /// 32 random bits.
    #[inline]
    pub fn random(&mut self) -> u32 {
        self.engine.word()
    }

    /// 64 random bits: two words, the first one high.
    #[inline]
    pub fn random64(&mut self) -> u64 {
        join(self.random(), self.random())
    }

    /// Fills `out` in order, each element made from one word.
    #[inline]
    pub(super) fn fill32<T>(&mut self, mut out: &mut [T], make: impl Fn(u32) -> T) {
        while !out.is_empty() {
            let words = self.engine.words(out.len());
            let (head, tail) = out.split_at_mut(words.len());
            for (slot, &word) in head.iter_mut().zip(words) {
                *slot = make(word);
            }
            out = tail;
        }
    }

    /// Fills `out` in order, each element made from two words.
    #[inline]
    pub(super) fn fill64<T>(&mut self, mut out: &mut [T], make: impl Fn(u64) -> T) {
        while !out.is_empty() {
            let pairs = self.engine.remaining() / 2;
            if pairs == 0 {
                // The pair lies across two blocks, or a new block begins.
                let (head, tail) = out.split_at_mut(1);
                head[0] = make(self.random64());
                out = tail;
                continue;
            }
            let words = self.engine.words(2 * pairs.min(out.len()));
            let (head, tail) = out.split_at_mut(words.len() / 2);
            for (slot, pair) in head.iter_mut().zip(words.chunks_exact(2)) {
                *slot = make(join(pair[0], pair[1]));
            }
            out = tail;
        }
    }
}

#[inline]
fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// 64 bits that nobody can foresee.
fn entropy() -> u64 {
    system_entropy().unwrap_or_else(|| {
        use std::hash::{BuildHasher, Hasher, RandomState};
        // The keys of a hasher come from the system too, but a forked process shares them: hence process and time.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        hasher.write_u128(now.map_or(0, |elapsed| elapsed.as_nanos()));
        hasher.finish()
    })
}

#[cfg(unix)]
fn system_entropy() -> Option<u64> {
    use std::io::Read;
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom").ok()?.read_exact(&mut bytes).ok()?;
    Some(u64::from_ne_bytes(bytes))
}

#[cfg(not(unix))]
fn system_entropy() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::figures::SEED;
    use super::*;

    #[test]
    fn words_of_known_seeds() {
        // The first two are torch.empty(2, dtype=torch.int64).random_(-2**63, None).
        let mut generator = Generator::new(SEED);
        assert_eq!(generator.random64(), 0x8d01_176a_121b_0698);
        assert_eq!(generator.random(), 0xb549_2cf9);
        assert_eq!(generator.random(), 0xd706_e683);
        generator.random();
        generator.manual_seed(SEED);
        assert_eq!(generator.random64(), 0x8d01_176a_121b_0698);
    }

    #[test]
    fn only_the_low_half_of_a_seed_reaches_the_engine() {
        let (mut a, mut b) = (Generator::new(5), Generator::new(1 << 40 | 5));
        assert_eq!(b.initial_seed(), 1 << 40 | 5);
        assert_eq!(a.random64(), b.random64());
    }

    #[test]
    fn fills_of_any_length_are_one_sequence() {
        let (mut a, mut b) = (Generator::new(3), Generator::new(3));
        for length in [1, 7, 623, 0, 1300] {
            let mut words = vec![0; length];
            a.fill32(&mut words, |word| word);
            assert!(words.iter().all(|&word| word == b.random()));
            let mut pairs = vec![0; length];
            a.fill64(&mut pairs, |pair| pair);
            assert!(pairs.iter().all(|&pair| pair == b.random64()));
        }
    }

    #[test]
    fn a_seed_forgets_the_cached_normal() {
        let mut generator = Generator::new(3);
        let mut normal = [0.0_f64; 3];
        generator.normal(&mut normal[..1], 0.0, 1.0).unwrap();
        assert!(generator.next_normal_f64.is_some());
        generator.manual_seed(3);
        assert!(generator.next_normal_f64.is_none());
        let first = normal[0];
        // The cache outlives a call, and a fill that does not use it.
        generator.normal(&mut normal[..1], 0.0, 1.0).unwrap();
        generator.normal(&mut [0.0_f32; 16], 0.0, 1.0).unwrap();
        generator.normal(&mut normal[1..2], 0.0, 1.0).unwrap();
        assert_eq!(normal[0], first);
        generator.manual_seed(3);
        let mut both = [0.0_f64; 2];
        generator.normal(&mut both, 0.0, 1.0).unwrap();
        assert_eq!(both, normal[..2]);
    }

    #[test]
    fn seeds_from_the_system_differ() {
        let mut generator = Generator::default();
        assert_eq!(generator.initial_seed(), DEFAULT_SEED);
        let (first, second) = (generator.seed(), generator.seed());
        assert_ne!(first, second);
        assert_eq!(generator.initial_seed(), second);
    }
}
