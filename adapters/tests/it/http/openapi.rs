use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use woody_adapters::http::{
    FrontRoutes, MiscRoutes, OrderWord, ProductRoutes, Route, Routes, Style, ToyOrderRoutes,
    ToyOrderView, openapi,
};

use super::{client::request, shop::Shop};

/// A form from a page of the shop's own.
const OWN_FORM: [&str; 2] =
    ["content-type: application/x-www-form-urlencoded", "sec-fetch-site: same-origin"];

/// A form as a browser sends it; nothing in it needs an escape.
fn encoded(form: &serde_json::Map<String, Value>) -> String {
    let pairs = form.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
    pairs.collect::<Vec<_>>().join("&")
}

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// `(method, path)` of every operation.
fn documented() -> BTreeSet<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect()
}

fn served<A>(table: &[Route<A>]) -> impl Iterator<Item = (String, String)> {
    table.iter().map(|route| (route.method.as_str().to_owned(), route.path.to_owned()))
}

/// `(method, path, whether its errors are problems)` of each row.
fn served_as<A>(table: &[Route<A>]) -> impl Iterator<Item = (&'static str, String, bool)> {
    let row = |route: &Route<A>| {
        (route.method.as_str(), route.path.to_owned(), route.style == Style::Problem)
    };
    table.iter().map(row)
}

#[test]
fn what_is_served_is_documented_and_nothing_else() {
    let tables: BTreeSet<_> = served(MiscRoutes::table())
        .chain(served(ProductRoutes::table()))
        .chain(served(ToyOrderRoutes::table()))
        .chain(served(FrontRoutes::table()))
        .collect();
    assert_eq!(documented(), tables);
}

#[tokio::test]
async fn every_documented_route_answers_with_a_documented_status_and_type() {
    let shop = Shop::open().await;
    let order = shop.order("lion").await;
    // Cancelled again, it is told the same.
    let taken_back = shop.order("boat").await;
    shop.ask(&format!("DELETE /api/orders/{taken_back}"), &[]).await;
    shop.decide(Ok(woody_core::ports::Verdict::Success(None)));
    let product = shop.post("/api/products", &json!({"name": "kite"})).await.json();
    let document = document();
    for (method, path) in documented() {
        let id = match path.contains("orders") {
            true if method == "DELETE" => &taken_back,
            true => &order,
            false => product["id"].as_str().unwrap(),
        };
        let query = match path.as_str() {
            "/api/misc/heavy" => "?name=lion".to_owned(),
            "/api/orders" if method == "GET" => format!("?order_id={order}"),
            "/api/orders/do" => "?order=lion".to_owned(),
            "/api/events" => format!("?ids={order},{taken_back}"),
            _ => String::new(),
        };
        let operation = &document["paths"][&path][method.to_lowercase()];
        let example = &operation["requestBody"]["content"]["application/json"]["example"];
        let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"];
        let (headers, body) = match example {
            Value::Null => match form["example"].as_object() {
                Some(form) => (OWN_FORM.to_vec(), encoded(form)),
                None => (vec![], String::new()),
            },
            example => (vec!["content-type: application/json"], example.to_string()),
        };
        let line = format!(
            "{method} {}{query}",
            path.replace("{id}", id).replace("{module}", "orders.js")
        );
        let answer = shop.send(request(&line, &headers, body)).await;
        let response = &operation["responses"][answer.status.as_str()];
        if answer.status == 303 {
            assert!(response.is_object() && answer.headers.contains_key("location"), "{line}");
            continue;
        }
        // A list is of what a client has placed that shows a key: nobody has one here.
        let wants_a_key = path == "/api/orders/list" && answer.status == 401;
        assert!(answer.status.is_success() || wants_a_key, "{line}: {answer:?}");
        let kind = answer.header("content-type").split(';').next().unwrap();
        assert!(response["content"][kind].is_object(), "{line}: {kind} in {response}");
    }
}

