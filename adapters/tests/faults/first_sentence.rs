//! What an operator is told first while a fault lasts: its first sentence is to name the cause.

use std::time::{Duration, Instant};

use testkit::proxy::Line;
use tokio::time::{sleep, timeout};

use crate::{
    faults::{Blow, Fault, Who},
    shop::{Dependency, Shop},
};

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// What it may take to say how the shop is.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the first sentence said while a fault lasted.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// What it is to contain; `None` where a fault has no name of its own.
    pub expected: Option<&'static str>,
    /// How long it took until it did.
    pub after: Option<Duration>,
    /// What it said last.
    pub last: String,
}

/// What names this fault; `None` where a shop bears it, or has it for a moment.
fn expected(fault: Fault) -> Option<&'static str> {
    match fault {
        Fault::Kill(Who::Everybody) | Fault::Terminate(Who::Everybody) => {
            Some("No order-worker takes orders")
        }
        Fault::Server(Dependency::Broker, Blow::Wipe) | Fault::MemoryAlarm => Some("RabbitMQ"),
        Fault::Server(Dependency::Broker, _) | Fault::Network(Dependency::Broker, _)
            if cuts_off(fault) =>
        {
            Some("RabbitMQ does not respond")
        }
        Fault::Server(Dependency::Database, _) | Fault::Network(Dependency::Database, _)
            if cuts_off(fault) =>
        {
            Some("PostgreSQL does not respond")
        }
        Fault::LockedTable => Some("PostgreSQL does not respond"),
        Fault::MissingTable => Some("PostgreSQL refuses"),
        Fault::Validator(_) => Some("Validations wait"),
        Fault::Poison => Some("dead letter"),
        Fault::Receiver(_) => Some("to be told to webhook"),
        _ => None,
    }
}

/// Whether nothing goes through any more.
pub fn cuts_off(fault: Fault) -> bool {
    match fault {
        Fault::Network(_, line) => {
            matches!(line, Line::Blackhole | Line::Reset | Line::OneWay(_))
        }
        _ => true,
    }
}

/// Returns the first sentence: by a process that the fault leaves alone, or by `woodyctl`.
async fn first_sentence(shop: &Shop, fault: Fault) -> String {
    let process = match fault {
        Fault::Kill(Who::Everybody) | Fault::Terminate(Who::Everybody) => None,
        Fault::Validator(_) => shop.workers.last(),
        _ => shop.order_services.last(),
    };
    let told = async {
        match process {
            Some(process) => process.status().await,
            None => shop.status().await,
        }
    };
    let told = timeout(PATIENCE, told).await.ok().flatten();
    told.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// Looks until the first sentence names the fault, or the fault is over.
pub async fn watch(shop: &Shop, fault: Fault, lasts: Duration) -> Told {
    let began = Instant::now();
    let mut told = Told { expected: expected(fault), ..Told::default() };
    let looks = async {
        loop {
            told.last = first_sentence(shop, fault).await;
            if told.expected.is_some_and(|expected| told.last.contains(expected)) {
                told.after = Some(began.elapsed());
                return;
            }
            sleep(EVERY).await;
        }
    };
    let _ = timeout(lasts, looks).await;
    sleep(lasts.saturating_sub(began.elapsed())).await;
    told
}
