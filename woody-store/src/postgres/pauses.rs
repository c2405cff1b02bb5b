use async_trait::async_trait;
use woody_core::domain::{Label, Pause, Reason};
use woody_core::ports::{Pauses, StoreError};

use super::PostgresStore;
use super::rows::PauseRow;

/// Changes nothing about a pause that is there, and returns it.
const PAUSE: &str = "
    INSERT INTO pause (paused_at, by_whom, because) VALUES (clock_timestamp(), $1, $2)
    ON CONFLICT (is_only) DO UPDATE SET paused_at = pause.paused_at
    RETURNING paused_at, by_whom, because";

const RESUME: &str = "DELETE FROM pause RETURNING paused_at, by_whom, because";

const CURRENT: &str = "SELECT paused_at, by_whom, because FROM pause";

#[async_trait]
impl Pauses for PostgresStore {
    async fn pause(&self, by: &Label, because: Option<Reason>) -> Result<Pause, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row: PauseRow = self
                .query_as(PAUSE)
                .bind(by.as_str())
                .bind(because.as_ref().map(Reason::as_str))
                .fetch_one(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(row.read())
        })
        .await
    }

    async fn resume(&self) -> Result<Option<Pause>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row: Option<PauseRow> = self.query_as(RESUME).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            Ok(row.map(PauseRow::read))
        })
        .await
    }

    async fn current(&self) -> Result<Option<Pause>, StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            let row: Option<PauseRow> = self.query_as(CURRENT).fetch_optional(&mut *pg).await?;
            pg.done().await?;
            Ok(row.map(PauseRow::read))
        })
        .await
    }
}
