//! The queues that carry the store's orders.

use sqlx::{query, query_as};
use woody_core::domain::now;
use woody_core::ports::{QueueNote, QueueReading};

use super::SqliteStore;
use super::error::Error;
use super::rows;

const FORGET: &str = "DELETE FROM queues WHERE noted_at < ?1";

const NOTE: &str = "
    INSERT INTO queues (queue, noted_at, messages, read_after) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (queue) DO UPDATE
    SET noted_at = excluded.noted_at,
        messages = coalesce(excluded.messages, queues.messages),
        read_after = coalesce(excluded.read_after, queues.read_after)";

const OTHERS: &str = "SELECT queue, messages, read_after FROM queues WHERE queue <> ?1";

impl SqliteStore {
    pub(super) async fn note(
        &self,
        queue: &str,
        reading: Option<QueueReading>,
    ) -> Result<Vec<QueueNote>, Error> {
        let messages = |reading: QueueReading| i64::try_from(reading.messages).unwrap_or(i64::MAX);
        let forget = rows::micros_before_now(QueueNote::KEPT);
        let mut tx = self.write().await?;
        query(FORGET).bind(forget).execute(&mut *tx).await?;
        query(NOTE)
            .bind(queue)
            .bind(rows::to_micros(now()))
            .bind(reading.map(messages))
            .bind(reading.map(|reading| rows::to_micros(reading.read_after)))
            .execute(&mut *tx)
            .await?;
        let others: Vec<(String, Option<i64>, Option<i64>)> =
            query_as(OTHERS).bind(queue).fetch_all(&mut *tx).await?;
        self.commit(tx).await?;
        let note = |(queue, messages, read_after): (_, Option<i64>, Option<i64>)| QueueNote {
            queue,
            last: messages.zip(read_after).map(|(messages, read_after)| QueueReading {
                messages: u64::try_from(messages).unwrap_or(0),
                read_after: rows::time_at_most(read_after),
            }),
        };
        Ok(others.into_iter().map(note).collect())
    }
}
