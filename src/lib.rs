//! Automatic differentiation on the CPU, with PyTorch's semantics.
//!
//! The crate is built in floors; code uses its own floor and those below.
//!
//! | floor | modules | what it is |
//! |---|---|---|
//! | 4 | `python` | the bindings; the only place that knows the embedding language |
//! | 3 | [`ops`], [`optim`], [`checking`] | the operations: value and derivatives in one block each; the steps of optimizers; derivatives checked |
//! | 2 | [`tensor`], [`value`], [`op`], [`pointwise`], [`autograd`], [`profile`] | tensors, what an operation is, recording and the engine, what took the time |
//! | 1 | [`kernels`] | numeric loops over strided memory |
//! | 0 | [`storage`], [`data`], [`shape`], [`words`], [`dtype`], [`scalar`], [`error`], [`trace`], `rc`, [`random`], [`format`] | memory, geometry, element types, errors |

pub mod autocast;
pub mod autograd;
pub mod checking;
pub mod data;
pub mod dtype;
pub mod error;
pub mod format;
pub mod kernels;
pub mod memory_format;
pub mod op;
pub mod ops;
pub mod optim;
pub mod pointwise;
pub mod profile;
pub mod promotion;
#[cfg(feature = "python")]
mod python;
pub mod random;
mod rc;
pub mod scalar;
pub mod shape;
pub mod storage;
pub mod tensor;
pub mod trace;
pub mod value;
pub mod words;

pub use dtype::DType;
pub use error::{Error, Result};
pub use scalar::Scalar;
pub use tensor::Tensor;
