//! The notices of a memory store, and who subscribed to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;
use woody_core::domain::{NoticeId, OrderId, Outcome, SubscriptionName};
use woody_core::ports::{Attempt, KeptNotice, Notice, NoticeCounts};

#[derive(Debug, Default)]
pub(super) struct NoticeTable {
    subscriptions: BTreeMap<SubscriptionName, Notices>,
}

/// The notices of one subscription.
#[derive(Debug, Default)]
struct Notices {
    all: BTreeMap<NoticeId, Entry>,
    /// Those that are due at some time, the earliest first.
    due: BTreeSet<(Instant, NoticeId)>,
}

#[derive(Debug)]
struct Entry {
    /// As it is claimed; `attempt` counts those before.
    notice: Notice,
    due: Due,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    At(Instant),
    /// Leased or postponed for longer than time lasts.
    Never,
    Dead,
}

impl Due {
    fn after(pause: Duration) -> Self {
        Instant::now().checked_add(pause).map_or(Self::Never, Self::At)
    }
}

impl Notices {
    fn put(&mut self, id: NoticeId, due: Due) {
        let Some(entry) = self.all.get_mut(&id) else { return };
        if let Due::At(at) = entry.due {
            self.due.remove(&(at, id));
        }
        entry.due = due;
        if let Due::At(at) = due {
            self.due.insert((at, id));
        }
    }

    fn settle(&mut self, id: NoticeId, attempt: &Attempt) {
        let Some(entry) = self.all.get_mut(&id) else { return };
        if entry.due == Due::Dead && *attempt != Attempt::Delivered {
            return;
        }
        match attempt {
            Attempt::Delivered => {
                self.put(id, Due::Dead);
                self.all.remove(&id);
            }
            Attempt::Postponed { by, problem } => {
                entry.notice.problem = Some(problem.clone());
                self.put(id, Due::after(*by));
            }
            Attempt::GivenUp(problem) => {
                entry.notice.problem = Some(problem.clone());
                self.put(id, Due::Dead);
            }
            Attempt::Released => {
                entry.notice.attempt = entry.notice.attempt.saturating_sub(1);
                self.put(id, Due::after(Duration::ZERO));
            }
        }
    }
}

impl NoticeTable {
    /// Whether any subscription has this notice, dead or not.
    pub(super) fn has(&self, id: &NoticeId) -> bool {
        self.subscriptions.values().any(|notices| notices.all.contains_key(id))
    }

    /// Writes a notice for each subscription: the order ends like this.
    pub(super) fn ended(&mut self, order: OrderId, outcome: &Outcome, ended_at: OffsetDateTime) {
        let id = NoticeId::of(order, outcome);
        for notices in self.subscriptions.values_mut() {
            let notice =
                Notice { id, outcome: outcome.clone(), ended_at, attempt: 0, problem: None };
            notices.all.insert(id, Entry { notice, due: Due::Never });
            notices.put(id, Due::after(Duration::ZERO));
        }
    }

    pub(super) fn subscribe(&mut self, name: &SubscriptionName) {
        self.subscriptions.entry(name.clone()).or_default();
    }

    pub(super) fn unsubscribe(&mut self, name: &SubscriptionName) -> u64 {
        self.subscriptions.remove(name).map_or(0, |notices| notices.all.len() as u64)
    }

    pub(super) fn claim(
        &mut self,
        name: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Vec<Notice> {
        let Some(notices) = self.subscriptions.get_mut(name) else { return vec![] };
        let now = Instant::now();
        let due = notices.due.iter().take_while(|(at, _)| *at <= now).take(limit);
        let ids: Vec<_> = due.map(|(_, id)| *id).collect();
        let mut claim = |id| {
            notices.put(id, Due::after(lease));
            let notice = &mut notices.all.get_mut(&id)?.notice;
            notice.attempt = notice.attempt.saturating_add(1);
            Some(notice.clone())
        };
        ids.into_iter().filter_map(&mut claim).collect()
    }

    pub(super) fn settle(&mut self, name: &SubscriptionName, attempts: &[(NoticeId, Attempt)]) {
        let Some(notices) = self.subscriptions.get_mut(name) else { return };
        for (id, attempt) in attempts {
            notices.settle(*id, attempt);
        }
    }

    pub(super) fn dead(
        &self,
        name: &SubscriptionName,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Vec<Notice> {
        let Some(notices) = self.subscriptions.get(name) else { return vec![] };
        let dead = notices.all.values().filter(|entry| entry.due == Due::Dead);
        let dead = dead.map(|entry| &entry.notice);
        dead.filter(|notice| after.is_none_or(|after| notice.id > after))
            .take(limit)
            .cloned()
            .collect()
    }

    pub(super) fn redrive(&mut self, name: &SubscriptionName, ids: &[NoticeId]) -> u64 {
        let Some(notices) = self.subscriptions.get_mut(name) else { return 0 };
        let mut redriven = 0;
        for id in ids {
            let Some(entry) = notices.all.get_mut(id).filter(|entry| entry.due == Due::Dead) else {
                continue;
            };
            entry.notice.attempt = 0;
            notices.put(*id, Due::after(Duration::ZERO));
            redriven += 1;
        }
        redriven
    }

    pub(super) fn of_order(&self, order: OrderId) -> Vec<(SubscriptionName, Vec<KeptNotice>)> {
        let kept = |entry: &Entry| KeptNotice {
            notice: entry.notice.clone(),
            is_dead: entry.due == Due::Dead,
        };
        let of_one = |(name, notices): (&SubscriptionName, &Notices)| {
            // The first that an order can have: they are sorted by order and state.
            let first = NoticeId::of(order, &Outcome::Cancelled(None));
            let its = notices.all.range(first..).take_while(|(id, _)| id.order() == order);
            let mut its: Vec<_> = its.map(|(_, entry)| kept(entry)).collect();
            its.sort_by_key(|kept| kept.notice.ended_at);
            (name.clone(), its)
        };
        self.subscriptions.iter().map(of_one).collect()
    }

    pub(super) fn counts(&self, most: u64) -> Vec<NoticeCounts> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let counts = |(name, notices): (&SubscriptionName, &Notices)| {
            let of = |dead| {
                notices
                    .all
                    .values()
                    .filter(move |entry| (entry.due == Due::Dead) == dead)
                    .take(most)
            };
            let oldest = of(false).min_by_key(|entry| entry.notice.ended_at);
            NoticeCounts {
                subscription: name.clone(),
                is_subscribed: true,
                open: of(false).count() as u64,
                dead: of(true).count() as u64,
                oldest: oldest.map(|entry| entry.notice.ended_at),
                problem: oldest.and_then(|entry| entry.notice.problem.clone()),
            }
        };
        self.subscriptions.iter().map(counts).collect()
    }
}
