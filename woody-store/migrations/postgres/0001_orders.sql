-- Orders, and the outbox of those whose message no broker has confirmed.
CREATE TABLE orders (
    id          uuid        PRIMARY KEY,
    -- What the order asks for: one JSON object, kept as it was written. (The type json
    -- would look into it once more, jsonb would write it anew.)
    details     text        NOT NULL,
    status      text        NOT NULL CHECK (status IN ('pending', 'success', 'rejected', 'failed')),
    reason      text,
    accepted_at timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK ((status = 'pending') = (finished_at IS NULL))
);

-- What refills and `stuck` read. Only pending orders are in it, so it stays as
-- small as the backlog, and an order that ends adds nothing to it.
CREATE INDEX orders_pending ON orders (accepted_at, id) WHERE status = 'pending';

-- One entry for orders that were stored together: they are published together, and most
-- entries are gone within 100 ms. No foreign key: an order and its entry are written by
-- one statement, orders are never deleted, and the check would cost as much as the entry.
CREATE TABLE outbox (
    -- The first of them.
    order_id    uuid        PRIMARY KEY,
    -- When the oldest of them was accepted.
    accepted_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    -- All of them, at most a hundred: longer rows would be kept out of line. Those that
    -- have ended meanwhile are left in it.
    orders      uuid[]      NOT NULL
) WITH (
    -- The table empties all the time, and dead rows at its old end are what claims
    -- would wade through.
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Claims go along it, oldest first, and skip what is leased.
CREATE INDEX outbox_oldest ON outbox (accepted_at, order_id);

-- Validations of orders that came a second time, while they last: what is left was
-- begun by a worker that died. Empty on most days.
CREATE TABLE begun (
    order_id uuid        PRIMARY KEY,
    times    integer     NOT NULL,
    last_at  timestamptz NOT NULL
);

-- Pending orders that are in somebody's hands: no look for lost messages counts
-- them. Most orders are never in here; what is old is deleted by the looks.
CREATE TABLE held (
    order_id uuid        PRIMARY KEY,
    held_at  timestamptz NOT NULL
);
