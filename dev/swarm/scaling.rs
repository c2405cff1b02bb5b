//! More workers do more at once, where a validation waits for a service.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::{
    commands::{audit, of, pause, run, stack_shell, variable},
    docker::service,
    hosts::place_orders,
    suite::note,
};

/// A service that is asked about every order, and takes 200 ms to respond.
struct Validation(Child);

impl Validation {
    fn start(address: &str) -> Self {
        let mut command = Command::new(variable("WOODY_TEST_SWARM_VALIDATION"));
        Self(
            command
                .args([address, "200"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Validation {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Changes the workers, and waits until they are as they should be.
fn order_workers(change: &[&str]) {
    let script = "wait_notes_the_past swarm_look; docker service \"$@\" >/dev/null
        wait_until_healthy swarm_look 180 order-worker";
    of(stack_shell(script).args(change)).unwrap_or_else(|said| panic!("{said}"));
}

/// How many orders are ended in a second, over ten seconds with a backlog.
fn throughput() -> u64 {
    let ended = || audit()["success"].as_u64().unwrap();
    place_orders(200, "5s");
    let before = ended();
    // It is this time that is measured.
    pause(Duration::from_secs(10));
    (ended() - before) / 10
}

pub(crate) fn twice_as_many_workers_end_more_orders() {
    let said = run("docker", &["network", "inspect", "docker_gwbridge"]);
    let networks: Value = serde_json::from_str(&said).unwrap();
    let bridge = networks[0]["IPAM"]["Config"][0]["Gateway"].as_str().unwrap();
    let address = format!("{bridge}:7099");
    let _validation = Validation::start(&address);
    let workers = service("order-worker");
    let url = format!("WOODY_VALIDATOR_URL=http://{address}/");
    let mut change = vec!["update", "--quiet", "--detach", "--env-add", "WOODY_VALIDATION=none"];
    change.extend(["--env-add", &url, &workers]);
    order_workers(&change);
    let with_five = throughput();
    order_workers(&["scale", "--detach", &format!("{workers}=10")]);
    let with_ten = throughput();
    note(&format!("five workers end {with_five} orders/s that take 200 ms, ten end {with_ten}"));
    assert!(with_five > 0 && with_ten >= with_five * 3 / 2);
}
