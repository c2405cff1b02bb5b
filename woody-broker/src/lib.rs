#![doc = include_str!("../README.md")]

#[cfg(any(feature = "memory", feature = "sqlite"))]
mod events;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(feature = "sqlite")]
pub mod sqlite;
