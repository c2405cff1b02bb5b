//! Programs in Python, by the lines of the original, on the same queue as ours.

use std::{
    path::Path,
    process::{Command, Stdio},
};
use testkit::{
    client::{ended, place},
    servers::{Database, VirtualHost},
};

use crate::four_services::start;

fn python(script: &str, arguments: &[&str]) -> Command {
    let python = std::env::var("WOODY_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(script));
    command.args(arguments);
    command
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output).lines().map(ToOwned::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL, WOODY_TEST_AMQP_URL and WOODY_TEST_PYTHON with pika"]
async fn a_python_publisher_feeds_our_worker() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    // The first of the two declares the queue: once the one, once the other.
    for python_first in [true, false] {
        let publish = || {
            let output =
                python("publish_from_python.py", &[&host.url, "Train", "5"]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            lines(&output.stdout)
        };
        let early = if python_first { publish() } else { Vec::new() };
        let order = start("order-service", &database.url, &host.url).ready().await;
        let worker = start("order-worker", &database.url, &host.url).ready().await;
        let ids = if python_first { early } else { publish() };
        assert_eq!(ids.len(), 5);
        for id in ids {
            assert_eq!(ended(order.address, &id).await, "success");
        }
        drop((order, worker));
    }
    assert_eq!(database.count("orders").await, 10);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs WOODY_TEST_POSTGRES_URL, WOODY_TEST_AMQP_URL and WOODY_TEST_PYTHON with pika"]
async fn a_python_worker_consumes_what_our_service_publishes() {
    let (database, host) = (Database::create().await, VirtualHost::create());
    let order = start("order-service", &database.url, &host.url).ready().await;
    let mut promised = Vec::new();
    for n in 0..5 {
        promised.push(format!("{} Toy {n}", place(order.address, &format!("Toy {n}")).await));
    }
    let worker = python("worker_in_python.py", &[&host.url, "5"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = tokio::task::spawn_blocking(move || worker.wait_with_output().unwrap());
    let output = tokio::time::timeout(testkit::waiting::PATIENCE, output).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut consumed = lines(&output.stdout);
    consumed.sort_unstable();
    promised.sort_unstable();
    assert_eq!(consumed, promised);
    drop(order);
    database.drop().await;
}
