//! What the cache of heavy answers costs and saves: a hit, a miss, and a hundred callers
//! who ask for the same toy at once.
//!
//! `cargo bench --bench cache`.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use tokio::runtime::Runtime;
use woody_core::domain::{ProductName, Quantity};
use woody_core::services::{HeavyComputation, HeavyConfig};
use woody_core::workshop::{HeavyPool, HeavyPoolConfig, Workshop};

/// Enough for quartiles; the default takes longer than what is measured.
const RESAMPLES: usize = 5_000;

fn name(text: &str) -> ProductName {
    ProductName::parse(text).expect("a name")
}

/// Letters of one toy whose plan is made at once, so that what is measured stands around it.
fn fresh() -> ProductName {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    name(&format!("toy {}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

fn caching(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let pool = HeavyPool::new(HeavyPoolConfig::default());
    // Longer than any bench: what was answered once is always a hit.
    let config = HeavyConfig::default().ttl(Duration::from_hours(1));
    let heavy = HeavyComputation::new(Arc::new(Workshop::default()), pool, config);
    let woody = name("Woody");
    runtime.block_on(heavy.answer(&woody, Quantity::BATCH)).expect("an answer");

    let mut group = c.benchmark_group("cache");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group.nresamples(RESAMPLES);
    group.throughput(Throughput::Elements(1));
    group.bench_function("hit", |b| {
        b.to_async(&runtime).iter(|| heavy.answer(black_box(&woody), Quantity::BATCH));
    });
    group.sample_size(20);
    group.bench_function("miss", |b| {
        b.to_async(&runtime)
            .iter(|| async { heavy.answer(&fresh(), Quantity::ONE).await.expect("an answer") });
    });
    group.throughput(Throughput::Elements(100));
    group.bench_function("100 callers of one key, a miss", |b| {
        b.to_async(&runtime).iter(|| async {
            let toy = fresh();
            join_all((0..100).map(|_| heavy.answer(&toy, Quantity::ONE))).await
        });
    });
    group.bench_function("100 callers of one key, a hit", |b| {
        b.to_async(&runtime)
            .iter(|| join_all((0..100).map(|_| heavy.answer(&woody, Quantity::BATCH))));
    });
    group.finish();
}

criterion_group!(benches, caching);
criterion_main!(benches);
