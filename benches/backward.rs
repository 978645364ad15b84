//! The backward engine: long chains, wide trees, and a graph that shares its parts.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rgrad::autograd::engine::{self, Options};
use rgrad::ops::{arithmetic, reduction, unary};
use rgrad::{DType, Result, Scalar, Tensor};

fn leaf() -> Result<Tensor> {
    let tensor = Tensor::full(&[8], Scalar::Float(0.5), DType::Float32)?;
    tensor.set_requires_grad(true)?;
    Ok(tensor)
}

/// `nodes` operations, each on the result of the one before.
fn chain(nodes: usize) -> Result<Tensor> {
    let mut x = leaf()?;
    for _ in 0..nodes {
        x = unary::sin(&x)?;
    }
    reduction::sum_all(&x, None)
}

/// A balanced tree of sums over that many leaves.
fn tree(leaves: usize) -> Result<Tensor> {
    let mut level = (0..leaves).map(|_| leaf()).collect::<Result<Vec<_>>>()?;
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => arithmetic::add(a.into(), b.into()),
                _ => Ok(pair[0].clone()),
            })
            .collect::<Result<_>>()?;
    }
    reduction::sum_all(&level[0], None)
}

/// Each node uses the one before twice, so that every gradient is accumulated.
fn doubling(nodes: usize) -> Result<Tensor> {
    let mut x = leaf()?;
    for _ in 0..nodes {
        x = arithmetic::mul((&x).into(), (&x).into())?;
    }
    reduction::sum_all(&x, None)
}

fn run(root: Tensor) -> Result<()> {
    engine::backward(&[(root, None)], None, Options::default())
}

fn backward(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backward");
    type Build = fn(usize) -> Result<Tensor>;
    let shapes: [(&str, Build); 3] = [("chain", chain), ("tree", tree), ("doubling", doubling)];
    for (name, build) in shapes {
        for size in [1, 100, 10_000] {
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(name, size), |bench| {
                bench.iter_batched(|| build(size), |root| root.and_then(run), BatchSize::LargeInput);
            });
        }
    }
    group.finish();
}

criterion_group!(benches, backward);
criterion_main!(benches);
