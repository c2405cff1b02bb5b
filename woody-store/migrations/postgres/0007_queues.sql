-- The queues that carry these orders: each publisher notes its own, every fifteen seconds. Who looks for
-- lost messages counts the messages of all of them.
CREATE TABLE queues (
    queue      text        PRIMARY KEY,
    noted_at   timestamptz NOT NULL,
    -- How full it was when it was last known, read after this time.
    messages   bigint,
    read_after timestamptz,
    CHECK ((messages IS NULL) = (read_after IS NULL))
);
