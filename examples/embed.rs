//! The pipeline inside a program: accept now, validate later, lose nothing.
//!
//! ```sh
//! cargo run --features workshop --example embed
//! cargo run --features workshop,rabbitmq --example embed amqp://user:password@localhost
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc};

use woody::{
    prelude::*,
    validation::HeavyValidation,
    workshop::{HeavyPool, Workshop},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // This line alone decides where messages go through.
    let broker = std::env::args().nth(1).unwrap_or_else(|| "memory:".to_owned());
    let backends = woody::open("memory:", &broker).await?;

    let (workshop, pool) = (Arc::new(Workshop::default()), HeavyPool::default());
    let validator = HeavyValidation::new(workshop, pool, backends.products());
    let pipeline = backends.pipeline().validator(Arc::new(validator)).start().await?;

    let accepted = pipeline.intake().accept(ToyOrder::parse("Train", 20)?).await?;
    println!("{}: accepted", accepted.order.id);

    let changes = pipeline.tracker().watch(accepted.order.id).await?;
    let mut changes = Box::pin(changes.ok_or("it was accepted, so it is there")?);
    while let Some(order) = changes.next().await {
        println!("{}: {} {:?}", order.id, order.status.as_str(), order.status.reason());
    }
    pipeline.stop().await;
    backends.close().await;
    Ok(())
}
