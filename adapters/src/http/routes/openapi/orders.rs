//! Orders as responses show them. These only describe what is written elsewhere, and a
//! test reads real responses with them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use utoipa::{OpenApi as _, ToSchema, openapi::tag::TagBuilder};
use uuid::Uuid;

use super::{super::dto, access, info::described, operations, rate, words::RateLimited};
use crate::http::response::Problem;

/// An order and where it stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderView)]
pub struct ToyOrderView {
    /// Its id.
    pub order_id: Uuid,
    /// What is ordered; missing, as are quantity and time, while the order is kept by
    /// the broker alone.
    #[schema(example = "lion")]
    pub product: Option<String>,
    /// How many pieces.
    #[schema(minimum = 1, maximum = 1_000, example = 3)]
    pub quantity: Option<u16>,
    /// Where it stands: `pending`, then one of `success`, `rejected`, `failed`.
    pub status: OrderWord,
    /// Why it ended so, or the plan's figures.
    #[schema(example = "1 sheet, 12 pieces, 41 % used")]
    pub reason: Option<String>,
    /// When it was accepted.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub accepted_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    /// When it will be ready, while it is pending; left out as long as there is no data, and once it
    /// should have ended.
    pub ready: Option<dto::ReadyTimes>,
}

/// An order of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only shows how an item is written")]
pub(super) struct OrderInBatch {
    /// What is ordered: 1 to 200 characters after trimming, no control characters.
    #[schema(min_length = 1, max_length = 200, example = "lion")]
    product: String,
    /// How many pieces; one when it is left out.
    #[schema(minimum = 1, maximum = 1_000, default = 1, example = 3)]
    quantity: Option<u16>,
    /// What the client calls this order: sent twice, it is one. Visible ASCII.
    #[schema(min_length = 1, max_length = 255, example = "cart-42")]
    idempotency_key: Option<String>,
}

/// An order and where it stands, without what it asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrderState {
    /// Its id.
    pub order_id: Uuid,
    /// Where it stands: `pending`, then one of `success`, `rejected`, `failed`.
    pub status: OrderWord,
    /// Why it ended so.
    pub reason: Option<String>,
    /// When it was accepted; missing while the order is kept by the broker alone.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub accepted_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub finished_at: Option<OffsetDateTime>,
    /// When it will be ready, while it is pending; left out as long as there is no data, and once it
    /// should have ended.
    pub ready: Option<dto::ReadyTimes>,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OrderWord {
    /// Accepted, not yet validated.
    Pending,
    /// It can be made.
    Success,
    /// It cannot be made.
    Rejected,
    /// It could not be validated.
    Failed,
    /// It was taken back.
    Cancelled,
}

#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    Problem,
    RateLimited,
    dto::OrderReceipt,
    dto::ReadyTimes,
    dto::PlacedItem,
    OrderState
)))]
struct Schemas;

const ABOUT: &str = "An order is accepted at once, durably; it is then validated in the \
    background, and succeeds or is rejected. Errors are problems (RFC 9457). Every answer \
    carries `X-Request-Id`.";

/// The schema of what an order asks for.
const ASKED: &str = "OrderToPlace";

/// Returns the document of an order service alone, whose orders are called `name` and
/// ask for what `schema` says.
pub(in crate::http::routes) fn of_orders(name: &str, schema: Value) -> Bytes {
    let tag =
        |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
    let document = described(&format!("Orders: {name}"), ABOUT)
        .paths(rate::limited(access::guarded(operations::order_paths())))
        .components(Some(access::with_scheme(Schemas::openapi().components)))
        .tags(Some([
            tag("orders", "Orders are accepted now and validated later."),
            tag("misc", "What the service says of itself."),
        ]))
        .build();
    // A document of strings: neither can fail.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.extend(schemas_of(schema));
        schemas.insert("OrderView".to_owned(), view());
        schemas.insert("OrderInBatch".to_owned(), in_batch());
    }
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// What an order of any type is shown with.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(OrderState)))]
struct Shown;

