//! Servers that cannot be used as they are, and what to do about it.

/// The server is there, but cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error(
        "the database {database:?} keeps its text in {encoding}, which has no room for every \
         product's name: create one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and \
         move the orders into it with pg_dump and psql"
    )]
    NotUtf8 { database: String, encoding: String },
    #[error(
        "there is a connection pooler before this server, and it hands sessions around: add \
         `pooler=transaction` to the parameters of the store's URL (postgres://…/…?pooler=transaction)"
    )]
    Pooler,
    #[error(
        "a connection pooler before this server refuses what we ask for at the start ({0}): add \
         `pooler=transaction` to the parameters of the store's URL; if it is there, take `options` out \
         of them and use ALTER ROLE … SET"
    )]
    PoolerRefuses(String),
}

/// Recognises a pooler's error to a connection that takes it for a server.
pub(super) fn unfit(error: &sqlx::Error) -> Option<Unfit> {
    let error = error.as_database_error()?;
    let is_pooler = error.code()? == "08P01" && error.message().contains("startup parameter");
    is_pooler.then(|| Unfit::PoolerRefuses(error.message().to_owned()))
}
