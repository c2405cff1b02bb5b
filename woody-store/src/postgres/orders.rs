use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;
use woody_core::domain::{
    Details, FailedAttempt, NewOrder, Order, OrderId, OrderStatus, Outcome, Reason,
};
use woody_core::ports::{
    Archivable, Backlog, Begun, Decision, FoundOrder, Insert, OrderCounts, OrderCursor, OrderPage,
    OrderQuery, OrderStore, OrderTrail, PageSize, QueueNote, QueueReading, Replication, StoreError,
    Timeline, Transition, Watermark,
};

use super::PostgresStore;
use super::error::{Error, Standby};
use super::rows::{
    self, CountsRow, DecisionColumns, EndedRow, NewOrderRow, OrderColumns, OrderRow, StatusRow,
    WaitingRow,
};
use super::statements::{
    ASKED, BACKLOG, BEGIN, BEGUN, CANCEL, COUNTS, END, FINISH, FORGET, INSERT, LOCK, ORDER, ORDERS,
    PING, STATUSES, STUCK,
};
use crate::{batch, trail};

#[async_trait]
impl OrderStore for PostgresStore {
    async fn insert(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, StoreError> {
        if orders.is_empty() {
            return Ok(vec![]);
        }
        self.within_time(self.insert_batch(orders, lease)).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Order<Details>>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row = self.query_as(ORDER).bind(id.as_uuid()).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            Ok(row.map(OrderRow::read).transpose()?)
        })
        .await
    }

    async fn orders_by_id(&self, ids: &[OrderId]) -> Result<Vec<FoundOrder>, StoreError> {
        if ids.is_empty() {
            return Ok(vec![]);
        }
        self.within_time(async {
            let mut pg = self.lend().await?;
            let asked = uuids(ids.iter().copied());
            let rows = self.query(ORDERS).bind(asked).fetch_all(&mut *pg).await?;
            pg.done().await?;
            rows::found(ids, &rows)
        })
        .await
    }

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        if decisions.is_empty() {
            return Ok(vec![]);
        }
        self.within_time(self.finish_batch(decisions)).await
    }

    async fn cancel(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, StoreError> {
        self.within_time(self.cancel_one(id, reason)).await
    }

    async fn keep_attempts(&self, attempts: &[FailedAttempt]) -> Result<(), StoreError> {
        if attempts.is_empty() {
            return Ok(());
        }
        self.within_time(self.keep_failed(attempts)).await
    }

    async fn trail(&self, id: OrderId) -> Result<Option<OrderTrail>, StoreError> {
        self.within_time(self.read_trail(id)).await
    }

    async fn begin(&self, id: OrderId, redriven: bool) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let dying = rows::interval(Watermark::DYING);
            let begin = self.query(BEGIN).bind(id.as_uuid()).bind(redriven).bind(dying);
            begin.execute(&mut *pg).await?;
            pg.done().await?;
            Ok(())
        })
        .await
    }

    async fn end(&self, id: OrderId) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            self.query(END).bind(id.as_uuid()).execute(&mut *pg).await?;
            pg.done().await?;
            Ok(())
        })
        .await
    }

    async fn begun(&self, id: OrderId) -> Result<Begun, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row: Option<(i32, i64)> =
                self.query_as(BEGUN).bind(id.as_uuid()).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            Ok(row.map_or_else(Begun::default, |(times, micros)| Begun {
                times: times.unsigned_abs(),
                last_ago: Duration::from_micros(micros.max(0).unsigned_abs()),
            }))
        })
        .await
    }

    async fn claim_outbox(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, StoreError> {
        self.within_time(self.claim(limit, lease)).await
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        if published.is_empty() {
            return Ok(());
        }
        self.within_time(self.clear(published)).await
    }

    async fn watermark(&self, age: Duration) -> Result<Watermark, StoreError> {
        self.within_time(self.read_watermark(age)).await
    }

    async fn unaccounted(&self, watermark: &Watermark, most: u64) -> Result<u64, StoreError> {
        self.within_time(self.count_unaccounted(watermark, most)).await
    }

    async fn mark_held(&self, ids: &[OrderId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.within_time(self.mark(ids)).await
    }

    async fn refill_outbox(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.within_time(self.refill(watermark, messages, limit)).await
    }

    async fn note_queue(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, StoreError> {
        self.within_time(self.note(queue, reading)).await
    }

    async fn stuck(
        &self,
        pending_for: Duration,
        limit: usize,
    ) -> Result<Vec<Order<Details>>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let rows: Vec<OrderRow> = self
                .query_as(STUCK)
                .bind(rows::interval(pending_for))
                .bind(rows::limit(limit))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(rows.into_iter().map(OrderRow::read).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn list(&self, query: &OrderQuery) -> Result<OrderPage, StoreError> {
        self.within_time(self.page(query)).await
    }

    async fn archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, StoreError> {
        self.within_time(self.find_archivable(accepted_for, after, limit)).await
    }

    async fn archive(&self, ids: &[OrderId]) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        self.within_time(self.archive_batch(ids)).await
    }

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let counts: CountsRow = self.query_as(COUNTS).fetch_one(&mut *pg).await?;
            pg.done().await?;
            Ok(counts.read())
        })
        .await
    }

    async fn backlog(&self, most: u64) -> Result<Backlog, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let row: WaitingRow = self.query_as(BACKLOG).bind(most).fetch_one(&mut *pg).await?;
            pg.done().await?;
            Ok(row.read())
        })
        .await
    }

    async fn replication(&self) -> Result<Option<Replication>, StoreError> {
        self.within_time(self.read_replication()).await
    }

    async fn timeline(&self) -> Result<Option<Timeline>, StoreError> {
        self.within_time(self.read_timeline()).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let (is_standby, ..): (bool, bool, bool) =
                self.query_as(PING).fetch_one(&mut *pg).await?;
            if is_standby {
                // The connection is closed: the name may lead to the primary by now.
                return Err(StoreError::unavailable(Standby).into());
            }
            pg.done().await?;
            Ok(())
        })
        .await
    }
}

