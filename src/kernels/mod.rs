//! Numeric loops over strided memory. They know no tensor's history and no operation's name.

pub mod algebra;
pub mod alignment;
pub mod convert;
pub mod convolution;
pub mod copy;
pub mod elementary;
pub mod embedding;
pub mod fill;
pub mod index;
pub mod map;
pub mod matmul;
pub mod normalization;
pub mod parallel;
pub mod pooling;
pub mod reduce;
pub mod resample;
pub mod simd;
pub mod softmax;
pub mod strided;
