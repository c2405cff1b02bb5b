//! What a program that embeds the pipeline names most: `use woody::prelude::*;`.

pub use async_trait::async_trait;
pub use futures::StreamExt;
pub use woody_core::{
    domain::{
        IdempotencyKey, Invalid, Label, NewOrder, Order, OrderDetails, OrderId, OrderStatus,
        Outcome, ProductName, Quantity, SubscriptionName, ToyOrder,
    },
    ports::{Notifier, NotifyError, OrderNotice, ValidateError, Validator, Verdict},
    services::{Accepted, IntakeError, OrderIntake, OrderRequest, OrderTracker, Pipeline},
    validation::{ValidatorChain, validator_fn},
};

pub use crate::Backends;
