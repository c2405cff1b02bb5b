use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use woody_core::domain::Outcome;
use woody_core::ports::{Decision, Insert, OrderStore, ProductStore, Store, StoreError};
use woody_store::{SqliteStore, StoreOptions, StoreUrl};

use crate::{orders, product};

const LEASE: Duration = Duration::from_mins(1);

async fn open() -> (Arc<SqliteStore>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("woody.db")).await.unwrap();
    (Arc::new(store), folder)
}

mod store {
    use super::*;

    async fn fresh() -> (Arc<dyn Store>, TempDir) {
        let (store, folder) = open().await;
        (store, folder)
    }

    woody_core::store_contract!(fresh);
}

mod order_store {
    use super::*;

    async fn fresh() -> (Arc<dyn OrderStore>, TempDir) {
        let (store, folder) = open().await;
        (store, folder)
    }

    woody_core::order_store_contract!(fresh);
}

mod notice_store {
    use super::*;

    async fn fresh() -> (Arc<dyn Store>, TempDir) {
        let (store, folder) = open().await;
        (store, folder)
    }

    woody_core::notice_store_contract!(fresh);
}

mod product_store {
    use super::*;

    async fn fresh() -> (Arc<dyn ProductStore>, TempDir) {
        let (store, folder) = open().await;
        (store, folder)
    }

    woody_core::product_store_contract!(fresh);
}

mod act_log {
    use woody_core::ports::ActLog;

    use super::*;

    async fn fresh() -> (Arc<dyn ActLog>, TempDir) {
        let (store, folder) = open().await;
        (store, folder)
    }

    woody_core::act_log_contract!(fresh);
}

mod pauses {
    use woody_core::ports::Pauses;

    use super::*;

    async fn fresh() -> (Arc<dyn Pauses>, TempDir) {
        let (store, folder) = open().await;
        (store, folder)
    }

    woody_core::pauses_contract!(fresh);
}

#[tokio::test]
async fn a_store_is_found_again_as_it_was_left() {
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::parse(&format!("sqlite:{}/new/woody.db", folder.path().display())).unwrap();
    let orders = orders(3);
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    let _ = store.orders().insert(&orders, Duration::ZERO).await.unwrap();
    let decision = Decision {
        order: orders[0].clone(),
        outcome: Outcome::Success(None),
        redriven: false,
        validation: None,
    };
    let _ = store.orders().finish(&[decision]).await.unwrap();
    let before = store.orders().counts().await.unwrap();
    store.close().await;
    let refusal = store.orders().ping().await.unwrap_err();
    assert!(refusal.is_transient(), "{refusal:?}");

    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(store.orders().counts().await.unwrap(), before);
    assert_eq!(store.orders().claim_outbox(9, LEASE).await.unwrap(), orders[1..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_stores_on_one_file_share_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("woody.db");
    // All at once, on a file that is not there yet.
    let opening = (0..4).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { SqliteStore::open(&path).await.unwrap() })
    });
    let mut writing = Vec::new();
    for store in opening.collect::<Vec<_>>() {
        let store = store.await.unwrap();
        writing.push(tokio::spawn(async move {
            for _ in 0..20 {
                let _ = store.insert(&orders(5), Duration::ZERO).await.unwrap();
                let _ = store.claim_outbox(3, LEASE).await.unwrap();
            }
            store
        }));
    }
    for store in writing {
        let counts = store.await.unwrap().counts().await.unwrap();
        assert_eq!(counts.pending, counts.outbox);
    }
    let counts = SqliteStore::open(&path).await.unwrap().counts().await.unwrap();
    assert_eq!((counts.pending, counts.outbox), (400, 400));
}

/// SQLite refuses at once, whatever time it is given, where two that turn a new file into
/// one with a log would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_may_be_opened_by_many_at_once() {
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("woody.db");
        let opening = (0..8).map(|_| {
            let path = path.clone();
            tokio::spawn(async move { SqliteStore::open(&path).await })
        });
        for opened in opening.collect::<Vec<_>>() {
            opened.await.unwrap().unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn a_place_that_is_no_place_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "this is no database, and longer than the header of one is").unwrap();
    for (path, why) in [
        (file.join("woody.db"), "a file is no folder"),
        (folder.path().to_owned(), "a folder is no file"),
        (file, "a text is no database"),
    ] {
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{why}: {error}");
    }
}

/// A database of somebody else's, or the queue's of the same shop.
#[tokio::test]
async fn a_database_that_is_no_store_is_refused_and_left_as_it_was() {
    for (tables, says) in [
        ("CREATE TABLE notes (note TEXT)", "no record"),
        (
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
                 installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
                 success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
             INSERT INTO _sqlx_migrations VALUES (1, 'queue', 0, TRUE, x'00', 0)",
            "not a store's",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        let url = format!("sqlite:{}?mode=rwc", path.display());
        let other = sqlx::SqlitePool::connect(&url).await.unwrap();
        sqlx::raw_sql(tables).execute(&other).await.unwrap();
        let there = "SELECT count(*), group_concat(sql) FROM sqlite_schema";
        let before: (i64, String) = sqlx::query_as(there).fetch_one(&other).await.unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(format!("{error:?}").contains("Refused"), "{error:?}");
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said = format!("{said}: {error}");
            cause = error.source();
        }
        assert!(said.contains(says) && said.contains("other.db"), "{said}");
        let after: (i64, String) = sqlx::query_as(there).fetch_one(&other).await.unwrap();
        assert_eq!(after, before);
    }
}

