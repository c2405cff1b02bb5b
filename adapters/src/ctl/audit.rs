//! Whether what was promised is kept: the store, the outbox and the broker compared.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Subcommand;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{OrderId, OrderMessage, OrderStatus},
    ports::OrderStore,
};

use super::{CtlError, Output, Shop, dead, output::progress_bar};
use crate::config::{
    ConfigError,
    bounds::{self, MILLISECOND, MONTH, whole},
};

#[derive(Debug, Subcommand)]
pub(super) enum OrdersCommand {
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
    /// Compare store, outbox and broker, and certify what is kept. Exit code 1
    /// when an order is lost, doubled or stuck.
    Audit {
        /// File with the ids that clients were promised, one a line; after an id
        /// may stand what the client calls that submit, and two ids of one submit
        /// are a doubled order.
        #[arg(long, value_name = "FILE")]
        promised: Option<PathBuf>,
        /// An order that is pending for longer than this is stuck (1ms to 30days).
        #[arg(long, default_value = "1m", value_name = "TIME",
              value_parser = bounds::time(MILLISECOND, MONTH))]
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
                    json!(order.id),
                    json!(order.accepted_at.format(&Rfc3339).ok()),
                    json!(order.product),
                    json!(order.quantity),
                ]
            });
            Ok(Output::rows(["order_id", "accepted_at", "product", "quantity"], rows.collect()))
        }
        OrdersCommand::Audit { promised, pending_for } => {
            let promises = promised.map(|path| Promises::read(&path)).transpose()?;
            audit(promises, pending_for, shop).await
        }
    }
}

/// What clients were promised.
#[derive(Debug, Default, PartialEq, Eq)]
struct Promises {
    ids: Vec<OrderId>,
    /// Submits that were promised as more than one order.
    doubled: Vec<String>,
}

/// What an audit found.
#[derive(Debug, Default)]
struct Findings {
    unaccounted: Vec<OrderId>,
    promised_pending: usize,
    stuck: u64,
    dead_without_failed: u64,
    /// Dead letters beyond the most that are looked at: what they hold is not known.
    dead_unread: u64,
}

impl Findings {
    fn are_clean(&self) -> bool {
        self.unaccounted.is_empty()
            && self.stuck == 0
            && self.dead_without_failed == 0
            && self.dead_unread == 0
    }
}

async fn audit(
    promises: Option<Promises>,
    pending_for: Duration,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let is_told = promises.is_some();
    let Promises { ids, doubled } = promises.unwrap_or_default();
    let (store, broker) = (shop.store().await?, shop.broker().await?);
    let orders = store.orders();
    let compared = async {
        let counts = orders.counts().await?;
        let depth = broker.admin().depth().await?;
        let stuck = orders.stuck(pending_for, MOST).await?.len() as u64;
        let mut findings = Findings { stuck, ..Findings::default() };
        look_up(orders.as_ref(), &ids, &mut findings).await?;
        let letters = broker.admin().dead_letters(dead::MOST).await?;
        if letters.len() >= dead::MOST {
            findings.dead_unread = depth.dead.saturating_sub(letters.len() as u64);
        }
        for letter in letters {
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
    let told = |n: usize| if is_told { n.to_string() } else { "not told".to_owned() };
    let kept = findings.are_clean() && doubled.is_empty();
    let output = Output::pairs(
        &[
            ("promised", told(ids.len())),
            ("  of these pending", told(findings.promised_pending)),
            ("stored", stored.to_string()),
            ("  success", counts.success.to_string()),
            ("  rejected", counts.rejected.to_string()),
            ("  failed", counts.failed.to_string()),
            ("  pending", counts.pending.to_string()),
            ("  of these stuck", findings.stuck.to_string()),
            ("doubled", told(doubled.len())),
            ("outbox", counts.outbox.to_string()),
            ("queue", (depth.ready + depth.delayed).to_string()),
            ("dead", depth.dead.to_string()),
            ("  of orders that never failed", findings.dead_without_failed.to_string()),
            ("  not looked at", findings.dead_unread.to_string()),
            ("unaccounted", told(findings.unaccounted.len())),
            ("promises", if kept { "kept" } else { "BROKEN" }.to_owned()),
        ],
        json!({
            "promised": is_told.then_some(ids.len()),
            "promised_pending": is_told.then_some(findings.promised_pending),
            "stored": stored,
            "success": counts.success,
            "rejected": counts.rejected,
            "failed": counts.failed,
            "pending": counts.pending,
            "stuck": findings.stuck,
            "doubled": doubled,
            "outbox": counts.outbox,
            "queue": depth.ready + depth.delayed,
            "dead": depth.dead,
            "dead_without_failed": findings.dead_without_failed,
            "dead_unread": findings.dead_unread,
            "unaccounted": findings.unaccounted,
            "kept": kept,
        }),
    );
    Ok(if kept { output } else { output.failing() })
}

/// Looks for each of `ids` in the store. One that is still in the broker alone,
/// because the store was away when it was accepted, counts as unaccounted until a
/// worker has written it.
async fn look_up(
    orders: &dyn OrderStore,
    ids: &[OrderId],
    findings: &mut Findings,
) -> Result<(), CtlError> {
    let progress = progress_bar(ids.len(), "looking up");
    let mut found = stream::iter(ids.iter().copied())
        .map(|id| async move { Ok::<_, CtlError>((id, orders.order(id).await?)) })
        .buffer_unordered(AT_ONCE);
    while let Some((id, order)) = found.try_next().await? {
        progress.inc(1);
        match order {
            Some(order) if order.status == OrderStatus::Pending => findings.promised_pending += 1,
            Some(_) => {}
            None => findings.unaccounted.push(id),
        }
    }
    progress.finish_and_clear();
    Ok(())
}

impl Promises {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::because(format!("{} cannot be read", path.display()), &error)
        })?;
        Self::parse(&text).map_err(|(line, word)| {
            ConfigError::new(format!("{}:{line}: {word} is no UUID", path.display()))
        })
    }

    /// Reads `ID` or `ID SUBMIT` from each line that is not blank; the error is
    /// the first line without an id, and what stands there.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        let mut ids_of = HashMap::<&str, HashSet<OrderId>>::new();
        for (n, line) in text.lines().map(str::trim).enumerate().filter(|(_, l)| !l.is_empty()) {
            let (word, submit) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let id = OrderId::parse(word).map_err(|_| (n + 1, word.to_owned()))?;
            if seen.insert(id) {
                ids.push(id);
            }
            if !submit.is_empty() {
                ids_of.entry(submit.trim()).or_default().insert(id);
            }
        }
        let twice = ids_of.into_iter().filter(|(_, ids)| ids.len() > 1);
        let mut doubled: Vec<String> = twice.map(|(submit, _)| submit.to_owned()).collect();
        doubled.sort_unstable();
        Ok(Self { ids, doubled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submit_with_two_ids_is_doubled_and_an_id_twice_is_one_promise() {
        let [a, b, c] = [(); 3].map(|()| OrderId::fresh());
        let text = format!("{a} one\n\n{b}\ttwo\n{a} one\n  {c} two \n{b}\n");
        let promises = Promises::parse(&text).unwrap();
        assert_eq!(promises, Promises { ids: vec![a, b, c], doubled: vec!["two".to_owned()] });
    }

    #[test]
    fn a_line_without_an_id_is_named() {
        let text = format!("{}\nnonsense 1\n", OrderId::fresh());
        assert_eq!(Promises::parse(&text), Err((2, "nonsense".to_owned())));
        assert_eq!(Promises::parse("\n"), Ok(Promises::default()));
    }
}
