-- What an order's story is told from, beside what is there anyway.
--
-- With the final state, by the same statement: where the order was kept when it was accepted
-- (s: here, b: in the broker, -: not known), the first letter of the state, and the validation that
-- gave it: when it was taken up (microseconds since 1970), how long it took (microseconds), which
-- attempt, and the worker. One column and not four: a ninth of the table's would cost each row
-- eight bytes. Older programs leave it as it is.
ALTER TABLE orders ADD COLUMN trail text;

-- Attempts on orders that reached no verdict; fifty of an order at most, and none of most orders.
-- Never deleted, as orders are not.
CREATE TABLE failed_attempts (
    order_id   uuid        NOT NULL,
    -- When it failed, by the worker's clock; of those that are counted together, the first.
    at         timestamptz NOT NULL,
    -- What became of the message.
    what       text        NOT NULL CHECK (what IN ('again', 'postponed', 'given_up')),
    times      integer     NOT NULL,
    -- As in `orders`; of those that are counted together, the last.
    validation text        NOT NULL,
    reason     text        NOT NULL,
    PRIMARY KEY (order_id, at)
);
