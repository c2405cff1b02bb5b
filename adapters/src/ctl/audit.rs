//! Whether what was promised is kept: the store, the outbox and the broker compared.

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{OrderId, OrderMessage, OrderStatus},
    ports::OrderStore,
};

use super::{CtlError, Output, Shop, dead};
use crate::config::{ConfigError, positive_duration};

#[derive(Debug, Subcommand)]
pub(super) enum OrdersCommand {
    /// List orders that have been pending for long, oldest first.
    Stuck {
        /// How long is long.
        #[arg(long, default_value = "1m", value_name = "TIME", value_parser = positive_duration)]
        pending_for: Duration,
        /// How many at most.
        #[arg(long, default_value = "100", value_name = "N")]
        limit: usize,
    },
    /// Compare store, outbox and broker, and certify what is kept. Exit code 1
    /// when an order is lost, doubled or stuck.
    Audit {
        /// File with the ids that clients were promised, one a line.
        #[arg(long, value_name = "FILE")]
        promised: Option<PathBuf>,
        /// An order that is pending for longer than this is stuck.
        #[arg(long, default_value = "1m", value_name = "TIME", value_parser = positive_duration)]
        pending_for: Duration,
    },
}

/// The most that is listed of one kind.
const MOST: usize = 100_000;
/// Ids looked up at once.
const AT_ONCE: usize = 32;

pub(super) async fn run(command: OrdersCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    match command {
        OrdersCommand::Stuck { pending_for, limit } => {
            let store = shop.store().await?;
            let stuck = store.orders().stuck(pending_for, limit).await;
            store.close().await;
            let rows = stuck?.into_iter().map(|order| {
                [
                    order.id.to_string(),
                    order.accepted_at.format(&Rfc3339).unwrap_or_default(),
                    order.product.to_string(),
                    order.quantity.to_string(),
                ]
            });
            Ok(Output::rows(["order_id", "accepted_at", "product", "quantity"], rows.collect()))
        }
        OrdersCommand::Audit { promised, pending_for } => {
            let promised = promised.map(|path| read_ids(&path)).transpose()?;
            audit(promised.as_deref(), pending_for, shop).await
        }
    }
}

/// What an audit found.
#[derive(Debug, Default)]
struct Findings {
    promised: Option<u64>,
    unaccounted: Vec<OrderId>,
    stuck: u64,
    dead_without_failed: u64,
}

impl Findings {
    fn is_clean(&self) -> bool {
        self.unaccounted.is_empty() && self.stuck == 0 && self.dead_without_failed == 0
    }
}

async fn audit(
    promised: Option<&[OrderId]>,
    pending_for: Duration,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let (store, broker) = (shop.store().await?, shop.broker().await?);
    let orders = store.orders();
    let compared = async {
        let counts = orders.counts().await?;
        let depth = broker.admin().depth().await?;
        let stuck = orders.stuck(pending_for, MOST).await?.len() as u64;
        let mut findings = Findings { stuck, ..Findings::default() };
        if let Some(ids) = promised {
            findings.promised = Some(ids.len() as u64);
            findings.unaccounted = missing(orders.as_ref(), ids).await?;
        }
        for letter in broker.admin().dead_letters(dead::MOST).await? {
            let Ok(message) = OrderMessage::parse(&letter.body) else { continue };
            let order = orders.order(message.order_id).await?;
            if order.is_none_or(|order| order.status == OrderStatus::Pending) {
                findings.dead_without_failed += 1;
            }
        }
        Ok::<_, CtlError>((counts, depth, findings))
    };
    let compared = compared.await;
    broker.close().await;
    store.close().await;
    let (counts, depth, findings) = compared?;
    let stored = counts.pending + counts.success + counts.rejected + counts.failed;
    let told = |n: Option<u64>| n.map_or_else(|| "not told".to_owned(), |n| n.to_string());
    let verdict = if findings.is_clean() { "kept" } else { "BROKEN" };
    let output = Output::pairs(
        &[
            ("promised", told(findings.promised)),
            ("stored", stored.to_string()),
            ("  success", counts.success.to_string()),
            ("  rejected", counts.rejected.to_string()),
            ("  failed", counts.failed.to_string()),
            ("  pending", counts.pending.to_string()),
            ("  of these stuck", findings.stuck.to_string()),
            ("doubled", "0 (an id is a row's key)".to_owned()),
            ("outbox", counts.outbox.to_string()),
            ("queue", (depth.ready + depth.delayed).to_string()),
            ("dead", depth.dead.to_string()),
            ("  of orders that never failed", findings.dead_without_failed.to_string()),
            ("unaccounted", findings.unaccounted.len().to_string()),
            ("promises", verdict.to_owned()),
        ],
        json!({
            "promised": findings.promised,
            "stored": stored,
            "success": counts.success,
            "rejected": counts.rejected,
            "failed": counts.failed,
            "pending": counts.pending,
            "stuck": findings.stuck,
            "doubled": 0,
            "outbox": counts.outbox,
            "queue": depth.ready + depth.delayed,
            "dead": depth.dead,
            "dead_without_failed": findings.dead_without_failed,
            "unaccounted": findings.unaccounted,
            "kept": findings.is_clean(),
        }),
    );
    Ok(if findings.is_clean() { output } else { output.failing() })
}

/// Those of `ids` that the store does not know. One that is still in the broker
/// alone, because the store was away when it was accepted, counts as missing
/// until a worker has written it.
async fn missing(orders: &dyn OrderStore, ids: &[OrderId]) -> Result<Vec<OrderId>, CtlError> {
    let unknown = stream::iter(ids.iter().copied())
        .map(|id| async move {
            let known = orders.order(id).await?.is_some();
            Ok::<_, CtlError>((!known).then_some(id))
        })
        .buffer_unordered(AT_ONCE);
    unknown.try_filter_map(|id| async move { Ok(id) }).try_collect().await
}

fn read_ids(path: &std::path::Path) -> Result<Vec<OrderId>, CtlError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::because(format!("{} cannot be read", path.display()), &error)
    })?;
    let ids = text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate();
    ids.map(|(n, line)| {
        OrderId::parse(line).map_err(|_| {
            ConfigError::new(format!("{}:{}: {line} is no UUID", path.display(), n + 1)).into()
        })
    })
    .collect()
}
