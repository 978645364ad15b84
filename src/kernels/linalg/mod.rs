//! Decompositions of one dense matrix, in double precision: faer's, by way of the crate `decompositions`, and our own
//! where LAPACK's storage is public and faer's is another.
//!
//! Matrices of float32 and complex64 come here converted: a decomposition is then exact to the last place of their own
//! type, and there are two instances of each algorithm instead of four.

pub mod householder;
pub mod indefinite;
pub mod lu;
pub mod spectral;
pub mod triangular;

use std::ops::{AddAssign, DivAssign, Index, IndexMut, MulAssign, SubAssign};

use num_complex::ComplexFloat;
use rgrad_decompositions::Decompose;

use crate::dtype::{Complex128, Element};

/// float64 or complex128.
pub trait Number:
    ComplexFloat<Real = f64> + Decompose + Element + AddAssign + SubAssign + MulAssign + DivAssign + std::iter::Sum
{
    const ZERO: Self;
    const ONE: Self;
    fn of(re: f64, im: f64) -> Self;
}

impl Number for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    fn of(re: f64, _: f64) -> f64 {
        re
    }
}

impl Number for Complex128 {
    const ZERO: Complex128 = Complex128::new(0.0, 0.0);
    const ONE: Complex128 = Complex128::new(1.0, 0.0);
    fn of(re: f64, im: f64) -> Complex128 {
        Complex128::new(re, im)
    }
}

/// The square of the absolute value.
pub fn square<T: Number>(x: T) -> f64 {
    x.re() * x.re() + x.im() * x.im()
}

/// The Euclidean norm, scaled so that squares neither overflow nor vanish.
pub fn norm<T: Number>(x: &[T]) -> f64 {
    let scale = x.iter().fold(0.0f64, |most, value| most.max(value.re().abs()).max(value.im().abs()));
    if scale == 0.0 || !scale.is_finite() {
        return scale;
    }
    // Real quotients: a complex one squares the divisor.
    let sum: f64 = x.iter().map(|value| (value.re() / scale).powi(2) + (value.im() / scale).powi(2)).sum();
    scale * sum.sqrt()
}

/// `y += factor * x`
pub fn add_scaled<T: Number>(y: &mut [T], factor: T, x: &[T]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// A row-major matrix.
#[derive(Clone)]
pub struct Matrix<T> {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<T>,
}

impl<T: Number> Matrix<T> {
    pub fn zeros(rows: usize, columns: usize) -> Matrix<T> {
        Matrix { rows, columns, values: vec![T::ZERO; rows * columns] }
    }

    pub fn identity(rows: usize, columns: usize) -> Matrix<T> {
        let mut matrix = Matrix::zeros(rows, columns);
        for i in 0..rows.min(columns) {
            matrix[(i, i)] = T::ONE;
        }
        matrix
    }

    pub fn row(&self, i: usize) -> &[T] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        &mut self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// Row `i` to change and row `j` to read.
    pub fn row_pair(&mut self, i: usize, j: usize) -> (&mut [T], &[T]) {
        let n = self.columns;
        if i < j {
            let (head, tail) = self.values.split_at_mut(j * n);
            (&mut head[i * n..(i + 1) * n], &tail[..n])
        } else {
            let (head, tail) = self.values.split_at_mut(i * n);
            (&mut tail[..n], &head[j * n..(j + 1) * n])
        }
    }

    pub fn swap_rows(&mut self, i: usize, j: usize) {
        if i != j {
            let n = self.columns;
            let (i, j) = (i.min(j), i.max(j));
            let (head, tail) = self.values.split_at_mut(j * n);
            head[i * n..(i + 1) * n].swap_with_slice(&mut tail[..n]);
        }
    }

    pub fn transpose(&self) -> Matrix<T> {
        let mut result = Matrix::zeros(self.columns, self.rows);
        for i in 0..self.rows {
            for j in 0..self.columns {
                result[(j, i)] = self[(i, j)];
            }
        }
        result
    }

    /// The transpose with conjugate elements.
    pub fn adjoint(&self) -> Matrix<T> {
        let mut result = self.transpose();
        result.values.iter_mut().for_each(|value| *value = value.conj());
        result
    }

    pub fn times(&self, other: &Matrix<T>) -> Matrix<T> {
        let values = T::product(&self.values, &other.values, self.rows, self.columns, other.columns);
        Matrix { rows: self.rows, columns: other.columns, values }
    }

    pub fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

impl<T> Index<(usize, usize)> for Matrix<T> {
    type Output = T;
    fn index(&self, (i, j): (usize, usize)) -> &T {
        &self.values[i * self.columns + j]
    }
}

impl<T> IndexMut<(usize, usize)> for Matrix<T> {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut T {
        &mut self.values[i * self.columns + j]
    }
}
