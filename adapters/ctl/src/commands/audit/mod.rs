//! Whether what was promised is kept: the store, the outbox and the broker compared.

mod promises;
mod verdict;

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep};
use woody_core::{
    domain::{OrderId, OrderMessage, OrderStatus},
    ports::{Broker, OrderCounts, OrderStore, QueueDepth},
};

use self::{
    promises::Promises,
    verdict::{AuditVerdict, Findings},
};
use super::{
    archive::{self, ArchiveArgs},
    details,
    error::CtlError,
    list::{self, ListArgs},
    output::{Output, progress_bar},
    shop::{MOST_LETTERS, Shop},
};
use woody_adapters::config::bounds::{self, MILLISECOND, MONTH, whole};

#[derive(Debug, Subcommand)]
pub(super) enum OrdersCommand {
    /// List orders by the time at which they were accepted, oldest first, a page at a time.
    List(ListArgs),
    /// List orders that have been pending for long, oldest first.
    Stuck {
        /// How long is long (1ms to 30days).
        #[arg(long, default_value = "1m", value_name = "TIME",
              value_parser = bounds::time(MILLISECOND, MONTH))]
        pending_for: Duration,
        /// How many at most (1 to 100000).
        #[arg(long, default_value = "100", value_name = "N",
              value_parser = whole::<usize>(1, MOST as u64))]
        limit: usize,
    },
    /// Write orders that ended long ago to a file, and drop from the store what they asked for.
    ///
    /// Of each its id and how it ended stay, so that neither a late message nor its key makes
    /// it anew. Orders that are pending or failed, and those of which somebody is still to be
    /// told, are left. Broken off, it goes on when it is called again: an order may
    /// be in the file twice then, and none is missing.
    Archive(ArchiveArgs),
    /// Compare store, outbox and broker, and certify what is kept.
    ///
    /// Promises are `kept` when each promised order is in the store and has ended or
    /// will (exit code 0); `broken` when one is lost, doubled, or pending for long
    /// with nothing that will end it (1); and where something is not known that the
    /// verdict depends on, or no promises were given, it `cannot say` (3).
    Audit {
        /// File with the ids that clients were promised, one a line; after an id
        /// may stand what the client calls that submit, and two ids of one submit
        /// are a doubled order.
        #[arg(long, value_name = "FILE")]
        promised: Option<PathBuf>,
        /// An order that is pending for longer than this must be in the outbox, in
        /// the queue or in a worker's hands (1ms to 30days).
        #[arg(long, default_value = "1m", value_name = "TIME",
              value_parser = bounds::time(MILLISECOND, MONTH))]
        pending_for: Duration,
        /// Where the broker does not say what is in workers' hands, an order may be
        /// missing for this long; longer than a validation may take (0s to 1h).
        #[arg(long, default_value = "15s", value_name = "TIME",
              value_parser = bounds::time(Duration::ZERO, bounds::HOUR))]
        patience: Duration,
    },
}

/// The most that is listed of one kind.
const MOST: usize = 100_000;
/// Ids looked up at once.
const AT_ONCE: usize = 32;
/// How soon something that was missing is looked for again.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long store and broker may differ because they were read one after the other.
const MOVING: Duration = Duration::from_secs(1);

pub(super) async fn run(command: OrdersCommand, shop: &Shop<'_>) -> Result<Output, CtlError> {
    match command {
        OrdersCommand::List(args) => list::run(args, shop).await,
        OrdersCommand::Archive(args) => archive::run(args, shop).await,
        OrdersCommand::Stuck { pending_for, limit } => {
            let store = shop.store().await?;
            let stuck = store.orders().stuck(pending_for, limit).await;
            store.close().await;
            let rows = stuck?.into_iter().map(|order| {
                let accepted_at = json!(order.accepted_at.format(&Rfc3339).ok());
                let row = [json!(order.id), accepted_at, json!(details::line(&order.details))];
                let object = details::order(order.id, &order.details, Some(order.accepted_at));
                (row, object.into())
            });
            Ok(Output::table(["order_id", "accepted_at", "details"], rows.collect()))
        }
        OrdersCommand::Audit { promised, pending_for, patience } => {
            let promises = promised.map(|path| Promises::read(&path)).transpose()?;
            audit(promises, pending_for, patience, shop).await
        }
    }
}

/// What one look at everything saw.
struct Look {
    counts: OrderCounts,
    depth: QueueDepth,
    findings: Findings,
}

