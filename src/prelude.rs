//! What a program that embeds the pipeline names most: `use woody::prelude::*;`.

pub use async_trait::async_trait;
pub use futures::StreamExt;
pub use woody_core::{
    domain::{IdempotencyKey, NewOrder, Order, OrderId, OrderStatus, ProductName, Quantity},
    ports::{ValidateError, Validator, Verdict},
    services::{Accepted, IntakeError, OrderIntake, OrderRequest, OrderTracker, Pipeline},
    validation::ValidatorChain,
};

pub use crate::Backends;
