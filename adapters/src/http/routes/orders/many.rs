use std::{collections::HashSet, sync::Arc};

use futures::{
    StreamExt,
    future::join_all,
    stream::{self, select_all},
};
use woody_core::domain::{OrderDetails, OrderId};

use super::{
    api::{LAST_EVENT_ID, OrderApi},
    events::event,
    seen::Seen,
    view::OrderView,
};
use crate::http::{
    request::{RoutedRequest, query},
    response::{Failure, FailureKind, Response, reply},
};

/// Orders that one stream follows, at most: their ids fit into an address.
const MOST: usize = 100;
/// Orders that an answer names which are not there.
const NAMED: usize = 3;

impl<D: OrderDetails> OrderApi<D> {
    /// Follows several orders to their ends, by one stream.
    pub(super) async fn follow<A>(&self, request: &RoutedRequest<A>) -> Result<Response, Failure> {
        let [ids] = request.query(["ids"])?;
        let ids = parse(&query::required(ids, "ids")?)?;
        let slot = self.streams.take_slot(request, ids.len())?;
        let last = request.headers().get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
        let mut seen = Seen::read(last.unwrap_or_default(), &ids);

        // All that are looked up together share a statement.
        let looks = join_all(ids.iter().map(|id| self.tracker.watch(*id))).await;
        let (mut first, mut changes, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for (place, look) in looks.into_iter().enumerate() {
            let Some(watched) = look? else {
                missing.push(ids[place]);
                continue;
            };
            let mut watched = watched.boxed();
            let Some(now) = watched.next().await else { continue };
            if seen.has(place, &now.status) {
                continue;
            }
            if !now.status.is_final() {
                changes.push(watched.map(move |order| (place, order)));
            }
            first.push((place, now));
        }
        if !missing.is_empty() {
            return Err(reply::no_such(if missing.len() == 1 { "order" } else { "orders" }, {
                let named: Vec<_> = missing.iter().take(NAMED).map(ToString::to_string).collect();
                let more = if missing.len() > NAMED { ", …" } else { "" };
                named.join(", ") + more
            }));
        }
        if first.is_empty() {
            // An EventSource connects again after each end, until it is told this.
            return Ok(reply::no_content());
        }
        let all = stream::iter(first).chain(select_all(changes));
        let tracker = Arc::clone(&self.tracker);
        Ok(slot.respond(all.map(move |(place, order)| {
            seen.note(place, &order.status);
            let ready = tracker.ready(&order);
            event(&OrderView::from(order).ready(ready), &seen)
        })))
    }
}

/// The ids of the orders that a client follows.
fn parse(text: &str) -> Result<Vec<OrderId>, Failure> {
    let count = text.split(',').count();
    if text.is_empty() || count > MOST {
        let given = if text.is_empty() { 0 } else { count };
        let problem = format!("must be 1 to {MOST} ids, parted by commas, and are {given}");
        return Err(Failure::field(FailureKind::InvalidValue, "ids", problem));
    }
    let mut ids = Vec::with_capacity(count);
    let mut known = HashSet::with_capacity(count);
    for (n, text) in text.split(',').enumerate() {
        let refused = |problem: String| {
            Failure::field(FailureKind::InvalidValue, format!("ids[{n}]"), problem)
        };
        let id = OrderId::parse(text)
            .map_err(|_| refused(format!("must be a UUID, not {}", query::quoted(text))))?;
        if !known.insert(id) {
            return Err(refused(format!("is {id}, which stands there twice")));
        }
        ids.push(id);
    }
    Ok(ids)
}
