//! A process that is killed with messages in its hands.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Instant,
};

use super::*;

const PATH: &str = "WOODY_TEST_KILLED_PATH";

/// Not a test of its own: the process that the next test kills. It publishes
/// twenty messages, takes half of them in hand and waits for its end.
#[tokio::test]
async fn child() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let broker = open(&PathBuf::from(path)).await;
    let bodies: Vec<Bytes> = (0..20).map(|n| Bytes::from(format!("message {n}"))).collect();
    broker.publisher().send(&bodies).await.unwrap();
    let mut consumer = consumer(&broker, 10).await;
    let mut held = Vec::new();
    while held.len() < 10 {
        held.push(next(&mut consumer).await);
    }
    println!("held");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_a_killed_process_held_is_there_at_once_when_it_starts_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    kill(start(&path));
    let began = Instant::now();
    let broker = open(&path).await;
    assert_eq!(twenty(&broker).await.len(), 20);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn what_a_killed_process_held_goes_to_one_that_lives() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("queue.db");
    let broker = open(&path).await;
    let child = start(&path);
    let mut waiting = consumer(&broker, 1).await;
    let first = next(&mut waiting).await;
    assert!(!first.redelivered(), "the living one's messages are not taken from it");
    drop((first, waiting));
    kill(child);
    assert_eq!(twenty(&broker).await.len(), 20);
    assert_eq!(side_files(&folder), 1);
}

/// Takes twenty different messages, each at its first attempt.
async fn twenty(broker: &SqliteBroker) -> BTreeSet<Bytes> {
    let mut consumer = consumer(broker, 20).await;
    let mut bodies = BTreeSet::new();
    for _ in 0..20 {
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.attempt(), 1, "a death counts as no attempt");
        bodies.insert(delivery.body().clone());
        delivery.dead_letter("seen".into()).await.unwrap();
    }
    bodies
}

/// Starts this test binary as the process that is to die; returns once it holds.
fn start(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["sqlite::killed::child", "--exact", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let held = lines.map_while(Result::ok).any(|line| line.contains("held"));
    assert!(held, "the child ended early");
    child
}

/// `kill -9`.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
