//! Clients that follow several orders by one stream.

use std::collections::BTreeMap;

use woody_adapters::http::Drained;
use woody_core::ports::Verdict;

use super::{
    client::FOREVER,
    events::Stream,
    shop::{Setup, Shop},
};

const NOBODY: &str = "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f";

async fn orders(shop: &Shop, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(shop.order(&format!("train {n}")).await);
    }
    ids
}

fn path(ids: &[String]) -> String {
    format!("/api/events?ids={}", ids.join(","))
}

async fn cancel(shop: &Shop, id: &str) {
    assert_eq!(shop.ask(&format!("DELETE /api/orders/{id}"), &[]).await.status, 200);
}

/// The next event: the order that it names, its status, and the event's id.
async fn next(stream: &mut Stream) -> Option<(String, String, String)> {
    let (event, order) = stream.event().await?;
    let text = |field: &str| order[field].as_str().unwrap().to_owned();
    Some((text("order_id"), text("status"), event))
}

/// The statuses of each order, in the order of their events, and the last event's id.
async fn all(stream: &mut Stream) -> (BTreeMap<String, Vec<String>>, String) {
    let (mut seen, mut last) = (BTreeMap::<_, Vec<_>>::new(), String::new());
    while let Some((id, status, event)) = next(stream).await {
        seen.entry(id).or_default().push(status);
        last = event;
    }
    (seen, last)
}

#[tokio::test]
async fn every_order_is_shown_as_it_stands_then_each_change_of_any_then_the_end() {
    let shop = Shop::open().await;
    let ids = orders(&shop, 100).await;
    let mut stream = Stream::of(&shop, &path(&ids), None).await;
    assert_eq!(stream.response.status(), 200);
    assert_eq!(stream.response.headers()["content-type"], "text/event-stream");
    for id in &ids {
        let (order, status, event) = next(&mut stream).await.unwrap();
        assert_eq!((&order, status.as_str()), (id, "pending"));
        assert!(event.ends_with(&format!("-{}", ".".repeat(100))), "{event}");
    }
    cancel(&shop, &ids[42]).await;
    let (order, status, event) = next(&mut stream).await.unwrap();
    assert_eq!((order, status.as_str()), (ids[42].clone(), "cancelled"));
    let letters = format!("-{}c{}", ".".repeat(42), ".".repeat(57));
    assert!(event.ends_with(&letters), "{event}");
    shop.decide(Ok(Verdict::Success(None)));
    let (rest, last) = all(&mut stream).await;
    assert_eq!(rest.len(), 99);
    assert!(rest.values().all(|statuses| *statuses == ["success"]), "{rest:?}");
    assert!(last.ends_with(&letters.replace('.', "s")), "{last}");
    // What it was sent is what each order is.
    let shown = shop.get(&format!("/api/orders/{}", ids[7])).await.json();
    let mut late = Stream::of(&shop, &path(&ids[7..8]), None).await;
    assert_eq!(late.event().await.unwrap().1, shown);
    assert_eq!(late.event().await, None);
}

#[tokio::test]
async fn who_comes_again_is_sent_no_end_twice_and_misses_none() {
    let shop = Shop::open().await;
    let ids = orders(&shop, 5).await;
    let mut stream = Stream::of(&shop, &path(&ids), None).await;
    for _ in &ids {
        assert_eq!(next(&mut stream).await.unwrap().1, "pending");
    }
    cancel(&shop, &ids[3]).await;
    let (_, _, last) = next(&mut stream).await.unwrap();
    drop(stream);
    // This one ends while nobody follows.
    cancel(&shop, &ids[1]).await;
    let mut again = Stream::of(&shop, &path(&ids), Some(&last)).await;
    for (place, expected) in [(0, "pending"), (1, "cancelled"), (2, "pending"), (4, "pending")] {
        let (order, status, event) = next(&mut again).await.unwrap();
        assert_eq!((&order, status.as_str()), (&ids[place], expected), "{event}");
    }
    shop.decide(Ok(Verdict::Success(None)));
    let (rest, last) = all(&mut again).await;
    let expected = [0, 2, 4].map(|place| (ids[place].clone(), vec!["success".to_owned()]));
    assert_eq!(rest, BTreeMap::from(expected));
    assert!(last.ends_with("-scscs"), "{last}");
    for _ in 0..2 {
        let told = format!("last-event-id: {last}");
        let over = shop.ask(&format!("GET {}", path(&ids)), &[&told]).await;
        assert_eq!((over.status.as_u16(), over.text()), (204, ""));
    }
    // Of another list it says nothing, and neither does anything else.
    let others: Vec<_> = ids.iter().rev().cloned().collect();
    for (list, told) in [(&others, last.as_str()), (&ids, "success"), (&ids, "")] {
        let mut whole = Stream::of(&shop, &path(list), Some(told)).await;
        assert_eq!(all(&mut whole).await.0.len(), 5, "{told}");
    }
}

#[tokio::test]
async fn an_order_that_is_not_there_is_named_before_the_stream_begins() {
    let shop = Shop::open().await;
    let mut ids = orders(&shop, 2).await;
    ids.insert(1, NOBODY.to_owned());
    let unknown = shop.get(&path(&ids)).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["detail"], format!("There is no order {NOBODY}."));
    ids.push(NOBODY.replace("0192", "0193"));
    let unknown = shop.get(&path(&ids)).await.json();
    assert!(unknown["detail"].as_str().unwrap().contains("orders 0192f0c1-"), "{unknown}");
}

#[tokio::test]
async fn a_stream_is_of_100_orders_at_most() {
    let shop = Shop::open().await;
    let ids: Vec<_> = (0..101).map(|n| NOBODY.replace("0192", &format!("{n:04}"))).collect();
    assert_eq!(shop.get(&path(&ids[..100])).await.status, 404);
    let refused = shop.get(&path(&ids)).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["field"]), (422, &"ids".into()));
    let detail = refused.json()["detail"].to_string();
    assert!(detail.contains("1 to 100") && detail.contains("101"), "{detail}");
}

#[tokio::test]
async fn a_stream_takes_a_place_for_each_four_orders_and_they_come_back() {
    let shop = Shop::with(Setup { streams: 3, ..Setup::default() }).await;
    let ids = orders(&shop, 20).await;
    let eight = Stream::of(&shop, &path(&ids[..8]), None).await;
    assert_eq!(eight.response.status(), 200);
    let refused = shop.get(&path(&ids[..5])).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "5"));
    let four = Stream::of(&shop, &path(&ids[..4]), None).await;
    assert_eq!(four.response.status(), 200);
    assert_eq!(shop.get(&path(&ids[..1])).await.status, 503);
    drop((eight, four));
    // One that needs more than there are has them for itself.
    let again = async {
        while Stream::of(&shop, &path(&ids), None).await.response.status() != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FOREVER, again).await.unwrap();
}

#[tokio::test]
async fn a_stream_of_many_does_not_hold_up_the_end() {
    let shop = Shop::open().await;
    let ids = orders(&shop, 3).await;
    let mut stream = Stream::of(&shop, &path(&ids), None).await;
    next(&mut stream).await.unwrap();
    assert_eq!(shop.close().await, Drained::Clean);
    all(&mut stream).await;
}
