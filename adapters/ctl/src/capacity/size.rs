//! The least shop that holds a load, and what is to be known of it.

use super::{
    costs::Costs,
    deployment::{Deployment, Hardware, Load, Process},
    limits::{self, Limit, Shape},
    predict::{Prediction, predict, steady, under_way, whole},
    seen::Seen,
};

/// Of a service that clients or orders wait for: one goes on while the other is updated, or dies.
const AT_LEAST: u32 = 2;
/// Cores that stack.yml lets an order-service have.
const OF_ORDER_SERVICE: f64 = 2.0;
/// Cores that stack.yml lets a worker have.
const OF_WORKER: f64 = 1.0;
/// The part of the rate that a simulation must bring to an end: chance makes a little more or less.
const NEARLY: f64 = 0.98;
/// How often more workers are tried for the sake of a time.
const TRIES: u32 = 24;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) load: Load,
    pub(crate) prefetch: u32,
    /// How many times the usual rate comes at the peak.
    pub(crate) peak: f64,
    /// The part of its time that anything may be busy.
    pub(crate) busy: f64,
    pub(crate) cores_per_machine: u32,
    /// 99 of 100 orders shall have ended by then, in seconds.
    pub(crate) p99: Option<f64>,
    /// What is there already, and not searched for.
    pub(crate) order_services: Option<u32>,
    pub(crate) workers: Option<u32>,
    /// Cores of the one machine that all of it is on.
    pub(crate) cores: Option<u32>,
}

/// What to deploy.
#[derive(Debug)]
pub(crate) struct Advice {
    /// Shops side by side, since one does not hold so much.
    pub(crate) shops: u32,
    /// What comes to each.
    pub(crate) load: Load,
    /// Each of them.
    pub(crate) deployment: Deployment,
    /// Cores that each kind of process needs, in the order of `Process::ALL`.
    pub(crate) cores: [f64; 4],
    /// Machines with that many cores.
    pub(crate) machines: f64,
    pub(crate) prediction: Prediction,
    /// Connections to PostgreSQL.
    pub(crate) connections: u32,
    /// Of one shop, the nearest first.
    pub(crate) limits: Vec<Limit>,
    /// Orders that wait after a minute at the peak, and for how long the last of them does.
    pub(crate) burst: (f64, f64),
    /// Why the load is not held, or not as it was asked for.
    pub(crate) shortfall: Option<Shortfall>,
}

/// What a deployment does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortfall {
    /// More orders come than end.
    Rate,
    /// Orders end later than they shall, however many workers there are.
    Time,
}

/// Searches for the least deployment.
pub(crate) fn size(ask: &Ask, costs: &Costs) -> Advice {
    let shops = shops(ask, costs);
    let load = Load { rate: ask.load.rate / f64::from(shops), ..ask.load };
    let at_peak = Load { rate: load.rate * ask.peak, ..load };
    let free = at_leisure(ask, &load, costs);
    let free_at_peak = at_leisure(ask, &at_peak, costs);
    let cores = Process::ALL.map(|process| {
        let whose = process as usize;
        match process {
            // What comes at the peak may wait for its validation, and for nothing before it.
            Process::OrderWorker => free.worked[whose] * load.rate / ask.busy,
            _ => free_at_peak.worked[whose] * at_peak.rate / ask.busy,
        }
    });
    let of = |process: Process, each: f64| whole((cores[process as usize] / each).ceil());
    let order_services = ask
        .order_services
        .unwrap_or_else(|| of(Process::OrderService, OF_ORDER_SERVICE).max(AT_LEAST));
    let places = load.rate * free.held / f64::from(ask.prefetch) / ask.busy;
    let fewest = whole(places.ceil()).max(of(Process::OrderWorker, OF_WORKER)).max(AT_LEAST);
    let per_machine = f64::from(ask.cores_per_machine);
    let machines = (cores.iter().sum::<f64>() / per_machine).ceil().max(1.0);
    let hardware = Hardware::Shared(ask.cores.map_or(machines * per_machine, f64::from));
    let with = |workers| {
        let prefetch = ask.prefetch;
        let deployment = Deployment { order_services, workers, prefetch, hardware };
        (deployment, predict(&load, &deployment, costs))
    };
    let (deployment, prediction) = match ask.workers {
        Some(workers) => with(workers),
        None => enough(load.rate, ask.p99, fewest, with),
    };
    // On one machine what waits for a core is done with what comes meanwhile, and cheaper.
    let (worked, cores) = match ask.cores {
        Some(_) => {
            (prediction.worked, prediction.worked.map(|each| each * at_peak.rate / ask.busy))
        }
        None => (free_at_peak.worked, cores),
    };
    let shape = Shape {
        peak: ask.peak,
        cores: ask.cores.unwrap_or(ask.cores_per_machine),
        shared: ask.cores.is_some(),
        worked,
        order_services,
        workers: (places / load.rate).max(f64::MIN_POSITIVE),
    };
    Advice {
        shops,
        load,
        deployment,
        cores,
        machines,
        prediction,
        connections: limits::OTHER_CONNECTIONS
            .saturating_add(order_services.saturating_mul(limits::OF_ORDER_SERVICE))
            .saturating_add(deployment.workers.saturating_mul(limits::OF_WORKER)),
        limits: limits::limits(&shape),
        burst: burst(load.rate, ask.peak, prediction.at_most),
        shortfall: shortfall(ask, &load, &prediction),
    }
}

