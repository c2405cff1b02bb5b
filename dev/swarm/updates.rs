//! Updates, faults and new passwords while orders are placed: no client is to notice.

use std::{fs, process::Command};

use crate::{
    commands::{in_stack_shell, of, run, try_run, variable, within},
    docker::{container, image, is_whole, service, task, update},
    hosts::{Host, Load, on_load},
    suite::{note, work},
};

const NEXT: &str = "test-2";

fn rehearsed(arguments: &[&str]) {
    let mut command = Command::new("stack/rehearse.sh");
    command.arg(Host::Load.shop()).args(arguments).env("WOODY_LOAD", on_load());
    note(&of(&mut command).unwrap_or_else(|said| panic!("{said}")));
}

pub(crate) fn every_service_is_updated_and_nobody_notices() {
    for name in [
        "gateway",
        "front",
        "misc-service",
        "product-service",
        "order-service",
        "order-worker",
        "woodyctl",
    ] {
        run("docker", &["tag", &image(name, "latest"), &image(name, NEXT)]);
    }
    let services = "order-service order-worker misc-service product-service front";
    rehearsed(&["--rate", "200", "--to", NEXT, "--services", services]);
}

pub(crate) fn rabbitmq_and_postgresql_are_updated_and_nobody_notices() {
    rehearsed(&["--rate", "50", "--services", "rabbitmq database"]);
}

pub(crate) fn a_broken_version_is_rolled_back_and_nobody_notices() {
    let folder = work().join("broken");
    fs::create_dir_all(&folder).unwrap();
    // One that cannot start.
    let recipe = format!(
        "FROM {}\nENTRYPOINT [\"/service\", \"--no-such-flag\"]\n",
        image("order-service", "latest")
    );
    fs::write(folder.join("Dockerfile"), recipe).unwrap();
    let broken = image("order-service", "broken");
    run("docker", &["build", "--quiet", "--tag", &broken, folder.to_str().unwrap()]);
    let load = Load::start();
    let mut change = vec!["service", "update", "--quiet", "--detach", "--no-resolve-image"];
    let name = service("order-service");
    change.extend(["--image", &broken, &name]);
    run("docker", &change);
    within(120, "it is rolled back", || update("order-service") == "rollback_completed");
    note(&load.noticed_nothing().to_string());
}

/// The password of the newest generation that is kept here.
fn password(part: &str) -> String {
    in_stack_shell(&format!("cat \"$(kept {part})\""))
}

fn lets_in(part: &str, password: &str) -> bool {
    if part == "database" {
        let variable = format!("PGPASSWORD={password}");
        let mut ask = vec!["exec", "--env", &variable];
        let database = task(part);
        ask.extend([
            &*database,
            "psql",
            "--quiet",
            "--host",
            "127.0.0.1",
            "--user",
            "woody",
            "--command",
            "SELECT 1",
        ]);
        return try_run("docker", &ask).is_ok();
    }
    let user = format!("woody:{password}");
    let page = format!("http://127.0.0.1:{}/api/whoami", variable("WOODY_MANAGEMENT_PORT"));
    try_run("curl", &["--silent", "--fail", "--user", &user, &page]).is_ok()
}

fn is_rotated_under_load(part: &str) {
    let load = Load::start();
    let old = password(part);
    within(30, "the old password lets in", || lets_in(part, &old));
    of(Command::new("stack/rotate.sh").arg(part)).unwrap_or_else(|said| panic!("{said}"));
    let new = password(part);
    assert_ne!(new, old);
    within(30, "the new password lets in", || lets_in(part, &new));
    assert!(!lets_in(part, &old), "the old password lets in still");
    note(&load.noticed_nothing().to_string());
}

pub(crate) fn the_password_of_the_database_is_rotated_under_load() {
    is_rotated_under_load("database");
}

pub(crate) fn the_password_of_rabbitmq_is_rotated_under_load() {
    is_rotated_under_load("rabbitmq");
}

pub(crate) fn a_task_that_is_killed_is_replaced() {
    let victim = task("order-worker");
    run("docker", &["kill", &victim]);
    within(60, "another runs in its place", || {
        let runs =
            container(&victim).is_some_and(|container| container["State"]["Running"] == true);
        !runs && is_whole("order-worker")
    });
}
