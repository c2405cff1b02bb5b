use clap::Subcommand;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use woody_core::domain::Pause;

use super::{
    error::CtlError,
    logbook::{ActArgs, Deed, Done, Logbook},
    output::Output,
    shop::Shop,
};

#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// Count what waits, what is being worked on, what is retried, what was given up.
    Stats,
    /// Have workers take no new orders, until `queue resume`. They finish what they have, and
    /// orders are accepted as before.
    #[command(mut_arg("because", |because| because.required(true)))]
    Pause {
        #[command(flatten)]
        act: ActArgs,
    },
    /// Have workers take orders again.
    Resume {
        #[command(flatten)]
        act: ActArgs,
    },
}

pub(super) async fn run(command: QueueCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    match command {
        QueueCommand::Stats => stats(shop).await,
        QueueCommand::Pause { act } => pause(act, shop).await,
        QueueCommand::Resume { act } => resume(act, shop).await,
    }
}

async fn pause(act: ActArgs, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let logbook = Logbook::of(&store);
    let (by, because) = (act.by(), act.because());
    let pausing = async {
        let pause = store.pauses().pause(&by, because).await?;
        Ok(done(&pause.to_string(), Some(&pause)))
    };
    let paused = logbook.act(act, deed("queue pause"), pausing).await;
    logbook.close().await;
    paused
}

async fn resume(act: ActArgs, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let logbook = Logbook::of(&store);
    let resuming = async {
        let told = match store.pauses().resume().await? {
            Some(pause) => format!("resumed; it was {pause}"),
            None => "it was not paused".to_owned(),
        };
        Ok(done(&told, None))
    };
    let resumed = logbook.act(act, deed("queue resume"), resuming).await;
    logbook.close().await;
    resumed
}

fn deed(verb: &'static str) -> Deed {
    Deed { verb, order: None, target: "all workers".to_owned() }
}

fn done(told: &str, pause: Option<&Pause>) -> Done {
    let json = json!({ "message": told, "paused": pause.map(object) });
    Done { output: Output::report(told, json), told: Some(told.to_owned()) }
}

/// A pause for programs.
fn object(pause: &Pause) -> Value {
    json!({ "since": pause.since.format(&Rfc3339).ok(), "by": pause.by, "because": pause.because })
}

/// Whether workers are paused, for people and for programs: the queue is told of without the
/// store, too.
async fn told_pause(shop: &Shop<'_>) -> (String, Value) {
    let Ok(store) = shop.store().await else { return ("unknown".to_owned(), Value::Null) };
    let pause = store.pauses().current().await;
    store.close().await;
    match pause {
        Ok(Some(pause)) => (pause.to_string(), object(&pause)),
        Ok(None) => ("no".to_owned(), false.into()),
        Err(_) => ("unknown".to_owned(), Value::Null),
    }
}

async fn stats(shop: &Shop<'_>) -> Result<Output, CtlError> {
    let (paused, pause) = told_pause(shop).await;
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
            ("paused", paused),
        ],
        json!({
            "ready": depth.ready,
            "in_flight": depth.in_flight,
            "delayed": depth.delayed,
            "dead": depth.dead,
            "consumers": depth.consumers,
            "paused": pause,
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
