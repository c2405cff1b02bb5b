-- Orders, and the outbox of those whose message no broker has confirmed.
-- Times are microseconds since 1970, UTC; ids are the 16 bytes of the UUID.
CREATE TABLE orders (
    id          BLOB    PRIMARY KEY,
    -- What the order asks for: one JSON object, kept as it was written.
    details     TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('pending', 'success', 'rejected', 'failed')),
    reason      TEXT,
    accepted_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((status = 'pending') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;

-- What refills and `stuck` read; only pending orders are in it.
CREATE INDEX orders_pending ON orders (accepted_at, id) WHERE status = 'pending';

CREATE TABLE outbox (
    order_id    BLOB    PRIMARY KEY,
    accepted_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Claims go along it, oldest first, and skip what is leased.
CREATE INDEX outbox_oldest ON outbox (accepted_at, order_id);

-- Validations of orders that came a second time, while they last: what is left was
-- begun by a worker that died. Empty on most days.
CREATE TABLE begun (
    order_id BLOB    PRIMARY KEY,
    times    INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pending orders that are in somebody's hands: no look for lost messages counts
-- them. Most orders are never in here; what is old is deleted by the looks.
CREATE TABLE held (
    order_id BLOB    PRIMARY KEY,
    held_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
