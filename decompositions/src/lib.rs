//! The decompositions of dense matrices that the library faer computes, as plain functions of two types.
//!
//! faer's algorithms are generic: whatever calls them compiles them again. Here they are compiled once, for float64 and
//! complex128, and linked from then on. Matrices are row-major slices. All is computed by one thread, so that no bit
//! depends on how many there are.

mod factors;
mod spectra;

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::traits::ComplexField;
use faer::traits::math_utils::zero;
use faer::{Mat, MatMut, MatRef};
use num_complex::{Complex64, ComplexFloat};

/// `A = U diag(S) V^H` with singular values in descending order.
pub struct Svd<T> {
    pub u: Vec<T>,
    pub s: Vec<f64>,
    pub vh: Vec<T>,
}

/// What the matrices of one element type can be decomposed in. Sizes that do not fit a slice are a mistake, and panic.
pub trait Decompose: Sized {
    /// The product of a matrix of `rows` rows and `inner` columns and one of `inner` rows and `columns` columns.
    fn product(a: &[Self], b: &[Self], rows: usize, inner: usize, columns: usize) -> Vec<Self>;

    /// Replaces a Hermitian matrix, of which the lower triangle is read, by its factor `L` of `A = L L^H`; or gives the
    /// order of the first leading minor that is not positive definite, with nothing of use in `a`.
    fn cholesky(a: &mut [Self], n: usize) -> Result<(), usize>;

    /// Replaces a matrix by its factors `L` (unit diagonal, not stored) and `U`, and gives for each row the one that it
    /// was exchanged with. `None`, with `a` as it was, where a pivot is not a normal number: faer divides by it.
    fn lu(a: &mut [Self], rows: usize, columns: usize) -> Option<Vec<usize>>;

    /// Solves `A X = B` in the place of `B`, reading the upper or the lower triangle of `A`; with `unit` its diagonal
    /// is taken for ones.
    fn solve_triangular(a: &[Self], n: usize, b: &mut [Self], columns: usize, upper: bool, unit: bool);

    /// Multiplies `a`, in its columns from `left`, by the product of the reflections `I - tau v v^H` of the columns of
    /// `v`, or by the adjoint of that product.
    fn reflect(v: &[Self], taus: &[Self], adjoint: bool, a: &mut [Self], columns: usize, left: usize);

    /// The eigenvalues of a Hermitian matrix, ascending, and the eigenvectors as columns; `None` if the iteration does
    /// not converge. The lower triangle is read, and has to be finite.
    fn hermitian(a: &[Self], n: usize) -> Option<(Vec<f64>, Vec<Self>)>;

    /// The eigenvalues of any square matrix, and the eigenvectors as columns; `None` if the iteration does not converge
    /// or an element is not finite. Those of a real matrix that are not real come in conjugate pairs.
    fn eigen(a: &[Self], n: usize) -> Option<(Vec<Complex64>, Vec<Complex64>)>;

    /// Singular values and vectors; with `full` `U` and `V` are square, else they have as many columns as there are
    /// singular values. `None` if the iteration does not converge or an element is not finite.
    fn svd(a: &[Self], rows: usize, columns: usize, full: bool) -> Option<Svd<Self>>;
}

/// The number types of faer's that have this crate's element types.
trait Number: ComplexField<Real = f64> + ComplexFloat<Real = f64> {}

impl Number for f64 {}
impl Number for Complex64 {}

macro_rules! decompose {
    ($T:ty, $eigen:path) => {
        impl Decompose for $T {
            fn product(a: &[$T], b: &[$T], rows: usize, inner: usize, columns: usize) -> Vec<$T> {
                factors::product(a, b, rows, inner, columns)
            }
            fn cholesky(a: &mut [$T], n: usize) -> Result<(), usize> {
                factors::cholesky(a, n)
            }
            fn lu(a: &mut [$T], rows: usize, columns: usize) -> Option<Vec<usize>> {
                factors::lu(a, rows, columns)
            }
            fn solve_triangular(a: &[$T], n: usize, b: &mut [$T], columns: usize, upper: bool, unit: bool) {
                factors::solve_triangular(a, n, b, columns, upper, unit)
            }
            fn reflect(v: &[$T], taus: &[$T], adjoint: bool, a: &mut [$T], columns: usize, left: usize) {
                factors::reflect(v, taus, adjoint, a, columns, left)
            }
            fn hermitian(a: &[$T], n: usize) -> Option<(Vec<f64>, Vec<$T>)> {
                spectra::hermitian(a, n)
            }
            fn eigen(a: &[$T], n: usize) -> Option<(Vec<Complex64>, Vec<Complex64>)> {
                $eigen(a, n)
            }
            fn svd(a: &[$T], rows: usize, columns: usize, full: bool) -> Option<Svd<$T>> {
                spectra::svd(a, rows, columns, full)
            }
        }
    };
}

decompose!(f64, spectra::eigen_real);
decompose!(Complex64, spectra::eigen_complex);

/// Runs a computation with as much memory as it asks for.
fn with_memory<R>(size: StackReq, run: impl FnOnce(&mut MemStack) -> R) -> R {
    run(MemStack::new(&mut MemBuffer::new(size)))
}

/// A copy whose columns lie one after another, as faer's algorithms like it.
fn columns_of<T: Number>(a: &[T], rows: usize, columns: usize) -> Mat<T> {
    MatRef::from_row_major_slice(a, rows, columns).to_owned()
}

/// Copies a matrix into a row-major slice.
fn rows_into<T: Number>(a: MatRef<'_, T>, into: &mut [T]) {
    MatMut::from_row_major_slice_mut(into, a.nrows(), a.ncols()).copy_from(a);
}

/// The elements of a matrix, row after row.
fn rows_of<T: Number>(a: MatRef<'_, T>) -> Vec<T> {
    let mut values = vec![zero(); a.nrows() * a.ncols()];
    rows_into(a, &mut values);
    values
}
