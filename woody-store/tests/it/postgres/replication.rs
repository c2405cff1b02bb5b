//! What a server says of its standbys.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use woody_core::ports::{OrderStore, Replication};
use woody_store::{PostgresStore, StoreOptions};

use super::cluster::Server;

/// Waits until the server says so: a standby connects, and a setting is read, a moment later.
async fn becomes(store: &PostgresStore, expected: Option<Replication>) {
    let told = async {
        while store.replication().await.unwrap() != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), told).await;
    assert!(waited.is_ok(), "waited for {expected:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_server_says_how_many_standbys_it_has_and_for_how_many_it_waits() {
    let primary = Server::primary().await;
    let store = PostgresStore::connect(&primary.url, StoreOptions::default()).unwrap();
    becomes(&store, None).await;
    let standby = Server::following(&primary).await;
    becomes(&store, Some(Replication { standbys: 1, waits_for: 0 })).await;

    let mut pg = PgConnection::connect(&primary.url).await.unwrap();
    pg.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 2 (*)'").await.unwrap();
    pg.execute("SELECT pg_reload_conf()").await.unwrap();
    becomes(&store, Some(Replication { standbys: 1, waits_for: 2 })).await;
    standby.does("kill").await;
    becomes(&store, Some(Replication { standbys: 0, waits_for: 2 })).await;
}

/// Which is what a shop's role may see.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_role_without_any_right_is_told_the_same() {
    let primary = Server::primary().await;
    let _standby = Server::following(&primary).await;
    let mut pg = PgConnection::connect(&primary.url).await.unwrap();
    pg.execute("CREATE ROLE shop LOGIN PASSWORD 'shop'").await.unwrap();
    let url = format!("postgres://shop:shop@{}/woody", primary.place());
    let store = PostgresStore::connect(&url, StoreOptions::default()).unwrap();
    becomes(&store, Some(Replication { standbys: 1, waits_for: 0 })).await;
}