#[test]
fn what_is_limited_says_what_429_is_and_modern_routes_where_a_client_stands() {
    let document = document();
    let headers = ["RateLimit", "RateLimit-Policy"];
    let is_told = |response: &Value| {
        let told = headers.map(|header| response["headers"][header].is_object());
        assert_eq!(told[0], told[1], "{response}");
        told[0]
    };
    for (method, path, is_modern) in served_as(MiscRoutes::table())
        .chain(served_as(ProductRoutes::table()))
        .chain(served_as(ToyOrderRoutes::table()))
    {
        let responses = &document["paths"][&path][method.to_lowercase()]["responses"];
        if !path.starts_with("/api/") {
            continue;
        }
        let refused = &responses["429"];
        assert!(refused["content"]["application/problem+json"].is_object(), "{method} {path}");
        assert!(refused["headers"]["Retry-After"].is_object(), "{method} {path}");
        if is_modern {
            let responses = responses.as_object().unwrap().iter();
            for (status, response) in
                responses.filter(|(status, _)| status.starts_with('2') || *status == "429")
            {
                assert!(is_told(response), "{method} {path}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn orders_are_as_their_schema_says() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let path = format!("/api/orders/{id}");
    let pending: ToyOrderView = serde_json::from_slice(&shop.get(&path).await.body).unwrap();
    assert_eq!((pending.status, pending.quantity), (OrderWord::Pending, Some(1)));
    shop.decide(Ok(woody_core::ports::Verdict::Rejected("too large".into())));
    // The stream ends after a final status.
    shop.get(&format!("{path}/events")).await;
    let ended: ToyOrderView = serde_json::from_slice(&shop.get(&path).await.body).unwrap();
    assert_eq!(ended.status, OrderWord::Rejected);
    assert!(ended.finished_at.is_some() && ended.reason.as_deref() == Some("too large"));
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut refs = Vec::new();
    collect_refs(&document, &mut refs);
    assert!(refs.len() > 20);
    for reference in refs {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (method, path) in documented() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert!(ids.insert(operation["operationId"].to_string()), "{path} has an id twice");
        assert!(operation["responses"]["503"].is_object(), "{path}");
        for told in ["summary", "description"] {
            assert!(
                operation[told].as_str().is_some_and(|text| !text.is_empty()),
                "{path}: {told}"
            );
        }
    }
    // What linters ask for besides: whose it is, where, and that it asks for no proof of who you are.
    for told in ["name", "url"] {
        assert!(document["info"]["contact"][told].is_string(), "{told}");
    }
    assert_eq!(document["servers"], json!([{"url": "/"}]));
    assert_eq!(document["security"], json!([{}]));
    // What is asked for in bodies is closed: an unknown field is refused.
    for schema in ["ProductToAdd", "PartToCut", "OrderToPlace", "OrderInBatch"] {
        assert_eq!(document["components"]["schemas"][schema]["additionalProperties"], false);
    }
}

/// The schema of a plan by itself, with what it refers to: JSON Schema 2020-12, as OpenAPI 3.1 is.
fn schema_of_a_plan() -> Value {
    let schemas = &document()["components"]["schemas"];
    let (mut names, mut refs) = (BTreeSet::new(), Vec::new());
    collect_refs(&schemas["PlanView"], &mut refs);
    while let Some(reference) = refs.pop() {
        let name = reference.rsplit('/').next().unwrap().to_owned();
        if names.insert(name.clone()) {
            collect_refs(&schemas[&name], &mut refs);
        }
    }
    let referred: serde_json::Map<_, _> =
        names.into_iter().map(|name| (name.clone(), schemas[&name].clone())).collect();
    let mut schema = schemas["PlanView"].clone();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A cutting plan of WoodyToys");
    schema["$defs"] = referred.into();
    let text = schema.to_string().replace("#/components/schemas/", "#/$defs/");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_schema_of_a_plan_that_is_committed_is_the_documents() {
    let schema = serde_json::to_string_pretty(&schema_of_a_plan()).unwrap() + "\n";
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/plan.schema.json");
    let committed = std::fs::read_to_string(&docs).unwrap_or_default();
    if schema != committed {
        let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan.schema.json");
        std::fs::write(&new, schema).unwrap();
        panic!("docs/plan.schema.json is out of date: copy {} there", new.display());
    }
}

pub(super) fn collect_refs(value: &Value, refs: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                refs.push(reference.clone());
            }
            fields.values().for_each(|value| collect_refs(value, refs));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_refs(value, refs)),
        _ => {}
    }
}
