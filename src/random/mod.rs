//! Random numbers: those of PyTorch's CPU generator, for the same seed and the same sequence of calls.
//!
//! [`Generator`] has the engine, its state as bytes (interchangeable with `torch.get_rng_state()`), and a fill for each
//! distribution. A fill writes a slice in order: a tensor is filled in the order of its memory.
//!
//! # Note: Agreement with PyTorch
//! Compared with the official wheel of PyTorch 2.13 on an x86-64 processor with AVX2 that is not Intel's, with the C
//! library of the same platform. Another C library may give other last bits where it is mentioned.
//!
//! | numbers | same | takes |
//! |---|---|---|
//! | uniform | to the bit | a word for an `f32`, two for an `f64` |
//! | normal, from 16 contiguous `f32` on | to the bit, on any platform | a word for each, 16 more for an incomplete block |
//! | normal, from 16 contiguous `f64` on | to the bit, C library | twice as many |
//! | normal, fewer or not contiguous | to the bit, C library | four words for two normals, and the cache |
//! | integers of a range, of a type | to the bit | two words from 2^28 numbers on, and for a full `i64` or `f64` |
//! | permutation of n | to the bit | n - 1 words |
//! | exponential, Cauchy, geometric, log-normal | to the bit, C library | two words (log-normal: as normals one by one) |
//! | Bernoulli with one `p`, dropout | to the bit | two words |
//! | Bernoulli with tensor `p` | to the bit | as many as a uniform number of the type of `p` |
//! | Poisson, binomial, gamma | to the bit, C library | depends on the numbers |
//! | Dirichlet, beta | to the bit in `f32`; `f64` rows of 5 or more within 13 ulp | depends on the numbers |
//! | multinomial with replacement | the same | two words for each choice |
//! | multinomial without, or a single choice | the same, but for the order of equal keys | two words for each category |
//!
//! On Intel's processors the official wheels may take Bernoulli numbers with one `p` (so, dropout) and exponential
//! numbers from a generator of Intel's MKL: with the same seed PyTorch itself then differs between machines, and the
//! numbers here are those of the others. Without AVX2 PyTorch does not fuse the scaling of uniform, normal, Cauchy and
//! log-normal numbers, so that those with another range, mean or scale differ in the last bits.

mod box_muller;
mod check;
mod continuous;
mod discrete;
mod element;
mod engine;
#[cfg(test)]
mod figures;
mod gamma;
mod generator;
mod integers;
mod multinomial;
mod normal;
mod state;
mod uniform;
mod wide;

pub use element::{Real, Whole};
pub use generator::{DEFAULT_SEED, Generator};
pub use normal::Parameter;
pub use state::LENGTH as STATE_LENGTH;
