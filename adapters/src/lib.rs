#![doc = include_str!("../README.md")]
#![cfg_attr(feature = "document-features", doc = "# Features")]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod causes;
#[cfg(feature = "services")]
pub mod config;
pub mod dead_groups;
pub mod environment;
pub mod figures;
pub mod http;
#[cfg(feature = "services")]
mod http_client;
#[cfg(feature = "services")]
pub mod http_validator;
pub mod keys;
#[cfg(feature = "services")]
pub mod migration;
#[cfg(feature = "services")]
mod otlp;
#[cfg(feature = "services")]
pub mod process;
mod rates;
#[cfg(feature = "services")]
pub mod services;
pub mod status;
pub mod story;
#[cfg(feature = "services")]
pub mod terminal;
#[cfg(feature = "services")]
pub mod webhook;
#[cfg(feature = "services")]
pub mod wiring;
