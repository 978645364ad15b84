//! The bindings: the only files that know Python.

mod arguments;
mod autograd;
mod comparison;
mod creation;
mod data;
mod dtype;
mod error;
mod gil;
mod index;
mod module;
mod node;
mod number;
mod numpy;
mod operation;
mod optim;
mod printing;
mod random;
mod tensor;
mod trace;
