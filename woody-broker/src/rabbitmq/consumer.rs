//! The way out of the queue, rebuilt for as long as the broker is open.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use backon::BackoffBuilder;
use bytes::Bytes;
use futures::StreamExt;
use lapin::{
    Channel,
    options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use woody_core::ports::{BrokerError, Consumer, ConsumerState, Delivery, Prefetch};

use super::{
    RabbitMqOptions,
    acker::{Moving, RabbitMqAcker},
    connection::Link,
    error::{Fault, within},
    headers,
    session::Session,
    topology::{Place, Topology},
};

/// A consumption that lasted this long was a good one: the pauses start afresh.
const SETTLED: Duration = Duration::from_secs(5);

/// A delivery and the channel that it came by.
type Arrived = (Arc<Channel>, Delivery);

/// The caller's end of a consumer; a task does the work.
pub(super) struct RabbitMqConsumer {
    arrived: mpsc::Receiver<Arrived>,
    state: watch::Receiver<ConsumerState>,
    stop: Option<oneshot::Sender<oneshot::Sender<()>>>,
}

impl RabbitMqConsumer {
    pub(super) fn start(
        link: Arc<Link>,
        topology: Topology,
        moving: &Arc<Moving>,
        options: &RabbitMqOptions,
        prefetch: Prefetch,
    ) -> Self {
        // As many as can be unsettled: what is buffered here counts among them.
        let (arrived, receiver) = mpsc::channel(usize::from(prefetch.get()));
        let (state, watched) = watch::channel(ConsumerState::Recovering);
        let (stop, stopped) = oneshot::channel();
        let task = Task {
            link,
            topology,
            cancel: moving.cancel.clone(),
            moving: Arc::clone(moving),
            options: options.clone(),
            prefetch,
            arrived,
            state,
        };
        moving.tasks.spawn(task.run(stopped));
        Self { arrived: receiver, state: watched, stop: Some(stop) }
    }
}

#[async_trait]
impl Consumer for RabbitMqConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let (channel, delivery) = self.arrived.recv().await?;
            // What came by a channel that is gone comes again by the next one.
            if channel.status().connected() {
                return Some(delivery);
            }
        }
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.clone()
    }

    async fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let (done, ended) = oneshot::channel();
            if stop.send(done).is_ok() {
                let _ = ended.await;
            }
        }
        self.arrived.close();
        // Dropping a delivery gives it back.
        while self.arrived.try_recv().is_ok() {}
    }
}

struct Task {
    link: Arc<Link>,
    topology: Topology,
    moving: Arc<Moving>,
    cancel: CancellationToken,
    options: RabbitMqOptions,
    prefetch: Prefetch,
    arrived: mpsc::Sender<Arrived>,
    state: watch::Sender<ConsumerState>,
}

/// Why there is nothing more to consume.
enum End {
    /// The channel or the connection is gone: build another.
    Lost(String),
    /// The consumer was stopped or dropped, or the broker closed.
    Stopped,
}

