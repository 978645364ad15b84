//! The operations, each stated whole in one block: documentation, value, derivatives.

pub mod macros;
pub mod term;

pub mod arithmetic;
pub mod comparison;
pub mod complex;
pub mod conversion;
pub mod creation;
pub mod dropout;
pub mod fft;
pub mod gathering;
pub mod indexing;
pub mod joining;
pub mod likelihood;
pub mod linalg;
pub mod loss;
pub mod matrix;
pub mod power;
pub mod reduction;
pub mod selection;
pub mod softmax;
pub mod spectra;
pub mod unary;
pub mod views;
