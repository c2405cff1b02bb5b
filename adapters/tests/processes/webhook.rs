//! The ends of orders are told by webhook, whatever dies in between.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    time::{Duration, Instant},
};

use serde_json::Value;
use testkit::{
    client::{ended, place},
    service::{Service, Start, free_address},
    waiting::PATIENCE,
};

/// Takes one request and answers 200. Returns its id and its body.
fn take(stream: TcpStream) -> std::io::Result<(String, Value)> {
    let (mut stream, mut id, mut length) = (BufReader::new(stream), String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("webhook-id", value)) => value.clone_into(&mut id),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.get_mut().write_all(answer)?;
    Ok((id, serde_json::from_slice(&body)?))
}

/// A receiver from now on, for as long as the test runs.
fn receive_at(address: SocketAddr) -> Receiver<(String, Value)> {
    let listener = TcpListener::bind(address).unwrap();
    let (told, received): (Sender<(String, Value)>, _) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if let Ok(taken) = stream.and_then(take) {
                let _ = told.send(taken);
            }
        }
    });
    received
}

async fn start(folder: &Path, receiver: SocketAddr) -> Service {
    let secret = folder.join("secret");
    std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
    Start::of("woodytoys")
        .current_dir(folder)
        .env("WOODY_WEBHOOK_URL", format!("http://{receiver}/hooks"))
        .env("WOODY_WEBHOOK_SECRET_FILE", secret.to_str().unwrap())
        .env("WOODY_WEBHOOK_ALLOW_PRIVATE", "on")
        .env("WOODY_WEBHOOK_ALLOW_HTTP", "on")
        .env("WOODY_WEBHOOK_PAUSES", "1s,".repeat(19) + "1s")
        .ready()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_was_away_is_told_after_kill_9() {
    let (folder, receiver) = (tempfile::tempdir().unwrap(), free_address());
    let shop = start(folder.path(), receiver).await;
    let mut placed = BTreeSet::new();
    for n in 0..20 {
        placed.insert(place(shop.address, &format!("Train {n}")).await);
    }
    for id in &placed {
        assert_eq!(ended(shop.address, id).await, "success");
    }
    shop.kill();
    let posts = receive_at(receiver);
    let shop = start(folder.path(), receiver).await;
    let until = Instant::now() + PATIENCE + Duration::from_secs(20);
    let mut told = BTreeSet::new();
    while told.len() < placed.len() {
        let left = until.saturating_duration_since(Instant::now());
        let (id, event) = posts.recv_timeout(left).expect("every end is told");
        assert_eq!(event["type"], "order.success", "{event}");
        let order = event["data"]["order_id"].as_str().unwrap().to_owned();
        assert_eq!(id, format!("{order}_success"));
        told.insert(order);
    }
    assert_eq!(told, placed);
    shop.kill();
}
