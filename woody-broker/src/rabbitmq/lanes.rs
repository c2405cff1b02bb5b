//! Channels that publish: pipelined, confirmed, mandatory.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures::future::try_join_all;
use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::{sync::Semaphore, time::timeout};
use tokio_util::task::TaskTracker;
use woody_core::ports::BrokerError;

use super::{
    RabbitMqOptions,
    connection::Link,
    error::{Fault, broker_error, within},
    session::Session,
    topology::{Queue, Topology},
};

/// A message and its properties.
pub(super) struct Outgoing {
    pub(super) body: Bytes,
    pub(super) properties: BasicProperties,
}

/// Publishes over a few channels of one connection, one batch at a time on each.
///
/// A broker returns a message that no queue took, and lapin pairs returns with
/// confirms by their order alone. A batch that has a channel to itself and waits for
/// every confirm knows that a return concerns it, whichever message it was; so the
/// batch as a whole succeeds or fails.
///
/// A batch is written by a task of its own, so that a caller who gives up leaves
/// no channel half written: lapin closes a dropped channel ahead of the frames
/// that wait for it, and the broker ends the connection over those.
pub(super) struct Lanes {
    link: Arc<Link>,
    topology: Topology,
    tasks: TaskTracker,
    idle: Arc<Mutex<Vec<Lane>>>,
    used: Mutex<HashSet<Queue>>,
    /// Lanes of each queue of orders: one that hangs takes none from the others.
    orders: Vec<Arc<Semaphore>>,
    /// Lanes of the other queues: one that hangs takes none from the orders.
    moves: Arc<Semaphore>,
    window: usize,
    limit: Duration,
}

/// An idle channel in confirm mode.
struct Lane {
    session: u64,
    channel: Channel,
}

enum Failure {
    /// No queue took it: the queue was deleted since it was declared.
    Returned,
    Broker(BrokerError),
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        Self::Broker(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Broker(fault.into())
    }
}

impl Lanes {
    pub(super) fn new(
        link: Arc<Link>,
        topology: Topology,
        options: &RabbitMqOptions,
        tasks: TaskTracker,
    ) -> Self {
        let orders = options.shards;
        let lanes = || Arc::new(Semaphore::new(options.publish_channels.max(1)));
        Self {
            link,
            topology,
            tasks,
            idle: Arc::default(),
            used: Mutex::default(),
            orders: (0..orders).map(|_| lanes()).collect(),
            moves: lanes(),
            window: options.publish_window.max(1),
            limit: options.publish_timeout,
        }
    }

    /// Stores every message in `queue`, or fails within the time of its windows.
    pub(super) async fn store(
        &self,
        queue: Queue,
        mut messages: Vec<Outgoing>,
    ) -> Result<(), BrokerError> {
        while !messages.is_empty() {
            let later = messages.split_off(self.window.min(messages.len()));
            let window = Arc::new(std::mem::replace(&mut messages, later));
            self.store_window(queue, &window).await?;
        }
        Ok(())
    }

    /// Stores a window of messages in `queue`, or fails within its time.
    pub(super) async fn store_window(
        &self,
        queue: Queue,
        window: &Arc<Vec<Outgoing>>,
    ) -> Result<(), BrokerError> {
        let stored = timeout(self.limit, self.write_window(queue, window)).await;
        stored.unwrap_or_else(|_| {
            Err(Fault::TimedOut { what: "publishing", limit: self.limit }.into())
        })
    }

    async fn write_window(
        &self,
        queue: Queue,
        window: &Arc<Vec<Outgoing>>,
    ) -> Result<(), BrokerError> {
        let mut again = true;
        loop {
            let session = self.session().await?;
            let outcome = tokio::select! {
                outcome = self.attempt(&session, queue, window) => outcome,
                () = session.blocked() => return Err(Fault::Blocked.into()),
            };
            match outcome {
                Ok(()) => return Ok(()),
                Err(Failure::Broker(error)) => return Err(error),
                Err(Failure::Returned) if again => {
                    again = false;
                    self.topology.forget(&session, queue);
                }
                Err(Failure::Returned) => {
                    return Err(Fault::NoQueue(self.topology.name(queue).to_string()).into());
                }
            }
        }
    }

