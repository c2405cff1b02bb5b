//! URLs that name several hosts, and hosts that fail.

use std::time::Duration;

use bytes::Bytes;
use woody_broker::rabbitmq::{RabbitMqBroker, RabbitMqOptions};
use woody_core::{
    contract::broker::PATIENCE,
    ports::{Broker, BrokerError},
};

use super::{Raw, gate::Gate, unique, url};

/// The URL of these hosts, with the login of the server under test.
pub(super) fn at(hosts: &[&Gate]) -> String {
    let hosts: Vec<String> = hosts.iter().map(|gate| gate.at.to_string()).collect();
    let url = url();
    let (login, place) = url.rsplit_once('@').unwrap();
    let (_, vhost) = place.split_once('/').unwrap();
    format!("{login}@{}/{vhost}", hosts.join(","))
}

fn password() -> String {
    let url = url();
    url.rsplit_once('@').unwrap().0.rsplit_once(':').unwrap().1.to_owned()
}

async fn broker(url: &str, queue: &str) -> RabbitMqBroker {
    let options = RabbitMqOptions::for_queue(queue).heartbeat(Duration::from_secs(1));
    RabbitMqBroker::connect(url, options).await.unwrap()
}

async fn send(broker: &RabbitMqBroker) -> Result<(), BrokerError> {
    let publisher = broker.publisher();
    let bodies = [Bytes::from_static(b"x")];
    tokio::time::timeout(PATIENCE, publisher.send(&bodies)).await.expect("it ends in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_host_that_accepts_and_says_nothing_is_passed_over() {
    let (frozen, good) = (Gate::silent().await, Gate::open().await);
    let raw = Raw::new(unique());
    // The order is shuffled: until the silent one was first.
    while frozen.accepted() == 0 {
        let broker = broker(&at(&[&frozen, &good]), &raw.queue).await;
        send(&broker).await.expect("the first call reaches the other host");
        broker.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_connection_to_a_host_that_freezes_moves_to_another() {
    let gates = [Gate::open().await, Gate::open().await];
    let raw = Raw::new(unique());
    let broker = broker(&at(&[&gates[0], &gates[1]]), &raw.queue).await;
    send(&broker).await.unwrap();
    let (first, other) =
        if gates[0].accepted() > 0 { (&gates[0], &gates[1]) } else { (&gates[1], &gates[0]) };
    first.freeze();
    let moved = async {
        while send(&broker).await.is_err() || other.accepted() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, moved).await.expect("it moves");
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_host_that_refuses_the_password_is_passed_over() {
    let (refusing, good) = (Gate::spoiling(&password()).await, Gate::open().await);
    let raw = Raw::new(unique());
    while refusing.accepted() == 0 {
        let broker = broker(&at(&[&refusing, &good]), &raw.queue).await;
        send(&broker).await.expect("the first call reaches the other host");
        broker.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn only_a_password_that_all_hosts_refuse_is_a_refusal_and_each_host_is_named() {
    let (one, two) = (Gate::spoiling(&password()).await, Gate::spoiling(&password()).await);
    let broker = broker(&at(&[&one, &two]), &unique()).await;
    let error = send(&broker).await.unwrap_err();
    let BrokerError::Refused(said) = error else { panic!("all hosts refuse: {error:?}") };
    let said = said.to_string();
    for gate in [&one, &two] {
        let names_it = said.contains(&format!("{}: ", gate.at));
        assert!(names_it && said.contains("ACCESS_REFUSED"), "{said}");
    }
    assert!(!said.contains(&password()), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQP_URL"]
async fn a_password_that_one_host_refuses_while_the_other_is_away_may_still_be_right() {
    let refusing = Gate::spoiling(&password()).await;
    // Bound and not listening: no other process takes it, and it refuses connections.
    let away = tokio::net::TcpSocket::new_v4().unwrap();
    away.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let away = away.local_addr().unwrap();
    let url = at(&[&refusing]);
    let url = url.replace(&refusing.at.to_string(), &format!("{},{away}", refusing.at));
    let broker = broker(&url, &unique()).await;
    let error = send(&broker).await.unwrap_err();
    let BrokerError::Unavailable(said) = error else { panic!("one is away: {error:?}") };
    let said = said.to_string();
    assert!(said.contains("ACCESS_REFUSED") && said.contains(&away.to_string()), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs WOODY_TEST_AMQPS_URL and WOODY_TEST_RABBITMQ_CA"]
async fn an_authority_of_ones_own_is_trusted_by_its_file_and_not_without_it() {
    let url = std::env::var("WOODY_TEST_AMQPS_URL").expect("WOODY_TEST_AMQPS_URL");
    let authority = std::env::var("WOODY_TEST_RABBITMQ_CA").expect("WOODY_TEST_RABBITMQ_CA");
    let raw = Raw::new(unique());
    let trusting = broker(&format!("{url}?cacertfile={authority}"), &raw.queue).await;
    send(&trusting).await.unwrap();
    trusting.close().await;
    let doubting = broker(&url, &raw.queue).await;
    let said = format!("{:?}", send(&doubting).await.unwrap_err());
    assert!(said.contains("UnknownIssuer"), "{said}");
}

#[tokio::test]
async fn a_file_of_authorities_that_cannot_be_used_is_an_error_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for (file, says) in [(empty, "no certificate"), (folder.path().join("none"), "No such file")] {
        let url = format!("amqps://u:hunter2@host/?cacertfile={}", file.display());
        let error = RabbitMqBroker::connect(&url, RabbitMqOptions::default()).await.unwrap_err();
        let BrokerError::Refused(said) = error else { panic!("it is refused") };
        let said = said.to_string();
        assert!(said.contains(says) && said.contains(&file.display().to_string()), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
