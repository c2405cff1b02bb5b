//! What goes over HTTP by itself: events to those that follow orders, and webhooks.

use serde_json::{Value, json};

use super::channels::{at, messages as carried, operation, schema, tagged};

/// The streams, and where webhooks are sent.
pub(super) fn channels() -> Value {
    json!({
        "orderEvents": {
            "address": "/api/orders/{id}/events",
            "title": "The changes of one order",
            "description": "Server-sent events (`text/event-stream`): how the order stands now, then each \
                change, to the last.",
            "parameters": {"id": {"description": "The order."}},
            "servers": [at("servers/shop")],
            "messages": carried(&["orderStatus"]),
        },
        "eventsOfOrders": {
            "address": "/api/events",
            "title": "The changes of several orders",
            "description": "Server-sent events of up to 100 orders, `?ids=ID,ID`: how each stands now, then \
                each change of any, until all have ended.",
            "servers": [at("servers/shop")],
            "messages": carried(&["orderStatus"]),
        },
        "webhook": {
            "address": "/hooks",
            "title": "How orders end",
            "description": "A `POST` as Standard Webhooks has it, to the path of `WOODY_WEBHOOK_URL`. At \
                least once: a response that is not 2xx has it sent again, with growing pauses, for \
                days; 410 ends that at once.",
            "servers": [at("servers/receiver")],
            "messages": carried(&["orderEnded"]),
        },
    })
}

/// What the shop does with them.
pub(super) fn operations() -> Value {
    let get = |mut operation: Value| {
        operation["bindings"] = json!({"http": {"method": "GET", "bindingVersion": "0.3.0"}});
        tagged(operation, "events")
    };
    let mut tell = operation(
        "send",
        "webhook",
        &["orderEnded"],
        "The shop tells how an order has ended",
        "Once its final state is saved, and once more should an operator have it validated again. \
            The receiver verifies the signature, and passes over an id that it has seen.",
    );
    tell["bindings"] = json!({"http": {"method": "POST", "bindingVersion": "0.3.0"}});
    json!({
        "followOrder": get(operation(
            "send", "orderEvents", &["orderStatus"],
            "A service tells a client how its order stands",
            "Who comes back with `Last-Event-ID` is told what has changed since; 204 once there is nothing to come.",
        )),
        "followOrders": get(operation(
            "send", "eventsOfOrders", &["orderStatus"],
            "A service tells a client how its orders stand",
            "The id of an event says which ends were seen: no end is sent twice, and none is missed.",
        )),
        "tellEnd": tagged(tell, "webhooks"),
    })
}

/// The events.
pub(super) fn messages() -> Value {
    json!({
        "orderStatus": {
            "title": "Order",
            "summary": "How an order stands, as `GET /api/orders/{id}` shows it",
            "contentType": "application/json",
            "headers": schema("StreamFields"),
            "payload": schema("OrderView"),
        },
        "orderEnded": {
            "title": "Order ended",
            "summary": "How an order has ended",
            "contentType": "application/json",
            "headers": schema("WebhookHeaders"),
            "payload": schema("OrderEnded"),
            "examples": [{
                "name": "success",
                "headers": {
                    "webhook-id": "01993c5e-58b8-7c1e-8000-5d3c0a7f1b2c_success",
                    "webhook-timestamp": "1764417600",
                    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
                },
                "payload": {
                    "type": "order.success",
                    "timestamp": "2026-11-23T19:12:00.523456Z",
                    "data": {
                        "order_id": "01993c5e-58b8-7c1e-8000-5d3c0a7f1b2c",
                        "product": "Train",
                        "quantity": 2,
                        "status": "success",
                        "reason": "1 sheet, 12 pieces, 41 % used",
                        "accepted_at": "2026-11-23T19:12:00.123456Z",
                        "finished_at": "2026-11-23T19:12:00.523456Z",
                    },
                },
            }],
        },
    })
}
