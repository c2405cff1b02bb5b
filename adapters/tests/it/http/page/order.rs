//! An order's page against a shop, in each of its states.

use std::sync::Arc;

use serde_json::json;
use woody_core::ports::{OrderStore, ValidateError, Verdict};

use super::{super::shop::Shop, axe, browser::Browser, way::Way};

const UNTIL: &str = "const until = async (condition) => { while (!condition()) await new Promise((turn) => setTimeout(turn, 10)); };";

/// Waits until the page says `state`, and returns its title.
async fn says(browser: &Browser, state: &str) -> String {
    let script = format!(
        "{UNTIL} until(() => document.querySelector('#state').textContent === {}).then(() => done(document.title));",
        json!(state)
    );
    browser.run(&script).await.as_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn an_orders_page_says_where_it_is_and_axe_finds_nothing_in_any_state() {
    let shop = Shop::open().await;
    let id = shop.order("Train").await;
    let browser = Browser::open().await;
    // As an address that a mail could have; the browser is led to the page.
    browser.go(&format!("http://{}/api/orders/{id}", shop.addr)).await;
    assert_eq!(says(&browser, "Received and safe").await, "Received and safe · Train · WoodyToys");
    axe::finds_nothing(&browser, "order-pending").await;
    shop.decide(Ok(Verdict::Success(None)));
    assert_eq!(says(&browser, "Ready to be made").await, "Ready to be made · Train · WoodyToys");
    let drawn = format!(
        "{UNTIL} until(() => !document.querySelector('#plan').hidden)
            .then(() => document.querySelector('#plan-image').decode()).then(() => done(location.pathname));"
    );
    assert_eq!(browser.run(&drawn).await, json!(format!("/orders/{id}")));
    axe::finds_nothing(&browser, "order-ready").await;

    for (verdict, state, name) in [
        (
            Ok(Verdict::Rejected("part wing is larger than any sheet".into())),
            "Cannot be made like this",
            "order-rejected",
        ),
        (
            Err(ValidateError::Permanent("no such wood".into())),
            "Held up on our side",
            "order-failed",
        ),
    ] {
        shop.decide(verdict);
        let id = shop.order("Kite").await;
        browser.go(&format!("http://{}/orders/{id}", shop.addr)).await;
        says(&browser, state).await;
        axe::finds_nothing(&browser, name).await;
    }
    browser.go(&format!("http://{}/orders/42", shop.addr)).await;
    says(&browser, "This is no order number").await;
    axe::finds_nothing(&browser, "order-malformed").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn an_order_is_cancelled_by_the_keyboard_and_in_french() {
    let shop = Shop::open().await;
    let id = shop.order("Train").await;
    let browser = Browser::open_in("fr-BE").await;
    browser.go(&format!("http://{}/orders/{id}", shop.addr)).await;
    says(&browser, "Reçue et en sécurité").await;
    assert_eq!(browser.run("done(document.documentElement.lang);").await, "fr");
    // Past the link that skips, the shop's name, two languages and "order again".
    for expected in ["skip", "", "", "", "button main", "cancel"] {
        browser.press("\u{e004}").await; // Tab
        let focused = browser.run("const at = document.activeElement; done(at.id === 'cancel' ? at.id : at.className);").await;
        assert_eq!(focused, expected);
    }
    browser.press("\u{e007}").await; // Enter
    assert_eq!(says(&browser, "Annulée").await, "Annulée · Train · WoodyToys");
    assert_eq!(browser.run("done(document.activeElement.id);").await, "state");
    axe::finds_nothing(&browser, "order-cancelled-fr").await;
    assert_eq!(shop.store.counts().await.unwrap().cancelled, 1);
    browser.run("document.querySelector('[data-language=en]').click(); done();").await;
    says(&browser, "Cancelled").await;
    browser.go(&format!("http://{}/orders/{id}", shop.addr)).await;
    says(&browser, "Cancelled").await; // the choice is remembered
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn an_orders_page_is_readable_while_the_shop_is_away_and_goes_on_when_it_is_back() {
    let shop = Arc::new(Shop::open().await);
    let id = shop.order("Train").await;
    let way = Way::to(&shop).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/orders/{id}", way.addr)).await;
    says(&browser, "Received and safe").await;
    way.close();
    let away = format!(
        "{UNTIL} until(() => !document.querySelector('#away').hidden).then(() => done(document.querySelector('#what').textContent));"
    );
    assert_eq!(browser.run(&away).await, "Train");
    axe::finds_nothing(&browser, "order-away").await;
    shop.decide(Ok(Verdict::Success(None)));
    way.open();
    says(&browser, "Ready to be made").await;
    let hidden = "done(document.querySelector('#away').hidden);";
    assert_eq!(browser.run(hidden).await, json!(true));
}
