//! The API's reference for people.

use std::collections::BTreeSet;

use woody_adapters::http::{asyncapi, openapi};

use super::shop::Shop;

#[tokio::test]
async fn the_reference_has_no_script_and_may_have_none() {
    let shop = Shop::open().await;
    let page = shop.get("/docs").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
    let text = page.text();
    for never in ["<script", "javascript:", "style=", "src=\"http", "href=\"http"] {
        assert!(!text.contains(never), "{never}");
    }
    let known = format!("if-none-match: {}", page.header("etag"));
    assert_eq!(shop.ask("GET /docs", &[&known]).await.status, 304);
}

/// What stands between `before` and the next quotation mark, everywhere in the page.
fn all(page: &str, before: &str) -> Vec<String> {
    let rest = page.split(before).skip(1);
    rest.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_route_message_and_schema_has_its_place_in_the_reference() {
    let shop = Shop::open().await;
    let page = shop.get("/docs").await;
    let ids = all(page.text(), " id=\"");
    let places: BTreeSet<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(ids.len(), places.len(), "an id stands twice");
    let openapi = serde_json::to_value(openapi()).unwrap();
    let mut routes = 0;
    for item in openapi["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let (id, tag) = (operation["operationId"].as_str().unwrap(), &operation["tags"][0]);
            // The pages themselves are found without it.
            assert_eq!(places.contains(id), *tag != "front", "{id}");
            routes += usize::from(places.contains(id));
        }
    }
    assert!(routes >= 15, "{routes}");
    let asyncapi = asyncapi();
    for channel in asyncapi["channels"].as_object().unwrap().keys() {
        assert!(places.contains(format!("channel-{channel}").as_str()), "{channel}");
    }
    for document in [&openapi, &asyncapi] {
        for schema in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(places.contains(format!("schema-{schema}").as_str()), "{schema}");
        }
    }
    for link in all(page.text(), "href=\"#") {
        assert!(places.contains(link.as_str()), "#{link} leads nowhere");
    }
}