impl PostgresStore {
    /// Inserts with one statement, so in one transaction. Orders are never deleted and
    /// their details never change, so the others can be read after it.
    async fn insert_batch(
        &self,
        orders: &[NewOrder<Details>],
        lease: Duration,
    ) -> Result<Vec<Insert>, Error> {
        let firsts = batch::first_orders(orders);
        let columns = OrderColumns::of(firsts.iter().copied());
        let mut pg = self.lend().await?;
        let created: Vec<Vec<Uuid>> = self
            .query_scalar(INSERT)
            .bind(&columns.ids)
            .bind(&columns.details)
            .bind(&columns.accepted_at)
            .bind(rows::interval(lease))
            .bind(rows::interval(Watermark::LATE))
            .bind(&columns.traces)
            .bind(&columns.clients)
            .bind(&columns.found_by)
            .fetch_all(&mut *pg)
            .await?;
        let created: HashSet<_> = created.into_iter().flatten().map(OrderId::from).collect();
        let mut known = Vec::new();
        if created.len() < firsts.len() {
            let others =
                uuids(firsts.iter().map(|order| order.id).filter(|id| !created.contains(id)));
            let rows: Vec<NewOrderRow> =
                self.query_as(ASKED).bind(others).fetch_all(&mut *pg).await?;
            known = rows.into_iter().map(NewOrderRow::read).collect::<Result<_, _>>()?;
        }
        pg.done().await?;
        Ok(batch::inserts(orders, &created, &known)?)
    }

