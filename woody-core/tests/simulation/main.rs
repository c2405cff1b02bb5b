//! The order's whole way as a deterministic simulation (G1 to G5 of
//! `docs/guarantees.md`, in thousands of schedules).
//!
//! # How it works
//! The real services (`Pipeline` with intake, group commit, breakers, relay and
//! tracker; `OrderWorker`) run over a simulated store and broker, on one thread
//! whose clock stands still unless everything waits. One seed decides the rest:
//! how many processes there are and how they are set up ([`mood`]); how long each
//! call takes, whether it is refused, or lost before, after or half way through
//! its effect, or takes effect long after its caller was told that it failed
//! ([`call`]); what else goes wrong and when ([`chaos`]): dependencies that are
//! down, silent or wiped, processes that are killed or drained, cut connections,
//! doubled messages, dead letters that an operator sends again; validators that
//! fail, hang or panic ([`validator`]); clients that repeat an order under its
//! key, to another service, or with another body ([`clients`]), or cancel it, and somebody
//! who cancels other people's ([`cancels`]); somebody who is told of ends, and does not hear,
//! does not answer, or refuses ([`notices`]).
//!
//! A killed process keeps its memory but loses its world: no call of it gets
//! through any more, and none returns. What was on its way when it died may
//! still arrive.
//!
//! The [`ledger`] holds what was promised and the [`Invariant`]s. Some are
//! watched at every moment; the rest is checked when the faults have ended and
//! the system has come to rest, within two minutes of its own time. A wipe of the
//! broker excuses exactly the orders that were promised as kept by the broker
//! alone and that no worker had saved, as the guarantees say.
//!
//! [`safeguards`] takes one safeguard out at a time, to show that this fails then.
//!
//! # How to reproduce
//! A failure prints its seed, the invariant, and the trace. Again, with changes:
//! ```text
//! WOODY_SIM_SEED=757 cargo test -p woody-core --test simulation no_schedule
//! WOODY_SIM_SCHEDULES=1000000 cargo test -p woody-core --test simulation no_schedule
//! ```
//! Ids of orders and times of acceptance differ from run to run; nothing depends
//! on them, and traces call orders by their names.
//!
//! [`Invariant`]: ledger::Invariant
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod broker;
mod broker_port;
mod call;
mod cancels;
mod chaos;
mod clients;
mod consumer;
mod coverage;
mod deliveries;
mod ledger;
mod mood;
mod notices;
mod order;
mod runner;
mod sabotage;
mod safeguards;
mod schedule;
mod store;
mod store_port;
mod town;
mod validator;
mod world;

use ledger::Broken;
use runner::{run_many, tell};
use schedule::run;
use world::Options;

const TRACED: Options = Options { sabotage: None, watch: world::Watch::Everything, trace: true };

#[test]
fn no_schedule_breaks_a_promise() {
    if let Some(seed) = number("WOODY_SIM_SEED") {
        let outcome = run(seed, TRACED);
        tell(&outcome.trace.join("\n"));
        if let Some(Broken { invariant, detail }) = outcome.broken {
            panic!("seed {seed} breaks {invariant:?}: {detail}");
        }
        return;
    }
    let count = number("WOODY_SIM_SCHEDULES").unwrap_or(20_000);
    let report = run_many(0..count, Options::default(), |_| true);
    if let Some((seed, Broken { invariant, detail })) = report.broken.first_key_value() {
        tell(&run(*seed, TRACED).trace.join("\n"));
        panic!(
            "seed {seed} breaks {invariant:?}: {detail}\n\
             again, with its trace:\n    WOODY_SIM_SEED={seed} cargo test -p woody-core \
             --test simulation no_schedule_breaks_a_promise"
        );
    }
    tell(&format!(
        "{} schedules in {:.1} s, nothing broken:\n{}",
        report.schedules,
        report.took.as_secs_f64(),
        report.coverage
    ));
    if count >= 1_000 {
        for what in coverage::MUST_HAPPEN {
            assert!(report.coverage.of(what) > 0, "{what}: never, in {count} schedules");
        }
    }
}

#[test]
fn the_same_seed_is_the_same_schedule() {
    for seed in 0..100 {
        let (one, two) = (run(seed, TRACED), run(seed, TRACED));
        let differ = one.trace.iter().zip(&two.trace).find(|(one, two)| one != two);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(one.coverage, two.coverage, "seed {seed}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}
