//! Clients that have keys, and those that have none.

use std::{collections::BTreeMap, path::Path};

use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use woody_adapters::{
    http::{
        Access, AccessControl, ClientShare, FrontRoutes, GatewayLimits, MiscRoutes, Networks,
        OrderRoutes, ProductRoutes, Rate, Route, Routes, ServiceSettings, ToyOrderRoutes, openapi,
    },
    keys::{ApiKey, Scope},
};

use super::{
    client::{Answer, request},
    notes::Lines,
    shop::{Setup, Shop},
};

/// A shop whose clients have these keys, and lets those without one do what is `public`.
async fn guarded(clients: &[(&str, &str, &ApiKey)], public: &str) -> Shop {
    Shop::with(Setup { settings: settings(clients, public), ..Setup::default() }).await
}

fn settings(clients: &[(&str, &str, &ApiKey)], public: &str) -> ServiceSettings {
    let lines = clients.iter().map(|(name, scopes, key)| format!("{name} {scopes} {}", key.hash()));
    let keys = lines.collect::<Vec<_>>().join("\n").parse().unwrap();
    let access = AccessControl::of(keys, public.parse().unwrap());
    ServiceSettings { access, ..ServiceSettings::default() }
}

fn shows(key: &ApiKey) -> String {
    format!("authorization: Bearer {}", key.expose())
}

async fn ask(shop: &Shop, line: &str, key: &ApiKey) -> Answer {
    shop.ask(line, &[&shows(key)]).await
}

async fn order(shop: &Shop, headers: &[&str], body: &Value) -> Answer {
    let headers = [&["content-type: application/json"], headers].concat();
    shop.send(request("POST /api/orders", &headers, body.to_string())).await
}

fn is_refused(answer: &Answer, status: u16, slug: &str, challenge: &str) {
    let problem = answer.json();
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(problem["type"], format!("urn:woodytoys:problem:{slug}"), "{problem}");
    assert_eq!(answer.header("www-authenticate"), format!("Bearer realm=\"woodytoys\"{challenge}"));
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// What each row wants that is not the pages' own.
fn rows() -> Vec<(String, Access)> {
    fn told<A>(table: &[Route<A>]) -> impl Iterator<Item = (String, Access)> {
        table.iter().map(|route| {
            let query = route.only_with.map_or_else(String::new, |name| format!("?{name}="));
            (format!("{} {}{query}", route.method.as_str(), route.path), route.access)
        })
    }
    told(MiscRoutes::table())
        .chain(told(ProductRoutes::table()))
        .chain(told(ToyOrderRoutes::table()))
        .collect()
}

#[test]
fn the_table_of_scopes_is_what_the_routes_want() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let (_, section) = text.split_once("| route | scope |").unwrap();
    let written: BTreeMap<_, _> = section
        .lines()
        .skip(2)
        .map_while(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .map(|line| {
            let (route, scope) = line.split_once('`').unwrap();
            (route.to_owned(), scope.rsplit("| ").next().unwrap().trim_matches('`').to_owned())
        })
        .collect();
    let open_files = ["/openapi.json", "/asyncapi.json", "/docs"];
    let served: BTreeMap<_, _> = rows()
        .into_iter()
        .filter(|(route, _)| !open_files.iter().any(|file| route.ends_with(file)))
        .map(|(route, access)| match access {
            Access::Open => (route, "open".to_owned()),
            Access::Wants(scope) => (route, scope.to_string()),
        })
        .collect();
    assert_eq!(written, served);
    let is_open = |access| access == Access::Open;
    assert!(FrontRoutes::table().iter().all(|route| is_open(route.access)));
    // The routes of a program's own type of order are as the toys'.
    let toys: BTreeMap<_, _> = rows().into_iter().collect();
    for route in OrderRoutes::<woody_core::domain::ToyOrder>::table() {
        let line = format!("{} {}", route.method.as_str(), route.path);
        assert_eq!(toys.get(&line).copied().unwrap_or(Access::Open), route.access, "{line}");
    }
}

#[test]
fn the_document_says_which_scope_each_operation_wants() {
    let document = serde_json::to_value(openapi()).unwrap();
    assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (route, access) in rows() {
        if let Access::Wants(scope) = access {
            let line = route.split('?').next().unwrap().to_owned();
            wanted.entry(line).or_default().push(scope.to_string());
        }
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let line = format!("{} {path}", method.to_uppercase());
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let scopes = operation["x-scopes"].as_array().into_iter().flatten();
            let mut told: Vec<_> = scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect();
            let mut wants = wanted.get(&line).cloned().unwrap_or_default();
            if path == "/orders/{id}" {
                // One path for the page and for the page without a script.
                continue;
            }
            told.sort();
            wants.sort();
            assert_eq!(told, wants, "{line}");
            // It needs a key only where there are some.
            let either = if told.is_empty() { vec![] } else { vec![json!({"key": []}), json!({})] };
            assert_eq!(security, either, "{line}");
            assert_eq!(operation["responses"]["401"].is_object(), !told.is_empty(), "{line}");
        }
    }
}

