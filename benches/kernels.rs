//! One or two of each family of kernels besides products and reductions, at sizes within and beyond the caches.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rgrad::ops::{
    arithmetic, conversion, convolution, cumulative, fft, gathering, normalization, pooling, softmax, sorting, unary,
    views,
};
use rgrad::{Result, Tensor};
use std::hint::black_box;

/// Numbers from 0 to 1 in an order that no kernel knows.
fn numbers(sizes: &[usize]) -> Tensor {
    let values: Vec<f32> = (0..sizes.iter().product::<usize>()).map(|i| (i * 7919 % 10_007) as f32 / 1e4).collect();
    Tensor::from_slice(&values, sizes).expect("a tensor of a moderate size")
}

/// Places below `limit` in the same order.
fn places(sizes: &[usize], limit: usize) -> Tensor {
    let values: Vec<i64> = (0..sizes.iter().product::<usize>()).map(|i| (i * 7919 % limit) as i64).collect();
    Tensor::from_slice(&values, sizes).expect("a tensor of a moderate size")
}

/// Measures `operation` on matrices of three sizes.
fn on_matrices<T>(criterion: &mut Criterion, family: &str, name: &str, operation: impl Fn(&Tensor) -> Result<T>) {
    let mut group = criterion.benchmark_group(family);
    for side in [8, 100, 1000] {
        let x = numbers(&[side, side]);
        group.throughput(Throughput::Elements((side * side) as u64));
        group.bench_function(BenchmarkId::new(name, format!("{side}x{side}")), |bench| {
            bench.iter(|| operation(black_box(&x)))
        });
    }
    group.finish();
}

fn elementwise(criterion: &mut Criterion) {
    on_matrices(criterion, "elementwise", "exp", unary::exp);
    on_matrices(criterion, "elementwise", "tanh", unary::tanh);
    on_matrices(criterion, "elementwise", "add", |x| arithmetic::add(x.into(), x.into()));
    on_matrices(criterion, "elementwise", "add a row", |x| {
        arithmetic::add(x.into(), (&views::narrow(x, 0, 0, 1)?).into())
    });
    on_matrices(criterion, "elementwise", "add a column", |x| {
        arithmetic::add(x.into(), (&views::narrow(x, 1, 0, 1)?).into())
    });
    on_matrices(criterion, "copies", "transposed", |x| conversion::contiguous(&views::transpose(x, 0, 1)?));
}

fn normalizations(criterion: &mut Criterion) {
    for dim in [0, 1] {
        on_matrices(criterion, "normalization", &format!("softmax along {dim}"), |x| softmax::softmax(x, dim, None));
    }
    on_matrices(criterion, "normalization", "layer norm", |x| {
        normalization::layer_norm(x, &[x.size(1)? as i64], None, None, 1e-5)
    });
}

fn windows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("windows");
    for (channels, side) in [(3, 32), (16, 64)] {
        let (x, weight) = (numbers(&[8, channels, side, side]), numbers(&[16, channels, 3, 3]));
        let shape = format!("8x{channels}x{side}x{side}");
        group.throughput(Throughput::Elements(x.numel() as u64));
        group.bench_function(BenchmarkId::new("conv2d", &shape), |bench| {
            bench.iter(|| {
                convolution::convolution(black_box(&x), &weight, None, &[1, 1], &[1, 1], &[1, 1], false, &[0, 0], 1)
            })
        });
        group.bench_function(BenchmarkId::new("max_pool2d", &shape), |bench| {
            bench.iter(|| pooling::max_pool2d(black_box(&x), &[2, 2], None, &[0, 0], &[1, 1], false))
        });
    }
    group.finish();
}

fn indexing(criterion: &mut Criterion) {
    on_matrices(criterion, "indexing", "index_select", |x| {
        gathering::index_select(x, 0, &places(&[x.size(0)?], x.size(0)?))
    });
    let mut group = criterion.benchmark_group("indexing");
    for side in [8, 100, 1000] {
        let (x, index) = (numbers(&[side, side]), places(&[side, side], side));
        group.throughput(Throughput::Elements((side * side) as u64));
        let shape = format!("{side}x{side}");
        group.bench_function(BenchmarkId::new("gather", &shape), |bench| {
            bench.iter(|| gathering::gather(black_box(&x), 1, &index, false))
        });
        group.bench_function(BenchmarkId::new("scatter_add", &shape), |bench| {
            bench.iter(|| gathering::scatter_add(black_box(&x), 1, &index, &x))
        });
    }
    group.finish();
}

fn orders(criterion: &mut Criterion) {
    on_matrices(criterion, "order", "sort", |x| sorting::sort(x, -1, false));
    on_matrices(criterion, "order", "topk", |x| sorting::topk(x, 5, -1, true, true));
    for dim in [0, 1] {
        on_matrices(criterion, "order", &format!("cumsum along {dim}"), |x| cumulative::cumsum(x, dim, None));
    }
}

fn transforms(criterion: &mut Criterion) {
    on_matrices(criterion, "transform", "rfft", |x| fft::fft_rfft(x, None, -1, None));
}

criterion_group!(benches, elementwise, normalizations, windows, indexing, orders, transforms);
criterion_main!(benches);
