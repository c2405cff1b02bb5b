-- An order can be cancelled. SQLite changes no rule of a table: the orders move into a new one.
CREATE TABLE orders_now (
    id          BLOB    PRIMARY KEY,
    -- What the order asks for: one JSON object, kept as it was written.
    details     TEXT    NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('pending', 'success', 'rejected', 'failed', 'cancelled')),
    reason      TEXT,
    accepted_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((status = 'pending') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO orders_now (id, details, status, reason, accepted_at, finished_at)
SELECT id, details, status, reason, accepted_at, finished_at FROM orders;

DROP TABLE orders;
ALTER TABLE orders_now RENAME TO orders;

-- As before: what refills and `stuck` read, and with it the list of all orders.
CREATE INDEX orders_pending ON orders (accepted_at, id) WHERE status = 'pending';
CREATE INDEX orders_ended ON orders (status, accepted_at, id) WHERE status <> 'pending';
