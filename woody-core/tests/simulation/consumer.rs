//! A process's deliveries.

use std::{future::pending, pin::pin, sync::Arc};

use async_trait::async_trait;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use woody_core::ports::{Acker, Consumer, ConsumerState, Delivery, SettleError, Settlement};

use crate::{
    broker_port::SimBroker,
    call::{Wire, pass, usual},
    world::{Dep, Inner, Link},
};

pub struct SimConsumer {
    broker: SimBroker,
    prefetch: usize,
    state: watch::Sender<ConsumerState>,
}

enum Look {
    Something,
    NothingBefore(Option<Instant>),
}

impl SimConsumer {
    pub fn new(broker: SimBroker, prefetch: u16) -> Self {
        let state = watch::Sender::new(ConsumerState::Consuming);
        Self { broker, prefetch: prefetch.into(), state }
    }

    fn look(&self, inner: &mut Inner) -> Look {
        let has_room = inner.broker.held_by(self.broker.wire.life.no) < self.prefetch;
        if inner.link(Dep::Broker) != Link::Up || !has_room {
            Look::NothingBefore(None)
        } else if inner.broker.has_ready() {
            Look::Something
        } else {
            Look::NothingBefore(inner.broker.next_due())
        }
    }
}

#[async_trait]
impl Consumer for SimConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        let Wire { world, life } = self.broker.wire.clone();
        let mut on_its_way = false;
        loop {
            if life.is_over() {
                return pending().await;
            }
            if self.broker.is_closed() || *self.state.borrow() == ConsumerState::Stopped {
                return None;
            }
            // Listens before it looks: no change falls in between.
            let mut changed = pin!(world.queue_changed.notified());
            changed.as_mut().enable();
            match world.with(|inner| self.look(inner)) {
                Look::Something if on_its_way => {
                    // Nothing is taken before the last await: a dropped future loses nothing.
                    if let Some((tag, message)) = world.with(|inner| inner.hand_out(life.no)) {
                        let acker = SimAcker { wire: self.broker.wire.clone(), tag };
                        return Some(Delivery::new(
                            message.body,
                            message.attempts + 1,
                            message.seen,
                            message.redriven,
                            Box::new(acker),
                        ));
                    }
                }
                Look::Something => {
                    pass(world.with(usual)).await;
                    on_its_way = true;
                }
                Look::NothingBefore(None) => changed.await,
                Look::NothingBefore(Some(due)) => {
                    tokio::select! {
                        biased;
                        () = changed => {}
                        () = sleep_until(due) => {}
                    }
                }
            }
        }
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.subscribe()
    }

    async fn stop(&mut self) {
        self.state.send_replace(ConsumerState::Stopped);
    }
}

struct SimAcker {
    wire: Wire,
    tag: u64,
}

impl std::fmt::Debug for SimAcker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "delivery {}", self.tag)
    }
}

#[async_trait]
impl Acker for SimAcker {
    async fn settle(self: Box<Self>, settlement: Settlement) -> Result<(), SettleError> {
        let tag = self.tag;
        let settle = move |inner: &mut Inner, reach| inner.settle(tag, settlement, reach);
        match self.wire.call(Dep::Broker, "settle", settle).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SettleError::Gone),
            Err(_) => {
                // The connection is of no use any more: the broker takes back all it gave.
                let Wire { world, life } = &self.wire;
                world.with(|inner| inner.connection_breaks(life.no));
                world.queue_changed.notify_waiters();
                Err(SettleError::Broker("simulated".into()))
            }
        }
    }

    fn abandon(self: Box<Self>) {
        let Wire { world, life } = &self.wire;
        // The dead say nothing; the broker finds out by itself.
        if life.is_over() {
            return;
        }
        world.with(|inner| {
            if !inner.over {
                inner.settle(self.tag, Settlement::Release, crate::call::Reach::Whole);
            }
        });
        Arc::clone(world).queue_changed.notify_waiters();
    }
}
