//! Servers that refuse, stall, go away or fall silent.

use std::error::Error;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Connection, Executor, PgConnection};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use woody_core::domain::{OrderId, PoolUse};
use woody_core::ports::{Insert, OrderStore, ProductStore, Store, StoreError};
use woody_store::{PostgresStore, StoreOptions};

use super::{open, patient, server};
use crate::orders;

const LEASE: Duration = Duration::from_mins(1);

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_wrong_password_is_refused_and_not_shown() {
    let right = server();
    let (before, after) = right.rsplit_once('@').expect("the URL has a user");
    let user = before.split_once("://").unwrap().1.split(':').next().unwrap();
    let url = format!("postgres://{user}:hunter2@{after}");
    let store = PostgresStore::connect(&url, patient()).unwrap();
    for refusal in [store.ping().await.unwrap_err(), store.migrate().await.unwrap_err()] {
        assert!(matches!(refusal, StoreError::Refused(_)), "{refusal:?}");
        let said = format!("{refusal} {refusal:?} {:?} {store:?}", refusal.source());
        assert!(said.contains("password authentication failed"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_lock_that_stays_is_unavailable_in_time_and_leaves_the_store_well() {
    let (_, schema) = open().await;
    let mut options = patient();
    options.call_timeout = Duration::from_millis(300);
    options.max_connections = 2;
    let store = PostgresStore::connect(&schema.url(), options).unwrap();
    let mut hog = PgConnection::connect(&schema.url()).await.unwrap();
    hog.execute("BEGIN; LOCK TABLE orders").await.unwrap();
    // More calls than connections: those that gave up hold none.
    for _ in 0..5 {
        let started = Instant::now();
        let refusal = store.insert(&orders(1), LEASE).await.unwrap_err();
        assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal:?}");
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    hog.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.insert(&orders(1), LEASE).await.unwrap(), [Insert::Created]);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn who_has_a_connection_and_who_waits_for_one_is_counted() {
    let (_, schema) = open().await;
    let mut options = patient();
    options.max_connections = 1;
    let store = PostgresStore::connect(&schema.url(), options).unwrap();
    let counted = |used, waiting| PoolUse { used, limit: 1, waiting: Some(waiting) };
    assert_eq!(store.connections(), Some(counted(0, 0)));
    let mut hog = PgConnection::connect(&schema.url()).await.unwrap();
    hog.execute("BEGIN; LOCK TABLE orders").await.unwrap();
    let calls = (0..3).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.insert(&orders(1), LEASE).await })
    });
    let calls: Vec<_> = calls.collect();
    while store.connections() != Some(counted(1, 2)) {
        tokio::task::yield_now().await;
    }
    hog.execute("ROLLBACK").await.unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), [Insert::Created]);
    }
    while store.connections() != Some(counted(0, 0)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_connection_that_the_server_ended_costs_one_call_at_most() {
    let (_, schema) = open().await;
    let mut options = patient();
    options.max_connections = 1;
    let name = format!("ended_{}", OrderId::fresh().as_uuid().simple());
    let url = format!("{}&application_name={name}", schema.url());
    let store = PostgresStore::connect(&url, options).unwrap();
    store.ping().await.unwrap();
    let ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name";
    schema.run(format!("{ending} = '{name}'")).await;
    let failed = store.ping().await;
    assert!(failed.as_ref().is_ok() || failed.as_ref().is_err_and(StoreError::is_transient));
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn many_share_one_connection_and_closing_ends_it() {
    let (_, schema) = open().await;
    let mut options = patient();
    options.max_connections = 1;
    let name = format!("shared_{}", OrderId::fresh().as_uuid().simple());
    let url = format!("{}&application_name={name}", schema.url());
    let store = PostgresStore::connect(&url, options).unwrap();
    let callers = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..50 {
                store.ping().await.unwrap();
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut other = PgConnection::connect(&schema.url()).await.unwrap();
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let mut sessions = async || {
        sqlx::query_scalar::<_, i64>(sessions).bind(&name).fetch_one(&mut other).await.unwrap()
    };
    assert_eq!(sessions().await, 1);
    store.close().await;
    let closed = Instant::now();
    while sessions().await != 0 {
        assert!(closed.elapsed() < Duration::from_secs(10));
    }
}

#[test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
fn a_store_may_outlive_its_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(async {
        let (store, _schema) = open().await;
        store.ping().await.unwrap();
        store
    });
    drop(runtime);
    drop(store);
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_in_time() {
    // A port that was free a moment ago, and that nothing listens on.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let url = format!("postgres://woody:hunter2@127.0.0.1:{port}/woody");
    let store = PostgresStore::connect(&url, StoreOptions::default()).unwrap();
    in_time(store.insert(&orders(1), LEASE)).await;
    in_time(store.ping()).await;
    in_time(store.migrate()).await;
    in_time(async {
        store.close().await;
        store.ping().await
    })
    .await;
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = tokio::spawn(async move {
        let mut taken = Vec::new();
        loop {
            taken.push(listener.accept().await.unwrap());
        }
    });
    let url = format!("postgres://woody:hunter2@127.0.0.1:{port}/woody");
    let mut options = StoreOptions::default();
    options.call_timeout = Duration::from_secs(1);
    let store = PostgresStore::connect(&url, options).unwrap();
    in_time(store.insert(&orders(1), LEASE)).await;
    in_time(store.order(OrderId::fresh())).await;
    in_time(store.ping()).await;
    in_time(store.migrate()).await;
    in_time(store.summary()).await;
    silent.abort();
}

async fn in_time<T: std::fmt::Debug>(call: impl Future<Output = Result<T, StoreError>>) {
    let started = Instant::now();
    let refusal = call.await.unwrap_err();
    assert!(refusal.is_transient(), "{refusal:?}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(!format!("{refusal:?} {:?}", refusal.source()).contains("hunter2"));
}

/// Between the store and its server; frozen, it keeps every connection and
/// passes nothing on, as a stopped process or a cut cable does.
async fn proxy(frozen: watch::Receiver<bool>) -> u16 {
    let server = sqlx::postgres::PgConnectOptions::from_str(&server()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (address, mut frozen) =
                ((server.get_host().to_owned(), server.get_port()), frozen.clone());
            tokio::spawn(async move {
                frozen.wait_for(|frozen| !frozen).await.unwrap();
                let mut server = TcpStream::connect(address).await.unwrap();
                loop {
                    tokio::select! {
                        biased;
                        _ = frozen.wait_for(|frozen| *frozen) => {}
                        _ = copy_bidirectional(&mut client, &mut server) => return,
                    }
                    frozen.wait_for(|frozen| !frozen).await.unwrap();
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_server_that_falls_silent_is_unavailable_in_time_and_is_found_again() {
    let (_, schema) = open().await;
    let (freeze, frozen) = watch::channel(false);
    let port = proxy(frozen).await;
    let url = schema.url();
    let (before, after) = url.rsplit_once('@').unwrap();
    let (_, database) = after.split_once('/').unwrap();
    let mut options = StoreOptions::default();
    options.call_timeout = Duration::from_secs(1);
    options.max_connections = 2;
    let url = format!("{before}@127.0.0.1:{port}/{database}");
    let store = Arc::new(PostgresStore::connect(&url, options).unwrap());
    let (one, two) = (orders(1), orders(1));
    let (one, two) = tokio::join!(store.insert(&one, LEASE), store.insert(&two, LEASE));
    assert_eq!((one.unwrap(), two.unwrap()), (vec![Insert::Created], vec![Insert::Created]));

    freeze.send(true).unwrap();
    // The first one finds a connection that had just worked, the next one that it has not been used for long, the later
    // ones none.
    for _ in 0..4 {
        in_time(store.insert(&orders(1), LEASE)).await;
    }
    freeze.send(false).unwrap();
    // Nothing is left of those calls that would hold up the next.
    let back = Instant::now();
    while let Err(refusal) = store.insert(&orders(1), LEASE).await {
        assert!(refusal.is_transient(), "{refusal:?}");
        assert!(back.elapsed() < Duration::from_secs(3), "{refusal:?}");
    }
}

/// Passes everything on, but takes its time to begin.
async fn slow_to_begin(delay: Duration) -> u16 {
    let server = sqlx::postgres::PgConnectOptions::from_str(&server()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let address = (server.get_host().to_owned(), server.get_port());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let mut server = TcpStream::connect(address).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_connection_that_takes_longer_than_anybody_waits_serves_who_comes_later() {
    let (_, schema) = open().await;
    let port = slow_to_begin(Duration::from_secs(1)).await;
    let url = schema.url();
    let (before, after) = url.rsplit_once('@').unwrap();
    let (_, database) = after.split_once('/').unwrap();
    let mut options = patient();
    options.acquire_timeout = Duration::from_millis(200);
    let url = format!("{before}@127.0.0.1:{port}/{database}");
    let store = PostgresStore::connect(&url, options).unwrap();
    let began = Instant::now();
    let mut refused = 0;
    while let Err(refusal) = store.ping().await {
        assert!(refusal.is_transient(), "{refusal:?}");
        assert!(began.elapsed() < Duration::from_secs(20), "{refusal:?}");
        refused += 1;
    }
    assert!(refused > 0, "connecting took no time: this proves nothing");
}
