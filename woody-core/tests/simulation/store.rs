//! The store's durable state: what a database holds, one transaction per call.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use time::OffsetDateTime;
use tokio::time::Instant;
use woody_core::{
    domain::{Details, NewOrder, Order, OrderId, OrderStatus, Outcome, Reason, now},
    ports::{
        Backlog, Begun, Decision, Insert, OrderCounts, OrderPage, OrderQuery, Transition, Watermark,
    },
};

use crate::{
    ledger::Invariant, notices::Notices, order::name_of, sabotage::Sabotage, world::Inner,
};

#[derive(Default, Clone)]
pub struct StoreState {
    /// In the order in which they came.
    pub rows: Vec<Row>,
    by_id: HashMap<OrderId, usize>,
    /// Until when each row's entry is leased.
    pub outbox: BTreeMap<usize, Instant>,
    /// When each row was last known to be in a worker's hands.
    held: HashMap<usize, Instant>,
    /// What times are told from.
    born: Option<Instant>,
    /// What has reached the disk of a store that lies about it.
    on_disk: Option<(Instant, Box<StoreState>)>,
    /// Validations that have begun and not ended, and when the last one did.
    begun: HashMap<OrderId, (u32, Instant)>,
    pub notices: Notices,
}

#[derive(Clone)]
pub struct Row {
    pub order: NewOrder<Details>,
    pub status: OrderStatus,
    pub since: Instant,
    /// Each status that it has had.
    pub history: Vec<OrderStatus>,
    /// Whether the broker was wiped while it was pending.
    pub wiped: bool,
}

impl StoreState {
    pub fn row(&self, id: OrderId) -> Option<&Row> {
        self.by_id.get(&id).map(|at| &self.rows[*at])
    }

    pub fn at(&self, id: OrderId) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    fn add(&mut self, order: &NewOrder<Details>) -> usize {
        let at = self.rows.len();
        self.by_id.insert(order.id, at);
        self.rows.push(Row {
            order: order.clone(),
            status: OrderStatus::Pending,
            since: Instant::now(),
            history: vec![OrderStatus::Pending],
            wiped: false,
        });
        at
    }

    pub fn order(&self, id: OrderId) -> Option<Order<Details>> {
        self.row(id).map(as_order)
    }

    pub fn begun(&self, id: OrderId) -> Begun {
        let begun = self.begun.get(&id).filter(|(times, _)| *times > 0);
        begun.map_or_else(Begun::default, |(times, last)| Begun {
            times: *times,
            last_ago: last.elapsed(),
        })
    }

    pub fn end(&mut self, id: OrderId) {
        if let Some((times, _)) = self.begun.get_mut(&id) {
            *times = times.saturating_sub(1);
        }
    }

    pub fn pending(&self) -> usize {
        self.rows.iter().filter(|row| !row.status.is_final()).count()
    }

    pub fn new() -> Self {
        Self { born: Some(Instant::now()), ..Self::default() }
    }

    /// A time as others are told it.
    fn told(&self, at: Instant) -> OffsetDateTime {
        let born = self.born.unwrap_or(at);
        let epoch = OffsetDateTime::UNIX_EPOCH;
        epoch + at.saturating_duration_since(born) - born.saturating_duration_since(at)
    }

    pub fn watermark(&self, age: Duration) -> Watermark {
        let now = self.told(Instant::now());
        let oldest = self.outbox.keys().map(|at| self.told(self.rows[*at].since)).min();
        let accepted_before = oldest.map_or(now - age, |oldest| oldest.min(now - age));
        Watermark { accepted_before, unmarked_since: now }
    }

    /// The rows that were published before `watermark`, are pending, and were not
    /// marked since.
    pub fn unaccounted(&self, watermark: &Watermark) -> Vec<usize> {
        let since = watermark.unmarked_since;
        let is_marked =
            |at: &usize| self.held.get(at).is_some_and(|held| self.told(*held) >= since);
        let rows = self.rows.iter().enumerate().filter(|(_, row)| {
            !row.status.is_final() && self.told(row.since) < watermark.accepted_before
        });
        let rows = rows.map(|(at, _)| at);
        rows.filter(|at| !self.outbox.contains_key(at) && !is_marked(at)).collect()
    }

