//! What goes wrong in a schedule besides single calls, and when.

use std::time::Duration;

use crate::world::{Dep, Inner, Link};

#[derive(Debug, Clone, Copy)]
pub enum Event {
    Link(Dep, Link),
    KillService(usize),
    StartService(usize),
    DrainService(usize),
    KillWorker(usize),
    StartWorker(usize),
    DrainWorker(usize),
    CutWorker(usize),
    /// Whether a service alone cannot reach the store.
    CutOff(usize, bool),
    KillAll,
    StartAll,
    /// Whether the queue has no leader.
    Leaderless(bool),
    /// Whether what validations depend on is unavailable.
    ValidatorAway(bool),
    Wipe,
    Double,
    Redrive,
}

/// The events of a schedule, in their order.
pub fn events(inner: &mut Inner) -> Vec<(Duration, Event)> {
    let mut events = Vec::new();
    for dep in [Dep::Store, Dep::Broker] {
        for link in [Link::Down, Link::Silent] {
            for (at, _) in some(inner) {
                let lasts = inner.ms(50, 4_000);
                inner.count(match (dep, link) {
                    (Dep::Store, Link::Down) => "store down",
                    (Dep::Store, _) => "store silent",
                    (Dep::Broker, Link::Down) => "broker down",
                    (Dep::Broker, _) => "broker silent",
                });
                events.push((at, Event::Link(dep, link)));
                events.push((at + lasts, Event::Link(dep, Link::Up)));
            }
        }
    }
    for (at, slot) in some(inner) {
        events.push((at, Event::KillService(slot)));
        events.push((at + inner.ms(0, 2_000), Event::StartService(slot)));
    }
    for (at, slot) in some(inner) {
        events.push((at, Event::KillWorker(slot)));
        events.push((at + inner.ms(0, 2_000), Event::StartWorker(slot)));
    }
    for (at, slot) in some(inner) {
        // The new process starts while the old one ends.
        events.push((at, Event::DrainService(slot)));
        events.push((at, Event::StartService(slot)));
    }
    for (at, slot) in some(inner) {
        events.push((at, Event::DrainWorker(slot)));
        events.push((at + inner.ms(0, 1_000), Event::StartWorker(slot)));
    }
    for (at, _) in some(inner).into_iter().take(1) {
        events.push((at, Event::KillAll));
        events.push((at + inner.ms(0, 2_000), Event::StartAll));
    }
    events.extend(some(inner).into_iter().map(|(at, slot)| (at, Event::CutWorker(slot))));
    events.extend(some(inner).into_iter().map(|(at, _)| (at, Event::Double)));
    events.extend(some(inner).into_iter().map(|(at, _)| (at, Event::Redrive)));
    for (at, _) in some(inner) {
        events.push((at, Event::Leaderless(true)));
        events.push((at + inner.ms(100, 6_000), Event::Leaderless(false)));
    }
    for (at, _) in some(inner) {
        events.push((at, Event::ValidatorAway(true)));
        events.push((at + inner.ms(100, 6_000), Event::ValidatorAway(false)));
    }
    for (at, slot) in some(inner) {
        events.push((at, Event::CutOff(slot, true)));
        events.push((at + inner.ms(50, 8_000), Event::CutOff(slot, false)));
    }
    for (at, slot) in some(inner) {
        // At a bad moment: the broker is gone, or no worker empties the queue.
        let before = at.saturating_sub(inner.ms(0, 1_000));
        let after = at + inner.ms(0, 1_000);
        match inner.rng.u8(..3) {
            0 => {
                events.push((before, Event::Link(Dep::Broker, Link::Down)));
                events.push((after, Event::Link(Dep::Broker, Link::Up)));
            }
            1 => {
                for slot in [slot, slot + 1] {
                    events.push((before, Event::KillWorker(slot)));
                    events.push((after, Event::StartWorker(slot)));
                }
            }
            _ => {}
        }
        events.push((at, Event::Wipe));
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

/// No, one or two moments of a schedule, each with a process that it may hit.
fn some(inner: &mut Inner) -> Vec<(Duration, usize)> {
    let count = [0, 0, 0, 1, 2][inner.rng.usize(..5)];
    let span = inner.mood.span.as_millis().try_into().unwrap_or(u64::MAX);
    (0..count).map(|_| (inner.ms(0, span), inner.rng.usize(..2))).collect()
}
