//! The pipeline inside a program: accept now, validate later, lose nothing.
//!
//! ```sh
//! cargo run --example embed
//! cargo run --example embed amqp://user:password@localhost
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc};

use futures::StreamExt;
use woody_broker::{BrokerOptions, BrokerUrl};
use woody_core::{
    services::{OrderRequest, Pipeline},
    validation::HeavyValidation,
    workshop::{HeavyPool, Workshop},
};
use woody_store::MemoryStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryStore::new());
    // This line alone decides where messages go through.
    let url = std::env::args().nth(1).unwrap_or_else(|| "memory:".to_owned());
    let broker = woody_broker::connect(&BrokerUrl::parse(&url)?, BrokerOptions::default()).await?;

    let validator =
        HeavyValidation::new(Arc::new(Workshop::default()), HeavyPool::default(), store.clone());
    let pipeline =
        Pipeline::new(store, broker.clone()).validator(Arc::new(validator)).start().await?;

    let accepted = pipeline.intake().accept(OrderRequest::parse("Train", 20)?).await?;
    println!("{}: accepted", accepted.order.id);

    let changes = pipeline.tracker().watch(accepted.order.id).await?;
    let mut changes = Box::pin(changes.ok_or("it was accepted, so it is there")?);
    while let Some(order) = changes.next().await {
        println!("{}: {} {:?}", order.id, order.status.as_str(), order.status.reason());
    }
    pipeline.stop().await;
    broker.close().await;
    Ok(())
}
