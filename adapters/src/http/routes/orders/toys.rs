use std::{fmt, sync::Arc};

use hyper::header::{HeaderName, HeaderValue, VARY};
use woody_core::{
    domain::{OrderId, OrderStatus, Outcome, ProductName, ToyOrder},
    services::{OrderIntake, OrderRequest, OrderTracker, TrackedOrder},
};

use super::{
    super::dto::OrderToPlace,
    api::{OrderApi, idempotency_key},
    events::StreamSettings,
    plain,
};
use crate::http::{
    request::{Route, RoutedRequest, choose, json, query},
    response::{Failure, FailureKind, Response, reply},
    server::Routes,
};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The shop's order service: what [`OrderRoutes`](super::OrderRoutes) serves, and the
/// routes of the original system.
///
/// | route | response |
/// | --- | --- |
/// | `GET /api/orders/do?order=N` (or `product=N`) | `Your process ID has been created with this product : N` |
/// | `GET /api/orders/?order_id=ID` | `order "ID": Success`, and so on |
/// | `POST /api/orders` | 202, the order's id |
/// | `POST /api/orders/batch` | what became of each of up to 500 orders |
/// | `GET /api/orders/list` | a page of what the client has placed that shows a key |
/// | `GET /api/orders/{id}` | the order, or 404; with `?wait=30` once it has ended, or after 30 s as it is; to a browser that is led there, 303 to the order's page |
/// | `DELETE /api/orders/{id}` | the order, which is cancelled; 409 if it has ended in another way |
/// | `GET /api/orders/{id}/events` | its changes, as server-sent events; 204 to who has seen the last |
/// | `GET /api/events?ids=ID,ID` | the changes of up to 100 orders by one stream |
/// | `GET /orders` | a form to order by, for browsers that run no script |
/// | `POST /orders` | 303 to the order that the form asks for |
/// | `GET /orders/{id}` | where the order is, as a page without a script |
/// | `POST /orders/{id}/cancel` | 303 to the order, which is cancelled if it was pending |
pub struct ToyOrderRoutes {
    api: OrderApi<ToyOrder>,
}

impl fmt::Debug for ToyOrderRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToyOrderRoutes").finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    PlaceByGet,
    Status,
    Place,
    PlaceAll,
    List,
    Show,
    Cancel,
    Events,
    Follow,
    PlainForm,
    PlainPlace,
    PlainShow,
    PlainCancel,
}

const TABLE: &[Route<Action>] = &[
    Route::post("/api/orders", Action::Place),
    Route::text("/api/orders", Action::Status),
    Route::acting("/api/orders/do", "POST /api/orders", Action::PlaceByGet),
    Route::post_batch("/api/orders/batch", Action::PlaceAll),
    Route::get("/api/orders/list", Action::List),
    Route::get("/api/orders/{id}", Action::Show),
    Route::delete("/api/orders/{id}", Action::Cancel),
    Route::get("/api/orders/{id}/events", Action::Events),
    Route::get("/api/events", Action::Follow),
    Route::get("/orders", Action::PlainForm).open(),
    Route::post_form("/orders", Action::PlainPlace),
    Route::get("/orders/{id}", Action::PlainShow),
    Route::post_form("/orders/{id}/cancel", Action::PlainCancel),
];

impl ToyOrderRoutes {
    /// The routes of the order service.
    pub fn new(
        intake: Arc<OrderIntake>,
        tracker: Arc<OrderTracker>,
        streams: StreamSettings,
    ) -> Self {
        Self { api: OrderApi::new(intake, tracker, streams) }
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
        let order = OrderRequest { key, ..ToyOrder::from(product).into() };
        let order = self.api.accept(request, order).await?.order;
        Ok(reply::no_store(reply::text(format!(
            "Your process {} has been created with this product : {}",
            order.id, order.details.product
        ))))
    }

    async fn status(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let [id] = request.query(["order_id"])?;
        let id = OrderId::parse(&query::required(id, "order_id")?)?;
        match self.api.tracker.order(id).await? {
            Some(order) => Ok(reply::no_store(reply::text(status_line(&order)))),
            None => Err(Failure::new(FailureKind::NotFound, format!("order \"{id}\": None"))),
        }
    }

    /// Shows an order to programs; a person who opens its address is led to its page.
    async fn show(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        let response = match Self::page_of(request)? {
            Some(page) => page,
            None => self.api.show(request).await?,
        };
        // What a browser keeps for its scripts is not to be shown to its visitor.
        Ok(reply::with(response, VARY, HeaderValue::from_static("accept")))
    }

    /// Returns where the page of an order is, if HTML is what the client likes best: browsers do
    /// where an address is opened. What takes anything is a program.
    fn page_of(request: &RoutedRequest<Action>) -> Result<Option<Response>, Failure> {
        let headers = request.headers();
        let fetches = headers.get(SEC_FETCH_MODE).is_some_and(|mode| mode != "navigate");
        if fetches || choose(headers, &[reply::JSON, "text/html"]) != Some(1) {
            return Ok(None);
        }
        let location = format!("{}/orders/{}", request.prefix(), request.variable());
        let location = HeaderValue::from_str(&location).map_err(Failure::internal)?;
        Ok(Some(reply::see_other(location)))
    }
}

/// What a body asks for.
fn asked_for(body: &[u8], effort: &mut usize) -> Result<ToyOrder, Failure> {
    json::parse::<OrderToPlace>(body, effort).map(ToyOrder::from)
}

fn status_line(order: &TrackedOrder) -> String {
    let id = order.id;
    match &order.status {
        OrderStatus::Pending => format!("order \"{id}\": Pending"),
        OrderStatus::Ended(Outcome::Success(_)) => format!("order \"{id}\": Success"),
        OrderStatus::Ended(Outcome::Rejected(why)) => format!("order \"{id}\": Rejected: {why}"),
        OrderStatus::Ended(Outcome::Failed(why)) => format!("order \"{id}\": Failed: {why}"),
        OrderStatus::Ended(Outcome::Cancelled(_)) => format!("order \"{id}\": Cancelled"),
    }
}

impl Routes for ToyOrderRoutes {
    type Action = Action;

    const SERVICE: &'static str = "orders";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::PlaceByGet => self.place_by_get(request).await,
            Action::Status => self.status(request).await,
            Action::Place => self.api.place(request, asked_for).await,
            Action::PlaceAll => self.api.place_all(request, asked_for).await,
            Action::List => self.api.list(request).await,
            Action::Show => self.show(request).await,
            Action::Cancel => self.api.cancel(request).await,
            Action::Events => self.api.events(request).await,
            Action::Follow => self.api.follow(request).await,
            Action::PlainForm => plain::form(request),
            Action::PlainPlace => plain::place(&self.api, request).await,
            Action::PlainShow => plain::show(&self.api, request).await,
            Action::PlainCancel => plain::cancel(&self.api, request).await,
        }
    }
}
