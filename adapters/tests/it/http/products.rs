use serde_json::json;

use super::{misc::is_stamp, shop::Shop};

#[tokio::test]
async fn the_original_routes_add_and_tell_the_last() {
    let shop = Shop::open().await;
    let none = shop.get("/api/products/last").await;
    let (stamp, rest) = none.text().strip_prefix("db: ").unwrap().split_at(26);
    assert!(is_stamp(stamp), "{none:?}");
    assert_eq!(rest, " - No product found");

    let added = shop.get("/api/products?product=+Wooden%20Train+").await;
    assert_eq!((added.status.as_u16(), added.text()), (200, "Wooden Train"));
    assert_eq!(added.header("cache-control"), "no-store");
    shop.get("/api/products?product=Kite").await;

    let last = shop.get("/api/products/last").await;
    assert!(last.text().ends_with(" - 2 products (last=Kite)"), "{last:?}");
}

#[tokio::test]
async fn an_added_product_is_found_where_it_is_said_to_be() {
    let shop = Shop::open().await;
    let parts = json!([{"name": "wing", "width_mm": 300, "height_mm": 200, "count": 2}]);
    let added = shop.post("/api/products", &json!({"name": " kite ", "parts": parts})).await;
    assert_eq!(added.status, 201);
    let product = added.json();
    assert_eq!((&product["name"], &product["parts"]), (&json!("kite"), &parts));
    let location = format!("/api/products/{}", product["id"].as_str().unwrap());
    assert_eq!(added.header("location"), location);
    let created_at = product["created_at"].as_str().unwrap();
    assert!(created_at.ends_with('Z') && created_at.contains('T'), "{created_at}");
    let found = shop.get(&location).await;
    assert_eq!((found.status.as_u16(), found.json()), (200, product));
}

#[tokio::test]
async fn the_grain_of_a_part_is_kept_and_left_out_where_there_is_none() {
    let shop = Shop::open().await;
    let parts = json!([
        {"name": "wing", "width_mm": 300, "height_mm": 200, "count": 2, "grain": true},
        {"name": "tail", "width_mm": 30, "height_mm": 20, "count": 1},
    ]);
    let added = shop.post("/api/products", &json!({"name": "kite", "parts": parts})).await;
    assert_eq!((added.status.as_u16(), &added.json()["parts"]), (201, &parts));
    let found = shop.get(added.header("location")).await;
    assert_eq!(found.json()["parts"], parts);
    let plain = json!([{"name": "wing", "width_mm": 300, "height_mm": 200, "grain": false}]);
    let added = shop.post("/api/products", &json!({"name": "kite", "parts": plain})).await;
    assert!(added.json()["parts"][0].get("grain").is_none(), "{added:?}");
    let bad = json!([{"name": "wing", "width_mm": 300, "height_mm": 200, "grain": "along"}]);
    let refused = shop.post("/api/products", &json!({"name": "kite", "parts": bad})).await;
    assert_eq!(refused.status, 422, "{refused:?}");
}

#[tokio::test]
async fn pages_follow_each_other_newest_first() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/api/products").await.json(), json!({"items": [], "next": null}));
    for name in ["a", "b", "c", "d", "e"] {
        shop.post("/api/products", &json!({"name": name})).await;
    }
    let (mut path, mut pages) = ("/api/products?limit=2".to_owned(), Vec::new());
    loop {
        let page = shop.get(&path).await.json();
        let names = page["items"].as_array().unwrap().iter();
        pages.push(names.map(|item| item["name"].as_str().unwrap()).collect::<String>());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/products?limit=2&after={next}");
    }
    assert_eq!(pages, ["ed", "cb", "a"]);
}

#[tokio::test]
async fn a_page_of_large_products_is_shorter_and_the_cursor_goes_on() {
    let shop = Shop::open().await;
    let parts: Vec<_> = (0..200)
        .map(|i| json!({"name": format!("{i}{}", "p".repeat(190)), "width_mm": 9, "height_mm": 9}))
        .collect();
    for i in 0..20 {
        let toy = json!({"name": format!("t{i}"), "parts": parts});
        assert_eq!(shop.post("/api/products", &toy).await.status, 201);
    }
    let (mut path, mut names, mut pages) = ("/api/products?limit=200".to_owned(), vec![], 0);
    loop {
        let answer = shop.get(&path).await;
        assert!(answer.body.len() <= 300 * 1024, "{} bytes", answer.body.len());
        let page = answer.json();
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/products?limit=200&after={next}");
    }
    let expected: Vec<_> = (0..20).rev().map(|i| format!("t{i}")).collect();
    assert_eq!(names, expected);
    assert!(pages > 1);
}

#[tokio::test]
async fn an_unknown_product_is_not_found() {
    let shop = Shop::open().await;
    let answer = shop.get("/api/products/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:woodytoys:problem:not-found");
    assert_eq!((&problem["title"], &problem["status"]), (&json!("Not found"), &json!(404)));
    assert_eq!(problem["request_id"], answer.header("x-request-id"));
}
