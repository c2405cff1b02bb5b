//! A whole pipeline over memory backends, for one test.

use std::{future::Future, num::NonZeroU16, sync::Arc, time::Duration};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_broker::memory::MemoryBroker;
use woody_core::{
    contract::toy,
    domain::{Details, IdempotencyKey, NewOrder, Order, OrderId, ToyOrder},
    ports::{Broker, BrokerAdmin, Consumer, Delivery, OrderStore, Publisher, Validator},
    services::{
        IntakeSettings, OrderIntake, OrderRequest, OrderWorker, OutboxRelay, RelaySettings,
        WorkerSettings,
    },
};
use woody_store::MemoryStore;

use crate::faulty::{Copies, Fault, FaultyPublisher, FaultyStore};

/// How long a test waits for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Shop {
    pub broker: Arc<MemoryBroker>,
    pub store: Arc<dyn OrderStore>,
    pub publisher: Arc<dyn Publisher>,
    pub copies: Copies,
    pub store_fault: Fault,
    pub broker_fault: Fault,
    pub tasks: TaskTracker,
    pub shutdown: CancellationToken,
}

impl Shop {
    pub fn open() -> Self {
        let broker = Arc::new(MemoryBroker::new());
        let (store_fault, broker_fault) = (Fault::default(), Fault::default());
        let copies = Copies::new(Arc::new(MemoryStore::new()));
        let store = Arc::new(FaultyStore { copies: copies.clone(), fault: store_fault.clone() });
        let publisher =
            Arc::new(FaultyPublisher { inner: broker.publisher(), fault: broker_fault.clone() });
        Self {
            broker,
            store,
            publisher,
            copies,
            store_fault,
            broker_fault,
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }
    }

    pub fn relay(&self) -> OutboxRelay {
        self.relay_that_asks(self.broker.admin())
    }

    pub fn relay_that_asks(&self, admin: Arc<dyn BrokerAdmin>) -> OutboxRelay {
        // A lease of nothing, so that a sweep finds everything at once.
        let settings = RelaySettings::default().lease(Duration::ZERO).pending_for(Duration::ZERO);
        OutboxRelay::new(Arc::clone(&self.store), Arc::clone(&self.publisher), admin, settings)
    }

    /// An intake whose entries any sweep finds at once.
    pub fn intake(&self, relay: &OutboxRelay) -> OrderIntake {
        self.intake_that_leases_for(Duration::ZERO, relay)
    }

    pub fn intake_that_leases_for(&self, lease: Duration, relay: &OutboxRelay) -> OrderIntake {
        let settings = IntakeSettings::default().outbox_lease(lease);
        OrderIntake::start(
            Arc::clone(&self.store),
            Arc::clone(&self.publisher),
            relay.feed(),
            settings,
            &self.tasks,
        )
    }

    pub fn worker(&self, validator: Arc<dyn Validator>) -> Arc<OrderWorker> {
        let settings = WorkerSettings::default()
            .max_attempts(3)
            .retry_base(Duration::from_millis(1))
            .validation_timeout(Duration::from_secs(5))
            .wait_base(Duration::from_millis(1));
        Arc::new(OrderWorker::start(
            Arc::clone(&self.store),
            validator,
            self.broker.events(),
            settings,
            &self.tasks,
        ))
    }

    pub async fn consumer(&self, prefetch: u16) -> Box<dyn Consumer> {
        self.broker.consumer(NonZeroU16::new(prefetch).unwrap()).await.unwrap()
    }

    pub async fn publish(&self, order: &NewOrder<Details>) {
        self.broker.publisher().publish(&[order.into()]).await.unwrap();
    }

    pub async fn order(&self, id: OrderId) -> Option<Order<Details>> {
        self.store.order(id).await.unwrap()
    }

    /// The order once it has ended.
    pub async fn ended(&self, id: OrderId) -> Order<Details> {
        within(async {
            loop {
                if let Ok(Some(order)) = self.store.order(id).await
                    && order.status.is_final()
                {
                    return order;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

pub fn order(name: &str) -> NewOrder<Details> {
    toy(name)
}

pub fn request(name: &str, key: Option<&str>) -> OrderRequest {
    OrderRequest {
        details: ToyOrder::parse(name, 1).unwrap(),
        key: key.map(|key| IdempotencyKey::parse(key).unwrap()),
        trace: None,
        client: None,
    }
}

pub async fn next(consumer: &mut Box<dyn Consumer>) -> Delivery {
    within(consumer.next()).await.expect("the broker is open")
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it should not take this long")
}
