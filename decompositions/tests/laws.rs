//! Factors multiplied give the matrix that they were found for, in sizes on both sides of faer's blocks, and for
//! matrices that are singular, of extreme scale or not finite.

#![allow(clippy::unwrap_used, reason = "what goes wrong in a test has to end it")]

use num_complex::{Complex64, ComplexFloat};
use rgrad_decompositions::Decompose;

trait Number: Decompose + ComplexFloat<Real = f64> + std::fmt::Debug {
    fn of(re: f64, im: f64) -> Self;
}

impl Number for f64 {
    fn of(re: f64, _: f64) -> f64 {
        re
    }
}

impl Number for Complex64 {
    fn of(re: f64, im: f64) -> Complex64 {
        Complex64::new(re, im)
    }
}

/// Numbers between -1 and 1 by a linear congruence.
fn numbers<T: Number>(count: usize) -> Vec<T> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| T::of(next(), next())).collect()
}

fn adjoint<T: Number>(a: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|j| (0..rows).map(move |i| a[i * columns + j].conj())).collect()
}

/// The columns of a matrix multiplied by numbers.
fn scaled<T: Number>(a: &[T], factors: &[T]) -> Vec<T> {
    a.iter().enumerate().map(|(i, &x)| x * factors[i % factors.len()]).collect()
}

fn largest<T: Number>(a: &[T]) -> f64 {
    a.iter().fold(0.0, |most, x| x.abs().max(most))
}

#[track_caller]
fn assert_near<T: Number>(a: &[T], b: &[T], tolerance: f64) {
    assert_eq!(a.len(), b.len());
    for (&x, &y) in a.iter().zip(b) {
        assert!((x - y).abs() <= tolerance, "{x:?} is not {y:?} within {tolerance}");
    }
}

#[track_caller]
fn assert_orthonormal<T: Number>(q: &[T], rows: usize, columns: usize) {
    let products = T::product(&adjoint(q, rows, columns), q, columns, rows, columns);
    let one: Vec<T> = (0..columns * columns).map(|i| T::of(f64::from(i / columns == i % columns), 0.0)).collect();
    assert_near(&products, &one, 1e-12);
}

fn hermitian_part<T: Number>(a: &[T], n: usize) -> Vec<T> {
    a.iter().zip(adjoint(a, n, n)).map(|(&x, y)| (x + y) / T::of(2.0, 0.0)).collect()
}

fn check_hermitian<T: Number>(a: &[T], n: usize) {
    let (values, vectors) = T::hermitian(a, n).unwrap();
    assert!(values.is_sorted());
    assert_orthonormal(&vectors, n, n);
    let diagonal: Vec<T> = values.iter().map(|&value| T::of(value, 0.0)).collect();
    let whole = T::product(&scaled(&vectors, &diagonal), &adjoint(&vectors, n, n), n, n, n);
    assert_near(&whole, a, 1e-13 * n as f64 * largest(a));
}

fn check_svd<T: Number>(a: &[T], rows: usize, columns: usize) {
    let least = rows.min(columns);
    for full in [false, true] {
        let found = T::svd(a, rows, columns, full).unwrap();
        let (wide, high) = if full { (rows, columns) } else { (least, least) };
        assert!(found.s.is_sorted_by(|x, y| x >= y) && found.s.iter().all(|&s| s >= 0.0));
        assert_orthonormal(&found.u, rows, wide);
        assert_orthonormal(&adjoint(&found.vh, high, columns), columns, high);
        let mut s: Vec<T> = found.s.iter().map(|&s| T::of(s, 0.0)).collect();
        s.resize(wide, T::of(0.0, 0.0));
        let us = scaled(&found.u, &s);
        let thin: Vec<T> = us.chunks(wide.max(1)).flat_map(|row| row[..least].to_vec()).collect();
        let whole = T::product(&thin, &found.vh[..least * columns], rows, least, columns);
        assert_near(&whole, a, 1e-13 * rows.max(columns) as f64 * largest(a));
    }
}

fn check_eigen<T: Number>(a: &[T], n: usize) {
    let (values, vectors) = T::eigen(a, n).unwrap();
    let wide: Vec<Complex64> = a.iter().map(|x| Complex64::new(x.re(), x.im())).collect();
    let image = Complex64::product(&wide, &vectors, n, n, n);
    assert_near(&image, &scaled(&vectors, &values), 1e-12 * n as f64 * largest(a) * largest(&vectors));
    for (j, value) in values.iter().enumerate() {
        if T::of(0.0, 1.0).im() == 0.0 && value.im > 0.0 {
            assert_eq!(values[j + 1], value.conj());
        }
    }
}

fn check_lu<T: Number>(a: &[T], rows: usize, columns: usize) {
    let mut packed = a.to_vec();
    let exchanges = T::lu(&mut packed, rows, columns).unwrap();
    let least = rows.min(columns);
    let zero = T::of(0.0, 0.0);
    let (mut l, mut u) = (vec![zero; rows * least], vec![zero; least * columns]);
    for i in 0..rows {
        for j in 0..columns {
            let x = packed[i * columns + j];
            if i > j {
                l[i * least + j] = x;
            } else {
                u[i * columns + j] = x;
            }
        }
        if i < least {
            l[i * least + i] = T::of(1.0, 0.0);
        }
    }
    assert!(l.iter().all(|x| x.abs() < 1.5), "the largest elements are the pivots");
    let mut whole = T::product(&l, &u, rows, least, columns);
    for (i, &with) in exchanges.iter().enumerate().rev() {
        (0..columns).for_each(|j| whole.swap(i * columns + j, with * columns + j));
    }
    assert_near(&whole, a, 1e-13 * rows as f64);
}

