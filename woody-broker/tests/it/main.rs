//! Every backend against the contract of the broker, and what is its own besides.

#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "sqlite")]
mod sqlite;
