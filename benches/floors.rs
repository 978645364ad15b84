//! What this machine can do at best, to judge kernels by: memory bandwidth and multiplications with additions.

use std::hint::black_box;
use std::thread;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Megabytes of each array that is read or written: more than the caches hold.
const LARGE: usize = 256 << 20;

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    let source = vec![1u8; LARGE];
    let mut target = vec![0u8; LARGE];
    // A copy reads one array and writes the other.
    group.throughput(Throughput::Bytes(2 * LARGE as u64));
    group.sample_size(10);
    for threads in [1, 2] {
        group.bench_function(BenchmarkId::new("copy", format!("{threads} threads")), |bench| {
            bench.iter(|| {
                let part = LARGE / threads;
                thread::scope(|scope| {
                    for (from, to) in source.chunks(part).zip(target.chunks_mut(part)) {
                        scope.spawn(|| to.copy_from_slice(black_box(from)));
                    }
                });
            })
        });
    }
    group.finish();
}

/// Multiplications with additions in each round of [`fused`], for numbers of 32 bits.
const FUSED: usize = 1000 * 10 * 16;

/// Ten chains of dependent instructions, which hide each other's latency.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn fused() -> f32 {
    use std::arch::x86_64::{_mm512_fmadd_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let (factor, summand) = (black_box(_mm512_set1_ps(0.5)), black_box(_mm512_set1_ps(1.0)));
    let mut chains = [_mm512_set1_ps(0.0); 10];
    for _ in 0..FUSED / 160 {
        for chain in &mut chains {
            *chain = _mm512_fmadd_ps(*chain, factor, summand);
        }
    }
    chains.iter().map(|chain| _mm512_reduce_add_ps(*chain)).sum()
}

fn arithmetic(criterion: &mut Criterion) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        let mut group = criterion.benchmark_group("arithmetic");
        // A multiplication and an addition each.
        group.throughput(Throughput::Elements(2 * FUSED as u64));
        // SAFETY: the processor has the instructions.
        group.bench_function("fused, one thread", |bench| bench.iter(|| unsafe { fused() }));
        group.finish();
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = criterion;
}

criterion_group!(benches, memory, arithmetic);
criterion_main!(benches);
