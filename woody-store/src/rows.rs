//! Rows that look the same in each database, and values that are written alike.

use std::collections::BTreeMap;

use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;
use woody_core::domain::{
    Act, ActResult, AfterFailure, ClientName, Details, FailedAttempt, NewAct, NoticeId, OrderId,
    OrderStatus, Parts, Reason, SubscriptionName, TraceContext,
};
use woody_core::ports::{
    Backlog, KeptAttempt, KeptNotice, Notice, NoticeCounts, OrderCounts, StoreError,
};

use crate::row::row;

row! {
    /// The status of an order.
    pub(crate) struct StatusRow of each database {
        status: String,
        reason: Option<String>,
    }
}

row! {
    /// The status of the order with this id.
    pub(crate) struct EndedRow of each database {
        ..status: StatusRow,
        id: Uuid,
    }
}

row! {
    /// What a notice says, but for its times.
    pub(crate) struct NoticeRow of each database {
        ..status: StatusRow,
        order_id: Uuid,
        attempts: i32,
        problem: Option<String>,
    }
}

row! {
    /// Which subscription a notice is of, and whether it is dead.
    pub(crate) struct NoticeStateRow of each database {
        subscription: String,
        is_dead: bool,
    }
}

/// Returns of each subscription, sorted by its name, the notices that it has.
pub(crate) fn by_subscription(
    names: Vec<String>,
    notices: Vec<(NoticeStateRow, Notice)>,
) -> Result<Vec<(SubscriptionName, Vec<KeptNotice>)>, StoreError> {
    let mut kept: BTreeMap<String, Vec<KeptNotice>> =
        names.into_iter().map(|name| (name, vec![])).collect();
    for (NoticeStateRow { subscription, is_dead }, notice) in notices {
        kept.entry(subscription).or_default().push(KeptNotice { notice, is_dead });
    }
    let with_name = |(name, notices): (String, _)| {
        Ok((SubscriptionName::parse(&name).map_err(corrupt)?, notices))
    };
    kept.into_iter().map(with_name).collect()
}

row! {
    /// How many notices a subscription has, and why the oldest was not delivered.
    pub(crate) struct NoticeCountsRow of each database {
        subscription: String,
        is_subscribed: bool,
        open: i64,
        dead: i64,
        problem: Option<String>,
    }
}

row! {
    /// How many orders there are of each status.
    pub(crate) struct CountsRow of each database {
        pending: i64,
        success: i64,
        rejected: i64,
        failed: i64,
        cancelled: i64,
        outbox: i64,
    }
}

row! {
    /// An act, but for its time, which each database writes in its own way.
    pub(crate) struct ActRow of each database {
        id: Uuid,
        by_whom: String,
        because: Option<String>,
        verb: String,
        order_id: Option<Uuid>,
        target: String,
        result: Option<String>,
        told: Option<String>,
    }
}

row! {
    /// Failed attempts that are counted together, but for when the first was.
    pub(crate) struct AttemptRow of each database {
        order_id: Uuid,
        what: String,
        times: i32,
        validation: String,
        reason: String,
    }
}

impl AttemptRow {
    pub(crate) fn read(self, first_at: OffsetDateTime) -> Result<KeptAttempt, StoreError> {
        let then = AfterFailure::from_word(&self.what)
            .ok_or_else(|| StoreError::Corrupt(format!("a failed attempt {:?}", self.what)))?;
        let failed = FailedAttempt {
            order: self.order_id.into(),
            validation: self.validation.parse().map_err(corrupt)?,
            reason: Reason::new(self.reason),
            then,
        };
        Ok(KeptAttempt { failed, first_at, times: self.times.max(0).unsigned_abs() })
    }
}

/// Returns a count as a parameter.
pub(crate) fn times(times: u32) -> i32 {
    i32::try_from(times).unwrap_or(i32::MAX)
}

