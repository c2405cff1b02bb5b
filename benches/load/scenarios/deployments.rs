//! Deployments of a few workers, beside what `woodyctl size` predicts of them.
//!
//! Each is measured with its queue full, and then with orders that come at random at a part of what it should bear.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    process::Command,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use woody_core::{
    domain::{ProductName, Quantity},
    workshop::{CuttingList, Workshop},
};

use super::{Row, Setting, end_to_end::until_ended};
use crate::{
    client::{at_random, one_after_another, order, order_of},
    cost::Cost,
    figures::Figures,
    raw::hyper::Server,
    services::{Service, Shop},
};

const WAITS_FOR: Duration = Duration::from_millis(20);
const COMPUTES_FOR: Duration = Duration::from_millis(2);
const PRODUCT: &str = "Woody";

/// So many workers, and what they are given.
struct Deployment {
    name: String,
    workers: u32,
    prefetch: u32,
    validation: Duration,
    computes: bool,
    order: Vec<u8>,
    settings: Vec<(&'static str, String)>,
    /// What the disk takes for a sync.
    sync: Duration,
}

pub async fn measure(setting: Setting) -> Vec<Row> {
    let waiting = Server::start(br#"{"verdict":"success"}"#, WAITS_FOR).await;
    let (quantity, computes_for) = order_that_takes(COMPUTES_FOR);
    let sync = sync_takes();
    let none = ("WOODY_VALIDATION", "none".to_owned());
    let url = ("WOODY_VALIDATOR_URL", format!("http://{}/", waiting.address));
    let deployments = [
        (
            0.6,
            Deployment {
                name: format!("2 workers of 8, waiting {} ms", WAITS_FOR.as_millis()),
                workers: 2,
                prefetch: 8,
                validation: WAITS_FOR,
                computes: false,
                order: order(),
                settings: vec![none.clone(), url],
                sync,
            },
        ),
        (
            0.35,
            Deployment {
                name: format!("1 worker of 4, computing some {} ms", COMPUTES_FOR.as_millis()),
                workers: 1,
                prefetch: 4,
                validation: computes_for,
                computes: true,
                order: order_of(PRODUCT, quantity),
                settings: vec![("WOODY_VALIDATION", "workshop".to_owned())],
                sync,
            },
        ),
        (
            0.1,
            Deployment {
                name: "1 worker of 200, no validation".to_owned(),
                workers: 1,
                prefetch: 200,
                validation: Duration::ZERO,
                computes: false,
                order: order(),
                settings: vec![none],
                sync,
            },
        ),
    ];
    let mut rows = Vec::new();
    for (part, deployment) in deployments {
        let most = number(&deployment.predicted(&setting, 1.0), "orders_per_s_at_most");
        rows.push(deployment.with_a_full_queue(&setting, most).await);
        rows.push(deployment.at(&setting, (part * most).round()).await);
    }
    waiting.stop();
    rows
}

impl Deployment {
    /// What `woodyctl` says of it on this machine, at so many orders a second.
    fn predicted(&self, setting: &Setting, rate: f64) -> Value {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let done = Command::new(setting.servers.programs.join("woodyctl"))
            .args(["size", "--output", "json", "--peak", "1", "--order-services", "1"])
            .args(["--spread", "fixed", "--cores", &cores.to_string()])
            .args(["--sync", &format!("{}us", self.sync.as_micros())])
            .args(["--validation-kind", if self.computes { "computes" } else { "waits" }])
            .args(["--validation", &format!("{}us", self.validation.as_micros())])
            .args(["--workers", &self.workers.to_string()])
            .args(["--prefetch", &self.prefetch.to_string(), "--rate", &rate.to_string()])
            .output()
            .expect("woodyctl, which ./dev/measure.sh builds");
        serde_json::from_slice(&done.stdout).expect("a document")
    }

    async fn with_a_full_queue(&self, setting: &Setting, predicted: f64) -> Row {
        let shop = Shop::open(&setting.servers).await;
        let address = shop.orders.address;
        let enough = Duration::from_secs_f64(predicted * setting.lasting.as_secs_f64() / 10_000.0);
        let seen = one_after_another(address, self.order.clone(), 64, enough).await;
        shop.wait_until_published().await;
        let cost = Cost::begin(&setting.servers.postgres).await;
        let running = self.start(&shop).await;
        let left = shop.wait_until_fewer_than(i64::try_from(seen.good).unwrap()).await;
        let started = Instant::now();
        shop.wait_until_ended().await;
        let rate = left as f64 / started.elapsed().as_secs_f64();
        let figures = Figures::rate(rate)
            .with("predicted/s", predicted)
            .with("predicted of measured", predicted / rate);
        let figures = cost.of(seen.good, figures).await;
        running.into_iter().for_each(Service::stop);
        shop.close().await;
        Row::new(format!("{}, a full queue", self.name), None, figures)
    }

    async fn at(&self, setting: &Setting, rate: f64) -> Row {
        let shop = Shop::open(&setting.servers).await;
        let (address, order) = (shop.orders.address, || self.order.clone());
        let running = self.start(&shop).await;
        at_random(address, order(), rate, 64, setting.lasting / 5).await;
        shop.wait_until_ended().await;
        let cost = Cost::begin(&setting.servers.postgres).await;
        let (seen, placed) = at_random(address, order(), rate, 64, setting.lasting).await;
        shop.wait_until_ended().await;
        let latencies = until_ended(&shop, &placed).await;
        let predicted = self.predicted(setting, rate);
        let figures = Figures::rate(seen.per_second()).with_latencies(&latencies);
        let mut figures = figures.with("wanted/s", rate);
        for (figure, name, quantile) in
            [("p50_ms", "predicted p50 ms", 0.50), ("p99_ms", "predicted p99 ms", 0.99)]
        {
            let predicted = number(&predicted["ended"], figure);
            figures = figures.with(name, predicted);
            let of_measured = format!("{name} of measured");
            figures = figures.with(&of_measured, predicted / latencies.quantile_ms(quantile));
        }
        let figures = cost.of(seen.good, figures).await;
        running.into_iter().for_each(Service::stop);
        shop.close().await;
        Row::new(format!("{}, orders at random", self.name), None, figures)
    }

    async fn start(&self, shop: &Shop) -> Vec<Service> {
        let prefetch = self.prefetch.to_string();
        let mut settings: Vec<_> =
            self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        settings.push(("WOODY_PREFETCH", &prefetch));
        let mut running = Vec::new();
        for _ in 0..self.workers {
            running.push(shop.worker(&settings).await);
        }
        running
    }
}

fn number(document: &Value, name: &str) -> f64 {
    document[name].as_f64().unwrap_or_else(|| panic!("{name} in {document}"))
}

/// How many toys it takes for their plan to take a core about so long, and how long it takes.
fn order_that_takes(wanted: Duration) -> (u32, Duration) {
    let workshop = Workshop::default();
    let list = CuttingList::letters(&ProductName::parse(PRODUCT).expect("a name"));
    let takes = |quantity: u32| {
        let quantity = Quantity::new(quantity.into()).expect("a quantity");
        let tries = 20;
        let began = processor_time();
        for _ in 0..tries {
            std::hint::black_box(workshop.plan(&list, quantity).expect("a plan"));
        }
        processor_time().saturating_sub(began) / tries
    };
    let timed = [2, 3, 5, 8, 12, 20, 30].into_iter().map(|quantity| (quantity, takes(quantity)));
    timed.min_by_key(|(_, takes)| takes.abs_diff(wanted)).expect("sizes")
}

/// Of this thread: what else runs on the machine takes nothing of it.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("a time after the epoch")
}

/// How long the disk of temporary files takes until it has what was written: the median.
fn sync_takes() -> Duration {
    let path = std::env::temp_dir().join(format!("woody-load-{}", std::process::id()));
    let file = File::create(&path).expect("a temporary file");
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            // Over what is there, as logs that are used again are written.
            file.write_all_at(&[0; 8_192], 0).expect("room on the disk");
            let began = Instant::now();
            file.sync_data().expect("a disk");
            began.elapsed()
        })
        .collect();
    std::fs::remove_file(&path).expect("it is there");
    times.sort();
    times[50]
}
