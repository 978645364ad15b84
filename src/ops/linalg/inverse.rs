//! Inverses and systems of equations.
#![allow(non_snake_case)]

use super::*;
use crate::kernels::linalg::lu as kernel;
use crate::op;
use crate::op::Gradients;

pub(crate) const SINGULAR: &str = "the matrix is singular: its first pivot of zero is number";

op! {
    /// The inverse, and 0 or the number of the first pivot that is zero.
    fn linalg_inv_ex(A: Tensor; check_errors: bool = false) -> (inverse, info), FUNCTION ANY_TYPE;
    value {
        check_square("linalg.inv", A)?;
        check_field("linalg.inv", A, Checked::All)?;
        let (batch, size) = (batch_of(A), extent(A));
        in_double!(A.dtype(), T => {
            let (mut inverses, mut info) = (Vec::new(), Vec::new());
            for a in unpack::<T>(A)? {
                let factors = kernel::factor(a, true);
                let mut inverse = Matrix::<T>::identity(size.0, size.0);
                factors.solve(&mut inverse);
                info.push(factors.info);
                inverses.push(inverse);
            }
            let info = pack_numbers(&info, &batch, DType::Int32)?;
            if check_errors {
                check_info("linalg.inv", &info, SINGULAR)?;
            }
            Ok([pack(&inverses, &batch, size, A.dtype())?, info])
        })
    }
    batch rule(each_matrix);
    derivative "LinalgInvExBackward0" ByVjp {
        A(ctx, inverse) => match ctx.gradient_of(0)? {
            Some(g) => {
                let across = h(inverse)?;
                scaled(&product3(&across, &g, &across)?, -1.0)
            }
            None => return Ok(Gradients::from_elem(None, 1)),
        };
    }
}

op! {
    /// The inverse of each matrix. Raises `LinAlgError` if one is singular.
    fn linalg_inv(A: Tensor) -> Tensor, FUNCTION;
    value { inverted("linalg.inv", A) }
    derivative composite;
}

op! {
    /// `linalg.inv` under its old name.
    fn inverse as "inverse" (input: Tensor) -> Tensor, FUNCTION METHOD;
    value { inverted("inverse", input) }
    derivative composite;
}

fn inverted(name: &str, a: &Tensor) -> Result<Tensor> {
    let [inverse, info] = linalg_inv_ex(a, false)?;
    check_info(name, &info, SINGULAR)?;
    Ok(inverse)
}

op! {
    /// `linalg_solve_ex` for batches of one size.
    fn solve_of as "_linalg_solve" (A: Tensor, B: Tensor, left: bool) -> (result, info), ANY_TYPE;
    value {
        let (batch, size) = (batch_of(B), extent(B));
        in_double!(A.dtype(), T => {
            let (mut solutions, mut info) = (unpack::<T>(B)?, Vec::new());
            for (a, b) in unpack::<T>(A)?.into_iter().zip(&mut solutions) {
                let factors = kernel::factor(if left { a } else { a.transpose() }, true);
                info.push(factors.info);
                if left {
                    factors.solve(b);
                } else {
                    let mut across = b.transpose();
                    factors.solve(&mut across);
                    *b = across.transpose();
                }
            }
            let result = pack(&solutions, &batch, size, B.dtype())?;
            Ok([if left { result } else { result.to_contiguous()? }, pack_numbers(&info, &batch, DType::Int32)?])
        })
    }
    derivative "LinalgSolveExBackward0" ByVjp {
        A(ctx, A, result, left) => match ctx.gradient_of(0)? {
            Some(g) => {
                let [gb, _] = solve_of(&h(A)?, &g, left)?;
                let whole = if left { matmul(&gb, &h(result)?)? } else { matmul(&h(result)?, &gb)? };
                scaled(&whole, -1.0)
            }
            None => return Ok(Gradients::from_elem(None, 1)),
        };
        B(ctx, A, left) => match ctx.gradient_of(0)? {
            Some(g) => {
                let [gb, _] = solve_of(&h(A)?, &g, left)?;
                Ok(gb)
            }
            None => return Ok(Gradients::from_elem(None, 1)),
        };
    }
}

