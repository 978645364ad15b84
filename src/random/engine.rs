//! The Mersenne Twister MT19937: 624 words of state, refilled and tempered a whole block at a time.
//!
//! Source: M. Matsumoto, T. Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998, with the seeding of their 2002
//! version (`init_genrand`). PyTorch's CPU generator is this engine; `numpy.random.seed` seeds it differently.

use super::wide::wide;

/// Words in the state, and in one block of output.
pub(super) const N: usize = 624;
/// Distance between the words that the recurrence combines.
const M: usize = 397;

/// The engine. `state` is the recurrence, `output` the same block after tempering: keeping both lets a fill read
/// finished words from a slice, while the state can still be exported.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    state: [u32; N],
    output: [u32; N],
    /// Index of the next word of `output`.
    next: usize,
    /// Words left in the block, plus one; 1 calls for a refill. Kept apart from `next` because PyTorch's exported
    /// state has both, and a freshly seeded engine (nothing left, next = 0) must come back as it was.
    left: usize,
}

impl Engine {
    /// An engine seeded with one 32-bit word.
    pub(super) fn new(seed: u32) -> Self {
        let mut state = [0; N];
        state[0] = seed;
        for j in 1..N {
            let previous: u32 = state[j - 1];
            state[j] = 1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(j as u32);
        }
        // Nothing of the seeded block is ever output: it is twisted first.
        Self { state, output: [0; N], next: 0, left: 1 }
    }

    /// An engine with the given state, or `None` where the counters do not describe a position in a block.
    pub(super) fn from_parts(state: [u32; N], next: usize, left: usize) -> Option<Self> {
        let fits = (1..=N).contains(&left) && next <= N && next + left <= N + 1;
        fits.then(|| {
            let mut output = [0; N];
            temper(&state, &mut output);
            Self { state, output, next, left }
        })
    }

    /// The untempered words, the index of the next one, and the count of those left plus one.
    pub(super) fn parts(&self) -> (&[u32; N], usize, usize) {
        (&self.state, self.next, self.left)
    }

    /// The next word.
    #[inline]
    pub(super) fn word(&mut self) -> u32 {
        if self.left == 1 {
            self.refill();
        }
        let word = self.output[self.next];
        self.next += 1;
        self.left -= 1;
        word
    }

    /// The next words, as many as the block still has but at most `limit`; at least one if `limit` is positive.
    #[inline]
    pub(super) fn words(&mut self, limit: usize) -> &[u32] {
        if self.left == 1 {
            self.refill();
        }
        let (start, count) = (self.next, limit.min(self.left - 1));
        self.next += count;
        self.left -= count;
        &self.output[start..start + count]
    }

    /// Words that can be read before the next refill.
    #[inline]
    pub(super) fn remaining(&self) -> usize {
        self.left - 1
    }

    #[cold]
    fn refill(&mut self) {
        let mut fresh = [0; N];
        twist(&self.state, &mut fresh);
        temper(&fresh, &mut self.output);
        self.state = fresh;
        self.next = 0;
        self.left = N + 1;
    }
}

/// One step of the recurrence without its third word: the high bit of `u` and the low bits of `v`, times the matrix.
#[inline(always)]
fn mix(u: u32, v: u32) -> u32 {
    let joined = (u & 0x8000_0000) | (v & 0x7fff_ffff);
    (joined >> 1) ^ ((v & 1).wrapping_neg() & 0x9908_b0df)
}

wide! {
    /// The next block of state. A word needs the new word 227 places before it, so the block is cut where the
    /// source of the third word moves from the old block to the new one: every piece is a loop over distinct slices.
    fn twist(old: &[u32; N], new: &mut [u32; N]) {
        const D: usize = N - M;
        fn piece(new: &mut [u32], old: &[u32], third: &[u32]) {
            for ((new, pair), third) in new.iter_mut().zip(old.windows(2)).zip(third) {
                *new = third ^ mix(pair[0], pair[1]);
            }
        }
        let (first, rest) = new.split_at_mut(D);
        let (second, third) = rest.split_at_mut(D);
        piece(first, &old[..=D], &old[M..]);
        piece(second, &old[D..=2 * D], first);
        piece(&mut third[..N - 1 - 2 * D], &old[2 * D..], second);
        third[N - 1 - 2 * D] = second[N - 1 - 2 * D] ^ mix(old[N - 1], first[0]);
    }
}

wide! {
    /// The output words of a block of state.
    fn temper(state: &[u32; N], output: &mut [u32; N]) {
        for (out, &word) in output.iter_mut().zip(state) {
            let mut y = word;
            y ^= y >> 11;
            y ^= (y << 7) & 0x9d2c_5680;
            y ^= (y << 15) & 0xefc6_0000;
            *out = y ^ (y >> 18);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        // Seed 5489 is the authors' default; std::mt19937 documents the 10000th word.
        let mut engine = Engine::new(5489);
        let words: Vec<u32> = (0..10_000).map(|_| engine.word()).collect();
        assert_eq!(words[0], 3_499_211_612);
        assert_eq!(words[9_999], 4_123_659_995);
    }

    #[test]
    fn slices_and_words_are_one_sequence() {
        let (mut a, mut b) = (Engine::new(1), Engine::new(1));
        for limit in [1, 5, 0, 700, 618, 1, 623, 2] {
            let slice = a.words(limit).to_vec();
            assert!(slice.len() <= limit);
            assert!(slice.iter().all(|&word| word == b.word()));
        }
    }
}
