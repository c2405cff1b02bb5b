//! Behind a PgBouncer that hands sessions around.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::TcpStream;
use uuid::Uuid;
use woody_core::ports::{OrderStore, ProductStore, Store, StoreError};
use woody_store::PostgresStore;

use super::database::{Database, Parts, parts};
use super::patient;

/// A PgBouncer before the tests' server; it ends with its test.
struct PgBouncer {
    process: Child,
    place: String,
    _folder: TempDir,
}

impl PgBouncer {
    async fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let Parts { user, password, place } = parts();
        let (host, port) = place.split_once(':').expect("the server has a port");
        let free = free_address();
        // It refuses to run as root.
        let is_root = std::fs::metadata("/proc/self")
            .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        let settings = format!(
            "[databases]\n* = host={host} port={port} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = transaction\ndefault_pool_size = 3\n\
             server_round_robin = 1\n{}{settings}",
            free.ip(),
            free.port(),
            if is_root { "user = nobody\n" } else { "" },
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let process = Command::new("pgbouncer").arg("--quiet").arg(&file).spawn();
        let process = process.expect("needs Debian's package pgbouncer");
        while TcpStream::connect(free).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Self { process, place: free.to_string(), _folder: folder }
    }
}

/// Below the ports of outgoing connections, of which other tests have thousands.
fn free_address() -> SocketAddr {
    let free = (0..1_000).find_map(|_| {
        let port = 10_000 + u16::try_from(Uuid::new_v4().as_u128() % 10_000).unwrap();
        TcpListener::bind(("127.0.0.1", port)).ok()?.local_addr().ok()
    });
    free.unwrap()
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn open() -> (Arc<PostgresStore>, (Database, PgBouncer)) {
    let pooler = PgBouncer::start("").await;
    let database = Database::named();
    database.create("").await;
    let url = format!("{}?pooler=transaction", database.url_at(&pooler.place));
    let store = PostgresStore::connect(&url, patient()).unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), (database, pooler))
}

mod order_store {
    use super::*;

    async fn fresh() -> (Arc<dyn OrderStore>, (Database, PgBouncer)) {
        let (store, kept) = open().await;
        (store, kept)
    }

    woody_core::order_store_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
        fresh
    );
}

mod act_log {
    use woody_core::ports::ActLog;

    use super::*;

    async fn fresh() -> (Arc<dyn ActLog>, (Database, PgBouncer)) {
        let (store, kept) = open().await;
        (store, kept)
    }

    woody_core::act_log_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
        fresh
    );
}

mod pauses {
    use woody_core::ports::Pauses;

    use super::*;

    async fn fresh() -> (Arc<dyn Pauses>, (Database, PgBouncer)) {
        let (store, kept) = open().await;
        (store, kept)
    }

    woody_core::pauses_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
        fresh
    );
}

mod notice_store {
    use super::*;

    async fn fresh() -> (Arc<dyn Store>, (Database, PgBouncer)) {
        let (store, kept) = open().await;
        (store, kept)
    }

    woody_core::notice_store_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
        fresh
    );
}

mod product_store {
    use super::*;

    async fn fresh() -> (Arc<dyn ProductStore>, (Database, PgBouncer)) {
        let (store, kept) = open().await;
        (store, kept)
    }

    woody_core::product_store_contract!(
        #[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
        fresh
    );
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
async fn a_pooler_that_the_url_does_not_tell_of_is_named_with_its_remedy() {
    for settings in ["", "ignore_startup_parameters = extra_float_digits, options\n"] {
        let pooler = PgBouncer::start(settings).await;
        let database = Database::named();
        database.create("").await;
        let url = database.url_at(&pooler.place);
        let store = PostgresStore::connect(&url, patient()).unwrap();
        for answer in [store.migrate().await, store.ping().await] {
            let error = answer.unwrap_err();
            assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
            let said = error.source().unwrap().to_string();
            assert!(said.contains("pooler=transaction"), "{settings}: {said}");
        }
        store.close().await;
    }
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
async fn a_startup_parameter_that_a_pooler_refuses_is_not_taken_for_a_missing_setting() {
    let pooler = PgBouncer::start("").await;
    let database = Database::named();
    database.create("").await;
    let url = database.url_at(&pooler.place);
    let url = format!("{url}?pooler=transaction&options[search_path]=shop");
    let store = PostgresStore::connect(&url, patient()).unwrap();
    let error = store.migrate().await.unwrap_err();
    let said = error.source().unwrap().to_string();
    assert!(said.contains("ALTER ROLE"), "{said}");
}

/// Each has its session for one transaction only, and migrates and reads beside
/// others that use the same names for other statements.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and pgbouncer"]
async fn replicas_share_sessions_and_never_statements() {
    let (store, (database, pooler)) = open().await;
    let url = format!("{}?pooler=transaction", database.url_at(&pooler.place));
    let working: Vec<_> = (0..4)
        .map(|_| {
            let replica = PostgresStore::connect(&url, patient()).unwrap();
            tokio::spawn(async move {
                for _ in 0..20 {
                    replica.migrate().await.unwrap();
                    let orders = crate::orders(3);
                    let _ = replica.insert(&orders, std::time::Duration::ZERO).await.unwrap();
                    let read = replica.order(orders[1].id).await.unwrap().unwrap();
                    assert_eq!((read.id, &read.details), (orders[1].id, &orders[1].details));
                    replica.add(&crate::product("train")).await.unwrap();
                }
            })
        })
        .collect();
    for worked in working {
        worked.await.unwrap();
    }
    assert_eq!(store.counts().await.unwrap().pending, 240);
    assert_eq!(store.summary().await.unwrap().count, 80);
}
