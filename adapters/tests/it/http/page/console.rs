//! The operator's console in a real browser.

use serde_json::json;
use woody_core::{
    contract::toy,
    ports::{Broker, OrderStore, Prefetch},
};

use super::{
    super::{
        client::FOREVER,
        console::{Desk, busy},
    },
    axe,
    browser::Browser,
};

/// Whether pages may run scripts, from the next one on.
async fn scripts(browser: &Browser, run: bool) {
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": !run})).await;
}

/// Waits until an expression is true.
async fn until(browser: &Browser, expression: &str) {
    let is_so = async { while browser.evaluate(expression).await != true {} };
    tokio::time::timeout(FOREVER, is_so).await.unwrap_or_else(|_| panic!("never: {expression}"));
}

/// Every request that the page has made, by its origin.
const ORIGINS: &str = "[...new Set(performance.getEntries().map((entry) => entry.name)
    .filter((name) => name.includes('://')).map((name) => new URL(name).origin))].join(' ')";

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn axe_finds_nothing_in_the_console() {
    let (desk, [ended, ..]) = busy(Some("production:red")).await.with_orders().await;
    let desk = desk.with_dead_letters().await;
    let browser = Browser::open().await;
    let base = format!("http://{}", desk.addr);
    browser.go(&format!("{base}/console")).await;
    axe::finds_nothing(&browser, "console-act").await;
    assert_eq!(browser.evaluate(ORIGINS).await, base);
    browser.write("#id", &ended.to_string()).await;
    browser.click("form [type=submit]").await;
    until(&browser, "document.title.startsWith('rejected · ')").await;
    axe::finds_nothing(&browser, "console-order").await;
    browser.go(&format!("{base}/console/order")).await;
    axe::finds_nothing(&browser, "console-which-order").await;
    browser.go(&format!("{base}/console/dead")).await;
    axe::finds_nothing(&browser, "console-dead").await;

    let new = Desk::open(None).await;
    let _consumer = new.broker.consumer(Prefetch::MIN).await.unwrap();
    browser.go(&format!("http://{}/console", new.addr)).await;
    axe::finds_nothing(&browser, "console-well").await;
    for colour in ["grey", "orange", "green", "blue", "purple"] {
        let desk = Desk::open(Some(&format!("test:{colour}"))).await;
        browser.go(&format!("http://{}/console/order", desk.addr)).await;
        axe::finds_nothing(&browser, &format!("console-{colour}")).await;
    }
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn a_console_that_is_open_says_what_has_changed_and_leaves_the_form_alone() {
    let desk = Desk::open(Some("staging:blue")).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/console", desk.addr)).await;
    assert_eq!(
        browser.evaluate("document.title").await,
        "Somebody must act · staging · WoodyToys console"
    );
    browser.write("#id", "0192").await;
    let _consumer = desk.broker.consumer(Prefetch::MIN).await.unwrap();
    until(&browser, "document.title === 'All is well · staging · WoodyToys console'").await;
    until(
        &browser,
        "document.querySelector('[role=status]').textContent === 'Nothing is lost. All is well.'",
    )
    .await;
    assert_eq!(browser.evaluate("document.querySelector('#id').value").await, "0192");
    assert_eq!(browser.evaluate("document.activeElement.id").await, "id");
    let _ = desk.store.insert(&[toy("Train")], std::time::Duration::ZERO).await.unwrap();
    until(&browser, "document.querySelector('.facts dd').textContent === '1'").await;
    assert_eq!(browser.complaints().await, [""; 0]);

    // The process ends: what stands there is old, and says so.
    desk.draining.cancel();
    until(&browser, "!document.querySelector('#stale').hidden").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_console_is_read_and_stopped_by_the_keyboard_alone() {
    let (desk, [ended, ..]) = Desk::open(None).await.with_orders().await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/console", desk.addr)).await;
    for id in ["pause", "id"] {
        let mut tabs = 0;
        while browser.evaluate(&format!("document.activeElement.id === '{id}'")).await != true {
            assert!(tabs < 10, "no Tab leads to {id}");
            browser.press("\u{e004}").await;
            tabs += 1;
        }
        let outline = "getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(browser.evaluate(outline).await, "solid", "{id}");
        if id == "pause" {
            browser.press("\u{e007}").await; // Enter
            assert_eq!(
                browser.evaluate("document.activeElement.textContent").await,
                "Go on refreshing"
            );
        }
    }
    browser.write("#id", &format!("{ended}\u{e007}")).await;
    until(
        &browser,
        "document.querySelector('.story li:last-child strong')?.textContent === 'rejected'",
    )
    .await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn the_console_works_without_a_script() {
    let (desk, [ended, ..]) = Desk::open(None).await.with_orders().await;
    let browser = Browser::open().await;
    scripts(&browser, false).await;
    browser.go(&format!("http://{}/console", desk.addr)).await;
    let refresh = "document.querySelector('noscript meta[http-equiv=refresh]')?.content";
    assert_eq!(browser.evaluate(refresh).await, "15");
    assert_eq!(browser.evaluate("document.querySelector('#pause').checkVisibility()").await, false);
    // Who reads slowly has it stay.
    browser.click("noscript a").await;
    until(&browser, "location.search === '?still=1'").await;
    assert_eq!(
        browser.evaluate("document.querySelector('[http-equiv=refresh]')").await,
        json!(null)
    );
    scripts(&browser, true).await;
    axe::finds_nothing(&browser, "console-plain").await;
    scripts(&browser, false).await;
    browser.write("#id", &ended.to_string()).await;
    browser.click("form [type=submit]").await;
    until(&browser, "document.title.startsWith('rejected · ')").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
