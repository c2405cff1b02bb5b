//! `woodyctl doctor`, as an operator runs it.

use std::process::{Command, Output};

use serde_json::Value;
use woodyctl::doctor::rules;

use super::{Copy, GATEWAY, STACK, TLS, ours};

fn doctor(copy: &Copy, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_woodyctl"));
    command.env_clear().current_dir(copy.folder.path());
    command.arg("doctor").args(flags).output().unwrap()
}

fn says(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_deployment_that_is_well_ends_with_zero_and_a_sum() {
    let output = doctor(&ours(), &[STACK]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(says(&output).contains(&format!("read {STACK}, ")), "{output:?}");
    assert!(says(&output).ends_with("\n0 errors, 0 warnings in 8 services\n"), "{output:?}");
}

#[test]
fn an_error_ends_with_one_and_a_warning_only_if_it_is_asked_to() {
    let warned = ours().add("front", "restart: always");
    let output = doctor(&warned, &[STACK]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = says(&output);
    assert!(report.starts_with("front\n  warning  ignored-key  stack.yml:"), "{report}");
    assert!(report.contains("  Why: ") && report.contains("  Mend: "), "{report}");
    assert!(report.ends_with("\n0 errors, 1 warning in 8 services\n"), "{report}");
    assert_eq!(doctor(&warned, &[STACK, "--strict"]).status.code(), Some(1));
    let broken = ours().replace(GATEWAY, "front:8080 resolve", "front:8080");
    assert_eq!(doctor(&broken, &[STACK]).status.code(), Some(1));
}

#[test]
fn programs_get_one_document() {
    let broken = ours().replace(GATEWAY, "front:8080 resolve", "front:8080");
    let output = doctor(&broken, &[STACK, "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["errors"], &report["warnings"]), (&1.into(), &0.into()));
    assert_eq!((&report["services"], &report["files"][0]), (&8.into(), &STACK.into()));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["severity"]),
        (&"upstream-resolver".into(), &"error".into())
    );
    assert_eq!((&finding["service"], &finding["file"]), (&Value::Null, &GATEWAY.into()));
    assert!(finding["line"].is_u64(), "{finding}");
    for text in ["what", "why", "mend"] {
        assert!(finding[text].is_string(), "{finding}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_line_and_two() {
    let unclosed = ours().replace(GATEWAY, "location / {", "location / { {");
    let unset = ours().service("front", "${VERSION:-latest}", "${VERSION:?which}");
    let no_yaml = ours().replace(STACK, "  gateway:\n", "  gateway: [\n");
    let at = |copy: &Copy, name, what| format!("error: {name}:{}: ", copy.line(name, what));
    let at_brace = at(&unclosed, GATEWAY, "location / { {") + "unexpected \"{\"";
    let at_variable = at(&unset, STACK, "VERSION:?which") + "VERSION must be set: which";
    for (copy, flags, begins) in [
        (ours(), vec!["other.yml"], "error: other.yml: cannot be read: "),
        (ours(), vec![STACK, "--gateway", "x.conf"], "error: x.conf: cannot be read: "),
        (ours(), vec![STACK, "--definitions", "x.json"], "error: x.json: cannot be read: "),
        (ours(), vec![GATEWAY], &format!("error: {GATEWAY}:")),
        (unclosed, vec![STACK], &*at_brace),
        (unset, vec![STACK], &*at_variable),
        (no_yaml, vec![STACK], "error: stack.yml:"),
    ] {
        let output = doctor(&copy, &flags);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(stderr.starts_with(begins), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn files_that_are_elsewhere_can_be_named() {
    let copy = ours().replace(GATEWAY, "front:8080 resolve", "front:8080");
    std::fs::rename(copy.path("gateway"), copy.path("nginx")).unwrap();
    let nginx = ["--gateway", "nginx/nginx.conf"];
    let template = ["--gateway", "nginx/templates/conf.d/gateway.conf.template"];
    let output = doctor(&copy, &[&[STACK], &nginx[..], &template[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(says(&output).contains("upstream-resolver"), "{output:?}");
}

#[test]
fn several_files_are_one_stack() {
    let output = doctor(&ours(), &[STACK, TLS]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(says(&output).contains(&format!("read {STACK}, {TLS}, ")), "{output:?}");
    let broken = ours().replace(TLS, "target: 8443", "target: 443");
    let report = says(&doctor(&broken, &[STACK, TLS]));
    let place = format!("{TLS}:{}", broken.line(TLS, "target: 443"));
    let begins = format!("gateway\n  error    port-without-listener  {place}\n");
    assert!(report.starts_with(&begins), "{report}");
}

#[test]
fn the_rules_are_listed_without_a_file() {
    let output = doctor(&ours(), &["--list"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(says(&output).lines().count(), rules().len(), "{output:?}");
    let json = doctor(&ours(), &["--list", "--output", "json"]);
    let listed: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(listed["rules"][0]["rule"], rules()[0].id);
    // One or the other.
    for flags in [&["--list", STACK][..], &[]] {
        assert_eq!(doctor(&ours(), flags).status.code(), Some(2));
    }
}
