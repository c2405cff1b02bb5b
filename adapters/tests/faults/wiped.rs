//! A broker that comes back with nothing.

use std::{net::SocketAddr, time::Duration};

use futures::{StreamExt, stream};
use sqlx::{Connection, PgConnection};
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

/// Places so many orders, and returns how many were accepted: all of them.
async fn place_some(at: &[SocketAddr], orders: usize) -> usize {
    let placing = stream::iter(0..orders).map(|n| {
        let at = at[n % at.len()];
        async move { place(at, &format!("Toy {n}")).await.parse::<Uuid>().unwrap() }
    });
    placing.buffer_unordered(16).count().await
}

/// The orders that the store has.
async fn ids(database: &str) -> Vec<Uuid> {
    let mut connection = PgConnection::connect(database).await.unwrap();
    sqlx::query_scalar("SELECT id FROM orders").fetch_all(&mut connection).await.unwrap()
}

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
    let (mut placed, mut promised) = (0, Vec::new());
    while promised.len() < 1_000 {
        placed += place_some(&shop.addresses(), 1_000 - promised.len()).await;
        let raw = Raw::connect(&rabbitmq.url).await;
        // Where a commit took longer than half a second the broker was handed the order, too,
        // and has it twice once the commit has been made all the same.
        until("all are queued", async || {
            raw.ready(QUEUE).await as usize >= placed && database.count("outbox").await == 0
        })
        .await;
        // Where it was not made, the order is the broker's alone, and goes with it (decision 0003).
        promised = ids(&database.url).await;
    }

    assert_eq!(shop.published_again(), 0, "none was lost yet");

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
