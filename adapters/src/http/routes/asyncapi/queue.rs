//! The queue of orders: what a program that shares it publishes and consumes.

use serde_json::{Value, json};

use super::channels::{at, messages as carried, operation, schema, tagged};

const BINDING: &str = "0.3.0";

fn queue(name: &str) -> Value {
    json!({"amqp": {
        "is": "queue",
        "queue": {"name": name, "durable": true, "exclusive": false, "autoDelete": false},
        "bindingVersion": BINDING,
    }})
}

/// The queues and the exchange.
pub(super) fn channels() -> Value {
    json!({
        "orders": {
            "address": "order_processing",
            "title": "Orders to be validated",
            "description": "Published to the default exchange with the queue's name as the routing key, \
                persistent, mandatory, confirmed. The queue is declared durable and with no \
                arguments, so that any program can declare it the same; what it needs beyond that \
                is the broker's configuration. A shop that spreads its orders over several queues \
                (WOODY_QUEUE_SHARDS) takes what is published here as ever, and publishes a part of its \
                orders here: the others go to queues of this name with a number, for its own workers.",
            "servers": [at("servers/broker")],
            "messages": carried(&["order"]),
            "bindings": queue("order_processing"),
        },
        "retries": {
            "address": "order_processing.retry.{delay_ms}",
            "title": "Orders on their way to the next attempt",
            "description": "A message waits here until it expires, and returns to the orders by \
                dead-lettering. There is a queue for each doubling of the delay.",
            "parameters": {"delay_ms": {
                "description": "The longest delay of its messages, in milliseconds: 250, doubled up to 14 times.",
                "examples": ["250", "1000"],
            }},
            "servers": [at("servers/broker")],
            "messages": carried(&["orderToRetry"]),
            "bindings": queue("order_processing.retry.250"),
        },
        "deadLetters": {
            "address": "order_processing.dead",
            "title": "Orders that were given up",
            "description": "Kept until an operator redrives or purges them (`woodyctl dead`). What the \
                broker itself moves here has the headers that the broker writes.",
            "servers": [at("servers/broker")],
            "messages": carried(&["deadLetter"]),
            "bindings": queue("order_processing.dead"),
        },
        "statusChanges": {
            "address": "order_processing.events",
            "title": "Status changes",
            "description": "A fanout exchange. What is announced here may be lost, and is announced \
                after it is saved: who needs each of them subscribes a webhook.",
            "servers": [at("servers/broker")],
            "messages": carried(&["statusChanges"]),
            "bindings": {"amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": "order_processing.events",
                    "type": "fanout",
                    "durable": true,
                    "autoDelete": false,
                },
                "bindingVersion": BINDING,
            }},
        },
    })
}

/// What the shop's programs do with them.
pub(super) fn operations() -> Value {
    let publishing =
        json!({"amqp": {"deliveryMode": 2, "mandatory": true, "bindingVersion": BINDING}});
    let consuming = json!({"amqp": {"ack": true, "bindingVersion": BINDING}});
    let bound = |mut operation: Value, bindings: &Value| {
        operation["bindings"] = bindings.clone();
        tagged(operation, "queue")
    };
    json!({
        "publishOrders": bound(operation(
            "send", "orders", &["order"],
            "A service publishes orders that it has accepted",
            "At least once. From then on they are validated, by whichever worker takes them.",
        ), &publishing),
        "validateOrders": bound(operation(
            "receive", "orders", &["order"],
            "A worker takes orders to validate",
            "It acknowledges an order once its final state is saved. What is no order becomes a dead \
                letter at once.",
        ), &consuming),
        "postponeOrders": bound(operation(
            "send", "retries", &["orderToRetry"],
            "A worker puts off the next attempt",
            "With growing delays; after the last attempt the order has failed.",
        ), &publishing),
        "giveUpOrders": bound(operation(
            "send", "deadLetters", &["deadLetter"],
            "A worker gives up an order",
            "After the last attempt, or because the message is no order.",
        ), &publishing),
        "announceChanges": tagged(operation(
            "send", "statusChanges", &["statusChanges"],
            "A worker announces status changes",
            "Transient and unconfirmed, up to 256 changes in one message.",
        ), "queue"),
        "hearOfChanges": tagged(operation(
            "receive", "statusChanges", &["statusChanges"],
            "A service wakes the clients that follow an order",
            "Each service binds an exclusive queue of its own.",
        ), "queue"),
    })
}

/// The messages, with what stands in their headers.
pub(super) fn messages() -> Value {
    let order = |title: &str, summary: &str, headers: &str| {
        json!({
            "title": title,
            "summary": summary,
            "contentType": "application/json",
            "headers": schema(headers),
            "payload": schema("QueuedOrder"),
        })
    };
    let mut new = order("Order", "An order that is to be validated", "OrderHeaders");
    new["examples"] = json!([{
        "name": "ofTheShop",
        "headers": {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        "payload": {
            "order_id": "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f",
            "product": "Train",
            "quantity": 2,
            "accepted_at": "2026-11-23T19:12:00.123456Z",
        },
    }, {
        "name": "ofAnotherProgram",
        "summary": "All that there has to be.",
        "payload": {"order_id": "3f0d6a2e-47d4-4b80-9d0e-0f4c6f3e2b11", "product": "Train"},
    }]);
    json!({
        "order": new,
        "orderToRetry": order("Order to retry", "An order whose validation gave no verdict", "RetryHeaders"),
        "deadLetter": order("Dead letter", "An order that was given up", "DeadLetterHeaders"),
        "statusChanges": {
            "title": "Status changes",
            "summary": "Orders that have changed",
            "contentType": "application/json",
            "payload": schema("StatusChanges"),
            "examples": [{
                "name": "rejected",
                "payload": [{
                    "order_id": "0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f",
                    "status": "rejected",
                    "reason": "a part is larger than any sheet",
                }],
            }],
        },
    })
}
