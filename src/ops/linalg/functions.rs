//! Functions of matrices: powers and the exponential.
#![allow(non_snake_case)]

use super::*;
use crate::op;

op! {
    /// The matrix to the power `n`; for a negative one, of its inverse.
    fn linalg_matrix_power(input: Tensor, n: i64) -> Tensor, FUNCTION;
    value { power("linalg.matrix_power", input, n) }
    derivative composite;
}

op! {
    /// `linalg.matrix_power` under its old name.
    fn matrix_power(input: Tensor, n: i64) -> Tensor, FUNCTION METHOD;
    value { power("matrix_power", input, n) }
    derivative composite;
}

/// By squaring.
fn power(name: &str, a: &Tensor, n: i64) -> Result<Tensor> {
    check_square(name, a)?;
    if n == 0 {
        let one = identity(extent(a).0, a.dtype())?;
        // Nothing of the input is left, but it has a gradient, of zeros.
        return add(&where_place(a, |_, _| false)?, &one);
    }
    let mut square = if n < 0 { inverse::linalg_inv(a)? } else { a.clone() };
    if n.abs() == 1 {
        return if n < 0 { Ok(square) } else { conversion::row_major(&square) };
    }
    let (mut rest, mut result) = (n.unsigned_abs(), None);
    loop {
        if rest & 1 == 1 {
            result = Some(match result {
                Some(result) => matmul(&result, &square)?,
                None => square.clone(),
            });
        }
        rest >>= 1;
        match (rest, result) {
            (0, Some(result)) => return Ok(result),
            (_, kept) => result = kept,
        }
        square = matmul(&square, &square)?;
    }
}

op! {
    /// The exponential of each square matrix, `sum(A^k / k!)`.
    fn linalg_matrix_exp(input: Tensor) -> Tensor, FUNCTION NO_OUT;
    value {
        check_square("linalg.matrix_exp", input)?;
        check_field("linalg.matrix_exp", input, Checked::Integers)?;
        let (batch, size) = (batch_of(input), extent(input));
        in_double!(input.dtype(), T => {
            let results: Vec<Matrix<T>> = unpack::<T>(input)?.iter().map(exponential).collect();
            Ok(pack(&results, &batch, size, input.dtype())?.to_contiguous()?)
        })
    }
    batch rule(each_matrix);
    derivative "LinalgMatrixExpBackward0" ByVjp {
        input(g, input) => {
            // Mathias (1996): the derivative is a block of the exponential of a larger matrix.
            let across = h(input)?;
            let n = extent(input).0;
            let zero = across.zeros_alike()?;
            let above = crate::ops::joining::cat_tensors(&[across.clone(), g.clone()], -1)?;
            let below = crate::ops::joining::cat_tensors(&[zero, across], -1)?;
            let whole = linalg_matrix_exp(&crate::ops::joining::cat_tensors(&[above, below], -2)?)?;
            narrow(&narrow(&whole, -2, 0, n)?, -1, n, n)
        };
    }
}

/// A Taylor polynomial of the matrix divided by a power of 2, squared as often (Moler and Van Loan 2003).
fn exponential<T: Number>(a: &Matrix<T>) -> Matrix<T> {
    const TERMS: usize = 18;
    let n = a.rows;
    let size = (0..n).map(|i| a.row(i).iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    if !size.is_finite() {
        return Matrix { rows: n, columns: n, values: vec![T::of(f64::NAN, f64::NAN); n * n] };
    }
    let halvings = if size > 0.5 { (size.log2().floor() as i32 + 2).max(0) } else { 0 };
    let mut small = a.clone();
    small.values.iter_mut().for_each(|value| *value *= T::of(2f64.powi(-halvings), 0.0));
    // Horner: 1 + A (1 + A / 2 (1 + A / 3 (...))).
    let mut result = Matrix::identity(n, n);
    for k in (1..=TERMS).rev() {
        result = small.times(&result);
        result.values.iter_mut().for_each(|value| *value /= T::of(k as f64, 0.0));
        (0..n).for_each(|i| result[(i, i)] += T::ONE);
    }
    for _ in 0..halvings {
        result = result.times(&result);
    }
    result
}

op! {
    /// `linalg.matrix_exp` under its old name.
    fn matrix_exp(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value { linalg_matrix_exp(input) }
    derivative composite;
}
