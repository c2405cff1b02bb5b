-- An order that is archived leaves its row: its id and its end, with this text for its details. So no late
-- message and no key makes it anew, and it is in no list. What may be archived is found along this index, and so
-- is the list of all orders that have ended.
CREATE INDEX orders_kept ON orders (status, accepted_at, id)
    WHERE status <> 'pending' AND details <> '{"status":"archived"}';

-- It held the archived ones too.
DROP INDEX orders_ended;
