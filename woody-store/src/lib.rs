#![doc = include_str!("../README.md")]
#![cfg_attr(feature = "document-features", doc = "# Features")]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod batch;
mod connect;
mod options;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod row;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod rows;
#[cfg(any(feature = "memory", feature = "postgres"))]
mod stamp;
#[cfg(any(feature = "memory", feature = "sqlite", feature = "postgres"))]
mod trail;
mod url;

#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use connect::connect;
#[cfg(feature = "memory")]
pub use memory::MemoryStore;
pub use options::{OpenError, StoreOptions};
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use url::StoreUrl;
pub use woody_core::backend_url::UrlError;
