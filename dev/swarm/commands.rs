//! Programs that are run to their end, and what they say.

use std::{
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// Runs a program. What it printed comes back; a failure is told with all that it said.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    try_run(program, arguments)
        .unwrap_or_else(|said| panic!("{program} {}: {said}", arguments.join(" ")))
}

/// Runs a program that may fail: what it printed, or all that it said.
pub(crate) fn try_run(program: &str, arguments: &[&str]) -> Result<String, String> {
    of(Command::new(program).args(arguments))
}

/// Runs a command that may fail: what it printed, or all that it said.
pub(crate) fn of(command: &mut Command) -> Result<String, String> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        return Ok(printed);
    }
    Err(format!("{status}\n{printed}{}", String::from_utf8_lossy(&stderr)))
}

/// All that a command says, however it ends.
pub(crate) fn all_of(command: &mut Command) -> String {
    let Output { stdout, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
    [stdout, stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat()
}

/// A bash with what the scripts of `stack/` share.
pub(crate) fn stack_shell(script: &str) -> Command {
    const SHARED: &str = "set -euo pipefail; say() { printf '%s\\n' \"$*\" >&2; }; \
        . stack/secrets.sh; . stack/ports.sh; . stack/waiting.sh; . stack/stack-file.sh; ";
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{SHARED}{script}"), "bash"]);
    command
}

/// Runs a script with what the scripts of `stack/` share.
pub(crate) fn in_stack_shell(script: &str) -> String {
    of(&mut stack_shell(script)).unwrap_or_else(|said| panic!("{script}: {said}"))
}

/// Asks again and again until it holds.
pub(crate) fn within(seconds: u64, what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < end, "not within {seconds} s: {what}");
        pause(Duration::from_millis(500));
    }
}

/// Lets time pass.
#[expect(clippy::disallowed_methods, reason = "no runtime is here that it could hold up")]
pub(crate) fn pause(time: Duration) {
    thread::sleep(time);
}

/// What `woodyctl orders audit` says of the shop, which may be that orders are pending.
pub(crate) fn audit() -> Value {
    let mut command = Command::new("stack/ctl.sh");
    command.args(["orders", "audit", "--patience", "0s", "--output", "json"]);
    let Output { stdout, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&stderr)))
}

/// A variable that `dev/test-swarm.sh` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run ./dev/test-swarm.sh"))
}

/// Returns the path of a program that the images were made of.
pub(crate) fn program(name: &str) -> String {
    format!("{}/{name}", variable("WOODY_TEST_SWARM_PROGRAMS"))
}
