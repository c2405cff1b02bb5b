//! What could become of a file under a live broker.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;
use woody_core::{
    contract::broker::acknowledge,
    ports::{Broker, BrokerError, ConsumerState},
};

use super::{consumer, message, next, open};

type Displacement = (&'static str, fn(&Path));

const DISPLACEMENTS: [Displacement; 5] = [
    ("the file is deleted", |folder| fs::remove_file(folder.join("queue.db")).unwrap()),
    ("its log is deleted", |folder| fs::remove_file(folder.join("queue.db-wal")).unwrap()),
    ("the folder is deleted", |folder| fs::remove_dir_all(folder).unwrap()),
    ("the folder is renamed", |folder| fs::rename(folder, folder.with_file_name("aside")).unwrap()),
    ("another takes its place", |folder| {
        let backup = folder.join("backup.db");
        fs::copy(folder.join("queue.db"), &backup).unwrap();
        fs::rename(backup, folder.join("queue.db")).unwrap();
    }),
];

#[tokio::test]
async fn nothing_is_promised_once_the_file_is_displaced() {
    for (how, displace) in DISPLACEMENTS {
        let parent = TempDir::new().unwrap();
        let folder = parent.path().join("data");
        let broker = open(&folder.join("queue.db")).await;
        broker.publisher().publish(&[message()]).await.unwrap();
        let mut one = consumer(&broker, 1).await;
        let held = next(&mut one).await;
        displace(&folder);
        let publisher = broker.publisher();
        for refusal in [publisher.publish(&[message()]).await, publisher.ping().await] {
            let Err(BrokerError::Refused(why)) = refusal else { panic!("{how}: {refusal:?}") };
            let why = why.to_string();
            assert!(why.contains("queue.db") && why.contains("start again"), "{how}: {why}");
        }
        acknowledge(held).await.unwrap_err();
        assert_eq!(*one.state().borrow(), ConsumerState::Recovering, "{how}");
        broker.close().await;
    }
}

#[tokio::test]
async fn a_file_that_is_put_back_is_used_again() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("data");
    let aside = parent.path().join("aside");
    let broker = open(&folder.join("queue.db")).await;
    broker.publisher().publish(&[message()]).await.unwrap();
    let mut one = consumer(&broker, 1).await;
    let held = next(&mut one).await;
    fs::rename(&folder, &aside).unwrap();
    acknowledge(held).await.unwrap_err();
    broker.publisher().publish(&[message()]).await.unwrap_err();
    fs::rename(&aside, &folder).unwrap();
    let again = next(&mut one).await;
    assert_eq!((again.attempt(), again.redelivered()), (1, true));
    acknowledge(again).await.unwrap();
    let mut state = one.state();
    let consuming = state.wait_for(|state| *state == ConsumerState::Consuming);
    tokio::time::timeout(Duration::from_secs(10), consuming).await.unwrap().unwrap();
    let depth = broker.admin().depth().await.unwrap();
    assert_eq!((depth.ready, depth.in_flight), (0, Some(0)), "what was refused was not stored");
}
