//! The doctor, on copies of this repository's own deployment that are broken in
//! one place each.

mod cases;
mod command;
mod foreign;
mod gateway;
mod orders;
mod services;
mod table;
mod updates;

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use woodyctl::doctor::{Report, Severity, Sources, examine};

const STACK: &str = "stack.yml";
const NGINX: &str = "gateway/nginx.conf";
const GATEWAY: &str = "gateway/templates/conf.d/gateway.conf.template";
const CONF: &str = "rabbitmq/rabbitmq.conf";
const DEFINITIONS: &str = "rabbitmq/definitions.json";
const POSTGRES: &str = "postgres/postgresql.conf";
const TLS: &str = "tls.yml";
const COMPOSE: &str = "compose.yml";
const WORKSHOP: &str = "workshop.toml";
const FILES: [&str; 9] =
    [STACK, NGINX, GATEWAY, CONF, DEFINITIONS, POSTGRES, TLS, COMPOSE, WORKSHOP];

/// A copy of `stack/`, to be broken.
struct Copy {
    folder: TempDir,
    environment: HashMap<String, String>,
}

fn ours() -> Copy {
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../stack");
    let copy = Copy { folder: tempfile::tempdir().unwrap(), environment: HashMap::new() };
    for name in FILES {
        let to = copy.path(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(stack.join(name), to).unwrap();
    }
    copy
}

impl Copy {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Puts `with` in place of the first `what`.
    fn replace(self, name: &str, what: &str, with: &str) -> Self {
        self.replace_after(name, "", what, with)
    }

    /// The same within a service of the stack file.
    fn service(self, service: &str, what: &str, with: &str) -> Self {
        self.replace_after(STACK, &format!("\n  {service}:\n"), what, with)
    }

    /// Puts lines at the beginning of a service of the stack file.
    fn add(self, service: &str, lines: &str) -> Self {
        let head = format!("\n  {service}:\n");
        self.replace(STACK, &head, &format!("{head}    {lines}\n"))
    }

    fn replace_after(self, name: &str, after: &str, what: &str, with: &str) -> Self {
        let text = self.text(name);
        let start = text.find(after).unwrap_or_else(|| panic!("{name} has no {after}"));
        let (head, tail) = text.split_at(start);
        assert!(tail.contains(what), "{name} has no {what} after {after}");
        fs::write(self.path(name), head.to_owned() + &tail.replacen(what, with, 1)).unwrap();
        self
    }

    /// The number of the first line that holds `what`.
    fn line(&self, name: &str, what: &str) -> usize {
        1 + self.text(name).lines().position(|line| line.contains(what)).unwrap()
    }

    /// Sets a variable that the stack file is filled in from.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    fn examine(&self) -> Report {
        self.examine_files(&[STACK])
    }

    fn examine_files(&self, names: &[&str]) -> Report {
        let stack_files = names.iter().map(|name| self.path(name)).collect();
        let environment = self.environment.clone();
        examine(&Sources { stack_files, environment, ..Sources::default() }).unwrap()
    }

    /// Asserts that there are findings of one rule and of no other: whom each is
    /// about (a service, or else a file), and the line it points to.
    fn shows(&self, severity: Severity, rule: &str, expected: &[(&str, &str)]) {
        let report = self.examine();
        let found: Vec<_> = report
            .findings()
            .iter()
            .map(|finding| {
                let file = finding.place.file.strip_prefix(self.folder.path()).unwrap();
                let file = file.to_str().unwrap().to_owned();
                let text = self.text(&file);
                let line = finding.place.line.map_or("", |n| text.lines().nth(n - 1).unwrap());
                let whom = finding.place.service.clone().unwrap_or(file);
                (finding.severity, finding.rule, whom, line.trim().to_owned())
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(whom, line)| (severity, rule, (*whom).to_owned(), (*line).to_owned()))
            .collect();
        assert_eq!(found, expected, "{report}");
    }

    fn fails(&self, rule: &str, expected: &[(&str, &str)]) {
        self.shows(Severity::Error, rule, expected);
    }

    fn warns(&self, rule: &str, expected: &[(&str, &str)]) {
        self.shows(Severity::Warning, rule, expected);
    }

    fn is_clean(&self) {
        self.shows(Severity::Warning, "", &[]);
    }
}

#[test]
fn our_own_stack_is_well() {
    ours().is_clean();
}

#[test]
fn our_own_stack_with_tls_is_well() {
    let report = ours().examine_files(&[STACK, TLS]);
    assert_eq!(report.findings(), [], "{report}");
    // What is wrong in the second file is found there.
    let broken = ours().replace(TLS, "uid: \"101\"", "uid: \"102\"");
    let report = broken.examine_files(&[STACK, TLS]);
    let places: Vec<_> =
        report.findings().iter().map(|f| (f.rule, f.place.file.clone(), f.place.line)).collect();
    let line = Some(broken.line(TLS, "- source: tls_certificate"));
    assert_eq!(places, [("unreadable-grant", broken.path(TLS), line)], "{report}");
}

/// Rules about Swarm's own ways, which `docker compose` does not share: it follows
/// `restart:` and `tmpfs:`, knows no routing mesh, and runs one of each.
const OF_SWARM: [&str; 12] = [
    "drain-too-short",
    "fixed-object",
    "healthcheck-start",
    "ignored-key",
    "limit-behind-mesh",
    "missing-file",
    "no-limits",
    "nothing-to-write-to",
    "relative-bind",
    "update-at-once",
    "upstream-resolver",
    "volume-wanders",
];

#[test]
fn our_compose_file_is_well_but_for_what_only_swarm_asks() {
    let report = ours().with("WOODY_SECRETS_FILES", "/secrets").examine_files(&[COMPOSE]);
    let told: BTreeSet<_> = report.findings().iter().map(|finding| finding.rule).collect();
    assert!(told.is_subset(&BTreeSet::from(OF_SWARM)), "{told:?}");
}

#[test]
fn every_finding_says_why_and_how_to_mend_it() {
    let report = ours()
        .add("order-worker", "depends_on: [rabbitmq]")
        .replace(GATEWAY, "zone=misc:10m", "zone=misc:10m sync")
        .replace(GATEWAY, "proxy_next_upstream off;", "")
        .replace(DEFINITIONS, "\"overflow\": \"reject-publish\",", "")
        .examine();
    assert_eq!(report.count(Severity::Error), 2, "{report}");
    assert_eq!(report.count(Severity::Warning), 1, "{report}");
    for finding in report.findings() {
        for text in [finding.what.as_str(), finding.why, finding.mend.as_str()] {
            assert!(text.len() > 10 && !text.contains("  "), "{text}");
        }
    }
    let worst = report.findings().iter().map(|finding| finding.severity);
    assert!(worst.is_sorted_by(|a, b| a >= b), "the worst come first");
}
