use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use woody_core::domain::OrderId;
use woody_core::ports::{OrderStore, ProductStore, Store, StoreError, Transition};
use woody_store::{PostgresStore, StoreOptions, StoreUrl};

use crate::{orders, product};

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

mod cluster;
mod database;
mod failover;
mod faults;
mod hosts;
mod pooler;
mod replication;
mod rights;
mod trail;

mod store {
    use super::*;

    async fn fresh() -> (Arc<dyn Store>, Schema) {
        let schema = Schema::new().await;
        let store = PostgresStore::connect(&schema.url(), patient()).unwrap();
        (Arc::new(store), schema)
    }

    woody_core::store_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL"]
        fresh
    );
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

mod act_log {
    use woody_core::ports::ActLog;

    use super::*;

    async fn fresh() -> (Arc<dyn ActLog>, Schema) {
        let (store, schema) = open().await;
        (store, schema)
    }

    woody_core::act_log_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL"]
        fresh
    );
}

mod pauses {
    use woody_core::ports::Pauses;

    use super::*;

    async fn fresh() -> (Arc<dyn Pauses>, Schema) {
        let (store, schema) = open().await;
        (store, schema)
    }

    woody_core::pauses_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL"]
        fresh
    );
}

mod notice_store {
    use super::*;

    async fn fresh() -> (Arc<dyn Store>, Schema) {
        let (store, schema) = open().await;
        (store, schema)
    }

    woody_core::notice_store_contract!(
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

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn an_order_that_cannot_be_read_keeps_no_other_back() {
    let (store, schema) = open().await;
    let new = orders(3);
    let ids: Vec<_> = new.iter().map(|order| order.id).collect();
    let _ = store.insert(&new, Duration::ZERO).await.unwrap();
    // What the store refuses to read, and what the driver cannot.
    for spoil in ["details = '[]'", "accepted_at = 'infinity'"] {
        let (table, id) = (format!("{}.orders", schema.0), ids[1]);
        schema.run(format!("UPDATE {table} SET {spoil} WHERE id = '{id}'")).await;
        let found = store.orders_by_id(&ids).await.unwrap();
        assert!(matches!(&found[1], Err(StoreError::Corrupt(_))), "{spoil}: {found:?}");
        for nth in [0, 2] {
            let order = found[nth].as_ref().unwrap().as_ref().expect("it is there");
            assert_eq!((order.id, &order.details), (ids[nth], &new[nth].details));
        }
    }
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

/// As a schema was before orders could be cancelled.
const NEVER_CANCELLED: &str = "
    ALTER TABLE orders DROP CONSTRAINT orders_status_check;
    ALTER TABLE orders ADD CHECK (status IN ('pending', 'success', 'rejected', 'failed'));
    DELETE FROM _sqlx_migrations WHERE version = 4";

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn orders_from_before_they_could_be_cancelled_are_kept_and_can_be() {
    let (store, schema) = open().await;
    let orders = orders(1);
    let _ = store.insert(&orders, Duration::ZERO).await.unwrap();
    schema.run(format!("SET search_path = {}; {NEVER_CANCELLED}", schema.0)).await;
    let refusal = store.cancel(orders[0].id, None).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Refused(_)), "{refusal:?}");
    store.migrate().await.unwrap();
    let cancelled = store.cancel(orders[0].id, None).await.unwrap();
    assert_eq!(cancelled, Some(Transition::Applied));
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

/// No index may be missing from the plan of what runs all the time.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn finding_pending_orders_reads_no_finished_ones() {
    let (store, schema) = open().await;
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        r#"INSERT INTO orders
         SELECT gen_random_uuid(), '{"product":"train"}', 'success', null, now() - interval '1 day', now()
         FROM generate_series(1, 50000); ANALYZE orders"#,
    )
    .await
    .unwrap();
    let _ = store.insert(&orders(10), Duration::ZERO).await.unwrap();
    for sql in [
        "EXPLAIN SELECT id FROM orders WHERE status = 'pending' AND accepted_at < now()
         ORDER BY accepted_at, id LIMIT 100",
        "EXPLAIN SELECT id FROM orders
         WHERE status = 'pending' AND accepted_at < now()
           AND id NOT IN (SELECT unnest(orders) FROM outbox WHERE accepted_at < now())
         ORDER BY accepted_at, id LIMIT 100 FOR UPDATE SKIP LOCKED",
    ] {
        let plan: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut pg).await.unwrap();
        assert!(plan.join("\n").contains("orders_pending"), "{plan:#?}");
    }
}

