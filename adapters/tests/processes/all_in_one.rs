use std::path::Path;

use testkit::{
    client::{ended, get, place, place_all, post},
    service::{Service, Start},
    waiting::until,
};
use woody_core::ports::OrderCounts;
use woody_store::{StoreOptions, StoreUrl};

async fn start(folder: &Path) -> Service {
    Start::of("woodytoys").current_dir(folder).ready().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_accepted_orders_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path()).await;
    // Long names take long to plan: most of these wait when the process dies.
    let mut promised = Vec::new();
    for n in 0..100 {
        promised.push(place(shop.address, &format!("{} {n}", "Locomotive".repeat(15))).await);
    }
    shop.kill();
    let left = counts(folder.path()).await;
    assert!(left.pending > 0, "some must wait for this to prove anything: {left:?}");

    let shop = start(folder.path()).await;
    for id in &promised {
        assert_eq!(ended(shop.address, id).await, "success", "order {id}");
    }
    let counts = counts(folder.path()).await;
    assert_eq!((counts.pending, counts.success, counts.rejected, counts.failed), (0, 100, 0, 0));
}

async fn counts(folder: &Path) -> OrderCounts {
    let url = format!("sqlite:{}", folder.join("data/woody.db").display());
    let url = StoreUrl::parse(&url).unwrap();
    let store = woody_store::connect(&url, StoreOptions::default()).await.unwrap();
    let counts = store.orders().counts().await.unwrap();
    store.close().await;
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn the_console_counts_what_goes_through_and_names_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys")
        .current_dir(folder.path())
        .env("WOODY_ENVIRONMENT", "staging:blue")
        .ready()
        .await;
    let id = place(shop.address, "Train").await;
    assert_eq!(ended(shop.address, &id).await, "success");
    until("the console has counted the order", async || {
        let page = get(shop.admin, "/console").await.unwrap().text();
        ["Accepted", "Published", "Taken up", "Ended"]
            .iter()
            .all(|said| page.contains(&format!("{said} 0.")))
            && page.contains("staging · WoodyToys console</title>")
    })
    .await;
    let story = get(shop.admin, &format!("/console/order?id={id}")).await.unwrap().text();
    assert!(story.contains("<strong>success</strong>"), "{story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_say_how_full_the_process_is() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys")
        .current_dir(folder.path())
        .env("WOODY_HTTP_CONCURRENCY", "7")
        .env("WOODY_HEAVY_THREADS", "3")
        .ready()
        .await;
    let open = tokio::net::TcpStream::connect(shop.address).await.unwrap();
    let samples = async |expected: &[&str]| {
        let metrics = get(shop.admin, "/metrics").await.unwrap().text();
        expected.iter().all(|sample| metrics.lines().any(|line| line == *sample))
    };
    until("a connection is counted", async || {
        samples(&[
            r#"woody_pool_used{pool="connections"} 1"#,
            r#"woody_pool_limit{pool="requests"} 7"#,
            r#"woody_pool_used{pool="requests"} 0"#,
            r#"woody_pool_waiting{pool="requests"} 0"#,
            r#"woody_pool_limit{pool="workshop"} 3"#,
        ])
        .await
    })
    .await;
    drop(open);
    until("no connection is counted", async || {
        samples(&[r#"woody_pool_used{pool="connections"} 0"#]).await
    })
    .await;
}

/// The counters of which the rules ask how fast they grow, each with a value of its label, if it is to have one.
fn counted(rules: &str) -> Vec<(&str, String)> {
    let asked = ["increase(", "rate("].into_iter().flat_map(|of| rules.split(of).skip(1));
    let counters = asked.flat_map(|rest| {
        let counter = rest.split_once('[').unwrap().0.trim_end_matches('}');
        let Some((name, label)) = counter.split_once('{') else {
            return vec![(counter, String::new())];
        };
        let (label, values) = label.split_once('=').unwrap();
        let values = values.trim_matches(['~', '"']).split('|');
        values.map(|value| (name, format!("{label}=\"{value}\""))).collect()
    });
    counters.collect()
}

/// Of a counter that begins with what it counts, Prometheus sees no increase.
#[tokio::test(flavor = "multi_thread")]
async fn counters_of_which_an_increase_is_an_alert_begin_with_zero() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys")
        .current_dir(folder.path())
        .env("WOODY_WEBHOOK_URL", "https://receiver.example.org/")
        .env("WOODY_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .ready()
        .await;
    let counters = counted(include_str!("../../../stack/observe/rules.yml"));
    assert!(!counters.is_empty());
    // What counts them begins a moment after the shop is ready.
    until("all begin", async || {
        let metrics = get(shop.admin, "/metrics").await.unwrap().text();
        let begins = |(name, label): &(&str, String)| {
            let mut lines = metrics.lines().filter(|line| line.ends_with(" 0"));
            lines.any(|line: &str| line.starts_with(name) && line.contains(label))
        };
        counters.iter().all(begins)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_was_accepted_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path()).await;
    let orders: Vec<_> =
        (0..500).map(|n| serde_json::json!({"product": format!("Train {n}")})).collect();
    let promised = place_all(shop.address, &orders.into()).await;
    shop.kill();
    let shop = start(folder.path()).await;
    for id in promised.iter().step_by(50) {
        assert_eq!(ended(shop.address, id).await, "success", "order {id}");
    }
    let path = format!("/api/events?ids={}", promised[400..].join(","));
    // The stream ends when all have ended.
    let events = get(shop.address, &path).await.unwrap().text();
    for id in &promised[400..] {
        let last = events.lines().rev().find(|line| line.contains(id)).unwrap();
        assert!(last.contains("\"success\""), "{last}");
    }
    until("all have ended", async || counts(folder.path()).await.success == 500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_an_order_is_shown_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path()).await;
    let id = place(shop.address, "Train").await;
    let waited = get(shop.address, &format!("/api/orders/{id}?wait=25")).await.unwrap();
    assert_eq!((waited.status, &waited.json()["status"]), (200, &serde_json::json!("success")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_refused_once_the_data_folder_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let shop = Start::of("woodytoys").current_dir(folder.path()).log_to(&log).ready().await;
    let id = place(shop.address, "Train").await;
    assert_eq!(ended(shop.address, &id).await, "success");

    std::fs::rename(folder.path().join("data"), folder.path().join("aside")).unwrap();
    let body = serde_json::json!({ "product": "Train" });
    for _ in 0..20 {
        let answer = post(shop.address, "/api/orders", None, &body).await.unwrap();
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert!(!shop.is_ready().await);
    let said = std::fs::read_to_string(&log).unwrap();
    assert!(said.contains("woody.db is gone since it was opened"), "{said}");

    // Put back, it is used again.
    std::fs::rename(folder.path().join("aside"), folder.path().join("data")).unwrap();
    until("the shop is ready again", async || shop.is_ready().await).await;
    until("orders are accepted again", async || {
        post(shop.address, "/api/orders", None, &body).await.unwrap().status == 202
    })
    .await;
    shop.terminate();
    assert_eq!(shop.ended().await.code(), Some(0));
}

/// The checks of the original test script, in its order.
#[tokio::test(flavor = "multi_thread")]
async fn the_original_script_gets_what_it_expects() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).env("WOODY_RATE_LIMIT", "10");
    let shop = shop.ready().await;
    let text = async |path: &str| get(shop.address, path).await.unwrap().text();

    assert!(text("/api/misc/time").await.starts_with("misc: 20"));

    let first = get(shop.address, "/api/misc/heavy?name=test").await.unwrap();
    let second = get(shop.address, "/api/misc/heavy?name=test").await.unwrap();
    assert!(first.text().ends_with(": Woody -test- Woody"), "{}", first.text());
    assert_eq!(first.body, second.body);
    assert!(!first.headers["cache-status"].to_str().unwrap().contains("hit"));
    assert!(second.headers["cache-status"].to_str().unwrap().contains("hit"));

    assert_eq!(text("/api/products?product=TestProduct1").await, "TestProduct1");
    let last = text("/api/products/last").await;
    assert!(
        last.starts_with("db: 20") && last.ends_with(" - 1 products (last=TestProduct1)"),
        "{last}"
    );

    let placed = text("/api/orders/do?order=TestProduct").await;
    let id = placed
        .strip_prefix("Your process UUID ")
        .or(Some(placed.as_str()))
        .and_then(|text| text.split_whitespace().find(|word| word.len() == 36))
        .unwrap_or_else(|| panic!("no UUID in {placed}"))
        .to_owned();
    assert_eq!(
        placed,
        format!("Your process {id} has been created with this product : TestProduct")
    );
    until("the order succeeded", async || {
        get(shop.address, &format!("/api/orders/?order_id={id}")).await.unwrap().text()
            == format!("order \"{id}\": Success")
    })
    .await;

    let mut refused = None;
    for _ in 0..60 {
        let answer = get(shop.address, "/api/misc/time").await.unwrap();
        if answer.status != 200 {
            refused = Some(answer);
        }
    }
    let refused = refused.expect("sixty requests at once are more than the burst");
    assert_eq!(refused.status, 503);
    assert_eq!(
        refused.json(),
        serde_json::json!({
            "error": "Rate limit exceeded", "message": "Too many requests", "status": 503
        })
    );
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_text_and_a_browser_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let shop = start(folder.path()).await;
    let answer = get(shop.address, "/").await.unwrap();
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert!(answer.text().contains("http://localhost"));
}
