//! From flags to what a service is made of. This is the one place that names backends.

mod backends;
mod checks;
mod heavy;
mod pools;
mod validation;
mod webhook;

pub use backends::{
    Files, broker_name, open_broker, open_store, open_store_with, refuse_memory, status_board,
    store_name,
};
pub use checks::{
    broker_check, consumer_check, either_check, late_consumer_check, late_until_empty, pause_check,
    store_check, waits_check,
};
pub use heavy::{heavy_computation, heavy_pool};
pub use pools::{connections, requests, store_connections, threads};
pub use validation::{
    LONGEST_VALIDATION, check_validation_timeout, toy_validator, validator, with_service,
};
pub use webhook::webhook;