impl Task {
    async fn run(self, mut stopped: oneshot::Receiver<oneshot::Sender<()>>) {
        let cancel = self.cancel.clone();
        let mut done = None;
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.consume_for_ever(&mut stopped, &mut done) => {}
        }
        self.state.send_replace(ConsumerState::Stopped);
        drop(self.arrived);
        if let Some(done) = done {
            // Nobody listens when the caller has stopped waiting.
            let _: Result<(), ()> = oneshot::Sender::send(done, ());
        }
    }

    async fn consume_for_ever(
        &self,
        stopped: &mut oneshot::Receiver<oneshot::Sender<()>>,
        done: &mut Option<oneshot::Sender<()>>,
    ) {
        let mut pauses = self.options.pauses().build();
        let mut lost_at: Option<Instant> = None;
        loop {
            let began = Instant::now();
            let end = self.consume(stopped, done, &mut lost_at).await;
            let End::Lost(why) = end else { return };
            self.state.send_replace(ConsumerState::Recovering);
            if lost_at.is_none() {
                lost_at = Some(Instant::now());
                warn!(broker.queue = self.options.queue, error = why, "consumer is lost");
            }
            if began.elapsed() >= SETTLED {
                pauses = self.options.pauses().build();
            }
            let pause = pauses.next().unwrap_or(self.options.max_pause);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.arrived.closed() => return,
                asked = &mut *stopped => {
                    *done = asked.ok();
                    return;
                }
            }
        }
    }

    /// Consumes over one channel, from its opening to its end.
    async fn consume(
        &self,
        stopped: &mut oneshot::Receiver<oneshot::Sender<()>>,
        done: &mut Option<oneshot::Sender<()>>,
        lost_at: &mut Option<Instant>,
    ) -> End {
        let built = async {
            let Some(session) = self.link.when_up().await else { return Ok(None) };
            self.build(&session).await.map(|(channel, stream)| Some((session, channel, stream)))
        };
        let built = tokio::select! {
            built = built => built,
            () = self.arrived.closed() => return End::Stopped,
            asked = &mut *stopped => {
                *done = asked.ok();
                return End::Stopped;
            }
        };
        let (session, channel, mut stream) = match built {
            Ok(Some(built)) => built,
            Ok(None) => return End::Stopped,
            Err(error) => return End::Lost(describe(&error)),
        };
        self.state.send_replace(ConsumerState::Consuming);
        if let Some(at) = lost_at.take() {
            let elapsed_ms = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
            info!(broker.queue = self.options.queue, elapsed_ms, "consumer is back");
        }
        let end = tokio::select! {
            why = self.forward(&channel, &mut stream) => End::Lost(why),
            () = self.link.lost(&session) => End::Lost(Fault::ConnectionEnded.to_string()),
            () = self.arrived.closed() => End::Stopped,
            asked = &mut *stopped => {
                *done = asked.ok();
                End::Stopped
            }
        };
        if matches!(end, End::Stopped) {
            self.cancel_consumer(&channel, stream).await;
        }
        end
    }

    async fn build(
        &self,
        session: &Session,
    ) -> Result<(Arc<Channel>, lapin::Consumer), BrokerError> {
        let limit = self.options.operation_timeout;
        // It may have been deleted, which is why we are here.
        for place in [Place::Dead, Place::Orders] {
            self.topology.forget(session, place);
            self.topology.ensure(session, place).await?;
        }
        let channel = session.channel(limit).await?;
        let qos = channel.basic_qos(self.prefetch.get(), BasicQosOptions::default());
        within(limit, "setting the prefetch", qos).await?;
        let consume = channel.basic_consume(
            self.topology.name(Place::Orders),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let stream = within(limit, "consuming", consume).await?;
        Ok((Arc::new(channel), stream))
    }

    /// Hands deliveries on until there are no more; answers why.
    async fn forward(&self, channel: &Arc<Channel>, stream: &mut lapin::Consumer) -> String {
        loop {
            match stream.next().await {
                Some(Ok(message)) => {
                    let delivery = self.delivery(channel, message);
                    // There is room for all that the broker may send; what waits
                    // here waits behind deliveries of a channel that is gone. A
                    // delivery that does not get through is dropped, so goes back.
                    if self.arrived.send((Arc::clone(channel), delivery)).await.is_err() {
                        return "the consumer was dropped".into();
                    }
                }
                Some(Err(error)) => return error.to_string(),
                None => return "the broker ended the consumer: its queue was deleted".into(),
            }
        }
    }

    fn delivery(&self, channel: &Arc<Channel>, message: lapin::message::Delivery) -> Delivery {
        let body = Bytes::from(message.data);
        let earlier = headers::attempts(&message.properties);
        let redriven = headers::is_redriven(&message.properties);
        let acker = RabbitMqAcker::new(
            Arc::clone(channel),
            message.delivery_tag,
            body.clone(),
            message.properties,
            Arc::clone(&self.moving),
        );
        let redelivered = message.redelivered || earlier > 0;
        Delivery::new(body, earlier.saturating_add(1), redelivered, redriven, Box::new(acker))
    }

    /// Ends the subscription and gives back what lapin has buffered. The channel
    /// lives on for as long as there are deliveries to settle on it.
    async fn cancel_consumer(&self, channel: &Arc<Channel>, mut stream: lapin::Consumer) {
        let cancel = channel.basic_cancel(stream.tag(), BasicCancelOptions::default());
        let limit = self.options.operation_timeout;
        if within(limit, "ending a consumer", cancel).await.is_err() {
            return;
        }
        let drain = async {
            while let Some(Ok(message)) = stream.next().await {
                drop(self.delivery(channel, message));
            }
        };
        let _ = tokio::time::timeout(limit, drain).await;
    }
}

fn describe(error: &BrokerError) -> String {
    match error {
        BrokerError::Unavailable(why) | BrokerError::Refused(why) => why.to_string(),
        other => other.to_string(),
    }
}
