//! The operations, each stated whole in one block: documentation, value, derivatives.

pub mod macros;
pub mod term;

pub mod arithmetic;
pub mod comparison;
pub mod conversion;
pub mod creation;
pub mod cumulative;
pub mod diagonal;
pub mod dropout;
pub mod einsum;
pub mod gathering;
pub mod indexing;
pub mod joining;
pub mod likelihood;
pub mod loss;
pub mod matrix;
pub mod norms;
pub mod order_statistics;
pub mod placing;
pub mod power;
pub mod products;
pub mod rearrangement;
pub mod reduction;
pub mod scattering;
pub mod searching;
pub mod selection;
pub mod softmax;
pub mod sorting;
pub mod splitting;
pub mod unary;
pub mod uniqueness;
pub mod views;
pub mod windows;