fn check_cholesky<T: Number>(a: &[T], n: usize) {
    let mut positive = T::product(a, &adjoint(a, n, n), n, n, n);
    (0..n).for_each(|i| positive[i * n + i] = positive[i * n + i] + T::of(0.1, 0.0));
    let mut l = positive.clone();
    T::cholesky(&mut l, n).unwrap();
    assert!((0..n).all(|i| l[i * n + i + 1..(i + 1) * n].iter().all(|x| x.is_zero())));
    assert_near(&T::product(&l, &adjoint(&l, n, n), n, n, n), &positive, 1e-12 * n as f64);
    for order in [1, n.div_ceil(2), n] {
        for bad in [-1.0, f64::NAN] {
            let mut indefinite = positive.clone();
            indefinite[(order - 1) * (n + 1)] = T::of(bad, 0.0);
            assert_eq!(T::cholesky(&mut indefinite, n), Err(order));
        }
    }
}

fn check_triangular<T: Number>(a: &[T], n: usize) {
    let far: Vec<T> = (0..n * n).map(|i| a[i] + if i / n == i % n { T::of(n as f64, 0.0) } else { a[i] }).collect();
    let known: Vec<T> = numbers(n * 3);
    for (upper, unit) in [(true, true), (true, false), (false, true), (false, false)] {
        let half = (0..n * n).map(|at| match (at / n).cmp(&(at % n)) {
            std::cmp::Ordering::Equal if unit => T::of(1.0, 0.0),
            std::cmp::Ordering::Less if !upper => T::of(0.0, 0.0),
            std::cmp::Ordering::Greater if upper => T::of(0.0, 0.0),
            _ if unit => a[at] / T::of(n as f64, 0.0),
            _ => far[at],
        });
        let half: Vec<T> = half.collect();
        let mut x = T::product(&half, &known, n, n, 3);
        T::solve_triangular(&half, n, &mut x, 3, upper, unit);
        assert_near(&x, &known, 1e-11);
    }
}

fn check_all<T: Number>() {
    for n in [1, 2, 3, 5, 16, 17, 40, 70, 150] {
        let a: Vec<T> = numbers(n * n);
        check_hermitian(&hermitian_part(&a, n), n);
        check_eigen(&a, n);
        check_svd(&a, n, n);
        check_lu(&a, n, n);
        check_cholesky(&a, n);
        check_triangular(&a, n);
    }
    for (rows, columns) in [(1, 4), (4, 1), (5, 3), (3, 5), (40, 7), (7, 40), (150, 140), (20, 150)] {
        let a: Vec<T> = numbers(rows * columns);
        check_svd(&a, rows, columns);
        check_lu(&a, rows, columns);
    }
}

#[test]
fn real() {
    check_all::<f64>();
}

#[test]
fn complex() {
    check_all::<Complex64>();
}

fn check_special<T: Number>() {
    for n in [0, 1, 2, 7, 40, 150] {
        let zero = vec![T::of(0.0, 0.0); n * n];
        let ones = vec![T::of(1.0, 0.0); n * n];
        let one: Vec<T> = (0..n * n).map(|i| T::of(f64::from(i / n == i % n), 0.0)).collect();
        let shift: Vec<T> = (0..n * n).map(|i| T::of(f64::from(i / n + 1 == i % n), 0.0)).collect();
        for a in [&zero, &ones, &one] {
            check_hermitian(a, n);
            check_eigen(a, n);
        }
        for a in [&zero, &ones, &one, &shift] {
            check_svd(a, n, n);
        }
        check_eigen(&shift, n);
        check_lu(&one, n, n);
        if n > 1 {
            assert_eq!(T::lu(&mut ones.clone(), n, n), None);
        }
    }
    for (rows, columns) in [(0, 3), (3, 0)] {
        check_svd::<T>(&[], rows, columns);
        check_lu::<T>(&[], rows, columns);
    }
    assert_eq!(T::cholesky(&mut [], 0), Ok(()));
}

#[test]
fn special() {
    check_special::<f64>();
    check_special::<Complex64>();
}

fn check_scales<T: Number>() {
    for n in [2, 7, 40, 150] {
        for scale in [1e-300, 1e-200, 1e200, 1e300] {
            let a: Vec<T> = numbers::<T>(n * n).iter().map(|&x| x * T::of(scale, 0.0)).collect();
            check_hermitian(&hermitian_part(&a, n), n);
            check_svd(&a, n, n);
            check_eigen(&a, n);
        }
    }
}

#[test]
fn extreme_scales() {
    check_scales::<f64>();
    check_scales::<Complex64>();
}

fn check_not_finite<T: Number>() {
    for n in [2, 7, 40, 150] {
        for bad in [f64::NAN, f64::INFINITY] {
            let mut a: Vec<T> = numbers(n * n);
            a[n + 1] = T::of(bad, 0.0);
            assert_eq!(T::lu(&mut a.clone(), n, n), None);
            assert!(T::svd(&a, n, n, false).is_none());
            assert!(T::eigen(&a, n).is_none());
        }
    }
}

#[test]
fn not_finite() {
    check_not_finite::<f64>();
    check_not_finite::<Complex64>();
}
