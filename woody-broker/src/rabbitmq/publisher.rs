//! Publishes orders, to the queues that there are for them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::try_join_all;
use tracing::{info, warn};
use woody_core::{
    domain::OrderMessage,
    ports::{BrokerError, Publisher},
};

use super::{
    headers,
    lanes::{Lanes, Outgoing},
    queues::OrderQueues,
    refusing::{Refusing, concerns_a_queue},
    topology::{Queue, Topology},
};

/// Publishes orders. A queue that does not take them is left alone for a while, and the others
/// have them: which queue a message is in means nothing.
pub(super) struct RabbitMqPublisher {
    pub(super) lanes: Lanes,
    pub(super) topology: Topology,
    pub(super) queues: Arc<OrderQueues>,
    /// How long a queue that refused is left alone.
    pub(super) left_alone_for: Duration,
    pub(super) refusing: Refusing,
}

impl RabbitMqPublisher {
    /// Stores every message in one of the queues of orders, large batches in parts in all of
    /// them.
    pub(super) async fn store_orders(&self, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        self.store_at(None, messages).await
    }

    /// Stores messages whose home is one queue there, and those of none in all of them.
    async fn store_at(
        &self,
        home: Option<usize>,
        mut messages: Vec<Outgoing>,
    ) -> Result<(), BrokerError> {
        while !messages.is_empty() {
            let later = messages.split_off(self.lanes.window().min(messages.len()));
            let mut window = std::mem::replace(&mut messages, later);
            let part = home.map_or_else(|| self.queues.part_of(window.len()), |_| window.len());
            let mut storing = Vec::new();
            while !window.is_empty() {
                let others = window.split_off(part.min(window.len()));
                let part = Arc::new(std::mem::replace(&mut window, others));
                storing.push(self.store_part(home, part));
            }
            try_join_all(storing).await?;
        }
        Ok(())
    }

    /// Stores messages in the first queue that takes them, beginning with their home, or with the next in turn.
    async fn store_part(
        &self,
        home: Option<usize>,
        part: Arc<Vec<Outgoing>>,
    ) -> Result<(), BrokerError> {
        let mut queues = self.queues.beginning_with(home).peekable();
        let first = queues.peek().copied().unwrap_or(Queue::Orders(0));
        if self.queues.own() == 1 {
            return self.lanes.store_window(first, &part).await;
        }
        let (mut why, mut silent) = (None, 0);
        for queue in queues {
            if self.refusing.leave_alone(queue, self.left_alone_for).is_some() {
                continue;
            }
            match self.store_in(queue, &part).await {
                Err(error) if concerns_a_queue(&error) => {
                    silent += usize::from(error.is_transient());
                    why = why.or(Some(error));
                }
                stored => return stored,
            }
            if silent > 1 {
                // No queue is to blame, the broker says nothing.
                break;
            }
        }
        match why {
            Some(error) => Err(error),
            // All of them have refused a moment ago.
            None => self.store_in(first, &part).await,
        }
    }

    /// Stores messages in one queue, and notes what it did.
    async fn store_in(&self, queue: Queue, part: &Arc<Vec<Outgoing>>) -> Result<(), BrokerError> {
        let stored = self.lanes.store_window(queue, part).await;
        match &stored {
            Ok(()) if self.refusing.has_taken(queue) => {
                info!(broker.queue = %self.topology.name(queue), "the queue takes orders again");
            }
            Err(error) if concerns_a_queue(error) => {
                if let Some(said) = self.refusing.has_refused(queue, error, self.left_alone_for) {
                    warn!(broker.queue = %self.topology.name(queue), error = %said,
                        "the queue takes no orders, they go to the others");
                }
            }
            _ => {}
        }
        stored
    }
}

#[async_trait]
impl Publisher for RabbitMqPublisher {
    async fn send(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        let properties = headers::fresh();
        for window in bodies.chunks(self.lanes.window()) {
            let messages: Vec<Outgoing> = window
                .iter()
                .map(|body| Outgoing { body: body.clone(), properties: properties.clone() })
                .collect();
            self.store_orders(messages).await?;
        }
        Ok(())
    }

    /// A trace goes in the headers, where programs of others look for it, and so does the name of a client.
    async fn publish(&self, messages: &[OrderMessage]) -> Result<(), BrokerError> {
        let fresh = headers::fresh();
        for window in messages.chunks(self.lanes.window()) {
            let mut by_home: BTreeMap<Option<usize>, Vec<Outgoing>> = BTreeMap::new();
            for message in window {
                let properties = headers::of_origin(message).unwrap_or_else(|| fresh.clone());
                let home = match &message.client {
                    Some(client) if self.queues.own() > 1 => Some(self.queues.home_of(client)),
                    _ => None,
                };
                let outgoing = Outgoing { body: message.to_bytes(), properties };
                by_home.entry(home).or_default().push(outgoing);
            }
            let storing = by_home.into_iter().map(|(home, of)| self.store_at(home, of));
            try_join_all(storing).await?;
        }
        Ok(())
    }

    /// Makes a round trip over the publishing connection and declares a missing queue,
    /// which finds a silent broker and a lost queue. An alarm or a missing right to write
    /// shows only after a publish has met it. Where there are several queues, one is enough.
    async fn ping(&self) -> Result<(), BrokerError> {
        let session = self.lanes.session().await?;
        let mut why = None;
        for queue in (0..self.queues.own()).map(Queue::Orders) {
            self.topology.forget(&session, queue);
            match self.topology.ensure(&session, queue).await {
                Ok(()) => return Ok(()),
                Err(error) => drop(why.get_or_insert(error)),
            }
        }
        why.map_or(Ok(()), Err)
    }
}