type Displacement = (&'static str, fn(&Path));

/// What could become of a file under a live store.
const DISPLACEMENTS: [Displacement; 5] = [
    ("the file is deleted", |folder| std::fs::remove_file(folder.join("woody.db")).unwrap()),
    ("its log is deleted", |folder| std::fs::remove_file(folder.join("woody.db-wal")).unwrap()),
    ("the folder is deleted", |folder| std::fs::remove_dir_all(folder).unwrap()),
    ("the folder is renamed", |folder| std::fs::rename(folder, aside(folder)).unwrap()),
    ("another takes its place", |folder| {
        let backup = folder.join("backup.db");
        std::fs::copy(folder.join("woody.db"), &backup).unwrap();
        std::fs::rename(backup, folder.join("woody.db")).unwrap();
    }),
];

fn aside(folder: &Path) -> std::path::PathBuf {
    folder.with_file_name("aside")
}

#[tokio::test]
async fn nothing_is_promised_once_the_file_is_displaced() {
    for (how, displace) in DISPLACEMENTS {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        let store = SqliteStore::open(&folder.join("woody.db")).await.unwrap();
        let kept = orders(1);
        let _ = store.insert(&kept, Duration::ZERO).await.unwrap();
        displace(&folder);
        let decision = Decision {
            order: kept[0].clone(),
            outcome: Outcome::Success(None),
            redriven: false,
            validation: None,
        };
        for refusal in [
            store.insert(&orders(1), LEASE).await.map(drop),
            store.finish(&[decision]).await.map(drop),
            store.claim_outbox(1, LEASE).await.map(drop),
            store.clear_outbox(&[kept[0].id]).await,
            store.add(&product("train")).await,
            store.ping().await,
        ] {
            let Err(StoreError::Refused(why)) = refusal else { panic!("{how}: {refusal:?}") };
            let why = why.to_string();
            assert!(why.contains("woody.db") && why.contains("start again"), "{how}: {why}");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_put_back_is_used_again() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let store = SqliteStore::open(&folder.join("woody.db")).await.unwrap();
    std::fs::rename(&folder, aside(&folder)).unwrap();
    store.insert(&orders(1), LEASE).await.unwrap_err();
    std::fs::rename(aside(&folder), &folder).unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.insert(&orders(1), LEASE).await.unwrap(), [Insert::Created]);
    assert_eq!(store.counts().await.unwrap().pending, 1, "what was refused was not written");
}

/// A reader that connects late must not read, or make, another file.
#[tokio::test]
async fn a_file_that_was_deleted_is_not_made_again_by_a_reader() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("woody.db");
    let store = SqliteStore::open(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let refusal = store.counts().await.unwrap_err();
    assert!(matches!(refusal, StoreError::Refused(_)), "{refusal:?}");
    assert!(!path.exists());
}

/// What is put there behind its back is not counted, so what is there is not read.
#[tokio::test]
async fn the_summary_is_kept_and_never_counted() {
    let (store, folder) = open().await;
    let product = product("train");
    store.add(&product).await.unwrap();
    let file = format!("sqlite:{}", folder.path().join("woody.db").display());
    let pool = sqlx::SqlitePool::connect(&file).await.unwrap();
    sqlx::query(
        "INSERT INTO products (id, name, parts, created_at)
         SELECT randomblob(16), 'boat', '[]', 0 FROM json_each('[1, 2, 3]')",
    )
    .execute(&pool)
    .await
    .unwrap();
    store.add(&product).await.unwrap();
    assert_eq!(store.summary().await.unwrap().count, 1);
}

/// This test starts itself once more, as the process that is killed.
#[tokio::test]
async fn what_was_answered_survives_kill_9() {
    const CHILD: &str = "WOODY_TEST_SQLITE_CHILD";
    if let Ok(path) = std::env::var(CHILD) {
        return insert_for_ever(Path::new(&path)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("woody.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["sqlite::what_was_answered_survives_kill_9", "--exact", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let answered: Vec<_> = lines
        .filter_map(|line| line.strip_prefix("answered ").map(str::to_owned))
        .take(100)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(answered.len(), 100);
    for id in answered {
        let id = woody_core::domain::OrderId::parse(&id).unwrap();
        assert!(store.order(id).await.unwrap().is_some(), "{id} is lost");
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.pending, counts.outbox, "an order and its entry are one");
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn insert_for_ever(path: &Path) {
    let store = SqliteStore::open(path).await.unwrap();
    loop {
        let orders = orders(1);
        assert_eq!(store.insert(&orders, LEASE).await.unwrap(), [Insert::Created]);
        println!("answered {}", orders[0].id);
    }
}

#[tokio::test]
async fn another_process_that_writes_for_too_long_is_unavailable_not_an_error_for_ever() {
    let (store, folder) = open().await;
    let hog =
        sqlx::SqlitePool::connect(&format!("sqlite:{}", folder.path().join("woody.db").display()))
            .await
            .unwrap();
    let lock = hog.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let refusal = store.insert(&orders(1), LEASE).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal:?}");
    // Reading goes on meanwhile.
    assert_eq!(store.counts().await.unwrap().pending, 0);
    lock.rollback().await.unwrap();
    assert_eq!(store.insert(&orders(1), LEASE).await.unwrap(), [Insert::Created]);
}
