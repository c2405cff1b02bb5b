//! Your own rule, in a chain behind another one.
//!
//! ```sh
//! cargo run --example own_validator
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc, time::Duration};

use woody::prelude::*;

/// Toys for children, whatever the children say.
struct NoSwords;

#[async_trait]
impl Validator for NoSwords {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        Ok(if order.details.product.as_str().to_lowercase().contains("sword") {
            Verdict::Rejected("we sell no weapons".into())
        } else {
            Verdict::Success(None)
        })
    }
}

/// No customer needs two hundred rocking horses.
struct NoHoarding;

#[async_trait]
impl Validator for NoHoarding {
    async fn validate(&self, order: &NewOrder) -> Result<Verdict, ValidateError> {
        Ok(if order.details.quantity.get() > 100 {
            Verdict::Rejected("more than 100 pieces: call us".into())
        } else {
            Verdict::Success(Some("gladly".into()))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let second = Duration::from_secs(1);
    let chain = ValidatorChain::new().then("weapons", second, Arc::new(NoSwords)).then(
        "hoarding",
        second,
        Arc::new(NoHoarding),
    );
    let backends = woody::open("memory:", "memory:").await?;
    let pipeline = backends.pipeline().validator(Arc::new(chain)).start().await?;

    for (product, pieces) in [("Rocking horse", 1), ("Rocking horse", 200), ("Wooden sword", 1)] {
        let accepted = pipeline.intake().accept(ToyOrder::parse(product, pieces)?).await?;
        let changes = pipeline.tracker().watch(accepted.order.id).await?;
        let changes = changes.ok_or("it was accepted, so it is there")?;
        let ended = changes.collect::<Vec<_>>().await.pop();
        let status = ended.ok_or("a watched order ends")?.status;
        println!("{pieces} x {product}: {} {:?}", status.as_str(), status.reason());
    }
    pipeline.stop().await;
    backends.close().await;
    Ok(())
}
