//! One fault after the other, then two at once, under load.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `WOODY_FAULTS_MINUTES` | goes on for so long: every fault, then pairs; else a selection |
//! | `WOODY_FAULTS_ONLY` | only faults whose name contains this |
//! | `WOODY_FAULTS_ORDERS` | `toys` (the default), `nested`, or `both`: one scenario with these, the next with those |
//! | `WOODY_FAULTS_RATE` | orders a second |
//! | `WOODY_FAULTS_OUTAGE` | only one outage of each dependency, of so many seconds |

use std::time::{Duration, Instant};

use testkit::proxy::Line;
use tokio::time::sleep;

use crate::{
    evidence::{ENDS_WITHIN, compare, none_is_open, settled, until_all_are_told},
    faults::{Blow, Fault, Who, World},
    first_sentence::{self, Told},
    load::Load,
    orders::Orders,
    raw::Events,
    receiver::Hearing,
    shop::{Dependency, Settings},
    steps::STEPS,
    table::{self, Row, say},
    validator::Manner,
};

/// What the test command runs.
const SHORT: &[Fault] = &[
    Fault::Kill(Who::OrderService),
    Fault::Kill(Who::Worker),
    Fault::Terminate(Who::Everybody),
    Fault::Network(Dependency::Database, Line::Blackhole),
    Fault::Server(Dependency::Database, Blow::Kill),
    Fault::Server(Dependency::Broker, Blow::Wipe),
    Fault::Duplicates,
    Fault::Validator(Manner::Fails),
    Fault::Receiver(Hearing::Hangs),
    Fault::Receiver(Hearing::LosesAnswers),
    Fault::Backlog,
    Fault::Deadly,
    Fault::LockedTable,
];

const SHORT_STEPS: &[&str] = &[
    "killed at worker.saved",
    "killed at delivery.moved",
    "killed at relay.published",
    "killed at relay.claimed",
];

/// Faults that happen together, and how long they last.
struct Scenario {
    faults: Vec<Fault>,
    lasts: Duration,
}

struct Plan {
    scenarios: Box<dyn Iterator<Item = Scenario> + Send>,
    until: Option<Instant>,
    rate: u32,
    settings: Settings,
}

impl Plan {
    fn from_environment() -> Self {
        let number = |name| variable(name).map(|text| text.parse::<u32>().expect(name));
        let (minutes, outage) = (number("WOODY_FAULTS_MINUTES"), number("WOODY_FAULTS_OUTAGE"));
        let only = variable("WOODY_FAULTS_ONLY");
        let long = minutes.is_some() || only.is_some();
        let alone = move |lasts, faults: &[Fault]| -> Vec<Scenario> {
            let scenario =
                |fault: &Fault| Scenario { faults: vec![*fault], lasts: fault.lasts(lasts) };
            faults.iter().map(scenario).collect()
        };
        let settings = Settings {
            asks_validator: outage.is_none(),
            tells_receiver: outage.is_none(),
            quick: outage.is_none() && !long,
            ..Settings::default()
        };
        let scenarios: Box<dyn Iterator<Item = Scenario> + Send> = if let Some(seconds) = outage {
            let down = [Dependency::Database, Dependency::Broker];
            let down = down.map(|dependency| Fault::Server(dependency, Blow::Stop));
            Box::new(alone(Duration::from_secs(seconds.into()), &down).into_iter())
        } else if long {
            let all = alone(Duration::from_secs(10), Fault::ALL).into_iter();
            let all = all.chain(alone(Duration::from_secs(2), STEPS)).chain(pairs());
            Box::new(all.filter(move |scenario| {
                only.as_deref().is_none_or(|name| scenario.to_string().contains(name))
            }))
        } else {
            let steps = STEPS
                .iter()
                .copied()
                .filter(|step| SHORT_STEPS.contains(&step.to_string().as_str()));
            let short: Vec<Fault> = SHORT.iter().copied().chain(steps).collect();
            Box::new(alone(Duration::from_secs(2), &short).into_iter())
        };
        Self {
            scenarios,
            until: minutes.map(|n| Instant::now() + Duration::from_mins(n.into())),
            rate: number("WOODY_FAULTS_RATE").unwrap_or(if long { 100 } else { 50 }),
            settings,
        }
    }
}

/// Returns what an environment variable says, if it says anything.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Every two faults that can happen together, each pair far from its like.
fn pairs() -> impl Iterator<Item = Scenario> + Send {
    let count = Fault::ALL.len();
    let pairs = (1..count).flat_map(move |apart| (0..count).map(move |n| (n, (n + apart) % count)));
    pairs
        .map(|(a, b)| [Fault::ALL[a], Fault::ALL[b]])
        .filter(|[a, b]| go_together(*a, *b))
        .map(|faults| Scenario { faults: faults.to_vec(), lasts: Duration::from_secs(5) })
}

/// One server has one fault at a time, and what only the broker has is not to be
/// wiped: orders accepted while the store is unavailable (`docs/guarantees.md`).
fn go_together(a: Fault, b: Fault) -> bool {
    let kind = std::mem::discriminant::<Fault>;
    let apart = match (a.hits(), b.hits()) {
        (Some(one), Some(other)) => one != other && !a.loses_messages() && !b.loses_messages(),
        _ => kind(&a) != kind(&b),
    };
    // Its workers are killed and started by itself.
    let deadly = [a, b].contains(&Fault::Deadly);
    apart && !deadly && !both_need_an_open_server(a, b)
}

