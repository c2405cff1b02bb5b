-- Who has placed an order, where clients have keys; nobody of most orders.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS client text;
-- The list of a client's orders, those that are archived left out. Orders without a client are not in it and cost nothing.
-- A large table is read once meanwhile; an operator who minds adds the column and makes the index beforehand, CONCURRENTLY.
CREATE INDEX IF NOT EXISTS orders_of_client ON orders (client, status, accepted_at, id)
    WHERE client IS NOT NULL AND details <> '{"status":"archived"}';
