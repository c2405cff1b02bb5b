//! Whether a server can be used.

use sqlx::{PgConnection, Row, raw_sql};
use woody_core::ports::StoreError;

use super::error::Error;
use super::unfit::Unfit;

/// For the simple protocol, which leaves no prepared statement in a pooler's session.
const LOOK: &str = "
    SELECT current_database()::text, getdatabaseencoding()::text,
           (SELECT setting FROM pg_settings WHERE name = 'statement_timeout')";

/// A standby is in recovery; a primary may be told to take no writes.
const WRITES: &str = "
    SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";

/// Whether the server takes no writes.
pub(super) async fn is_read_only(pg: &mut PgConnection) -> Result<bool, sqlx::Error> {
    raw_sql(WRITES).fetch_one(pg).await?.try_get(0)
}

/// Checks the server behind a new connection. `limit` is what the connection has set at
/// its start, if it did: a session without it is a pooler's.
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
