//! A quorum queue that has no leader for a while.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use tokio::task::JoinSet;
use uuid::Uuid;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::broker::acknowledge,
    contract::toy,
    domain::OrderMessage,
    ports::{Broker, BrokerAdmin, BrokerError, Consumer, ConsumerState, Prefetch, SettleError},
};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn poison_does_not_block_while_the_dead_letters_have_no_leader() {
    let server = Server::take().await;
    let options = RabbitMqOptions::for_queue(format!("woody-fault-{}", Uuid::new_v4()))
        .publish_timeout(Duration::from_secs(1))
        .parked_for(Duration::from_secs(2));
    let dead = format!("{}.dead", options.queue);
    let broker = RabbitMqBroker::connect(&url(), options).await.unwrap();
    let (publisher, admin) = (broker.publisher(), broker.admin());
    let mut consumer = broker.consumer(Prefetch::new(5).unwrap()).await.unwrap();
    let mut state = consumer.state();
    state.wait_for(|state| *state == ConsumerState::Consuming).await.unwrap();

    member(&server, &dead, "stop_server").await;
    publisher.send(&vec![Bytes::from_static(b"poison"); 6]).await.unwrap();
    let orders = [(); 50].map(|()| OrderMessage::from(&toy("Train")));
    publisher.publish(&orders).await.unwrap();
    let serving = serve(&mut *consumer, orders.len());
    let done = tokio::time::timeout(Duration::from_secs(30), serving).await;
    let listed = admin.dead_letters(10).await;
    member(&server, &dead, "restart_server").await;
    let mut burying = done.expect("the orders are not held up");
    assert!(
        matches!(&listed, Err(BrokerError::Unavailable(why)) if why.to_string().contains(&dead)),
        "unknown is not empty: {listed:?}"
    );

    let buried = bury(&mut *consumer, &*admin, &mut burying, 6);
    tokio::time::timeout(Duration::from_mins(1), buried).await.expect("the poison is buried");
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_RABBITMQ_CTL"]
async fn orders_go_on_while_one_of_their_queues_has_no_leader() {
    let server = Server::take().await;
    let options = RabbitMqOptions::for_queue(format!("woody-fault-{}", Uuid::new_v4()))
        .shards(3)
        .turn(Duration::from_millis(50))
        .publish_timeout(Duration::from_secs(1))
        .parked_for(Duration::from_secs(2));
    let second = format!("{}.1", options.queue);
    let broker = RabbitMqBroker::connect(&url(), options).await.unwrap();
    let (publisher, admin) = (broker.publisher(), broker.admin());
    // As many places as queues: a worker that has to share them out.
    let mut consumer = broker.consumer(Prefetch::new(3).unwrap()).await.unwrap();
    let mut state = consumer.state();
    state.wait_for(|state| *state == ConsumerState::Consuming).await.unwrap();
    let orders = |count| (0..count).map(|_| OrderMessage::from(&toy("Train")));
    let mut taken = BTreeSet::new();
    let mut go_through = async |sent: &[OrderMessage]| {
        for message in sent {
            publisher.publish(std::slice::from_ref(message)).await.unwrap();
        }
        while !sent.iter().all(|message| taken.contains(&message.to_bytes())) {
            let delivery = consumer.next().await.unwrap();
            taken.insert(delivery.body().clone());
            acknowledge(delivery).await.unwrap();
        }
    };
    go_through(&orders(6).collect::<Vec<_>>()).await;

    member(&server, &second, "stop_server").await;
    let sent: Vec<_> = orders(30).collect();
    let done = tokio::time::timeout(Duration::from_secs(30), go_through(&sent)).await;
    let unknown = admin.depth().await;
    member(&server, &second, "restart_server").await;
    done.expect("the other queues are not held up");
    assert!(
        matches!(&unknown, Err(BrokerError::Unavailable(why)) if why.to_string().contains(&second)),
        "unknown in one is unknown in all: {unknown:?}"
    );

    let again = async {
        while !admin.depth().await.is_ok_and(|depth| depth.consumers.is_none()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        go_through(&orders(9).collect::<Vec<_>>()).await;
    };
    tokio::time::timeout(Duration::from_secs(30), again).await.expect("it has a leader again");
    broker.close().await;
}

/// Acknowledges orders until there are `left` no more, and dead-letters what is none, which may
/// not succeed: each goes on meanwhile.
pub(crate) async fn serve(
    consumer: &mut dyn Consumer,
    mut left: usize,
) -> JoinSet<Result<(), SettleError>> {
    let mut burying = JoinSet::new();
    while left > 0 {
        let delivery = consumer.next().await.unwrap();
        if delivery.body() == "poison" {
            burying.spawn(delivery.dead_letter("no order".into()));
        } else {
            acknowledge(delivery).await.unwrap();
            left -= 1;
        }
    }
    burying
}

/// Dead-letters whatever comes, until there are `count` dead letters.
pub(crate) async fn bury(
    consumer: &mut dyn Consumer,
    admin: &dyn BrokerAdmin,
    burying: &mut JoinSet<Result<(), SettleError>>,
    count: u64,
) {
    while !admin.depth().await.is_ok_and(|depth| depth.dead >= count) {
        let next = tokio::time::timeout(Duration::from_millis(100), consumer.next());
        if let Ok(Some(delivery)) = next.await {
            burying.spawn(delivery.dead_letter("no order".into()));
        }
    }
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
