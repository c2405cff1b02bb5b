use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{
    Archivable, OrderCursor, OrderPage, OrderQuery, OrderTrail, PageSize, QueueNote, QueueReading,
    Replication, StoreError, Timeline,
};
use crate::domain::{
    Details, FailedAttempt, NewOrder, Order, OrderId, OrderStatus, Outcome, Reason, Validation,
};

/// What was found under the id of one order, among others that were asked for: the order, or
/// nothing, or what [cannot be read](StoreError::Corrupt).
pub type FoundOrder = Result<Option<Order<Details>>, StoreError>;

/// Keeps orders and their outbox.
///
/// The outbox lists the orders whose message the broker has not confirmed yet.
/// Batches are the unit of everything that writes: one call is one transaction,
/// and the services see to it that callers share a call.
///
/// # Contract
/// - A batch is all or nothing; what a call has returned as `Ok` survives a crash, on a
///   backend that claims to be durable.
/// - [`insert`](Self::insert) writes an order and its outbox entry together.
///   The entry is created with a lease held by the caller, who is expected to publish it;
///   when the lease runs out, any relay may claim it.
/// - [`finish`](Self::finish) also writes orders that the store does not have (they
///   came by the broker alone) and deletes their outbox entries.
/// - The first outcome wins, as in [`OrderStatus::settle`]; in one batch the
///   first in the slice wins.
/// - [`begin`](Self::begin) counts validations that have begun, durably, until
///   [`end`](Self::end) takes one back or [`finish`](Self::finish) or
///   [`cancel`](Self::cancel) deletes those of an order: what is left was begun by a worker that died. The order need not be known.
/// - Results are in the order of the items, one for each.
/// - An id may stand twice in a batch.
///
/// # Cancel safety
/// A dropped future leaves either the whole batch or nothing.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Stores new orders as `Pending`, each with an outbox entry that is
    /// leased for `lease`.
    ///
    /// # Errors
    /// [`StoreError`]; after a transient one the batch may or may not be there,
    /// and inserting it again is right.
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError>;

    /// Returns the order with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError>;

    /// Returns each of these orders, as [`order`](Self::order) does: one that cannot be read
    /// keeps none of the others back.
    ///
    /// By default they are read one after another; a backend that can reads all of them by one
    /// statement.
    ///
    /// # Errors
    /// [`StoreError`] when none can be read.
    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<FoundOrder>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match self.order(*id).await {
                Err(error) if error.is_transient() => return Err(error),
                order => found.push(order),
            }
        }
        Ok(found)
    }

    /// Saves final states; stamps `finished_at` with the store's time. With each that applies it
    /// keeps its [validation](Decision::validation); of one that fails it also keeps the
    /// attempt that was the last one.
    ///
    /// Programs call [`record`](crate::ports::record), which also yields the proof
    /// that lets a delivery be acknowledged.
    ///
    /// # Errors
    /// [`StoreError`]; finishing again is right.
    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError>;

    /// Cancels an order that is pending, for this reason; `None` when there is no such order.
    ///
    /// It ends as by [`finish`](Self::finish): state, time, outbox entry and counts go
    /// together, and the first final state wins.
    ///
    /// # Errors
    /// [`StoreError`]; cancelling again is right.
    async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError>;

    /// Keeps attempts that failed, for the stories of their orders: of each order the first
    /// [`OrderTrail::MOST_ATTEMPTS`], and no more. The order need not be known.
    ///
    /// An attempt that [repeats](super::KeptAttempt::is_repeated_by) the last one is counted with
    /// it. One that is there already, of the same order and time, stays as it is. Those that a
    /// worker [gives up](crate::domain::AfterFailure::GivenUp) are kept by
    /// [`finish`](Self::finish), with the final state.
    ///
    /// # Errors
    /// [`StoreError`]; none, some or all may be kept.
    async fn keep_attempts(&self, attempts: &[FailedAttempt]) -> Result<(), StoreError>;

    /// Returns what is kept of an order's way; `None` when the store does not have the order.
    ///
    /// What it costs does not depend on how many orders there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn trail(&self, id: OrderId) -> Result<Option<OrderTrail>, StoreError>;

    /// Counts a validation of this order that is about to begin. `redriven` is whether
    /// an operator sent its message again.
    ///
    /// An order that has ended is not counted, since nothing would delete the count again;
    /// one that is `Failed` and redriven is. What is counted also counts as
    /// [marked](Self::mark_held) until [`Watermark::DYING`] from now: should its worker
    /// die, its message is on its way back for a while, and the next worker may die too.
    ///
    /// # Errors
    /// [`StoreError`]; it may be counted all the same.
    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError>;

    /// Takes back one count of [`begin`](Self::begin): the worker has survived the
    /// validation. Without a count nothing happens.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end(&self, id: OrderId) -> Result<(), StoreError>;

    /// Returns what [`begin`](Self::begin) has counted and [`end`](Self::end) has not taken back.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError>;

    /// Leases at most `limit` outbox entries that are not leased, oldest first, for
    /// `lease`; those of one `insert` may come together with the oldest of them. Two
    /// callers never get the same entry while its lease lasts.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError>;

    /// Deletes entries of the outbox: the broker has confirmed their messages.
    /// Ids without an entry are ignored.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError>;

    /// Returns up to where orders have surely been published: those that were
    /// accepted more than `age` ago, and before the oldest outbox entry.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError>;

    /// Counts the orders that were published before `watermark`, are still
    /// `Pending`, and have not been [marked](Self::mark_held) since: each has a
    /// message, or has lost it. Stops counting at `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unaccounted(&self, watermark: &Watermark, most: u64) -> Result<u64, StoreError>;

    /// Marks orders for a while: a worker holds their messages, or has just sent them to
    /// wait. Ids that are not there are ignored.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError>;

    /// Puts [unaccounted](Self::unaccounted) orders back into the outbox, unleased,
    /// as far as there are more of them than `messages`; at most `limit`, the oldest
    /// first. They count as marked. Returns how many.
    ///
    /// Callers at once do not add up: each counts what the others have left.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn refill_outbox(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, StoreError>;

    /// Notes that a queue carries orders of this store and, if it is known, how full it was;
    /// returns what was noted of *other* queues, in no particular order.
    ///
    /// A note without a reading leaves the last reading as it is. A queue of which
    /// nothing was noted for [`QueueNote::KEPT`] is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn note_queue(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError>;

    /// Returns orders that have been `Pending` for longer than `pending_for`, oldest
    /// first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError>;

    /// Returns a page of orders, as the query says: those that the store holds whole, sorted by
    /// `(accepted_at, id)`.
    ///
    /// What a page costs depends on its size, and not on how many orders there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError>;

    /// Returns orders that may be archived: accepted more than `accepted_for` ago, ended as
    /// `Success`, `Rejected` or `Cancelled`, and with nobody still to be told of that. Sorted
    /// by `(accepted_at, id)`, behind `after`; of `limit` orders at most.
    ///
    /// One that is `Failed` waits for an operator, and is none of them. What a call costs depends
    /// on `limit`, and not on how many orders there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, StoreError>;

    /// Drops the details of orders that are kept elsewhere by now; returns how many of these
    /// orders [may be archived](Self::archivable) and were not archived before. The others
    /// stay as they are.
    ///
    /// An archived order keeps its id, how it ended and when, and its details are
    /// [`Details::archived`]. So none of its messages, and no order under its key, makes it anew:
    /// [`insert`](Self::insert) returns [`AlreadyPresent`](Insert::AlreadyPresent), whatever it
    /// asks for. It is in no [`list`](Self::list).
    ///
    /// # Errors
    /// [`StoreError`]; archiving again is right.
    async fn archive(&self, ids: &[OrderId]) -> Result<u64, StoreError>;

    /// Counts orders by status, archived ones too, and the outbox.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn counts(&self) -> Result<OrderCounts, StoreError>;

    /// Returns what waits, counting up to `most` of each kind.
    ///
    /// What it costs depends on what waits and on `most`, and not on how many orders there are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn backlog(&self, most: u64) -> Result<Backlog, StoreError>;

    /// Returns how what is stored is kept by other servers, or that it is not kept in an archive as it should be;
    /// `None` where there are none and all is well, or it is not known.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn replication(&self) -> Result<Option<Replication>, StoreError> {
        Ok(None)
    }

    /// Returns which course of its data the store is on. One that differs from that of before may
    /// lack what was stored last. `None` where there is no copy that could take its place.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn timeline(&self) -> Result<Option<Timeline>, StoreError> {
        Ok(None)
    }

    /// Returns `Ok` when other calls would succeed; readiness calls it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ping(&self) -> Result<(), StoreError>;
}

