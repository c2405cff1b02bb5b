use std::ffi::{OsStr, OsString};

use clap::{Parser, error::ErrorKind, parser::ValueSource};

use crate::{causes::with_causes, terminal};

/// A configuration that cannot work, as one line for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error that says `line`; text from outside in it is shown, not obeyed.
    pub fn new(line: impl Into<String>) -> Self {
        let line = line.into().split_whitespace().collect::<Vec<_>>().join(" ");
        Self(terminal::visible(&line).into_owned())
    }

    /// Says what went wrong and why, down to the last cause.
    pub fn because(what: impl std::fmt::Display, error: &dyn std::error::Error) -> Self {
        Self::new(format!("{what}: {}", with_causes(error)))
    }
}

/// Reads flags and environment of a program. `--help` and `--version` are
/// answered here and end the process, as everywhere.
///
/// # Errors
/// [`ConfigError`], one line that names the flag and its variable.
pub fn parse_args<A: Parser>(
    adjust: impl FnOnce(clap::Command) -> clap::Command,
) -> Result<A, ConfigError> {
    match read_args(adjust(A::command()), std::env::args_os()) {
        Ok(args) => Ok(args),
        Err(Ending::Wrong(error)) => Err(error),
        Err(Ending::Answered(help, code)) => {
            let printed = terminal::print(help.trim_end());
            if let Err(error) = &printed {
                terminal::complain(ConfigError::because("cannot write to stdout", error));
            }
            std::process::exit(if printed.is_ok() { code } else { 1 })
        }
    }
}

/// Why there are no arguments to go on with.
enum Ending {
    /// They ask for this text, or for nothing, and this is the exit code.
    Answered(String, i32),
    /// They cannot work.
    Wrong(ConfigError),
}

fn read_args<A: Parser>(
    mut command: clap::Command,
    words: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<A, Ending> {
    let matches = command.try_get_matches_from_mut(words);
    let args = matches.and_then(|mut matches| {
        let twice = given_twice(&command, &matches);
        A::from_arg_matches_mut(&mut matches).map(|args| (args, twice))
    });
    match args {
        Ok((args, None)) => Ok(args),
        Ok((_, Some(error))) => Err(Ending::Wrong(error)),
        Err(error) => Err(match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let text = error.render();
                let is_coloured = terminal::has_colours(&std::io::stdout());
                let text = if is_coloured { text.ansi().to_string() } else { text.to_string() };
                Ending::Answered(text, error.exit_code())
            }
            _ => Ending::Wrong(one_line(&command, &error.to_string())),
        }),
    }
}

/// The first paragraph says it; what was meant may follow, then usage and the pointer to --help. A flag
/// may have come as a variable, so both are named.
fn one_line(command: &clap::Command, text: &str) -> ConfigError {
    let mut line =
        text.split("\n\n").next().unwrap_or(text).trim_start_matches("error: ").to_owned();
    let mut tips = text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: "));
    if let Some(meant) = tips.find_map(meant) {
        line = format!("{line}: did you mean {meant}?");
    }
    for flag in command.get_arguments() {
        if let Some(variable) = flag.get_env() {
            let name = format!("'{flag}'");
            line = line.replace(&name, &format!("{name} ({})", variable.to_string_lossy()));
        }
    }
    ConfigError::new(line)
}

/// What a tip of clap's says is similar: `a similar subcommand exists: 'status'`.
fn meant(tip: &str) -> Option<String> {
    let (what, names) = tip.split_once(": ")?;
    what.contains("similar").then(|| names.replace("', '", "' or '"))
}

/// A value beside a file that holds it: which one was meant?
fn given_twice(command: &clap::Command, matches: &clap::ArgMatches) -> Option<ConfigError> {
    let is_given = |id: &str| {
        let was_told = matches!(
            matches.value_source(id),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        );
        let is_empty = || matches.get_raw(id).is_none_or(|mut raw| raw.all(OsStr::is_empty));
        was_told && !is_empty()
    };
    command.get_arguments().find_map(|flag| {
        let file = format!("{}_file", flag.get_id());
        let variable = flag.get_env()?.to_string_lossy();
        let has_file = command.get_arguments().any(|other| other.get_id() == file.as_str());
        (has_file && is_given(flag.get_id().as_str()) && is_given(&file)).then(|| {
            ConfigError::new(format!(
                "{variable} and {variable}_FILE are both set: unset the one that does not hold"
            ))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use clap::CommandFactory;

    use super::*;
    use crate::config::bounds::{HOUR, MILLISECOND, time};

    #[derive(Debug, Parser)]
    struct Args {
        #[arg(long, env = "WOODY_TEST_GRACE", value_parser = time(MILLISECOND, HOUR))]
        grace: Option<Duration>,
        #[arg(long, env = "WOODY_TEST_URL")]
        url: Option<String>,
        #[arg(long, env = "WOODY_TEST_URL_FILE")]
        url_file: Option<PathBuf>,
    }

    fn read(words: &[&str]) -> Result<Args, String> {
        let words = std::iter::once(&"x").chain(words);
        read_args(Args::command(), words).map_err(|ending| match ending {
            Ending::Wrong(error) => error.to_string(),
            Ending::Answered(text, _) => panic!("answered {text}"),
        })
    }

    #[test]
    fn a_bad_flag_is_one_line_that_names_it_and_its_variable() {
        let line = read(&["--grace", "soon\u{1b}[2J"]).unwrap_err();
        assert!(line.contains("'--grace <GRACE>' (WOODY_TEST_GRACE)"), "{line}");
        assert!(line.contains("10s") && !line.contains(['\u{1b}', '\n']), "{line}");
        let line = read(&["--url-file", ""]).unwrap_err();
        assert!(line.contains("(WOODY_TEST_URL_FILE)"), "{line}");
    }

    #[test]
    fn a_name_that_is_nearly_right_is_told_with_the_one_that_was_meant() {
        let line = read(&["--gracee", "1s"]).unwrap_err();
        assert!(line.ends_with(": did you mean '--grace'?"), "{line}");
        let line = read(&["--nothing-like-it"]).unwrap_err();
        assert!(!line.contains("did you mean"), "{line}");
    }

    #[test]
    fn a_value_and_a_file_for_it_are_one_too_many() {
        assert!(read(&["--url", "memory:"]).is_ok());
        assert!(read(&["--url-file", "secret"]).is_ok());
        // A stack file writes `${WOODY_STORE_URL:-}`, so empty is none.
        assert!(read(&["--url", "", "--url-file", "secret"]).is_ok());
        let line = read(&["--url", "memory:", "--url-file", "secret"]).unwrap_err();
        assert!(line.contains("WOODY_TEST_URL and WOODY_TEST_URL_FILE"), "{line}");
    }
}
