//! Domain values to and from columns. A batch is bound as one JSON array.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use time::OffsetDateTime;
use uuid::Uuid;
use woody_core::domain::{
    Act, ClientName, Details, Label, NewOrder, NoticeId, Order, OrderId, Parts, Pause, Product,
    ProductName, Reason, now,
};
use woody_core::ports::{Backlog, Decision, FoundOrder, Notice, NoticeCounts, StoreError};

use super::error::Error;
use crate::row::row;
pub(super) use crate::rows::{BacklogRow, CountsRow, EndedRow, limit, parts};
use crate::rows::{
    NoticeCountsRow, NoticeRow, NoticeStateRow, StatusRow, client, corrupt, details, trace,
};
use crate::trail;

row! {
    /// A new order.
    pub(super) struct NewOrderRow of SqliteRow {
        id: Uuid,
        details: String,
        accepted_at: i64,
        trace: Option<String>,
        client: Option<String>,
    }
}

row! {
    /// What waits, and since when.
    pub(super) struct WaitingRow of SqliteRow {
        ..counted: BacklogRow,
        oldest_pending: Option<i64>,
        oldest_unpublished: Option<i64>,
    }
}

row! {
    /// An order.
    pub(super) struct OrderRow of SqliteRow {
        ..asked: NewOrderRow,
        ..status: StatusRow,
        finished_at: Option<i64>,
    }
}

row! {
    /// An order that has ended, and whether somebody is still to be told.
    pub(super) struct EndedOrderRow of SqliteRow {
        ..order: OrderRow,
        waits: bool,
    }
}

impl EndedOrderRow {
    pub(super) fn read(self) -> Result<(Order<Details>, bool), StoreError> {
        Ok((self.order.read()?, self.waits))
    }
}

impl WaitingRow {
    pub(super) fn read(self) -> Result<Backlog, StoreError> {
        let pending = self.oldest_pending.map(from_micros).transpose()?;
        let unpublished = self.oldest_unpublished.map(from_micros).transpose()?;
        Ok(self.counted.read(pending, unpublished))
    }
}

row! {
    /// An act.
    pub(super) struct ActRow of SqliteRow {
        ..asked: crate::rows::ActRow,
        at: i64,
    }
}

impl ActRow {
    pub(super) fn read(self) -> Result<Act, StoreError> {
        self.asked.read(from_micros(self.at)?)
    }
}

row! {
    /// A notice.
    pub(super) struct TimedNoticeRow of SqliteRow {
        ..notice: NoticeRow,
        ended_at: i64,
    }
}

row! {
    /// A notice of one subscription, open or dead.
    pub(super) struct KeptNoticeRow of SqliteRow {
        ..state: NoticeStateRow,
        ..notice: TimedNoticeRow,
    }
}

row! {
    /// How many notices a subscription has, and since when.
    pub(super) struct TimedNoticeCountsRow of SqliteRow {
        ..counts: NoticeCountsRow,
        oldest: Option<i64>,
    }
}

row! {
    /// A pause.
    pub(super) struct PauseRow of SqliteRow {
        paused_at: i64,
        by_whom: String,
        because: Option<String>,
    }
}

impl PauseRow {
    pub(super) fn read(self) -> Result<Pause, StoreError> {
        let because = self.because.map(Reason::new);
        Ok(Pause { since: from_micros(self.paused_at)?, by: self.by_whom.into(), because })
    }
}

row! {
    /// A product.
    pub(super) struct ProductRow of SqliteRow {
        id: Uuid,
        name: String,
        parts: Json<Parts>,
        created_at: i64,
    }
}

impl NewOrderRow {
    pub(super) fn read(self) -> Result<NewOrder<Details>, StoreError> {
        Ok(NewOrder {
            id: self.id.into(),
            details: details(&self.details)?,
            accepted_at: from_micros(self.accepted_at)?,
            trace: trace(self.trace.as_deref()),
            client: client(self.client.as_deref()),
            found_by: None,
        })
    }
}

/// Returns what was found of each of `ids`: a row that cannot be read is one order's fault.
pub(super) fn found(ids: &[OrderId], rows: &[SqliteRow]) -> Result<Vec<FoundOrder>, Error> {
    let mut by_id: HashMap<OrderId, &SqliteRow> = HashMap::with_capacity(rows.len());
    for row in rows {
        by_id.insert(row.try_get::<Uuid, _>("id")?.into(), row);
    }
    let read =
        |row: &&SqliteRow| OrderRow::from_row(*row).map_err(|error| Error::from(error).0)?.read();
    Ok(ids.iter().map(|id| by_id.get(id).map(read).transpose()).collect())
}

