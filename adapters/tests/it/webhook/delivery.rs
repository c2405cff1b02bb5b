//! A process that delivers the notices of a store to a receiver.

use std::{sync::Arc, time::Duration};

use testkit::waiting::PATIENCE;
use tokio_util::sync::CancellationToken;
use woody_adapters::webhook::Webhook;
use woody_core::{
    domain::{NewOrder, NoticeId, OrderId, Outcome, SubscriptionName, ToyOrder},
    ports::{Decision, Notice, Notifier, Store},
    services::{NoticeDelivery, NoticeSettings},
};
use woody_store::MemoryStore;

use super::{Manner, Receiver, webhook};

/// A store, and a process that delivers its notices.
struct Shop {
    store: MemoryStore,
    stopping: CancellationToken,
    delivering: tokio::task::JoinHandle<()>,
}

fn subscription() -> SubscriptionName {
    SubscriptionName::parse("webhook").unwrap()
}

impl Shop {
    async fn open(webhook: Webhook, settings: NoticeSettings) -> Self {
        let (store, stopping) = (MemoryStore::new(), CancellationToken::new());
        store.notices().subscribe(&subscription()).await.unwrap();
        let notifier: Arc<dyn Notifier> = Arc::new(webhook);
        let settings = settings.poll_every(Duration::from_millis(10));
        let delivery = NoticeDelivery::new(
            store.orders(),
            store.notices(),
            subscription(),
            notifier,
            settings,
        );
        let delivering = tokio::spawn(delivery.run(stopping.clone()));
        Self { store, stopping, delivering }
    }

    async fn end(&self) -> OrderId {
        let order = NewOrder::new(ToyOrder::parse("Train", 2).unwrap());
        let order = order.encode(1_000).unwrap();
        let decision = Decision {
            order: order.clone(),
            outcome: Outcome::Success(None),
            redriven: false,
            validation: None,
        };
        let _ = self.store.orders().finish(&[decision]).await.unwrap();
        order.id
    }

    /// Waits until there are so many open and dead notices.
    async fn until(&self, open: u64, dead: u64) {
        let reached = async {
            loop {
                let counts = self.store.notices().subscriptions(99).await.unwrap().remove(0);
                if (counts.open, counts.dead) == (open, dead) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap();
    }

    async fn dead(&self) -> Vec<Notice> {
        self.store.notices().dead(&subscription(), None, 9).await.unwrap()
    }

    async fn stop(self) {
        self.stopping.cancel();
        self.delivering.await.unwrap();
    }
}

fn at_once(n: usize) -> NoticeSettings {
    NoticeSettings::default().at_once(n).pauses(vec![Duration::ZERO; 4])
}

#[tokio::test]
async fn an_end_whose_answer_was_lost_is_told_again_under_its_id() {
    let mut receiver = Receiver::start(&[
        Manner::Closes,
        Manner::Answers("500 Oh"),
        Manner::Hangs,
        Manner::Answers("200 OK"),
    ])
    .await;
    let settings = at_once(4).timeout(Duration::from_millis(300));
    let shop = Shop::open(webhook(&receiver.url), settings).await;
    let id = NoticeId::of(shop.end().await, &Outcome::Success(None));
    for _ in 0..4 {
        assert_eq!(receiver.next().await.header("webhook-id"), id.to_string());
    }
    shop.until(0, 0).await;
    shop.stop().await;
}

#[tokio::test]
async fn a_receiver_that_stays_away_leaves_dead_notices_that_can_be_told_later() {
    let mut receiver = Receiver::start(&vec![Manner::Answers("500 Oh"); 5]).await;
    let shop = Shop::open(webhook(&receiver.url), at_once(4)).await;
    let id = shop.end().await;
    shop.until(0, 1).await;
    let dead = shop.dead().await.remove(0);
    assert_eq!((dead.id.order(), dead.attempt), (id, 5));
    assert!(dead.problem.unwrap().as_str().contains("500"));
    shop.stop().await;
    for _ in 0..5 {
        receiver.next().await;
    }
}

#[tokio::test]
async fn one_that_hangs_keeps_no_other_back() {
    let mut receiver = Receiver::start(&[Manner::Hangs, Manner::Answers("200 OK")]).await;
    let shop = Shop::open(webhook(&receiver.url), at_once(2)).await;
    for _ in 0..10 {
        shop.end().await;
    }
    for _ in 0..10 {
        receiver.next().await;
    }
    shop.until(1, 0).await;
    shop.delivering.abort();
}