/// Validations of one order that have begun and not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Begun {
    /// How many.
    pub times: u32,
    /// How long ago the last one began, by the store's clock; zero when there is none.
    pub last_ago: Duration,
}

/// Up to where orders had been published at one moment, by the store's clock.
///
/// An order that is inserted late, by a clock that is behind or after a long wait, counts
/// as marked then: it may be older than a watermark that was read without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// Orders accepted before this had been published, or had ended.
    pub accepted_before: OffsetDateTime,
    /// Orders marked at this time or later have a message that a worker holds or held.
    pub unmarked_since: OffsetDateTime,
}

impl Watermark {
    /// Returns the store's time when this was read: what is read next is read after it.
    pub fn read_after(&self) -> OffsetDateTime {
        self.unmarked_since.saturating_add(Self::LONGEST_WRITE.try_into().unwrap_or_default())
    }

    /// An order accepted so long before it was inserted was inserted late.
    pub const LATE: Duration = Duration::from_secs(2);
    /// The longest time that a write of the store's can be under way.
    pub const LONGEST_WRITE: Duration = Duration::from_secs(5);
    /// For how long an order that may kill its workers counts as marked after a
    /// validation of it has begun.
    pub const DYING: Duration = Duration::from_secs(15);
    /// For how long a mark is remembered: longer than any watermark is used.
    pub const MARKS_KEPT: Duration = Duration::from_hours(1);
}

