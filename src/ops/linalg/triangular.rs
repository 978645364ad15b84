//! Equations with triangular matrices.
#![allow(non_snake_case)]

use super::*;
use crate::kernels::linalg::triangular as kernel;
use crate::op;

op! {
    /// Solves `A X = B` (without `left`, `X A = B`), reading the upper or the lower triangle of `A`; with
    /// `unitriangular` its diagonal is taken for ones.
    ///
    /// `input`, which is `A`, has size `(*, n, n)`, `B` `(*, n, k)` or `(*, k, n)`; batches broadcast.
    fn linalg_solve_triangular(input: Tensor, B: Tensor; upper: bool, left: bool = true, unitriangular: bool = false) -> Tensor, FUNCTION;
    value {
        let name = "linalg.solve_triangular";
        check_square(name, input)?;
        check_matrices(name, B)?;
        check_same(name, input, B)?;
        check_field(name, input, Checked::Nothing)?;
        let (n, (rows, columns)) = (extent(input).0, extent(B));
        if n != if left { rows } else { columns } {
            bail!(Runtime, "{name}: a matrix of {n} rows does not fit a right-hand side of {rows} rows and {columns} columns");
        }
        let batch = shape::broadcast(&batch_of(input), &batch_of(B)).map_err(|error| error.context(name))?;
        solve_of(&with_batch(input, &batch)?, &with_batch(B, &batch)?, upper, left, unitriangular)
    }
    derivative composite;
}

op! {
    /// `linalg_solve_triangular` for batches of one size.
    fn solve_of as "_linalg_solve_triangular" (A: Tensor, B: Tensor, upper: bool, left: bool, unitriangular: bool) -> Tensor;
    value {
        let (batch, size) = (batch_of(B), extent(B));
        in_double!(A.dtype(), T => {
            let mut solutions = unpack::<T>(B)?;
            for (a, b) in unpack::<T>(A)?.into_iter().zip(&mut solutions) {
                if left {
                    kernel::solve(&a, b, upper, unitriangular);
                } else {
                    let mut across = b.transpose();
                    kernel::solve(&a.transpose(), &mut across, !upper, unitriangular);
                    *b = across.transpose();
                }
            }
            pack(&solutions, &batch, size, B.dtype())
        })
    }
    derivative "LinalgSolveTriangularBackward0" ByVjp {
        A(g, A, upper, left, unitriangular, out) => {
            let gb = solve_of(&h(A)?, g, !upper, left, unitriangular)?;
            let whole = if left { matmul(&gb, &h(out)?)? } else { matmul(&h(out)?, &gb)? };
            let inner = i64::from(unitriangular);
            arithmetic::mul((&if upper { super::upper(&whole, inner)? } else { lower(&whole, -inner)? }).into(), (-1.0).into())
        };
        B(g, A, upper, left, unitriangular) => solve_of(&h(A)?, g, !upper, left, unitriangular);
    }
}

op! {
    /// Solves `A X = b` for a triangular `A`, and gives `A` again. The old form of `linalg.solve_triangular`.
    fn triangular_solve(b: Tensor, A: Tensor, upper: bool = true, transpose: bool = false, unitriangular: bool = false) -> (solution, cloned_coefficient),
        FUNCTION METHOD;
    value {
        let a = if transpose { views::transpose(A, -2, -1)? } else { A.clone() };
        let solution = linalg_solve_triangular(&a, b, upper != transpose, true, unitriangular)?;
        Ok([solution, column_major(&conversion::clone(A)?)?])
    }
    derivative composite;
}