    async fn attempt(
        &self,
        session: &Session,
        queue: Queue,
        window: &Arc<Vec<Outgoing>>,
    ) -> Result<(), Failure> {
        let lanes = match queue {
            Queue::Orders(number) => self.orders.get(usize::from(number)),
            _ => None,
        };
        let lanes = lanes.unwrap_or(&self.moves);
        let turn = Arc::clone(lanes).acquire_owned().await;
        // The semaphore is never closed.
        let turn = turn.map_err(|_| BrokerError::Closed)?;
        self.topology.ensure(session, queue).await?;
        let lane = self.lane(session).await?;
        let name = self.topology.name(queue);
        let (window, limit) = (Arc::clone(window), self.limit);
        let idle = Arc::clone(&self.idle);
        let written = self.tasks.spawn(async move {
            // A lane on which anything went wrong is dropped and with it its
            // channel; the next caller opens another.
            confirm_all(&lane.channel, &name, &window, limit).await?;
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(lane);
            drop(turn);
            Ok::<(), Failure>(())
        });
        // The task ends early only with the runtime.
        written.await.map_err(|_| BrokerError::Closed)??;
        if !queue.is_of_orders() {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(queue);
        }
        Ok(())
    }

    async fn lane(&self, session: &Session) -> Result<Lane, BrokerError> {
        let lane = {
            let mut idle = self.idle();
            idle.retain(|lane| lane.session == session.id && lane.channel.status().connected());
            idle.pop()
        };
        if let Some(lane) = lane {
            return Ok(lane);
        }
        let channel = session.channel(self.limit).await?;
        let select = channel.confirm_select(ConfirmSelectOptions::default());
        within(self.limit, "confirm mode", select).await?;
        Ok(Lane { session: session.id, channel })
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Lane>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process has stored a message there.
    pub(super) fn has_used(&self, queue: Queue) -> bool {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).contains(&queue)
    }

    /// How many messages of one batch are on their way at once.
    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// Returns the connection, unless the broker blocks it.
    pub(super) async fn session(&self) -> Result<Arc<Session>, BrokerError> {
        let session = self.link.session().await?;
        if session.is_blocked() {
            return Err(Fault::Blocked.into());
        }
        Ok(session)
    }

    /// Opens a channel for messages that need no confirmation.
    pub(super) async fn unconfirmed(&self) -> Result<(Arc<Session>, Channel), BrokerError> {
        let session = self.session().await?;
        let channel = session.channel(self.limit).await?;
        Ok((session, channel))
    }
}

/// Publishes the window at once and waits for the last confirm.
///
/// Writing has no deadline of its own, for the reason above: it ends with the
/// connection, whose heartbeats have one, or with the alarm that holds it up.
async fn confirm_all(
    channel: &Channel,
    queue: &ShortString,
    window: &[Outgoing],
    limit: Duration,
) -> Result<(), Failure> {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let writes = window.iter().map(|message| {
        channel.basic_publish(
            "".into(),
            queue.clone(),
            options,
            &message.body,
            message.properties.clone(),
        )
    });
    let confirms = try_join_all(writes).await.map_err(broker_error)?;
    let confirmed = timeout(limit, confirmed(queue, confirms)).await;
    confirmed.unwrap_or_else(|_| Err(Fault::TimedOut { what: "publishing", limit }.into()))
}

async fn confirmed(queue: &ShortString, confirms: Vec<PublisherConfirm>) -> Result<(), Failure> {
    let mut nacked = false;
    let mut returned = false;
    for confirm in confirms {
        match confirm.await.map_err(broker_error)? {
            Confirmation::Ack(None) => {}
            Confirmation::Ack(Some(_)) => returned = true,
            Confirmation::Nack(message) => {
                nacked = true;
                returned |= message.is_some();
            }
            Confirmation::NotRequested => return Err(Fault::Unconfirmed.into()),
        }
    }
    if nacked {
        return Err(Fault::Nacked(queue.to_string()).into());
    }
    if returned {
        return Err(Failure::Returned);
    }
    Ok(())
}
