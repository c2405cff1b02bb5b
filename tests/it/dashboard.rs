//! The dashboard for Grafana: what it asks for is counted, and what it shows is explained and has its place.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    alerts::{Metrics, OURS},
    repository::Repository,
};

fn panels() -> Vec<Value> {
    let text = Repository::text("stack/observe/dashboard.json");
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    dashboard["panels"].as_array().unwrap().clone()
}

fn title(panel: &Value) -> &str {
    panel["title"].as_str().unwrap()
}

#[test]
fn each_panel_asks_for_what_is_counted_and_says_what_it_shows() {
    let ours = Metrics::read();
    for panel in panels().iter().filter(|panel| panel["type"] != "row") {
        let title = title(panel);
        assert!(panel["description"].as_str().is_some_and(|says| says.ends_with('.')), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title} asks for nothing");
        for target in targets {
            let expr = target["expr"].as_str().unwrap();
            assert!(OURS.iter().any(|begin| expr.contains(begin)), "{title}: {expr}");
            ours.have_all_of(title, expr);
            assert_eq!(
                target["datasource"]["uid"], "${datasource}",
                "{title} is of one Prometheus"
            );
        }
    }
}

#[test]
fn each_metric_of_an_alert_is_shown() {
    let shown: String = panels().iter().map(ToString::to_string).collect();
    let rules = Repository::text("stack/observe/rules.yml");
    let asked = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    for metric in asked.filter(|word| word.starts_with("woody_")).collect::<BTreeSet<_>>() {
        assert!(shown.contains(metric), "{metric} is on no panel");
    }
}

#[test]
fn each_panel_has_a_place_of_its_own() {
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels() {
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        let (x, y) = (place("x"), place("y"));
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{} has another's id", title(&panel));
        assert!(x + place("w") <= 24, "{} is too wide", title(&panel));
        for cell in (x..x + place("w")).flat_map(|x| (y..y + place("h")).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{} lies on another", title(&panel));
        }
    }
}
