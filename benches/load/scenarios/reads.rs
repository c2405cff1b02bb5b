//! Answers of misc-service: plans that are cached, the time, and the time while every
//! thread for heavy work is busy.

use std::time::Duration;

use super::{Row, Setting, limits};
use crate::{
    client::{Connection, Seen, get, one_after_another},
    cost::Cost,
    services::misc_service,
};

const HEAVY: &str = "/api/misc/heavy?name=Train&quantity=1";
const LIGHT: &str = "/api/misc/time";

pub async fn measure(setting: Setting) -> Vec<Row> {
    let misc = misc_service(&setting.servers).await;
    let ask = async |path: &str, connections| -> Seen {
        one_after_another(misc.address, get(path), connections, setting.lasting).await
    };
    let mut rows = Vec::new();
    for (name, path) in [("heavy, cached, 64 connections", HEAVY), ("time, 64 connections", LIGHT)]
    {
        let cost = Cost::begin(&setting.servers.postgres).await;
        let seen = ask(path, 64).await;
        rows.push(Row::new(name, Some(limits::HELLO), cost.of(seen.good, seen.figures()).await));
    }
    let (busy, light) = tokio::join!(never_cached(misc.address, setting.lasting), ask(LIGHT, 4),);
    let figures =
        light.figures().with("plans/s beside", busy as f64 / setting.lasting.as_secs_f64());
    rows.push(Row::new("time, while heavy work has every thread", None, figures));
    misc.stop();
    rows
}

/// Asks for plans that nobody has asked for, over 16 connections; returns how many came.
async fn never_cached(address: std::net::SocketAddr, lasting: Duration) -> u64 {
    let until = std::time::Instant::now() + lasting;
    let clients: Vec<_> = (0..16)
        .map(|client| {
            tokio::spawn(async move {
                let mut plans = 0;
                let mut connection = Connection::open(address).await.expect("misc-service");
                for nth in 0_u64.. {
                    if std::time::Instant::now() >= until {
                        break;
                    }
                    let path = format!("/api/misc/heavy?name=Toy+{client}+{nth}&quantity=40");
                    let answer = connection.ask(&get(&path)).await.expect("an answer");
                    plans += u64::from(answer.status == 200);
                }
                plans
            })
        })
        .collect();
    let mut plans = 0;
    for client in clients {
        plans += client.await.expect("a client");
    }
    plans
}