    /// Deletes the counts with a statement of their own: one statement sees the tables as
    /// they were when it began, and would miss the count of an order for which it had to
    /// wait. The entries of the outbox stay: a claim drops orders that have ended.
    async fn finish_batch(&self, decisions: &[Decision]) -> Result<Vec<Transition>, Error> {
        let firsts = batch::first_decisions(decisions);
        let ids = firsts.iter().map(|decision| decision.order.id);
        let mut pg = self.lend().await?;
        pg.begin().await?;
        let applied = self.write_decisions(&mut pg, &firsts).await?;
        let mut ended = HashMap::new();
        if applied.len() < firsts.len() {
            let others = ids.clone().filter(|id| !applied.contains(id));
            ended = self.statuses_of(&mut pg, others).await?;
        }
        let settled = batch::settle(decisions, &applied, ended)?;
        if !settled.unwritten.is_empty() {
            let written = self.write_decisions(&mut pg, &settled.unwritten).await?;
            if let Some(lost) = settled.unwritten.iter().find(|d| !written.contains(&d.order.id)) {
                return Err(batch::lost(lost.order.id).into());
            }
        }
        let given_up = trail::given_up(decisions, &settled.transitions);
        if !given_up.is_empty() {
            self.write_attempts(&mut pg, &given_up).await?;
        }
        self.query(FORGET).bind(uuids(ids)).execute(&mut *pg).await?;
        pg.done().await?;
        Ok(settled.transitions)
    }

    /// Deletes the counts with a statement of their own, and leaves the entry, as
    /// [`finish_batch`](Self::finish_batch) does.
    async fn cancel_one(
        &self,
        id: OrderId,
        reason: Option<Reason>,
    ) -> Result<Option<Transition>, Error> {
        let mut pg = self.lend().await?;
        pg.begin().await?;
        let row: Option<StatusRow> =
            self.query_as(LOCK).bind(id.as_uuid()).fetch_optional(&mut *pg).await?;
        let settled = row
            .map(StatusRow::read)
            .transpose()?
            .map(|status| status.settle(Outcome::Cancelled(reason.clone()), false));
        if let Some(Ok(_)) = settled {
            let reason = reason.as_ref().map(Reason::as_str);
            self.query(CANCEL).bind(id.as_uuid()).bind(reason).execute(&mut *pg).await?;
            let ids = uuids(std::iter::once(id));
            self.query(FORGET).bind(ids).execute(&mut *pg).await?;
        }
        pg.done().await?;
        Ok(settled.map(|settled| match settled {
            Ok(_) => Transition::Applied,
            Err(superseded) => Transition::Superseded(superseded.into_status()),
        }))
    }

    /// Reads the status of those of these orders that are there.
    async fn statuses_of(
        &self,
        pg: &mut PgConnection,
        ids: impl Iterator<Item = OrderId>,
    ) -> Result<HashMap<OrderId, OrderStatus>, Error> {
        let rows: Vec<EndedRow> = self.query_as(STATUSES).bind(uuids(ids)).fetch_all(pg).await?;
        Ok(rows.into_iter().map(EndedRow::read).collect::<Result<_, _>>()?)
    }

    /// Writes the decisions that apply, and returns their orders.
    async fn write_decisions(
        &self,
        pg: &mut PgConnection,
        decisions: &[&Decision],
    ) -> Result<HashSet<OrderId>, Error> {
        let DecisionColumns { orders, statuses, reasons, redriven, trails } =
            DecisionColumns::of(decisions);
        let applied: Vec<Uuid> = self
            .query_scalar(FINISH)
            .bind(&orders.ids)
            .bind(&orders.details)
            .bind(&orders.accepted_at)
            .bind(&statuses)
            .bind(&reasons)
            .bind(&redriven)
            .bind(&trails)
            .bind(&orders.traces)
            .bind(&orders.clients)
            .bind(&orders.found_by)
            .fetch_all(pg)
            .await?;
        Ok(applied.into_iter().map(OrderId::from).collect())
    }
}

pub(super) fn uuids(ids: impl Iterator<Item = OrderId>) -> Vec<Uuid> {
    ids.map(OrderId::as_uuid).collect()
}
