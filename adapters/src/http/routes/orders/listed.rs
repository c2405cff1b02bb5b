//! Pages of orders, for operators.

use serde::Serialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use woody_core::{
    domain::{Details, Invalid, Order, OrderId, StatusName},
    ports::{OrderCursor, OrderPage, OrderQuery, OrderStore, PageSize},
};

use crate::http::{
    request::{RoutedRequest, query},
    response::{Failure, FailureKind, Response, reply},
};

/// A page of orders, and what `after` is for the next one.
#[derive(Debug, Serialize)]
struct ListedOrders {
    orders: Vec<ListedOrder>,
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
}

impl From<Order<Details>> for ListedOrder {
    fn from(order: Order<Details>) -> Self {
        Self {
            order_id: order.id,
            // Details are a JSON object; otherwise the order is listed without them.
            details: serde_json::from_str(order.details.as_str()).unwrap_or_default(),
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
    let [status, since, until, after, limit] =
        request.query(["status", "since", "until", "after", "limit"])?;
    let query = OrderQuery {
        since: since.map(|since| time(&since, "since")).transpose()?,
        until: until.map(|until| time(&until, "until")).transpose()?,
        status: status.map(|status| parsed::<StatusName>(&status, "status")).transpose()?,
        after: after.map(|after| parsed::<OrderCursor>(&after, "after")).transpose()?,
        limit: limit.map_or(Ok(PageSize::default()), |limit| size(&limit))?,
    };
    let OrderPage { orders, next } = orders.list(&query).await?;
    let orders = orders.into_iter().map(ListedOrder::from).collect();
    let page = ListedOrders { orders, next: next.map(|next| next.to_string()) };
    Ok(reply::no_store(reply::json(&page)?))
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
