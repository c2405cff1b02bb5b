//! The same document for orders of a program's own type.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{super::openapi::order_schemas, asyncapi, told};

/// Messages whose examples are orders of toys.
const OF_TOYS: [&str; 2] = ["order", "orderEnded"];

/// Returns the document of an order service alone, whose orders are called `name` and ask for what `schema` says.
pub(in crate::http::routes) fn of_orders(name: &str, schema: Value) -> Bytes {
    let mut document = asyncapi();
    document["info"] = told(&format!("Orders: {name}"));
    for message in OF_TOYS {
        if let Some(Value::Object(message)) =
            document.pointer_mut(&format!("/components/messages/{message}"))
        {
            message.remove("examples");
        }
    }
    if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
        schemas.extend(order_schemas(schema));
        schemas.insert("QueuedOrder".to_owned(), queued());
    }
    // A document of strings: serialising it cannot fail.
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// Returns `document` as of a service that is mounted below `prefix`, if there is one.
pub(in crate::http::routes) fn served_at(document: &Bytes, prefix: &str) -> Bytes {
    if prefix.is_empty() {
        return document.clone();
    }
    let mut document: Value = serde_json::from_slice(document).unwrap_or_default();
    document["servers"]["shop"]["pathname"] = json!(prefix);
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// An order on the queue is what it asks for, and its id.
fn queued() -> Value {
    json!({
        "description": "An order on the queue, in one object with what it asks for. Fields that are not named here are \
            kept with it, and passed over.",
        "allOf": [
            {
                "type": "object",
                "required": ["order_id"],
                "properties": {
                    "order_id": {
                        "description": "Its id: the same id is the same order, however often it comes.",
                        "type": "string",
                        "format": "uuid",
                    },
                    "accepted_at": {
                        "description": "When it was accepted, UTC; when it is taken up, if it is left out.",
                        "type": ["string", "null"],
                        "format": "date-time",
                    },
                },
            },
            {"anyOf": [{"$ref": "#/components/schemas/OrderToPlace"}, {"type": "object"}]},
        ],
    })
}
