-- Who wants to be told how orders end, and what they are still to be told.
CREATE TABLE subscriptions (
    name          text        PRIMARY KEY,
    subscribed_at timestamptz NOT NULL DEFAULT now()
);

-- One row for each end of an order and each subscription, written by the statement that ends the
-- order and deleted once it is delivered. No foreign keys: orders are never deleted, and a check
-- of the subscription would have all who end orders lock its row.
CREATE TABLE notices (
    subscription text        NOT NULL,
    order_id     uuid        NOT NULL,
    -- As the order ended; a redrive may end it anew.
    status       text        NOT NULL,
    reason       text,
    ended_at     timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    -- When it may be claimed: now, once its lease is over, or after a pause. None once it is dead.
    due_at       timestamptz,
    -- Why the last attempt failed.
    problem      text,
    PRIMARY KEY (subscription, order_id, status)
) WITH (
    -- As the outbox: it empties all the time.
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);

-- Claims go along it, and see nothing that is not due.
CREATE INDEX notices_due ON notices (subscription, due_at, order_id) WHERE due_at IS NOT NULL;

-- What was given up, for an operator; empty on most days.
CREATE INDEX notices_dead ON notices (subscription, order_id, status) WHERE due_at IS NULL;
