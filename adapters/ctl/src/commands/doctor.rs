//! The doctor for an operator: what is wrong with a deployment, before it is one.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{error::CtlError, output::Output};
use woody_adapters::config::ConfigError;

use crate::doctor::{Severity, Sources, examine, rules};

/// Flags of `woodyctl doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// What `docker stack deploy` is given; of several, the later ones add to the
    /// first. The other files are found beside the first.
    #[arg(required_unless_present = "list", value_name = "STACK_FILE")]
    stack_files: Vec<PathBuf>,
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
    /// List what is looked for, and read nothing.
    #[arg(long, conflicts_with_all = ["stack_files", "gateway", "definitions", "strict"])]
    list: bool,
}

pub(super) fn run(args: DoctorArgs) -> Result<Output, CtlError> {
    if args.list {
        return Ok(list());
    }
    let variables = std::env::vars_os();
    let sources = Sources {
        stack_files: args.stack_files,
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
    let output = Output::report(&report.to_string(), report.to_json());
    Ok(if is_bad { output.failing() } else { output })
}

fn list() -> Output {
    let widest = rules().iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    let lines = rules()
        .iter()
        .map(|rule| format!("{:7}  {:widest$}  {}", rule.severity.as_str(), rule.id, rule.finds));
    let rules = rules()
        .iter()
        .map(|rule| json!({ "rule": rule.id, "severity": rule.severity, "finds": rule.finds }));
    Output::report(
        &lines.collect::<Vec<_>>().join("\n"),
        json!({ "rules": rules.collect::<Vec<_>>() }),
    )
}