async fn audit(
    promises: Option<Promises>,
    pending_for: Duration,
    patience: Duration,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let is_told = promises.is_some();
    let Promises { ids, doubled } = promises.unwrap_or_default();
    let (store, broker) = (shop.store().await?, shop.broker().await?);
    let orders = store.orders();
    let known =
        Findings { is_told, pending_for, doubled: doubled.len() as u64, ..Findings::default() };
    let compared = async {
        let began = Instant::now();
        let Promised { mut unaccounted, pending } = look_up(orders.as_ref(), &ids).await?;
        loop {
            let look = look(orders.as_ref(), broker.as_ref(), &known, &unaccounted).await?;
            let limit = look.depth.in_flight.map_or(patience, |_| patience.min(MOVING));
            let is_final =
                look.findings.judge().0 != AuditVerdict::Broken || began.elapsed() >= limit;
            if is_final || !doubled.is_empty() {
                return Ok::<_, CtlError>((look, unaccounted, pending));
            }
            // What was missing may have been on its way from one place to the next.
            sleep(LOOK_EVERY).await;
            unaccounted = look_up(orders.as_ref(), &unaccounted).await?.unaccounted;
        }
    };
    let compared = compared.await;
    broker.close().await;
    store.close().await;
    let (Look { counts, depth, findings }, unaccounted, promised_pending) = match compared {
        Ok(compared) => compared,
        Err(error @ (CtlError::Store(_) | CtlError::Broker(_))) => {
            return Ok(undecided(&error));
        }
        Err(error) => return Err(error),
    };
    let (verdict, because) = findings.judge();
    let OrderCounts { pending, success, rejected, failed, cancelled, outbox: _ } = counts;
    let stored = pending + success + rejected + failed + cancelled;
    let told = |n: usize| if is_told { n.to_string() } else { "unknown".to_owned() };
    let in_flight = depth.in_flight.map_or_else(|| "unknown".to_owned(), |n| n.to_string());
    let output = Output::pairs(
        &[
            ("promised", told(ids.len())),
            ("  of these pending", told(promised_pending)),
            ("stored", stored.to_string()),
            ("  success", counts.success.to_string()),
            ("  rejected", counts.rejected.to_string()),
            ("  failed", counts.failed.to_string()),
            ("  cancelled", counts.cancelled.to_string()),
            ("  pending", counts.pending.to_string()),
            ("  of these for long", findings.stuck.to_string()),
            ("doubled", told(doubled.len())),
            ("outbox", counts.outbox.to_string()),
            ("queue", findings.queue.to_string()),
            ("in flight", in_flight),
            ("dead", depth.dead.to_string()),
            ("  of orders that never failed", findings.dead_without_failed.to_string()),
            ("  not looked at", findings.dead_unread.to_string()),
            ("unaccounted", told(unaccounted.len())),
            ("promises", verdict.as_str().to_owned()),
            ("because", because.clone()),
        ],
        json!({
            "promised": is_told.then_some(ids.len()),
            "promised_pending": is_told.then_some(promised_pending),
            "stored": stored,
            "success": counts.success,
            "rejected": counts.rejected,
            "failed": counts.failed,
            "cancelled": counts.cancelled,
            "pending": counts.pending,
            "stuck": findings.stuck,
            "doubled": doubled,
            "outbox": counts.outbox,
            "queue": findings.queue,
            "in_flight": depth.in_flight,
            "dead": depth.dead,
            "dead_without_failed": findings.dead_without_failed,
            "dead_unread": findings.dead_unread,
            "unaccounted": unaccounted,
            "verdict": verdict.as_str(),
            "because": because,
            "kept": kept(verdict),
        }),
    );
    Ok(match verdict {
        AuditVerdict::Kept => output,
        AuditVerdict::Broken => output.failing(),
        AuditVerdict::CannotSay => output.unsettled(),
    })
}

/// For programs that want a yes or a no; `null` is neither.
fn kept(verdict: AuditVerdict) -> Option<bool> {
    match verdict {
        AuditVerdict::Kept => Some(true),
        AuditVerdict::Broken => Some(false),
        AuditVerdict::CannotSay => None,
    }
}

/// An audit whose store or broker did not respond.
fn undecided(error: &CtlError) -> Output {
    let (verdict, because) = (AuditVerdict::CannotSay, error.to_string());
    Output::pairs(
        &[("promises", verdict.as_str().to_owned()), ("because", because.clone())],
        json!({ "verdict": verdict.as_str(), "because": because, "kept": kept(verdict) }),
    )
    .unsettled()
}

/// Compares everything once. `known` is what does not change meanwhile.
async fn look(
    orders: &dyn OrderStore,
    broker: &dyn Broker,
    known: &Findings,
    unaccounted: &[OrderId],
) -> Result<Look, CtlError> {
    let counts = orders.counts().await?;
    let depth = broker.admin().depth().await?;
    let stuck = orders.stuck(known.pending_for, MOST).await?.len() as u64;
    let letters = broker.admin().dead_letters(MOST_LETTERS).await?;
    let mut findings = Findings {
        unaccounted: unaccounted.len() as u64,
        pending: counts.pending,
        stuck,
        outbox: counts.outbox,
        queue: depth.ready.saturating_add(depth.delayed),
        in_flight: depth.in_flight,
        ..known.clone()
    };
    if letters.len() >= MOST_LETTERS {
        findings.dead_unread = depth.dead.saturating_sub(letters.len() as u64);
    }
    for letter in letters {
        let Ok(message) = OrderMessage::parse(&letter.body) else { continue };
        let order = orders.order(message.order_id).await?;
        if order.is_none_or(|order| order.status == OrderStatus::Pending) {
            findings.dead_without_failed += 1;
        }
    }
    Ok(Look { counts, depth, findings })
}

/// What became of promised orders.
struct Promised {
    unaccounted: Vec<OrderId>,
    pending: usize,
}

/// Looks for each of `ids` in the store. One that is still in the broker alone,
/// because the store was unavailable when it was accepted, counts as unaccounted until a
/// worker has written it.
async fn look_up(orders: &dyn OrderStore, ids: &[OrderId]) -> Result<Promised, CtlError> {
    let mut promised = Promised { unaccounted: Vec::new(), pending: 0 };
    let progress = progress_bar(ids.len(), "looking up");
    let mut found = stream::iter(ids.iter().copied())
        .map(|id| async move { Ok::<_, CtlError>((id, orders.order(id).await?)) })
        .buffer_unordered(AT_ONCE);
    while let Some((id, order)) = found.try_next().await? {
        progress.inc(1);
        match order {
            Some(order) if order.status == OrderStatus::Pending => promised.pending += 1,
            Some(_) => {}
            None => promised.unaccounted.push(id),
        }
    }
    progress.finish_and_clear();
    Ok(promised)
}
