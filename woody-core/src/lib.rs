#![doc = include_str!("../README.md")]
#![cfg_attr(feature = "document-features", doc = "# Features")]
#![cfg_attr(feature = "document-features", doc = document_features::document_features!())]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

pub mod backend_url;
pub mod domain;
pub mod forecast;
pub mod ports;
pub mod resilience;
pub mod services;
mod setters;
#[doc(hidden)]
pub mod step;
pub mod validation;
#[cfg(feature = "workshop")]
pub mod workshop;

#[cfg(feature = "contract")]
pub mod contract;
