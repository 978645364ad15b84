//! Numeric loops over strided memory. They know no tensor's history and no operation's name.

pub mod algebra;
pub mod convert;
pub mod copy;
pub mod elementary;
pub mod fill;
pub mod index;
pub mod linalg;
pub mod map;
pub mod matmul;
pub mod parallel;
pub mod reduce;
pub mod simd;
pub mod softmax;
pub mod strided;