/// How many shops it takes so that none has more than a queue, a broker and a database bear.
fn shops(ask: &Ask, costs: &Costs) -> u32 {
    // Who says what there is wants to know what it does.
    if ask.workers.is_some() || ask.cores.is_some() {
        return 1;
    }
    let most = limits::QUEUE / ask.peak;
    let load = Load { rate: ask.load.rate.min(most), ..ask.load };
    let shape = Shape {
        peak: ask.peak,
        cores: ask.cores_per_machine,
        shared: false,
        worked: at_leisure(ask, &Load { rate: load.rate * ask.peak, ..load }, costs).worked,
        order_services: AT_LEAST,
        workers: 1.0,
    };
    let least = limits::one_machine(&shape).into_iter().map(|limit| limit.rate);
    let each = least.fold(f64::INFINITY, f64::min) * ask.busy;
    whole((ask.load.rate / each).ceil()).max(1)
}

/// What orders cost, and how long they are in hand, where nothing is scarce.
fn at_leisure(ask: &Ask, load: &Load, costs: &Costs) -> Seen {
    let places = under_way(load, costs) * 2.0;
    let deployment = Deployment {
        order_services: ask.order_services.unwrap_or(AT_LEAST),
        workers: whole(places / f64::from(ask.prefetch)).saturating_add(AT_LEAST),
        prefetch: ask.prefetch,
        hardware: Hardware::PLENTY,
    };
    steady(load, &deployment, costs)
}

/// Adds workers until as many orders end as come, and in time, or more of them do not help.
fn enough(
    rate: f64,
    p99: Option<f64>,
    fewest: u32,
    with: impl Fn(u32) -> (Deployment, Prediction),
) -> (Deployment, Prediction) {
    let mut best = with(fewest);
    for _ in 0..TRIES {
        let now = best.1;
        if now.at_most >= rate * NEARLY && p99.is_none_or(|p99| now.ended.1 <= p99) {
            break;
        }
        let next = with(best.0.workers.saturating_add(best.0.workers.div_ceil(4)));
        if next.1.ended.1 > now.ended.1 * 0.99 && next.1.at_most < now.at_most * 1.01 {
            break;
        }
        best = next;
    }
    best
}

/// What a minute at the peak leaves behind in the queue, and how long the last of it waits.
fn burst(rate: f64, peak: f64, at_most: f64) -> (f64, f64) {
    let left = (rate * peak - at_most).max(0.0) * 60.0;
    (left, left / at_most)
}

fn shortfall(ask: &Ask, load: &Load, prediction: &Prediction) -> Option<Shortfall> {
    let queue = limits::QUEUE < load.rate;
    let cores = ask
        .cores
        .is_some_and(|cores| prediction.worked.iter().sum::<f64>() * load.rate > f64::from(cores));
    if queue || cores || prediction.at_most < load.rate * NEARLY {
        return Some(Shortfall::Rate);
    }
    let late = ask.p99.is_some_and(|p99| prediction.ended.1 > p99);
    late.then_some(Shortfall::Time)
}
