//! A cluster of three nodes, of which one dies.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use lapin::{
    Connection, ConnectionProperties,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use uuid::Uuid;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::toy,
    domain::OrderMessage,
    ports::{Broker, BrokerError, Consumer, ConsumerState, Prefetch},
};

use crate::{
    leaderless::{bury, serve},
    server::Server,
};

/// How long something that must happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Three nodes of the test's own, which go away with it.
struct Cluster {
    folder: PathBuf,
    /// With all three hosts.
    url: String,
}

impl Cluster {
    async fn start() -> Self {
        let services = std::env::var("WOODY_TEST_SERVICES_DIR").expect("WOODY_TEST_SERVICES_DIR");
        let folder = Path::new(&services).join(format!("cluster-{}", Uuid::new_v4().simple()));
        let mut cluster = Self { folder, url: String::new() };
        cluster.run("cluster.sh", "start", "", &[]).await;
        let says = cluster.run("cluster.sh", "env", "", &[]).await;
        says.trim().split_once('=').expect("a variable").1.clone_into(&mut cluster.url);
        cluster
    }

    /// Does something to one of the nodes.
    async fn node(&self, number: &str, action: &str, arguments: &[&str]) -> String {
        self.run("rabbitmq.sh", action, number, arguments).await
    }

    async fn run(&self, script: &str, action: &str, node: &str, arguments: &[&str]) -> String {
        let mut command = self.command(script, action, node);
        command.args(arguments);
        // Into a file: a server that it leaves behind would hold a pipe open.
        let said = tempfile::NamedTempFile::new().unwrap();
        command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(said.reopen().unwrap());
        let done = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
        let said = std::fs::read_to_string(said.path()).unwrap();
        assert!(done.success(), "{script} {action} {node}: {said}");
        said
    }

    fn command(&self, script: &str, action: &str, node: &str) -> Command {
        let mut command = Command::new(self::script(script));
        command.arg(action).arg(self.folder.join(node));
        command
    }

