//! A standby that lags behind takes its primary's place.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use woody_broker::memory::MemoryBroker;
use woody_core::domain::{OrderId, ToyOrder};
use woody_core::ports::{Broker, OrderStore, Store};
use woody_core::services::Pipeline;
use woody_store::PostgresStore;

use super::cluster::Server;
use super::hosts::at;
use super::patient;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_mins(1);

async fn accept(pipeline: &Pipeline, count: usize) -> Vec<OrderId> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let train = ToyOrder::parse("Train", 1).unwrap();
        ids.push(pipeline.intake().accept(train).await.unwrap().order.id);
    }
    ids
}

/// Waits until this server has as many pending orders.
async fn has(url: &str, pending: usize) {
    let store = PostgresStore::connect(url, patient()).unwrap();
    let counted = async {
        while store.counts().await.map(|counts| counts.pending).ok() != Some(pending as u64) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, counted).await;
    assert!(waited.is_ok(), "{pending} expected: {:?}", store.counts().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn what_a_lagging_standby_lacks_is_written_again_by_who_promised_it() {
    let primary = Server::primary().await;
    PostgresStore::connect(&primary.url, patient()).unwrap().migrate().await.unwrap();
    let standby = Server::following(&primary).await;
    let url = at(&primary.url, &[standby.place(), primary.place()]);
    let mut options = patient();
    options.acquire_timeout = Duration::from_millis(500);
    options.call_timeout = Duration::from_secs(5);
    let store: Arc<dyn OrderStore> = Arc::new(PostgresStore::connect(&url, options).unwrap());
    let broker: Arc<dyn Broker> = Arc::new(MemoryBroker::new());
    let pipeline: Pipeline = Pipeline::builder(Arc::clone(&store), broker).start().await.unwrap();

    let mut promised = accept(&pipeline, 50).await;
    has(&format!("{}?target_session_attrs=any", standby.url), 50).await;
    // It receives no more, and the primary waits for nobody.
    let mut pg = PgConnection::connect(&standby.url).await.unwrap();
    pg.execute("ALTER SYSTEM SET primary_conninfo = ''").await.unwrap();
    pg.execute("SELECT pg_reload_conf()").await.unwrap();
    let receives = "SELECT count(*) FROM pg_stat_wal_receiver";
    while sqlx::query_scalar::<_, i64>(receives).fetch_one(&mut pg).await.unwrap() > 0 {}
    promised.extend(accept(&pipeline, 200).await);
    has(&primary.url, 250).await;
    has(&format!("{}?target_session_attrs=any", standby.url), 50).await;

    primary.does("kill").await;
    standby.does("promote").await;
    has(&standby.url, 250).await;
    for id in promised {
        assert!(matches!(store.order(id).await, Ok(Some(_))), "{id}");
    }
    pipeline.stop().await;
}
