//! Notices of orders that have ended: what the store keeps of them, and who is told.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use woody_core::{
    domain::{NoticeId, OrderId, Outcome, StatusName, SubscriptionName, now},
    ports::{
        Attempt, KeptNotice, Notice, NoticeCounts, NoticeStore, Notifier, NotifyError, OrderNotice,
        StoreError,
    },
};

use crate::{
    call::{Wire, usual},
    ledger::Invariant,
    order::{TownOrder, name_of},
    sabotage::Sabotage,
    store_port::{SimStore, unavailable},
    world::{Dep, Inner},
};

/// What a row's end is called; ids of orders differ from run to run.
type Key = (usize, StatusName);

#[derive(Default, Clone)]
pub struct Notices {
    pub is_subscribed: bool,
    all: BTreeMap<Key, Kept>,
}

#[derive(Clone)]
struct Kept {
    notice: Notice,
    /// When it is due; none when it is dead.
    due: Option<Instant>,
}

impl Notices {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn left(&self) -> usize {
        self.all.len()
    }
}

pub fn subscription() -> SubscriptionName {
    SubscriptionName::parse("post").unwrap()
}

impl Inner {
    fn subscribe(&mut self) {
        if !std::mem::replace(&mut self.store.notices.is_subscribed, true) {
            self.count("subscriptions");
            self.say(|| "store: subscribed".to_owned());
        }
    }

    /// A row has just ended like this: who has subscribed is owed it from now on.
    pub fn owe_notice(&mut self, at: usize, outcome: &Outcome) {
        if !self.store.notices.is_subscribed {
            return;
        }
        let id = NoticeId::of(self.store.rows[at].order.id, outcome);
        self.ledger.owed.push(id);
        if !self.is_sabotaged(Sabotage::NoticeAfterTheState) {
            self.write_notice(at, outcome);
        }
    }

    fn write_notice(&mut self, at: usize, outcome: &Outcome) {
        let id = NoticeId::of(self.store.rows[at].order.id, outcome);
        let notice =
            Notice { id, outcome: outcome.clone(), ended_at: now(), attempt: 0, problem: None };
        let kept = Kept { notice, due: Some(Instant::now()) };
        self.store.notices.all.insert((at, id.ended()), kept);
    }

    /// Writes the notices of decisions that were saved before: not with them.
    pub fn notice_late(&mut self, ended: &[(OrderId, Outcome)]) {
        for (id, outcome) in ended {
            if let Some(at) = self.store.at(*id)
                && self.store.notices.is_subscribed
            {
                self.write_notice(at, outcome);
            }
        }
    }

    fn key_of(&self, id: NoticeId) -> Option<Key> {
        Some((self.store.at(id.order())?, id.ended()))
    }

    fn claim_notices(&mut self, limit: usize, lease: Duration) -> Vec<Notice> {
        let now = Instant::now();
        let mut due: Vec<_> = self
            .store
            .notices
            .all
            .iter()
            .filter_map(|(key, kept)| kept.due.filter(|due| *due <= now).map(|due| (due, *key)))
            .collect();
        due.sort_unstable();
        due.truncate(limit);
        let mut claimed = Vec::new();
        for (_, key) in due {
            let Some(kept) = self.store.notices.all.get_mut(&key) else { continue };
            kept.due = Some(now + lease);
            kept.notice.attempt += 1;
            claimed.push(kept.notice.clone());
            if self.is_sabotaged(Sabotage::NoticeGoneWithItsClaim) {
                self.store.notices.all.remove(&key);
            }
        }
        if !claimed.is_empty() {
            self.coverage.count("notices claimed", claimed.len() as u64);
            self.say(|| format!("store: claim of {} notices", claimed.len()));
        }
        claimed
    }

    fn settle_notices(&mut self, attempts: &[(NoticeId, Attempt)]) {
        for (id, attempt) in attempts {
            let Some(key) = self.key_of(*id) else { continue };
            let name = name_of(&self.store.rows[key.0].order);
            self.say(|| format!("store: notice {name} {:?}: {attempt:?}", key.1));
            let Some(kept) = self.store.notices.all.get_mut(&key) else { continue };
            let is_dead = kept.due.is_none();
            match attempt {
                Attempt::Delivered => {
                    self.store.notices.all.remove(&key);
                }
                _ if is_dead => {}
                Attempt::Postponed { by, .. } => {
                    kept.due = Some(Instant::now() + *by);
                    self.count("notices postponed");
                }
                Attempt::GivenUp(_) => {
                    kept.due = None;
                    self.count("notices given up");
                }
                Attempt::Released => {
                    kept.due = Some(Instant::now());
                    kept.notice.attempt -= 1;
                    self.count("notices released");
                }
            }
        }
    }

    /// An operator has all dead notices told again.
    pub fn redrive_notices(&mut self) {
        let dead = self.store.notices.all.values_mut().filter(|kept| kept.due.is_none());
        let mut redriven = 0;
        for kept in dead {
            kept.due = Some(Instant::now());
            kept.notice.attempt = 0;
            redriven += 1;
        }
        self.coverage.count("notices redriven", redriven);
    }

