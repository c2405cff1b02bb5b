-- With `orders_pending` it is the list of all orders, by status and time. Nothing is added to
-- it when an order is accepted, and one entry when it ends.
CREATE INDEX IF NOT EXISTS orders_ended ON orders (status, accepted_at, id) WHERE status <> 'pending';
