//! What the rules ask about a service of the stack file.

use std::{sync::Arc, time::Duration};

use super::{
    finding::Place,
    images::Image,
    lines::{At, Lines},
    parts::{Grant, Mount, Port},
    sizes::docker_size,
    tree::Node,
};

/// A service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) lines: Arc<Lines>,
    pub(super) line: usize,
    /// All that the stack file says of it, its variables filled in.
    pub(super) node: Node,
    pub(super) image: Option<Image>,
    pub(super) environment: Vec<Variable>,
    pub(super) ports: Vec<Port>,
    pub(super) mounts: Vec<Mount>,
    /// What it is given of the stack's `secrets:`.
    pub(super) secrets: Vec<Grant>,
    /// What it is given of the stack's `configs:`.
    pub(super) configs: Vec<Grant>,
    /// The networks it is in.
    pub(super) networks: Vec<At<String>>,
    pub(super) health: Health,
    pub(super) stop_grace_period: Option<At<Duration>>,
}

/// A variable of a service's environment.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) place: Place,
}

/// Whether a service is asked how it is.
#[derive(Debug)]
pub(super) enum Health {
    NotAsked,
    Disabled { line: usize },
    Asked { line: usize, has_start_period: bool },
}

/// What Swarm gives a container that names no `stop_grace_period`.
pub(super) const SWARM_GRACE: Duration = Duration::from_secs(10);

impl Service {
    /// A line of it.
    pub(super) fn place(&self, line: usize) -> Place {
        self.lines.place(Some(&self.name), line)
    }

    /// Where a path of keys ends, or as far as it leads.
    pub(super) fn place_at(&self, path: &[&str]) -> Place {
        let mut line = self.line;
        let mut node = &self.node;
        for key in path {
            let Some(entry) = node.entry(key) else { break };
            (line, node) = (entry.line, &entry.node);
        }
        self.place(line)
    }

    /// Its `deploy`, or itself where it has none.
    pub(super) fn deploy_place(&self) -> Place {
        self.place_at(&["deploy"])
    }

    /// The text at the end of a path of keys.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.node.text_at(path)
    }

    /// The number at the end of a path of keys.
    pub(super) fn number_at(&self, path: &[&str]) -> Option<u64> {
        self.text_at(path)?.parse().ok()
    }

    /// Whether its root file system cannot be written.
    pub(super) fn is_read_only(&self) -> bool {
        self.node.is_true("read_only")
    }

    /// Volumes that outlive the container and that it may write to.
    pub(super) fn written_volumes(&self) -> impl Iterator<Item = &Mount> {
        self.mounts.iter().filter(|mount| mount.is_named_volume() && !mount.is_read_only)
    }

    /// How many of it run at a time.
    pub(super) fn replicas(&self) -> u64 {
        self.number_at(&["deploy", "replicas"]).unwrap_or(1)
    }

    /// Whether there is one on each node.
    pub(super) fn is_global(&self) -> bool {
        self.text_at(&["deploy", "mode"]).is_some_and(|mode| mode.starts_with("global"))
    }

    /// Whether an update starts the new container before the old one ends.
    pub(super) fn starts_first(&self) -> bool {
        self.text_at(&["deploy", "update_config", "order"]) == Some("start-first")
    }

    /// How long it has to end.
    pub(super) fn grace(&self) -> Duration {
        self.stop_grace_period.as_ref().map_or(SWARM_GRACE, |period| period.value)
    }

    /// What its container may have of its node's memory.
    pub(super) fn memory_limit(&self) -> Option<u64> {
        docker_size(self.text_at(&["deploy", "resources", "limits", "memory"])?)
    }

    /// The words of a key that is a command: `command`, `entrypoint`.
    pub(super) fn words_of(&self, key: &str) -> Vec<&str> {
        let node = self.node.get(key);
        match node.and_then(Node::text) {
            Some(line) => line.split_whitespace().collect(),
            None => node.map(|node| node.texts().collect()).unwrap_or_default(),
        }
    }

    /// A variable of its environment.
    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.environment.iter().find(|variable| variable.name == name)
    }

    /// Where a variable is set, or the service itself.
    pub(super) fn place_of(&self, variable: &str) -> Place {
        let variable = self.variable(variable);
        variable.map_or_else(|| self.place(self.line), |variable| variable.place.clone())
    }

    /// Whether its image is the one of this name.
    pub(super) fn runs(&self, base: &str) -> bool {
        self.image.as_ref().is_some_and(|image| image.base() == base)
    }

    /// Whether it is one of our programs: by its image, or by its environment.
    pub(super) fn is_program(&self) -> bool {
        self.image.as_ref().is_some_and(Image::is_program)
            || self.has_queue()
            || self.is_told("WOODY_STORE_URL")
    }

    /// Whether its image is one of ours.
    pub(super) fn is_ours(&self) -> bool {
        self.image.as_ref().is_some_and(Image::is_ours) || self.is_program()
    }

    /// Whether it puts orders in the queue, or takes them from there: by its image,
    /// or by its environment.
    pub(super) fn has_queue(&self) -> bool {
        ["order-service", "order-worker", "woodytoys"].iter().any(|base| self.runs(base))
            || self.is_told("WOODY_BROKER_URL")
    }

    /// Whether a variable is set, or one that names its file.
    pub(super) fn is_told(&self, name: &str) -> bool {
        self.variable(name).is_some() || self.variable(&format!("{name}_FILE")).is_some()
    }

    /// Whether it validates orders.
    pub(super) fn is_worker(&self) -> bool {
        self.runs("order-worker")
            || self.runs("woodytoys")
            || self.environment.iter().any(|variable| variable.name.starts_with("WOODY_VALIDATION"))
    }

    /// Whether every request from outside comes through it.
    pub(super) fn is_gateway(&self) -> bool {
        self.name == "gateway" || self.runs("gateway")
    }

    /// Whether something at this path is given to it: a secret, a config or a mount.
    pub(super) fn has_at(&self, path: &str) -> bool {
        let grants = self.secrets.iter().chain(&self.configs);
        grants.map(|grant| grant.path.as_str()).any(|given| given == path)
            || self.mounts.iter().any(|mount| mount.covers(path))
    }
}
