use async_trait::async_trait;
use sqlx::query_as;
use woody_core::domain::{Label, Pause, Reason, now};
use woody_core::ports::{Pauses, StoreError};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, PauseRow};

/// Changes nothing about a pause that is there, and returns it.
const PAUSE: &str = "
    INSERT INTO pause (is_only, paused_at, by_whom, because) VALUES (1, ?1, ?2, ?3)
    ON CONFLICT (is_only) DO UPDATE SET paused_at = paused_at
    RETURNING paused_at, by_whom, because";

const RESUME: &str = "DELETE FROM pause RETURNING paused_at, by_whom, because";

const CURRENT: &str = "SELECT paused_at, by_whom, because FROM pause";

#[async_trait]
impl Pauses for SqliteStore {
    async fn pause(&self, by: &Label, because: Option<Reason>) -> Result<Pause, StoreError> {
        let pause = async {
            let mut tx = self.write().await?;
            let row: PauseRow = query_as(PAUSE)
                .bind(rows::to_micros(now()))
                .bind(by.as_str())
                .bind(because.as_ref().map(Reason::as_str))
                .fetch_one(&mut *tx)
                .await?;
            self.commit(tx).await?;
            Ok(row.read()?)
        };
        pause.await.map_err(|error: Error| error.0)
    }

    async fn resume(&self) -> Result<Option<Pause>, StoreError> {
        let resume = async {
            let mut tx = self.write().await?;
            let row: Option<PauseRow> = query_as(RESUME).fetch_optional(&mut *tx).await?;
            self.commit(tx).await?;
            Ok(row.map(PauseRow::read).transpose()?)
        };
        resume.await.map_err(|error: Error| error.0)
    }

    async fn current(&self) -> Result<Option<Pause>, StoreError> {
        let row: Option<PauseRow> = query_as(CURRENT)
            .fetch_optional(self.reading()?)
            .await
            .map_err(|error| Error::from(error).0)?;
        row.map(PauseRow::read).transpose()
    }
}
