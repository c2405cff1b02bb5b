//! The queues that carry the store's orders.

use time::OffsetDateTime;
use woody_core::ports::{QueueNote, QueueReading};

use super::PostgresStore;
use super::error::Error;
use super::rows;

/// One that another is noting just now is not deleted.
const NOTE: &str = "
    WITH gone AS (
        DELETE FROM queues WHERE queue IN (
            SELECT queue FROM queues WHERE noted_at < now() - $4 AND queue <> $1
            FOR UPDATE SKIP LOCKED
        )
    ), noted AS (
        INSERT INTO queues (queue, noted_at, messages, read_after) VALUES ($1, now(), $2, $3)
        ON CONFLICT (queue) DO UPDATE
        SET noted_at = now(),
            messages = coalesce(excluded.messages, queues.messages),
            read_after = coalesce(excluded.read_after, queues.read_after)
    )
    SELECT queue, messages, read_after FROM queues
    WHERE noted_at >= now() - $4 AND queue <> $1";

impl PostgresStore {
    pub(super) async fn note(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, Error> {
        let mut pg = self.lend().await?;
        let messages = |reading: QueueReading| i64::try_from(reading.messages).unwrap_or(i64::MAX);
        let others: Vec<(String, Option<i64>, Option<OffsetDateTime>)> = self
            .query_as(NOTE)
            .bind(queue)
            .bind(reading.map(messages))
            .bind(reading.map(|reading| reading.read_after))
            .bind(rows::interval(QueueNote::KEPT))
            .fetch_all(&mut *pg)
            .await?;
        pg.done().await?;
        let note = |(queue, messages, read_after): (_, Option<i64>, Option<_>)| QueueNote {
            queue,
            last: messages.zip(read_after).map(|(messages, read_after)| QueueReading {
                messages: u64::try_from(messages).unwrap_or(0),
                read_after,
            }),
        };
        Ok(others.into_iter().map(note).collect())
    }
}
