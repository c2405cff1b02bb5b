//! The outbox: an entry for each batch of orders whose message is not confirmed.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;
use woody_core::domain::{Details, NewOrder, OrderId};

use super::PostgresStore;
use super::error::Error;
use super::orders::uuids;
use super::rows::{self, ClaimedRow};

/// Takes whole entries until there are enough orders, and writes what is claimed anew, as
/// entries of its own, and what is too much as another. Orders that have ended are dropped.
///
/// `now()` is when the transaction began, so that a claim sees whole leases only. The new
/// entries are made of what the deletion returned, so that one of the same name is gone.
const CLAIM: &str = "
    WITH free AS MATERIALIZED (
        SELECT order_id, accepted_at, cardinality(orders) AS size FROM outbox
        WHERE lease_until <= now()
        ORDER BY accepted_at, order_id LIMIT $1
        FOR UPDATE SKIP LOCKED
    ), enough AS (
        SELECT order_id FROM (
            SELECT order_id, sum(size) OVER (ORDER BY accepted_at, order_id) - size AS before
            FROM free
        ) AS sized
        WHERE before < $1
    ), taken AS (
        DELETE FROM outbox USING enough WHERE outbox.order_id = enough.order_id
        RETURNING orders
    ), pending AS (
        SELECT id, details, accepted_at, trace, client,
               row_number() OVER (ORDER BY accepted_at, id) AS number
        FROM taken CROSS JOIN unnest(orders) AS waiting JOIN orders ON id = waiting
        WHERE status = 'pending'
    ), written AS (
        INSERT INTO outbox (order_id, accepted_at, lease_until, orders)
        SELECT (array_agg(id ORDER BY number))[1], min(accepted_at),
               CASE WHEN number <= $1 THEN now() + $2 ELSE now() END, array_agg(id ORDER BY number)
        FROM pending GROUP BY number <= $1, (number - 1) / 100
    )
    SELECT id, details, accepted_at, trace, client, (SELECT count(*) FROM taken) AS entries
    FROM (VALUES (0)) AS once LEFT JOIN pending ON number <= $1
    ORDER BY number";

/// Deletes the entries of which every order is among those that are asked for. Its first
/// order leads to an entry. By ascending name, so that callers cannot deadlock.
const CLEAR: &str = "
    DELETE FROM outbox WHERE order_id IN (
        SELECT order_id FROM outbox
        WHERE order_id = ANY($1::uuid[])
          AND NOT EXISTS (
              SELECT FROM unnest(orders) AS waiting WHERE waiting NOT IN (SELECT unnest($1::uuid[]))
          )
        ORDER BY order_id FOR UPDATE
    )
    RETURNING orders";

/// Takes orders out of the entries that they share with others.
const TAKE_OUT: &str = "
    WITH touched AS MATERIALIZED (
        SELECT order_id FROM outbox
        WHERE EXISTS (SELECT FROM unnest(orders) AS waiting WHERE waiting IN (SELECT unnest($1::uuid[])))
        ORDER BY order_id FOR UPDATE
    ), taken AS (
        DELETE FROM outbox USING touched WHERE outbox.order_id = touched.order_id
        RETURNING outbox.order_id AS entry, lease_until, orders
    )
    INSERT INTO outbox (order_id, accepted_at, lease_until, orders)
    SELECT (array_agg(id ORDER BY accepted_at, id))[1], min(accepted_at), lease_until,
           array_agg(id ORDER BY accepted_at, id)
    FROM taken CROSS JOIN unnest(taken.orders) AS waiting JOIN orders ON id = waiting
    WHERE id NOT IN (SELECT unnest($1::uuid[]))
    GROUP BY entry, lease_until";

impl PostgresStore {
    pub(super) async fn claim(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<NewOrder<Details>>, Error> {
        let mut pg = self.lend().await?;
        loop {
            let rows: Vec<ClaimedRow> = self
                .query_as(CLAIM)
                .bind(rows::limit(limit))
                .bind(rows::interval(lease))
                .fetch_all(&mut *pg)
                .await?;
            // Entries of which every order has ended are gone now, and there may be others.
            let is_done = rows.first().is_none_or(ClaimedRow::is_one_of_none);
            let claimed: Vec<_> =
                rows.into_iter().filter_map(ClaimedRow::read).collect::<Result<_, _>>()?;
            if is_done || !claimed.is_empty() {
                pg.done().await?;
                return Ok(claimed);
            }
        }
    }

    pub(super) async fn clear(&self, published: &[OrderId]) -> Result<(), Error> {
        let mut pg = self.lend().await?;
        let asked = uuids(published.iter().copied());
        let cleared: Vec<Vec<Uuid>> =
            self.query_scalar(CLEAR).bind(&asked).fetch_all(&mut *pg).await?;
        let mut others: HashSet<Uuid> = asked.into_iter().collect();
        for order in cleared.iter().flatten() {
            others.remove(order);
        }
        if !others.is_empty() {
            let others: Vec<Uuid> = others.into_iter().collect();
            self.query(TAKE_OUT).bind(others).execute(&mut *pg).await?;
        }
        pg.done().await?;
        Ok(())
    }
}
