//! Messages that are no orders, and orders that cannot be validated.

use std::time::{Duration, Instant};

use testkit::{
    client::{ended, place, status},
    servers::{Database, VirtualHost},
    waiting::until,
};
use uuid::Uuid;

use crate::{
    evidence::settled,
    raw::{QUEUE, Raw, message},
    shop::{Settings, Shop},
    table::say,
    validator::Manner,
};

const GOOD: usize = 1_000;
/// Among each good one.
const BAD: usize = 10;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL, WOODY_TEST_AMQP_URL and WOODY_TEST_SERVICES_DIR"]
async fn ten_thousand_malformed_messages_do_not_hold_up_a_thousand_orders() {
    let _turn = crate::turn().await;
    let (database, host) = (Database::create().await, VirtualHost::create());
    let shop = Shop::open(&database.url, &host.url, &Settings::default()).await;
    let raw = Raw::connect(&host.url).await;
    let good: Vec<Uuid> = (0..GOOD).map(|_| Uuid::now_v7()).collect();
    let began = Instant::now();
    for (n, id) in good.iter().enumerate() {
        raw.publish((0..BAD).map(|bad| malformed(n, bad)).chain([message(*id, "Train")])).await;
    }
    let published = began.elapsed();
    let settling = settled(&database.url, &good, Duration::from_mins(2)).await;
    assert!(settling.is_some(), "good orders have no final state");
    let ended = began.elapsed();
    let dead = format!("{QUEUE}.dead");
    let bad = u32::try_from(GOOD * BAD).unwrap();
    until("the rest are dead letters", async || raw.ready(&dead).await == bad).await;
    say(&format!(
        "{bad} malformed among {GOOD} orders: published in {:.1} s, the last order ended after \
         {:.1} s, the last was buried after {:.1} s",
        published.as_secs_f64(),
        ended.as_secs_f64(),
        began.elapsed().as_secs_f64()
    ));
    assert_eq!(database.count("orders WHERE status = 'success'").await, 1_000);

    let letters = shop.woodyctl(&["dead", "list", "--limit", "100"]).await;
    let letters = letters.as_array().unwrap();
    assert_eq!(letters.len(), 100);
    for letter in letters {
        let reason = letter["reason"].as_str().unwrap();
        assert!(reason.starts_with("malformed order message: "), "{letter}");
        assert_eq!(letter["attempts"], 1, "{letter}");
    }
    drop(shop);
    database.drop().await;
}

fn malformed(n: usize, bad: usize) -> Vec<u8> {
    let id = Uuid::now_v7();
    match bad % 5 {
        0 => format!("no JSON {n}"),
        1 => format!(r#"{{"order_id": "{id}", "product": "  "}}"#),
        2 => format!(r#"{{"order_id": {n}, "product": "Train"}}"#),
        3 => format!(r#"{{"order_id": "{id}", "product": "Train", "quantity": 0}}"#),
        _ => format!(r#"{{"product": "Train {n}"}}"#),
    }
    .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL, WOODY_TEST_AMQP_URL and WOODY_TEST_SERVICES_DIR"]
async fn redrive_after_the_validator_is_mended_brings_success() {
    let _turn = crate::turn().await;
    let (database, host) = (Database::create().await, VirtualHost::create());
    let settings = Settings { asks_validator: true, max_attempts: 2, ..Settings::default() };
    let shop = Shop::open(&database.url, &host.url, &settings).await;
    let at = shop.addresses();

    // Some that are refused for good, and one that is tried until it is given up.
    // A refusal is believed of a service that has worked before.
    for n in 0..40 {
        let id = place(at[n % 2], "A good toy").await;
        assert_eq!(ended(at[0], &id).await, "success");
    }
    shop.validator.set(Manner::Refuses);
    let mut promised = Vec::new();
    for n in 0..20 {
        promised.push(place(at[n % 2], &format!("Toy {n}")).await);
    }
    for id in &promised {
        assert_eq!(ended(at[0], id).await, "failed");
    }
    shop.validator.set(Manner::Fails);
    promised.push(place(at[0], "The last toy").await);
    assert_eq!(ended(at[1], promised.last().unwrap()).await, "failed");
    let raw = Raw::connect(&host.url).await;
    raw.publish([malformed(0, 0)]).await;
    let dead = format!("{QUEUE}.dead");
    until("all are dead letters", async || raw.ready(&dead).await == 22).await;

    shop.validator.set(Manner::Agrees);
    let about = ["dead", "redrive", "--matching", "validation service"];
    let dry = shop.woodyctl(&[&about[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry["message"], "21 dead letters would be redriven");
    shop.woodyctl(&[&about[..], &["--canary"]].concat()).await;
    for id in &promised {
        until("it is a success", async || status(at[0], id).await.as_deref() == Some("success"))
            .await;
    }
    until("one is dead", async || raw.ready(&dead).await == 1).await;
    drop(shop);
    database.drop().await;
}
