//! What the documents of a service say of orders of its own type.

use std::collections::BTreeSet;

use serde_json::json;
use woody_adapters::http::{OrderRoutes, Routes};
use woody_core::domain::{NewOrder, OrderMessage};

use super::{Pizza, PizzaShop, schema};
use crate::schemas::refused;

#[tokio::test]
async fn the_document_is_of_this_service_and_has_the_schema_that_was_handed_over() {
    let shop = PizzaShop::open().await;
    let document = shop.get("/openapi.json").await.json();
    assert_eq!(document["info"]["title"], "Orders: pizza");
    assert!(document["info"]["license"].is_object() && document["info"]["contact"].is_object());
    assert!(document["servers"].is_array() && document["security"].is_array());
    let documented: BTreeSet<_> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let served = OrderRoutes::<Pizza>::table().iter();
    let served = served.map(|route| (route.method.as_str().to_owned(), route.path.to_owned()));
    assert_eq!(documented, served.collect());

    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["OrderToPlace"]["title"], "Pizza");
    assert_eq!(schemas["OrderToPlace"]["properties"]["email"], schema()["properties"]["email"]);
    assert_eq!(schemas["OrderToPlace.Topping"], schema()["$defs"]["Topping"]);
    let text = document.to_string();
    let references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut count = 0;
    for reference in references {
        count += 1;
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    assert!(count > 10, "{count}");
    assert!(!text.contains("lion"), "toys are of another shop");
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_PYTHON with jsonschema"]
async fn messages_of_another_type_are_as_its_document_says() {
    let shop = PizzaShop::open().await;
    let document = shop.get("/asyncapi.json").await.json();
    assert_eq!(document["info"]["title"], "Orders: pizza");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap())
    {
        assert!(document.pointer(reference).is_some(), "{reference} leads nowhere");
    }
    assert!(!text.contains("Train") && !text.contains("product"), "toys are of another shop");

    // As its schema has a topping.
    let asked = json!({"toppings": [{"name": "basil"}], "email": "ada@example.org"});
    let pizza: Pizza = serde_json::from_value(asked.clone()).unwrap();
    let order = NewOrder::new(pizza).encode(1_000).unwrap();
    let queued = serde_json::from_slice(&OrderMessage::from(&order).to_bytes()).unwrap();
    let checks = [("QueuedOrder", queued), ("OrderToPlace", asked)];
    assert_eq!(refused(&document, &checks), [""; 0]);
    let nameless = json!({"toppings": [], "email": "ada@example.org"});
    assert_eq!(refused(&document, &[("QueuedOrder", nameless)]).len(), 1, "it has no id");
}
