-- The catalogue; `seq` is the order in which products were added.
CREATE TABLE products (
    seq        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid        NOT NULL UNIQUE,
    name       text        NOT NULL,
    parts      jsonb       NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX products_named ON products (name, seq);

-- How many products there are, as a sum over a few rows: products that are added
-- at the same time seldom wait for each other's row. Counting the products
-- themselves would take longer with each one.
CREATE TABLE product_counts (
    slot  smallint PRIMARY KEY,
    added bigint   NOT NULL
) WITH (
    -- A row changes with each product: with room on the page no index is touched.
    fillfactor = 10
);
