//! How fast the parts are that everything is built on.

use super::{Row, Setting};
use crate::{
    client::{get, one_after_another},
    cost::Cost,
    figures::Figures,
    raw,
};

pub const PUBLISHES: &str = "lapin: confirmed publishes, 1024 in flight";
pub const CONSUMES: &str = "lapin: consume + ack, prefetch 100";
pub const INSERTS: &str = "sqlx: UNNEST of 200 rows, 2 connections";
pub const COMMITS: &str = "sqlx: one-row commits, 1 connection";
pub const HELLO: &str = "hyper: hello, 64 connections";
/// What more connections cost whoever serves them.
const HELLO_TO_256: &str = "hyper: hello, 256 connections";
const HELLO_TO_4000: &str = "hyper: hello, 4,000 connections";

pub async fn measure(setting: Setting) -> Vec<Row> {
    let Setting { servers, lasting, .. } = setting;
    let costs = async |rate: f64, cost: Cost| {
        let done = (rate * lasting.as_secs_f64()) as u64;
        cost.of(done, Figures::rate(rate)).await
    };
    let mut rows = Vec::new();
    let cost = Cost::begin(&servers.postgres).await;
    let rate = raw::rabbitmq::publish(&servers.amqp, lasting).await;
    rows.push(Row::new(PUBLISHES, None, costs(rate, cost).await));
    let rate = raw::rabbitmq::consume(&servers.amqp).await;
    rows.push(Row::new(CONSUMES, None, Figures::rate(rate)));
    let cost = Cost::begin(&servers.postgres).await;
    let rate = raw::postgres::insert(&servers.postgres, lasting).await;
    rows.push(Row::new(INSERTS, None, costs(rate, cost).await));
    let figures = raw::postgres::commit(&servers.postgres, lasting).await;
    rows.push(Row::new(COMMITS, None, figures));

    let hello = raw::hyper::Server::start(b"hello", std::time::Duration::ZERO).await;
    for (name, connections) in [(HELLO, 64), (HELLO_TO_256, 256), (HELLO_TO_4000, 4_000)] {
        let seen = one_after_another(hello.address, get("/"), connections, lasting).await;
        rows.push(Row::new(name, None, seen.figures()));
    }
    hello.stop();
    rows
}
