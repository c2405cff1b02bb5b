//! An embedded, durable queue in one SQLite file.
