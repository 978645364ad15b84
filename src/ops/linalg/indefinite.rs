//! Factors of symmetric and Hermitian matrices that need not be positive definite.
#![allow(non_snake_case)]

use super::*;
use crate::kernels::linalg::indefinite as kernel;
use crate::op;

op! {
    /// `L` and the block diagonal `D` of `A = L D L^T` (`hermitian`: `L D L^H`) in one matrix, the exchanges as LAPACK
    /// counts them, and 0 or the number of the first pivot that is zero.
    fn linalg_ldl_factor_ex(input: Tensor; hermitian: bool = false, check_errors: bool = false) -> (LD, pivots, info), FUNCTION ANY_TYPE;
    value {
        let name = "linalg.ldl_factor";
        check_square(name, input)?;
        check_field(name, input, Checked::Integers)?;
        let (batch, size) = (batch_of(input), extent(input));
        in_double!(input.dtype(), T => {
            let (mut packed, mut pivots, mut info) = (Vec::new(), Vec::new(), Vec::new());
            for a in unpack::<T>(input)? {
                let (factors, exchanges, code) = kernel::factor(&a, hermitian);
                packed.push(factors);
                pivots.extend(exchanges);
                info.push(code);
            }
            let info = pack_numbers(&info, &batch, DType::Int32)?;
            if check_errors {
                check_info(name, &info, inverse::SINGULAR)?;
            }
            let pivots = pack_vectors(&pivots, &batch, size.0, DType::Int32)?;
            Ok([pack(&packed, &batch, size, input.dtype())?, pivots, info])
        })
    }
    batch rule(each_matrix);
    derivative missing "LinalgLdlFactorExBackward0";
}

op! {
    /// `linalg_ldl_factor_ex` that raises `LinAlgError` for a pivot of zero.
    fn linalg_ldl_factor(input: Tensor; hermitian: bool = false) -> (LD, pivots), FUNCTION;
    value {
        let [LD, pivots, info] = linalg_ldl_factor_ex(input, hermitian, false)?;
        check_info("linalg.ldl_factor", &info, inverse::SINGULAR)?;
        Ok([LD, pivots])
    }
    derivative composite;
}

op! {
    /// Solves `A X = B` from the factors of `A` that `ldl_factor` gives. Not differentiable.
    fn linalg_ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor; hermitian: bool = false) -> Tensor, FUNCTION ANY_TYPE;
    value {
        let name = "linalg.ldl_solve";
        check_square(name, LD)?;
        check_field(name, LD, Checked::Integers)?;
        check_same(name, LD, B)?;
        check_matrices(name, B)?;
        let n = extent(LD).0;
        if extent(B).0 != n || pivots.sizes()[..] != LD.sizes()[..LD.ndim() - 1] || !pivots.dtype().is_integral() {
            bail!(
                Runtime,
                "{name}: factors of size {}, pivots of size {} and a right-hand side of size {} do not fit",
                shape::show(&LD.sizes()),
                shape::show(&pivots.sizes()),
                shape::show(&B.sizes())
            );
        }
        let batch = shape::broadcast(&batch_of(LD), &batch_of(B)).map_err(|error| error.context(name))?;
        let (LD, B) = (with_batch(&LD.detach(), &batch)?, with_batch(&B.detach(), &batch)?);
        let mut wide = ints(&batch);
        wide.push(n as i64);
        let exchanges = views::expand(&pivots.detach(), &wide)?.to_vec::<i32>()?;
        in_double!(LD.dtype(), T => {
            let mut solutions = unpack::<T>(&B)?;
            for (i, (a, b)) in unpack::<T>(&LD)?.iter().zip(&mut solutions).enumerate() {
                kernel::solve(a, &exchanges[i * n..(i + 1) * n], b, hermitian);
            }
            pack(&solutions, &batch, extent(&B), B.dtype())
        })
    }
    derivative none;
}
