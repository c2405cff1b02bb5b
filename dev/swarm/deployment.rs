//! The stack is deployed, and serves.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::{
    commands::{of, variable},
    suite::{note, work},
};

/// What the deployment said, for tests that look at it later.
pub(crate) fn said() -> String {
    fs::read_to_string(work().join("deployed")).unwrap()
}

pub(crate) fn everything_comes_up_from_nothing() {
    let mut deploying = Command::new("bash")
        .args(["-c", "exec stack/deploy-swarm.sh 2>&1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It takes minutes: what it says is shown as it is said.
    let mut said = String::new();
    for line in BufReader::new(deploying.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        note(&line);
        said += &line;
        said.push('\n');
    }
    fs::write(work().join("deployed"), said).unwrap();
    assert!(deploying.wait().unwrap().success(), "stack/deploy-swarm.sh failed");
}

pub(crate) fn the_shop_answers_all_that_is_asked() {
    let base = format!("http://127.0.0.1:{}", variable("WOODY_HTTP_PORT"));
    of(Command::new("stack/test-services.sh").arg(base)).unwrap_or_else(|said| panic!("{said}"));
}

/// Its own ports least of all.
pub(crate) fn nothing_is_in_the_way_of_an_update() {
    of(&mut Command::new("stack/preflight.sh")).unwrap_or_else(|said| panic!("{said}"));
}
