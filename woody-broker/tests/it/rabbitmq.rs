//! RabbitMQ: needs a server, at `WOODY_TEST_AMQP_URL`.

use std::sync::Arc;

use uuid::Uuid;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::ports::Broker;

mod channels;
mod gate;
mod hosts;
mod own;
mod parking;
mod raw;
mod rights;
mod shards;
mod slow;

use raw::Raw;

/// A broker on a queue of its own; its queues go when the test ends.
async fn fresh() -> (Arc<dyn Broker>, Raw) {
    let queue = unique();
    (Arc::new(on(&queue).await), Raw::new(queue))
}

fn unique() -> String {
    format!("woody-test-{}", Uuid::new_v4())
}

fn url() -> String {
    std::env::var("WOODY_TEST_AMQP_URL").expect("WOODY_TEST_AMQP_URL")
}

async fn on(queue: &str) -> RabbitMqBroker {
    RabbitMqBroker::connect(&url(), RabbitMqOptions::for_queue(queue)).await.expect("a good URL")
}

woody_core::broker_contract!(
    #[ignore = "needs WOODY_TEST_AMQP_URL"]
    fresh
);
