//! What it costs to write a message of the queue and to read it.
//!
//! `cargo bench --bench messages`.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use woody_core::domain::{NewOrder, OrderMessage, ToyOrder};

/// Enough for quartiles; the default takes longer than what is measured.
const RESAMPLES: usize = 5_000;
/// The most bytes that an order's details may be, as by default.
const AT_MOST: usize = 32 * 1024;

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("message");
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.nresamples(RESAMPLES);
    group.throughput(Throughput::Elements(1));
    for (label, product) in [("short", "Train".to_owned()), ("long", "蛇\"".repeat(100))] {
        let order = NewOrder::new(ToyOrder::parse(&product, 20).expect("an order"));
        group.bench_with_input(BenchmarkId::new("details", label), &order, |b, order| {
            b.iter(|| black_box(order).encode(AT_MOST));
        });
        let message = OrderMessage::from(&order.encode(AT_MOST).expect("it fits"));
        group.bench_with_input(BenchmarkId::new("encode", label), &message, |b, message| {
            b.iter(|| black_box(message).to_bytes());
        });
        let body = message.to_bytes();
        group.bench_with_input(BenchmarkId::new("decode", label), &body, |b, body| {
            b.iter(|| OrderMessage::parse(black_box(body))?.decode::<ToyOrder>());
        });
    }
    group.finish();
}

criterion_group!(benches, messages);
criterion_main!(benches);
