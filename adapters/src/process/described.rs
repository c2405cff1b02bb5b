//! What each metric of a process says, told by `/metrics` as its HELP, and which build it is.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};

const COUNTERS: [(&str, &str); 11] = [
    ("woody_deliveries_total", "Deliveries that a worker has dealt with, by what became of them."),
    (
        "woody_ends_heard_total",
        "Ends of orders, in whichever process, of which this one has heard.",
    ),
    ("woody_notices_total", "Attempts to tell the end of an order, by what became of them."),
    ("woody_orders_cancel_total", "Wishes to cancel an order, by what became of them."),
    (
        "woody_orders_given_up_by_broker_total",
        "Orders that ended as failed since the broker gave up their messages.",
    ),
    ("woody_orders_intake_total", "Orders that were asked for, by where they are kept or why not."),
    ("woody_outbox_published_total", "Orders whose messages the broker has confirmed."),
    ("woody_outbox_refilled_total", "Orders put back into the outbox, their messages lost."),
    ("woody_promises_rewritten_total", "Orders that a store continued from a copy lacked."),
    ("woody_store_timelines_total", "Times that the store was continued from a copy of it."),
    ("woody_trace_spans_total", "Spans that were sent to the collector, or dropped."),
];

const SECONDS: [(&str, &str); 2] = [
    (
        "http_server_request_duration_seconds",
        "How long requests took until their responses began, by route, method and status.",
    ),
    ("woody_validation_seconds", "How long validations took, without waits for a dependency."),
];

const GAUGES: [(&str, &str); 3] = [
    ("woody_build_info", "1, with the version as a label."),
    ("woody_queue_paused", "1 while an operator has the workers pause, else 0."),
    ("woody_validation_waiting", "1 while validations wait for a dependency, else 0."),
];

/// Describes all metrics to the recorder, and says which build this is.
pub(super) fn describe() {
    for (name, says) in COUNTERS {
        describe_counter!(name, says);
    }
    for (name, says) in SECONDS {
        describe_histogram!(name, Unit::Seconds, says);
    }
    for (name, says) in GAUGES {
        describe_gauge!(name, says);
    }
    let version = env!("CARGO_PKG_VERSION");
    gauge!("woody_build_info", "version" => version).set(1.0);
}
