//! What happens at a rolling update.

use super::{NGINX, STACK, ours};

#[test]
fn a_service_that_is_gone_before_the_gateway_knows_is_told() {
    let drain = "WOODY_DRAIN_DELAY: 5s";
    let broken = ours().replace(STACK, drain, "WOODY_DRAIN_DELAY: 1500ms");
    let each = ["misc-service", "product-service", "order-service"];
    broken.fails("drain-too-short", &each.map(|name| (name, "WOODY_DRAIN_DELAY: 1500ms")));
    let broken = ours().replace(STACK, drain, "");
    broken.fails(
        "drain-too-short",
        &[
            ("misc-service", "misc-service:"),
            ("product-service", "product-service:"),
            ("order-service", "order-service:"),
        ],
    );
    ours().replace(STACK, drain, "WOODY_DRAIN_DELAY: 2s").is_clean();
}

#[test]
fn a_gateway_that_asks_seldom_needs_a_longer_drain() {
    for valid in ["valid=5s", "valid=1m", ""] {
        let broken = ours().replace(NGINX, "valid=1s", valid);
        let each = ["misc-service", "product-service", "order-service"];
        broken.fails("drain-too-short", &each.map(|name| (name, "WOODY_DRAIN_DELAY: 5s")));
    }
    ours().replace(NGINX, "valid=1s", "valid=4").is_clean();
}

#[test]
fn a_process_that_is_killed_before_its_grace_is_over_is_told() {
    let period = "stop_grace_period: 30s";
    let each = ["misc-service", "product-service", "order-service", "order-worker"];
    let broken = ours().replace(STACK, period, "stop_grace_period: 25s");
    broken.fails("grace-too-short", &each.map(|name| (name, "stop_grace_period: 25s")));
    // Swarm's own is ten seconds.
    let broken = ours().replace(STACK, period, "");
    let lines = each.map(|name| format!("{name}:"));
    let expected: Vec<_> = each.iter().zip(&lines).map(|(name, line)| (*name, &**line)).collect();
    broken.fails("grace-too-short", &expected);
}

#[test]
fn a_drain_that_takes_the_whole_grace_is_told() {
    let line = "WOODY_DRAIN_DELAY: 25s";
    let broken = ours().service("order-worker", "WOODY_DRAIN_DELAY: 0s", line);
    broken.fails("grace-too-short", &[("order-worker", line)]);
}

#[test]
fn a_validation_that_the_grace_cuts_off_is_told() {
    let broken = ours().with("WOODY_VALIDATION_TIMEOUT", "25s");
    let line = "WOODY_VALIDATION_TIMEOUT: ${WOODY_VALIDATION_TIMEOUT:-10s}";
    broken.warns("grace-too-short", &[("order-worker", line)]);
    let broken = ours().service("order-worker", "WOODY_DRAIN_DELAY: 0s", "WOODY_DRAIN_DELAY: 15s");
    broken.warns("grace-too-short", &[("order-worker", line)]);
    ours().with("WOODY_VALIDATION_TIMEOUT", "24s").is_clean();
}

#[test]
fn a_process_that_stays_away_after_a_good_end_is_told() {
    for condition in ["on-failure", "none"] {
        let line = format!("condition: {condition}");
        let broken = ours().service(
            "front",
            "<<: *deploy",
            &format!("<<: *deploy\n      restart_policy:\n        {line}"),
        );
        broken.warns("not-restarted", &[("front", &line)]);
    }
    // RabbitMQ is not ours, and ends with what it likes.
    let other = "<<: *stateful-deploy\n      restart_policy:\n        condition: on-failure";
    ours().service("rabbitmq", "<<: *stateful-deploy", other).is_clean();
}

#[test]
fn two_writers_on_a_volume_are_told() {
    let port = "    ports:\n      - { target: 15672, published: \"${WOODY_MANAGEMENT_PORT:-15672}\", protocol: tcp, mode: host }\n";
    let broken = ours()
        .replace(STACK, "order: stop-first", "order: start-first")
        // Its port has one holder, which is another finding.
        .service("rabbitmq", port, "");
    let line = "order: start-first";
    broken.fails("start-first-volume", &[("rabbitmq", line), ("database", line)]);
    // Its own order is start-first.
    let mounting = |volume: &str| {
        let first = "- { type: tmpfs, target: /tmp";
        ours()
            .service("front", first, &format!("- {volume}\n      {first}"))
            .replace(STACK, "\nvolumes:\n", "\nvolumes:\n  certs:\n")
            .with("WOODY_SERVICES_ON", "node.hostname == one")
    };
    mounting("certs:/certs").fails("start-first-volume", &[("front", line)]);
    mounting("certs:/certs:ro").is_clean();
}

#[test]
fn a_healthcheck_that_is_hasty_missing_or_off_is_told() {
    let broken = ours().service("database", "      start_period: 60s\n", "");
    broken.warns("healthcheck-start", &[("database", "healthcheck:")]);
    let broken = ours().service("database", "    healthcheck:", "    x-healthcheck:");
    broken.warns("healthcheck-start", &[("database", "database:")]);
    let broken = ours().add("order-worker", "healthcheck: { disable: true }");
    broken.fails("healthcheck-start", &[("order-worker", "healthcheck: { disable: true }")]);
}
