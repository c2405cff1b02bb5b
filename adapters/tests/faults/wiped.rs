//! A broker that comes back with nothing.

use std::time::Duration;

use futures::{StreamExt, stream};
use testkit::{
    client::place,
    servers::{Database, OwnServer},
    waiting::until,
};
use uuid::Uuid;

use crate::{
    evidence::settled,
    raw::{QUEUE, Raw},
    shop::{Settings, Shop},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_SERVICES_DIR and WOODY_TEST_POSTGRES_URL"]
async fn a_thousand_orders_outlive_the_broker_that_held_them() {
    let _turn = crate::turn().await;
    let rabbitmq = tokio::task::spawn_blocking(OwnServer::rabbitmq).await.unwrap();
    let database = Database::create().await;
    let shop = Shop::build(&database.url, &rabbitmq.url, &Settings::default()).await;
    for process in &shop.order_services {
        process.start().await;
        process.until_ready().await;
    }
    let at = shop.addresses();
    let promised: Vec<Uuid> = stream::iter(0..1_000)
        .map(|n| {
            let at = at[n % at.len()];
            async move { place(at, &format!("Toy {n}")).await.parse::<Uuid>().unwrap() }
        })
        .buffer_unordered(16)
        .collect()
        .await;
    let raw = Raw::connect(&rabbitmq.url).await;
    until("all are queued", async || raw.ready(QUEUE).await == 1_000).await;
    drop(raw);

    rabbitmq.does("wipe", &[]).await;
    rabbitmq.does("start", &[]).await;
    for process in &shop.workers {
        process.start().await;
    }
    let recovery = settled(&database.url, &promised, Duration::from_mins(2)).await;
    assert!(recovery.is_some(), "some have no final state");
    assert_eq!(database.count("orders").await, 1_000);
    drop(shop);
    database.drop().await;
}
