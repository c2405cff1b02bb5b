//! What the stories of orders are told from.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, query, query_as};
use woody_core::domain::{FailedAttempt, OrderId, Reason};
use woody_core::ports::{OrderTrail, Publishing};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, OrderRow};
use crate::row::row;
use crate::rows::AttemptRow;
use crate::trail;

const TRAIL: &str = "
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at, trail,
           EXISTS (SELECT 1 FROM outbox WHERE order_id = id) AS waits
    FROM orders WHERE id = ?1";

const ATTEMPTS: &str = "
    SELECT order_id, at, what, times, validation, reason FROM failed_attempts
    WHERE order_id = ?1 ORDER BY at LIMIT ?2";

const LAST_ATTEMPT: &str = "
    SELECT order_id, at, what, times, validation, reason,
           (SELECT count(*) FROM failed_attempts WHERE order_id = ?1) AS attempts
    FROM failed_attempts WHERE order_id = ?1 ORDER BY at DESC LIMIT 1";

const WRITE_ATTEMPT: &str = "
    INSERT INTO failed_attempts (order_id, at, what, times, validation, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (order_id, at) DO UPDATE
    SET times = excluded.times, validation = excluded.validation, reason = excluded.reason
    WHERE times < excluded.times";

row! {
    /// An order with what is kept beside it.
    struct TrailRow of SqliteRow {
        ..order: OrderRow,
        trail: Option<String>,
        waits: bool,
    }
}

row! {
    /// A failed attempt.
    struct TimedAttemptRow of SqliteRow {
        ..attempt: AttemptRow,
        at: i64,
    }
}

row! {
    /// The last attempt of an order, and how many there are.
    struct LastAttemptRow of SqliteRow {
        ..last: TimedAttemptRow,
        attempts: i64,
    }
}

impl SqliteStore {
    pub(super) async fn read_trail(&self, id: OrderId) -> Result<Option<OrderTrail>, Error> {
        let row: Option<TrailRow> =
            query_as(TRAIL).bind(id.as_uuid()).fetch_optional(self.reading()?).await?;
        let attempts: Vec<TimedAttemptRow> = query_as(ATTEMPTS)
            .bind(id.as_uuid())
            .bind(rows::limit(OrderTrail::MOST_ATTEMPTS))
            .fetch_all(self.reading()?)
            .await?;
        let Some(TrailRow { order, trail: column, waits }) = row else { return Ok(None) };
        let order = order.read()?;
        let publishing = if waits { Publishing::Waits } else { Publishing::Done };
        let ended = trail::read(column.as_deref(), &order.status)?;
        let attempts = attempts.into_iter().map(|row| row.attempt.read(rows::from_micros(row.at)?));
        Ok(Some(trail::trail(order, ended, publishing, attempts.collect::<Result<_, _>>()?)))
    }
}

/// Writes attempts, those that repeat the last one of their order with that one.
pub(super) async fn write_attempts(
    tx: &mut SqliteConnection,
    attempts: &[FailedAttempt],
) -> Result<(), Error> {
    let mut there = HashMap::new();
    for attempt in attempts {
        let last: Option<LastAttemptRow> =
            query_as(LAST_ATTEMPT).bind(attempt.order.as_uuid()).fetch_optional(&mut *tx).await?;
        if let Some(LastAttemptRow { last, attempts }) = last {
            let kept = last.attempt.read(rows::from_micros(last.at)?)?;
            there.insert(kept.order(), (usize::try_from(attempts).unwrap_or(usize::MAX), kept));
        }
    }
    for row in trail::to_write(attempts, there) {
        query(WRITE_ATTEMPT)
            .bind(row.order().as_uuid())
            .bind(rows::to_micros(row.first_at))
            .bind(row.failed.then.as_str())
            .bind(crate::rows::times(row.times))
            .bind(row.failed.validation.to_string())
            .bind(Reason::as_str(&row.failed.reason))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
