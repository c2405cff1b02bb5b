//! What the engine says of containers and services.

use serde_json::Value;

use crate::commands::{run, try_run, variable};

/// Returns the name of an image of ours.
pub(crate) fn image(name: &str, version: &str) -> String {
    format!("{}/{name}:{version}", variable("REGISTRY"))
}

/// Returns the full name of a service.
pub(crate) fn service(name: &str) -> String {
    format!("{}_{name}", variable("WOODY_STACK"))
}

/// The container of a healthy task of a service.
pub(crate) fn task(name: &str) -> String {
    let label = format!("label=com.docker.swarm.service.name={}", service(name));
    let ids = run("docker", &["ps", "--quiet", "--filter", &label, "--filter", "health=healthy"]);
    ids.lines().next().unwrap_or_else(|| panic!("{name} has no healthy task")).to_owned()
}

/// The containers of the stack.
pub(crate) fn containers() -> Vec<Value> {
    let label = format!("label=com.docker.stack.namespace={}", variable("WOODY_STACK"));
    let ids = run("docker", &["ps", "--quiet", "--filter", &label]);
    let containers: Vec<Value> = ids.lines().filter_map(container).collect();
    assert!(!containers.is_empty(), "the stack has no containers");
    containers
}

/// A container; none where it is gone.
pub(crate) fn container(id: &str) -> Option<Value> {
    let said = try_run("docker", &["inspect", "--type", "container", id]).ok()?;
    Some(serde_json::from_str::<Value>(&said).unwrap()[0].take())
}

/// How an update of a service stands: `completed`, `rollback_completed`, …
pub(crate) fn update(name: &str) -> String {
    let said = run("docker", &["service", "inspect", &service(name)]);
    let inspected: Value = serde_json::from_str(&said).unwrap();
    inspected[0]["UpdateStatus"]["State"].as_str().unwrap_or_default().to_owned()
}

/// Whether a service has as many healthy tasks as it is to have.
pub(crate) fn is_whole(name: &str) -> bool {
    let filter = format!("name={}", service(name));
    let said = run("docker", &["service", "ls", "--filter", &filter, "--format", "{{json .}}"]);
    let listed: Value = serde_json::from_str(said.lines().next().unwrap_or("null")).unwrap();
    let replicas =
        listed["Replicas"].as_str().unwrap_or_else(|| panic!("{name} is no service: {said}"));
    replicas.split_once('/').is_some_and(|(have, want)| have == want && want != "0")
}
