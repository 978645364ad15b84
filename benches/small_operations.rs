//! What one operation on 8 elements costs: with and without a gradient, in place, as a view.

use criterion::{Criterion, criterion_group, criterion_main};
use rgrad::autograd::modes::without_grad;
use rgrad::ops::{arithmetic, unary, views};
use rgrad::{Result, Tensor};
use std::hint::black_box;

fn vector(requires_grad: bool) -> Result<Tensor> {
    let values: Vec<f32> = (1..=8).map(|i| i as f32 / 8.0).collect();
    let tensor = Tensor::from_slice(&values, &[8])?;
    tensor.set_requires_grad(requires_grad)?;
    Ok(tensor)
}

fn small_operations(criterion: &mut Criterion) {
    let plain = vector(false).expect("a tensor of 8 elements");
    let leaf = vector(true).expect("a tensor of 8 elements");
    let mut group = criterion.benchmark_group("small operation");
    group.bench_function("a tensor of 8", |bench| bench.iter(|| Tensor::empty(black_box(&[8]), plain.dtype())));
    for (name, input) in [("plain", &plain), ("recorded", &leaf)] {
        group.bench_function(format!("exp {name}"), |bench| bench.iter(|| unary::exp(black_box(input))));
        group.bench_function(format!("add {name}"), |bench| {
            bench.iter(|| arithmetic::add(black_box(input).into(), black_box(&plain).into()))
        });
        group.bench_function(format!("add a number {name}"), |bench| {
            bench.iter(|| arithmetic::add(black_box(input).into(), black_box(1.0).into()))
        });
        group.bench_function(format!("view {name}"), |bench| {
            bench.iter(|| views::view(black_box(input), black_box(&[2, 4])))
        });
    }
    group.bench_function("exp of a leaf without grad", |bench| {
        bench.iter(|| without_grad(|| unary::exp(black_box(&leaf))))
    });
    group.finish();
}

criterion_group!(benches, small_operations);
criterion_main!(benches);
