use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::StoreError;
use crate::domain::{NoticeId, OrderId, Outcome, Reason, SubscriptionName};

/// Keeps who wants to be told how orders end, and a notice for each of them of each order that
/// has ended, until it is delivered.
///
/// Notices are written by [`OrderStore::finish`](super::OrderStore::finish) and
/// [`OrderStore::cancel`](super::OrderStore::cancel), whichever process calls them and whatever
/// it knows of subscriptions.
///
/// # Contract
/// - Once [`subscribe`](Self::subscribe) has returned, each final state that is saved comes with
///   a notice for this subscription, in the same transaction: there is never one without the other.
/// - A final state that is [superseded](super::Transition::Superseded) makes none. An order that
///   `Failed` and reaches its verdict after all makes another.
/// - A claimed notice belongs to its caller until its lease is over; then it may be claimed again.
///   Two callers never get the same notice while its lease lasts.
/// - Each claim counts an attempt.
/// - Names and ids that are not there are ignored.
///
/// # Cancel safety
/// A dropped future leaves either the whole call or nothing, except [`unsubscribe`](Self::unsubscribe).
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait NoticeStore: Send + Sync {
    /// Has the ends of orders told to `subscription` from now on. Programs call it whenever they
    /// start; a second call changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]; subscribing again is right.
    async fn subscribe(&self, subscription: &SubscriptionName) -> Result<(), StoreError>;

    /// Ends a subscription, and drops its notices, open and dead. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]; it may have ended with some of its notices left: unsubscribing again is right.
    async fn unsubscribe(&self, subscription: &SubscriptionName) -> Result<u64, StoreError>;

    /// Leases at most `limit` notices that are due, those that have been due for longest first,
    /// for `lease`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim(
        &self,
        subscription: &SubscriptionName,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Notice>, StoreError>;

    /// Saves what became of attempts to deliver, of all or of none; an id stands in it once. What is
    /// dead stays dead, unless it is delivered after all.
    ///
    /// # Errors
    /// [`StoreError`]; settling again is right.
    async fn settle(
        &self,
        subscription: &SubscriptionName,
        attempts: &[(NoticeId, Attempt)],
    ) -> Result<(), StoreError>;

    /// Returns dead notices, by their ids, at most `limit` of those after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn dead(
        &self,
        subscription: &SubscriptionName,
        after: Option<NoticeId>,
        limit: usize,
    ) -> Result<Vec<Notice>, StoreError>;

    /// Makes dead notices due again, their attempts at zero. Returns how many.
    ///
    /// # Errors
    /// [`StoreError`]; redriving again is right.
    async fn redrive(
        &self,
        subscription: &SubscriptionName,
        ids: &[NoticeId],
    ) -> Result<u64, StoreError>;

    /// Returns of each subscription, sorted by its name, which notices of this order it has: those
    /// that are to be delivered, and those that are dead.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn of_order(
        &self,
        order: OrderId,
    ) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError>;

    /// Counts the notices of each subscription, at most `most` open and `most` dead ones of each: no
    /// more are looked at. Sorted by the subscription's name.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn subscriptions(&self, most: u64) -> Result<Vec<NoticeCounts>, StoreError>;
}

/// The end of an order, which somebody is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What the end is called: the same in every attempt.
    pub id: NoticeId,
    /// How the order ended.
    pub outcome: Outcome,
    /// When that was saved, UTC.
    pub ended_at: OffsetDateTime,
    /// How often it was tried to deliver it, this time included.
    pub attempt: u32,
    /// Why the last attempt failed.
    pub problem: Option<Reason>,
}

/// A notice that is not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNotice {
    /// The notice; `attempt` is how often it was tried so far.
    pub notice: Notice,
    /// Whether it was given up.
    pub is_dead: bool,
}

/// What became of an attempt to deliver a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It is delivered: it is gone from the store.
    Delivered,
    /// It failed for now: it is due again after a while.
    Postponed {
        /// How long it is not due, from now on.
        by: Duration,
        /// Why it failed.
        problem: Reason,
    },
    /// It is given up for this reason: it is dead until it is redriven.
    GivenUp(Reason),
    /// It was not tried: it is due at once, and the attempt does not count.
    Released,
}

/// The notices of one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeCounts {
    /// Its name.
    pub subscription: SubscriptionName,
    /// Whether ends of orders are told to it; `false` for what an interrupted
    /// [`unsubscribe`](NoticeStore::unsubscribe) has left.
    pub is_subscribed: bool,
    /// To be delivered, now or later.
    pub open: u64,
    /// Given up.
    pub dead: u64,
    /// When the order ended whose notice has been open for longest, of those counted.
    pub oldest: Option<OffsetDateTime>,
    /// Why the last attempt at that notice failed, where one did.
    pub problem: Option<Reason>,
}