#[tokio::test]
async fn each_route_is_for_those_whose_key_has_its_scope() {
    let keys = Scope::ALL.map(|scope| (scope, ApiKey::fresh()));
    let clients: Vec<_> =
        keys.iter().map(|(scope, key)| (scope.as_str(), scope.as_str(), key)).collect();
    let shop = guarded(&clients, "").await;
    for (route, access) in rows() {
        let line = route.replace("{id}", "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f");
        let line = match line.as_str() {
            "GET /api/products?product=" => "GET /api/products?product=a&wrong=1".to_owned(),
            "GET /orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f" => format!("{line}?plain"),
            // Elsewhere it is the page.
            "GET /openapi.json" | "GET /asyncapi.json" | "GET /docs" => line,
            _ => format!("{line}{}wrong=1", if line.contains('?') { "&" } else { "?" }),
        };
        let anonymous = shop.ask(&line, &[]).await;
        let Access::Wants(wanted) = access else {
            assert!(![401, 403].contains(&anonymous.status.as_u16()), "{line}: {anonymous:?}");
            continue;
        };
        is_refused(&anonymous, 401, "missing-key", "");
        for (scope, key) in &keys {
            let answer = ask(&shop, &line, key).await;
            if *scope == wanted {
                assert!(
                    ![401, 403].contains(&answer.status.as_u16())
                        || answer.text().contains("foreign-origin"),
                    "{line}: {answer:?}"
                );
            } else {
                let challenge = format!(", error=\"insufficient_scope\", scope=\"{wanted}\"");
                is_refused(&answer, 403, "missing-scope", &challenge);
            }
        }
    }
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn a_request_shows_one_key_as_a_bearer() {
    let (key, other) = (ApiKey::fresh(), ApiKey::fresh());
    let shop = guarded(&[("acme", "read", &key)], "").await;
    let line = "GET /api/misc/time";
    let (shown, known) = (key.expose(), shows(&key));
    for good in [
        known.clone(),
        format!("authorization: bearer  {shown} "),
        format!("authorization: BEARER {shown}"),
    ] {
        assert_eq!(shop.ask(line, &[&good]).await.status, 200, "{good}");
    }
    for nobody in ["authorization: Basic YWNtZTphY21l", "authorization: Bearer", "authorization: "]
    {
        is_refused(&shop.ask(line, &[nobody]).await, 401, "missing-key", "");
    }
    let unknown = ", error=\"invalid_token\"";
    for wrong in [
        vec![shows(&other)],
        vec![format!("authorization: Bearer {}", &shown[..69])],
        vec![format!("authorization: Bearer {shown}0")],
        vec![format!("authorization: Bearer {}", key.hash())],
        vec!["authorization: Bearer x y".to_owned()],
        vec![known.clone(), known.clone()],
        vec![known, shows(&other)],
    ] {
        let headers: Vec<_> = wrong.iter().map(String::as_str).collect();
        let answer = shop.ask(line, &headers).await;
        is_refused(&answer, 401, "unknown-key", unknown);
        assert!(!answer.text().contains(&other.expose()[6..]), "a key is not repeated");
    }
}

#[tokio::test]
async fn without_keys_nobody_is_asked_for_one() {
    let shop = Shop::open().await;
    for header in ["authorization: Bearer woody_x", "authorization: Basic eDp5"] {
        assert_eq!(shop.ask("GET /api/misc/time", &[header]).await.status, 200);
        let placed = order(&shop, &[header], &json!({"product": "lion"})).await;
        assert_eq!(placed.status, 202);
    }
}

#[tokio::test]
async fn what_is_public_needs_no_key_and_a_wrong_one_is_refused_all_the_same() {
    let key = ApiKey::fresh();
    let shop = guarded(&[("acme", "operate", &key)], "order,read").await;
    let lion = json!({"product": "lion"});
    assert_eq!(order(&shop, &[], &lion).await.status, 202);
    assert_eq!(shop.get("/api/misc/time").await.status, 200);
    assert_eq!(order(&shop, &[&shows(&key)], &lion).await.status, 202, "a key takes nothing away");
    let kite = json!({"name": "kite"});
    is_refused(&shop.post("/api/products", &kite).await, 401, "missing-key", "");
    let unknown = order(&shop, &[&shows(&ApiKey::fresh())], &lion).await;
    is_refused(&unknown, 401, "unknown-key", ", error=\"invalid_token\"");
}

#[tokio::test]
async fn a_key_that_two_clients_use_for_their_orders_names_two_orders() {
    let [acme, renewed, globex] = [ApiKey::fresh(), ApiKey::fresh(), ApiKey::fresh()];
    let clients =
        [("acme", "order", &acme), ("acme", "order", &renewed), ("globex", "order", &globex)];
    let shop = guarded(&clients, "order").await;
    let lion = json!({"product": "lion"});
    let place = async |key: Option<&ApiKey>| {
        let shown = key.map(shows);
        let headers: Vec<_> =
            shown.iter().map(String::as_str).chain(["idempotency-key: 1"]).collect();
        let placed = order(&shop, &headers, &lion).await;
        assert_eq!(placed.status, 202, "{placed:?}");
        (placed.json()["order_id"].clone(), placed.header("idempotency-replayed") == "true")
    };
    let (of_acme, _) = place(Some(&acme)).await;
    let (of_globex, replayed) = place(Some(&globex)).await;
    assert!(of_acme != of_globex && !replayed);
    let (of_nobody, replayed) = place(None).await;
    assert!(of_nobody != of_acme && of_nobody != of_globex && !replayed);
    assert_eq!(place(Some(&acme)).await, (of_acme.clone(), true));
    assert_eq!(place(Some(&renewed)).await, (of_acme.clone(), true), "by its new key, too");
    // A batch and the original route have the same names for them.
    let batch = json!([{"product": "lion", "idempotency_key": "1"}]).to_string();
    let headers = ["content-type: application/json", &shows(&acme)];
    let items = shop.send(request("POST /api/orders/batch", &headers, batch)).await.json();
    assert_eq!((&items[0]["order"]["order_id"], &items[0]["replayed"]), (&of_acme, &json!(true)));
    let legacy =
        shop.ask("GET /api/orders/do?order=lion", &[&shows(&globex), "idempotency-key: 1"]).await;
    assert!(legacy.text().contains(of_globex.as_str().unwrap()), "{}", legacy.text());
}

#[tokio::test]
async fn each_client_has_its_own_rate_and_its_own_share_of_streams() {
    let (acme, globex) = (ApiKey::fresh(), ApiKey::fresh());
    let clients = [("acme", "order,read", &acme), ("globex", "read", &globex)];
    let rate = Some(Rate { per_second: std::num::NonZeroU32::MIN, burst: 1 });
    let shop = Shop::with(Setup {
        settings: settings(&clients, "read"),
        limits: GatewayLimits { misc: rate, ..GatewayLimits::off() },
        streams_per_client: ClientShare::of(1, Networks::default()),
        ..Setup::default()
    })
    .await;
    let mut busy = 0;
    for _ in 0..20 {
        busy += usize::from(ask(&shop, "GET /api/misc/time", &acme).await.status == 503);
    }
    assert!(busy > 0, "acme has spent its requests");
    assert_eq!(ask(&shop, "GET /api/misc/time", &globex).await.status, 200);
    assert_eq!(shop.get("/api/misc/time").await.status, 200, "an address has its own");

    let placed = order(&shop, &[&shows(&acme)], &json!({"product": "lion"})).await;
    let events = format!("{}/events", placed.header("location"));
    let (status, _held) = follow(&shop, &events, &acme).await;
    assert_eq!((status, follow(&shop, &events, &acme).await.0), (200, 503));
    assert_eq!(follow(&shop, &events, &globex).await.0, 200);
}

/// Opens a stream, and returns its status beside the connection that it goes on by.
async fn follow(shop: &Shop, path: &str, key: &ApiKey) -> (u16, TcpStream) {
    let mut stream = TcpStream::connect(shop.addr).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{}\r\n\r\n", shows(key));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.unwrap();
    (std::str::from_utf8(&line[9..]).unwrap().parse().unwrap(), stream)
}

#[tokio::test]
async fn an_order_that_a_client_cancels_says_who() {
    let key = ApiKey::fresh();
    let shop = guarded(&[("acme", "order,read", &key)], "").await;
    let placed = order(&shop, &[&shows(&key)], &json!({"product": "lion"})).await;
    let line = format!("DELETE {}", placed.header("location"));
    let cancelled = ask(&shop, &line, &key).await.json();
    assert_eq!(
        (&cancelled["status"], &cancelled["reason"]),
        (&json!("cancelled"), &json!("by acme"))
    );
    assert_eq!(ask(&shop, &line, &key).await.json()["reason"], "by acme");
}

#[tokio::test]
async fn a_clients_name_is_in_its_spans_and_not_in_the_metrics() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _here = metrics::set_default_local_recorder(&recorder);
    let key = ApiKey::fresh();
    let shop = guarded(&[("acme", "read", &key)], "").await;
    let lines = Lines::default();
    let kept = lines.keep_spans();
    let traced = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = shop.ask("GET /api/misc/time", &[&shows(&key), traced]).await;
    assert_eq!(answer.status, 200);
    drop(kept);
    let text = lines.text();
    for said in [" client.name=\"acme\"", " woody.client.name=\"acme\""] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    assert!(!text.contains(&key.expose()[6..]), "{text}");
    let metrics = recorder.handle().render();
    assert!(metrics.contains("/api/misc/time") && !metrics.contains("acme"), "{metrics}");
}

