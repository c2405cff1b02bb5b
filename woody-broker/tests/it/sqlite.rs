use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use tempfile::TempDir;
use woody_broker::sqlite::{SqliteBroker, SqliteOptions};
use woody_core::contract::broker::acknowledge;
use woody_core::ports::{
    Broker, BrokerError, Consumer, ConsumerState, Delivery, Prefetch, SettleError,
};
use woody_core::{contract::toy, domain::OrderMessage};

mod displaced;
mod killed;

async fn fresh() -> (Arc<dyn Broker>, TempDir) {
    let folder = TempDir::new().unwrap();
    let broker = open(&folder.path().join("queue.db")).await;
    (Arc::new(broker), folder)
}

woody_core::broker_contract!(fresh);

async fn open(path: &Path) -> SqliteBroker {
    SqliteBroker::open(path, SqliteOptions::default()).await.unwrap()
}

async fn consumer(broker: &SqliteBroker, prefetch: u16) -> Box<dyn Consumer> {
    broker.consumer(Prefetch::new(prefetch).unwrap()).await.unwrap()
}

/// A delivery within the time that a restarted program may take.
async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    tokio::time::timeout(Duration::from_secs(10), consumer.next()).await.unwrap().unwrap()
}

async fn send(broker: &SqliteBroker, bodies: &[&'static str]) {
    let bodies: Vec<Bytes> =
        bodies.iter().map(|body| Bytes::from_static(body.as_bytes())).collect();
    broker.publisher().send(&bodies).await.unwrap();
}

/// The files in the queue's folder that are not SQLite's own.
fn side_files(folder: &TempDir) -> usize {
    let names = std::fs::read_dir(folder.path()).unwrap();
    names
        .filter(|name| name.as_ref().unwrap().path().to_string_lossy().contains("-holder-"))
        .count()
}

#[tokio::test]
async fn everything_survives_a_close_and_a_reopen() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a folder/of its own/queue.db");
    let broker = open(&path).await;
    send(&broker, &["ready", "delayed", "dead", "held"]).await;
    let mut one = consumer(&broker, 4).await;
    let _ready = next(&mut one).await;
    let delay = Duration::from_hours(1);
    next(&mut one).await.retry_after(delay, "later".into()).await.unwrap();
    next(&mut one).await.dead_letter("no".into()).await.unwrap();
    let _held = next(&mut one).await;
    broker.close().await;

    let broker = open(&path).await;
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.dead), (2, 1, 1));
    assert_eq!((depth.in_flight, depth.consumers), (Some(0), Some(0)));
    let mut two = consumer(&broker, 1).await;
    for body in ["ready", "held"] {
        let delivery = next(&mut two).await;
        assert_eq!(delivery.body(), body);
        assert_eq!(delivery.attempt(), 1);
        delivery.dead_letter("seen".into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_retry_that_fell_due_while_nobody_was_there_comes_at_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let broker = open(&path).await;
    send(&broker, &["x"]).await;
    let mut one = consumer(&broker, 1).await;
    next(&mut one).await.retry_after(Duration::from_millis(50), "later".into()).await.unwrap();
    broker.close().await;
    let broker = open(&path).await;
    assert_eq!(next(&mut consumer(&broker, 1).await).await.attempt(), 2);
}

#[tokio::test]
async fn a_broker_that_is_dropped_with_all_it_gave_gives_everything_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let broker = open(&path).await;
    send(&broker, &["x"]).await;
    let mut one = consumer(&broker, 1).await;
    let held = next(&mut one).await;
    drop((broker, one, held));
    let broker = open(&path).await;
    assert_eq!(next(&mut consumer(&broker, 1).await).await.body(), "x");
}

