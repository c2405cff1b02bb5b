//! What nginx is told of rates in two places, and what its settings may not be.

use std::process::{Command, Output};

use crate::repository::Repository;

const TEMPLATE: &str = "stack/gateway/templates/conf.d/gateway.conf.template";
const SETTINGS: &str = "stack/gateway/entrypoint.d/15-woody.envsh";

/// Runs the settings as the image's entry point does, and has them say a variable.
fn settings(variables: &[(&str, &str)], says: &str) -> Output {
    let script = format!(". \"$0\"; echo \"${says}\"");
    Command::new("sh")
        .args(["-euc", &script, SETTINGS])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(variables.iter().copied())
        .current_dir(Repository::root())
        .output()
        .unwrap()
}

/// The text between two others, each time they are there.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).map(move |rest| rest.split_once(after).unwrap().0)
}

#[test]
fn a_client_is_told_the_burst_that_it_has() {
    let template = Repository::text(TEMPLATE);
    for (zone, window) in [
        ("misc", "WOODY_MISC_WINDOW"),
        ("products", "WOODY_PRODUCTS_WINDOW"),
        ("orders", "WOODY_ORDERS_WINDOW"),
    ] {
        let bursts = between(&template, &format!("limit_req zone={zone} burst="), " ")
            .map(|burst| burst.parse::<u32>().unwrap())
            .collect::<Vec<_>>();
        let burst = bursts[0];
        assert!(bursts.iter().all(|each| *each == burst), "{zone}: {bursts:?}");
        // The first request is not one of the burst.
        let policy = format!("'\"{zone}\";q={};w=${{{window}}}'", burst + 1);
        assert!(template.contains(&policy), "{policy}");
        for rate in [1, 4, 10, 1_000] {
            let said = settings(&[("WOODY_RATE_LIMIT", &rate.to_string())], window);
            let seconds = String::from_utf8(said.stdout).unwrap();
            // So many seconds bring back as many as may come at once, and no fewer do.
            assert_eq!(seconds.trim(), (burst + 1).div_ceil(rate).to_string(), "{zone}, {rate}");
        }
    }
}

#[test]
fn a_rate_that_is_none_is_refused_by_its_name() {
    for (name, wrong) in [
        ("WOODY_RATE_LIMIT", "abc"),
        ("WOODY_RATE_LIMIT", "010"),
        ("WOODY_RATE_LIMIT", "-1"),
        ("WOODY_RATE_LIMIT", "1.5"),
        ("WOODY_RATE_STATUS", "500"),
    ] {
        let refused = settings(&[(name, wrong)], name);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{name}={wrong}: {said}");
        assert!(said.starts_with(name) && said.trim().ends_with(&format!("not {wrong}")), "{said}");
    }
    let none = settings(&[("WOODY_RATE_LIMIT", "0")], "WOODY_RATE_LINES");
    assert_eq!(String::from_utf8(none.stdout).unwrap(), "default 0;\n");
}
