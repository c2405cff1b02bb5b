-- One file holds one queue.
CREATE TABLE queue (
    name TEXT NOT NULL
) STRICT;

-- The processes that have the file open. Each keeps a lock on a side file of
-- its own; where that lock is free, the process is gone.
CREATE TABLE holders (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    consumers INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The queue itself: the lowest id without a holder is next.
CREATE TABLE messages (
    id       INTEGER PRIMARY KEY,
    holder   INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    seen     INTEGER NOT NULL DEFAULT 0,
    redriven INTEGER NOT NULL DEFAULT 0,
    reason   TEXT,
    body     BLOB NOT NULL
) STRICT;

-- Messages that wait for their next attempt; due is in microseconds since 1970.
CREATE TABLE delayed (
    id       INTEGER PRIMARY KEY,
    due      INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    redriven INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT;

CREATE INDEX delayed_by_due ON delayed (due);

-- Messages that were given up. An id is never used again: operators note them.
CREATE TABLE dead (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    attempts INTEGER NOT NULL,
    died_at  INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT;
