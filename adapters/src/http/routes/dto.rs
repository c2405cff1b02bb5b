//! What clients send and get, as JSON. The OpenAPI document is made from these.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use woody_core::{
    domain::{Invalid, MAX_SIDE_MM, Part, Parts, Product, ProductName, ToyOrder},
    services::{Accepted, Ready},
};

use crate::http::response::{Failure, FailureKind, Problem};

/// A product to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductToAdd {
    /// Its name: 1 to 200 characters after trimming, no control characters.
    #[schema(min_length = 1, max_length = 200, example = "kite")]
    name: String,
    /// What it is cut from; without parts it is its own name in cut-out letters.
    #[schema(max_items = 200)]
    parts: Option<Vec<PartToCut>>,
}

/// One rectangle that a toy is made of, and how many of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartToCut {
    /// What the workshop calls it: as a product's name.
    #[schema(min_length = 1, max_length = 200, example = "wing")]
    name: String,
    /// Width in millimetres.
    #[schema(minimum = 1, maximum = 10_000, example = 300)]
    width_mm: i64,
    /// Height in millimetres.
    #[schema(minimum = 1, maximum = 10_000, example = 200)]
    height_mm: i64,
    /// How many of it one toy needs; all parts together make 1,000 pieces at most.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1_000, default = 1, example = 2)]
    count: i64,
    /// Whether its grain shows: then its width lies along the sheet's width, and it is never turned.
    #[serde(default)]
    #[schema(default = false)]
    grain: bool,
}

const fn one() -> i64 {
    1
}

impl ProductToAdd {
    /// The product as the domain has it.
    pub(super) fn check(self) -> Result<(ProductName, Parts), Failure> {
        let name = name(&self.name, "name".to_owned())?;
        let mut parts = Vec::new();
        for (i, part) in self.parts.unwrap_or_default().into_iter().enumerate() {
            let field = |leaf: &str| format!("parts[{i}].{leaf}");
            parts.push(Part {
                name: self::name(&part.name, field("name"))?,
                width_mm: number(part.width_mm, MAX_SIDE_MM, field("width_mm"))?,
                height_mm: number(part.height_mm, MAX_SIDE_MM, field("height_mm"))?,
                count: number(part.count, 1_000, field("count"))?,
                grain: part.grain,
            });
        }
        Ok((name, Parts::new(parts)?))
    }
}

fn name(text: &str, field: String) -> Result<ProductName, Failure> {
    ProductName::parse(text).map_err(|Invalid { problem, .. }| {
        Failure::field(FailureKind::InvalidValue, field, problem)
    })
}

fn number(n: i64, max: u32, field: String) -> Result<u32, Failure> {
    match u32::try_from(n) {
        Ok(n) if (1..=max).contains(&n) => Ok(n),
        _ => {
            let problem = format!("must be a whole number from 1 to {max}, not {n}");
            Err(Failure::field(FailureKind::InvalidValue, field, problem))
        }
    }
}

/// A product of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductView {
    /// Its id.
    id: Uuid,
    /// Its name; several products may share one.
    #[schema(example = "kite")]
    name: String,
    /// What it is cut from; empty when it is its own name in cut-out letters.
    parts: Vec<PartView>,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// One rectangle that a toy is made of, and how many of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartView {
    /// What the workshop calls it.
    #[schema(example = "wing")]
    name: String,
    /// Width in millimetres.
    #[schema(example = 300)]
    width_mm: u32,
    /// Height in millimetres.
    #[schema(example = 200)]
    height_mm: u32,
    /// How many of it one toy needs.
    #[schema(example = 2)]
    count: u32,
    /// Whether its grain shows, so that it is never turned; left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    grain: bool,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        let parts = Vec::from(product.parts).into_iter().map(|part| PartView {
            name: part.name.into(),
            width_mm: part.width_mm,
            height_mm: part.height_mm,
            count: part.count,
            grain: part.grain,
        });
        Self {
            id: product.id.as_uuid(),
            name: product.name.into(),
            parts: parts.collect(),
            created_at: product.created_at,
        }
    }
}

/// Some products, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductPage {
    /// The products.
    pub(super) items: Vec<ProductView>,
    /// What to pass as `after` for the next page; null on the last.
    #[schema(required)]
    pub(super) next: Option<Uuid>,
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderToPlace {
    /// What is ordered: 1 to 200 characters after trimming, no control characters.
    #[schema(min_length = 1, max_length = 200, example = "lion")]
    product: String,
    /// How many pieces; one when it is left out.
    #[schema(minimum = 1, maximum = 1_000, default = 1, example = 3)]
    quantity: Option<i64>,
}

impl OrderToPlace {
    /// The order as the domain has it.
    pub(super) fn check(self) -> Result<ToyOrder, Failure> {
        Ok(ToyOrder::parse(&self.product, self.quantity.unwrap_or(1))?)
    }
}

/// When an order will be ready, by what is known of others.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadyTimes {
    /// It is as likely to be ready earlier as later.
    #[serde(with = "time::serde::rfc3339")]
    pub p50: OffsetDateTime,
    /// Nine of ten orders are ready by then.
    #[serde(with = "time::serde::rfc3339")]
    pub p90: OffsetDateTime,
}

impl From<Ready> for ReadyTimes {
    fn from(Ready { p50, p90 }: Ready) -> Self {
        Self { p50, p90 }
    }
}

/// An order that is kept from now on.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderReceipt {
    /// Its id.
    order_id: Uuid,
    /// Where it stood when it was accepted.
    #[schema(example = "pending")]
    status: &'static str,
    /// When it will be ready; left out as long as there is no data, and when its key had placed it
    /// before.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<ReadyTimes>,
}

impl<D> From<&Accepted<D>> for OrderReceipt {
    fn from(accepted: &Accepted<D>) -> Self {
        let Accepted { order, ready, .. } = accepted;
        let ready = ready.map(ReadyTimes::from);
        Self { order_id: order.id.as_uuid(), status: "pending", ready }
    }
}

/// What became of one order of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlacedItem<'a> {
    /// The status that the order would have been answered with alone: 202 when it is kept from
    /// now on, 503 when that is not known and it should be sent again, under its key.
    #[schema(example = 202)]
    status: u16,
    /// The order, if it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a OrderReceipt>,
    /// Whether its key had placed this order before; left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    replayed: bool,
    /// Why it is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem<'a>>,
    /// Seconds until the next try, if that makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

impl<'a> PlacedItem<'a> {
    pub(super) fn order(order: &'a OrderReceipt, replayed: bool) -> Self {
        let (order, problem, retry_after) = (Some(order), None, None);
        Self { status: 202, order, replayed, problem, retry_after }
    }

    pub(super) fn problem(failure: &'a Failure) -> Self {
        let (order, problem) = (None, Some(failure.problem()));
        let (status, retry_after) = (failure.kind().status().as_u16(), failure.retries_after_s());
        Self { status, order, replayed: false, problem, retry_after }
    }
}
