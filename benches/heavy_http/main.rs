//! Heavy work over HTTP beside the library called directly, and light routes beside heavy work.
//!
//! It starts `target/release/misc-service`, and measures in one run, on the same cores: plans per
//! second that the library makes on a thread per core, plans per second that the service answers,
//! and how long `/api/misc/time` takes while the service plans on every core. No plan is asked of
//! the service twice, so that none comes from its cache.
//!
//! ```text
//! cargo build --release -p woody-adapters
//! cargo bench --bench heavy_http        WOODY_LOAD_SECONDS=5, for each of both
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    unreachable_pub
)]

mod client;

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use woody_core::domain::{ProductName, Quantity};
use woody_core::workshop::{CuttingList, Workshop};

use client::Client;

const SERVICE: &str = "target/release/misc-service";
/// Toys of each plan.
const TOYS: u16 = 150;
/// Between two questions for the time.
const LIGHT_PAUSE: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() {
    // `cargo test --benches` and a plain `cargo bench` of what is not built have nothing to measure.
    if !std::path::Path::new(SERVICE).is_file() || std::env::args().any(|arg| arg == "--test") {
        println!("heavy_http needs {SERVICE}: cargo build --release -p woody-adapters");
        return;
    }
    let seconds = std::env::var("WOODY_LOAD_SECONDS").ok().and_then(|text| text.parse().ok());
    let lasting = Duration::from_secs(seconds.unwrap_or(5));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let direct = directly(cores, lasting, &Arc::default());
    let service = Service::start().await;
    // The same toys once more: some take longer than others.
    let toys = Arc::new(AtomicU64::new(0));
    // One more waits for each that is planned, so that no core is idle between two.
    let heavy =
        (0..2 * cores).map(|_| tokio::spawn(over_http(service.address, lasting, toys.clone())));
    let heavy: Vec<_> = heavy.collect();
    let began = Instant::now();
    let light = light(service.address, lasting).await;
    let mut answered = 0;
    for client in heavy {
        answered += client.await.unwrap();
    }
    let over_http = answered as f64 / began.elapsed().as_secs_f64();

    let ms = |quantile| light.value_at_quantile(quantile) as f64 / 1_000.0;
    println!("| measured on {cores} cores, {} s each | |", lasting.as_secs());
    println!("| --- | ---: |");
    println!("| library, a thread per core: plans/s | {direct:.1} |");
    println!("| misc-service over HTTP: plans/s | {over_http:.1} |");
    println!("| of the library's | {:.1} % |", 100.0 * over_http / direct);
    println!(
        "| /api/misc/time meanwhile: p50, p99, max of {} | {:.2}, {:.2}, {:.2} ms |",
        light.len(),
        ms(0.5),
        ms(0.99),
        light.max() as f64 / 1_000.0
    );
}

fn toy(toys: &AtomicU64) -> String {
    format!("{:07} wooden locomotives", toys.fetch_add(1, Ordering::Relaxed))
}

/// Plans per second of the library, each thread one plan after the other.
fn directly(threads: usize, lasting: Duration, toys: &Arc<AtomicU64>) -> f64 {
    let began = Instant::now();
    let plan_until = |until: Instant, toys: Arc<AtomicU64>| {
        let (workshop, quantity) = (Workshop::default(), Quantity::new(i64::from(TOYS)).unwrap());
        let mut plans = 0_u64;
        while Instant::now() < until {
            let list = CuttingList::letters(&ProductName::parse(&toy(&toys)).unwrap());
            workshop.plan(&list, quantity).unwrap();
            plans += 1;
        }
        plans
    };
    let each = (0..threads).map(|_| {
        let toys = Arc::clone(toys);
        thread::spawn(move || plan_until(began + lasting, toys))
    });
    let each: Vec<_> = each.collect();
    let plans: u64 = each.into_iter().map(|thread| thread.join().unwrap()).sum();
    plans as f64 / began.elapsed().as_secs_f64()
}

async fn over_http(address: SocketAddr, lasting: Duration, toys: Arc<AtomicU64>) -> u64 {
    let (mut client, until) = (Client::connect(address).await, Instant::now() + lasting);
    let mut plans = 0;
    while Instant::now() < until {
        let name = toy(&toys).replace(' ', "%20");
        let path = format!("/api/misc/heavy?name={name}&quantity={TOYS}");
        assert_eq!(client.get(&path).await, 200, "{path}");
        plans += 1;
    }
    plans
}

/// Microseconds that light requests take.
async fn light(address: SocketAddr, lasting: Duration) -> Histogram<u64> {
    let mut latencies = Histogram::new_with_bounds(1, 60_000_000, 3).unwrap();
    let (mut client, until) = (Client::connect(address).await, Instant::now() + lasting);
    while Instant::now() < until {
        let asked = Instant::now();
        assert_eq!(client.get("/api/misc/time").await, 200);
        latencies.saturating_record(u64::try_from(asked.elapsed().as_micros()).unwrap());
        tokio::time::sleep(LIGHT_PAUSE).await;
    }
    latencies
}

struct Service {
    address: SocketAddr,
    process: Child,
}

impl Service {
    /// Starts it; when this returns it answers, so that no start is measured.
    async fn start() -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = free();
        let process = Command::new(SERVICE)
            .env("WOODY_LISTEN", address.to_string())
            .env("WOODY_ADMIN_LISTEN", free().to_string())
            .env("WOODY_LOG", "warn")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self { address, process };
        assert_eq!(Client::connect(address).await.get("/api/misc/time").await, 200);
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
