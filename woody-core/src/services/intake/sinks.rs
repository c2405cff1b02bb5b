use std::{sync::Arc, time::Duration};

use crate::{
    domain::{Details, NewOrder, OrderMessage},
    ports::{BrokerError, Insert, OrderStore, Publisher, StoreError},
    services::{
        relay::{RelayFeed, lease_end},
        spans,
    },
    step,
};

/// Keeps orders in the store, each with its outbox entry, and offers what is new to the
/// relay.
#[derive(Clone)]
pub(super) struct StoreSink {
    pub(super) store: Arc<dyn OrderStore>,
    pub(super) feed: RelayFeed,
    /// How long a new outbox entry belongs to this process.
    pub(super) lease: Duration,
}

impl StoreSink {
    pub(super) async fn commit(
        self,
        orders: Vec<NewOrder<Details>>,
    ) -> Result<Vec<Insert>, StoreError> {
        let room = self.feed.reserve(&orders);
        // What this process has no room for, any relay may publish at once.
        let lease = if room.is_some() { self.lease } else { Duration::ZERO };
        // The store's clock starts later.
        let leased_until = lease_end(lease);
        let inserted = self.store.insert(&orders, lease).await?;
        step!("intake.stored");
        if let Some(room) = room {
            let orders = orders.into_iter().zip(&inserted);
            let created = orders.filter(|(_, insert)| **insert == Insert::Created);
            room.offer(created.map(|(order, _)| order).collect(), leased_until);
        }
        Ok(inserted)
    }
}

/// Keeps orders in the broker alone, while the store is unavailable.
#[derive(Clone)]
pub(super) struct BrokerSink {
    pub(super) publisher: Arc<dyn Publisher>,
}

impl BrokerSink {
    pub(super) async fn commit(
        self,
        mut messages: Vec<OrderMessage>,
    ) -> Result<Vec<()>, BrokerError> {
        spans::publish(&*self.publisher, &mut messages).await?;
        step!("intake.sent");
        Ok(vec![(); messages.len()])
    }
}
