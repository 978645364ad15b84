//! Sums and extremes: of everything, and along each dimension of a matrix.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rgrad::ops::reduction;
use rgrad::{DType, Scalar, Tensor};
use std::hint::black_box;

fn reductions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reduction");
    for side in [8, 100, 1000] {
        let x = Tensor::full(&[side, side], Scalar::Float(0.5), DType::Float32).expect("a matrix of a moderate size");
        group.throughput(Throughput::Elements((side * side) as u64));
        let shape = format!("{side}x{side}");
        group.bench_function(BenchmarkId::new("sum", &shape), |bench| {
            bench.iter(|| reduction::sum_all(black_box(&x), None))
        });
        for dim in [0, 1] {
            group.bench_function(BenchmarkId::new(format!("sum along {dim}"), &shape), |bench| {
                bench.iter(|| reduction::sum(black_box(&x), Some(&[dim]), false, None))
            });
            group.bench_function(BenchmarkId::new(format!("max along {dim}"), &shape), |bench| {
                bench.iter(|| reduction::max(black_box(&x), dim, false))
            });
        }
    }
    group.finish();
}

criterion_group!(benches, reductions);
criterion_main!(benches);
