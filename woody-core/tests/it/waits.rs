//! Validations that cannot be made, and whose fault that is.

use std::sync::{Arc, atomic::Ordering};

use woody_core::{ports::Validator, services::Handled};

use crate::{
    shop::{Shop, next, order, within},
    worker::{AsNamed, handle},
};

#[tokio::test(start_paused = true)]
async fn an_order_that_waits_lets_others_pass_and_spends_nothing() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    let refused = order("refused");
    shop.publish(&refused).await;
    shop.publish(&order("Train")).await;
    let worker = shop.worker(Arc::clone(&validator) as Arc<dyn Validator>);
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Postponed);
    let wait = worker.waits().current().expect("it waits");
    assert!(wait.refused && wait.reason.as_str() == "no right to read", "{wait:?}");
    assert!(validator.validations.load(Ordering::SeqCst) > 1, "it was waited for");
    let delivery = next(&mut consumer).await;
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Decided);
    assert_eq!(worker.waits().current(), None);
    let again = next(&mut consumer).await;
    assert!(again.body().windows(7).any(|part| part == b"refused"));
    assert_eq!(again.attempt(), 1);
    assert!(!shop.order(refused.id).await.is_some_and(|order| order.status.is_final()));
}

#[tokio::test(start_paused = true)]
async fn an_undecided_failure_is_never_an_orders_end() {
    let (shop, validator) = (Shop::open(), Arc::<AsNamed>::default());
    shop.publish(&order("undecided")).await;
    let handled = handle(&shop, &validator, 6).await;
    assert_eq!(handled[..2], [Handled::Retry; 2]);
    assert_eq!(handled[2..], [Handled::Postponed; 4]);
}
