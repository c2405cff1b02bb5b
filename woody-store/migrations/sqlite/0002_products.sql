-- The catalogue; `seq` is the order in which products were added.
CREATE TABLE products (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         BLOB    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    parts      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX products_named ON products (name, seq);

-- How many products there are. Counting them would take longer with each one.
CREATE TABLE product_count (
    added INTEGER NOT NULL
) STRICT;

INSERT INTO product_count (added) VALUES (0);
