-- The trace that an order belongs to, as its client's `traceparent` named it; none of most orders.
ALTER TABLE orders ADD COLUMN trace TEXT;
