//! A line to the broker that is slow.

use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::ports::Broker;

use super::{Raw, gate::Gate, hosts::at, own::eventually, unique};

/// What a request to open a channel takes: a frame of 7 bytes and one at its end, and 5 that say what it is.
const OPENING: usize = 13;

/// One question after the other would take a slow line for each queue as long as for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn all_queues_of_orders_are_asked_for_at_once() {
    let (gate, raw) = (Gate::open().await, Raw::new(unique()));
    let options = RabbitMqOptions::for_queue(&raw.queue).shards(8);
    let broker = RabbitMqBroker::connect(&at(&[&gate]), options).await.unwrap();
    let admin = broker.admin();
    // It learns which queues there are.
    assert_eq!(admin.depth().await.unwrap().ready, 0);

    for look in ["depth", "glance", "waiting"] {
        gate.hold_answers(true);
        let (before, admin) = (gate.sent(), broker.admin());
        let asked = tokio::spawn(async move {
            match look {
                "depth" => admin.depth().await.map(|depth| depth.ready),
                "glance" => admin.glance().await.map(|depth| depth.ready),
                _ => admin.waiting().await.map(|waiting| waiting.messages),
            }
        });
        eventually(look, async || gate.sent() - before >= 8 * OPENING).await;
        gate.hold_answers(false);
        assert_eq!(asked.await.unwrap().unwrap(), 0, "{look}");
    }
    broker.close().await;
}
