//! Orders that end the process that validates them, and processes that end otherwise.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{Details, NewOrder, OrderStatus, Outcome},
    ports::{Broker, ValidateError, Validator, Verdict},
};

use crate::{
    shop::{Shop, order, within},
    worker::{AsNamed, nothing_is_left},
};

/// Kills its worker by "kills", as far as a test can: nothing of that worker happens any more.
struct Deadly {
    life: CancellationToken,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Validator for Deadly {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        let name = order.details.product.as_str();
        self.asked.lock().unwrap().push(name.to_owned());
        if name == "kills" {
            self.life.cancel();
        }
        if self.life.is_cancelled() {
            std::future::pending::<()>().await;
        }
        // Long enough for the others to begin.
        tokio::time::sleep(Duration::from_millis(10)).await;
        if self.life.is_cancelled() {
            std::future::pending::<()>().await;
        }
        Ok(Verdict::Success(None))
    }
}

/// Starts a worker again and again until each of `orders` has ended; returns what the
/// workers were asked that died.
async fn ended_by_workers_that_die(
    shop: &Shop,
    prefetch: u16,
    orders: &[NewOrder<Details>],
) -> Vec<Vec<String>> {
    let mut deaths = Vec::new();
    loop {
        let life = CancellationToken::new();
        let deadly = Arc::new(Deadly { life: life.clone(), asked: Mutex::default() });
        let worker = shop.worker(Arc::clone(&deadly) as Arc<dyn Validator>);
        let consumer = shop.consumer(prefetch).await;
        let running = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
        let all_ended = async {
            for order in orders {
                while !shop.order(order.id).await.is_some_and(|order| order.status.is_final()) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        };
        let died = tokio::select! {
            biased;
            () = life.cancelled() => true,
            () = all_ended => false,
        };
        running.abort();
        let _ = running.await;
        if !died {
            return deaths;
        }
        deaths.push(deadly.asked.lock().unwrap().clone());
        assert!(deaths.len() < 20, "it is handed out for ever: {deaths:?}");
        tokio::time::advance(Duration::from_secs(6)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_kills_its_workers_ends_and_takes_no_other_with_it() {
    for (prefetch, good) in [(1, 5), (16, 15), (4, 20)] {
        let shop = Shop::open();
        let mut orders = vec![order("kills")];
        orders.extend((0..good).map(|n| order(&format!("Toy {n}"))));
        for order in &orders {
            shop.publish(order).await;
        }
        let deaths = ended_by_workers_that_die(&shop, prefetch, &orders).await;
        // The first is not counted; after that, as many as there are attempts.
        assert_eq!(deaths.len(), 4, "prefetch {prefetch}: {deaths:?}");
        let killer = shop.order(orders[0].id).await.unwrap().status;
        assert_eq!(
            killer,
            OrderStatus::Ended(Outcome::Failed(
                "its worker died 3 times while validating it".into()
            ))
        );
        for order in &orders[1..] {
            let status = shop.order(order.id).await.unwrap().status;
            assert!(matches!(status, OrderStatus::Ended(Outcome::Success(_))), "{status:?}");
        }
        let dead = shop.broker.admin().dead_letters(10).await.unwrap();
        assert_eq!(dead.len(), 1);
        assert!(dead[0].reason.as_str().contains("died 3 times"), "{}", dead[0].reason);
        within(async {
            while shop.broker.admin().depth().await.unwrap().in_flight != Some(0) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        nothing_is_left(&shop).await;
    }
}

/// A worker that is told to end is not killed by what it validates then.
#[tokio::test(start_paused = true)]
async fn workers_that_are_told_to_end_are_no_deaths() {
    let mut shop = Shop::open();
    let hangs = order("hangs");
    shop.publish(&hangs).await;
    for _ in 0..8 {
        let validator = Arc::<AsNamed>::default();
        let worker = shop.worker(Arc::clone(&validator) as Arc<dyn Validator>);
        let consumer = shop.consumer(1).await;
        let running = tokio::spawn(worker.run(consumer, shop.shutdown.clone()));
        within(async {
            while validator.validations.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        shop.shutdown.cancel();
        within(async {
            while shop.store.begun(hangs.id).await.unwrap().times > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // Its grace is over: its supervisor kills it.
        running.abort();
        let _ = running.await;
        shop.shutdown = CancellationToken::new();
    }
    assert!(shop.order(hangs.id).await.is_none());
}
