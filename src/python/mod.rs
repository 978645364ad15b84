//! The bindings: the only files that know Python.

mod anomaly;
mod arguments;
mod autograd;
mod collector;
mod comparison;
mod creation;
mod data;
mod dtype;
mod error;
mod function;
mod gil;
mod hooks;
mod index;
mod keeping;
mod module;
mod node;
mod number;
mod numpy;
mod operation;
mod optim;
mod overrides;
mod printing;
mod properties;
mod random;
mod tensor;
mod trace;
