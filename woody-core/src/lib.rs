#![doc = include_str!("../README.md")]

pub mod backend_url;
pub mod domain;
pub mod ports;
pub mod resilience;
pub mod services;
#[doc(hidden)]
pub mod step;
pub mod validation;
pub mod workshop;

#[cfg(feature = "contract")]
pub mod contract;
