use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::time::{Instant, sleep_until};
use woody_core::domain::{OrderDetails, OrderId};

use super::{
    api::{OrderApi, shown},
    view::OrderView,
};
use crate::http::{
    request::{RoutedRequest, query},
    response::{Failure, FailureKind, Response, reply},
};

/// The longest that a client may wait, in seconds.
const LONGEST_S: u64 = 60;

impl<D: OrderDetails> OrderApi<D> {
    /// Shows one order: as it is, or, to a client that waits, once it has ended.
    ///
    /// Who waits is counted among those that follow orders, and no longer among the requests
    /// under way: its response has begun.
    pub(super) async fn show<A>(&self, request: &RoutedRequest<A>) -> Result<Response, Failure> {
        let [wait] = request.query(["wait"])?;
        let wait = wait.map_or(Ok(Duration::ZERO), |wait| seconds(&wait))?;
        let until = Instant::now() + wait;
        let id = OrderId::parse(request.variable())?;
        if wait.is_zero() {
            let order = self.find(id).await?;
            let ready = self.tracker.ready(&order);
            return shown(order, ready, request.headers());
        }
        let changes = self.tracker.watch(id).await?;
        let mut changes = changes.ok_or_else(|| reply::no_such("order", id))?.boxed();
        let now = match changes.next().await {
            Some(now) => now,
            None => self.find(id).await?,
        };
        if now.status.is_final() {
            return shown(now, None, request.headers());
        }
        let slot = self.streams.take_slot(request, 1)?;
        let (tracker, stopped) = (self.tracker.clone(), slot.stop());
        Ok(slot.respond_later(async move {
            let order = tokio::select! {
                biased;
                // An order that is pending changes once.
                Some(ended) = changes.next() => ended,
                () = stopped.cancelled() => now,
                () = sleep_until(until) => match tracker.order(id).await {
                    Ok(Some(order)) => order,
                    // It was pending when it was looked at last.
                    Ok(None) | Err(_) => now,
                },
            };
            // It was written as JSON before: that cannot fail.
            let ready = tracker.ready(&order);
            let view = OrderView::from(order).ready(ready);
            serde_json::to_vec(&view).map_or_else(|_| Bytes::new(), Bytes::from)
        }))
    }
}

/// How long a client waits.
fn seconds(text: &str) -> Result<Duration, Failure> {
    if let Ok(seconds @ 0..=LONGEST_S) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let text = query::quoted(text);
    let problem = format!("must be a whole number of seconds from 0 to {LONGEST_S}, not {text}");
    Err(Failure::field(FailureKind::InvalidValue, "wait", problem))
}
