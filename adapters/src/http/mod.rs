//! The shop over HTTP: hyper serves, tower layers guard, and each service is a
//! struct with a route table.
//!
//! [`stack`] puts request ids, metrics, limits and error answers around the
//! [`Routes`] of a service; [`gateway`] puts all services behind one address;
//! [`serve`] serves either until it is told to stop, and drains.

mod admin;
mod arrival;
mod budget;
mod ceiling;
mod deadline;
pub mod dto;
mod events;
mod front;
mod gateway;
mod limits;
mod metrics;
mod misc;
mod openapi;
mod orders;
mod products;
mod request;
mod response;
mod server;
mod share;
mod stack;
mod wire;

pub use admin::{AdminRoutes, Readiness};
pub use arrival::BodyLimits;
pub use budget::{AnswerBudget, BodyBudget};
pub use ceiling::Ceiling;
pub use deadline::Deadline;
pub use events::StreamSettings;
pub use front::FrontRoutes;
pub use gateway::{GatewayLimits, gateway};
pub use limits::{Rate, RateLimit};
pub use misc::MiscRoutes;
pub use openapi::{HeavyView, openapi};
pub use orders::OrderRoutes;
pub use products::ProductRoutes;
pub use request::{Call, Entry, Input, Networks, NoNetwork, RequestId, Verb};
pub use response::{Body, Failure, Kind, Problem, Response, Style};
pub use server::{Drain, Drained, ServerLimits, serve};
pub use share::ClientShare;
pub use stack::{Routes, Site, StackSettings, stack};
