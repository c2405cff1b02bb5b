//! Whether a server is one that we can use, and what to do when it is not.

use sqlx::{PgConnection, Row, raw_sql};
use woody_core::ports::StoreError;

use super::error::Error;

/// In the simple protocol, which leaves no statement behind in a session that may
/// not be ours.
const LOOK: &str = "
    SELECT current_database()::text, getdatabaseencoding()::text,
           (SELECT setting FROM pg_settings WHERE name = 'statement_timeout')";

/// The server is there, and not one that we can use as it is.
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

/// Looks at the server behind a new connection. `limit` is what the connection has
/// asked for at its start, if it did: whoever does not know of it is a pooler.
pub(super) async fn check(pg: &mut PgConnection, limit: Option<u32>) -> Result<(), Error> {
    let row = raw_sql(LOOK).fetch_one(pg).await?;
    let encoding: String = row.try_get(1)?;
    if encoding != "UTF8" {
        let database = row.try_get(0)?;
        return Err(StoreError::refused(Unfit::NotUtf8 { database, encoding }).into());
    }
    let setting: Option<String> = row.try_get(2)?;
    if limit.is_some_and(|limit| setting != Some(limit.to_string())) {
        return Err(StoreError::refused(Unfit::Pooler).into());
    }
    Ok(())
}

/// What a pooler says to a connection that takes it for a server.
pub(super) fn unfit(error: &sqlx::Error) -> Option<Unfit> {
    let error = error.as_database_error()?;
    let is_pooler = error.code()? == "08P01" && error.message().contains("startup parameter");
    is_pooler.then(|| Unfit::PoolerRefuses(error.message().to_owned()))
}
