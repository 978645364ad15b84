//! The operations, each stated whole in one block: documentation, value, derivatives.

pub mod macros;
pub mod term;

pub mod alignment;
pub mod arithmetic;
pub mod attention;
pub mod comparison;
pub mod conversion;
pub mod convolution;
pub mod creation;
pub mod dropout;
pub mod embedding;
pub mod folding;
pub mod gathering;
pub mod indexing;
pub mod joining;
pub mod likelihood;
pub mod loss;
pub mod matrix;
pub mod normalization;
pub mod padding;
pub mod pooling;
pub mod power;
pub mod recurrent;
pub mod reduction;
pub mod resampling;
pub mod resizing;
pub mod sampling;
pub mod selection;
pub mod softmax;
pub mod unary;
pub mod views;
