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
        assert_eq!((answer.status.as_u16(), answer.header("vary")), (200, "accept"));
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
        ("/shop.js", "text/javascript; charset=utf-8"),
        ("/shop/orders.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
        ("/openapi.json", "application/json"),
    ] {
        let file = shop.get(path).await;
        assert_eq!((file.status.as_u16(), file.header("content-type")), (200, kind));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
        let policy = file.header("content-security-policy");
        assert!(policy.starts_with(
            "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:"
        ));
        let known = format!("if-none-match: \"x\", W/{}", file.header("etag"));
        let again = shop.ask(&format!("GET {path}"), &[&known]).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), file.header("etag"));
        assert_eq!(shop.ask(&format!("GET {path}"), &["if-none-match: \"x\""]).await.status, 200);
    }
}

/// The files that `stack/front/shop/` has.
fn modules() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stack/front/shop");
    let files = fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn every_module_of_the_page_is_served_loaded_early_and_imported() {
    let shop = Shop::open().await;
    let modules = modules();
    let page = shop.ask("GET /", &["accept: text/html"]).await;
    let mut scripts = vec![shop.get("/shop.js").await.text().to_owned()];
    for module in &modules {
        let path = format!("/shop/{module}");
        let answer = shop.get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-cache"));
        let early = format!(r#"<link rel="modulepreload" href="{path}">"#);
        assert!(page.text().contains(&early), "{path} waits for the one that imports it");
        scripts.push(answer.text().to_owned());
    }
    let imported = scripts.iter().flat_map(|script| script.split(" from \"").skip(1));
    let imported: BTreeSet<String> = imported
        .map(|rest| rest.split('"').next().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(imported, modules);
    assert_eq!(page.text().matches("modulepreload").count(), modules.len());
    for nowhere in ["/shop/nowhere.js", "/shop/", "/shop/..%2Fshop.js", "/shop/api.js/x"] {
        assert_eq!(shop.get(nowhere).await.status, 404, "{nowhere}");
    }
}
