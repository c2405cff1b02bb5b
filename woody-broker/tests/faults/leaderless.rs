//! A quorum queue that has no leader for a while.

use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::ports::{Broker, BrokerError};

use crate::server::{Server, url};

/// Stops or restarts the one member that a queue has.
async fn member(server: &Server, queue: &str, action: &str) {
    let command = format!(
        "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>)), \
         {{Name, _}} = amqqueue:get_pid(Q), ok = ra:{action}(quorum_queues, {{Name, node()}})."
    );
    server.ctl(&["ctl", "eval", &command]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn the_depth_of_a_queue_without_a_leader_is_unknown_and_not_zero() {
    let server = Server::take().await;
    let options = RabbitMqOptions::for_queue(format!("woody-fault-{}", Uuid::new_v4()));
    let queue = options.queue.clone();
    let broker = RabbitMqBroker::connect(&url(), options).await.unwrap();
    let (publisher, admin) = (broker.publisher(), broker.admin());
    publisher.send(&[Bytes::from_static(b"one"), Bytes::from_static(b"two")]).await.unwrap();
    let known = async || admin.depth().await.is_ok_and(|depth| depth.ready == 2);
    while !known().await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    member(&server, &queue, "stop_server").await;
    let unknown = admin.depth().await;
    member(&server, &queue, "restart_server").await;
    assert!(
        matches!(&unknown, Err(BrokerError::Unavailable(why)) if why.to_string().contains(&queue)),
        "{unknown:?}"
    );
    let again = async {
        while !known().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), again).await.expect("it has a leader again");
    broker.close().await;
}

/// Without a consumer an empty queue is still known to be empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn the_depth_of_an_empty_queue_is_zero() {
    let _server = Server::take().await;
    let options = RabbitMqOptions::for_queue(format!("woody-fault-{}", Uuid::new_v4()));
    let broker = RabbitMqBroker::connect(&url(), options).await.unwrap();
    broker.publisher().ping().await.unwrap();
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.delayed, depth.dead), (0, 0, 0));
    broker.close().await;
}
