//! A foreign client: plain lapin, as a program written from the reference text.

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions},
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
    pub(crate) async fn declare(&self, channel: &Channel) -> lapin::Result<lapin::Queue> {
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
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
        for queue in retries.chain([self.queue.clone(), format!("{}.dead", self.queue)]) {
            self.delete(&channel, &queue).await;
        }
        let events = format!("{}.events", self.queue);
        channel.exchange_delete(events.as_str().into(), lapin::options::ExchangeDeleteOptions::default()).await.unwrap();
        let _ = connection.close(200, "done".into()).await;
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // A thread of its own: there is no waiting inside a runtime's.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let Ok(runtime) = runtime else { return };
                let all = tokio::time::timeout(std::time::Duration::from_secs(10), self.delete_all());
                let _ = runtime.block_on(async { all.await });
            });
        });
    }
}
