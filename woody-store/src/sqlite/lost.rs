//! Finds orders that have lost their message.

use std::time::Duration;

use sqlx::{SqliteExecutor, query, query_scalar};
use woody_core::domain::{OrderId, now};
use woody_core::ports::Watermark;

use super::SqliteStore;
use super::error::Error;
use super::rows;

const OLDEST_ENTRY: &str = "SELECT min(accepted_at) FROM outbox";

const FORGET: &str = "DELETE FROM held WHERE held_at < ?1";

/// Subtracts two counts, since both are cheap: the first reads only `orders_pending`,
/// and the second begins at the few orders that are left out.
const UNACCOUNTED: &str = "
    SELECT (SELECT count(*) FROM (
                SELECT 1 FROM orders WHERE status = 'pending' AND accepted_at < ?1 LIMIT ?3
           ))
         - (SELECT count(*) FROM orders WHERE status = 'pending' AND accepted_at < ?1 AND id IN (
                SELECT order_id FROM held WHERE held_at >= ?2
                UNION
                SELECT order_id FROM outbox WHERE accepted_at < ?1
           ))";

const MARK: &str = "
    INSERT INTO held (order_id, held_at)
    SELECT unhex(value), ?2 FROM json_each(?1) WHERE true
    ON CONFLICT (order_id) DO UPDATE SET held_at = max(held_at, excluded.held_at)";

const FORGOTTEN: &str = "
    SELECT lower(hex(id)) FROM orders
    WHERE status = 'pending' AND accepted_at < ?1
      AND NOT EXISTS (SELECT 1 FROM outbox WHERE order_id = id)
      AND NOT EXISTS (SELECT 1 FROM held WHERE order_id = id AND held_at >= ?2)
    ORDER BY accepted_at, id LIMIT ?3";

const REFILL: &str = "
    INSERT INTO outbox (order_id, accepted_at, lease_until)
    SELECT orders.id, accepted_at, ?2 FROM json_each(?1) JOIN orders ON orders.id = unhex(value)";

impl SqliteStore {
    pub(super) async fn read_watermark(&self, age: Duration) -> Result<Watermark, Error> {
        let forget = rows::micros_before_now(Watermark::MARKS_KEPT);
        let mut tx = self.write().await?;
        query(FORGET).bind(forget).execute(&mut *tx).await?;
        self.commit(tx).await?;
        let before = rows::micros_before_now(age);
        let unmarked_since = rows::micros_before_now(Watermark::LONGEST_WRITE);
        let oldest: Option<i64> = query_scalar(OLDEST_ENTRY).fetch_one(&self.readers).await?;
        Ok(Watermark {
            accepted_before: rows::time_at_most(oldest.map_or(before, |at| at.min(before))),
            unmarked_since: rows::time_at_most(unmarked_since),
        })
    }

    pub(super) async fn count_unaccounted(
        &self,
        watermark: &Watermark,
        most: u64,
    ) -> Result<u64, Error> {
        unaccounted(&self.readers, watermark, most).await
    }

    pub(super) async fn mark(&self, ids: &[OrderId]) -> Result<(), Error> {
        let ids = rows::id_list(ids.iter().copied());
        let mut tx = self.write().await?;
        query(MARK).bind(ids).bind(rows::to_micros(now())).execute(&mut *tx).await?;
        self.commit(tx).await
    }

    /// Marks an order that may kill its worker.
    pub(super) async fn mark_dying(db: impl SqliteExecutor<'_>, id: OrderId) -> Result<(), Error> {
        let until = rows::to_micros(now() + Watermark::DYING);
        query(MARK).bind(rows::id_list(std::iter::once(id))).bind(until).execute(db).await?;
        Ok(())
    }

    pub(super) async fn refill(
        &self,
        watermark: &Watermark,
        messages: u64,
        limit: usize,
    ) -> Result<u64, Error> {
        let mut tx = self.write().await?;
        let most = messages.saturating_add(limit as u64);
        let missing = unaccounted(&mut *tx, watermark, most).await?.saturating_sub(messages);
        let forgotten: Vec<String> = query_scalar(FORGOTTEN)
            .bind(rows::to_micros(watermark.accepted_before))
            .bind(rows::to_micros(watermark.unmarked_since))
            .bind(rows::limit(usize::try_from(missing).unwrap_or(usize::MAX).min(limit)))
            .fetch_all(&mut *tx)
            .await?;
        let (ids, now) = (rows::json(&forgotten), rows::to_micros(now()));
        query(REFILL).bind(&ids).bind(now).execute(&mut *tx).await?;
        query(MARK).bind(&ids).bind(now).execute(&mut *tx).await?;
        self.commit(tx).await?;
        Ok(forgotten.len() as u64)
    }
}

async fn unaccounted(
    db: impl SqliteExecutor<'_>,
    watermark: &Watermark,
    most: u64,
) -> Result<u64, Error> {
    let counted: i64 = query_scalar(UNACCOUNTED)
        .bind(rows::to_micros(watermark.accepted_before))
        .bind(rows::to_micros(watermark.unmarked_since))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_one(db)
        .await?;
    // More may be left out than were counted up to the limit.
    Ok(u64::try_from(counted).unwrap_or(0))
}
