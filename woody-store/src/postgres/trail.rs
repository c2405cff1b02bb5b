//! What the stories of orders are told from.

use std::collections::HashMap;

use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;
use woody_core::domain::{FailedAttempt, OrderId};
use woody_core::ports::{KeptAttempt, OrderTrail, Publishing};

use super::PostgresStore;
use super::error::Error;
use super::orders::uuids;
use super::rows::OrderRow;
use super::stamp::Stamp;
use crate::row::row;
use crate::rows::AttemptRow;
use crate::trail;

/// How many entries of the outbox are looked through for an order: those that were accepted
/// just before it. Its own is nearly always the first.
const ENTRIES: i64 = 200;

const TRAIL: &str = "
    WITH asked AS MATERIALIZED (
        SELECT id, details, accepted_at, trace, client, status, reason, finished_at, trail
        FROM orders WHERE id = $1
    ), entries AS MATERIALIZED (
        SELECT orders FROM outbox
        WHERE accepted_at <= (SELECT accepted_at FROM asked WHERE status = 'pending')
        ORDER BY accepted_at DESC, order_id DESC LIMIT $2
    )
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at, trail,
           EXISTS (SELECT FROM entries WHERE asked.id = ANY(entries.orders)) AS waits,
           (SELECT count(*) FROM entries) AS looked_through
    FROM asked";

const ATTEMPTS: &str = "
    SELECT order_id, at, what, times, validation, reason FROM failed_attempts
    WHERE order_id = $1 ORDER BY at LIMIT $2";

const LAST_ATTEMPTS: &str = "
    SELECT DISTINCT ON (order_id) order_id, at, what, times, validation, reason,
           count(*) OVER (PARTITION BY order_id) AS attempts
    FROM failed_attempts WHERE order_id = ANY($1) ORDER BY order_id, at DESC";

/// Rows come by order and time. What another caller has counted further stays.
const WRITE_ATTEMPTS: &str = "
    INSERT INTO failed_attempts AS there (order_id, at, what, times, validation, reason)
    SELECT * FROM unnest(
        $1::uuid[], $2::timestamptz[], $3::text[], $4::integer[], $5::text[], $6::text[]
    )
    ON CONFLICT (order_id, at) DO UPDATE
    SET times = excluded.times, validation = excluded.validation, reason = excluded.reason
    WHERE there.times < excluded.times";

row! {
    /// An order with what is kept beside it.
    struct TrailRow of PgRow {
        ..order: OrderRow,
        trail: Option<String>,
        waits: bool,
        looked_through: i64,
    }
}

row! {
    /// A failed attempt.
    struct TimedAttemptRow of PgRow {
        ..attempt: AttemptRow,
        at: Stamp,
    }
}

row! {
    /// The last attempt of an order, and how many there are.
    struct LastAttemptRow of PgRow {
        ..last: TimedAttemptRow,
        attempts: i64,
    }
}

impl PostgresStore {
    pub(super) async fn read_trail(&self, id: OrderId) -> Result<Option<OrderTrail>, Error> {
        let mut pg = self.lend().await?;
        let row: Option<TrailRow> =
            self.query_as(TRAIL).bind(id.as_uuid()).bind(ENTRIES).fetch_optional(&mut *pg).await?;
        let attempts: Vec<TimedAttemptRow> = self
            .query_as(ATTEMPTS)
            .bind(id.as_uuid())
            .bind(crate::rows::limit(OrderTrail::MOST_ATTEMPTS))
            .fetch_all(&mut *pg)
            .await?;
        pg.done().await?;
        let Some(TrailRow { order, trail: column, waits, looked_through }) = row else {
            return Ok(None);
        };
        let order = order.read()?;
        let publishing = match waits {
            true => Publishing::Waits,
            false if looked_through < ENTRIES => Publishing::Done,
            false => Publishing::Unknown,
        };
        let ended = trail::read(column.as_deref(), &order.status)?;
        let attempts = attempts.into_iter().map(|row| row.attempt.read(row.at.0));
        Ok(Some(trail::trail(order, ended, publishing, attempts.collect::<Result<_, _>>()?)))
    }

    pub(super) async fn keep_failed(&self, attempts: &[FailedAttempt]) -> Result<(), Error> {
        let mut pg = self.lend().await?;
        self.write_attempts(&mut pg, attempts).await?;
        pg.done().await
    }

    /// Writes attempts, those that repeat the last one of their order with that one.
    pub(super) async fn write_attempts(
        &self,
        pg: &mut PgConnection,
        attempts: &[FailedAttempt],
    ) -> Result<(), Error> {
        let ids = uuids(attempts.iter().map(|attempt| attempt.order));
        let last: Vec<LastAttemptRow> =
            self.query_as(LAST_ATTEMPTS).bind(ids).fetch_all(&mut *pg).await?;
        let mut there = HashMap::with_capacity(last.len());
        for LastAttemptRow { last, attempts } in last {
            let kept = last.attempt.read(last.at.0)?;
            let count = usize::try_from(attempts).unwrap_or(usize::MAX);
            there.insert(kept.order(), (count, kept));
        }
        let rows = trail::to_write(attempts, there);
        let column = |text: fn(&KeptAttempt) -> String| rows.iter().map(text).collect::<Vec<_>>();
        self.query(WRITE_ATTEMPTS)
            .bind(rows.iter().map(|row| row.order().as_uuid()).collect::<Vec<Uuid>>())
            .bind(rows.iter().map(|row| row.first_at).collect::<Vec<OffsetDateTime>>())
            .bind(column(|row| row.failed.then.as_str().to_owned()))
            .bind(rows.iter().map(|row| crate::rows::times(row.times)).collect::<Vec<i32>>())
            .bind(column(|row| row.failed.validation.to_string()))
            .bind(column(|row| row.failed.reason.to_string()))
            .execute(pg)
            .await?;
        Ok(())
    }
}
