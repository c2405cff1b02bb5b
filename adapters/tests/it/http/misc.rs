use std::num::NonZeroUsize;

use woody_adapters::http::HeavyView;
use woody_core::{
    domain::ProductId,
    workshop::{HeavyPool, HeavyPoolConfig},
};

use super::shop::{Setup, Shop};

/// `2026-11-23 19:12:00.123456`.
pub(super) fn is_stamp(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00 00:00:00.000000"
}

#[tokio::test]
async fn ping_and_time_answer_as_they_always_did() {
    let shop = Shop::open().await;
    let ping = shop.get("/api/ping").await;
    assert_eq!((ping.status.as_u16(), ping.text()), (200, "ping"));
    assert_eq!(ping.header("content-type"), "text/plain; charset=utf-8");
    let time = shop.get("/api/misc/time").await;
    assert!(is_stamp(time.text().strip_prefix("misc: ").unwrap()), "{time:?}");
}

#[tokio::test]
async fn the_second_heavy_answer_is_the_first_one_again() {
    let shop = Shop::open().await;
    let first = shop.get("/api/misc/heavy?name=test").await;
    let (stamp, rest) = first.text().split_at(26);
    assert!(is_stamp(stamp), "{first:?}");
    assert_eq!(rest, ": Woody -test- Woody");
    assert_eq!(first.header("cache-status"), "woody; fwd=miss; stored");
    assert_eq!(first.header("vary"), "accept");
    // Whatever the client thinks of caches.
    let again = shop
        .ask("GET /api/misc/heavy?name=+test", &["cache-control: no-cache", "pragma: no-cache"])
        .await;
    assert_eq!(again.body, first.body);
    assert!(again.header("cache-status").starts_with("woody; hit; ttl="), "{again:?}");
}

#[tokio::test]
async fn a_heavy_answer_has_five_forms() {
    let shop = Shop::open().await;
    let path = "GET /api/misc/heavy?name=lion&quantity=3";
    let json = shop.ask(path, &["accept: application/json"]).await;
    assert_eq!(json.header("content-type"), "application/json");
    let plan: HeavyView = serde_json::from_slice(&json.body).unwrap();
    assert_eq!((plan.name.as_str(), plan.quantity), ("lion", 3));
    assert_eq!(plan.plan.unwrap().figures.pieces, 12);
    let svg = shop.ask(path, &["accept: image/svg+xml"]).await;
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    assert!(svg.text().starts_with("<svg"), "{}", svg.text());
    assert!(svg.header("content-security-policy").contains("sandbox"));
    let csv = shop.ask(path, &["accept: text/csv"]).await;
    assert_eq!(csv.header("content-type"), "text/csv");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"plan.csv\"");
    assert!(csv.text().starts_with("toy,part,width_mm,"), "{}", csv.text());
    assert!(csv.text().contains("lion,n,"), "{}", csv.text());
    let dxf = shop.ask(path, &["accept: image/vnd.dxf"]).await;
    assert_eq!(dxf.header("content-type"), "image/vnd.dxf");
    assert!(dxf.text().ends_with("\nENDSEC\n0\nEOF\n"), "{}", dxf.text());
    let text = shop.ask(path, &["accept: */*"]).await;
    assert!(text.text().ends_with(": Woody -lion- Woody"));
    for form in [&json, &svg, &csv, &dxf, &text] {
        assert_eq!(form.status, 200);
        assert_eq!(form.header("vary"), "accept");
    }
    assert!(text.header("cache-status").contains("hit"), "all forms are one answer");
}

#[tokio::test]
async fn a_toy_that_cannot_be_cut_says_so_in_the_described_form() {
    let shop = Shop::open().await;
    let parts = serde_json::json!([{"name": "wall", "width_mm": 9000, "height_mm": 9000}]);
    let body = serde_json::json!({"name": "castle", "parts": parts});
    assert_eq!(shop.post("/api/products", &body).await.status, 201);
    let json = shop.ask("GET /api/misc/heavy?name=castle", &["accept: application/json"]).await;
    let plan: HeavyView = serde_json::from_slice(&json.body).unwrap();
    assert!(plan.cannot_make.unwrap().contains("larger than any sheet"));
    for form in ["text/csv", "image/vnd.dxf"] {
        let accept = format!("accept: {form}");
        let told = shop.ask("GET /api/misc/heavy?name=castle", &[accept.as_str()]).await;
        assert_eq!(told.status, 200);
        assert!(told.text().contains("larger than any sheet"), "{}", told.text());
    }
}