/// Returns the schemas of orders that ask for what `schema` says, for another document: `OrderToPlace`, which is that one,
/// `OrderView`, and those that they refer to.
pub(in crate::http::routes) fn order_schemas(schema: Value) -> Map<String, Value> {
    // A document of strings: it cannot fail.
    let shown = serde_json::to_value(Shown::openapi().components).unwrap_or_default();
    let mut schemas = match shown.get("schemas") {
        Some(Value::Object(shown)) => shown.clone(),
        _ => Map::new(),
    };
    schemas.extend(schemas_of(schema));
    schemas.insert("OrderView".to_owned(), view());
    schemas
}

/// Returns `document` as of a service that is mounted below `prefix`, if there is one.
pub(in crate::http::routes) fn served_at(document: &Bytes, prefix: &str) -> Bytes {
    if prefix.is_empty() {
        return document.clone();
    }
    let mut document: Value = serde_json::from_slice(document).unwrap_or_default();
    document["servers"] = json!([{ "url": prefix }]);
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// An order is its state, and what it asked for unless only the broker has it.
fn view() -> Value {
    json!({
        "description": "An order and where it stands, in one object with what it asks for; \
            that is missing while the order is kept by the broker alone.",
        "allOf": [
            {"$ref": "#/components/schemas/OrderState"},
            {"anyOf": [{"$ref": format!("#/components/schemas/{ASKED}")}, {"type": "object"}]},
        ],
    })
}

/// An order of a batch has a key beside its own fields, which its schema need not know.
fn in_batch() -> Value {
    json!({
        "description": format!("The fields of an {ASKED}, and a key if it has one."),
        "type": "object",
        "properties": {"idempotency_key": {
            "description": "What the client calls this order: sent twice, it is one. Visible ASCII.",
            "type": ["string", "null"],
            "minLength": 1,
            "maxLength": 255,
        }},
    })
}

/// `schema`, and those that it defines for itself, as schemas of the document.
fn schemas_of(mut schema: Value) -> Map<String, Value> {
    let mut schemas = Map::new();
    if let Value::Object(fields) = &mut schema {
        fields.remove("$schema");
        for key in ["$defs", "definitions"] {
            if let Some(Value::Object(definitions)) = fields.remove(key) {
                let named = |(name, definition)| (format!("{ASKED}.{name}"), definition);
                schemas.extend(definitions.into_iter().map(named));
            }
        }
    }
    schemas.insert(ASKED.to_owned(), schema);
    schemas.values_mut().for_each(redirect);
    schemas
}

/// Lets references to definitions lead to where these are now.
fn redirect(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get_mut("$ref") {
                let name = ["#/$defs/", "#/definitions/"].iter().find_map(|at| to.strip_prefix(at));
                if let Some(name) = name {
                    *to = format!("#/components/schemas/{ASKED}.{name}");
                } else if to == "#" {
                    *to = format!("#/components/schemas/{ASKED}");
                }
            }
            fields.values_mut().for_each(redirect);
        }
        Value::Array(items) => items.iter_mut().for_each(redirect),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_schema_defines_for_itself_is_found_in_the_document() {
        let schemas = schemas_of(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "toppings": {"type": "array", "items": {"$ref": "#/$defs/Topping"}},
                "half": {"$ref": "#"},
            },
            "$defs": {
                "Topping": {"type": "object", "properties": {"of": {"$ref": "#/$defs/Kind"}}},
                "Kind": {"type": "string"},
            },
        }));
        let expected = json!({
            "OrderToPlace": {
                "type": "object",
                "properties": {
                    "toppings": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/OrderToPlace.Topping"},
                    },
                    "half": {"$ref": "#/components/schemas/OrderToPlace"},
                },
            },
            "OrderToPlace.Topping": {
                "type": "object",
                "properties": {"of": {"$ref": "#/components/schemas/OrderToPlace.Kind"}},
            },
            "OrderToPlace.Kind": {"type": "string"},
        });
        assert_eq!(Value::Object(schemas), expected);
    }
}
