//! Orders accepted: stored, and published by the relay of the same process.

use super::{Row, Setting, limits};
use crate::{
    client::{one_after_another, order},
    cost::Cost,
    services::Shop,
};

pub async fn measure(setting: Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for connections in [1, 16, 64, 256] {
        let shop = Shop::open(&setting.servers).await;
        let address = shop.orders.address;
        // Connections, plans of statements and pages, before anything counts.
        one_after_another(address, order(), connections, setting.lasting / 5).await;
        shop.wait_until_published().await;
        let cost = Cost::begin(&setting.servers.postgres).await;
        let seen = one_after_another(address, order(), connections, setting.lasting).await;
        // Work that is left over is part of the cost.
        shop.wait_until_published().await;
        let figures = cost.of(seen.good, seen.figures()).await;
        let limit = if connections == 1 { limits::COMMITS } else { limits::PUBLISHES };
        rows.push(Row::new(format!("accept, {connections} connections"), Some(limit), figures));
        shop.close().await;
    }
    rows
}
