//! Tests of the matrix product against three loops.

use super::blocked::Product;
use super::{Gemm, matmul, matmul_batch, multiply, table};
use crate::kernels::parallel;

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Rows,
    Columns,
    /// Every second element of every third row.
    Sparse,
}

const LAYOUTS: [Layout; 3] = [Layout::Rows, Layout::Columns, Layout::Sparse];

impl Layout {
    fn strides(self, rows: usize, cols: usize) -> (isize, isize) {
        match self {
            Layout::Rows => (cols as isize, 1),
            Layout::Columns => (1, rows as isize),
            Layout::Sparse => (3 * 2 * cols as isize, 2),
        }
    }

    fn room(self, rows: usize, cols: usize) -> usize {
        rows * cols * if self == Layout::Sparse { 6 } else { 1 }
    }
}

trait Value: Gemm + PartialEq + std::fmt::Debug {
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    const EPSILON: f64;
}

macro_rules! value {
    ($($elem:ty, $epsilon:expr;)*) => {$(
        impl Value for $elem {
            fn from_f64(value: f64) -> Self { value as $elem }
            fn to_f64(self) -> f64 { self as f64 }
            const EPSILON: f64 = $epsilon;
        }
    )*};
}
value!(f32, f32::EPSILON as f64; f64, f64::EPSILON; i64, 0.0; i32, 0.0; u8, 0.0;);

/// Floats in -1..1, or small integers.
fn random<T: Value>(count: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let value = (state >> 40) as f64 / f64::from(1 << 23) - 1.0;
        T::from_f64(if T::EPSILON > 0.0 { value } else { (value * 2.0).round().abs() })
    };
    (0..count).map(|_| next()).collect()
}

fn at(i: usize, j: usize, (row, col): (isize, isize)) -> usize {
    i * row as usize + j * col as usize
}

/// The product of random matrices with one set of kernels, checked against the sum in f64.
fn check<T: Value>(
    kernels: &table::Kernels<T>,
    (m, n, k): (usize, usize, usize),
    [la, lb, lc]: [Layout; 3],
    accumulate: bool,
) {
    let a: Vec<T> = random(la.room(m, k), 1);
    let b: Vec<T> = random(lb.room(k, n), 2);
    let old: Vec<T> = random(lc.room(m, n), 3);
    let mut c = old.clone();
    let (sa, sb, sc) = (la.strides(m, k), lb.strides(k, n), lc.strides(m, n));
    let product = Product {
        m,
        n,
        k,
        a: a.as_ptr(),
        a_row: sa.0,
        a_col: sa.1,
        b: b.as_ptr(),
        b_row: sb.0,
        b_col: sb.1,
        c: c.as_mut_ptr(),
        c_row: sc.0,
        c_col: sc.1,
        accumulate,
    };
    unsafe { multiply(kernels, product) };
    let mut expected = old.clone();
    for i in 0..m {
        for j in 0..n {
            let start = if accumulate { old[at(i, j, sc)].to_f64() } else { 0.0 };
            let sum = (0..k).fold(start, |sum, p| sum + a[at(i, p, sa)].to_f64() * b[at(p, j, sb)].to_f64());
            let (got, tolerance) = (c[at(i, j, sc)].to_f64(), T::EPSILON * (k + 1) as f64);
            assert!((got - sum).abs() <= tolerance, "{m}x{k}x{n} {la:?} {lb:?} {lc:?} ({i}, {j}): {got}, not {sum}");
            expected[at(i, j, sc)] = c[at(i, j, sc)];
        }
    }
    assert!(c == expected, "{m}x{k}x{n}: wrote outside C");
}

fn check_small<T: Value>(all: &[&table::Kernels<T>], last: usize) {
    for kernels in all {
        for m in 0..=last {
            for n in 0..=last {
                for k in 0..=last {
                    // All layouts, but not all of their combinations at every size.
                    let pick = m + 2 * n + 5 * k;
                    for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, pick % 3), (pick % 3, 2)] {
                        let c = LAYOUTS[(pick + a + b) % 3];
                        check(kernels, (m, n, k), [LAYOUTS[a], LAYOUTS[b], c], (pick + a).is_multiple_of(2));
                        check(kernels, (m, n, k), [LAYOUTS[a], LAYOUTS[b], Layout::Rows], (pick + a) % 2 == 1);
                    }
                }
            }
        }
    }
}

#[test]
fn small_f32() {
    check_small(&f32::available().collect::<Vec<_>>(), 20);
}

#[test]
fn small_f64() {
    check_small(&f64::available().collect::<Vec<_>>(), 20);
}