#[tokio::test]
async fn a_part_with_grain_is_never_turned_in_a_plan() {
    let shop = Shop::open().await;
    // Tall and thin as they are: without grain most of them lie better turned.
    let parts = |grain: bool| -> serde_json::Value {
        let each = (0..6_u32).map(|i| {
            serde_json::json!({"name": format!("slat {i}"), "width_mm": 130 + 37 * i,
                "height_mm": 1_100 - 90 * i, "count": 3, "grain": grain})
        });
        each.collect()
    };
    for (name, grain) in [("gate", true), ("fence", false)] {
        let body = serde_json::json!({"name": name, "parts": parts(grain)});
        assert_eq!(shop.post("/api/products", &body).await.status, 201);
        let path = format!("GET /api/misc/heavy?name={name}&quantity=7");
        let json = shop.ask(&path, &["accept: application/json"]).await;
        let answer: HeavyView = serde_json::from_slice(&json.body).unwrap();
        let plan = answer.plan.unwrap();
        assert!(plan.parts.iter().all(|part| part.grain == grain));
        let mut placements = plan.layouts.iter().flat_map(|layout| &layout.placements);
        assert_eq!(placements.any(|placement| placement.rotated), !grain, "{name}");
    }
    let body = serde_json::json!({"name": "pole", "parts": [
        {"name": "pole", "width_mm": 40, "height_mm": 1_500, "grain": true},
    ]});
    assert_eq!(shop.post("/api/products", &body).await.status, 201);
    let json = shop.ask("GET /api/misc/heavy?name=pole", &["accept: application/json"]).await;
    let answer: HeavyView = serde_json::from_slice(&json.body).unwrap();
    let why = answer.cannot_make.unwrap();
    assert!(why.contains("would fit only turned, which its grain does not allow"), "{why}");
}

#[tokio::test]
async fn where_no_place_is_left_a_plan_is_503_with_retry_after_and_light_routes_go_on() {
    let one = HeavyPoolConfig::default().threads(NonZeroUsize::MIN).waiting(0);
    let heavy = HeavyPool::new(one);
    let shop = Shop::with(Setup { heavy: heavy.clone(), ..Setup::default() }).await;
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let held = tokio::spawn(async move { heavy.run(move || ended.recv().is_ok()).await });
    // Until the job has the only place, plans are still made: each of another toy.
    let refused = loop {
        let answer = shop.get(&format!("/api/misc/heavy?name={}", ProductId::fresh())).await;
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (503, "1"));
    assert_eq!(refused.text(), "The workshop is busy. Please try again.");
    assert_eq!(shop.get("/api/misc/time").await.status, 200);
    let json = shop.ask("GET /api/misc/heavy?name=lion", &["accept: application/json"]).await;
    assert_eq!((json.status.as_u16(), json.header("retry-after")), (503, "1"));
    assert_eq!(json.header("content-type"), "application/problem+json");
    end.send(()).unwrap();
    assert_eq!(held.await.unwrap(), Ok(true));
    assert_eq!(shop.get("/api/misc/heavy?name=lion").await.status, 200);
}

#[tokio::test]
async fn a_form_that_is_not_there_is_not_acceptable() {
    let shop = Shop::open().await;
    let answer = shop.ask("GET /api/misc/heavy?name=lion", &["accept: text/html"]).await;
    assert_eq!(answer.status, 406);
    assert!(answer.text().contains("image/svg+xml"), "{answer:?}");
}

#[tokio::test]
async fn errors_of_a_heavy_answer_are_told_in_its_form() {
    let shop = Shop::open().await;
    let text = shop.get("/api/misc/heavy").await;
    assert_eq!((text.status.as_u16(), text.text()), (400, "name is missing: add ?name=…"));
    let json = shop.ask("GET /api/misc/heavy?name=", &["accept: image/svg+xml"]).await;
    assert_eq!(json.header("content-type"), "application/problem+json");
    assert_eq!((json.status.as_u16(), &json.json()["field"]), (422, &"name".into()));
}
