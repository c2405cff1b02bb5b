use async_trait::async_trait;
use sqlx::{query, query_as};
use uuid::Uuid;
use woody_core::domain::{Act, ActId, ActResult, NewAct, OrderId, Reason};
use woody_core::ports::{ActLog, ActPage, ActQuery, StoreError};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, ActRow};

const RECORD: &str = "
    INSERT INTO acts (id, at, by_whom, because, verb, order_id, target)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (id) DO NOTHING";

const CLOSE: &str = "UPDATE acts SET result = ?2, told = ?3 WHERE id = ?1 AND result IS NULL";

/// Reads a page along the index that holds these acts in this order.
macro_rules! page_of {
    ($which:literal) => {
        concat!(
            "SELECT id, at, by_whom, because, verb, order_id, target, result, told
             FROM acts WHERE ",
            $which,
            " AND (at, id) < (?1, ?2) AND at >= ?3 ORDER BY at DESC, id DESC LIMIT ?4"
        )
    };
}

const ALL: &str = page_of!("?5 IS NULL");
const OF_ORDER: &str = page_of!("order_id = ?5");

#[async_trait]
impl ActLog for SqliteStore {
    async fn record(&self, act: &NewAct) -> Result<(), StoreError> {
        let record = async {
            let mut tx = self.write().await?;
            query(RECORD)
                .bind(act.id.as_uuid())
                .bind(rows::to_micros(woody_core::domain::now()))
                .bind(act.by.as_str())
                .bind(act.because.as_ref().map(Reason::as_str))
                .bind(act.verb.as_str())
                .bind(act.order.map(OrderId::as_uuid))
                .bind(act.target.as_str())
                .execute(&mut *tx)
                .await?;
            self.commit(tx).await
        };
        record.await.map_err(|error: Error| error.0)
    }

    async fn close(&self, id: ActId, result: &ActResult) -> Result<(), StoreError> {
        let close = async {
            let mut tx = self.write().await?;
            query(CLOSE)
                .bind(id.as_uuid())
                .bind(result.as_str())
                .bind(result.told().map(Reason::as_str))
                .execute(&mut *tx)
                .await?;
            self.commit(tx).await
        };
        close.await.map_err(|error: Error| error.0)
    }

    async fn list(&self, query: &ActQuery) -> Result<ActPage, StoreError> {
        let read = async {
            let after = query.after;
            let rows: Vec<ActRow> = query_as(if query.order.is_some() { OF_ORDER } else { ALL })
                .bind(after.map_or(i64::MAX, |after| rows::to_micros(after.at())))
                .bind(after.map_or_else(Uuid::max, |after| after.id().as_uuid()))
                .bind(query.reaches_to().map_or(i64::MIN, rows::to_micros))
                .bind(rows::limit(query.limit.get() + 1))
                .bind(query.order.map(OrderId::as_uuid))
                .fetch_all(self.reading()?)
                .await?;
            let acts: Result<Vec<Act>, _> = rows.into_iter().map(ActRow::read).collect();
            Ok(ActPage::of(acts?, query.limit))
        };
        read.await.map_err(|error: Error| error.0)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;

    #[tokio::test]
    async fn a_page_of_acts_is_read_along_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("orders.db")).await.unwrap();
        for (sql, along) in [
            (ALL, "SEARCH acts USING INDEX acts_newest (at>? AND (at,id)<(?,?)"),
            (
                OF_ORDER,
                "SEARCH acts USING INDEX acts_of_order (order_id=? AND at>? AND (at,id)<(?,?)",
            ),
        ] {
            let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan = query(explain)
                .bind(i64::MAX)
                .bind(Uuid::max())
                .bind(i64::MIN)
                .bind(10)
                .bind(None::<Uuid>)
                .fetch_all(&store.readers)
                .await
                .unwrap();
            let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            let steps = steps.join("; ");
            assert!(steps.contains(along) && !steps.contains("TEMP B-TREE"), "{steps}");
        }
    }
}
