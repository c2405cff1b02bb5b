//! Domain values to and from columns. A batch is bound as one array for each column.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::postgres::types::PgInterval;
use sqlx::types::Json;
use sqlx::{FromRow, Row};
use time::OffsetDateTime;
use uuid::Uuid;
use woody_core::domain::{
    Act, ClientName, Details, Label, NewOrder, NoticeId, Order, OrderId, Parts, Pause, Product,
    ProductName, Reason,
};
use woody_core::ports::{
    Backlog, Decision, FoundOrder, Notice, NoticeCounts, StoreError, Watermark,
};

use super::error::Error;
use super::stamp::Stamp;
use crate::row::row;
pub(super) use crate::rows::{BacklogRow, CountsRow, EndedRow, StatusRow, limit, parts};
use crate::rows::{NoticeCountsRow, NoticeRow, NoticeStateRow, client, corrupt, details, trace};
use crate::stamp::whole_micros;
use crate::trail;

row! {
    /// A new order.
    pub(super) struct NewOrderRow of PgRow {
        id: Uuid,
        details: String,
        accepted_at: Stamp,
        trace: Option<String>,
        client: Option<String>,
    }
}

row! {
    /// What waits, and since when.
    pub(super) struct WaitingRow of PgRow {
        ..counted: BacklogRow,
        oldest_pending: Option<Stamp>,
        oldest_unpublished: Option<Stamp>,
    }
}

row! {
    /// An order.
    pub(super) struct OrderRow of PgRow {
        ..asked: NewOrderRow,
        ..status: StatusRow,
        finished_at: Option<Stamp>,
    }
}

row! {
    /// An order that has ended, and whether somebody is still to be told.
    pub(super) struct EndedOrderRow of PgRow {
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
    pub(super) fn read(self) -> Backlog {
        let [pending, unpublished] =
            [self.oldest_pending, self.oldest_unpublished].map(|at| at.map(|at| at.0));
        self.counted.read(pending, unpublished)
    }
}

/// A claimed order, and how many entries were taken with it: a row of its own without an
/// order if none of them is pending.
pub(super) struct ClaimedRow {
    order: Option<NewOrderRow>,
    entries: i64,
}

impl FromRow<'_, PgRow> for ClaimedRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let id: Option<Uuid> = row.try_get("id")?;
        let order = id.map(|_| NewOrderRow::from_row(row)).transpose()?;
        Ok(Self { order, entries: row.try_get("entries")? })
    }
}

impl ClaimedRow {
    /// Whether there was no entry to take.
    pub(super) fn is_one_of_none(&self) -> bool {
        self.entries == 0
    }

    pub(super) fn read(self) -> Option<Result<NewOrder<Details>, StoreError>> {
        self.order.map(NewOrderRow::read)
    }
}

row! {
    /// A watermark.
    pub(super) struct WatermarkRow of PgRow {
        accepted_before: OffsetDateTime,
        unmarked_since: OffsetDateTime,
    }
}

row! {
    /// An act.
    pub(super) struct ActRow of PgRow {
        ..asked: crate::rows::ActRow,
        at: Stamp,
    }
}

impl ActRow {
    pub(super) fn read(self) -> Result<Act, StoreError> {
        self.asked.read(self.at.0)
    }
}

row! {
    /// A notice.
    pub(super) struct TimedNoticeRow of PgRow {
        ..notice: NoticeRow,
        ended_at: Stamp,
    }
}

row! {
    /// A notice of one subscription, open or dead.
    pub(super) struct KeptNoticeRow of PgRow {
        ..state: NoticeStateRow,
        ..notice: TimedNoticeRow,
    }
}

row! {
    /// How many notices a subscription has, and since when.
    pub(super) struct TimedNoticeCountsRow of PgRow {
        ..counts: NoticeCountsRow,
        oldest: Option<Stamp>,
    }
}

row! {
    /// A pause.
    pub(super) struct PauseRow of PgRow {
        paused_at: Stamp,
        by_whom: String,
        because: Option<String>,
    }
}

impl PauseRow {
    pub(super) fn read(self) -> Pause {
        let because = self.because.map(Reason::new);
        Pause { since: self.paused_at.0, by: self.by_whom.into(), because }
    }
}

row! {
    /// A product.
    pub(super) struct ProductRow of PgRow {
        id: Uuid,
        name: String,
        parts: Json<Parts>,
        created_at: OffsetDateTime,
    }
}

impl NewOrderRow {
    pub(super) fn read(self) -> Result<NewOrder<Details>, StoreError> {
        Ok(NewOrder {
            id: self.id.into(),
            details: details(&self.details)?,
            accepted_at: self.accepted_at.0,
            trace: trace(self.trace.as_deref()),
            client: client(self.client.as_deref()),
            found_by: None,
        })
    }
}

