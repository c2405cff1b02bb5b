//! Programs that wait for what they depend on.

use testkit::{
    client::{ended, get, place},
    servers::{Database, VirtualHost},
    waiting::until,
};
use tokio::{net::TcpListener, task::JoinHandle};
use uuid::Uuid;

use crate::four_services::start;

/// Takes connections and says nothing.
async fn silent() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let holding = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    (place, holding)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_dependency_ends_well_when_told_to() {
    let (silent, holding) = silent().await;
    // Nothing listens at port 1.
    for place in [silent.as_str(), "127.0.0.1:1"] {
        let database = format!("postgres://woody:right@{place}/woody");
        let broker = format!("amqp://woody:right@{place}");
        for name in ["product-service", "order-service", "order-worker", "woodytoys"] {
            let service = start(name, &database, &broker).env("WOODY_LOG", "error").spawn();
            until("it is there", async || get(service.admin, "/healthz").await.is_ok()).await;
            assert!(!service.is_ready().await, "{name} cannot be ready");
            service.terminate();
            let status = service.ended().await;
            assert_eq!(status.code(), Some(0), "{name} before {place}");
        }
    }
    holding.abort();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn a_worker_that_may_not_make_the_schema_says_so_and_is_not_ready_until_it_is_there() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let role = format!("woody_{}", Uuid::now_v7().simple());
    database.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'")).await;
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(Some("right")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut worker = start("order-worker", url.as_str(), &host.url)
        .env("WOODY_VALIDATION", "none")
        .log_to(&log)
        .spawn();
    let grant = format!("GRANT CREATE ON SCHEMA \"public\" TO \"{role}\"");
    until("the log names the right", async || {
        std::fs::read_to_string(&log).unwrap().replace('\\', "").contains(&grant)
    })
    .await;
    let readiness = get(worker.admin, "/readyz").await.unwrap();
    assert_eq!(readiness.status, 503);
    let said = readiness.json()["checks"]["schema"]["why"].as_str().unwrap().to_owned();
    assert!(said.contains(&grant), "{said}");

    // The owner makes it, and gives no more than the rights to use it.
    let order = start("order-service", &database.url, &host.url).ready().await;
    until("the schema is there", async || {
        let checks = get(order.admin, "/readyz").await.unwrap().json();
        checks["checks"]["schema"]["ok"] == true
    })
    .await;
    database
        .run(&format!(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .await;
    worker.until_ready().await;
    let id = place(order.address, "Train").await;
    assert_eq!(ended(order.address, &id).await, "success");
    drop((worker, order));
    database.run(&format!("DROP OWNED BY {role}")).await;
    database.run(&format!("DROP ROLE {role}")).await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL and WOODY_TEST_AMQP_URL"]
async fn an_order_that_the_database_refuses_holds_up_no_other() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let order = start("order-service", &database.url, &host.url).ready().await;
    until("the schema is there", async || {
        let checks = get(order.admin, "/readyz").await.unwrap().json();
        checks["checks"]["schema"]["ok"] == true
    })
    .await;
    database
        .run("ALTER TABLE orders ADD CHECK (details::json ->> 'product' <> 'Unstorable')")
        .await;
    let places = (0..100).map(|n| {
        let name = if n == 50 { "Unstorable".to_owned() } else { format!("Toy {n}") };
        async move { place(order.address, &name).await }
    });
    assert_eq!(futures::future::join_all(places).await.len(), 100);

    // The bad one is kept by the broker, and the worker cannot save it either.
    let worker = start("order-worker", &database.url, &host.url);
    let worker = worker.env("WOODY_VALIDATION", "none").env("WOODY_PREFETCH", "20");
    let worker = worker.ready().await;
    until("all the others have ended", async || {
        database.count("orders WHERE status = 'success'").await == 99
    })
    .await;
    drop((worker, order));
    database.drop().await;
}
