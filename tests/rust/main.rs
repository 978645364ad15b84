//! Tests of the whole crate: every operation of the registry by generated samples, the engine, and laws of geometry.

#![allow(clippy::unwrap_used, reason = "what goes wrong in a test has to end it")]

mod calls;
mod dtypes;
mod engine;
mod gradients;
mod in_place;
mod layouts;
mod samples;
mod shapes;
mod threads;
mod views;