/// Some faults are inflicted by way of a server that another takes away.
fn both_need_an_open_server(a: Fault, b: Fault) -> bool {
    let by_a_server = |fault| {
        let by_broker = matches!(
            fault,
            Fault::Duplicates | Fault::Poison | Fault::MemoryAlarm | Fault::QueueDeleted
        );
        by_broker || matches!(fault, Fault::LockedTable | Fault::MissingTable)
    };
    let takes = |fault| matches!(fault, Fault::Server(..));
    (by_a_server(a) && takes(b)) || (by_a_server(b) && takes(a))
}

impl std::fmt::Display for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(" + "))
    }
}

/// Does what the scenario says to a shop under load, and sees what comes of it.
async fn suffer(
    world: &World,
    events: &Events,
    tag: &str,
    plan: &Plan,
    scenario: &Scenario,
) -> Row {
    let (database, rate, receiver) = (&world.shop.database, plan.rate, &world.shop.receiver);
    let (published_again, told_again) = (world.shop.published_again(), receiver.heard_again());
    let load = Load::start(&world.shop, tag, rate);
    load.goes_on(usize::try_from(rate).unwrap()).await;
    let began = Instant::now();
    for fault in &scenario.faults {
        fault.inflict(world, load.ledger()).await;
    }
    let told = if let [fault] = *scenario.faults {
        first_sentence::watch(&world.shop, fault, scenario.lasts).await
    } else {
        sleep(scenario.lasts).await;
        Told::default()
    };
    for fault in &scenario.faults {
        fault.heal(world).await;
    }
    let healed = Instant::now();
    let recovery = settled(database, &load.ledger().promised(), ENDS_WITHIN).await;
    world.shop.until_ready().await;
    let ledger = load.end().await;
    let all = settled(database, &ledger.promised(), ENDS_WITHIN).await;
    // What a process stored when it died is another's once its lease is over.
    none_is_open(database, world.shop.orders, &ledger, ENDS_WITHIN).await;
    let mut findings = compare(database, world.shop.orders, &ledger).await;
    let mut broken = ledger.broken();
    let (_, twice) = events.count(ledger.promised());
    findings.doubled += twice.len();
    broken.extend(twice.iter().map(|id| format!("order {id} ended {:?}", events.of(*id))));
    if plan.settings.tells_receiver {
        broken.extend(until_all_are_told(&world.shop, &ledger, ENDS_WITHIN).await);
    }
    broken.extend(world.shop.audit(&ledger.promised()).await.err());
    if scenario.faults == [Fault::Deadly] && findings.failed > 0 {
        broken.push(format!("{} failed with those that kill their workers", findings.failed));
    }
    let dependencies = scenario.faults.iter().filter(|fault| fault.hits().is_some()).count();
    Row {
        fault: scenario.to_string(),
        accepted: ledger.promised().len(),
        refused: ledger.refused(),
        refused_late: ledger.refused_after(began + Duration::from_secs(1)),
        longest_refusal: ledger.longest_refusal(),
        silent: ledger.silent(),
        p99: ledger.p99(began + Duration::from_secs(1), healed),
        findings,
        recovery: recovery.and(all).and(recovery),
        broken,
        may_refuse: dependencies > 1,
        published_again: world.shop.published_again() - published_again,
        told_again: receiver.heard_again() - told_again,
        told,
        may_publish_again: scenario.faults.iter().any(|fault| fault.loses_messages()),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn no_fault_loses_or_doubles_an_order() {
    let _turn = crate::turn().await;
    let orders = variable("WOODY_FAULTS_ORDERS").unwrap_or_else(|| Orders::default().to_string());
    carry_out(Plan::from_environment(), &Orders::named(&orders)).await;
}

/// A few faults with orders of another type than the shop's, beside every test run.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_few_faults_neither_lose_nor_double_a_nested_order() {
    let _turn = crate::turn().await;
    let faults = [
        Fault::Kill(Who::Everybody),
        Fault::Duplicates,
        Fault::Server(Dependency::Database, Blow::Kill),
    ];
    let lasts = Duration::from_secs(2);
    let scenarios = faults.into_iter().map(move |fault| Scenario { faults: vec![fault], lasts });
    let plan = Plan { scenarios: Box::new(scenarios), ..Plan::from_environment() };
    carry_out(plan, &[Orders::Nested]).await;
}

/// Carries the plan out, one scenario with orders of one type, the next with those of the next.
async fn carry_out(mut plan: Plan, orders: &[Orders]) {
    let mut worlds = Vec::new();
    for &orders in orders {
        let world = World::open(&Settings { orders, ..plan.settings.clone() }).await;
        let events = Events::listen(&world.shop.broker).await;
        worlds.push((world, events));
    }
    let (began, mut rows) = (Instant::now(), Vec::new());
    while let Some(scenario) = plan.scenarios.next() {
        let (world, events) = &worlds[rows.len() % worlds.len()];
        let of = world.shop.orders;
        say(&format!("[{:4} s] {of}: {scenario}", began.elapsed().as_secs()));
        let tag = format!("toy{}", rows.len());
        let mut row = suffer(world, events, &tag, &plan, &scenario).await;
        if worlds.len() > 1 {
            row.fault = format!("{of}: {}", row.fault);
        }
        if let Some(complaint) = row.complaint() {
            say(&complaint);
        }
        rows.push(row);
        if plan.until.is_some_and(|until| Instant::now() > until) {
            break;
        }
    }
    let seconds = began.elapsed().as_secs();
    assert!(!rows.is_empty(), "no fault has a name that contains WOODY_FAULTS_ONLY");
    let names: Vec<String> = orders.iter().map(ToString::to_string).collect();
    table::print(&format!("{}: {} orders/s, {seconds} s", names.join(" and "), plan.rate), &rows);
    let complaints: Vec<String> = rows.iter().filter_map(Row::complaint).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
