//! The document of messages: whole, true of what is served, and as events really are.

use serde_json::{Value, json};
use woody_adapters::http::{OrderWord, Route, Routes, ToyOrderRoutes, asyncapi};
use woody_core::ports::Verdict;

use super::{events::Stream, openapi::collect_refs, shop::Shop};
use crate::schemas::refused;

#[test]
fn the_document_of_messages_is_whole() {
    let document = asyncapi();
    assert_eq!(document["asyncapi"], "3.1.0");
    let mut refs = Vec::new();
    collect_refs(&document, &mut refs);
    assert!(refs.len() > 30, "{}", refs.len());
    for reference in refs {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let tags: Vec<_> = document["info"]["tags"].as_array().unwrap().iter().collect();
    for (name, operation) in document["operations"].as_object().unwrap() {
        let tag = &operation["tags"][0]["name"];
        assert!(tags.iter().any(|known| known["name"] == *tag), "{name}: {tag}");
        assert!(operation["description"].is_string(), "{name}");
    }
    // Something is done with every channel.
    for name in document["channels"].as_object().unwrap().keys() {
        let here = json!({"$ref": format!("#/channels/{name}")});
        let operations = document["operations"].as_object().unwrap();
        assert!(operations.values().any(|operation| operation["channel"] == here), "{name}");
    }
}

#[test]
fn the_streams_of_the_document_are_routes() {
    let routes: Vec<&Route<_>> = ToyOrderRoutes::table().iter().collect();
    for channel in ["orderEvents", "eventsOfOrders"] {
        let address = &asyncapi()["channels"][channel]["address"];
        assert!(routes.iter().any(|route| *address == route.path), "{channel}: {address}");
    }
}

#[test]
fn an_order_is_the_same_in_both_documents() {
    let openapi = serde_json::to_value(woody_adapters::http::openapi()).unwrap();
    for schema in ["OrderView", "OrderWord", "ReadyTimes"] {
        let pointer = format!("/components/schemas/{schema}");
        assert_eq!(asyncapi().pointer(&pointer), openapi.pointer(&pointer), "{schema}");
    }
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_PYTHON with jsonschema"]
async fn events_are_as_their_schemas_say() {
    let shop = Shop::open().await;
    let (one, two) = (shop.order("lion").await, shop.order("boat").await);
    let uris = [format!("/api/orders/{one}/events"), format!("/api/events?ids={one},{two}")];
    let mut streams = Vec::new();
    for uri in &uris {
        streams.push(Stream::of(&shop, uri, None).await);
    }
    let mut sent = Vec::new();
    for stream in &mut streams {
        sent.push(stream.event().await.unwrap());
    }
    shop.decide(Ok(Verdict::Rejected("too large".into())));
    for stream in &mut streams {
        while let Some(event) = stream.event().await {
            sent.push(event);
        }
    }
    assert!(sent.len() >= 5, "{sent:?}");
    let checks = sent.into_iter().flat_map(|(id, order)| {
        [("StreamFields", json!({"event": "status", "id": id})), ("OrderView", order)]
    });
    assert_eq!(refused(&asyncapi(), &checks.collect::<Vec<_>>()), [""; 0]);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_PYTHON with jsonschema"]
async fn orders_and_problems_are_as_the_schemas_of_the_routes_say() {
    let openapi = serde_json::to_value(woody_adapters::http::openapi()).unwrap();
    let shop = Shop::open().await;
    let post = async |body: Value| shop.post("/api/orders", &body).await.json();
    let mut checks = vec![
        ("OrderReceipt", post(json!({"product": "lion", "quantity": 2})).await),
        ("Problem", post(json!({"product": "lion", "quantity": 0})).await),
        ("Problem", post(json!({"colour": "red"})).await),
        ("Problem", shop.get("/api/orders/42").await.json()),
        ("Problem", shop.get("/nowhere").await.json()),
    ];
    let batch = json!([{"product": "lion"}, {"product": ""}]);
    for item in shop.post("/api/orders/batch", &batch).await.json().as_array().unwrap() {
        checks.push(("PlacedItem", item.clone()));
    }
    let id = checks[0].1["order_id"].as_str().unwrap().to_owned();
    let order = shop.get(&format!("/api/orders/{id}")).await.json();
    checks.extend([("OrderView", order.clone()), ("OrderWord", order["status"].clone())]);
    assert_eq!(refused(&openapi, &checks), [""; 0]);

    // The schemas refuse what is not so: a field too many, one too few, a word that is none.
    let word: Result<OrderWord, _> = serde_json::from_value(json!("lost"));
    assert!(word.is_err());
    let with = |key: &str, value: Value| {
        let mut order = order.clone();
        order[key] = value;
        order
    };
    for wrong in [with("colour", json!("red")), with("status", json!("lost")), json!({})] {
        assert_ne!(refused(&openapi, &[("OrderView", wrong)]), [""; 0]);
    }
}

#[test]
#[ignore = "needs WOODY_TEST_PYTHON with jsonschema"]
fn the_examples_of_messages_are_as_their_schemas_say() {
    let document = asyncapi();
    let mut checks = Vec::new();
    for message in document["components"]["messages"].as_object().unwrap().values() {
        for example in message["examples"].as_array().into_iter().flatten() {
            for part in ["payload", "headers"] {
                if let Some(shown) = example.get(part) {
                    let schema = message[part]["$ref"].as_str().unwrap();
                    checks.push((schema.rsplit('/').next().unwrap(), shown.clone()));
                }
            }
        }
    }
    assert!(checks.len() >= 6, "{checks:?}");
    assert_eq!(refused(&document, &checks), [""; 0]);
}
