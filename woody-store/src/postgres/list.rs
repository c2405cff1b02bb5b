//! Pages of orders.

use sqlx::query::QueryAs;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;
use woody_core::domain::{Order, StatusName};
use woody_core::ports::{ListOf, OrderPage, OrderQuery};

use super::PostgresStore;
use super::error::Error;
use super::rows::{self, OrderRow};

/// Reads a page of one status, along the index that holds these orders in this order.
macro_rules! page_of {
    ($status:literal, $indexed:literal) => {
        concat!(
            "(SELECT id, details, accepted_at, trace, client, status, reason, finished_at
              FROM orders
              WHERE ($4::text IS NULL OR $4 = '",
            $status,
            "') AND status = '",
            $status,
            "' AND ",
            $indexed,
            "
                AND (accepted_at, id) > (coalesce($1::timestamptz, '-infinity'), $2)
                AND accepted_at < coalesce($3::timestamptz, 'infinity')
              ORDER BY accepted_at, id LIMIT $5)"
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
            " ORDER BY accepted_at, id LIMIT $5"
        )
    };
}

/// Of those that have ended, the index holds the ones that are not archived.
const LIST: &str = list!(pending: "true", ended: "details <> '{\"status\":\"archived\"}'");

/// The same of one client, whose orders have an index of their own.
const OF_CLIENT: &str = list!(
    pending: "client = $6 AND details <> '{\"status\":\"archived\"}'",
    ended: "client = $6 AND details <> '{\"status\":\"archived\"}'"
);

/// The same of those that are found by a text.
const FOUND_BY: &str = list!(
    pending: "found_by = $6 AND details <> '{\"status\":\"archived\"}'",
    ended: "found_by = $6 AND details <> '{\"status\":\"archived\"}'"
);

/// PostgreSQL's time begins before this, and every order is accepted after it.
const EARLIEST: OffsetDateTime = datetime!(-4000-01-01 0:00 UTC);

impl PostgresStore {
    pub(super) async fn page(&self, query: &OrderQuery) -> Result<OrderPage, Error> {
        let begin = query.begins_after();
        let mut pg = self.lend().await?;
        let list = match &query.of {
            None => LIST,
            Some(ListOf::Client(_)) => OF_CLIENT,
            Some(ListOf::FoundBy(_)) => FOUND_BY,
        };
        let asked = self
            .query_as(list)
            .bind(begin.map(|begin| begin.accepted_at().max(EARLIEST)))
            .bind(begin.map_or_else(Uuid::nil, |begin| begin.id().as_uuid()))
            .bind(query.ends_before().map(|end| end.max(EARLIEST)))
            .bind(query.status.map(StatusName::as_str))
            .bind(rows::limit(query.limit.get() + 1));
        let shared = query.of.as_ref().map(ListOf::as_str);
        let asked = shared.into_iter().fold(asked, QueryAs::bind);
        let rows: Vec<OrderRow> = asked.fetch_all(&mut *pg).await?;
        pg.done().await?;
        let orders: Result<Vec<Order<_>>, _> = rows.into_iter().map(OrderRow::read).collect();
        Ok(OrderPage::of(orders?, query.limit))
    }
}
