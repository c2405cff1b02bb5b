//! What operators have done.

use std::time::Duration;

use serde_json::json;
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{Act, ActResult, OrderId, Reason, now},
    ports::{ActCursor, ActPage, ActQuery, PageSize},
};

use super::{error::CtlError, output::Output, shop::Shop};
use woody_adapters::config::bounds::{self, SECOND, YEAR, whole};

#[derive(Debug, clap::Args)]
pub(super) struct ActsArgs {
    /// Only what was done to this order by its id.
    #[arg(long, value_name = "ID")]
    order: Option<OrderId>,
    /// Only what was done within so long before now (1s to 1year).
    #[arg(long, value_name = "TIME", value_parser = bounds::time(SECOND, YEAR))]
    since: Option<Duration>,
    /// How many at most (1 to 500).
    #[arg(long, default_value = "100", value_name = "N", value_parser = whole::<u16>(1, 500))]
    limit: u16,
    /// Go on where a list ended: what it has printed for this.
    #[arg(long)]
    cursor: Option<ActCursor>,
}

pub(super) async fn run(args: ActsArgs, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let ActsArgs { order, since, limit, cursor } = args;
    let query = ActQuery {
        order,
        since: since.map(|since| now() - since),
        after: cursor,
        limit: PageSize::new(limit)?,
    };
    let store = shop.store().await?;
    let page = store.acts().list(&query).await;
    store.close().await;
    let ActPage { acts, next } = page?;
    let told = next.map_or_else(
        || format!("{} acts, and none before", acts.len()),
        |next| format!("{} acts; those before: --cursor {next}", acts.len()),
    );
    let objects: Vec<_> = acts.iter().map(object).collect();
    let json = json!({ "acts": objects, "next": next.map(|next| next.to_string()) });
    let columns = ["at", "by", "act", "to", "because", "result"];
    let rows = acts.iter().map(row).zip(objects).collect();
    Ok(Output::table(columns, rows).concluding(&told, json))
}

fn row(act: &Act) -> [serde_json::Value; 6] {
    let asked = &act.asked;
    let target = asked.order.map_or_else(|| asked.target.to_string(), |order| order.to_string());
    let result = act.result.as_ref().map(|result| match result.told() {
        Some(told) => format!("{}: {told}", result.as_str()),
        None => result.as_str().to_owned(),
    });
    [
        json!(act.at.format(&Rfc3339).ok()),
        json!(asked.by),
        json!(asked.verb),
        json!(target),
        json!(asked.because),
        json!(result),
    ]
}

/// An act for programs: `result` is null while it is under way, and for good where it was
/// broken off.
fn object(act: &Act) -> serde_json::Value {
    let asked = &act.asked;
    json!({
        "act_id": asked.id,
        "at": act.at.format(&Rfc3339).ok(),
        "by": asked.by,
        "because": asked.because,
        "act": asked.verb,
        "order_id": asked.order,
        "target": asked.target,
        "result": act.result.as_ref().map(ActResult::as_str),
        "told": act.result.as_ref().and_then(ActResult::told).map(Reason::as_str),
    })
}
