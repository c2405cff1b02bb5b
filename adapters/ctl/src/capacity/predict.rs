//! What a deployment does, by simulation.

use super::{
    costs::Costs,
    deployment::{Deployment, Hardware, Load},
    limits::FULL_QUEUE,
    pipeline::{Begins, simulate},
    seen::{Seen, percentile},
};

/// How many orders are simulated, besides those that fill the shop.
const ORDERS: f64 = 12_000.0;
/// How often the orders that are under way at once are replaced by others.
const TURNOVERS: f64 = 10.0;
/// Orders under way that are simulated at most. Of a shop with more, a slice is: what waits
/// for one of so many places waits no shorter there than among more.
const UNDER_WAY: f64 = 2_000.0;
/// What an order takes besides its validation, or less: so many seconds, and so many syncs of the disk.
const ON_ITS_WAY: (f64, f64) = (0.01, 6.0);

/// What becomes of orders. Times are in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prediction {
    /// From the request to the response: median and 99th percentile.
    pub(crate) accepted: (f64, f64),
    /// From the request to the final state.
    pub(crate) ended: (f64, f64),
    /// Orders a second that end while more are queued than can be taken.
    pub(crate) at_most: f64,
    /// Processor time of each process for each order, in the order of `Process::ALL`.
    pub(crate) worked: [f64; 4],
    /// Bytes of PostgreSQL's log for each order.
    pub(crate) logged: f64,
}

/// Predicts what `deployment` does with `load`.
pub(crate) fn predict(load: &Load, deployment: &Deployment, costs: &Costs) -> Prediction {
    let seen = steady(load, deployment, costs);
    let both = |sorted: &[f64]| (percentile(sorted, 50), percentile(sorted, 99));
    Prediction {
        accepted: both(&seen.accepted),
        ended: both(&seen.ended),
        // Whatever was seen can be done.
        at_most: at_most(load, deployment, costs).max(seen.rate),
        worked: seen.worked,
        logged: seen.logged,
    }
}

/// What is seen of orders that come as `load` says.
pub(super) fn steady(load: &Load, deployment: &Deployment, costs: &Costs) -> Seen {
    let under_way = under_way(load, costs);
    let slices = (under_way / UNDER_WAY).max(1.0).ceil();
    let load = Load { rate: load.rate / slices, ..*load };
    let orders = whole(ORDERS + TURNOVERS * under_way / slices);
    let seen =
        simulate(&load, &slice(deployment, slices), costs, orders as usize, Begins::Arriving);
    Seen { rate: seen.rate * slices, ..seen }
}

/// Orders that are under way at once, or fewer.
pub(super) fn under_way(load: &Load, costs: &Costs) -> f64 {
    load.rate * (load.validation.mean + ON_ITS_WAY.0 + ON_ITS_WAY.1 * costs.synced)
}

/// Orders that end in a second while the queue is full: no more than one queue was ever seen to give.
fn at_most(load: &Load, deployment: &Deployment, costs: &Costs) -> f64 {
    let slices = (deployment.slots() / UNDER_WAY).ceil().clamp(1.0, f64::from(deployment.workers));
    let slice = slice(deployment, slices);
    let orders = whole(ORDERS + TURNOVERS * slice.slots().min(2.0 * UNDER_WAY));
    let seen = simulate(load, &slice, costs, orders as usize, Begins::Queued);
    (seen.rate * slices).min(FULL_QUEUE)
}

/// One of so many equal parts of a deployment.
fn slice(deployment: &Deployment, slices: f64) -> Deployment {
    let of = |count: u32| whole((f64::from(count) / slices).floor()).max(1);
    let cores = |cores: f64| (cores / slices).max(1.0);
    let hardware = match deployment.hardware {
        Hardware::Shared(all) => Hardware::Shared(cores(all)),
        Hardware::Apart(each) => Hardware::Apart(each.map(cores)),
    };
    Deployment {
        order_services: of(deployment.order_services),
        workers: of(deployment.workers),
        hardware,
        ..*deployment
    }
}

/// A number of things, as a whole number that is not too large for one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that is too large, or no number, becomes the nearest there is"
)]
pub(super) fn whole(number: f64) -> u32 {
    number as u32
}
