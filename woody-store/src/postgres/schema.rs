//! Brings the schema up to date, with no more rights than that takes.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{Connection, PgConnection, Row, SqlSafeStr, raw_sql};
use woody_core::ports::StoreError;

use super::error::{Error, is_missing_right};

const WHERE_WE_ARE: &str = "
    SELECT current_user::text, current_schema()::text, current_setting('search_path'),
           to_regclass('_sqlx_migrations') IS NOT NULL";

/// The number is arbitrary; no other program on the same database may use it.
const LOCK: &str = "
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock(7237970109966541)";

/// A pooler's session may still have prepared statements of an earlier call.
const FORGET_STATEMENTS: &str = "DEALLOCATE ALL";

/// The schema is not up to date, and this role cannot change it.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(
        "none of the schemas in search_path ({0}) is there, or the role may not use it: create it \
         (CREATE SCHEMA …), grant it (GRANT USAGE ON SCHEMA …), or change the store's URL"
    )]
    NoSchema(String),
    #[error(
        "the role {role:?} may not read the table _sqlx_migrations, which says whether the schema is \
         up to date: GRANT SELECT ON _sqlx_migrations TO {role:?}"
    )]
    MayNotLook { role: String, source: sqlx::Error },
    #[error(
        "the schema {schema:?} lacks the migrations {missing}, and the role {role:?} may not make \
         them ({source}): GRANT CREATE ON SCHEMA {schema:?} TO {role:?}, or start any of these \
         services once as the owner of its tables"
    )]
    MayNotMake { schema: String, role: String, missing: String, source: sqlx::Error },
}

/// Applies the migrations that are missing. Only that takes more than the right to read.
///
/// All of it is one transaction: it works behind a transaction pooler, and the lock that
/// lets replicas migrate one after the other ends with it.
pub(super) async fn bring_up_to_date(pg: &mut PgConnection, pooled: bool) -> Result<(), Error> {
    let migrator = migrator();
    let mut tx = pg.begin().await?;
    if pooled {
        raw_sql(FORGET_STATEMENTS).execute(&mut *tx).await?;
    }
    let row = raw_sql(WHERE_WE_ARE).fetch_one(&mut *tx).await?;
    let (role, schema): (String, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    let Some(schema) = schema else {
        return Err(StoreError::refused(Trouble::NoSchema(row.try_get(2)?)).into());
    };
    let is_known: bool = row.try_get(3)?;
    let missing = match missing(&mut tx, &migrator, is_known).await {
        Err(MigrateError::Execute(source)) if is_missing_right(&source) => {
            return Err(StoreError::refused(Trouble::MayNotLook { role, source }).into());
        }
        missing => missing?,
    };
    if !missing.is_empty() {
        raw_sql(LOCK).execute(&mut *tx).await?;
        match migrator.run_direct(None, &mut *tx, false).await {
            Err(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _))
                if is_missing_right(&source) =>
            {
                let missing = missing.join(", ");
                let trouble = Trouble::MayNotMake { schema, role, missing, source };
                return Err(StoreError::refused(trouble).into());
            }
            done => done?,
        }
    }
    if pooled {
        raw_sql(FORGET_STATEMENTS).execute(&mut *tx).await?;
    }
    Ok(tx.commit().await?)
}

/// Returns the migrations that are missing or differ, by number and name.
async fn missing(
    pg: &mut PgConnection,
    migrator: &Migrator,
    is_known: bool,
) -> Result<Vec<String>, MigrateError> {
    let applied =
        if is_known { pg.list_applied_migrations("_sqlx_migrations").await? } else { vec![] };
    let is_applied = |wanted: &Migration| {
        applied.iter().any(|a| a.version == wanted.version && a.checksum == wanted.checksum)
    };
    let missing = migrator.iter().filter(|migration| !is_applied(migration));
    Ok(missing.map(|m| format!("{} ({})", m.version, m.description)).collect())
}

fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![
        migration(1, "orders", include_str!("../../migrations/postgres/0001_orders.sql")),
        migration(2, "products", include_str!("../../migrations/postgres/0002_products.sql")),
        migration(
            3,
            "orders ended",
            include_str!("../../migrations/postgres/0003_orders_ended.sql"),
        ),
        migration(
            4,
            "orders cancelled",
            include_str!("../../migrations/postgres/0004_orders_cancelled.sql"),
        ),
        migration(5, "operators", include_str!("../../migrations/postgres/0005_operators.sql")),
        migration(6, "notices", include_str!("../../migrations/postgres/0006_notices.sql")),
        migration(7, "queues", include_str!("../../migrations/postgres/0007_queues.sql")),
        migration(8, "story", include_str!("../../migrations/postgres/0008_story.sql")),
        migration(9, "archive", include_str!("../../migrations/postgres/0009_archive.sql")),
        migration(10, "trace", include_str!("../../migrations/postgres/0010_trace.sql")),
        migration(11, "client", include_str!("../../migrations/postgres/0011_client.sql")),
        migration(12, "found by", include_str!("../../migrations/postgres/0012_found_by.sql")),
    ]);
    // During an update or a rollback, an older replica meets a newer schema.
    migrator.set_ignore_missing(true);
    // The migrator's own lock belongs to a session.
    migrator.set_locking(false);
    migrator
}
