use std::time::Duration;

use clap::Subcommand;
use futures::StreamExt;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use woody_core::{
    domain::{Details, IdempotencyKey, OrderId, ToyOrder},
    services::{
        IntakeSettings, Kept, OrderIntake, OrderRequest, OrderTracker, OutboxRelay, RelaySettings,
        TrackedOrder,
    },
};

use super::{
    error::CtlError,
    output::Output,
    shop::{PATIENCE, Shop},
};
use woody_adapters::{config::bounds::whole, terminal};

#[derive(Debug, Subcommand)]
pub(super) enum OrderCommand {
    /// Place an order, as order-service does it.
    Place {
        /// The product's name.
        product: String,
        /// How many pieces (1 to 1000).
        #[arg(long, default_value = "1", value_name = "N", value_parser = whole::<i64>(1, 1_000))]
        quantity: i64,
        /// What this submit is called, so that sending it twice is one order.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Show an order as the store holds it.
    Show {
        /// The order's id.
        id: String,
    },
    /// Print an order's status now and whenever it changes, until it ends.
    Watch {
        /// The order's id.
        id: String,
    },
}

pub(super) async fn run(command: OrderCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    match command {
        OrderCommand::Place { product, quantity, key } => {
            let request = OrderRequest {
                details: ToyOrder::parse(&product, quantity)?,
                key: key.as_deref().map(IdempotencyKey::parse).transpose()?,
            };
            place(request, shop).await
        }
        OrderCommand::Show { id } => {
            let id = OrderId::parse(&id)?;
            let store = shop.store().await?;
            let order = store.orders().order(id).await;
            store.close().await;
            TrackedOrder::of(id, order?).map(|order| shown(&order)).ok_or_else(|| unknown(id))
        }
        OrderCommand::Watch { id } => watch(OrderId::parse(&id)?, shop).await,
    }
}

async fn place(request: OrderRequest, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let (store, broker) = (shop.store().await?, shop.broker().await?);
    let tasks = TaskTracker::new();
    let relay = OutboxRelay::new(
        store.orders(),
        broker.publisher(),
        broker.admin(),
        RelaySettings::default(),
    );
    let intake = OrderIntake::start(
        store.orders(),
        broker.publisher(),
        relay.feed(),
        IntakeSettings::default(),
        &tasks,
    );
    let accepted = intake.accept(request).await;
    drop(intake);
    tasks.close();
    tasks.wait().await;
    let published = matches!(tokio::time::timeout(PATIENCE, relay.flush()).await, Ok(Ok(_)));
    broker.close().await;
    store.close().await;
    let accepted = accepted?;
    let kept = match accepted.kept {
        Kept::InStore if published => "accepted",
        Kept::InStore => "accepted; the broker is away, the order waits in the outbox",
        Kept::Already => "accepted earlier under the same key",
        Kept::InBroker => "accepted; the store is away, the worker writes it later",
    };
    let id = accepted.order.id;
    Ok(Output::pairs(
        &[("order", id.to_string()), ("status", "pending".to_owned()), ("kept", kept.to_owned())],
        json!({ "order_id": id, "status": "pending", "kept": kept }),
    ))
}

/// Prints each status as it comes: there may be minutes between them.
async fn watch(id: OrderId, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let broker = shop.broker().await?;
    let tracker: OrderTracker<Details> =
        OrderTracker::new(store.orders(), broker.events(), Duration::from_millis(500));
    let ending = CancellationToken::new();
    let watching = async {
        let mut statuses = Box::pin(tracker.watch(id).await?.ok_or_else(|| unknown(id))?);
        let mut last = None;
        while let Some(order) = statuses.next().await {
            if !order.status.is_final() {
                terminal::print(order.status.as_str())?;
            }
            last = Some(order);
        }
        last.map(|order| shown(&order)).ok_or_else(|| unknown(id))
    };
    let output = tokio::select! {
        output = watching => output,
        () = tracker.run(ending.clone()) => Err(unknown(id)),
    };
    ending.cancel();
    broker.close().await;
    store.close().await;
    output
}

fn shown(order: &TrackedOrder<Details>) -> Output {
    let at = |time: time::OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
    let TrackedOrder { id, status, stored } = order;
    let stored = stored.as_ref();
    let (status, reason) = (status.as_str(), status.reason().map(ToString::to_string));
    let accepted = stored.map(|order| at(order.accepted_at));
    let finished = stored.and_then(|order| order.finished_at).map(at);
    let mut pairs = vec![("order", id.to_string())];
    if let Some(order) = stored {
        pairs.push(("details", order.details.to_string()));
    }
    pairs.push(("status", status.to_owned()));
    if stored.is_none() {
        pairs
            .push(("kept", "in the broker alone, unless nobody was ever given this id".to_owned()));
    }
    pairs.extend(accepted.clone().map(|accepted| ("accepted", accepted)));
    pairs.extend(reason.clone().map(|reason| ("reason", reason)));
    pairs.extend(finished.clone().map(|finished| ("finished", finished)));
    Output::pairs(
        &pairs,
        json!({
            "order_id": id,
            "details": stored.map(|order| &order.details),
            "status": status,
            "reason": reason,
            "accepted_at": accepted,
            "finished_at": finished,
        }),
    )
}

fn unknown(id: OrderId) -> CtlError {
    CtlError::NotFound(format!("the store knows no order {id}"))
}
