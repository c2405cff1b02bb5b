-- The queues that carry these orders: each publisher notes its own, every fifteen seconds. Who looks for
-- lost messages counts the messages of all of them.
CREATE TABLE queues (
    queue      TEXT    PRIMARY KEY,
    noted_at   INTEGER NOT NULL,
    -- How full it was when it was last known, read after this time.
    messages   INTEGER,
    read_after INTEGER,
    CHECK ((messages IS NULL) = (read_after IS NULL))
) STRICT, WITHOUT ROWID;
