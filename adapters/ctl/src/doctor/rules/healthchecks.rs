//! Healthchecks that never succeed, or ask the wrong question.

use std::time::Duration;

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment, finding::Found, postgres::is_postgres, service::Service,
    settings::go_duration, tree::Node,
};

const TEST: [&str; 2] = ["healthcheck", "test"];

/// The words of a test, and whether a shell runs it.
struct Test<'s> {
    words: Vec<&'s str>,
    is_by_shell: bool,
}

impl<'s> Test<'s> {
    fn of(service: &'s Service) -> Option<Self> {
        let node = service.node.at(&TEST)?;
        if let Some(line) = node.text() {
            return Some(Self { words: words(line), is_by_shell: true });
        }
        let mut items = node.items().iter().filter_map(Node::text);
        match items.next()? {
            "CMD" => Some(Self { words: items.collect(), is_by_shell: false }),
            "CMD-SHELL" => Some(Self { words: items.flat_map(words).collect(), is_by_shell: true }),
            _ => None,
        }
    }
}

/// The words of a shell's line, and of the lines in it.
fn words(line: &str) -> Vec<&str> {
    let between = |c: char| c.is_whitespace() || "|&;()<>\"'`".contains(c);
    line.split(between).filter(|word| !word.is_empty()).collect()
}

/// What official images on Debian do not have.
const NOT_THERE: [&str; 2] = ["curl", "wget"];

/// A healthcheck, or a command, whose program is not in the image.
pub(super) fn tool_not_in_image(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let image = service.image.as_ref()?;
        let test = Test::of(service);
        if image.is_bare() {
            if let Some(test) = test {
                let asked = test.words.first().copied().unwrap_or_default();
                let is_wrong = test.is_by_shell || asked != "/service";
                return is_wrong.then(|| {
                    let tool = if test.is_by_shell { "a shell" } else { asked };
                    missing(service, &TEST, tool, image.base())
                });
            }
            let command = service.words_of("entrypoint");
            let tool =
                command.first().filter(|tool| **tool != "/service" && **tool != "/woodyctl")?;
            return Some(missing(service, &["entrypoint"], tool, image.base()));
        }
        let is_debian = (is_postgres(service) || image.base() == "rabbitmq") && !image.is_alpine();
        let test = test.filter(|_| is_debian)?;
        let tool =
            test.words.iter().flat_map(|word| words(word)).find(|w| NOT_THERE.contains(w))?;
        Some(missing(service, &TEST, tool, image.base()))
    })
}

fn missing(service: &Service, path: &[&str], tool: &str, image: &str) -> Found {
    let mend = match image {
        "postgres" => "ask with pg_isready",
        "rabbitmq" => "ask with rabbitmq-diagnostics -q check_running",
        _ => "ask with the program itself: [CMD, /service, --healthcheck]",
    };
    Found::error(
        service.place_at(path),
        format!("it runs {tool}, and the image {image} has none"),
        "No container is ever healthy: Swarm kills each of them and starts the next, for ever.",
        mend,
    )
}

/// A healthcheck that fails when something else does.
pub(super) fn healthcheck_readiness(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let test = Test::of(service)?;
        test.words.iter().any(|word| word.contains("/readyz")).then(|| {
            Found::error(
                service.place_at(&TEST),
                "it asks /readyz, which says whether database and broker are there too",
                "With one of them unavailable Swarm kills every replica, and those that could still accept \
                 orders are gone.",
                "ask /healthz, as [CMD, /service, --healthcheck] does",
            )
        })
    })
}

/// A test that Docker does not run.
pub(super) fn healthcheck_form(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let node = service.node.at(&TEST)?;
        let first = node.items().first()?.text()?;
        (!["CMD", "CMD-SHELL", "NONE"].contains(&first)).then(|| {
            Found::error(
                service.place_at(&TEST),
                format!("its healthcheck begins with {first}, and not with CMD or CMD-SHELL"),
                "Docker knows no such test and runs none: the task never becomes healthy.",
                format!("write test: [CMD, {first}, …]"),
            )
        })
    })
}

/// How long Docker waits between two tests by default, and how often one
/// may fail.
const INTERVAL: Duration = Duration::from_secs(30);
const RETRIES: u32 = 3;
/// What RabbitMQ and PostgreSQL may take to start.
const TO_START: Duration = Duration::from_secs(30);

/// A server that is killed while it starts.
pub(super) fn healthcheck_hasty(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        if !is_postgres(service) && !service.runs("rabbitmq") {
            return None;
        }
        service.node.at(&TEST)?;
        let time = |key| service.text_at(&["healthcheck", key]).and_then(go_duration);
        let retries = service.text_at(&["healthcheck", "retries"]).and_then(|n| n.parse().ok());
        let patience =
            time("interval").unwrap_or(INTERVAL).saturating_mul(retries.unwrap_or(RETRIES));
        let given = time("start_period").unwrap_or_default().saturating_add(patience);
        (given < TO_START).then(|| {
            Found::warning(
                service.place_at(&["healthcheck"]),
                format!("it has {given:?} to become healthy"),
                "A server that recovers after a crash takes longer, is killed in the middle of it, \
                 and recovers anew.",
                "set start_period: 60s",
            )
        })
    })
}

/// A container that has a healthcheck's times, and nothing that is asked.
pub(super) fn healthcheck_empty(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let health = service.node.get("healthcheck")?;
        let image = service.image.as_ref()?;
        let brings_none =
            ["postgres", "rabbitmq", "nginx", "gateway", "front"].contains(&image.base());
        let is_empty = health.get("test").is_none() && !health.is_true("disable");
        (brings_none && is_empty).then(|| {
            Found::warning(
                service.place_at(&["healthcheck"]),
                "its healthcheck has no test, and its image brings none",
                "Nothing is asked: Swarm takes a container that has started for one that works.",
                "add test: [CMD, …]",
            )
        })
    })
}
