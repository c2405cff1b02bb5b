//! A foreign client: plain lapin, as a program written from the reference text.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Queue,
    options::{
        BasicPublishOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::FieldTable,
};

/// A queue name, and raw access to it. Dropping it deletes the queues.
pub(crate) struct Raw {
    pub(crate) queue: String,
}

impl Raw {
    pub(crate) fn new(queue: String) -> Self {
        Self { queue }
    }

    pub(crate) async fn channel(&self) -> (Connection, Channel) {
        let connection =
            Connection::connect(&super::url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// `channel.queue_declare(queue=…, durable=True)`.
    pub(crate) async fn declare(&self, channel: &Channel) -> lapin::Result<Queue> {
        self.declare_with(channel, FieldTable::default()).await
    }

    pub(crate) async fn declare_with(
        &self,
        channel: &Channel,
        arguments: FieldTable,
    ) -> lapin::Result<Queue> {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(self.queue.as_str().into(), options, arguments).await
    }

    pub(crate) async fn declare_passively(&self, channel: &Channel) -> lapin::Result<Queue> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default()).await
    }

    pub(crate) async fn publish(&self, channel: &Channel, to: &str, body: &[u8]) {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), to.into(), options, body, properties).await.unwrap();
    }

    pub(crate) async fn delete(&self, channel: &Channel, queue: &str) {
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn delete_all(&self) {
        let (connection, channel) = self.channel().await;
        let retries = (0..15).map(|rung| format!("{}.retry.{}", self.queue, 250_u64 << rung));
        let further = (1..16).map(|number| format!("{}.{number}", self.queue));
        let named = [self.queue.clone(), format!("{}.dead", self.queue)];
        for queue in retries.chain(further).chain(named) {
            self.delete(&channel, &queue).await;
        }
        let events = format!("{}.events", self.queue);
        let options = ExchangeDeleteOptions::default();
        channel.exchange_delete(events.into(), options).await.unwrap();
        let _ = connection.close(200, "done".into()).await;
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A thread of its own: a runtime's thread may not wait. A test that fails
        // shall say why itself, so what goes wrong here is left alone.
        std::thread::scope(|scope| {
            let deleted = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    tokio::time::timeout(Duration::from_secs(10), self.delete_all()).await
                })?;
                std::io::Result::Ok(())
            });
            let _ = deleted.join();
        });
    }
}
