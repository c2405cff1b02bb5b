//! Nothing is dropped on the way out.

use testkit::{
    client::{ended, get, place},
    service::Start,
    waiting::until,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_drains_is_not_ready_and_goes_on_answering() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).env("WOODY_DRAIN_DELAY", "20s");
    let shop = shop.ready().await;
    shop.terminate();
    until("it is not ready any more", async || !shop.is_ready().await).await;
    // It still takes orders, and keeps them.
    let id = place(shop.address, "Train").await;
    assert_eq!(ended(shop.address, &id).await, "success");
    assert_eq!(get(shop.admin, "/healthz").await.unwrap().status, 200);
    // A second signal cuts the delay short.
    shop.terminate();
    assert!(shop.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_wait_when_it_ends_are_there_when_it_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Start::of("woodytoys").current_dir(folder.path()).ready().await;
    let mut promised = Vec::new();
    for n in 0..50 {
        promised.push(place(shop.address, &format!("Toy {n}")).await);
    }
    shop.terminate();
    assert!(shop.ended().await.success());
    let shop = Start::of("woodytoys").current_dir(folder.path()).ready().await;
    for id in promised {
        assert_eq!(ended(shop.address, &id).await, "success");
    }
}
