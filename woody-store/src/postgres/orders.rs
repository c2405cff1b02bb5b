use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;
use woody_core::domain::{Details, NewOrder, Order, OrderId};
use woody_core::ports::{
    Begun, Decision, Insert, OrderCounts, OrderStore, StoreError, Transition, Watermark,
};

use super::PostgresStore;
use super::error::{Error, Standby};
use super::rows::{
    self, CountsRow, DecisionColumns, EndedRow, NewOrderRow, OrderColumns, OrderRow,
};
use crate::batch;

const INSERT: &str = "
    WITH created AS (
        INSERT INTO orders (id, details, accepted_at, status)
        SELECT id, details, accepted_at, 'pending'
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
          AS asked (id, details, accepted_at)
        ON CONFLICT (id) DO NOTHING
        RETURNING id, accepted_at
    ), late AS (
        INSERT INTO held (order_id, held_at)
        SELECT id, now() FROM created WHERE accepted_at < now() - $5
        ON CONFLICT (order_id) DO UPDATE SET held_at = excluded.held_at
    )
    INSERT INTO outbox (order_id, accepted_at, lease_until)
    SELECT id, accepted_at, now() + $4 FROM created
    RETURNING order_id";

const ASKED: &str = "SELECT id, details, accepted_at FROM orders WHERE id = ANY($1)";

const ORDER: &str = "
    SELECT id, details, accepted_at, status, reason, finished_at
    FROM orders WHERE id = $1";

/// `OrderStatus::settle` in SQL.
const FINISH: &str = "
    INSERT INTO orders AS o (id, details, accepted_at, status, reason, finished_at)
    SELECT id, details, accepted_at, status, reason, now()
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
      AS told (id, details, accepted_at, status, reason)
    ON CONFLICT (id) DO UPDATE
    SET status = excluded.status, reason = excluded.reason, finished_at = excluded.finished_at
    WHERE o.status = 'pending'
       OR o.status = 'failed' AND excluded.status <> 'failed' AND o.id = ANY($6)
    RETURNING id";

const STATUSES: &str = "SELECT id, status, reason FROM orders WHERE id = ANY($1)";

/// `now()` is when the transaction began, so that a claim sees whole leases only.
const CLAIM: &str = "
    WITH free AS (
        SELECT order_id FROM outbox WHERE lease_until <= now()
        ORDER BY accepted_at, order_id LIMIT $1
        FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE outbox SET lease_until = now() + $2
        FROM free WHERE outbox.order_id = free.order_id
        RETURNING outbox.order_id
    )
    SELECT id, details, accepted_at
    FROM claimed JOIN orders ON id = order_id
    ORDER BY accepted_at, id";

/// Confirms and verdicts of the same orders arrive at the same time, so both lock the
/// entries in the same order.
const CLEAR: &str = "
    DELETE FROM outbox WHERE order_id IN (
        SELECT order_id FROM outbox WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
    )";

/// [`CLEAR`] for orders that have ended: it deletes their counts, too.
const CLEAR_ENDED: &str = "
    WITH forgotten AS (
        DELETE FROM begun WHERE order_id IN (
            SELECT order_id FROM begun WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
        )
    )
    DELETE FROM outbox WHERE order_id IN (
        SELECT order_id FROM outbox WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
    )";

/// Waits for a verdict that is being saved: the count would be left behind otherwise.
const BEGIN: &str = "
    WITH seen AS MATERIALIZED (
        SELECT status FROM orders WHERE id = $1 FOR SHARE
    ), counted AS MATERIALIZED (
        SELECT $1::uuid AS id WHERE NOT EXISTS (
            SELECT FROM seen WHERE status <> 'pending' AND NOT (status = 'failed' AND $2)
        )
    ), marked AS (
        INSERT INTO held (order_id, held_at) SELECT id, now() + $3 FROM counted
        ON CONFLICT (order_id) DO UPDATE
        SET held_at = greatest(held.held_at, excluded.held_at)
    )
    INSERT INTO begun (order_id, times, last_at) SELECT id, 1, now() FROM counted
    ON CONFLICT (order_id) DO UPDATE SET times = begun.times + 1, last_at = now()";

const END: &str = "UPDATE begun SET times = greatest(times - 1, 0) WHERE order_id = $1";

const BEGUN: &str = "
    SELECT times, (extract(epoch FROM now() - last_at) * 1000000)::bigint
    FROM begun WHERE order_id = $1 AND times > 0";

