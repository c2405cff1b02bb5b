//! What runs: what it may do, what it is told, and how soon it is there.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    commands::{in_stack_shell, run, try_run},
    docker::{container, containers, image, task},
    images::Container,
    suite::note,
};

pub(crate) fn each_is_read_only_nobody_and_without_capabilities() {
    for container in containers() {
        let name = &container["Name"];
        let host = &container["HostConfig"];
        assert_eq!(host["ReadonlyRootfs"], true, "{name}");
        assert_eq!(host["Privileged"], false, "{name}");
        assert_eq!(host["CapDrop"], serde_json::json!(["ALL"]), "{name}");
        let user = container["Config"]["User"].as_str().unwrap();
        let is_somebody = |id: &str| id.parse::<u32>().is_ok_and(|id| id > 0);
        let is_nobody = user
            .split_once(':')
            .is_some_and(|(user, group)| is_somebody(user) && is_somebody(group));
        assert!(is_nobody, "{name} is {user}");
        // And so says the kernel.
        let status =
            fs::read_to_string(format!("/proc/{}/status", container["State"]["Pid"])).unwrap();
        for capabilities in ["CapEff:", "CapPrm:", "CapBnd:"] {
            let line = status.lines().find(|line| line.starts_with(capabilities)).unwrap();
            assert_eq!(
                line[capabilities.len()..].trim().trim_start_matches('0'),
                "",
                "{name}: {line}"
            );
        }
    }
}

pub(crate) fn no_secret_is_in_an_environment() {
    for container in containers() {
        for variable in container["Config"]["Env"].as_array().unwrap() {
            let told = variable.as_str().unwrap().to_ascii_lowercase();
            let is_secret =
                ["postgres://", "amqp://", "password="].iter().any(|part| told.contains(part));
            assert!(!is_secret, "{} has a secret in its environment", container["Name"]);
        }
    }
}

/// From `docker start` to its readiness, beside a task whose network it shares.
fn is_ready_within_a_second(service: &str) {
    let beside = task(service);
    let network = format!("container:{beside}");
    let store = format!("WOODY_STORE_URL={}", in_stack_shell("load_passwords; secret store_url"));
    let broker =
        format!("WOODY_BROKER_URL={}", in_stack_shell("load_passwords; secret broker_url"));
    let image = image(service, "latest");
    let mut create = vec!["create", "--network", &network, "--read-only"];
    create.extend([
        "--env",
        "WOODY_LISTEN=127.0.0.1:5999",
        "--env",
        "WOODY_ADMIN_LISTEN=127.0.0.1:9999",
    ]);
    create.extend(["--env", &store, "--env", &broker, &image]);
    let created = Container(run("docker", &create).trim_end().to_owned());
    let pid = container(&beside).unwrap()["State"]["Pid"].to_string();
    let mut ask = vec!["--target", &pid, "--net", "curl", "--silent", "--fail"];
    ask.extend(["--output", "/dev/null", "http://127.0.0.1:9999/readyz"]);
    let began = Instant::now();
    run("docker", &["start", &created.0]);
    while try_run("nsenter", &ask).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "{service} is not ready after 20 s");
    }
    let took = began.elapsed();
    note(&format!("{service}: from start to ready {} ms", took.as_millis()));
    assert!(took < Duration::from_secs(1));
}

pub(crate) fn misc_service_is_ready_within_a_second() {
    is_ready_within_a_second("misc-service");
}

pub(crate) fn product_service_is_ready_within_a_second() {
    is_ready_within_a_second("product-service");
}

pub(crate) fn order_service_is_ready_within_a_second() {
    is_ready_within_a_second("order-service");
}

pub(crate) fn order_worker_is_ready_within_a_second() {
    is_ready_within_a_second("order-worker");
}
