//! The shop over HTTP: hyper serves, tower layers guard, and each service is a
//! struct with a route table.
//!
//! [`stack`] puts request ids, metrics, limits and error answers around the
//! [`Routes`] of a service; [`gateway`] puts all services behind one address;
//! [`serve`] serves either until it is told to stop, and drains.

mod admin;
pub mod dto;
mod events;
mod front;
mod gateway;
mod layers;
mod misc;
mod openapi;
mod orders;
mod products;
mod request;
mod response;
mod server;

pub use admin::{AdminRoutes, Readiness};
pub use events::StreamSettings;
pub use front::FrontRoutes;
pub use gateway::{GatewayLimits, gateway};
pub use layers::{
    AnswerBudget, BodyBudget, BodyLimits, Ceiling, ClientShare, Deadline, Rate, RateLimit,
};
pub use misc::MiscRoutes;
pub use openapi::{HeavyView, openapi};
pub use orders::OrderRoutes;
pub use products::ProductRoutes;
pub use request::{Call, Entry, Input, Networks, NoNetwork, RequestId, Verb};
pub use response::{Body, Failure, Kind, Problem, Response, Style};
pub use server::{Drain, Drained, Routes, ServerLimits, Site, StackSettings, serve, stack};
