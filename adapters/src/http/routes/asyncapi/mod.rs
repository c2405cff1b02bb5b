//! The AsyncAPI document: what goes over the queue, what clients are told as it happens, and what
//! webhooks are sent. Orders and their states are those of the OpenAPI document; tests hold real
//! messages against the schemas, and the channels against what is declared and served.

mod any_order;
mod channels;
mod http;
mod payloads;
mod queue;

use std::sync::LazyLock;

use serde_json::{Value, json};
use utoipa::OpenApi as _;

pub(super) use self::any_order::{of_orders, served_at};
use super::{file::File, openapi::info};
use crate::http::response::reply;

const ABOUT: &str = "What the shop says without being asked each time: orders on the queue, from \
    the services that accept them to the workers; changes of an order, to the clients that follow \
    it; and how orders end, to a webhook.\n\n\
    What is asked for and answered is in `/openapi.json`. Fields that a reader does not know are \
    to be passed over: there may be more of them in a later version.";

/// What the services send without being asked each time, as AsyncAPI 3.1.
///
/// The queue has its default name, `order_processing`; `WOODY_QUEUE` gives it another.
pub fn asyncapi() -> Value {
    // A document of strings: serialising it cannot fail.
    let mut components =
        serde_json::to_value(payloads::Schemas::openapi().components).unwrap_or_default();
    components["messages"] = merged([queue::messages(), http::messages()]);
    json!({
        "asyncapi": "3.1.0",
        "id": "urn:woodytoys:shop",
        "info": told("WoodyToys"),
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "localhost:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ, where `WOODY_BROKER_URL` names one. A shop on one machine \
                    keeps its queue in a file that no other program reads.",
            },
            "shop": {
                "host": "localhost:8080",
                "protocol": "http",
                "description": "The shop, or its gateway.",
            },
            "receiver": {
                "host": "erp.example",
                "protocol": "https",
                "description": "Where `WOODY_WEBHOOK_URL` leads.",
            },
        },
        "channels": merged([queue::channels(), http::channels()]),
        "operations": merged([queue::operations(), http::operations()]),
        "components": components,
    })
}

/// The document, written once.
pub(super) fn document() -> &'static File {
    static DOCUMENT: LazyLock<File> = LazyLock::new(|| {
        let bytes = serde_json::to_vec(&asyncapi()).unwrap_or_default();
        File::new(reply::JSON, bytes.into())
    });
    &DOCUMENT
}

/// What the document says of itself: AsyncAPI knows no identifier of a license, and has its tags here.
fn told(title: &str) -> Value {
    // Strings: serialising them cannot fail.
    let mut info = serde_json::to_value(info(title, ABOUT)).unwrap_or_default();
    info["license"] = json!({"name": info["license"]["name"]});
    info["tags"] = json!([
        {"name": "queue", "description": "Between the shop's own programs, and those of others on the same queue."},
        {"name": "events", "description": "Server-sent events, to clients that follow orders."},
        {"name": "webhooks", "description": "Signed requests to a receiver of yours."},
    ]);
    info
}

/// Objects as one.
fn merged<const N: usize>(objects: [Value; N]) -> Value {
    let fields = objects.into_iter().filter_map(|object| match object {
        Value::Object(fields) => Some(fields),
        _ => None,
    });
    fields.flatten().collect::<serde_json::Map<_, _>>().into()
}
