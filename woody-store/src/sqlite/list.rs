//! Pages of orders.

use sqlx::query::QueryAs;
use sqlx::query_as;
use uuid::Uuid;
use woody_core::domain::{Order, StatusName};
use woody_core::ports::{ListOf, OrderPage, OrderQuery};

use super::SqliteStore;
use super::error::Error;
use super::rows::{self, OrderRow};

/// Reads a page of one status, along the index that holds these orders in this order.
macro_rules! page_of {
    ($status:literal, $indexed:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT id, details, accepted_at, trace, client, status, reason, finished_at
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
macro_rules! list {
    (pending: $pending:literal, ended: $ended:literal) => {
        concat!(
            page_of!("pending", $pending),
            " UNION ALL ",
            page_of!("success", $ended),
            " UNION ALL ",
            page_of!("rejected", $ended),
            " UNION ALL ",
            page_of!("failed", $ended),
            " UNION ALL ",
            page_of!("cancelled", $ended),
            " ORDER BY accepted_at, id LIMIT ?5"
        )
    };
}

/// Of those that have ended, the index holds the ones that are not archived. Unless it is told so, SQLite does not know that
/// it holds all of these.
const LIST: &str = list!(
    pending: "status = 'pending'",
    ended: "status <> 'pending' AND details <> '{\"status\":\"archived\"}'"
);

/// The same of one client, whose orders have an index of their own.
const OF_CLIENT: &str = list!(
    pending: "client = ?6 AND details <> '{\"status\":\"archived\"}'",
    ended: "client = ?6 AND details <> '{\"status\":\"archived\"}'"
);

/// The same of those that are found by a text.
const FOUND_BY: &str = list!(
    pending: "found_by = ?6 AND details <> '{\"status\":\"archived\"}'",
    ended: "found_by = ?6 AND details <> '{\"status\":\"archived\"}'"
);

impl SqliteStore {
    pub(super) async fn page(&self, query: &OrderQuery) -> Result<OrderPage, Error> {
        let begin = query.begins_after();
        let list = match &query.of {
            None => LIST,
            Some(ListOf::Client(_)) => OF_CLIENT,
            Some(ListOf::FoundBy(_)) => FOUND_BY,
        };
        let asked = query_as(list)
            .bind(begin.map_or(i64::MIN, |begin| rows::to_micros(begin.accepted_at())))
            .bind(begin.map_or_else(Uuid::nil, |begin| begin.id().as_uuid()))
            .bind(query.ends_before().map_or(i64::MAX, rows::to_micros))
            .bind(query.status.map(StatusName::as_str))
            .bind(rows::limit(query.limit.get() + 1));
        let shared = query.of.as_ref().map(ListOf::as_str);
        let asked = shared.into_iter().fold(asked, QueryAs::bind);
        let rows: Vec<OrderRow> = asked.fetch_all(self.reading()?).await?;
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
        for (list, index) in [
            (LIST, "orders_kept (status=? AND (accepted_at,id)>(?,?)"),
            (OF_CLIENT, "orders_of_client (client=? AND status=? AND (accepted_at,id)>(?,?)"),
            (FOUND_BY, "orders_found_by (found_by=? AND status=? AND (accepted_at,id)>(?,?)"),
        ] {
            let asked = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {list}")))
                .bind(rows::to_micros(now()))
                .bind(Uuid::nil())
                .bind(i64::MAX)
                .bind(None::<&str>)
                .bind(10);
            let asked = if list == LIST { asked } else { asked.bind("acme") };
            let plan = asked.fetch_all(&store.readers).await.unwrap();
            let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
            let along = format!("SEARCH orders USING INDEX {index}");
            let searched: Vec<_> = steps.iter().filter(|step| step.contains("orders")).collect();
            let of_ended = searched.iter().filter(|step| step.contains(&along)).count();
            assert!(
                of_ended >= 4 && searched.iter().all(|step| step.contains("INDEX")),
                "{steps:?}"
            );
        }
    }
}
