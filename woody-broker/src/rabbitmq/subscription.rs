//! Consumes from one queue of orders, over new channels for as long as the consumer lives.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{
    FutureExt, StreamExt,
    future::{FusedFuture, join3},
};
use lapin::{
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use woody_core::{
    ports::{BrokerError, Delivery},
    resilience::Comeback,
};

use super::{
    RabbitMqOptions,
    acker::RabbitMqAcker,
    connection::Link,
    deliveries::Deliveries,
    error::{Fault, within},
    headers,
    moving::Moving,
    session::Session,
    standing::{Standing, States},
    topology::{Queue, Topology},
};

/// After a subscription that lasted this long the pauses begin afresh.
const SETTLED: Duration = Duration::from_secs(5);

/// Turns and looks that follow each other at once would take all there is.
pub(super) const SHORTEST: Duration = Duration::from_millis(1);

/// A delivery, and those of its channel.
pub(super) type Arrived = (Arc<Deliveries>, Delivery);

/// What the subscriptions of one consumer share.
pub(super) struct Shared {
    pub(super) topology: Topology,
    pub(super) moving: Arc<Moving>,
    pub(super) options: RabbitMqOptions,
    /// A place for each delivery that the consumer may hold.
    pub(super) places: Arc<Semaphore>,
    pub(super) arrived: mpsc::Sender<Arrived>,
    pub(super) states: States,
}

/// Why consuming over a channel ended.
enum End {
    Stopped,
    /// The queue has another share of the prefetch now.
    SharedAnew,
    /// The queue is not there, and is not ours to make.
    Gone,
    Lost(String),
}

impl From<BrokerError> for End {
    fn from(error: BrokerError) -> Self {
        Self::Lost(match error {
            BrokerError::Unavailable(why) | BrokerError::Refused(why) => why.to_string(),
            other => other.to_string(),
        })
    }
}

/// Keeps one queue consumed.
pub(super) struct Subscription {
    pub(super) number: u16,
    /// Whether the queue is made where it is missing.
    pub(super) is_own: bool,
    pub(super) link: Arc<Link>,
    /// How many deliveries may be held of it.
    pub(super) share: watch::Receiver<u16>,
    pub(super) standing: Arc<Standing>,
    pub(super) shared: Arc<Shared>,
}

impl Subscription {
    pub(super) async fn run(mut self, stopping: CancellationToken) {
        // A subscription ends with its connection: there is none to cancel then.
        let cancel = self.shared.moving.cancel.clone();
        cancel.run_until_cancelled(self.keep_up(&stopping)).await;
        self.note(None);
    }

    async fn keep_up(&mut self, stopping: &CancellationToken) {
        let mut comeback = self.shared.options.comeback().good_after(SETTLED);
        while let Some(places) = stopping.run_until_cancelled(self.places()).await.flatten() {
            let end = self.consume(places, stopping, &mut comeback).await;
            self.standing.set_subscribed(false);
            let pause = match end {
                End::Stopped => return,
                End::SharedAnew => continue,
                End::Gone => {
                    self.standing.set_gone(true);
                    self.note(None);
                    self.shared.options.look_every
                }
                End::Lost(why) => {
                    self.note(Some(false));
                    let lost = comeback.lost();
                    if lost.is_news {
                        warn!(broker.queue = %self.name(), error = why, "consumer is lost");
                    }
                    lost.pause
                }
            };
            if stopping.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    fn note(&self, is_consumed: Option<bool>) {
        self.shared.states.note(self.number, is_consumed);
    }

    fn name(&self) -> String {
        self.shared.topology.name(Queue::Orders(self.number)).to_string()
    }

    /// Takes places for the queue's share of the prefetch: at least one, and of the others those
    /// that are free. `None` when nobody shares out any more.
    ///
    /// What an earlier subscription has delivered and is still held has places of this share. With more than its
    /// share a queue would leave others too few, whose messages would wait although theirs are not used up.
    async fn places(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            let share = usize::from(*self.share.borrow_and_update());
            if share == 0 {
                self.note(None);
                self.share.changed().await.ok()?;
                continue;
            }
            if self.standing.places() >= share {
                let pause = self.shared.options.turn.max(SHORTEST);
                if let Ok(changed) = timeout(pause, self.share.changed()).await {
                    changed.ok()?;
                }
                continue;
            }
            tokio::select! {
                changed = self.share.changed() => changed.ok()?,
                first = Arc::clone(&self.shared.places).acquire_owned() => {
                    let mut places = first.ok()?;
                    let left = (share - 1).saturating_sub(self.standing.places());
                    let more = left.min(self.shared.places.available_permits());
                    let more = u32::try_from(more).unwrap_or(0);
                    let more = Arc::clone(&self.shared.places).try_acquire_many_owned(more);
                    if let Ok(more) = more {
                        places.merge(more);
                    }
                    return Some(places);
                }
            }
        }
    }

    /// Consumes over one channel, from its opening to its end, and returns why it ended.
    async fn consume(
        &mut self,
        places: OwnedSemaphorePermit,
        stopping: &CancellationToken,
        comeback: &mut Comeback,
    ) -> End {
        let link = Arc::clone(&self.link);
        let session = tokio::select! {
            biased;
            () = stopping.cancelled() => return End::Stopped,
            session = link.when_up() => match session {
                Some(session) => session,
                None => return End::Stopped,
            },
            _ = self.share.changed() => return End::SharedAnew,
        };
        let share = u16::try_from(places.num_permits()).unwrap_or(u16::MAX);
        let limit = self.shared.options.operation_timeout;
        let built = {
            let mut building = pin!(self.build(&session, share));
            match stopping.run_until_cancelled(&mut building).await {
                Some(built) => built,
                // Given up half-way it would leave a subscription that nobody reads.
                None => timeout(limit, building).await.unwrap_or_else(|_| {
                    session.cut();
                    Err(End::Stopped)
                }),
            }
        };
        let (deliveries, mut stream) = match built {
            Ok(built) => built,
            Err(end) => return end,
        };
        self.standing.set_gone(false);
        self.standing.add(&deliveries);
        self.standing.set_subscribed(true);
        self.note(Some(true));
        if let Some(back) = comeback.back() {
            let elapsed_ms = back.after_ms();
            info!(broker.queue = %self.name(), elapsed_ms, "consumer is back");
        }
        let (mut sharing, ending) = (self.share.clone(), CancellationToken::new());
        let end = {
            let tag = stream.tag();
            let mut forward = pin!(self.forward(&deliveries, &mut stream));
            let mut pull = pin!(self.pull(&session, share, &ending).fuse());
            let end = loop {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => break End::Stopped,
                    why = &mut forward => break End::Lost(why),
                    () = link.lost(&session) => break Fault::ConnectionEnded.into_end(),
                    end = &mut pull => {
                        if matches!(end, End::Lost(_)) {
                            // What was being taken may be here and with nobody.
                            session.cut();
                        }
                        break end;
                    }
                    changed = sharing.changed() => {
                        if changed.is_err() {
                            break End::Stopped;
                        }
                        if *sharing.borrow_and_update() < share {
                            break End::SharedAnew;
                        }
                    }
                }
            };
            // What is under way to here arrives before the broker's replies.
            ending.cancel();
            match end {
                End::Stopped if !pull.is_terminated() => {
                    let _ = timeout(limit, pull).await;
                    End::Stopped
                }
                End::SharedAnew => {
                    let pulled = async {
                        if !pull.is_terminated() {
                            pull.await;
                        }
                    };
                    let ended = join3(deliveries.cancel(tag), forward, pulled);
                    if let Ok((Ok(()), ..)) = timeout(limit, ended).await {
                        End::SharedAnew
                    } else {
                        session.cut();
                        Fault::ConnectionEnded.into_end()
                    }
                }
                end => end,
            }
        };
        match end {
            End::Stopped => self.cancel_consumer(&deliveries, stream).await,
            End::SharedAnew => deliveries.retire(places),
            End::Gone | End::Lost(_) => {}
        }
        end
    }

    /// Takes messages one by one, while the queue's share is larger than what the broker sends by
    /// itself: that can only be changed where nothing is held, or the places of what is held
    /// would be missing. Returns when the broker may send all of the share.
    async fn pull(&self, session: &Session, sent: u16, ending: &CancellationToken) -> End {
        let mut sharing = self.share.clone();
        let mut channel = None;
        loop {
            let share = tokio::select! {
                () = ending.cancelled() => return End::SharedAnew,
                larger = sharing.wait_for(|share| *share > sent) => match larger {
                    Ok(share) => usize::from(*share),
                    Err(_) => return End::Stopped,
                },
            };
            if self.standing.places() + usize::from(sent) >= share {
                let pause = sleep(self.shared.options.turn.max(SHORTEST));
                if ending.run_until_cancelled(pause).await.is_none() {
                    return End::SharedAnew;
                }
                continue;
            }
            let place = tokio::select! {
                () = ending.cancelled() => return End::SharedAnew,
                _ = sharing.changed() => continue,
                place = Arc::clone(&self.shared.places).acquire_owned() => place,
            };
            // It is never closed.
            let Ok(place) = place else { return End::Stopped };
            match self.pull_one(session, &mut channel, place).await {
                Err(error) => return error.into(),
                Ok(true) => {}
                Ok(false) if self.standing.held() == 0 => return End::SharedAnew,
                Ok(false) => {
                    let pause = sleep(self.shared.options.turn);
                    if ending.run_until_cancelled(pause).await.is_none() {
                        return End::SharedAnew;
                    }
                }
            }
        }
    }

    /// Takes one message if there is one, on a channel that has no consumer: the tags of both
    /// would come in another order than they are noted.
    async fn pull_one(
        &self,
        session: &Session,
        channel: &mut Option<Arc<Deliveries>>,
        place: OwnedSemaphorePermit,
    ) -> Result<bool, BrokerError> {
        let limit = self.shared.options.operation_timeout;
        let deliveries = if let Some(deliveries) = channel {
            deliveries
        } else {
            let opened = Arc::new(Deliveries::of(session.channel(limit).await?));
            self.standing.add(&opened);
            channel.insert(opened)
        };
        let get = deliveries.get(self.shared.topology.name(Queue::Orders(self.number)));
        let Some(message) = within(limit, "taking a message", get).await? else {
            return Ok(false);
        };
        let delivery = self.delivery(deliveries, message.delivery);
        deliveries.retire(place);
        let _ = self.shared.arrived.send((Arc::clone(deliveries), delivery)).await;
        Ok(true)
    }

    async fn build(
        &self,
        session: &Session,
        share: u16,
    ) -> Result<(Arc<Deliveries>, lapin::Consumer), End> {
        let (limit, topology) = (self.shared.options.operation_timeout, &self.shared.topology);
        let orders = Queue::Orders(self.number);
        if !self.is_own && topology.fill(session, orders).await?.is_none() {
            return Err(End::Gone);
        }
        // A deleted queue may be the reason for building a new channel.
        for queue in [Queue::Dead, orders] {
            topology.forget(session, queue);
            topology.ensure(session, queue).await?;
        }
        let channel = session.channel(limit).await?;
        let qos = channel.basic_qos(share, BasicQosOptions::default());
        within(limit, "setting the prefetch", qos).await?;
        let consume = channel.basic_consume(
            topology.name(orders),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let stream = within(limit, "consuming", consume).await?;
        Ok((Arc::new(Deliveries::of(channel)), stream))
    }

    /// Hands deliveries on until there are no more; returns why.
    async fn forward(&self, deliveries: &Arc<Deliveries>, stream: &mut lapin::Consumer) -> String {
        loop {
            match stream.next().await {
                Some(Ok(message)) => {
                    let delivery = self.delivery(deliveries, message);
                    // There is room for all that the broker may send; this waits only
                    // behind deliveries of a closed channel. A delivery that cannot be
                    // sent is dropped, and so given back.
                    let arrived = (Arc::clone(deliveries), delivery);
                    if self.shared.arrived.send(arrived).await.is_err() {
                        return "the consumer was dropped".into();
                    }
                }
                Some(Err(error)) => return error.to_string(),
                None => return "the broker ended the consumer: its queue was deleted".into(),
            }
        }
    }

    fn delivery(
        &self,
        deliveries: &Arc<Deliveries>,
        message: lapin::message::Delivery,
    ) -> Delivery {
        deliveries.note(message.delivery_tag);
        let body = Bytes::from(message.data);
        let earlier = headers::attempts(&message.properties);
        let redriven = headers::is_redriven(&message.properties);
        let trace = headers::trace(&message.properties);
        let client = headers::client(&message.properties);
        let acker = RabbitMqAcker::new(
            Arc::clone(deliveries),
            message.delivery_tag,
            body.clone(),
            message.properties,
            Arc::clone(&self.shared.moving),
        );
        let redelivered = message.redelivered || earlier > 0;
        let attempt = earlier.saturating_add(1);
        Delivery::new(body, attempt, redelivered, redriven, Box::new(acker))
            .traced(trace)
            .placed_by(client)
    }

    /// Ends the subscription and gives back what lapin has buffered. The channel
    /// lives on for as long as there are deliveries to settle on it.
    async fn cancel_consumer(&self, deliveries: &Arc<Deliveries>, mut stream: lapin::Consumer) {
        let cancel = deliveries.cancel(stream.tag());
        let limit = self.shared.options.operation_timeout;
        if within(limit, "ending a consumer", cancel).await.is_err() {
            return;
        }
        let drain = async {
            while let Some(Ok(message)) = stream.next().await {
                drop(self.delivery(deliveries, message));
            }
        };
        let _ = timeout(limit, drain).await;
    }
}

impl Fault {
    fn into_end(self) -> End {
        End::Lost(self.to_string())
    }
}
