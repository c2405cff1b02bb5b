//! The shop's page against a shop: what a visitor does, in both languages, and orders that nothing loses or doubles.

use std::sync::Arc;

use serde_json::json;
use woody_adapters::http::GatewayLimits;
use woody_core::ports::{OrderStore, Verdict};

use super::{
    super::shop::{Setup, Shop},
    axe,
    browser::Browser,
    way::Way,
};

/// Waits for conditions in the page, and places orders there.
const PAGE: &str = r##"
    const $ = (selector) => document.querySelector(selector);
    const texts = (selector) => Array.from(document.querySelectorAll(selector), (found) => found.textContent);
    const until = async (condition) => { while (!condition()) await new Promise((turn) => setTimeout(turn, 10)); };
    const order = (product, quantity) => {
        $("#order-product").value = product;
        $("#order-quantity").value = quantity;
        $("#order-form").requestSubmit();
    };
"##;

/// Runs a script in the page with these at hand; its result is what it returns.
async fn run(browser: &Browser, script: &str) -> serde_json::Value {
    let script = format!(
        "{PAGE} (async () => {{ {script} }})().then((result) => done(result ?? null), (error) => done(`${{error}}`));"
    );
    browser.run(&script).await
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn a_visitor_puts_toys_on_the_shelf_draws_a_plan_and_orders_three_trains() {
    let shop = Shop::open().await;
    shop.decide(Ok(Verdict::Success(None)));
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/workshop", shop.addr)).await;
    let workshop = r##"
        await until(() => !$("#samples").hidden);
        $("#samples").requestSubmit();
        await until(() => texts("#products .name").length === 6);
        $("#product-name").value = "Kite";
        $("#product-form").requestSubmit();
        await until(() => texts("#products .name")[0] === "Kite");
        $("#plan-name").value = "Train";
        $("#plan-form").requestSubmit();
        await until(() => $("#calls strong")?.textContent === "Train");
        await $("#plan-image").decode();
        return $("#plan-image").naturalWidth > 0;"##;
    assert_eq!(run(&browser, workshop).await, json!(true));
    browser.go(&format!("http://{}/", shop.addr)).await;
    let order = r##"
        await until(() => texts("#toys .name").length === 6);
        $("#more-toys").click();
        await until(() => texts("#toys .name").length === 7);
        const train = Array.from(document.querySelectorAll("#toys .card")).find((card) => card.querySelector(".name").textContent === "Train");
        train.querySelector(".more").click();
        train.querySelector(".more").click();
        train.querySelector(".order").click();
        await until(() => texts("#orders .status")[0] === "Ready to be made");
        return [texts("#orders .what"), train.querySelectorAll("rect").length];"##;
    assert_eq!(run(&browser, order).await, json!([["3 × Train"], 10]));
    // What the page's policy forbids, and files that are not there, are complained of.
    assert_eq!(browser.complaints().await, [""; 0]);
    assert_eq!(shop.store.counts().await.unwrap().success, 1);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn axe_finds_nothing_in_the_shop_and_the_workshop_in_both_languages() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    for language in ["en", "fr"] {
        let speak = format!(
            "$('[data-language={language}]').click(); return document.documentElement.lang;"
        );
        browser.go(&format!("http://{}/workshop", shop.addr)).await;
        assert_eq!(run(&browser, &speak).await, language);
        axe::finds_nothing(&browser, &format!("workshop-{language}")).await;
        let work = "if (!$('#samples').hidden) { $('#samples').requestSubmit(); await until(() => texts('#products .name').length === 6); }
            $('#add-part').click(); $('#product-form').requestSubmit();
            $('#plan-form').requestSubmit(); await until(() => $('#calls strong'));
            await until(() => $('#product-form [aria-invalid]'));";
        assert_eq!(run(&browser, work).await, json!(null));
        axe::finds_nothing(&browser, &format!("workshop-busy-{language}")).await;

        shop.decide(Ok(Verdict::Rejected("part wing is larger than any sheet".into())));
        browser.go(&format!("http://{}/", shop.addr)).await;
        run(&browser, "await until(() => texts('#toys .name').length === 6);").await;
        axe::finds_nothing(&browser, &format!("shop-{language}")).await;
        let orders = "$('#toys .order').click(); await until(() => $('#orders .status.rejected'));
            order('', 0); await until(() => $('#order-form [aria-invalid]'));";
        assert_eq!(run(&browser, orders).await, json!(null));
        axe::finds_nothing(&browser, &format!("shop-busy-{language}")).await;
        run(&browser, "$('#forget').click();").await;
    }
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn an_order_whose_answer_is_lost_before_the_page_is_loaded_again_is_one_order() {
    let shop = Arc::new(Shop::open().await);
    let way = Way::to(&shop).await;
    let browser = Browser::open().await;
    let page = format!("http://{}/", way.addr);
    browser.go(&page).await;
    way.lose_an_answer();
    run(&browser, "order('Train', 3);").await;
    way.until_lost().await;
    assert_eq!(shop.store.counts().await.unwrap().pending, 1, "the shop has it");
    browser.go(&page).await;
    let received = "await until(() => texts('#orders .status')[0] === 'Received'); return texts('#orders .what');";
    assert_eq!(run(&browser, received).await, json!(["3 × Train"]));
    assert_eq!(shop.store.counts().await.unwrap().pending, 1);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn orders_that_are_given_while_the_shop_is_away_are_sent_when_it_is_back() {
    let shop = Arc::new(Shop::open().await);
    let way = Way::to(&shop).await;
    let browser = Browser::open().await;
    let page = format!("http://{}/", way.addr);
    browser.go(&page).await;
    way.close();
    let waits = "order('Train', 1); await until(() => texts('#orders .reason')[0].includes('kept in this browser'));
        order('Kite', 2); await until(() => texts('#orders .what').length === 2); return texts('#orders .status');";
    assert_eq!(run(&browser, waits).await, json!(["Being sent", "Being sent"]));
    browser.go(&page).await;
    let waits =
        "await until(() => texts('#orders .status').length === 2); return texts('#orders .what');";
    assert_eq!(run(&browser, waits).await, json!(["2 × Kite", "Train"]));
    assert!(shop.is_untouched().await);
    way.open();
    run(
        &browser,
        "await until(() => texts('#orders .status').every((status) => status === 'Received'));",
    )
    .await;
    assert_eq!(shop.store.counts().await.unwrap().pending, 2);
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn twelve_orders_at_once_meet_the_limit_and_are_twelve_orders() {
    let shop = Shop::with(Setup { limits: GatewayLimits::default(), ..Setup::default() }).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/", shop.addr)).await;
    let orders = "
        for (let nth = 1; nth <= 12; nth += 1) {
            order(`Toy ${nth}`, nth);
            await until(() => texts('#orders .what').length === nth);
        }
        await until(() => texts('#orders .status').every((status) => status === 'Received'));
        return texts('#orders .what').length;";
    assert_eq!(run(&browser, orders).await, json!(12));
    assert_eq!(shop.store.counts().await.unwrap().pending, 12);
    shop.decide(Ok(Verdict::Success(None)));
    run(&browser, "await until(() => texts('#orders .status').every((status) => status === 'Ready to be made'));").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn a_toy_is_ordered_and_its_page_opened_by_the_keyboard_alone() {
    let shop = Shop::open().await;
    shop.post("/api/products", &json!({"name": "Kite"})).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/", shop.addr)).await;
    run(&browser, "await until(() => texts('#toys .name').length === 1);").await;
    tab_to(&browser, "#toys .more").await;
    browser.press("\u{e007}").await; // Enter
    tab_to(&browser, "#toys .order").await;
    browser.press("\u{e007}").await;
    let received = "await until(() => texts('#orders .status')[0] === 'Received'); return texts('#orders .what');";
    assert_eq!(run(&browser, received).await, json!(["2 × Kite"]));
    tab_to(&browser, "#orders .page").await;
    browser.press("\u{e007}").await;
    let path = "await until(() => $('#state')?.textContent === 'Received and safe'); return location.pathname;";
    let path = run(&browser, path).await;
    assert!(path.as_str().unwrap().starts_with("/orders/"), "{path}");
    assert_eq!(browser.complaints().await, [""; 0]);
}

/// Presses Tab until what the selector finds has the focus, and an outline that shows it.
async fn tab_to(browser: &Browser, selector: &str) {
    let is_there = format!(
        "const at = document.activeElement;
        return at.matches({}) && getComputedStyle(at).outlineStyle === 'solid';",
        json!(selector)
    );
    for _ in 0..40 {
        browser.press("\u{e004}").await; // Tab
        if run(browser, &is_there).await == json!(true) {
            return;
        }
    }
    panic!("no Tab leads to {selector}");
}
