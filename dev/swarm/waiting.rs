//! What is merely slow is waited for, and what waiting does not mend is said at once: on stacks of a service or two.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use crate::{
    asking::{TAKEN, elsewhere, held},
    commands::{all_of, run, stack_shell},
    docker::image,
    suite::work,
};

const DEPLOY: &str = "endpoint_mode: dnsrr, restart_policy: { condition: any, delay: 500ms }";
const HEALTHY: &str = "all of it is healthy";

/// Deploys services beside one that is well, waits for so many seconds, and returns what is said.
fn waits(seconds: u32, services: &str) -> String {
    let image = image("gateway", "latest");
    let file = work().join("waits.yml");
    let text = format!(
        "version: \"3.9\"\nservices:\n  well: {{ image: \"{image}\", command: [sleep, \"1000\"], init: true, deploy: {{ {DEPLOY} }} }}\n{services}"
    );
    fs::write(&file, text.replace("IMAGE", &image).replace("DEPLOY", DEPLOY)).unwrap();
    let script = format!(
        "wait_notes_the_past swarm_look
        docker stack deploy --prune --resolve-image never -c \"$1\" \"$STACK\" 2>&1
        if wait_until_healthy swarm_look {seconds}; then say '{HEALTHY}'; fi"
    );
    all_of(elsewhere(&mut stack_shell(&script)).arg(file))
}

fn says(said: &str, words: &[&str]) {
    let is_there = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(said.lines().any(is_there), "nobody said {words:?}: {said}");
}

pub(crate) fn an_image_that_is_nowhere_is_not() {
    let said = waits(60, "  nowhere: { image: \"woodywait/nowhere:1\", deploy: { DEPLOY } }\n");
    says(&said, &["nowhere does not come up", "its image is not on its node and not to be had"]);
}

pub(crate) fn a_port_that_is_taken_meanwhile_is_not() {
    let who = format!("port {TAKEN} of its node is {}", held());
    let said = waits(
        60,
        &format!(
            "  port:
    image: IMAGE
    command: [sleep, \"1000\"]
    ports: [{{ target: 80, published: {TAKEN}, mode: host }}]
    deploy: {{ DEPLOY }}
"
        ),
    );
    says(&said, &[&who]);
}

pub(crate) fn a_folder_that_is_not_there_is_not() {
    let said = waits(
        60,
        "  bind:
    image: IMAGE
    volumes: [{ type: bind, source: /nowhere/at/all, target: /x }]
    deploy: { DEPLOY }
",
    );
    says(&said, &["there is no /nowhere/at/all on its node to mount"]);
}

pub(crate) fn an_image_for_another_architecture_is_not() {
    let folder = work().join("other-architecture");
    fs::create_dir_all(&folder).unwrap();
    // The head of a program for another processor.
    let head = b"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xff\x00";
    let program = folder.join("program");
    fs::write(&program, head).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let recipe = "FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\n";
    fs::write(folder.join("Dockerfile"), recipe).unwrap();
    let tag = "woodywait/other-architecture:1";
    run("docker", &["build", "--quiet", "--tag", tag, folder.to_str().unwrap()]);
    let said = waits(60, &format!("  other: {{ image: \"{tag}\", deploy: {{ DEPLOY }} }}\n"));
    says(&said, &["its image is for another architecture"]);
}

pub(crate) fn a_program_that_takes_too_much_memory_is_not() {
    let said = waits(
        60,
        "  greedy:
    image: IMAGE
    entrypoint: [bash, -c, \"x=x; while :; do x=$$x$$x; done\"]
    deploy: { DEPLOY, resources: { limits: { memory: 32M } } }
",
    );
    says(&said, &["it takes more memory than its limit"]);
}

pub(crate) fn a_service_that_no_node_can_take_is_not() {
    let said = waits(
        60,
        "  homeless:
    image: IMAGE
    deploy: { endpoint_mode: dnsrr, placement: { constraints: [node.labels.woodywait == never] } }
",
    );
    says(&said, &["no node can take it (scheduling constraints not satisfied"]);
}

pub(crate) fn a_health_check_that_never_passes_is_not() {
    let said = waits(
        90,
        "  sick:
    image: IMAGE
    entrypoint: [sleep, \"1000\"]
    init: true
    healthcheck: { test: [CMD, bash, -c, exit 1], interval: 1s, timeout: 2s, retries: 1 }
    deploy: { DEPLOY }
",
    );
    says(&said, &["its health check does not pass"]);
}

pub(crate) fn a_program_that_ends_again_and_again_is_not() {
    let said = waits(
        60,
        "  ends:
    image: IMAGE
    entrypoint: [bash, -c, \"echo no key for the shop; exit 3\"]
    deploy: { DEPLOY }
",
    );
    says(&said, &["ends does not come up", "it ends with exit code 3: no key for the shop"]);
}

/// It ends more often than the one before, but for a reason that passes.
pub(crate) fn what_needs_another_that_comes_up_slowly_is() {
    let shared = work().join("shared");
    fs::create_dir_all(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let said = waits(
        90,
        &"  impatient:
    image: IMAGE
    entrypoint: [bash, -c, \"[ -e /shared/up ] && exec sleep 1000; echo the slow one is not there; exit 1\"]
    init: true
    volumes: [\"SHARED:/shared\"]
    deploy: { DEPLOY }
  slow:
    image: IMAGE
    entrypoint: [bash, -c, \"sleep 15; echo >/shared/up; exec sleep 1000\"]
    init: true
    user: \"0\"
    healthcheck: { test: [CMD, bash, -c, \"[ -e /shared/up ]\"], interval: 1s, timeout: 2s, retries: 3, start_period: 60s }
    volumes: [\"SHARED:/shared\"]
    deploy: { DEPLOY }
"
        .replace("SHARED", shared.to_str().unwrap()),
    );
    says(&said, &[HEALTHY]);
}

/// What is here uses memory and ports that others want.
pub(crate) fn take_down() {
    let _ = all_of(elsewhere(&mut Command::new("stack/teardown.sh")));
}
