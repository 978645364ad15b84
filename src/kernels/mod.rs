//! Numeric loops over strided memory. They know no tensor's history and no operation's name.

pub mod algebra;
pub mod alignment;
pub mod convert;
pub mod convolution;
pub mod copy;
pub mod elementary;
pub mod embedding;
pub mod fill;
pub mod flip;
pub mod functions;
pub mod index;
pub mod lines;
pub mod map;
pub mod matmul;
pub mod normalization;
pub mod parallel;
pub mod pooling;
pub mod reduce;
pub mod resample;
pub mod scan;
pub mod simd;
pub mod softmax;
pub mod sort;
pub mod special;
pub mod strided;
pub mod triangle;
