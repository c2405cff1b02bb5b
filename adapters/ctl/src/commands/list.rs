//! Lists of orders.

use std::time::Duration;

use serde_json::json;
use time::format_description::well_known::Rfc3339;
use woody_core::{
    domain::{ClientName, Invalid, Label, StatusName, now},
    ports::{ListOf, OrderCursor, OrderPage, OrderQuery, PageSize},
};

use super::{details, error::CtlError, output::Output, shop::Shop};
use crate::meant::hint;
use woody_adapters::config::bounds::{self, MONTH, SECOND, whole};

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Only orders that were accepted within so long before now (1s to 30days).
    #[arg(long, value_name = "TIME", value_parser = bounds::time(SECOND, MONTH))]
    since: Option<Duration>,
    /// Only orders of this status: pending, success, rejected, failed or
    /// cancelled.
    #[arg(long, value_parser = status)]
    status: Option<StatusName>,
    /// Only orders that this client has placed by its key.
    #[arg(long, value_name = "NAME")]
    client: Option<ClientName>,
    /// Only orders that are found by this very text, such as a customer's address: what that is, the type of the orders says
    /// (toys are found by nothing).
    #[arg(long, value_name = "TEXT", conflicts_with = "client")]
    text: Option<Label>,
    /// How many at most (1 to 500).
    #[arg(long, default_value = "100", value_name = "N", value_parser = whole::<u16>(1, 500))]
    limit: u16,
    /// Go on where a list ended: what it has printed for this.
    #[arg(long)]
    cursor: Option<OrderCursor>,
}

/// Reads a status, and says which may be meant where it is none.
fn status(text: &str) -> Result<StatusName, String> {
    let known = StatusName::ALL.map(StatusName::as_str);
    text.parse().map_err(|error: Invalid| format!("{error}{}", hint(text, known)))
}

pub(super) async fn run(args: ListArgs, shop: &Shop<'_>) -> Result<Output, CtlError> {
    let ListArgs { since, status, client, text, limit, cursor } = args;
    let query = OrderQuery {
        since: since.map(|since| now() - since),
        until: None,
        status,
        of: client.map(ListOf::Client).or(text.map(ListOf::FoundBy)),
        after: cursor,
        limit: PageSize::new(limit)?,
    };
    let store = shop.store().await?;
    let page = store.orders().list(&query).await;
    store.close().await;
    let OrderPage { orders, next } = page?;
    let rows = orders.into_iter().map(|order| {
        let (status, reason) = (order.status.as_str(), order.status.reason());
        let accepted_at = json!(order.accepted_at.format(&Rfc3339).ok());
        let line = details::line(&order.details);
        let row = [json!(order.id), accepted_at, json!(status), json!(line)];
        let mut object = details::order(order.id, &order.details, Some(order.accepted_at));
        object.insert("status".to_owned(), json!(status));
        object.insert("reason".to_owned(), json!(reason));
        let finished_at = order.finished_at.and_then(|at| at.format(&Rfc3339).ok());
        object.insert("finished_at".to_owned(), json!(finished_at));
        object.insert("placed_by".to_owned(), json!(order.client.map(|name| name.to_string())));
        (row, object.into())
    });
    let rows: Vec<(_, serde_json::Value)> = rows.collect();
    let objects: Vec<_> = rows.iter().map(|(_, object)| object.clone()).collect();
    let told = next.map_or_else(
        || format!("{} orders, and no more", rows.len()),
        |next| format!("{} orders; the next ones: --cursor {next}", rows.len()),
    );
    let json = json!({ "orders": objects, "next": next.map(|next| next.to_string()) });
    let columns = ["order_id", "accepted_at", "status", "details"];
    Ok(Output::table(columns, rows).concluding(&told, json))
}
