//! The API's reference in a browser.

use super::{super::shop::Shop, axe, browser::Browser};

#[tokio::test]
#[ignore = "needs WOODY_TEST_CHROMEDRIVER and WOODY_TEST_AXE"]
async fn axe_finds_nothing_in_the_reference() {
    let shop = Shop::open().await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/docs", shop.addr)).await;
    axe::finds_nothing(&browser, "docs").await;
    // What its policy forbids, and files that are not there, are complained of.
    assert_eq!(browser.complaints().await, [""; 0]);
}
