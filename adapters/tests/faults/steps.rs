//! The steps of an order's way, at each of which a process is ended as if by
//! `kill -9` (the feature `failpoints` puts them into our binaries).

use testkit::proxy::Line;

use crate::{
    faults::{Fault, Who},
    shop::{Dependency, Process, Shop},
};

/// Not the first order that comes there: by then everything is in flight.
const TIMES: u32 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    name: &'static str,
    pub who: Who,
    needs: Needs,
}

/// What brings an order to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// A validator that panics half of the time, so that orders are retried.
    Retries,
    /// A dependency that is unavailable.
    Away(Dependency),
    /// Entries of another order-service that has died with them while the broker was unavailable. They are
    /// claimed once the broker is back and their lease is over.
    EntriesOfTheDead,
}

const fn step(who: Who, name: &'static str, needs: Needs) -> Fault {
    Fault::EndAt(Step { name, who, needs })
}

/// Each step there is.
pub const STEPS: &[Fault] = &[
    step(Who::Worker, "worker.received", Needs::Nothing),
    step(Who::Worker, "worker.validating", Needs::Nothing),
    step(Who::Worker, "worker.validated", Needs::Nothing),
    step(Who::Worker, "worker.saved", Needs::Nothing),
    step(Who::Worker, "worker.settled", Needs::Nothing),
    step(Who::Worker, "delivery.moved", Needs::Retries),
    step(Who::OrderService, "intake.stored", Needs::Nothing),
    step(Who::OrderService, "intake.accepted", Needs::Nothing),
    step(Who::OrderService, "intake.sent", Needs::Away(Dependency::Database)),
    step(Who::OrderService, "relay.published", Needs::Nothing),
    step(Who::OrderService, "relay.claimed", Needs::EntriesOfTheDead),
];

impl Step {
    /// Has `process` end when it comes there.
    pub async fn arm(self, shop: &Shop, process: &Process) {
        if let Some(dependency) = self.hits() {
            shop.set_lines(dependency, Line::Reset);
        }
        let times = if self.hits().is_some() { 1 } else { TIMES };
        let abort = format!("{}:{times}", self.name);
        let panics = if self.needs == Needs::Retries { "worker.validating=50%panic" } else { "" };
        process.kill().await;
        process.start_with(&[("WOODY_ABORT_AT", &abort), ("FAILPOINTS", panics)]).await;
    }

    /// Waits until it has, and starts it again as it was.
    pub async fn disarm(self, shop: &Shop, process: &Process) {
        match self.needs {
            Needs::Nothing | Needs::Retries => process.has_died().await,
            Needs::Away(dependency) => {
                process.has_died().await;
                shop.set_lines(dependency, Line::Open);
            }
            Needs::EntriesOfTheDead => {
                // All others: nobody else may claim what they leave.
                let others = shop.order_services.iter().filter(|other| other.name != process.name);
                let others: Vec<_> = others.collect();
                for other in &others {
                    other.kill().await;
                }
                shop.set_lines(Dependency::Broker, Line::Open);
                process.has_died().await;
                for other in others {
                    other.start().await;
                }
            }
        }
        process.start().await;
    }

    /// Which dependency it takes away.
    pub fn hits(self) -> Option<Dependency> {
        match self.needs {
            Needs::Away(dependency) => Some(dependency),
            Needs::EntriesOfTheDead => Some(Dependency::Broker),
            Needs::Nothing | Needs::Retries => None,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "killed at {}", self.name)
    }
}
