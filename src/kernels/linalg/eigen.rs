//! Eigenvalues and eigenvectors of any square matrix: reduction to Hessenberg form by reflections, then the QR algorithm
//! with Wilkinson's shifts on complex numbers (Francis 1961, Kublanovskaya 1961).

use num_complex::ComplexFloat as _;

use super::householder::{reflect, reflector};
use super::{Matrix, norm, square};
use crate::dtype::Complex128 as Complex;

/// The eigenvalues, and the eigenvectors of norm 1 as columns; `None` if the iteration does not converge.
///
/// The largest element of a vector is real. With `real` the matrix has no imaginary parts: then eigenvalues and vectors
/// that are not real come in conjugate pairs, the one with a positive imaginary part first.
pub fn eigen(a: &Matrix<Complex>, real: bool) -> Option<(Vec<Complex>, Matrix<Complex>)> {
    let n = a.rows;
    let (mut h, mut q) = hessenberg(a);
    triangularize(&mut h, &mut q)?;
    let mut values: Vec<Complex> = (0..n).map(|i| h[(i, i)]).collect();
    let mut vectors = q.times(&triangular_vectors(&h));
    for j in 0..n {
        let column: Vec<Complex> = (0..n).map(|i| vectors[(i, j)]).collect();
        let mut largest = Complex::ONE;
        for &element in &column {
            // The first of those that are equally large but for rounding.
            if square(element) > square(largest) * (1.0 + 1e-10) || largest == Complex::ONE {
                largest = element;
            }
        }
        let size = norm(&column);
        let scale = if size == 0.0 { Complex::ONE } else { largest.conj() / (largest.abs() * size) };
        for (i, &element) in column.iter().enumerate() {
            vectors[(i, j)] = element * scale;
        }
    }
    if real {
        pair(&mut values, &mut vectors);
    }
    Some((values, vectors))
}

/// Takes away rounding errors from the eigenvalues and vectors of a real matrix, and orders conjugate pairs.
fn pair(values: &mut [Complex], vectors: &mut Matrix<Complex>) {
    let n = values.len();
    let mut done = vec![false; n];
    for i in 0..n {
        if done[i] {
            continue;
        }
        done[i] = true;
        let mirror = values[i].conj();
        let distance = |j: usize| (values[j] - mirror).abs();
        let partner = (i + 1..n).filter(|&j| !done[j]).min_by(|&j, &k| distance(j).total_cmp(&distance(k)));
        let scale = values[i].abs().max(f64::MIN_POSITIVE);
        match partner {
            Some(j)
                if values[i].im.abs() > 1e-9 * scale
                    || distance(j) < distance(i) && values[i].im * values[j].im < 0.0 =>
            {
                done[j] = true;
                values.swap(i + 1, j);
                done.swap(i + 1, j);
                for row in 0..n {
                    vectors.values.swap(row * n + i + 1, row * n + j);
                }
                let (re, im) =
                    ((values[i].re + values[i + 1].re) / 2.0, (values[i].im.abs() + values[i + 1].im.abs()) / 2.0);
                let flip = values[i].im < 0.0;
                (values[i], values[i + 1]) = (Complex::new(re, im), Complex::new(re, -im));
                for row in 0..n {
                    let kept = if flip { vectors[(row, i)].conj() } else { vectors[(row, i)] };
                    vectors[(row, i)] = kept;
                    vectors[(row, i + 1)] = kept.conj();
                }
            }
            _ => {
                values[i].im = 0.0;
                for row in 0..n {
                    vectors[(row, i)].im = 0.0;
                }
            }
        }
    }
}

