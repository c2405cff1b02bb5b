-- What an order is found by beside its id, where its type says so; nothing of most orders.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS found_by text;
-- The list of the orders with one text, those that are archived left out. Orders without one are not in it and cost nothing.
-- A large table is read once meanwhile, as for the clients.
CREATE INDEX IF NOT EXISTS orders_found_by ON orders (found_by, status, accepted_at, id)
    WHERE found_by IS NOT NULL AND details <> '{"status":"archived"}';
