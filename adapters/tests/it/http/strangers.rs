//! What browsers send for pages of others: to an address that a stranger's name leads to, from
//! another site's page, and from the sites that are known.

use hyper::StatusCode;
use woody_adapters::http::ServiceSettings;

use super::{
    client::{Answer, request},
    shop::{Setup, Shop},
};

const JSON: &str = "content-type: application/json";
const LION: &str = r#"{"product": "lion"}"#;

async fn order(shop: &Shop, headers: &[&str]) -> Answer {
    let headers: Vec<_> = [JSON].iter().chain(headers).copied().collect();
    shop.send(request("POST /api/orders", &headers, LION)).await
}

async fn known(hosts: &str, origins: &str) -> Shop {
    let settings = ServiceSettings {
        hosts: hosts.parse().unwrap(),
        origins: origins.parse().unwrap(),
        ..ServiceSettings::default()
    };
    Shop::with(Setup { settings, ..Setup::default() }).await
}

#[tokio::test]
async fn a_name_of_a_stranger_leads_to_nothing() {
    let shop = Shop::open().await;
    for host in ["host: evil.example", "host: evil.example:8080", "host: localhost.evil.example"] {
        for line in
            ["GET /", "GET /api/products", "GET /api/orders/do?order=a", "DELETE /api/orders/x"]
        {
            let answer = shop.ask(line, &[host]).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{line} {host}");
            assert!(answer.text().contains("WOODY_HOSTS"), "{line}: {}", answer.text());
        }
        let answer = order(&shop, &[host]).await;
        assert_eq!(answer.json()["type"], "urn:woodytoys:problem:unknown-host");
    }
    assert!(shop.is_untouched().await);
    for host in ["host: localhost:8080", "host: 192.0.2.7", "host: [::1]:8080"] {
        assert_eq!(order(&shop, &[host]).await.status, 202, "{host}");
    }
}

#[tokio::test]
async fn names_that_are_listed_are_its_own() {
    let shop = known("shop.example, *.toys.example", "").await;
    for host in ["host: shop.example", "host: Shop.Example:8443", "host: fr.toys.example"] {
        assert_eq!(shop.ask("GET /api/products", &[host]).await.status, 200, "{host}");
    }
    let answer = shop.ask("GET /api/products", &["host: evil.example"]).await;
    assert_eq!(answer.status, 421);
}

#[tokio::test]
async fn nothing_is_changed_for_another_sites_page() {
    let shop = Shop::open().await;
    let strange: [&[&str]; 6] = [
        &["sec-fetch-site: cross-site"],
        &["sec-fetch-site: same-site"],
        &["sec-fetch-site: cross-site", "origin: http://localhost:8080"],
        &["origin: http://evil.example"],
        &["origin: http://localhost:3000"],
        &["origin: null"],
    ];
    for headers in strange {
        let headers: Vec<_> = ["host: localhost:8080"].iter().chain(headers).copied().collect();
        let answer = order(&shop, &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(answer.json()["type"], "urn:woodytoys:problem:foreign-origin");
        let answer = shop.ask("DELETE /api/orders/x", &headers).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        // Its browser shows a page of another site nothing of what is read.
        let read = shop.ask("GET /api/products", &headers).await;
        assert_eq!(read.status, 200);
        assert!(read.headers.get("access-control-allow-origin").is_none());
    }
    assert!(shop.is_untouched().await);
    let own: [&[&str]; 4] = [
        &["sec-fetch-site: same-origin", "origin: http://localhost:8080"],
        &["sec-fetch-site: none"],
        &["origin: http://LOCALHOST:8080"],
        &[],
    ];
    for headers in own {
        let headers: Vec<_> = ["host: localhost:8080"].iter().chain(headers).copied().collect();
        assert_eq!(order(&shop, &headers).await.status, 202, "{headers:?}");
    }
}

#[tokio::test]
async fn pages_of_known_sites_may_use_it() {
    let shop = known("", "https://toys.example").await;
    let page = ["origin: https://toys.example", "sec-fetch-site: cross-site"];
    let asked = [
        "origin: https://toys.example",
        "access-control-request-method: POST",
        "access-control-request-headers: content-type,idempotency-key",
    ];
    let may = shop.ask("OPTIONS /api/orders", &asked).await;
    assert_eq!(may.status, 204);
    assert_eq!(may.header("access-control-allow-origin"), "https://toys.example");
    assert_eq!(may.header("access-control-allow-methods"), "GET, HEAD, POST");
    assert!(may.header("access-control-allow-headers").contains("idempotency-key"));

    let placed = order(&shop, &page).await;
    assert_eq!(placed.status, 202);
    assert_eq!(placed.header("access-control-allow-origin"), "https://toys.example");
    assert!(placed.header("access-control-expose-headers").contains("location"));
    // What goes wrong is to be read as well.
    let missing = shop.ask("GET /api/nothing", &page).await;
    assert_eq!(
        (missing.status.as_u16(), missing.header("access-control-allow-origin")),
        (404, "https://toys.example")
    );
    assert_eq!(shop.ask("OPTIONS /api/nothing", &asked).await.status, 404);
    // What is kept for one page is not shown to another.
    let shown = shop.ask("GET /api/products", &[]).await;
    let vary: Vec<_> = shown.headers.get_all("vary").iter().collect();
    assert!(vary.iter().any(|name| *name == "origin"), "{vary:?}");
}

#[tokio::test]
async fn pages_of_unknown_sites_may_not() {
    for shop in [known("", "https://toys.example").await, Shop::open().await] {
        let asked = ["origin: https://evil.example", "access-control-request-method: POST"];
        let may = shop.ask("OPTIONS /api/orders", &asked).await;
        assert_eq!(may.status, 405);
        assert!(may.headers.get("access-control-allow-origin").is_none());
        assert_eq!(order(&shop, &["origin: https://evil.example"]).await.status, 403);
        assert!(shop.is_untouched().await);
    }
}
