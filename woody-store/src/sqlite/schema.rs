//! Brings the file's tables up to date.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use woody_core::ports::StoreError;

use super::error::Error;

/// Whether there are tables, but no record of migrations.
const IS_FOREIGN: &str = "
    SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\')
       AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";

/// The file is a database, but cannot be used.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the file is another program's database: it has tables, and no record of a store's")]
    Foreign,
    #[error("the file's tables are not a store's: its step {0} made others")]
    Other(i64),
}

/// Applies the steps that are missing, in one transaction: it locks out other
/// processes that open the file at the same time.
pub(super) async fn bring_up_to_date(db: &mut SqliteConnection) -> Result<(), Error> {
    let mut tx = db.begin_with("BEGIN IMMEDIATE").await?;
    if sqlx::query_scalar(IS_FOREIGN).fetch_one(&mut *tx).await? {
        return Err(StoreError::refused(Unfit::Foreign).into());
    }
    let unfit = match migrator().run_direct(None, &mut *tx, false).await {
        Ok(()) => return Ok(tx.commit().await?),
        Err(MigrateError::VersionMismatch(step)) => Unfit::Other(step),
        Err(error) => return Err(error.into()),
    };
    Err(StoreError::refused(unfit).into())
}

/// Returns the steps from an empty file to this version's tables; a new step goes at
/// the end.
fn migrator() -> Migrator {
    let step = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        step(1, "orders", include_str!("../../migrations/sqlite/0001_orders.sql")),
        step(2, "products", include_str!("../../migrations/sqlite/0002_products.sql")),
        step(3, "orders ended", include_str!("../../migrations/sqlite/0003_orders_ended.sql")),
    ]);
    // After a rollback, an older program meets a newer schema.
    migrator.set_ignore_missing(true);
    migrator
}
