-- What operators do: written down before it is done, and once more when it has ended. Never
-- deleted by a program.
CREATE TABLE acts (
    id       BLOB    PRIMARY KEY,
    at       INTEGER NOT NULL,
    by_whom  TEXT    NOT NULL,
    because  TEXT,
    verb     TEXT    NOT NULL,
    order_id BLOB,
    target   TEXT    NOT NULL,
    -- No result: it is under way, or was broken off.
    result   TEXT    CHECK (result IN ('done', 'refused', 'failed')),
    told     TEXT
) STRICT, WITHOUT ROWID;

-- The list of all acts, and that of one order's.
CREATE INDEX acts_newest ON acts (at, id);
CREATE INDEX acts_of_order ON acts (order_id, at, id) WHERE order_id IS NOT NULL;

-- Since when workers take no new orders, by whom and why: one row, or none while they do.
CREATE TABLE pause (
    is_only   INTEGER PRIMARY KEY CHECK (is_only = 1),
    paused_at INTEGER NOT NULL,
    by_whom   TEXT    NOT NULL,
    because   TEXT
) STRICT;
