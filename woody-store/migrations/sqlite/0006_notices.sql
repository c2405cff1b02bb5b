-- Who wants to be told how orders end, and what they are still to be told.
CREATE TABLE subscriptions (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- One row for each end of an order and each subscription, written with the order's final state and
-- deleted once it is delivered.
CREATE TABLE notices (
    subscription TEXT    NOT NULL,
    order_id     BLOB    NOT NULL,
    -- As the order ended; a redrive may end it anew.
    status       TEXT    NOT NULL,
    reason       TEXT,
    ended_at     INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    -- When it may be claimed: now, once its lease is over, or after a pause. None once it is dead.
    due_at       INTEGER,
    -- Why the last attempt failed.
    problem      TEXT,
    PRIMARY KEY (subscription, order_id, status)
) STRICT, WITHOUT ROWID;

-- Claims go along it, and see nothing that is not due.
CREATE INDEX notices_due ON notices (subscription, due_at, order_id) WHERE due_at IS NOT NULL;

-- What was given up, for an operator; empty on most days.
CREATE INDEX notices_dead ON notices (subscription, order_id, status) WHERE due_at IS NULL;
