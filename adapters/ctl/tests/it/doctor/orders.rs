//! What becomes of orders: the queue, and how long they are validated.

use super::{CONF, DEFINITIONS, STACK, ours};

const TIMEOUT: &str = "WOODY_VALIDATION_TIMEOUT: ${WOODY_VALIDATION_TIMEOUT:-10s}";

#[test]
fn a_validation_that_rabbitmq_does_not_wait_for_is_told() {
    let broken = ours().replace(CONF, "consumer_timeout = 1800000", "consumer_timeout = 10000");
    broken.fails("validation-outlasts-consumer", &[("order-worker", TIMEOUT)]);
    ours().replace(CONF, "consumer_timeout = 1800000", "consumer_timeout = 10001").is_clean();
}

#[test]
fn a_validation_that_the_worker_refuses_is_told() {
    let patient = || {
        ours().replace(STACK, "WOODY_GRACE: 25s", "WOODY_GRACE: 50m").replace(
            STACK,
            "stop_grace_period: 30s",
            "stop_grace_period: 1h",
        )
    };
    let broken = patient().with("WOODY_VALIDATION_TIMEOUT", "16m");
    broken.fails("validation-outlasts-consumer", &[("order-worker", TIMEOUT)]);
    patient().with("WOODY_VALIDATION_TIMEOUT", "15m").is_clean();
}

#[test]
fn a_queue_that_drops_orders_is_told() {
    for (what, with) in [
        ("\"dead-letter-exchange\": \"\",", ""),
        ("\"dead-letter-routing-key\": \"order_processing.dead\",", ""),
        ("\"dead-letter-strategy\": \"at-least-once\",", ""),
        ("\"at-least-once\"", "\"at-most-once\""),
        ("\"overflow\": \"reject-publish\",", ""),
        ("\"reject-publish\"", "\"drop-head\""),
    ] {
        let broken = ours().replace(DEFINITIONS, what, with);
        broken.fails("quorum-dead-letter", &[(DEFINITIONS, "\"definition\": {")]);
    }
}

#[test]
fn a_queue_without_a_policy_is_told() {
    let broken = ours().replace(DEFINITIONS, "^order_processing$", "^orders$");
    broken.fails("quorum-dead-letter", &[(DEFINITIONS, "\"policies\": [")]);
    let rush = "WOODY_QUEUE: rush\n      WOODY_STORE_CONNECTIONS";
    let broken = ours().service("order-service", "WOODY_STORE_CONNECTIONS", rush).service(
        "order-worker",
        "WOODY_STORE_CONNECTIONS",
        rush,
    );
    broken.fails("quorum-dead-letter", &[(DEFINITIONS, "\"policies\": [")]);
    // The policy is for quorum queues, and this one would be none.
    let classic = ours().replace(DEFINITIONS, ", \"default_queue_type\": \"quorum\"", "").replace(
        CONF,
        "default_queue_type = quorum",
        "",
    );
    classic.fails("quorum-dead-letter", &[(DEFINITIONS, "\"policies\": [")]);
}

#[test]
fn a_program_without_a_broker_has_no_queue() {
    let queue = "WOODY_QUEUE: shop\n      WOODY_STORE_CONNECTIONS";
    ours()
        .service("order-service", "WOODY_STORE_CONNECTIONS", queue)
        .service("order-worker", "WOODY_STORE_CONNECTIONS", queue)
        .replace(DEFINITIONS, "^order_processing$", "^shop$")
        .is_clean();
}

#[test]
fn of_several_policies_the_highest_counts() {
    let higher = "\"policies\": [\n    { \"vhost\": \"/\", \"name\": \"bare\", \"pattern\": \".*\", \"priority\": 20, \"definition\": {} },";
    let broken = ours().replace(DEFINITIONS, "\"policies\": [", higher);
    let line = higher.lines().nth(1).unwrap().trim();
    broken.fails("quorum-dead-letter", &[(DEFINITIONS, line)]);
    ours().replace(DEFINITIONS, "\"policies\": [", &higher.replace("20", "1")).is_clean();
}

#[test]
fn rabbitmq_without_definitions_has_no_policy() {
    let broken = ours();
    std::fs::remove_file(broken.path(DEFINITIONS)).unwrap();
    broken.fails("quorum-dead-letter", &[("rabbitmq", "rabbitmq:")]);
}

#[test]
fn the_user_that_everybody_knows_is_told() {
    let broken = ours().replace(DEFINITIONS, "\"name\": \"woody\"", "\"name\": \"guest\"");
    broken.fails("guest-management", &[(DEFINITIONS, "\"name\": \"guest\",")]);
    let broken = ours().add("rabbitmq", "environment: [RABBITMQ_DEFAULT_USER=guest]");
    let line = "environment: [RABBITMQ_DEFAULT_USER=guest]";
    broken.fails("guest-management", &[("rabbitmq", line)]);
}

#[test]
fn rabbitmq_that_nothing_gives_a_user_makes_the_one_that_everybody_knows() {
    let port = "- { target: 15672, published: \"${WOODY_MANAGEMENT_PORT:-15672}\", protocol: tcp, mode: host }";
    let load = "load_definitions = /run/secrets/rabbitmq_definitions.json";
    let bare = || {
        let copy = ours().replace(CONF, load, "");
        std::fs::remove_file(copy.path(DEFINITIONS)).unwrap();
        copy
    };
    for (copy, is_told) in [
        (bare(), true),
        (bare().replace(CONF, "heartbeat", "default_user = guest\nheartbeat"), true),
        (bare().replace(CONF, "heartbeat", "default_user = shop\nheartbeat"), false),
        (bare().replace(CONF, "heartbeat", &format!("{load}\nheartbeat")), false),
        (bare().add("rabbitmq", "environment: { RABBITMQ_DEFAULT_USER: shop }"), false),
        (bare().add("rabbitmq", "environment: { RABBITMQ_DEFAULT_USER_FILE: /user }"), false),
        (bare().service("rabbitmq", "target: 15672", "target: 9000"), false),
        // What another image does is not known.
        (bare().with("RABBITMQ_IMAGE", "shop/broker:1"), false),
    ] {
        let report = copy.examine();
        let told = report.findings().iter().filter(|finding| finding.rule == "guest-management");
        let lines: Vec<_> = told.map(|finding| finding.place.line).collect();
        let expected = is_told.then(|| Some(copy.line(STACK, port)));
        assert_eq!(lines, Vec::from_iter(expected), "{report}");
    }
}
