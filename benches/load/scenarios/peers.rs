//! Shops that others write, on the same servers and by the same clients.

use std::time::{Duration, Instant};

use super::{Row, Setting};
use crate::{
    client::{one_after_another, order},
    cost::Cost,
    figures::Figures,
    peers::{Peer, Python, Table},
    services::Servers,
};

pub async fn measure(setting: Setting) -> Vec<Row> {
    let Some(python) = Python::with_packages() else {
        eprintln!("no peers: their Python packages cannot be had here");
        return Vec::new();
    };
    let mut rows = Vec::new();
    rows.extend(
        shop(&setting, &python, "flask_shop", "Flask + pika, no confirms", Python::pika_worker)
            .await,
    );
    rows.extend(
        shop(&setting, &python, "celery_shop", "Flask + Celery", Python::celery_worker).await,
    );
    rows
}

async fn shop(
    setting: &Setting,
    python: &Python,
    module: &str,
    name: &str,
    worker: fn(&Python, &Servers, &str) -> Peer,
) -> [Row; 2] {
    let Setting { servers, lasting, .. } = setting;
    let queue = format!("woody_load_{}", uuid::Uuid::now_v7().simple());
    let mut table = Table::empty(servers).await;
    let (peer, address) = python.shop(module, servers, &queue).await;
    one_after_another(address, order(), 16, *lasting / 5).await;
    let cost = Cost::begin(&servers.postgres).await;
    let seen = one_after_another(address, order(), 16, *lasting).await;
    let figures = cost.of(seen.good, seen.figures()).await;
    peer.stop();
    let accepted = Row::new(format!("peer, {name}: accepted, 16 connections"), None, figures);

    let cost = Cost::begin(&servers.postgres).await;
    let worker = worker(python, servers, &queue);
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
