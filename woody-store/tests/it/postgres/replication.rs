//! What a server says of its standbys, and of its archive.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use time::OffsetDateTime;
use woody_core::ports::{OrderStore, Replication};
use woody_store::{PostgresStore, StoreOptions};

use super::cluster::Server;

fn standbys(standbys: u32, waits_for: u32) -> Replication {
    Replication { standbys, waits_for, ..Replication::default() }
}

/// Waits until the server says so: a standby connects, and a setting is read, a moment later.
async fn becomes(store: &PostgresStore, expected: Option<Replication>) {
    until(store, |seen| (seen == expected).then_some(())).await;
}

/// Waits until `found` has found something in what the server says; while it restarts it says nothing.
async fn until<T>(store: &PostgresStore, found: impl Fn(Option<Replication>) -> Option<T>) -> T {
    let told = async {
        loop {
            if let Some(found) = store.replication().await.ok().and_then(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), told).await.expect("the server never said it")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_server_says_how_many_standbys_it_has_and_for_how_many_it_waits() {
    let primary = Server::primary().await;
    let store = PostgresStore::connect(&primary.url, StoreOptions::default()).unwrap();
    becomes(&store, None).await;
    let standby = Server::following(&primary).await;
    becomes(&store, Some(standbys(1, 0))).await;

    let mut pg = PgConnection::connect(&primary.url).await.unwrap();
    pg.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 2 (*)'").await.unwrap();
    pg.execute("SELECT pg_reload_conf()").await.unwrap();
    becomes(&store, Some(standbys(1, 2))).await;
    standby.does("kill").await;
    becomes(&store, Some(standbys(0, 2))).await;
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
    becomes(&store, Some(standbys(1, 0))).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_server_says_since_when_its_log_is_not_archived() {
    let server = Server::primary().await;
    let begun = OffsetDateTime::now_utc();
    let store = PostgresStore::connect(&server.url, StoreOptions::default()).unwrap();
    let archive = async |command: &str| {
        let mut pg = PgConnection::connect(&server.url).await.unwrap();
        let command = format!("ALTER SYSTEM SET archive_command = '{command}'");
        pg.execute("ALTER SYSTEM SET archive_mode = on").await.unwrap();
        pg.execute(AssertSqlSafe(command)).await.unwrap();
        pg.execute("SELECT pg_reload_conf()").await.unwrap();
    };
    let fill = async || {
        let mut pg = PgConnection::connect(&server.url).await.unwrap();
        pg.execute("SELECT pg_logical_emit_message(true, 'test', 'full'), pg_switch_wal()")
            .await
            .unwrap();
    };
    archive("false").await;
    server.does("restart").await;
    fill().await;
    let unarchived = until(&store, |seen| seen?.unarchived_since).await;
    assert!(unarchived > begun, "the server began at {unarchived}, after {begun}");

    archive("true").await;
    fill().await;
    until(&store, |seen| seen.is_none().then_some(())).await;
    archive("false").await;
    fill().await;
    let again = until(&store, |seen| seen?.unarchived_since).await;
    assert!(again > unarchived, "it was archived at {again}");
}