impl ActRow {
    pub(crate) fn read(self, at: OffsetDateTime) -> Result<Act, StoreError> {
        let result = |word: String| {
            ActResult::from_parts(&word, self.told.map(Reason::new))
                .ok_or_else(|| StoreError::Corrupt(format!("result of an act {word:?}")))
        };
        Ok(Act {
            asked: NewAct {
                id: self.id.into(),
                by: self.by_whom.into(),
                because: self.because.map(Reason::new),
                verb: self.verb.into(),
                order: self.order_id.map(OrderId::from),
                target: self.target.into(),
            },
            at,
            result: self.result.map(result).transpose()?,
        })
    }
}

row! {
    /// What waits, and how long.
    pub(crate) struct BacklogRow of each database {
        pending: i64,
        unpublished: i64,
    }
}

impl BacklogRow {
    /// Returns the backlog whose oldest orders are of these times.
    pub(crate) fn read(
        self,
        oldest_pending: Option<OffsetDateTime>,
        oldest_unpublished: Option<OffsetDateTime>,
    ) -> Backlog {
        let (pending, unpublished) =
            (self.pending.cast_unsigned(), self.unpublished.cast_unsigned());
        Backlog {
            pending,
            oldest_pending: oldest_pending.filter(|_| pending > 0),
            unpublished,
            // An entry whose orders have all ended may still be there.
            oldest_unpublished: oldest_unpublished.filter(|_| unpublished > 0),
        }
    }
}

impl StatusRow {
    pub(crate) fn read(self) -> Result<OrderStatus, StoreError> {
        OrderStatus::from_parts(&self.status, self.reason.map(Reason::new))
            .ok_or_else(|| StoreError::Corrupt(format!("order status {:?}", self.status)))
    }
}

impl EndedRow {
    pub(crate) fn read(self) -> Result<(OrderId, OrderStatus), StoreError> {
        Ok((self.id.into(), self.status.read()?))
    }
}

impl NoticeRow {
    pub(crate) fn read(self, ended_at: OffsetDateTime) -> Result<Notice, StoreError> {
        let order = self.order_id.into();
        let status = self.status.read()?;
        let OrderStatus::Ended(outcome) = status else {
            return Err(StoreError::Corrupt(format!("a notice that order {order} is pending")));
        };
        Ok(Notice {
            id: NoticeId::of(order, &outcome),
            outcome,
            ended_at,
            attempt: self.attempts.max(0).unsigned_abs(),
            problem: self.problem.map(Reason::new),
        })
    }
}

impl NoticeCountsRow {
    pub(crate) fn read(self, oldest: Option<OffsetDateTime>) -> Result<NoticeCounts, StoreError> {
        Ok(NoticeCounts {
            subscription: SubscriptionName::parse(&self.subscription).map_err(corrupt)?,
            is_subscribed: self.is_subscribed,
            open: self.open.cast_unsigned(),
            dead: self.dead.cast_unsigned(),
            oldest,
            problem: self.problem.map(Reason::new),
        })
    }
}

impl CountsRow {
    pub(crate) fn read(self) -> OrderCounts {
        // No count is below zero.
        OrderCounts {
            pending: self.pending.cast_unsigned(),
            success: self.success.cast_unsigned(),
            rejected: self.rejected.cast_unsigned(),
            failed: self.failed.cast_unsigned(),
            cancelled: self.cancelled.cast_unsigned(),
            outbox: self.outbox.cast_unsigned(),
        }
    }
}

/// Returns the error for a column that cannot be read.
pub(crate) fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Reads the details of an order.
pub(crate) fn details(text: &str) -> Result<Details, StoreError> {
    // What is left of an order that was archived is no order's own.
    if text == Details::ARCHIVED {
        return Ok(Details::archived());
    }
    Details::parse(text).map_err(corrupt)
}

/// Reads the trace of an order; one that is malformed is none.
pub(crate) fn trace(text: Option<&str>) -> Option<TraceContext> {
    text.and_then(|text| text.parse().ok())
}

/// Reads who has placed an order; a name that is malformed is none.
pub(crate) fn client(text: Option<&str>) -> Option<ClientName> {
    text.and_then(|text| text.parse().ok())
}

/// Returns a cutting list as a parameter.
pub(crate) fn parts(parts: &Parts) -> Json<&Parts> {
    Json(parts)
}

/// Returns a limit as a parameter.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
