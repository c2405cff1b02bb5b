use clap::Subcommand;
use serde_json::json;

use super::{error::CtlError, output::Output, shop::Shop};

#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// Count what waits, what is being worked on, what is retried, what was given up.
    Stats,
}

pub(super) async fn run(command: QueueCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let QueueCommand::Stats = command;
    let broker = shop.broker().await?;
    let depth = broker.admin().depth().await;
    broker.close().await;
    let depth = depth?;
    let or_unknown = |n: Option<u64>| n.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    Ok(Output::pairs(
        &[
            ("ready", depth.ready.to_string()),
            ("in flight", or_unknown(depth.in_flight)),
            ("delayed", depth.delayed.to_string()),
            ("dead", depth.dead.to_string()),
            ("consumers", or_unknown(depth.consumers)),
        ],
        json!({
            "ready": depth.ready,
            "in_flight": depth.in_flight,
            "delayed": depth.delayed,
            "dead": depth.dead,
            "consumers": depth.consumers,
        }),
    ))
}

#[derive(Debug, Subcommand)]
pub(super) enum OutboxCommand {
    /// Count orders that the broker has not confirmed yet.
    Stats,
}

pub(super) async fn outbox(command: OutboxCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let OutboxCommand::Stats = command;
    let store = shop.store().await?;
    let counts = store.orders().counts().await;
    store.close().await;
    let counts = counts?;
    Ok(Output::pairs(
        &[("waiting", counts.outbox.to_string()), ("pending orders", counts.pending.to_string())],
        json!({ "waiting": counts.outbox, "pending": counts.pending }),
    ))
}