op! {
    /// The solution of `A X = B` (without `left`, `X A = B`), and 0 or the number of the first pivot that is zero.
    fn linalg_solve_ex(A: Tensor, B: Tensor; left: bool = true, check_errors: bool = false) -> (result, info), FUNCTION;
    value {
        let [result, info] = solved("linalg.solve", A, B, left)?;
        if check_errors {
            check_info("linalg.solve", &info, SINGULAR)?;
        }
        Ok([result, info])
    }
    derivative composite;
}

op! {
    /// The solution of `A X = B` (without `left`, `X A = B`).
    ///
    /// `A` has size `(*, n, n)`, `B` `(*, n, k)`, or `(n,)` or the size of `A` without its last dimension, for
    /// vectors; batches broadcast. Raises `LinAlgError` if a matrix is singular.
    fn linalg_solve(A: Tensor, B: Tensor; left: bool = true) -> Tensor, FUNCTION;
    value {
        let [result, info] = solved("linalg.solve", A, B, left)?;
        check_info("linalg.solve", &info, SINGULAR)?;
        Ok(result)
    }
    derivative composite;
}

fn solved(name: &str, a: &Tensor, b: &Tensor, left: bool) -> Result<[Tensor; 2]> {
    check_field(name, a, Checked::All)?;
    check_square(name, a)?;
    check_same(name, a, b)?;
    let vector = is_vector(a, b);
    if vector && !left {
        bail!(Runtime, "{name}: left=False is for matrices, B is a batch of vectors");
    }
    let columns = if vector { views::unsqueeze(b, -1)? } else { b.clone() };
    check_matrices(name, &columns)?;
    let (n, (rows, width)) = (extent(a).0, extent(&columns));
    if n != if left { rows } else { width } {
        bail!(Runtime, "{name}: matrices of {n} rows do not fit a right-hand side of size {}", shape::show(&b.sizes()));
    }
    let batch = shape::broadcast(&batch_of(a), &batch_of(&columns)).map_err(|error| error.context(name))?;
    let [result, info] = solve_of(&with_batch(a, &batch)?, &with_batch(&columns, &batch)?, left)?;
    Ok([if vector { views::squeeze(&result, -1)? } else { result }, info])
}

op! {
    /// The inverse of a tensor seen as a linear map from its last dimensions to the first `ind` ones.
    fn linalg_tensorinv(input: Tensor, ind: i64 = 2) -> Tensor, FUNCTION;
    value {
        let sizes = input.sizes();
        if ind <= 0 {
            bail!(Runtime, "linalg.tensorinv: ind has to be positive, got {ind}");
        }
        let (first, last) = sizes.split_at((ind as usize).min(sizes.len()));
        let n: usize = first.iter().product();
        if n != last.iter().product::<usize>() {
            bail!(
                Runtime,
                "linalg.tensorinv: the first {ind} sizes and the others of {} have to have one product",
                shape::show(&sizes)
            );
        }
        let flat = views::reshape(input, &[n as i64, n as i64])?;
        let mut result = ints(last);
        result.extend(ints(first));
        views::reshape(&inverted("linalg.tensorinv", &flat)?, &result)
    }
    derivative composite;
}

op! {
    /// The solution `X` of `tensordot(A, X, X.ndim) = B`, after moving the dimensions `dims` of `A` to its end.
    fn linalg_tensorsolve(input: Tensor, other: Tensor, dims: Option<Ints> = None) -> Tensor, FUNCTION;
    value {
        let moved = match dims {
            Some(dims) => {
                let ends: Ints = (input.ndim() as i64 - dims.len() as i64..input.ndim() as i64).collect();
                views::movedim(input, dims, &ends)?
            }
            None => input.clone(),
        };
        let sizes = moved.sizes();
        let rest = &sizes[other.ndim().min(sizes.len())..];
        let n: usize = rest.iter().product();
        if n != sizes[..other.ndim().min(sizes.len())].iter().product::<usize>() || n != other.numel() {
            bail!(
                Runtime,
                "linalg.tensorsolve: a tensor of size {} is no square system for a right-hand side of size {}",
                shape::show(&sizes),
                shape::show(&other.sizes())
            );
        }
        let flat = views::reshape(&moved, &[n as i64, n as i64])?;
        let solution = linalg_solve(&flat, &views::reshape(other, &[n as i64])?, true)?;
        views::reshape(&solution, &ints(rest))
    }
    derivative composite;
}
