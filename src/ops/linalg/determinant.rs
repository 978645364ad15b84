//! Determinants and their logarithms.
#![allow(non_snake_case)]

use num_complex::ComplexFloat as _;

use super::*;
use crate::kernels::linalg::lu as kernel;
use crate::op;
use crate::ops::complex::{conj, imag};
use crate::ops::unary::log;

op! {
    /// The determinant of each matrix.
    fn linalg_det(A: Tensor) -> Tensor, FUNCTION;
    value { determinant_of(A) }
    derivative composite;
}

op! {
    /// `linalg.det` under its old name.
    fn det(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value { determinant_of(input) }
    derivative composite;
}

op! {
    /// The determinant of each matrix.
    fn determinant_of as "_linalg_det" (A: Tensor) -> Tensor, ANY_TYPE;
    value {
        check_square("linalg.det", A)?;
        check_field("linalg.det", A, Checked::Integers)?;
        in_double!(A.dtype(), T => {
            let values: Vec<T> = unpack::<T>(A)?
                .into_iter()
                .map(|a| kernel::factor(a, true).diagonal().fold(T::ONE, |product, x| product * x))
                .collect();
            pack_numbers(&values, &batch_of(A), A.dtype())
        })
    }
    batch rule(each_matrix);
    derivative "LinalgDetBackward0" ByVjp {
        A(g, A, out) => {
            let singular = out.physical().to_vec::<crate::dtype::Complex128>()?.iter().any(|&value| value.abs() == 0.0);
            let cofactors = if singular { cofactors(A)? } else {
                let [inverse, _] = inverse::linalg_inv_ex(A, false)?;
                times(&raised(&conj(out)?)?, &h(&inverse)?)?
            };
            times(&raised(g)?, &cofactors)
        };
    }
}

/// With two more dimensions, of size 1.
fn raised(number: &Tensor) -> Result<Tensor> {
    views::unsqueeze(&views::unsqueeze(number, -1)?, -1)
}

/// The conjugate cofactors of matrices that need not have an inverse, from singular values.
fn cofactors(a: &Tensor) -> Result<Tensor> {
    let [u, s, vh] = singular::svd_of(a, false, true)?;
    let n = extent(a).0;
    let phase = conj(&times(&determinant_of(&u)?, &determinant_of(&vh)?)?)?;
    // The products of all singular values but one.
    let rows: Ints = batch_of(a).iter().map(|&n| n as i64).chain([n as i64, n as i64]).collect();
    let all = views::expand(&views::unsqueeze(&s, -2)?, &rows)?;
    let others = choose(&mask(n, n, |i, j| i == j)?, 1.0.into(), (&all).into())?;
    let products = to_dtype(&reduction::prod(&others, -1, false, None)?, a.dtype())?;
    times(&raised(&phase)?, &matmul(&columns_times(&u, &products)?, &vh)?)
}

op! {
    /// The sign (for complex matrices, the direction) of each determinant, and the logarithm of its absolute value.
    fn linalg_slogdet(A: Tensor) -> (sign, logabsdet), FUNCTION;
    value { sign_and_logarithm(A) }
    derivative composite;
}

op! {
    /// `linalg.slogdet` under its old name.
    fn slogdet(input: Tensor) -> (sign, logabsdet), FUNCTION METHOD;
    value { sign_and_logarithm(input) }
    derivative composite;
}

op! {
    /// `linalg_slogdet`, recorded.
    fn sign_and_logarithm as "_linalg_slogdet" (A: Tensor) -> (sign, logabsdet), ANY_TYPE;
    value {
        check_square("linalg.slogdet", A)?;
        check_field("linalg.slogdet", A, Checked::All)?;
        in_double!(A.dtype(), T => {
            let (mut signs, mut logarithms) = (Vec::<T>::new(), Vec::new());
            for a in unpack::<T>(A)? {
                let (mut sign, mut logarithm) = (T::ONE, 0.0);
                for x in kernel::factor(a, true).diagonal() {
                    let size = x.abs();
                    sign *= if size == 0.0 { T::ZERO } else { x / T::of(size, 0.0) };
                    logarithm += size.ln();
                }
                signs.push(sign);
                logarithms.push(logarithm);
            }
            let batch = batch_of(A);
            Ok([pack_numbers(&signs, &batch, A.dtype())?, pack_numbers(&logarithms, &batch, A.dtype().real())?])
        })
    }
    batch rule(each_matrix);
    derivative "LinalgSlogdetBackward0" ByVjp {
        A(ctx, A, sign) => {
            let mut slope = ctx.gradient_of(1)?;
            if let (Some(g), true) = (ctx.gradient_of(0)?, A.dtype().is_complex()) {
                // What turns the determinant is the imaginary part of its logarithm.
                let turn = imag(&times(&conj(&g)?, sign)?)?;
                let minus_i = Scalar::Complex(num_complex::Complex::new(0.0, -1.0));
                slope = sum_given(slope, Some(arithmetic::mul((&turn).into(), minus_i.into())?))?;
            }
            match slope {
                Some(slope) => {
                    let [inverse, _] = inverse::linalg_inv_ex(A, false)?;
                    times(&raised(&slope)?, &h(&inverse)?)
                }
                None => A.zeros_alike(),
            }
        };
    }
}

op! {
    /// The logarithm of each determinant; NaN for real matrices with a negative one.
    fn logdet(input: Tensor) -> Tensor, FUNCTION NO_OUT METHOD;
    value {
        check_square("logdet", input)?;
        let [sign, logarithm] = sign_and_logarithm(input)?;
        if input.dtype().is_complex() {
            return add(&log(&sign)?, &logarithm);
        }
        choose(&crate::ops::comparison::lt(&sign, 0i64.into())?, f64::NAN.into(), (&logarithm).into())
    }
    derivative composite;
}
