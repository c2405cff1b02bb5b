//! One machine without Swarm: the same images by `stack/compose.sh`, beside the stack that is deployed.

use std::process::Command;

use crate::{
    commands::{all_of, of},
    suite::{note, work},
};

const STACK: &str = "woodycompose";
const HTTP_PORT: &str = "18100";
const MANAGEMENT_PORT: &str = "18101";

/// With the variables of the shop that is beside the stack.
fn beside(command: &mut Command) -> &mut Command {
    command
        .env("WOODY_STACK", STACK)
        .env("WOODY_SECRETS_DIR", work().join("secrets-compose"))
        .env("WOODY_HTTP_PORT", HTTP_PORT)
        .env("WOODY_MANAGEMENT_PORT", MANAGEMENT_PORT)
}

fn compose(arguments: &[&str]) -> Command {
    let mut command = Command::new("stack/compose.sh");
    beside(&mut command).args(arguments);
    command
}

pub(crate) fn a_shop_without_a_swarm_comes_up_by_one_command() {
    let said = all_of(&mut compose(&["up", "-d"]));
    note(&said);
    let address = format!("everything is healthy: the shop is at http://localhost:{HTTP_PORT}/");
    assert!(said.contains(&address), "it does not say {address}");
}

pub(crate) fn it_answers_all_that_is_asked() {
    let mut asking = Command::new("stack/test-services.sh");
    beside(&mut asking)
        .arg(format!("http://127.0.0.1:{HTTP_PORT}"))
        .env("WOODY_MANAGEMENT", format!("http://127.0.0.1:{MANAGEMENT_PORT}"));
    of(&mut asking).unwrap_or_else(|said| panic!("{said}"));
}

/// Its containers, networks and volumes.
pub(crate) fn take_down() {
    let _ = all_of(&mut compose(&["down", "--volumes"]));
}
