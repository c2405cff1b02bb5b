//! Consumes from the queue, over new channels for as long as the broker is open.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use lapin::{
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tracing::{info, warn};
use woody_core::{
    ports::{BrokerError, Consumer, ConsumerState, Delivery, Prefetch},
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
    topology::{Queue, Topology},
};

/// After a subscription that lasted this long the pauses begin afresh.
const SETTLED: Duration = Duration::from_secs(5);

/// A delivery, and those of its channel.
type Arrived = (Arc<Deliveries>, Delivery);

/// The caller's end of a consumer; a task does the work.
pub(super) struct RabbitMqConsumer {
    stopping: CancellationToken,
    _on_drop: DropGuard,
    arrived: mpsc::Receiver<Arrived>,
    state: watch::Receiver<ConsumerState>,
    task: TaskTracker,
}

impl RabbitMqConsumer {
    pub(super) fn start(
        link: Arc<Link>,
        topology: Topology,
        moving: &Arc<Moving>,
        options: &RabbitMqOptions,
        prefetch: Prefetch,
    ) -> Self {
        // The prefetch bounds this buffer, too: what is in it is unsettled.
        let (arrived, receiver) = mpsc::channel(usize::from(prefetch.get()));
        let (state, watched) = watch::channel(ConsumerState::Recovering);
        let stopping = moving.cancel.child_token();
        let consuming = Task {
            link,
            topology,
            cancel: moving.cancel.clone(),
            moving: Arc::clone(moving),
            options: options.clone(),
            prefetch,
            arrived,
            state,
        };
        // The broker waits for it, and so does the caller that stops this consumer.
        let task = TaskTracker::new();
        moving.tasks.spawn(task.track_future(consuming.run(stopping.clone())));
        task.close();
        let on_drop = stopping.clone().drop_guard();
        Self { stopping, _on_drop: on_drop, arrived: receiver, state: watched, task }
    }
}

#[async_trait]
impl Consumer for RabbitMqConsumer {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let (deliveries, delivery) = self.arrived.recv().await?;
            // What a closed channel delivered is delivered again by the next one.
            if deliveries.are_ours() {
                return Some(delivery);
            }
        }
    }

    fn state(&self) -> watch::Receiver<ConsumerState> {
        self.state.clone()
    }

    async fn stop(&mut self) {
        self.stopping.cancel();
        self.task.wait().await;
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

impl Task {
    async fn run(self, stopping: CancellationToken) {
        // A subscription ends with its connection: there is none to cancel then.
        self.cancel.run_until_cancelled(self.consume_until(&stopping)).await;
        self.state.send_replace(ConsumerState::Stopped);
    }

    async fn consume_until(&self, stopping: &CancellationToken) {
        let mut comeback = self.options.comeback().good_after(SETTLED);
        while let Some(why) = self.consume(stopping, &mut comeback).await {
            self.state.send_replace(ConsumerState::Recovering);
            let lost = comeback.lost();
            if lost.is_news {
                warn!(broker.queue = self.options.queue, error = why, "consumer is lost");
            }
            if stopping.run_until_cancelled(sleep(lost.pause)).await.is_none() {
                return;
            }
        }
    }

    /// Consumes over one channel, from its opening to its end, and returns why it
    /// ended; `None` once the consumer was stopped or dropped, or the broker closed.
    async fn consume(
        &self,
        stopping: &CancellationToken,
        comeback: &mut Comeback,
    ) -> Option<String> {
        let built = stopping.run_until_cancelled(async {
            let session = self.link.when_up().await?;
            let built = self.build(&session).await;
            Some(built.map(|(deliveries, stream)| (session, deliveries, stream)))
        });
        let (session, deliveries, mut stream) = match built.await?? {
            Ok(built) => built,
            Err(error) => return Some(describe(&error)),
        };
        self.state.send_replace(ConsumerState::Consuming);
        if let Some(back) = comeback.back() {
            let elapsed_ms = back.after_ms();
            info!(broker.queue = self.options.queue, elapsed_ms, "consumer is back");
        }
        tokio::select! {
            biased;
            () = stopping.cancelled() => {
                self.cancel_consumer(&deliveries, stream).await;
                None
            }
            why = self.forward(&deliveries, &mut stream) => Some(why),
            () = self.link.lost(&session) => Some(Fault::ConnectionEnded.to_string()),
        }
    }

    async fn build(
        &self,
        session: &Session,
    ) -> Result<(Arc<Deliveries>, lapin::Consumer), BrokerError> {
        let limit = self.options.operation_timeout;
        // A deleted queue may be the reason for building a new channel.
        for queue in [Queue::Dead, Queue::Orders] {
            self.topology.forget(session, queue);
            self.topology.ensure(session, queue).await?;
        }
        let channel = session.channel(limit).await?;
        let qos = channel.basic_qos(self.prefetch.get(), BasicQosOptions::default());
        within(limit, "setting the prefetch", qos).await?;
        let consume = channel.basic_consume(
            self.topology.name(Queue::Orders),
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
                    if self.arrived.send((Arc::clone(deliveries), delivery)).await.is_err() {
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
        let acker = RabbitMqAcker::new(
            Arc::clone(deliveries),
            message.delivery_tag,
            body.clone(),
            message.properties,
            Arc::clone(&self.moving),
        );
        let redelivered = message.redelivered || earlier > 0;
        let attempt = earlier.saturating_add(1);
        Delivery::new(body, attempt, redelivered, redriven, Box::new(acker)).traced(trace)
    }

    /// Ends the subscription and gives back what lapin has buffered. The channel
    /// lives on for as long as there are deliveries to settle on it.
    async fn cancel_consumer(&self, deliveries: &Arc<Deliveries>, mut stream: lapin::Consumer) {
        let cancel = deliveries.cancel(stream.tag());
        let limit = self.options.operation_timeout;
        if within(limit, "ending a consumer", cancel).await.is_err() {
            return;
        }
        let drain = async {
            while let Some(Ok(message)) = stream.next().await {
                drop(self.delivery(deliveries, message));
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
