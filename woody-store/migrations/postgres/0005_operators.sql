-- What operators do: written down before it is done, and once more when it has ended. One row
-- an act, some hundred bytes; never deleted by a program.
CREATE TABLE acts (
    id       uuid        PRIMARY KEY,
    at       timestamptz NOT NULL,
    by_whom  text        NOT NULL,
    because  text,
    verb     text        NOT NULL,
    order_id uuid,
    target   text        NOT NULL,
    -- No result: it is under way, or was broken off.
    result   text        CHECK (result IN ('done', 'refused', 'failed')),
    told     text
);

-- The list of all acts, and that of one order's.
CREATE INDEX acts_newest ON acts (at, id);
CREATE INDEX acts_of_order ON acts (order_id, at, id) WHERE order_id IS NOT NULL;

-- Since when workers take no new orders, by whom and why: one row, or none while they do.
CREATE TABLE pause (
    is_only   boolean     PRIMARY KEY DEFAULT true CHECK (is_only),
    paused_at timestamptz NOT NULL,
    by_whom   text        NOT NULL,
    because   text
);
