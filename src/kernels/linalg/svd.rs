//! Singular values and vectors by one-sided rotations (Hestenes 1958), after a QR decomposition of tall matrices.
//!
//! The method is accurate to the last places even of small singular values (Demmel and Veselić 1992).

use super::{Matrix, Number, dot, householder, norm, square};

/// `A = U diag(S) V^H` with singular values in descending order.
pub struct Svd<T> {
    pub u: Matrix<T>,
    pub s: Vec<f64>,
    pub vh: Matrix<T>,
}

/// With `full`, `U` and `V` are square; else they have as many columns as there are singular values.
/// `None` if the iteration does not converge.
pub fn svd<T: Number>(a: &Matrix<T>, full: bool) -> Option<Svd<T>> {
    if a.rows < a.columns {
        let Svd { u, s, vh } = svd(&a.adjoint(), full)?;
        return Some(Svd { u: vh.adjoint(), s, vh: u.adjoint() });
    }
    let (m, n) = (a.rows, a.columns);
    let (q, r) = if m > n {
        let (packed, taus) = householder::factor(a.clone());
        let mut r = Matrix::zeros(n, n);
        for i in 0..n {
            r.row_mut(i)[i..].copy_from_slice(&packed.row(i)[i..]);
        }
        (Some(householder::product(&packed, &taus, n)), r)
    } else {
        (None, a.clone())
    };
    // The columns of the matrix and of V, as rows.
    let mut columns = r.transpose();
    let mut turns = Matrix::identity(n, n);
    rotate(&mut columns, &mut turns)?;
    let sizes: Vec<f64> = (0..n).map(|i| norm(columns.row(i))).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| sizes[j].total_cmp(&sizes[i]));
    let s: Vec<f64> = order.iter().map(|&i| sizes[i]).collect();
    let rank = s.iter().take_while(|&&size| size > 0.0).count();
    let mut u = Matrix::zeros(n, rank);
    let mut vh = Matrix::zeros(n, n);
    for (k, &from) in order.iter().enumerate() {
        for (to, &value) in vh.row_mut(k).iter_mut().zip(turns.row(from)) {
            *to = value.conj();
        }
        if k < rank {
            for (i, &value) in columns.row(from).iter().enumerate() {
                u[(i, k)] = value / T::of(s[k], 0.0);
            }
        }
    }
    let u = if rank < n { householder::completed(&u, n) } else { u };
    let u = match q {
        Some(q) => q.times(&u),
        None => u,
    };
    let u = if full && m > n { householder::completed(&u, m) } else { u };
    Some(Svd { u, s, vh })
}

/// Rotates pairs of rows of `a` until all are orthogonal, and the rows of `turns` along.
fn rotate<T: Number>(a: &mut Matrix<T>, turns: &mut Matrix<T>) -> Option<()> {
    const SWEEPS: usize = 60;
    let n = a.rows;
    let tolerance = f64::EPSILON * (n.max(4) as f64).sqrt();
    for _ in 0..SWEEPS {
        let mut settled = true;
        for p in 0..n {
            for q in p + 1..n {
                let (alpha, beta): (f64, f64) =
                    (a.row(p).iter().map(|&x| square(x)).sum(), a.row(q).iter().map(|&x| square(x)).sum());
                let gamma = dot(a.row(p), a.row(q));
                let size = gamma.abs();
                if size == 0.0 || size <= tolerance * alpha.sqrt() * beta.sqrt() {
                    continue;
                }
                settled = false;
                let zeta = (beta - alpha) / (2.0 * size);
                let tangent = (zeta.abs() + zeta.hypot(1.0)).recip().copysign(zeta);
                let cosine = tangent.hypot(1.0).recip();
                let (sine, phase) = (cosine * tangent, (gamma / T::of(size, 0.0)).conj());
                for matrix in [&mut *a, &mut *turns] {
                    let width = matrix.columns;
                    let (head, tail) = matrix.values.split_at_mut(q * width);
                    for (x, y) in head[p * width..(p + 1) * width].iter_mut().zip(&mut tail[..width]) {
                        let (first, second) = (*x, *y * phase);
                        *x = T::of(cosine, 0.0) * first - T::of(sine, 0.0) * second;
                        *y = T::of(sine, 0.0) * first + T::of(cosine, 0.0) * second;
                    }
                }
            }
        }
        if settled {
            return Some(());
        }
    }
    None
}
