//! An order's trace goes with it, from its request to whoever is told of its end.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{
        ClientName, Details, NewOrder, OrderMessage, SubscriptionName, ToyOrder, TraceContext,
    },
    ports::{Broker, Notifier, NotifyError, OrderNotice, Store, ValidateError, Validator, Verdict},
    services::{Handled, Kept, NoticeDelivery, NoticeSettings, OrderRequest},
};
use woody_store::MemoryStore;

use crate::shop::{Shop, next, request, within};

fn context() -> TraceContext {
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap()
}

fn traced(product: &str) -> OrderRequest {
    request(product, None).traced(Some(context()))
}

/// Says which trace each order came with.
struct Tells(mpsc::UnboundedSender<Option<TraceContext>>);

#[async_trait]
impl Validator for Tells {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        self.0.send(order.trace).unwrap();
        Ok(Verdict::Success(None))
    }
}

#[async_trait]
impl Notifier for Tells {
    async fn notify(&self, notice: &OrderNotice<ToyOrder>) -> Result<(), NotifyError> {
        self.0.send(notice.order.trace).unwrap();
        Ok(())
    }
}

#[tokio::test]
async fn one_trace_goes_from_the_request_to_who_is_told_through_a_broker_outage() {
    let (shop, store) = (Shop::open(), MemoryStore::new());
    shop.copies.fail_over(store.orders());
    let (sender, mut told) = mpsc::unbounded_channel();
    let name: SubscriptionName = "mail".parse().unwrap();
    store.notices().subscribe(&name).await.unwrap();

    shop.broker_fault.begin();
    let relay = shop.relay();
    let accepted = shop.intake(&relay).accept(traced("Train")).await.unwrap();
    assert_eq!((accepted.kept, accepted.order.trace), (Kept::InStore, Some(context())));
    // The process that accepted it is gone: its order is in the outbox alone.
    drop(relay);
    shop.broker_fault.end();
    assert_eq!(shop.relay().sweep().await.unwrap(), 1);

    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.trace(), Some(context()));
    let worker = shop.worker(Arc::new(Tells(sender.clone())));
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Decided);
    assert_eq!(within(told.recv()).await.unwrap(), Some(context()));

    let stopping = CancellationToken::new();
    let delivery = NoticeDelivery::new(
        store.orders(),
        store.notices(),
        name,
        Arc::new(Tells(sender)) as Arc<dyn Notifier>,
        NoticeSettings::default(),
    );
    let delivering = tokio::spawn(delivery.run(stopping.clone()));
    assert_eq!(within(told.recv()).await.unwrap(), Some(context()));
    stopping.cancel();
    within(delivering).await.unwrap();
}

#[tokio::test]
async fn an_order_that_only_the_broker_keeps_is_stored_with_its_trace_and_its_client() {
    let (shop, (sender, mut told)) = (Shop::open(), mpsc::unbounded_channel());
    let acme: Option<ClientName> = "acme".parse().ok();
    shop.store_fault.begin();
    let relay = shop.relay();
    let order = traced("Train").placed_by(acme.clone());
    let accepted = shop.intake(&relay).accept(order).await.unwrap();
    assert_eq!(accepted.kept, Kept::InBroker);
    shop.store_fault.end();
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    let worker = shop.worker(Arc::new(Tells(sender)));
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Decided);
    assert_eq!(within(told.recv()).await.unwrap(), Some(context()));
    let stored = shop.order(accepted.order.id).await.unwrap();
    assert_eq!((stored.trace, stored.client), (Some(context()), acme));
}

#[tokio::test]
async fn a_trace_that_the_queue_does_not_keep_is_that_of_the_store() {
    let (shop, (sender, mut told)) = (Shop::open(), mpsc::unbounded_channel());
    let relay = shop.relay();
    let accepted = shop.intake(&relay).accept(traced("Train")).await.unwrap();
    let order = accepted.order.encode(Details::MAX_BYTES).unwrap();
    // As a queue without headers has it.
    let body = OrderMessage::from(&order).to_bytes();
    shop.broker.publisher().send(&[body]).await.unwrap();
    let mut consumer = shop.consumer(1).await;
    let delivery = next(&mut consumer).await;
    assert_eq!(delivery.trace(), None);
    let worker = shop.worker(Arc::new(Tells(sender)));
    assert_eq!(within(worker.handle(delivery, &shop.shutdown)).await, Handled::Decided);
    assert_eq!(within(told.recv()).await.unwrap(), Some(context()));
}
