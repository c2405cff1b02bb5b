//! Orders of your own type over HTTP, kept in SQLite files: nothing to install, and nothing is lost.
//!
//! ```sh
//! cargo run --features http --example pizza_shop      # or with ADDRESS STORE_URL QUEUE_URL
//!
//! curl -H 'Content-Type: application/json' http://127.0.0.1:8090/api/orders \
//!      -d '{"toppings": [{"name": "tomato"}, {"name": "basil", "grams": 5}], "email": "ada@example.org"}'
//! curl http://127.0.0.1:8090/api/orders/ID/events     # its status, as it changes
//! curl http://127.0.0.1:8090/openapi.json
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use woody::{
    OpenOptions,
    foreign::tokio_util::sync::CancellationToken,
    http::{self, Drain, OrderRoutes, RateLimit, ServerLimits, ServiceSettings},
    prelude::*,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pizza {
    toppings: Vec<Topping>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    email: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Topping {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grams: Option<u32>,
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";

    /// What serde cannot see. Who sends such an order is told the field, with 422.
    fn check(&self) -> Result<(), Invalid> {
        if !(1..=8).contains(&self.toppings.len()) {
            return Err(Invalid::new("toppings", "must be one to eight"));
        }
        if !self.email.contains('@') {
            return Err(Invalid::new("email", "must be an address such as ada@example.org"));
        }
        Ok(())
    }

    /// Who calls to ask for their pizza has forgotten its id, and knows their address.
    fn found_by(&self) -> Option<Label> {
        Some(Label::new(self.email.to_lowercase()))
    }
}

/// What takes time, or asks others, is decided after the order was accepted.
struct Kitchen;

#[async_trait]
impl Validator<Pizza> for Kitchen {
    async fn validate(&self, order: &NewOrder<Pizza>) -> Result<Verdict, ValidateError> {
        let toppings = &order.details.toppings;
        let grams: u32 = toppings.iter().map(|topping| topping.grams.unwrap_or(50)).sum();
        Ok(if toppings.iter().any(|topping| topping.name == "pineapple") {
            Verdict::Rejected("not in this kitchen".into())
        } else {
            Verdict::Success(Some(format!("{grams} g of toppings").into()))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut arg = |default: &str| args.next().unwrap_or_else(|| default.to_owned());
    let listener = TcpListener::bind(arg("127.0.0.1:8090")).await?;
    let (store, queue) = (arg("sqlite:data/pizzas.db"), arg("sqlite:data/pizzas-queue.db"));

    let backends = OpenOptions::new().queue("pizzas").open(&store, &queue).await?;
    let pipeline = backends.pipeline().validator(Arc::new(Kitchen)).start().await?;

    let stop = CancellationToken::new();
    let routes = OrderRoutes::of(&pipeline, &stop).schema(json!({
        "type": "object",
        "required": ["toppings", "email"],
        "properties": {
            "toppings": {"type": "array", "minItems": 1, "maxItems": 8, "items": {"type": "object"}},
            "note": {"type": "string"},
            "email": {"type": "string", "format": "email"},
        },
    }));
    let service = http::service(routes, RateLimit::off(), &ServiceSettings::default());

    println!("open at http://{}", listener.local_addr()?);
    let until_ctrl_c = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        until_ctrl_c.cancel();
    });
    // What is in flight then is answered, and what was accepted is finished, or waits in the queue.
    let drain = Drain::new(stop, Duration::from_secs(10));
    let drained = http::serve(listener, service, ServerLimits::default(), drain).await;
    let finished = pipeline.stop().await;
    backends.close().await;
    println!("closed; all was answered: {}; all was finished: {finished}", drained.is_clean());
    Ok(())
}
