//! Orders without a script: a form, and a page that shows where an order is.

use woody_core::ports::{OrderStore, ValidateError, Verdict};

use super::{
    client::{Answer, request},
    shop::Shop,
};

const HTML: &str = "accept: text/html,application/xhtml+xml,*/*;q=0.8";
const FORM: &str = "content-type: application/x-www-form-urlencoded";
/// A browser's own word that a page of the shop asks.
const OWN: &str = "sec-fetch-site: same-origin";

async fn submit(shop: &Shop, path: &str, headers: &[&str], body: &str) -> Answer {
    let headers: Vec<_> = [HTML, FORM].iter().chain(headers).copied().collect();
    shop.send(request(&format!("POST {path}"), &headers, body.to_owned())).await
}

/// The key that a form has in it.
fn key_in(form: &Answer) -> String {
    let (_, rest) = form.text().split_once(r#"name="key" value=""#).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_form_is_an_order_whose_page_shows_where_it_is() {
    let shop = Shop::open().await;
    let form = shop.ask("GET /orders?product=Noah%27s+%3Cark%3E&quantity=3", &[HTML]).await;
    assert_eq!(
        (form.status.as_u16(), form.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert_eq!(form.header("cache-control"), "no-store");
    assert!(form.header("content-security-policy").contains("form-action 'self'"));
    assert!(form.text().contains(r#"value="Noah&#39;s &lt;ark&gt;""#), "{}", form.text());
    let body = format!("product=Noah%27s+%3Cark%3E&quantity=3&key={}&lang=en", key_in(&form));
    let placed = submit(&shop, "/orders", &[OWN], &body).await;
    assert_eq!(placed.status, 303, "{placed:?}");
    let page = placed.header("location");
    let shown = shop.ask(&format!("GET {page}"), &[HTML]).await;
    assert_eq!((shown.status.as_u16(), shown.header("refresh")), (200, "5"));
    for part in [
        "Received and safe",
        "3 × Noah&#39;s &lt;ark&gt;",
        "<title>Received and safe · 3 ×",
        "Cancel the order",
    ] {
        assert!(shown.text().contains(part), "{part}: {}", shown.text());
    }
    shop.decide(Ok(Verdict::Success(None)));
    let id = page.split(['/', '?']).nth(2).unwrap();
    shop.get(&format!("/api/orders/{id}/events")).await;
    let shown = shop.ask(&format!("GET {page}"), &[HTML]).await;
    assert!(shown.text().contains("Ready to be made"), "{}", shown.text());
    assert!(
        shown
            .text()
            .contains("href=\"/orders?product=Noah%27s%20%3Cark%3E&amp;quantity=3&amp;lang=en\"")
    );
    assert_eq!((shown.header("refresh"), shown.text().contains("Cancel")), ("", false));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_is_one_order() {
    let shop = Shop::open().await;
    let key = key_in(&shop.ask("GET /orders", &[HTML]).await);
    let body = format!("product=lion&quantity=2&key={key}");
    let (first, second) = tokio::join!(
        submit(&shop, "/orders", &[OWN], &body),
        submit(&shop, "/orders", &[OWN], &body)
    );
    assert_eq!((first.status.as_u16(), first.header("location")), (303, second.header("location")));
    assert_eq!(shop.store.counts().await.unwrap().pending, 1);
    // Changed and sent again, it is told so, and may be sent as an order of its own.
    let other = submit(&shop, "/orders", &[OWN], &body.replace("lion", "boat")).await;
    assert_eq!(other.status, 422);
    assert!(other.text().contains("This was sent as another order before."), "{}", other.text());
    let fresh = key_in(&other);
    assert_ne!(fresh, key);
    let other =
        submit(&shop, "/orders", &[OWN], &format!("product=boat&quantity=2&key={fresh}")).await;
    assert_eq!(other.status, 303);
    assert_eq!(shop.store.counts().await.unwrap().pending, 2);
}

#[tokio::test]
async fn a_form_without_a_key_is_shown_once_more() {
    let shop = Shop::open().await;
    let again = submit(&shop, "/orders", &[OWN], "product=lion&quantity=2").await;
    assert_eq!(again.status, 200);
    assert!(
        again
            .text()
            .contains(r#"name="product" required maxlength="200" autocomplete="off" value="lion""#)
    );
    assert!(!key_in(&again).is_empty() && shop.is_untouched().await);
}

#[tokio::test]
async fn a_form_is_taken_from_the_shops_own_pages_only() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let cancel = format!("/orders/{id}/cancel");
    let body = "product=boat&quantity=1&key=a-key";
    for headers in [
        &[][..],
        &["sec-fetch-site: cross-site"],
        &["sec-fetch-site: same-site"],
        &["origin: http://evil.example"],
        &["origin: null"],
        &["referer: http://evil.example/localhost"],
        &["referer: localhost"],
        &["referer: http://localhost.evil.example/"],
        &["origin: http://evil.example", "referer: http://localhost/"],
    ] {
        for (path, body) in [("/orders", body), (&*cancel, "lang=en")] {
            let answer = submit(&shop, path, headers, body).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
            assert_eq!(answer.json()["type"], "urn:woodytoys:problem:foreign-origin");
        }
    }
    let counts = shop.store.counts().await.unwrap();
    assert_eq!((counts.pending, counts.cancelled), (1, 0));
    // Nor as JSON, or as what else a form may be sent.
    for other in [
        "content-type: application/json",
        "content-type: text/plain",
        "content-type: multipart/form-data; boundary=x",
    ] {
        let answer = shop.send(request("POST /orders", &[HTML, other, OWN], body)).await;
        assert_eq!(answer.status, 415, "{other}");
    }
    for (nth, own) in [
        OWN,
        "origin: http://localhost",
        "referer: http://localhost/orders",
        "referer: http://LOCALHOST?x",
    ]
    .into_iter()
    .enumerate()
    {
        let body = body.replace("a-key", &format!("key-{nth}"));
        assert_eq!(submit(&shop, "/orders", &[own], &body).await.status, 303, "{own}");
    }
}

#[tokio::test]
async fn what_cannot_be_ordered_is_said_in_the_visitors_language_and_nothing_typed_is_lost() {
    let shop = Shop::open().await;
    let french = "accept-language: fr-BE, en;q=0.5";
    for (body, says) in [
        ("product=&quantity=1&key=k", "De 1 à 200 caractères"),
        ("product=lion&quantity=1001&key=k", "Un nombre entier de 1 à 1\u{202f}000"),
        ("product=lion&quantity=many&key=k", "Un nombre entier de 1 à 1\u{202f}000"),
        ("product=lion&quantity=1&key=%C3%A9", "La boutique ne peut pas prendre cette valeur."),
    ] {
        let answer = submit(&shop, "/orders", &[OWN, french], body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.text().contains(says), "{body}: {}", answer.text());
        assert!(
            answer.text().contains("<html lang=\"fr\">")
                && answer.text().contains("Passer la commande")
        );
    }
    let kept = submit(&shop, "/orders", &[OWN], "product=lion&quantity=1001&key=k").await;
    assert!(kept.text().contains(r#"value="lion""#) && kept.text().contains(r#"value="1001""#));
    assert_eq!(key_in(&kept), "k");
    assert!(shop.is_untouched().await);
}

#[tokio::test]
async fn an_order_is_cancelled_by_a_form() {
    let shop = Shop::open().await;
    let id = shop.order("lion").await;
    let answer = submit(&shop, &format!("/orders/{id}/cancel"), &[OWN], "lang=fr").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, &*format!("/orders/{id}?plain&lang=fr"))
    );
    let shown = shop.ask(&format!("GET {}", answer.header("location")), &[HTML]).await;
    assert!(shown.text().contains("<title>Annulée · lion"), "{}", shown.text());
    assert_eq!(shop.store.counts().await.unwrap().cancelled, 1);
}

#[tokio::test]
async fn every_state_has_a_page_and_no_reason_that_is_for_operators() {
    let shop = Shop::open().await;
    for (verdict, says, silent) in [
        (
            Ok(Verdict::Rejected("part <wing> is too large".into())),
            "part &lt;wing&gt; is too large",
            "<wing>",
        ),
        (
            Err(ValidateError::Permanent("thread 7 panicked".into())),
            "Held up on our side",
            "thread 7",
        ),
    ] {
        shop.decide(verdict);
        let id = shop.order("lion").await;
        shop.get(&format!("/api/orders/{id}/events")).await;
        let shown = shop.ask(&format!("GET /orders/{id}?plain"), &[HTML]).await;
        assert_eq!(shown.status, 200);
        assert!(shown.text().contains(says) && !shown.text().contains(silent), "{}", shown.text());
    }
    let unknown = shop.ask("GET /orders/0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f?plain", &[HTML]).await;
    assert_eq!((unknown.status.as_u16(), unknown.header("refresh")), (404, "5"));
    assert!(unknown.text().contains("We do not know this order"));
    let malformed = shop.ask("GET /orders/%3Cb%3E?plain", &[HTML]).await;
    assert_eq!((malformed.status.as_u16(), malformed.header("refresh")), (422, ""));
    assert!(
        malformed.text().contains("This is no order number") && !malformed.text().contains("<b>")
    );
    // The page of those who have scripts leads there.
    let page = shop.ask("GET /orders/42", &[HTML]).await;
    assert!(
        page.text()
            .contains(r#"<noscript><meta http-equiv="refresh" content="0;url=?plain"></noscript>"#)
    );
}

#[tokio::test]
async fn while_the_store_is_away_the_page_says_that_the_order_is_safe() {
    let shop = Shop::open().await;
    woody_core::ports::Store::close(&*shop.store).await;
    let shown = shop.ask("GET /orders/0192f0c1-2f3a-4c4d-8e5f-6a7b8c9d0e1f?plain", &[HTML]).await;
    assert_eq!((shown.status.as_u16(), shown.header("refresh")), (503, "5"), "{}", shown.text());
    assert!(shown.text().contains("What is accepted is safe."), "{}", shown.text());
}
