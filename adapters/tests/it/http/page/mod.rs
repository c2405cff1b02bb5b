//! The page in a real browser: each module of its script by tests of its own, which run in there, and all of it
//! against a shop.

mod axe;
mod browser;
mod console;
mod order;
mod plain;
mod reference;
mod served;
mod shop;
mod way;

use browser::Browser;
use serde_json::Value;

use super::shop::Shop;

/// Runs the tests of a module, and shows each as the browser tells it.
async fn passes(module: &str) {
    let addr = served::with_tests(Shop::open().await).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{addr}/test/?module={module}")).await;
    let results = browser.run("window.finished.then(done, (error) => done(`${error}`));").await;
    let results = results.as_array().unwrap_or_else(|| panic!("{results}"));
    assert!(!results.is_empty(), "{module} has no tests");
    let failed: Vec<&Value> = results.iter().filter(|result| !result["error"].is_null()).collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), results.len());
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_requests_of_the_page_pass_their_tests() {
    passes("api").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_forms_of_the_page_pass_their_tests() {
    passes("form").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn an_orders_page_passes_its_tests() {
    passes("order").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_following_of_orders_passes_its_tests() {
    passes("follow").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_keeping_of_orders_passes_its_tests() {
    passes("kept").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_sending_of_orders_passes_its_tests() {
    passes("send").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_cards_of_toys_pass_their_tests() {
    passes("toys").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_words_of_the_pages_pass_their_tests() {
    passes("words").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_orders_of_the_page_pass_their_tests() {
    passes("orders").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_products_of_the_page_pass_their_tests() {
    passes("products").await;
}

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER"]
async fn the_plans_of_the_page_pass_their_tests() {
    passes("plan").await;
}
