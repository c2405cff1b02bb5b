-- An order that is archived leaves its row: its id and its end, with this text for its details. So no late
-- message and no key makes it anew, and it is in no list. What may be archived is found along this index, and so
-- is the list of all orders that have ended. Of a large table, an operator makes it beforehand, CONCURRENTLY.
CREATE INDEX IF NOT EXISTS orders_kept ON orders (status, accepted_at, id)
    WHERE status <> 'pending' AND details <> '{"status":"archived"}';

-- It held the archived ones too. Replicas of an older version list orders without an index until they are replaced.
DROP INDEX IF EXISTS orders_ended;
