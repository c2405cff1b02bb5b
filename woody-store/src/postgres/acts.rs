use async_trait::async_trait;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;
use woody_core::domain::{Act, ActId, ActResult, NewAct, OrderId, Reason};
use woody_core::ports::{ActLog, ActPage, ActQuery, StoreError};

use super::PostgresStore;
use super::rows::{self, ActRow};

const RECORD: &str = "
    INSERT INTO acts (id, at, by_whom, because, verb, order_id, target)
    VALUES ($1, clock_timestamp(), $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO NOTHING";

const CLOSE: &str = "UPDATE acts SET result = $2, told = $3 WHERE id = $1 AND result IS NULL";

/// Reads a page along the index that holds these acts in this order.
macro_rules! page_of {
    ($which:literal) => {
        concat!(
            "SELECT id, at, by_whom, because, verb, order_id, target, result, told
             FROM acts WHERE ",
            $which,
            " AND (at, id) < (coalesce($1::timestamptz, 'infinity'), $2)
              AND at >= coalesce($3::timestamptz, '-infinity')
              ORDER BY at DESC, id DESC LIMIT $4"
        )
    };
}

const ALL: &str = page_of!("$5::uuid IS NULL");
const OF_ORDER: &str = page_of!("order_id = $5");

/// PostgreSQL's time begins before this, and every act is done after it.
const EARLIEST: OffsetDateTime = datetime!(-4000-01-01 0:00 UTC);

#[async_trait]
impl ActLog for PostgresStore {
    async fn record(&self, act: &NewAct) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            self.query(RECORD)
                .bind(act.id.as_uuid())
                .bind(act.by.as_str())
                .bind(act.because.as_ref().map(Reason::as_str))
                .bind(act.verb.as_str())
                .bind(act.order.map(OrderId::as_uuid))
                .bind(act.target.as_str())
                .execute(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(())
        })
        .await
    }

    async fn close(&self, id: ActId, result: &ActResult) -> Result<(), StoreError> {
        self.within_time(async {
            let mut pg = self.lend().await?;
            self.query(CLOSE)
                .bind(id.as_uuid())
                .bind(result.as_str())
                .bind(result.told().map(Reason::as_str))
                .execute(&mut *pg)
                .await?;
            pg.done().await?;
            Ok(())
        })
        .await
    }

    async fn list(&self, query: &ActQuery) -> Result<ActPage, StoreError> {
        self.within_time(async {
            let after = query.after;
            let mut pg = self.lend().await?;
            let rows: Vec<ActRow> = self
                .query_as(if query.order.is_some() { OF_ORDER } else { ALL })
                .bind(after.map(|after| after.at().max(EARLIEST)))
                .bind(after.map_or_else(Uuid::max, |after| after.id().as_uuid()))
                .bind(query.reaches_to().map(|begin| begin.max(EARLIEST)))
                .bind(rows::limit(query.limit.get() + 1))
                .bind(query.order.map(OrderId::as_uuid))
                .fetch_all(&mut *pg)
                .await?;
            pg.done().await?;
            let acts: Result<Vec<Act>, StoreError> = rows.into_iter().map(ActRow::read).collect();
            Ok(ActPage::of(acts?, query.limit))
        })
        .await
    }
}
