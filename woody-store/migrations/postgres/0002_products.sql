-- The catalogue; `seq` is the order in which products were added.
CREATE TABLE products (
    seq        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid        NOT NULL UNIQUE,
    name       text        NOT NULL,
    parts      jsonb       NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX products_named ON products (name, seq);