#[tokio::test]
async fn two_processes_share_the_queue_and_wake_each_other() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    // Two brokers on one file are to each other as two processes are.
    let (here, there) = (open(&path).await, open(&path).await);
    let mut one = consumer(&here, 1).await;
    let mut two = consumer(&there, 1).await;
    send(&there, &["a", "b"]).await;
    let (first, second) = (next(&mut one).await, next(&mut two).await);
    assert_ne!(first.body(), second.body());
    let depth = there.admin().depth().await.unwrap();
    assert_eq!((depth.in_flight, depth.consumers), (Some(2), Some(2)));
    first.retry_after(Duration::ZERO, "again".into()).await.unwrap();
    one.stop().await;
    second.dead_letter("no".into()).await.unwrap();
    assert_eq!(next(&mut two).await.attempt(), 2, "the other one's retry");
    assert_eq!(side_files(&folder), 2);
    here.close().await;
    there.close().await;
    assert_eq!(side_files(&folder), 0);
}

#[tokio::test]
async fn a_process_whose_side_file_was_deleted_begins_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let here = open(&path).await;
    send(&here, &["x"]).await;
    let mut one = consumer(&here, 1).await;
    let held = next(&mut one).await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        if file.to_string_lossy().contains("-holder-") {
            std::fs::remove_file(file).unwrap();
        }
    }
    let there = open(&path).await;
    let mut two = consumer(&there, 1).await;
    let again = next(&mut two).await;
    assert!(held.dead_letter("no".into()).await.is_err(), "it is with the other one now");
    again.release().await.unwrap();
    drop(two);
    let delivery = next(&mut one).await;
    delivery.dead_letter("no".into()).await.unwrap();
    assert_eq!(there.admin().depth().await.unwrap().dead, 1);
}

#[tokio::test]
async fn a_full_file_refuses_and_takes_again_once_there_is_room() {
    let folder = TempDir::new().unwrap();
    let max_bytes = Some(1024 * 1024);
    let options = SqliteOptions::default().max_bytes(max_bytes);
    let broker = SqliteBroker::open(folder.path().join("queue.db"), options).await.unwrap();
    let publisher = broker.publisher();
    let body = [Bytes::from(vec![7; 60_000])];
    let mut stored = 0;
    let refused = loop {
        match publisher.send(&body).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 100, "it is never full");
    };
    assert!(matches!(refused, BrokerError::Refused(_)), "{refused:?}");
    let source = std::error::Error::source(&refused).unwrap().to_string();
    assert!(source.contains("full"), "{source}");

    let mut one = consumer(&broker, 1).await;
    for _ in 0..2 {
        // Burying copies the message first, for which a full file has no room.
        let buried = next(&mut one).await.dead_letter("no".into()).await;
        if buried.is_ok() {
            let dead = broker.admin().dead_letters(1).await.unwrap().remove(0);
            broker.admin().purge(&[dead.id]).await.unwrap();
        }
    }
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!(depth.ready + depth.in_flight.unwrap() + depth.dead, stored, "nothing is lost");
    let mut state = one.state();
    let consuming = state.wait_for(|state| *state == ConsumerState::Consuming);
    tokio::time::timeout(Duration::from_secs(10), consuming).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_full_file_drains_however_hard_others_publish() {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions::default().max_bytes(Some(96 * 1024));
    let broker = SqliteBroker::open(folder.path().join("queue.db"), options).await.unwrap();
    let publisher = broker.publisher();
    let mut stored = 0;
    while publisher.publish(&vec![message(); 10]).await.is_ok() {
        stored += 10;
    }
    let hammering = tokio::spawn(async move {
        loop {
            // All of it never fits.
            assert!(publisher.send(&[Bytes::from(vec![7; 200_000])]).await.is_err());
        }
    });
    let mut one = consumer(&broker, 8).await;
    for _ in 0..stored {
        acknowledge(next(&mut one).await).await.unwrap();
    }
    hammering.abort();
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.in_flight), (0, Some(0)));
}