const STUCK: &str = "
    SELECT id, details, accepted_at, status, reason, finished_at
    FROM orders WHERE status = 'pending' AND accepted_at < now() - $1
    ORDER BY accepted_at, id LIMIT $2";

const COUNTS: &str = "
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'success') AS success,
           count(*) FILTER (WHERE status = 'rejected') AS rejected,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           (SELECT count(*) FROM outbox) AS outbox
    FROM orders";

/// Fails without the tables, and tells whether the server takes writes.
const PING: &str = "
    SELECT pg_is_in_recovery(), EXISTS (SELECT FROM orders), EXISTS (SELECT FROM outbox)";

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

    async fn finish(&self, decisions: &[Decision]) -> Result<Vec<Transition>, StoreError> {
        if decisions.is_empty() {
            return Ok(vec![]);
        }
        self.within_time(self.finish_batch(decisions)).await
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
        self.within_time(async {
            let mut pg = self.lend().await?;
            let rows: Vec<NewOrderRow> = self
                .query_as(CLAIM)
                .bind(rows::limit(limit))
                .bind(rows::interval(lease))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(rows.into_iter().map(NewOrderRow::read).collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn clear_outbox(&self, published: &[OrderId]) -> Result<(), StoreError> {
        if published.is_empty() {
            return Ok(());
        }
        self.within_time(async {
            let mut pg = self.lend().await?;
            self.query(CLEAR).bind(uuids(published.iter().copied())).execute(&mut *pg).await?;
            pg.done().await?;
            Ok(())
        })
        .await
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

    async fn counts(&self) -> Result<OrderCounts, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let counts: CountsRow = self.query_as(COUNTS).fetch_one(&mut *pg).await?;
            pg.done().await?;
            Ok(counts.read())
        })
        .await
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
        let created: Vec<Uuid> = self
            .query_scalar(INSERT)
            .bind(&columns.ids)
            .bind(&columns.details)
            .bind(&columns.accepted_at)
            .bind(rows::interval(lease))
            .bind(rows::interval(Watermark::LATE))
            .fetch_all(&mut *pg)
            .await?;
        let created: HashSet<_> = created.into_iter().map(OrderId::from).collect();
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

    /// Deletes the entries with a statement of their own: one statement sees the tables
    /// as they were when it began, and would miss the entry of an order for whose insert,
    /// or refill, it had to wait.
    async fn finish_batch(&self, decisions: &[Decision]) -> Result<Vec<Transition>, Error> {
        let firsts = batch::first_decisions(decisions);
        let ids = firsts.iter().map(|decision| decision.order.id);
        let mut pg = self.lend().await?;
        pg.begin().await?;
        let applied = self.write_decisions(&mut pg, &firsts).await?;
        let mut ended = HashMap::new();
        if applied.len() < firsts.len() {
            let others = uuids(ids.clone().filter(|id| !applied.contains(id)));
            let rows: Vec<EndedRow> =
                self.query_as(STATUSES).bind(others).fetch_all(&mut *pg).await?;
            ended = rows.into_iter().map(EndedRow::read).collect::<Result<_, _>>()?;
        }
        let settled = batch::settle(decisions, &applied, ended)?;
        if !settled.unwritten.is_empty() {
            let written = self.write_decisions(&mut pg, &settled.unwritten).await?;
            if let Some(lost) = settled.unwritten.iter().find(|d| !written.contains(&d.order.id)) {
                return Err(batch::lost(lost.order.id).into());
            }
        }
        self.query(CLEAR_ENDED).bind(uuids(ids)).execute(&mut *pg).await?;
        pg.done().await?;
        Ok(settled.transitions)
    }

    /// Writes the decisions that apply, and returns their orders.
    async fn write_decisions(
        &self,
        pg: &mut PgConnection,
        decisions: &[&Decision],
    ) -> Result<HashSet<OrderId>, Error> {
        let DecisionColumns { orders, statuses, reasons, redriven } =
            DecisionColumns::of(decisions);
        let applied: Vec<Uuid> = self
            .query_scalar(FINISH)
            .bind(&orders.ids)
            .bind(&orders.details)
            .bind(&orders.accepted_at)
            .bind(&statuses)
            .bind(&reasons)
            .bind(&redriven)
            .fetch_all(pg)
            .await?;
        Ok(applied.into_iter().map(OrderId::from).collect())
    }
}

pub(super) fn uuids(ids: impl Iterator<Item = OrderId>) -> Vec<Uuid> {
    ids.map(OrderId::as_uuid).collect()
}