    /// Declares the dead letters while only the first node holds them, as definitions do that
    /// a node loads before the others have joined it.
    async fn declare_on_the_first(&self, queue: &str, target: i32) {
        let first = self.node("1", "env", &[]).await;
        let url = first.lines().find_map(|line| line.split_once("AMQP_URL=")).unwrap().1;
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(url, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        arguments.insert("x-quorum-initial-group-size".into(), AMQPValue::LongInt(1));
        arguments.insert("x-quorum-target-group-size".into(), AMQPValue::LongInt(target));
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(queue.into(), options, arguments).await.unwrap();
        connection.close(200, "done".into()).await.unwrap();
    }

    /// How many nodes hold each queue, sorted by name: those of the tests alone.
    async fn members(&self) -> Vec<(String, usize)> {
        let command = "lists:foreach(fun(Q) -> {resource, _, queue, Name} = amqqueue:get_name(Q), \
                       io:format(\"~s ~b~n\", [Name, length(rabbit_queue_type:get_nodes(Q))]) end, \
                       rabbit_amqqueue:list()).";
        let said = self.node("2", "ctl", &["eval", command]).await;
        let counted = said.lines().filter_map(|line| {
            let (name, members) = line.split_once(' ')?;
            Some((name.to_owned(), members.parse().ok()?))
        });
        let mut counted: Vec<_> =
            counted.filter(|(name, _)| name.starts_with("woody-cluster")).collect();
        counted.sort();
        counted
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/services").join(name)
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new(script("down.sh")).arg(&self.folder).output();
    }
}

async fn consuming(broker: &RabbitMqBroker, prefetch: u16) -> Box<dyn Consumer> {
    let consumer = broker.consumer(Prefetch::new(prefetch).unwrap()).await.unwrap();
    let mut state = consumer.state();
    let up = state.wait_for(|state| *state == ConsumerState::Consuming);
    tokio::time::timeout(PATIENCE, up).await.expect("it consumes").unwrap();
    consumer
}

/// Sends six messages that are no orders and a hundred orders behind them, again until the
/// broker has taken them.
async fn six_and_a_hundred(broker: &RabbitMqBroker) {
    let publisher = broker.publisher();
    let poison = vec![Bytes::from_static(b"poison"); 6];
    let orders = [(); 100].map(|()| OrderMessage::from(&toy("Train")));
    let sent = async {
        while publisher.send(&poison).await.is_err() {}
        while publisher.publish(&orders).await.is_err() {}
    };
    tokio::time::timeout(PATIENCE, sent).await.expect("the broker takes messages");
}

fn options(queue: &str) -> RabbitMqOptions {
    RabbitMqOptions::for_queue(queue)
        .publish_timeout(Duration::from_secs(2))
        .parked_for(Duration::from_secs(2))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn every_queue_is_on_all_nodes_and_the_death_of_one_stops_neither_orders_nor_poison() {
    let _server = Server::take().await;
    let cluster = Cluster::start().await;
    let queue = "woody-cluster-whole";
    cluster.declare_on_the_first(&format!("{queue}.dead"), 3).await;
    let broker = RabbitMqBroker::connect(&cluster.url, options(queue)).await.unwrap();
    let mut consumer = consuming(&broker, 5).await;
    broker.publisher().send(&[Bytes::from_static(b"again")]).await.unwrap();
    let delay = Duration::from_secs(1);
    consumer.next().await.unwrap().retry_after(delay, "again".into()).await.unwrap();
    let everywhere = ["", ".dead", ".retry.1000"].map(|of| (format!("{queue}{of}"), 3));
    let until = Instant::now() + PATIENCE;
    loop {
        let members = cluster.members().await;
        if members == everywhere {
            break;
        }
        assert!(Instant::now() < until, "{members:?}");
    }
    tokio::time::timeout(PATIENCE, consumer.next())
        .await
        .expect("the retry comes")
        .unwrap()
        .dead_letter("seen".into())
        .await
        .unwrap();

    cluster.node("1", "kill", &[]).await;
    six_and_a_hundred(&broker).await;
    // What was under way when the node died may have been stored twice.
    let served = tokio::time::timeout(PATIENCE, serve(&mut *consumer, 100)).await;
    let mut burying = served.expect("the orders are not held up");
    let admin = broker.admin();
    tokio::time::timeout(PATIENCE, bury(&mut *consumer, &*admin, &mut burying, 7))
        .await
        .expect("the poison is buried");
    assert!(admin.dead_letters(10).await.unwrap().len() >= 7);
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_SERVICES_DIR"]
async fn poison_does_not_block_while_the_only_node_of_the_dead_letters_is_dead() {
    let _server = Server::take().await;
    let cluster = Cluster::start().await;
    let queue = "woody-cluster-single";
    let dead = format!("{queue}.dead");
    cluster.declare_on_the_first(&dead, 1).await;
    let broker = RabbitMqBroker::connect(&cluster.url, options(queue)).await.unwrap();
    // Declared while the cluster is whole.
    drop(consuming(&broker, 5).await);
    cluster.node("1", "kill", &[]).await;

    // A worker that starts now.
    let worker = RabbitMqBroker::connect(&cluster.url, options(queue)).await.unwrap();
    let mut consumer = consuming(&worker, 5).await;
    six_and_a_hundred(&broker).await;
    let served = tokio::time::timeout(PATIENCE, serve(&mut *consumer, 100)).await;
    let mut burying = served.expect("the orders are not held up");
    let admin = worker.admin();
    for unknown in [admin.depth().await.map(drop), admin.dead_letters(10).await.map(drop)] {
        let Err(BrokerError::Unavailable(why)) = unknown else {
            panic!("unknown is not empty: {unknown:?}");
        };
        assert!(why.to_string().contains(&dead), "{why}");
    }

    cluster.node("1", "start", &[]).await;
    tokio::time::timeout(PATIENCE, bury(&mut *consumer, &*admin, &mut burying, 6))
        .await
        .expect("the poison is buried once the node is back");
    broker.close().await;
    worker.close().await;
}
