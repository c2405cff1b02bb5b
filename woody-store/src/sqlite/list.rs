//! Pages of orders.

use sqlx::query_as;
use uuid::Uuid;
use woody_core::domain::{Order, StatusName};
use woody_core::ports::{OrderPage, OrderQuery};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, OrderRow};

/// Reads a page of one status, along the index that holds these orders in this order.
macro_rules! page_of {
    (pending) => {
        page_of!("pending", "status = 'pending'")
    };
    ($ended:literal) => {
        // The index holds those that are not archived. Unless it is told so, SQLite does not know
        // that it holds all of these.
        page_of!($ended, "status <> 'pending' AND details <> '{\"status\":\"archived\"}'")
    };
    ($status:literal, $indexed:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT id, details, accepted_at, trace, status, reason, finished_at
                 FROM orders
                 WHERE (?4 IS NULL OR ?4 = '",
            $status,
            "') AND status = '",
            $status,
            "'
                   AND ",
            $indexed,
            "
                   AND (accepted_at, id) > (?1, ?2) AND accepted_at < ?3
                 ORDER BY accepted_at, id LIMIT ?5
             )"
        )
    };
}

/// Merges the pages of all statuses: it reads no more than five pages.
const LIST: &str = concat!(
    page_of!(pending),
    " UNION ALL ",
    page_of!("success"),
    " UNION ALL ",
    page_of!("rejected"),
    " UNION ALL ",
    page_of!("failed"),
    " UNION ALL ",
    page_of!("cancelled"),
    " ORDER BY accepted_at, id LIMIT ?5"
);

impl SqliteStore {
    pub(super) async fn page(&self, query: &OrderQuery) -> Result<OrderPage, Error> {
        let begin = query.begins_after();
        let rows: Vec<OrderRow> = query_as(LIST)
            .bind(begin.map_or(i64::MIN, |begin| rows::to_micros(begin.accepted_at())))
            .bind(begin.map_or_else(Uuid::nil, |begin| begin.id().as_uuid()))
            .bind(query.ends_before().map_or(i64::MAX, rows::to_micros))
            .bind(query.status.map(StatusName::as_str))
            .bind(rows::limit(query.limit.get() + 1))
            .fetch_all(self.reading()?)
            .await?;
        let orders: Result<Vec<Order<_>>, _> = rows.into_iter().map(OrderRow::read).collect();
        Ok(OrderPage::of(orders?, query.limit))
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;
    use woody_core::domain::now;

    use super::*;

    #[tokio::test]
    async fn a_page_is_read_along_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("orders.db")).await.unwrap();
        let plan = sqlx::query(concat!("EXPLAIN QUERY PLAN ", page_of!("success")))
            .bind(rows::to_micros(now()))
            .bind(Uuid::nil())
            .bind(i64::MAX)
            .bind(None::<&str>)
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
