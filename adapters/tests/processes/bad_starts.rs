//! A configuration that cannot work is one line on stderr, and exit code 2.

use std::{
    net::TcpListener,
    process::{Command, Output},
};
use testkit::service::{binary, free_address};

fn run(name: &str, env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary(name));
    let free = free_address().to_string();
    command.env("WOODY_LISTEN", &free).env("WOODY_ADMIN_LISTEN", free_address().to_string());
    command.env("WOODY_LOG", "off").envs(env.iter().copied());
    command.output().unwrap()
}

fn one_line(output: &Output, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    for word in says {
        assert!(stderr.contains(word), "{stderr} does not say {word}");
    }
}

#[test]
fn an_unknown_store_is_named() {
    let output = run("product-service", &[("WOODY_STORE_URL", "oracle://db/shop")]);
    one_line(&output, &["WOODY_STORE_URL", "oracle"]);
}

#[test]
fn an_unknown_broker_is_named() {
    let env = [("WOODY_STORE_URL", "postgres://h/d"), ("WOODY_BROKER_URL", "kafka://h")];
    one_line(&run("order-service", &env), &["WOODY_BROKER_URL", "kafka"]);
}

#[test]
fn a_missing_store_is_asked_for() {
    one_line(&run("product-service", &[]), &["WOODY_STORE_URL", "WOODY_STORE_URL_FILE"]);
}

#[test]
fn memory_is_refused_where_processes_share() {
    let env = [("WOODY_STORE_URL", "memory:"), ("WOODY_BROKER_URL", "amqp://h")];
    one_line(&run("order-service", &env), &["memory:", "woodytoys"]);
    let env = [("WOODY_STORE_URL", "postgres://h/d"), ("WOODY_BROKER_URL", "memory:")];
    one_line(&run("order-worker", &env), &["memory:", "woodytoys"]);
}

#[test]
fn an_unreadable_secret_is_named() {
    let env = [("WOODY_STORE_URL_FILE", "/nowhere/secret")];
    one_line(&run("product-service", &env), &["WOODY_STORE_URL_FILE", "/nowhere/secret"]);
}

#[test]
fn a_file_that_cannot_be_a_store_is_named() {
    let env = [("WOODY_STORE_URL", "sqlite:/proc/nowhere/woody.db")];
    one_line(&run("product-service", &env), &["WOODY_STORE_URL", "/proc/nowhere"]);
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run("misc-service", &[("WOODY_LISTEN", address.as_str())]);
    one_line(&output, &[&address, "WOODY_LISTEN"]);
}

#[test]
fn a_bad_flag_is_named_and_secrets_are_not_shown() {
    one_line(&run("misc-service", &[("WOODY_GRACE", "soon")]), &["--grace", "10s"]);
    let env = [("WOODY_STORE_URL", "postgres://woody:hunter2@/")];
    let output = run("product-service", &env);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
}

#[test]
fn help_shows_every_variable_and_no_secret() {
    for name in ["misc-service", "product-service", "order-service", "order-worker", "woodytoys"] {
        let mut command = Command::new(binary(name));
        let output = command.arg("--help").env("WOODY_STORE_URL", "postgres://u:hunter2@h/d");
        let output = output.output().unwrap();
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("WOODY_ADMIN_LISTEN") && help.contains("WOODY_GRACE"), "{help}");
        assert!(!help.contains("hunter2"), "{help}");
    }
}
