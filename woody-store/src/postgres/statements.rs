//! SQL about orders.

pub(super) const INSERT: &str = "
    WITH created AS (
        INSERT INTO orders (id, details, accepted_at, status, trace, client, found_by)
        SELECT id, details, accepted_at, 'pending', trace, client, found_by
        FROM unnest(
            $1::uuid[], $2::text[], $3::timestamptz[], $6::text[], $7::text[], $8::text[]
        ) AS asked (id, details, accepted_at, trace, client, found_by)
        ON CONFLICT (id) DO NOTHING
        RETURNING id, accepted_at
    ), late AS (
        INSERT INTO held (order_id, held_at)
        SELECT id, now() FROM created WHERE accepted_at < now() - $5
        ON CONFLICT (order_id) DO UPDATE SET held_at = excluded.held_at
    ), numbered AS (
        SELECT id, accepted_at, (row_number() OVER (ORDER BY accepted_at, id) - 1) / 100 AS entry
        FROM created
    )
    INSERT INTO outbox (order_id, accepted_at, lease_until, orders)
    SELECT (array_agg(id))[1], min(accepted_at), now() + $4, array_agg(id)
    FROM numbered GROUP BY entry
    RETURNING orders";

pub(super) const ASKED: &str =
    "SELECT id, details, accepted_at, trace, client FROM orders WHERE id = ANY($1)";

pub(super) const ORDER: &str = "
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at
    FROM orders WHERE id = $1";

/// The same of many.
pub(super) const ORDERS: &str = "
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at
    FROM orders WHERE id = ANY($1)";

/// `OrderStatus::settle` in SQL, with a notice of each end for each subscription. An order that
/// is not there was kept by the broker alone.
pub(super) const FINISH: &str = "
    WITH ended AS (
        INSERT INTO orders AS o
            (id, details, accepted_at, status, reason, finished_at, trail, trace, client, found_by)
        SELECT id, details, accepted_at, status, reason, now(), 'b' || trail, trace, client, found_by
        FROM unnest(
            $1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $7::text[], $8::text[],
            $9::text[], $10::text[]
        ) AS told (id, details, accepted_at, status, reason, trail, trace, client, found_by)
        ON CONFLICT (id) DO UPDATE
        SET status = excluded.status, reason = excluded.reason, finished_at = excluded.finished_at,
            trail = CASE o.status WHEN 'pending' THEN 's' ELSE coalesce(left(o.trail, 1), '-') END
                || substr(excluded.trail, 2)
        WHERE o.status = 'pending'
           OR o.status = 'failed' AND excluded.status IN ('success', 'rejected') AND o.id = ANY($6)
        RETURNING id, status, reason, finished_at
    ), noticed AS (
        INSERT INTO notices (subscription, order_id, status, reason, ended_at, due_at)
        SELECT name, id, status, reason, finished_at, now() FROM ended CROSS JOIN subscriptions
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM ended";

pub(super) const STATUSES: &str = "SELECT id, status, reason FROM orders WHERE id = ANY($1)";

/// Locks the order: what is decided about it here stays right until the commit.
pub(super) const LOCK: &str = "SELECT status, reason FROM orders WHERE id = $1 FOR UPDATE";

/// Of an order that is pending, with its notices.
pub(super) const CANCEL: &str = "
    WITH ended AS (
        UPDATE orders SET status = 'cancelled', reason = $2, finished_at = now() WHERE id = $1
        RETURNING id, status, reason, finished_at
    )
    INSERT INTO notices (subscription, order_id, status, reason, ended_at, due_at)
    SELECT name, id, status, reason, finished_at, now() FROM ended CROSS JOIN subscriptions
    ON CONFLICT DO NOTHING";

pub(super) const FORGET: &str = "
    DELETE FROM begun WHERE order_id IN (
        SELECT order_id FROM begun WHERE order_id = ANY($1) ORDER BY order_id FOR UPDATE
    )";

/// Waits for a verdict that is being saved: the count would be left behind otherwise.
pub(super) const BEGIN: &str = "
    WITH seen AS MATERIALIZED (
        SELECT status FROM orders WHERE id = $1 FOR SHARE
    ), counted AS MATERIALIZED (
        SELECT $1::uuid AS id WHERE NOT EXISTS (
            SELECT FROM seen WHERE status <> 'pending' AND NOT (status = 'failed' AND $2)
        )
    ), marked AS (
        INSERT INTO held (order_id, held_at) SELECT id, now() + $3 FROM counted
        ON CONFLICT (order_id) DO UPDATE
        SET held_at = greatest(held.held_at, excluded.held_at)
    )
    INSERT INTO begun (order_id, times, last_at) SELECT id, 1, now() FROM counted
    ON CONFLICT (order_id) DO UPDATE SET times = begun.times + 1, last_at = now()";

pub(super) const END: &str = "UPDATE begun SET times = greatest(times - 1, 0) WHERE order_id = $1";

pub(super) const BEGUN: &str = "
    SELECT times, (extract(epoch FROM now() - last_at) * 1000000)::bigint
    FROM begun WHERE order_id = $1 AND times > 0";

pub(super) const STUCK: &str = "
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at
    FROM orders WHERE status = 'pending' AND accepted_at < now() - $1
    ORDER BY accepted_at, id LIMIT $2";

pub(super) const COUNTS: &str = "
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'success') AS success,
           count(*) FILTER (WHERE status = 'rejected') AS rejected,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE status = 'pending' AND id IN (
               SELECT unnest(orders) FROM outbox
           )) AS outbox
    FROM orders";

pub(super) const BACKLOG: &str = "
    SELECT (SELECT count(*) FROM (
               SELECT 1 FROM orders WHERE status = 'pending' LIMIT $1
           ) waiting) AS pending,
           (SELECT min(accepted_at) FROM orders WHERE status = 'pending') AS oldest_pending,
           (SELECT count(*) FROM (
               SELECT 1 FROM (SELECT unnest(orders) AS id FROM outbox) entry
               WHERE EXISTS (
                   SELECT FROM orders WHERE orders.id = entry.id AND orders.status = 'pending'
               ) LIMIT $1
           ) entries) AS unpublished,
           (SELECT min(accepted_at) FROM outbox) AS oldest_unpublished";

/// Fails without the tables, and tells whether the server takes writes.
pub(super) const PING: &str = "
    SELECT pg_is_in_recovery(), EXISTS (SELECT FROM orders), EXISTS (SELECT FROM outbox)";