impl OrderRow {
    pub(super) fn read(self) -> Result<Order<Details>, StoreError> {
        let NewOrder { id, details, accepted_at, trace, client, .. } = self.asked.read()?;
        let status = self.status.read()?;
        let finished_at = self.finished_at.map(from_micros).transpose()?;
        Ok(Order { id, details, status, accepted_at, finished_at, trace, client })
    }
}

impl TimedNoticeRow {
    pub(super) fn read(self) -> Result<Notice, StoreError> {
        self.notice.read(from_micros(self.ended_at)?)
    }
}

impl KeptNoticeRow {
    pub(super) fn read(self) -> Result<(NoticeStateRow, Notice), StoreError> {
        Ok((self.state, self.notice.read()?))
    }
}

impl TimedNoticeCountsRow {
    pub(super) fn read(self) -> Result<NoticeCounts, StoreError> {
        self.counts.read(self.oldest.map(from_micros).transpose()?)
    }
}

impl ProductRow {
    pub(super) fn read(self) -> Result<Product, StoreError> {
        Ok(Product {
            id: self.id.into(),
            name: ProductName::parse(&self.name).map_err(corrupt)?,
            parts: self.parts.0,
            created_at: from_micros(self.created_at)?,
        })
    }
}

/// Returns ids as a JSON array of hexadecimal strings.
pub(super) fn id_list(ids: impl Iterator<Item = OrderId>) -> String {
    json(&ids.map(hex).collect::<Vec<_>>())
}

/// Returns orders as a JSON array of arrays: id, details, accepted at, trace, client, what
/// it is found by.
pub(super) fn order_list(orders: &[&NewOrder<Details>]) -> String {
    let rows = orders.iter().map(|order| {
        let trace = order.trace.map(|trace| trace.to_string());
        let client = order.client.as_ref().map(ClientName::as_str);
        let found_by = order.found_by.as_ref().map(Label::as_str);
        let at = to_micros(order.accepted_at);
        (hex(order.id), order.details.as_str(), at, trace, client, found_by)
    });
    json(&rows.collect::<Vec<_>>())
}

/// Returns decisions as a JSON array of arrays: an order's columns, status, reason,
/// whether it was redriven, trail, trace, client, what it is found by.
pub(super) fn decision_list(decisions: &[&Decision]) -> String {
    let rows = decisions.iter().map(|decision| {
        let Decision { order, outcome, redriven, .. } = decision;
        (
            hex(order.id),
            order.details.as_str(),
            to_micros(order.accepted_at),
            outcome.as_str(),
            outcome.reason(),
            u8::from(*redriven),
            trail::column(decision),
            order.trace.map(|trace| trace.to_string()),
            order.client.as_ref().map(ClientName::as_str),
            order.found_by.as_ref().map(Label::as_str),
        )
    });
    json(&rows.collect::<Vec<_>>())
}

pub(super) fn json(rows: &[impl Serialize]) -> String {
    // Strings and numbers in arrays: serialising them cannot fail.
    serde_json::to_string(rows).unwrap_or_default()
}

/// Returns ids of notices as a JSON array of arrays: order, status.
pub(super) fn notice_list(ids: impl Iterator<Item = NoticeId>) -> String {
    json(&ids.map(|id| (hex(id.order()), id.ended().as_str())).collect::<Vec<_>>())
}

pub(super) fn hex(id: OrderId) -> String {
    id.as_uuid().simple().to_string()
}

/// Returns microseconds since 1970. Every `OffsetDateTime` fits.
pub(super) fn to_micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX)
}

pub(super) fn from_micros(micros: i64) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .map_err(|_| StoreError::Corrupt(format!("time {micros}")))
}

/// Returns a time, or 1970 if it cannot be represented.
pub(super) fn time_at_most(micros: i64) -> OffsetDateTime {
    from_micros(micros).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Returns now plus `ahead`, or the latest time.
pub(super) fn micros_from_now(ahead: Duration) -> i64 {
    to_micros(now()).saturating_add(micros(ahead))
}

/// Returns now minus `ago`, or the earliest time.
pub(super) fn micros_before_now(ago: Duration) -> i64 {
    to_micros(now()).saturating_sub(micros(ago))
}

/// Returns how long ago that was, by this machine's clock.
pub(super) fn micros_since(at: i64) -> Duration {
    let passed = to_micros(now()).saturating_sub(at);
    Duration::from_micros(u64::try_from(passed).unwrap_or(0))
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
