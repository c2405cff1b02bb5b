//! Status changes, from the process that saves one to those that watch.
//!
//! One AMQP message is a JSON array of changes: a worker that finishes a batch
//! announces them in one message. They are transient and unconfirmed.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::debug;
use woody_core::ports::{BrokerError, OrderEvents, StatusChange, StatusStream};

use super::{
    RabbitMqOptions, connection::Link, error::within, publisher::RabbitMqPublisher,
    session::Session, topology::Topology,
};

/// Changes in one message.
const BATCH: usize = 256;

/// Announces changes and subscribes to them, over an exchange of its own.
pub(super) struct RabbitMqEvents {
    pub(super) publisher: Arc<RabbitMqPublisher>,
    pub(super) listening: Arc<Link>,
    pub(super) topology: Topology,
    pub(super) options: RabbitMqOptions,
    pub(super) cancel: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) channel: Mutex<Option<(Arc<Session>, Channel)>>,
}

impl RabbitMqEvents {
    async fn channel(&self) -> Result<(Arc<Session>, Channel), BrokerError> {
        let known = self.channel.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((session, channel)) = known
            && channel.status().connected()
        {
            if session.is_blocked() {
                return Err(super::error::Fault::Blocked.into());
            }
            return Ok((session, channel));
        }
        let (session, channel) = self.publisher.lanes.unconfirmed().await?;
        self.topology.ensure_events(&session).await?;
        let opened = (session, channel);
        *self.channel.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened.clone());
        Ok(opened)
    }
}

#[async_trait]
impl OrderEvents for RabbitMqEvents {
    async fn announce(&self, changes: &[StatusChange]) -> Result<(), BrokerError> {
        if changes.is_empty() {
            return Ok(());
        }
        let limit = self.options.operation_timeout;
        let (_session, channel) = self.channel().await?;
        let properties = BasicProperties::default()
            .with_delivery_mode(1)
            .with_content_type("application/json".into());
        for batch in changes.chunks(BATCH) {
            let body = serde_json::to_vec(batch).map_err(BrokerError::refused)?;
            let write = channel.basic_publish(
                self.topology.events(),
                "".into(),
                BasicPublishOptions::default(),
                &body,
                properties.clone(),
            );
            within(limit, "announcing", write).await?;
        }
        Ok(())
    }

    async fn subscribe(&self) -> Result<StatusStream, BrokerError> {
        if self.cancel.is_cancelled() {
            return Err(BrokerError::Closed);
        }
        let (changes, receiver) = mpsc::channel(self.options.event_backlog.max(1));
        let (begun, listening) = oneshot::channel();
        let listener = Listener {
            link: Arc::clone(&self.listening),
            topology: self.topology.clone(),
            options: self.options.clone(),
            changes,
        };
        // Fails at once while the broker is unavailable, instead of waiting for it.
        listener.link.session().await?;
        let cancel = self.cancel.clone();
        self.tasks.spawn(async move {
            let mut begun = Some(begun);
            cancel.run_until_cancelled(listener.listen_for_ever(&mut begun)).await;
        });
        listening.await.map_err(|_| BrokerError::Closed)??;
        Ok(ReceiverStream::new(receiver).boxed())
    }
}

type Begun = Option<oneshot::Sender<Result<(), BrokerError>>>;

struct Listener {
    link: Arc<Link>,
    topology: Topology,
    options: RabbitMqOptions,
    changes: mpsc::Sender<StatusChange>,
}

impl Listener {
    async fn listen_for_ever(&self, begun: &mut Begun) {
        let mut comeback = self.options.comeback();
        loop {
            let Some(session) = self.link.when_up().await else { return };
            match self.subscribe(&session).await {
                Ok((channel, mut stream)) => {
                    if let Some(begun) = begun.take() {
                        let _ = begun.send(Ok(()));
                    }
                    comeback.back();
                    tokio::select! {
                        () = self.forward(&mut stream) => {}
                        () = self.link.lost(&session) => {}
                        () = self.changes.closed() => {
                            // The subscriber was dropped; its queue ends with its channel.
                            let goodbye = channel.close(200, "done".into());
                            let _ = within(self.options.operation_timeout, "closing", goodbye).await;
                            return;
                        }
                    }
                }
                Err(error) => {
                    if let Some(begun) = begun.take() {
                        let _ = begun.send(Err(error));
                        return;
                    }
                    debug!(broker.queue = self.options.queue, %error, "cannot listen to events yet");
                }
            }
            tokio::select! {
                () = sleep(comeback.lost().pause) => {}
                () = self.changes.closed() => return,
            }
        }
    }

    async fn subscribe(
        &self,
        session: &Session,
    ) -> Result<(Channel, lapin::Consumer), BrokerError> {
        let limit = self.options.operation_timeout;
        self.topology.ensure_events(session).await?;
        let channel = session.channel(limit).await?;
        // Explicit, since the default type of the virtual host may be one that cannot
        // be exclusive.
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("classic".into()));
        let options = QueueDeclareOptions {
            exclusive: true,
            auto_delete: true,
            ..QueueDeclareOptions::default()
        };
        let declare = channel.queue_declare("".into(), options, arguments);
        let queue = within(limit, "declaring a queue", declare).await?.name().clone();
        let bind = channel.queue_bind(
            queue.clone(),
            self.topology.events(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within(limit, "binding a queue", bind).await?;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consume = channel.basic_consume(queue, "".into(), options, FieldTable::default());
        let stream = within(limit, "listening", consume).await?;
        Ok((channel, stream))
    }

    /// Hands changes on; a subscriber that lags too far behind misses some.
    async fn forward(&self, stream: &mut lapin::Consumer) {
        while let Some(Ok(message)) = stream.next().await {
            let Ok(changes) = serde_json::from_slice::<Vec<StatusChange>>(&message.data) else {
                debug!(broker.queue = self.options.queue, "an event cannot be read");
                continue;
            };
            for change in changes {
                if let Err(mpsc::error::TrySendError::Full(_)) = self.changes.try_send(change) {
                    debug!(broker.queue = self.options.queue, "a subscriber is too slow");
                }
            }
        }
    }
}
