//! What was promised to whom, what is excused, and what must hold.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::mpsc, time::Instant};
use woody_core::{
    domain::{NoticeId, OrderId, OrderStatus, Outcome},
    ports::StatusChange,
    services::Kept,
};

use crate::{
    order::name_of,
    world::{Dep, Inner},
};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// G1: every promised order has a final state in the end.
    AcceptedIsKept,
    /// G1: a pending order has an outbox entry or a message, at every moment.
    Covered,
    /// G1: no message leaves the queue before the store has its order.
    AckAfterSave,
    /// G1: no more orders are published again than have lost their messages.
    OnlyTheLostArePublishedAgain,
    /// G2: the first final state stays; nothing that is read goes back.
    OneFinalState,
    /// G2: an order that a client was told is cancelled is cancelled in the end.
    CancelledStaysCancelled,
    /// G1: an order whose id a client holds is known to every reader.
    GivenIsKnown,
    /// G2: no client sees a state that is not saved.
    SavedBeforeAnnounced,
    /// G3: while one dependency is there, orders are taken.
    TakenWhileOneIsUp,
    /// G4: poison, and what was given up, can be found among the dead letters.
    DeadLettersAreKept,
    /// G5: a key is one order.
    OneOrderPerKey,
    /// G8: every end that was saved with somebody subscribed is told.
    EveryEndIsTold,
    /// G8: nobody is told of a state that is not saved.
    SavedBeforeTold,
    /// In the end the queue and the outbox are empty, nothing is pending, and nobody is to be told.
    NothingIsLeft,
}

impl Invariant {
    /// Whether it is about something that no client can see.
    pub fn is_inside(self) -> bool {
        matches!(self, Self::Covered | Self::AckAfterSave | Self::OnlyTheLostArePublishedAgain)
    }
}

#[derive(Debug, Clone)]
pub struct Broken {
    pub invariant: Invariant,
    pub detail: String,
}

#[derive(Default)]
pub struct Ledger {
    promises: Vec<Promise>,
    /// Their clients were told that they are cancelled.
    pub cancelled: HashSet<OrderId>,
    /// Only in the broker when it was wiped, and not seen since.
    pub lost_in_broker: HashSet<OrderId>,
    /// Their messages or dead letters were wiped.
    pub letter_lost: HashSet<OrderId>,
    pub poison: Vec<Bytes>,
    pub poison_lost: HashSet<Bytes>,
    pub redriven: HashSet<OrderId>,
    pub subscribers: Vec<mpsc::UnboundedSender<StatusChange>>,
    /// When the end of an order was announced first.
    pub announced: BTreeMap<OrderId, Instant>,
    /// What somebody is to be told.
    pub owed: Vec<NoticeId>,
    /// What somebody was told.
    pub told: HashSet<NoticeId>,
    pub verdicts: u64,
    /// Each status that a client was shown, by order.
    shown: BTreeMap<(u32, OrderId), OrderStatus>,
    troubles: BTreeMap<(u32, Dep), Trouble>,
}

pub struct Promise {
    pub id: OrderId,
    pub kept: Kept,
    pub name: String,
    pub key: Option<u32>,
}

/// What the intake of one process has lived through with one dependency.
#[derive(Default)]
pub struct Trouble {
    ongoing: u32,
    last: Option<Instant>,
    /// When an order has gone through since.
    recovered: Option<Instant>,
}

impl Trouble {
    pub fn begin(&mut self) {
        self.ongoing += 1;
        self.recovered = None;
    }

    pub fn end(&mut self) {
        self.ongoing -= 1;
        self.recovered = None;
        self.last = Some(Instant::now());
    }

    /// Whether an order that began at `began` may have been refused: a breaker may
    /// be open, or know no better, until an order has gone through.
    fn excuses(&self, began: Instant) -> bool {
        const QUEUED: Duration = Duration::from_millis(700);
        let Some(last) = self.last else { return self.ongoing > 0 };
        let knew_better = self.recovered.is_some_and(|recovered| recovered < began);
        self.ongoing > 0 || !knew_better || last + QUEUED >= began
    }
}

impl Ledger {
    pub fn trouble(&mut self, process: u32, dep: Dep) -> &mut Trouble {
        self.troubles.entry((process, dep)).or_default()
    }

    /// An order that began at `began` has gone through `dep`.
    pub fn went_through(&mut self, process: u32, dep: Dep, began: Instant) {
        let trouble = self.trouble(process, dep);
        if trouble.ongoing == 0 && trouble.last.is_none_or(|last| last < began) {
            trouble.recovered.get_or_insert_with(Instant::now);
        }
    }

