//! Tests of the whole crate: every operation of the registry by generated samples, the engine, and laws of geometry.

mod gradients;
mod samples;
