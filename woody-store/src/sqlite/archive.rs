//! Orders that are archived: found along the index of those that are not, and replaced by a stub.

use std::time::Duration;

use sqlx::{query, query_as};
use uuid::Uuid;
use woody_core::domain::{Details, OrderId};
use woody_core::ports::{Archivable, OrderCursor, PageSize};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, EndedOrderRow};

/// Reads orders that ended so long ago with one status. Unless it is told so, SQLite does not know
/// that the index holds all of these.
macro_rules! old {
    ($status:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT id, details, accepted_at, trace, client, status, reason, finished_at
                 FROM orders
                 WHERE status = '",
            $status,
            "' AND status <> 'pending' AND details <> '{\"status\":\"archived\"}'
                   AND (accepted_at, id) > (?1, ?2) AND accepted_at < ?3
                 ORDER BY accepted_at, id LIMIT ?4
             )"
        )
    };
}

/// Of those that are looked at, each with whether somebody is still to be told. Subscriptions are
/// few, and lead to notices along their key.
const ARCHIVABLE: &str = concat!(
    "SELECT *, EXISTS (
         SELECT 1 FROM subscriptions JOIN notices ON subscription = name WHERE order_id = old.id
     ) AS waits
     FROM (",
    old!("success"),
    " UNION ALL ",
    old!("rejected"),
    " UNION ALL ",
    old!("cancelled"),
    " ORDER BY accepted_at, id LIMIT ?4) AS old ORDER BY accepted_at, id"
);

const ARCHIVE: &str = "
    UPDATE orders SET details = ?2
    WHERE id IN (SELECT unhex(value) FROM json_each(?1))
      AND status IN ('success', 'rejected', 'cancelled') AND details <> ?2
      AND NOT EXISTS (
          SELECT 1 FROM subscriptions JOIN notices ON subscription = name WHERE order_id = orders.id
      )";

impl SqliteStore {
    pub(super) async fn find_archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, Error> {
        let rows: Vec<EndedOrderRow> = query_as(ARCHIVABLE)
            .bind(after.map_or(i64::MIN, |after| rows::to_micros(after.accepted_at())))
            .bind(after.map_or_else(Uuid::nil, |after| after.id().as_uuid()))
            .bind(rows::micros_before_now(accepted_for))
            .bind(rows::limit(limit.get()))
            .fetch_all(self.reading()?)
            .await?;
        let looked_at: Result<_, _> = rows.into_iter().map(EndedOrderRow::read).collect();
        Ok(Archivable::of(looked_at?, limit))
    }

    pub(super) async fn archive_batch(&self, ids: &[OrderId]) -> Result<u64, Error> {
        let mut tx = self.write().await?;
        let ids = rows::id_list(ids.iter().copied());
        let archive = query(ARCHIVE).bind(ids).bind(Details::ARCHIVED);
        let archived = archive.execute(&mut *tx).await?.rows_affected();
        self.commit(tx).await?;
        Ok(archived)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;

    #[tokio::test]
    async fn what_may_be_archived_is_found_along_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("orders.db")).await.unwrap();
        let plan = query(concat!("EXPLAIN QUERY PLAN ", old!("success")))
            .bind(0)
            .bind(Uuid::nil())
            .bind(i64::MAX)
            .bind(10)
            .fetch_all(&store.readers)
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        let steps = steps.join("; ");
        let along = "SEARCH orders USING INDEX orders_kept (status=? AND (accepted_at,id)>(?,?)";
        assert!(steps.contains(along) && !steps.contains("TEMP B-TREE"), "{steps}");
    }
}
