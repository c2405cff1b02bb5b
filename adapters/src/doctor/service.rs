//! What the rules ask about a service of the stack file.

use std::{path::PathBuf, time::Duration};

use super::{finding::Place, images::Image};

/// A value and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// A service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) image: Option<Image>,
    /// Every key it has, known or not.
    pub(super) keys: Vec<At<String>>,
    pub(super) environment: Vec<Variable>,
    pub(super) ports: Vec<Port>,
    /// Volumes that outlive the container and that it may write to, by their names.
    pub(super) written_volumes: Vec<At<String>>,
    /// What it mounts of the stack's `configs:`.
    pub(super) configs: Vec<String>,
    pub(super) health: Health,
    pub(super) stop_grace_period: Option<At<Duration>>,
    pub(super) user: Option<At<String>>,
    pub(super) is_read_only: bool,
    pub(super) drops_all: bool,
    pub(super) deploy: Deploy,
}

/// A variable of a service's environment.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) place: Place,
}

/// A port that a service publishes.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) line: usize,
    /// The container's; none if it is a range.
    pub(super) target: Option<u16>,
    /// Whether it is published through the routing mesh.
    pub(super) is_in_mesh: bool,
}

/// Whether a service is asked how it is.
#[derive(Debug)]
pub(super) enum Health {
    NotAsked,
    Disabled { line: usize },
    Asked { line: usize, has_start_period: bool },
}

/// What is under `deploy`.
#[derive(Debug, Default)]
pub(super) struct Deploy {
    pub(super) line: Option<usize>,
    pub(super) endpoint_mode: Option<At<String>>,
    pub(super) restart_condition: Option<At<String>>,
    pub(super) update_order: Option<At<String>>,
    pub(super) limits_line: Option<usize>,
    pub(super) memory_limit: Option<String>,
    pub(super) cpu_limit: Option<String>,
}

impl Service {
    /// A line of it.
    pub(super) fn place(&self, line: usize) -> Place {
        Place { service: Some(self.name.clone()), file: self.file.clone(), line: Some(line) }
    }

    /// Its `deploy`, or itself where it has none.
    pub(super) fn deploy_place(&self) -> Place {
        self.place(self.deploy.line.unwrap_or(self.line))
    }

    /// A variable of its environment.
    pub(super) fn variable(&self, name: &str) -> Option<&Variable> {
        self.environment.iter().find(|variable| variable.name == name)
    }

    /// Whether its image is the one of this name.
    pub(super) fn runs(&self, base: &str) -> bool {
        self.image.as_ref().is_some_and(|image| image.base() == base)
    }

    /// Whether it is one of our programs: by its image, or by what it is told.
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
    /// or by what it is told.
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
}
