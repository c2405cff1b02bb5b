//! What a plan costs by the number of its parts and the effort, in pieces per second.
//!
//! `cargo bench --bench planning`; how good the plans are says `--bench cutting`.

#![expect(clippy::expect_used, reason = "a bench that cannot be set up has nothing to say")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use woody_core::domain::{Part, Parts, ProductName, Quantity};
use woody_core::workshop::{CuttingList, Effort, Workshop};

/// Enough for quartiles; the default takes longer than what is measured.
const RESAMPLES: usize = 5_000;

fn name(text: &str) -> ProductName {
    ProductName::parse(text).expect("a name")
}

/// A toy of so many pieces, no two of which are alike up to 200; every third has grain.
fn toy(pieces: u32) -> CuttingList {
    let different = pieces.min(200);
    let part = |i| Part {
        name: name(&format!("part {i}")),
        width_mm: 90 + i * 37 % 410,
        height_mm: 70 + i * 53 % 330,
        count: pieces / different,
        grain: i % 3 == 0,
    };
    CuttingList::of(&name("toy"), &Parts::new((0..different).map(part).collect()).expect("parts"))
}

fn planning(c: &mut Criterion) {
    let efforts =
        [("fast", Effort::FAST), ("balanced", Effort::BALANCED), ("thorough", Effort::THOROUGH)];
    let mut group = c.benchmark_group("plan by pieces");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).nresamples(RESAMPLES);
    for (effort_name, effort) in efforts {
        let workshop = Workshop::default().with_effort(effort);
        // One sample of a thorough plan takes seconds as it is.
        let sizes: &[u32] =
            if effort_name == "thorough" { &[40, 1_000] } else { &[5, 20, 40, 100, 400, 1_000] };
        group.measurement_time(Duration::from_secs(1));
        for pieces in sizes {
            let long = *pieces >= 100;
            group.sampling_mode(if long { SamplingMode::Flat } else { SamplingMode::Auto });
            let list = toy(*pieces);
            group.throughput(Throughput::Elements(u64::from(*pieces)));
            group.bench_with_input(BenchmarkId::new(effort_name, pieces), &list, |b, list| {
                b.iter(|| workshop.plan(black_box(list), Quantity::ONE));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, planning);
criterion_main!(benches);