/// What was archived stays, and is not read past; nor does a list.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn finding_what_may_be_archived_reads_none_that_is_archived() {
    let (_store, schema) = open().await;
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        r#"INSERT INTO orders
         SELECT gen_random_uuid(), '{"status":"archived"}', 'success', null, now() - interval '1 year', now()
         FROM generate_series(1, 50000);
         INSERT INTO orders
         SELECT gen_random_uuid(), '{"product":"train"}', 'success', null, now() - interval '1 day', now()
         FROM generate_series(1, 50000); ANALYZE orders"#,
    )
    .await
    .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        r#"EXPLAIN (ANALYZE, TIMING OFF) SELECT id FROM orders
         WHERE status = 'success' AND details <> '{"status":"archived"}'
           AND (accepted_at, id) > ('-infinity', '00000000-0000-0000-0000-000000000000')
           AND accepted_at < now()
         ORDER BY accepted_at, id LIMIT 500"#,
    )
    .fetch_all(&mut pg)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("orders_kept") && !plan.contains("Sort"), "{plan}");
    assert!(!plan.contains("Rows Removed"), "{plan}");
}

/// However many others there are.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_list_of_a_clients_orders_reads_none_of_others() {
    let (_store, schema) = open().await;
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        r#"INSERT INTO orders (id, details, status, accepted_at, finished_at, client)
         SELECT gen_random_uuid(), '{"product":"train"}', 'success', now() - interval '1 day', now(),
                CASE WHEN number % 10000 = 0 THEN 'acme' WHEN number % 2 = 0 THEN 'globex' END
         FROM generate_series(1, 100000) AS number; ANALYZE orders"#,
    )
    .await
    .unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        r#"EXPLAIN (ANALYZE, TIMING OFF) SELECT id FROM orders
         WHERE status = 'success' AND client = 'acme' AND details <> '{"status":"archived"}'
           AND (accepted_at, id) > ('-infinity', '00000000-0000-0000-0000-000000000000')
           AND accepted_at < now()
         ORDER BY accepted_at, id LIMIT 500"#,
    )
    .fetch_all(&mut pg)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("orders_of_client") && !plan.contains("Rows Removed"), "{plan}");
}

/// A receiver that is gone leaves many that are not due.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn claiming_notices_reads_none_that_are_not_due() {
    let (_store, schema) = open().await;
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        "INSERT INTO notices
         SELECT 'mail', gen_random_uuid(), 'success', null, now(), 1, now() + interval '1 day', 'no response'
         FROM generate_series(1, 20000);
         INSERT INTO notices
         SELECT 'mail', gen_random_uuid(), 'success', null, now(), 1, null, 'gone'
         FROM generate_series(1, 20000); ANALYZE notices",
    )
    .await
    .unwrap();
    for (sql, index) in [
        (
            "EXPLAIN SELECT order_id FROM notices WHERE subscription = 'mail' AND due_at <= now()
          ORDER BY due_at, order_id LIMIT 16 FOR UPDATE SKIP LOCKED",
            "notices_due",
        ),
        (
            "EXPLAIN SELECT order_id FROM notices WHERE subscription = 'mail' AND due_at IS NULL
          ORDER BY order_id, status LIMIT 100",
            "notices_dead",
        ),
    ] {
        let plan: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut pg).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Sort"), "{plan}");
    }
}

/// What is put there behind its back is not counted, so what is there is not read.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn the_summary_is_kept_and_never_counted() {
    let (store, schema) = open().await;
    let product = product("train");
    store.add(&product).await.unwrap();
    let mut pg = PgConnection::connect(&schema.url()).await.unwrap();
    pg.execute(
        "INSERT INTO products (id, name, parts, created_at)
         SELECT gen_random_uuid(), 'boat', '[]', now() FROM generate_series(1, 3)",
    )
    .await
    .unwrap();
    store.add(&product).await.unwrap();
    assert_eq!(store.summary().await.unwrap().count, 1);
}

/// What was taken down does not hold up those that are left.
#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_queue_that_nobody_notes_any_more_is_forgotten() {
    let (store, schema) = open().await;
    assert_eq!(store.note_queue("one", None).await.unwrap(), []);
    let told = async |queue| store.note_queue(queue, None).await.unwrap().len();
    assert_eq!(told("two").await, 1);
    let before = |minutes| {
        format!(
            "UPDATE {}.queues SET noted_at = now() - interval '{minutes} minutes' WHERE queue = 'one'",
            schema.0
        )
    };
    schema.run(before(14)).await;
    assert_eq!(told("two").await, 1);
    schema.run(before(16)).await;
    assert_eq!(told("two").await, 0);
    schema.run(format!("INSERT INTO {}.queues VALUES ('one', now())", schema.0)).await;
    assert_eq!(told("two").await, 1, "it is back");
}
