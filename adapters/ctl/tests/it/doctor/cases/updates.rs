use super::{super::CONF, Case, add, case, in_file, in_service, in_stack, set};

pub(super) const CASES: &[Case] = &[
    case("drain-too-short", &[in_stack("WOODY_DRAIN_DELAY: 5s", "WOODY_DRAIN_DELAY: 1500ms")]),
    case("grace-too-short", &[in_stack("stop_grace_period: 30s", "stop_grace_period: 25s")]),
    case(
        "not-restarted",
        &[in_service(
            "front",
            "replicas: 1",
            "replicas: 1\n      restart_policy: { condition: on-failure }",
        )],
    ),
    case(
        "start-first-volume",
        &[in_service(
            "database",
            "<<: *stateful-deploy",
            "<<: *stateful-deploy\n      update_config: { order: start-first }",
        )],
    ),
    case(
        "host-port-start-first",
        &[in_service("gateway", "order: stop-first", "order: start-first")],
    ),
    case(
        "start-first-full",
        &[in_service(
            "front",
            "replicas: 1",
            "replicas: 1\n      placement: { max_replicas_per_node: 1 }",
        )],
    ),
    case(
        "update-at-once",
        &[in_service(
            "front",
            "replicas: 1",
            "replicas: 1\n      update_config: { order: stop-first }",
        )],
    ),
    case(
        "update-at-once",
        &[in_service(
            "misc-service",
            "replicas: 3",
            "replicas: 3\n      update_config: { parallelism: 0 }",
        )],
    ),
    case("update-goes-on", &[in_stack("failure_action: rollback", "failure_action: continue")]),
    case("restart-gives-up", &[in_stack("delay: 1s", "delay: 1s\n    max_attempts: 3")]),
    case("stop-signal", &[in_service("database", "stop_signal: SIGINT", "stop_signal: SIGTERM")]),
    case("stop-signal", &[add("gateway", "stop_signal: SIGTERM")]),
    case("stop-signal", &[add("order-worker", "stop_signal: QUIT")]),
    case(
        "server-grace",
        &[in_service("database", "stop_grace_period: 60s", "stop_grace_period: 5s")],
    ),
    case(
        "validation-outlasts-consumer",
        &[in_file(CONF, "consumer_timeout = 1800000", "consumer_timeout = 10000")],
    ),
    case(
        "validation-outlasts-consumer",
        &[
            in_stack("WOODY_GRACE: 25s", "WOODY_GRACE: 50m"),
            in_stack("stop_grace_period: 30s", "stop_grace_period: 1h"),
            set("WOODY_VALIDATION_TIMEOUT", "16m"),
        ],
    ),
];