/// The result of inserting one order.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Insert {
    /// It is stored now.
    Created,
    /// The same order was there already, in the same words.
    AlreadyPresent,
    /// An order of this id was there already, with these other details: at least their
    /// text is another.
    Conflict(Details),
}

/// An order and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The order as its message told it; stored when the store has never seen it.
    pub order: NewOrder<Details>,
    /// How it ends.
    pub outcome: Outcome,
    /// Whether an operator sent the message again, which lets a `Failed` order
    /// reach its verdict after all.
    pub redriven: bool,
    /// The validation that it comes from, which is kept with the final state; `None` when it comes
    /// from none, as when an operator ends the order.
    pub validation: Option<Validation>,
}

/// The result of one decision.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// The order has this final state now, and it was this call that gave it.
    Applied,
    /// The order had ended before, in this state, which stays.
    Superseded(OrderStatus),
}

/// What waits in a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Pending orders, as far as they were counted.
    pub pending: u64,
    /// When the oldest of them was accepted.
    pub oldest_pending: Option<OffsetDateTime>,
    /// Pending orders that the broker has not confirmed, as far as they were counted.
    pub unpublished: u64,
    /// When the oldest of them was accepted, or an older one that was stored together with it.
    pub oldest_unpublished: Option<OffsetDateTime>,
}

/// Orders by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderCounts {
    /// Accepted, not yet validated.
    pub pending: u64,
    /// Ended well.
    pub success: u64,
    /// Cannot be made.
    pub rejected: u64,
    /// Could not be validated.
    pub failed: u64,
    /// Taken back.
    pub cancelled: u64,
    /// Outbox entries: orders that the broker has not confirmed yet.
    pub outbox: u64,
}