#[tokio::test]
async fn a_page_of_another_site_may_send_a_key() {
    let settings = ServiceSettings {
        origins: "https://toys.example".parse().unwrap(),
        ..settings(&[("acme", "read", &ApiKey::fresh())], "")
    };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    let asked = [
        "origin: https://toys.example",
        "access-control-request-method: POST",
        "access-control-request-headers: authorization",
    ];
    let answer = shop.ask("OPTIONS /api/orders", &asked).await;
    assert_eq!(answer.status, 204, "a browser asks without the key");
    assert!(answer.header("access-control-allow-headers").contains("authorization"));
    let refused = shop.ask("GET /api/misc/time", &asked[..1]).await;
    is_refused(&refused, 401, "missing-key", "");
    assert_eq!(refused.header("access-control-allow-origin"), "https://toys.example");
}

#[tokio::test]
async fn a_client_lists_what_it_has_placed_and_nobody_elses() {
    let [acme, globex] = [ApiKey::fresh(), ApiKey::fresh()];
    let clients = [("acme", "order,read", &acme), ("globex", "order,read", &globex)];
    let shop = guarded(&clients, "order,read").await;
    let lion = json!({"product": "lion"});
    let place = async |key: &ApiKey| {
        let placed = order(&shop, &[&shows(key)], &lion).await;
        placed.json()["order_id"].clone()
    };
    let mut of_acme = vec![place(&acme).await, place(&acme).await];
    let of_globex = place(&globex).await;
    assert_eq!(shop.post("/api/orders", &lion).await.status, 202, "of nobody");
    let batch = json!([lion, lion]).to_string();
    let headers = ["content-type: application/json", &shows(&acme)];
    let items = shop.send(request("POST /api/orders/batch", &headers, batch)).await.json();
    of_acme.extend((0..2).map(|n| items[n]["order"]["order_id"].clone()));
    let legacy = shop.ask("GET /api/orders/do?order=lion", &[&shows(&acme)]).await;
    let (_, legacy) = legacy.text().split_once("process ").unwrap();
    of_acme.push(json!(legacy.split_once(' ').unwrap().0));

    let list = async |key: &ApiKey, query: &str| {
        let page = ask(&shop, &format!("GET /api/orders/list{query}"), key).await;
        assert_eq!(page.status, 200, "{query}: {page:?}");
        let ids = page.json()["orders"].as_array().unwrap().clone();
        let ids: Vec<_> = ids.into_iter().map(|order| order["order_id"].clone()).collect();
        (ids, page.json()["next"].clone())
    };
    let (all, next) = list(&acme, "").await;
    assert_eq!((all.len(), next), (5, json!(null)));
    assert!(of_acme.iter().all(|id| all.contains(id)));
    let (first, next) = list(&acme, "?limit=3").await;
    let (rest, _) = list(&acme, &format!("?limit=3&after={}", next.as_str().unwrap())).await;
    assert_eq!([first, rest].concat(), all);
    assert_eq!(list(&globex, "?status=pending").await.0, [of_globex]);
    assert_eq!(list(&globex, "?status=success").await.0, [json!(null); 0]);

    is_refused(&shop.get("/api/orders/list").await, 401, "missing-key", "");
    for (query, status) in
        [("?client=globex", 400), ("?limit=0", 422), ("?status=lost", 422), ("?after=x", 422)]
    {
        let refused = ask(&shop, &format!("GET /api/orders/list{query}"), &acme).await;
        assert_eq!(refused.status, status, "{query}: {refused:?}");
    }
}
