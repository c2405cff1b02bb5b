//! Shops that others write, on the same servers and by the same clients.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use super::{Row, Setting};
use crate::{
    client::{one_after_another, order},
    cost::Cost,
    figures::Figures,
    peers::{Apalis, Peer, Python, Table},
};

pub async fn measure(setting: Setting) -> Vec<Row> {
    let servers = &setting.servers;
    let mut rows = Vec::new();
    if let Some(python) = Python::with_packages() {
        let flask = async |queue: &str| python.shop("flask_shop", servers, queue).await;
        let pika = |queue: &str| python.pika_worker(servers, queue);
        rows.extend(shop(&setting, "Flask + pika, no confirms", flask, pika).await);
        let flask = async |queue: &str| python.shop("celery_shop", servers, queue).await;
        let celery = |queue: &str| python.celery_worker(servers, queue);
        rows.extend(shop(&setting, "Flask + Celery", flask, celery).await);
    } else {
        eprintln!("no peers in Python: their packages cannot be had here");
    }
    if let Some(apalis) = Apalis::built() {
        let axum = async |queue: &str| apalis.shop(servers, queue).await;
        let worker = |queue: &str| apalis.worker(servers, queue);
        rows.extend(shop(&setting, "axum + apalis on PostgreSQL", axum, worker).await);
    } else {
        eprintln!("no apalis: its crates cannot be had here");
    }
    rows
}

async fn shop(
    setting: &Setting,
    name: &str,
    serve: impl AsyncFnOnce(&str) -> (Peer, SocketAddr),
    work: impl FnOnce(&str) -> Peer,
) -> [Row; 2] {
    let Setting { servers, lasting, .. } = setting;
    let queue = format!("woody_load_{}", uuid::Uuid::now_v7().simple());
    let mut table = Table::empty(servers).await;
    let (peer, address) = serve(&queue).await;
    one_after_another(address, order(), 16, *lasting / 5).await;
    let cost = Cost::begin(&servers.postgres).await;
    let seen = one_after_another(address, order(), 16, *lasting).await;
    let figures = cost.of(seen.good, seen.figures()).await;
    peer.stop();
    let accepted = Row::new(format!("peer, {name}: accepted, 16 connections"), None, figures);

    let cost = Cost::begin(&servers.postgres).await;
    let worker = work(&queue);
    while table.rows().await == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (began, before) = (Instant::now(), table.rows().await);
    // All of them, or as long as the others had.
    while table.rows().await < seen.good && began.elapsed() < *lasting {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let done = table.rows().await - before;
    let rate = done as f64 / began.elapsed().as_secs_f64();
    let figures = cost.of(done, Figures::rate(rate)).await;
    worker.stop();
    [accepted, Row::new(format!("peer, {name}: processed"), None, figures)]
}