    /// A mark that lasts longer stays.
    fn mark(&mut self, at: usize, when: Instant) {
        let held = self.held.entry(at).or_insert(when);
        *held = when.max(*held);
    }

    pub fn stuck(&self, pending_for: Duration, limit: usize) -> Vec<Order<Details>> {
        self.rows.iter().filter(|row| row.is_stuck(pending_for)).take(limit).map(as_order).collect()
    }

    pub fn list(&self, query: &OrderQuery) -> OrderPage {
        let orders = self.rows.iter().map(as_order);
        let mut orders: Vec<_> = orders.filter(|order| query.selects(order)).collect();
        orders.sort_by_key(|order| (order.accepted_at, order.id));
        OrderPage::of(orders, query.limit)
    }

    pub fn counts(&self) -> OrderCounts {
        let mut counts = OrderCounts { outbox: self.outbox.len() as u64, ..OrderCounts::default() };
        for row in &self.rows {
            *match row.status {
                OrderStatus::Pending => &mut counts.pending,
                OrderStatus::Ended(Outcome::Success(_)) => &mut counts.success,
                OrderStatus::Ended(Outcome::Rejected(_)) => &mut counts.rejected,
                OrderStatus::Ended(Outcome::Failed(_)) => &mut counts.failed,
                OrderStatus::Ended(Outcome::Cancelled(_)) => &mut counts.cancelled,
            } += 1;
        }
        counts
    }

    pub fn backlog(&self, most: u64) -> Backlog {
        let told = |row: &Row| self.told(row.since);
        let pending = || self.rows.iter().filter(|row| !row.status.is_final());
        Backlog {
            pending: (pending().count() as u64).min(most),
            oldest_pending: pending().map(told).min(),
            unpublished: (self.outbox.len() as u64).min(most),
            oldest_unpublished: self.outbox.keys().map(|at| told(&self.rows[*at])).min(),
        }
    }
}

impl Row {
    fn is_stuck(&self, pending_for: Duration) -> bool {
        !self.status.is_final() && self.since.elapsed() > pending_for
    }
}

fn as_order(row: &Row) -> Order<Details> {
    Order {
        id: row.order.id,
        details: row.order.details.clone(),
        status: row.status.clone(),
        accepted_at: row.order.accepted_at,
        finished_at: row.status.is_final().then(now),
        trace: row.order.trace,
        client: row.order.client.clone(),
    }
}

pub fn names<'a>(orders: impl Iterator<Item = &'a NewOrder<Details>>) -> String {
    orders.map(name_of).collect::<Vec<_>>().join(" ")
}

impl Inner {
    pub fn insert(&mut self, orders: &[NewOrder<Details>], lease: Duration) -> Vec<Insert> {
        self.snapshot();
        let until = Instant::now() + lease;
        let answers: Vec<_> = orders.iter().map(|order| self.insert_one(order, until)).collect();
        self.say(|| format!("store: insert {} -> {answers:?}", names(orders.iter())));
        answers
    }

    fn insert_one(&mut self, order: &NewOrder<Details>, until: Instant) -> Insert {
        match self.store.row(order.id) {
            Some(row) if row.order.asks_the_same_as(order) => Insert::AlreadyPresent,
            Some(row) => Insert::Conflict(row.order.details.clone()),
            None => {
                let at = self.store.add(order);
                self.ledger.turns_up(order.id);
                if !self.is_sabotaged(Sabotage::InsertWithoutOutbox)
                    && !self.is_sabotaged(Sabotage::NoOutboxNorReconciliation)
                {
                    self.store.outbox.insert(at, until);
                }
                self.check_covered(order.id, "it was just inserted");
                Insert::Created
            }
        }
    }