#[test]
fn small_integers() {
    check_small(&[i64::kernels()], 10);
    check_small(&[i32::kernels()], 10);
    check_small(&[u8::kernels()], 7);
}

#[test]
fn integers_wrap() {
    let (a, b, mut c) = ([200_u8, 100], [3_u8, 7], [0_u8]);
    unsafe { matmul(1, 1, 2, a.as_ptr(), (2, 1), b.as_ptr(), (1, 1), c.as_mut_ptr(), (1, 1), false) };
    assert_eq!(c[0], 200_u8.wrapping_mul(3).wrapping_add(100_u8.wrapping_mul(7)));
}

/// Around the edges of tiles and blocks, packed and not.
#[test]
fn block_edges() {
    let sizes = [
        (7, 47, 511),
        (8, 48, 512),
        (9, 49, 513),
        (127, 97, 1025),
        (129, 513, 700),
        (300, 200, 1030),
        (1030, 17, 257),
        (1, 1000, 999),
        (1000, 1, 999),
        (2, 300, 1100),
        (600, 520, 520),
        (4, 30, 70),
        (1, 600, 601),
    ];
    for (i, size) in sizes.into_iter().enumerate() {
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)] {
            let layouts = [LAYOUTS[a], LAYOUTS[b], LAYOUTS[(i + a) % 3]];
            check(f32::kernels(), size, layouts, i % 2 == 0);
            check(f64::kernels(), size, layouts, i % 2 == 1);
        }
    }
}

#[test]
fn infinities_and_nans_spread_along_their_row_and_column_only() {
    for (m, n, k) in [(1, 5, 9), (5, 1, 9), (3, 4, 2), (20, 50, 33), (130, 60, 2100)] {
        for lb in [Layout::Rows, Layout::Columns] {
            let mut a: Vec<f32> = vec![1.0; m * k];
            let mut b: Vec<f32> = vec![2.0; k * n];
            let (sa, sb) = (Layout::Rows.strides(m, k), lb.strides(k, n));
            a[at(m - 1, k - 1, sa)] = f32::INFINITY;
            b[at(0, n - 1, sb)] = f32::NAN;
            // What C held, were it read, would show.
            let mut c = vec![f32::NAN; m * n];
            unsafe { matmul(m, n, k, a.as_ptr(), sa, b.as_ptr(), sb, c.as_mut_ptr(), (n as isize, 1), false) };
            for (i, &got) in c.iter().enumerate() {
                match (i / n == m - 1, i % n == n - 1) {
                    (_, true) => assert!(got.is_nan()),
                    (true, false) => assert_eq!(got, f32::INFINITY),
                    _ => assert_eq!(got, 2.0 * k as f32),
                }
            }
        }
    }
}

/// The bits of a product and of a batch, on a number of threads.
fn bits(threads: usize, (m, n, k): (usize, usize, usize), la: Layout, lb: Layout) -> Vec<u32> {
    const COUNT: usize = 5;
    parallel::set_threads(threads);
    let a: Vec<f32> = random(m * k * COUNT, 1);
    let b: Vec<f32> = random(k * n, 2);
    let mut c = vec![0.0_f32; m * n * (COUNT + 1)];
    let (sa, sb, sc) = (la.strides(m, k), lb.strides(k, n), (n as isize, 1));
    let offsets = |i: usize| ((i * m * k) as isize, 0, (i * m * n) as isize);
    unsafe {
        matmul_batch(COUNT, offsets, m, n, k, a.as_ptr(), sa, b.as_ptr(), sb, c.as_mut_ptr(), sc, false);
        matmul(m, n, k, a.as_ptr(), sa, b.as_ptr(), sb, c.as_mut_ptr().add(COUNT * m * n), sc, false);
    }
    assert!(c[..m * n] == c[COUNT * m * n..]);
    c.into_iter().map(f32::to_bits).collect()
}

#[test]
fn threads_do_not_change_bits() {
    let sizes = [
        (130, 250, 1100),
        (260, 300, 300),
        (1, 3000, 500),
        (3000, 1, 500),
        (64, 128, 784),
        (2000, 16, 16),
        (3, 900, 700),
    ];
    for size in sizes {
        for la in [Layout::Rows, Layout::Columns] {
            for lb in [Layout::Rows, Layout::Columns] {
                let one = bits(1, size, la, lb);
                for threads in [2, 3, 7] {
                    assert!(bits(threads, size, la, lb) == one, "{size:?} {la:?} {lb:?} on {threads} threads");
                }
            }
        }
    }
    parallel::set_threads(0);
}
