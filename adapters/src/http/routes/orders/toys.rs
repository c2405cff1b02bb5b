use std::{fmt, sync::Arc};

use hyper::{
    StatusCode,
    header::{HeaderName, HeaderValue},
};
use woody_core::{
    domain::{IdempotencyKey, OrderId, OrderStatus, ProductName, ToyOrder},
    services::{Kept, OrderIntake, OrderRequest, OrderTracker, TrackedOrder},
};

use super::{
    super::dto::{OrderReceipt, OrderToPlace, OrderView},
    events::{OrderStreams, StreamSettings},
};
use crate::http::{
    request::{Route, RoutedRequest, query},
    response::{Failure, FailureKind, Response, reply},
    server::Routes,
};

/// The order service.
///
/// | route | answer |
/// | --- | --- |
/// | `GET /api/orders/do?order=N` (or `product=N`) | `Your process ID has been created with this product : N` |
/// | `GET /api/orders/?order_id=ID` | `order "ID": Success`, and so on |
/// | `POST /api/orders` | 202, the order's id |
/// | `GET /api/orders/{id}` | the order, or 404 |
/// | `GET /api/orders/{id}/events` | its changes, as server-sent events; 204 to who has seen the last |
pub struct OrderRoutes {
    intake: Arc<OrderIntake>,
    tracker: Arc<OrderTracker>,
    streams: OrderStreams,
}

impl fmt::Debug for OrderRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderRoutes").finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    PlaceByGet,
    Status,
    Place,
    Show,
    Events,
}

const TABLE: &[Route<Action>] = &[
    Route::post("/api/orders", Action::Place),
    Route::text("/api/orders", Action::Status),
    Route::acting("/api/orders/do", "POST /api/orders", Action::PlaceByGet),
    Route::get("/api/orders/{id}", Action::Show),
    Route::get("/api/orders/{id}/events", Action::Events),
];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

impl OrderRoutes {
    /// The routes of the order service.
    pub fn new(
        intake: Arc<OrderIntake>,
        tracker: Arc<OrderTracker>,
        streams: StreamSettings,
    ) -> Self {
        Self { intake, tracker, streams: OrderStreams::new(streams) }
    }

    async fn place_by_get(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.refuse_browsers()?;
        let [order, product] = request.query(["order", "product"])?;
        let (name, field) = match (order, product) {
            (Some(_), Some(_)) => {
                let problem = "and product are two words for one thing: give one of them";
                return Err(Failure::field(FailureKind::DuplicateParameter, "order", problem));
            }
            (None, Some(product)) => (Some(product), "product"),
            (order, None) => (order, "order"),
        };
        let product = ProductName::parse(&query::required(name, field)?)
            .map_err(|invalid| Failure::from(invalid).named(field))?;
        // The gateway gives each request a key, so that a replica that breaks off
        // in the middle can be asked again elsewhere.
        let key = idempotency_key(request)?;
        let request = OrderRequest { details: ToyOrder::from(product), key };
        let order = self.intake.accept(request).await?.order;
        Ok(reply::no_store(reply::text(format!(
            "Your process {} has been created with this product : {}",
            order.id, order.details.product
        ))))
    }

    async fn status(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let [id] = request.query(["order_id"])?;
        let id = OrderId::parse(&query::required(id, "order_id")?)?;
        match self.tracker.order(id).await? {
            Some(order) => Ok(reply::no_store(reply::text(status_line(&order)))),
            None => Err(Failure::new(FailureKind::NotFound, format!("order \"{id}\": None"))),
        }
    }

    async fn place(&self, request: RoutedRequest<Action>) -> Result<Response, Failure> {
        request.query([])?;
        let key = idempotency_key(&request)?;
        let body: OrderToPlace = request.body.json()?;
        let details = body.check()?;
        let accepted = self.intake.accept(OrderRequest { details, key }).await?;
        let location = format!("/api/orders/{}", accepted.order.id);
        let receipt = OrderReceipt::from(&accepted.order);
        let response = reply::made(StatusCode::ACCEPTED, &location, &receipt)?;
        Ok(match accepted.kept {
            Kept::Already => {
                reply::with(response, IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"))
            }
            Kept::InStore | Kept::InBroker => response,
        })
    }

    async fn show(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.query([])?;
        let id = OrderId::parse(request.variable())?;
        let order = self.tracker.order(id).await?;
        let order = order.ok_or_else(|| reply::no_such("order", id))?;
        Ok(reply::no_store(reply::json(&OrderView::from(order))?))
    }

    async fn events(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        request.query([])?;
        let id = OrderId::parse(request.variable())?;
        if let Some(seen) = request.headers().get(LAST_EVENT_ID)
            && let Some(order) = self.tracker.order(id).await?
            && order.status.is_final()
            && seen.as_bytes() == order.status.as_str().as_bytes()
        {
            // The client has seen the end. An EventSource connects again after each
            // end of its stream, until it is told so.
            return Ok(reply::no_content());
        }
        let slot = self.streams.take_slot(request.client)?;
        let changes = self.tracker.watch(id).await?;
        Ok(slot.respond(changes.ok_or_else(|| reply::no_such("order", id))?))
    }
}

fn idempotency_key(request: &RoutedRequest<Action>) -> Result<Option<IdempotencyKey>, Failure> {
    match request.single_header(IDEMPOTENCY_KEY, "Idempotency-Key")? {
        // What is no text is no key either: the domain says so.
        Some(key) => Ok(Some(IdempotencyKey::parse(key.to_str().unwrap_or_default())?)),
        None => Ok(None),
    }
}

fn status_line(order: &TrackedOrder) -> String {
    let id = order.id;
    match &order.status {
        OrderStatus::Pending => format!("order \"{id}\": Pending"),
        OrderStatus::Success(_) => format!("order \"{id}\": Success"),
        OrderStatus::Rejected(why) => format!("order \"{id}\": Rejected: {why}"),
        OrderStatus::Failed(why) => format!("order \"{id}\": Failed: {why}"),
    }
}

impl Routes for OrderRoutes {
    type Action = Action;

    const SERVICE: &'static str = "orders";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::PlaceByGet => self.place_by_get(&request).await,
            Action::Status => self.status(&request).await,
            Action::Place => self.place(request).await,
            Action::Show => self.show(&request).await,
            Action::Events => self.events(&request).await,
        }
    }
}
