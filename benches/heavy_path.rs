//! The heavy path: what a plan costs at several sizes and at its worst, what a
//! cached answer costs, and what the pipeline adds to a validation.
//!
//! `cargo bench --bench heavy_path`; `-- --quick` for a first look.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use woody_core::domain::{NewOrder, Part, Parts, ProductName, Quantity, ToyOrder};
use woody_core::ports::Validator;
use woody_core::resilience::CircuitBreaker;
use woody_core::services::{HeavyComputation, HeavyConfig};
use woody_core::validation::{AcceptAll, Guarded, ValidatorChain};
use woody_core::workshop::{CuttingList, HeavyPool, HeavyPoolConfig, Workshop};

fn name(text: &str) -> ProductName {
    ProductName::parse(text).expect("a name")
}

fn quantity(n: u16) -> Quantity {
    Quantity::new(i64::from(n)).expect("a quantity")
}

fn letters(count: usize) -> CuttingList {
    let text: String = ('!'..='~').cycle().take(count).collect();
    CuttingList::letters(&name(&text))
}

/// `different` parts, `count` of each, the size of each from its index.
fn toy(different: u32, count: u32, size: fn(u32) -> (u32, u32)) -> CuttingList {
    let part = |i| {
        let (width_mm, height_mm) = size(i);
        Part { name: name(&format!("part {i}")), width_mm, height_mm, count, grain: false }
    };
    let parts = Parts::new((0..different).map(part).collect()).expect("parts");
    CuttingList::of(&name("toy"), &parts)
}

fn planning(c: &mut Criterion) {
    let workshop = Workshop::default();
    let mut group = c.benchmark_group("plan");
    group.sample_size(10);
    let woody = CuttingList::letters(&name("Woody"));
    for toys in [1, 8, 20, 100, 1_000] {
        group.bench_with_input(BenchmarkId::new("Woody", toys), &toys, |b, &toys| {
            b.iter(|| workshop.plan(black_box(&woody), quantity(toys)));
        });
    }
    let worst: [(&str, CuttingList, u16); 8] = [
        ("200 letters x 500", letters(200), 500),
        ("40 letters x 1000", letters(40), 1_000),
        ("1000 wheels x 200", toy(1, 1_000, |_| (60, 60)), 200),
        ("200 parts x 20", toy(200, 1, |i| (80 + i % 37, 80 + i % 41)), 20),
        ("200 small parts of 5 x 7", toy(200, 5, |i| (30 + i % 37, 30 + i % 41)), 7),
        ("200 tiny parts of 5 x 1000", toy(200, 5, |i| (1 + i % 20, 1 + i * 7 % 19)), 1_000),
        ("200 strips of 5 x 20", toy(200, 5, |i| (5 + i % 9, 900 + i)), 20),
        ("a sheet for each of 200", toy(200, 1, |i| (1_240 + i, 600 + i % 9)), 1),
    ];
    group.sampling_mode(SamplingMode::Flat);
    for (label, list, toys) in &worst {
        group.bench_function(BenchmarkId::new("worst", label), |b| {
            b.iter(|| workshop.plan(black_box(list), quantity(*toys)));
        });
    }
    group.finish();
}

fn drawing(c: &mut Criterion) {
    let plan = |list: &CuttingList, toys| {
        Workshop::default().plan(list, quantity(toys)).expect("it can be made")
    };
    let batch = plan(&CuttingList::letters(&name("Woody")), 20);
    let large = plan(&letters(100), 1_000);
    let mut group = c.benchmark_group("draw");
    group.bench_function("100 pieces", |b| b.iter(|| black_box(&batch).to_svg("Woody")));
    group.bench_function("the largest", |b| b.iter(|| black_box(&large).to_svg("letters")));
    group.finish();
}

fn cached(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let pool = HeavyPool::new(HeavyPoolConfig::default());
    // Longer than any bench: what is measured is always a hit.
    let config = HeavyConfig::default().ttl(Duration::from_hours(1));
    let heavy = HeavyComputation::new(Arc::new(Workshop::default()), pool, config);
    let woody = name("Woody");
    runtime.block_on(heavy.answer(&woody, HeavyComputation::BATCH)).expect("an answer");

    let mut group = c.benchmark_group("cached");
    group.bench_function("lookup and text", |b| {
        b.to_async(&runtime).iter(|| async {
            let found = heavy.cached(black_box("Woody"), HeavyComputation::BATCH).await;
            found.map(|(answer, status)| (answer.text(), status))
        });
    });
    group.bench_function("answer and text", |b| {
        b.to_async(&runtime).iter(|| async {
            let found = heavy.answer(black_box(&woody), HeavyComputation::BATCH).await;
            found.map(|(answer, status)| (answer.text(), status))
        });
    });
    group.bench_function("answer and svg", |b| {
        b.to_async(&runtime).iter(|| async {
            let found = heavy.answer(black_box(&woody), HeavyComputation::BATCH).await;
            found.map(|(answer, status)| (answer.svg(), status))
        });
    });
    group.finish();
}

/// What stands around a validator, around one that does nothing.
fn overhead(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let order = NewOrder::new(ToyOrder::from(name("Woody")));
    let second = Duration::from_secs(1);
    let chain = ValidatorChain::new().then("first", second, Arc::new(AcceptAll)).then(
        "second",
        second,
        Arc::new(Guarded::new("nothing", AcceptAll, CircuitBreaker::default(), second)),
    );
    let pool = HeavyPool::new(HeavyPoolConfig::default());

    let mut group = c.benchmark_group("overhead");
    group.bench_function("no validator", |b| {
        b.to_async(&runtime).iter(|| AcceptAll.validate(black_box(&order)));
    });
    group.bench_function("chain of two, one guarded", |b| {
        b.to_async(&runtime).iter(|| chain.validate(black_box(&order)));
    });
    group.bench_function("pool there and back", |b| b.to_async(&runtime).iter(|| pool.run(|| ())));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        // Enough for quartiles; the default takes longer than what is measured.
        .nresamples(5_000);
    targets = planning, drawing, cached, overhead
}
criterion_main!(benches);
