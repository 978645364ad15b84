//! The recording of operations and the backward engine. No operation is known here by name.

pub mod accumulate;
pub mod anomaly;
pub mod batch;
pub mod cuts;
pub mod cycles;
pub mod engine;
pub mod forward;
pub mod growth;
pub mod hooks;
pub mod meta;
pub mod modes;
pub mod nesting;
pub mod node;
pub mod primitives;
pub mod record;
pub mod saved;
pub mod view;
pub mod widened;
