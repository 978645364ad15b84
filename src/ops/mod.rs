//! The operations, each stated whole in one block: documentation, value, derivatives.

pub mod macros;
pub mod term;

pub mod activation;
pub mod aliases;
pub mod arithmetic;
pub mod comparison;
pub mod conversion;
pub mod creation;
pub mod distance;
pub mod divergence;
pub mod dropout;
pub mod exponential;
pub mod gathering;
pub mod indexing;
pub mod integer;
pub mod joining;
pub mod likelihood;
pub mod loss;
pub mod margin;
pub mod matrix;
pub mod power;
pub mod reduction;
pub mod representation;
pub mod robust;
pub mod sampling;
pub mod selection;
pub mod softmax;
pub mod special;
pub mod trigonometric;
pub mod unary;
pub mod views;
