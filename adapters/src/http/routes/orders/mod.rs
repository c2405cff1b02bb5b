//! Placing, showing and following orders.

mod accepted;
mod api;
mod batch;
mod batch_room;
mod events;
pub(super) mod listed;
mod many;
mod plain;
mod seen;
pub(super) mod told;
mod toys;
mod view;
mod waiting;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use woody_core::{
    domain::{OrderDetails, ToyOrder},
    services::{OrderIntake, OrderTracker, Pipeline},
};

use super::{asyncapi, openapi};
use crate::http::{
    request::{Route, RoutedRequest, json},
    response::{Failure, Response, reply},
    server::Routes,
};
use api::OrderApi;

pub use events::StreamSettings;
pub use toys::ToyOrderRoutes;
#[cfg(feature = "services")]
pub(crate) use view::OrderView;

/// The order service of a program of its own: orders ask for a `D`.
///
/// | route | response |
/// | --- | --- |
/// | `POST /api/orders` | 202, the order's id |
/// | `POST /api/orders/batch` | what became of each of up to 500 orders |
/// | `GET /api/orders/list` | a page of what the client has placed that shows a key |
/// | `GET /api/orders/{id}` | the order, or 404; with `?wait=30` once it has ended, or after 30 s as it is |
/// | `DELETE /api/orders/{id}` | the order, which is cancelled; 409 if it has ended in another way |
/// | `GET /api/orders/{id}/events` | its changes, as server-sent events; 204 to who has seen the last |
/// | `GET /api/events?ids=ID,ID` | the changes of up to 100 orders by one stream |
/// | `GET /openapi.json` | all of this, as OpenAPI |
/// | `GET /asyncapi.json` | the messages of its queue, its events and webhooks, as AsyncAPI |
///
/// A body is the fields of `D` as one JSON object, and so is an order, with `order_id`,
/// `status` and the like beside them. A field that `D` does not have is refused, whether
/// `D` itself would refuse it or not (unless `D` reads its fields by way of serde's
/// `flatten`, which hides them from us); what serde or [`OrderDetails::check_all`] refuses is
/// shown as 422 with each wrong field, such as `toppings[2].name`; `check_all` is asked once all fields can be read. An `Idempotency-Key` makes one
/// order of a submit that is sent twice; in a batch it is a field of the item's,
/// `idempotency_key`, which is then none of `D`'s own. One listener serves orders of several types, each
/// type below a prefix of its own: [`mount`](crate::http::mount).
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use tokio_util::sync::CancellationToken;
/// use woody_adapters::http::{self, OrderRoutes};
/// # use woody_core::{domain::OrderDetails, services::Pipeline};
///
/// # #[derive(Debug, Clone, Serialize, Deserialize)]
/// # struct Pizza { toppings: Vec<String> }
/// # impl OrderDetails for Pizza { const NAME: &'static str = "pizza"; }
/// # async fn example(
/// #     pipeline: Pipeline<Pizza>, stop: CancellationToken,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let routes = OrderRoutes::of(&pipeline, &stop);
/// let service = http::service(routes, http::RateLimit::off(), &http::ServiceSettings::default());
/// let drain = http::Drain::new(stop, std::time::Duration::from_secs(25));
/// let drained = http::serve(listener, service, http::ServerLimits::default(), drain).await;
/// # let _ = drained;
/// # Ok(())
/// # }
/// ```
pub struct OrderRoutes<D: OrderDetails = ToyOrder> {
    api: OrderApi<D>,
    document: Bytes,
    messages: Bytes,
}

impl<D: OrderDetails> fmt::Debug for OrderRoutes<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrderRoutes").field("orders", &D::NAME).finish_non_exhaustive()
    }
}

/// What a row of the table does.
#[derive(Debug, Clone, Copy)]
pub enum Action {
    Place,
    PlaceAll,
    List,
    Show,
    Cancel,
    Events,
    Follow,
    OpenApi,
    AsyncApi,
}

const TABLE: &[Route<Action>] = &[
    Route::post("/api/orders", Action::Place),
    Route::post_batch("/api/orders/batch", Action::PlaceAll),
    Route::get("/api/orders/list", Action::List),
    Route::get("/api/orders/{id}", Action::Show),
    Route::delete("/api/orders/{id}", Action::Cancel),
    Route::get("/api/orders/{id}/events", Action::Events),
    Route::get("/api/events", Action::Follow),
    Route::get("/openapi.json", Action::OpenApi).open(),
    Route::get("/asyncapi.json", Action::AsyncApi).open(),
];

impl<D: OrderDetails> OrderRoutes<D> {
    /// Returns the routes over an intake and a tracker.
    pub fn new(
        intake: Arc<OrderIntake<D>>,
        tracker: Arc<OrderTracker<D>>,
        streams: StreamSettings,
    ) -> Self {
        let (document, messages) = Self::documents(serde_json::json!({"type": "object"}));
        Self { api: OrderApi::new(intake, tracker, streams), document, messages }
    }

    /// Returns the routes over a pipeline; streams end when `stop` is cancelled.
    ///
    /// Drop them, as a server does when it ends, before the pipeline is stopped: it waits
    /// for everything that may still place orders.
    pub fn of(pipeline: &Pipeline<D>, stop: &CancellationToken) -> Self {
        let streams = StreamSettings::until(stop.clone());
        Self::new(pipeline.intake(), pipeline.tracker(), streams)
    }

    /// Sets the JSON Schema of `D` that `/openapi.json` and `/asyncapi.json` show; any object by default.
    ///
    /// A schema as the crate `schemars` writes it is taken as it is: its `$defs` become
    /// schemas of the documents.
    #[must_use]
    pub fn schema(self, schema: Value) -> Self {
        let (document, messages) = Self::documents(schema);
        Self { document, messages, ..self }
    }

    fn documents(schema: Value) -> (Bytes, Bytes) {
        (openapi::of_orders(D::NAME, schema.clone()), asyncapi::of_orders(D::NAME, schema))
    }
}

/// What a body asks for; `effort` as [`json::parse_whole`] takes it.
fn details_of<D: OrderDetails>(body: &[u8], effort: &mut usize) -> Result<D, Failure> {
    json::parse_whole(body, D::check_all, effort)
}

impl<D: OrderDetails> Routes for OrderRoutes<D> {
    type Action = Action;

    const SERVICE: &'static str = "orders";

    fn table() -> &'static [Route<Action>] {
        TABLE
    }

    async fn handle(&self, request: &RoutedRequest<Action>) -> Result<Response, Failure> {
        match request.action {
            Action::Place => self.api.place(request, details_of).await,
            Action::PlaceAll => self.api.place_all(request, details_of).await,
            Action::List => self.api.list(request).await,
            Action::Show => self.api.show(request).await,
            Action::Cancel => self.api.cancel(request).await,
            Action::Events => self.api.events(request).await,
            Action::Follow => self.api.follow(request).await,
            Action::OpenApi => {
                request.query([])?;
                let document = openapi::served_at(&self.document, request.prefix());
                Ok(reply::bytes(reply::JSON, document))
            }
            Action::AsyncApi => {
                request.query([])?;
                let messages = asyncapi::served_at(&self.messages, request.prefix());
                Ok(reply::bytes(reply::JSON, messages))
            }
        }
    }
}
