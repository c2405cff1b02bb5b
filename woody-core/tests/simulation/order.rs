//! What the town orders: toys, and parcels as an embedder would have them, side by side.

use serde::{Deserialize, Serialize};
use woody_core::domain::{Details, Invalid, NewOrder, OrderDetails, ToyOrder};

/// Every other order is a parcel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TownOrder {
    Parcel(Parcel),
    Toy(ToyOrder),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parcel {
    #[serde(rename = "получатель 🪵")]
    to: Recipient,
    lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recipient {
    name: String,
    floor: Option<u8>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    what: String,
    grams: f64,
}

impl TownOrder {
    pub fn called(name: &str) -> Self {
        let sum: usize = name.bytes().map(usize::from).sum();
        if sum.is_multiple_of(2) {
            return Self::Toy(ToyOrder::parse(name, 1).unwrap());
        }
        let line = Line { what: "\"wings\" \u{0} ü".to_owned(), grams: 0.1 };
        Self::Parcel(Parcel {
            to: Recipient { name: name.to_owned(), floor: sum.is_multiple_of(3).then_some(7) },
            lines: vec![line; sum % 4 + 1],
            note: sum.is_multiple_of(5).then(|| "ring twice".to_owned()),
        })
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Toy(toy) => toy.product.as_str(),
            Self::Parcel(parcel) => &parcel.to.name,
        }
    }
}

impl OrderDetails for TownOrder {
    const NAME: &'static str = "town order";

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Parcel(parcel) if parcel.lines.is_empty() => {
                Err(Invalid::new("lines", "must not be empty"))
            }
            _ => Ok(()),
        }
    }
}

/// What traces call the order.
pub fn name_of(order: &NewOrder<Details>) -> String {
    order.details.decode::<TownOrder>().map_or_else(|e| e.to_string(), |d| d.name().to_owned())
}
