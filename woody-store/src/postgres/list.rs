//! Pages of orders.

use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;
use woody_core::domain::{Order, StatusName};
use woody_core::ports::{OrderPage, OrderQuery};

use super::PostgresStore;
use super::error::Error;
use super::rows::{self, OrderRow};

/// Reads a page of one status, along the index that holds these orders in this order: of those
/// that have ended, it holds the ones that are not archived.
macro_rules! page_of {
    (pending) => {
        page_of!("pending", "true")
    };
    ($ended:literal) => {
        page_of!($ended, "details <> '{\"status\":\"archived\"}'")
    };
    ($status:literal, $indexed:literal) => {
        concat!(
            "(SELECT id, details, accepted_at, trace, status, reason, finished_at
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
    " ORDER BY accepted_at, id LIMIT $5"
);

/// PostgreSQL's time begins before this, and every order is accepted after it.
const EARLIEST: OffsetDateTime = datetime!(-4000-01-01 0:00 UTC);

impl PostgresStore {
    pub(super) async fn page(&self, query: &OrderQuery) -> Result<OrderPage, Error> {
        let begin = query.begins_after();
        let mut pg = self.lend().await?;
        let rows: Vec<OrderRow> = self
            .query_as(LIST)
            .bind(begin.map(|begin| begin.accepted_at().max(EARLIEST)))
            .bind(begin.map_or_else(Uuid::nil, |begin| begin.id().as_uuid()))
            .bind(query.ends_before().map(|end| end.max(EARLIEST)))
            .bind(query.status.map(StatusName::as_str))
            .bind(rows::limit(query.limit.get() + 1))
            .fetch_all(&mut *pg)
            .await?;
        pg.done().await?;
        let orders: Result<Vec<Order<_>>, _> = rows.into_iter().map(OrderRow::read).collect();
        Ok(OrderPage::of(orders?, query.limit))
    }
}
