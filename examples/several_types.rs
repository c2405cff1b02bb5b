//! Orders of several types in one process, each with a pipeline, a store and a queue of its own, on one address.
//!
//! ```sh
//! cargo run --features http --example several_types      # or with ADDRESS FOLDER
//!
//! json='Content-Type: application/json'
//! curl -H "$json" http://127.0.0.1:8090/pizzas/api/orders -d '{"toppings": ["tomato", "basil"]}'
//! curl -H "$json" http://127.0.0.1:8090/api/orders -d '{"title": "Ulysses", "copies": 2}'
//! curl http://127.0.0.1:8090/pizzas/openapi.json
//! ```
//!
//! A store holds orders of one type, and so does a queue: in files they have files of their own, in PostgreSQL and
//! RabbitMQ a database and a queue name ([`OpenOptions::queue`]).

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use woody::{
    OpenOptions,
    foreign::tokio_util::sync::CancellationToken,
    http::{self, Drain, HttpService, OrderRoutes, RateLimit, ServerLimits, ServiceSettings},
    prelude::*,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pizza {
    toppings: Vec<String>,
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Book {
    title: String,
    copies: u16,
}

impl OrderDetails for Book {
    const NAME: &'static str = "book";
}

async fn kitchen(order: NewOrder<Pizza>) -> Result<Verdict, ValidateError> {
    let count = order.details.toppings.len();
    Ok(Verdict::Success(Some(format!("{count} toppings").into())))
}

async fn stock(order: NewOrder<Book>) -> Result<Verdict, ValidateError> {
    let Book { title, copies } = order.details;
    Ok(match copies {
        0..=10 => Verdict::Success(None),
        _ => Verdict::Rejected(format!("there are 10 copies of {title}").into()),
    })
}

/// One type's way, from its files to its routes.
async fn open<D: OrderDetails, V: Validator<D> + 'static>(
    folder: &str,
    validator: V,
    stop: &CancellationToken,
) -> Result<(Backends, Pipeline<D>, impl HttpService + use<D, V>), Box<dyn Error>> {
    let (store, queue) =
        (format!("sqlite:{folder}/{}", D::NAME), format!("sqlite:{folder}/{}-queue", D::NAME));
    let options = OpenOptions::new().queue(D::NAME);
    let backends = options.open(&format!("{store}.db"), &format!("{queue}.db")).await?;
    let pipeline = backends.pipeline().validator(Arc::new(validator)).start().await?;
    let routes = OrderRoutes::of(&pipeline, stop);
    let service = http::service(routes, RateLimit::off(), &ServiceSettings::default());
    Ok((backends, pipeline, service))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut arg = |default: &str| args.next().unwrap_or_else(|| default.to_owned());
    let listener = TcpListener::bind(arg("127.0.0.1:8090")).await?;
    let folder = arg("data");
    let stop = CancellationToken::new();

    let (pizza_backends, pizzas, pizza_service) =
        open(&folder, validator_fn(kitchen), &stop).await?;
    let (book_backends, books, book_service) = open(&folder, validator_fn(stock), &stop).await?;
    let service = http::mount("/pizzas", pizza_service, book_service);

    println!("open at http://{}", listener.local_addr()?);
    let until_ctrl_c = stop.clone();
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        until_ctrl_c.cancel();
    });
    let drain = Drain::new(stop, Duration::from_secs(10));
    let drained = http::serve(listener, service, ServerLimits::default(), drain).await;
    let finished = tokio::join!(pizzas.stop(), books.stop());
    tokio::join!(pizza_backends.close(), book_backends.close());
    println!("closed; all was answered: {}; all was finished: {finished:?}", drained.is_clean());
    Ok(())
}