    /// Somebody outside hears of the end of an order.
    fn hears(&mut self, notice: &OrderNotice<TownOrder>) {
        let id = notice.id;
        let Some(row) = self.store.row(id.order()) else {
            return self.broken(Invariant::SavedBeforeTold, || "an order that is not there".into());
        };
        let (name, saved) = (name_of(&row.order), row.history.contains(&notice.order.status));
        let status = notice.order.status.clone();
        self.say(|| format!("told of {name}: {status:?}"));
        if !saved {
            self.broken(Invariant::SavedBeforeTold, || format!("{name} never was {status:?}"));
        }
        let is_first = self.ledger.told.insert(id);
        self.count(if is_first { "ends told" } else { "ends told again" });
    }

    /// Every end that was saved with somebody subscribed is told in the end.
    pub fn check_told(&mut self) {
        let untold = self.ledger.owed.iter().find(|id| !self.ledger.told.contains(id)).copied();
        if let Some(id) = untold {
            let row = self.store.row(id.order());
            let name = row.map_or_else(String::new, |row| name_of(&row.order));
            self.broken(Invariant::EveryEndIsTold, || {
                format!("nobody was told that {name} is {}", id.ended())
            });
        }
    }
}

#[async_trait]
impl NoticeStore for SimStore {
    async fn subscribe(&self, _: &SubscriptionName) -> Result<(), StoreError> {
        let subscribe = |inner: &mut Inner, _| inner.subscribe();
        self.0.call(Dep::Store, "subscribe", subscribe).await.map_err(unavailable)
    }

    async fn unsubscribe(&self, _: &SubscriptionName) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn claim(
        &self,
        _: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, StoreError> {
        let claim = move |inner: &mut Inner, _| inner.claim_notices(limit, lease);
        self.0.call(Dep::Store, "claim notices", claim).await.map_err(unavailable)
    }

    async fn settle(
        &self,
        _: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), StoreError> {
        let attempts = attempts.to_vec();
        let settle = move |inner: &mut Inner, _| inner.settle_notices(&attempts);
        self.0.call(Dep::Store, "settle notices", settle).await.map_err(unavailable)
    }

    async fn dead(
        &self,
        _: &SubscriptionName,
        _: Option<NoticeId>,
        _: usize,
    ) -> Result<Vec<Notice>, StoreError> {
        Ok(vec![])
    }

    async fn redrive(&self, _: &SubscriptionName, _: &[NoticeId]) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// Nobody asks for a story here.
    async fn of_order(
        &self,
        _: OrderId,
    ) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError> {
        Ok(vec![])
    }

    async fn subscriptions(&self, _: u64) -> Result<Vec<NoticeCounts>, StoreError> {
        Ok(vec![])
    }
}

impl SimStore {
    /// Writes notices by a call of their own, where the safeguard is taken out that they are
    /// written with what they tell of.
    pub async fn tell_afterwards(&self, ended: Vec<(OrderId, Outcome)>) {
        let is_sabotaged =
            self.0.world.with(|inner| inner.is_sabotaged(Sabotage::NoticeAfterTheState));
        if is_sabotaged {
            let tell = move |inner: &mut Inner, _| inner.notice_late(&ended);
            let _ = self.0.call(Dep::Store, "notice", tell).await;
        }
    }
}

/// A process's way to who is told.
pub struct SimNotifier(pub Wire);

#[derive(Debug, Clone, Copy)]
enum Fate {
    Heard,
    /// It was heard, and whoever told it does not know.
    AnswerLost,
    NotHeard,
    Hangs,
    Panics,
    Refused,
    Busy,
}

#[async_trait]
impl Notifier<TownOrder> for SimNotifier {
    async fn notify(&self, notice: &OrderNotice<TownOrder>) -> Result<(), NotifyError> {
        let Wire { world, life } = &self.0;
        let (there, fate, back) = world.with(|inner| (usual(inner), fate(inner), usual(inner)));
        sleep(there).await;
        life.or_stop().await;
        if matches!(fate, Fate::Heard | Fate::AnswerLost) {
            world.with(|inner| inner.hears(notice));
        }
        sleep(back).await;
        life.or_stop().await;
        match fate {
            Fate::Heard => Ok(()),
            Fate::AnswerLost | Fate::NotHeard => Err(NotifyError::Later("no answer".into())),
            Fate::Hangs => std::future::pending().await,
            // Unlike `panic!`, this prints nothing.
            Fate::Panics => std::panic::resume_unwind(Box::new("torn")),
            Fate::Refused => Err(NotifyError::Never("refused".into())),
            Fate::Busy => {
                let after = world.with(|inner| inner.ms(0, 2_000));
                Err(NotifyError::After { problem: "busy".into(), after })
            }
        }
    }
}

fn fate(inner: &mut Inner) -> Fate {
    if !inner.per_mille(inner.mood.receiver_faults) {
        return Fate::Heard;
    }
    let (fate, what) = match inner.rng.u8(..7) {
        0 | 1 => (Fate::AnswerLost, "tellings whose answer is lost"),
        2 => (Fate::NotHeard, "tellings that are not heard"),
        3 => (Fate::Hangs, "tellings that hang"),
        4 => (Fate::Panics, "tellings that panic"),
        5 => (Fate::Refused, "tellings that are refused"),
        _ => (Fate::Busy, "tellings that are put off"),
    };
    inner.count(what);
    fate
}
