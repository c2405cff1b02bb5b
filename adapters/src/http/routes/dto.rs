//! What clients send and get, as JSON. The OpenAPI document is made from these.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use woody_core::{
    domain::{Invalid, MAX_SIDE_MM, Part, Parts, Product, ProductName, Quantity, ToyOrder},
    services::{Accepted, Ready},
};

use crate::http::response::{Failure, Problem};

/// A product to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductToAdd {
    /// Its name: 1 to 200 characters after trimming, no control characters.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "kite")]
    name: Name,
    /// What it is cut from; without parts it is its own name in cut-out letters.
    #[schema(value_type = Option<Vec<PartToCut>>, max_items = 200)]
    parts: Option<PartsToCut>,
}

/// One rectangle that a toy is made of, and how many of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartToCut {
    /// What the workshop calls it: as a product's name.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "wing")]
    name: Name,
    /// Width in millimetres.
    #[schema(value_type = i64, minimum = 1, maximum = 10_000, example = 300)]
    width_mm: UpTo<MAX_SIDE_MM>,
    /// Height in millimetres.
    #[schema(value_type = i64, minimum = 1, maximum = 10_000, example = 200)]
    height_mm: UpTo<MAX_SIDE_MM>,
    /// How many of it one toy needs; all parts together make 1,000 pieces at most.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000, default = 1, example = 2)]
    count: UpTo<1_000>,
    /// Whether its grain shows: then its width lies along the sheet's width, and it is never turned.
    #[serde(default)]
    #[schema(default = false)]
    grain: bool,
}

impl From<ProductToAdd> for (ProductName, Parts) {
    fn from(product: ProductToAdd) -> Self {
        (product.name.0, product.parts.map(|parts| parts.0).unwrap_or_default())
    }
}

/// A name as it is read; what is wrong with it does not say which field it is of.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Name(ProductName);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        ProductName::parse(&text).map(Self).map_err(|Invalid { problem, .. }| problem)
    }
}

/// A whole number from 1 to `MAX`; 1 where it is left out.
#[derive(Debug, Deserialize)]
#[serde(try_from = "i64")]
struct UpTo<const MAX: u32>(u32);

impl<const MAX: u32> Default for UpTo<MAX> {
    fn default() -> Self {
        Self(1)
    }
}

impl<const MAX: u32> TryFrom<i64> for UpTo<MAX> {
    type Error = String;

    fn try_from(n: i64) -> Result<Self, String> {
        match u32::try_from(n) {
            Ok(n) if (1..=MAX).contains(&n) => Ok(Self(n)),
            _ => Err(format!("must be a whole number from 1 to {MAX}, not {n}")),
        }
    }
}

/// The parts as the domain takes them, together.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Vec<PartToCut>")]
struct PartsToCut(Parts);

impl TryFrom<Vec<PartToCut>> for PartsToCut {
    type Error = String;

    fn try_from(parts: Vec<PartToCut>) -> Result<Self, String> {
        let parts = parts.into_iter().map(|part| Part {
            name: part.name.0,
            width_mm: part.width_mm.0,
            height_mm: part.height_mm.0,
            count: part.count.0,
            grain: part.grain,
        });
        Parts::new(parts.collect()).map(Self).map_err(|Invalid { problem, .. }| problem)
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
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "lion")]
    product: Name,
    /// How many pieces; one when it is left out.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000, default = 1, example = 3)]
    quantity: Option<Pieces>,
}

impl From<OrderToPlace> for ToyOrder {
    fn from(order: OrderToPlace) -> Self {
        let quantity = order.quantity.map(|pieces| pieces.0).unwrap_or_default();
        Self { product: order.product.0, quantity }
    }
}

/// A quantity as it is read.
#[derive(Debug, Deserialize)]
#[serde(try_from = "i64")]
struct Pieces(Quantity);

impl TryFrom<i64> for Pieces {
    type Error = String;

    fn try_from(n: i64) -> Result<Self, String> {
        Quantity::new(n).map(Self).map_err(|Invalid { problem, .. }| problem)
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
