//! Eigenvalues and eigenvectors of a Hermitian matrix: reduction to tridiagonal form by reflections, then the implicit
//! QL algorithm (Dubrulle, Martin, Wilkinson 1968).

use super::householder::{reflect, reflector};
use super::{Matrix, Number, dot};

/// The eigenvalues, ascending, and the eigenvectors as the *rows* of a matrix; `None` if the iteration does not converge.
/// The lower triangle of `a` is read.
pub fn eigen<T: Number>(a: &Matrix<T>) -> Option<(Vec<f64>, Matrix<T>)> {
    let (mut diagonal, mut beside, mut vectors) = tridiagonal(a);
    implicit_ql(&mut diagonal, &mut beside, &mut vectors)?;
    let mut order: Vec<usize> = (0..a.rows).collect();
    order.sort_by(|&i, &j| diagonal[i].total_cmp(&diagonal[j]));
    let mut sorted = Matrix::zeros(a.rows, a.rows);
    for (i, &from) in order.iter().enumerate() {
        sorted.row_mut(i).copy_from_slice(vectors.row(from));
    }
    Some((order.iter().map(|&i| diagonal[i]).collect(), sorted))
}

/// The diagonal and the elements beside it of `Q^H A Q`, and the transpose of `Q`.
fn tridiagonal<T: Number>(a: &Matrix<T>) -> (Vec<f64>, Vec<f64>, Matrix<T>) {
    let n = a.rows;
    let mut work = a.clone();
    for i in 0..n {
        work[(i, i)] = T::of(a[(i, i)].re(), 0.0);
        for j in 0..i {
            work[(j, i)] = a[(i, j)].conj();
        }
    }
    let mut beside = vec![0.0; n];
    let mut reflections = Vec::with_capacity(n);
    for k in 0..n.saturating_sub(1) {
        let mut v: Vec<T> = (k + 1..n).map(|i| work[(i, k)]).collect();
        let tau = reflector(&mut v);
        beside[k] = v[0].re();
        v[0] = T::ONE;
        if tau != T::ZERO {
            // H^H A H = A - v q^H - q v^H for q = tau A v - |tau|^2 (v^H A v) v / 2.
            let image: Vec<T> = (k + 1..n)
                .map(|i| work.row(i)[k + 1..].iter().zip(&v).map(|(&element, &v)| element * v).sum())
                .collect();
            let half = T::of(super::square(tau) * dot(&v, &image).re() / 2.0, 0.0);
            let q: Vec<T> = image.iter().zip(&v).map(|(&image, &v)| tau * image - half * v).collect();
            for i in 0..v.len() {
                let (mine, its) = (v[i], q[i]);
                for (j, element) in work.row_mut(k + 1 + i)[k + 1..].iter_mut().enumerate() {
                    *element -= mine * q[j].conj() + its * v[j].conj();
                }
            }
        }
        reflections.push((v, tau));
    }
    let mut q = Matrix::identity(n, n);
    for (k, (v, tau)) in reflections.iter().enumerate().rev() {
        reflect(&mut q, k + 1, k + 1, v, *tau);
    }
    ((0..n).map(|i| work[(i, i)].re()).collect(), beside, q.transpose())
}

/// Diagonalizes a real symmetric tridiagonal matrix and turns the rows of `vectors` along.
fn implicit_ql<T: Number>(d: &mut [f64], e: &mut [f64], vectors: &mut Matrix<T>) -> Option<()> {
    let n = d.len();
    for start in 0..n {
        let mut rounds = 0;
        loop {
            let split =
                (start..n - 1).find(|&m| e[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs())).unwrap_or(n - 1);
            if split == start {
                break;
            }
            rounds += 1;
            if rounds > 80 {
                return None;
            }
            let slope = (d[start + 1] - d[start]) / (2.0 * e[start]);
            let mut g = d[split] - d[start] + e[start] / (slope + slope.hypot(1.0).copysign(slope));
            let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
            let mut underflow = false;
            for i in (start..split).rev() {
                let (f, b) = (sine * e[i], cosine * e[i]);
                let size = f.hypot(g);
                e[i + 1] = size;
                if size == 0.0 {
                    d[i + 1] -= shift;
                    e[split] = 0.0;
                    underflow = true;
                    break;
                }
                (sine, cosine) = (f / size, g / size);
                g = d[i + 1] - shift;
                let turned = (d[i] - g) * sine + 2.0 * cosine * b;
                shift = sine * turned;
                d[i + 1] = g + shift;
                g = cosine * turned - b;
                let (head, tail) = vectors.values.split_at_mut((i + 1) * n);
                for (low, high) in head[i * n..].iter_mut().zip(&mut tail[..n]) {
                    let (x, y) = (*low, *high);
                    *high = T::of(sine, 0.0) * x + T::of(cosine, 0.0) * y;
                    *low = T::of(cosine, 0.0) * x - T::of(sine, 0.0) * y;
                }
            }
            if !underflow {
                d[start] -= shift;
                e[start] = g;
                e[split] = 0.0;
            }
        }
    }
    Some(())
}
