//! What wakes an operator: the rules for Prometheus, beside the table that says what each means.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::repository::Repository;

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    lasts: Option<String>,
    labels: BTreeMap<String, String>,
}

fn rules() -> Vec<Rule> {
    let text = Repository::text("stack/observe/rules.yml");
    let rules: Rules = serde_saphyr::from_str(&text).unwrap();
    rules.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// What the rule says of when, as the table does.
fn when(rule: &Rule) -> String {
    let lasts = rule.lasts.as_ref().map_or_else(String::new, |lasts| format!(" for {lasts}"));
    format!("`{}`{lasts}", rule.expr)
}

/// `OrdersAreStuck` of `orders are stuck`.
fn name(words: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    words.split(' ').map(capital).collect()
}

/// What the names of our metrics begin with: ours alone, or those of OpenTelemetry's conventions.
pub(crate) const OURS: [&str; 2] = ["woody_", "http_server_"];

/// The code that counts what is asked for.
pub(crate) struct Metrics(String);

impl Metrics {
    pub(crate) fn read() -> Self {
        let files = Repository::read().files;
        let code = files.iter().filter(|file| file.contains("/src/"));
        Self(code.map(|file| Repository::text(file)).collect())
    }

    /// Fails where `who` asks with `expr` for a metric that nobody counts.
    pub(crate) fn have_all_of(&self, who: &str, expr: &str) {
        let named = expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let is_ours = |word: &&str| OURS.iter().any(|begin| word.starts_with(begin));
        for metric in named.filter(is_ours) {
            // Of a histogram Prometheus makes several.
            let parts = ["_bucket", "_count"].iter().filter(|_| !self.is_counted(metric));
            let metric = parts.fold(metric, |metric, part| metric.trim_end_matches(part));
            assert!(self.is_counted(metric), "{who} asks for {metric}");
        }
    }

    fn is_counted(&self, metric: &str) -> bool {
        self.0.contains(&format!("\"{metric}\""))
    }
}

/// The first two columns of the table of alerts, without those that Prometheus cannot see.
fn table() -> BTreeMap<String, String> {
    let operations = Repository::text("docs/operations.md");
    let (_, table) = operations.split_once("| alert | when |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let columns = rows.map(|row| {
        let row = row.replace("\\|", "\0");
        let mut columns = row.split('|').skip(1).map(|column| column.trim().replace('\0', "|"));
        (columns.next().unwrap(), columns.next().unwrap())
    });
    let columns = columns.filter(|(_, when)| !when.starts_with("`docker "));
    columns.map(|(words, when)| (name(&words), when)).collect()
}

#[test]
fn each_alert_is_explained_and_each_that_is_explained_is_one() {
    let rules: BTreeMap<_, _> =
        rules().iter().map(|rule| (rule.alert.clone(), when(rule))).collect();
    assert_eq!(rules, table());
}

#[test]
fn each_metric_that_is_counted_is_described() {
    let files = Repository::read().files;
    let described = Repository::text("adapters/src/process/described.rs");
    let mut counted = 0;
    for file in files.iter().filter(|file| file.contains("/src/")) {
        let code = Repository::text(file);
        let macros = ["counter!(", "gauge!(", "histogram!("];
        let calls = macros.iter().flat_map(|name| code.split(name).skip(1));
        let names = calls.filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
        for name in names {
            assert!(described.contains(&format!("\"{name}\"")), "{file} counts {name}");
            counted += 1;
        }
    }
    assert!(counted > 10, "{counted}");
}

#[test]
fn each_metric_of_the_rules_is_one_of_ours() {
    let ours = Metrics::read();
    for rule in rules() {
        ours.have_all_of(&rule.alert, &rule.expr);
        let severity = rule.labels.get("severity").map(String::as_str);
        assert!(matches!(severity, Some("act" | "wrong")), "{}: {severity:?}", rule.alert);
    }
}

/// The cases are made for `promtool`; none is to be missing.
#[test]
fn each_alert_fires_in_a_case_of_its_own() {
    let cases = Repository::text("stack/observe/rules_test.yml");
    for rule in rules() {
        let fires = format!("alertname=\"{}\"", rule.alert);
        assert!(cases.contains(&fires), "no case of {} in rules_test.yml", rule.alert);
    }
}
