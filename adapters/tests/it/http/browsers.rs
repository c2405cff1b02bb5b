use woody_adapters::http::ServiceSettings;

use super::shop::{Setup, Shop};

const ACTING: [&str; 2] = ["/api/products?product=a", "/api/orders/do?order=a"];

#[tokio::test]
async fn a_get_that_changes_state_is_not_for_strangers_pages() {
    let shop = Shop::open().await;
    for path in ACTING {
        for header in [
            "sec-fetch-site: cross-site",
            "sec-purpose: prefetch;prerender",
            "purpose: prefetch",
            "sec-fetch-mode: navigate",
        ] {
            let answer = shop.ask(&format!("GET {path}"), &[header]).await;
            assert_eq!(answer.status, 403, "{path} {header}");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
    assert!(shop.is_untouched().await);
    for path in ACTING {
        let same = ["sec-fetch-site: same-origin", "sec-fetch-mode: cors"];
        assert_eq!(shop.ask(&format!("GET {path}"), &same).await.status, 200);
    }
    // What changes nothing is for everybody.
    let strange = ["sec-fetch-site: cross-site", "sec-fetch-mode: navigate"];
    assert_eq!(shop.ask("GET /api/products", &strange).await.status, 200);
}

#[tokio::test]
async fn head_never_acts() {
    let shop = Shop::open().await;
    for path in ACTING {
        let answer = shop.ask(&format!("HEAD {path}"), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (405, 0), "{path}");
    }
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let shop = Shop::open().await;
    shop.get("/api/misc/heavy?name=lion").await;
    let id = shop.order("lion").await;
    for path in [
        "/api/ping",
        "/api/misc/heavy?name=lion",
        "/api/products",
        &format!("/api/orders/{id}"),
        "/openapi.json",
        "/style.css",
    ] {
        let get = shop.get(path).await;
        let head = shop.ask(&format!("HEAD {path}"), &[]).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
        for name in ["content-type", "content-length", "etag", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn switched_off_the_acting_gets_point_to_post() {
    let settings = ServiceSettings { legacy_get: false, ..ServiceSettings::default() };
    let shop = Shop::with(Setup { settings, ..Setup::default() }).await;
    for (path, post) in ACTING.into_iter().zip(["POST /api/products", "POST /api/orders"]) {
        let answer = shop.get(path).await;
        assert_eq!(answer.status, 405, "{path}");
        assert!(answer.text().contains(post), "{answer:?}");
        assert!(answer.headers.contains_key("allow"));
    }
    assert!(shop.is_untouched().await);
    assert_eq!(shop.get("/api/products").await.status, 200);
    assert_eq!(shop.get("/api/products/last").await.status, 200);
}