    pub fn begin(&mut self, id: OrderId, redriven: bool) {
        let status = self.store.order(id).map(|order| order.status);
        let counts = match status {
            None | Some(OrderStatus::Pending) => true,
            Some(OrderStatus::Ended(Outcome::Failed(_))) => redriven,
            Some(_) => false,
        };
        if !counts || self.is_sabotaged(Sabotage::DeathsForgotten) {
            return;
        }
        if let Some(at) = self.store.by_id.get(&id).copied() {
            self.store.mark(at, Instant::now() + Watermark::DYING);
        }
        let (times, last) = self.store.begun.entry(id).or_insert((0, Instant::now()));
        (*times, *last) = (*times + 1, Instant::now());
    }

    pub fn finish(&mut self, decisions: &[Decision]) -> Vec<Transition> {
        self.snapshot();
        decisions.iter().map(|decision| self.finish_one(decision)).collect()
    }

    fn finish_one(&mut self, decision: &Decision) -> Transition {
        let id = decision.order.id;
        let at = match self.store.by_id.get(&id) {
            Some(at) => *at,
            None if self.is_sabotaged(Sabotage::UnseenIsNotStored) => return Transition::Applied,
            None => {
                self.ledger.turns_up(id);
                self.store.add(&decision.order)
            }
        };
        self.store.outbox.remove(&at);
        self.store.begun.remove(&id);
        self.end_as(at, decision.outcome.clone(), decision.redriven)
    }

    pub fn cancel(&mut self, id: OrderId, reason: Option<Reason>) -> Option<Transition> {
        self.snapshot();
        let at = *self.store.by_id.get(&id)?;
        if self.is_sabotaged(Sabotage::CancelIsNotStored) {
            return Some(Transition::Applied);
        }
        let transition = self.end_as(at, Outcome::Cancelled(reason), false);
        if transition == Transition::Applied {
            self.store.outbox.remove(&at);
            self.store.begun.remove(&id);
        }
        Some(transition)
    }

    /// Gives an order its final state, if it may have it.
    fn end_as(&mut self, at: usize, outcome: Outcome, redriven: bool) -> Transition {
        let before = self.store.rows[at].status.clone();
        let is_cancel = matches!(outcome, Outcome::Cancelled(_));
        let was_cancelled = matches!(before, OrderStatus::Ended(Outcome::Cancelled(_)));
        let wins = self.is_sabotaged(Sabotage::LastStateWins)
            || self.is_sabotaged(Sabotage::VerdictReplacesCancel) && was_cancelled
            || self.is_sabotaged(Sabotage::CancelReplacesVerdict) && is_cancel && !was_cancelled;
        let settled = if wins && before != OrderStatus::from(outcome.clone()) {
            Ok(outcome.into())
        } else {
            before.clone().settle(outcome, redriven)
        };
        let (id, name) = (self.store.rows[at].order.id, name_of(&self.store.rows[at].order));
        match settled {
            Ok(status) => {
                self.say(|| format!("store: {name} {before:?} -> {status:?}"));
                self.check_step(&before, &status, id, &name);
                let row = &mut self.store.rows[at];
                row.status = status.clone();
                row.history.push(status.clone());
                if let OrderStatus::Ended(outcome) = status {
                    self.owe_notice(at, &outcome);
                }
                Transition::Applied
            }
            Err(superseded) => {
                self.say(|| format!("store: {name} stays {:?}", superseded.clone().into_status()));
                Transition::Superseded(superseded.into_status())
            }
        }
    }

    /// G2: the first final state stays, but for a redriven failure.
    fn check_step(&mut self, before: &OrderStatus, after: &OrderStatus, id: OrderId, name: &str) {
        let redriven = matches!(before, OrderStatus::Ended(Outcome::Failed(_)))
            && after.outcome().is_some_and(Outcome::is_verdict)
            && self.ledger.redriven.contains(&id);
        if before.is_final() && !redriven {
            self.broken(Invariant::OneFinalState, || format!("{name}: {before:?}, then {after:?}"));
        }
    }