/// `H` without elements below those beside the diagonal, and the unitary `Q` of `A = Q H Q^H`.
fn hessenberg(a: &Matrix<Complex>) -> (Matrix<Complex>, Matrix<Complex>) {
    let n = a.rows;
    let mut h = a.clone();
    let mut q = Matrix::identity(n, n);
    let mut reflections = Vec::new();
    for k in 0..n.saturating_sub(2) {
        let mut v: Vec<Complex> = (k + 1..n).map(|i| h[(i, k)]).collect();
        let tau = reflector(&mut v);
        h[(k + 1, k)] = v[0];
        (k + 2..n).for_each(|i| h[(i, k)] = Complex::ZERO);
        v[0] = Complex::ONE;
        reflect(&mut h, k + 1, k + 1, &v, tau.conj());
        for i in 0..n {
            let row = &mut h.row_mut(i)[k + 1..];
            let sum: Complex = row.iter().zip(&v).map(|(&x, &v)| x * v).sum();
            row.iter_mut().zip(&v).for_each(|(x, v)| *x -= tau * sum * v.conj());
        }
        reflections.push((v, tau));
    }
    for (k, (v, tau)) in reflections.iter().enumerate().rev() {
        reflect(&mut q, k + 1, k + 1, v, *tau);
    }
    (h, q)
}

/// Makes a Hessenberg matrix upper triangular by a unitary similarity, which `q` collects.
fn triangularize(h: &mut Matrix<Complex>, q: &mut Matrix<Complex>) -> Option<()> {
    let n = h.rows;
    let mut end = n;
    let mut rounds = 0;
    let total: f64 = norm(&h.values);
    while end > 1 {
        let last = end - 1;
        let mut start = last;
        while start > 0 {
            let beside = h[(start, start)].abs() + h[(start - 1, start - 1)].abs();
            if h[(start, start - 1)].abs() <= f64::EPSILON * if beside == 0.0 { total } else { beside } {
                h[(start, start - 1)] = Complex::ZERO;
                break;
            }
            start -= 1;
        }
        if start == last {
            end -= 1;
            rounds = 0;
            continue;
        }
        rounds += 1;
        if rounds > 300 {
            return None;
        }
        let shift = if rounds % 10 == 0 {
            h[(last, last)] + h[(last, last - 1)].abs()
        } else {
            wilkinson(h[(last - 1, last - 1)], h[(last - 1, last)], h[(last, last - 1)], h[(last, last)])
        };
        (start..end).for_each(|i| h[(i, i)] -= shift);
        let mut turns = Vec::with_capacity(end - start);
        for k in start..last {
            let (x, y) = (h[(k, k)], h[(k + 1, k)]);
            let size = x.abs().hypot(y.abs());
            let (c, s) = if size == 0.0 { (Complex::ONE, Complex::ZERO) } else { (x / size, y / size) };
            for j in k..n {
                let (up, down) = (h[(k, j)], h[(k + 1, j)]);
                h[(k, j)] = c.conj() * up + s.conj() * down;
                h[(k + 1, j)] = c * down - s * up;
            }
            turns.push((c, s));
        }
        for (k, &(c, s)) in (start..last).zip(&turns) {
            let turn = |matrix: &mut Matrix<Complex>, rows: usize| {
                for i in 0..rows {
                    let (left, right) = (matrix[(i, k)], matrix[(i, k + 1)]);
                    matrix[(i, k)] = left * c + right * s;
                    matrix[(i, k + 1)] = right * c.conj() - left * s.conj();
                }
            };
            turn(h, (k + 2).min(end));
            turn(q, n);
        }
        (start..end).for_each(|i| h[(i, i)] += shift);
    }
    Some(())
}

/// The eigenvalue of a matrix of two rows that is nearer to its last element.
fn wilkinson(a: Complex, b: Complex, c: Complex, d: Complex) -> Complex {
    let half = (a - d) / 2.0;
    let root = (half * half + b * c).sqrt();
    let denominator = if (half + root).abs() >= (half - root).abs() { half + root } else { half - root };
    if denominator == Complex::ZERO { d } else { d - b * c / denominator }
}

/// The eigenvectors of an upper triangular matrix, as columns.
fn triangular_vectors(t: &Matrix<Complex>) -> Matrix<Complex> {
    let n = t.rows;
    let smallest = f64::EPSILON * norm(&t.values).max(f64::MIN_POSITIVE);
    let mut x = Matrix::identity(n, n);
    for k in 0..n {
        for i in (0..k).rev() {
            let sum: Complex = (i + 1..=k).map(|j| t[(i, j)] * x[(j, k)]).sum();
            let mut gap = t[(k, k)] - t[(i, i)];
            if gap.abs() < smallest {
                gap = Complex::new(smallest, 0.0);
            }
            x[(i, k)] = sum / gap;
        }
    }
    x
}
