use std::{collections::BTreeSet, fs, path::Path};

use woody_adapters::http::{Hosts, ServiceSettings};

use super::{
    client::request,
    shop::{Setup, Shop},
};

#[tokio::test]
async fn a_browser_gets_the_page_and_curl_gets_text() {
    let shop = Shop::open().await;
    let browser = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = shop.ask("GET /", &[browser]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<title>WoodyToys</title>"));
    let curl = shop.ask("GET /", &["accept: */*", "host: 127.0.0.1:8080"]).await;
    assert_eq!(curl.header("content-type"), "text/plain; charset=utf-8");
    assert!(curl.text().contains("http://127.0.0.1:8080/api/orders"), "{}", curl.text());
    assert!(!curl.text().contains("{base}"));
    for answer in [page, curl] {
        let varies: BTreeSet<_> =
            answer.headers.get_all("vary").iter().map(|told| told.to_str().unwrap()).collect();
        assert_eq!(answer.status, 200);
        assert_eq!(varies, BTreeSet::from(["accept", "accept-encoding"]));
    }
}

#[tokio::test]
async fn a_hostile_host_is_not_repeated() {
    let settings = ServiceSettings { hosts: Hosts::any(), ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    for host in ["host: a$(reboot)", "host: a\"b", "host: a'b", "host: [x]:1"] {
        let answer = shop.send(request("GET /", &[host], "")).await;
        assert_eq!(answer.status, 200, "{host}");
        assert!(answer.text().contains("http://127.0.0.1:8080/openapi.json"), "{}", answer.text());
    }
}

#[tokio::test]
async fn files_are_typed_guarded_and_revalidated() {
    let shop = Shop::open().await;
    for (path, kind) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/docs.css", "text/css; charset=utf-8"),
        ("/shop.js", "text/javascript; charset=utf-8"),
        ("/order.js", "text/javascript; charset=utf-8"),
        ("/workshop", "text/html; charset=utf-8"),
        ("/workshop.js", "text/javascript; charset=utf-8"),
        ("/shop/orders.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
        ("/asyncapi.json", "application/json"),
    ] {
        let file = shop.get(path).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, kind));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let policy = file.header("content-security-policy");
        assert!(policy.starts_with(
            "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:"
        ));
        let tag = file.header("etag");
        assert!(tag.starts_with("W/"), "{tag}: the same text may be sent packed");
        let known = format!("if-none-match: \"x\", {tag}");
        let again = shop.ask(&format!("GET {path}"), &[&known]).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), tag);
        let strong = format!("if-none-match: {}", &tag[2..]);
        assert_eq!(shop.ask(&format!("GET {path}"), &[&strong]).await.status, 304, "{path}");
        assert_eq!(shop.ask(&format!("GET {path}"), &["if-none-match: \"x\""]).await.status, 200);
    }
}

/// The files that `stack/front/shop/` has.
fn modules() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stack/front/shop");
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

/// The modules that a script imports, by their names in `/shop/`.
fn imports(script: &str) -> BTreeSet<String> {
    let imported = script.split(" from \"").skip(1);
    imported
        .map(|rest| rest.split('"').next().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn every_module_is_served_and_each_page_loads_those_that_it_uses_early() {
    let shop = Shop::open().await;
    let mut all = BTreeSet::new();
    for (page, script) in
        [("/", "/shop.js"), ("/orders/42", "/order.js"), ("/workshop", "/workshop.js")]
    {
        let page = shop.ask(&format!("GET {page}"), &["accept: text/html"]).await;
        assert!(page.text().contains(&format!(r#"<script type="module" src="{script}">"#)));
        let (mut used, mut left) = (BTreeSet::new(), imports(shop.get(script).await.text()));
        while let Some(module) = left.pop_first() {
            let path = format!("/shop/{module}");
            let answer = shop.get(&path).await;
            assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-cache"));
            let early = format!(r#"<link rel="modulepreload" href="{path}">"#);
            assert!(page.text().contains(&early), "{script}: {path} waits for what imports it");
            used.insert(module);
            left.extend(imports(answer.text()).difference(&used).cloned());
        }
        assert_eq!(page.text().matches("modulepreload").count(), used.len(), "{script}: {used:?}");
        all.extend(used);
    }
    assert_eq!(all, modules());
    let mut bytes = 0;
    for path in [
        "/orders/42",
        "/workshop",
        "/style.css",
        "/favicon.svg",
        "/shop.js",
        "/order.js",
        "/workshop.js",
    ] {
        bytes += shop.get(path).await.body.len();
    }
    bytes += shop.ask("GET /", &["accept: text/html"]).await.body.len();
    for module in &all {
        bytes += shop.get(&format!("/shop/{module}")).await.body.len();
    }
    assert!(bytes < 100_000, "all pages together are {bytes} bytes");
    for nowhere in ["/shop/nowhere.js", "/shop/", "/shop/..%2Fshop.js", "/shop/api.js/x"] {
        assert_eq!(shop.get(nowhere).await.status, 404, "{nowhere}");
    }
}

const BROWSER: &str = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn an_orders_page_is_one_file_whatever_the_order() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let page = shop.ask(&format!("GET /orders/{id}"), &[BROWSER]).await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.header("content-security-policy").starts_with("default-src 'self'"));
    for other in ["/orders/42", "/orders/%3Cb%3E", "/orders/42/"] {
        assert_eq!(shop.ask(&format!("GET {other}"), &[BROWSER]).await.body, page.body, "{other}");
    }
}

#[tokio::test]
async fn the_address_of_an_order_leads_people_to_its_page_and_programs_to_json() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let path = format!("/api/orders/{id}");
    for headers in [&[BROWSER][..], &[BROWSER, "sec-fetch-mode: navigate"], &["accept: text/html"]]
    {
        let answer = shop.ask(&format!("GET {path}"), headers).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, &*format!("/orders/{id}"))
        );
        assert_eq!((answer.header("vary"), answer.header("cache-control")), ("accept", "no-store"));
    }
    for headers in [
        &[][..],
        &["accept: */*"],
        &["accept: application/json"],
        &["accept: application/json, text/html"],
        &[BROWSER, "sec-fetch-mode: cors"],
    ] {
        let answer = shop.ask(&format!("GET {path}"), headers).await;
        assert_eq!((answer.status.as_u16(), answer.header("vary")), (200, "accept"), "{headers:?}");
        assert_eq!(answer.json()["order_id"], id);
    }
    // A kind page says so; to a program it is a problem.
    let nowhere = shop.ask("GET /api/orders/4%202", &[BROWSER]).await;
    assert_eq!((nowhere.status.as_u16(), nowhere.header("location")), (303, "/orders/4%202"));
    assert_eq!(shop.get("/api/orders/4%202").await.status, 422);
    assert_eq!(shop.ask(&format!("DELETE {path}"), &[BROWSER]).await.status, 200);
}