    pub fn claim(&mut self, limit: usize, lease: Duration) -> Vec<NewOrder<Details>> {
        let now = Instant::now();
        let all = self.is_sabotaged(Sabotage::LeaseIgnored);
        let StoreState { rows, outbox, .. } = &mut self.store;
        let free = outbox.iter_mut().filter(|(_, until)| all || **until <= now);
        let claimed: Vec<NewOrder<Details>> = free
            .take(limit)
            .map(|(at, until)| {
                *until = now + lease;
                rows[*at].order.clone()
            })
            .collect();
        if !claimed.is_empty() {
            self.say(|| format!("store: claim {}", names(claimed.iter())));
        }
        claimed
    }

    pub fn clear(&mut self, published: &[OrderId]) {
        for id in published {
            let Some(at) = self.store.by_id.get(id).copied() else { continue };
            if self.store.outbox.remove(&at).is_some() {
                let name = name_of(&self.store.rows[at].order);
                self.say(|| format!("store: clear {}", name.as_str()));
                self.check_covered(*id, "its outbox entry was cleared");
            }
        }
    }

    pub fn mark(&mut self, ids: &[OrderId]) {
        if self.is_sabotaged(Sabotage::NothingIsMarked) {
            return;
        }
        let marked = ids.iter().filter_map(|id| self.store.by_id.get(id).copied());
        let marked: Vec<usize> = marked.collect();
        self.coverage.count("orders marked as held", marked.len() as u64);
        for at in marked {
            self.store.mark(at, Instant::now());
        }
    }

    pub fn refill(&mut self, watermark: &Watermark, messages: u64, limit: usize) -> u64 {
        let now = Instant::now();
        let lost = self.lost();
        let mut forgotten = self.store.unaccounted(watermark);
        let messages = usize::try_from(messages).unwrap_or(usize::MAX);
        forgotten.truncate(forgotten.len().saturating_sub(messages).min(limit));
        self.store.outbox.extend(forgotten.iter().map(|at| (*at, now)));
        self.store.held.extend(forgotten.iter().map(|at| (*at, now)));
        if forgotten.len() > lost {
            let refilled = forgotten.len();
            self.broken(Invariant::OnlyTheLostArePublishedAgain, || {
                format!("{refilled} orders are published again, and {lost} have lost their message")
            });
        }
        if !forgotten.is_empty() {
            self.coverage.count("orders put back into the outbox", forgotten.len() as u64);
            self.say(|| format!("store: refill {forgotten:?}"));
        }
        forgotten.len() as u64
    }

    /// How many orders have neither an outbox entry nor a message, as far as a client can
    /// tell: a worker that alone cannot reach the store cannot mark what it holds.
    fn lost(&self) -> usize {
        let StoreState { rows, outbox, .. } = &self.store;
        let pending = rows.iter().enumerate().filter(|(_, row)| !row.status.is_final());
        let bare = pending.filter(|(at, _)| !outbox.contains_key(at));
        bare.filter(|(_, row)| self.broker.hides(row.order.id, &self.cut_off)).count()
    }

    /// A pending order has an outbox entry or a message, at every moment, but
    /// for a broker that was wiped.
    pub fn check_covered(&mut self, id: OrderId, why: &str) {
        let Some(at) = self.store.by_id.get(&id).copied() else { return };
        let row = &self.store.rows[at];
        let bare = !row.status.is_final() && !row.wiped && !self.store.outbox.contains_key(&at);
        if bare && !self.broker.holds(id) {
            let name = name_of(&row.order);
            self.broken(Invariant::Covered, || {
                format!("{} is pending with neither entry nor message: {why}", name.as_str())
            });
        }
    }

    /// A store that lies about its disk loses its last half second in a crash.
    fn snapshot(&mut self) {
        if !self.is_sabotaged(Sabotage::StoreLies) {
            return;
        }
        let fresh = |(at, _): &(Instant, _)| at.elapsed() < Duration::from_millis(500);
        if !self.store.on_disk.as_ref().is_some_and(fresh) {
            self.store.on_disk = None;
            self.store.on_disk = Some((Instant::now(), Box::new(self.store.clone())));
        }
    }

    pub fn store_crashes(&mut self) {
        if let Some((_, on_disk)) = self.store.on_disk.take() {
            self.store = *on_disk;
        }
    }
}
