-- Who has placed an order, where clients have keys; nobody of most orders.
ALTER TABLE orders ADD COLUMN client TEXT;
-- The list of a client's orders, those that are archived left out. Orders without a client are not in it and cost nothing.
CREATE INDEX IF NOT EXISTS orders_of_client ON orders (client, status, accepted_at, id)
    WHERE client IS NOT NULL AND details <> '{"status":"archived"}';
