//! The routes of the services: their tables, what each row does, and its description.

mod admin;
mod asyncapi;
mod console;
pub mod dto;
mod file;
mod front;
mod gateway;
mod misc;
mod openapi;
mod orders;
mod products;
mod readiness;
mod reference;

pub use admin::{AdminRoutes, Sampler};
pub use asyncapi::asyncapi;
pub use front::FrontRoutes;
pub use gateway::{GatewayLimits, gateway};
pub use misc::MiscRoutes;
pub use openapi::{HeavyView, OrderState, OrderWord, ToyOrderView, openapi};
#[cfg(feature = "services")]
pub(crate) use orders::OrderView;
pub use orders::{OrderRoutes, StreamSettings, ToyOrderRoutes};
pub use products::ProductRoutes;
pub use readiness::{CheckResult, Readiness, ReadinessReport};
