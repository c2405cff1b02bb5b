#![doc = include_str!("../README.md")]
#![cfg_attr(feature = "document-features", doc = "# Features")]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod connect;
#[cfg(any(feature = "memory", feature = "sqlite"))]
mod events;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod url;

pub use connect::{BrokerOptions, connect};
#[cfg(feature = "memory")]
pub use memory::MemoryBroker;
#[cfg(feature = "rabbitmq")]
pub use rabbitmq::RabbitMqBroker;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteBroker;
pub use url::BrokerUrl;
pub use woody_core::backend_url::UrlError;
