//! A type that has changed reads the orders that older versions of it wrote: those in the store, and those that waited
//! in the queue while the program was updated. It asserts what it shows.
//!
//! ```sh
//! cargo run --example migrating_a_type
//! ```

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc};

use serde::{Deserialize, Serialize};
use woody::prelude::*;

/// The type as the first version of the program had it.
mod first {
    use super::{Deserialize, OrderDetails, Serialize};

    #[derive(Debug, Clone, Serialize, Deserialize)]
    pub(super) struct Pizza {
        pub(super) mail: String,
        pub(super) toppings: Vec<String>,
    }

    impl OrderDetails for Pizza {
        const NAME: &'static str = "pizza";
    }
}

/// The type as it is now. What was written once stays as it was written; only how it is read has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pizza {
    /// Renamed: `alias` reads the old name.
    #[serde(alias = "mail")]
    email: String,
    /// Another shape: each version of it is read, and the newest written.
    #[serde(deserialize_with = "any_version")]
    toppings: Vec<Topping>,
    /// Added: `default` is what it means for an order that knew nothing of it.
    #[serde(default)]
    delivery: Delivery,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Topping {
    name: String,
    grams: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Delivery {
    #[default]
    Collected,
    Brought,
}

/// A topping as any version wrote it; the first one that fits is taken.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyTopping {
    Now(Topping),
    First(String),
}

fn any_version<'de, D: serde::Deserializer<'de>>(toppings: D) -> Result<Vec<Topping>, D::Error> {
    let toppings = Vec::<AnyTopping>::deserialize(toppings)?;
    let read = |topping| match topping {
        AnyTopping::Now(topping) => topping,
        AnyTopping::First(name) => Topping { name, grams: 50 },
    };
    Ok(toppings.into_iter().map(read).collect())
}

impl OrderDetails for Pizza {
    const NAME: &'static str = "pizza";
}

async fn kitchen(order: NewOrder<Pizza>) -> Result<Verdict, ValidateError> {
    let grams: u32 = order.details.toppings.iter().map(|topping| topping.grams).sum();
    Ok(Verdict::Success(Some(format!("{grams} g of toppings").into())))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let (store, queue) = (file("orders.db"), file("queue.db"));

    // The first version accepts an order, and is stopped before anybody has validated it.
    let backends = woody::open(&store, &queue).await?;
    let pipeline = backends.pipeline::<first::Pizza>().start().await?;
    let toppings = vec!["tomato".to_owned(), "basil".to_owned()];
    let details = first::Pizza { mail: "ada@example.org".to_owned(), toppings };
    let id = pipeline.intake().accept(details).await?.order.id;
    pipeline.stop().await;
    backends.close().await;

    // The new version validates it, and shows it as it would one of its own.
    let backends = woody::open(&store, &queue).await?;
    let pipeline = backends.pipeline().validator(Arc::new(validator_fn(kitchen))).start().await?;
    let changes = pipeline.tracker().watch(id).await?.ok_or("the order is there")?;
    let ended = changes.collect::<Vec<_>>().await.pop().ok_or("it has a status")?;
    assert_eq!(
        ended.status,
        OrderStatus::Ended(Outcome::Success(Some("100 g of toppings".into())))
    );
    let topping = |name: &str| Topping { name: name.to_owned(), grams: 50 };
    let expected = Pizza {
        email: "ada@example.org".to_owned(),
        toppings: vec![topping("tomato"), topping("basil")],
        delivery: Delivery::Collected,
    };
    assert_eq!(ended.stored.map(|order| order.details), Some(expected.clone()));
    println!("written by the first version, read by the second: {expected:?}");

    pipeline.stop().await;
    backends.close().await;
    Ok(())
}
