//! Orders in a browser that runs no script.

use serde_json::json;
use woody_core::ports::{OrderStore, Verdict};

use super::{
    super::{client::FOREVER, shop::Shop},
    axe,
    browser::Browser,
};

/// Whether pages may run scripts, from the next one on.
async fn scripts(browser: &Browser, run: bool) {
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": !run})).await;
}

/// Has a page that looks again by itself stay as it is.
async fn stay(browser: &Browser) {
    browser.evaluate("window.stop()").await;
}

/// Has axe-core, which is a script, look at a page that was loaded without any.
async fn axe_finds_nothing(browser: &Browser, name: &str) {
    stay(browser).await;
    scripts(browser, true).await;
    axe::finds_nothing(browser, name).await;
    scripts(browser, false).await;
}

/// Waits until the page is called `title`.
async fn is(browser: &Browser, title: &str) {
    let called = async { while browser.evaluate("document.title").await != title {} };
    tokio::time::timeout(FOREVER, called).await.unwrap_or_else(|_| panic!("no page is {title:?}"));
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn an_order_is_placed_followed_and_cancelled_without_a_script() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    scripts(&browser, false).await;
    browser.go(&format!("http://{}/", shop.addr)).await;
    axe_finds_nothing(&browser, "shop-plain").await;
    browser.write("#order-product", "Train").await;
    browser.click("#order-form [type=submit]").await;
    is(&browser, "Order a toy · WoodyToys").await;
    axe_finds_nothing(&browser, "order-form-plain").await;
    browser.click("form [type=submit]").await;
    is(&browser, "Received and safe · Train · WoodyToys").await;
    axe_finds_nothing(&browser, "order-pending-plain").await;
    assert_eq!(shop.store.counts().await.unwrap().pending, 1);

    // Its page looks again by itself.
    browser.reload().await;
    shop.decide(Ok(Verdict::Success(None)));
    is(&browser, "Ready to be made · Train · WoodyToys").await;
    browser.click("nav a").await;
    is(&browser, "Prête à être fabriquée · Train · WoodyToys").await;

    let shop = Shop::open().await;
    let id = shop.order("Kite").await;
    // An address that was copied where scripts run.
    browser.go(&format!("http://{}/orders/{id}", shop.addr)).await;
    is(&browser, "Received and safe · Kite · WoodyToys").await;
    stay(&browser).await;
    browser.click("form button").await;
    is(&browser, "Cancelled · Kite · WoodyToys").await;
    assert_eq!(shop.store.counts().await.unwrap().cancelled, 1);
    assert_eq!(browser.complaints().await, [""; 0]);
}