#[tokio::test]
async fn a_locked_file_is_unavailable_and_nothing_is_lost_by_it() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let busy_timeout = Duration::from_millis(50);
    let options = SqliteOptions::default().busy_timeout(busy_timeout);
    let broker = SqliteBroker::open(&path, options).await.unwrap();
    let sent = message();
    broker.publisher().publish(&[sent]).await.unwrap();
    let mut one = consumer(&broker, 1).await;
    let mut state = one.state();
    let held = next(&mut one).await;

    let mut other = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let refused = broker.publisher().publish(&[message()]).await;
    assert!(matches!(refused, Err(BrokerError::Unavailable(_))), "{refused:?}");
    let recovering = state.wait_for(|state| *state == ConsumerState::Recovering);
    tokio::time::timeout(Duration::from_secs(10), recovering).await.unwrap().unwrap();
    let unsettled = acknowledge(held).await;
    assert!(matches!(unsettled, Err(SettleError::Broker(_))), "{unsettled:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();

    let again = next(&mut one).await;
    assert_eq!((again.attempt(), again.redelivered()), (1, true));
    let consuming = state.wait_for(|state| *state == ConsumerState::Consuming);
    tokio::time::timeout(Duration::from_secs(10), consuming).await.unwrap().unwrap();
    acknowledge(again).await.unwrap();
    broker.close().await;
}

fn message() -> OrderMessage {
    OrderMessage::from(&toy("Train"))
}

/// SQLite refuses at once, whatever time it is given, where two that turn a new file into
/// one with a log would wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_may_be_opened_by_many_at_once() {
    for round in 0..40 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("queue.db");
        let opening = (0..8).map(|_| {
            let path = path.clone();
            tokio::spawn(async move { SqliteBroker::open(&path, SqliteOptions::default()).await })
        });
        for opened in opening.collect::<Vec<_>>() {
            let broker = opened.await.unwrap();
            broker.unwrap_or_else(|error| panic!("round {round}: {error:?}")).close().await;
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_queue_is_refused_with_its_reason() {
    let folder = TempDir::new().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "this is not a database, and it must not become one ".repeat(100))
        .unwrap();
    let queue = folder.path().join("queue.db");
    open(&queue).await.close().await;
    for (path, name, says) in [
        (folder.path().to_owned(), "order_processing", "unable to open"),
        (text.clone(), "order_processing", "not a database"),
        (text.join("queue.db"), "order_processing", "cannot create the folder"),
        (queue, "another_queue", "holds the queue \"order_processing\""),
    ] {
        let error = SqliteBroker::open(&path, SqliteOptions::for_queue(name)).await.unwrap_err();
        assert!(matches!(error, BrokerError::Refused(_)), "{error:?}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(says), "{}: {source}", path.display());
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    open(&path).await.close().await;
    let mut raw = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    let step = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                execution_time) VALUES (99, 'tomorrow', TRUE, x'', 0)";
    sqlx::raw_sql(step).execute(&mut raw).await.unwrap();
    let error = SqliteBroker::open(&path, SqliteOptions::default()).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("newer version"), "{source}");
}

/// A database of another program, or of ours from before there was a record of steps.
#[tokio::test]
async fn a_database_that_is_no_queue_is_refused_and_left_as_it_was() {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    for (tables, says) in [
        ("PRAGMA user_version = 1; CREATE TABLE queue (name TEXT NOT NULL) STRICT", "no record"),
        (
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
                 installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
                 success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
             INSERT INTO _sqlx_migrations VALUES (1, 'orders', 0, TRUE, x'00', 0)",
            "not a queue's",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("other.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut other = options.connect().await.unwrap();
        sqlx::raw_sql(tables).execute(&mut other).await.unwrap();
        let there = "SELECT count(*), group_concat(sql) FROM sqlite_schema";
        let before: (i64, String) = sqlx::query_as(there).fetch_one(&mut other).await.unwrap();
        let error = SqliteBroker::open(&path, SqliteOptions::default()).await.unwrap_err();
        assert!(matches!(error, BrokerError::Refused(_)), "{error:?}");
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(says), "{source}");
        let after: (i64, String) = sqlx::query_as(there).fetch_one(&mut other).await.unwrap();
        assert_eq!(after, before);
    }
}
