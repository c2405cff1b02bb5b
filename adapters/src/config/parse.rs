use std::time::Duration;

use clap::{Parser, error::ErrorKind};

/// A configuration that cannot work, as one line for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error that says `line`.
    pub fn new(line: impl Into<String>) -> Self {
        Self(line.into().split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Says what went wrong and why, down to the last cause.
    pub fn because(what: impl std::fmt::Display, error: &dyn std::error::Error) -> Self {
        let mut line = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        Self::new(line)
    }
}

/// Reads flags and environment of a service. `--help` and `--version` are
/// answered here and end the process, as everywhere.
///
/// # Errors
/// [`ConfigError`], one line that names the flag.
pub fn parse_args<A: Parser>(
    adjust: impl FnOnce(clap::Command) -> clap::Command,
) -> Result<A, ConfigError> {
    let matches = adjust(A::command()).try_get_matches();
    matches.and_then(|mut matches| A::from_arg_matches_mut(&mut matches)).map_err(|error| {
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
            _ => {
                let text = error.to_string();
                // The first paragraph says it; usage and the pointer to --help follow.
                let first = text.split("\n\n").next().unwrap_or(&text);
                ConfigError::new(first.trim_start_matches("error: "))
            }
        }
    })
}

/// Reads `500ms`, `10s`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "give a number with its unit, such as 500ms, 10s or 2m".to_owned())
}

/// Like [`duration`], but more than nothing.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be longer than nothing".to_owned()),
        some => Ok(some),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[derive(Parser)]
    struct Args {
        #[arg(long, value_parser = positive_duration)]
        grace: Duration,
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1_500)));
        assert!(duration("10").is_err());
        assert!(positive_duration("0s").is_err());
    }

    #[test]
    fn a_bad_flag_is_one_line() {
        let error = Args::command()
            .try_get_matches_from(["x", "--grace", "soon"])
            .map(|_| ())
            .unwrap_err()
            .to_string();
        let line = ConfigError::new(error.split("\n\n").next().unwrap()).to_string();
        assert!(line.contains("--grace") && line.contains("10s"), "{line}");
        assert!(!line.contains('\n'));
    }
}
