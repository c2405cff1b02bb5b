//! What a shell and a reader know of the commands: completions, and pages for `man`.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;
use serde_json::json;

use super::{error::CtlError, output::Output};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell that is to complete.
    shell: Shell,
}

/// Returns the script that the shell is to read.
pub(super) fn completions(args: &CompletionsArgs, mut command: clap::Command) -> Output {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script);
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    Output::own(&script, json)
}

#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// The folder, which is made unless it is there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Writes a page for each command, and says which.
pub(super) fn man(args: &ManArgs, command: clap::Command) -> Result<Output, CtlError> {
    let failed = |source| CtlError::Pages { path: args.to.clone(), source };
    let pages = write(&args.to, command).map_err(failed)?;
    let told = format!(
        "{} pages in {}: man -l {}",
        pages.len(),
        args.to.display(),
        args.to.join("woodyctl.1").display()
    );
    Ok(Output::text(&told).told_as(json!({ "message": told, "pages": pages })))
}

fn write(to: &Path, command: clap::Command) -> std::io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(to)?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let (mut pages, mut left) = (Vec::new(), vec![command]);
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().cloned());
        pages.push(clap_mangen::Man::new(command).generate_to(to)?);
    }
    pages.sort();
    Ok(pages)
}
