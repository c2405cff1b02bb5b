//! The shop over HTTP: hyper serves, tower layers guard, and each service is a
//! struct with a route table.
//!
//! [`service`] puts request ids, metrics, limits and error responses around the
//! [`Routes`] of a service; [`gateway`] puts all services behind one address, [`mount`] any;
//! [`serve`] serves either until it is stopped, and drains.
//!
//! Its rooms, each of which needs only those below it: `routes` (what the services
//! response), `server` (connections, and the boundary of a service), `layers` (limits),
//! `request`, `response`.

mod layers;
mod request;
mod response;
mod routes;
mod server;

pub use layers::{
    AnswerBudget, BodyBudget, BodyLimits, ClientShare, ConcurrencyLimit, Rate, RateLimit,
    RateStatus, ResponseTimeout,
};
pub use request::{
    Access, Hosts, Networks, NoHost, NoNetwork, NoOrigin, Origins, RequestBody, RequestId, Route,
    RoutedRequest, Sampling, Verb,
};
pub use response::{Body, Failure, FailureKind, FieldError, Problem, Response, Style};
#[cfg(feature = "services")]
pub(crate) use routes::OrderView;
pub use routes::{
    AdminRoutes, CheckResult, FrontRoutes, GatewayLimits, HeavyView, MiscRoutes, OrderRoutes,
    OrderState, OrderWord, ProductRoutes, Readiness, ReadinessReport, Sampler, StreamSettings,
    ToyOrderRoutes, ToyOrderView, asyncapi, dto, gateway, openapi,
};
pub use server::{
    AccessControl, Drain, Drained, ForClient, HttpService, OpenConnections, Routes, ServerLimits,
    ServiceSettings, mount, serve, service,
};
