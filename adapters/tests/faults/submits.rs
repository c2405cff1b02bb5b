//! One submit, sent fifty times at once.

use std::{net::SocketAddr, time::Duration};

use futures::future::join_all;
use serde_json::{Value, json};
use testkit::{
    client::{place, post},
    proxy::Line,
    servers::{Database, VirtualHost},
    waiting::until,
};
use uuid::Uuid;

use crate::{
    evidence::settled,
    raw::Events,
    shop::{Dependency, Settings, Shop},
};

/// Sends one submit fifty times at once, and returns the one id that all get.
async fn fifty_times(at: &[SocketAddr], key: &str, body: &Value) -> Uuid {
    let submits = (0..50).map(|n| post(at[n % at.len()], "/api/orders", Some(key), body));
    let mut ids: Vec<String> = Vec::new();
    for answer in join_all(submits).await {
        let answer = answer.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
        ids.push(answer.json()["order_id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids[0].parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL, WOODY_TEST_AMQP_URL and WOODY_TEST_SERVICES_DIR"]
async fn fifty_submits_at_once_are_one_order_and_one_event_database_up_or_down() {
    let _turn = crate::turn().await;
    let (database, host) = (Database::create().await, VirtualHost::create());
    // One worker that takes one message at a time: what was sent before the last
    // order has been seen to before it.
    let settings = Settings { workers: 1, prefetch: 1, ..Settings::default() };
    let shop = Shop::open(&database.url, &host.url, &settings).await;
    let events = Events::listen(&host.url).await;
    let (at, body) = (shop.addresses(), json!({ "product": "Train", "quantity": 2 }));
    for database_is_down in [false, true] {
        let key = format!("submit with the database down: {database_is_down}");
        if database_is_down {
            shop.set_lines(Dependency::Database, Line::Reset);
        }
        let id = fifty_times(&at, &key, &body).await;
        shop.set_lines(Dependency::Database, Line::Open);
        let settling = settled(&database.url, &[id], Duration::from_mins(1)).await;
        assert!(settling.is_some(), "order {id} has no final state");

        let last: Uuid = place(at[0], "The last one").await.parse().unwrap();
        until("the last order is announced", async || !events.of(last).is_empty()).await;
        assert_eq!(events.of(id), ["success"]);
        let rows = format!("orders WHERE details::json ->> 'product' = 'Train' AND id = '{id}'");
        assert_eq!(database.count(&rows).await, 1);

        let other = json!({ "product": "Boat", "quantity": 2 });
        for at in &at {
            until("it is known from before", async || {
                let again = post(*at, "/api/orders", Some(&key), &body).await.unwrap();
                assert_eq!(again.json()["order_id"], id.to_string());
                again.headers.contains_key("idempotency-replayed")
            })
            .await;
            let answer = post(*at, "/api/orders", Some(&key), &other).await.unwrap();
            assert_eq!(answer.status, 422, "{}", answer.text());
        }
    }
    assert_eq!(database.count("orders WHERE details::json ->> 'product' = 'Train'").await, 2);
    assert_eq!(database.count("orders WHERE details::json ->> 'product' = 'Boat'").await, 0);
    drop(shop);
    database.drop().await;
}
