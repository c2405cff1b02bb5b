//! SQL about orders.

pub(super) const INSERT_ORDERS: &str = "
    INSERT INTO orders (id, details, accepted_at, status, trace, client, found_by)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, 'pending', value ->> 3, value ->> 4,
           value ->> 5
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO NOTHING
    RETURNING id";

pub(super) const INSERT_ENTRIES: &str = "
    INSERT INTO outbox (order_id, accepted_at, lease_until)
    SELECT orders.id, accepted_at, ?2 FROM json_each(?1) JOIN orders ON orders.id = unhex(value)";

pub(super) const MARK_LATE: &str = "
    INSERT INTO held (order_id, held_at)
    SELECT orders.id, ?2 FROM json_each(?1) JOIN orders ON orders.id = unhex(value)
    WHERE accepted_at < ?3
    ON CONFLICT (order_id) DO UPDATE SET held_at = excluded.held_at";

pub(super) const ASKED: &str = "
    SELECT orders.id, details, accepted_at, trace, client
    FROM json_each(?1) JOIN orders ON orders.id = unhex(value)";

pub(super) const ORDER: &str = "
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at
    FROM orders WHERE id = ?1";

/// The same of many.
pub(super) const ORDERS: &str = "
    SELECT orders.id, details, accepted_at, trace, client, status, reason, finished_at
    FROM json_each(?1) JOIN orders ON orders.id = unhex(value)";

/// `OrderStatus::settle` in SQL. An order that is not there was kept by the broker alone.
pub(super) const FINISH: &str = "
    INSERT INTO orders
        (id, details, accepted_at, status, reason, finished_at, trail, trace, client, found_by)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2,
           'b' || (value ->> 6), value ->> 7, value ->> 8, value ->> 9
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO UPDATE
    SET status = excluded.status, reason = excluded.reason, finished_at = excluded.finished_at,
        trail = CASE orders.status
            WHEN 'pending' THEN 's' ELSE coalesce(substr(orders.trail, 1, 1), '-')
        END || substr(excluded.trail, 2)
    WHERE orders.status = 'pending'
       OR orders.status = 'failed' AND excluded.status IN ('success', 'rejected') AND orders.id IN (
              SELECT unhex(value ->> 0) FROM json_each(?1) WHERE value ->> 5
          )
    RETURNING id";

pub(super) const STATUSES: &str = "
    SELECT orders.id, status, reason FROM json_each(?1) JOIN orders ON orders.id = unhex(value)";

/// Of an order that is pending.
pub(super) const CANCEL: &str = "
    UPDATE orders SET status = 'cancelled', reason = ?2, finished_at = ?3 WHERE id = ?1";

/// Of orders that have just ended, a notice for each subscription.
pub(super) const NOTICE: &str = "
    INSERT INTO notices (subscription, order_id, status, reason, ended_at, due_at)
    SELECT name, orders.id, status, reason, finished_at, ?2
    FROM json_each(?1) JOIN orders ON orders.id = unhex(value) CROSS JOIN subscriptions
    WHERE true
    ON CONFLICT DO NOTHING";

pub(super) const CLAIM: &str = "
    UPDATE outbox SET lease_until = ?2
    WHERE order_id IN (
        SELECT order_id FROM outbox WHERE lease_until <= ?1
        ORDER BY accepted_at, order_id LIMIT ?3
    )
    RETURNING order_id";

pub(super) const CLEAR: &str = "
    DELETE FROM outbox WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))";

pub(super) const BEGIN: &str = "
    INSERT INTO begun (order_id, times, last_at)
    SELECT ?1, 1, ?2 WHERE NOT EXISTS (
        SELECT 1 FROM orders
        WHERE id = ?1 AND status <> 'pending' AND NOT (status = 'failed' AND ?3)
    )
    ON CONFLICT (order_id) DO UPDATE SET times = times + 1, last_at = ?2";

pub(super) const END: &str = "UPDATE begun SET times = max(times - 1, 0) WHERE order_id = ?1";

pub(super) const BEGUN: &str = "SELECT times, last_at FROM begun WHERE order_id = ?1 AND times > 0";

pub(super) const FORGET: &str = "
    DELETE FROM begun WHERE order_id IN (SELECT unhex(value) FROM json_each(?1))";

pub(super) const STUCK: &str = "
    SELECT id, details, accepted_at, trace, client, status, reason, finished_at
    FROM orders WHERE status = 'pending' AND accepted_at < ?1
    ORDER BY accepted_at, id LIMIT ?2";

pub(super) const COUNTS: &str = "
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'success') AS success,
           count(*) FILTER (WHERE status = 'rejected') AS rejected,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           (SELECT count(*) FROM outbox) AS outbox
    FROM orders";

pub(super) const BACKLOG: &str = "
    SELECT (SELECT count(*) FROM (
               SELECT 1 FROM orders WHERE status = 'pending' LIMIT ?1
           )) AS pending,
           (SELECT min(accepted_at) FROM orders WHERE status = 'pending') AS oldest_pending,
           (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT ?1)) AS unpublished,
           (SELECT min(accepted_at) FROM outbox) AS oldest_unpublished";

pub(super) const PING: &str = "SELECT count(*) FROM (SELECT 1 FROM orders LIMIT 1)";
