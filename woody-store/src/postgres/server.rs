//! Whether a server is one that we can use.

use sqlx::{PgConnection, Row, raw_sql};
use woody_core::ports::StoreError;

use super::error::Error;
use super::unfit::Unfit;

/// In the simple protocol, which leaves no statement behind in a session that may
/// not be ours.
const LOOK: &str = "
    SELECT current_database()::text, getdatabaseencoding()::text,
           (SELECT setting FROM pg_settings WHERE name = 'statement_timeout')";

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
