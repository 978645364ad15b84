//! The matrix product: squares, a layer's thin shapes, and operands read across their rows.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rgrad::ops::{matrix, views};
use rgrad::{DType, Result, Scalar, Tensor};
use std::hint::black_box;

fn operands(m: usize, k: usize, n: usize, transposed: bool, dtype: DType) -> Result<(Tensor, Tensor)> {
    let a = Tensor::full(&[m, k], Scalar::Float(0.5), dtype)?;
    let b = match transposed {
        false => Tensor::full(&[k, n], Scalar::Float(0.25), dtype)?,
        true => views::t(&Tensor::full(&[n, k], Scalar::Float(0.25), dtype)?)?,
    };
    Ok((a, b))
}

fn matmul(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matmul");
    let squares = [4, 16, 64, 256, 512].map(|n| (n, n, n, false));
    let layers = [(1, 784, 128, true), (64, 784, 128, true), (512, 64, 10, true)];
    for dtype in [DType::Float32, DType::Float64] {
        for (m, k, n, transposed) in squares.into_iter().chain(layers) {
            let (a, b) = operands(m, k, n, transposed, dtype).expect("matrices of a moderate size");
            // One element stands for one multiplication and one addition.
            group.throughput(Throughput::Elements((m * k * n) as u64));
            let shape = format!("{m}x{k}x{n}{}", if transposed { " transposed" } else { "" });
            group.bench_function(BenchmarkId::new(dtype.name(), shape), |bench| {
                bench.iter(|| matrix::matmul(black_box(&a), black_box(&b)))
            });
        }
    }
    group.finish();
}

criterion_group!(benches, matmul);
criterion_main!(benches);
