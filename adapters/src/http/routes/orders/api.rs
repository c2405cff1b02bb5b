use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use hyper::{
    HeaderMap, StatusCode,
    header::{CACHE_CONTROL, HeaderName, HeaderValue},
};
use woody_core::{
    domain::{IdempotencyKey, OrderDetails, OrderId, OrderStatus, Outcome, Reason},
    services::{
        Accepted, Cancellation, Kept, OrderIntake, OrderRequest, OrderTracker, Ready, TrackedOrder,
    },
};

use super::{
    super::dto::OrderReceipt,
    accepted::log_accepted,
    batch_room::BatchRoom,
    events::{OrderStreams, StreamSettings, event},
    view::OrderView,
};
use crate::http::{
    request::{RoutedRequest, json},
    response::{Failure, FailureKind, Response, Version, reply},
};

pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What can be asked of orders of any type.
pub(super) struct OrderApi<D: OrderDetails> {
    pub(super) intake: Arc<OrderIntake<D>>,
    pub(super) tracker: Arc<OrderTracker<D>>,
    pub(super) streams: OrderStreams,
    pub(super) batches: BatchRoom,
}

impl<D: OrderDetails> OrderApi<D> {
    pub(super) fn new(
        intake: Arc<OrderIntake<D>>,
        tracker: Arc<OrderTracker<D>>,
        streams: StreamSettings,
    ) -> Self {
        Self { intake, tracker, streams: OrderStreams::new(streams), batches: BatchRoom::new() }
    }

    /// Places the order that the body asks for, as `read` understands it.
    pub(super) async fn place<A>(
        &self,
        request: &RoutedRequest<A>,
        read: impl Fn(&[u8], &mut usize) -> Result<D, Failure>,
    ) -> Result<Response, Failure> {
        request.query([])?;
        let key = idempotency_key(request)?;
        let details = read(request.body.bytes(), &mut { json::EFFORT })?;
        let order = OrderRequest { key, ..details.into() };
        let accepted = self.accept(request, order).await?;
        let location = format!("{}/api/orders/{}", request.prefix(), accepted.order.id);
        let receipt = OrderReceipt::from(&accepted);
        let response = reply::made(StatusCode::ACCEPTED, &location, &receipt)?;
        Ok(match accepted.kept {
            Kept::Already => {
                reply::with(response, IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"))
            }
            Kept::InStore | Kept::InBroker => response,
        })
    }

    /// Accepts what the client asks for, and logs it.
    pub(super) async fn accept<A>(
        &self,
        request: &RoutedRequest<A>,
        order: OrderRequest<D>,
    ) -> Result<Accepted<D>, Failure> {
        let accepted = self.intake.accept(asked_by(request, order)).await?;
        log_accepted(request, &accepted);
        Ok(accepted)
    }

    /// Returns one order as it stands.
    pub(super) async fn find(&self, id: OrderId) -> Result<TrackedOrder<D>, Failure> {
        self.tracker.order(id).await?.ok_or_else(|| reply::no_such("order", id))
    }

    /// Returns an order as it is shown, with when it will be ready.
    pub(super) fn view(&self, order: TrackedOrder<D>) -> OrderView<D> {
        let ready = self.tracker.ready(&order);
        OrderView::from(order).ready(ready)
    }

    /// Cancels one order, and shows it.
    pub(super) async fn cancel<A>(&self, request: &RoutedRequest<A>) -> Result<Response, Failure> {
        request.query([])?;
        let id = OrderId::parse(request.variable())?;
        match self.intake.cancel(id, cancelled_by(request)).await? {
            Cancellation::Cancelled => {
                let order = self.view(self.find(id).await?);
                Ok(reply::no_store(reply::json(&order)?))
            }
            Cancellation::Ended(outcome) => Err(Failure::new(
                FailureKind::AlreadyEnded,
                format!("The order has ended as {} before, and stays so.", outcome.as_str()),
            )),
            Cancellation::Unknown => Err(reply::no_such("order", id)),
        }
    }

    /// Follows one order to its end.
    pub(super) async fn events<A>(&self, request: &RoutedRequest<A>) -> Result<Response, Failure> {
        request.query([])?;
        let id = OrderId::parse(request.variable())?;
        if let Some(seen) = request.headers().get(LAST_EVENT_ID)
            && let Some(order) = self.tracker.order(id).await?
            && order.status.is_final()
            && seen.as_bytes() == order.status.as_str().as_bytes()
        {
            // The client has seen the end. An EventSource connects again after each
            // end of its stream, until it gets a 204.
            return Ok(reply::no_content());
        }
        let slot = self.streams.take_slot(request, 1)?;
        let changes = self.tracker.watch(id).await?;
        let changes = changes.ok_or_else(|| reply::no_such("order", id))?;
        let tracker = Arc::clone(&self.tracker);
        Ok(slot.respond(changes.map(move |order| {
            let ready = tracker.ready(&order);
            let view = OrderView::from(order).ready(ready);
            // The status is all that a client has seen so far.
            event(&view, view.status())
        })))
    }
}

/// What is asked for, as a part of the request's trace and as its client's own.
pub(super) fn asked_by<A, D>(
    request: &RoutedRequest<A>,
    order: OrderRequest<D>,
) -> OrderRequest<D> {
    order.traced(request.trace()).placed_by(request.client_name().cloned())
}

/// Who has cancelled an order, as the reason of its end, where clients have names.
pub(super) fn cancelled_by<A>(request: &RoutedRequest<A>) -> Option<Reason> {
    request.client_name().map(|name| Reason::from(format!("by {name}")))
}

/// The client may keep it, and need not ask again; nobody on the way may.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// Returns the response that shows `order`, which will be `ready` then, to a client that asked
/// with these headers.
pub(super) fn shown<D: OrderDetails>(
    order: TrackedOrder<D>,
    ready: Option<Ready>,
    asked: &HeaderMap,
) -> Result<Response, Failure> {
    let changes = match &order.status {
        OrderStatus::Pending | OrderStatus::Ended(Outcome::Failed(_)) => true,
        OrderStatus::Ended(Outcome::Success(_) | Outcome::Rejected(_) | Outcome::Cancelled(_)) => {
            false
        }
    };
    let view = OrderView::from(order).ready(ready);
    if changes {
        return Ok(reply::no_store(reply::json(&view)?));
    }
    let written = Bytes::from(serde_json::to_vec(&view).map_err(Failure::internal)?);
    let response = Version::of(&written).respond(reply::JSON, &written, asked);
    Ok(reply::with(response, CACHE_CONTROL, FOR_EVER))
}

/// What the client calls this submit, if it says so.
pub(super) fn idempotency_key<A>(
    request: &RoutedRequest<A>,
) -> Result<Option<IdempotencyKey>, Failure> {
    match request.single_header(IDEMPOTENCY_KEY, "Idempotency-Key")? {
        // What is no text is no key either: the domain says so.
        Some(key) => {
            let key = IdempotencyKey::parse(key.to_str().unwrap_or_default())?;
            Ok(Some(request.own(key)))
        }
        None => Ok(None),
    }
}
