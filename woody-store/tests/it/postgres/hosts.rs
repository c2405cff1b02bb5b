//! URLs that name several hosts: which is used, and when it is left.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use woody_core::ports::{Insert, OrderStore, Store, StoreError};
use woody_store::{PostgresStore, StoreOptions};

use super::cluster::Server;
use super::database::{Parts, parts};
use super::{Schema, patient};
use crate::orders;

const LEASE: Duration = Duration::from_mins(1);
/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// A URL of these hosts with all else as in another.
pub(super) fn at(url: &str, hosts: &[&str]) -> String {
    let (login, rest) = url.rsplit_once('@').unwrap();
    let (_, rest) = rest.split_once('/').unwrap();
    format!("{login}@{}/{rest}", hosts.join(","))
}

/// A store of these servers, the schema up to date.
async fn open(url: &str) -> PostgresStore {
    let store = PostgresStore::connect(url, patient()).unwrap();
    store.migrate().await.unwrap();
    store
}

async fn is_kept(store: &PostgresStore) {
    assert_eq!(store.insert(&orders(1), LEASE).await.unwrap(), [Insert::Created]);
}

/// Inserts until it succeeds. Each failure is one that passes.
async fn is_kept_in_time(store: &PostgresStore) {
    let began = Instant::now();
    while let Err(refusal) = store.insert(&orders(1), LEASE).await {
        assert!(refusal.is_transient(), "{refusal:?}");
        assert!(began.elapsed() < PATIENCE, "{refusal:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_host_that_accepts_and_says_nothing_is_passed_over() {
    let schema = Schema::new().await;
    let frozen = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = frozen.local_addr().unwrap().to_string();
    let url = at(&schema.url(), &[&place, &parts().place]);
    let mut taken = Vec::new();
    // The order is shuffled: until the silent one was first.
    while taken.is_empty() {
        is_kept(&open(&url).await).await;
        while let Ok(Ok(connection)) = tokio::time::timeout(Duration::ZERO, frozen.accept()).await {
            taken.push(connection);
        }
    }
}

/// A host at which the user has another name, which has no password.
async fn refusing() -> String {
    let Parts { user, place, .. } = parts();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (user, place) = (user.clone(), place.clone());
            tokio::spawn(async move {
                let mut server = TcpStream::connect(place).await.unwrap();
                let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                    (client.split(), server.split());
                let forth = async {
                    let mut buffer = vec![0; 8 * 1024];
                    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
                        let bytes = &mut buffer[..read];
                        let name = format!("user\0{user}\0");
                        if let Some(at) =
                            bytes.windows(name.len()).position(|part| part == name.as_bytes())
                        {
                            bytes[at + "user\0".len()] ^= 1;
                        }
                        if to_server.write_all(bytes).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! {
                    () = forth => {}
                    _ = copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_host_that_refuses_the_login_is_passed_over_and_only_all_of_them_refuse() {
    let schema = Schema::new().await;
    let (one, two) = (refusing().await, refusing().await);
    for _ in 0..4 {
        is_kept(&open(&at(&schema.url(), &[&one, &parts().place, &two])).await).await;
    }

    let url = at(&schema.url(), &[&one, &two]);
    let store = PostgresStore::connect(&url, patient()).unwrap();
    for refusal in [store.ping().await.unwrap_err(), store.migrate().await.unwrap_err()] {
        let StoreError::Refused(said) = refusal else { panic!("{refusal:?}") };
        let said = said.to_string();
        for host in [&one, &two] {
            assert!(said.contains(&format!("{host}: ")), "{said}");
        }
        assert!(said.contains("password authentication failed"), "{said}");
        assert!(!said.contains(&parts().password), "{said}");
    }

    // Bound and not listening: no other process takes it, and it refuses connections.
    let away = tokio::net::TcpSocket::new_v4().unwrap();
    away.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let away = away.local_addr().unwrap().to_string();
    let url = at(&schema.url(), &[&one, &away]);
    let refusal = PostgresStore::connect(&url, patient()).unwrap().ping().await.unwrap_err();
    assert!(refusal.is_transient(), "one of them may be right: {refusal:?}");
}

/// What becomes of the primary, while the standby is made one.
const ENDS: [&str; 3] = ["kill", "freeze", "fence"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn the_primary_is_used_wherever_it_stands_and_left_for_its_successor() {
    for end in ENDS {
        let primary = Server::primary().await;
        let standby = Server::following(&primary).await;
        let url = at(&primary.url, &[standby.place(), primary.place()]);
        // Shuffled: whichever was asked first.
        for _ in 0..6 {
            is_kept(&open(&url).await).await;
        }
        let mut options = patient();
        options.acquire_timeout = Duration::from_millis(500);
        options.call_timeout = Duration::from_secs(5);
        let store = PostgresStore::connect(&url, options).unwrap();
        is_kept_in_time(&store).await;

        match end {
            "fence" => primary.fence().await,
            action => primary.does(action).await,
        }
        standby.does("promote").await;
        is_kept_in_time(&store).await;
        let alone = PostgresStore::connect(&standby.url, patient()).unwrap();
        let counted = alone.counts().await.unwrap().pending;
        is_kept(&store).await;
        assert_eq!(alone.counts().await.unwrap().pending, counted + 1, "{end}");
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn a_standby_is_no_store_unless_any_server_will_do() {
    let primary = Server::primary().await;
    is_kept(&open(&primary.url).await).await;
    let standby = Server::following(&primary).await;
    primary.does("kill").await;

    let both = at(&primary.url, &[standby.place(), primary.place()]);
    for url in [both.clone(), format!("{}?target_session_attrs=read-write", standby.url)] {
        let refusal = PostgresStore::connect(&url, patient()).unwrap().counts().await.unwrap_err();
        let StoreError::Unavailable(said) = refusal else { panic!("{refusal:?}") };
        assert!(said.to_string().contains("the server is a standby"), "{said}");
    }
    let any = format!("{both}?target_session_attrs=any");
    let store = PostgresStore::connect(&any, patient()).unwrap();
    assert_eq!(store.counts().await.unwrap().pending, 1);
    assert!(store.ping().await.unwrap_err().is_transient(), "it takes no writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn an_authority_of_ones_own_is_trusted_by_its_file_and_not_without_it() {
    let (server, authority) = Server::with_tls().await;
    // One of the names is of no use, so that there is something to choose.
    let port = server.place().rsplit_once(':').unwrap().1;
    let places = [format!("localhost:{port}"), "localhost:1".to_owned()];
    let url = at(&server.url, &[&places[0], &places[1]]);
    let url = format!("{url}?sslmode=verify-full");
    is_kept(&open(&format!("{url}&sslrootcert={}", authority.display())).await).await;

    let doubting = PostgresStore::connect(&url, patient()).unwrap();
    let said = format!("{:?}", doubting.counts().await.unwrap_err());
    assert!(said.contains("UnknownIssuer"), "{said}");
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_POSTGRES_URL"]
async fn a_store_that_is_closed_looks_for_no_server() {
    let schema = Schema::new().await;
    let store = open(&at(&schema.url(), &["127.0.0.1:1", &parts().place])).await;
    store.close().await;
    assert!(store.ping().await.unwrap_err().is_transient());
    let never = PostgresStore::connect(&schema.url(), StoreOptions::default()).unwrap();
    never.close().await;
    assert!(never.ping().await.unwrap_err().is_transient());
}
