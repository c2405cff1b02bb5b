//! What clients see: the page, the cache that replicas hold together, the limit, events.

use std::{fs, fs::File, io::Write};

use serde_json::Value;

use crate::{
    hosts::Host,
    suite::{note, work},
};

pub(crate) fn the_modules_of_the_page_come_as_scripts() {
    let files = fs::read_dir("stack/front/shop").unwrap();
    let mut paths: Vec<String> = files
        .map(|file| format!("/shop/{}", file.unwrap().file_name().to_str().unwrap()))
        .collect();
    paths.extend(["/shop.js".to_owned(), "/order.js".to_owned(), "/workshop.js".to_owned()]);
    let mut typed: Vec<_> = paths.into_iter().map(|path| (path, "text/javascript")).collect();
    typed.push(("/workshop".to_owned(), "text/html"));
    // Whichever order it is.
    typed.push(("/orders/0192f0c1-2f3a-7c4d-8e5f-6a7b8c9d0e1f".to_owned(), "text/html"));
    for (path, content_type) in typed {
        let url = format!("{}{path}", Host::Load.shop());
        let head = Host::Load
            .curl(&["--dump-header", "-", "--output", "/dev/null", &url])
            .to_ascii_lowercase();
        for wanted in [
            " 200",
            &format!("content-type: {content_type}"),
            "cache-control: no-cache",
            "content-security-policy: default-src 'self'",
        ] {
            assert!(head.contains(wanted), "{path} lacks {wanted}: {head}");
        }
    }
}

pub(crate) fn the_documents_come_for_programs_and_for_people() {
    for (path, content_type) in [
        ("/openapi.json", "application/json"),
        ("/asyncapi.json", "application/json"),
        ("/docs", "text/html"),
        ("/docs.css", "text/css"),
    ] {
        let url = format!("{}{path}", Host::Load.shop());
        let ask = ["--output", "/dev/null", "--write-out", "%{http_code} %{content_type}", &url];
        let said = Host::Load.curl(&ask);
        assert!(said.starts_with(&format!("200 {content_type}")), "{path}: {said}");
    }
}

pub(crate) fn a_name_that_is_not_the_shops_leads_to_nothing() {
    let url = format!("{}/api/products", Host::Load.shop());
    for (name, expected) in
        [("evil.example", "421"), ("localhost.evil.example:80", "421"), ("localhost:8080", "200")]
    {
        let named = format!("Host: {name}");
        let ask =
            ["--output", "/dev/null", "--write-out", "%{http_code}", "--header", &named, &url];
        assert_eq!(Host::Load.curl(&ask), expected, "{name}");
    }
}

/// How many of twelve requests for heavy work found nothing in a cache.
fn misses(name: &str) -> usize {
    let url = format!("{}/api/misc/heavy?name={name}", Host::Load.shop());
    let ask = ["--output", "/dev/null", "--dump-header", "-", &url];
    (0..12).filter(|_| Host::Load.curl(&ask).to_ascii_lowercase().contains("fwd=miss")).count()
}

/// Each of six toys is planned once.
pub(crate) fn three_replicas_hold_one_cache() {
    for name in ["ark", "boat", "crane", "dice", "elk", "frog"] {
        assert_eq!(misses(name), 1, "of twelve requests for {name}");
    }
}

/// How many of so many requests are answered, as fast as they go.
fn served(host: Host, requests: usize, arguments: &[&str]) -> usize {
    let list = work().join("requests");
    let mut file = File::create(&list).unwrap();
    for _ in 0..requests {
        writeln!(file, "url = {}/api/misc/time\noutput = /dev/null", host.shop()).unwrap();
    }
    let mut all = vec!["--no-progress-meter", "--parallel", "--parallel-max", "20"];
    all.extend(["--write-out", "%{http_code}\n"]);
    all.extend(arguments);
    all.extend(["--config", list.to_str().unwrap()]);
    host.curl(&all).lines().filter(|code| *code == "200").count()
}

pub(crate) fn the_limit_is_for_each_client_whatever_it_says_of_itself() {
    let one = served(Host::One, 150, &[]);
    let two = served(Host::Two, 20, &[]);
    let forged = ["--header", "X-Forwarded-For: 203.0.113.7", "--header", "X-Real-IP: 203.0.113.7"];
    let forged = served(Host::One, 60, &forged);
    let exempt = served(Host::Load, 150, &[]);
    note(&format!(
        "one client {one} of 150, another {two} of 20, the first with a forged address {forged} of 60, an exempt one {exempt} of 150"
    ));
    assert!((21..100).contains(&one));
    assert_eq!(two, 20);
    assert!(forged < 40);
    assert_eq!(exempt, 150);
}

pub(crate) fn the_events_of_an_order_come_through_to_the_last() {
    let orders = format!("{}/api/orders", Host::Load.shop());
    let accepted = Host::Load.curl(&["--json", "{\"product\": \"Train\"}", &orders]);
    let accepted: Value =
        serde_json::from_str(&accepted).unwrap_or_else(|error| panic!("{error}: {accepted}"));
    let id = accepted["order_id"].as_str().unwrap_or_else(|| panic!("{accepted}"));
    let events =
        Host::Load.curl(&["--no-buffer", "--max-time", "30", &format!("{orders}/{id}/events")]);
    let last = events.lines().filter_map(|line| line.strip_prefix("data:")).next_back();
    let last: Value =
        serde_json::from_str(last.unwrap_or_else(|| panic!("no event: {events}"))).unwrap();
    assert_eq!(last["status"], "success", "{events}");
}