/// Returns what was found of each of `ids`: a row that cannot be read is one order's fault.
pub(super) fn found(ids: &[OrderId], rows: &[PgRow]) -> Result<Vec<FoundOrder>, Error> {
    let mut by_id: HashMap<OrderId, &PgRow> = HashMap::with_capacity(rows.len());
    for row in rows {
        by_id.insert(row.try_get::<Uuid, _>("id")?.into(), row);
    }
    let read =
        |row: &&PgRow| OrderRow::from_row(*row).map_err(|error| Error::from(error).0)?.read();
    Ok(ids.iter().map(|id| by_id.get(id).map(read).transpose()).collect())
}

impl OrderRow {
    pub(super) fn read(self) -> Result<Order<Details>, StoreError> {
        let NewOrder { id, details, accepted_at, trace, client, .. } = self.asked.read()?;
        let status = self.status.read()?;
        let finished_at = self.finished_at.map(|at| at.0);
        Ok(Order { id, details, status, accepted_at, finished_at, trace, client })
    }
}

impl TimedNoticeRow {
    pub(super) fn read(self) -> Result<Notice, StoreError> {
        self.notice.read(self.ended_at.0)
    }
}

impl KeptNoticeRow {
    pub(super) fn read(self) -> Result<(NoticeStateRow, Notice), StoreError> {
        Ok((self.state, self.notice.read()?))
    }
}

impl TimedNoticeCountsRow {
    pub(super) fn read(self) -> Result<NoticeCounts, StoreError> {
        self.counts.read(self.oldest.map(|oldest| oldest.0))
    }
}

impl WatermarkRow {
    pub(super) fn read(self) -> Watermark {
        let Self { accepted_before, unmarked_since } = self;
        Watermark { accepted_before, unmarked_since }
    }
}

impl ProductRow {
    pub(super) fn read(self) -> Result<Product, StoreError> {
        Ok(Product {
            id: self.id.into(),
            name: ProductName::parse(&self.name).map_err(corrupt)?,
            parts: self.parts.0,
            created_at: self.created_at,
        })
    }
}

/// The columns of new orders, each as long as the others.
pub(super) struct OrderColumns<'a> {
    pub(super) ids: Vec<Uuid>,
    pub(super) details: Vec<&'a str>,
    pub(super) accepted_at: Vec<OffsetDateTime>,
    pub(super) traces: Vec<Option<String>>,
    pub(super) clients: Vec<Option<&'a str>>,
    pub(super) found_by: Vec<Option<&'a str>>,
}

impl<'a> OrderColumns<'a> {
    pub(super) fn of(orders: impl Iterator<Item = &'a NewOrder<Details>> + Clone) -> Self {
        Self {
            ids: orders.clone().map(|order| order.id.as_uuid()).collect(),
            details: orders.clone().map(|order| order.details.as_str()).collect(),
            accepted_at: orders.clone().map(|order| whole_micros(order.accepted_at)).collect(),
            traces: orders
                .clone()
                .map(|order| order.trace.map(|trace| trace.to_string()))
                .collect(),
            clients: orders.clone().map(|o| o.client.as_ref().map(ClientName::as_str)).collect(),
            found_by: orders.map(|order| order.found_by.as_ref().map(Label::as_str)).collect(),
        }
    }
}

/// The columns of decisions, each as long as the others.
pub(super) struct DecisionColumns<'a> {
    pub(super) orders: OrderColumns<'a>,
    pub(super) statuses: Vec<&'static str>,
    pub(super) reasons: Vec<Option<&'a str>>,
    /// The ids of redriven orders, rarely any.
    pub(super) redriven: Vec<Uuid>,
    /// What their stories are told from.
    pub(super) trails: Vec<String>,
}

impl<'a> DecisionColumns<'a> {
    pub(super) fn of(decisions: &[&'a Decision]) -> Self {
        let redriven = decisions.iter().filter(|decision| decision.redriven);
        Self {
            orders: OrderColumns::of(decisions.iter().map(|decision| &decision.order)),
            statuses: decisions.iter().map(|decision| decision.outcome.as_str()).collect(),
            reasons: decisions.iter().map(|d| d.outcome.reason().map(Reason::as_str)).collect(),
            redriven: redriven.map(|decision| decision.order.id.as_uuid()).collect(),
            trails: decisions.iter().copied().map(trail::column).collect(),
        }
    }
}

/// The columns of ids of notices, each as long as the other.
pub(super) struct NoticeColumns {
    pub(super) orders: Vec<Uuid>,
    pub(super) statuses: Vec<&'static str>,
}

impl NoticeColumns {
    pub(super) fn of(ids: impl Iterator<Item = NoticeId> + Clone) -> Self {
        Self {
            orders: ids.clone().map(|id| id.order().as_uuid()).collect(),
            statuses: ids.map(|id| id.ended().as_str()).collect(),
        }
    }
}

/// Returns a duration as a parameter, at most a thousand years: PostgreSQL's time ends.
pub(super) fn interval(duration: Duration) -> PgInterval {
    const FOR_EVER: i64 = 1_000 * 365 * 86_400 * 1_000_000;
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(FOR_EVER).min(FOR_EVER);
    PgInterval { months: 0, days: 0, microseconds }
}
