//! Pizza orders, one JSON object a line, kept in two SQLite files; prints the id of each that is kept.
//!
//! ```sh
//! echo '{"toppings": ["tomato", "basil"], "email": "ada@example.org"}' | cargo run
//! ```

use std::{error::Error, io::stdin, sync::Arc};

use woody::foreign::serde::{Deserialize, Serialize};
use woody::foreign::{serde_json::from_str, tokio};
use woody::ports::Verdict::{Rejected, Success};
use woody::prelude::*;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(crate = "woody::foreign::serde")]
struct Pizza {
    toppings: Vec<String>,
    email: String,
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";

    fn check(&self) -> Result<(), Invalid> {
        if self.email.contains('@') { Ok(()) } else { Err(Invalid::new("email", "is no address")) }
    }
}

async fn kitchen(order: NewOrder<Pizza>) -> Result<Verdict, ValidateError> {
    Ok(if order.details.toppings.len() > 8 { Rejected("too high".into()) } else { Success(None) })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let backends = woody::open("sqlite:orders.db", "sqlite:queue.db").await?;
    let pipeline = backends.pipeline().validator(Arc::new(validator_fn(kitchen))).start().await?;
    for line in stdin().lines() {
        println!("{}", pipeline.intake().accept(from_str::<Pizza>(&line?)?).await?.order.id);
    }
    pipeline.stop().await;
    Ok(backends.close().await)
}
