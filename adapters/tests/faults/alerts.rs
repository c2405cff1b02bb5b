//! Which alerts a fault fires, by a real Prometheus and the rules of the stack: its own, and no other.
//!
//! With `WOODY_FAULTS_ALERTS` each fault of the suite lasts so many seconds, each in a shop of its own, a few shops at once; rules
//! wait for up to two minutes, so let it be three; where the rule waits longer, so does the fault. The test command takes faults that need no minutes.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use testkit::waiting::PATIENCE;
use tokio::time::{sleep, timeout};

use crate::{
    campaign::variable,
    faults::{Blow, Fault, Who, World},
    first_sentence::cuts_off,
    load::Load,
    prometheus::Prometheus,
    shop::{Dependency, Settings},
    table::say,
};

/// What the test command runs: a message that was given up is told at once.
const SHORT: &[Fault] = &[Fault::Poison];

/// So many shops at once.
const AT_ONCE: usize = 3;
/// Orders a second in each.
const RATE: u32 = 20;

/// What a fault is to fire; nothing where a shop bears it, or has it for a moment.
fn expected(fault: Fault) -> &'static [&'static str] {
    const BROKER: &str = "TheShopIsNotWell: broker-unavailable";
    match fault {
        Fault::Kill(Who::Everybody) | Fault::Terminate(Who::Everybody) => {
            &["NobodySaysHowTheShopIs"]
        }
        // It comes back without the messages.
        Fault::Server(Dependency::Broker, Blow::Wipe) => &["MessagesWerePublishedAgain", BROKER],
        Fault::QueueDeleted => &["MessagesWerePublishedAgain"],
        Fault::Server(Dependency::Broker, _) | Fault::MemoryAlarm => &[BROKER],
        Fault::Network(Dependency::Broker, _) if cuts_off(fault) => &[BROKER],
        Fault::Server(Dependency::Database, _) | Fault::LockedTable => {
            &["TheShopIsNotWell: store-unavailable"]
        }
        Fault::Network(Dependency::Database, _) if cuts_off(fault) => {
            &["TheShopIsNotWell: store-unavailable"]
        }
        Fault::MissingTable => &["TheShopIsNotWell: store-refuses"],
        Fault::Poison | Fault::Deadly => &["DeadLetters"],
        Fault::Duplicates => &["Duplicates"],
        Fault::Receiver(_) => &["WebhooksWait"],
        Fault::Validator(_) => &["OrdersAreStuck"],
        // In one of two workers one of three.
        Fault::Panics => &["ValidationsFail"],
        _ => &[],
    }
}

/// What it may fire beside that: of those that a worker panics at, one in some thousands does so at each attempt.
fn possible(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::Panics => &["DeadLetters"],
        _ => &[],
    }
}

/// How long a fault lasts: that orders are stuck is told after five minutes.
fn lasts(fault: Fault, usual: Duration) -> Duration {
    match fault {
        Fault::Validator(_) => usual.max(Duration::from_mins(7)),
        _ => usual,
    }
}

/// What a fault has fired, and how long after its beginning.
struct Row {
    fault: Fault,
    /// What a healthy shop has fired: nothing.
    before: BTreeSet<String>,
    fired: Vec<(String, Duration)>,
}

/// Inflicts a fault. What loses messages finds some: workers are away until a hundred wait.
async fn inflict(fault: Fault, world: &World, load: &Load) {
    let away = if fault.loses_messages() { &world.shop.workers[..] } else { &[] };
    for worker in away {
        worker.terminate().await;
    }
    if !away.is_empty() {
        load.goes_on(100).await;
    }
    fault.inflict(world, load.ledger()).await;
    for worker in away {
        worker.start().await;
    }
}

/// Has a shop of its own suffer the fault, and notes each alert until it has lasted for so long, or until it is told
/// of.
async fn suffer(fault: Fault, usual: Option<Duration>, every: Duration) -> Row {
    let is_enough_once_told = usual.is_none();
    let lasts = usual.map_or(PATIENCE, |usual| lasts(fault, usual));
    let world = World::open(&Settings::in_full()).await;
    let load = Load::start(&world.shop, "alerts", RATE);
    let prometheus = Prometheus::start(&world.shop, every).await;
    load.goes_on(RATE as usize).await;
    // It has measured a healthy shop, so that it sees what increases.
    sleep(every * 2).await;
    let before = prometheus.firing().await;
    let began = Instant::now();
    inflict(fault, &world, &load).await;
    let mut fired: Vec<(String, Duration)> = Vec::new();
    let looks = async {
        loop {
            for alert in prometheus.firing().await {
                if fired.iter().all(|(known, _)| *known != alert) {
                    fired.push((alert, began.elapsed()));
                }
            }
            if is_enough_once_told && fired.len() >= expected(fault).len() {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    if fault == Fault::Deadly {
        // It begins and ends by healing.
        let _ = timeout(lasts, async { tokio::join!(looks, fault.heal(&world)) }).await;
    } else {
        let _ = timeout(lasts, async {
            tokio::pin!(looks);
            if !fault.loses_messages() {
                return looks.await;
            }
            // What is gone is missed once the broker is back: half of the time is for that.
            let _ = timeout(lasts / 2, &mut looks).await;
            fault.heal(&world).await;
            looks.await;
        })
        .await;
        if !fault.loses_messages() {
            fault.heal(&world).await;
        }
    }
    load.end().await;
    Row { fault, before, fired }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR and WOODY_TEST_PROMETHEUS"]
async fn each_fault_fires_its_alert_and_no_other() {
    let _turn = crate::turn().await;
    let seconds = variable("WOODY_FAULTS_ALERTS").map(|text| text.parse::<u64>().unwrap());
    let only = variable("WOODY_FAULTS_ONLY").unwrap_or_default();
    let (faults, usual, every) = match seconds {
        Some(seconds) => (Fault::ALL, Some(Duration::from_secs(seconds)), Duration::from_secs(10)),
        None => (SHORT, None, Duration::from_secs(1)),
    };
    let is_meant = |fault: &&Fault| only.split(',').any(|part| fault.to_string().contains(part));
    let faults = faults.iter().filter(is_meant);
    let suffering = stream::iter(faults).map(|fault| suffer(*fault, usual, every));
    let (mut rows, mut wrong) = (0, Vec::new());
    let mut ended = suffering.buffered(AT_ONCE);
    while let Some(row) = ended.next().await {
        let fired: Vec<_> = row
            .fired
            .iter()
            .map(|(alert, after)| format!("{alert} after {:.0} s", after.as_secs_f64()))
            .collect();
        say(&format!("| {} | {} |", row.fault, fired.join(", ")));
        let mut named: Vec<_> = row.fired.iter().map(|(alert, _)| &**alert).collect();
        named.retain(|alert| !possible(row.fault).contains(alert));
        named.sort_unstable();
        if named != expected(row.fault) || !row.before.is_empty() {
            let (before, expected) = (&row.before, expected(row.fault));
            wrong.push(format!("{}: {named:?}, not {expected:?}; before it {before:?}", row.fault));
        }
        rows += 1;
    }
    assert!(rows > 0, "no fault has a name that contains WOODY_FAULTS_ONLY");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
