//! A disk that is full, under the all-in-one on SQLite.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};
use testkit::{
    client::{Answer, ended, place, post},
    service::{Service, Start},
    waiting::until,
};

/// A small disk that only those see who are let in. It is gone when this is, or
/// when this process is.
struct SmallDisk {
    folder: tempfile::TempDir,
    holder: Child,
}

impl SmallDisk {
    fn of_4_mib() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut holder = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs -o size=4m tmpfs \"$0\" && echo mounted && exec cat")
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare, of util-linux");
        let mut said = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "mounted\n", "this machine lets nobody mount a tmpfs of their own");
        Self { folder, holder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The beginning of a command that sees the disk.
    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.holder.id().to_string()]);
        command.args(["--user", "--mount", "--preserve-credentials", "--"]);
        command
    }

    fn grow(&self) {
        let mut mount = self.inside();
        mount.args(["mount", "-o", "remount,size=64m"]).arg(self.path());
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

async fn open(disk: &SmallDisk) -> Service {
    let at = |name| format!("sqlite:{}", disk.path().join(name).display());
    Start::inside(disk.inside(), "woodytoys")
        .env("WOODY_VALIDATION", "none")
        .env("WOODY_LOG", "off")
        .env("WOODY_STORE_URL", at("woody.db"))
        .env("WOODY_BROKER_URL", at("woody-queue.db"))
        .ready()
        .await
}

async fn submit(shop: &Service) -> Answer {
    let order = serde_json::json!({ "product": "Locomotive".repeat(20) });
    post(shop.address, "/api/orders", None, &order).await.unwrap()
}

/// Places orders until the disk is full; returns which were promised.
async fn fill(shop: &Service) -> Vec<String> {
    let (mut promised, mut refused) = (Vec::new(), 0);
    // Refused again and again: not one commit that was late, but a full disk.
    while refused < 20 {
        let answer = submit(shop).await;
        match answer.status {
            202 => promised.push(answer.json()["order_id"].as_str().unwrap().to_owned()),
            503 => {
                assert!(answer.headers.contains_key("retry-after"));
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text()),
        }
        assert!(promised.len() < 50_000, "4 MiB are full by now");
    }
    assert!(!promised.is_empty());
    promised
}

async fn all_is_well(shop: &Service, promised: &[String]) {
    for id in promised {
        assert_eq!(ended(shop.address, id).await, "success", "order {id}");
    }
    until("it takes orders again", async || submit(shop).await.status == 202).await;
    let id = place(shop.address, "Train").await;
    assert_eq!(ended(shop.address, &id).await, "success");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs leave to mount a tmpfs of its own: root, or user namespaces"]
async fn a_full_disk_loses_no_order_and_room_is_all_it_needs() {
    let _turn = crate::turn().await;
    let disk = SmallDisk::of_4_mib();
    let shop = open(&disk).await;
    let promised = fill(&shop).await;
    disk.grow();
    all_is_well(&shop, &promised).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs leave to mount a tmpfs of its own: root, or user namespaces"]
async fn kill_9_on_a_full_disk_loses_no_order() {
    let _turn = crate::turn().await;
    let disk = SmallDisk::of_4_mib();
    let shop = open(&disk).await;
    let promised = fill(&shop).await;
    shop.kill();
    disk.grow();
    all_is_well(&open(&disk).await, &promised).await;
}
