use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::{
    files::Unreadable, gateway::Gateway, postgres::Postgres, rabbitmq::RabbitMq,
    settings::Settings, stack_file::Stack,
};

/// Where the files of a deployment are.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// What `docker stack deploy` is given: of several, the later ones add to the
    /// first. The other files are found from the first.
    pub stack_files: Vec<PathBuf>,
    /// The gateway's nginx files. If empty: `gateway/nginx.conf` and
    /// `gateway/templates/**/*.template` beside the stack file, or what the
    /// gateway has as `configs:`.
    pub gateway: Vec<PathBuf>,
    /// RabbitMQ's definitions; if none, `rabbitmq/definitions.json` beside the
    /// stack file.
    pub definitions: Option<PathBuf>,
    /// The variables that the stack file is filled in from.
    pub environment: HashMap<String, String>,
}

/// All that is known of a deployment.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) stack: Stack,
    /// None where there is none to be found.
    pub(super) gateway: Option<Gateway>,
    /// None where the stack has none.
    pub(super) rabbitmq: Option<RabbitMq>,
    /// None where the stack has none.
    pub(super) postgres: Option<Postgres>,
    /// What our programs would make of their variables.
    pub(super) settings: Settings,
}

impl Deployment {
    pub(super) fn read(sources: &Sources) -> Result<Self, Unreadable> {
        let stack = Stack::read(&sources.stack_files, &sources.environment)?;
        let gateway = Gateway::read(&stack, &sources.gateway)?;
        let rabbitmq = RabbitMq::read(&stack, sources.definitions.as_deref())?;
        let postgres = Postgres::read(&stack)?;
        Ok(Self { stack, gateway, rabbitmq, postgres, settings: Settings::new() })
    }

    /// The files that were read.
    pub(super) fn files(&self) -> Vec<&Path> {
        let mut files: Vec<_> = self.stack.lines.files().collect();
        files.extend(self.gateway.iter().flat_map(Gateway::files));
        files.extend(self.rabbitmq.iter().flat_map(RabbitMq::files));
        files.extend(self.postgres.iter().flat_map(Postgres::files));
        files
    }
}
