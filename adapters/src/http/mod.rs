//! The shop over HTTP: hyper serves, tower layers guard, and each service is a
//! struct with a route table.
//!
//! [`stack`] puts request ids, metrics, limits and error answers around the
//! [`Routes`] of a service; [`gateway`] puts all services behind one address;
//! [`serve`] serves either until it is told to stop, and drains.

mod admin;
mod arrival;
mod budget;
mod call;
mod ceiling;
mod deadline;
pub mod dto;
mod events;
mod front;
mod gateway;
mod input;
mod limits;
mod metrics;
mod misc;
mod negotiate;
mod networks;
mod openapi;
mod orders;
mod products;
mod query;
mod request_id;
mod response;
mod routing;
mod server;
mod share;
mod stack;
mod wire;

pub use admin::{AdminRoutes, Readiness};
pub use arrival::BodyLimits;
pub use budget::{AnswerBudget, BodyBudget};
pub use call::Call;
pub use ceiling::Ceiling;
pub use deadline::Deadline;
pub use events::StreamSettings;
pub use front::FrontRoutes;
pub use gateway::{GatewayLimits, gateway};
pub use input::Input;
pub use limits::{Rate, RateLimit};
pub use misc::MiscRoutes;
pub use networks::{Networks, NoNetwork};
pub use openapi::{HeavyView, openapi};
pub use orders::OrderRoutes;
pub use products::ProductRoutes;
pub use request_id::RequestId;
pub use response::{Body, Failure, Kind, Problem, Response, Style};
pub use routing::{Entry, Verb};
pub use server::{Drain, Drained, ServerLimits, serve};
pub use share::ClientShare;
pub use stack::{Routes, Site, StackSettings, stack};
