//! Pages of orders: any for operators, and for a client those that it has placed.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use woody_core::{
    domain::{
        ClientName, Details, Invalid, Label, NoClientName, Order, OrderDetails, OrderId, StatusName,
    },
    ports::{ListOf, OrderCursor, OrderPage, OrderQuery, OrderStore, PageSize},
    services::TrackedOrder,
};

use super::{api::OrderApi, view::OrderView};
use crate::http::{
    request::{RoutedRequest, query},
    response::{Failure, FailureKind, Response, reply},
    server::key_missing,
};

/// A page of orders, and what `after` is for the next one.
#[derive(Debug, Serialize)]
struct ListedOrders<O> {
    orders: Vec<O>,
    next: Option<String>,
}

/// An order of any type, in the words in which its client sees it.
#[derive(Debug, Serialize)]
struct ListedOrder {
    order_id: OrderId,
    /// What it asks for. No field of it has the name of one of the others.
    #[serde(flatten)]
    details: Map<String, Value>,
    status: &'static str,
    reason: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    accepted_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    finished_at: Option<OffsetDateTime>,
    /// Left out where there is none, or an order has a field of that name itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    placed_by: Option<String>,
}

impl From<Order<Details>> for ListedOrder {
    fn from(order: Order<Details>) -> Self {
        // Details are a JSON object; otherwise the order is listed without them.
        let details: Map<String, Value> =
            serde_json::from_str(order.details.as_str()).unwrap_or_default();
        let placed_by = order.client.filter(|_| !details.contains_key("placed_by"));
        Self {
            order_id: order.id,
            details,
            placed_by: placed_by.map(|client| client.to_string()),
            status: order.status.as_str(),
            reason: order.status.reason().map(ToString::to_string),
            accepted_at: order.accepted_at,
            finished_at: order.finished_at,
        }
    }
}

/// Responds with a page of the orders that the query selects, the oldest first.
pub(in crate::http::routes) async fn page<A>(
    orders: &dyn OrderStore,
    request: &RoutedRequest<A>,
) -> Result<Response, Failure> {
    let [status, since, until, after, limit, client, text] =
        request.query(["status", "since", "until", "after", "limit", "client", "text"])?;
    let of = match (client, text) {
        (Some(_), Some(_)) => {
            let problem = "goes with no client: they are two lists";
            return Err(Failure::field(FailureKind::InvalidValue, "text", problem));
        }
        (Some(client), None) => Some(ListOf::Client(named(&client)?)),
        (None, text) => text.map(|text| ListOf::FoundBy(Label::new(text))),
    };
    let query = OrderQuery { of, ..selected([status, since, until, after, limit])? };
    respond(orders.list(&query).await?, ListedOrder::from)
}

impl<D: OrderDetails> OrderApi<D> {
    /// Responds with a page of the orders that the client has placed which asks, the oldest first.
    pub(super) async fn list<A>(&self, request: &RoutedRequest<A>) -> Result<Response, Failure> {
        let asked = request.query(["status", "since", "until", "after", "limit"])?;
        let Some(client) = request.client_name().cloned() else {
            return Err(key_missing("A list is of what a client has placed by its key"));
        };
        let of = Some(ListOf::Client(client));
        let query = OrderQuery { of, ..selected(asked)? };
        let page = self.tracker.list(&query).await?;
        respond(page, |order| OrderView::from(TrackedOrder::from(order)))
    }
}

fn respond<O: Serialize>(
    page: OrderPage,
    shown: impl Fn(Order<Details>) -> O,
) -> Result<Response, Failure> {
    let orders = page.orders.into_iter().map(shown).collect();
    let page = ListedOrders { orders, next: page.next.map(|next| next.to_string()) };
    Ok(reply::no_store(reply::json(&page)?))
}

/// Returns what `status`, `since`, `until`, `after` and `limit` select.
fn selected(
    [status, since, until, after, limit]: [Option<Cow<'_, str>>; 5],
) -> Result<OrderQuery, Failure> {
    Ok(OrderQuery {
        since: since.map(|since| time(&since, "since")).transpose()?,
        until: until.map(|until| time(&until, "until")).transpose()?,
        status: status.map(|status| parsed::<StatusName>(&status, "status")).transpose()?,
        after: after.map(|after| parsed::<OrderCursor>(&after, "after")).transpose()?,
        limit: limit.map_or(Ok(PageSize::default()), |limit| size(&limit))?,
        of: None,
    })
}

fn named(text: &str) -> Result<ClientName, Failure> {
    text.parse().map_err(|wrong: NoClientName| {
        Failure::field(FailureKind::InvalidValue, "client", wrong.to_string())
    })
}

fn parsed<T>(text: &str, name: &'static str) -> Result<T, Failure>
where
    T: std::str::FromStr<Err = Invalid>,
{
    let invalid =
        |invalid: Invalid| Failure::field(FailureKind::InvalidValue, name, &invalid.problem);
    text.parse().map_err(invalid)
}

fn time(text: &str, name: &'static str) -> Result<OffsetDateTime, Failure> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
        let problem = format!(
            "must be a time such as 2026-11-29T06:00:00Z (RFC 3339), not {}",
            query::quoted(text)
        );
        Failure::field(FailureKind::InvalidValue, name, problem)
    })
}

fn size(text: &str) -> Result<PageSize, Failure> {
    let number = query::number(text, "limit")?;
    let size = u16::try_from(number).ok().and_then(|size| PageSize::new(size).ok());
    size.ok_or_else(|| {
        let problem = format!("must be 1 to {}, not {number}", PageSize::LARGEST.get());
        Failure::field(FailureKind::InvalidValue, "limit", problem)
    })
}
