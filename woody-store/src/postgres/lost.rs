//! Finds orders that have lost their message.

use std::time::Duration;

use sqlx::PgConnection;
use woody_core::domain::OrderId;
use woody_core::ports::Watermark;

use super::PostgresStore;
use super::error::Error;
use super::orders::uuids;
use super::rows::{self, WatermarkRow};

const WATERMARK: &str = "
    SELECT least(now() - $1, (SELECT min(accepted_at) FROM outbox)) AS accepted_before,
           now() - $2 AS unmarked_since";

const FORGET: &str = "DELETE FROM held WHERE held_at < now() - $1";

/// Subtracts two counts, since both are cheap: the first reads only `orders_pending`,
/// and the second begins at the few orders that are left out.
const UNACCOUNTED: &str = "
    SELECT (SELECT count(*) FROM (
                SELECT FROM orders WHERE status = 'pending' AND accepted_at < $1 LIMIT $3
           ) AS old)
         - (SELECT count(*) FROM orders WHERE status = 'pending' AND accepted_at < $1 AND id IN (
                SELECT order_id FROM held WHERE held_at >= $2
                UNION
                SELECT unnest(orders) FROM outbox WHERE accepted_at < $1
           ))";

/// By ascending id: callers that mark the same orders cannot deadlock.
const MARK: &str = "
    INSERT INTO held (order_id, held_at)
    SELECT DISTINCT id, now() FROM unnest($1::uuid[]) AS marked (id) ORDER BY id
    ON CONFLICT (order_id) DO UPDATE SET held_at = greatest(held.held_at, excluded.held_at)";

/// Allows one refill at a time in a schema, so that each counts what others have left.
const TAKE_TURN: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('woody refill ' || current_schema(), 0))";

/// Locks the orders, so that none of them ends meanwhile. An order that is locked already
/// is about to end.
const REFILL: &str = "
    WITH forgotten AS (
        SELECT id, accepted_at FROM orders
        WHERE status = 'pending' AND accepted_at < $1
          AND id NOT IN (SELECT unnest(orders) FROM outbox WHERE accepted_at < $1)
          AND NOT EXISTS (SELECT FROM held WHERE order_id = id AND held_at >= $2)
        ORDER BY accepted_at, id LIMIT $3
        FOR UPDATE SKIP LOCKED
    ), marked AS (
        INSERT INTO held (order_id, held_at)
        SELECT id, now() FROM forgotten
        ON CONFLICT (order_id) DO UPDATE SET held_at = greatest(held.held_at, excluded.held_at)
    ), numbered AS (
        SELECT id, accepted_at, (row_number() OVER (ORDER BY accepted_at, id) - 1) / 100 AS entry
        FROM forgotten
    ), written AS (
        INSERT INTO outbox (order_id, accepted_at, lease_until, orders)
        SELECT (array_agg(id))[1], min(accepted_at), now(), array_agg(id)
        FROM numbered GROUP BY entry
    )
    SELECT count(*) FROM forgotten";

impl PostgresStore {
    pub(super) async fn read_watermark(&self, age: Duration) -> Result<Watermark, Error> {
        let mut pg = self.lend().await?;
        self.query(FORGET).bind(rows::interval(Watermark::MARKS_KEPT)).execute(&mut *pg).await?;
        let row: WatermarkRow = self
            .query_as(WATERMARK)
            .bind(rows::interval(age))
            .bind(rows::interval(Watermark::LONGEST_WRITE))
            .fetch_one(&mut *pg)
            .await?;
        pg.done().await?;
        Ok(row.read())
    }

    pub(super) async fn count_unaccounted(
        &self,
        watermark: &Watermark,
        most: u64,
    ) -> Result<u64, Error> {
        let mut pg = self.lend().await?;
        let counted = self.unaccounted(&mut pg, watermark, most).await?;
        pg.done().await?;
        Ok(counted)
    }

    pub(super) async fn mark(&self, ids: &[OrderId]) -> Result<(), Error> {
        let mut pg = self.lend().await?;
        self.query(MARK).bind(uuids(ids.iter().copied())).execute(&mut *pg).await?;
        pg.done().await?;
        Ok(())
    }

    pub(super) async fn refill(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, Error> {
        let mut pg = self.lend().await?;
        pg.begin().await?;
        self.query(TAKE_TURN).execute(&mut *pg).await?;
        let most = messages.saturating_add(limit as u64);
        let missing = self.unaccounted(&mut pg, watermark, most).await?.saturating_sub(messages);
        let refilled: i64 = self
            .query_scalar(REFILL)
            .bind(watermark.accepted_before)
            .bind(watermark.unmarked_since)
            .bind(rows::limit(usize::try_from(missing).unwrap_or(usize::MAX).min(limit)))
            .fetch_one(&mut *pg)
            .await?;
        pg.done().await?;
        Ok(u64::try_from(refilled).unwrap_or(0))
    }

    async fn unaccounted(
        &self,
        pg: &mut PgConnection,
        watermark: &Watermark,
        most: u64,
    ) -> Result<u64, Error> {
        let counted: i64 = self
            .query_scalar(UNACCOUNTED)
            .bind(watermark.accepted_before)
            .bind(watermark.unmarked_since)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_one(pg)
            .await?;
        // More may be left out than were counted up to the limit.
        Ok(u64::try_from(counted).unwrap_or(0))
    }
}