    pub fn refusal_is_excused(&mut self, process: u32, began: Instant) -> bool {
        [Dep::Store, Dep::Broker].into_iter().all(|dep| self.trouble(process, dep).excuses(began))
    }

    /// An order is in the store, or has a message: what was lost before is made good.
    pub fn turns_up(&mut self, id: OrderId) {
        self.lost_in_broker.remove(&id);
    }

    pub fn name_of(&self, id: OrderId) -> String {
        let promise = self.promises.iter().find(|promise| promise.id == id);
        promise.map_or_else(|| id.to_string(), |promise| promise.name.clone())
    }

    pub fn promised(&self) -> impl Iterator<Item = OrderId> {
        self.promises.iter().map(|promise| promise.id)
    }
}

impl Inner {
    pub fn promise(&mut self, promise: Promise) {
        let other = self.ledger.promises.iter().find(|other| {
            promise.key.is_some() && other.key == promise.key && other.id != promise.id
        });
        if let Some(other) = other {
            let names = format!("{} and {}", other.name, promise.name);
            self.broken(Invariant::OneOrderPerKey, || names);
        }
        self.ledger.promises.push(promise);
    }

    /// What client `who` is shown of an order by a service.
    pub fn show(&mut self, who: u32, service: u32, id: OrderId, status: &OrderStatus) {
        self.count("reads");
        if self.cannot_know_better(service, id, status) {
            return;
        }
        if let Some(before) = self.ledger.shown.insert((who, id), status.clone())
            && rank(&before) >= rank(status)
            && before != *status
        {
            self.broken(Invariant::OneFinalState, || {
                format!("a client read {before:?}, then {status:?}")
            });
        }
    }

    /// Whether a service calls an order pending because it alone cannot reach the store, or could
    /// not and has not noticed yet that it can, and it is not announced yet that the order has
    /// ended.
    fn cannot_know_better(&mut self, service: u32, id: OrderId, status: &OrderStatus) -> bool {
        let announced = self.ledger.announced.get(&id).copied();
        let excused = !status.is_final()
            && self.unaware.contains(&service)
            && announced.is_none_or(|announced| announced == Instant::now());
        let has_ended = self.store.row(id).is_some_and(|row| row.status.is_final());
        if excused && has_ended {
            self.count("ends that a service cut off alone has not heard of");
        }
        excused
    }

    pub fn is_quiet(&self) -> bool {
        self.under_way == 0
            && self.store.pending() == 0
            && self.store.outbox.is_empty()
            && self.store.notices.is_empty()
            && self.broker.is_empty()
    }

    /// What must hold in the end.
    pub fn check_end(&mut self) {
        for promise in std::mem::take(&mut self.ledger.promises) {
            let Promise { id, kept, name, .. } = promise;
            let status = self.store.row(id).map(|row| row.status.clone());
            let excused = kept == Kept::InBroker && self.ledger.lost_in_broker.contains(&id);
            if excused {
                self.count("orders excused by a wipe");
            } else if !status.as_ref().is_some_and(OrderStatus::is_final) {
                self.broken(Invariant::AcceptedIsKept, || {
                    format!("{name} was promised {kept:?} and is {status:?}")
                });
            }
        }
        self.check_told();
        if !self.is_quiet() {
            let (pending, outbox) = (self.store.pending(), self.store.outbox.len());
            let (left, notices) = (self.broker.left(), self.store.notices.left());
            self.broken(Invariant::NothingIsLeft, || {
                format!(
                    "{pending} pending, {outbox} outbox entries, messages {left:?}, {notices} notices"
                )
            });
        }
        if let Some(row) = self.store.rows.iter().find(|row| {
            row.status.as_str() != "cancelled" && self.ledger.cancelled.contains(&row.order.id)
        }) {
            let (name, status) = (name_of(&row.order), row.status.clone());
            self.broken(Invariant::CancelledStaysCancelled, || {
                format!("{name} was cancelled and is {status:?}")
            });
        }
        if let Some(name) = self.failed_without_letter() {
            self.broken(Invariant::DeadLettersAreKept, || {
                format!("{name} has failed and is no dead letter")
            });
        }
        for body in std::mem::take(&mut self.ledger.poison) {
            let is_dead = self.broker.dead.values().any(|(message, reason)| {
                message.body == body && reason.as_str().contains("malformed")
            });
            if !is_dead && !self.ledger.poison_lost.contains(&body) {
                self.broken(Invariant::DeadLettersAreKept, || format!("{body:?} is not dead"));
            }
        }
    }
}

fn rank(status: &OrderStatus) -> u8 {
    match status {
        OrderStatus::Pending => 0,
        OrderStatus::Ended(Outcome::Failed(_)) => 1,
        OrderStatus::Ended(_) => 2,
    }
}
