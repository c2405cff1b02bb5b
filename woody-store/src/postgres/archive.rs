//! Orders that are archived: found along the index of those that are not, and replaced by a stub.

use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;
use woody_core::domain::{Details, OrderId};
use woody_core::ports::{Archivable, OrderCursor, PageSize};

use super::PostgresStore;
use super::error::Error;
use super::orders::uuids;
use super::rows::{self, EndedOrderRow};

/// Reads orders that ended so long ago with one status.
macro_rules! old {
    ($status:literal) => {
        concat!(
            "(SELECT id, details, accepted_at, trace, client, status, reason, finished_at
              FROM orders
              WHERE status = '",
            $status,
            "' AND details <> '{\"status\":\"archived\"}'
                AND (accepted_at, id) > (coalesce($1::timestamptz, '-infinity'), $2)
                AND accepted_at < now() - $3
              ORDER BY accepted_at, id LIMIT $4)"
        )
    };
}

/// Of those that are looked at, each with whether somebody is still to be told. Subscriptions are
/// few, and lead to notices along their key.
const ARCHIVABLE: &str = concat!(
    "SELECT old.*, EXISTS (
         SELECT FROM subscriptions JOIN notices ON subscription = name WHERE order_id = old.id
     ) AS waits
     FROM (",
    old!("success"),
    " UNION ALL ",
    old!("rejected"),
    " UNION ALL ",
    old!("cancelled"),
    " ORDER BY accepted_at, id LIMIT $4) AS old ORDER BY accepted_at, id"
);

/// By ascending id, so that callers cannot deadlock. An order that has ended for good is told of
/// no more than once, so no notice comes in between.
const ARCHIVE: &str = "
    UPDATE orders SET details = $2 FROM (
        SELECT id AS old FROM orders
        WHERE id = ANY($1) AND status IN ('success', 'rejected', 'cancelled') AND details <> $2
          AND NOT EXISTS (
              SELECT FROM subscriptions JOIN notices ON subscription = name WHERE order_id = id
          )
        ORDER BY id FOR UPDATE OF orders
    ) AS there
    WHERE id = old";

/// PostgreSQL's time begins before this, and every order is accepted after it.
const EARLIEST: OffsetDateTime = datetime!(-4000-01-01 0:00 UTC);

impl PostgresStore {
    pub(super) async fn find_archivable(
        &self,
        accepted_for: Duration,
        after: Option<OrderCursor>,
        limit: PageSize,
    ) -> Result<Archivable, Error> {
        let mut pg = self.lend().await?;
        let rows: Vec<EndedOrderRow> = self
            .query_as(ARCHIVABLE)
            .bind(after.map(|after| after.accepted_at().max(EARLIEST)))
            .bind(after.map_or_else(Uuid::nil, |after| after.id().as_uuid()))
            .bind(rows::interval(accepted_for))
            .bind(rows::limit(limit.get()))
            .fetch_all(&mut *pg)
            .await?;
        pg.done().await?;
        let looked_at: Result<_, _> = rows.into_iter().map(EndedOrderRow::read).collect();
        Ok(Archivable::of(looked_at?, limit))
    }

    pub(super) async fn archive_batch(&self, ids: &[OrderId]) -> Result<u64, Error> {
        let mut pg = self.lend().await?;
        let archive = self.query(ARCHIVE).bind(uuids(ids.iter().copied())).bind(Details::ARCHIVED);
        let archived = archive.execute(&mut *pg).await?.rows_affected();
        pg.done().await?;
        Ok(archived)
    }
}
