//! Where tasks run, and how many.

use super::rule::each_service;
use crate::doctor::{
    deployment::Deployment,
    finding::Found,
    parts::{Mount, MountKind},
    postgres::is_postgres,
    service::Service,
    stack_file::Stack,
    tree::Node,
};

/// What a constraint can be about.
const SUBJECTS: [&str; 6] =
    ["node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch"];
/// And with a name of the operator's after it.
const LABELS: [&str; 2] = ["node.labels.", "engine.labels."];

const CONSTRAINTS: [&str; 3] = ["deploy", "placement", "constraints"];

/// A constraint: what it is about, whether it must be so, and what.
struct Constraint<'t> {
    text: &'t str,
    subject: String,
    is_equal: bool,
    value: String,
}

impl<'t> Constraint<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (subject, value) = text.split_once("==").or_else(|| text.split_once("!="))?;
        Some(Self {
            text,
            subject: subject.trim().to_ascii_lowercase(),
            is_equal: text.contains("=="),
            value: value.trim().to_ascii_lowercase(),
        })
    }

    /// Whether no node can meet it.
    fn is_never_met(&self) -> bool {
        let is_known = SUBJECTS.contains(&self.subject.as_str())
            || LABELS.iter().any(|labels| self.subject.starts_with(labels));
        let is_role = ["manager", "worker"].contains(&self.value.as_str());
        !is_known || (self.subject == "node.role" && !is_role)
    }

    /// Whether no node meets both.
    fn excludes(&self, other: &Self) -> bool {
        self.subject == other.subject
            && match (self.is_equal, other.is_equal) {
                (true, true) => self.value != other.value,
                (false, false) => self.subject == "node.role" && self.value != other.value,
                _ => self.value == other.value,
            }
    }
}

fn texts(service: &Service) -> impl Iterator<Item = &str> {
    service.node.at(&CONSTRAINTS).into_iter().flat_map(Node::texts)
}

/// Constraints that no node meets.
pub(super) fn placement_unmet(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let (what, why, mend) = never_met(service)?;
        Some(Found::error(service.place_at(&CONSTRAINTS), what, why, mend))
    })
}

fn never_met(service: &Service) -> Option<(String, &'static str, &'static str)> {
    const PENDING: &str = "Its tasks stay pending for ever: \"no suitable node\".";
    let mut before: Vec<Constraint> = Vec::new();
    for text in texts(service) {
        let Some(constraint) = Constraint::parse(text) else {
            let why = "Swarm refuses the service: \"expected one operator from ==, !=\".";
            return Some((
                format!("`{text}` has neither == nor !="),
                why,
                "write node.role == worker",
            ));
        };
        if constraint.is_never_met() {
            let mend = "a constraint is about node.id, node.hostname, node.role, node.platform.os, \
                        node.platform.arch, node.labels.NAME or engine.labels.NAME";
            return Some((format!("`{text}` is met by no node"), PENDING, mend));
        }
        if let Some(other) = before.iter().find(|other| other.excludes(&constraint)) {
            let what = format!("`{}` and `{text}` are met by no node together", other.text);
            return Some((what, PENDING, "leave one of them out"));
        }
        before.push(constraint);
    }
    None
}

/// A volume of a node, for a service that may move to another.
pub(super) fn volume_wanders(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let volume =
            service.written_volumes().find(|volume| is_local(&deployment.stack, volume))?;
        let is_pinned = texts(service).filter_map(Constraint::parse).any(|constraint| {
            constraint.is_equal && !constraint.subject.starts_with("node.platform")
        });
        (!is_pinned && !service.is_global()).then(|| {
            Found::warning(
                service.place_at(&["deploy", "placement"]),
                format!("it keeps {}, and may run on any node", volume.source),
                "A local volume is on one node: wherever else the service starts, it finds an empty \
                 one, and the data seem lost.",
                "add a constraint, such as node.labels.STACK.data == true, and label one node",
            )
        })
    })
}

/// A volume that several write to.
pub(super) fn replicas_share_volume(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let volume =
            service.written_volumes().find(|volume| is_local(&deployment.stack, volume))?;
        (service.replicas() > 1 && !service.is_global()).then(|| {
            let place = service.place_at(&["deploy", "replicas"]);
            let what =
                format!("it has {} replicas, and they keep {}", service.replicas(), volume.source);
            let mend = "set replicas: 1, or name the volume after its task: {{.Task.Slot}}";
            if is_postgres(service) || service.runs("rabbitmq") {
                let why = "Two servers with one folder do not start, or break its files.";
                Found::error(place, what, why, mend)
            } else {
                let why = "On one node they write to the same files, on several each has files of \
                           its own.";
                Found::warning(place, what, why, mend)
            }
        })
    })
}

fn is_local(stack: &Stack, volume: &Mount) -> bool {
    let defined = stack.defined("volumes", &volume.source);
    let driver = defined.and_then(|volume| volume.node.text_of("driver"));
    let has_options = defined.is_some_and(|volume| volume.node.get("driver_opts").is_some());
    // One for each task is told by its name.
    let is_of_task = defined
        .and_then(|volume| volume.node.text_of("name"))
        .is_some_and(|name| name.contains("{{"));
    matches!(driver, None | Some("local")) && !has_options && !is_of_task
}

/// A folder beside the stack file, for nodes that do not have it.
pub(super) fn relative_bind(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let binds = service
            .mounts
            .iter()
            .filter(|mount| mount.kind == MountKind::Bind && mount.source.starts_with(['.', '~']));
        let found = binds.map(|mount| {
            Found::warning(
                service.place(mount.line),
                format!("it mounts {}, a path of the machine that deploys", mount.source),
                "Each node must have that very path: where it is not, Swarm rejects the task \
                 (\"bind source path does not exist\").",
                "make it a config or a volume, or put it into the image",
            )
        });
        found.collect::<Vec<_>>()
    })
}

/// A service of ours of which nothing runs.
pub(super) fn no_replicas(deployment: &Deployment) -> Vec<Found> {
    each_service(deployment, |service| {
        let path = ["deploy", "replicas"];
        (service.is_ours() && service.number_at(&path) == Some(0)).then(|| {
            Found::warning(
                service.place_at(&path),
                "it has no replicas",
                "Each deployment ends all of them, however many were set by docker service scale.",
                "set replicas: 1 or more",
            )
        })
    })
}
