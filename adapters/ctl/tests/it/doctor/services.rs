//! What a service of the stack file says of itself.

use super::{STACK, ours};

#[test]
fn what_a_stack_ignores_is_told() {
    let broken = ours().add("order-worker", "depends_on: [rabbitmq, database]");
    let line = "depends_on: [rabbitmq, database]";
    broken.warns("depends-on-ignored", &[("order-worker", line)]);
    for line in [
        "security_opt: [\"no-new-privileges:true\"]",
        "restart: always",
        "privileged: true",
        "container_name: worker",
        "build: .",
        "links: [database]",
        "network_mode: host",
        "tmpfs: /tmp",
    ] {
        let broken = ours().add("order-worker", line);
        broken.warns("ignored-key", &[("order-worker", line)]);
    }
}

#[test]
fn an_image_that_changes_by_itself_is_told() {
    let line = "image: ${POSTGRES_IMAGE:-postgres:18}";
    for image in ["postgres", "postgres:latest", "registry:5000/postgres"] {
        let broken = ours().with("POSTGRES_IMAGE", image);
        broken.warns("unpinned-image", &[("database", line)]);
    }
    ours().with("POSTGRES_IMAGE", "postgres@sha256:0123").is_clean();
}

#[test]
fn an_image_of_ours_is_named_by_who_deploys() {
    ours().with("VERSION", "latest").is_clean();
    let broken = ours().service("front", "${VERSION:-latest}", "latest");
    broken.warns("unpinned-image", &[("front", "image: ${REGISTRY:-woodytoys}/front:latest")]);
    let broken = ours().service("front", ":${VERSION:-latest}", "");
    broken.warns("unpinned-image", &[("front", "image: ${REGISTRY:-woodytoys}/front")]);
}

#[test]
fn a_container_without_bounds_is_told() {
    let broken = ours().service("front", "memory: 64M, ", "");
    broken.fails("no-limits", &[("front", "limits: { cpus: \"0.5\", pids: 64 }")]);
    let broken = ours().service("front", "cpus: \"0.5\", ", "");
    broken.warns("no-limits", &[("front", "limits: { memory: 64M, pids: 64 }")]);
}

#[test]
fn a_secret_in_the_open_is_told_and_not_repeated() {
    for variable in [
        "REPLICATION_PASSWORD: hunter2",
        "API_TOKEN: hunter2",
        "SMTP_PASS: hunter2",
        "DATABASE_URL: postgres://woody:hunter2@database/woody",
        "BROKER: amqp://woody:hunter2@rabbitmq/%2f",
    ] {
        let with = format!("POSTGRES_USER: woody\n      {variable}");
        let broken = ours().service("database", "POSTGRES_USER: woody", &with);
        broken.fails("plain-secret", &[("database", variable)]);
        assert!(!broken.examine().to_string().contains("hunter2"));
        assert!(!broken.examine().to_json().to_string().contains("hunter2"));
    }
    let with = "POSTGRES_USER: woody\n      PAGE: https://shop.example/tokens";
    ours().service("database", "POSTGRES_USER: woody", with).is_clean();
}

#[test]
fn a_container_that_may_do_more_than_it_needs_is_told() {
    for (what, with, line) in [
        ("    read_only: true\n", "", "front:"),
        ("read_only: true", "read_only: false", "read_only: false"),
        ("    cap_drop: [ALL]\n", "", "front:"),
        ("cap_drop: [ALL]", "cap_drop: [NET_RAW]", "cap_drop: [NET_RAW]"),
        ("    user: \"101:101\"\n", "", "front:"),
        ("\"101:101\"", "\"0:101\"", "user: \"0:101\""),
        ("\"101:101\"", "root", "user: root"),
    ] {
        let broken = ours().service("front", what, with);
        broken.warns("privileged-container", &[("front", line)]);
    }
}

#[test]
fn a_setting_that_nobody_reads_is_told() {
    let broken = ours().replace(STACK, "WOODY_LOG_FORMAT: json", "WOODY_LOG_FROMAT: json");
    let each = ["misc-service", "product-service", "order-service", "order-worker"];
    broken.warns("unknown-setting", &each.map(|name| (name, "WOODY_LOG_FROMAT: json")));
}

#[test]
fn a_setting_that_its_program_refuses_is_told() {
    let broken = ours().with("WOODY_PREFETCH", "none");
    let line = "WOODY_PREFETCH: ${WOODY_PREFETCH:-1}";
    broken.fails("bad-setting", &[("order-worker", line)]);
    let broken = ours().service("order-worker", "WOODY_DRAIN_DELAY: 0s", "WOODY_DRAIN_DELAY: 5");
    broken.fails("bad-setting", &[("order-worker", "WOODY_DRAIN_DELAY: 5")]);
    // Without quotes it is the word that the program knows, and no boolean.
    let legacy = "${WOODY_LEGACY_GET:-on}";
    ours().service("order-service", legacy, "off").is_clean();
}

#[test]
fn urls_of_several_hosts_are_right() {
    let services = ["order-service", "order-worker", "product-service", "misc-service"];
    let store = "WOODY_STORE_URL: postgres://p1,p2:5433/woody?target_session_attrs=read-write";
    let broker = "WOODY_BROKER_URL: amqp://r1:5672,r2,r3/%2f?connection_timeout=500";
    let (store_file, broker_file) = ("/run/secrets/store_url", "/run/secrets/broker_url");
    let mut copy = ours();
    for service in services {
        copy = copy.service(service, &format!("WOODY_STORE_URL_FILE: {store_file}"), store);
    }
    for service in &services[..2] {
        copy = copy.service(service, &format!("WOODY_BROKER_URL_FILE: {broker_file}"), broker);
    }
    copy.is_clean();
}
