//! A process's way to the broker: all but the consumer.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::UnboundedReceiverStream;
use woody_core::{
    domain::OrderMessage,
    ports::{
        Broker, BrokerAdmin, BrokerError, Consumer, DeadLetter, DeadLetterId, OrderEvents,
        Prefetch, Publisher, QueueDepth, StatusChange, StatusStream,
    },
};

use crate::{
    call::{Lost, Reach, Wire},
    consumer::SimConsumer,
    ledger::Invariant,
    sabotage::Sabotage,
    world::{Dep, Inner, Link},
};

#[derive(Clone)]
pub struct SimBroker {
    pub wire: Wire,
    closed: Arc<AtomicBool>,
}

fn unavailable(lost: Lost) -> BrokerError {
    match lost {
        Lost::Unknown => BrokerError::unavailable("simulated"),
        Lost::Refused => BrokerError::refused("simulated"),
    }
}

impl SimBroker {
    pub fn new(wire: Wire) -> Self {
        Self { wire, closed: Arc::default() }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Broker for SimBroker {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.clone())
    }

    async fn consumer(&self, prefetch: Prefetch) -> Result<Box<dyn Consumer>, BrokerError> {
        Ok(Box::new(SimConsumer::new(self.clone(), prefetch.get())))
    }

    fn admin(&self) -> Arc<dyn BrokerAdmin> {
        Arc::new(self.clone())
    }

    fn events(&self) -> Arc<dyn OrderEvents> {
        Arc::new(self.clone())
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        self.wire.world.with(|inner| inner.connection_breaks(self.wire.life.no));
        self.wire.world.queue_changed.notify_waiters();
    }
}

#[async_trait]
impl Publisher for SimBroker {
    async fn send(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        let world = &self.wire.world;
        let sabotage = world.with(|inner| inner.sabotage);
        let bodies = bodies.to_vec();
        match sabotage {
            Some(Sabotage::ConfirmBeforeStored) => {
                let delay = world.with(|inner| inner.ms(0, 300));
                world.later(delay, move |inner| {
                    if inner.link(Dep::Broker) == Link::Up {
                        inner.put_all(&bodies, Reach::Whole);
                    }
                });
                return Ok(());
            }
            Some(Sabotage::NoDirectRoute) if !world.with(|inner| inner.all_stored(&bodies)) => {
                return Err(unavailable(Lost::Unknown));
            }
            Some(Sabotage::ClearBeforePublish) if world.with(|inner| inner.all_stored(&bodies)) => {
                let parsed = bodies.iter().filter_map(|body| OrderMessage::parse(body).ok());
                let ids: Vec<_> = parsed.map(|message| message.order_id).collect();
                let clear = move |inner: &mut Inner, _| inner.clear(&ids);
                let _ = self.wire.call(Dep::Store, "clear", clear).await;
            }
            _ => {}
        }
        let put = move |inner: &mut Inner, reach| inner.put_all(&bodies, reach);
        self.wire.call(Dep::Broker, "publish", put).await.map_err(unavailable)
    }

    async fn ping(&self) -> Result<(), BrokerError> {
        self.wire.call(Dep::Broker, "ping", |_, _| ()).await.map_err(unavailable)
    }
}

impl SimBroker {
    async fn depth_now(&self) -> Result<QueueDepth, BrokerError> {
        let unknown_is_empty =
            self.wire.world.with(|inner| inner.is_sabotaged(Sabotage::UnknownIsEmpty));
        let depth = |inner: &mut Inner, _| (!inner.broker.leaderless).then(|| inner.depth());
        match self.wire.call(Dep::Broker, "depth", depth).await.map_err(unavailable)? {
            Some(depth) => Ok(depth),
            None if unknown_is_empty => Ok(QueueDepth::default()),
            None => {
                self.wire.world.with(|inner| inner.count("depths that are not known"));
                Err(BrokerError::unavailable("the queue has no leader"))
            }
        }
    }
}

#[async_trait]
impl BrokerAdmin for SimBroker {
    fn queue(&self) -> String {
        "simulated".into()
    }

    async fn depth(&self) -> Result<QueueDepth, BrokerError> {
        // Queue after queue, as a broker is asked: messages move meanwhile.
        let delayed = self.depth_now().await?.delayed;
        Ok(QueueDepth { delayed, ..self.depth_now().await? })
    }

    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        let letters = move |inner: &mut Inner, _| {
            let letters = inner.broker.dead.iter().take(limit);
            let letter =
                |(place, (message, reason)): (&u64, &(crate::broker::Message, _))| DeadLetter {
                    id: DeadLetterId::new(place.to_string()),
                    body: message.body.clone(),
                    reason: Clone::clone(reason),
                    attempts: message.attempts,
                    died_at: None,
                };
            letters.map(letter).collect()
        };
        self.wire.call(Dep::Broker, "letters", letters).await.map_err(unavailable)
    }

    async fn redrive(&self, ids: &[DeadLetterId]) -> Result<u64, BrokerError> {
        let places: Vec<u64> = ids.iter().filter_map(|id| id.as_str().parse().ok()).collect();
        let redrive = move |inner: &mut Inner, reach| inner.redrive(&places, reach);
        self.wire.call(Dep::Broker, "redrive", redrive).await.map_err(unavailable)
    }

    async fn resend(&self, bodies: &[Bytes]) -> Result<(), BrokerError> {
        let bodies = bodies.to_vec();
        let put = move |inner: &mut Inner, reach| inner.put_all_redriven(&bodies, reach);
        self.wire.call(Dep::Broker, "resend", put).await.map_err(unavailable)
    }

    async fn purge(&self, _: &[DeadLetterId]) -> Result<u64, BrokerError> {
        Ok(0)
    }
}

#[async_trait]
impl OrderEvents for SimBroker {
    async fn announce(&self, changes: &[StatusChange]) -> Result<(), BrokerError> {
        let changes = changes.to_vec();
        let announce = move |inner: &mut Inner, _| {
            for change in changes {
                inner.announced(&change);
            }
        };
        self.wire.call(Dep::Broker, "announce", announce).await.map_err(unavailable)
    }

    async fn subscribe(&self) -> Result<StatusStream, BrokerError> {
        let (sender, changes) = mpsc::unbounded_channel();
        let subscribe = move |inner: &mut Inner, _| inner.ledger.subscribers.push(sender);
        self.wire.call(Dep::Broker, "subscribe", subscribe).await.map_err(unavailable)?;
        Ok(UnboundedReceiverStream::new(changes).boxed())
    }
}

impl Inner {
    fn announced(&mut self, change: &StatusChange) {
        let is_saved = self.store.row(change.order_id).is_some_and(|row| {
            row.history.iter().any(|status| {
                status.as_str() == change.status && status.reason() == change.reason.as_ref()
            })
        });
        // The rest is what processes tell each other about an outage of the store.
        let is_end =
            ["success", "rejected", "failed", "cancelled"].contains(&change.status.as_str());
        if !is_saved && is_end {
            self.broken(Invariant::SavedBeforeAnnounced, || format!("{change:?}"));
        }
        if is_end {
            self.ledger.announced.entry(change.order_id).or_insert_with(Instant::now);
        }
        self.ledger.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }

    /// Whether the store has all of these orders: they are a relay's.
    fn all_stored(&self, bodies: &[Bytes]) -> bool {
        let parsed = bodies.iter().filter_map(|body| OrderMessage::parse(body).ok());
        parsed.into_iter().all(|message| self.store.row(message.order_id).is_some())
    }
}
