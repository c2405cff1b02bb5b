//! Order processing that accepts at once, validates later, and loses nothing.
//!
//! An order has its id as soon as it is durable: in the store together with its outbox entry, or, while the store is
//! away, in the broker. A worker validates it, saves how it ended, and only then acknowledges its message. Neither
//! `kill -9` of the program nor a broker that lost its data loses an order, and none ends twice.
//!
//! [`open`] connects a store and a broker by their URLs; a [`Pipeline`](services::Pipeline) runs over them:
//!
//! ```
//! use std::sync::Arc;
//! use woody::prelude::*;
//!
//! struct NoSwords;
//!
//! #[async_trait]
//! impl Validator for NoSwords {
//!     async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
//!         Ok(match order.details.product.as_str() {
//!             "Sword" => Verdict::Rejected("we sell no weapons".into()),
//!             _ => Verdict::Success(None),
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In a program: "sqlite:orders.db" and "sqlite:queue.db", or "postgres://…" and "amqp://…".
//! let backends = woody::open("memory:", "memory:").await?;
//! let pipeline = backends.pipeline().validator(Arc::new(NoSwords)).start().await?;
//!
//! let accepted = pipeline.intake().accept(ToyOrder::parse("Train", 2)?).await?;
//! let changes = pipeline.tracker().watch(accepted.order.id).await?.ok_or("it is there")?;
//! let ended = changes.collect::<Vec<_>>().await.pop().ok_or("it ends")?;
//! assert_eq!(ended.status.as_str(), "success");
//!
//! pipeline.stop().await;
//! backends.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! This crate is a few re-exports. The work is done in [`woody_core`] (the domain, the ports, the services), in
//! [`woody_store`] and in [`woody_broker`]; `woody_adapters`, behind the feature `http`, has the routes.
//!
#![cfg_attr(feature = "document-features", doc = "# Features")]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod open;
pub mod prelude;

pub use open::{Backends, OpenError, OpenOptions, open};

#[cfg(feature = "http")]
pub use woody_adapters::http;
#[cfg(feature = "workshop")]
pub use woody_core::workshop;
#[cfg(feature = "contract")]
pub use woody_core::{
    act_log_contract, broker_contract, contract, notice_store_contract, order_store_contract,
    pauses_contract, product_store_contract,
};
pub use woody_core::{domain, ports, resilience, services, validation};
pub use {woody_broker as broker, woody_store as store};

/// Crates whose types stand in signatures here, so that a program names the same versions.
///
/// With them a program needs no other dependency: `#[serde(crate = "woody::foreign::serde")]` beside a `derive`, and
/// `#[tokio::main(crate = "woody::foreign::tokio")]`.
pub mod foreign {
    pub use {async_trait, bytes, futures, serde, serde_json, time, tokio, tokio_util, uuid};
}
