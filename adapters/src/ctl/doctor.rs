//! The doctor for an operator: what is wrong with a deployment, before it is one.

use std::path::PathBuf;

use clap::Args;

use super::{CtlError, Output};
use crate::{
    config::ConfigError,
    doctor::{Severity, Sources, examine},
};

/// Flags of `woodyctl doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// What `docker stack deploy` is given; the other files are found beside it.
    stack_file: PathBuf,
    /// nginx file of the gateway, instead of gateway/nginx.conf and
    /// gateway/templates; may be given several times.
    #[arg(long, value_name = "FILE")]
    gateway: Vec<PathBuf>,
    /// RabbitMQ's definitions, instead of rabbitmq/definitions.json.
    #[arg(long, value_name = "FILE")]
    definitions: Option<PathBuf>,
    /// Exit code 1 with warnings too.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: DoctorArgs) -> Result<Output, CtlError> {
    let variables = std::env::vars_os();
    let sources = Sources {
        stack_file: args.stack_file,
        gateway: args.gateway,
        definitions: args.definitions,
        // What is no text cannot be meant for a text.
        environment: variables
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    };
    let report = examine(&sources).map_err(|error| ConfigError::new(error.to_string()))?;
    let fails_by = if args.strict { Severity::Warning } else { Severity::Error };
    let is_bad = report.findings().iter().any(|finding| finding.severity >= fails_by);
    let output = Output::report(report.to_string(), report.to_json());
    Ok(if is_bad { output.failing() } else { output })
}
