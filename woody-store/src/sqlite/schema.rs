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
        step(
            4,
            "orders cancelled",
            include_str!("../../migrations/sqlite/0004_orders_cancelled.sql"),
        ),
        step(5, "operators", include_str!("../../migrations/sqlite/0005_operators.sql")),
        step(6, "notices", include_str!("../../migrations/sqlite/0006_notices.sql")),
        step(7, "queues", include_str!("../../migrations/sqlite/0007_queues.sql")),
        step(8, "story", include_str!("../../migrations/sqlite/0008_story.sql")),
        step(9, "archive", include_str!("../../migrations/sqlite/0009_archive.sql")),
        step(10, "trace", include_str!("../../migrations/sqlite/0010_trace.sql")),
        step(11, "client", include_str!("../../migrations/sqlite/0011_client.sql")),
        step(12, "found by", include_str!("../../migrations/sqlite/0012_found_by.sql")),
    ]);
    // After a rollback, an older program meets a newer schema.
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::ConnectOptions;
    use sqlx::sqlite::SqliteConnectOptions;
    use woody_core::domain::{Details, NewOrder, OrderStatus, Outcome, Validation};
    use woody_core::ports::{Decision, KeptIn, OrderQuery, OrderStore, Transition};

    use super::*;
    use crate::SqliteStore;

    /// Makes a file as the steps up to this one have left it.
    async fn made_by_steps_to(last: i64, path: &std::path::Path) {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let mut db = options.connect().await.unwrap();
        let steps = migrator().iter().filter(|step| step.version <= last).cloned().collect();
        Migrator::with_migrations(steps).run_direct(None, &mut db, false).await.unwrap();
        db.close().await.unwrap();
    }

    #[tokio::test]
    async fn orders_from_before_they_could_be_cancelled_are_kept_and_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("woody.db");
        made_by_steps_to(3, &path).await;
        let order = || NewOrder::new(Details::parse(r#"{"product":"train"}"#).unwrap());
        let orders = [order(), order()];
        let ended = Decision {
            order: orders[0].clone(),
            outcome: Outcome::Rejected("too large".into()),
            redriven: false,
            validation: None,
        };
        // As the program of that time wrote them.
        let mut db = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        for order in &orders {
            sqlx::query(
                "INSERT INTO orders (id, details, status, accepted_at) VALUES (?1, ?2, 'pending', ?3)",
            )
            .bind(order.id.as_uuid())
            .bind(order.details.as_str())
            .bind(crate::sqlite::rows::to_micros(order.accepted_at))
            .execute(&mut db)
            .await
            .unwrap();
        }
        db.close().await.unwrap();

        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.finish(&[ended]).await.unwrap(), [Transition::Applied]);
        assert_eq!(store.cancel(orders[1].id, None).await.unwrap(), Some(Transition::Applied));
        let page = store.list(&OrderQuery::default()).await.unwrap();
        let kept: Vec<_> = page.orders.into_iter().map(|order| (order.id, order.status)).collect();
        let statuses = [Outcome::Rejected("too large".into()), Outcome::Cancelled(None)];
        let statuses = statuses.map(OrderStatus::from);
        let expected: Vec<_> = orders.iter().map(|order| order.id).zip(statuses).collect();
        assert_eq!(kept, expected);
        assert!(store.stuck(Duration::ZERO, 9).await.unwrap().is_empty());
    }

    /// What it has written, and what a program of that version writes beside this one.
    #[tokio::test]
    async fn orders_from_before_there_were_stories_tell_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("woody.db");
        made_by_steps_to(7, &path).await;
        let order = || NewOrder::new(Details::parse(r#"{"product":"train"}"#).unwrap());
        let [ended, pending, redriven] = [order(), order(), order()];
        let options = SqliteConnectOptions::new().filename(&path);
        let mut old = options.connect().await.unwrap();
        let write = "INSERT INTO orders (id, details, status, reason, accepted_at, finished_at)
                     VALUES (?1, '{}', ?2, NULL, 1000000, ?3)";
        for (order, status, at) in
            [(&ended, "success", Some(2_000_000)), (&pending, "pending", None)]
        {
            let insert = sqlx::query(write).bind(order.id.as_uuid()).bind(status).bind(at);
            insert.execute(&mut old).await.unwrap();
        }

        let store = SqliteStore::open(&path).await.unwrap();
        let trail = async |order: &NewOrder<Details>| store.trail(order.id).await.unwrap().unwrap();
        assert_eq!((trail(&ended).await.kept, trail(&ended).await.ended_by), (None, None));
        assert_eq!(trail(&pending).await.kept, Some(KeptIn::Store));
        let validation = Validation {
            worker: "w".into(),
            attempt: 5,
            redriven: false,
            taken_up_at: woody_core::domain::now(),
            took: Duration::from_millis(1),
        };
        let decision = |order: &NewOrder<Details>, outcome| Decision {
            order: order.clone(),
            outcome,
            redriven: false,
            validation: Some(validation.clone()),
        };
        let failed = || Outcome::Failed("no answer".into());
        let both = [decision(&pending, failed()), decision(&redriven, failed())];
        assert_eq!(store.finish(&both).await.unwrap(), [Transition::Applied, Transition::Applied]);
        assert_eq!(trail(&pending).await.ended_by, Some(validation.clone()));
        // The old program redrives it: what failed is not what it succeeded by.
        let redrive = "UPDATE orders SET status = 'success', reason = NULL, finished_at = 3000000
                       WHERE id = ?1";
        sqlx::query(redrive).bind(redriven.id.as_uuid()).execute(&mut old).await.unwrap();
        let told = trail(&redriven).await;
        assert_eq!((told.kept, told.ended_by), (Some(KeptIn::Broker), None));
        assert_eq!(told.attempts.len(), 1);
        old.close().await.unwrap();
    }
}
