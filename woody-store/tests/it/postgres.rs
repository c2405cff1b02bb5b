use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::net::TcpListener;
use woody_core::domain::OrderId;
use woody_core::ports::{Insert, OrderStore, ProductStore, StoreError};
use woody_store::{PostgresStore, StoreOptions, StoreUrl};

use crate::orders;

const LEASE: Duration = Duration::from_mins(1);

fn server() -> String {
    std::env::var("WOODY_TEST_POSTGRES_URL").expect("WOODY_TEST_POSTGRES_URL names a server")
}

/// A schema of a test's own, which goes away with it.
struct Schema(String);

impl Schema {
    async fn new() -> Self {
        let schema = Self(format!("woody_test_{}", OrderId::fresh().as_uuid().simple()));
        schema.run(format!("CREATE SCHEMA {}", schema.0)).await;
        schema
    }

    async fn run(&self, sql: String) {
        let mut pg = PgConnection::connect(&server()).await.unwrap();
        pg.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    fn url(&self) -> String {
        let server = server();
        let separator = if server.contains('?') { '&' } else { '?' };
        format!("{server}{separator}options[search_path]={}", self.0)
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = self.0.clone();
        // Nothing can be awaited here, and the test's own runtime is ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let mut pg = PgConnection::connect(&server()).await.unwrap();
                let sql = format!("DROP SCHEMA {name} CASCADE");
                pg.execute(AssertSqlSafe(sql)).await.unwrap();
            });
        });
        let _ = dropping.join();
    }
}

/// Tests that are not about timeouts do not fail on a busy machine.
fn patient() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.acquire_timeout = Duration::from_secs(20);
    options.call_timeout = Duration::from_secs(30);
    options
}

async fn open() -> (Arc<PostgresStore>, Schema) {
    let schema = Schema::new().await;
    let store = PostgresStore::connect(&schema.url(), patient()).unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), schema)
}

mod order_store {
    use super::*;

    async fn fresh() -> (Arc<dyn OrderStore>, Schema) {
        let (store, schema) = open().await;
        (store, schema)
    }

    woody_core::order_store_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL"]
        fresh
    );
}

mod product_store {
    use super::*;

    async fn fresh() -> (Arc<dyn ProductStore>, Schema) {
        let (store, schema) = open().await;
        (store, schema)
    }

    woody_core::product_store_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL"]
        fresh
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn replicas_may_migrate_at_once_and_again() {
    let schema = Schema::new().await;
    let migrating: Vec<_> = (0..4)
        .map(|_| {
            let store = PostgresStore::connect(&schema.url(), patient()).unwrap();
            tokio::spawn(async move {
                store.migrate().await.unwrap();
                store.migrate().await.unwrap();
                store
            })
        })
        .collect();
    for store in migrating {
        store.await.unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn before_it_is_migrated_it_answers_no_ping() {
    let schema = Schema::new().await;
    let url = StoreUrl::parse(&schema.url()).unwrap();
    let store = woody_store::connect(&url, patient()).await.unwrap();
    let refusal = store.orders().ping().await.unwrap_err();
    assert!(matches!(refusal, StoreError::Refused(_)), "{refusal:?}");
    store.migrate().await.unwrap();
    store.orders().ping().await.unwrap();
    store.close().await;
    assert!(store.orders().ping().await.unwrap_err().is_transient());
}

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

/// No index may be missing from the plan of what runs all the time.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn an_order_that_has_ended_may_be_large_in_number_and_costs_claims_nothing() {
    let (store, schema) = open().await;
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        "INSERT INTO orders
         SELECT gen_random_uuid(), 'train', 1, 'success', null, now() - interval '1 day', now()
         FROM generate_series(1, 50000); ANALYZE orders",
    )
    .await
    .unwrap();
    let _ = store.insert(&orders(10), Duration::ZERO).await.unwrap();
    for sql in [
        "EXPLAIN SELECT id FROM orders WHERE status = 'pending' AND accepted_at < now()
         ORDER BY accepted_at, id LIMIT 100",
        "EXPLAIN SELECT id FROM orders
         WHERE status = 'pending' AND accepted_at < now()
           AND NOT EXISTS (SELECT FROM outbox WHERE order_id = id)
         ORDER BY accepted_at, id LIMIT 100 FOR UPDATE SKIP LOCKED",
    ] {
        let plan: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut pg).await.unwrap();
        assert!(plan.join("\n").contains("orders_pending"), "{plan:#?}");
    }
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
