#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "what tests are made of: a wrong value is a fault of the test"
)]

use serde::{Deserialize, Serialize};

use crate::domain::{Details, NewOrder, OrderDetails, ProductName, Quantity, ToyOrder};

/// What the orders of a clause ask for. Every clause about orders runs once with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderType {
    /// The shop's own [`ToyOrder`]: two plain fields.
    Toy,
    /// A type with lists, nested and optional fields, and names in other scripts.
    Parcel,
}

impl OrderType {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Toy, Self::Parcel];
    /// One, for clauses that are not about orders.
    pub const ONE: &[Self] = &[Self::Toy];
}

tokio::task_local! {
    static ORDERS: OrderType;
}

/// Runs a clause with orders of this type.
pub async fn with_orders_of<F: Future>(order_type: OrderType, clause: F) -> F::Output {
    println!("with orders of type {order_type:?}");
    ORDERS.scope(order_type, clause).await
}

/// An order type as embedders have them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Parcel {
    lines: Vec<Line>,
    #[serde(rename = "куда 🪵", skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    what: String,
    pieces: u16,
    grams: f64,
}

impl OrderDetails for Parcel {
    const NAME: &'static str = "parcel";
}

/// Returns an order for one toy, as ports carry it; for tests.
///
/// # Panics
/// When that is no name of a product.
pub fn toy(name: &str) -> NewOrder<Details> {
    let toy = ToyOrder::parse(name, 1).expect("a good name");
    NewOrder::new(toy).encode(Details::MAX_BYTES).expect("a small order")
}

/// Returns the details of an order for so many of `what`.
pub(super) fn pieces_of(what: &str, pieces: u16) -> Details {
    let is_parcel = ORDERS.try_with(|order_type| *order_type == OrderType::Parcel);
    let details = if is_parcel.unwrap_or(false) {
        let line = Line { what: what.to_owned(), pieces, grams: 0.1 + f64::from(pieces) };
        let to = (pieces % 2 == 1).then(|| format!("{what}\u{0}\r\n\\"));
        Details::of(&Parcel { lines: vec![line; 2], to, note: None }, Details::LARGEST)
    } else {
        let product = ProductName::parse(what).expect("a good name");
        let quantity = Quantity::new(pieces.into()).expect("a good quantity");
        Details::of(&ToyOrder { product, quantity }, Details::LARGEST)
    };
    details.expect("good details")
}
