//! Orders per second by way of the library, over the embedded backends: accepted by the intake,
//! and brought to their end by relay and worker.
//!
//! `cargo bench --bench orders`; real services over real servers are `./dev/measure.sh`'s.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use tokio::runtime::Runtime;
use woody::Backends;
use woody_core::domain::ToyOrder;
use woody_core::services::Pipeline;
use woody_core::validation::AcceptAll;

/// Enough for quartiles; the default takes longer than what is measured.
const RESAMPLES: usize = 5_000;
/// Orders that arrive at once.
const ORDERS: u64 = 200;

async fn accept(pipeline: &Pipeline) {
    let intake = pipeline.intake();
    let order = || intake.accept(ToyOrder::parse("Train", 1).expect("an order"));
    for accepted in join_all((0..ORDERS).map(|_| order())).await {
        let _ = accepted.expect("it is kept");
    }
}

async fn ended(backends: &Backends, wanted: u64) {
    while backends.orders().counts().await.expect("counts").success < wanted {
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

fn orders(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let all = [
        ("memory", "memory:".to_owned(), "memory:".to_owned()),
        ("sqlite", path("orders.db"), path("queue.db")),
    ];
    let mut group = c.benchmark_group("orders");
    group.sample_size(10).warm_up_time(Duration::from_millis(500));
    group
        .nresamples(RESAMPLES)
        .measurement_time(Duration::from_secs(3))
        .throughput(Throughput::Elements(ORDERS));
    for (label, store, broker) in all {
        let backends = runtime.block_on(woody::open(&store, &broker)).expect("backends");
        let prefetch = NonZeroU16::new(100).expect("more than none");
        let start = backends.pipeline().validator(Arc::new(AcceptAll)).prefetch(prefetch).start();
        let pipeline = runtime.block_on(start).expect("a pipeline");
        let before = || async { backends.orders().counts().await.expect("counts") };
        // What is accepted is not timed until it has ended: the next sample begins with nothing
        // under way.
        for (what, to_the_end) in [("accepted", false), ("accepted and ended", true)] {
            group.bench_function(BenchmarkId::new(what, label), |b| {
                b.to_async(&runtime).iter_custom(|times| {
                    let (backends, pipeline) = (&backends, &pipeline);
                    async move {
                        let mut taken = Duration::ZERO;
                        for _ in 0..times {
                            let wanted = before().await.success + ORDERS;
                            let began = Instant::now();
                            accept(pipeline).await;
                            let accepted = began.elapsed();
                            ended(backends, wanted).await;
                            taken += if to_the_end { began.elapsed() } else { accepted };
                        }
                        taken
                    }
                });
            });
        }
        runtime.block_on(pipeline.stop());
        runtime.block_on(backends.close());
    }
    group.finish();
}

criterion_group!(benches, orders);
criterion_main!(benches);
